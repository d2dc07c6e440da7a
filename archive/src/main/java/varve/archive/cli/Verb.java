package varve.archive.cli;

import java.io.IOException;

/// A command of `varve`: a class with picocli's `@Command`, `@Option` and `@Parameters`, named as a service of its module
/// in `module-info.java` and in `META-INF/services/varve.archive.cli.Verb` (varve runs from the class path).
///
/// A verb parses, builds one options record, calls one method of the domain, prints, and says how it ended. What cannot be
/// checked by picocli alone is refused with [UsageException].
public interface Verb {
    /// What a command is for: the headings of the help page, in its order.
    enum Purpose {
        RECORD("Record a device"),
        LOOK("Look at what is there"),
        PROVE("Prove it"),
        BRING_BACK("Bring it back"),
        KEEP("Keep copies"),
        RETAIN("Decide what stays"),
        TRUST("Sign it, and know whose it is"),
        LEARN("Learn");

        private final String heading;

        Purpose(String heading) {
            this.heading = heading;
        }

        String heading() {
            return heading;
        }
    }

    Purpose purpose();

    /// Does it.
    ///
    /// @return [ExitCode#OK] or [ExitCode#FINDINGS]; every other end is an exception ([ExitCode#of])
    ExitCode run(Stdio stdio) throws IOException, InterruptedException;
}
