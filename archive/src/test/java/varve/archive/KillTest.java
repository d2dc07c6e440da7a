package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.file.StoredArchive;
import varve.archive.format.Kind;
import varve.archive.vault.Vault;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// A run that dies at any moment loses nothing, and the run after it ends as if nothing had happened.
class KillTest {

    private static final int KILLS = Integer.getInteger("varve.test.kills", 10);
    private static final int EVERY = Integer.getInteger("varve.test.killEvery", 8);

    private static final int SIZE = 10 << 20;
    private static final int NOISE = 16 << 20;
    private static final int MOST_POINTS = 6;

    @TempDir
    Path folder;

    private final long seed = Long.getLong("varve.test.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private Path image;
    private VolumeSubject volume;
    private int volumes;

    @BeforeEach
    void make() throws IOException {
        image = folder.resolve("device.img");
        newVolume();
    }

    private void newVolume() throws IOException {
        volume = new VolumeSubject(Vault.openOrCreate(folder.resolve("vault" + ++volumes)).folder(), "tools");
    }

    // ---- at random moments

    @Test
    void aRunKilledAtAnyMomentLosesNothing() throws Exception {
        write(Images.mixed(random.nextLong(), SIZE));
        long[] length = {measure()};
        live(KILLS, varve -> {
            long start = System.nanoTime();
            long moment = random.nextLong(length[0]);
            if (!varve.await(() -> System.nanoTime() - start >= moment)) {
                length[0] = Math.max(System.nanoTime() - start, length[0] * 3 / 4);
            }
        });
    }

    @Test
    void aRunKilledWhenItIsAboutToCommitLosesNothing() throws Exception {
        live((KILLS + 1) / 2, varve -> {
            // the index is staged when all data has been read
            if (varve.await(() -> Files.exists(volume.stage("index")))) {
                long start = System.nanoTime();
                long moment = random.nextLong(30_000_000);
                varve.await(() -> System.nanoTime() - start >= moment);
            }
        });
    }

    /// Waits for the moment to kill.
    private interface Aim {
        void await(VarveProcess varve) throws Exception;
    }

    /// the length of a run, in nanoseconds
    private long measure() throws Exception {
        Path scratch = folder.resolve("scratch");
        long length = 0;
        for (int i = 0; i < 2; i++) {
            long start = System.nanoTime();
            VarveProcess.run("archive", image, "--vault", scratch, "--volume", "tools", "--full").expect(0);
            length = System.nanoTime() - start;
        }
        return length;
    }

    /// points in time of a device that changes, with up to five deaths before each is recorded
    private void live(int kills, Aim aim) throws Exception {
        System.out.println("KillTest: -Dvarve.test.seed=" + seed);
        int killed = 0;
        int decisions = 0;
        byte[] device = Images.mixed(random.nextLong(), SIZE);
        write(device);
        while (killed < kills) {
            byte[] decided = null;
            for (int i = random.nextInt(6); i >= 0 && killed < kills; i--) {
                if (killed(aim)) {
                    killed++;
                }
                decided = lookAfter(decided, device);
                decisions += decided == null ? 0 : 1;
                if (random.nextInt(3) == 0) {
                    device = change(device);
                    write(device);
                }
            }
            finish(decided, device);
            if (volume.points() >= MOST_POINTS) {
                volume.lookAtAll();
                newVolume();
            }
            device = change(device);
            write(device);
        }
        volume.lookAtAll();
        System.out.println("KillTest: " + killed + " kills over " + volumes + " volumes, "
                + decisions + " of them between the decision and its end");
    }

    private boolean killed(Aim aim) throws Exception {
        try (VarveProcess varve = VarveProcess.start("archive", image, "--vault", volume.vault(), "--volume", "tools")) {
            aim.await(varve);
            Ended end = varve.kill();
            if (!end.killed()) {
                end.expect(0);
            }
            return end.killed();
        }
    }

    /// @param decided what a run before the last one had decided to record
    /// @return what is decided now
    private byte[] lookAfter(byte[] decided, byte[] device) throws IOException {
        List<byte[]> recorded = decided == null || decided == device ? volume.look(device, device) : volume.look(decided, device);
        String now = volume.decided().orElse(null);
        if (now == null) {
            assertTrue(decided == null || recorded.contains(decided), "what was decided is lost");
            return null;
        }
        if (decided != null && recorded.isEmpty()) {
            assertEquals(volume.root(decided), now);
            return decided;
        }
        assertEquals(volume.root(device), now);
        return device;
    }

    private void finish(byte[] decided, byte[] device) throws Exception {
        volume.archive(image);
        List<byte[]> recorded = decided == null ? volume.look(device) : volume.look(decided, device);
        assertEquals(decided == null ? 1 : 2, recorded.size());
        assertNoStage();
    }

    private void assertNoStage() throws IOException {
        try (Stream<Path> content = Files.list(volume.folder())) {
            assertEquals(List.of(), content.filter(path -> path.getFileName().toString().startsWith(".varve-stage")).toList());
        }
    }

    // ---- at each step

    /// Kills in front of each system call that changes a name or makes something durable, one after the other.
    @ParameterizedTest
    @ValueSource(strings = {"rename", "fsync", "ftruncate", "unlink", "link", "mkdir", "pwrite64"})
    void everyStepMayBeTheLast(String calls) throws Exception {
        Assumptions.assumeTrue(Tools.find("strace").isPresent(), "needs strace");
        byte[] device = Images.mixed(random.nextLong(), 3 << 20);
        int killed = 0;
        for (boolean delta : new boolean[] {false, true}) {
            boolean more = true;
            for (int step = 1; more; step += EVERY * (calls.equals("pwrite64") ? 3 : 1)) {
                newVolume();
                write(device);
                if (delta) {
                    volume.archive(image);
                    volume.look(device);
                    device = change(device);
                    write(device);
                } else {
                    try (Stream<Path> content = Files.list(volume.vault())) {
                        for (Path file : content.toList()) {
                            Files.delete(file);
                        }
                    }
                }
                List<String> strace = List.of("strace", "-f", "-qq", "-o", "/dev/null",
                        "-e", "trace=" + calls, "-e", "inject=" + calls + ":signal=KILL:when=" + step);
                try (VarveProcess varve = VarveProcess.start(
                        strace, VarveProcess.QUICK, "archive", image, "--vault", volume.vault(), "--volume", "tools")) {
                    Ended end = varve.end();
                    more = end.killed();
                    assertTrue(more || end.code() == 0, end::err);
                }
                killed += more ? 1 : 0;
                if (more) {
                    finish(lookAfter(null, device), device);
                } else {
                    volume.look(device);
                }
                volume.lookAtAll();
            }
        }
        System.out.println("KillTest: " + killed + " kills in front of " + calls);
        assertTrue(killed > 0);
    }

    // ---- resumption

    @Test
    void aKilledRunIsResumed() throws Exception {
        byte[] device = noise();
        long staged = killAtStage(9 << 20);
        Archiver.Outcome outcome = volume.archive(image);
        assertTrue(outcome.reusedSize() > staged / 2, () -> outcome.reusedSize() + " of " + staged + " reused");
        assertEquals(1, volume.look(device).size());
        assertNoStage();
    }

    @Test
    void aKilledDeltaIsResumed() throws Exception {
        write(new byte[SIZE]);
        volume.archive(image);
        volume.look(new byte[SIZE]);
        byte[] device = noise();
        long staged = killAtStage(9 << 20);
        Archiver.Outcome outcome = volume.archive(image);
        assertEquals(Kind.DELTA, outcome.kind());
        assertTrue(outcome.reusedSize() > staged / 2, () -> outcome.reusedSize() + " of " + staged + " reused");
        assertEquals(1, volume.look(device).size());
    }

    @Test
    void aRunThatIsToldToEndIsResumed() throws Exception {
        byte[] device = noise();
        try (VarveProcess varve = throttled()) {
            assertTrue(varve.await(() -> staged() >= 8 << 20));
            varve.terminate().expect(143);
        }
        assertTrue(volume.archive(image).reusedSize() > 4 << 20);
        assertEquals(1, volume.look(device).size());
    }

    @Test
    void aPrefixIsReusedThoughTheSourceHasChangedInTheMiddle() throws Exception {
        byte[] device = noise();
        long staged = killAtStage(9 << 20);
        for (int i = 0; i < 100_000; i++) {
            device[(3 << 20) + i] = 7; // compresses to another size, so all frames after it move
        }
        write(device);
        Archiver.Outcome outcome = volume.archive(image);
        assertTrue(outcome.reusedSize() > 2 << 20, () -> outcome.reusedSize() + " of " + staged + " reused");
        assertEquals(1, volume.look(device).size());
    }

    @Test
    void aPrefixIsReusedThoughTheSourceHasShrunk() throws Exception {
        byte[] device = noise();
        killAtStage(9 << 20);
        byte[] shorter = Arrays.copyOf(device, (5 << 20) - 1000);
        write(shorter);
        assertTrue(volume.archive(image).reusedSize() > 3 << 20);
        assertEquals(1, volume.look(shorter).size());
    }

    /// Things that can have happened to a stage.
    enum Wreck {
        GARBAGE, TORN, ZEROED_TAIL, ZEROED_START, LONGER, ROWS_OF_GARBAGE, ROWS_TORN, ROWS_GONE, DATA_GONE, ONLY_AN_INDEX
    }

    @ParameterizedTest
    @EnumSource
    void aDamagedStageIsNeverBelieved(Wreck wreck) throws Exception {
        byte[] device = noise();
        killAtStage(8 << 20);
        wreck(wreck);
        volume.archive(image);
        assertEquals(1, volume.look(device).size());
        assertNoStage();
    }

    private void wreck(Wreck wreck) throws IOException {
        Path data = volume.stage("data");
        Path rows = volume.stage("nodes");
        switch (wreck) {
            case GARBAGE -> overwrite(data, 1 << 20, Images.noise(1, 3 << 20));
            case TORN -> truncate(data, (3 << 20) + 1234);
            case ZEROED_TAIL -> overwrite(data, 2 << 20, new byte[(int) Files.size(data) - (2 << 20)]);
            case ZEROED_START -> overwrite(data, 0, new byte[4096]);
            case LONGER -> overwrite(data, Files.size(data), Images.noise(2, 20 << 20));
            case ROWS_OF_GARBAGE -> overwrite(rows, 0, Images.noise(3, (int) Files.size(rows) + 100_000));
            case ROWS_TORN -> truncate(rows, Files.size(rows) - 17);
            case ROWS_GONE -> Files.delete(rows);
            case DATA_GONE -> Files.delete(data);
            case ONLY_AN_INDEX -> {
                Files.move(data, volume.stage("index"), StandardCopyOption.REPLACE_EXISTING);
                Files.delete(rows);
            }
        }
    }

    /// Lets the first read of a staged file fail, in each thread.
    @ParameterizedTest
    @ValueSource(strings = {"data", "nodes"})
    void aStageThatCannotBeReadIsMadeAgain(String file) throws Exception {
        Assumptions.assumeTrue(Tools.find("strace").isPresent(), "needs strace");
        byte[] device = noise();
        killAtStage(8 << 20);
        List<String> strace = List.of("strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-P", volume.stage(file).toString(),
                "-e", "trace=pread64", "-e", "inject=pread64:error=EIO:when=1");
        try (VarveProcess varve = VarveProcess.start(
                strace, VarveProcess.QUICK, "archive", image, "--vault", volume.vault(), "--volume", "tools")) {
            Ended end = varve.end();
            if (file.equals("data") && end.code() == 7) { // it was what had just been written that could not be read
                end.error();
                volume.archive(image);
            } else {
                end.expect(0);
            }
        }
        assertEquals(1, volume.look(device).size());
        assertNoStage();
    }

    @Test
    void aDecisionWithoutItsDataIsNone() throws Exception {
        byte[] device = Images.mixed(1, 3 << 20);
        write(device);
        volume.archive(image);
        volume.look(device);
        StoredArchive last = volume.archives().getLast();
        Files.move(last.manifestFile(), volume.stage("json"));
        Files.delete(last.data()); // somebody tidied up
        Files.delete(last.index());
        Files.delete(last.tree());
        VolumeSubject again = new VolumeSubject(volume.vault(), "tools");
        again.archive(image);
        assertEquals(1, again.look(device).size());
        assertFalse(Files.exists(volume.stage("json")));
    }

    @Test
    void aStagedManifestThatIsNoneIsNoArchive() throws Exception {
        byte[] device = noise();
        killAtStage(2 << 20);
        Files.writeString(volume.stage("json"), "{\n  \"format\": \"varve-manifest-1\",\n");
        volume.archive(image);
        assertEquals(1, volume.look(device).size());
        assertNoStage();
    }

    @Test
    void aStageOfADeltaToAnEarlierPointIsReplaced() throws Exception {
        byte[] first = Images.mixed(1, SIZE);
        write(first);
        volume.archive(image);
        volume.look(first);
        noise();
        killAtStage(3 << 20);
        List<Path> kept = new ArrayList<>();
        for (String extension : List.of("data", "nodes", "extents", "tree")) {
            Path aside = folder.resolve(extension);
            Files.move(volume.stage(extension), aside);
            kept.add(aside);
        }
        byte[] second = change(first);
        write(second);
        volume.archive(image);
        volume.look(second);
        for (Path aside : kept) {
            Files.move(aside, volume.stage(aside.getFileName().toString()));
        }
        byte[] third = noise();
        Archiver.Outcome outcome = volume.archive(image);
        assertEquals(0, outcome.reusedSize());
        assertEquals(1, volume.look(third).size());
        volume.lookAtAll();
        assertNoStage();
    }

    @Test
    void aStageOfADeltaIsOfNoUseToAFull() throws Exception {
        write(new byte[SIZE]);
        volume.archive(image);
        volume.look(new byte[SIZE]);
        byte[] device = noise();
        killAtStage(3 << 20);
        VarveProcess.run("archive", image, "--vault", volume.vault(), "--volume", "tools", "--full").expect(0);
        assertEquals(1, volume.look(device).size());
        assertEquals(Kind.FULL, volume.archives().getLast().manifest().kind());
        assertNoStage();
    }

    /// content of which nothing becomes smaller, so that the stage is as large as what was read
    private byte[] noise() throws IOException {
        byte[] device = Images.noise(random.nextLong(), NOISE);
        write(device);
        return device;
    }

    private VarveProcess throttled() throws IOException {
        return VarveProcess.start("archive", image, "--vault", volume.vault(), "--volume", "tools", "--bwlimit", "6M");
    }

    private long staged() throws IOException {
        try {
            return Files.size(volume.stage("data"));
        } catch (NoSuchFileException e) {
            return 0;
        }
    }

    private long killAtStage(long size) throws Exception {
        try (VarveProcess varve = throttled()) {
            assertTrue(varve.await(() -> staged() >= size));
            assertTrue(varve.kill().killed());
        }
        assertFalse(Files.exists(volume.stage("json")));
        return staged();
    }

    private static void overwrite(Path file, long position, byte[] bytes) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.seek(position);
            access.write(bytes);
        }
    }

    private static void truncate(Path file, long size) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(size);
        }
    }

    // ---- the device

    private void write(byte[] device) throws IOException {
        Files.deleteIfExists(image);
        Images.write(device, image);
    }

    private byte[] change(byte[] old) {
        byte[] device = random.nextInt(4) == 0 ? Arrays.copyOf(old, old.length + random.nextInt(1 << 20) - (1 << 19)) : old.clone();
        for (int i = 1 + random.nextInt(8); i > 0; i--) {
            int from = random.nextInt(device.length);
            int to = Math.min(device.length, from + (1 << random.nextInt(22)));
            switch (random.nextInt(4)) {
                case 0 -> device[from] ^= (byte) (1 << random.nextInt(8));
                case 1 -> Arrays.fill(device, from, to, (byte) 0);
                case 2 -> System.arraycopy(Images.text(random.nextLong(), to - from), 0, device, from, to - from);
                default -> System.arraycopy(Images.noise(random.nextLong(), to - from), 0, device, from, to - from);
            }
        }
        return device;
    }
}
