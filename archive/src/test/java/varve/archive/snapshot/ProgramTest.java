package varve.archive.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Programs of others: what they print, how they fail, and that they end.
class ProgramTest {

    private final Program program = new Program(Duration.ofMinutes(2));

    @Test
    void whatAProgramPrintsIsReadWhole() throws Exception {
        assertEquals(200_000, program.run("head", "-c", "200000", "/dev/zero").length());
    }

    @Test
    void argumentsSeeNoShell() throws Exception {
        assertEquals("$HOME `id`; *\n", program.run("printf", "%s\\n", "$HOME `id`; *"));
    }

    @Test
    void theLocaleIsC() throws Exception {
        assertTrue(program.run("env").lines().anyMatch("LC_ALL=C"::equals));
    }

    @Test
    void whatAFailingProgramSaysIsInTheMessage() {
        IOException e = assertThrows(ProgramException.class, () -> program.run("ls", "/nowhere/at/all"));
        assertTrue(e.getMessage().matches("ls /nowhere/at/all: exit status 2: .*/nowhere/at/all.*: No such file or directory"), e.getMessage());
    }

    @Test
    void aProgramThatIsNotInstalledIsNamed() {
        IOException e = assertThrows(NoSuchFileException.class, () -> program.run("varve-has-no-such-program"));
        assertTrue(e.getMessage().contains("not installed"), e.getMessage());
    }

    @Test
    void aProgramThatDoesNotEndIsStoppedWithItsChildren() {
        Program hasty = new Program(Duration.ofMillis(300));
        IOException e = assertThrows(ProgramException.class, () -> hasty.run("sh", "-c", "sleep 1000 & sleep 1000"));
        assertTrue(e.getMessage().contains("has not ended within"), e.getMessage());
    }

    @Test
    void aProgramWhoseOutputMakesNoSenseIsBlamed() {
        IOException e = assertThrows(ProgramException.class, () -> program.read(List.of("echo", "?"), out -> {
            throw new IllegalArgumentException("no list");
        }));
        assertEquals("echo ?: printed what was not expected: no list", e.getMessage());
    }

    @Test
    void aFailureOfTheProgramCountsMoreThanThatOfItsReader() {
        IOException e = assertThrows(ProgramException.class, () -> program.read(List.of("sh", "-c", "echo broken >&2; exit 3"), out -> {
            throw new IllegalArgumentException("no list");
        }));
        assertTrue(e.getMessage().endsWith("exit status 3: broken"), e.getMessage());
    }
}
