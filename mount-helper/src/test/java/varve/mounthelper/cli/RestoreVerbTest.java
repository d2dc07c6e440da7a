package varve.mounthelper.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.ArchiveOptions;
import varve.archive.Archiver;
import varve.archive.block.FileDevice;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.cli.Stdio;
import varve.archive.vault.Depth;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.testdata.Damage;
import varve.testdata.Disk;
import varve.testdata.TestFiles;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;

/// What `varve restore` prints and how it ends.
final class RestoreVerbTest {
    private static final int SIZE = 1 << 20;

    @TempDir
    Path folder;

    private final byte[] image = new byte[SIZE];
    private Path vault;
    private Path target;
    private String out = "";
    private String err = "";

    @BeforeEach
    void archive() throws Exception {
        vault = folder.resolve("vault");
        target = folder.resolve("t.img");
        new Random(1).nextBytes(image);
        Path source = Files.write(folder.resolve("source"), image);
        try (FileDevice device = FileDevice.open(source)) {
            new Archiver(Vault.openOrCreate(vault), "tools", ArchiveOptions.defaults(),
                    () -> Instant.parse("2026-11-20T02:00:00Z"), bytes -> {}, warning -> {}).archive(device, Duration.ZERO);
        }
    }

    private ExitCode restore(String... options) {
        ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
        ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
        List<String> words = new ArrayList<>(List.of("restore", "tools@latest", target.toString(), "--vault", vault.toString()));
        words.addAll(List.of(options));
        ExitCode code = Main.run(
                new Stdio(InputStream.nullInputStream(), new PrintStream(outBytes), new PrintStream(errBytes), 0, System::nanoTime),
                words.toArray(String[]::new));
        out = outBytes.toString(StandardCharsets.UTF_8);
        err = errBytes.toString(StandardCharsets.UTF_8);
        return code;
    }

    private String root() throws Exception {
        return Vault.open(vault).volume("tools").read().history().latest().orElseThrow().manifest().state().root().toString();
    }

    @Test
    void thePlanComesFirstAndTheProofLast() throws Exception {
        assertEquals(ExitCode.OK, restore(), () -> err);
        assertTrue(err.startsWith("  restore  tools@latest to " + target + "\n  point    2026-11-20T02:00:00.000Z\n  root     " + root()), err);
        assertTrue(err.contains("  reads    tools.20261120T020000.000Z.full.zst, "), err);
        assertTrue(err.contains("  target   " + target + ", a new file\n"), err);
        assertEquals("proved from the medium: root " + root() + ", as recorded; compare: b3sum " + target,
                out.lines().toList().getLast());
    }

    private List<Receipt> receipts() throws IOException {
        Receipts.Log log = new Receipts(Vault.open(vault).volume("tools")).read();
        assertEquals(List.of(), log.problems());
        return log.receipts();
    }

    @Test
    void aRestoreLeavesAReceiptOfTheFramesThatItRead() throws Exception {
        restore("--dry-run");
        assertEquals(1, receipts().size()); // of the archive
        assertEquals(ExitCode.OK, restore(), () -> err);
        Receipt.Act act = receipts().getLast().act();
        assertEquals(Receipt.What.RESTORE, act.what());
        assertEquals("tools@2026-11-20T02:00:00.000Z to " + target, act.about());
        assertEquals(Depth.CONTENT, act.depth().orElseThrow());
        Ranges proved = act.archives().getFirst().proved();
        assertEquals(104, proved.list().getFirst().from()); // where the first frame begins: FORMAT.md F023
        assertTrue(proved.size() > SIZE && proved.size() < act.archives().getFirst().fileSize() - 104);
        assertEquals(ExitCode.REFUSED, restore());
        assertEquals(2, receipts().size());
    }

    @Test
    void aRestoreThatFailsLeavesAReceiptToo() throws Exception {
        Path data = Files.list(vault.resolve("tools")).filter(file -> file.toString().endsWith(".zst")).findFirst().orElseThrow();
        Damage.flip(300_000, 1).inflictOn(data);
        assertEquals(ExitCode.CORRUPT, restore(), () -> err);
        Receipt.Act act = receipts().getLast().act();
        assertEquals(Receipt.Result.DAMAGED, act.result());
        assertTrue(act.first().orElseThrow().contains(data.getFileName().toString()), act::toString);
    }

    @Test
    void aVaultThatCannotBeWrittenIsAWarningAndNoFailure() throws Exception {
        Assumptions.assumeTrue(Disk.available(), "needs root and loop devices");
        try (Disk disk = Disk.format(folder.resolve("disk"), 16 << 20, folder.resolve("mnt"), "mkfs.ext4", "-q")) {
            disk.mount("rw");
            Tools.run("cp", "-r", vault, disk.folder()).orElseThrow().expectSuccess();
            disk.remount("ro");
            vault = disk.folder().resolve("vault");
            assertEquals(ExitCode.OK, restore(), () -> err);
            assertTrue(err.contains("varve: warning: " + vault + "/tools/receipts.jsonl: no receipt of this can be kept: "), err);
            disk.unmount();
        }
    }

    @Test
    void aStreamIsNoTarget() {
        target = Path.of("-");
        assertEquals(ExitCode.USAGE, restore(), () -> err);
        assertFalse(Files.exists(target));
        target = Path.of("");
        assertEquals(ExitCode.NOT_FOUND, restore(), () -> err);
    }

    @Test
    void aNameWithSpacesCanBeCopiedToAShell() {
        target = folder.resolve("it's mine.img");
        assertEquals(ExitCode.OK, restore(), () -> err);
        assertTrue(out.endsWith("; compare: b3sum '" + folder + "/it'\\''s mine.img'\n"), out);
        assertEquals(ExitCode.OK, restore("--dry-run"), () -> err);
        assertTrue(out.endsWith("to do it: --overwrite '" + folder + "/it'\\''s mine.img'\n"), out);
    }

    @Test
    void aDryRunShowsThePlan() {
        assertEquals(ExitCode.OK, restore("--dry-run"), () -> err);
        assertTrue(out.startsWith("  restore  tools@latest to " + target), out);
        assertTrue(out.endsWith("nothing was written\n"), out);
        assertFalse(Files.exists(target));
    }

    @Test
    void whatIsThereHasToBeNamed() throws Exception {
        Files.writeString(target, "precious");
        assertEquals(ExitCode.REFUSED, restore());
        assertTrue(err.endsWith("run again with --overwrite " + target + "\n"), err);
        assertEquals(ExitCode.USAGE, restore("--overwrite", folder.resolve("t").toString()));
        assertEquals("precious", Files.readString(target));
        assertEquals(ExitCode.OK, restore("--overwrite", target.toString()), () -> err);
        assertTrue(err.contains("  does     writes a new file beside it, proves it, then REPLACES the old one\n"), err);
    }

    @Test
    void scriptsReadJson() throws Exception {
        assertEquals(ExitCode.OK, restore("--json", "-n"), () -> err);
        assertTrue(out.contains("\"dryRun\": true"), out);
        assertFalse(out.contains("\"proved\""), out);
        assertEquals(ExitCode.OK, restore("--json"), () -> err);
        assertTrue(out.contains("  \"root\": \"" + root() + "\",\n  \"size\": 1048576,\n  \"dataSize\": 1048576,\n"), out);
        assertTrue(out.contains("  \"dryRun\": false,\n  \"proved\": true,\n  \"written\": 1048576,\n  \"kept\": 0,\n"), out);
    }

    @Test
    void aDamagedArchiveSaysWhatIsLeftAndWhatIsNext() throws Exception {
        Path data = vault.resolve("tools/tools.20261120T020000.000Z.full.zst");
        byte[] bytes = Files.readAllBytes(data);
        bytes[200_000] ^= 1;
        Files.write(data, bytes);
        Files.writeString(target, "precious");
        assertEquals(ExitCode.CORRUPT, restore("--overwrite", target.toString()));
        List<String> last = err.lines().toList().reversed().subList(0, 4);
        assertTrue(last.get(0).startsWith("varve: tools.20261120T020000.000Z.full.zst: chunk 0 at 0: "), err);
        assertEquals("  or       name more vaults: each range is taken from one that has it whole; or have what there is: --salvage", last.get(1));
        assertEquals("  next     deal with the error below; then the same command carries on where this one stopped", last.get(2));
        assertEquals("  left     " + target + " is as it was; what is done lies beside it, in .varve-partial", last.get(3));
        assertEquals("precious", Files.readString(target));
        assertEquals("", out);
    }

    @Test
    void aTargetThatCouldNotBeOpenedIsNotCalledChanged() throws Exception {
        Files.createDirectory(target.resolveSibling(target.getFileName() + ".varve-partial"));
        assertEquals(ExitCode.IO, restore());
        assertTrue(err.lines().noneMatch(line -> line.startsWith("  left")), err);
        assertTrue(err.contains(".varve-partial: "), err);
    }

    @Test
    void anArchiveThatIsAwayIsNamed() throws Exception {
        Files.delete(vault.resolve("tools/tools.20261120T020000.000Z.full.zst"));
        assertEquals(ExitCode.BROKEN_CHAIN, restore());
        assertTrue(err.contains("tools.20261120T020000.000Z.full.zst"), err);
    }

    @Test
    void senselessOptionsAreRefused() {
        assertEquals(ExitCode.USAGE, restore("--threads", "0"));
        assertEquals(ExitCode.USAGE, restore("--bwlimit", "fast"));
    }

    /// on a terminal of script(1)'s making
    @Test
    void onATerminalTheTargetsNameIsTyped() throws Exception {
        Assumptions.assumeTrue(Files.exists(Path.of("/usr/bin/script")), "needs script(1)");
        Files.writeString(target, "precious");
        assertEquals(9, onTerminal("yes\n"));
        assertEquals("precious", Files.readString(target));
        assertEquals(0, onTerminal(target + "\n"));
        assertEquals(SIZE, Files.size(target));
    }

    private int onTerminal(String typed) throws Exception {
        String command = String.join(" ", VarveProcess.command(VarveProcess.QUICK)) + String.join(" ",
                " restore", "tools@latest", target.toString(), "--vault", vault.toString());
        Process process = new ProcessBuilder("script", "-qefc", command, "/dev/null").redirectErrorStream(true).start();
        StringBuilder seen = new StringBuilder();
        for (int c = process.getInputStream().read(); c >= 0; c = process.getInputStream().read()) {
            seen.append((char) c);
            if (seen.toString().endsWith("type its name (" + target + "): ")) {
                process.getOutputStream().write(typed.getBytes(StandardCharsets.UTF_8));
                process.getOutputStream().flush();
            }
        }
        assertTrue(seen.toString().contains("To overwrite it, type its name"), seen::toString);
        return process.waitFor();
    }

    // ---- salvage

    private void damageTheSecondHalf() throws IOException {
        byte[] data = Files.readAllBytes(data());
        Damage.flip(data.length * 3 / 4, 2).inflictOn(data());
    }

    private Path data() throws IOException {
        try (Stream<Path> files = Files.list(vault.resolve("tools"))) {
            return files.filter(file -> file.toString().endsWith(".zst")).findFirst().orElseThrow();
        }
    }

    @Test
    void aSalvageSaysWhatIsMissingAndEndsWithDamage() throws Exception {
        damageTheSecondHalf();
        assertEquals(ExitCode.CORRUPT, restore());
        assertTrue(err.contains("--salvage"), err);
        Files.delete(folder.resolve("t.img.varve-partial"));
        assertEquals(ExitCode.CORRUPT, restore("--salvage"));
        Path salvaged = folder.resolve("t.img.salvaged");
        assertTrue(err.contains("SALVAGES: what no vault has whole becomes zeros"), err);
        assertTrue(out.contains("MISSING 512.0 KiB (524288 bytes) in 1 range, which read as zeros:\n  524288 bytes at 524288\n"), out);
        assertTrue(out.contains("NOT PROVED as a whole"), out);
        assertFalse(out.contains("proved from the medium"), out);
        byte[] expected = image.clone();
        Arrays.fill(expected, SIZE / 2, SIZE, (byte) 0);
        assertArrayEquals(expected, Files.readAllBytes(salvaged));
        assertTrue(Files.readString(folder.resolve("t.img.salvaged.map")).endsWith(
                "0x00000000  0x00080000  +\n0x00080000  0x00080000  -\n"));
        assertFalse(Files.exists(target), "under this name it could be taken for a proved one");
        Receipt.Act last = new Receipts(Vault.open(vault).volume("tools")).read().receipts().getLast().act();
        assertEquals(Receipt.What.RESTORE, last.what());
        assertEquals(Receipt.Result.DAMAGED, last.result());
        assertEquals(List.of(), last.archives());
    }

    @Test
    void aSalvageOfWhatIsWholeEndsWell() throws Exception {
        assertEquals(ExitCode.OK, restore("--salvage", "--map", folder.resolve("m").toString()));
        assertArrayEquals(image, Files.readAllBytes(folder.resolve("t.img.salvaged")));
        assertTrue(out.contains("proved from the medium: root " + root()), out);
        assertTrue(Files.exists(folder.resolve("m")));
    }

    @Test
    void aSalvageForScripts() throws Exception {
        damageTheSecondHalf();
        assertEquals(ExitCode.CORRUPT, restore("--salvage", "--json"));
        assertTrue(out.contains("\"proved\": false") || out.contains("\"proved\":false"), out);
        assertTrue(out.replaceAll("\\s", "").contains("\"missingSize\":524288,\"missing\":[{\"offset\":524288,\"size\":524288}]"), out);
    }

    @Test
    void aDryRunOfASalvageWritesNothing() throws Exception {
        damageTheSecondHalf();
        assertEquals(ExitCode.OK, restore("--salvage", "--dry-run"));
        assertTrue(out.contains("SALVAGES"), out);
        assertFalse(Files.exists(folder.resolve("t.img.salvaged")));
        assertFalse(Files.exists(folder.resolve("t.img.salvaged.map")));
    }

    @Test
    void aMapIsOnlyThereForASalvage() {
        assertEquals(ExitCode.USAGE, restore("--map", "x"));
    }

    @Test
    void aMapReplacesNothingButAMap() throws Exception {
        Path precious = Files.writeString(folder.resolve("precious"), "precious");
        Path salvaged = folder.resolve("t.img.salvaged");
        for (Path map : List.of(precious, folder, salvaged, data(), Path.of("/dev/null"))) {
            assertEquals(ExitCode.REFUSED, restore("--salvage", "--map", map.toString()), map.toString());
            assertFalse(Files.exists(salvaged));
        }
        assertEquals("precious", Files.readString(precious));
        assertEquals(ExitCode.NOT_FOUND, restore("--salvage", "--map", folder.resolve("a/b").toString()));
        for (int i = 0; i < 2; i++) {
            assertEquals(ExitCode.OK, restore("--salvage", "--overwrite", salvaged.toString()));
        }
    }

    /// the only thing that tells a salvaged device from another is the map
    @Test
    void aSalvageToADeviceNeedsAMap() throws Exception {
        Assumptions.assumeTrue(Disk.available(), "needs root and losetup");
        damageTheSecondHalf();
        try (Disk disk = Disk.attach(Files.write(folder.resolve("disk"), new byte[SIZE]), folder.resolve("mnt"))) {
            target = disk.device();
            assertEquals(ExitCode.USAGE, restore("--salvage", "--overwrite", target.toString()));
            Path map = folder.resolve("m");
            assertEquals(ExitCode.CORRUPT, restore("--salvage", "--map", map.toString(), "--overwrite", target.toString()));
            assertTrue(Files.readString(map).endsWith("0x00080000  0x00080000  -\n"));
        }
    }

    @Test
    void sealedPointsComeBackWithTheirKeyOnlyAndNothingIsWrittenWithout() throws Exception {
        image[5] ^= 1;
        Path source = Files.write(folder.resolve("source"), image);
        String key = TestFiles.identity().toString();
        String recipient = Files.readAllLines(TestFiles.identity()).stream().filter(line -> line.startsWith("# public key: ")).findFirst().orElseThrow().substring(14);
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        Stdio stdio = new Stdio(InputStream.nullInputStream(), new PrintStream(said), new PrintStream(said), 0, System::nanoTime);
        assertEquals(ExitCode.OK, Main.run(stdio, "archive", source.toString(), "--volume", "tools", "--vault", vault.toString(), "--recipient", recipient), said::toString);
        assertEquals(ExitCode.WRONG_KEY, restore());
        assertFalse(Files.exists(target));
        assertEquals(ExitCode.OK, restore("--identity", key), () -> err);
        assertArrayEquals(image, Files.readAllBytes(target));
    }
}
