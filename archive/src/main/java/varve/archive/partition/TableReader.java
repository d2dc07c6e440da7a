package varve.archive.partition;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.zip.CRC32;
import varve.archive.block.BlockSource;

/// Reads the partition table of a device: what is damaged is none.
final class TableReader {

    private static final int[] SECTORS = {512, 4096};
    private static final byte[] SIGNATURE = "EFI PART".getBytes(StandardCharsets.US_ASCII);
    private static final int MOST = 1024; // entries of a GPT, logical partitions of an MBR
    private static final int PROTECTIVE = 0xEE;
    private static final Set<Integer> EXTENDED = Set.of(0x05, 0x0F, 0x85);

    private static final Map<String, String> GPT_TYPES = Map.of(
            "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI system",
            "21686148-6449-6e6f-744e-656564454649", "BIOS boot",
            "0fc63daf-8483-4772-8e79-3d69d8477de4", "Linux",
            "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "Linux swap",
            "e6d6d379-f507-44c2-a23c-238f2a3df928", "Linux LVM",
            "a19d880f-05fc-4d3b-a006-743f0f84911e", "Linux RAID",
            "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "Linux root",
            "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "Microsoft basic data",
            "e3c9e316-0b5c-4db8-817d-f92df00215ae", "Microsoft reserved");

    private static final Map<Integer, String> MBR_TYPES = Map.of(
            0x07, "NTFS or exFAT", 0x0B, "FAT32", 0x0C, "FAT32", 0x82, "Linux swap", 0x83, "Linux", 0x8E, "Linux LVM",
            0xEF, "EFI system", 0xFD, "Linux RAID");

    private final BlockSource device;
    private final List<Partition> found = new ArrayList<>();

    TableReader(BlockSource device) {
        this.device = device;
    }

    PartitionTable read() throws IOException {
        PartitionTable.Scheme scheme = scheme();
        found.sort(Comparator.comparingLong(Partition::offset));
        return new PartitionTable(found.isEmpty() ? PartitionTable.Scheme.NONE : scheme, List.copyOf(found));
    }

    private PartitionTable.Scheme scheme() throws IOException {
        for (int sector : SECTORS) {
            if (gpt(sector, sector) || gpt(sector, device.size() / sector * sector - sector)) {
                return PartitionTable.Scheme.GPT;
            }
        }
        mbr();
        return PartitionTable.Scheme.MBR;
    }

    private ByteBuffer bytes(long offset, int size) throws IOException {
        if (offset < 0 || size > device.size() - offset) {
            return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        }
        try (Arena arena = Arena.ofShared()) {
            MemorySegment room = arena.allocate(size, 4096);
            device.read(offset, room);
            return ByteBuffer.wrap(room.toArray(ValueLayout.JAVA_BYTE)).order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    /// @param at where the header may be
    /// @return whether it is there
    private boolean gpt(int sector, long at) throws IOException {
        ByteBuffer header = bytes(at, sector);
        byte[] signature = new byte[SIGNATURE.length];
        header.get(0, signature);
        int headerSize = header.getInt(12);
        int count = header.getInt(80);
        int width = header.getInt(84);
        if (!Arrays.equals(signature, SIGNATURE) || headerSize < 92 || headerSize > sector
                || count < 1 || count > MOST || width < 128 || width > 4096) {
            return false;
        }
        int check = header.getInt(16);
        header.putInt(16, 0);
        if (crc(header.array(), headerSize) != check) {
            return false;
        }
        ByteBuffer entries = bytes(header.getLong(72) * sector, count * width);
        if (crc(entries.array(), count * width) != header.getInt(88)) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            entry(i + 1, entries.slice(i * width, width).order(ByteOrder.LITTLE_ENDIAN), sector);
        }
        return true;
    }

    private void entry(int number, ByteBuffer entry, int sector) {
        UUID type = uuid(entry, 0);
        long first = entry.getLong(32);
        long last = entry.getLong(40);
        if (type.equals(new UUID(0, 0)) || first < 0 || last < first || last >= Long.MAX_VALUE / sector) {
            return;
        }
        byte[] name = new byte[72];
        entry.get(56, name);
        String text = new String(name, StandardCharsets.UTF_16LE);
        int end = text.indexOf(0);
        String label = (end < 0 ? text : text.substring(0, end)).replaceAll("\\p{Cntrl}", "?");
        found.add(new Partition(number, label, uuid(entry, 16).toString(), GPT_TYPES.getOrDefault(type.toString(), type.toString()), first * sector, (last - first + 1) * sector));
    }

    /// in the byte order of GPTs
    private static UUID uuid(ByteBuffer entry, int at) {
        return new UUID(
                (entry.getInt(at) & 0xFFFF_FFFFL) << 32 | (entry.getShort(at + 4) & 0xFFFFL) << 16 | entry.getShort(at + 6) & 0xFFFFL,
                Long.reverseBytes(entry.getLong(at + 8)));
    }

    private static int crc(byte[] bytes, int size) {
        CRC32 crc = new CRC32();
        crc.update(bytes, 0, size);
        return (int) crc.getValue();
    }

    private void mbr() throws IOException {
        ByteBuffer sector = bytes(0, 512);
        if (!signed(sector)) {
            return;
        }
        for (int i = 0; i < 4; i++) {
            int at = 446 + 16 * i;
            int status = sector.get(at) & 0xFF;
            if (status != 0 && status != 0x80) {
                found.clear(); // the boot sector of a file system, say
                return;
            }
            int type = sector.get(at + 4) & 0xFF;
            long first = sector.getInt(at + 8) & 0xFFFF_FFFFL;
            long count = sector.getInt(at + 12) & 0xFFFF_FFFFL;
            if (type == PROTECTIVE || type == 0 || count == 0) {
                continue;
            }
            if (first == 0 || first * 512 >= device.size()) {
                found.clear();
                return;
            }
            if (EXTENDED.contains(type)) {
                logical(sector.getInt(440), first);
            } else {
                add(sector.getInt(440), i + 1, type, first, count);
            }
        }
    }

    private void logical(int disk, long extended) throws IOException {
        Set<Long> seen = new HashSet<>();
        int number = 5;
        for (long at = extended; seen.add(at) && number < 5 + MOST; ) {
            ByteBuffer sector = bytes(at * 512, 512);
            if (!signed(sector)) {
                return;
            }
            long count = sector.getInt(446 + 12) & 0xFFFF_FFFFL;
            if (count > 0) {
                add(disk, number++, sector.get(446 + 4) & 0xFF, at + (sector.getInt(446 + 8) & 0xFFFF_FFFFL), count);
            }
            long next = sector.getInt(462 + 8) & 0xFFFF_FFFFL;
            if (next == 0) {
                return;
            }
            at = extended + next;
        }
    }

    private static boolean signed(ByteBuffer sector) {
        return (sector.getShort(510) & 0xFFFF) == 0xAA55;
    }

    /// @param disk its number, which an MBR gives it
    private void add(int disk, int number, int type, long first, long count) {
        String id = String.format("%08x-%02x", disk, number);
        found.add(new Partition(number, "", id, MBR_TYPES.getOrDefault(type, String.format("type 0x%02x", type)), first * 512, count * 512));
    }
}
