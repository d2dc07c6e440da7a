package varve.verify.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.block.FileDevice;
import varve.archive.block.Geometry;
import varve.archive.cli.ExitCode;
import varve.archive.cli.JsonOption;
import varve.archive.cli.JsonText;
import varve.archive.cli.Printable;
import varve.archive.cli.Progress;
import varve.archive.cli.ProgressOption;
import varve.archive.cli.Size;
import varve.archive.cli.Stdio;
import varve.archive.cli.UsageException;
import varve.archive.cli.Verb;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.verify.source.HashComparison;
import varve.verify.source.HashList;
import varve.verify.source.HashListReader;
import varve.verify.source.HashListWriter;
import varve.verify.source.SourceHasher;

/// `varve hash`: the root of a device, which is what b3sum prints, and its chunks' hashes.
@Command(
        name = "hash",
        description = {
            "Print the root of a device, an image or a stream: the same line as b3sum, in parallel and without reading holes.",
            "",
            "With --manifest the hashes of all chunks are kept in a file of text; with --compare the device is compared with "
                    + "such a file, and the ranges that differ are listed.",
        })
public final class HashVerb implements Verb {

    @Parameters(index = "0", paramLabel = "SOURCE", description = "Block device, image file (holes are not read), or - for a stream on stdin.")
    private String source = "";

    @Option(names = "--manifest", paramLabel = "FILE", description = "Write the hashes of the chunks to a new file.")
    private @Nullable Path manifest;

    @Option(names = "--compare", paramLabel = "FILE",
            description = "Compare with the hashes in this file: list what differs, and end with 3 if anything does.")
    private @Nullable Path compare;

    @Option(names = "--chunk-size", paramLabel = "SIZE", converter = Size.Bytes.class,
            description = "A power of two from 64K to 16M. Default: 512K, or that of the file to compare with.")
    private @Nullable Long chunkSize;

    @Option(names = "--threads", paramLabel = "N", description = "How many threads read and hash. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private ProgressOption progress = new ProgressOption();

    @Override
    public Purpose purpose() {
        return Purpose.PROVE;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException {
        if (threads < 1 || threads > 256) {
            throw new UsageException("--threads " + threads + ": expected 1 to 256");
        }
        if (manifest != null && compare != null) {
            throw new UsageException("--manifest and --compare exclude each other");
        }
        // what is printed while the device is read comes before its root
        try (JsonText text = new JsonText(json.asked() ? stdio.out() : nowhere())) {
            text.object().member("source", source);
            if (manifest != null) {
                write(stdio, text, manifest);
            } else if (compare != null) {
                return compare(stdio, text, compare);
            } else {
                print(stdio, text, hash(stdio, chunkLog(), entry -> {}));
            }
        }
        return ExitCode.OK;
    }

    private void write(Stdio stdio, JsonText text, Path file) throws IOException {
        Instant time = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        int chunkLog = chunkLog();
        try (HashListWriter list = new HashListWriter(file)) {
            State state = hash(stdio, chunkLog, list);
            list.commit(new HashList.Head(state, chunkLog, time, source));
            text.member("manifest", file.toString()).member("chunkSize", 1L << chunkLog);
            print(stdio, text, state);
        }
    }

    private ExitCode compare(Stdio stdio, JsonText text, Path file) throws IOException {
        PrintStream lines = json.asked() ? nowhere() : stdio.out();
        try (HashListReader list = new HashListReader(file)) {
            HashList.Head then = list.head();
            if (chunkSize != null && chunkLog() != then.chunkLog()) {
                throw new UsageException("--chunk-size " + chunkSize + ": " + file + " has chunks of " + (1L << then.chunkLog()));
            }
            text.member("comparedWith", file.toString()).array("differences");
            HashComparison comparison = new HashComparison(list, (offset, size) -> {
                lines.println("differs: " + size + " bytes at offset " + offset);
                text.object().member("offset", offset).member("size", size).end();
            });
            State now = hash(stdio, then.chunkLog(), comparison);
            comparison.finish(now.size());
            text.end().member("differingSize", comparison.size()).member("rootThen", then.state().root().toString());
            print(stdio, text, now);
            boolean same = now.equals(then.state());
            lines.println((same ? "as it was at " : Size.format(comparison.size()) + " in " + comparison.ranges() + (comparison.ranges() == 1 ? " range differs" : " ranges differ") + " from what it was at ")
                    + Manifest.text(then.time()) + ": " + Printable.line(then.source()) + ", " + then.state().size() + " bytes, " + then.state().root());
            return same ? ExitCode.OK : ExitCode.FINDINGS;
        }
    }

    private State hash(Stdio stdio, int chunkLog, HashList.Taker nodes) throws IOException {
        if (source.equals("-")) {
            try (Progress shown = progress.start(stdio, "hash stdin", -1)) {
                State state = new SourceHasher(chunkLog, threads, shown::add).hash(stdio.in(), nodes);
                shown.finish();
                return state;
            }
        }
        try (FileDevice device = FileDevice.open(Path.of(source));
                Progress shown = progress.start(stdio, "hash " + source, device.size())) {
            State state = new SourceHasher(chunkLog, threads, shown::add).hash(device, nodes);
            shown.finish();
            return state;
        }
    }

    private int chunkLog() {
        if (chunkSize == null) {
            return Geometry.DEFAULT_CHUNK_LOG;
        }
        int log = Long.numberOfTrailingZeros(chunkSize);
        if (Long.bitCount(chunkSize) != 1 || log < Geometry.MIN_CHUNK_LOG || log > Geometry.MAX_CHUNK_LOG) {
            throw new UsageException("--chunk-size " + chunkSize + ": expected a power of two from 64K to 16M");
        }
        return log;
    }

    private void print(Stdio stdio, JsonText text, State state) {
        text.member("size", state.size()).member("root", state.root().toString());
        if (!json.asked()) {
            stdio.out().println(line(state));
        }
    }

    /// as b3sum prints it, which escapes names that would break the line
    private String line(State state) {
        boolean plain = source.indexOf('\\') < 0 && source.indexOf('\n') < 0;
        return plain
                ? state.root() + "  " + source
                : "\\" + state.root() + "  " + source.replace("\\", "\\\\").replace("\n", "\\n");
    }

    private static PrintStream nowhere() {
        return new PrintStream(PrintStream.nullOutputStream());
    }
}
