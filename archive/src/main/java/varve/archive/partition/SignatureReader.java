package varve.archive.partition;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import varve.archive.block.BlockSource;
import varve.archive.partition.Signature.Kind;

/// Reads the first and last bytes of a part of a device, and tells what they are of. Places and numbers are from the sources that
/// each method names; who prints the same of the same bytes is blkid(8), and a test compares.
final class SignatureReader {

    private static final int HEAD = 72 << 10; // btrfs has its superblock at 64 KiB
    private static final int TAIL = 128 << 10; // RAID 0.90 has it in the last whole 64 KiB

    private final ByteBuffer head;
    private final ByteBuffer tail;
    private final long size;
    private final List<Signature> found = new ArrayList<>();

    SignatureReader(BlockSource device, long offset, long size) throws IOException {
        this.size = Math.clamp(device.size() - offset, 0, size);
        int first = (int) Math.min(HEAD, this.size);
        int last = (int) Math.min(TAIL, this.size);
        this.head = bytes(device, offset, first, HEAD, 0);
        this.tail = bytes(device, offset + this.size - last, last, TAIL, TAIL - last);
    }

    /// @param room zeros are where the device has nothing
    private static ByteBuffer bytes(BlockSource device, long offset, int size, int room, int at) throws IOException {
        byte[] bytes = new byte[room];
        try (Arena arena = Arena.ofShared()) {
            MemorySegment read = arena.allocate(Math.max(1, size), 4096).asSlice(0, size);
            if (size > 0) {
                device.read(offset, read);
            }
            MemorySegment.copy(read, ValueLayout.JAVA_BYTE, 0, bytes, at, size);
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    List<Signature> read() {
        luks();
        lvm();
        raid();
        bluestore();
        ext();
        xfs();
        btrfs();
        f2fs();
        fat();
        images();
        swap();
        drbd();
        return List.copyOf(found);
    }

    private void add(Kind kind, String label, String uuid) {
        found.add(new Signature(kind, label, uuid));
    }

    private boolean has(int at, String magic) {
        byte[] expected = magic.getBytes(StandardCharsets.ISO_8859_1);
        return head.slice(at, expected.length).equals(ByteBuffer.wrap(expected));
    }

    /// {@return text up to the first zero byte, without white space around it}
    private String text(int at, int size, Charset charset) {
        byte[] bytes = new byte[size];
        head.get(at, bytes);
        String text = new String(bytes, charset);
        int end = text.indexOf(0);
        return (end < 0 ? text : text.substring(0, end)).strip();
    }

    private String text(int at, int size) {
        return text(at, size, StandardCharsets.UTF_8);
    }

    private static String uuid(ByteBuffer from, int at) {
        byte[] bytes = new byte[16];
        from.get(at, bytes);
        String digits = HexFormat.of().formatHex(bytes);
        return String.join("-", digits.substring(0, 8), digits.substring(8, 12), digits.substring(12, 16), digits.substring(16, 20), digits.substring(20));
    }

    private String uuid(int at) {
        return uuid(head, at);
    }

    // ---- what holds something else

    /// LUKS 1 and 2 on-disk format specifications: binary header
    private void luks() {
        if (has(0, "LUKS\u00ba\u00be")) {
            boolean second = head.getShort(6) == Short.reverseBytes((short) 2);
            add(Kind.LUKS, second ? text(24, 48) : "", text(168, 40));
        }
    }

    /// LVM2, lib/format_text/layout.h and lib/label: a label in one of the first four sectors
    private void lvm() {
        for (int at = 0; at < 4 * 512; at += 512) {
            if (has(at, "LABELONE") && has(at + 24, "LVM2 001")) {
                String id = text(at + 32, 32, StandardCharsets.US_ASCII);
                if (id.length() == 32) {
                    id = id.replaceFirst("(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})", "$1-$2-$3-$4-$5-$6-$7");
                }
                add(Kind.LVM, "", id);
                return;
            }
        }
    }

    /// linux/raid/md_p.h: version 1 at the begin, 4 KiB behind it, or 8 KiB before the end; version 0.90 in the last whole 64 KiB
    private void raid() {
        for (int at : new int[] {0, 4096}) {
            if (head.getInt(at) == 0xa92b4efc && head.getInt(at + 4) == 1) {
                add(Kind.RAID, text(at + 32, 32), uuid(at + 16));
                return;
            }
        }
        long atEnd = (size / 512 - 16) / 8 * 8 * 512;
        int late = inTail(atEnd, 256);
        if (late >= 0 && tail.getInt(late) == 0xa92b4efc && tail.getInt(late + 4) == 1) {
            add(Kind.RAID, "", uuid(tail, late + 16));
            return;
        }
        int old = inTail(size / 65536 * 65536 - 65536, 4096);
        if (old >= 0 && tail.getInt(old) == 0xa92b4efc && tail.getInt(old + 4) == 0) {
            add(Kind.RAID, "", "");
        }
    }

    /// {@return where a place is in what was read of the end, or -1}
    private int inTail(long offset, int length) {
        long at = offset - (size - TAIL);
        return offset < 0 || at < 0 || at + length > TAIL ? -1 : (int) at;
    }

    /// ceph, src/os/bluestore/bluestore_types: the label
    private void bluestore() {
        if (has(0, "bluestore block device\n")) {
            add(Kind.BLUESTORE, "", text(23, 36));
        }
    }

    // ---- file systems

    /// linux, fs/ext4/ext4.h: struct ext4_super_block at 1024. Which of the three it is depends on its features.
    private void ext() {
        int at = 1024;
        if (head.getShort(at + 0x38) != (short) 0xef53) {
            return;
        }
        int compatible = head.getInt(at + 0x5c);
        int incompatible = head.getInt(at + 0x60);
        int readOnly = head.getInt(at + 0x64);
        int journal = 0x4; // of those that are compatible
        int ofExt2 = 0x2 | 0x10; // file types, meta block groups
        int ofExt3 = ofExt2 | 0x4; // journal to replay
        int readOnlyOfBoth = 0x1 | 0x2 | 0x4; // sparse superblocks, large files, trees in folders
        Kind kind;
        if ((incompatible & 0x8) != 0) {
            kind = Kind.JOURNAL;
        } else if ((readOnly & ~readOnlyOfBoth) != 0 || (incompatible & ~ofExt3) != 0) {
            kind = Kind.EXT4;
        } else {
            kind = (compatible & journal) != 0 ? Kind.EXT3 : Kind.EXT2;
        }
        add(kind, text(at + 0x78, 16), uuid(at + 0x68));
    }

    /// linux, fs/xfs/libxfs/xfs_format.h: struct xfs_dsb
    private void xfs() {
        if (has(0, "XFSB")) {
            add(Kind.XFS, text(108, 12), uuid(32));
        }
    }

    /// linux, fs/btrfs: struct btrfs_super_block at 64 KiB
    private void btrfs() {
        int at = 64 << 10;
        if (has(at + 0x40, "_BHRfS_M")) {
            add(Kind.BTRFS, text(at + 0x12b, 256), uuid(at + 0x20));
        }
    }

    /// linux/f2fs_fs.h: struct f2fs_super_block at 1024
    private void f2fs() {
        int at = 1024;
        if (head.getInt(at) == 0xf2f52010) {
            add(Kind.F2FS, text(at + 124, 1024, StandardCharsets.UTF_16LE), uuid(at + 108));
        }
    }

    /// The boot sectors of Microsoft: FAT (fatgen103, sections "Boot Sector and BPB"), exFAT (its specification, section 3.1), NTFS, BitLocker. Labels
    /// of exFAT and NTFS lie elsewhere and are not read.
    private void fat() {
        if (head.getShort(510) != (short) 0xaa55) {
            return;
        }
        if (has(3, "-FVE-FS-")) {
            add(Kind.BITLOCKER, "", "");
        } else if (has(3, "NTFS    ")) {
            add(Kind.NTFS, "", String.format("%016X", head.getLong(0x48)));
        } else if (has(3, "EXFAT   ")) {
            add(Kind.EXFAT, "", serial(0x64));
        } else if (has(0x52, "FAT32   ")) {
            add(Kind.VFAT, fatLabel(0x47), serial(0x43));
        } else if (has(0x36, "FAT16   ") || has(0x36, "FAT12   ")) {
            add(Kind.VFAT, fatLabel(0x2b), serial(0x27));
        }
    }

    private String fatLabel(int at) {
        String label = text(at, 11, StandardCharsets.ISO_8859_1);
        return label.equals("NO NAME") ? "" : label;
    }

    private String serial(int at) {
        String digits = String.format(Locale.ROOT, "%08X", head.getInt(at));
        return digits.substring(0, 4) + "-" + digits.substring(4);
    }

    /// File systems that are never written: linux, fs/squashfs/squashfs_fs.h; fs/erofs/erofs_fs.h; ECMA-119, section 8.4
    private void images() {
        if (has(0, "hsqs")) {
            add(Kind.SQUASHFS, "", "");
        }
        if (head.getInt(1024) == 0xe0f5e1e2) {
            add(Kind.EROFS, text(1024 + 64, 16), uuid(1024 + 48));
        }
        if (has((32 << 10) + 1, "CD001")) {
            add(Kind.ISO9660, text((32 << 10) + 40, 32, StandardCharsets.ISO_8859_1), "");
        }
    }

    // ---- others

    /// linux/swap.h: union swap_header, whose magic ends the first page, however large a page is
    private void swap() {
        for (int page = 4096; page <= 65536; page *= 2) {
            if (has(page - 10, "SWAPSPACE2")) {
                add(Kind.SWAP, text(1052, 16), uuid(1036));
                return;
            }
            if (has(page - 10, "S1SUSPEND")) {
                add(Kind.HIBERNATED, text(1052, 16), uuid(1036));
                return;
            }
        }
    }

    /// drbd-utils, user/shared/drbdmeta.c: struct md_on_disk_08 and _09 in the last whole 4 KiB, if the metadata is internal
    private void drbd() {
        int at = inTail(size / 4096 * 4096 - 4096, 4096);
        if (at >= 0) {
            int magic = Integer.reverseBytes(tail.getInt(at + 60));
            int first = 0x8374026b; // DRBD 8.3; 8.4 while it is in use, and 9, count on from there
            if (magic >= first && magic <= first + 2) {
                add(Kind.DRBD, "", String.format("%016x", Long.reverseBytes(tail.getLong(at + 40))));
            }
        }
    }
}
