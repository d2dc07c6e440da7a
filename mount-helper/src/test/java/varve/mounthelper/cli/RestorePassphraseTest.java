package varve.mounthelper.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.testdata.Images;
import varve.testdata.Terminal;
import varve.testdata.Tools;

/// Restoring what is sealed with a passphrase, which is asked for at a terminal.
class RestorePassphraseTest {

    private static final String ASKED = "Passphrase for ";
    private static final String SECRET = "ein Kännchen Öl\\n";

    @TempDir
    Path folder;

    private Terminal restore(String typed) throws IOException {
        Terminal terminal = Terminal.varve(List.of(ASKED, typed), "restore", "d", folder.resolve("back/d.img"), "--vault", folder.resolve("vault"));
        assertTrue(terminal.hidden(), terminal.said());
        return terminal;
    }

    private void assertNothingIsLeft() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("back"))) {
            assertEquals(List.of(), files.toList());
        }
    }

    @Test
    void thePassphraseThatIsTypedOpensItAndNothingElseDoes() throws IOException {
        assumeTrue(Tools.find("python3").isPresent(), "needs python3");
        byte[] image = Images.mixed(4, 1 << 20);
        Path device = Files.write(folder.resolve("d.img"), image);
        Terminal archive = Terminal.varve(
                List.of(ASKED, SECRET, "The same again: ", SECRET), "archive", device, "--passphrase", "--vault", folder.resolve("vault"));
        assertEquals(0, archive.exitCode(), archive.said());
        Files.createDirectory(folder.resolve("back"));

        Terminal wrong = restore("another\\n");
        assertEquals(ExitCode.WRONG_KEY.number(), wrong.exitCode(), wrong.said());
        assertTrue(wrong.said().contains("the passphrase does not open it"), wrong.said());
        assertNothingIsLeft();

        Terminal interrupted = restore("ein K\\x03");
        assertEquals(ExitCode.INTERRUPTED.number(), interrupted.exitCode(), interrupted.said());
        assertNothingIsLeft();

        Terminal right = restore(SECRET);
        assertEquals(0, right.exitCode(), right.said());
        assertArrayEquals(image, Files.readAllBytes(folder.resolve("back/d.img")));
        assertFalse(right.said().contains("Kännchen"), right.said());
    }
}
