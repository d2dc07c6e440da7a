package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.cli.Size;
import varve.archive.file.StoredArchive;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;

/// A device much larger than memory, most of it a hole: the time goes with the data, and memory with neither.
///
/// Of 64 GiB, or as many as `-Dvarve.test.bigDevice=1T` says: zeros are hashed once, a few GiB a second. If it is given and
/// less than 128 GiB, b3sum looks at all of it too.
class BigDeviceTest {

    private static final String ASKED = System.getProperty("varve.test.bigDevice");
    private static final long SIZE = Size.parse(ASKED == null ? "64G" : ASKED) + 12345;
    private static final int PIECE = 1 << 20;
    private static final int PIECES = 64;
    private static final long MOST_MEMORY_KIB = 450 << 10;

    @TempDir
    Path folder;

    private final Map<Long, byte[]> data = new TreeMap<>();

    /// What a process used.
    ///
    /// @param memory peak resident set in KiB
    /// @param read bytes by read calls
    private record Used(long memory, long read) {}

    @Test
    void aHugeSparseDeviceNeedsLittleMemoryAndItsDeltaReadsOnlyData() throws Exception {
        Path image = folder.resolve("device.img");
        Path vault = folder.resolve("vault");
        scatter(image);

        Used full = archive(image, vault);
        assertTrue(full.memory < MOST_MEMORY_KIB, () -> full.memory + " KiB in memory");
        Manifest first = check(vault, 0);
        assertEquals(Kind.FULL, first.kind());
        long most = PIECES * PIECE / 20 * 21L + (SIZE >> 20) * 36;
        assertTrue(first.file().size() < most, () -> first.file().size() + " bytes stored");

        List<Long> offsets = new ArrayList<>(data.keySet());
        write(image, offsets.get(3) + 8192, Images.noise(99, 4096));
        write(image, offsets.get(30) + 4096, new byte[8192]);
        write(image, SIZE / 2 / PIECE * PIECE, Images.noise(98, PIECE)); // in a hole
        write(image, SIZE - 5, new byte[] {1});
        Used delta = archive(image, vault);
        assertTrue(delta.memory < MOST_MEMORY_KIB, () -> delta.memory + " KiB in memory");
        assertTrue(delta.read < 3L * PIECES * PIECE, () -> delta.read + " bytes read");
        Manifest second = check(vault, 1);
        assertEquals(Kind.DELTA, second.kind());
        assertTrue(second.payloadSize() <= PIECE + 3 * 4096, () -> second.payloadSize() + " bytes of payload");
        assertTrue(second.file().size() < 2 * PIECE, () -> second.file().size() + " bytes stored");

        if (ASKED != null && SIZE < 128L << 30) {
            assertEquals(Tools.b3sum(image), Optional.of(second.state().root().toString()));
        }
        System.out.println("BigDeviceTest: " + Size.format(SIZE) + ": full " + full + ", delta " + delta);
    }

    private void scatter(Path image) throws IOException {
        Random random = new Random(1);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(SIZE);
        }
        for (int i = 0; i < PIECES; i++) {
            write(image, random.nextLong(SIZE / PIECE) * PIECE, Images.mixed(i, PIECE));
        }
    }

    private void write(Path image, long offset, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), offset);
        }
        byte[] piece = data.computeIfAbsent(offset / PIECE * PIECE, at -> new byte[(int) Math.min(PIECE, SIZE - at)]);
        System.arraycopy(bytes, 0, piece, (int) (offset % PIECE), bytes.length);
    }

    private static Used archive(Path image, Path vault) throws Exception {
        try (VarveProcess varve = VarveProcess.start(
                List.of(), VarveProcess.BULK, "archive", image, "--vault", vault, "--volume", "tools", "--threads", "2")) {
            long[] most = {0, 0};
            Path proc = Path.of("/proc/" + varve.pid());
            varve.await(() -> {
                most[0] = Math.max(most[0], number(proc.resolve("status"), "VmHWM:"));
                most[1] = Math.max(most[1], number(proc.resolve("io"), "rchar:"));
                return false;
            });
            varve.end().expect(0);
            assertTrue(most[0] > 0);
            return new Used(most[0], most[1]);
        }
    }

    private static long number(Path file, String name) {
        try {
            return Files.readAllLines(file).stream()
                    .filter(line -> line.startsWith(name))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0; // it is over
        }
    }

    /// the archive holds the pieces and zeros everywhere else
    private Manifest check(Path vault, int point) throws IOException {
        List<StoredArchive> archives = new VolumeSubject(vault, "tools").archives();
        assertEquals(point + 1, archives.size());
        try (ChainImage image = new ChainImage(Chain.open(archives));
                Arena arena = Arena.ofConfined()) {
            assertEquals(SIZE, image.size());
            MemorySegment room = arena.allocate(PIECE, 4096);
            long checked = 0;
            for (long at = image.dataFrom(0); at < SIZE; at = image.dataFrom(checked)) {
                long start = at / PIECE * PIECE;
                checked = Math.min(SIZE, start + PIECE);
                MemorySegment bytes = room.asSlice(0, checked - start);
                image.read(start, bytes);
                byte[] expected = data.getOrDefault(start, new byte[(int) (checked - start)]);
                assertEquals(-1, bytes.mismatch(MemorySegment.ofArray(expected)), "piece at " + start);
            }
            for (long offset : data.keySet()) {
                assertTrue(image.dataFrom(offset) < offset + PIECE, () -> "data at " + offset + " is taken for zeros");
            }
        }
        return archives.getLast().manifest();
    }
}
