package varve.verify.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;
import varve.archive.cli.ExitCode;
import varve.archive.cli.JsonOption;
import varve.archive.cli.JsonText;
import varve.archive.cli.KeysOption;
import varve.archive.cli.Lapse;
import varve.archive.cli.ProgressOption;
import varve.archive.cli.Size;
import varve.archive.cli.Stdio;
import varve.archive.cli.UsageException;
import varve.archive.cli.VaultsOption;
import varve.archive.cli.Verb;
import varve.archive.hash.Hashing;
import varve.archive.vault.Depth;
import varve.archive.vault.PointName;
import varve.archive.vault.Receipts;
import varve.verify.Patrol;
import varve.verify.PatrolOptions;
import varve.verify.PatrolReport;
import varve.verify.Report;
import varve.verify.Verifier;
import varve.verify.VerifyOptions;

/// `varve verify`: what of a volume is as it was when it was written.
@Command(
        name = "verify",
        description = {
            "Prove archives: that every point in time of a volume, or one of them, can be had from this vault.",
            "",
            "Each depth includes those before it:",
            "  structure  Tables, sizes and headers fit each other, archives lead to every",
            "             point, hashes combine to its root. Says nothing of the data itself.",
            "  stored     Every byte of the data files is as it was written; damage is",
            "             located to 1 MiB. It does not prove what that decodes to.",
            "  content    Every frame is decoded, every chunk proved by its hash. The",
            "             hashes of zero runs are taken from the tables (see --zeros).",
            "             It does not prove what the device itself held.",
            "  source     The content is compared with the device or a snapshot of it, or",
            "             with hashes that other tools took there (--against). It does not",
            "             prove that the source was right.",
            "",
            "With --against a lower depth compares, too, but reads the archive only where it has to.",
            "",
            "With --budget or --max-age it takes turns: what was not looked at for the longest time comes first, and the next run goes on from there. "
                    + "What was proved when is known from the receipts.",
            "",
            "Takes no lock, and writes nothing but a receipt of what was proved. The last line says what was and what was not covered.",
        })
public final class VerifyVerb implements Verb {

    /// what a kill of a long run can cost; shorter steps would make more receipts
    private static final Duration STEP = Duration.ofMinutes(2);

    @Parameters(arity = "0..*", paramLabel = "VOLUME[@POINT]",
            description = "Volumes with all their points in time, or single points. Default: all volumes.")
    private List<String> names = new ArrayList<>();

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Mixin
    private KeysOption keys = new KeysOption();

    @Option(names = "--depth", paramLabel = "DEPTH", converter = DepthConverter.class,
            description = "structure, stored, content or source. Default: content, or source with --against.")
    private @Nullable Depth depth;

    @Option(names = "--against", paramLabel = "SOURCE",
            description = "Compare the one point that is named with a block device, an image, or a list of hashes: what varve hash --manifest, b3sum, "
                    + "sha256sum, md5sum and the like, md5deep -p or hashdeep -p wrote.")
    private @Nullable Path against;

    @Option(names = "--against-name", paramLabel = "NAME", description = "Which file of such a list is meant, if it has several.")
    private @Nullable String againstName;

    @Option(names = "--zeros",
            description = "With content: hash zero runs again too, to prove the hashes that the tables have for them. Takes minutes for each TiB.")
    private boolean zeros;

    @Option(names = "--budget", paramLabel = "AMOUNT",
            description = "Take turns: look at what was not looked at for the longest time, until so much time has passed, such as 2h, or so much was proved, "
                    + "such as 500G; then say by when all of it will have been proved.")
    private @Nullable String budget;

    @Option(names = "--max-age", paramLabel = "TIME", converter = Lapse.Converter.class,
            description = "Take turns, and leave alone what was looked at within that time, such as 30d.")
    private @Nullable Duration maxAge;

    @Option(names = "--from-medium", negatable = true,
            description = "Make sure that bytes come from the medium and not from the page cache; --no-from-medium: whatever is faster. "
                    + "Default: from the medium if the vault is on another disk than the system.")
    private @Nullable Boolean fromMedium;

    @Option(names = "--threads", paramLabel = "N", description = "How many threads read, decode and hash. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private ProgressOption progress = new ProgressOption();

    static final class DepthConverter implements ITypeConverter<Depth> {
        @Override
        public Depth convert(String word) {
            return Arrays.stream(Depth.values())
                    .filter(depth -> depth.word().equals(word))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException("'" + word + "' is no depth: expected structure, stored, content or source"));
        }
    }

    @Override
    public Purpose purpose() {
        return Purpose.PROVE;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException {
        if (threads < 1 || threads > 256) {
            throw new UsageException("--threads " + threads + ": expected 1 to 256");
        }
        Depth deep = depth != null ? depth : against != null ? Depth.SOURCE : Depth.CONTENT;
        if (zeros && !deep.includes(Depth.CONTENT)) {
            throw new UsageException("--zeros goes with --depth content");
        }
        if (deep == Depth.SOURCE && against == null) {
            throw new UsageException("--depth source: compared with what? give --against");
        }
        if (deep.includes(Depth.STORED)) {
            Hashing.warmUp(); // while names are parsed and vaults looked at
        }
        List<PointName> asked = names.stream().map(PointName::parse).toList();
        if (budget != null || maxAge != null) {
            return patrol(asked, deep, stdio);
        }
        if (against != null) {
            if (asked.size() != 1) {
                throw new UsageException("--against goes with one point in time, such as tools@latest");
            }
            asked = List.of(new PointName(asked.getFirst().volume(), Optional.of(asked.getFirst().point().orElse("latest"))));
        }
        Consumer<String> warnings = stdio.warnings();
        List<Report> reports;
        try (ProgressWatcher watcher = new ProgressWatcher(progress, stdio)) {
            Verifier verifier = new Verifier(keys.open(vaults.open(warnings)), options(deep), InstantSource.system(), watcher, ledger(warnings), warnings);
            reports = verifier.verify(asked);
        }
        print(stdio, reports);
        return reports.stream().allMatch(Report::sound) ? ExitCode.OK : ExitCode.FINDINGS;
    }

    private VerifyOptions options(Depth deep) {
        return new VerifyOptions(deep, zeros, threads, Optional.ofNullable(fromMedium),
                Optional.ofNullable(against).map(path -> new VerifyOptions.Against(path, Optional.ofNullable(againstName))));
    }

    private static Verifier.Ledger ledger(Consumer<String> warnings) {
        return (volume, act) -> new Receipts(volume).add(act, warnings);
    }

    private ExitCode patrol(List<PointName> asked, Depth deep, Stdio stdio) throws IOException {
        if (against != null || !deep.includes(Depth.STORED)) {
            throw new UsageException("--budget and --max-age are of bytes: with --depth stored or content");
        }
        if (asked.stream().anyMatch(name -> name.point().isPresent())) {
            throw new UsageException("--budget and --max-age are of whole volumes: name them without @POINT");
        }
        Consumer<String> warnings = stdio.warnings();
        PatrolOptions options = new PatrolOptions(cost(), Optional.ofNullable(maxAge), STEP, options(deep));
        PatrolReport report;
        try (ProgressWatcher watcher = new ProgressWatcher(progress, stdio)) {
            report = new Patrol(keys.open(vaults.open(warnings)), options, InstantSource.system(), watcher, ledger(warnings), warnings)
                    .run(asked.stream().map(PointName::volume).toList());
        }
        if (json.asked()) {
            try (JsonText out = new JsonText(stdio.out())) {
                new PatrolText(report).print(out);
            }
        } else {
            new PatrolText(report).print(stdio.out());
        }
        return report.sound() ? ExitCode.OK : ExitCode.FINDINGS;
    }

    private PatrolOptions.Budget cost() {
        if (budget == null) {
            return PatrolOptions.Budget.NONE;
        }
        try {
            return Lapse.is(budget) ? PatrolOptions.Budget.of(Lapse.parse(budget)) : PatrolOptions.Budget.of(bytes(budget));
        } catch (IllegalArgumentException e) {
            throw new UsageException("--budget: " + e.getMessage());
        }
    }

    private static long bytes(String text) {
        if (!text.matches(".*[KMGTPEB]")) {
            throw new IllegalArgumentException("'" + text + "': expected a time, such as 2h or 90min, or a size, such as 500G");
        }
        long bytes = Size.parse(text);
        if (bytes == 0) {
            throw new IllegalArgumentException("'" + text + "': expected a size above 0");
        }
        return bytes;
    }

    private void print(Stdio stdio, List<Report> reports) {
        if (!json.asked()) {
            reports.forEach(report -> new ReportText(report).print(stdio.out()));
            return;
        }
        try (JsonText out = new JsonText(stdio.out())) {
            if (reports.size() != 1) {
                out.array();
            }
            reports.forEach(report -> new ReportText(report).print(out));
        }
    }
}
