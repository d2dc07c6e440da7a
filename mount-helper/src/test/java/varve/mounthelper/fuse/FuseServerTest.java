package varve.mounthelper.fuse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.block.BlockSource;
import varve.mounthelper.MemoryTarget;
import varve.mounthelper.Scene;
import varve.testdata.Histories;
import varve.testdata.History;
import varve.testdata.Tools;

/// Trees as the kernel and the usual programs see them.
@Timeout(300)
final class FuseServerTest {

    private static final int SIZE = 10 * Scene.CHUNK + 100;

    @TempDir
    Path folder;

    private Path mount;

    @BeforeEach
    void needsRoot() {
        Assumptions.assumeTrue(Served.available(), "needs root and /dev/fuse");
        mount = folder.resolve("mount");
    }

    static List<Long> seeds() {
        return Histories.seeds(Integer.getInteger("varve.test.fuse.histories", 2));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everyPointIsAFileAsItWasArchived(long seed) throws Exception {
        History history = Histories.random(seed, 6, Scene.CHUNK, 20 * Scene.CHUNK);
        Scene scene = new Scene(folder);
        for (History.Point point : history.points()) {
            scene.archive(point.image());
        }
        try (Served served = Served.vault(mount, scene.vault)) {
            List<Path> files = served.files();
            assertEquals(history.points().size(), files.size(), history::toString);
            for (int i = 0; i < files.size(); i++) {
                byte[] image = history.points().get(i).image();
                Path file = files.get(i);
                assertEquals(mount.resolve("tools/2026-11-" + (20 + i) + "T02:00:00.000Z.img"), file);
                assertEquals(image.length + " " + Instant.parse("2026-11-20T02:00:00Z").plusSeconds(86400L * i).getEpochSecond(),
                        Served.run("stat", "--format=%s %Y", file).expectSuccess().text());
                assertArrayEquals(image, Served.read(file), history + " point " + i);
                checkMap(image, file, history + " point " + i);
            }
            assertEquals(List.of(), served.log);
        }
    }

    /// Whatever lies in a hole is zero, and there are holes where whole chunks are.
    private static void checkMap(byte[] image, Path file, String what) throws IOException {
        boolean[] data = new boolean[image.length];
        for (long[] run : Served.map(file)) {
            Arrays.fill(data, (int) run[0], (int) run[1], true);
        }
        for (int chunk = 0; chunk < image.length; chunk += Scene.CHUNK) {
            int end = Math.min(image.length, chunk + Scene.CHUNK);
            boolean zero = true;
            boolean hole = true;
            for (int at = chunk; at < end; at++) {
                zero &= image[at] == 0;
                hole &= !data[at];
            }
            assertEquals(zero, hole, what + ": chunk at " + chunk);
        }
    }

    @Test
    void copiesStaySparse() throws Exception {
        byte[] image = new byte[256 * Scene.CHUNK];
        System.arraycopy(Scene.dense(1, Scene.CHUNK), 0, image, 3 * Scene.CHUNK, Scene.CHUNK);
        Scene scene = new Scene(folder).archive(image);
        try (Served served = Served.vault(mount, scene.vault)) {
            Path copy = folder.resolve("copy");
            Served.run("cp", served.files().getFirst(), copy).expectSuccess();
            assertArrayEquals(image, Files.readAllBytes(copy));
            long blocks = Long.parseLong(Served.run("stat", "--format=%b", copy).expectSuccess().text());
            assertTrue(blocks * 512 < 4 * Scene.CHUNK, blocks + " blocks");
        }
    }

    @Test
    void whatWasChosenStaysThoughItsArchivesAreRemoved() throws Exception {
        byte[] image = Scene.image(1, SIZE);
        Scene scene = new Scene(folder).archive(Scene.changed(image, 2)).archive(image);
        try (Served served = Served.vault(mount, scene.vault, "tools")) {
            Files.delete(scene.data("full", 0));
            Files.delete(scene.data("delta", 0));
            assertArrayEquals(image, Served.read(served.files().getFirst()));
            assertArrayEquals(image, Served.read(served.files().getFirst()));
            assertEquals(List.of(), served.log);
        }
    }

    @Test
    void onlyThePointsThatWereChosenAreThere() throws Exception {
        byte[] image = Scene.image(1, SIZE);
        Scene scene = new Scene(folder).archive(image).archive(Scene.changed(image, 2)).archive(Scene.changed(image, 3));
        try (Served served = Served.vault(mount, scene.vault, "tools@-1", "tools@2026-11-21")) {
            assertEquals(List.of(mount.resolve("tools/2026-11-21T02:00:00.000Z.img")), served.files());
            scene.archive(image);
            assertEquals(1, served.files().size());
        }
    }

    @Test
    void whatIsArchivedMeanwhileAppears() throws Exception {
        byte[] image = Scene.image(1, SIZE);
        Scene scene = new Scene(folder).archive(image);
        try (Served served = Served.vault(mount, scene.vault)) {
            assertEquals(1, served.files().size());
            byte[] second = Scene.changed(image, 2);
            scene.archive(second);
            assertEquals(2, served.files().size());
            assertArrayEquals(second, Served.read(served.files().get(1)));
        }
    }

    @Test
    void manyReadersGetWhatTheyAskFor() throws Exception {
        byte[] image = Scene.image(1, 40 * Scene.CHUNK);
        byte[] second = Scene.changed(image, 2);
        Scene scene = new Scene(folder).archive(image).archive(second);
        try (Served served = Served.vault(mount, scene.vault);
                ExecutorService readers = Executors.newFixedThreadPool(8)) {
            List<Path> files = served.files();
            List<Future<byte[]>> contents = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                Path file = files.get(i % 2);
                contents.add(readers.submit(() -> Served.run("dd", "if=" + file, "bs=20480", "iflag=direct", "status=none").expectSuccess().bytes()));
            }
            for (int i = 0; i < 16; i++) {
                assertArrayEquals(i % 2 == 0 ? image : second, contents.get(i).get());
            }
        }
    }

    @Test
    void whatIsDamagedInOneVaultIsTakenFromTheOther() throws Exception {
        byte[] image = Scene.dense(1, SIZE);
        Scene scene = new Scene(folder).archive(image);
        try (Served served = Served.vaults(mount, List.of(scene.vault, scene.copy()), "tools")) {
            Path file = served.files().getFirst();
            assertArrayEquals(Arrays.copyOf(image, 4096), Served.read(file, 0, 4096).orElseThrow());
            assertEquals(List.of(), served.log, "nothing is wrong");
            Scene.damage(scene.data("full", 0));
            assertArrayEquals(image, Served.read(file));
            assertEquals(1, served.log.size(), served.log::toString);
            assertTrue(served.log.getFirst().contains("full.zst: damaged, so parts of it are taken from another vault"), served.log::toString);
        }
    }

    @Test
    void aDamagedRangeIsAnErrorAndTheRestIsNot() throws Exception {
        byte[] image = Scene.dense(1, SIZE);
        Scene scene = new Scene(folder).archive(image);
        Path data = scene.data("full", 0);
        byte[] good = Files.readAllBytes(data);
        try (Served served = Served.vault(mount, scene.vault, "tools")) {
            Path file = served.files().getFirst();
            byte[] bad = good.clone();
            bad[good.length / 2] ^= 1;
            rewrite(data, bad);
            List<Integer> failed = new ArrayList<>();
            for (int chunk = 0; chunk < 10; chunk++) {
                int offset = chunk * Scene.CHUNK;
                Optional<byte[]> read = Served.read(file, offset, Scene.CHUNK);
                if (read.isEmpty()) {
                    failed.add(chunk);
                } else {
                    assertArrayEquals(Arrays.copyOfRange(image, offset, offset + Scene.CHUNK), read.get());
                }
            }
            assertEquals(1, failed.size());
            assertTrue(Served.run("cat", file).errors().contains("Input/output error"));
            assertEquals(1, served.log.size(), served.log::toString);
            assertTrue(served.log.getFirst().contains("full.zst: chunk " + failed.getFirst()), served.log::toString);
            rewrite(data, good);
            assertArrayEquals(image, Served.read(file), "healed");
        }
    }

    /// Writes a file in place, for a server that has it open.
    private static void rewrite(Path file, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes));
        }
    }

    @Test
    void anArchiveThatIsAwayIsAnErrorWithALineInTheLog() throws Exception {
        byte[] image = Scene.image(1, SIZE);
        Scene scene = new Scene(folder).archive(image).archive(Scene.changed(image, 2));
        Files.delete(scene.data("delta", 0));
        try (Served served = Served.vault(mount, scene.vault)) {
            List<Path> files = served.files();
            assertTrue(Served.run("cat", files.get(1)).errors().contains("Input/output error"));
            assertTrue(served.log.getFirst().contains("not at hand"), served.log::toString);
            assertArrayEquals(image, Served.read(files.getFirst()));
        }
    }

    @Test
    void nothingCanBeWritten() throws Exception {
        Scene scene = new Scene(folder).archive(Scene.image(1, SIZE));
        try (Served served = Served.vault(mount, scene.vault)) {
            Path file = served.files().getFirst();
            for (List<Object> command : List.<List<Object>>of(
                    List.of("touch", mount.resolve("new")), List.of("rm", "-f", file), List.of("truncate", "-s0", file),
                    List.of("dd", "if=/dev/zero", "of=" + file, "conv=notrunc", "count=1"), List.of("mkdir", mount.resolve("tools/x")))) {
                assertTrue(Served.run(command.toArray()).errors().contains("Read-only file system"), command::toString);
            }
        }
    }

    @Test
    void aTargetCanBeWrittenAndPunched() throws Exception {
        MemoryTarget target = new MemoryTarget(Scene.dense(1, SIZE), offset -> {});
        byte[] expected = target.bytes.clone();
        try (Served served = Served.tree(mount, new SingleFolder(target), new FuseOptions(true, false))) {
            Path file = mount.resolve("disk");
            byte[] written = Scene.dense(2, 300_000);
            Path from = Files.write(folder.resolve("from"), written);
            Served.run("dd", "if=" + from, "of=" + file, "bs=300000", "seek=4097", "oflag=seek_bytes", "conv=notrunc,fsync", "status=none").expectSuccess();
            System.arraycopy(written, 0, expected, 4097, written.length);
            assertArrayEquals(expected, target.bytes);
            assertTrue(target.flushes.get() > 0);
            Served.run("fallocate", "--punch-hole", "--offset", "8192", "--length", "20000", file).expectSuccess();
            Arrays.fill(expected, 8192, 28192, (byte) 0);
            assertArrayEquals(expected, target.bytes);
            assertArrayEquals(expected, Served.read(file));
            assertTrue(Served.run("dd", "if=" + from, "of=" + file, "bs=300000", "seek=" + (SIZE - 100), "oflag=seek_bytes", "conv=notrunc", "status=none")
                    .errors().contains("No space left"));
            assertArrayEquals(Arrays.copyOf(expected, SIZE - 100), Arrays.copyOf(target.bytes, SIZE - 100));
        }
    }

    @Test
    void aReadThatFailsInAStrangeWayIsAnErrorAndIsTold() throws Exception {
        MemoryTarget target = new MemoryTarget(Scene.dense(1, SIZE), offset -> {
            if (offset >= 4 * Scene.CHUNK) {
                throw new IllegalStateException("odd");
            }
        });
        try (Served served = Served.tree(mount, new SingleFolder(target), FuseOptions.PRIVATE)) {
            assertTrue(Served.run("cat", mount.resolve("disk")).errors().contains("Input/output error"));
            assertTrue(served.log.getFirst().contains("unexpected"), served.log::toString);
            assertEquals(Scene.CHUNK, Served.read(mount.resolve("disk"), 0, Scene.CHUNK).orElseThrow().length);
        }
    }

    /// A folder with one file, `disk`.
    private record SingleFolder(MemoryTarget target) implements Entry.Folder {
        @Override
        public Instant changed() {
            return Instant.EPOCH;
        }

        @Override
        public List<Named> list() {
            return List.of(new Named("disk", new SingleFile(target)));
        }

        @Override
        public Optional<Entry> find(String name) {
            return name.equals("disk") ? Optional.of(new SingleFile(target)) : Optional.empty();
        }
    }

    private record SingleFile(MemoryTarget target) implements Entry.File {
        @Override
        public Instant changed() {
            return Instant.EPOCH;
        }

        @Override
        public long size() {
            return target.size();
        }

        @Override
        public long storedSize() {
            return 0;
        }

        @Override
        public boolean writable() {
            return true;
        }

        @Override
        public BlockSource open() {
            return target.opened();
        }
    }

    @Test
    void whoeverUnmountsItEndsIt() throws Exception {
        Scene scene = new Scene(folder).archive(Scene.image(1, SIZE));
        try (Served served = Served.vault(mount, scene.vault)) {
            Served.run("umount", mount).expectSuccess();
            served.server.await();
            assertEquals(List.of(), served.log);
        }
        assertFalse(Files.readString(Path.of("/proc/self/mountinfo")).contains(mount.toString()));
    }

    @Test
    void aLoopDeviceReadsIt() throws Exception {
        byte[] image = Scene.image(1, 16 * Scene.CHUNK);
        Scene scene = new Scene(folder).archive(image);
        Assumptions.assumeTrue(Tools.find("losetup").isPresent(), "needs losetup");
        try (Served served = Served.vault(mount, scene.vault)) {
            String loop = Served.run("losetup", "--find", "--show", "--read-only", served.files().getFirst()).expectSuccess().text();
            try {
                assertArrayEquals(image, Served.read(Path.of(loop)));
                assertTrue(Served.run("umount", mount).errors().contains("busy"));
            } finally {
                Served.run("losetup", "--detach", loop).expectSuccess();
            }
        }
    }
}
