package varve.mounthelper.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import varve.archive.cli.JsonText;
import varve.archive.cli.Printable;
import varve.archive.cli.Size;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Manifest;
import varve.archive.vault.Ranges;
import varve.mounthelper.RestorePlan;
import varve.mounthelper.RestorePlan.Kind;
import varve.mounthelper.Restoration.Outcome;

/// What a restore says: its plan, how it ended, and what to do next; for people and, as JSON, for scripts.
record Report(RestorePlan plan) {

    private static final int MOST_RANGES = 20; // that are listed; the map has all

    void plan(PrintStream to) {
        Manifest point = plan.manifest();
        row(to, "restore", plan.point() + " to " + plan.target());
        row(to, "point", Manifest.text(point.time()) + point.label().map(label -> ", \"" + label + "\"").orElse(""));
        row(to, "root", point.state().root().toString());
        row(to, "image", size(plan.size()) + ", " + Size.format(plan.dataSize()) + " of it data");
        String heading = "reads";
        Set<Path> folders = plan.chain().stream().map(archive -> archive.data().getParent()).collect(Collectors.toSet());
        for (StoredArchive archive : plan.chain()) {
            Path data = archive.data();
            row(to, heading, data.getFileName() + ", " + Size.format(archive.manifest().file().size()) + (folders.size() > 1 ? ", in " + data.getParent() : ""));
            heading = "";
        }
        row(to, "target", plan.target() + ", " + switch (plan.kind()) {
            case NEW_FILE -> "a new file";
            case FILE -> "a file of " + size(plan.oldSize());
            case DEVICE -> "a block device of " + size(plan.oldSize());
        });
        if (plan.overwrites()) {
            row(to, "holds", plan.contents());
        }
        row(to, "does", doing());
        plan.map().ifPresent(map -> {
            row(to, "", "SALVAGES: what no vault has whole becomes zeros, and the image is not proved then");
            row(to, "map", map + ", of what is missing");
        });
        plan.left().ifPresent(stage -> row(to, "", "goes on with " + stage + " of an interrupted restore"));
        if (plan.tail() > 0) {
            row(to, "", "leaves the " + size(plan.tail()) + " beyond the image as they are");
        }
        plan.warnings().forEach(warning -> to.println("varve: warning: " + Printable.line(warning)));
    }

    private String doing() {
        return switch (plan.mode()) {
            case STAGED -> plan.kind() == Kind.FILE
                    ? "writes a new file beside it, proves it, then REPLACES the old one"
                    : "writes a file, proves it, then gives it its name";
            case OVERWRITE -> "OVERWRITES the first " + size(plan.size()) + " of the device";
            case IN_PLACE -> "reads the target and OVERWRITES what differs from the image";
        };
    }

    void dryRun(PrintStream to, boolean json) {
        if (json) {
            json(to, null);
            return;
        }
        plan(to);
        to.println("nothing was written" + (plan.overwrites() ? "; to do it: --overwrite " + target() : ""));
    }

    void outcome(PrintStream to, boolean json, Outcome outcome) {
        if (json) {
            json(to, outcome);
            return;
        }
        if (!outcome.missing().isEmpty()) {
            salvaged(to, outcome);
            return;
        }
        Manifest point = plan.manifest();
        to.println(Printable.line(plan.target().toString()) + " holds " + point.volume() + "@" + Manifest.text(point.time()) + ": " + outcome.contents());
        to.println("wrote " + Size.format(outcome.written()) + ", kept " + Size.format(outcome.kept()) + " that was there, "
                + Size.format(outcome.zero()) + " zero" + (outcome.cleared() > 0 ? " (" + Size.format(outcome.cleared()) + " of it was not)" : ""));
        if (plan.kind() == Kind.DEVICE && outcome.contents().contains("partition table")) {
            to.println("to see its partitions: partprobe " + target());
        }
        to.println("proved from the medium: root " + outcome.root() + ", as recorded; compare: " + check());
    }

    private void salvaged(PrintStream to, Outcome outcome) {
        Manifest point = plan.manifest();
        List<Ranges.Range> missing = outcome.missing().list();
        to.println(Printable.line(plan.target().toString()) + " holds what is left of " + point.volume() + "@" + Manifest.text(point.time()) + ": " + outcome.contents());
        to.println("MISSING " + size(outcome.missing().size()) + " in " + missing.size() + (missing.size() == 1 ? " range" : " ranges") + ", which read as zeros:");
        missing.stream().limit(MOST_RANGES).forEach(range -> to.println("  " + range.size() + " bytes at " + range.from()));
        if (missing.size() > MOST_RANGES) {
            to.println("  and " + (missing.size() - MOST_RANGES) + " more ranges");
        }
        to.println("wrote " + Size.format(outcome.written()) + ", kept " + Size.format(outcome.kept()) + " that was there, " + Size.format(outcome.zero()) + " zero");
        to.println("NOT PROVED as a whole, root " + outcome.root() + " is not that of this image; what is not missing is proved, chunk by chunk");
        plan.map().ifPresent(map -> to.println("map of what is missing: " + Printable.line(map.toString()) + "; to look at it: ddrescuelog -t " + Printable.word(map.toString())));
    }

    /// {@return the command that prints the root}
    private String check() {
        return plan.tail() > 0 ? "head -c " + plan.size() + " " + target() + " | b3sum" : "b3sum " + target();
    }

    private String target() {
        return Printable.word(plan.target().toString());
    }

    /// What an error leaves behind; the error itself follows.
    void failure(PrintStream to, IOException error) {
        left(to);
        row(to, "next", "deal with the error below; then the same command carries on where this one stopped");
        if (error instanceof CorruptException && plan.map().isEmpty()) {
            row(to, "or", "name more vaults: each range is taken from one that has it whole; or have what there is: --salvage");
        }
    }

    /// What a signal leaves behind.
    void interrupted(PrintStream to) {
        to.println();
        left(to);
        row(to, "next", "the same command carries on where this one stopped");
    }

    private void left(PrintStream to) {
        row(to, "left", switch (plan.mode()) {
            case STAGED -> plan.target() + (plan.overwrites() ? " is as it was" : " was not made") + "; what is done lies beside it, in .varve-partial";
            case OVERWRITE, IN_PLACE -> plan.target() + " is now a mix of old and new: do not use it";
        });
    }

    private void json(PrintStream to, @Nullable Outcome outcome) {
        Manifest point = plan.manifest();
        try (JsonText text = new JsonText(to)) {
            text.object()
                    .member("point", plan.point().toString())
                    .member("volume", point.volume())
                    .member("time", Manifest.text(point.time()))
                    .member("label", point.label().orElse(null))
                    .member("root", point.state().root().toString())
                    .member("size", plan.size())
                    .member("dataSize", plan.dataSize())
                    .array("archives");
            for (StoredArchive archive : plan.chain()) {
                text.object()
                        .member("archive", archive.data().getFileName().toString())
                        .member("folder", archive.data().getParent().toString())
                        .member("fileSize", archive.manifest().file().size())
                        .end();
            }
            text.end()
                    .member("target", plan.target().toString())
                    .member("targetKind", word(plan.kind()))
                    .member("targetSize", plan.oldSize())
                    .member("targetContents", plan.contents())
                    .member("mode", word(plan.mode()))
                    .member("tailSize", plan.tail())
                    .member("continues", plan.left().map(Object::toString).orElse(null))
                    .array("warnings");
            plan.warnings().forEach(text::element);
            text.end().member("map", plan.map().map(Object::toString).orElse(null)).member("dryRun", outcome == null);
            if (outcome != null) {
                text.member("proved", outcome.missing().isEmpty())
                        .member("written", outcome.written())
                        .member("kept", outcome.kept())
                        .member("zero", outcome.zero())
                        .member("cleared", outcome.cleared())
                        .member("contents", outcome.contents())
                        .member("missingSize", outcome.missing().size())
                        .array("missing");
                outcome.missing().list().forEach(range -> text.object().member("offset", range.from()).member("size", range.size()).end());
                text.end();
            }
        }
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String size(long bytes) {
        return Size.format(bytes) + (bytes < 1024 ? "" : " (" + bytes + " bytes)");
    }

    private static void row(PrintStream to, String name, String text) {
        to.println("  " + name + " ".repeat(Math.max(1, 9 - name.length())) + Printable.line(text));
    }
}
