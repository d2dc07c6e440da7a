package varve.archive.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.util.Arrays;
import java.util.Locale;
import java.util.ServiceLoader;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import varve.archive.format.Version;
import varve.archive.linux.Linux;

/// `varve`, the program: finds the verb, parses its options, runs it.
public final class Main {
    /// Where the launcher has put the user's stderr while the JVM says what nobody should read (see `varve`).
    private static final String STDERR = "VARVE_STDERR";

    /// what Java puts in the place of bytes that are no UTF-8; to ask for the file so would miss it
    private static final char UNDECODABLE = '\ufffd';

    private Main() {}

    public static void main(String[] args) throws IOException {
        if (args.length == 1 && args[0].equals("--version")) { // before anything is loaded that takes time
            System.out.println("varve " + Version.CURRENT);
            System.exit((System.out.checkError() ? ExitCode.IO : ExitCode.OK).number());
        }
        String stderr = System.getenv(STDERR);
        if (stderr != null) {
            Linux.dup2(Integer.parseInt(stderr), 2);
        }
        Runtime.Version java = Runtime.version();
        if (java.feature() == 25 && java.interim() == 0 && java.update() < 3) {
            System.err.println("varve: Java " + java + " corrupts buffers handed to native code (JDK-8377811): install 25.0.3 or later");
            System.exit(ExitCode.UNSUPPORTED.number());
        }
        System.exit(run(Stdio.ofProcess(), args).number());
    }

    /// Runs one command line.
    public static ExitCode run(Stdio stdio, String... args) {
        ExitCode code;
        try {
            code = dispatch(stdio, args);
        } catch (ParameterException e) {
            code = ExitCode.USAGE;
            stdio.say(e.getMessage());
            stdio.err().println("see " + e.getCommandLine().getCommandSpec().qualifiedName() + " --help");
        } catch (Throwable e) {
            code = ExitCode.of(e);
            explain(stdio, e, code);
        }
        if (stdio.out().checkError() && code == ExitCode.OK) {
            stdio.say("stdout: not all of the output could be written");
            code = ExitCode.IO;
        }
        return code;
    }

    private static ExitCode dispatch(Stdio stdio, String[] args) throws IOException, InterruptedException {
        switch (args.length == 0 ? "" : args[0]) {
            case "" -> {
                HelpPage.print(stdio.err());
                return ExitCode.USAGE;
            }
            case "--help", "-h", "help" -> {
                HelpPage.print(stdio.out());
                return ExitCode.OK;
            }
            case "--version", "-V" -> {
                stdio.out().println("varve " + Version.CURRENT);
                return ExitCode.OK;
            }
            default -> {
                return run(stdio, verb(args[0]), Arrays.copyOfRange(args, 1, args.length));
            }
        }
    }

    private static ExitCode run(Stdio stdio, Verb verb, String[] args) throws IOException, InterruptedException {
        CommandLine top = commandLine(verb);
        for (String arg : args) {
            if (arg.indexOf(UNDECODABLE) >= 0) {
                throw new ParameterException(top, arg + ": not UTF-8, as names have to be here: make a link to it that is");
            }
        }
        ParseResult parsed = top.parseArgs(args);
        while (parsed.hasSubcommand()) {
            parsed = parsed.subcommand();
        }
        CommandLine commandLine = parsed.commandSpec().commandLine();
        if (parsed.isUsageHelpRequested()) {
            commandLine.usage(stdio.out(), Ansi.OFF);
            return ExitCode.OK;
        }
        try {
            return commandLine.<Verb>getCommand().run(stdio);
        } catch (UsageException e) {
            throw new ParameterException(commandLine, e.getMessage(), e);
        }
    }

    /// {@return the parser of a verb, with what all of them have}
    static CommandLine commandLine(Verb verb) {
        CommandLine commandLine = new CommandLine(verb);
        commandLine.setCommandName("varve " + commandLine.getCommandName());
        dress(commandLine);
        return commandLine;
    }

    private static void dress(CommandLine commandLine) {
        commandLine.getCommandSpec().addOption(OptionSpec.builder("-h", "--help")
                .usageHelp(true).description("Show this page.").build());
        commandLine.getCommandSpec().usageMessage()
                .sortOptions(false)
                .abbreviateSynopsis(true)
                .synopsisHeading("Usage: ")
                .descriptionHeading("%n")
                .parameterListHeading("%n")
                .optionListHeading("%nOptions:%n")
                .commandListHeading("%nCommands:%n")
                .footerHeading("%n");
        commandLine.getSubcommands().values().forEach(Main::dress);
    }

    private static Verb verb(String name) {
        return verbs().stream()
                .filter(verb -> verb.type().getAnnotation(Command.class).name().equals(name))
                .findFirst()
                .orElseThrow(() -> new UsageException("no such command: " + name + "; varve --help lists them"))
                .get();
    }

    /// {@return the verbs of all modules}
    static ServiceLoader<Verb> verbs() {
        return ServiceLoader.load(Verb.class);
    }

    static void explain(Stdio stdio, Throwable thrown, ExitCode code) {
        if (code == ExitCode.UNEXPECTED) {
            stdio.say("unexpected: " + code.meaning());
            thrown.printStackTrace(stdio.err());
        } else {
            stdio.say(message(thrown));
        }
    }

    /// {@return what an exception says, in one line that names the thing}
    static String message(Throwable thrown) {
        return switch (thrown) {
            case UncheckedIOException e -> message(e.getCause());
            case InterruptedException _ -> "interrupted";
            case FileSystemException e when e.getReason() == null -> e.getMessage() + ": " + words(e);
            default -> thrown.getMessage() == null ? words(thrown) : thrown.getMessage();
        };
    }

    /// The kind of an exception that says no more, as words: `NoSuchFileException` is "no such file".
    private static String words(Throwable thrown) {
        return thrown.getClass().getSimpleName()
                .replaceFirst("Exception$", "").replaceAll("(?<=.)([A-Z])", " $1").toLowerCase(Locale.ROOT);
    }
}
