package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;

/// `varve show`: all that is recorded of a point in time, and what it takes to restore it.
@Command(name = "show", description = "Show a point in time: its root, how it is stored, what it is restored from.")
public final class ShowVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME[@POINT]",
            description = "POINT: latest (the default), -1 (the one before), 2026-11-20 (last of that day, UTC), "
                    + "2026-11-20T02:00Z (last at or before), or the first digits of a root.")
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
        List<Vault> places = vaults.open(stdio.warnings());
        FoundPoint found = FoundPoint.find(places, PointName.parse(point));
        found.problems().forEach(problem -> stdio.say(Main.message(problem.cause())));
        Point point = found.point();
        Manifest m = point.manifest();
        Optional<List<StoredArchive>> path = found.history().path(m.state(), any -> true);
        boolean restorable = found.history().path(m.state(), StoredArchive::dataAtHand).isPresent();
        if (restorable) {
            path = found.history().path(m.state(), StoredArchive::dataAtHand);
        }
        if (json.asked()) {
            json(stdio, places.getFirst(), point, path, restorable);
        } else {
            text(stdio, point, path, restorable);
        }
        return found.problems().isEmpty() ? ExitCode.OK : ExitCode.FINDINGS;
    }

    private static void text(Stdio stdio, Point point, Optional<List<StoredArchive>> path, boolean restorable) {
        Manifest m = point.manifest();
        var out = stdio.out();
        out.println("point in time  " + m.volume() + "@" + Manifest.text(m.time()) + "  (number " + m.sequence() + ")");
        m.label().ifPresent(label -> out.println("label          " + Printable.line(label)));
        out.println("root           " + m.state().root());
        out.println("size           " + m.state().size() + " bytes (" + Size.format(m.state().size()) + ")");
        out.println("source         " + Printable.line(m.source() + " on " + m.host()));
        out.println("chunk size     " + (1 << m.chunkLog()));
        point.archives().forEach(archive -> stored(out, archive));
        if (path.isEmpty()) {
            out.println("restored from  nothing in this vault: an archive that it depends on is missing");
            return;
        }
        out.println("restored from  " + path.get().size() + (path.get().size() == 1 ? " file" : " files")
                + (restorable ? ", all at hand:" : ", not all at hand (varve where tells who has them):"));
        for (StoredArchive archive : path.get()) {
            out.println("  " + archive.data() + (archive.dataAtHand() ? "" : "  (away)"));
        }
    }

    private static void stored(PrintStream out, StoredArchive archive) {
        Manifest m = archive.manifest();
        String how = m.derived() ? "derived " + m.kind().word() : m.kind().word();
        String away = archive.dataAtHand() ? "" : "  (away)";
        if (m.unchanged()) {
            out.println("stored as      a " + how + " without changes: " + m.dataName() + away);
        } else {
            String changed = m.kind() == Kind.FULL ? "" : "; " + m.changedSize() + " bytes changed";
            out.println("stored as      a " + how + ": " + m.dataName() + ", " + Size.format(m.file().size()) + changed + away);
        }
        if (m.kind() == Kind.DELTA && !m.unchanged()) {
            out.println("  parent root  " + m.parent().root() + "  (" + m.parent().size() + " bytes)");
        }
        out.println("  file hash    " + m.file().hash() + "  (b3sum of that file)");
        out.println("  finished     " + Manifest.text(m.finished()) + " by " + Printable.line(m.tool()));
    }

    private static void json(Stdio stdio, Vault place, Point point, Optional<List<StoredArchive>> path, boolean restorable) {
        Manifest m = point.manifest();
        try (JsonText text = new JsonText(stdio.out())) {
            text.object()
                    .member("vault", place.folder().toString())
                    .member("vaultId", place.id().toString())
                    .member("volume", m.volume())
                    .member("volumeId", m.volumeId().toString())
                    .member("sequence", m.sequence())
                    .member("time", Manifest.text(m.time()))
                    .member("finished", Manifest.text(m.finished()))
                    .member("label", m.label().orElse(null))
                    .member("root", m.state().root().toString())
                    .member("size", m.state().size())
                    .member("kind", m.kind().word())
                    .member("unchanged", m.unchanged())
                    .member("parentRoot", m.kind() == Kind.FULL ? null : m.parent().root().toString())
                    .member("changedSize", m.changedSize())
                    .member("payloadSize", m.payloadSize())
                    .member("archive", m.dataName())
                    .member("fileSize", m.file().size())
                    .member("fileHash", m.file().hash().toString())
                    .member("chunkSize", 1L << m.chunkLog())
                    .member("source", m.source())
                    .member("host", m.host())
                    .member("tool", m.tool())
                    .member("restorable", restorable)
                    .array("archives");
            archives(text, point);
            text.end().array("restoredFrom");
            for (StoredArchive archive : path.orElse(List.of())) {
                text.object().member("file", archive.data().toString()).member("atHand", archive.dataAtHand()).end();
            }
        }
    }

    /// Writes the archives that carry a point, as elements of an array.
    static void archives(JsonText text, Point point) {
        for (StoredArchive archive : point.archives()) {
            Manifest m = archive.manifest();
            text.object()
                    .member("archive", m.dataName())
                    .member("kind", m.kind().word())
                    .member("derived", m.derived())
                    .member("parentRoot", m.kind() == Kind.FULL ? null : m.parent().root().toString())
                    .member("fileSize", m.file().size())
                    .member("atHand", archive.dataAtHand())
                    .end();
        }
    }
}
