package varve.archive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.block.BlockSource;
import varve.archive.block.DeviceException;
import varve.archive.block.FileDevice;
import varve.archive.block.Geometry;
import varve.archive.block.RefusedException;
import varve.archive.chain.Chain;
import varve.archive.chain.History;
import varve.archive.changes.ChangeList;
import varve.archive.changes.ChangeSource;
import varve.archive.changes.ChangeSource.Kind;
import varve.archive.cli.Captured;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.file.StoredArchive;
import varve.archive.vault.Vault;
import varve.testdata.Histories;
import varve.testdata.Images;

/// Deltas from change lists: as good as those of a scan if the list is right, and a list that is not is caught as often as promised.
class ListedChangesTest {

    private static final int BLOCK = 4096;
    private static final int CHUNK = 1 << 16;

    @TempDir
    Path folder;

    private final List<String> warnings = new ArrayList<>();

    static Stream<Long> seeds() {
        return Histories.seeds(12).stream();
    }

    // ---- making lists

    /// {@return a list of the blocks that differ}
    private Path list(byte[] before, byte[] after, Random more, double share) throws IOException {
        StringBuilder text = new StringBuilder("varve-extents 1\nsize " + after.length + "\n");
        int count = 0;
        for (int at = 0; at < after.length; at += BLOCK) {
            int end = Math.min(after.length, at + BLOCK);
            if (end > before.length || !Arrays.equals(before, at, end, after, at, end) || more.nextDouble() < share) {
                text.append(at).append(' ').append(end - at).append('\n');
                count++;
            }
        }
        return Files.writeString(folder.resolve("list"), text + "end " + count + "\n");
    }

    private ListedChanges believed(Path list, String since, double sample, Random random) {
        return new ListedChanges(new ChangeSource(Kind.EXTENTS, list, OptionalLong.empty()), Optional.of(since), sample, 10, random);
    }

    private Archiver.Outcome archive(Path vault, byte[] device, Optional<ListedChanges> changes) throws Exception {
        Path image = folder.resolve("device.img");
        Files.deleteIfExists(image);
        Images.write(device, image);
        ArchiveOptions options = new ArchiveOptions(false, 1, OptionalInt.of(16), 2, 0, false, Optional.empty(), false);
        Archiver archiver = new Archiver(Vault.openOrCreate(vault), "tools",
                changes.isPresent() ? options.with(changes.get()) : options, InstantSource.system(), bytes -> {}, warnings::add);
        try (FileDevice source = FileDevice.open(image)) {
            return archiver.archive(source, Duration.ZERO);
        }
    }

    private static History history(Path vault) throws IOException {
        return Vault.open(vault).volume("tools").read().sound();
    }

    // ---- lists that are right

    @ParameterizedTest
    @MethodSource("seeds")
    void aListThatIsRightGivesTheDeltaOfAScan(long seed) throws Exception {
        Random random = new Random(seed);
        List<varve.testdata.History.Point> points = Histories.random(seed, 6, CHUNK, 700_000).points();
        Path scanned = folder.resolve("scanned");
        Path listed = folder.resolve("listed");
        byte[] before = points.getFirst().image();
        archive(scanned, before, Optional.empty());
        archive(listed, before, Optional.empty());
        for (varve.testdata.History.Point point : points.subList(1, points.size())) {
            byte[] after = point.image();
            Archiver.Outcome scan = archive(scanned, after, Optional.empty());
            boolean exact = random.nextBoolean();
            Path list = list(before, after, random, exact ? 0 : 0.2);
            Archiver.Outcome outcome = archive(listed, after, Optional.of(believed(list, "latest", 0.3, random)));
            assertTrue(outcome.list().orElseThrow().believed(), () -> point + ": " + warnings);
            assertEquals(scan.state(), outcome.state(), point.toString());
            assertArrayEquals(payload(scanned), payload(listed), point + ": another data file than that of a scan");
            before = after;
        }
    }

    /// {@return the newest data file behind its header, which names the volume}
    private static byte[] payload(Path vault) throws IOException {
        StoredArchive latest = history(vault).archives().getLast();
        byte[] file = Files.readAllBytes(latest.data());
        return Arrays.copyOfRange(file, 104, (int) (file.length - latest.manifest().index().size()));
    }

    @Test
    void withTheParentsDataAwayTheChunksOfListedBlocksAreStoredWhole() throws Exception {
        byte[] before = Images.mixed(1, 1 << 20);
        byte[] after = before.clone();
        after[300_000] ^= 1;
        Path vault = folder.resolve("vault");
        archive(vault, before, Optional.empty());
        Files.move(history(vault).archives().getFirst().data(), folder.resolve("shelf"));
        Archiver.Outcome outcome =
                archive(vault, after, Optional.of(believed(list(before, after, new Random(1), 0), "latest", 1, new Random(1))));
        assertEquals(CHUNK, outcome.changedSize());
        Files.move(folder.resolve("shelf"), history(vault).archives().getFirst().data());
        assertEquals(blake3(vault), outcome.state().root().toString());
        assertTrue(outcome.list().orElseThrow().believed());
    }

    private static String blake3(Path vault) throws IOException {
        return history(vault).latest().orElseThrow().state().root().toString();
    }

    @Test
    void aListSinceAnOlderPointIsCompletedFromTheTables() throws Exception {
        byte[] first = Images.mixed(2, 1 << 20);
        byte[] second = first.clone();
        second[100_000] ^= 1;
        second[500_000] ^= 1;
        byte[] third = second.clone();
        third[100_000] ^= 1; // back to what it was in the first: a list since then does not name it
        third[900_000] ^= 1;
        Path vault = folder.resolve("vault");
        archive(vault, first, Optional.empty());
        archive(vault, second, Optional.empty());
        Path list = list(first, third, new Random(1), 0);
        Archiver.Outcome outcome = archive(vault, third, Optional.of(believed(list, "-1", 0, new Random(1))));
        assertTrue(outcome.list().orElseThrow().believed());
        Path other = folder.resolve("other");
        assertEquals(archive(other, third, Optional.empty()).state(), outcome.state());
    }

    // ---- lists that are not

    @Test
    void aListThatKeepsAChangeBackIsRefusedAndTheDeviceIsScanned() throws Exception {
        byte[] before = Images.mixed(3, 1 << 20);
        byte[] after = before.clone();
        after[200_000] ^= 1;
        after[777_777] ^= 1;
        byte[] without = after.clone();
        without[777_777] ^= 1;
        Path vault = folder.resolve("vault");
        archive(vault, before, Optional.empty());
        Path list = list(before, without, new Random(1), 0);
        Archiver.Outcome outcome = archive(vault, after, Optional.of(believed(list, "latest", 1, new Random(1))));
        assertEquals(777_777 / BLOCK * BLOCK, outcome.list().orElseThrow().wrong().getAsLong());
        assertTrue(warnings.getLast().contains("IS WRONG"), warnings::toString);
        Path other = folder.resolve("other");
        assertEquals(archive(other, after, Optional.empty()).state(), outcome.state());
    }

    @Test
    void theCommandEndsWithFindingsAfterAWrongListAndNamesTheBlock() throws Exception {
        byte[] before = Images.mixed(4, 1 << 20);
        byte[] after = before.clone();
        after[70_000] ^= 1;
        Path vault = folder.resolve("vault");
        archive(vault, before, Optional.empty());
        Path image = folder.resolve("device.img");
        Files.delete(image);
        Images.write(after, image);
        Path list = list(after, after, new Random(1), 0);
        for (boolean right : new boolean[] {false, true}) {
            Captured captured = new Captured();
            ExitCode code = Main.run(captured.stdio(0), "archive", image.toString(), "--vault", vault.toString(), "--volume", "tools",
                    "--changes", "extents:" + list, "--since", "latest", "--audit-sample", "100");
            assertEquals(right ? ExitCode.OK : ExitCode.FINDINGS, code, captured::err);
            assertEquals(!right, captured.err().contains("calls the block at 69632 unchanged"), captured::err);
        }
    }

    @Test
    void aListWithoutAStartOrForAFullIsRefused() throws Exception {
        byte[] device = Images.mixed(5, 1 << 20);
        Path vault = folder.resolve("vault");
        Path list = list(device, device, new Random(1), 0);
        assertThrows(RefusedException.class, () -> archive(vault, device, Optional.of(believed(list, "latest", 0, new Random(1)))));
        archive(vault, device, Optional.empty());
        ListedChanges noStart =
                new ListedChanges(new ChangeSource(Kind.EXTENTS, list, OptionalLong.empty()), Optional.empty(), 0, 10, new Random(1));
        assertThrows(RefusedException.class, () -> archive(vault, device, Optional.of(noStart)));
        Files.writeString(list, Files.readString(list).replace("end", "since " + "0".repeat(64) + "\nend").replaceFirst("(size.*\n)([^e]*)(since.*\n)", "$1$3$2"));
        assertThrows(RefusedException.class, () -> archive(vault, device, Optional.of(believed(list, "latest", 0, new Random(1)))));
        assertEquals(1, history(vault).archives().size(), "something was recorded");
    }

    // ---- the audit

    /// a device in memory
    /// @param bad offset at which nothing can be read
    private record Bytes(byte[] bytes, long bad) implements BlockSource {
        Bytes(byte[] bytes) {
            this(bytes, -1);
        }

        @Override
        public long size() {
            return bytes.length;
        }

        @Override
        public String name() {
            return "bytes";
        }

        @Override
        public void read(long offset, MemorySegment into) throws IOException {
            if (offset == bad) {
                throw new DeviceException("a bad block");
            }
            into.copyFrom(MemorySegment.ofArray(bytes).asSlice(offset, into.byteSize()));
        }

        @Override
        public void close() {}
    }

    @ParameterizedTest
    @CsvSource({"1, 0.1", "10, 0.05", "100, 0.02", "1000, 0.004"})
    void blocksKeptBackAreCaughtAtThePromisedRate(int omitted, double sample) throws Exception {
        int chunks = 512;
        int blocks = CHUNK / BLOCK;
        byte[] before = Images.mixed(6, chunks * CHUNK);
        Path vault = folder.resolve("vault");
        archive(vault, before, Optional.empty());
        int runs = 300;
        int caught = 0;
        double promised = 0;
        double variance = 0;
        try (Chain chain = Chain.open(history(vault).archives())) {
            ParentView parent = new ParentView(chain, warnings::add);
            long draws = (long) Math.ceil(sample * chunks);
            for (int run = 0; run < runs; run++) {
                Random random = new Random(run);
                byte[] after = before.clone();
                int[] kept = random.ints(0, chunks * blocks).distinct().limit(omitted).toArray();
                for (int block : kept) {
                    after[block * BLOCK + random.nextInt(BLOCK)] ^= 1;
                }
                long wrong = Arrays.stream(kept).map(block -> block / blocks).distinct().count();
                double rate = 1 - Math.pow(1 - (double) wrong / chunks, draws);
                promised += rate;
                variance += rate * (1 - rate);
                ListAudit audit = new ListAudit(new Bytes(after), new Unlisted(new ChangeList(after.length), parent.geometry()), parent, ArchiveOptions.defaults());
                caught += audit.run(draws, random, 0, 0).wrong().isPresent() ? 1 : 0;
            }
            assertTrue(caught >= promised - 4 * Math.sqrt(variance) - 1, caught + " of " + runs + " caught, promised " + promised);
        }
    }

    @Test
    void theStripeFindsEveryChangeOnceItHasComeRound() throws Exception {
        int chunks = 40;
        byte[] before = Images.mixed(7, chunks * CHUNK - 1000);
        byte[] after = before.clone();
        after[33 * CHUNK + 5] ^= 1;
        Path vault = folder.resolve("vault");
        archive(vault, before, Optional.empty());
        try (Chain chain = Chain.open(history(vault).archives())) {
            ParentView parent = new ParentView(chain, warnings::add);
            Instant now = Instant.parse("2026-11-21T00:00:00Z");
            AuditMark mark = AuditMark.read(folder, now);
            boolean caught = false;
            for (int day = 0; day < 10; day++) {
                long end = Math.min(chunks, mark.next() + mark.due(chunks, 10, now));
                ListAudit audit = new ListAudit(new Bytes(after), new Unlisted(new ChangeList(after.length), parent.geometry()), parent, ArchiveOptions.defaults());
                ListAudit.Result result = audit.run(0, new Random(day), mark.next(), end);
                assertEquals(mark.next() <= 33 && 33 < end, result.wrong().isPresent());
                caught |= result.wrong().isPresent();
                new AuditMark(end, now).write(folder);
                now = now.plus(Duration.ofDays(1));
                mark = AuditMark.read(folder, now);
            }
            assertTrue(caught);
            assertEquals(chunks, mark.next());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "nonsense"})
    void aDamagedMarkCostsOnlyAnAuditFromTheStart(String text) throws IOException {
        Instant now = Instant.parse("2026-11-21T00:00:00Z");
        new AuditMark(7, now).write(folder);
        assertEquals(7, AuditMark.read(folder, now).next());
        Files.writeString(folder.resolve(".varve-audit.json"), text);
        assertEquals(0, AuditMark.read(folder, now).next());
    }

    @Test
    void theAuditReadsNoFasterThanAllowed() throws Exception {
        int chunks = 40;
        byte[] device = Images.mixed(10, chunks * CHUNK);
        Path vault = folder.resolve("vault");
        archive(vault, device, Optional.empty());
        long rate = 8L * device.length;
        ArchiveOptions limited = new ArchiveOptions(false, 3, OptionalInt.empty(), 2, rate, false, Optional.empty(), false);
        try (Chain chain = Chain.open(history(vault).archives())) {
            ParentView parent = new ParentView(chain, warnings::add);
            long start = System.nanoTime();
            ListAudit audit = new ListAudit(new Bytes(device), new Unlisted(new ChangeList(device.length), parent.geometry()), parent, limited);
            ListAudit.Result result = audit.run(0, new Random(1), 0, chunks);
            assertEquals(device.length, result.readSize());
            assertTrue(System.nanoTime() - start >= 1_000_000_000L / 8, "as much as it may read in an eighth of a second");
        }
    }

    @Test
    void whatCannotBeReadEndsTheAudit() throws Exception {
        int chunks = 40;
        byte[] device = Images.mixed(11, chunks * CHUNK);
        Path vault = folder.resolve("vault");
        archive(vault, device, Optional.empty());
        try (Chain chain = Chain.open(history(vault).archives())) {
            ParentView parent = new ParentView(chain, warnings::add);
            ListAudit audit = new ListAudit(new Bytes(device, 7L * CHUNK), new Unlisted(new ChangeList(device.length), parent.geometry()), parent, ArchiveOptions.defaults());
            assertEquals("a bad block", assertThrows(DeviceException.class, () -> audit.run(0, new Random(1), 0, chunks)).getMessage());
        }
    }

    @Test
    void theFirstOfSeveralChangesKeptBackIsTold() throws Exception {
        int chunks = 200;
        byte[] before = Images.mixed(9, chunks * CHUNK);
        Path vault = folder.resolve("vault");
        archive(vault, before, Optional.empty());
        try (Chain chain = Chain.open(history(vault).archives())) {
            ParentView parent = new ParentView(chain, warnings::add);
            for (int run = 0; run < 50; run++) {
                byte[] after = before.clone();
                int[] kept = new Random(run).ints(0, chunks).distinct().limit(5).sorted().toArray();
                for (int chunk : kept) {
                    after[chunk * CHUNK + 3 * BLOCK] ^= 1;
                }
                ListAudit audit = new ListAudit(
                        new Bytes(after), new Unlisted(new ChangeList(after.length), parent.geometry()), parent, ArchiveOptions.defaults());
                ListAudit.Result result = audit.run(chunks, new Random(run), 50, 90);
                assertEquals(kept[0] * CHUNK + 3 * BLOCK, result.wrong().getAsLong(), "run " + run);
                assertTrue(result.drawn() <= chunks && result.striped() <= 40, result.toString());
            }
        }
    }

    @Test
    void aBlockKeptBackInAChunkThatIsListedInPartIsFoundToo() throws Exception {
        byte[] before = Images.mixed(8, 4 * CHUNK);
        byte[] after = before.clone();
        after[CHUNK + 5] ^= 1;
        after[CHUNK + 40_000] ^= 1;
        Path vault = folder.resolve("vault");
        archive(vault, before, Optional.empty());
        ChangeList list = new ChangeList(after.length);
        list.add(CHUNK, BLOCK);
        try (Chain chain = Chain.open(history(vault).archives())) {
            ParentView parent = new ParentView(chain, warnings::add);
            ListAudit audit = new ListAudit(new Bytes(after), new Unlisted(list, parent.geometry()), parent, ArchiveOptions.defaults());
            assertEquals(CHUNK + 40_000 & -BLOCK, audit.run(0, new Random(1), 0, 4).wrong().getAsLong());
            assertFalse(new Unlisted(list, new Geometry(after.length, 16)).has(1));
        }
    }
}
