package varve.archive.foreign;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.block.FileDevice;
import varve.archive.block.RefusedException;
import varve.archive.cli.ExitCode;
import varve.testdata.Images;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

/// Files of other tools as a second implementation writes them, and what is no whole file of any: cut, altered, absurd.
class ForeignFilesTest {

    private static final int BLOCK = 4096;

    /// between the beginning and the end of a file; 1 to cut and flip at every byte
    private static final int STRIDE = Integer.getInteger("varve.test.patch.stride", 211);

    @TempDir
    Path folder;

    private final ImportScene scene() {
        return new ImportScene(folder);
    }

    /// {@return a patch as the script makes it, which was written from the description of the form}
    private Path made(String form, byte[] before, byte[] after) throws IOException {
        Path patch = folder.resolve(form);
        Tools.run("python3", TestFiles.root().resolve("foreign.py"), "make", form, Files.write(folder.resolve("before"), before),
                Files.write(folder.resolve("after"), after), patch).orElseThrow().expectSuccess();
        return patch;
    }

    private static byte[] changed(byte[] before) {
        byte[] after = before.clone();
        Arrays.fill(after, 3 * BLOCK, 4 * BLOCK, (byte) 0);
        for (int at : new int[] {0, 5 * BLOCK + 7, after.length - 1}) {
            after[at] ^= 0x55;
        }
        return after;
    }

    @ParameterizedTest
    @CsvSource({
        "bdsync, ''", "bdsync-big-endian, big-endian machine", "bdsync-checksum, sha512 matches", "lvmsync-1, PROTO[1]", "lvmsync-2, PROTO[2]",
        "lvmsync-3-little-endian, little-endian", "lvmsync-3, ''", "lvmsync-headless, ''", "blocksync-fast, ''", "blocksync-fast-big-endian, ''"
    })
    void aPatchOfEveryAgeLeadsToTheOtherDevice(String form, String said) throws IOException {
        assumeTrue(Tools.find("python3").isPresent(), "needs python3");
        byte[] before = Images.mixed(5, (1 << 20) + (form.startsWith("lvmsync") ? 0 : 512));
        byte[] after = changed(before);
        ImportScene scene = scene();
        scene.imported(Files.write(folder.resolve("d.img"), before));
        scene.imported(made(form, before, after), "--parent", "d@latest",
                "--format", form.equals("lvmsync-headless") ? "lvmsync-snapback" : form.replaceFirst("-(big-endian|checksum|[123].*)$", ""));
        assertTrue(scene.said.contains(said), scene.said);
        assertArrayEquals(after, scene.latest("d"));
    }

    // ---- files that are not as they should be

    /// {@return small patches of all forms, and how many bytes at the end of each may be missing without its being seen}
    private Map<Form, byte[]> patches(byte[] before) throws IOException {
        byte[] after = changed(before);
        return Map.of(
                Form.BDSYNC, Files.readAllBytes(made("bdsync-checksum", before, after)),
                Form.LVMSYNC, Files.readAllBytes(made("lvmsync-3", before, after)),
                Form.BLOCKSYNC_FAST, Files.readAllBytes(made("blocksync-fast", before, after)),
                Form.RBD_DIFF, Files.readAllBytes(made("rbd-diff", before, after)),
                Form.RBD_EXPORT, export());
    }

    private static byte[] export() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(("rbd image v2\nO\b\0\0\0\0\0\0\0\u0016\0\0\0\0\0\0\0Erbd image diffs v2\n\u0002\0\0\0\0\0\0\0rbd diff v2\nt\u0006\0\0\0\0\0\0\0\u0002\0\0\0s1"
                + "p\b\0\0\0\0\0\0\0\0s\b\0\0\0\0\0\0\0\0\u0010\0\0\0\0\0\0w\u0014\0\0\0\0\0\0\0\u0003\0\0\0\0\0\0\0\u0004\0\0\0\0\0\0\0abcde"
                + "rbd diff v2\nf\u0006\0\0\0\0\0\0\0\u0002\0\0\0s1s\b\0\0\0\0\0\0\0\0\u0018\0\0\0\0\0\0"
                + "z\u0010\0\0\0\0\0\0\0\u0004\0\0\0\0\0\0\0\u0001\0\0\0\0\0\0\0e").getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
        return out.toByteArray();
    }

    /// Reads all steps of a patch into a table and the whole device from it.
    private byte[] read(Form form, Path file, byte[] before) throws IOException {
        Path parent = folder.resolve("parent");
        if (!Files.exists(parent)) {
            Files.write(parent, before);
        }
        try (FileDevice below = FileDevice.open(parent);
                FileDevice patch = FileDevice.open(file);
                PatchTable table = new PatchTable("patch", form == Form.RBD_EXPORT ? 0 : before.length, 1 << 26, folder);
                Patch steps = Patch.open(patch, form, before.length)) {
            while (steps.next(table).isPresent()) {
                // all of them
            }
            return ImportScene.content(new PatchedDevice(form == Form.RBD_EXPORT ? null : below, patch, table, varve.archive.format.State.NOTHING, ""));
        }
    }

    @Test
    void aPatchThatIsCutOffAnywhereIsRefusedButWhereItsFormCannotTell() throws IOException {
        assumeTrue(Tools.find("python3").isPresent(), "needs python3");
        byte[] before = Images.mixed(6, 8 * BLOCK);
        Path file = folder.resolve("cut");
        for (Map.Entry<Form, byte[]> patch : patches(before).entrySet()) {
            byte[] whole = patch.getValue();
            Form form = patch.getKey();
            Files.write(file, whole);
            if (form != Form.RBD_EXPORT) {
                assertArrayEquals(changed(before), read(form, file, before), form.word());
            }
            int accepted = 0;
            for (int size = 0; size < whole.length; size += size < 150 || size > whole.length - 120 ? 1 : STRIDE) {
                Files.write(file, Arrays.copyOf(whole, size));
                try {
                    read(form, file, before);
                    accepted++;
                } catch (RefusedException e) {
                    assertTrue(e.getMessage().contains("nothing was recorded"), e::getMessage);
                }
            }
            boolean endless = form == Form.LVMSYNC || form == Form.BLOCKSYNC_FAST;
            assertTrue(endless ? accepted <= 4 : accepted == 0, form.word() + ": " + accepted);
        }
    }

    @Test
    void aPatchWithAByteFlippedIsRefusedOrReadWithinItsBounds() throws IOException {
        assumeTrue(Tools.find("python3").isPresent(), "needs python3");
        byte[] before = Images.mixed(7, 8 * BLOCK);
        Path file = folder.resolve("flipped");
        for (Map.Entry<Form, byte[]> patch : patches(before).entrySet()) {
            byte[] bytes = patch.getValue();
            int refused = 0;
            for (int at = 0; at < bytes.length; at += at < 100 || at > bytes.length - 100 ? 1 : STRIDE) {
                for (int flip : new int[] {0x01, 0x80}) {
                    bytes[at] ^= (byte) flip;
                    Files.write(file, bytes);
                    bytes[at] ^= (byte) flip;
                    try {
                        assertTrue(read(patch.getKey(), file, before).length <= 1 << 26);
                    } catch (RefusedException e) {
                        refused++;
                    }
                }
            }
            assertTrue(refused > 30, patch.getKey() + ": " + refused);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "bdsync | 4244535953 | BDSYNC 0.3",
        "rbd-diff | 72626420646966662076310a66ffffffff | found 4294967295",
        "rbd-diff | 72626420646966662076310a73ffffffffffffff7f65 | a device of 9223372036854775807 bytes",
        "rbd-diff | 72626420646966662076310a73000000000000004077ffffffffffffff0f0000000000000040 | cut off",
        "rbd-diff | 72626420646966662076310a7300100000000000007700000000000000ff0400000000000000616263646566 | expected an offset",
        "rbd-diff | 72626420646966662076310a7300100000000000007a0000000000000000ffffffffffffffff65 | expected a length",
        "rbd-diff | 72626420646966662076310a7900 | found byte 121",
        "rbd-export | 72626420696d6167652076320a4fffffffffffffff00 | at most 1048576",
    })
    void absurdNumbersAreOneClearError(String form, String hex, String said) throws IOException {
        Path file = Files.write(folder.resolve("absurd"), java.util.HexFormat.of().parseHex(hex.strip()));
        ImportScene scene = scene();
        scene.imported(Files.write(folder.resolve("d.img"), Images.mixed(8, 8 * BLOCK)));
        List<String> before = scene.files();
        ExitCode code = form.startsWith("rbd") ? scene.run("import", file, "--format", form, "--volume", "d") : scene.run("import", file, "--format", form, "--parent", "d@latest");
        assertEquals(ExitCode.REFUSED, code, scene.said);
        assertTrue(scene.said.contains(said), scene.said);
        assertEquals(1, scene.said.lines().filter(line -> line.startsWith("varve: ")).count(), scene.said);
        assertEquals(before, scene.files());
    }

    @Test
    void aPatchWithoutAParentAnImageWithOneAndOtherThingsAreRefused() throws IOException {
        ImportScene scene = scene();
        Path image = Files.write(folder.resolve("d.img"), Images.mixed(8, 8 * BLOCK));
        scene.imported(image);
        Path patch = Files.writeString(folder.resolve("p"), "lvmsync PROTO[3]\n");
        assertEquals(ExitCode.REFUSED, scene.run("import", patch, "--volume", "d"));
        assertTrue(scene.said.contains("--parent"), scene.said);
        assertEquals(ExitCode.REFUSED, scene.run("import", image, "--parent", "d@latest"));
        assertEquals(ExitCode.REFUSED, scene.run("import", folder, "--volume", "d"));
        assertEquals(ExitCode.NOT_FOUND, scene.run("import", folder.resolve("absent"), "--volume", "d"));
        assertEquals(ExitCode.USAGE, scene.run("import", image, "--format", "vhd"));
        assertEquals(ExitCode.REFUSED, scene.run("import", image, "--size", "1G"));
        assertEquals(ExitCode.REFUSED, scene.run("import", image, "--time", "2019-01-01T00:00Z"));
        assertEquals(ExitCode.REFUSED, scene.run("import", Files.writeString(folder.resolve("d.vmdk"), "KDMV and more of it"), "--volume", "d"));
        assertEquals(ExitCode.REFUSED, scene.run("import", Files.writeString(folder.resolve("old.bdsync"), "BDSYNC 0.2\nand more of it"), "--parent", "d@latest"));
        assertEquals(ExitCode.REFUSED, scene.run("import", image, "--volume", "d", "--expect-root", "1".repeat(64), "-n"));
        assertEquals(1, scene.points("d"));
        scene.imported(image, "--volume", "old", "--time", "2019-01-01T00:00Z");
        assertEquals("2019-01-01T00:00:00Z", scene.history("old").latest().orElseThrow().manifest().time().toString());
        scene.imported(patch, "--parent", "d@latest"); // nothing in it: nothing has changed
        assertTrue(scene.said.contains("changes nothing"), scene.said);
    }

    // ---- packed images

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "xz", "bzip2", "lz4", "zstd"})
    void aPackedImageOfSeveralMembersIsTakenWhole(String tool) throws IOException {
        assumeTrue(Tools.find(tool).isPresent(), "needs " + tool);
        byte[] image = Images.mixed(9, 3_000_000);
        byte[] packed = packed(tool, image);
        ImportScene scene = scene();
        Path file = Files.write(folder.resolve("tools.img." + Map.of("gzip", "gz", "bzip2", "bz2", "zstd", "zst").getOrDefault(tool, tool)), packed);
        scene.imported(file, "--size", image.length);
        assertArrayEquals(image, scene.latest("tools"));
        assertEquals(ExitCode.IO, scene.run("import", file, "--size", image.length - 1));
        assertEquals(ExitCode.IO, scene.run("import", file, "--size", image.length + 1));
        assertEquals(ExitCode.REFUSED, scene.run("import", file, "--expect-root", "0".repeat(64)));
        assertEquals(1, scene.points("tools"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "xz", "bzip2", "lz4", "zstd"})
    void aPackedImageThatIsCutOrDamagedIsOneErrorAndNothingIsRecorded(String tool) throws IOException {
        assumeTrue(Tools.find(tool).isPresent(), "needs " + tool);
        byte[] packed = Tools.runWith(Images.mixed(10, 200_000), tool, "-c").orElseThrow().expectSuccess().bytes();
        ImportScene scene = scene();
        for (int size : new int[] {7, 11, 19, packed.length / 3, packed.length - 9, packed.length - 4, packed.length - 1}) {
            damaged(scene, Arrays.copyOf(packed, size));
        }
        for (int at : new int[] {packed.length / 3, packed.length / 2}) {
            byte[] flipped = packed.clone();
            flipped[at] ^= 0x10;
            if (tool.equals("zstd") || tool.equals("lz4")) { // their checksum is found to be wrong at the end
                flipped[at + 1] ^= 0x77;
            }
            damaged(scene, flipped);
        }
        byte[] more = Arrays.copyOf(packed, packed.length + 20);
        Arrays.fill(more, packed.length, more.length, (byte) 'x');
        damaged(scene, more);
        assertEquals(0, scene.points("t"));
    }

    private void damaged(ImportScene scene, byte[] bytes) throws IOException {
        ExitCode code = scene.run("import", Files.write(folder.resolve("damaged"), bytes), "--volume", "t");
        boolean short8 = bytes.length < 8;
        assertTrue(code == ExitCode.IO, () -> code + " of " + bytes.length + " bytes: " + scene.said);
        assertTrue(short8 || scene.said.contains("nothing was recorded"), scene.said);
        assertEquals(1, scene.said.lines().filter(line -> line.startsWith("varve: ")).count(), scene.said);
    }

    private static byte[] packed(String tool, byte[] image) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int at = 0; at < image.length; at += 1_100_000) {
            byte[] part = Arrays.copyOfRange(image, at, Math.min(image.length, at + 1_100_000));
            all.write(Tools.runWith(part, tool, "-c").orElseThrow().expectSuccess().bytes());
            if (tool.equals("zstd")) {
                all.write(new byte[] {0x5d, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3}); // a skippable frame
            }
        }
        return all.toByteArray();
    }

    @Test
    void anImportThatIsRefusedMakesNeitherAVaultNorAVolume() throws IOException {
        ImportScene scene = scene();
        assertEquals(ExitCode.NOT_FOUND, scene.run("import", folder.resolve("none"), "--volume", "new"));
        assertFalse(Files.exists(scene.vault));
        Path image = Files.write(folder.resolve("d.img"), Images.mixed(8, 8 * BLOCK));
        scene.imported(image);
        List<String> before = scene.files();
        assertEquals(ExitCode.NOT_FOUND, scene.run("import", folder.resolve("none"), "--volume", "new"));
        assertEquals(ExitCode.REFUSED, scene.run("import", image, "--volume", "new", "--size", "1M"));
        assertEquals(ExitCode.REFUSED, scene.run("import", image, "--volume", "new", "--expect-root", "0".repeat(64)));
        Path empty = Files.write(folder.resolve("empty.qcow2"), new byte[10]);
        assertEquals(ExitCode.REFUSED, scene.run("import", empty, "--volume", "new", "--format", "qcow2"));
        assertEquals(before, scene.files());
    }

    @Test
    void aZstdFrameWithAWindowThatIsTooLargeSaysWhatToDo() throws IOException {
        byte[] frame = java.util.HexFormat.of().parseHex("28b52ffd" + "00" + "a8" + "010000"); // 2^31
        ImportScene scene = scene();
        assertEquals(ExitCode.IO, scene.run("import", Files.write(folder.resolve("w"), frame), "--volume", "t"));
        assertTrue(scene.said.contains("--long=31"), scene.said);
    }

    // ---- qcow2

    @Test
    void aQcow2ImageIsReadByQemuAndOneThatNamesOtherFilesIsRefused() throws IOException {
        assumeTrue(Tools.find("qemu-img").isPresent() && Tools.find("qemu-nbd").isPresent(), "needs qemu-img and qemu-nbd");
        byte[] image = Images.mixed(11, 3 << 20);
        Arrays.fill(image, 1 << 20, 2 << 20, (byte) 0);
        Path raw = Files.write(folder.resolve("t.img"), image);
        Path qcow2 = folder.resolve("t.qcow2");
        Tools.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", raw, qcow2).orElseThrow().expectSuccess();
        ImportScene scene = scene();
        scene.imported(qcow2, "--size", image.length);
        assertArrayEquals(image, scene.latest("t"));
        Path secret = folder.resolve("overlay.qcow2");
        Tools.run("qemu-img", "create", "-f", "qcow2", "-F", "raw", "-b", raw, secret).orElseThrow().expectSuccess();
        assertEquals(ExitCode.REFUSED, scene.run("import", secret, "--volume", "u"));
        assertTrue(scene.said.contains("overlay of another image"), scene.said);
        Path outside = folder.resolve("outside.qcow2");
        Tools.run("qemu-img", "create", "-f", "qcow2", "-o", "data_file=" + folder.resolve("outside.raw"), outside, "3M").orElseThrow().expectSuccess();
        assertEquals(ExitCode.REFUSED, scene.run("import", outside, "--volume", "u"));
        assertTrue(scene.said.contains("data in another file"), scene.said);
        // QEMU reads what is cut off as zeros
        Tools.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, qcow2).orElseThrow().expectSuccess();
        byte[] bytes = Files.readAllBytes(qcow2);
        for (int size : new int[] {200, 70_000, 200_000, bytes.length / 2, bytes.length - 65536}) {
            Files.write(qcow2, Arrays.copyOf(bytes, size));
            assertTrue(scene.run("import", qcow2, "--volume", "u") != ExitCode.OK, "cut to " + size + " of " + bytes.length);
        }
        assertEquals(0, scene.points("u"));
        assertThrows(RefusedException.class, () -> QemuImage.open(raw));
    }
}
