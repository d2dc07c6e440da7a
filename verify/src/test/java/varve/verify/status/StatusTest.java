package varve.verify.status;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.cli.Stdio;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.testdata.Damage;
import varve.testdata.Disk;
import varve.testdata.Histories;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;

/// Whatever is not well shows, and is gone when it is mended: each test begins with two vaults that are well.
final class StatusTest {

    private static final Duration WEEK = Duration.ofDays(8);
    private static final Duration MONTH = Duration.ofDays(40);
    private static final Duration LONG = Duration.ofDays(4000);

    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Path image;
    private Path home;
    private Path disk;

    @BeforeEach
    void twoCopies() throws IOException {
        image = Files.write(folder.resolve("tools.img"), Images.noise(1, 1_500_000));
        home = folder.resolve("home");
        disk = folder.resolve("disk");
        archive();
        Files.write(image, Images.noise(2, 1_500_000));
        archive();
        Vault.openOrCreate(disk);
        copy();
        assertWell();
    }

    private ExitCode run(Object... args) {
        out.reset();
        err.reset();
        return Main.run(new Stdio(InputStream.nullInputStream(), new PrintStream(out), new PrintStream(err), 0, System::nanoTime),
                Stream.of(args).map(Object::toString).toArray(String[]::new));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private void archive() {
        assertEquals(ExitCode.OK, run("archive", image, "--vault", home, "--volume", "tools"), err::toString);
    }

    private void copy() {
        assertEquals(ExitCode.OK, run("copy", "tools", "--vault", home, "--to", disk), err::toString);
    }

    private Status status(Instant now, StatusOptions options, Path... vaults) throws IOException {
        List<Vault> open = new ArrayList<>();
        for (Path vault : vaults) {
            open.add(Vault.open(vault));
        }
        return new Survey(open, options, InstantSource.fixed(now)).run(List.of());
    }

    private Status status(Duration later) throws IOException {
        return status(Instant.now().plus(later), new StatusOptions(WEEK, 2, MONTH, Duration.ofDays(1)), home, disk);
    }

    private void assertWell() throws IOException {
        Status status = status(Duration.ZERO);
        assertEquals("OK ", describe(status), status::toString);
    }

    /// the level, and the kinds of the concerns
    private static String describe(Status status) {
        Stream<Concern> all = Stream.concat(status.concerns().stream(), status.volumes().stream().flatMap(volume -> volume.concerns().stream()));
        Set<String> kinds = all.map(concern -> concern.level() + ":" + concern.kind().word()).collect(Collectors.toCollection(TreeSet::new));
        return status.level() + " " + String.join(" ", kinds);
    }

    private Volume volume(Path vault) {
        return new Volume("tools", vault.resolve("tools"));
    }

    private Path find(Path vault, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(vault.resolve("tools"))) {
            return files.filter(file -> file.toString().endsWith(suffix)).sorted().findFirst().orElseThrow();
        }
    }

    // ---- points in time

    @Test
    void aNewestPointThatIsTooOldShows() throws IOException {
        assertEquals("OK ", describe(status(Duration.ofDays(7))));
        assertEquals("WARNING WARNING:age", describe(status(Duration.ofDays(9))));
        assertEquals("CRITICAL CRITICAL:age", describe(status(Duration.ofDays(17))));
    }

    @Test
    void aPointWithoutAProvedCopyIsNoGoodPoint() throws IOException {
        Instant newest = status(Duration.ZERO).volumes().getFirst().newest().orElseThrow();
        for (Path vault : List.of(home, disk)) {
            Path delta = find(vault, ".delta.zst").getFileName();
            Files.write(vault.resolve("tools").resolve(delta), new byte[1]);
        }
        Status status = status(Duration.ZERO);
        assertEquals("CRITICAL CRITICAL:copies", describe(status));
        assertTrue(status.volumes().getFirst().newest().orElseThrow().isBefore(newest));
        assertEquals(0, status.volumes().getFirst().leastCopies());
    }

    @Test
    void tooFewCopiesShow() throws IOException {
        StatusOptions three = new StatusOptions(WEEK, 3, MONTH, Duration.ofDays(1));
        assertEquals("WARNING WARNING:copies", describe(status(Instant.now(), three, home, disk)));
        Files.write(image, Images.noise(3, 1_500_000));
        archive();
        Status status = status(Duration.ZERO);
        assertEquals("WARNING WARNING:copies", describe(status));
        assertEquals(1, status.leastCopies());
        copy();
        assertWell();
    }

    @Test
    void whatIsOnAShelfCountsAsItsInventorySays() throws IOException {
        Path shelf = Files.move(disk, folder.resolve("shelf"));
        StatusOptions options = new StatusOptions(LONG, 2, MONTH, Duration.ofDays(1));
        assertEquals("OK ", describe(status(Instant.now(), options, home)));
        Receipt.Draft draft = Receipt.begin(Receipt.What.VERIFY, Vault.open(home), "tools", "test", InstantSource.fixed(Instant.now().plus(Duration.ofDays(41))));
        assertTrue(describe(status(Instant.now().plus(Duration.ofDays(41)), options, home)).equals("WARNING WARNING:unproved"));
        List<Receipt.Proof> whole = volume(home).read().history().archives().stream()
                .map(archive -> Receipt.Proof.whole(archive.manifest(), Depth.STORED)).toList();
        new Receipts(volume(home)).add(draft.act(Depth.STORED, Evidence.MEDIUM, Receipt.Result.OK, whole, List.of(), List.of()));
        String still = describe(status(Instant.now().plus(Duration.ofDays(41)), options, home));
        assertTrue(still.contains("WARNING:unproved"), still); // what is at hand was proved again, the shelf was not
        assertTrue(Files.exists(shelf));
    }

    @Test
    void bytesThatWereNotProvedForTooLongShow() throws IOException {
        StatusOptions options = new StatusOptions(LONG, 2, MONTH, Duration.ofDays(1));
        assertEquals("OK ", describe(status(Instant.now().plus(Duration.ofDays(39)), options, home, disk)));
        assertEquals("WARNING WARNING:unproved", describe(status(Instant.now().plus(Duration.ofDays(41)), options, home, disk)));
        assertEquals("CRITICAL CRITICAL:unproved", describe(status(Instant.now().plus(Duration.ofDays(81)), options, home, disk)));
    }

    @Test
    void aManifestThatIsDamagedShowsWhereverItIs() throws IOException {
        Path manifest = find(disk, ".full.json");
        byte[] good = Files.readAllBytes(manifest);
        Damage.flip(100, 1).inflictOn(manifest);
        assertTrue(describe(status(Duration.ZERO)).contains(":chain"), describe(status(Duration.ZERO)));
        Files.write(manifest, good);
        assertWell();
        Damage.flip(100, 1).inflictOn(find(home, ".full.json"));
        StatusOptions one = new StatusOptions(WEEK, 1, MONTH, Duration.ofDays(1));
        String alone = describe(status(Instant.now(), one, home));
        assertTrue(alone.startsWith("CRITICAL ") && alone.contains("CRITICAL:chain"), alone);
    }

    // ---- damage and failures

    @Test
    void damageShowsUntilItIsMended() throws IOException {
        Path data = find(home, ".full.zst");
        Damage.flip(400_000, 1).inflictOn(data);
        assertWell(); // nobody has looked
        assertEquals(ExitCode.FINDINGS, run("verify", "tools", "--vault", home));
        Status status = status(Duration.ZERO);
        assertEquals("WARNING WARNING:copies WARNING:damage WARNING:failure", describe(status));
        assertTrue(status.damaged() > 0);
        assertEquals(ExitCode.OK, run("heal", "tools", "--vault", home, "--from", disk), err::toString);
        assertWell();
    }

    @Test
    void aDataFileThatIsMissingShowsUnlessItWasRemoved() throws IOException {
        StatusOptions one = new StatusOptions(WEEK, 1, MONTH, Duration.ofDays(1));
        Path data = find(home, ".delta.zst");
        byte[] good = Files.readAllBytes(data);
        Files.delete(data);
        assertEquals("WARNING WARNING:damage", describe(status(Instant.now(), one, home, disk)));
        Files.write(data, good);
        assertEquals(ExitCode.OK, run("evict", "tools", "--vault", home, "--vault", disk, "--min-copies", "1"), err::toString);
        assertFalse(Files.exists(data));
        assertEquals("OK ", describe(status(Instant.now(), one, home, disk)));
    }

    @Test
    void aFailureShowsUntilTheSameWorks() throws IOException {
        Receipts receipts = new Receipts(volume(home));
        Receipt.Draft archive = Receipt.begin(Receipt.What.ARCHIVE, Vault.open(home), "tools", "test", InstantSource.system());
        receipts.add(archive.failed(new IOException("/dev/vg/tools: no such device")));
        assertEquals("WARNING WARNING:failure", describe(status(Duration.ZERO)));
        receipts.add(Receipt.begin(Receipt.What.COPY, Vault.open(home), "tools", "test", InstantSource.system()).act(List.of()));
        assertEquals("WARNING WARNING:failure", describe(status(Duration.ZERO)), "another command");
        Files.write(image, Images.noise(4, 1_500_000));
        archive();
        copy();
        assertWell();
    }

    // ---- jobs

    @Test
    void aJobThatHoldsTheLockTooLongAndOneThatDiedShow() throws Exception {
        Files.write(image, Images.noise(5, 6_000_000));
        List<String> command = List.of("archive", image.toString(), "--vault", home.toString(), "--volume", "tools", "--quiet");
        try (VarveProcess varve = VarveProcess.start(Stream.concat(command.stream(), Stream.of("--bwlimit", "300K")).toArray())) {
            assertTrue(varve.await(() -> Files.exists(home.resolve("tools/.varve-stage.data")) && Files.exists(home.resolve("tools/.varve-lock-holder"))));
            Status working = status(Duration.ofSeconds(2)); // also the age of the lock is by the clock of the file system
            assertEquals("OK ", describe(working));
            assertTrue(working.volumes().getFirst().lockedSince().isPresent());
            assertEquals("WARNING WARNING:lock", describe(status(Duration.ofHours(25))));
            assertEquals("CRITICAL CRITICAL:lock", describe(status(Duration.ofHours(49))));
            assertTrue(varve.kill().killed());
        }
        Status died = status(Duration.ofSeconds(2));
        assertEquals("WARNING WARNING:died WARNING:leftover", describe(died));
        assertTrue(died.volumes().getFirst().concerns().stream().anyMatch(concern -> concern.text().matches(".*a job died: process \\d+, varve archive .*, since 20.*")),
                died::toString);
        archive();
        copy();
        assertWell();
    }

    @Test
    void aStageThatWasLeftBehindShows() throws IOException {
        Path stage = Files.write(home.resolve("tools/.varve-stage.data"), new byte[4096]);
        Status status = status(Duration.ZERO);
        assertEquals("WARNING WARNING:leftover", describe(status));
        assertEquals(1, status.volumes().getFirst().leftovers());
        Files.delete(stage);
        assertWell();
    }

    @Test
    void aJobThatEndsTakesItsNameAway() throws IOException {
        assertFalse(Files.exists(home.resolve("tools/.varve-lock-holder")));
        Path holder = Files.writeString(home.resolve("tools/.varve-lock-holder"), "process 1, varve archive x, since 2026-01-01T00:00:00.000Z\n");
        Files.setLastModifiedTime(holder, FileTime.from(Instant.now().minusSeconds(60)));
        assertEquals("WARNING WARNING:died", describe(status(Duration.ZERO)));
        Files.write(image, Images.noise(6, 1_500_000));
        archive();
        copy();
        assertWell();
    }

    @Test
    void locksAreReadAsTheKernelListsThem() throws IOException {
        Files.createDirectories(folder.resolve("x"));
        Path file = Files.createFile(folder.resolve("x/.varve-lock"));
        long inode = (long) Files.getAttribute(file, "unix:ino");
        assertTrue(new KernelLocks(List.of("7: FLOCK  ADVISORY  WRITE 708 fe:00:" + inode + " 0 EOF")).held(folder.resolve("x")));
        assertFalse(new KernelLocks(List.of("7: POSIX  ADVISORY  WRITE 708 fe:00:" + inode + " 0 EOF", "8: FLOCK  ADVISORY  WRITE 708 fe:00:1" + inode + " 0 EOF",
                "8: -> FLOCK  ADVISORY  WRITE 709 fe:00:" + inode + " 0 EOF", "")).held(folder.resolve("x")));
        assertFalse(new KernelLocks(List.of()).held(folder.resolve("none")));
    }

    // ---- clocks

    @Test
    void aClockThatWentBackShows() throws IOException {
        assertEquals("OK ", describe(status(Duration.ofMinutes(-1))));
        String earlier = describe(status(Duration.ofDays(-1)));
        assertTrue(!earlier.startsWith("OK ") && earlier.contains("UNKNOWN:clock"), earlier); // proofs of a time to come count for nothing
    }

    @Test
    void aClockThatWasSetShowsForAsLongAsItMatters() throws IOException {
        Receipts receipts = new Receipts(volume(home));
        Instant wrong = Instant.now().minus(Duration.ofDays(3));
        receipts.add(Receipt.begin(Receipt.What.COPY, Vault.open(home), "tools", "test", InstantSource.fixed(wrong)).act(List.of()));
        assertEquals("WARNING WARNING:clock", describe(status(Duration.ZERO)));
        assertEquals("OK ", describe(status(Duration.ofDays(6))));
    }

    // ---- files of ours

    @Test
    void receiptsThatWereAlteredShow() throws IOException {
        Path file = home.resolve("tools/receipts.jsonl");
        List<String> lines = Files.readAllLines(file);
        Files.write(file, lines.subList(0, lines.size() - 1));
        assertTrue(describe(status(Duration.ZERO)).contains("WARNING:receipts"), describe(status(Duration.ZERO)));
        Files.write(file, lines);
        assertWell();
    }

    /// no bit of what a status goes by can be wrong without a concern
    @Test
    void nothingThatIsReadMayBeDamagedUnseen() throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path vault : List.of(home, disk)) {
            files.addAll(List.of(find(vault, ".full.json"), find(vault, ".delta.json"), find(vault, "receipts.jsonl"),
                    vault.resolve("tools/.varve-receipts.head"), vault.resolve("varve-vault.json")));
            try (Stream<Path> inventories = Files.list(vault.resolve("varve-catalogue"))) {
                inventories.filter(file -> file.toString().endsWith(".jsonl")).forEach(files::add);
            }
        }
        for (long seed : Histories.seeds(1)) {
            Random random = new Random(seed);
            for (Path file : files) {
                byte[] good = Files.readAllBytes(file);
                for (int i = 0; i < 4; i++) {
                    Damage damage = i == 0 ? Damage.truncate(random.nextInt(good.length)) : Damage.flip(random.nextInt(good.length), random.nextInt(8));
                    damage.inflictOn(file);
                    ExitCode code = run("status", "--vault", home, "--vault", disk);
                    assertTrue(code.monitor(), file + ": " + damage + ": " + out());
                    assertTrue(out().startsWith("VARVE ") && out().lines().count() == 1 && !err.toString().contains("\tat "), out() + err);
                    Files.write(file, good);
                }
            }
        }
        assertWell();
    }

    @Test
    void whatCannotBeReadIsUnknown() throws IOException {
        Path receipts = home.resolve("tools/receipts.jsonl");
        Path aside = Files.move(receipts, folder.resolve("aside"));
        Files.createDirectory(receipts);
        assertTrue(describe(status(Duration.ZERO)).startsWith("UNKNOWN UNKNOWN:unreadable"), describe(status(Duration.ZERO)));
        Files.delete(receipts);
        Files.move(aside, receipts);
        assertWell();
    }

    // ---- the command

    @Test
    void theCommandSaysItInOneLineAndByExitCode() throws IOException {
        assertEquals(ExitCode.OK, run("status", "--vault", home, "--vault", disk));
        assertTrue(out().matches("VARVE OK - 1 volume: newest points at most \\d+ s old, 2 copies at least, oldest proof \\d+ s ago \\| volumes=1"
                + " age=\\d+s;691200;1382400 copies=2;2:;1: unproved=\\d+s;3456000;6912000 damaged=0B;0 concerns=0\n"), this::out);
        assertEquals(ExitCode.MONITOR_WARNING, run("status", "tools", "--vault", home, "--min-copies", "5"));
        assertTrue(out().startsWith("VARVE WARNING - tools: proved copies: 2 instead of 5 of 2 points, the newest of them tools@20"), this::out);
        assertEquals(1, ExitCode.MONITOR_WARNING.number());
        assertEquals(2, ExitCode.MONITOR_CRITICAL.number());
        assertEquals(3, ExitCode.MONITOR_UNKNOWN.number());
        for (Path vault : List.of(home, disk)) {
            Files.write(find(vault, ".delta.zst"), new byte[1]);
        }
        assertEquals(ExitCode.MONITOR_CRITICAL, run("status", "--vault", home, "--vault", disk, "--verbose"));
        assertTrue(out().contains("\nCRITICAL: tools: no proved copy of tools@"), this::out);
        assertTrue(out().contains("\ntools: CRITICAL, 2 points, "), this::out);
    }

    @Test
    void nothingToLookAtAndNothingThatWorksIsUnknown() throws IOException {
        Path empty = folder.resolve("empty");
        Vault.openOrCreate(empty);
        for (Object[] words : new Object[][] {
            {"status", "--vault", empty}, {"status", "--vault", folder.resolve("none")}, {"status", "--vault", folder}, {"status", "other", "--vault", home},
            {"status"}, {"status", "--vault", image}, {"status", "--vault", home, "--min-copies", "-1"}, {"status", "--vault", home, "--vault", folder.resolve("none")},
            {"status", "../x", "--vault", home},
        }) {
            assertEquals(ExitCode.MONITOR_UNKNOWN, run(words), String.join(" ", List.of(words).toString()));
            assertTrue(out().startsWith("VARVE UNKNOWN - ") && !out().contains("Exception"), this::out);
        }
        assertNotEquals(0, run("status", "--vault", home, "--max-age", "soon").number());
    }

    @Test
    void jsonHasStableNames() {
        assertEquals(ExitCode.MONITOR_WARNING, run("status", "--vault", home, "--min-copies", "5", "--json"));
        for (String name : new String[] {
            "level", "time", "limits", "maxAgeSeconds", "minCopies", "maxUnprovedSeconds", "maxLockSeconds", "concerns", "volumes", "volume", "points",
            "newestGoodPoint", "leastCopies", "oldestProof", "bytesDamaged", "lockedSince", "leftovers", "kind", "text",
        }) {
            assertTrue(out().contains("\"" + name + "\": "), name);
        }
        assertEquals(ExitCode.MONITOR_UNKNOWN, run("status", "--vault", folder, "--json"));
        assertTrue(out().contains("\"level\": \"UNKNOWN\""), this::out);
    }

    @Test
    void promtoolAcceptsTheMetrics() throws IOException {
        Assumptions.assumeTrue(Tools.find("promtool").isPresent(), "promtool is not installed");
        Path metrics = folder.resolve("varve.prom");
        assertEquals(ExitCode.OK, run("status", "--vault", home, "--vault", disk, "--prometheus", metrics));
        promtool(metrics);
        String text = Files.readString(metrics);
        assertTrue(text.contains("\nvarve_status 0\n"), text);
        assertTrue(text.contains("\nvarve_proved_copies{volume=\"tools\"} 2\n"), text);
        assertTrue(text.contains("\nvarve_concerns{volume=\"tools\",kind=\"died\"} 0\n"), text);
        assertEquals("rw-r--r--", PosixFilePermissions.toString(Files.getPosixFilePermissions(metrics)));
        assertEquals(ExitCode.MONITOR_UNKNOWN, run("status", "--vault", folder, "--prometheus", metrics));
        promtool(metrics);
        assertTrue(Files.readString(metrics).contains("\nvarve_status 3\n"));
        assertFalse(Files.readString(metrics).contains("varve_proved_copies"), "old numbers");
        assertEquals(ExitCode.MONITOR_UNKNOWN, run("status", "--vault", home, "--prometheus", folder.resolve("none/varve.prom")), "nobody would read that");
        try (Stream<Path> left = Files.list(folder)) {
            assertFalse(left.anyMatch(file -> file.toString().endsWith(".draft")));
        }
        Files.writeString(metrics, "varve_status{\n");
        assertNotEquals(0, Tools.runWith(Files.readAllBytes(metrics), "promtool", "check", "metrics").orElseThrow().exitCode(), "promtool refuses nothing");
    }

    @Test
    void metricsThatCannotBeWrittenAreToldOfOnce() throws IOException {
        Path pipe = folder.resolve("pipe");
        Tools.run("mkfifo", pipe).orElseThrow().expectSuccess(); // /dev/null is such a one, but for the whole machine
        for (Path nowhere : List.of(pipe, folder, folder.resolve("none/varve.prom"), image.resolve("varve.prom"))) {
            assertEquals(ExitCode.MONITOR_UNKNOWN, run("status", "--vault", home, "--vault", disk, "--prometheus", nowhere));
            assertTrue(out().startsWith("VARVE UNKNOWN - " + nowhere + ": ") && out().indexOf(nowhere.toString()) == out().lastIndexOf(nowhere.toString()), this::out);
        }
        assertFalse(Files.isRegularFile(pipe), "what was there was replaced");
        assertTrue(Files.exists(pipe));
        Path link = Files.createSymbolicLink(folder.resolve("link.prom"), Files.createFile(folder.resolve("real.prom")));
        assertEquals(ExitCode.OK, run("status", "--vault", home, "--vault", disk, "--prometheus", link));
        assertTrue(Files.isSymbolicLink(link) && Files.size(folder.resolve("real.prom")) > 0);
    }

    @Test
    void ofAFullDiskTheOldMetricsStay() throws IOException {
        Assumptions.assumeTrue(Disk.available(), "needs root and /dev/loop-control");
        Assumptions.assumeTrue(Tools.find("mkfs.ext4").isPresent(), "needs mkfs.ext4");
        try (Disk small = Disk.format(folder.resolve("disk.img"), 4 << 20, folder.resolve("mnt"), "mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal")) {
            small.mount("rw");
            Path metrics = small.folder().resolve("varve.prom");
            assertEquals(ExitCode.OK, run("status", "--vault", home, "--vault", disk, "--prometheus", metrics), this::out);
            String before = Files.readString(metrics);
            assertNotEquals(0, Tools.run("dd", "if=/dev/zero", "of=" + small.folder().resolve("filler"), "bs=1k").orElseThrow().exitCode(), "until it is full");
            assertEquals(ExitCode.MONITOR_UNKNOWN, run("status", "--vault", home, "--vault", disk, "--prometheus", metrics));
            assertEquals("VARVE UNKNOWN - " + metrics + ": cannot write metrics: No space left on device\n", out());
            assertEquals(before, Files.readString(metrics));
            try (Stream<Path> left = Files.list(small.folder())) {
                assertFalse(left.anyMatch(file -> file.toString().endsWith(".draft")));
            }
        }
    }

    @Test
    void whatIsNoManifestInThePlaceOfOneShows() throws IOException {
        Path manifest = find(home, ".full.json");
        Path aside = Files.move(manifest, folder.resolve("aside"));
        Files.createDirectory(manifest);
        assertTrue(describe(status(Duration.ZERO)).startsWith("WARNING WARNING:chain"), describe(status(Duration.ZERO)));
        StatusOptions one = new StatusOptions(WEEK, 1, MONTH, Duration.ofDays(1));
        String alone = describe(status(Instant.now(), one, home));
        assertTrue(alone.startsWith("CRITICAL ") && alone.contains("CRITICAL:chain"), alone);
        Files.delete(manifest);
        Files.move(aside, manifest);
        assertWell();
    }

    @Test
    void ofHundredsOfVolumesOneLineNamesTheFirstAndCountsTheRest() throws IOException {
        for (int number = 0; number < 300; number++) {
            Path other = Files.createDirectories(home.resolve("vm-" + number));
            Path holder = Files.writeString(other.resolve(".varve-lock-holder"), "process 1, varve archive x, since 2026-01-01T00:00:00.000Z\n");
            Files.setLastModifiedTime(holder, FileTime.from(Instant.now().minusSeconds(60)));
        }
        assertEquals(ExitCode.MONITOR_CRITICAL, run("status", "--vault", home, "--vault", disk));
        assertEquals(1, out().lines().count());
        assertTrue(out().length() < 1000 && out().matches("VARVE CRITICAL - vm-0: no point in time; .*; \\d+ more concerns \\| volumes=301 .*\n"), this::out);
        assertEquals(ExitCode.MONITOR_CRITICAL, run("status", "--vault", home, "--vault", disk, "--verbose"));
        assertTrue(out().lines().filter(line -> line.contains("a job died")).count() >= 300, this::out);
    }

    private static void promtool(Path metrics) throws IOException {
        Tools.Output output = Tools.runWith(Files.readAllBytes(metrics), "promtool", "check", "metrics").orElseThrow();
        assertEquals(0, output.exitCode(), output.text() + output.errors());
        assertEquals("", output.text() + output.errors());
    }

    @Test
    void whoReadsTheMetricsSeesThemWhole() throws Exception {
        Path metrics = folder.resolve("varve.prom");
        run("status", "--vault", home, "--prometheus", metrics);
        String last = "varve_concerns{volume=\"tools\",kind=\"unreadable\"} 0\n";
        AtomicBoolean torn = new AtomicBoolean();
        AtomicBoolean done = new AtomicBoolean();
        Thread reader = Thread.ofPlatform().start(() -> {
            while (!done.get()) {
                try {
                    torn.compareAndSet(false, !Files.readString(metrics).endsWith(last));
                } catch (IOException e) {
                    torn.set(true);
                }
            }
        });
        for (int i = 0; i < 30; i++) {
            run("status", "--vault", home, "--prometheus", metrics);
        }
        done.set(true);
        reader.join();
        assertFalse(torn.get());
    }
}
