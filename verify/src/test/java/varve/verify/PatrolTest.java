package varve.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.chain.Chain;
import varve.archive.file.StoredArchive;
import varve.archive.vault.Depth;
import varve.archive.vault.NotFoundException;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.testdata.Damage;
import varve.testdata.Histories;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.verify.work.Watcher;

/// Verification in turns: the oldest first, all of it once before any of it twice, and receipts are all that is remembered.
final class PatrolTest {

    private static final int MIB = 1 << 20;

    @TempDir
    Path folder;

    private TestVault set;
    private Instant now = Instant.parse("2026-11-10T02:00:00Z");

    /// a full of some 5 MiB and two deltas of 2 and 1
    @BeforeEach
    void make() throws IOException {
        byte[] image = Images.noise(1, 5 * MIB + 12_345);
        set = new TestVault(folder).add(image);
        image = image.clone();
        System.arraycopy(Images.noise(2, 2 * MIB), 0, image, 700_000, 2 * MIB);
        set.add(image);
        image = image.clone();
        System.arraycopy(Images.noise(3, MIB), 0, image, 2_000_000, MIB);
        set.add(image);
    }

    private static PatrolOptions options(PatrolOptions.Budget budget, Optional<Duration> maxAge, Depth depth) {
        return new PatrolOptions(budget, maxAge, Duration.ZERO, new VerifyOptions(depth, false, 2, Optional.of(false), Optional.empty()));
    }

    private PatrolReport patrol(PatrolOptions options) throws IOException {
        return new Patrol(List.of(set.vault), options, () -> now, Watcher.NONE, PatrolTest::keep, warning -> {}).run(List.of());
    }

    private static void keep(varve.archive.vault.Volume volume, Receipt.Act act) {
        new Receipts(volume).add(act, warning -> {
            throw new AssertionError(warning);
        });
    }

    private PatrolReport patrol(long bytes) throws IOException {
        now = now.plus(Duration.ofDays(1));
        return patrol(options(PatrolOptions.Budget.of(bytes), Optional.empty(), Depth.CONTENT));
    }

    private PatrolReport patrolAll() throws IOException {
        now = now.plus(Duration.ofDays(1));
        return patrol(options(PatrolOptions.Budget.NONE, Optional.empty(), Depth.CONTENT));
    }

    private List<Receipt.Act> patrols() throws IOException {
        Receipts.Log log = new Receipts(set.volume).read();
        assertEquals(List.of(), log.problems());
        return log.receipts().stream().map(Receipt::act).filter(act -> act.about().startsWith(Patrol.ABOUT)).toList();
    }

    private long size() throws IOException {
        long size = 0;
        for (StoredArchive archive : set.volume.read().history().archives()) {
            size += archive.manifest().file().size();
        }
        return size;
    }

    // ---- the order

    /// the model: each 1 MiB of each file, and when it was last looked at
    @Test
    void whatWasNotLookedAtForTheLongestTimeComesFirstWhateverTheBudgets() throws IOException {
        for (long seed : Histories.seeds(1)) {
            Random random = new Random(seed);
            Map<String, Instant> model = new HashMap<>();
            for (StoredArchive archive : set.volume.read().history().archives()) {
                for (long at = 0; at < archive.manifest().file().size(); at += MIB) {
                    model.put(archive.manifest().baseName() + ".zst " + at, Instant.MIN);
                }
            }
            for (int run = 0; run < 10; run++) {
                int known = patrols().size();
                patrol(MIB + random.nextInt(3 * MIB));
                Set<String> looked = new TreeSet<>();
                for (Receipt.Act act : patrols().subList(known, patrols().size())) {
                    act.archives().forEach(proof -> groups(proof).forEach(group -> assertTrue(looked.add(group), group)));
                }
                Instant newest = looked.stream().map(model::get).max(Instant::compareTo).orElseThrow();
                model.forEach((group, time) -> assertTrue(looked.contains(group) || !time.isBefore(newest), group));
                looked.forEach(group -> model.put(group, now));
            }
            assertFalse(model.containsValue(Instant.MIN)); // each run looks at 1 MiB or more
        }
    }

    private static List<String> groups(Receipt.Proof proof) {
        List<String> groups = new ArrayList<>();
        for (Ranges.Range range : proof.proved().plus(proof.damaged()).list()) {
            assertEquals(0, range.from() % MIB);
            for (long at = range.from(); at < range.to(); at += MIB) {
                groups.add(proof.archive() + " " + at);
            }
        }
        return groups;
    }

    @Test
    void aRoundIsOverWhenEveryByteWasProvedOnce() throws IOException {
        long proved = 0;
        PatrolReport report = patrol(1);
        int runs = 1;
        for (; report.coverage().never() > 0; runs++) {
            assertTrue(report.spent());
            assertEquals(MIB, report.looked() < MIB ? MIB : report.looked()); // one group; the last of a file is shorter
            proved += report.looked();
            assertEquals(proved, report.coverage().proved());
            assertEquals(size(), report.coverage().size());
            report = patrol(1);
        }
        assertEquals(size(), proved + report.looked());
        assertEquals(now.minus(Duration.ofDays(runs - 1)), report.coverage().oldest().orElseThrow());
        report = patrol(1);
        assertEquals(now.minus(Duration.ofDays(runs - 1)), report.coverage().oldest().orElseThrow()); // the first again
    }

    @Test
    void aSecondRunOfTheSameReceiptsDoesTheSame() throws IOException {
        patrol(2 * MIB);
        Path copy = folder.resolve("receipts");
        Path head = folder.resolve("head");
        Files.copy(set.volume.folder().resolve(Receipts.FILE), copy);
        Files.copy(set.volume.folder().resolve(".varve-receipts.head"), head);
        patrol(3 * MIB);
        List<List<Receipt.Proof>> first = patrols().stream().map(Receipt.Act::archives).toList();
        Files.copy(copy, set.volume.folder().resolve(Receipts.FILE), StandardCopyOption.REPLACE_EXISTING);
        Files.copy(head, set.volume.folder().resolve(".varve-receipts.head"), StandardCopyOption.REPLACE_EXISTING);
        patrol(3 * MIB);
        assertEquals(first, patrols().stream().map(Receipt.Act::archives).toList());
    }

    @Test
    void whatWasProvedWithinMaxAgeIsLeftAlone() throws IOException {
        PatrolOptions month = options(PatrolOptions.Budget.NONE, Optional.of(Duration.ofDays(30)), Depth.CONTENT);
        assertEquals(size(), patrol(month).looked());
        now = now.plus(Duration.ofDays(29));
        PatrolReport idle = patrol(month);
        assertEquals(0, idle.looked());
        assertFalse(idle.spent());
        assertEquals(0, idle.forecast().remaining());
        now = now.plus(Duration.ofDays(2));
        assertEquals(size(), patrol(month).looked());
    }

    @Test
    void aTimeThatIsUpEndsTheRunAfterTheSliceAtHand() throws IOException {
        PatrolReport none = patrol(options(PatrolOptions.Budget.of(Duration.ofNanos(1)), Optional.empty(), Depth.STORED));
        assertTrue(none.spent());
        assertEquals(0, none.looked());
        PatrolReport all = patrol(options(PatrolOptions.Budget.of(Duration.ofHours(1)), Optional.empty(), Depth.STORED));
        assertFalse(all.spent());
        assertEquals(size(), all.looked());
    }

    @Test
    void proofsOfATimeToComeDoNotCount() throws IOException {
        patrolAll();
        assertEquals(0, patrol(1).coverage().never());
        now = now.minus(Duration.ofDays(3)); // a clock that was wrong, then or now
        PatrolReport report = patrol(options(PatrolOptions.Budget.of(1), Optional.empty(), Depth.CONTENT));
        assertEquals(size() - MIB, report.coverage().never());
    }

    @Test
    void whatWasStoredOnlyIsNotProvedByContent() throws IOException {
        PatrolReport stored = patrol(options(PatrolOptions.Budget.NONE, Optional.empty(), Depth.STORED));
        assertEquals(size(), stored.coverage().proved());
        now = now.plus(Duration.ofDays(1));
        PatrolReport content = patrol(options(PatrolOptions.Budget.of(MIB), Optional.empty(), Depth.CONTENT));
        assertEquals(MIB, content.coverage().proved());
        assertEquals(0, content.coverage().lessDeepThan(Depth.CONTENT));
    }

    @Test
    void aDeltaWhoseBaseIsAwayCountsAsStoredAndIsSaidSo() throws IOException {
        assertEquals(0, patrolAll().coverage().lessDeepThan(Depth.CONTENT));
        Files.delete(set.file(0, "zst"));
        PatrolReport report = patrolAll();
        long deltas = set.manifest(1).file().size() + set.manifest(2).file().size();
        assertEquals(deltas, report.coverage().lessDeepThan(Depth.CONTENT));
        assertEquals(deltas, report.coverage().proved());
        assertEquals(deltas, report.looked());
    }

    // ---- what is found

    @Test
    void contentInPartsIsAllOfTheContent() throws IOException {
        List<StoredArchive> archives = set.volume.read().history().archives();
        VerifyOptions options = new VerifyOptions(Depth.CONTENT, false, 2, Optional.of(false), Optional.empty());
        for (int layer = 0; layer < archives.size(); layer++) {
            try (Chain chain = Chain.open(archives.subList(0, layer + 1))) {
                ChainProof whole = new ChainProof(chain, false, options, new Findings(), Watcher.NONE).add(archives.get(layer), layer);
                whole.run((of, guilty) -> {});
                long proved = 0;
                long size = archives.get(layer).manifest().file().size();
                for (long at = 0; at < size; at += MIB) {
                    Ranges.Range part = new Ranges.Range(at, Math.min(size, at + MIB));
                    Findings findings = new Findings();
                    ChainProof proof = new ChainProof(chain, false, options, findings, Watcher.NONE).add(archives.get(layer), layer, part.from(), part.to());
                    ChainProof.Outcome outcome = proof.run((of, guilty) -> {}).getFirst();
                    assertEquals(List.of(), findings.list());
                    assertEquals(Depth.CONTENT, outcome.depth());
                    assertEquals(Ranges.of(part.from(), part.to()), outcome.proved());
                    proved += proof.proved();
                }
                assertEquals(whole.proved(), proved);
                assertTrue(proved > 0);
            }
        }
    }

    @Test
    void damageIsFoundInPartsAsItIsInTheWhole() throws IOException {
        for (long seed : Histories.seeds(2)) {
            Random random = new Random(seed);
            Path file = set.file(random.nextInt(3), "zst");
            byte[] good = Files.readAllBytes(file);
            Damage.flip(random.nextInt(good.length), random.nextInt(8)).inflictOn(file);
            Set<String> expected = places(set.verify(Depth.CONTENT).findings());
            Set<String> found = new TreeSet<>();
            PatrolReport report = patrol(1);
            for (int run = 0; run < 2 + size() / MIB + 3; run++) { // the last group of a file is shorter
                report.beats().forEach(beat -> found.addAll(places(beat.findings())));
                report = patrol(1);
            }
            assertEquals(expected, found);
            assertFalse(found.isEmpty());
            assertFalse(report.sound());
            assertTrue(report.coverage().damaged() > 0);
            Files.write(file, good);
            assertTrue(patrolAll().sound());
        }
    }

    /// damaged groups and chunks, each by itself: in parts nothing is joined
    private static Set<String> places(List<Finding> findings) {
        Set<String> places = new TreeSet<>();
        for (Finding finding : findings) {
            switch (finding) {
                case Finding.DamagedRange f -> places.add("range " + f.file() + " " + f.position() + " " + f.size());
                case Finding.DamagedChunks f -> {
                    for (long at = 0; at < f.size(); at += TestVault.CHUNK) {
                        places.add("chunk " + f.file() + " " + (f.offset() + at));
                    }
                }
                default -> {}
            }
        }
        return places;
    }

    @Test
    void damageThatNobodyMendsDoesNotUseUpTheBudget() throws IOException {
        Damage.flip(100_000, 1).inflictOn(set.file(0, "zst"));
        PatrolReport report = patrol(MIB);
        assertFalse(report.sound());
        assertEquals(MIB, report.coverage().damaged());
        report = patrol(MIB);
        assertEquals(MIB, report.coverage().proved());
        assertFalse(report.sound()); // it is known, and not mended
        report = patrolAll();
        assertEquals(size() - MIB, report.coverage().proved());
        assertEquals(MIB, report.coverage().damaged());
    }

    @Test
    void aFileThatIsCutShortIsDamagedWhereItEnds() throws IOException {
        long size = set.manifest(0).file().size();
        Damage.truncate(2 * MIB + 5).inflictOn(set.file(0, "zst"));
        PatrolReport report = patrol(options(PatrolOptions.Budget.NONE, Optional.empty(), Depth.STORED));
        assertFalse(report.sound());
        assertEquals(size - 2 * MIB, report.coverage().damaged());
        assertEquals(size() - size + 2 * MIB, report.coverage().proved());
    }

    @Test
    void aFileWithoutItsTreeIsProvedAsAWhole() throws IOException {
        Files.delete(set.file(0, "tree"));
        long size = set.manifest(0).file().size();
        PatrolReport report = patrol(1);
        assertEquals(size, report.looked());
        assertEquals(size, report.coverage().proved());
        assertFalse(report.sound()); // without its tree
        Damage.flip(3 * MIB, 1).inflictOn(set.file(0, "zst"));
        patrolAll();
        assertEquals(size, patrol(1).coverage().damaged());
    }

    @Test
    void aDataFileThatIsMissingIsAFindingUnlessItWasRemoved() throws IOException {
        assertTrue(patrolAll().sound());
        Files.delete(set.file(2, "zst"));
        PatrolReport report = patrol(1);
        assertFalse(report.sound());
        assertEquals(List.of("missing-file"), report.beats().getFirst().findings().stream().map(Finding::kind).toList());
        Receipt.Draft draft = Receipt.begin(Receipt.What.EVICT, set.vault, "tools", "test", InstantSource.fixed(now));
        keep(set.volume, draft.act(List.of(Receipt.Proof.none(set.manifest(2)))));
        assertTrue(patrol(1).sound());
    }

    @Test
    void aDiskThatIsChangedInTheMiddleIsNoDamage() throws IOException {
        Path marker = set.vault.folder().resolve("varve-vault.json");
        Path data = set.file(0, "zst");
        byte[] good = Files.readAllBytes(data);
        Damage.truncate(MIB).inflictOn(data);
        Path other = folder.resolve("other");
        Vault.openOrCreate(other);
        Files.copy(other.resolve("varve-vault.json"), marker, StandardCopyOption.REPLACE_EXISTING);
        int before = patrols().size();
        assertThrows(NotFoundException.class, () -> patrol(10 * MIB));
        assertTrue(patrols().subList(before, patrols().size()).stream()
                .allMatch(act -> act.result() == Receipt.Result.OK && act.archives().stream().allMatch(proof -> proof.damaged().isEmpty())));
        assertTrue(good.length > MIB);
    }

    @Test
    void twoAtOnceAgree() throws Exception {
        CountDownLatch both = new CountDownLatch(2);
        try (var pool = Executors.newFixedThreadPool(2)) {
            List<Future<PatrolReport>> runs = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                runs.add(pool.submit(() -> {
                    both.countDown();
                    both.await();
                    return patrol(options(PatrolOptions.Budget.NONE, Optional.empty(), Depth.CONTENT));
                }));
            }
            for (Future<PatrolReport> run : runs) {
                assertTrue(run.get().sound());
            }
        }
        assertEquals(size(), patrol(1).coverage().proved());
    }

    // ---- killed

    @Test
    void whatWasProvedBeforeAKillStaysProved() throws Exception {
        Assumptions.assumeTrue(Tools.find("strace").isPresent(), "needs strace");
        now = Instant.now();
        int most = Integer.getInteger("varve.test.patrolKills", 6);
        long proved = 0;
        int killed = 0;
        for (int step = 1; step <= most; step++) {
            // 2 slices of 1 MiB would be made; it is killed in front of one of their calls
            List<String> strace = List.of("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,pwrite64,rename",
                    "-e", "inject=fsync,pwrite64,rename:signal=KILL:when=" + (1 + 2 * step % 9));
            try (VarveProcess varve = VarveProcess.start(strace, VarveProcess.QUICK, "step-by-step", set.vault.folder(), 2 * MIB)) {
                VarveProcess.Ended end = varve.end();
                assertTrue(end.killed() || end.code() == 0, end::err);
                killed += end.killed() ? 1 : 0;
            }
            Receipts.Log log = new Receipts(set.volume).read();
            assertEquals(List.of(), log.problems());
            Coverage coverage = coverage(log.receipts());
            assertTrue(coverage.proved() >= proved, "less than before");
            assertEquals(0, coverage.damaged());
            proved = coverage.proved();
        }
        System.out.println("PatrolTest: " + killed + " kills, " + proved + " of " + size() + " bytes proved");
        assertTrue(killed > 0);
        for (int run = 0; coverage(new Receipts(set.volume).read().receipts()).never() > 0; run++) {
            assertTrue(run < 6);
            VarveProcess.run("step-by-step", set.vault.folder(), 4 * MIB).expect(0);
        }
    }

    private Coverage coverage(List<Receipt> receipts) throws IOException {
        return Coverage.of(set.vault.id(), set.volume.read().history().archives(), set.volume.read().history(), receipts, Instant.now(), Depth.CONTENT);
    }

    // ---- the date

    @Test
    void theDateFollowsFromWhatReceiptsShow() throws IOException {
        Instant first = now;
        patrol(options(PatrolOptions.Budget.of(MIB), Optional.empty(), Depth.CONTENT));
        now = now.plus(Duration.ofDays(7));
        patrol(options(PatrolOptions.Budget.of(MIB), Optional.empty(), Depth.CONTENT));
        now = now.plus(Duration.ofDays(7));
        PatrolReport third = patrol(options(PatrolOptions.Budget.of(MIB), Optional.of(Duration.ofDays(30)), Depth.CONTENT));
        Forecast forecast = third.forecast();
        assertEquals(Duration.ofDays(14), forecast.measured().orElseThrow());
        assertEquals(2 * MIB / 14, forecast.bytesPerDay());
        assertEquals(size() - 3 * MIB, forecast.remaining());
        double weeks = forecast.remaining() / (double) MIB;
        long seconds = Duration.between(first, forecast.end().orElseThrow()).toSeconds();
        assertEquals((14 + 7 * weeks) * 86_400, seconds, 86_400.0);
        assertTrue(third.tooSlow()); // 8 MiB at 1 MiB a week
        now = now.plus(Duration.ofDays(1));
        assertFalse(patrol(options(PatrolOptions.Budget.NONE, Optional.of(Duration.ofDays(30)), Depth.CONTENT)).tooSlow());
    }

    @Test
    void theFirstRunIsTakenToComeEveryDay() throws IOException {
        Forecast forecast = patrol(2 * MIB).forecast();
        assertEquals(Optional.empty(), forecast.measured());
        assertEquals(2 * MIB, forecast.bytesPerDay());
        double days = (size() - 2 * MIB) / (2.0 * MIB);
        assertEquals(days * 86_400, Duration.between(now, forecast.end().orElseThrow()).toSeconds(), 2);
    }
}
