package varve.archive.cli;

import java.io.PrintStream;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import picocli.CommandLine.Command;

/// What `varve --help` prints: a page that a newcomer understands.
final class HelpPage {
    private static final String INTRODUCTION = """
            varve makes offline archives of block devices that can be proved: fulls and small deltas, as files
            that plain zstd can read, and from them the device as it was at any recorded point in time.

              varve archive /dev/vg/tools --vault /mnt/shelf --volume tools    a full, then one delta per run
              varve list --vault /mnt/shelf                                    what is there
              varve verify tools --vault /mnt/shelf --depth content            prove every byte of it
              varve restore tools@2026-11-20 /dev/vg/new --vault /mnt/shelf    the device as it was that day
              b3sum /dev/vg/new                                                the root that `varve show` prints

            Usage: varve COMMAND [OPTION]...
            """;

    private static final String FOOTER = """

            VOLUME@POINT names a point in time: tools@latest, tools@2026-11-20 (the last one of that day),
            tools@2026-11-20T02:00Z (the last one at or before), tools@-1 (the one before the latest), or a
            root's first digits: tools@3bf3619. VARVE_VAULT in the environment stands for --vault.

            Read on: varve COMMAND --help, man varve, README.md; docs/FORMAT.md for the files themselves.
            """;

    private static final int WIDTH = 100;
    private static final int NAME_WIDTH = 13;

    private HelpPage() {}

    static void print(PrintStream to) {
        to.print(INTRODUCTION);
        List<Verb> verbs = Main.verbs().stream().map(ServiceLoader.Provider::get).toList();
        for (Verb.Purpose purpose : Verb.Purpose.values()) {
            List<Command> commands = verbs.stream()
                    .filter(verb -> verb.purpose() == purpose)
                    .map(verb -> verb.getClass().getAnnotation(Command.class))
                    .sorted(Comparator.comparing(Command::name))
                    .toList();
            if (!commands.isEmpty()) {
                to.println();
                to.println(purpose.heading() + ":");
                commands.forEach(command -> row(to, command.name(), command.description()[0]));
            }
        }
        to.println();
        to.println("Exit codes:");
        for (ExitCode code : ExitCode.values()) {
            if (!code.monitor()) {
                row(to, String.valueOf(code.number()), code.meaning());
            }
        }
        row(to, "of status", "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, as monitoring systems have them");
        to.print(FOOTER);
    }

    private static void row(PrintStream to, String name, String text) {
        StringBuilder line = new StringBuilder("  " + name + " ".repeat(NAME_WIDTH - name.length()));
        int indent = line.length();
        for (String word : text.split(" ")) {
            if (line.length() + word.length() > WIDTH) {
                to.println(line.toString().stripTrailing());
                line = new StringBuilder(" ".repeat(indent));
            }
            line.append(word).append(' ');
        }
        to.println(line.toString().stripTrailing());
    }
}
