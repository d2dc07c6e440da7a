package varve.archive.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.LoopDevice;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

/// The script `rescue`, and the page that tells how to use it. That it restores every kind of archive is checked by
/// `script/check-rescue`, in an empty root.
class RescueTest {

    private static final Pattern BLOCK = Pattern.compile("(?m)^```console\\n\\$ (.*)\\n((?s:.*?))^```$");

    @TempDir
    private Path folder;

    private Path vault;

    @BeforeEach
    void vault() throws IOException {
        for (String program : List.of("dash", "zstd", "b3sum", "python3")) {
            Assumptions.assumeTrue(Tools.find(program).isPresent(), program + " is not installed");
        }
        vault = folder.resolve("vault");
        Vault.openOrCreate(vault);
    }

    private void golden(String volume) throws IOException {
        Path from = TestFiles.root().resolve("golden").resolve(volume);
        Files.createDirectory(vault.resolve(volume));
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.filter(f -> !f.endsWith("expect.json")).toList()) {
                Files.copy(file, vault.resolve(volume).resolve(file.getFileName()));
            }
        }
    }

    private Tools.Output rescue(Object... words) throws IOException {
        List<Object> command = new ArrayList<>(List.of("dash", vault.resolve("rescue")));
        command.addAll(List.of(words));
        return Tools.run(command.toArray()).orElseThrow();
    }

    private Tools.Output expect(int code, Object... words) throws IOException {
        Tools.Output output = rescue(words);
        assertEquals(code, output.exitCode(), () -> output.text() + output.errors());
        return output;
    }

    /// a folder with these programs only
    private Path programs(String... names) throws IOException {
        Path bin = Files.createDirectory(folder.resolve("bin"));
        for (String name : names) {
            Path program = Files.writeString(bin.resolve(name), "#!/bin/sh\nexec " + Tools.find(name).orElseThrow() + " \"$@\"\n");
            Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        return bin;
    }

    @Test
    void thePageShowsWhatTheScriptsPrint() throws IOException {
        golden("example");
        List<MatchResult> blocks = BLOCK.matcher(Files.readString(vault.resolve("RESCUE.md"))).results().toList();
        assertEquals(4, blocks.size());
        for (MatchResult block : blocks) {
            String command = block.group(1).replace("/tmp/", folder + "/");
            String expected = block.group(2).replace("/tmp/", folder + "/");
            Tools.Output output = Tools.run("dash", "-c", "cd \"$1\" && { " + command + "; } 2>&1", "dash", vault).orElseThrow();
            assertEquals(expected.strip(), output.expectSuccess().text().replaceAll(" +\\n", "\n"), command);
        }
    }

    @Test
    void pointsAreNamedByTheBeginningOfATimeOrOfARootAndTheLastOneCounts() throws IOException {
        golden("back");
        Map<String, String> names = Map.of(
                "latest", "2026-11-08", "2026-11-03", "2026-11-03", "2026-11-0", "2026-11-08", "2026", "2026-11-08");
        for (Map.Entry<String, String> name : names.entrySet()) {
            Path target = folder.resolve(name.getKey());
            String said = expect(0, "restore", "back", name.getKey(), target).errors();
            assertTrue(said.contains("back as of " + name.getValue()), said);
        }
        TestFiles.GoldenPoint third = TestFiles.golden().stream()
                .filter(golden -> golden.toString().equals("back")).findFirst().orElseThrow().points().get(2);
        String said = expect(0, "restore", "back", third.root().substring(0, 8), folder.resolve("root")).errors();
        assertTrue(said.contains("back as of 2026-11-07"), said); // the last one with that state
        assertEquals(third.root(), Tools.b3sum(folder.resolve("root")).orElseThrow());
        assertTrue(expect(5, "restore", "back", "2027", folder.resolve("no")).errors().contains("no point 2027"));
        assertTrue(expect(5, "restore", "bock", "latest", folder.resolve("no")).errors().contains("no volume bock"));
    }

    @Test
    void labelsAreShownAsTheyStandInTheManifest() throws IOException {
        golden("Name_with.dots-2");
        String listed = expect(0, "list").text();
        assertTrue(listed.contains("  \"a \\\"quoted\\\" \\\\ line\\u000a\\u0009tab"), listed);
    }

    @Test
    void aPointWithoutItsDataFilesIsMarkedAndTheFilesAreNamed() throws IOException {
        golden("derived");
        String full = "derived.20261105T020000.123Z.836d5362.full.zst";
        Files.delete(vault.resolve("derived").resolve(full));
        List<String> listed = expect(0, "list", "derived").text().lines().skip(1).toList();
        assertEquals(7, listed.size());
        for (String line : listed) {
            assertEquals(line.contains("2026-11-05"), line.endsWith("(not from here: data files are missing)"), line);
        }
        Tools.Output output = expect(5, "restore", "derived", "2026-11-05", folder.resolve("image"));
        assertTrue(output.errors().contains(full + " is needed, and not here"), output.errors());
        assertFalse(Files.exists(folder.resolve("image")));
        assertFalse(Files.exists(folder.resolve("image.unproved")));
    }

    @Test
    void everyFlippedBitOfADataFileIsFoundBeforeAnythingIsWritten() throws IOException {
        golden("example");
        Path full = vault.resolve("example/example.20261101T020000.123Z.full.zst");
        byte[] whole = Files.readAllBytes(full);
        for (int at = 0; at < whole.length; at += 97) {
            byte[] damaged = whole.clone();
            damaged[at] ^= (byte) (1 << at % 8);
            Files.write(full, damaged);
            String said = expect(1, "restore", "example", "latest", folder.resolve("image")).errors();
            assertTrue(said.contains(full.getFileName() + ": damaged: expected hash"), said);
            assertEquals(0, Files.size(folder.resolve("image.unproved")));
            expect(1, "check");
        }
        Files.write(full, whole);
        expect(0, "check");
        expect(0, "restore", "example", "latest", folder.resolve("image"));
    }

    @Test
    void aDamagedManifestIsLeftOutAndSaidSo() throws IOException {
        golden("example");
        Path manifest = vault.resolve("example/example.20261102T020000.123Z.delta.json");
        String text = Files.readString(manifest);
        for (String[] change : new String[][] {
            {"\"sequence\": 2", "\"sequence\": 3"}, {"T02:00:00.123Z\",\n  \"finished", "T03:00:00.123Z\",\n  \"finished"},
            {"\"size\": 100000", "\"size\": $(id)"}, {"example.20261102T020000.123Z.delta.zst", "../example/x.zst"},
            {"\"check\": \"", "\"check\": \"0"}, {text, ""}, {text.substring(text.length() / 2), "\n"}}) {
            assertTrue(text.contains(change[0]));
            Files.writeString(manifest, text.replace(change[0], change[1]));
            Tools.Output listed = expect(0, "list", "example");
            assertEquals(2, listed.text().lines().count(), listed::text);
            assertTrue(listed.errors().contains("example.20261102T020000.123Z.delta.json is damaged"), listed.errors());
            expect(1, "check");
        }
        Files.writeString(manifest, text);
        assertEquals(3, expect(0, "list", "example").text().lines().count());
    }

    @Test
    void withoutB3sumNothingIsCalledProved() throws IOException {
        golden("example");
        Path bin = programs("dash", "zstd", "sed", "sort", "od", "head", "tail", "dd", "cat", "wc", "mv", "dirname", "readlink");
        Path target = folder.resolve("image");
        Tools.Output output = Tools.run("env", "PATH=" + bin, "dash", vault.resolve("rescue"), "restore", "example", "latest", target).orElseThrow();
        assertEquals(3, output.exitCode(), output.errors());
        assertTrue(output.errors().contains("nothing is proved"), output.errors());
        assertFalse(Files.exists(target));
        assertEquals("d942a13e443811c7bdaec7f5ca5a5391aa52f9bca3853529e59d801b8c5eadd5", Tools.b3sum(folder.resolve("image.unproved")).orElseThrow());
        assertEquals(3, Tools.run("env", "PATH=" + bin, "dash", vault.resolve("rescue"), "check").orElseThrow().exitCode());
        Path python = Path.of(Tools.run("python3", "-c", "import sys; print(sys.executable)").orElseThrow().expectSuccess().text());
        Tools.Output proved = Tools.run("env", "PATH=" + bin, python, "-B", vault.resolve("varve_reader.py"), "restore", vault.resolve("example"), "latest", target)
                .orElseThrow().expectSuccess();
        assertTrue(proved.text().endsWith(", proved"), proved.text());
    }

    @Test
    void aFileThatExistsIsNotOverwritten() throws IOException {
        golden("example");
        Path target = Files.writeString(folder.resolve("image"), "precious");
        assertTrue(expect(9, "restore", "example", "latest", target).errors().contains("exists"));
        Tools.Output python = Tools.run("python3", "-B", vault.resolve("varve_reader.py"), "restore", vault.resolve("example"), "latest", target).orElseThrow();
        assertEquals(2, python.exitCode());
        assertEquals("precious", Files.readString(target));
    }

    @Test
    void whatIsRestoredIsForItsOwnerOnly() throws IOException {
        golden("example");
        expect(0, "restore", "example", "latest", folder.resolve("image"));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("image"))));
    }

    @Test
    void wrongWordsGetTheUsage() throws IOException {
        for (List<Object> words : List.<List<Object>>of(List.of(), List.of("restore"), List.of("restore", "a", "b"), List.of("frob"), List.of("list", "a", "b"))) {
            assertTrue(expect(2, words.toArray()).errors().contains("sh rescue restore VOLUME POINT FILE"), words::toString);
        }
    }

    /// The volume shrinks from 458,852 bytes on the way, and grows to them again at the end.
    @Test
    void aDeviceIsWrittenIfItIsNamedTwiceAndFreeAndLargeEnough() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and loop devices");
        golden("shrinkage");
        Path image = Files.write(folder.resolve("disk"), new byte[128 << 10]);
        try (LoopDevice device = LoopDevice.attach(image)) {
            assertTrue(expect(9, "restore", "shrinkage", "2026-11-08", device.path()).errors().contains("add the word: overwrite"));
            assertTrue(expect(9, "restore", "shrinkage", "latest", device.path(), "overwrite").errors().contains("131072 bytes"));
            for (String point : List.of("2026-11-07", "2026-11-08", "2026-11-09")) {
                String said = expect(0, "restore", "shrinkage", point, device.path(), "overwrite").errors();
                assertTrue(said.contains("proved: b3sum says"), said);
                Tools.run("python3", "-B", vault.resolve("varve_reader.py"), "restore", vault.resolve("shrinkage"), point, device.path())
                        .orElseThrow().expectSuccess();
            }
        }
    }

    @Test
    void aDeviceInUseIsRefused() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and loop devices");
        Assumptions.assumeTrue(Tools.find("mke2fs").isPresent(), "mke2fs is not installed");
        golden("example");
        Path image = Files.write(folder.resolve("disk"), new byte[1 << 20]);
        Tools.run("mke2fs", "-q", "-t", "ext2", image).orElseThrow().expectSuccess();
        Path mount = Files.createDirectory(folder.resolve("mount"));
        try (LoopDevice device = LoopDevice.attach(image)) {
            Tools.run("mount", device.path(), mount).orElseThrow().expectSuccess();
            try {
                String said = expect(9, "restore", "example", "latest", device.path(), "overwrite").errors();
                assertTrue(said.contains("is in use"), said);
                Tools.Output python = Tools.run("python3", "-B", vault.resolve("varve_reader.py"), "restore", vault.resolve("example"), "latest", device.path()).orElseThrow();
                assertEquals(2, python.exitCode());
                assertTrue(python.errors().contains("busy"), python.errors());
            } finally {
                Tools.run("umount", mount).orElseThrow().expectSuccess();
            }
        }
    }
}
