package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.Images;
import varve.testdata.VarveProcess;

/// What is run before and after an archive.
class HooksTest {

    @TempDir
    Path folder;

    private final Captured captured = new Captured();

    private ExitCode archive(Object... more) {
        List<String> words = new ArrayList<>(List.of("archive", image().toString(), "--vault", vault().toString()));
        for (Object word : more) {
            words.add(word.toString());
        }
        return Main.run(captured.stdio(0), words.toArray(String[]::new));
    }

    private Path image() {
        return folder.resolve("tools.img");
    }

    private Path vault() {
        return folder.resolve("vault");
    }

    /// a hook that keeps its environment
    private String keep() {
        return "env | grep ^VARVE_ > " + folder.resolve("kept");
    }

    private List<String> kept() throws IOException {
        return Files.readAllLines(folder.resolve("kept"));
    }

    private void image(int size) throws IOException {
        Images.write(Images.mixed(1, size), image());
    }

    private long points() throws IOException {
        Path volume = vault().resolve("tools");
        if (!Files.isDirectory(volume)) {
            return 0;
        }
        try (var files = Files.list(volume)) {
            return files.filter(file -> file.toString().endsWith(".zst")).count();
        }
    }

    @Test
    void whatComesBeforeMayMakeTheSource() throws Exception {
        assertEquals(ExitCode.OK, archive("--before", "echo making; head -c 100000 /dev/zero > " + image(), "--after", keep()), captured.err());
        assertEquals(1, points());
        assertTrue(captured.err().contains("making"), captured.err());
        assertFalse(captured.out().contains("making"), captured.out());
        List<String> kept = kept();
        assertTrue(kept.contains("VARVE_RESULT=ok"), kept.toString());
        assertTrue(kept.contains("VARVE_VOLUME=tools"), kept.toString());
        assertTrue(kept.contains("VARVE_SOURCE=" + image()), kept.toString());
        assertTrue(kept.contains("VARVE_VAULT=" + vault()), kept.toString());
        assertTrue(kept.contains("VARVE_HOOK=after"), kept.toString());
        assertTrue(kept.contains("VARVE_SIZE=100000"), kept.toString());
        assertTrue(kept.stream().anyMatch(line -> line.startsWith("VARVE_POINT=tools@2")), kept.toString());
        assertTrue(kept.stream().anyMatch(line -> line.matches("VARVE_ROOT=[0-9a-f]{64}")), kept.toString());
    }

    @Test
    void ifWhatComesBeforeFailsNothingIsArchivedAndWhatComesAfterIsRun() throws Exception {
        image(100_000);
        assertEquals(ExitCode.IO, archive("--before", "echo no room >&2; exit 4", "--after", keep()));
        assertEquals(0, points());
        assertTrue(captured.err().contains("no room"), captured.err());
        assertTrue(captured.err().contains("--before: exit status 4"), captured.err());
        assertTrue(kept().contains("VARVE_RESULT=failed"), kept().toString());
        assertTrue(kept().stream().anyMatch(line -> line.startsWith("VARVE_ERROR=--before: exit status 4")), kept().toString());
    }

    @Test
    void whatComesAfterIsRunIfTheSourceCannotBeRead() throws Exception {
        assertEquals(ExitCode.NOT_FOUND, archive("--after", keep()));
        assertTrue(kept().contains("VARVE_RESULT=failed"), kept().toString());
    }

    @Test
    void ifWhatComesAfterFailsTheArchiveStays() throws Exception {
        image(100_000);
        assertEquals(ExitCode.IO, archive("--after", "exit 1"));
        assertEquals(1, points());
        assertTrue(captured.err().contains("--after: exit status 1"), captured.err());
        assertTrue(captured.out().contains("safe in"), captured.out());
    }

    @Test
    void whatTakesTooLongIsStopped() throws Exception {
        image(100_000);
        assertEquals(ExitCode.IO, archive("--before", "sleep 1000", "--hook-timeout", 1));
        assertEquals(0, points());
        assertTrue(captured.err().contains("--before: has not ended within 1 s and was stopped"), captured.err());
    }

    @Test
    void aDryRunRunsNothing() throws Exception {
        image(100_000);
        assertEquals(ExitCode.OK, archive("--before", "touch " + folder.resolve("kept"), "--dry-run"), captured.err());
        assertFalse(Files.exists(folder.resolve("kept")));
    }

    @Test
    void whatComesAfterIsRunIfTheRunIsEndedFromOutside() throws Exception {
        image(8 << 20);
        try (VarveProcess varve = VarveProcess.start("archive", image(), "--vault", vault(), "--bwlimit", "1M", "--after", keep(),
                "--before", "touch " + folder.resolve("begun"))) {
            assertTrue(varve.await(() -> Files.exists(folder.resolve("begun"))));
            varve.terminate().expect(ExitCode.TERMINATED.number());
        }
        assertEquals(0, points());
        assertTrue(kept().contains("VARVE_RESULT=failed"), kept().toString());
    }
}
