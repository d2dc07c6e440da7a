package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.LongConsumer;
import varve.archive.block.DeviceException;
import varve.archive.format.CorruptException;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.format.Rule;
import varve.archive.format.Seal;
import varve.archive.seal.AgeFormatException;
import varve.archive.seal.AgeHeader;
import varve.archive.seal.FileKey;
import varve.archive.seal.Recipient;
import varve.archive.seal.SealedContent;
import varve.archive.seal.WrongKeyException;

/// Makes a sealed archive once more, for other recipients: another header before the same payload, which is neither decrypted nor encrypted.
///
/// What is read is proved by its file tree; what is written is read back from the medium, and opened with the file key, before it takes its name.
/// For one thread, the holder of the volume's lock.
public final class Resealing {

    private static final int PIECE = 1 << FileTree.GROUP_LOG;

    private final StoredArchive source;
    private final Path folder;
    private final List<Recipient> recipients;
    private final Signer signer;

    /// What was made.
    ///
    /// @param fromMedium whether it was read back past the page cache
    public record Made(Manifest manifest, boolean fromMedium) {}

    /// @param folder of the volume
    /// @param signer of the manifest
    public Resealing(StoredArchive source, Path folder, List<Recipient> recipients, Signer signer) {
        this.source = source;
        this.folder = folder;
        this.recipients = List.copyOf(recipients);
        this.signer = signer;
    }

    /// Makes it.
    ///
    /// @param describe makes the manifest, from size and hash of the new data file and its seal
    /// @param progress gets bytes of the old data file that are done
    /// @throws CorruptException if the old file is damaged; nothing has changed then
    /// @throws WrongKeyException if no key opens it
    public Made run(BiFunction<Manifest.Digest, Seal, Manifest> describe, LongConsumer progress) throws IOException {
        Stage stage = new Stage(folder);
        stage.removeForeign();
        stage.discard();
        try (Arena arena = Arena.ofShared();
                Index index = source.openIndex();
                ProvedFile old = ProvedFile.open(source, true);
                ProvedReader reader = new ProvedReader(2);
                RowFile tables = new RowFile(stage.index(), 1 << 16);
                RowFile tree = new RowFile(stage.tree(), 4096)) {
            index.copyTo(tables);
            tables.finish();
            tree.append(arena.allocate(FileTree.HEAD_SIZE, 8));
            AgeHeader header = Sealed.header(source.manifest(), old.name(), (position, into) -> reader.readStored(old, position, into));
            FileKey key = open(header, old.name());
            AgeHeader other = AgeHeader.seal(key, recipients, new SecureRandom());
            Manifest.Digest file;
            boolean direct;
            try (StageFile data = new StageFile(stage.data(), tree)) {
                data.append(MemorySegment.ofArray(other.encode()));
                MemorySegment room = arena.allocate(PIECE, 4096);
                for (long at = header.size(); at < source.manifest().file().size(); at += PIECE) {
                    MemorySegment piece = room.asSlice(0, Math.min(PIECE, source.manifest().file().size() - at));
                    reader.readStored(old, at, piece);
                    data.append(piece);
                    progress.accept(piece.byteSize());
                }
                file = data.finish();
                direct = data.direct();
            }
            MemorySegment head = arena.allocate(FileTree.HEAD_SIZE, 8);
            FileTree.encodeHead(head, file.size());
            tree.patch(head);
            tree.finish();
            Seal seal = new Seal(source.manifest().contentSize(), recipients.stream().map(Recipient::text).distinct().sorted().toList());
            Manifest manifest = describe.apply(file, seal);
            check(stage.data(), manifest, key);
            stage.decide(manifest, signer);
            stage.commit(manifest);
            return new Made(manifest, direct);
        } catch (DeviceException e) {
            stage.discard(); // the disk may be full
            throw e;
        }
    }

    private FileKey open(AgeHeader header, String name) throws IOException {
        try {
            return source.keys().open(header, name);
        } catch (AgeFormatException e) {
            throw new CorruptException(Rule.F047, name, String.valueOf(e.getMessage()));
        }
    }

    /// the new header is one, and the payload behind it ends as it should
    private static void check(Path data, Manifest manifest, FileKey key) throws IOException {
        try (FileChannel channel = Folder.open(data)) {
            AgeHeader header = Sealed.header(manifest, manifest.dataName(), (position, into) -> Mapped.read(channel, data, position, into));
            new SealedContent(header.size(), manifest.file().size(), key, (position, into) -> Mapped.read(channel, data, position, into)).close();
        } catch (AgeFormatException e) {
            throw new IllegalStateException(e);
        }
    }
}
