package varve.mounthelper;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import varve.archive.block.Zeros;
import varve.archive.linux.Linux;

/// What seems to be on a device or in a file, by the marks in its first 128 KiB: for the eyes of whoever is about to
/// overwrite it. A guess, never a reason to do or not to do anything.
final class Contents {

    private static final int LOOKED_AT = 128 << 10;

    /// @param offset where the mark is
    /// @param label offset of a name in ASCII, or 0
    private record Mark(String meaning, long offset, String bytes, long label, int labelSize) {
        Mark(String meaning, long offset, String bytes) {
            this(meaning, offset, bytes, 0, 0);
        }
    }

    /// Most from blkid(8) and magic(5); each byte of a mark is a character.
    private static final List<Mark> MARKS = List.of(
            new Mark("LUKS encryption", 0, "LUKS\u00ba\u00be"),
            new Mark("LVM physical volume", 536, "LVM2 001"),
            new Mark("LVM physical volume", 24, "LVM2 001"),
            new Mark("Linux RAID member", 4096, "\u00fc\u004e\u002b\u00a9"),
            new Mark("Linux RAID member", 0, "\u00fc\u004e\u002b\u00a9"),
            new Mark("GPT partition table", 512, "EFI PART"),
            new Mark("GPT partition table", 4096, "EFI PART"),
            new Mark("ext2/3/4 file system", 1080, "\u0053\u00ef", 1144, 16),
            new Mark("XFS file system", 0, "XFSB", 108, 12),
            new Mark("btrfs file system", 65600, "_BHRfS_M", 65835, 256),
            new Mark("swap space", 4086, "SWAPSPACE2"),
            new Mark("NTFS file system", 3, "NTFS    "),
            new Mark("exFAT file system", 3, "EXFAT   "),
            new Mark("FAT file system", 82, "FAT32   "),
            new Mark("FAT file system", 54, "FAT16   "),
            new Mark("FAT file system", 54, "FAT12   "),
            new Mark("squashfs file system", 0, "hsqs"),
            new Mark("ISO 9660 file system", 32769, "CD001"),
            new Mark("qcow2 image, not a raw one", 0, "QFI\u00fb"),
            new Mark("varve archive", 8, "VARVEHDR"),
            new Mark("zstd file", 0, "\u0028\u00b5\u002f\u00fd"),
            new Mark("age file", 0, "age-encryption.org/"));

    private static final Mark BOOT_SECTOR = new Mark("MBR partition table or boot sector", 510, "\u0055\u00aa");

    private Contents() {}

    /// {@return what seems to be there, in a few words}
    static String of(int fd, long size) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.min(size, LOOKED_AT));
            for (long done = 0; done < bytes.byteSize(); ) {
                long count = Linux.pread(fd, bytes.asSlice(done), done);
                if (count == 0) {
                    break;
                }
                done += count;
            }
            return of(bytes);
        }
    }

    private static String of(MemorySegment bytes) {
        if (bytes.byteSize() == 0) {
            return "nothing";
        }
        String found = MARKS.stream()
                .filter(mark -> isAt(bytes, mark))
                .map(mark -> mark.meaning + label(bytes, mark))
                .distinct()
                .collect(Collectors.joining(", "));
        if (!found.isEmpty()) {
            return found;
        }
        if (isAt(bytes, BOOT_SECTOR)) {
            return BOOT_SECTOR.meaning;
        }
        return Zeros.only(bytes)
                ? "nothing in the first " + (bytes.byteSize() + 1023) / 1024 + " KiB"
                : "data of a kind that is not known";
    }

    private static boolean isAt(MemorySegment bytes, Mark mark) {
        byte[] magic = mark.bytes.getBytes(StandardCharsets.ISO_8859_1);
        return mark.offset + magic.length <= bytes.byteSize()
                && bytes.asSlice(mark.offset, magic.length).mismatch(MemorySegment.ofArray(magic)) < 0;
    }

    private static String label(MemorySegment bytes, Mark mark) {
        StringBuilder label = new StringBuilder();
        for (long at = mark.label; at < Math.min(mark.label + mark.labelSize, bytes.byteSize()); at++) {
            int c = bytes.get(ValueLayout.JAVA_BYTE, at);
            if (c == 0) {
                break;
            }
            label.append(c >= ' ' && c < 0x7f ? (char) c : '?');
        }
        return label.isEmpty() ? "" : " \"" + label + "\"";
    }
}
