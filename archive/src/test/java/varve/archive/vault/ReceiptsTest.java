package varve.archive.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.format.CorruptException;
import varve.archive.format.Rule;
import varve.archive.format.UnsupportedException;
import varve.archive.hash.Hash;
import varve.archive.linux.Linux;
import varve.testdata.Damage;
import varve.testdata.Histories;
import varve.testdata.TestFiles;

/// Receipts that were written are read; what was removed, altered or moved shows; and whatever a crash leaves, the next writer
/// goes on from.
class ReceiptsTest {

    private static final Instant TIME = Instant.parse("2026-11-20T02:00:00.123Z");

    @TempDir
    Path folder;

    private Vault vault;
    private Receipts receipts;
    private Path file;
    private Path head;

    @BeforeEach
    void make() {
        vault = new Vault(folder.getParent(), UUID.fromString("0e3f1a52-6d0c-4b8e-9b1c-7c1f5a2d9e10"), Standing.NEW, false);
        receipts = new Receipts(new Volume("tools", folder));
        file = folder.resolve(Receipts.FILE);
        head = folder.resolve(ReceiptHead.FILE);
    }

    private Receipt.Act act(String about, Receipt.Proof... proofs) {
        return Receipt.begin(Receipt.What.VERIFY, vault, "tools", about, InstantSource.fixed(TIME))
                .act(Depth.CONTENT, Evidence.MEDIUM, Receipt.Result.OK, List.of(proofs), List.of(), List.of("the weather"));
    }

    private static Receipt.Proof proof(String archive, long size, Ranges proved, Ranges damaged) {
        Receipt.Result result = damaged.isEmpty() ? Receipt.Result.OK : Receipt.Result.DAMAGED;
        return new Receipt.Proof(archive, Hash.parse("12".repeat(32)), size, java.util.Optional.of(Depth.STORED), result, proved, damaged);
    }

    private void add(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            receipts.add(act("point " + i, proof("tools.zst", 100, Ranges.of(0, 50 + i), Ranges.of(90, 100))));
        }
    }

    private List<String> lines() throws IOException {
        return Files.readAllLines(file);
    }

    private void write(List<String> lines) throws IOException {
        Files.write(file, lines);
    }

    private void assertSound(int count) throws IOException {
        Receipts.Log log = receipts.read();
        assertEquals(List.of(), log.problems());
        assertEquals(IntStream.rangeClosed(1, count).mapToObj(Long::valueOf).toList(),
                log.receipts().stream().map(Receipt::sequence).toList());
        assertEquals(0, log.torn());
    }

    private void assertShows(Rule rule) throws IOException {
        List<IOException> problems = receipts.read().problems();
        assertTrue(problems.stream().anyMatch(p -> p instanceof CorruptException e && e.rule() == rule), problems::toString);
    }

    // ---- what was written is read

    @Test
    void receiptsComeBackAsTheyWereWritten() throws IOException {
        assertEquals(List.of(), receipts.read().receipts());
        Receipt.Act odd = Receipt.begin(Receipt.What.RESTORE, vault, "tools", "a \"b\" \\ \n\u0001 ü \u2603", InstantSource.fixed(TIME))
                .failed(new IOException("no\nroom"));
        Receipt.Act act = act("tools@latest", proof("a.zst", 10, Ranges.of(0, 3).plus(Ranges.of(5, 7)), Ranges.of(8, 10)));
        receipts.add(odd);
        receipts.add(act);
        List<Receipt> read = receipts.read().receipts();
        assertEquals(List.of(odd, act), read.stream().map(Receipt::act).toList());
        assertSound(2);
        assertEquals(2, lines().size());
        for (String line : lines()) {
            byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
            assertArrayEquals(bytes, Receipt.decode(bytes, "x").encode());
        }
    }

    @Test
    void receiptsOfOthersAreRead() throws IOException {
        Volume golden = new Volume("receipts", TestFiles.root().resolve("golden/receipts"));
        Receipts.Log log = new Receipts(golden).read();
        assertEquals(List.of(), log.problems());
        assertEquals(List.of(Receipt.What.ARCHIVE, Receipt.What.VERIFY, Receipt.What.RESTORE),
                log.receipts().stream().map(receipt -> receipt.act().what()).toList());
        assertEquals(Ranges.of(100, 300), log.receipts().get(1).act().archives().getFirst().damaged());
        String page = Files.readString(TestFiles.root().resolveSibling("docs/FORMAT.md"));
        String example = Files.readAllLines(golden.folder().resolve(Receipts.FILE)).getFirst();
        assertTrue(page.substring(page.indexOf("\n## 13.")).contains("\n    " + example + "\n"));
    }

    @Test
    void badReceiptsBreakTheirRule() throws IOException {
        List<TestFiles.BadVolume> bad = TestFiles.bad().stream().filter(volume -> List.of("F044", "F045").contains(volume.rule())).toList();
        assertTrue(bad.size() > 20);
        for (TestFiles.BadVolume volume : bad) {
            List<IOException> problems = new Receipts(new Volume(volume.toString(), volume.folder())).read().problems();
            assertEquals(volume.rule(), ((CorruptException) problems.getFirst()).rule().name(), () -> volume + ": " + problems);
        }
    }

    @Test
    void receiptOfALaterVersionIsNotCalledDamaged() throws IOException {
        add(3);
        List<String> lines = new ArrayList<>(lines());
        lines.set(1, lines.get(1).replace("\"verify\"", "\"teleport\""));
        write(lines);
        assertTrue(receipts.read().problems().getFirst() instanceof UnsupportedException);
    }

    @Test
    void whatOneLineCannotHoldBecomesSeveral() throws IOException {
        Ranges many = Ranges.union(IntStream.range(0, 256).mapToObj(i -> new Ranges.Range(i * 1_000_000_000L, i * 1_000_000_000L + 500)).toList());
        Receipt.Proof[] proofs = IntStream.range(0, 500).mapToObj(i -> proof("tools." + i + ".zst", 1L << 40, many, Ranges.NONE)).toArray(Receipt.Proof[]::new);
        receipts.add(act("much", proofs));
        List<Receipt> read = receipts.read().receipts();
        assertTrue(read.size() > 1);
        assertSound(read.size());
        assertEquals(Arrays.asList(proofs), read.stream().flatMap(receipt -> receipt.act().archives().stream()).toList());
        for (String line : lines()) {
            assertTrue(line.length() < 1 << 20);
        }
    }

    @Test
    void tooManyRangesAreShortenedToLessAndNotToMore() {
        List<Ranges.Range> list = IntStream.range(0, 1000).mapToObj(i -> new Ranges.Range(10L * i, 10L * i + 1 + i % 8)).toList();
        Ranges all = Ranges.union(list);
        Receipt.Proof proved = proof("a", 10_000, all, Ranges.NONE);
        assertEquals(256, proved.proved().list().size());
        assertTrue(proved.proved().minus(all).isEmpty());
        Receipt.Proof damaged = proof("a", 10_000, Ranges.NONE, all);
        assertEquals(256, damaged.damaged().list().size());
        assertTrue(all.minus(damaged.damaged()).isEmpty());
    }

    @Test
    void impossibleReceiptsCannotBeMade() {
        assertThrows(IllegalArgumentException.class, () -> proof("a", 10, Ranges.of(0, 11), Ranges.NONE));
        assertThrows(IllegalArgumentException.class, () -> proof("a", 10, Ranges.of(0, 6), Ranges.of(5, 7)));
        assertThrows(IllegalArgumentException.class, () -> new Ranges(List.of(new Ranges.Range(3, 5), new Ranges.Range(5, 6))));
        assertThrows(IllegalArgumentException.class, () -> new Ranges.Range(3, 3));
    }

    // ---- removing, altering, moving

    @Test
    void everyRemovedLineShows() throws IOException {
        add(6);
        List<String> lines = lines();
        for (int i = 0; i < lines.size(); i++) {
            List<String> rest = new ArrayList<>(lines);
            rest.remove(i);
            write(rest);
            assertShows(Rule.F045);
        }
        write(List.of());
        assertShows(Rule.F045);
        Files.delete(file);
        assertShows(Rule.F045);
        write(lines);
        assertSound(6);
    }

    @Test
    void everyChangedOrderShows() throws IOException {
        add(5);
        List<String> lines = lines();
        for (int i = 0; i < lines.size(); i++) {
            for (int j = i + 1; j < lines.size(); j++) {
                List<String> other = new ArrayList<>(lines);
                Collections.swap(other, i, j);
                write(other);
                assertShows(Rule.F045);
            }
            List<String> twice = new ArrayList<>(lines);
            twice.add(i, lines.get(i));
            write(twice);
            assertShows(Rule.F045);
        }
    }

    @Test
    void everyAlteredByteShows() throws IOException {
        add(3);
        byte[] good = Files.readAllBytes(file);
        for (Damage damage : (Iterable<Damage>) Damage.everyByte(good.length)::iterator) {
            Files.write(file, damage.of(good));
            Receipts.Log log = receipts.read();
            assertTrue(!log.problems().isEmpty() || log.torn() > 0, damage::toString);
            assertFalse(log.problems().isEmpty(), damage::toString);
        }
        Files.write(file, good);
        assertSound(3);
    }

    @Test
    void lineEditedToAnotherGoodOneShows() throws IOException {
        add(4);
        List<String> lines = lines();
        for (int i = 0; i < lines.size(); i++) {
            List<String> other = new ArrayList<>(lines);
            other.set(i, lines.get(i).replace("[90,100]", "[91,100]"));
            write(other);
            assertShows(Rule.F045);
        }
    }

    @Test
    void everyAlteredByteOfTheHeadShows() throws IOException {
        add(3);
        byte[] good = Files.readAllBytes(head);
        for (Damage damage : (Iterable<Damage>) Stream.concat(Damage.everyByte(good.length), Damage.everyTruncation(good.length))::iterator) {
            Files.write(head, damage.of(good));
            assertShows(Rule.F045);
        }
        Files.delete(head);
        assertShows(Rule.F045);
    }

    @Test
    void gapStaysToBeSeenWhenOthersFollow() throws IOException {
        add(5);
        write(lines().subList(0, 3));
        receipts.add(act("later"));
        receipts.add(act("later still"));
        Receipts.Log log = receipts.read();
        assertEquals(List.of(1L, 2L, 3L, 6L, 7L), log.receipts().stream().map(Receipt::sequence).toList());
        assertTrue(log.receipts().get(3).note().orElseThrow().contains("ends with receipt 3, expected 5"));
        assertTrue(log.receipts().get(4).note().isEmpty());
        assertEquals(1, log.problems().size());
        assertShows(Rule.F045);
    }

    @Test
    void alteredLastLineStaysToBeSeenWhenOthersFollow() throws IOException {
        add(3);
        write(lines().stream().map(line -> line.replace("[0,52]", "[0,99]").replace("[90,100]", "[99,100]")).toList());
        assertShows(Rule.F045);
        receipts.add(act("later"));
        assertShows(Rule.F045);
        assertTrue(receipts.read().receipts().getLast().note().isPresent());
    }

    @Test
    void receiptsThatWereRemovedWithTheirHeadBeginAnew() throws IOException {
        add(3);
        Files.delete(file);
        Files.delete(head);
        add(2);
        assertSound(2);
    }

    // ---- crashes

    @Test
    void whateverACrashLeavesOfALineTheNextWriterGoesOn() throws IOException {
        for (int before = 0; before < 3; before++) {
            Files.deleteIfExists(file);
            Files.deleteIfExists(head);
            add(before);
            byte[] old = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
            byte[] oldHead = Files.exists(head) ? Files.readAllBytes(head) : new byte[0];
            receipts.add(act("the one that dies"));
            byte[] all = Files.readAllBytes(file);
            for (int size = old.length; size <= all.length; size++) {
                for (boolean lengthened : new boolean[] {false, true}) { // the size may reach the medium before the bytes
                    byte[] left = Arrays.copyOf(Arrays.copyOf(all, size), lengthened ? all.length : size);
                    byte[] left2 = left.clone();
                    if (lengthened) {
                        left2[left2.length - 1] = '\n'; // and the last page before the others
                    }
                    for (byte[] content : List.of(left, left2)) {
                        crash(content, oldHead);
                        afterCrash(before, Arrays.equals(content, all));
                    }
                }
            }
        }
    }

    private void crash(byte[] left, byte[] oldHead) throws IOException {
        Files.write(file, left);
        Files.deleteIfExists(head);
        if (oldHead.length > 0) {
            Files.write(head, oldHead);
        }
    }

    private void afterCrash(int before, boolean complete) throws IOException {
        int there = before + (complete ? 1 : 0);
        Receipts.Log log = receipts.read();
        assertEquals(List.of(), log.problems());
        assertEquals(there, log.receipts().size());
        receipts.add(act("after the crash"));
        assertSound(there + 1);
        assertEquals(log.torn() > 0, receipts.read().receipts().getLast().note().isPresent());
    }

    @Test
    void headThatWasBeingWrittenIsNoHead() throws IOException {
        add(2);
        byte[] next = Files.readAllBytes(head);
        Files.write(folder.resolve(ReceiptHead.FILE + ".new"), Arrays.copyOf(next, 40));
        assertSound(2);
        add(1);
        assertSound(3);
    }

    @Test
    void readOnlyVaultIsAWarningAndNoFailure() throws IOException {
        List<String> warnings = new ArrayList<>();
        Receipts nowhere = new Receipts(new Volume("tools", folder.resolve("gone")));
        nowhere.add(act("x"), warnings::add);
        assertEquals(1, warnings.size());
        assertTrue(warnings.getFirst().contains("no receipt of this can be kept"), warnings::toString);
        assertEquals(List.of(), nowhere.read().receipts());
    }

    @Test
    void severalWritersWaitForEachOther() throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            String about = "writer " + i;
            threads.add(Thread.ofPlatform().start(() -> {
                for (int n = 0; n < 10; n++) {
                    receipts.add(act(about + ", receipt " + n), warning -> {
                        throw new AssertionError(warning);
                    });
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertSound(80);
    }

    @Test
    void readerSeesAGoodChainWhileOthersWrite() throws Exception {
        add(1);
        Thread writer = Thread.ofPlatform().start(() -> {
            for (int n = 0; n < 60; n++) {
                receipts.add(act("receipt " + n), warning -> {});
            }
        });
        while (writer.isAlive()) {
            assertEquals(List.of(), receipts.read().problems());
        }
        writer.join();
        assertSound(61);
    }

    // ---- what receipts prove

    @Test
    void rangesAreSetsOfBytes() {
        for (long seed : Histories.seeds(50)) {
            Random random = new Random(seed);
            boolean[] a = new boolean[60];
            boolean[] b = new boolean[60];
            Ranges x = random(random, a);
            Ranges y = random(random, b);
            for (int i = 0; i < 60; i++) {
                assertEquals(a[i] || b[i], has(x.plus(y), i), "seed " + seed);
                assertEquals(a[i] && !b[i], has(x.minus(y), i), "seed " + seed);
                assertEquals(a[i] && b[i], has(x.and(y), i), "seed " + seed);
            }
            assertEquals(IntStream.range(0, 60).filter(i -> a[i]).count(), x.size());
        }
    }

    private static Ranges random(Random random, boolean[] model) {
        List<Ranges.Range> list = new ArrayList<>();
        for (int n = random.nextInt(8); n > 0; n--) {
            int from = random.nextInt(59);
            int to = from + 1 + random.nextInt(Math.min(12, 60 - from - 1) + 1);
            list.add(new Ranges.Range(from, Math.min(60, to)));
            Arrays.fill(model, from, Math.min(60, to), true);
        }
        return Ranges.union(list);
    }

    private static boolean has(Ranges ranges, int at) {
        return ranges.list().stream().anyMatch(range -> range.from() <= at && at < range.to());
    }
}
