package varve.mounthelper.overlay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.block.DeviceException;
import varve.archive.block.RefusedException;
import varve.archive.block.Run;
import varve.archive.vault.LockedException;
import varve.mounthelper.Scene;
import varve.testdata.Histories;
import varve.testdata.Tools;

/// An overlay against a plain array: what was written is read, what was flushed survives, and what is damaged is an error.
final class OverlayTest {

    private static final int BLOCK = 4096;
    private static final int SIZE = 700 * BLOCK + 777; // twelve sectors of the table, two pages, and a block that is cut
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

    @TempDir
    Path folder;

    private final ArrayImage image = new ArrayImage(Scene.image(1, SIZE));

    static List<Long> seeds() {
        return Histories.seeds(2);
    }

    private static Overlay attach(Path file, ArrayImage image) throws IOException {
        return Overlay.attach(file, image, image.state(), NOON, image);
    }

    private static byte[] read(Overlay overlay, long offset, int size) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment into = arena.allocate(size);
            overlay.read(offset, into);
            return into.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static void write(Overlay overlay, long offset, byte... bytes) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment from = arena.allocate(bytes.length);
            from.copyFrom(MemorySegment.ofArray(bytes));
            overlay.write(offset, from);
        }
    }

    /// What an overlay should hold, and what each block has held since the last flush.
    private static final class Model {
        private final byte[] now;
        private final List<List<byte[]>> versions = new ArrayList<>(); // of each block, the flushed one first
        private final Random random;

        Model(byte[] image, Random random) {
            this.now = image.clone();
            this.random = random;
            flushed();
        }

        void flushed() {
            versions.clear();
            for (int from = 0; from < now.length; from += BLOCK) {
                versions.add(new ArrayList<>(List.of(block(now, from))));
            }
        }

        static byte[] block(byte[] image, int from) {
            return Arrays.copyOfRange(image, from, Math.min(image.length, from + BLOCK));
        }

        /// Changes the overlay and this at random.
        void change(Overlay overlay) throws IOException {
            int offset = random.nextInt(SIZE);
            int size = Math.min(SIZE - offset, 1 + random.nextInt(random.nextInt(5) == 0 ? 40 * BLOCK : 2 * BLOCK));
            if (random.nextBoolean()) {
                offset = offset / BLOCK * BLOCK;
            }
            switch (random.nextInt(6)) {
                case 0 -> {
                    overlay.zero(offset, size, random.nextBoolean());
                    Arrays.fill(now, offset, offset + size, (byte) 0);
                }
                case 1 -> {
                    overlay.discard(offset, size);
                    System.arraycopy(OverlayTest.read(overlay, offset, size), 0, now, offset, size); // any bytes, but from now on these
                }
                default -> {
                    byte[] bytes = new byte[size];
                    random.nextBytes(bytes);
                    write(overlay, offset, bytes);
                    System.arraycopy(bytes, 0, now, offset, size);
                }
            }
            for (int from = offset / BLOCK * BLOCK; from < offset + size; from += BLOCK) {
                versions.get(from / BLOCK).add(block(now, from));
            }
        }

        void assertHeldBy(Overlay overlay) throws IOException {
            byte[] found = OverlayTest.read(overlay, 0, SIZE);
            assertEquals(-1, Arrays.mismatch(now, found), "differs at");
            for (long at = 0; at < SIZE; ) {
                Run run = overlay.runAt(at, SIZE - at);
                for (long i = at; run.zero() && i < at + run.size(); i++) {
                    assertEquals(0, now[(int) i], "not zero at " + i);
                }
                assertEquals(run.zero(), overlay.originAt(at, run.size()).zero());
                at += run.size();
            }
        }

        /// @return how many blocks have something newer than what was flushed
        int assertEachBlockIsOneOfItsVersions(Overlay overlay) throws IOException {
            byte[] found = OverlayTest.read(overlay, 0, SIZE);
            int newer = 0;
            for (int i = 0; i < versions.size(); i++) {
                byte[] block = block(found, i * BLOCK);
                assertTrue(versions.get(i).stream().anyMatch(version -> Arrays.equals(version, block)), "block " + i);
                newer += Arrays.equals(versions.get(i).getFirst(), block) ? 0 : 1;
            }
            return newer;
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void readsWhatWasWrittenAndTheImageElsewhere(long seed) throws IOException {
        Random random = new Random(seed);
        Model model = new Model(image.bytes(), random);
        Path file = folder.resolve("o");
        for (int i = 0; i < 4; i++) {
            try (Overlay overlay = attach(file, image)) {
                model.assertHeldBy(overlay);
                for (int j = 0; j < 60; j++) {
                    model.change(overlay);
                    if (random.nextInt(10) == 0) {
                        overlay.flush();
                    }
                    int offset = random.nextInt(SIZE);
                    int size = random.nextInt(Math.min(SIZE - offset, 5 * BLOCK) + 1);
                    assertArrayEquals(Arrays.copyOfRange(model.now, offset, offset + size), read(overlay, offset, size), "seed " + seed);
                }
                model.assertHeldBy(overlay);
            }
        }
    }

    // ---- crashes

    /// {@return a file of which each unit that differs is of the one or the other}
    private static Path mixed(Path before, Path after, long from, long end, int unit, Random random, Path to) throws IOException {
        Files.copy(before, to, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel old = FileChannel.open(to, StandardOpenOption.READ, StandardOpenOption.WRITE);
                FileChannel now = FileChannel.open(after)) {
            ByteBuffer bytes = ByteBuffer.allocate(unit);
            int share = random.nextInt(101);
            for (long at = from; at < end; at += unit) {
                if (random.nextInt(100) < share) {
                    now.read(bytes.clear(), at);
                    old.write(bytes.flip(), at);
                }
            }
        }
        return to;
    }

    /// the medium has any of the sectors that were written since the last flush, or not
    @ParameterizedTest
    @MethodSource("seeds")
    void aCrashLosesNothingThatWasFlushed(long seed) throws IOException {
        Random random = new Random(seed);
        Model model = new Model(image.bytes(), random);
        Path file = folder.resolve("o");
        Path flushed = folder.resolve("flushed");
        Path crashed = folder.resolve("crashed");
        int newer = 0;
        try (Overlay overlay = attach(file, image)) {
            for (int i = 0; i < 8; i++) {
                Files.copy(file, flushed, StandardCopyOption.REPLACE_EXISTING);
                long places = OverlayFile.wholeSize(SIZE) - 2L * BLOCK * ((SIZE + BLOCK - 1) / BLOCK);
                long end = Files.size(file);
                for (int j = random.nextInt(40); j >= 0; j--) {
                    model.change(overlay);
                }
                // before the flush: some of the data, and of the table none but pages that were reserved
                try (Overlay attached = attach(mixed(flushed, file, OverlayHeader.SIZE, end, 512, random, crashed), image)) {
                    assertEquals(0, model.assertEachBlockIsOneOfItsVersions(attached), "seed " + seed);
                }
                // during the flush: all of the data, some of the table
                Path data = Files.copy(file, folder.resolve("data"), StandardCopyOption.REPLACE_EXISTING);
                overlay.flush();
                try (Overlay attached = attach(mixed(data, file, OverlayHeader.SIZE, places, 512, random, crashed), image)) {
                    newer += model.assertEachBlockIsOneOfItsVersions(attached);
                }
                model.flushed();
                try (Overlay attached = attach(Files.copy(file, crashed, StandardCopyOption.REPLACE_EXISTING), image)) {
                    model.assertHeldBy(attached);
                }
            }
        }
        assertTrue(newer > 0);
    }

    @Test
    void anInterruptedBeginningIsBegunAgain() throws IOException {
        Path file = Files.createFile(folder.resolve("o"));
        attach(file, image).close();
        try (RandomAccessFile access = new RandomAccessFile(folder.resolve("sized").toFile(), "rw")) {
            access.setLength(Files.size(file));
        }
        attach(folder.resolve("sized"), image).close();
    }

    // ---- whose it is

    @Test
    void belongsToOneState() throws IOException {
        Path file = folder.resolve("o");
        attach(file, image).close();
        byte[] before = Files.readAllBytes(file);
        ArrayImage other = new ArrayImage(Scene.changed(image.bytes(), 5));
        RefusedException refused = assertThrows(RefusedException.class, () -> attach(file, other));
        assertTrue(refused.getMessage().contains("serve tools@" + image.state().root().brief()), refused.getMessage());
        ArrayImage longer = new ArrayImage(Arrays.copyOf(image.bytes(), SIZE + BLOCK));
        assertThrows(RefusedException.class, () -> attach(file, longer));
        assertArrayEquals(before, Files.readAllBytes(file));
    }

    @Test
    void hasOneUserAtATime() throws IOException {
        Path file = folder.resolve("o");
        try (Overlay overlay = attach(file, image)) {
            assertThrows(LockedException.class, () -> attach(file, image));
            assertTrue(OverlayFile.inUse(file));
            write(overlay, 0, new byte[] {1});
        }
        assertFalse(OverlayFile.inUse(file));
        attach(file, image).close();
    }

    @Test
    void isPrivate() throws IOException {
        Path file = folder.resolve("o");
        attach(file, image).close();
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }

    @Test
    void refusesWhatIsNoOverlay() throws IOException {
        assertThrows(RefusedException.class, () -> attach(Files.createDirectory(folder.resolve("d")), image));
        Path text = Files.writeString(folder.resolve("t"), "hello");
        assertThrows(RefusedException.class, () -> attach(text, image));
        assertEquals("hello", Files.readString(text));
        Path zeros = Files.write(folder.resolve("z"), new byte[10_000]);
        assertThrows(RefusedException.class, () -> attach(zeros, image));
        assertThrows(IOException.class, () -> attach(folder.resolve("no/such/folder"), image));
    }

    // ---- damage

    @ParameterizedTest
    @MethodSource("seeds")
    void aFlippedByteIsAnErrorAndNeverData(long seed) throws IOException {
        Random random = new Random(seed);
        Model model = new Model(image.bytes(), random);
        Path good = folder.resolve("good");
        long[] places = new long[2];
        try (Overlay overlay = attach(good, image)) {
            for (int i = 0; i < 80; i++) {
                model.change(overlay);
            }
        }
        try (OverlayFile file = OverlayFile.open(good)) {
            places[0] = file.place(0, 0);
            places[1] = Files.size(good);
        }
        int errors = 0;
        for (int i = 0; i < 40; i++) {
            Path bad = Files.copy(good, folder.resolve("bad"), StandardCopyOption.REPLACE_EXISTING);
            long at = i % 2 == 0 ? random.nextLong(places[0]) : random.nextLong(places[0], places[1]);
            try (RandomAccessFile access = new RandomAccessFile(bad.toFile(), "rw")) {
                access.seek(at);
                int old = access.read();
                access.seek(at);
                access.write(old ^ 1 << random.nextInt(8));
            }
            try (Overlay overlay = attach(bad, image)) {
                for (int block = 0; block < SIZE / BLOCK; block++) {
                    try {
                        assertArrayEquals(Model.block(model.now, block * BLOCK), read(overlay, (long) block * BLOCK, BLOCK), "seed " + seed + " at " + at);
                    } catch (DeviceException e) {
                        errors++;
                    }
                }
            } catch (IOException e) {
                assertTrue(e.getMessage().contains("damaged") || e.getMessage().contains("not an overlay")
                        || e.getMessage().contains("version"), e.getMessage());
                errors++;
            }
        }
        assertTrue(errors > 10, errors + " errors");
    }

    @Test
    void aCutOverlayIsRefused() throws IOException {
        Path file = folder.resolve("o");
        try (Overlay overlay = attach(file, image)) {
            write(overlay, SIZE - 1, new byte[] {1});
        }
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(access.length() - BLOCK);
        }
        assertThrows(RefusedException.class, () -> attach(file, image));
    }

    @Test
    void aBlockThatIsDamagedCanBeWrittenAnew() throws IOException {
        Path file = folder.resolve("o");
        long place;
        try (Overlay overlay = attach(file, image)) {
            write(overlay, 0, Scene.dense(2, 2 * BLOCK));
        }
        try (OverlayFile layout = OverlayFile.open(file)) {
            place = layout.place(0, 0);
        }
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.seek(place + 100);
            access.write(0);
        }
        try (Overlay overlay = attach(file, image)) {
            assertThrows(DeviceException.class, () -> read(overlay, 0, 100));
            assertThrows(DeviceException.class, () -> write(overlay, 0, new byte[100]));
            write(overlay, 0, new byte[BLOCK]);
            assertArrayEquals(new byte[BLOCK], read(overlay, 0, BLOCK));
        }
    }

    // ---- many at once

    @ParameterizedTest
    @MethodSource("seeds")
    void writersSideBySideDoNotDisturbEachOther(long seed) throws Exception {
        int writers = 8;
        Path file = folder.resolve("o");
        byte[] expected = image.bytes().clone();
        try (Overlay overlay = attach(file, image); ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> done = new ArrayList<>();
            for (int i = 0; i < writers; i++) { // each has its own bytes of each block, so that blocks are shared
                int number = i;
                Random random = new Random(seed + i);
                Callable<Void> writer = () -> {
                    for (int j = 0; j < 120; j++) {
                        int block = random.nextInt(100);
                        byte[] bytes = new byte[BLOCK / writers];
                        random.nextBytes(bytes);
                        int at = block * BLOCK + number * bytes.length;
                        write(overlay, at, bytes);
                        assertArrayEquals(bytes, read(overlay, at, bytes.length));
                        System.arraycopy(bytes, 0, expected, at, bytes.length);
                        if (random.nextInt(20) == 0) {
                            overlay.flush();
                        }
                        read(overlay, 0, 100 * BLOCK); // no block is half written
                    }
                    return null;
                };
                done.add(threads.submit(writer));
            }
            for (Future<?> each : done) {
                each.get();
            }
            assertArrayEquals(expected, read(overlay, 0, SIZE), "seed " + seed);
        }
        try (Overlay overlay = attach(file, image)) {
            assertArrayEquals(expected, read(overlay, 0, SIZE), "seed " + seed);
        }
    }

    @Test
    void zerosGiveTheRoomBack() throws IOException {
        Path file = folder.resolve("o");
        try (Overlay overlay = attach(file, image)) {
            write(overlay, 0, Scene.dense(1, 2 << 20));
            overlay.flush();
            assertTrue(room(file) > 2 << 20);
            overlay.discard(0, 2 << 20);
            overlay.flush();
            assertTrue(room(file) < 1 << 20, () -> "still " + file);
            assertArrayEquals(new byte[2 << 20], read(overlay, 0, 2 << 20));
        }
    }

    private static long room(Path file) throws IOException {
        return 512 * Long.parseLong(Tools.run("stat", "-c", "%b", file).orElseThrow().text());
    }
}
