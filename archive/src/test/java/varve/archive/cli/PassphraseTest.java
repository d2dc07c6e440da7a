package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.Images;
import varve.testdata.Terminal;
import varve.testdata.Tools;

/// A passphrase that is asked for at a terminal.
class PassphraseTest {

    private static final String ASKED = "Passphrase for ";
    private static final String AGAIN = "The same again: ";
    private static final String SECRET = "ein Kännchen Öl\\n";

    @TempDir
    Path folder;

    private String said = "";

    private int at(List<String> dialogue, Object... command) throws IOException {
        return taken(Terminal.run(dialogue, List.of(command)));
    }

    private int varve(List<String> dialogue, Object... arguments) throws IOException {
        List<Object> words = new ArrayList<>(List.of(arguments));
        words.addAll(List.of("--vault", folder.resolve("vault")));
        Terminal terminal = Terminal.varve(dialogue, words.toArray());
        assertTrue(terminal.hidden(), "hidden while it is typed, and only then: " + terminal.said());
        return taken(terminal);
    }

    private int taken(Terminal terminal) {
        said = terminal.said();
        return terminal.exitCode();
    }

    private List<Path> archives() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("vault/d"))) {
            return files.filter(file -> file.toString().endsWith(".age")).sorted().toList();
        }
    }

    @Test
    void aVolumeIsSealedAndAddedToWithThePassphraseThatIsTyped() throws IOException {
        assumeTrue(Tools.find("python3").isPresent() && Tools.find("age").isPresent() && Tools.find("zstd").isPresent(), "needs python3, age and zstd");
        byte[] image = Images.mixed(3, 1 << 20);
        Path device = Files.write(folder.resolve("d.img"), image);
        assertEquals(0, varve(List.of(ASKED, SECRET, AGAIN, SECRET), "archive", device, "--passphrase"), said);
        Path full = archives().getFirst();
        assertEquals(0, at(List.of(": ", SECRET), "age", "-d", "-o", folder.resolve("full.zst"), full), said);
        assertArrayEquals(image, Tools.unzstd(folder.resolve("full.zst")).orElseThrow());

        image[5] ^= 1;
        Files.write(device, image);
        assertEquals(ExitCode.WRONG_KEY.number(), varve(List.of(ASKED, "another\\n"), "archive", device), said);
        assertTrue(said.contains("the passphrase does not open it"), said);
        assertEquals(List.of(full), archives());
        assertEquals(0, varve(List.of(ASKED, SECRET), "archive", device), said);
    }

    @Test
    void theTerminalShowsAgainWhatIsTypedHoweverTheQuestionEnds() throws IOException {
        assumeTrue(Tools.find("python3").isPresent(), "needs python3");
        Path device = Files.write(folder.resolve("d.img"), new byte[4096]);
        assertEquals(ExitCode.INTERRUPTED.number(), varve(List.of(ASKED, "ab\\x03"), "archive", device, "--passphrase"), said);
        assertEquals(ExitCode.WRONG_KEY.number(), varve(List.of(ASKED, SECRET, AGAIN, "other\\n"), "archive", device, "--passphrase"), said);
        assertTrue(said.contains("varve: the two passphrases differ"), said);
        assertFalse(Files.exists(folder.resolve("vault")));
    }
}
