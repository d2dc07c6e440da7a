package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// `varve list`: the volumes of a vault, or the points in time of one.
@Command(name = "list", description = "List the volumes of a vault, or the points in time of one volume.")
public final class ListVerb implements Verb {

    @Parameters(index = "0", arity = "0..1", paramLabel = "VOLUME", description = "Volume whose points in time to list. Default: list the volumes.")
    private @Nullable String volume;

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
        return volume == null ? volumes(place, stdio) : points(place.volume(volume), stdio);
    }

    private ExitCode volumes(Vault place, Stdio stdio) throws IOException {
        Table table = new Table("VOLUME", "POINTS", "LATEST", ">SIZE", ">STORED", "ROOT");
        boolean problems = false;
        try (JsonText text = new JsonText(json.asked() ? stdio.out() : new PrintStream(PrintStream.nullOutputStream()))) {
            text.object().member("vault", place.folder().toString()).member("vaultId", place.id().toString()).array("volumes");
            for (String name : place.volumes()) {
                Volume.Content content;
                try {
                    content = place.volume(name).read();
                } catch (IOException e) { // one folder that cannot be read does not hide the others
                    content = new Volume.Content(new History(List.of()), List.of(new Volume.Problem(name, e)));
                }
                problems |= tell(content.problems(), stdio);
                List<Point> points = content.history().points();
                if (points.isEmpty()) {
                    continue;
                }
                Manifest latest = points.getLast().manifest();
                long stored = stored(content.history().archives());
                table.row(name, String.valueOf(points.size()), Manifest.text(latest.time()), Size.format(latest.state().size()), Size.format(stored), latest.state().root().brief());
                text.object()
                        .member("volume", name)
                        .member("points", points.size())
                        .member("latest", Manifest.text(latest.time()))
                        .member("size", latest.state().size())
                        .member("storedSize", stored)
                        .member("root", latest.state().root().toString())
                        .end();
            }
        }
        if (!json.asked()) {
            table.print(stdio.out(), "no volumes in " + place.folder() + " yet; varve archive makes them");
        }
        return problems ? ExitCode.FINDINGS : ExitCode.OK;
    }

    private ExitCode points(Volume of, Stdio stdio) throws IOException {
        Volume.Content content = of.read();
        boolean problems = tell(content.problems(), stdio);
        History history = content.history();
        Table table = new Table("#", "POINT IN TIME", "KIND", ">SIZE", ">CHANGED", ">STORED", "ROOT", "NOTE");
        try (JsonText text = new JsonText(json.asked() ? stdio.out() : new PrintStream(PrintStream.nullOutputStream()))) {
            text.object().member("volume", of.name()).array("points");
            for (Point point : history.points()) {
                Manifest m = point.manifest();
                boolean restorable = history.path(m.state(), StoredArchive::dataAtHand).isPresent();
                table.row(
                        String.valueOf(m.sequence()), Manifest.text(m.time()), kinds(point), Size.format(m.state().size()),
                        m.unchanged() ? "nothing" : Size.format(m.changedSize()), Size.format(stored(point.archives())), m.state().root().brief(),
                        note(point, restorable));
                text.object()
                        .member("sequence", m.sequence())
                        .member("time", Manifest.text(m.time()))
                        .member("kind", m.kind().word())
                        .member("size", m.state().size())
                        .member("root", m.state().root().toString())
                        .member("changedSize", m.changedSize())
                        .member("payloadSize", m.payloadSize())
                        .member("storedSize", stored(point.archives()))
                        .member("label", m.label().orElse(null))
                        .member("archive", m.baseName() + ".zst")
                        .member("atHand", point.archive().dataAtHand())
                        .member("restorable", restorable)
                        .array("archives");
                ShowVerb.archives(text, point);
                text.end().end();
            }
        }
        if (!json.asked()) {
            table.print(stdio.out(), "no points in time of " + of.name() + (problems ? " that can be read" : " yet"));
        }
        return problems ? ExitCode.FINDINGS : ExitCode.OK;
    }

    private static long stored(List<StoredArchive> archives) {
        return archives.stream().mapToLong(archive -> archive.manifest().storedSize()).sum();
    }

    private static String kinds(Point point) {
        return point.archives().stream()
                .map(archive -> archive.manifest().kind().word())
                .distinct()
                .collect(Collectors.joining(", "));
    }

    private static String note(Point point, boolean restorable) {
        String label = point.manifest().label().orElse("");
        String state = restorable ? "" : point.archives().stream().anyMatch(StoredArchive::dataAtHand) ? "not restorable from here" : "away";
        return label.isEmpty() || state.isEmpty() ? label + state : state + ", " + label;
    }

    private static boolean tell(List<Volume.Problem> problems, Stdio stdio) {
        problems.forEach(problem -> stdio.say(Main.message(problem.cause())));
        return !problems.isEmpty();
    }
}
