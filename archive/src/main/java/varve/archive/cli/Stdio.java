package varve.archive.cli;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import varve.archive.linux.Linux;

/// Where a command reads and talks, and its clock: data goes to `out`, which is buffered until the end of the run; talk
/// goes to `err`.
///
/// @param columns the width of the terminal that `err` is, or 0 if it is none
/// @param nanoTime a clock that only moves forward
public record Stdio(InputStream in, PrintStream out, PrintStream err, int columns, LongSupplier nanoTime) {
    /// {@return the streams of this process}
    static Stdio ofProcess() {
        return new Stdio(
                System.in,
                new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)), false, StandardCharsets.UTF_8),
                new PrintStream(new FileOutputStream(FileDescriptor.err), false, StandardCharsets.UTF_8),
                -1,
                System::nanoTime);
    }

    /// {@return the width of the terminal that `err` is, or 0 if it is none} Asked when first needed: few runs do.
    @Override
    public int columns() {
        return columns >= 0 ? columns : terminalColumns();
    }

    /// Tells what the user should know although it is no error.
    public void warn(String warning) {
        say("warning: " + warning);
    }

    /// {@return what tells the user of things that are no errors, each once}
    public Consumer<String> warnings() {
        Set<String> told = new HashSet<>();
        return message -> {
            if (told.add(message)) {
                warn(message);
            }
        };
    }

    /// {@return whether a person is there to ask}
    public boolean person() {
        return columns() > 0 && Linux.isatty(0);
    }

    /// Asks a person.
    ///
    /// @return the answer, without white space around it; nothing if there is none
    public Optional<String> ask(String question) throws IOException {
        err.print(question);
        err.flush();
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int c = in.read();
        if (c < 0) {
            return Optional.empty();
        }
        for (; c >= 0 && c != '\n'; c = in.read()) { // not a byte more: others may ask, too
            line.write(c);
        }
        return Optional.of(line.toString(StandardCharsets.UTF_8).strip());
    }

    /// Says something that is no data, in one line on `err`.
    public void say(String message) {
        err.println("varve: " + Printable.line(message));
    }

    private static int terminalColumns() {
        if (!Linux.isatty(2) || "dumb".equals(System.getenv("TERM"))) {
            return 0;
        }
        int columns = Linux.terminalWidth(2);
        return columns > 0 ? columns : 80;
    }
}
