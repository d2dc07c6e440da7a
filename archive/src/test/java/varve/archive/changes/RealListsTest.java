package varve.archive.changes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.block.RefusedException;
import varve.archive.changes.ChangeSource.Kind;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

/// Lists that real tools made of real devices: what differs between the two images is listed.
class RealListsTest {

    private static final Path FIXTURES = TestFiles.root().resolve("fixtures");
    private static final int BLOCK = 4096;

    /// device ids of the thin fixtures
    private static final Map<Integer, String> THIN = Map.of(
            2, "thin-a.s1", 3, "thin-a.s2", 4, "thin-b.s3", 5, "thin-b.u1", 6, "thin-b.s4", 8, "thin-d.f1", 9, "thin-d.f2");

    @TempDir
    Path folder;

    @BeforeEach
    void needZstd() {
        assumeTrue(Tools.find("zstd").isPresent(), "needs zstd");
    }

    private static byte[] image(String name) throws IOException {
        return Tools.unzstd(FIXTURES.resolve(name + ".img.zst")).orElseThrow();
    }

    private Path store(String name) throws IOException {
        return Files.write(folder.resolve("store"), image("dmsnap/" + name));
    }

    private static ChangeList read(Kind kind, Path file, long size) throws IOException {
        return new ChangeSource(kind, file, OptionalLong.empty()).read(size);
    }

    /// {@return how many blocks differ} and checks that all of them are listed
    private static int assertLists(ChangeList list, byte[] before, byte[] after) {
        assertEquals(after.length, list.size());
        int differing = 0;
        for (int at = 0; at < after.length; at += BLOCK) {
            int end = Math.min(after.length, at + BLOCK);
            boolean same = end <= before.length && Arrays.equals(before, at, end, after, at, end);
            if (!same) {
                differing++;
                assertEquals(at, list.listedFrom(at), "block at " + at + " differs and is not listed");
            }
        }
        return differing;
    }

    @ParameterizedTest
    @CsvSource({
        "std-4k, 334, 4096", "std-16k, 87, 16384", "std-64k, 26, 65536", "std-512k, 8, 524288", "areas-4k, 700, 4096",
        "area-full-4k, 256, 4096", "empty-4k, 0, 4096", "reactivated-4k, 768, 4096", "ext4live-4k, 40, 4096"
    })
    void aSnapshotStoreListsWhatWasOverwritten(String name, int exceptions, int chunk) throws IOException {
        byte[] after = image("dmsnap/" + name + ".after");
        ChangeList list = read(Kind.LVM_COW, store(name + ".cow"), after.length);
        int differing = assertLists(list, image("dmsnap/" + name + ".before"), after);
        assertEquals((long) exceptions * chunk, list.listedSize());
        assertEquals(0, list.outside());
        assertEquals(exceptions == 0, differing == 0);
    }

    @Test
    void aStoreInTheMiddleOfAMergeIsReadAsFarAsItGoes() throws IOException {
        assertEquals(108 * 4096, read(Kind.LVM_COW, store("merge.cow-mid"), 16 << 20).listedSize());
    }

    @Test
    void anOverflowedStoreIsRefused() throws IOException {
        Path store = store("overflow-4k.cow");
        IOException e = assertThrows(RefusedException.class, () -> read(Kind.LVM_COW, store, 16 << 20));
        assertTrue(e.getMessage().contains("overflowed"), e::getMessage);
    }

    @Test
    void aStoreOfALargerDeviceIsRefused() throws IOException {
        Path store = store("areas-4k.cow");
        IOException e = assertThrows(RefusedException.class, () -> read(Kind.LVM_COW, store, 4 << 20));
        assertTrue(e.getMessage().contains("another device"), e::getMessage);
    }

    @Test
    void aStoreCutAnywhereOrWithAnyByteFlippedNeverGivesMoreThanOneClearError() throws IOException {
        byte[] whole = image("dmsnap/std-4k.cow");
        Path store = folder.resolve("store");
        int refused = 0;
        for (int size = 0; size < 4 * BLOCK; size += size < 64 ? 1 : 511) {
            Files.write(store, Arrays.copyOf(whole, size));
            assertThrows(RefusedException.class, () -> read(Kind.LVM_COW, store, 16 << 20));
        }
        byte[] start = Arrays.copyOf(whole, 700 * BLOCK);
        for (int at = 0; at < 2 * BLOCK; at += at < 16 || at >= BLOCK && at < BLOCK + 512 ? 1 : 97) {
            start[at] ^= (byte) 0x81;
            Files.write(store, start);
            start[at] ^= (byte) 0x81;
            try {
                read(Kind.LVM_COW, store, 16 << 20);
            } catch (RefusedException e) {
                refused++;
            }
        }
        assertTrue(refused > 100, refused + " refused");
    }

    @ParameterizedTest
    @ValueSource(strings = {"thin-a.delta-2-3", "thin-a.delta-3-2", "thin-b.delta-2-4", "thin-b.delta-2-5", "thin-b.delta-2-6", "thin-b.delta-3-6", "thin-d.delta-8-9"})
    void thinDeltaListsWhatDiffersInBothForms(String name) throws IOException {
        String[] parts = name.split("-");
        byte[] before = image("thin/" + THIN.get(Integer.valueOf(parts[2])));
        byte[] after = image("thin/" + THIN.get(Integer.valueOf(parts[3])));
        ChangeList list = read(Kind.THIN_DELTA, FIXTURES.resolve("thin/" + name + ".xml"), after.length);
        assertTrue(assertLists(list, Arrays.copyOf(before, after.length), after) > 0);
        Path verbose = FIXTURES.resolve("thin/" + name.replace("delta", "delta-verbose") + ".xml");
        ChangeList other = read(Kind.THIN_DELTA, verbose, after.length);
        assertEquals(list.listedSize(), other.listedSize());
        assertLists(other, Arrays.copyOf(before, after.length), after);
    }

    @Test
    void aThinDeltaWithoutDifferencesIsValidAndEmpty() throws IOException {
        assertEquals(0, read(Kind.THIN_DELTA, FIXTURES.resolve("thin/thin-a-same.delta-1-2.xml"), 32 << 20).listedSize());
    }

    @Test
    void aThinDeltaCutAnywhereIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(FIXTURES.resolve("thin/thin-a.delta-2-3.xml"));
        int end = new String(whole, java.nio.charset.StandardCharsets.US_ASCII).strip().length();
        Path file = folder.resolve("cut.xml");
        for (int size = 0; size < end; size++) {
            Files.write(file, Arrays.copyOf(whole, size));
            assertThrows(RefusedException.class, () -> read(Kind.THIN_DELTA, file, 32 << 20));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"fd", "plain", "striped"})
    void rbdDiffListsWhatDiffersAlsoWhenTheImageGrowsAndShrinks(String name) throws IOException {
        for (List<String> pair : List.of(List.of("s1", "s2"), List.of("s2", "s3"), List.of("s1", "s3"), List.of("s3", "s4"))) {
            byte[] before = image("rbd/" + name + "." + pair.getFirst());
            byte[] after = image("rbd/" + name + "." + pair.getLast());
            for (String form : List.of("", ".whole")) {
                Path file = FIXTURES.resolve("rbd/" + name + "." + pair.getFirst() + "-" + pair.getLast() + form + ".json");
                // what is past the end of the smaller one is read in any case
                assertLists(read(Kind.RBD_DIFF, file, after.length), Arrays.copyOf(before, after.length), after);
            }
        }
        assertEquals(0, read(Kind.RBD_DIFF, FIXTURES.resolve("rbd/" + name + ".s4-s5.json"), 20 << 20).listedSize());
    }

    @Test
    void allFormsOfAnRbdDiffSayTheSame() throws IOException {
        long size = 24 << 20;
        ChangeList json = read(Kind.RBD_DIFF, FIXTURES.resolve("rbd/fd.s1-s2.json"), size);
        for (String form : List.of("xml", "txt")) {
            ChangeList other = read(Kind.RBD_DIFF, FIXTURES.resolve("rbd/fd.s1-s2." + form), size);
            for (long at = 0; at < size; at += BLOCK) {
                assertEquals(json.listedFrom(at), other.listedFrom(at));
            }
        }
    }

    @Test
    void anRbdDiffInJsonOrXmlThatIsCutOffIsRefused() throws IOException {
        for (String form : List.of("json", "xml")) {
            byte[] whole = Files.readAllBytes(FIXTURES.resolve("rbd/fd.s1-s2." + form));
            Path file = folder.resolve("cut");
            for (int size = 0; size < new String(whole, java.nio.charset.StandardCharsets.US_ASCII).strip().length(); size++) {
                Files.write(file, Arrays.copyOf(whole, size));
                assertThrows(RefusedException.class, () -> read(Kind.RBD_DIFF, file, 24 << 20));
            }
        }
    }
}
