package varve.verify.source;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import varve.archive.block.BlockSource;
import varve.archive.partition.Partition;
import varve.archive.vault.Ranges;

/// Finds out which files of ext4 file systems on a device lie in some blocks, by `debugfs` (e2fsprogs), if that is installed.
///
/// It speaks of the file system as it is on the device now.
final class Ext4 {

    private static final int MOST_BLOCKS = 20_000;
    private static final int BLOCKS_AT_ONCE = 500;
    private static final int MOST_PATHS = 1000;
    private static final int SUPERBLOCK = 1024;
    private static final int MAGIC = 0xEF53;

    private final Path device;
    private final Path debugfs;
    private final long offset;
    private final int blockSize;

    private Ext4(Path device, Path debugfs, long offset, int blockSize) {
        this.device = device;
        this.debugfs = debugfs;
        this.offset = offset;
        this.blockSize = blockSize;
    }

    /// {@return for each ext4 file system that differences lie in, what is affected}
    static List<Differences.Affected> affected(
            Path device, BlockSource content, List<Partition> partitions, List<Ranges.Range> differences) throws IOException {
        List<Differences.Affected> all = new ArrayList<>();
        if (partitions.isEmpty()) {
            look(device, content, Optional.empty(), 0, content.size(), differences).ifPresent(all::add);
        }
        for (Partition partition : partitions) {
            look(device, content, Optional.of(partition), partition.offset(), partition.end(), differences).ifPresent(all::add);
        }
        return all;
    }

    private static Optional<Differences.Affected> look(
            Path device, BlockSource content, Optional<Partition> partition, long from, long to, List<Ranges.Range> differences) throws IOException {
        List<Ranges.Range> inside = differences.stream().filter(range -> range.from() < to && range.to() > from).toList();
        int blockSize = inside.isEmpty() ? 0 : blockSize(content, from);
        if (blockSize == 0) {
            return Optional.empty();
        }
        Optional<Path> debugfs = find();
        if (debugfs.isEmpty() || device.toString().indexOf('?') >= 0) {
            String why = debugfs.isEmpty() ? "debugfs (e2fsprogs) is not installed" : "debugfs cannot be given a name with a question mark";
            return Optional.of(new Differences.Affected(partition, List.of(), 0, Optional.of(why)));
        }
        try {
            return Optional.of(new Ext4(device, debugfs.get(), from, blockSize).affected(partition, inside));
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            return Optional.of(new Differences.Affected(partition, List.of(), 0, Optional.of("debugfs: " + e.getMessage())));
        }
    }

    /// {@return the block size of the ext file system at an offset, or 0 if there is none}
    private static int blockSize(BlockSource content, long at) throws IOException {
        if (at + 2 * SUPERBLOCK > content.size()) {
            return 0;
        }
        try (Arena arena = Arena.ofShared()) {
            MemorySegment bytes = arena.allocate(2 * SUPERBLOCK, 4096);
            content.read(at, bytes);
            ByteBuffer superblock = ByteBuffer.wrap(bytes.asSlice(SUPERBLOCK).toArray(ValueLayout.JAVA_BYTE)).order(ByteOrder.LITTLE_ENDIAN);
            int log = superblock.getInt(24);
            return (superblock.getShort(56) & 0xFFFF) == MAGIC && log >= 0 && log <= 6 ? 1024 << log : 0;
        }
    }

    private static Optional<Path> find() {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.concat(Arrays.stream(path.split(":")), Stream.of("/usr/sbin", "/sbin"))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, "debugfs"))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private Differences.Affected affected(Optional<Partition> partition, List<Ranges.Range> ranges) throws IOException {
        TreeSet<Long> blocks = new TreeSet<>();
        boolean all = true;
        for (Ranges.Range range : ranges) {
            long last = (range.to() - 1 - offset) / blockSize;
            for (long block = Math.max(0, range.from() - offset) / blockSize; block <= last; block++) {
                if (blocks.size() == MOST_BLOCKS) {
                    all = false;
                    break;
                }
                blocks.add(block);
            }
        }
        TreeSet<Long> inodes = new TreeSet<>();
        long elsewhere = 0;
        List<Long> list = new ArrayList<>(blocks);
        for (int at = 0; at < list.size(); at += BLOCKS_AT_ONCE) {
            List<Long> part = list.subList(at, Math.min(list.size(), at + BLOCKS_AT_ONCE));
            for (String[] row : rows("icheck", part)) {
                if (row[1].matches("\\d+")) {
                    inodes.add(Long.parseLong(row[1]));
                } else {
                    elsewhere++;
                }
            }
        }
        List<String> paths = paths(inodes);
        Optional<String> note = all ? Optional.empty() : Optional.of("only the first " + MOST_BLOCKS + " blocks were looked at");
        return new Differences.Affected(partition, paths, elsewhere, note);
    }

    private List<String> paths(TreeSet<Long> inodes) throws IOException {
        TreeMap<Long, String> names = new TreeMap<>();
        List<Long> list = inodes.stream().limit(MOST_PATHS).toList();
        for (int at = 0; at < list.size(); at += BLOCKS_AT_ONCE) {
            for (String[] row : rows("ncheck", list.subList(at, Math.min(list.size(), at + BLOCKS_AT_ONCE)))) {
                if (row[0].matches("\\d+")) {
                    names.put(Long.parseLong(row[0]), row[1]);
                }
            }
        }
        return list.stream().map(inode -> names.getOrDefault(inode, "<inode " + inode + ">")).toList();
    }

    /// {@return what a command of debugfs says of some numbers: two columns, without their heading}
    private List<String[]> rows(String command, List<Long> numbers) throws IOException {
        String request = command + " " + numbers.stream().map(String::valueOf).collect(Collectors.joining(" "));
        Process process = new ProcessBuilder(debugfs.toString(), "-R", request, device + "?offset=" + offset)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .redirectInput(Path.of("/dev/null").toFile())
                .start();
        try (InputStream out = process.getInputStream()) {
            String text = new String(out.readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IOException("ended with " + process.exitValue());
            }
            return text.lines().skip(1).map(line -> line.split("\t", 2)).filter(row -> row.length == 2).toList();
        } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted");
        } finally {
            process.destroy();
        }
    }
}
