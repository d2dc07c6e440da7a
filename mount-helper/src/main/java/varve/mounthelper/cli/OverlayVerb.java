package varve.mounthelper.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.cli.ExitCode;
import varve.archive.cli.JsonOption;
import varve.archive.cli.JsonText;
import varve.archive.cli.Size;
import varve.archive.cli.Stdio;
import varve.archive.cli.Table;
import varve.archive.cli.UsageException;
import varve.archive.cli.Verb;
import varve.archive.format.Manifest;
import varve.archive.vault.LockedException;
import varve.mounthelper.overlay.FoundOverlay;

/// `varve overlay`: the files that `varve mount --writable` and `varve serve --writable` write to.
@Command(
        name = "overlay",
        description = {
            "List the overlays that points in time are written through, and discard them.",
            "",
            "varve mount VOLUME@POINT DIR --writable FILE makes them, and varve serve; varve archive overlay:FILE records one as a new point in time.",
        },
        subcommands = {OverlayVerb.ListAll.class, OverlayVerb.Discard.class})
public final class OverlayVerb implements Verb {

    @Override
    public Purpose purpose() {
        return Purpose.BRING_BACK;
    }

    @Override
    public ExitCode run(Stdio stdio) {
        throw new UsageException("what? list or discard");
    }

    /// `varve overlay list`.
    @Command(name = "list", description = "List overlays: what they are on, how much was written to them, whether they are in use or damaged.")
    static final class ListAll implements Verb {

        @Parameters(arity = "0..*", paramLabel = "FILE|DIR", description = "Overlays, and folders that have some. Default: the current folder.")
        private List<Path> places = List.of(Path.of(""));

        @Mixin
        private JsonOption json = new JsonOption();

        @Override
        public Purpose purpose() {
            return Purpose.BRING_BACK;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException {
            List<FoundOverlay> overlays = new ArrayList<>();
            for (Path place : places) {
                if (Files.isDirectory(place)) {
                    overlays.addAll(FoundOverlay.in(place));
                } else {
                    overlays.add(FoundOverlay.at(place));
                }
            }
            if (json.asked()) {
                json(overlays, stdio);
            } else {
                Table table = new Table("OVERLAY", "ON", "ROOT", "MADE", ">WRITTEN", ">TAKES", "STATE");
                for (FoundOverlay overlay : overlays) {
                    table.row(
                            overlay.path().toString(),
                            overlay.header().map(header -> header.point()).orElse("?"),
                            overlay.header().map(header -> header.state().root().brief()).orElse("?"),
                            overlay.header().map(header -> Manifest.text(header.made())).orElse("?"),
                            size(overlay.written()),
                            Size.format(overlay.taken()),
                            state(overlay));
                }
                table.print(stdio.out(), "no overlays");
                for (FoundOverlay overlay : overlays) {
                    overlay.damage().ifPresent(damage -> stdio.err().println("varve: " + damage));
                }
            }
            return overlays.stream().anyMatch(overlay -> overlay.damage().isPresent()) ? ExitCode.FINDINGS : ExitCode.OK;
        }

        private static void json(List<FoundOverlay> overlays, Stdio stdio) {
            try (JsonText text = new JsonText(stdio.out())) {
                text.object().array("overlays");
                for (FoundOverlay overlay : overlays) {
                    text.object().member("path", overlay.path().toString());
                    overlay.header().ifPresent(header -> text.member("point", header.point())
                            .member("root", header.state().root().toString())
                            .member("size", header.state().size())
                            .member("made", Manifest.text(header.made())));
                    overlay.written().ifPresent(written -> text.member("writtenSize", written));
                    text.member("takenSize", overlay.taken()).member("inUse", overlay.used()).member("damage", overlay.damage().orElse(null)).end();
                }
            }
        }
    }

    private static String size(OptionalLong bytes) {
        return bytes.isPresent() ? Size.format(bytes.getAsLong()) : "?";
    }

    private static String state(FoundOverlay overlay) {
        return overlay.used() ? "in use" : overlay.damage().isPresent() ? "damaged" : "whole";
    }

    /// `varve overlay discard`.
    @Command(name = "discard", description = "Remove an overlay, and with it all that was written to it. The archive is not touched.")
    static final class Discard implements Verb {

        @Parameters(index = "0", paramLabel = "FILE", description = "The overlay; not one that is in use.")
        private Path file = Path.of("");

        @Option(names = {"-n", "--dry-run"}, description = "Say what would be lost, and remove nothing.")
        private boolean dryRun;

        @Override
        public Purpose purpose() {
            return Purpose.BRING_BACK;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException {
            FoundOverlay overlay = FoundOverlay.at(file);
            if (overlay.used()) {
                throw new LockedException(file + ": in use by another varve; end that first");
            }
            if (!dryRun) {
                overlay.discard();
            }
            stdio.out().println((dryRun ? "would discard " : "discarded ") + file + ": " + size(overlay.written()) + " written to "
                    + overlay.header().map(header -> header.point() + " since " + Manifest.text(header.made())).orElse("an unknown point")
                    + ", " + Size.format(overlay.taken()) + " on disk");
            return ExitCode.OK;
        }
    }
}
