package varve.archive.changes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.block.RefusedException;
import varve.archive.changes.ChangeSource.Kind;

/// The set of blocks, and the plain lists it is filled from.
class ChangeListTest {

    private static final String ROOT = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

    @TempDir
    Path folder;

    private ChangeList read(Kind kind, String text, long size, OptionalLong unit) throws IOException {
        Path file = Files.writeString(folder.resolve("list"), text);
        return new ChangeSource(kind, file, unit).read(size);
    }

    private ChangeList extents(String text, long size) throws IOException {
        return read(Kind.EXTENTS, text, size, OptionalLong.empty());
    }

    @Test
    void rangesInAnyOrderAreUnitedAndClipped() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            long size = random.nextInt(1, 3 << 20);
            int blocks = (int) ((size + 4095) / 4096);
            ChangeList list = new ChangeList(size);
            BitSet model = new BitSet();
            long outside = 0;
            for (int i = random.nextInt(20); i > 0; i--) {
                long offset = random.nextLong(size + 10_000);
                long length = random.nextBoolean() ? random.nextLong(20_000) : random.nextLong(size);
                list.add(offset, length);
                long end = Math.min(size, offset + length);
                outside += Math.max(0, offset + length - Math.max(offset, size));
                if (offset < end) {
                    model.set((int) (offset / 4096), (int) ((end - 1) / 4096) + 1);
                }
            }
            assertEquals(outside, list.outside(), "seed " + seed);
            long listed = 0;
            for (int block = 0; block < blocks; block++) {
                long offset = block * 4096L;
                int next = model.nextSetBit(block);
                assertEquals(next < 0 ? size : next * 4096L, list.listedFrom(offset), "seed " + seed);
                assertEquals(Math.min(size, model.nextClearBit(block) * 4096L), list.unlistedFrom(offset), "seed " + seed);
                listed += model.get(block) ? Math.min(4096, size - offset) : 0;
            }
            assertEquals(listed, list.listedSize(), "seed " + seed);
        }
    }

    @Test
    void ofALargeDeviceABitStandsForMoreAndNothingIsLost() {
        ChangeList list = new ChangeList(1L << 50);
        list.add((1L << 49) + 5, 1);
        long at = list.listedFrom(0);
        assertTrue(at <= (1L << 49) + 5 && list.unlistedFrom(at) > (1L << 49) + 5);
        assertTrue(list.listedSize() <= 1L << 21);
    }

    @Test
    void ourOwnListSaysWhereItStarts() throws IOException {
        ChangeList list = extents("varve-extents 1\nsize 1048576\nsince " + ROOT + "\n0 4096\n8192 1\nend 2\n", 1 << 20);
        assertEquals(8192, list.listedSize());
        assertEquals(ROOT, list.since().orElseThrow().toString());
        assertEquals(0, extents("varve-extents 1\nsize 1048576\nend 0\n", 1 << 20).listedSize());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "\n", "0 4096\n", "varve-extents 2\nsize 1048576\nend 0\n", "varve-extents 1\nsize 1048576\n", "varve-extents 1\nsize 4096\nend 0\n",
        "varve-extents 1\nsize 1048576\n0 4096\nend 2\n", "varve-extents 1\nsize 1048576\n0 4096\nend 1\nmore\n", "varve-extents 1\nsize 1048576\n0 4096\nend 1",
        "varve-extents 1\nsize 1048576\n-1 4096\nend 1\n", "varve-extents 1\nsize 1048576\n0 99999999999999999999\nend 1\n",
        "varve-extents 1\nsize 1048576\n9223372036854775807 4096\nend 1\n", "varve-extents 1\nsize 1048576\nsince latest\nend 0\n", "[]", "{}", "[1]",
        "[{\"offset\":0}]", "{\"ranges\":[],\"count\":1}", "[{\"offset\":0,\"length\":4096,\"type\":3}", "[{\"offset\":0,\"length\":4096,\"type\":3}]]"
    })
    void aListThatIsNotWholeAndOfThisDeviceIsRefused(String text) {
        RefusedException e = assertThrows(RefusedException.class, () -> extents(text, 1 << 20));
        assertTrue(e.getMessage().contains("run without --changes"), e::getMessage);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"volume\":\"v\",\"from\":\"" + ROOT + "\",\"toSize\":1048576,\"ranges\":[{\"offset\":4096,\"size\":8192}],\"count\":1,\"bytes\":8192} | 8192",
        "[{\"offset\":0,\"length\":65536,\"type\":1,\"description\":\"dirty\"},{\"offset\":65536,\"length\":983040,\"type\":0,\"description\":\"clean\"}] | 65536",
        "[{\"start\":0,\"length\":4096,\"depth\":0,\"present\":true,\"zero\":false,\"data\":true},{\"start\":4096,\"length\":1044480,\"depth\":1,\"data\":true}] | 4096"
    })
    void listsOfOtherToolsAreUnderstood(String text, long listed) throws IOException {
        assertEquals(listed, extents(text, 1 << 20).listedSize());
    }

    @Test
    void anEraListCountsInBlocksOfItsUnit() throws IOException {
        String xml = "<blocks>\n  <block block=\"3\"/>\n  <range begin=\"5\" end = \"7\"/>\n</blocks>\n";
        ChangeList list = read(Kind.ERA, xml, 1 << 20, OptionalLong.of(65536));
        assertEquals(3 * 65536, list.listedSize());
        assertEquals(3 * 65536, list.listedFrom(0));
        assertEquals(5 * 65536, list.listedFrom(4 * 65536));
        assertThrows(RefusedException.class, () -> read(Kind.ERA, "<blocks><range begin=\"5\" end=\"5\"/></blocks>", 1 << 20, OptionalLong.of(1)));
        assertThrows(IllegalArgumentException.class, () -> ChangeSource.parse("era:x", OptionalLong.empty()));
    }

    @Test
    void aLongListIsReadToTheLastLine() throws IOException {
        Random random = new Random(3);
        BitSet model = new BitSet();
        StringBuilder text = new StringBuilder("varve-extents 1\nsize 1073741824\n");
        int count = 100_000;
        for (int i = 0; i < count; i++) {
            int block = random.nextInt(1 << 18);
            model.set(block);
            text.append(" ".repeat(random.nextInt(3))).append(block * 4096L).append(random.nextBoolean() ? " " : "\t ").append("4096").append(random.nextBoolean() ? "\n" : "\r\n");
        }
        ChangeList list = extents(text.append("end ").append(count).append('\n').toString(), 1 << 30);
        assertEquals(model.cardinality() * 4096L, list.listedSize());
        for (long block = model.nextSetBit(0); block >= 0; block = model.nextSetBit((int) block + 1)) {
            assertEquals(block * 4096, list.listedFrom(block * 4096));
        }
    }

    @Test
    void numbersInJsonMayBeTextsAndNothingElse() throws IOException {
        assertEquals(4096, extents("[{\"offset\": \"8192\", \"length\": 4096, \"type\": 1}]", 1 << 20).listedSize());
        for (String wrong : new String[] {"-1", "1.5", "\"x\"", "9223372036854775808", "true"}) {
            String text = "[{\"offset\": " + wrong + ", \"length\": 4096, \"type\": 1}]";
            RefusedException e = assertThrows(RefusedException.class, () -> extents(text, 1 << 20));
            assertTrue(e.getMessage().contains("offset is \"" + wrong.replace("\"", "") + "\", expected a number"), e.getMessage());
        }
    }

    @Test
    void whatIsWrongWithAnXmlListIsSaid() {
        RefusedException cut = assertThrows(RefusedException.class, () -> read(Kind.THIN_DELTA, "<superblock data_block_size=\"1\">\n<diff", 1 << 20, OptionalLong.empty()));
        assertTrue(cut.getMessage().contains("line 2: Unexpected end-of-input"), cut.getMessage());
        RefusedException crossed = assertThrows(RefusedException.class, () -> read(Kind.RBD_DIFF, "<extents><extent></extents>", 1 << 20, OptionalLong.empty()));
        assertTrue(crossed.getMessage().contains("line 1: Unexpected character 's'"), crossed.getMessage());
    }

    @Test
    void anElementWithoutEndIsRefused() {
        String begin = "<superblock uuid=\"\" time=\"1\" transaction=\"1\" data_block_size=\"128\" nr_data_blocks=\"0\"><diff left=\"1\" right=\"2\">";
        for (String endless : new String[] {"<range begin=\"" + "0".repeat(3 << 20), "<" + "a".repeat(3 << 20), "<!--" + "-x".repeat(3 << 20), "x".repeat(3 << 20)}) {
            RefusedException e = assertThrows(RefusedException.class, () -> read(Kind.THIN_DELTA, begin + endless, 1 << 20, OptionalLong.empty()));
            assertTrue(e.getMessage().contains("more than 1048576 bytes without start or end of an element"), e.getMessage());
        }
    }

    @Test
    void anExternalEntityIsNotFollowed() throws IOException {
        Path secret = Files.writeString(folder.resolve("secret"), "<different begin=\"0\" length=\"1\"/>");
        String xml = "<!DOCTYPE superblock [<!ENTITY x SYSTEM \"" + secret.toUri() + "\">]>\n<superblock data_block_size=\"128\"><diff>&x;</diff></superblock>";
        assertThrows(RefusedException.class, () -> read(Kind.THIN_DELTA, xml, 1 << 20, OptionalLong.empty()));
    }

    @Test
    void aFolderOrAMissingFileIsOneClearError() {
        assertThrows(RefusedException.class, () -> new ChangeSource(Kind.EXTENTS, folder, OptionalLong.empty()).read(1));
        assertThrows(java.nio.file.NoSuchFileException.class,
                () -> new ChangeSource(Kind.LVM_COW, folder.resolve("none"), OptionalLong.empty()).read(1));
    }
}
