package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import varve.archive.chain.BrokenChainException;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.vault.Catalogue;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Whereabouts;

/// `varve where`: which vaults it takes to restore a point in time.
@Command(name = "where",
        description = {"Show which vaults are needed to restore a point in time, and whether they are at hand.", "",
            "It is known from the catalogue, also of disks that are on a shelf. As few as possible have to be brought."})
public final class WhereVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME[@POINT]", description = "The point in time; see varve show --help for how to name it.")
    private String point = "";

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Mixin
    private JsonOption json = new JsonOption();

    @Override
    public Purpose purpose() {
        return Purpose.LOOK;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException {
        Consumer<String> warnings = stdio.warnings();
        Catalogue catalogue = Catalogue.around(vaults.open(warnings), warnings);
        PointName name = PointName.parse(point);
        FoundPoint found = FoundPoint.find(catalogue.atHand(), name);
        found.problems().forEach(problem -> warnings.accept(problem.cause().getMessage()));
        Whereabouts where = Whereabouts.of(catalogue, name.volume(), found.history(), found.point());
        if (json.asked()) {
            json(stdio, catalogue, where);
        } else {
            print(stdio.out(), catalogue, where);
        }
        if (!where.missing().isEmpty()) {
            throw new BrokenChainException(name + ": no vault is known to hold "
                    + where.missing().stream().map(archive -> archive.manifest().dataName()).collect(Collectors.joining(", ")));
        }
        return ExitCode.OK;
    }

    private static void print(PrintStream out, Catalogue catalogue, Whereabouts where) {
        Manifest manifest = where.point().manifest();
        out.println("point in time  " + manifest.volume() + "@" + Manifest.text(manifest.time()));
        out.println("root           " + manifest.state().root());
        out.println("proved copies  " + where.copies());
        if (!where.missing().isEmpty()) {
            return;
        }
        Table table = new Table("#", "VAULT", "PLACE", "AT HAND", ">FILES", ">READ", "LAST PROVED");
        int number = 1;
        for (Whereabouts.Leg leg : where.legs()) {
            table.row(
                    String.valueOf(number++),
                    catalogue.name(leg.vault()),
                    catalogue.standing(leg.vault()).place().orElse(""),
                    catalogue.atHand(leg.vault()).map(here -> here.folder().toString()).orElse("no"),
                    String.valueOf(leg.archives().size()),
                    Size.format(leg.size()),
                    leg.proved().map(time -> Manifest.text(time) + ", as " + leg.depth().word()).orElse("never"));
        }
        table.print(out, "nothing has to be read");
        List<UUID> away = where.away();
        if (!away.isEmpty()) {
            out.println("to restore: bring " + away.stream().map(catalogue::describe).collect(Collectors.joining(", ")) + ", and give "
                    + (away.size() == 1 ? "its folder" : "their folders") + " to varve restore with --vault");
        }
    }

    private static void json(Stdio stdio, Catalogue catalogue, Whereabouts where) {
        Manifest manifest = where.point().manifest();
        try (JsonText text = new JsonText(stdio.out())) {
            text.object()
                    .member("volume", manifest.volume())
                    .member("time", Manifest.text(manifest.time()))
                    .member("root", manifest.state().root().toString())
                    .member("copies", where.copies())
                    .member("atHand", where.atHand())
                    .array("vaults");
            for (Whereabouts.Leg leg : where.legs()) {
                text.object()
                        .member("vaultId", leg.vault().toString())
                        .member("label", catalogue.standing(leg.vault()).label().orElse(null))
                        .member("place", catalogue.standing(leg.vault()).place().orElse(null))
                        .member("state", catalogue.standing(leg.vault()).state().word())
                        .member("atHand", leg.atHand())
                        .member("folder", catalogue.atHand(leg.vault()).map(here -> here.folder().toString()).orElse(null))
                        .member("size", leg.size())
                        .member("proved", leg.proved().map(Manifest::text).orElse(null))
                        .member("depth", leg.depth().word())
                        .array("archives");
                archives(text, leg.archives());
                text.end().end();
            }
            text.end().array("missing");
            archives(text, where.missing());
        }
    }

    private static void archives(JsonText text, List<StoredArchive> archives) {
        for (StoredArchive archive : archives) {
            text.object()
                    .member("archive", archive.manifest().dataName())
                    .member("fileSize", archive.manifest().file().size())
                    .end();
        }
    }
}
