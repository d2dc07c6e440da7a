package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.block.Geometry;
import varve.archive.format.Manifest;
import varve.archive.vault.Vault;
import varve.testdata.Images;

/// `varve archive` as a user runs it, and what `list`, `show` and `diff` say afterwards.
final class ArchiveVerbTest {

    private static final int SIZE = 3_000_000;

    @TempDir
    private Path folder;

    private Captured captured = new Captured();

    private ExitCode run(String... args) {
        return runWith(new byte[0], args);
    }

    private ExitCode runWith(byte[] stdin, String... args) {
        captured = new Captured();
        String[] all = Stream.concat(Stream.of(args), Stream.of("--vault", vault().toString())).toArray(String[]::new);
        return Main.run(captured.stdio(stdin), all);
    }

    private Path vault() {
        return folder.resolve("vault");
    }

    private String image(String name, byte[] content) throws IOException {
        return Files.write(folder.resolve(name), content).toString();
    }

    private Manifest latest(String volume) throws IOException {
        return Vault.open(vault()).volume(volume).read().sound().latest().orElseThrow().manifest();
    }

    @Test
    void aStreamHasTheChunksOfAnImage() throws IOException {
        assertEquals(ExitCode.OK, runWith(Images.noise(1, SIZE), "archive", "-", "--volume", "stream"), captured::err);
        assertEquals(Geometry.DEFAULT_CHUNK_LOG, latest("stream").chunkLog());
        assertEquals(ExitCode.OK, run("archive", image("image", Images.noise(1, SIZE))), captured::err);
        assertEquals(Geometry.DEFAULT_CHUNK_LOG, latest("image").chunkLog());
    }

    @Test
    void aStreamThatIsShorterThanBeforeIsAWarning() {
        byte[] device = Images.noise(1, SIZE);
        assertEquals(ExitCode.OK, runWith(device, "archive", "-", "--volume", "stream"));
        assertEquals(ExitCode.OK, runWith(new byte[0], "archive", "-", "--volume", "stream", "--dry-run"));
        assertEquals("varve: warning: stream: smaller than at the point before: 0 bytes, then 3000000; did what sends the stream end early?\n",
                captured.err());
        assertTrue(captured.out().contains("stream: would store a delta of 0 B changed of 0 B (before: 2.9 MiB) in "), captured::out);
        assertEquals(ExitCode.OK, runWith(new byte[0], "archive", "-", "--volume", "stream", "--json"));
        assertTrue(captured.err().contains("smaller than at the point before"), captured::err);
        assertEquals(ExitCode.OK, runWith(device, "archive", "-", "--volume", "stream"));
        assertEquals("", captured.err());
        assertTrue(captured.out().contains(" changed of 2.9 MiB (before: 0 B) in "), captured::out);
    }

    @Test
    void aVaultThatWasNotThereIsCalledNew() throws IOException {
        String image = image("image", Images.noise(1, SIZE));
        assertEquals(ExitCode.OK, run("archive", image), captured::err);
        assertTrue(captured.out().endsWith("safe in " + vault() + ", a new vault: written, read back and compared\n"), captured::out);
        assertEquals(ExitCode.OK, run("archive", image), captured::err);
        assertTrue(captured.out().endsWith("safe in " + vault() + ": written, read back and compared\n"), captured::out);
    }

    @Test
    void aSourceWhoseNameIsNoVolumeNameAsksForOne() throws IOException {
        assertEquals(ExitCode.USAGE, run("archive", image("my disk.img", new byte[1])));
        assertTrue(captured.err().startsWith("varve: a volume cannot be called \"my disk\" as the source is: give --volume NAME\n"), captured::err);
        assertFalse(Files.exists(vault()));
    }

    @Test
    void aNameThatIsEmptyIsNoFolder() {
        assertEquals(ExitCode.NOT_FOUND, run("archive", "", "--volume", "x"));
        assertEquals("varve: \"\": no device or file has no name\n", captured.err());
    }

    @Test
    void aNameThatJavaCouldNotReadIsAUsageError() {
        assertEquals(ExitCode.USAGE, run("archive", "bad\ufffd.img", "--volume", "x"));
        assertTrue(captured.err().startsWith("varve: bad\ufffd.img: not UTF-8, "), captured::err);
    }

    @Test
    void aWaitOfMoreThanAYearIsAUsageError() throws IOException {
        String image = image("image", new byte[1]);
        assertEquals(ExitCode.USAGE, run("archive", image, "--lock-wait", "99999999999999"));
        assertEquals(ExitCode.OK, run("archive", image, "--lock-wait", "31536000"), captured::err);
    }

    @Test
    void aLabelMakesNoLinesOfItsOwnAndMovesNoCursor() throws IOException {
        String label = "a\n9  2026-11-20T02:00:00.000Z  full\u001b[2K\u009b1A";
        assertEquals(ExitCode.OK, run("archive", image("image", new byte[1]), "--label", label), captured::err);
        assertEquals(label, latest("image").label().orElseThrow());
        String shown = "a\\n9  2026-11-20T02:00:00.000Z  full\\u001b[2K\\u009b1A";
        assertEquals(ExitCode.OK, run("list", "image"));
        assertTrue(captured.out().endsWith("  " + shown + "\n"), captured::out);
        assertEquals(ExitCode.OK, run("show", "image"));
        assertTrue(captured.out().contains("label          " + shown + "\n"), captured::out);
        assertEquals(ExitCode.OK, run("list", "image", "--json"));
        assertTrue(captured.out().contains("full\\u001b[2K\\u009b1A\""), captured::out);
    }

    @Test
    void archiveAndListSayTheSameOfWhatIsStored() throws IOException {
        assertEquals(ExitCode.OK, run("archive", image("image", Images.noise(1, 100_000))), captured::err);
        String stored = captured.out().replaceFirst("(?s).* in ([0-9.]+ KiB) as .*", "$1");
        assertEquals(ExitCode.OK, run("list"));
        assertTrue(captured.out().contains("  " + stored + "  "), () -> stored + captured.out());
        assertEquals(ExitCode.OK, run("list", "image"));
        assertTrue(captured.out().contains("  " + stored + "  "), () -> stored + captured.out());
    }

    @Test
    void aVolumeThatCannotBeReadDoesNotHideTheOthers() throws IOException {
        assertEquals(ExitCode.OK, run("archive", image("image", new byte[1])), captured::err);
        Path broken = Files.createDirectories(vault().resolve("broken"));
        Path manifest = Files.writeString(broken.resolve("broken.20261120T020000.123Z.full.json"), "{}");
        assertEquals(ExitCode.FINDINGS, run("list"));
        assertTrue(captured.out().contains("\nimage "), captured::out);
        assertTrue(captured.err().startsWith("varve: " + manifest.getFileName() + ": "), captured::err);
        assertEquals(ExitCode.FINDINGS, run("list", "broken"));
        assertEquals("no points in time of broken that can be read\n", captured.out());
    }

    @Test
    void aPointThatIsNotFoundMayBeOneThatCannotBeRead() throws IOException {
        String image = image("image", new byte[1]);
        assertEquals(ExitCode.OK, run("archive", image), captured::err);
        Path manifest = vault().resolve("image").resolve(latest("image").baseName() + ".json");
        assertEquals(ExitCode.OK, run("archive", image), captured::err);
        byte[] good = Files.readAllBytes(manifest);
        Files.write(manifest, new byte[1]);
        for (String[] command : new String[][] {{"show", "image@-1"}, {"diff", "image@-1", "image"}}) {
            assertEquals(ExitCode.NOT_FOUND, run(command));
            assertTrue(captured.err().startsWith("varve: image@-1: the volume has only 1 point in time; or it is one that cannot be read: "
                    + manifest.getFileName()), captured::err);
        }
        Files.write(manifest, good);
        assertEquals(ExitCode.OK, run("show", "image@-1"), captured::err);
    }

    @Test
    void diffCountsOneRangeAsOne() throws IOException {
        assertEquals(ExitCode.OK, run("archive", image("image", new byte[1])), captured::err);
        assertEquals(ExitCode.OK, run("archive", image("image", new byte[] {1})), captured::err);
        assertEquals(ExitCode.OK, run("diff", "image@-1", "image", "--summary"), captured::err);
        assertEquals("1 range, 1 bytes (1 B)\n", captured.out());
    }
}
