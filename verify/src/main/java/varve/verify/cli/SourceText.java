package varve.verify.cli;

import java.io.PrintStream;
import varve.archive.cli.JsonText;
import varve.archive.cli.Size;
import varve.archive.partition.Partition;
import varve.archive.vault.Ranges;
import varve.verify.source.Differences;

/// How a point in time and the outside differ, in words and as JSON.
final class SourceText {

    private static final int MOST_PLACES = 1000; // in words

    private final Differences differences;

    SourceText(Differences differences) {
        this.differences = differences;
    }

    void print(PrintStream out) {
        if (differences.located()) {
            places(out, "differs: ", differences.changed());
        }
        places(out, "cannot be compared: ", differences.damaged());
        for (Differences.InPartition in : differences.partitions()) {
            out.println("in " + name(in.partition()) + ": " + in.bytes() + " bytes in " + in.count()
                    + (in.count() == 1 ? " place" : " places") + ", from offset " + in.first() + " to " + in.last());
        }
        for (Differences.Affected affected : differences.files()) {
            String where = affected.partition().map(partition -> " in partition " + partition.number()).orElse("");
            affected.paths().forEach(path -> out.println("file" + where + ": " + path));
            if (affected.elsewhere() > 0) {
                out.println("no file" + where + ": " + affected.elsewhere() + " blocks are free, or of the file system itself");
            }
            affected.note().ifPresent(note -> out.println("files" + where + ": " + note));
        }
        out.println(differences.text());
    }

    private static void places(PrintStream out, String what, Differences.Found found) {
        for (Ranges.Range place : found.places().stream().limit(MOST_PLACES).toList()) {
            out.println(what + place.size() + " bytes at offset " + place.from());
        }
        if (found.count() > MOST_PLACES) {
            out.println(what + "and " + (found.count() - MOST_PLACES) + " more places");
        }
    }

    private static String name(Partition partition) {
        return "partition " + partition.number() + (partition.name().isEmpty() ? "" : " \"" + partition.name() + "\"")
                + " (" + partition.type() + ", " + Size.format(partition.size()) + " at offset " + partition.offset() + ")";
    }

    void print(JsonText json) {
        json.object("source")
                .member("path", differences.outside().path().toString())
                .member("what", differences.outside().what())
                .member("same", differences.same())
                .member("size", differences.size());
        if (differences.sourceSize() >= 0) {
            json.member("sourceSize", differences.sourceSize());
        }
        json.member("bytesCompared", differences.compared())
                .member("located", differences.located())
                .member("archiveRead", differences.archiveRead());
        found(json, "changed", differences.changed());
        found(json, "damaged", differences.damaged());
        json.array("partitions");
        for (Differences.InPartition in : differences.partitions()) {
            json.object()
                    .member("number", in.partition().number())
                    .member("name", in.partition().name())
                    .member("type", in.partition().type())
                    .member("offset", in.partition().offset())
                    .member("size", in.partition().size())
                    .member("places", in.count())
                    .member("bytes", in.bytes())
                    .member("first", in.first())
                    .member("last", in.last())
                    .end();
        }
        json.end().array("fileSystems");
        for (Differences.Affected affected : differences.files()) {
            json.object();
            affected.partition().ifPresent(partition -> json.member("partition", partition.number()));
            json.member("blocksOfNoFile", affected.elsewhere()).member("note", affected.note().orElse(null)).array("files");
            affected.paths().forEach(json::element);
            json.end().end();
        }
        json.end().member("text", differences.text()).end();
    }

    private static void found(JsonText json, String name, Differences.Found found) {
        json.object(name).member("places", found.count()).member("bytes", found.bytes());
        if (!found.none()) {
            json.member("first", found.first()).member("last", found.last());
        }
        json.array("ranges");
        for (Ranges.Range place : found.places()) {
            json.object().member("offset", place.from()).member("size", place.size()).end();
        }
        json.end().end();
    }
}
