package varve.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import varve.archive.codec.FrameDecoder;
import varve.archive.file.Index;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.Summary;
import varve.archive.hash.SubtreeHasher;
import varve.archive.vault.Depth;
import varve.testdata.Damage;
import varve.testdata.Images;

/// The damage catalogue as a table: each kind of damage in each region of each file, with what each depth says of it, and where.
///
/// A row is `damage | file | region | structure | stored | content | points`. The first three say what is done. `structure` lists what the
/// lowest depth finds, as kind and rule of each finding; `-` is nothing, `chain` that no path leads to the deltas after it. The two deeper ones find that too, and in a data file, if the row says
/// so, a `range`: that is the groups of 1 MiB that have changed, as the test sees by comparing the bytes; or `chunks`: those whose frames have
/// changed. `points` says which of the four points in time can be had, by the verdict of the deepest look. Every finding is on the damaged file.
///
/// The same volume without damage is sound: at every depth before the first row and after the last, at the deepest after each.
final class DamageCatalogueTest {

    private static final int CHUNK = TestVault.CHUNK;
    private static final int GROUP = 1 << FileTree.GROUP_LOG;
    private static final int FULL = 0;
    private static final int DELTA = 1;

    /// regions of a full's data file; `frame` is that of chunk 17
    static final List<String> FULL_ROWS = rows("""
            flip a bit    | zst   | header   | damaged-file F003, damaged-index F003 | range |        | ....
            flip a bit    | zst   | frame    | -                                     | range | chunks | ....
            flip a bit    | zst   | zeros    | -                                     | range | chunks | ....
            flip a bit    | zst   | nodes    | damaged-index F039                    | range |        | ++++
            flip a bit    | zst   | summary  | damaged-index F039                    | range |        | ++++
            flip a bit    | zst   | seek     | damaged-file F013                     | range |        | ++++
            zero a sector | zst   | header   | damaged-file F003, damaged-index F003 | range |        | ....
            zero a sector | zst   | frame    | -                                     | range | chunks | ....
            zero a sector | zst   | nodes    | damaged-index F039                    | range |        | ++++
            zero a sector | zst   | seek     | damaged-file F013, damaged-index F013 | range |        | ++++
            tear          | zst   | header   | damaged-file F003, damaged-index F003 | range |        | ....
            tear          | zst   | frame    | damaged-file F013, damaged-index F013 | range | chunks | ....
            tear          | zst   | nodes    | damaged-file F013, damaged-index F013 | range |        | ++++
            tear          | zst   | seek     | damaged-file F013, damaged-index F013 | range |        | ++++
            cut off       | zst   | header   | damaged-file F001, damaged-index F001 | range |        | ....
            cut off       | zst   | frame    | damaged-file F038, damaged-index F013 | range |        | ....
            cut off       | zst   | nodes    | damaged-file F038, damaged-index F013 | range |        | ....
            cut off       | zst   | seek     | damaged-file F038, damaged-index F013 | range |        | ....
            empty         | zst   | file     | damaged-file F001, damaged-index F001 | range |        | ....
            append        | zst   | file     | damaged-file F038, damaged-index F013 |       |        | ....
            swap frames   | zst   | file     | -                                     | range | chunks | ....
            other archive | zst   | file     | damaged-file F037, damaged-index F039 | range |        | ....
            remove        | zst   | file     | not-at-hand                           |       |        | ....
            flip a bit    | index | nodes    | damaged-index F039                    |       |        | ++++
            flip a bit    | index | summary  | damaged-index F039                    |       |        | ++++
            zero a sector | index | nodes    | damaged-index F039                    |       |        | ++++
            tear          | index | nodes    | damaged-index F039                    |       |        | ++++
            cut off       | index | nodes    | damaged-index F039                    |       |        | ++++
            empty         | index | file     | damaged-index F039                    |       |        | ++++
            append        | index | file     | damaged-index F039                    |       |        | ++++
            other archive | index | file     | damaged-index F039                    |       |        | ++++
            remove        | index | file     | missing-file                          |       |        | ++++
            flip a bit    | tree  | head     | -                          | damaged-tree F041 |       | ++++
            flip a bit    | tree  | values   | -                          | damaged-tree F042 |       | ++++
            zero a sector | tree  | values   | -                          | damaged-tree F042 |       | ++++
            tear          | tree  | values   | -                          | damaged-tree F042 |       | ++++
            cut off       | tree  | values   | -                          | damaged-tree F041 |       | ++++
            empty         | tree  | file     | -                          | damaged-tree F041 |       | ++++
            append        | tree  | file     | -                          | damaged-tree F041 |       | ++++
            other archive | tree  | file     | -                          | damaged-tree F041 |       | ++++
            remove        | tree  | file     | -                               | missing-file |       | ++++
            flip a bit    | json  | file     | damaged-manifest F043, chain          |       |        | ...
            flip a digit  | json  | file     | damaged-manifest F043, chain          |       |        | ...
            zero a sector | json  | file     | damaged-manifest F035, chain          |       |        | ...
            tear          | json  | file     | damaged-manifest F035, chain          |       |        | ...
            cut off       | json  | file     | damaged-manifest F035, chain          |       |        | ...
            empty         | json  | file     | damaged-manifest F035, chain          |       |        | ...
            append        | json  | file     | damaged-manifest F035, chain          |       |        | ...
            other archive | json  | file     | damaged-manifest F036, chain          |       |        | ...
            remove        | json  | file     | missing-points of 2.delta.json, missing-manifest, chain || | ...
            """);

    /// regions of a delta's files; `frame` is that of the chunks 10 and on
    static final List<String> DELTA_ROWS = rows("""
            flip a bit    | zst   | header   | damaged-file F003, damaged-index F003 | range |        | +...
            flip a bit    | zst   | frame    | -                                     | range | chunks | +...
            flip a bit    | zst   | extents  | damaged-index F039                    | range |        | ++++
            flip a bit    | zst   | nodes    | damaged-index F039                    | range |        | ++++
            flip a bit    | zst   | summary  | damaged-index F039                    | range |        | ++++
            flip a bit    | zst   | seek     | damaged-file F013                     | range |        | ++++
            zero a sector | zst   | frame    | -                                     | range | chunks | +...
            tear          | zst   | frame    | damaged-file F013, damaged-index F013 | range | chunks | +...
            tear          | zst   | extents  | damaged-file F013, damaged-index F013 | range |        | ++++
            cut off       | zst   | frame    | damaged-file F038, damaged-index F013 | range |        | +...
            append        | zst   | file     | damaged-file F038, damaged-index F013 |       |        | +...
            swap frames   | zst   | file     | -                                     | range | chunks | +...
            stale         | zst   | file     | damaged-index F039                    | range | chunks | +...
            foreign       | zst   | file     | damaged-file F037, damaged-index F039 | range |        | +...
            other archive | zst   | file     | damaged-file F037, damaged-index F039 | range |        | +...
            remove        | zst   | file     | not-at-hand                           |       |        | +...
            flip a bit    | index | extents  | damaged-index F039                    |       |        | ++++
            stale         | index | file     | damaged-index F039                    |       |        | ++++
            foreign       | index | file     | damaged-index F039                    |       |        | ++++
            stale         | tree  | file     | -                          | damaged-tree F042 |       | ++++
            foreign       | tree  | file     | -                          | damaged-tree F042 |       | ++++
            other archive | tree  | file     | -                          | damaged-tree F041 |       | ++++
            stale         | json  | file     | damaged-manifest F040 of 3.delta.json, damaged-index F039 of 2.delta.index, damaged-index F039 of 2.delta.zst, chain | damaged-tree F042 of 2.delta.tree, wrong-hash F038 of 2.delta.zst | | +...
            foreign       | json  | file     | damaged-manifest F040, damaged-manifest F040 of 3.delta.json, damaged-index F039 of 2.delta.index, damaged-file F037 of 2.delta.zst, damaged-index F039 of 2.delta.zst, chain | damaged-tree F042 of 2.delta.tree, wrong-hash F038 of 2.delta.zst | | +...
            other archive | json  | file     | damaged-manifest F036, chain          |       |        | +..
            remove        | json  | file     | missing-points of 3.delta.json, missing-manifest, chain | | | +..
            """);

    @TempDir
    static Path folder;

    private static TestVault tools;
    private static TestVault stale;
    private static TestVault foreign;
    private static final Map<Path, byte[]> written = new TreeMap<>();

    private static List<String> rows(String table) {
        return table.lines().toList();
    }

    /// a full of 41 chunks in three groups, 4 of them zero; a delta of two groups; a small one; and one that changes nothing
    @BeforeAll
    static void archives() throws IOException {
        byte[] first = Images.noise(1, 40 * CHUNK + 5000);
        Arrays.fill(first, 30 * CHUNK, 34 * CHUNK, (byte) 0);
        byte[] second = changed(first, 9);
        byte[] third = second.clone();
        third[3 * CHUNK + 9000] ^= 1;
        third[31 * CHUNK] ^= 1;
        tools = new TestVault(Files.createDirectory(folder.resolve("tools"))).add(first);
        stale = new TestVault(Files.createDirectory(folder.resolve("stale"))).add(first);
        Folders.delete(stale.volume.folder());
        Folders.copy(tools.volume.folder(), stale.volume.folder());
        stale.add(changed(first, 10));
        byte[] other = Images.noise(3, 40 * CHUNK + 5000);
        foreign = new TestVault(Files.createDirectory(folder.resolve("foreign"))).add(other).add(changed(other, 11));
        tools.add(second).add(third).add(third);
        try (Stream<Path> files = Files.list(tools.volume.folder())) {
            for (Path file : files.toList()) {
                written.put(file, Files.readAllBytes(file));
            }
        }
        assertSound();
    }

    private static byte[] changed(byte[] image, long seed) {
        byte[] changed = image.clone();
        changed[3 * CHUNK + 7] ^= (byte) seed;
        System.arraycopy(Images.noise(seed, 20 * CHUNK), 0, changed, 10 * CHUNK, 20 * CHUNK);
        return changed;
    }

    /// The undamaged twin: it is what it was, and sound at the depth that includes all others.
    @AfterEach
    void mend() throws IOException {
        try (Stream<Path> files = Files.list(tools.volume.folder())) {
            for (Path file : files.filter(file -> !written.containsKey(file)).toList()) {
                Files.delete(file);
            }
        }
        for (Map.Entry<Path, byte[]> file : written.entrySet()) {
            if (!Files.exists(file.getKey()) || !Arrays.equals(Files.readAllBytes(file.getKey()), file.getValue())) {
                Files.write(file.getKey(), file.getValue());
            }
        }
        assertEquals(List.of(), tools.verify(Depth.CONTENT).findings());
    }

    @AfterAll
    static void nothingElseHasChanged() {
        assertSound();
    }

    private static void assertSound() {
        for (Depth depth : TestVault.DEPTHS) {
            Report report = tools.verify(depth);
            assertEquals(List.of(), report.findings());
            assertTrue(report.sound());
            assertEquals("++++", points(report));
        }
    }

    private static String points(Report report) {
        return String.join("", report.points().stream().map(point -> point.good() ? "+" : ".").toList());
    }

    @ParameterizedTest
    @FieldSource("FULL_ROWS")
    void damageOfAFullIsFoundWhereItIs(String row) throws IOException {
        check(row, FULL);
    }

    @ParameterizedTest
    @FieldSource("DELTA_ROWS")
    void damageOfADeltaIsFoundWhereItIs(String row) throws IOException {
        check(row, DELTA);
    }

    private void check(String row, int archive) throws IOException {
        String[] cells = Arrays.stream(row.split("\\|", -1)).map(String::strip).toArray(String[]::new);
        Path file = tools.file(archive, cells[1]);
        byte[] good = written.get(file);
        Damage damage = damage(cells[0], cells[1], cells[2], archive, good);
        byte[] bad = damage == null ? null : damage.of(good);
        assertFalse(Arrays.equals(good, bad), "nothing was damaged");
        if (bad == null) {
            Files.delete(file);
        } else {
            Files.write(file, bad);
        }
        String chain = archive == FULL ? "broken-chain of 3.delta.zst, broken-chain of 2.delta.zst" : "broken-chain of 3.delta.zst";
        List<String> structure = cells[3].equals("-") ? List.of() : List.of(cells[3].replace("chain", chain).split(", "));
        List<String> stored = new ArrayList<>(structure);
        if (cells[4].equals("range")) {
            stored.add(range(good, bad));
        } else if (!cells[4].isEmpty()) {
            stored.addAll(List.of(cells[4].split(", ")));
        }
        String name = file.getFileName().toString();
        assertEquals(structure, found(tools.verify(Depth.STRUCTURE), name));
        assertEquals(stored, found(tools.verify(Depth.STORED), name));
        Report content = tools.verify(Depth.CONTENT);
        assertEquals(cells[5].equals("chunks") ? chunks(archive, good, bad) : List.of(), chunks(content));
        assertEquals(stored, found(content, name));
        assertEquals(cells[6], points(content));
        assertFalse(content.sound());
    }

    // ---- the volume as a whole

    @Test
    void aMissingParentIsFoundByWhatStandsOnIt() throws IOException {
        for (String extension : List.of("zst", "json", "index", "tree")) {
            Files.delete(tools.file(DELTA, extension));
        }
        assertFound("+..", "missing-points of 3.delta.json", "broken-chain of 3.delta.zst");
    }

    @Test
    void aDeltaUnderASecondNameIsRefused() throws IOException {
        for (String extension : List.of("zst", "json", "index", "tree")) {
            Path file = tools.file(DELTA, extension);
            Files.copy(file, file.resolveSibling(file.getFileName().toString().replace("T02", "T03")));
        }
        assertFound("++++", "damaged-manifest F036 of tools.20261102T030000.000Z.delta.json");
    }

    @Test
    void aDeltaThatWasRecordedTwiceIsRefused() throws IOException {
        Manifest once = tools.manifest(DELTA);
        Manifest again = at(once, once.sequence(), once.time().plusSeconds(3600), once.finished().plusSeconds(3600));
        for (String extension : List.of("zst", "index", "tree")) {
            Files.copy(tools.file(DELTA, extension), tools.volume.folder().resolve(again.baseName() + "." + extension));
        }
        Files.write(tools.volume.folder().resolve(again.baseName() + ".json"), again.encode());
        for (Depth depth : TestVault.DEPTHS) {
            Report report = tools.verify(depth);
            assertTrue(found(report, again.baseName() + ".json").contains("damaged-manifest F040"), () -> report.findings().toString());
            assertFalse(report.sound());
        }
    }

    @Test
    void aManifestOfAVolumeOfAnotherNameIsRefused() throws IOException {
        String text = new String(written.get(tools.file(3, "json")), StandardCharsets.UTF_8);
        Files.writeString(tools.file(3, "json"), sealed(text.replace("\"tools", "\"other")));
        assertFound("+++", "damaged-manifest F036 of 4.delta.json");
    }

    @Test
    void timesThatNoCalendarHasAreRefused() throws IOException {
        Path file = tools.file(3, "json");
        for (String time : List.of("2026-13-04T02:00:00.000Z", "2026-02-30T02:00:00.000Z", "2026-11-04T25:00:00.000Z", "2026-11-04 02:00:00.000Z")) {
            String text = new String(written.get(file), StandardCharsets.UTF_8).replace("\"finished\": \"2026-11-04T02:00:00.000Z\"", "\"finished\": \"" + time + "\"");
            Files.writeString(file, sealed(text));
            assertFound("+++", "damaged-manifest F036 of 4.delta.json");
        }
    }

    /// which nothing is wrong with but the clock
    @Test
    void aClockThatWentBackIsNoted() throws IOException {
        Manifest last = tools.manifest(3);
        for (Manifest strange : List.of(
                at(last, 4, last.time().minus(Duration.ofDays(30)), last.finished()),
                at(last, 4, last.time(), last.time().minusMillis(1)))) {
            for (String extension : List.of("zst", "index", "tree", "json")) {
                Path file = tools.file(3, extension);
                Files.deleteIfExists(file);
                Files.write(tools.volume.folder().resolve(strange.baseName() + "." + extension),
                        extension.equals("json") ? strange.encode() : written.get(file));
            }
            for (Depth depth : TestVault.DEPTHS) {
                Report report = tools.verify(depth);
                assertEquals(List.of("strange-time"), found(report, strange.baseName() + ".json"));
                assertTrue(report.sound());
                assertEquals("++++", points(report));
            }
            mend();
        }
    }

    private static Manifest at(Manifest m, long sequence, Instant time, Instant finished) {
        return new Manifest(m.kind(), m.volume(), m.volumeId(), sequence, m.previous(), m.original(), time, finished, m.label(), m.source(), m.host(),
                m.tool(), m.chunkLog(), m.state(), m.parent(), m.changedSize(), m.payloadSize(), m.file(), m.index(), m.seal());
    }

    /// {@return a manifest with the check that it ought to have}
    private static String sealed(String text) {
        int check = text.indexOf("  \"check\"");
        byte[] before = text.substring(0, check).getBytes(StandardCharsets.UTF_8);
        return text.substring(0, check) + "  \"check\": \"" + new SubtreeHasher().whole(MemorySegment.ofArray(before)) + "\"\n}\n";
    }

    /// at every depth
    private static void assertFound(String points, String... findings) {
        for (Depth depth : TestVault.DEPTHS) {
            Report report = tools.verify(depth);
            assertEquals(List.of(findings), found(report, ""));
            assertFalse(report.sound());
            assertEquals(points, points(report));
        }
    }

    private static Damage damage(String kind, String extension, String region, int archive, byte[] good) throws IOException {
        int[] range = region(archive, extension, region, good.length);
        int middle = (range[0] + range[1]) / 2;
        return switch (kind) {
            case "flip a bit" -> Damage.flip(middle, 3);
            case "flip a digit" -> Damage.flip(new String(good, StandardCharsets.UTF_8).indexOf("\"root\": \"") + 10, 0);
            case "zero a sector" -> Damage.zeroSector(middle);
            case "tear" -> Damage.tear(middle, new byte[good.length]);
            case "cut off" -> Damage.truncate(middle);
            case "empty" -> Damage.truncate(0);
            case "append" -> Damage.append((byte) 0);
            case "swap frames" -> swap(archive);
            case "stale" -> Damage.become("stale", Files.readAllBytes(stale.file(archive, extension)));
            case "foreign" -> Damage.become("foreign", Files.readAllBytes(foreign.file(archive, extension)));
            case "other archive" -> Damage.become("another", Files.readAllBytes(tools.file(archive + 1, extension)));
            case "remove" -> null;
            default -> throw new IllegalArgumentException(kind);
        };
    }

    /// two frames of a full in each other's place, of one size, or all frames of a delta
    private static Damage swap(int archive) throws IOException {
        List<Node.Frame> frames = new ArrayList<>(frames(archive).keySet());
        Node.Frame one = archive == FULL ? frames.get(4) : frames.getFirst();
        Node.Frame other = archive == FULL ? frames.get(20) : frames.getLast();
        return Damage.exchange((int) one.position(), one.size(), (int) other.position(), other.size());
    }

    /// {@return the data frames of an archive, each with the chunks in it}
    private static Map<Node.Frame, List<Long>> frames(int archive) throws IOException {
        Map<Node.Frame, List<Long>> frames = new LinkedHashMap<>();
        try (Index index = Index.open(tools.file(archive, "index"), 0, tools.manifest(archive))) {
            for (long row = 0; row < index.nodes(); row++) {
                Node node = index.node(row);
                for (long chunk = node.chunk(); node.frame().size() > 0 && chunk < node.end(); chunk++) {
                    frames.computeIfAbsent(node.frame(), f -> new ArrayList<>()).add(chunk);
                }
            }
        }
        return frames;
    }

    /// {@return where a region begins and ends}
    private static int[] region(int archive, String extension, String region, int size) throws IOException {
        try (Index index = Index.open(tools.file(archive, "index"), 0, tools.manifest(archive))) {
            Summary summary = index.summary();
            int tables = extension.equals("zst") ? (int) summary.indexPosition() : 0;
            int nodes = tables + (int) summary.nodeRows() - Summary.tableHeadSize();
            int end = tables + (int) summary.indexSize();
            return switch (region) {
                case "file" -> new int[] {0, size};
                case "header" -> new int[] {0, 104};
                case "frame" -> frame(archive, archive == FULL ? 17 : 10);
                case "zeros" -> frame(archive, 32);
                case "extents" -> new int[] {tables, nodes};
                case "nodes" -> new int[] {nodes, end - Summary.FRAME_SIZE};
                case "summary" -> new int[] {end - Summary.FRAME_SIZE, end};
                case "seek" -> new int[] {end, size};
                case "head" -> new int[] {0, FileTree.HEAD_SIZE};
                case "values" -> new int[] {FileTree.HEAD_SIZE, size};
                default -> throw new IllegalArgumentException(region);
            };
        }
    }

    private static int[] frame(int archive, long chunk) throws IOException {
        for (Map.Entry<Node.Frame, List<Long>> frame : frames(archive).entrySet()) {
            if (frame.getValue().contains(chunk)) {
                return new int[] {(int) frame.getKey().position(), (int) frame.getKey().end()};
            }
        }
        throw new IllegalArgumentException("chunk " + chunk);
    }

    // ---- what has to be found, by the bytes

    /// {@return the groups that have changed, which follow each other in all of these rows, as a finding}
    private static String range(byte[] good, byte[] bad) {
        int[] groups = IntStream.range(0, (good.length + GROUP - 1) / GROUP).filter(group -> changed(good, bad, group * GROUP, GROUP)).toArray();
        int from = groups[0] * GROUP;
        int to = Math.min(good.length, (groups[groups.length - 1] + 1) * GROUP);
        assertEquals(groups.length, groups[groups.length - 1] - groups[0] + 1);
        return "damaged-range F038 at " + from + " to " + to;
    }

    private static boolean changed(byte[] good, byte[] bad, int from, int size) {
        int to = Math.min(good.length, from + size);
        return bad.length < to || !Arrays.equals(good, from, to, bad, from, to);
    }

    /// {@return the chunks whose payload is not what it was, where their frames should be}
    private static List<Long> chunks(int archive, byte[] good, byte[] bad) throws IOException {
        TreeSet<Long> chunks = new TreeSet<>();
        try (Index index = Index.open(tools.file(archive, "index"), 0, tools.manifest(archive))) {
            for (long row = 0; row < index.nodes(); row++) {
                Node node = index.node(row);
                Node.Frame frame = node.frame();
                if (frame.size() > 0 && changed(good, bad, (int) frame.position(), frame.size())) {
                    byte[] right = content(good, frame);
                    byte[] found = content(bad, frame);
                    boolean last = row + 1 == index.nodes() || !index.node(row + 1).frame().equals(frame);
                    int end = last ? right.length : index.node(row + 1).payloadAt();
                    if (node.zero() || !Arrays.equals(right, node.payloadAt(), end, found, Math.min(node.payloadAt(), found.length), Math.min(end, found.length))) {
                        LongStream.range(node.chunk(), node.end()).forEach(chunks::add);
                    }
                }
            }
        }
        return List.copyOf(chunks);
    }

    /// {@return what a frame holds; nothing, if it is none}
    private static byte[] content(byte[] file, Node.Frame frame) {
        try (Arena arena = Arena.ofConfined();
                FrameDecoder decoder = new FrameDecoder()) {
            MemorySegment bytes = arena.allocate(frame.size());
            MemorySegment.copy(file, (int) frame.position(), bytes, ValueLayout.JAVA_BYTE, 0, frame.size());
            MemorySegment content = arena.allocate(frame.contentSize());
            return decoder.decode(bytes, content) ? content.toArray(ValueLayout.JAVA_BYTE) : new byte[0];
        }
    }

    // ---- what was found

    private static List<Long> chunks(Report report) {
        TreeSet<Long> chunks = new TreeSet<>();
        for (Finding finding : report.findings()) {
            if (finding instanceof Finding.DamagedChunks damaged) {
                assertEquals(0, damaged.offset() % CHUNK);
                for (long offset = damaged.offset(); offset < damaged.offset() + damaged.size(); offset += CHUNK) {
                    chunks.add(offset / CHUNK);
                }
            }
        }
        return List.copyOf(chunks);
    }

    private static List<String> found(Report report, String file) {
        List<String> found = new ArrayList<>();
        for (Finding finding : report.findings()) {
            String place = finding instanceof Finding.DamagedRange range ? " at " + range.position() + " to " + (range.position() + range.size()) : "";
            String other = finding.file().equals(file) ? "" : " of " + finding.file().replaceAll("tools.2026110(.)T020000.000Z", "$1");
            if (!(finding instanceof Finding.DamagedChunks)) {
                found.add(finding.kind() + finding.rule().map(rule -> " " + rule).orElse("") + place + other);
            }
        }
        return found;
    }
}
