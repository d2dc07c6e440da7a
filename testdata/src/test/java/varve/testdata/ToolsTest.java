package varve.testdata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ToolsTest {

    @TempDir
    Path folder;

    @Test
    void missingProgramIsNoError() throws IOException {
        assertEquals(Optional.empty(), Tools.find("no-such-program"));
        assertEquals(Optional.empty(), Tools.run("no-such-program", "--version"));
    }

    @Test
    void outputErrorsAndExitCodeComeBack() throws IOException {
        Tools.Output output = Tools.runWith("in".getBytes(StandardCharsets.UTF_8), "sh", "-c", "cat; echo bad >&2; exit 3")
                .orElseThrow();
        assertEquals("in", output.text());
        assertEquals("bad\n", output.errors());
        assertEquals(3, output.exitCode());
        assertEquals("exit code 3: bad", assertThrows(IOException.class, output::expectSuccess).getMessage());
    }

    @Test
    void largeInputThatIsNotReadDoesNotHang() throws IOException {
        assertEquals(0, Tools.runWith(new byte[1 << 20], "true").orElseThrow().exitCode());
    }

    @Test
    void b3sumPrintsTheHashOfNothing() throws IOException {
        Optional<String> hash = Tools.b3sum(Files.createFile(folder.resolve("empty")));
        Assumptions.assumeTrue(hash.isPresent(), "b3sum is not installed");
        assertTrue(hash.get().startsWith("af1349b9f5f9a1a6"), hash::get);
    }
}
