package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.format.Version;
import varve.archive.block.DeviceException;
import varve.archive.block.RefusedException;
import varve.archive.chain.BrokenChainException;
import varve.archive.format.CorruptException;
import varve.archive.format.Rule;
import varve.archive.format.UnsupportedException;
import varve.archive.vault.LockedException;
import varve.archive.vault.NotFoundException;

final class MainTest {
    private final Captured captured = new Captured();

    private ExitCode run(String... args) {
        return Main.run(captured.stdio(0), args);
    }

    @Test
    void versionIsThatOfThePom() throws IOException {
        assertEquals(ExitCode.OK, run("-V"));
        assertEquals("varve " + Version.CURRENT + "\n", captured.out());
        assertTrue(Files.readString(Path.of("pom.xml")).contains(
                "<artifactId>varve</artifactId><version>" + Version.CURRENT + "</version>"));
    }

    @Test
    void helpListsExitCodes() {
        assertEquals(ExitCode.OK, run("--help"));
        for (ExitCode code : ExitCode.values()) {
            assertTrue(captured.out().contains(code.monitor() ? code.number() + " " + code.meaning() : "  " + code.number() + " "), code::name);
        }
    }

    @Test
    void helpFitsOnAScreenOf100Columns() {
        run("--help");
        captured.out().lines().forEach(line -> assertTrue(line.length() <= 100, line));
    }

    @Test
    void noCommandIsAUsageError() {
        assertEquals(ExitCode.USAGE, run());
        assertTrue(captured.err().startsWith("varve makes"));
    }

    @Test
    void anUnknownCommandIsAUsageError() {
        assertEquals(ExitCode.USAGE, run("frobnicate"));
        assertEquals("varve: no such command: frobnicate; varve --help lists them\n", captured.err());
    }

    @Test
    void helpOfACommandShowsItsUsage() {
        assertEquals(ExitCode.OK, run("probe", "--help"));
        assertTrue(captured.out().startsWith("Usage: varve probe [OPTIONS] [END]\n"), captured::out);
    }

    @Test
    void anUnknownOptionIsAUsageError() {
        assertEquals(ExitCode.USAGE, run("probe", "--frob"));
        assertEquals("varve: Unknown option: '--frob'\nsee varve probe --help\n", captured.err());
    }

    @Test
    void aBadSizeIsAUsageError() {
        assertEquals(ExitCode.USAGE, run("probe", "--size", "12X"));
        assertTrue(captured.err().contains("'12X' is no size: expected such as 512, 64K, 1M or 2G"), captured::err);
    }

    @Test
    void aVaultMustBeNamed() {
        org.junit.jupiter.api.Assumptions.assumeTrue(System.getenv("VARVE_VAULT") == null, "VARVE_VAULT is set");
        assertEquals(ExitCode.USAGE, run("probe", "vault"));
        assertEquals("varve: which vault? give --vault DIR, or set VARVE_VAULT\nsee varve probe --help\n", captured.err());
        assertEquals(ExitCode.OK, run("probe", "vault", "--vault", "x"));
        assertEquals("x\n", captured.out());
    }

    @Test
    void findingsAreAnEndOfTheirOwn() {
        assertEquals(ExitCode.FINDINGS, run("probe", "findings"));
        assertEquals("", captured.err());
    }

    @Test
    void everyKindOfErrorHasItsExitCode() {
        Probe.ENDS.forEach((name, end) -> assertEquals(end.code, run("probe", name), name));
    }

    @Test
    void anErrorIsOneLine() {
        run("probe", "corrupt");
        assertEquals("varve: f at 3: hash mismatch (F026): expected 1, found 2\n", captured.err());
    }

    @Test
    void aBareFileNameIsExplained() {
        run("probe", "denied");
        assertEquals("varve: /x: access denied\n", captured.err());
    }

    @Test
    void aBugShowsWhereItIs() {
        assertEquals(ExitCode.UNEXPECTED, run("probe", "bug"));
        assertTrue(captured.err().startsWith("varve: unexpected: a bug in varve"), captured::err);
        assertTrue(captured.err().contains("at varve.archive.cli.MainTest$Probe"), captured::err);
    }

    /// A verb that ends as it is told.
    @Command(name = "probe", description = "End as told.")
    public static final class Probe implements Verb {
        record End(ExitCode code, Exception exception) {}

        static final Map<String, End> ENDS = Map.ofEntries(
                Map.entry("usage", new End(ExitCode.USAGE, new UsageException("no"))),
                Map.entry("corrupt", new End(ExitCode.CORRUPT, new CorruptException(Rule.F026, "f at 3", "expected 1, found 2"))),
                Map.entry("broken", new End(ExitCode.BROKEN_CHAIN, new BrokenChainException("b"))),
                Map.entry("unsupported", new End(ExitCode.UNSUPPORTED, new UnsupportedException("u"))),
                Map.entry("device", new End(ExitCode.IO, new DeviceException("d"))),
                Map.entry("locked", new End(ExitCode.LOCKED, new LockedException("l"))),
                Map.entry("refused", new End(ExitCode.REFUSED, new RefusedException("r"))),
                Map.entry("no-volume", new End(ExitCode.NOT_FOUND, new NotFoundException("n"))),
                Map.entry("no-file", new End(ExitCode.NOT_FOUND, new NoSuchFileException("/x"))),
                Map.entry("no-old-file", new End(ExitCode.IO, new FileNotFoundException("/x (Is a directory)"))),
                Map.entry("denied", new End(ExitCode.IO, new AccessDeniedException("/x"))),
                Map.entry("interrupted", new End(ExitCode.INTERRUPTED, new InterruptedException())),
                Map.entry("bug", new End(ExitCode.UNEXPECTED, new IllegalStateException("s"))));

        @Parameters(paramLabel = "END", arity = "0..1")
        String end = "";

        @Option(names = "--size", converter = Size.Bytes.class)
        long size;

        @Mixin
        VaultOption vault = new VaultOption();

        @Override
        public Purpose purpose() {
            return Purpose.LEARN;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
            if (end.equals("findings")) {
                return ExitCode.FINDINGS;
            }
            if (end.equals("vault")) {
                stdio.out().println(vault.folder());
                return ExitCode.OK;
            }
            switch (ENDS.get(end).exception()) {
                case IOException e -> throw e;
                case InterruptedException e -> throw e;
                case RuntimeException e -> {
                    e.fillInStackTrace();
                    throw e;
                }
                case Exception e -> throw new AssertionError(e);
            }
        }
    }
}
