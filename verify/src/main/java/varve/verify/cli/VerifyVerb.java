package varve.verify.cli;

import java.io.IOException;
import java.time.InstantSource;
import java.util.Arrays;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;
import varve.archive.cli.ExitCode;
import varve.archive.cli.JsonOption;
import varve.archive.cli.JsonText;
import varve.archive.cli.ProgressOption;
import varve.archive.cli.Stdio;
import varve.archive.cli.UsageException;
import varve.archive.cli.VaultOption;
import varve.archive.cli.Verb;
import varve.archive.vault.Depth;
import varve.archive.vault.PointName;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
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
            "  structure  Manifests, tables, headers, seek tables and sizes fit each other, a path of archives leads to",
            "             every point, and the hashes in the tables combine to its root. Reads tables only, so it says",
            "             nothing of what the data files hold.",
            "  stored     Every byte of the data files is as the file trees and the manifests say; damage is located",
            "             to 1 MiB. Nothing is decompressed, so it does not prove that what is stored decodes to the",
            "             recorded hashes.",
            "  content    Every frame is decoded and every chunk proved by its hash. Zero runs are compared with the",
            "             one form that zeros have; their hashes are taken from the tables (--zeros proves them too). It does",
            "             not prove what the device itself held: for that compare with it (varve hash, b3sum).",
            "",
            "Takes no lock, and writes nothing but a receipt of what was proved. The last line says what was and what was not",
            "covered.",
        })
public final class VerifyVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME[@POINT]", description = "A volume with all its points in time, or one of them.")
    private String name = "";

    @Mixin
    private VaultOption vault = new VaultOption();

    @Option(names = "--depth", paramLabel = "DEPTH", converter = DepthConverter.class,
            description = "structure, stored or content. Default: content.")
    private Depth depth = Depth.CONTENT;

    @Option(names = "--zeros",
            description = "With content: hash zero runs again too, to prove the hashes that the tables have for them. Takes minutes for each TiB.")
    private boolean zeros;

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
                    .orElseThrow(() -> new TypeConversionException("'" + word + "' is no depth: expected structure, stored or content"));
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
        if (zeros && depth != Depth.CONTENT) {
            throw new UsageException("--zeros goes with --depth content");
        }
        Report report;
        try (ProgressWatcher watcher = new ProgressWatcher(progress, stdio, "verify " + name)) {
            VerifyOptions options = new VerifyOptions(depth, zeros, threads);
            Vault place = vault.open();
            PointName asked = PointName.parse(name);
            Receipt.Draft draft = Receipt.begin(Receipt.What.VERIFY, place, asked.volume(), name, InstantSource.system());
            report = new Verifier(place, options, InstantSource.system(), watcher).verify(asked);
            new Receipts(place.volume(asked.volume())).add(report.act(draft), stdio::warn);
        }
        ReportText text = new ReportText(report);
        if (json.asked()) {
            try (JsonText out = new JsonText(stdio.out())) {
                text.print(out);
            }
        } else {
            text.print(stdio.out());
        }
        return report.sound() ? ExitCode.OK : ExitCode.FINDINGS;
    }
}
