package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.archive.vault.Numbers;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeDigest;
import varve.archive.vault.VolumeSettings;

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
        boolean sound = true;
        try (JsonText text = new JsonText(json.asked() ? stdio.out() : new PrintStream(PrintStream.nullOutputStream()))) {
            text.object().member("vault", place.folder().toString()).member("vaultId", place.id().toString()).array("volumes");
            for (String name : place.volumes()) {
                List<Volume.Problem> problems = new ArrayList<>();
                Optional<VolumeDigest> found;
                try {
                    found = VolumeDigest.of(place, place.volume(name), problems);
                } catch (IOException e) { // one folder that cannot be read does not hide the others
                    found = Optional.empty();
                    problems.add(new Volume.Problem(name, e));
                }
                sound &= tell(problems, stdio);
                if (found.isEmpty()) {
                    continue;
                }
                VolumeDigest digest = found.get();
                String latest = Manifest.text(digest.latest());
                table.row(name, String.valueOf(digest.points()), latest, Size.format(digest.size()), Size.format(digest.storedSize()), digest.root().brief());
                text.object()
                        .member("volume", name)
                        .member("points", digest.points())
                        .member("latest", latest)
                        .member("size", digest.size())
                        .member("storedSize", digest.storedSize())
                        .member("root", digest.root().toString())
                        .end();
            }
        }
        if (!json.asked()) {
            table.print(stdio.out(), "no volumes in " + place.folder() + " yet; varve archive makes them");
        }
        return sound ? ExitCode.OK : ExitCode.FINDINGS;
    }

    private ExitCode points(Volume of, Stdio stdio) throws IOException {
        Volume.Content content = of.read();
        boolean sound = tell(content.problems(), stdio);
        History history = content.history();
        Set<State> restorable = history.reached(StoredArchive::dataAtHand);
        Numbers kept = history.archives().isEmpty() ? Numbers.NONE : VolumeSettings.read(of, history).protectedPoints();
        Table table = new Table("#", "POINT IN TIME", "KIND", ">SIZE", ">CHANGED", ">STORED", "ROOT", "NOTE");
        try (JsonText text = new JsonText(json.asked() ? stdio.out() : new PrintStream(PrintStream.nullOutputStream()))) {
            text.object().member("volume", of.name()).array("points");
            for (Point point : history.points()) {
                Manifest m = point.manifest();
                table.row(
                        String.valueOf(m.sequence()), Manifest.text(m.time()), kinds(point), Size.format(m.state().size()),
                        m.unchanged() ? "nothing" : Size.format(m.changedSize()), Size.format(stored(point.archives())), m.state().root().brief(),
                        note(point, restorable.contains(m.state()), kept.contains(m.sequence())));
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
                        .member("archive", m.dataName())
                        .member("atHand", point.archive().dataAtHand())
                        .member("restorable", restorable.contains(m.state()))
                        .member("protected", kept.contains(m.sequence()))
                        .array("archives");
                ShowVerb.archives(text, point);
                text.end().end();
            }
        }
        if (!json.asked()) {
            table.print(stdio.out(), "no points in time of " + of.name() + (sound ? " yet" : " that can be read"));
        }
        return sound ? ExitCode.OK : ExitCode.FINDINGS;
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

    private static String note(Point point, boolean restorable, boolean isProtected) {
        boolean away = point.archives().stream().noneMatch(StoredArchive::dataAtHand);
        return Stream.of(
                        restorable ? "" : away ? "away" : "not restorable from here",
                        isProtected ? "protected" : "",
                        point.manifest().label().orElse(""))
                .filter(note -> !note.isEmpty())
                .collect(Collectors.joining(", "));
    }

    /// {@return whether there are none}
    private static boolean tell(List<Volume.Problem> problems, Stdio stdio) {
        problems.forEach(problem -> stdio.say(Main.message(problem.cause())));
        return problems.isEmpty();
    }
}
