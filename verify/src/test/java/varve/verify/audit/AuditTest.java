package varve.verify.audit;

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
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
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
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.testdata.Damage;
import varve.testdata.Images;
import varve.testdata.Tools;

/// What an auditor asks, and what happens to the answer when something is wrong: first two vaults that are as they should be.
final class AuditTest {

    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Path home;
    private Path disk;

    @BeforeEach
    void twoCopies() throws IOException {
        Path image = Files.write(folder.resolve("tools.img"), Images.noise(1, 2_500_000));
        home = folder.resolve("home");
        disk = folder.resolve("disk");
        assertEquals(ExitCode.OK, run("archive", image, "--vault", home, "--volume", "tools"));
        Files.write(image, Images.noise(2, 2_500_000));
        assertEquals(ExitCode.OK, run("archive", image, "--vault", home, "--volume", "tools"));
        assertEquals(ExitCode.OK, run("vault", "init", disk, "--label", "+Monday"), err::toString);
        assertEquals(ExitCode.OK, run("copy", "tools", "--vault", home, "--to", disk), err::toString);
        assertTrue(audit().clean());
    }

    private ExitCode run(Object... args) {
        out.reset();
        err.reset();
        return Main.run(new Stdio(InputStream.nullInputStream(), new PrintStream(out), new PrintStream(err), 0, System::nanoTime),
                Stream.of(args).map(Object::toString).toArray(String[]::new));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private VolumeAudit audit(Path... vaults) throws IOException {
        List<Vault> open = new ArrayList<>();
        for (Path vault : vaults.length == 0 ? new Path[] {home, disk} : vaults) {
            open.add(Vault.open(vault));
        }
        return new Auditor(open, Instant.now(), warning -> {}).audit(List.of("tools")).getFirst();
    }

    private Path data(Path vault) throws IOException {
        try (Stream<Path> files = Files.list(vault.resolve("tools"))) {
            return files.filter(file -> file.toString().endsWith(".full.zst")).findFirst().orElseThrow();
        }
    }

    @Test
    void eachPointHasItsCopiesWithTheAgeOfTheirProofs() throws IOException {
        VolumeAudit audit = audit();
        assertEquals(2, audit.points().size());
        for (VolumeAudit.PointAudit point : audit.points()) {
            assertEquals(2, point.copies());
            assertEquals(2, point.holdings().size());
            for (VolumeAudit.Holding holding : point.holdings()) {
                assertTrue(holding.proved() && holding.atHand() && holding.counts());
                assertEquals(0, holding.unproved() + holding.damaged() + holding.missing());
            }
        }
        assertEquals(List.of(), audit.incidents());
        Files.move(disk, folder.resolve("shelf"));
        VolumeAudit.PointAudit away = audit(home).points().getLast();
        assertEquals(2, away.copies());
        assertEquals(List.of(true, false), away.holdings().stream().map(VolumeAudit.Holding::atHand).toList());
        assertTrue(away.holdings().getLast().proved());
    }

    @Test
    void damageIsAnIncidentUntilItIsMended() throws IOException {
        Damage.flip(1_500_000, 1).inflictOn(data(home));
        assertTrue(audit().clean()); // nobody has looked
        assertEquals(ExitCode.FINDINGS, run("verify", "tools", "--vault", home, "--depth", "stored"));
        assertEquals(ExitCode.FINDINGS, run("verify", "tools", "--vault", home, "--depth", "stored")); // the same, not another
        VolumeAudit open = audit();
        assertFalse(open.clean());
        Incident incident = open.incidents().getFirst();
        assertEquals(1, open.incidents().size());
        assertEquals(1 << 20, incident.damaged().size());
        assertEquals(Optional.of(data(home).getFileName().toString()), incident.archive());
        assertEquals(Optional.empty(), incident.end());
        assertEquals(1 << 20, open.points().getFirst().holdings().getFirst().damaged());
        assertEquals(1, open.points().getFirst().copies());
        assertEquals(ExitCode.FINDINGS, run("audit", "--vault", home, "--vault", disk));
        assertTrue(out().contains("; 1048576 bytes in " + data(home).getFileName() + "; OPEN\n"), this::out);
        assertEquals(ExitCode.OK, run("heal", "tools", "--vault", home, "--from", disk), err::toString);
        VolumeAudit mended = audit();
        assertTrue(mended.clean());
        assertEquals(Optional.of(Receipt.What.HEAL), mended.incidents().getFirst().endedBy());
        assertEquals(ExitCode.OK, run("audit", "--vault", home, "--vault", disk));
        assertTrue(out().contains(", by heal\n"), this::out);
    }

    @Test
    void whatFailedIsAnIncidentUntilItWorks() throws IOException {
        Receipts receipts = new Receipts(new Volume("tools", home.resolve("tools")));
        Receipt.Draft archive = Receipt.begin(Receipt.What.ARCHIVE, Vault.open(home), "tools", "test", InstantSource.system());
        receipts.add(archive.failed(new IOException("/dev/vg/tools: no such device")));
        assertEquals(List.of("/dev/vg/tools: no such device"), audit().incidents().stream().map(Incident::text).toList());
        receipts.add(Receipt.begin(Receipt.What.COPY, Vault.open(home), "tools", "test", InstantSource.system()).act(List.of()));
        assertFalse(audit().clean());
        receipts.add(Receipt.begin(Receipt.What.ARCHIVE, Vault.open(home), "tools", "test", InstantSource.system()).act(List.of()));
        assertTrue(audit().clean());
        assertEquals(1, audit().incidents().size());
    }

    @Test
    void receiptsThatWereRemovedEditedOrReorderedShow() throws IOException {
        Path file = home.resolve("tools/receipts.jsonl");
        List<String> lines = Files.readAllLines(file);
        assertTrue(lines.size() > 1);
        List<String> reordered = new ArrayList<>(lines);
        Collections.swap(reordered, 0, 1);
        List<String> edited = new ArrayList<>(lines);
        edited.set(0, edited.getFirst().replace("\"result\":\"ok\"", "\"result\":\"failed\""));
        for (List<String> wrong : List.of(lines.subList(1, lines.size()), lines.subList(0, lines.size() - 1), reordered, edited)) {
            Files.write(file, wrong);
            assertFalse(audit().clean());
            assertEquals(ExitCode.FINDINGS, run("audit", "--vault", home, "--vault", disk));
            assertTrue(out().contains(", BROKEN:\n    receipts.jsonl: "), this::out);
        }
        Files.write(file, lines);
        assertEquals(ExitCode.OK, run("audit", "--vault", home, "--vault", disk));
        assertTrue(out().contains(", each follows the one before\n"), this::out);
    }

    @Test
    void pointsWithoutAProvedCopyAreNotClean() throws IOException {
        for (Path vault : List.of(home, disk)) {
            Files.delete(data(vault));
        }
        VolumeAudit audit = audit();
        assertFalse(audit.clean());
        assertEquals(0, audit.points().getFirst().copies());
    }

    @Test
    void jsonHasStableNames() {
        assertEquals(ExitCode.OK, run("audit", "tools", "--vault", home, "--vault", disk, "--json"));
        for (String name : new String[] {
            "time", "clean", "volumes", "volume", "points", "sequence", "root", "size", "copies", "vaults", "vault", "vaultId", "atHand", "counts", "proved",
            "files", "filesMissing", "oldestProof", "depth", "evidence", "bytesUnproved", "bytesDamaged", "incidents", "receipts", "first", "last", "unbroken",
            "problems",
        }) {
            assertTrue(out().contains("\"" + name + "\": "), name);
        }
    }

    @Test
    void otherProgramsReadTheTables() throws IOException {
        Assumptions.assumeTrue(Tools.find("python3").isPresent(), "needs python3");
        Damage.flip(1_500_000, 1).inflictOn(data(home));
        run("verify", "tools", "--vault", home, "--depth", "stored");
        String script = "import csv,sys; t=list(csv.DictReader(sys.stdin,strict=True)); print(len(t)); print(t[-1]['vault'], t[0][sys.argv[1]])";
        assertEquals(ExitCode.FINDINGS, run("audit", "--vault", home, "--vault", disk, "--csv"));
        assertEquals("4\n'+Monday 1048576", Tools.runWith(out.toByteArray(), "python3", "-c", script, "bytes_damaged").orElseThrow().expectSuccess().text());
        assertEquals(ExitCode.FINDINGS, run("audit", "--vault", home, "--vault", disk, "--csv", "incidents"));
        assertTrue(Tools.runWith(out.toByteArray(), "python3", "-c", script, "bytes_damaged").orElseThrow().expectSuccess().text().startsWith("1\n"), this::out);
        assertEquals(ExitCode.USAGE, run("audit", "--vault", home, "--csv", "--json"));
        assertEquals(ExitCode.NOT_FOUND, run("audit", "other", "--vault", home));
    }
}
