package varve.verify;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.chain.Chain;
import varve.archive.file.StoredArchive;
import varve.archive.format.FileTree;
import varve.archive.format.Node;
import varve.archive.hash.Hash;
import varve.archive.seal.WrongKeyException;
import varve.archive.vault.Depth;
import varve.archive.vault.Ranges;
import varve.verify.work.Watcher;

/// Sweeps through data files that lie on one path, and says of each what was found.
///
/// For one thread, the one that leads. The chain is the caller's.
final class ChainProof {

    private final @Nullable Chain chain;
    private final boolean live;
    private final VerifyOptions options;
    private final Findings findings;
    private final Watcher watcher;
    private final List<File> files = new ArrayList<>();
    private long proved;
    private long zeros;

    /// Takes faults in the content of archives.
    interface Accuser {
        /// @param archive whose node could not be proved
        /// @param guilty whose data is to blame: the same, or one below
        void accuse(StoredArchive archive, StoredArchive guilty);
    }

    /// What was found of one data file.
    ///
    /// @param depth that was reached
    /// @param opened whether the file could be opened at all
    /// @param whole whether every byte of the file is as it was written
    /// @param read bytes, of the file and its tree
    record Outcome(StoredArchive archive, Depth depth, boolean opened, boolean whole, Ranges proved, Ranges damaged, long read, long treeRead) {}

    /// One file at work.
    private static final class File {
        final StoredArchive archive;
        final DataCheck data;
        final int layer;
        final long from;
        final long to;
        @Nullable Strand strand;
        Ranges badFrames = Ranges.NONE;
        boolean faults;

        File(StoredArchive archive, DataCheck data, int layer, long from, long to) {
            this.archive = archive;
            this.data = data;
            this.layer = layer;
            this.from = from;
            this.to = to;
        }
    }

    /// @param chain null if no content is to be proved
    /// @param live whether just those nodes are wanted that no newer layer replaces
    ChainProof(@Nullable Chain chain, boolean live, VerifyOptions options, Findings findings, Watcher watcher) {
        this.chain = chain;
        this.live = live;
        this.options = options;
        this.findings = findings;
        this.watcher = watcher;
    }

    /// Proves a whole data file by its hashes alone, on any thread.
    static Outcome ofFile(StoredArchive archive, VerifyOptions options, Findings findings, Watcher watcher) throws IOException {
        return new ChainProof(null, false, options, findings, watcher)
                .add(archive, Strand.NO_CONTENT)
                .run((any, guilty) -> {}) // of content, which is not looked at
                .getFirst();
    }

    /// Adds an archive.
    ///
    /// @param layer in the chain as which its content is to be proved, ascending; or [Strand#NO_CONTENT]
    ChainProof add(StoredArchive archive, int layer) {
        return add(archive, layer, 0, archive.manifest().file().size());
    }

    /// Adds a part of an archive. Of its content those frames are proved that begin there.
    ///
    /// @param from where its first group begins; without a good file tree all of the file is looked at
    /// @param to where its last group ends
    ChainProof add(StoredArchive archive, int layer, long from, long to) {
        files.add(new File(archive, new DataCheck(archive, findings), layer, from, to));
        return this;
    }

    /// Reads the files.
    List<Outcome> run(Accuser accuser) throws IOException {
        try {
            List<Strand> strands = new ArrayList<>();
            for (File file : files) {
                try {
                    file.strand = file.data.open(file.layer, file.from, file.to);
                    strands.add(file.strand);
                } catch (InterruptedIOException | WrongKeyException e) {
                    throw e;
                } catch (IOException e) {
                    unreadable(file, e);
                }
            }
            sweep(strands, accuser);
            List<Outcome> outcomes = new ArrayList<>();
            for (File file : files) {
                outcomes.add(outcome(file));
            }
            return outcomes;
        } finally {
            for (File file : files) {
                file.data.close();
            }
        }
    }

    private void sweep(List<Strand> strands, Accuser accuser) throws IOException {
        boolean content = strands.stream().anyMatch(strand -> strand.layer() != Strand.NO_CONTENT);
        Sweep.Content nodes = content ? new Sweep.Content(chain, live, options.hashZeros()) : null;
        try (Blame blame = content ? new Blame(chain) : null) {
            new Sweep(strands, nodes).run(options.threads(), seen -> {
                proved += seen.proved;
                zeros += seen.zeros;
                if (seen.strand != null) {
                    seen.strand.check().take(seen.groups);
                    watcher.done(seen.size);
                }
                for (Sweep.Fault fault : seen.faults) {
                    fault(fault, blame, accuser);
                }
            });
        }
    }

    private void fault(Sweep.Fault fault, Blame blame, Accuser accuser) {
        Node node = fault.node();
        int layer = fault.strand().layer();
        Blame.Culprit culprit = blame.culprit(layer, node.chunk(), fault.cause());
        StoredArchive archive = chain.archive(layer);
        StoredArchive guilty = chain.archive(culprit.layer());
        Geometry geometry = chain.index(layer).geometry();
        findings.chunk(
                name(guilty), geometry.offset(node.chunk()), geometry.length(node.chunk(), node.count()), culprit.cause());
        File file = files.stream().filter(any -> any.strand == fault.strand()).findFirst().orElseThrow();
        file.faults = true;
        if (guilty.equals(archive) && node.frame().size() > 0) {
            file.badFrames = file.badFrames.plus(Ranges.of(fault.strand().start(node.frame()), fault.strand().end(node.frame())));
        }
        accuser.accuse(archive, guilty);
    }

    private void unreadable(File file, IOException failure) {
        findings.unreadable(name(file.archive), file.from, file.to - file.from, failure);
        file.badFrames = Ranges.of(file.from, file.to);
    }

    private Outcome outcome(File file) throws IOException {
        boolean whole = file.strand != null && file.data.finish();
        // a delta in which nothing had changed has no content
        boolean content = options.depth().includes(Depth.CONTENT)
                && (file.layer != Strand.NO_CONTENT && !live || file.archive.manifest().unchanged());
        Ranges damaged = file.data.damaged().plus(file.badFrames);
        long groups = FileTree.groups(file.archive.manifest().file().size());
        return new Outcome(
                file.archive,
                content && !file.faults ? Depth.CONTENT : Depth.STORED,
                file.strand != null,
                whole,
                file.data.proved(),
                damaged,
                file.data.read(),
                Files.exists(file.archive.tree()) ? FileTree.HEAD_SIZE + groups * Hash.SIZE : 0);
    }

    /// {@return bytes of the device, at all times together, whose hashes were computed}
    long proved() {
        return proved;
    }

    /// {@return bytes likewise, in zero runs whose hashes were taken from the tables}
    long zeros() {
        return zeros;
    }

    private static String name(StoredArchive archive) {
        return archive.data().getFileName().toString();
    }
}
