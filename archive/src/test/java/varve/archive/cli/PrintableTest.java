package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import varve.testdata.Tools;

final class PrintableTest {

    @ParameterizedTest
    @ValueSource(strings = {"", "after the update", "Jürgen's \"disk\" ☃ \\n", "日本語 😀"})
    void whatIsPlainStaysAsItIs(String text) {
        assertEquals(text, Printable.line(text));
    }

    @Test
    void whatMovesTheCursorIsEscaped() {
        assertEquals("a\\nb\\u000d\\u001b[2K\\u0007\\u009b1A\\u007f", Printable.line("a\nb\r\u001b[2K\u0007\u009b1A\u007f"));
    }

    @Test
    void whatTurnsTheReadingDirectionOrIsNoCharacterIsEscaped() {
        assertEquals("x\\u202etxt\\u2066\\u2028\\ud800", Printable.line("x\u202etxt\u2066\u2028\ud800"));
        assertEquals("\\U000e0001", Printable.line("\udb40\udc01"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/dev/vg/tools", "my disk.img", "it's", "a\nb", "\u001b[31m'\\", "$HOME `id` *", "", "-x", "☃"})
    void aWordIsWhatAShellMakesOfIt(String word) throws IOException {
        Assumptions.assumeTrue(Tools.find("bash").isPresent(), "bash is not installed");
        String script = "printf %s " + Printable.word(word);
        assertEquals(word, new String(Tools.run("env", "LC_ALL=C.UTF-8", "bash", "-c", script).orElseThrow().bytes()));
    }
}
