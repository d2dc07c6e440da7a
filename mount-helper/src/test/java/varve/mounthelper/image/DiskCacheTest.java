package varve.mounthelper.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.hash.SubtreeHasher;
import varve.archive.seal.KeyFiles;
import varve.archive.seal.Keys;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.mounthelper.Scene;
import varve.testdata.Disk;
import varve.testdata.Histories;
import varve.testdata.TestFiles;

/// What had to leave memory and is read from the disk: right, or not at all.
final class DiskCacheTest {

    private static final int SIZE = 12 * Scene.CHUNK + 100;
    private static final int MEMORY = 4 * Scene.CHUNK;

    @TempDir
    Path folder;

    private final Arena arena = Arena.ofShared();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final byte[] bytes = Scene.dense(1, SIZE);

    @AfterEach
    void free() {
        arena.close();
    }

    private long time;
    private long step; // that a write takes

    private long now() {
        time += step;
        return time;
    }

    // ---- the file

    private static Cache.Key key(int chunk) {
        return new Cache.Key(null, -1, chunk);
    }

    private MemorySegment chunk(int chunk) {
        int from = chunk * Scene.CHUNK;
        return arena.allocate(Scene.CHUNK, 8).copyFrom(MemorySegment.ofArray(Arrays.copyOfRange(bytes, from, from + Scene.CHUNK)));
    }

    private void keep(DiskCache cache, int chunk, boolean whole) {
        keep(cache, chunk, whole, false);
    }

    private void keep(DiskCache cache, int chunk, boolean whole, boolean secret) {
        MemorySegment content = chunk(chunk);
        MemorySegment values = DiskCache.values(Scene.CHUNK);
        new SubtreeHasher().subtree(content, (long) chunk * Scene.CHUNK, values);
        cache.keep(key(chunk), content, values, whole, secret);
    }

    /// {@return whether a part of a chunk is there; then it is right}
    private boolean reads(DiskCache cache, int chunk, int start, int size) {
        MemorySegment into = arena.allocate(size);
        boolean there = cache.read(key(chunk), (long) chunk * Scene.CHUNK, start, into);
        int from = chunk * Scene.CHUNK + start;
        assertTrue(!there || Arrays.equals(Arrays.copyOfRange(bytes, from, from + size), into.toArray(ValueLayout.JAVA_BYTE)), () -> chunk + " at " + start);
        return there;
    }

    private static List<Integer> there(DiskCache cache) {
        return Stream.iterate(0, i -> i + 1).limit(12).filter(i -> cache.holds(key(i))).toList();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void anyPartOfAChunkIsAsItWas(long seed) throws Exception {
        Random random = new Random(seed);
        try (DiskCache cache = new DiskCache(folder, 3 * Scene.CHUNK, 0, this::now, told::add)) {
            for (int i = 0; i < 100; i++) {
                keep(cache, random.nextInt(12), false, random.nextBoolean());
                for (int chunk : there(cache)) {
                    int start = random.nextBoolean() ? 0 : random.nextInt(Scene.CHUNK);
                    int size = random.nextBoolean() ? Scene.CHUNK - start : 1 + random.nextInt(Scene.CHUNK - start);
                    assertTrue(reads(cache, chunk, start, size));
                }
            }
        }
        assertEquals(List.of(), told);
    }

    static List<Long> seeds() {
        return Histories.seeds(5);
    }

    @Test
    void whatWasWrittenLongestAgoGoes() throws Exception {
        try (DiskCache cache = new DiskCache(folder, 3 * Scene.CHUNK + 4096, 0, this::now, told::add)) {
            for (int chunk = 0; chunk < 8; chunk++) {
                keep(cache, chunk, false);
                assertEquals(Stream.iterate(Math.max(0, chunk - 2), i -> i + 1).limit(Math.min(3, chunk + 1)).toList(), there(cache));
            }
        }
    }

    @Test
    void forWhatWasReadOutAsAWholeNothingGoes() throws Exception {
        try (DiskCache cache = new DiskCache(folder, 3 * Scene.CHUNK, 2 * Scene.CHUNK, this::now, told::add)) {
            for (int chunk = 0; chunk < 4; chunk++) {
                keep(cache, chunk, true);
            }
            assertEquals(List.of(0, 1), there(cache));
            keep(cache, 4, false);
            keep(cache, 5, false);
            keep(cache, 6, true);
            assertEquals(List.of(1, 4, 5), there(cache));
        }
    }

    @Test
    void whereWritingIsSlowFewAreWrittenThatWereReadOutAsAWhole() throws Exception {
        try (DiskCache cache = new DiskCache(folder, 1 << 30, 1 << 30, this::now, told::add)) {
            keep(cache, 0, true);
            step = Scene.CHUNK;
            keep(cache, 1, true);
            for (int i = 0; i < 31; i++) {
                keep(cache, 2, true);
            }
            assertEquals(List.of(0, 1), there(cache));
            keep(cache, 3, false);
            step = 0;
            keep(cache, 4, true);
            keep(cache, 5, true);
            assertEquals(List.of(0, 1, 3, 4, 5), there(cache), "it was tried, and is fast again");
        }
    }

    @Test
    void noFileIsLeftInTheFolder() throws Exception {
        try (DiskCache cache = new DiskCache(folder, 3 * Scene.CHUNK, 0, this::now, told::add);
                Stream<Path> files = Files.list(folder)) {
            keep(cache, 0, false);
            assertEquals(List.of(), files.toList());
        }
    }

    /// {@return the file in a folder that has no name and that this process has open}
    private static Path nameless(Path folder) throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            for (Path each : open.toList()) {
                try {
                    if (Files.readSymbolicLink(each).toString().startsWith(folder.toRealPath() + "/varve-")) {
                        return each;
                    }
                } catch (IOException e) {
                    // closed meanwhile
                }
            }
        }
        throw new AssertionError("none in " + folder);
    }

    private static void flip(Path file, long position) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, position);
            one.put(0, (byte) (one.get(0) ^ 1)).rewind();
            channel.write(one, position);
        }
    }

    @Test
    void whatIsNotAsItWasWrittenIsNotThere() throws Exception {
        try (DiskCache cache = new DiskCache(folder, 3 * Scene.CHUNK, 0, this::now, told::add)) {
            keep(cache, 0, false);
            keep(cache, 1, false);
            flip(nameless(folder), Scene.CHUNK + 20_000);
            assertTrue(reads(cache, 0, 0, Scene.CHUNK), "the twin");
            assertTrue(reads(cache, 1, 0, 16_384), "another group");
            assertFalse(reads(cache, 1, 30_000, 10), "in its group");
            assertFalse(cache.holds(key(1)));
        }
    }

    @Test
    void aFileThatIsCutOffIsToldOnceAndNotUsedAnyMore() throws Exception {
        try (DiskCache cache = new DiskCache(folder, 3 * Scene.CHUNK, 0, this::now, told::add)) {
            keep(cache, 0, false);
            keep(cache, 1, false);
            try (FileChannel channel = FileChannel.open(nameless(folder), StandardOpenOption.WRITE)) {
                channel.truncate(100);
            }
            assertFalse(reads(cache, 1, 0, 10));
            assertFalse(reads(cache, 0, 0, 10));
            keep(cache, 2, false);
            assertEquals(List.of(), there(cache));
            assertEquals(1, told.size(), told::toString);
        }
    }

    @Test
    void aDiskThatIsFullIsToldOnceAndNotUsedAnyMore() throws Exception {
        Assumptions.assumeTrue(Disk.available(), "needs root and /dev/loop-control");
        try (Disk disk = Disk.format(folder.resolve("small.img"), 2 << 20, folder.resolve("small"), "mkfs.ext4", "-q")) {
            disk.mount("rw");
            try (DiskCache cache = new DiskCache(disk.folder(), 64 << 20, 0, this::now, told::add)) {
                keep(cache, 0, false);
                assertTrue(reads(cache, 0, 5, 100), "there is room");
                for (int i = 0; i < 100; i++) {
                    keep(cache, i % 12, false);
                }
                assertEquals(List.of(), there(cache));
                assertFalse(reads(cache, 0, 5, 100));
                assertEquals(1, told.size(), told::toString);
                assertTrue(told.getFirst().endsWith("No space left on device"), told::toString);
            }
        }
    }

    // ---- in an image

    private interface Use {
        void of(Image image, Scene scene) throws IOException;
    }

    /// Reads a little of each chunk, so that most have to leave memory, and then does something.
    private void afterReading(Use use) throws Exception {
        afterReading(new Scene(folder), Keys.NONE, use);
    }

    private void afterReading(Scene scene, Keys keys, Use use) throws Exception {
        scene.archive(bytes);
        Path disk = Files.createDirectory(folder.resolve("disk"));
        FoundPoint found = new Points(List.of(Vault.open(scene.vault).with(keys)), Clock.systemUTC()).find(PointName.parse("tools"));
        try (Images images = new Images(told::add, new DiskRoom(disk, 1 << 20), MEMORY);
                Image image = images.open(found.path(), "tools")) {
            for (int chunk = 0; chunk < 12; chunk++) {
                assertRight(image, chunk * Scene.CHUNK + 777, 100);
            }
            assertRight(image, SIZE - 50, 20);
            use.of(image, scene);
        }
    }

    private void assertRight(Image image, int offset, int size) throws IOException {
        MemorySegment into = arena.allocate(size);
        image.read(offset, into);
        assertArrayEquals(Arrays.copyOfRange(bytes, offset, offset + size), into.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void anImageThatHasBeenReadNeedsNoArchive() throws Exception {
        afterReading((image, scene) -> {
            Files.write(scene.data("full", 0), new byte[1]);
            for (int chunk = 0; chunk < 12; chunk++) {
                assertRight(image, chunk * Scene.CHUNK, Scene.CHUNK);
            }
        });
        assertEquals(List.of(), told);
    }

    @Test
    void forWhatIsDamagedOnTheDiskTheArchiveIsRead() throws Exception {
        afterReading((image, scene) -> {
            flip(nameless(folder.resolve("disk")), 5000);
            for (int chunk = 0; chunk < 12; chunk++) {
                assertRight(image, chunk * Scene.CHUNK, Scene.CHUNK);
            }
        });
        assertEquals(List.of(), told);
    }

    @Test
    void whatIsDamagedInBothIsAnError() throws Exception {
        afterReading((image, scene) -> {
            flip(nameless(folder.resolve("disk")), 5000);
            Files.write(scene.data("full", 0), new byte[1]);
            List<Integer> failed = new ArrayList<>();
            for (int chunk = 0; chunk < 12; chunk++) {
                try {
                    assertRight(image, chunk * Scene.CHUNK, Scene.CHUNK);
                } catch (IOException e) {
                    failed.add(chunk);
                }
            }
            assertEquals(1, failed.size(), failed::toString);
        });
    }

    static List<Long> fewSeeds() {
        return Histories.seeds(2);
    }

    private void afterReadingSealed(Use use) throws Exception {
        Path key = TestFiles.identity();
        Path recipient = Files.writeString(folder.resolve("recipient"), Files.readAllLines(key).stream()
                .filter(line -> line.startsWith("# public key: ")).findFirst().orElseThrow().substring(14));
        Scene sealed = new Scene(folder).sealedFor(KeyFiles.recipients(recipient));
        afterReading(sealed, new Keys(List.of(key), (what, anew) -> Optional.empty()), (image, scene) -> {
            try (Stream<Path> files = Files.list(scene.vault.resolve("tools"))) {
                assertTrue(files.anyMatch(file -> file.toString().endsWith(".full.zst.age")));
            }
            use.of(image, scene);
        });
    }

    /// {@return how many of the groups of the device have their first bytes somewhere in the file on the disk}
    private int legible() throws IOException {
        String file = new String(Files.readAllBytes(nameless(folder.resolve("disk"))), StandardCharsets.ISO_8859_1);
        assertTrue(file.length() > 6 * Scene.CHUNK, "of " + file.length());
        int count = 0;
        for (int at = 0; at + 32 <= SIZE; at += SubtreeHasher.GROUP) {
            count += file.contains(new String(bytes, at, 32, StandardCharsets.ISO_8859_1)) ? 1 : 0;
        }
        return count;
    }

    @Test
    void whatIsSealedIsEncryptedThere() throws Exception {
        afterReadingSealed((image, scene) -> assertEquals(0, legible()));
    }

    @Test
    void whatIsNotSealedIsNot() throws Exception {
        afterReading((image, scene) -> assertTrue(legible() > 6 * Scene.CHUNK / SubtreeHasher.GROUP));
    }

    @Test
    void aSealedImageThatHasBeenReadNeedsNoArchiveButForWhatIsDamagedOnTheDisk() throws Exception {
        afterReadingSealed((image, scene) -> {
            flip(nameless(folder.resolve("disk")), 5000);
            Files.write(scene.data("full", 0), new byte[1]);
            int failed = 0;
            for (int chunk = 0; chunk < 12; chunk++) {
                try {
                    assertRight(image, chunk * Scene.CHUNK, Scene.CHUNK);
                } catch (IOException e) {
                    failed++;
                }
            }
            assertEquals(1, failed);
        });
    }

    @ParameterizedTest
    @MethodSource("fewSeeds")
    void manyReadersOfManyDeltasReadWhatIsRight(long seed) throws Exception {
        Scene scene = new Scene(folder).archive(bytes);
        for (int day = 1; day < 6; day++) {
            System.arraycopy(Scene.changed(bytes, seed + day), 0, bytes, 0, SIZE);
            scene.archive(bytes);
        }
        Path disk = Files.createDirectory(folder.resolve("disk"));
        FoundPoint found = new Points(List.of(Vault.open(scene.vault)), Clock.systemUTC()).find(PointName.parse("tools"));
        try (Images images = new Images(told::add, new DiskRoom(disk, 8 * Scene.CHUNK), 3 << 20);
                Image image = images.open(found.path(), "tools");
                ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> reading = new ArrayList<>();
            for (int reader = 0; reader < 8; reader++) {
                Random random = new Random(seed + reader);
                reading.add(readers.submit(() -> {
                    for (int i = 0; i < 200; i++) {
                        int offset = random.nextInt(SIZE);
                        int size = Math.min(SIZE - offset, random.nextBoolean() ? 4096 : 1 + random.nextInt(2 * Scene.CHUNK));
                        try (Arena own = Arena.ofShared()) {
                            MemorySegment into = own.allocate(size);
                            image.read(offset, into);
                            assertArrayEquals(Arrays.copyOfRange(bytes, offset, offset + size), into.toArray(ValueLayout.JAVA_BYTE));
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> each : reading) {
                each.get();
            }
        }
        assertEquals(List.of(), told);
    }

    // ---- the setting

    private static DiskRoom room(String size) {
        return DiskRoom.of(Map.of(DiskRoom.VARIABLE, size, "TMPDIR", "/t"));
    }

    @Test
    void theEnvironmentSaysHowMuch() {
        assertEquals(new DiskRoom(Path.of("/t"), 500 << 20), room("500M"));
        assertEquals(new DiskRoom(Path.of("/t"), 2L << 30), room("2G"));
        assertEquals(new DiskRoom(Path.of("/t"), 0), room("0"));
        assertEquals(new DiskRoom(Path.of("/var/tmp"), 8L << 30), DiskRoom.of(Map.of()));
        assertEquals(new DiskRoom(Path.of("/t"), 32L << 30), room("999999G"));
        for (String wrong : List.of("2", "G", "-1G", "1.5G", "2T", "2G ")) {
            assertThrows(IllegalArgumentException.class, () -> room(wrong), wrong);
        }
    }

    @Test
    void aFolderThatIsNotThereIsToldAndNothingIsKept() {
        assertEquals(null, new DiskRoom(folder.resolve("none"), 1 << 20).open(told::add));
        assertEquals(1, told.size(), told::toString);
    }
}
