package varve.mounthelper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Verb;

/// The man pages against the commands of all modules; here, because this module is the last and has them all at hand.
final class ManPagesTest {
    private static final Path FOLDER = Path.of("../docs/man");
    private static final Pattern ITEM = Pattern.compile("^\\.It Fl .*$", Pattern.MULTILINE);
    private static final Pattern FLAG = Pattern.compile("Fl (-?[a-z][a-z-]*)");

    static Stream<Class<? extends Verb>> verbs() {
        return ServiceLoader.load(Verb.class).stream()
                .<Class<? extends Verb>>map(ServiceLoader.Provider::type)
                .filter(verb -> !verb.getName().contains("Test$"));
    }

    private static String page(String name) throws IOException {
        return Files.readString(FOLDER.resolve(name + ".1"));
    }

    private static String name(Class<? extends Verb> verb) {
        return verb.getAnnotation(Command.class).name();
    }

    @ParameterizedTest
    @MethodSource("verbs")
    void everyOptionIsDescribedAndNoOther(Class<? extends Verb> verb) throws Exception {
        CommandLine command = new CommandLine(verb.getConstructor().newInstance());
        Set<String> options = Stream.concat(Stream.of(command), command.getSubcommands().values().stream())
                .flatMap(part -> part.getCommandSpec().options().stream())
                .flatMap(option -> Stream.of(option.names()))
                .map(option -> option.substring(1))
                .collect(Collectors.toCollection(TreeSet::new));
        options.add("h");
        options.add("-help");
        Set<String> described = ITEM.matcher(page("varve-" + name(verb))).results()
                .flatMap(item -> FLAG.matcher(item.group()).results())
                .map((MatchResult flag) -> flag.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(options, described);
    }

    @ParameterizedTest
    @MethodSource("verbs")
    void everyCommandIsListed(Class<? extends Verb> verb) throws IOException {
        assertTrue(page("varve").contains(".It Cm " + name(verb) + "\n"));
    }

    @Test
    void everyExitCodeIsListedWithItsMeaning() throws IOException {
        for (ExitCode code : ExitCode.values()) {
            assertTrue(page(code.monitor() ? "varve-status" : "varve").contains(".It " + code.number() + "\n" + code.meaning() + "\n"), code::name);
        }
    }

    @Test
    void everyPageIsOfACommand() throws IOException {
        Set<String> expected = verbs().map(verb -> "varve-" + name(verb) + ".1").collect(Collectors.toCollection(TreeSet::new));
        expected.add("varve.1");
        try (Stream<Path> pages = Files.list(FOLDER)) {
            assertEquals(expected, pages.map(page -> page.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new)));
        }
    }
}
