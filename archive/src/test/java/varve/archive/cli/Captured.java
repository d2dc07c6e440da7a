package varve.archive.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import varve.testdata.VarveProcess.Ended;

/// Streams that a test can look into, and a clock that it sets.
public final class Captured {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private long nanos;

    /// Runs `varve` in this process, which is quicker than in one of its own.
    public static Ended varve(Object... words) {
        Captured captured = new Captured();
        ExitCode code = Main.run(captured.stdio(0), Stream.of(words).map(Object::toString).toArray(String[]::new));
        return new Ended(code.number(), captured.out(), captured.err());
    }

    public Stdio stdio(int columns) {
        return new Stdio(InputStream.nullInputStream(), printer(out), printer(err), columns, () -> nanos);
    }

    Stdio stdio(byte[] in) {
        return new Stdio(new ByteArrayInputStream(in), printer(out), printer(err), 0, () -> nanos);
    }

    void pass(double seconds) {
        nanos += (long) (seconds * 1e9);
    }

    public String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    public String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private static PrintStream printer(ByteArrayOutputStream to) {
        return new PrintStream(to, true, StandardCharsets.UTF_8);
    }
}
