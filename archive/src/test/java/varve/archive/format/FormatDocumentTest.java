package varve.archive.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.block.Geometry;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.codec.FrameDecoder;
import varve.archive.codec.ZeroFrame;
import varve.archive.file.ArchiveFile;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.hash.TreeMerge;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeSettings;
import varve.testdata.TestFiles;

/// docs/FORMAT.md is true: its rules are those of [Rule] and of `testdata/bad`, its example restores from what is printed on
/// the page, and its vectors are what our records and hashes say too. (The page's numbers come from Python, b3sum and zstd.)
class FormatDocumentTest {

    private static final String FULL = "example.20261101T020000.123Z.full";
    private static final String DELTA = "example.20261102T020000.123Z.delta";
    private static final int EXAMPLE_SIZE = 100_000;
    private static final Pattern DUMP = Pattern.compile(" +(\\d+)  ((?:[0-9A-F]{2} )*[0-9A-F]{2})(?:  .*)?");
    private static final Pattern COPY = Pattern.compile("`(\\S+)\\.index` is a copy of the (\\d+) bytes from position (\\d+) on\\.");
    private static final HexFormat HEX = HexFormat.ofDelimiter(" ").withUpperCase();

    private static String page;

    @TempDir
    Path folder;

    @BeforeAll
    static void readPage() throws IOException {
        page = Files.readString(TestFiles.root().resolveSibling("docs/FORMAT.md"));
    }

    @Test
    void rulesOfThePageTheEnumAndTheBadVolumesAreTheSame() throws IOException {
        Set<String> code = Arrays.stream(Rule.values()).map(Rule::name).collect(Collectors.toCollection(TreeSet::new));
        List<String> numbers = Pattern.compile("(?m)^- \\*\\*(F\\d{3})\\*\\* |\\| \\*\\*(F\\d{3})\\*\\* \\|$").matcher(page).results()
                .map(m -> m.group(1) != null ? m.group(1) : m.group(2))
                .toList();
        assertEquals(code, new TreeSet<>(numbers), "rules that the page states");
        assertEquals(code.size(), numbers.size(), "a rule is stated once");
        Set<String> mentioned = Pattern.compile("F\\d{3}").matcher(page.substring(0, page.indexOf("\n## 10.")))
                .results().map(MatchResult::group).collect(Collectors.toSet());
        assertTrue(code.containsAll(mentioned), "rules that the page mentions");
        assertEquals(code, bad(volume -> volume.rule()), "rules that a bad volume breaks");
        assertEquals(code, bad(volume -> volume.toString().substring(0, 4)), "names of the bad volumes");
    }

    private static Set<String> bad(java.util.function.Function<TestFiles.BadVolume, String> what) throws IOException {
        return TestFiles.bad().stream().map(what).collect(Collectors.toCollection(TreeSet::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {FULL, DELTA})
    void exampleIsTheGoldenVolume(String base) throws IOException {
        writeExample();
        for (String suffix : List.of(".zst", ".json", ".index", ".tree")) {
            Path golden = TestFiles.root().resolve("golden/example").resolve(base + suffix);
            assertArrayEquals(Files.readAllBytes(golden), Files.readAllBytes(folder.resolve(base + suffix)), base + suffix);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {FULL, DELTA})
    void structuresOfTheExampleDecodeAndEncodeToTheSameBytes(String base) throws IOException {
        byte[] text = text(base + ".json").getBytes(StandardCharsets.UTF_8);
        Manifest manifest = Manifest.decode(text, base);
        assertArrayEquals(text, manifest.encode());
        assertEquals(base, manifest.baseName());

        MemorySegment file = memory(dump(base + ".zst"));
        assertEquals(new Manifest.Digest(file.byteSize(), new SubtreeHasher().whole(file)), manifest.file());
        Header header = Header.decode(file, base);
        MemorySegment encoded = memory(new byte[(int) file.byteSize()]);
        header.encode(encoded);

        MatchResult copy = indexOf(base);
        MemorySegment region = file.asSlice(Long.parseLong(copy.group(3)), Long.parseLong(copy.group(2)));
        assertEquals(new Manifest.Digest(region.byteSize(), new SubtreeHasher().whole(region)), manifest.index());
        Summary summary = Summary.decode(region, base);
        assertEquals(header, summary.header());
        assertEquals(manifest.state(), summary.state());
        assertEquals(region.byteSize(), summary.indexSize());
        MemorySegment index = encoded.asSlice(summary.indexPosition(), summary.indexSize());
        Summary.encodeExtentHead(index, summary.extents());
        for (long at = Summary.extentRows(), row = 0; row < summary.extents(); row++, at += Extent.SIZE) {
            Extent.decode(region, at, base).encode(index, at);
        }
        Summary.encodeNodeHead(index.asSlice(summary.nodeRows() - Summary.tableHeadSize()), summary.nodes());
        for (long at = summary.nodeRows(), row = 0; row < summary.nodes(); row++, at += Node.SIZE) {
            Node node = Node.decode(region, at, base);
            node.encode(index, at);
            frame(summary, node, file, encoded);
        }
        summary.encode(index.asSlice(summary.indexSize() - Summary.FRAME_SIZE));

        long seekTable = summary.indexPosition() + summary.indexSize();
        assertEquals(-1, encoded.asSlice(0, seekTable).mismatch(file.asSlice(0, seekTable)), "first byte that differs");
    }

    @Test
    void settingsOfTheExampleDecodeAndEncodeToTheSameBytes() throws IOException {
        byte[] golden = Files.readAllBytes(TestFiles.root().resolve("golden/settings").resolve(VolumeSettings.FILE));
        String indented = new String(golden, StandardCharsets.UTF_8).lines().map(line -> "    " + line + "\n").collect(Collectors.joining());
        assertTrue(page.contains("\n\n" + indented + "\n"), "the page has the golden settings");
        VolumeSettings settings = VolumeSettings.decode(golden, "golden");
        assertArrayEquals(golden, settings.encode());
        assertEquals("last 1, within 1y6m14d12h, daily 7, weekly 4, in the calendar of Europe/Vienna", settings.policy().orElseThrow().toString());
        assertEquals("4", settings.protectedPoints().toString());
        assertEquals("2-3 6-7", settings.expired().toString());
    }

    /// Encodes a zero frame; decodes and copies another, since its bytes are the compressor's choice.
    private static void frame(Summary summary, Node node, MemorySegment file, MemorySegment encoded) {
        Node.Frame place = node.frame();
        MemorySegment into = encoded.asSlice(place.position(), place.size());
        if (node.zero()) {
            assertEquals(place.size(), ZeroFrame.encode(place.contentSize(), into));
            return;
        }
        into.copyFrom(file.asSlice(place.position(), place.size()));
        MemorySegment content = memory(new byte[place.contentSize()]);
        try (FrameDecoder decoder = new FrameDecoder()) {
            assertTrue(decoder.decode(into, content));
        }
        if (summary.header().kind() == Kind.FULL) {
            assertEquals(node.hash(), new SubtreeHasher().subtree(content, summary.geometry().offset(node.chunk())));
        }
    }

    @Test
    void exampleRestoresFromThePage() throws IOException {
        writeExample();
        List<StoredArchive> archives = new Volume("example", folder).read().sound().archives();
        assertEquals(2, archives.size());
        for (StoredArchive archive : archives) {
            try (ArchiveFile file = archive.openData(); Index index = archive.openIndex()) {
                file.checkSeekTable(index);
            }
            byte[] tree = dump(archive.tree().getFileName().toString());
            assertEquals(1, FileTree.decode(memory(tree), archive.manifest().file(), "tree").groups());
        }
        byte[] image = new byte[EXAMPLE_SIZE];
        fill(image, 0, "Sand.\n");
        fill(image, 2, "Clay.\n");
        assertArrayEquals(image, read(archives.subList(0, 1)));
        Arrays.fill(image, 0, 4096, (byte) 0);
        fill(image, 5, "Silt.\n");
        assertArrayEquals(image, read(archives));
    }

    @Test
    void chainingValues() {
        int seen = 0;
        for (List<String> row : table("Chaining values")) {
            long offset = number(row.get(0));
            assertEquals(row.get(2), new SubtreeHasher().subtree(pattern(offset, number(row.get(1))), offset).toString(), row::toString);
            seen++;
        }
        assertTrue(seen >= 9, "rows: " + seen);
    }

    @Test
    void chainingValuesOfZeros() {
        for (List<String> row : table("Chaining values of zeros")) {
            long offset = number(row.get(0));
            long size = number(row.get(1));
            assertEquals(row.get(2), new SubtreeHasher().zeros(offset, size).toString(), row::toString);
            assertEquals(row.get(2), new SubtreeHasher().subtree(Arena.ofAuto().allocate(size, 8), offset).toString(), row::toString);
        }
    }

    @Test
    void roots() {
        for (List<String> row : table("Roots")) {
            String root = row.getLast();
            long size = number(row.getFirst());
            if (row.size() == 2) {
                assertEquals(root, new SubtreeHasher().whole(pattern(0, size)).toString(), row::toString);
                assertEquals(root, rootOfChunks(new Geometry(size, 16)).toString(), row::toString);
            } else {
                assertEquals(root, rootOfZeros(new Geometry(size, 18), row.get(1)).toString(), row::toString);
            }
        }
    }

    private static Hash rootOfChunks(Geometry geometry) {
        if (geometry.chunks() <= 1) {
            return new SubtreeHasher().whole(pattern(0, geometry.size()));
        }
        TreeMerge merge = new TreeMerge();
        for (long chunk = 0; chunk < geometry.chunks(); chunk++) {
            long offset = geometry.offset(chunk);
            long length = geometry.length(chunk, 1);
            merge.add(new SubtreeHasher().subtree(pattern(offset, length), offset), length);
        }
        return merge.root();
    }

    private static Hash rootOfZeros(Geometry geometry, String nodes) {
        List<Long> counts = new ArrayList<>();
        TreeMerge merge = new TreeMerge();
        for (long chunk = 0; chunk < geometry.chunks(); ) {
            long count = geometry.zeroNode(chunk, geometry.chunks());
            long length = geometry.length(chunk, count);
            merge.add(new SubtreeHasher().zeros(geometry.offset(chunk), length), length);
            counts.add(count);
            chunk += count;
        }
        assertEquals(nodes, counts.stream().map(String::valueOf).collect(Collectors.joining(" + ")));
        return counts.size() > 1 ? merge.root() : new SubtreeHasher().whole(Arena.ofAuto().allocate(geometry.size(), 8));
    }

    @Test
    void zeroFrames() {
        for (List<String> row : table("Zero frames")) {
            long size = number(row.get(0));
            MemorySegment frame = memory(new byte[ZeroFrame.encodedSize(size)]);
            assertEquals(frame.byteSize(), ZeroFrame.encode(size, frame));
            assertEquals(row.get(1), HEX.formatHex(frame.toArray(ValueLayout.JAVA_BYTE)));
            assertTrue(ZeroFrame.is(size, memory(HEX.parseHex(row.get(1))), memory(new byte[(int) frame.byteSize()])));
        }
    }

    @Test
    void headers() throws IOException {
        for (List<String> row : table("Headers")) {
            MemorySegment frame = memory(new byte[Header.FRAME_SIZE]);
            Skippable.encode(frame, 0, Header.CONTENT_SIZE, Header.TAG);
            MemorySegment content = memory(HEX.parseHex(row.get(1)));
            frame.asSlice(Skippable.HEAD_SIZE).copyFrom(content);
            Header header = Header.decode(frame, row.get(0));
            assertTrue(row.get(0).startsWith(header.kind().word() + ", "), row::toString);
            MemorySegment encoded = memory(new byte[Header.FRAME_SIZE]);
            header.encode(encoded);
            assertEquals(-1, encoded.mismatch(frame), row::toString);
        }
    }

    // ---- the page

    /// Puts the files of the example into the folder, as the page shows them.
    private void writeExample() throws IOException {
        for (String base : List.of(FULL, DELTA)) {
            byte[] data = dump(base + ".zst");
            MatchResult copy = indexOf(base);
            int position = Integer.parseInt(copy.group(3));
            Files.write(folder.resolve(base + ".zst"), data);
            Files.write(folder.resolve(base + ".index"), Arrays.copyOfRange(data, position, position + Integer.parseInt(copy.group(2))));
            Files.write(folder.resolve(base + ".tree"), dump(base + ".tree"));
            Files.writeString(folder.resolve(base + ".json"), text(base + ".json"));
        }
    }

    private static MatchResult indexOf(String base) {
        return COPY.matcher(page).results().filter(m -> m.group(1).equals(base)).findFirst().orElseThrow();
    }

    /// {@return the lines below a heading of the third level}
    private static Stream<String> below(String heading) {
        Matcher matcher = Pattern.compile("(?m)^### " + Pattern.quote(heading) + "(, [0-9]+ bytes)?$").matcher(page);
        assertTrue(matcher.find(), heading);
        return page.substring(matcher.end()).lines().skip(1).takeWhile(line -> !line.startsWith("##"));
    }

    /// {@return the bytes of a file that is shown in hexadecimal}
    private static byte[] dump(String name) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        below("`" + name + "`").map(DUMP::matcher).filter(Matcher::matches).forEach(row -> {
            assertEquals(bytes.size(), Integer.parseInt(row.group(1)), "position in " + name);
            bytes.writeBytes(HEX.parseHex(row.group(2)));
        });
        assertTrue(page.contains("### `" + name + "`, " + bytes.size() + " bytes\n"), "size of " + name);
        return bytes.toByteArray();
    }

    /// {@return the text of a file that is shown indented by four spaces}
    private static String text(String name) {
        return below("`" + name + "`").filter(line -> line.startsWith("    ")).map(line -> line.substring(4) + "\n").collect(Collectors.joining());
    }

    /// {@return the rows of all tables below a heading, without their heads and without backticks}
    private static List<List<String>> table(String heading) {
        List<String> lines = below(heading).filter(line -> line.startsWith("|")).toList();
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            boolean head = lines.get(i).startsWith("|---") || i + 1 < lines.size() && lines.get(i + 1).startsWith("|---");
            if (!head) {
                rows.add(Arrays.stream(lines.get(i).split("\\|")).skip(1).map(cell -> cell.strip().replace("`", "")).toList());
            }
        }
        assertFalse(rows.isEmpty(), heading);
        return rows;
    }

    private static long number(String text) {
        return Long.parseLong(text.replace(",", ""));
    }

    // ---- what it speaks of

    /// {@return a part of the device whose byte at offset i is i mod 251}
    private static MemorySegment pattern(long offset, long size) {
        byte[] bytes = new byte[Math.toIntExact(size)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) ((offset + i) % 251);
        }
        return memory(bytes);
    }

    private static void fill(byte[] image, int block, String line) {
        byte[] lines = line.repeat(100).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(lines, 0, image, block * 4096, lines.length);
    }

    private static byte[] read(List<StoredArchive> path) throws IOException {
        try (ChainImage image = new ChainImage(Chain.open(path))) {
            MemorySegment bytes = memory(new byte[Math.toIntExact(image.size())]);
            image.read(0, bytes);
            return bytes.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static MemorySegment memory(byte[] bytes) {
        return Arena.ofAuto().allocate(Math.max(1, bytes.length), 8).asSlice(0, bytes.length).copyFrom(MemorySegment.ofArray(bytes));
    }
}
