package varve.archive.file;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import varve.archive.block.DeviceException;
import varve.archive.format.CorruptException;
import varve.archive.format.Extent;
import varve.archive.format.FileTree;
import varve.archive.format.Header;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.Seal;
import varve.archive.format.State;
import varve.archive.format.Summary;
import varve.archive.format.UnsupportedException;
import varve.archive.hash.SubtreeHasher;
import varve.archive.seal.AgeHeader;
import varve.archive.seal.FileKey;
import varve.archive.seal.Recipient;
import varve.archive.seal.SealedOutput;

/// Writes one archive: frames and rows in device order, then [#commit].
///
/// Everything goes to staged files in the volume's folder. Rows are spooled, so memory does not grow with the device.
/// Without a commit the folder holds no new archive; what is staged serves the next run as [Hints].
///
/// For one thread, the holder of the volume's lock.
public final class ArchiveWriter implements ArchiveOutput, Closeable {

    private static final int PAGE = 4096;

    /// a frame whose row is not staged when the process dies is made again
    private static final int FEW_NODES = 8 * Node.SIZE;

    private final Stage stage;
    private final Signer signer;
    private final Header header;
    private final Arena arena = Arena.ofShared();
    private final Hints hints;
    private final RowFile tree;
    private final RowFile nodeRows;
    private final RowFile extentRows;
    private final StageFile data;
    private final @Nullable SealedOutput sealed; // null if the zstd file is stored as it is
    private final List<String> recipients;
    private final MemorySegment row = arena.allocate(Node.SIZE, 8);

    private long nodes;
    private long extents;
    private long frames;
    private long payloadSize;
    private boolean failed;

    /// Writes an archive that is not sealed.
    public ArchiveWriter(Path folder, Header header, Signer signer) throws IOException {
        this(folder, header, signer, List.of());
    }

    /// @param folder of the volume
    /// @param header of the archive to be; a stage with another header is discarded
    /// @param recipients for whom it is sealed, empty if it is not. What is staged and sealed cannot be read again, so then
    /// nothing of an interrupted run is reused
    public ArchiveWriter(Path folder, Header header, Signer signer, List<Recipient> recipients) throws IOException {
        this.stage = new Stage(folder);
        this.signer = signer;
        this.header = header;
        stage.removeForeign();
        if (!recipients.isEmpty() || !stagedHeader(folder).filter(header::equals).isPresent()) {
            stage.discard();
        }
        this.hints = openHints();
        this.tree = new RowFile(stage.tree(), PAGE);
        this.nodeRows = new RowFile(stage.nodes(), FEW_NODES);
        this.extentRows = new RowFile(stage.extents(), PAGE);
        tree.append(arena.allocate(FileTree.HEAD_SIZE, 8));
        this.data = new StageFile(stage.data(), tree);
        MemorySegment frame = arena.allocate(Header.FRAME_SIZE, 8);
        header.encode(frame);
        if (recipients.isEmpty()) {
            this.sealed = null;
            this.recipients = List.of();
        } else {
            SecureRandom random = new SecureRandom();
            FileKey key = FileKey.random(random);
            this.sealed = new SealedOutput(key, AgeHeader.seal(key, recipients, random), random, data::append);
            this.recipients = recipients.stream().map(Recipient::text).distinct().sorted().toList();
        }
        append(frame);
    }

    /// appends to the zstd file
    private void append(MemorySegment bytes) throws IOException {
        if (sealed == null) {
            data.append(bytes);
        } else {
            sealed.append(bytes);
        }
    }

    /// {@return bytes of the zstd file so far}
    private long position() {
        return sealed == null ? data.position() : sealed.size();
    }

    /// Finishes what a run that died while committing had decided.
    ///
    /// @return whether there was anything to finish
    public static boolean recover(Path folder) throws IOException {
        return new Stage(folder).recover();
    }

    /// {@return the header of the archive that an interrupted run was writing}
    public static Optional<Header> stagedHeader(Path folder) throws IOException {
        Path path = new Stage(folder).data();
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            if (channel.size() < Header.FRAME_SIZE) {
                return Optional.empty();
            }
            MemorySegment head = arena.allocate(Header.FRAME_SIZE, 8);
            Mapped.read(channel, path, 0, head);
            return Optional.of(Header.decode(head, path.toString()));
        } catch (CorruptException | UnsupportedException | DeviceException e) {
            return Optional.empty();
        }
    }

    private Hints openHints() throws IOException {
        if (!Files.exists(stage.data()) || !Files.exists(stage.nodes())) {
            return Hints.NONE;
        }
        FileChannel old = FileChannel.open(stage.data(), StandardOpenOption.READ);
        try (FileChannel oldRows = FileChannel.open(stage.nodes(), StandardOpenOption.READ)) {
            long size = oldRows.size() / Node.SIZE * Node.SIZE;
            Mapped.probe(oldRows, stage.nodes(), 0, size);
            return new Hints(old, Mapped.map(oldRows, stage.nodes(), 0, size, arena), old.size());
        } catch (DeviceException e) {
            old.close();
            return Hints.NONE;
        }
    }

    /// {@return whether what was written is read back past the page cache}
    public boolean readBackFromMedium() {
        return data.direct();
    }

    /// {@return what an earlier run left of this archive}
    public Hints hints() {
        return hints;
    }

    @Override
    public Node.Frame frame(MemorySegment bytes, int contentSize) throws IOException {
        Node.Frame frame = new Node.Frame(position(), (int) bytes.byteSize(), contentSize);
        append(bytes);
        frames++;
        payloadSize += contentSize;
        return frame;
    }

    @Override
    public long nextExtent() {
        return extents;
    }

    @Override
    public void node(Node node) throws IOException {
        node.encode(row, 0);
        nodeRows.append(row);
        nodes++;
    }

    @Override
    public void extent(Extent extent) throws IOException {
        extent.encode(row, 0);
        extentRows.append(row.asSlice(0, Extent.SIZE));
        extents++;
    }

    /// Completes the files, proves that they are on the medium, and makes them an archive.
    ///
    /// @param state of the device
    /// @param describe makes the manifest when sizes and hashes are known
    /// @return the manifest
    public Manifest commit(State state, Function<Written, Manifest> describe) throws IOException {
        return commit(state, describe, index -> {});
    }

    /// Completes the files, proves that they are on the medium, and makes them an archive if its tables stand a proof.
    ///
    /// @param proof gets the tables as a reader would, after all rules that they can break by themselves were checked
    public Manifest commit(State state, Function<Written, Manifest> describe, Proof proof) throws IOException {
        Manifest manifest;
        try {
            manifest = complete(state, describe, proof);
            stage.decide(manifest, signer);
        } catch (IOException e) {
            failed = true; // nothing but the vault is read or written here
            throw e;
        }
        stage.commit(manifest); // what fails here, the next run does
        return manifest;
    }

    /// What else must be right before the archive exists.
    public interface Proof {
        void of(Index index) throws IOException;
    }

    private Manifest complete(State state, Function<Written, Manifest> describe, Proof proof) throws IOException {
        Summary summary =
                new Summary(header, state, extents, nodes, frames, payloadSize, position());
        try (RowFile indexFile = new RowFile(stage.index(), PAGE)) {
            writeIndex(summary, indexFile);
            indexFile.finish();
            indexFile.copyTo(this::append);
        }
        Manifest.Digest index = digestOfIndex();
        Manifest draft = describe.apply(new Written(summary, new Manifest.Digest(0, index.hash()), index, seal()));
        try (Index written = Index.open(stage.index(), 0, draft)) {
            proof.of(written); // opening it has checked every rule that tables can break by themselves
            SeekTable.write(written, this::append);
        }
        Optional<Seal> seal = seal();
        if (sealed != null) {
            sealed.finish();
        }
        Manifest.Digest file = data.finish();
        MemorySegment head = arena.allocate(FileTree.HEAD_SIZE, 8);
        FileTree.encodeHead(head, file.size());
        tree.patch(head);
        tree.finish();
        return describe.apply(new Written(summary, file, index, seal));
    }

    /// What a manifest says of the files.
    ///
    /// @param summary of the index
    /// @param file size and hash of the data file
    /// @param index size and hash of the index region
    /// @param seal of the data file
    public record Written(Summary summary, Manifest.Digest file, Manifest.Digest index, Optional<Seal> seal) {}

    private Optional<Seal> seal() {
        return sealed == null ? Optional.empty() : Optional.of(new Seal(sealed.size(), recipients));
    }

    private void writeIndex(Summary summary, RowFile to) throws IOException {
        MemorySegment head = arena.allocate(Summary.tableHeadSize(), 8);
        Summary.encodeExtentHead(head, extents);
        to.append(head);
        extentRows.copyTo(to);
        Summary.encodeNodeHead(head, nodes);
        to.append(head);
        nodeRows.copyTo(to);
        MemorySegment frame = arena.allocate(Summary.FRAME_SIZE, 8);
        summary.encode(frame);
        to.append(frame);
    }

    private Manifest.Digest digestOfIndex() throws IOException {
        try (FileChannel channel = FileChannel.open(stage.index(), StandardOpenOption.READ);
                Arena mapping = Arena.ofShared()) {
            MemorySegment bytes = Mapped.map(channel, stage.index(), 0, channel.size(), mapping);
            return new Manifest.Digest(bytes.byteSize(), new SubtreeHasher().whole(bytes));
        }
    }

    /// {@return whether the vault could not be written, for want of space or because the medium is faulty}
    public boolean failed() {
        return failed || data.failed() || nodeRows.failed() || extentRows.failed() || tree.failed();
    }

    /// Removes what is staged, to give the space back.
    public void discard() throws IOException {
        stage.discard();
    }

    @Override
    public void close() throws IOException {
        try (tree;
                nodeRows;
                extentRows;
                data) {
            hints.close();
        } finally {
            arena.close();
        }
    }
}
