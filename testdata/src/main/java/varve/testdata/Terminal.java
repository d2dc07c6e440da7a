package varve.testdata;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// What a program said at a terminal of its own, where its questions were answered (testdata/terminal.py; needs Python).
///
/// @param said what it wrote, with `[hidden]` or `[shown]` where an answer was typed and at the end, by whether the terminal would have shown it
public record Terminal(int exitCode, String said) {

    private static final String SHOWN = "[shown]";

    /// Runs a program.
    ///
    /// @param dialogue questions, and what is typed
    public static Terminal run(List<String> dialogue, List<Object> command) throws IOException {
        List<Object> words = new ArrayList<>(List.of("python3", TestFiles.root().resolve("terminal.py")));
        words.addAll(dialogue);
        words.add("--");
        words.addAll(command);
        Tools.Output output = Tools.run(words.toArray()).orElseThrow();
        return new Terminal(output.exitCode(), new String(output.bytes()));
    }

    /// Runs varve.
    public static Terminal varve(List<String> dialogue, Object... arguments) throws IOException {
        List<Object> command = new ArrayList<>(VarveProcess.command(VarveProcess.QUICK));
        command.addAll(List.of(arguments));
        return run(dialogue, command);
    }

    /// {@return whether what was typed was hidden, and the terminal shows again what is typed}
    public boolean hidden() {
        return said.indexOf(SHOWN) == said.length() - SHOWN.length();
    }
}
