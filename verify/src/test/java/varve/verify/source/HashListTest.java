package varve.verify.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.block.RefusedException;
import varve.archive.format.State;
import varve.archive.format.UnsupportedException;
import varve.testdata.Damage;
import varve.testdata.Images;
import varve.testdata.TestFiles;
import varve.verify.TestVault;

/// A list comes back as it was written, a damaged one does not pass, and differences are found whatever the cut.
final class HashListTest {

    private static final int CHUNK = TestVault.CHUNK;
    private static final Instant TIME = Instant.parse("2026-11-20T02:00:00.123Z");

    @TempDir
    Path folder;

    private Path list;
    private byte[] image;

    @BeforeEach
    void write() throws IOException {
        image = Images.noise(3, 9 * CHUNK + 100);
        Arrays.fill(image, 4 * CHUNK, 8 * CHUNK, (byte) 0);
        list = write("list", image);
    }

    private Path write(String name, byte[] content) throws IOException {
        Path path = folder.resolve(name);
        try (HashListWriter writer = new HashListWriter(path)) {
            State state = hash(content, writer);
            writer.commit(new HashList.Head(state, 16, TIME, "/dev/vg/to ols"));
        }
        return path;
    }

    private static State hash(byte[] content, HashList.Taker taker) throws IOException {
        return new SourceHasher(16, 1, p -> {}).hash(new ByteArrayInputStream(content), taker);
    }

    private static List<HashList.Entry> read(Path path) throws IOException {
        List<HashList.Entry> entries = new ArrayList<>();
        try (HashListReader reader = new HashListReader(path)) {
            for (HashList.Entry entry = reader.next(); entry != null; entry = reader.next()) {
                entries.add(entry);
            }
        }
        return entries;
    }

    private List<String> compare(byte[] now) throws IOException {
        List<String> ranges = new ArrayList<>();
        try (HashListReader reader = new HashListReader(list)) {
            HashComparison comparison = new HashComparison(reader, (offset, size) -> ranges.add(offset + "+" + size));
            comparison.finish(hash(now, comparison).size());
            assertEquals(ranges.size(), comparison.ranges());
        }
        return ranges;
    }

    @Test
    void listComesBackAsItWasWritten() throws IOException {
        List<HashList.Entry> entries = new ArrayList<>();
        State state = hash(image, entries::add);
        assertEquals(entries, read(list));
        try (HashListReader reader = new HashListReader(list)) {
            assertEquals(new HashList.Head(state, 16, TIME, "/dev/vg/to ols"), reader.head());
        }
        List<String> lines = Files.readAllLines(list);
        assertEquals("varve-hashes-1 589924 65536 " + state.root() + " 2026-11-20T02:00:00.123Z /dev/vg/to ols", lines.getFirst());
        assertEquals("262144 262144 " + entries.get(4).hash() + " zero", lines.get(5));
        try (var files = Files.list(folder)) {
            assertEquals(List.of(list), files.toList());
        }
    }

    @Test
    void exampleOfThePageIsThatOfItsImage() throws IOException {
        byte[] device = new byte[100_000];
        System.arraycopy("Sand.\n".repeat(100).getBytes(StandardCharsets.US_ASCII), 0, device, 0, 600);
        System.arraycopy("Clay.\n".repeat(100).getBytes(StandardCharsets.US_ASCII), 0, device, 8192, 600);
        String page = Files.readString(TestFiles.root().resolveSibling("docs/FORMAT.md"));
        List<String> example = page.substring(page.indexOf("\n## 12.")).lines()
                .filter(line -> line.matches("    (varve-hashes-1 )?\\d.*"))
                .map(String::strip)
                .toList();
        List<HashList.Entry> entries = new ArrayList<>();
        State state = hash(device, entries::add);
        assertEquals(state, HashList.Head.decode(example.getFirst(), "page").state());
        assertEquals(entries.stream().map(HashList.Entry::encode).toList(), example.subList(1, example.size()));
    }

    @Test
    void everyDecodedLineEncodesToItself() throws IOException {
        for (String line : Files.readAllLines(list)) {
            assertEquals(line, line.startsWith("varve") ? HashList.Head.decode(line, "x").encode() : HashList.Entry.decode(line, "x").encode());
        }
        HashList.Head odd = new HashList.Head(new State(hash(image, e -> {}).root(), 5), 18, TIME, "a\\b\n\u0001 ü\\u0041");
        assertEquals(odd, HashList.Head.decode(odd.encode(), "x"));
        assertFalse(odd.encode().contains("\n"));
    }

    @Test
    void emptyDeviceHasAHeadAlone() throws IOException {
        Path empty = write("empty", new byte[0]);
        assertEquals(1, Files.readAllLines(empty).size());
        assertEquals(List.of(), read(empty));
    }

    @Test
    void existingFileIsNotOverwritten() throws IOException {
        byte[] before = Files.readAllBytes(list);
        assertThrows(RefusedException.class, () -> new HashListWriter(list));
        assertArrayEquals(before, Files.readAllBytes(list));
    }

    @Test
    void listThatIsNotCommittedIsNotThere() throws IOException {
        try (HashListWriter writer = new HashListWriter(folder.resolve("new"))) {
            hash(image, writer);
        }
        try (var files = Files.list(folder)) {
            assertEquals(List.of(list), files.toList());
        }
    }

    @Test
    void laterVersionIsUnsupported() throws IOException {
        Files.writeString(list, Files.readString(list).replace("hashes-1", "hashes-2"));
        assertThrows(UnsupportedException.class, () -> new HashListReader(list));
    }

    @Test
    void damageIsAnError() throws IOException {
        byte[] good = Files.readAllBytes(list);
        int head = new String(good, StandardCharsets.UTF_8).indexOf(" 2026-"); // time and source are words for people
        int lines = new String(good, StandardCharsets.UTF_8).indexOf('\n');
        for (int position = 0; position < good.length; position++) {
            if (position >= head && position < lines) {
                continue;
            }
            for (int bit = 0; bit < 8; bit++) {
                check(Damage.flip(position, bit), good);
            }
        }
        Damage.everyTruncation(good.length).forEach(damage -> check(damage, good));
        check(Damage.append((byte) '\n'), good);
        check(Damage.append(Arrays.copyOfRange(good, lines + 1, good.length)), good);
    }

    private void check(Damage damage, byte[] good) {
        assertThrows(IOException.class, () -> {
            Files.write(list, damage.of(good));
            read(list);
        }, damage::toString);
    }

    @Test
    void sameBytesDoNotDiffer() throws IOException {
        assertEquals(List.of(), compare(image));
    }

    @Test
    void differencesAreFoundWhateverTheCut() throws IOException {
        byte[] now = image.clone();
        now[CHUNK + 5] ^= 1;
        now[2 * CHUNK] ^= 1;
        now[5 * CHUNK] = 1; // in the zero run
        now[now.length - 1] ^= 1;
        assertEquals(List.of(CHUNK + "+" + 2 * CHUNK, 5 * CHUNK + "+" + CHUNK, 9 * CHUNK + "+100"), compare(now));
        Arrays.fill(now = image.clone(), 3 * CHUNK, 4 * CHUNK, (byte) 0); // the zero run is longer now
        assertEquals(List.of(3 * CHUNK + "+" + CHUNK), compare(now));
    }

    @Test
    void sizesDiffer() throws IOException {
        assertEquals(List.of(9 * CHUNK + "+" + 2 * CHUNK), compare(Arrays.copyOf(image, 11 * CHUNK)));
        assertEquals(List.of(2 * CHUNK + "+" + (image.length - 2 * CHUNK)), compare(Arrays.copyOf(image, 2 * CHUNK)));
        assertEquals(List.of("0+" + image.length), compare(new byte[0]));
        list = write("empty", new byte[0]);
        assertEquals(List.of("0+" + image.length), compare(image));
    }
}
