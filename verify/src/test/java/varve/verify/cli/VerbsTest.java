package varve.verify.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.cli.Stdio;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Volume;
import varve.testdata.Damage;
import varve.testdata.Images;
import varve.testdata.LoopDevice;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

/// `varve verify` and `varve hash` as a user runs them.
final class VerbsTest {

    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private byte[] stdin = new byte[0];
    private Path image;

    @BeforeEach
    void image() throws IOException {
        image = Files.write(folder.resolve("tools.img"), Images.noise(1, 3_000_000));
    }

    private ExitCode run(String... args) {
        out.reset();
        err.reset();
        return Main.run(
                new Stdio(new ByteArrayInputStream(stdin), new PrintStream(out), new PrintStream(err), 0, System::nanoTime), args);
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String vault() {
        String vault = folder.resolve("vault").toString();
        assertEquals(ExitCode.OK, run("archive", image.toString(), "--vault", vault));
        return vault;
    }

    private Path find(String suffix) throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("vault/tools"))) {
            return files.filter(file -> file.toString().endsWith(suffix)).findFirst().orElseThrow();
        }
    }

    private String lastLine() {
        return out().lines().reduce((a, b) -> b).orElseThrow();
    }

    @Test
    void lastLineSaysWhatWasAndWasNotCovered() {
        String vault = vault();
        assertEquals(ExitCode.OK, run("verify", "tools", "--vault", vault));
        assertEquals(1, out().lines().count());
        assertTrue(lastLine().matches("proved by content: 1 of 1 point in time of tools, 2\\.9 MiB read in 4 files from vault "
                + vault + " \\(page cache not excluded\\); not covered: .*"), this::out);
        assertEquals(ExitCode.OK, run("verify", "tools@latest", "--vault", vault, "--depth", "stored"));
        assertTrue(lastLine().startsWith("checked as stored: 1 of 1 point in time of tools@latest, "), this::out);
        assertEquals(ExitCode.OK, run("verify", "tools@latest", "--vault", vault, "--depth", "structure"));
        assertTrue(lastLine().startsWith("checked by structure: 1 of 1 point"), this::out);
        assertTrue(lastLine().contains("not covered: what the data files hold"), this::out);
    }

    @Test
    void damageIsExitCode3AndSaysWhere() throws IOException {
        String vault = vault();
        Damage.flip(1_200_000, 1).inflictOn(find(".zst"));
        assertEquals(ExitCode.FINDINGS, run("verify", "tools", "--vault", vault));
        assertTrue(out().contains("damage: " + find(".zst").getFileName() + ": 1048576 bytes at position 1048576 differ"), this::out);
        assertTrue(out().contains("full.zst: chunk 2 at 1048576: hash mismatch (F026)") || out().contains("frame does not decode (F010)"), this::out);
        assertTrue(out().contains("Z: damaged, because of " + find(".zst").getFileName()), this::out);
        assertTrue(lastLine().startsWith("proved by content: 0 of 1 point"), this::out);
        assertEquals(ExitCode.OK, run("verify", "tools", "--vault", vault, "--depth", "structure"));
    }

    @Test
    void aPipeInThePlaceOfAFileIsNotWaitedFor() throws IOException {
        String vault = vault();
        for (String suffix : new String[] {".zst", ".index", ".tree", ".json"}) {
            Path file = find(suffix);
            Path aside = Files.move(file, folder.resolve("aside"));
            Tools.run("mkfifo", file).orElseThrow().expectSuccess();
            assertEquals(ExitCode.FINDINGS, run("verify", "tools", "--vault", vault), this::out);
            assertTrue(out().contains(file.getFileName().toString()), this::out);
            assertFalse(out().contains("proved by content: 1 of 1 point in time") && !suffix.equals(".index") && !suffix.equals(".tree"), this::out);
            Files.delete(file);
            Files.move(aside, file);
        }
        assertEquals(ExitCode.OK, run("verify", "tools", "--vault", vault), this::out);
    }

    @Test
    void jsonHasStableNames() throws IOException {
        String vault = vault();
        Damage.flip(1_200_000, 1).inflictOn(find(".zst"));
        assertEquals(ExitCode.FINDINGS, run("verify", "tools", "--vault", vault, "--json"));
        for (String name : new String[] {
            "vault", "vaultId", "volume", "point", "depth", "sound", "started", "milliseconds", "filesRead", "bytesRead", "pageCache",
            "bytesProved", "bytesInZeroRuns", "points", "time", "sequence", "archive", "size", "root", "good", "verdict", "because",
            "lostPoints", "findings", "kind", "severity", "file", "rule", "text", "position", "offset", "notCovered", "summary",
        }) {
            assertTrue(out().contains("\"" + name + "\": "), name);
        }
        assertTrue(out().contains("\"kind\": \"damaged-range\""));
    }

    @Test
    void everyVerificationLeavesAReceipt() throws IOException {
        String vault = vault();
        assertEquals(ExitCode.OK, run("verify", "tools", "--vault", vault));
        assertEquals(ExitCode.OK, run("verify", "tools@latest", "--vault", vault, "--depth", "structure"));
        Damage.flip(1_200_000, 1).inflictOn(find(".zst"));
        assertEquals(ExitCode.FINDINGS, run("verify", "tools", "--vault", vault, "--depth", "stored"));
        Receipts.Log log = new Receipts(new Volume("tools", folder.resolve("vault/tools"))).read();
        assertEquals(List.of(), log.problems());
        List<Receipt.Act> acts = log.receipts().stream().map(Receipt::act).toList();
        assertEquals(List.of("ARCHIVE OK STORED", "VERIFY OK CONTENT", "VERIFY OK STRUCTURE", "VERIFY DAMAGED STORED"),
                acts.stream().map(act -> act.what() + " " + act.result() + " " + act.depth().orElseThrow()).toList());
        long size = Files.size(find(".zst"));
        assertEquals(Ranges.of(0, size), acts.get(0).archives().getFirst().proved());
        assertEquals(Ranges.of(0, size), acts.get(1).archives().getFirst().proved());
        assertEquals(Ranges.NONE, acts.get(2).archives().getFirst().proved());
        assertEquals(Ranges.of(1 << 20, 2 << 20), acts.get(3).archives().getFirst().damaged());
        assertEquals(Ranges.of(0, 1 << 20).plus(Ranges.of(2 << 20, size)), acts.get(3).archives().getFirst().proved());
        assertTrue(acts.get(3).first().orElseThrow().contains("1048576 bytes at position 1048576 differ"));
        assertEquals("tools@latest", acts.get(2).about());
    }

    @Test
    void aReceiptThatWasRemovedIsAFinding() throws IOException {
        String vault = vault();
        assertEquals(ExitCode.OK, run("verify", "tools", "--vault", vault));
        Path receipts = folder.resolve("vault/tools/receipts.jsonl");
        List<String> lines = Files.readAllLines(receipts);
        Files.write(receipts, lines.subList(0, 1));
        assertEquals(ExitCode.FINDINGS, run("verify", "tools", "--vault", vault));
        assertTrue(out().startsWith("spare: receipts.jsonl: receipts missing or altered (F045): ends with receipt 1, expected 2"), this::out);
    }

    @Test
    void badOptionsAreUsageErrors() {
        assertEquals(ExitCode.USAGE, run("verify", "tools", "--vault", "x", "--depth", "deep"));
        assertTrue(err.toString().contains("'deep' is no depth: expected structure, stored, content or source"), err::toString);
        assertEquals(ExitCode.USAGE, run("verify", "tools", "--vault", "x", "--depth", "stored", "--zeros"));
        assertEquals(ExitCode.USAGE, run("verify", "tools", "--vault", "x", "--threads", "0"));
        assertEquals(ExitCode.USAGE, run("hash", image.toString(), "--chunk-size", "100K"));
        assertEquals(ExitCode.USAGE, run("hash", image.toString(), "--manifest", "a", "--compare", "b"));
        assertEquals(ExitCode.NOT_FOUND, run("verify", "tools", "--vault", folder.toString()));
    }

    @Test
    void hashPrintsWhatB3sumPrints() throws IOException {
        Assumptions.assumeTrue(Tools.find("b3sum").isPresent(), "b3sum is not installed");
        Path odd = Files.copy(image, folder.resolve("back\\slash\nline"));
        for (Path file : new Path[] {image, odd, Files.createFile(folder.resolve("empty"))}) {
            assertEquals(ExitCode.OK, run("hash", file.toString()));
            assertEquals(new String(Tools.run("b3sum", file.toString()).orElseThrow().bytes(), StandardCharsets.UTF_8), out());
        }
        stdin = Files.readAllBytes(image);
        assertEquals(ExitCode.OK, run("hash", "-"));
        assertEquals(new String(Tools.runWith(stdin, "b3sum").orElseThrow().bytes(), StandardCharsets.UTF_8), out());
    }

    @Test
    void hashReadsABlockDevice() throws IOException {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and loop devices");
        Path file = folder.resolve("disk");
        Files.write(file, Images.noise(2, 3 << 20));
        Optional<String> expected = Tools.b3sum(file);
        Assumptions.assumeTrue(expected.isPresent(), "b3sum is not installed");
        try (LoopDevice device = LoopDevice.attach(file)) {
            assertEquals(ExitCode.OK, run("hash", device.path().toString()));
            assertEquals(expected.get() + "  " + device.path() + "\n", out());
        }
    }

    @Test
    void comparisonListsWhatDiffers() throws IOException {
        String list = folder.resolve("list").toString();
        assertEquals(ExitCode.OK, run("hash", image.toString(), "--manifest", list, "--chunk-size", "64K"));
        assertEquals(ExitCode.OK, run("hash", image.toString(), "--compare", list));
        assertTrue(lastLine().startsWith("as it was at "), this::out);
        byte[] bytes = Files.readAllBytes(image);
        bytes[70_000] ^= 1;
        Files.write(image, bytes);
        assertEquals(ExitCode.FINDINGS, run("hash", image.toString(), "--compare", list));
        assertTrue(out().startsWith("differs: 65536 bytes at offset 65536\n"), this::out);
        assertEquals(ExitCode.FINDINGS, run("hash", image.toString(), "--compare", list, "--json"));
        assertTrue(out().replaceAll("\\s", "").contains("\"differences\":[{\"offset\":65536,\"size\":65536}],\"differingSize\":65536"), this::out);
        Files.write(image, Arrays.copyOf(bytes, 100));
        assertEquals(ExitCode.FINDINGS, run("hash", image.toString(), "--compare", list));
        assertEquals(ExitCode.REFUSED, run("hash", image.toString(), "--manifest", list));
    }

    @Test
    void helpSaysWhatEachDepthProves() {
        assertEquals(ExitCode.OK, run("verify", "--help"));
        for (String word : new String[] {"structure", "stored", "content", "does not prove"}) {
            assertTrue(out().replaceAll("\\s+", " ").contains(word), word);
        }
        assertFalse(out().isEmpty());
    }

    @Test
    void turnsSayByWhenAllOfItWillHaveBeenProved() throws IOException {
        String vault = vault();
        assertEquals(ExitCode.OK, run("verify", "--vault", vault, "--budget", "1M", "--max-age", "30d"));
        List<String> lines = out().lines().toList();
        assertEquals(4, lines.size(), this::out);
        assertTrue(lines.get(0).matches("proved by content, the oldest first: 1\\.0 MiB of 2\\.9 MiB in 1 data file of 1 volume, in .*; the budget is used up"), this::out);
        assertTrue(lines.get(1).matches("coverage: 1\\.0 MiB proved, the oldest byte at 20.*Z \\(\\d+ s ago\\); 1\\.9 MiB never proved so deep"), this::out);
        assertTrue(lines.get(2).matches("forecast: all of it will have been proved within 30 d by 20..-..-.. \\(1\\.9 MiB remain, 1\\.0 MiB a day, if such a run is made every day\\)"),
                this::out);
        assertEquals(ExitCode.OK, run("verify", "--vault", vault, "--max-age", "30d"));
        assertTrue(out().contains("forecast: all of it was looked at within 30 d"), this::out);
        assertEquals(ExitCode.OK, run("verify", "tools", "--vault", vault, "--budget", "2h", "--max-age", "30d"));
        assertTrue(out().startsWith("proved by content, the oldest first: 0 B of 2.9 MiB in 1 data file of 1 volume, in 0 s; nothing else is older than 30 d"), this::out);
        Damage.flip(1_200_000, 1).inflictOn(find(".zst"));
        assertEquals(ExitCode.FINDINGS, run("verify", "--vault", vault, "--budget", "90min", "--depth", "stored"));
        assertTrue(out().startsWith("damage: tools: " + find(".zst").getFileName() + ": 1048576 bytes at position 1048576 differ"), this::out);
        assertTrue(out().contains("1.0 MiB known to be damaged in " + find(".zst").getFileName()), this::out);
        assertEquals(ExitCode.FINDINGS, run("verify", "--vault", vault, "--max-age", "30d", "--depth", "stored"), "known, and not mended");
    }

    @Test
    void turnsHaveStableNamesForScripts() {
        String vault = vault();
        assertEquals(ExitCode.OK, run("verify", "--vault", vault, "--budget", "1M", "--json"));
        for (String name : new String[] {
            "depth", "sound", "started", "milliseconds", "bytesLookedAt", "budgetSpent", "coverage", "bytes", "bytesProved", "bytesNeverProved",
            "bytesDamaged", "bytesLessDeep", "oldestProof", "forecast", "bytesRemaining", "bytesPerDay", "measured", "end", "tooSlow", "volumes", "vault",
            "vaultId", "volume", "files", "findings", "notCovered", "summary",
        }) {
            assertTrue(out().contains("\"" + name + "\": "), name);
        }
    }

    @Test
    void budgetsThatMeanNothingAreUsageErrors() {
        String vault = vault();
        for (String budget : new String[] {"30m", "500", "0s", "0G", "-1h", "2h30", "", "G", "1 d"}) {
            assertEquals(ExitCode.USAGE, run("verify", "--vault", vault, "--budget", budget), budget);
        }
        assertEquals(ExitCode.USAGE, run("verify", "--vault", vault, "--budget", "1G", "--depth", "structure"));
        assertEquals(ExitCode.USAGE, run("verify", "tools@latest", "--vault", vault, "--budget", "1G"));
        assertEquals(ExitCode.USAGE, run("verify", "tools", "--vault", vault, "--max-age", "1m"));
        assertEquals(ExitCode.USAGE, run("verify", "tools", "--vault", vault, "--budget", "1G", "--against", image.toString()));
        assertEquals(ExitCode.NOT_FOUND, run("verify", "other", "--vault", vault, "--budget", "1G"));
    }

    @Test
    void sealedArchivesAreProvedAsStoredWithoutAKeyAndByContentWithOne() throws IOException {
        String vault = folder.resolve("vault").toString();
        String key = TestFiles.identity().toString();
        String recipient = Files.readAllLines(TestFiles.identity()).stream().filter(line -> line.startsWith("# public key: ")).findFirst().orElseThrow().substring(14);
        assertEquals(ExitCode.OK, run("archive", image.toString(), "--vault", vault, "--recipient", recipient), err::toString);
        byte[] content = Files.readAllBytes(image);
        content[2_000_000] ^= 1;
        Files.write(image, content);
        assertEquals(ExitCode.OK, run("archive", image.toString(), "--vault", vault), err::toString);

        for (String depth : List.of("structure", "stored")) {
            assertEquals(ExitCode.OK, run("verify", "tools", "--vault", vault, "--depth", depth), this::out);
        }
        assertEquals(ExitCode.OK, run("audit", "tools", "--vault", vault), this::out); // which read no data, and need no key
        assertTrue(run("status", "tools", "--vault", vault, "--min-copies", "1") == ExitCode.OK, this::out);
        assertEquals(ExitCode.WRONG_KEY, run("verify", "tools", "--vault", vault));
        assertTrue(err.toString().contains("is sealed, and no key was given") && err.toString().contains("--depth stored needs none"), err::toString);
        assertEquals(ExitCode.WRONG_KEY, run("verify", "tools", "--vault", vault, "--identity", folder.resolve("gone").toString()));
        assertEquals(ExitCode.OK, run("verify", "tools", "--vault", vault, "--identity", key), this::out);
        assertTrue(lastLine().startsWith("proved by content: 2 of 2 points"), this::out);
        assertEquals(ExitCode.OK, run("verify", "tools@latest", "--vault", vault, "--identity", key), this::out);
        assertEquals(ExitCode.OK, run("verify", "tools", "--vault", vault, "--identity", key, "--budget", "100M"), () -> out() + err);

        String copy = folder.resolve("copy").toString();
        assertEquals(ExitCode.OK, run("vault", "init", copy), err::toString);
        assertEquals(ExitCode.OK, run("copy", "tools", "--vault", vault, "--to", copy), err::toString);
        Path full = find("full.zst.age");
        Damage.flip(1_200_000, 1).inflictOn(full);
        assertEquals(ExitCode.FINDINGS, run("verify", "tools", "--vault", vault, "--depth", "stored"));
        assertTrue(out().contains(full.getFileName() + ": 1048576 bytes at position 1048576 differ"), this::out);
        assertEquals(ExitCode.FINDINGS, run("verify", "tools", "--vault", vault, "--identity", key));
        assertTrue(out().contains("(F048)"), this::out);
        assertEquals(ExitCode.OK, run("heal", "tools", "--vault", vault, "--from", copy), () -> out() + err);
        assertEquals(ExitCode.OK, run("verify", "tools", "--vault", vault, "--identity", key), this::out);
        assertEquals(ExitCode.WRONG_KEY, run("consolidate", "tools", "--vault", vault, "--full"));
        assertEquals(ExitCode.OK, run("consolidate", "tools", "--vault", vault, "--full", "--identity", key), err::toString);
        assertEquals(ExitCode.OK, run("seal", "show", "tools", "--vault", vault));
        assertTrue(out().contains(recipient) && out().lines().filter(line -> line.endsWith(": for these")).count() == 3, this::out);
    }
}
