package varve.verify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import varve.verify.work.Watcher;
import varve.archive.file.Index;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.format.Summary;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.testdata.Damage;
import varve.testdata.Histories;
import varve.testdata.Images;

/// Two copies of a volume, damaged at random in every way of the catalogue: what one good copy of each range can repair is healed to the
/// last byte, and nothing else changes.
///
/// Which that is, the test knows from the bytes: it compares what was written with what is left, and never asks the code under test.
/// `-Dvarve.test.damaged-sets=N` asks for N sets instead of 3,000; 20,000 take some two minutes.
final class DamagedSetsTest {

    private static final int GROUP = 1 << FileTree.GROUP_LOG;
    private static final int SETS = Integer.getInteger("varve.test.damaged-sets", 3_000);
    private static final int CHUNK = TestVault.CHUNK;
    private static final List<String> EXTENSIONS = List.of("zst", "index", "tree", "json");

    private static Path folder;
    private static Scene small;
    private static Scene large;

    /// A volume as it was written, and what else a file of it may turn into.
    ///
    /// @param files as written, by name
    /// @param stale files of the same names, of another course of things: another state at the same times
    /// @param foreign files of the same names, of another volume that has the same name
    /// @param bases of the archives, in the order of their points
    /// @param regions where the parts of a data file begin, by its name; the last is its end
    /// @param receipts as written, by name
    private record Scene(
            Map<String, byte[]> files,
            Map<String, byte[]> stale,
            Map<String, byte[]> foreign,
            List<String> bases,
            Map<String, List<Integer>> regions,
            Map<String, byte[]> receipts,
            Path here,
            Path there) {

        /// {@return the same in two vaults of its own}
        Scene in(Path place) throws IOException {
            Path second = Vault.openOrCreate(place.resolve("there")).folder();
            Folders.copy(here, place.resolve("here")); // with its identity, so that its receipts are its own
            Folders.copy(here.resolve("tools"), second.resolve("tools"));
            return new Scene(files, stale, foreign, bases, regions, receipts, place.resolve("here"), second);
        }
    }

    @BeforeAll
    static void archives() throws IOException {
        Path memory = Path.of("/dev/shm");
        Path place = Files.isWritable(memory) ? memory : Path.of(System.getProperty("java.io.tmpdir"));
        folder = Files.createDirectory(place.resolve("varve-heal" + UUID.randomUUID())); // of one length: manifests name it
        byte[] first = new byte[4 * CHUNK + 5000];
        System.arraycopy(Images.text(1, 3000), 0, first, 0, 3000);
        Arrays.fill(first, CHUNK, 2 * CHUNK, (byte) 7);
        System.arraycopy(Images.noise(1, 200), 0, first, 4 * CHUNK + 4800, 200);
        small = scene("small", first, change(first, 2, 300), change(first, 3, 9000), change(first, 4, 5000));
        byte[] noise = Images.noise(5, 30 * CHUNK);
        large = scene("large", noise, change(noise, 6, 1_400_000), change(noise, 7, 100), change(noise, 8, 1_200_000));
    }

    private static byte[] change(byte[] image, long seed, int size) {
        byte[] changed = image.clone();
        System.arraycopy(Images.noise(seed, size), 0, changed, 5000, size);
        return changed;
    }

    private static Scene scene(String name, byte[] first, byte[] second, byte[] third, byte[] other) throws IOException {
        Path work = Files.createDirectories(folder.resolve(name));
        TestVault vault = new TestVault(Files.createDirectory(work.resolve("a"))).add(first);
        TestVault stale = new TestVault(Files.createDirectory(work.resolve("b"))).add(other);
        Folders.delete(stale.volume.folder());
        Folders.copy(vault.volume.folder(), stale.volume.folder());
        vault.add(second).add(third);
        stale.add(other).add(change(other, 11, 4000));
        TestVault foreign = new TestVault(Files.createDirectory(work.resolve("c"))).add(first).add(other).add(third);
        Map<String, byte[]> files = files(vault.volume.folder());
        Map<String, List<Integer>> regions = new TreeMap<>();
        List<String> bases = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Manifest manifest = vault.manifest(i);
            bases.add(manifest.baseName());
            try (Index index = Index.open(vault.file(i, "index"), 0, manifest)) {
                Summary summary = index.summary();
                int tables = (int) summary.indexPosition();
                int frames = (int) (index.nodes() > 0 ? index.node(index.nodes() - 1).frame().position() : tables);
                regions.put(manifest.baseName() + ".zst", List.of(0, 104, frames, tables, tables + (int) summary.nodeRows() - 16,
                        tables + (int) summary.indexSize() - Summary.FRAME_SIZE, tables + (int) summary.indexSize(), (int) manifest.file().size()));
            }
        }
        return new Scene(files, files(stale.volume.folder()), files(foreign.volume.folder()), bases, regions,
                receipts(vault.volume.folder()), vault.vault.folder(), vault.vault.folder());
    }

    private static Map<String, byte[]> files(Path folder) throws IOException {
        return files(folder, name -> !name.startsWith(".varve-lock") && !isReceipt(name));
    }

    private static Map<String, byte[]> receipts(Path folder) throws IOException {
        return files(folder, DamagedSetsTest::isReceipt);
    }

    private static boolean isReceipt(String name) {
        return name.startsWith(Receipts.FILE) || name.startsWith(Receipts.HIDDEN);
    }

    private static Map<String, byte[]> files(Path folder, Predicate<String> wanted) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> content = Files.list(folder)) {
            for (Path file : (Iterable<Path>) content::iterator) {
                if (wanted.test(file.getFileName().toString())) {
                    files.put(file.getFileName().toString(), Files.readAllBytes(file));
                }
            }
        }
        return files;
    }

    @AfterAll
    static void remove() throws IOException {
        Folders.delete(folder);
    }

    @Test
    void whatOneGoodCopyCanRepairIsHealed() throws Exception {
        long seed = Histories.seeds(1).getFirst();
        int threads = Runtime.getRuntime().availableProcessors();
        AtomicInteger healed = new AtomicInteger();
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> workers = new ArrayList<>();
            for (int worker = 0; worker < threads; worker++) {
                int first = worker;
                workers.add(pool.submit(() -> {
                    Scene ownSmall = small.in(folder.resolve("small" + first));
                    Scene ownLarge = large.in(folder.resolve("large" + first));
                    for (int set = first; set < SETS; set += threads) {
                        healed.addAndGet(heal(seed + set, ownSmall, ownLarge) ? 1 : 0);
                    }
                    return null;
                }));
            }
            for (Future<?> worker : workers) {
                worker.get();
            }
        }
        System.out.println("damaged sets: " + SETS + " from seed " + seed + ", " + healed + " of them healed completely");
        assertTrue(healed.get() > SETS / 2 || SETS < 100, healed + " healed");
    }

    /// Two manifests of another course of things confirm each other; but all that lies beside them says that they are not its.
    @Test
    void aManifestThatItsOwnFilesContradictSpeaksForNoOther() throws Exception {
        Case three = new Case(small.in(folder.resolve("contradicted")), new Random(0));
        String second = small.bases.get(1) + ".json";
        String third = small.bases.get(2) + ".json";
        three.here.put(second, small.foreign.get(second));
        three.here.put(third, small.stale.get(third));
        three.there.put(second, small.stale.get(second));
        assertFalse(three.run());
        assertArrayEquals(small.files.get(third), Files.readAllBytes(three.scene.here.resolve("tools/" + third)));
    }

    private static boolean heal(long seed, Scene small, Scene large) {
        Random random = new Random(seed);
        Case one = new Case(random.nextInt(12) == 0 ? large : small, random).damage();
        try {
            return one.run();
        } catch (Throwable e) {
            throw new AssertionError("set " + seed + " (repeat with -Dvarve.test.seed=" + seed + " -Dvarve.test.damaged-sets=1): "
                    + one + ": " + e.getMessage(), e);
        }
    }

    /// One damaged set.
    private static final class Case {
        private final Scene scene;
        private final Random random;
        private final Map<String, byte[]> here;
        private final Map<String, byte[]> there;
        private final List<String> words = new ArrayList<>();
        private boolean strange; // a stale or foreign file is among them

        /// nothing is damaged yet
        Case(Scene scene, Random random) {
            this.scene = scene;
            this.random = random;
            this.here = new TreeMap<>(scene.files);
            this.there = new TreeMap<>(scene.files);
        }

        Case damage() {
            for (int i = 1 + random.nextInt(3); i > 0; i--) {
                damage("here", here);
            }
            for (int i = random.nextInt(4); i > 0; i--) {
                damage("there", there);
            }
            return this;
        }

        @Override
        public String toString() {
            return words.toString();
        }

        private void damage(String where, Map<String, byte[]> files) {
            String base = scene.bases.get(random.nextInt(scene.bases.size()));
            String extension = EXTENSIONS.get(random.nextInt(8) < 4 ? 0 : random.nextInt(4));
            String name = base + "." + extension;
            byte[] bytes = files.get(name);
            if (bytes == null || bytes.length < 2) {
                return;
            }
            byte[] original = scene.files.get(name);
            Damage damage = switch (random.nextInt(12)) {
                case 0, 1, 2 -> Damage.flip(place(name, bytes.length), random.nextInt(8));
                case 3 -> Damage.zeroSector(place(name, bytes.length));
                case 4 -> Damage.tear(place(name, bytes.length), random.nextBoolean() ? new byte[bytes.length] : scene.stale.get(name));
                case 5 -> Damage.truncate(place(name, bytes.length));
                case 6 -> Damage.append(Images.noise(random.nextLong(), 1 + random.nextInt(2000)));
                case 7 -> frames(base, bytes);
                case 8 -> strange("stale", scene.stale.get(name));
                case 9 -> strange("foreign", scene.foreign.get(name));
                case 10 -> {
                    String other = scene.bases.get(random.nextInt(scene.bases.size())) + "." + extension;
                    yield Damage.become(other, scene.files.get(other));
                }
                default -> null;
            };
            words.add(where + "/" + name + ": " + (damage == null ? "missing" : damage));
            if (damage == null) {
                files.remove(name);
            } else {
                files.put(name, damage.of(bytes));
            }
        }

        private Damage strange(String what, byte[] content) {
            if (strange) { // more of them could outvote the truth
                return Damage.invert(0);
            }
            strange = true;
            return Damage.become("a " + what + " one", content);
        }

        /// a place in one of the regions of a data file, or anywhere
        private int place(String name, int size) {
            List<Integer> regions = scene.regions.get(name);
            if (regions == null || size < regions.getLast()) {
                return random.nextInt(size);
            }
            int region = random.nextInt(regions.size() - 1);
            int from = regions.get(region);
            return from + random.nextInt(Math.max(1, regions.get(region + 1) - from));
        }

        private Damage frames(String base, byte[] bytes) {
            List<Integer> regions = scene.regions.get(base + ".zst");
            int first = regions.get(1);
            int second = regions.get(2);
            int end = regions.get(3);
            return first < second && second < end && bytes.length >= end
                    ? Damage.exchange(first, second - first, second, end - second)
                    : Damage.invert(bytes.length / 2);
        }

        boolean run() throws Exception {
            Map<String, Object> inodes = write(scene.here.resolve("tools"), here);
            for (Map.Entry<String, byte[]> receipt : scene.receipts.entrySet()) {
                Files.write(scene.here.resolve("tools/" + receipt.getKey()), receipt.getValue());
            }
            write(scene.there.resolve("tools"), there);
            HealingOptions options = new HealingOptions(List.of(Vault.open(scene.there)), Optional.empty(), false, 1, Duration.ZERO);
            HealingReport report = new Healing(Vault.open(scene.here), "tools", options, InstantSource.system(), Watcher.NONE, repair -> {}).run();
            Map<String, byte[]> now = files(scene.here.resolve("tools"));
            for (String base : scene.bases) {
                check(base, now, report);
            }
            for (String name : scene.files.keySet()) {
                byte[] was = here.get(name);
                if (was != null && Arrays.equals(was, scene.files.get(name))) {
                    assertEquals(inodes.get(name), inode(scene.here.resolve("tools/" + name)), () -> name + " was touched");
                }
            }
            assertTrue(scene.files.keySet().containsAll(now.keySet()), () -> "leftovers: " + now.keySet());
            assertSame(there, files(scene.there.resolve("tools")));
            boolean whole = scene.files.keySet().stream().allMatch(name -> Arrays.equals(scene.files.get(name), now.get(name)));
            assertTrue(whole || scene.bases.stream().anyMatch(this::forgotten) || !report.healthy(), () -> "said to be healthy: " + report);
            assertTrue(!whole || report.healthy(), () -> "said to be damaged: " + report);
            return whole;
        }

        private static void assertSame(Map<String, byte[]> expected, Map<String, byte[]> found) {
            assertEquals(expected.keySet(), found.keySet());
            expected.forEach((name, bytes) -> assertTrue(Arrays.equals(bytes, found.get(name)), name));
        }

        private Map<String, Object> write(Path to, Map<String, byte[]> files) throws IOException {
            Map<String, Object> inodes = new TreeMap<>();
            for (String name : scene.files.keySet()) {
                Path file = to.resolve(name);
                byte[] bytes = files.get(name);
                if (bytes == null) {
                    Files.deleteIfExists(file);
                } else {
                    if (!Files.exists(file) || Files.size(file) != bytes.length || !Arrays.equals(Files.readAllBytes(file), bytes)) {
                        Files.write(file, bytes);
                    }
                    inodes.put(name, inode(file));
                }
            }
            return inodes;
        }

        private static Object inode(Path file) throws IOException {
            return Files.getAttribute(file, "unix:ino");
        }

        /// whether nothing but receipts can tell of an archive
        private boolean forgotten(String base) {
            return EXTENSIONS.stream().noneMatch(extension -> here.containsKey(base + "." + extension)) && !good(there, base + ".json");
        }

        private void check(String base, Map<String, byte[]> now, HealingReport report) {
            boolean manifest = (good(here, base + ".json") || good(there, base + ".json")) && decided(base);
            if (manifest) {
                assertHealed(base + ".json", now, report);
            }
            boolean data = manifest && treeIsKnown(base);
            checkData(base + ".zst", data, now, report);
            boolean whole = data && groups(base + ".zst").allMatch(group -> anywhere(base + ".zst", group));
            if (manifest && (good(here, base + ".index") || good(there, base + ".index") || whole)) {
                assertHealed(base + ".index", now, report);
            }
            if (manifest && treeIsKnown(base)) {
                assertHealed(base + ".tree", now, report);
            }
            for (String extension : List.of("index", "tree", "json")) {
                byte[] found = now.get(base + "." + extension);
                assertTrue(Arrays.equals(found, scene.files.get(base + "." + extension)) || Arrays.equals(found, here.get(base + "." + extension)),
                        () -> base + "." + extension + " became something else");
            }
        }

        private void assertHealed(String name, Map<String, byte[]> now, HealingReport report) {
            assertTrue(Arrays.equals(scene.files.get(name), now.get(name)), () -> name + " was not healed: " + report);
        }

        private static boolean equal(byte @Nullable [] a, byte @Nullable [] b, int group) {
            if (a == null || b == null) {
                return false;
            }
            int from = group * GROUP;
            int to = Math.min(from + GROUP, a.length);
            return b.length >= to && Arrays.equals(a, from, to, b, from, to);
        }

        private Stream<Integer> groups(String name) {
            return Stream.iterate(0, group -> group * GROUP < scene.files.get(name).length, group -> group + 1);
        }

        private boolean anywhere(String name, int group) {
            byte[] original = scene.files.get(name);
            return equal(original, here.get(name), group) || equal(original, there.get(name), group);
        }

        /// each group is as it was written if that can be, else as it was found
        private void checkData(String name, boolean promised, Map<String, byte[]> now, HealingReport report) {
            byte[] original = scene.files.get(name);
            byte[] was = here.get(name);
            byte[] found = now.get(name);
            if (promised && groups(name).allMatch(group -> anywhere(name, group))) {
                assertHealed(name, now, report);
                return;
            }
            for (int group : groups(name).toList()) {
                boolean right = equal(original, found, group);
                assertTrue(right || !promised || !anywhere(name, group), () -> name + ": group " + group + " was not healed: " + report);
                assertTrue(right || untouched(was, found, group), () -> name + ": group " + group + " became something else");
            }
        }

        private static boolean untouched(byte @Nullable [] was, byte @Nullable [] found, int group) {
            if (was == null || found == null) {
                return found == null || Arrays.equals(new byte[Math.max(0, Math.min(GROUP, found.length - group * GROUP))],
                        found.length < group * GROUP ? new byte[0] : Arrays.copyOfRange(found, group * GROUP, Math.min(found.length, (group + 1) * GROUP)));
            }
            int from = group * GROUP;
            for (int i = from; i < Math.min(found.length, from + GROUP); i++) {
                if (found[i] != (i < was.length ? was[i] : 0)) {
                    return false;
                }
            }
            return true;
        }

        private boolean good(Map<String, byte[]> files, String name) {
            return Arrays.equals(scene.files.get(name), files.get(name));
        }

        /// whether the tree can be told without a guess
        private boolean treeIsKnown(String base) {
            return scene.files.get(base + ".zst").length <= GROUP
                    || good(here, base + ".tree") || good(there, base + ".tree") || good(here, base + ".zst") || good(there, base + ".zst");
        }

        /// whether something speaks for the right manifest, if there is another that is whole by itself
        private boolean decided(String base) {
            String name = base + ".json";
            boolean rival = Stream.of(here, there).anyMatch(files -> Arrays.equals(files.get(name), scene.stale.get(name)))
                    && !Arrays.equals(scene.stale.get(name), scene.files.get(name));
            boolean chosen = !rival || Stream.of("index", "tree").anyMatch(extension -> good(here, base + "." + extension) || good(there, base + "." + extension));
            long forHere = witnesses(here, base);
            long againstHere = contrary(here, base);
            long all = forHere + witnesses(there, base);
            long against = againstHere + contrary(there, base);
            return chosen && (good(here, name) ? all >= against : (againstHere == 0 || forHere > 0) && (all > against || against == 0));
        }

        private long witnesses(Map<String, byte[]> files, String base) {
            return Stream.of("index", "tree", "zst").filter(extension -> good(files, base + "." + extension)).count();
        }

        /// how many files of an archive end as those of another
        private long contrary(Map<String, byte[]> files, String base) {
            return Stream.of("index", "zst").filter(extension -> {
                byte[] found = files.get(base + "." + extension);
                return found != null && !sameEnd(found, scene.files.get(base + "." + extension), extension)
                        && Stream.concat(Stream.of(scene.stale, scene.foreign).map(other -> other.get(base + "." + extension)),
                                scene.bases.stream().map(other -> scene.files.get(other + "." + extension)))
                        .anyMatch(other -> sameEnd(found, other, extension));
            }).count();
        }

        /// from the summary on
        private static boolean sameEnd(byte[] found, byte[] other, String extension) {
            int rows = ByteBuffer.wrap(other).order(ByteOrder.LITTLE_ENDIAN).getInt(other.length - 9);
            int size = Summary.FRAME_SIZE + (extension.equals("zst") ? 17 + 8 * rows : 0);
            return found.length >= size && Arrays.equals(found, found.length - size, found.length, other, other.length - size, other.length);
        }
    }
}
