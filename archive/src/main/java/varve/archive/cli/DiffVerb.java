package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.chain.Chain;
import varve.archive.chain.Difference;
import varve.archive.format.Manifest;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;

/// `varve diff`: where two points in time of a volume differ.
@Command(name = "diff",
        description = {"Show where two points in time of a volume differ, as ranges of bytes.", "",
            "It is known from the hash tables alone: no data file is needed.",
            "Every byte that differs is in a range. Blocks that changed and changed back may be, too."})
public final class DiffVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME@A", description = "The earlier point; see varve show --help for how to name it.")
    private String from = "";

    @Parameters(index = "1", paramLabel = "VOLUME@B", description = "The later point; @B alone means the same volume.")
    private String to = "";

    @Option(names = "--summary", description = "Print only the totals.")
    private boolean summary;

    @Mixin
    private VaultOption vault = new VaultOption();

    @Mixin
    private JsonOption json = new JsonOption();

    @Override
    public Purpose purpose() {
        return Purpose.LOOK;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException {
        Vault place = vault.open();
        PointName a = PointName.parse(from);
        PointName b = to.startsWith("@") ? PointName.parse(a.volume() + to) : PointName.parse(to);
        if (!a.volume().equals(b.volume())) {
            throw new UsageException("two points of one volume, please: " + a.volume() + " and " + b.volume() + " are two");
        }
        FoundPoint old = FoundPoint.find(place, a);
        FoundPoint now = FoundPoint.find(place, b);
        old.problems().forEach(problem -> stdio.say(Main.message(problem.cause())));
        long[] total = new long[2];
        PrintStream out = stdio.out();
        try (Chain first = old.openTables();
                Chain second = now.openTables();
                JsonText text = new JsonText(json.asked() ? out : new PrintStream(PrintStream.nullOutputStream()))) {
            Manifest m = old.point().manifest();
            Manifest n = now.point().manifest();
            text.object()
                    .member("volume", m.volume())
                    .member("from", m.state().root().toString())
                    .member("fromTime", Manifest.text(m.time()))
                    .member("fromSize", m.state().size())
                    .member("to", n.state().root().toString())
                    .member("toTime", Manifest.text(n.time()))
                    .member("toSize", n.state().size())
                    .array("ranges");
            if (!json.asked() && !summary) {
                out.println("OFFSET SIZE");
            }
            Difference.between(first, second, (offset, size) -> {
                total[0]++;
                total[1] += size;
                if (json.asked() && !summary) {
                    text.object().member("offset", offset).member("size", size).end();
                } else if (!json.asked() && !summary) {
                    out.println(offset + " " + size);
                }
            });
            text.end().member("count", total[0]).member("bytes", total[1]);
        }
        if (!json.asked()) {
            (summary ? out : stdio.err()).println(total[0] + (total[0] == 1 ? " range, " : " ranges, ") + total[1] + " bytes (" + Size.format(total[1]) + ")");
        }
        return old.problems().isEmpty() ? ExitCode.OK : ExitCode.FINDINGS;
    }
}
