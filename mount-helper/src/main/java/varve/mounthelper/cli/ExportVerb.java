package varve.mounthelper.cli;

import java.io.BufferedOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.ArchiveOptions;
import varve.archive.block.RefusedException;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.cli.ExitCode;
import varve.archive.cli.KeysOption;
import varve.archive.cli.Progress;
import varve.archive.cli.ProgressOption;
import varve.archive.cli.Size;
import varve.archive.cli.Stdio;
import varve.archive.cli.UsageException;
import varve.archive.cli.VaultsOption;
import varve.archive.cli.Verb;
import varve.archive.codec.FrameEncoder;
import varve.archive.foreign.ImageExport;
import varve.archive.foreign.PatchExport;
import varve.archive.format.Manifest;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.mounthelper.Qcow2File;

/// `varve export`: writes a point in time, or what changed between two, for another tool.
@Command(
        name = "export",
        description = {
            "Write a point in time, or what changed between two, in a form that another tool reads.",
            "",
            "All that is read from the archives was verified. A file gets its name when it is complete; the result is not read back: "
                    + "to bring a device back and prove it, use varve restore.",
        })
public final class ExportVerb implements Verb {

    private static final String STAGE_SUFFIX = ".varve-partial";
    private static final int HASHDEEP_MIN = 4096;

    @Parameters(index = "0", paramLabel = "VOLUME@POINT|VOLUME@A..@B",
            description = "The point in time, or two for what leads from the first to the second.")
    private String what = "";

    @Parameters(index = "1", paramLabel = "TARGET", description = "A file that is not there yet, or - for stdout.")
    private String target = "";

    @Option(names = "--format", paramLabel = "FORM", required = true,
            description = "Of a point: raw, raw.zst, qcow2, rbd, hashdeep, md5deep, sha256deep, b3sum. Of two: bdsync, lvmsync, rbd-diff.")
    private String format = "";

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Mixin
    private KeysOption keys = new KeysOption();

    @Option(names = "--name", paramLabel = "NAME",
            description = "What the device is called in a bdsync patch or in a list of hashes. Default: what was archived.")
    private @Nullable String name;

    @Option(names = "--from-snap", paramLabel = "NAME", description = "Of an rbd-diff: the snapshot that it starts from. Default: the label of A.")
    private @Nullable String fromSnap;

    @Option(names = "--to-snap", paramLabel = "NAME", description = "Of an rbd-diff: the snapshot that it leads to. Default: the label of B.")
    private @Nullable String toSnap;

    @Option(names = "--checksum", paramLabel = "DIGEST", description = "Of a bdsync patch: add a checksum, such as sha256; the whole device is read for it.")
    private @Nullable String checksum;

    @Option(names = "--piece", paramLabel = "SIZE", converter = Size.Bytes.class, description = "Of a list of hashes: bytes of a piece. Default: the volume's chunk size.")
    private @Nullable Long piece;

    @Option(names = "--level", paramLabel = "N", description = "Of raw.zst: zstd level. Default: 3.")
    private int level = ArchiveOptions.DEFAULT_LEVEL;

    @Mixin
    private ProgressOption progress = new ProgressOption();

    private enum Form {
        RAW("raw", false),
        RAW_ZST("raw.zst", false),
        QCOW2("qcow2", false),
        RBD("rbd", false),
        HASHDEEP("hashdeep", false),
        MD5DEEP("md5deep", false),
        SHA256DEEP("sha256deep", false),
        B3SUM("b3sum", false),
        BDSYNC("bdsync", true),
        LVMSYNC("lvmsync", true),
        RBD_DIFF("rbd-diff", true);

        private final String word;
        private final boolean patch;

        Form(String word, boolean patch) {
            this.word = word;
            this.patch = patch;
        }
    }

    @Override
    public Purpose purpose() {
        return Purpose.BRING_BACK;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        Form form = form();
        int dots = what.indexOf("..@");
        if (form.patch != dots >= 0) {
            throw new UsageException(form.patch
                    ? form.word + " is about two points: say VOLUME@A..@B"
                    : form.word + " is about one point: say VOLUME@POINT");
        }
        checkOptions(form);
        PointName last = PointName.parse(dots < 0 ? what : what.substring(0, what.indexOf('@')) + what.substring(dots + 2));
        Optional<PointName> first = dots < 0 ? Optional.empty() : Optional.of(PointName.parse(what.substring(0, dots)));
        FoundPoint to = find(last, stdio);
        try (ChainImage image = new ChainImage(Chain.open(to.path()));
                Progress shown = progress.start(stdio, "export " + what, form.patch ? -1 : image.size())) {
            if (first.isEmpty()) {
                write(form, image, to.point().manifest(), shown, stdio);
            } else {
                FoundPoint from = find(first.get(), stdio);
                try (Chain old = from.openTables()) {
                    PatchExport patch = new PatchExport(old, image, shown::add);
                    write(form, patch, from.point().manifest(), to.point().manifest(), stdio);
                }
            }
            shown.finish();
        }
        Manifest manifest = to.point().manifest();
        stdio.say(form.word + " of " + manifest.volume() + "@" + Manifest.text(manifest.time()) + " written to " + target + "; root " + manifest.state().root());
        return ExitCode.OK;
    }

    private Form form() {
        return Arrays.stream(Form.values()).filter(known -> known.word.equals(format)).findFirst()
                .orElseThrow(() -> new UsageException("--format " + format + ": expected one of "
                        + Arrays.stream(Form.values()).map(known -> known.word).collect(Collectors.joining(", "))));
    }

    private void checkOptions(Form form) {
        only(form, "--checksum", checksum, Form.BDSYNC);
        only(form, "--name", name, Form.BDSYNC, Form.HASHDEEP, Form.MD5DEEP, Form.SHA256DEEP, Form.B3SUM);
        only(form, "--from-snap", fromSnap, Form.RBD_DIFF);
        only(form, "--to-snap", toSnap, Form.RBD_DIFF);
        only(form, "--piece", piece, Form.HASHDEEP, Form.MD5DEEP, Form.SHA256DEEP);
        if (piece != null && (Long.bitCount(piece) != 1 || piece < HASHDEEP_MIN || piece > 1 << 30)) {
            throw new UsageException("--piece " + piece + ": expected a power of two from 4K to 1G");
        }
        if (!FrameEncoder.levelIsKnown(level)) {
            throw new UsageException("--level " + level + ": zstd knows 1 to 22, and negative ones for speed");
        }
        if (form == Form.QCOW2 && target.equals("-")) {
            throw new UsageException("qcow2 cannot be written to a stream: give a file");
        }
    }

    private static void only(Form form, String option, @Nullable Object value, Form... forms) {
        if (value != null && !List.of(forms).contains(form)) {
            throw new UsageException(option + ": not of use for " + form.word);
        }
    }

    private FoundPoint find(PointName point, Stdio stdio) throws IOException {
        FoundPoint found = FoundPoint.find(keys.open(vaults.open(point, stdio, stdio.warnings())), point);
        found.checkMeant(point);
        return found;
    }

    private interface Writing {
        void to(OutputStream out) throws IOException;
    }

    private void write(Form form, ChainImage image, Manifest manifest, Progress shown, Stdio stdio) throws IOException, InterruptedException {
        ImageExport export = new ImageExport(image, shown::add);
        switch (form) {
            case RAW -> {
                if (target.equals("-")) {
                    export.raw(checked(stdio.out()));
                } else {
                    staged(stage -> {
                        try (FileChannel file = FileChannel.open(stage, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                            export.raw(file);
                        }
                    });
                }
            }
            case RAW_ZST -> write(stdio, out -> export.zst(level, out));
            case QCOW2 -> staged(stage -> Qcow2File.write(image, stage, shown::add));
            case RBD -> write(stdio, export::rbd);
            case HASHDEEP -> write(stdio, out -> export.hashdeep(name(manifest), piece(manifest), out));
            case MD5DEEP -> write(stdio, out -> export.md5deep("md5", name(manifest), piece(manifest), out));
            case SHA256DEEP -> write(stdio, out -> export.md5deep("sha256", name(manifest), piece(manifest), out));
            case B3SUM -> write(stdio, out -> out.write((manifest.state().root() + "  " + name(manifest) + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8)));
            case BDSYNC, LVMSYNC, RBD_DIFF -> throw new IllegalStateException();
        }
    }

    private void write(Form form, PatchExport patch, Manifest from, Manifest to, Stdio stdio) throws IOException, InterruptedException {
        switch (form) {
            case BDSYNC -> write(stdio, out -> patch.bdsync(name(to), Optional.ofNullable(checksum), out));
            case LVMSYNC -> write(stdio, patch::lvmsync);
            case RBD_DIFF -> write(stdio, out -> patch.rbdDiff(snapshot(fromSnap, from), snapshot(toSnap, to), out));
            case RAW, RAW_ZST, QCOW2, RBD, HASHDEEP, MD5DEEP, SHA256DEEP, B3SUM -> throw new IllegalStateException();
        }
    }

    private int piece(Manifest manifest) {
        return piece == null ? 1 << manifest.chunkLog() : Math.toIntExact(piece);
    }

    private String name(Manifest manifest) {
        return name != null ? name : manifest.source().equals("-") ? "/" + manifest.volume() : manifest.source();
    }

    private static String snapshot(@Nullable String given, Manifest manifest) {
        return given != null ? given : manifest.label().orElse("varve-" + Manifest.text(manifest.time()));
    }

    private void write(Stdio stdio, Writing writing) throws IOException, InterruptedException {
        if (target.equals("-")) {
            writing.to(checked(stdio.out()));
            return;
        }
        staged(stage -> {
            try (FileChannel file = FileChannel.open(stage, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                    OutputStream out = new BufferedOutputStream(Channels.newOutputStream(file), 1 << 16)) {
                writing.to(out);
            }
        });
    }

    /// a stream that says so when nobody reads any more
    private static OutputStream checked(PrintStream stdout) {
        return new FilterOutputStream(stdout) {
            @Override
            public void write(byte[] bytes, int from, int length) throws IOException {
                stdout.write(bytes, from, length);
                if (stdout.checkError()) {
                    throw new IOException("stdout: cannot be written");
                }
            }
        };
    }

    private interface Making {
        void make(Path stage) throws IOException, InterruptedException;
    }

    /// Makes a file beside the target, and gives it its name when it is complete and on the medium.
    private void staged(Making making) throws IOException, InterruptedException {
        Path path = Path.of(target);
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new RefusedException(target + ": exists; remove it, or give another name");
        }
        Path stage = path.resolveSibling(path.getFileName() + STAGE_SUFFIX);
        Files.deleteIfExists(stage); // of a run that died: it is made anew
        try {
            making.make(stage);
            sync(stage);
            Files.move(stage, path, StandardCopyOption.ATOMIC_MOVE);
            sync(path.toAbsolutePath().getParent());
        } catch (Throwable e) {
            Files.deleteIfExists(stage);
            throw e;
        }
    }

    private static void sync(Path path) throws IOException {
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            file.force(true);
        }
    }
}
