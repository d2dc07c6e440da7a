package varve.archive.vault;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import varve.archive.file.Folder;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.format.Seal;
import varve.archive.format.State;
import varve.archive.hash.Hash;

/// Manifests of a volume as they were when they were last read, so that who wants to know how it stands need not read again those that have
/// not changed: FORMAT.md section 17.
///
/// Only a cache, as [VolumeDigest] is: any run may write it and anybody may remove it. Of each manifest that was read and found good it has all
/// that the manifest says, the hash of the original manifest of its point, and the [Stamp] of the file then. A manifest with another stamp is
/// not known. Nothing is ever proved, copied or removed on the word of it.
///
/// Safe for use by several threads while nothing is added.
final class KnownManifests {

    private static final String EXTENSION = ".known"; // no volume has a digest of that name
    private static final String FORMAT = "varve-known-1";
    private static final int MAX_SIZE = 64 << 20;
    private static final int CHECK_SIZE = Long.BYTES;

    private final Path file;
    private final String volume;
    private final Map<String, Known> manifests = new HashMap<>();
    private boolean changed;

    /// A manifest, and the hash of the original one of its point.
    record Known(Manifest manifest, Hash original, Stamp stamp) {}

    /// @param volume of which nothing is known
    KnownManifests(Volume volume) {
        this.file = volume.folder().resolveSibling(VolumeDigest.FOLDER).resolve(volume.name() + EXTENSION);
        this.volume = volume.name();
    }

    /// {@return what is known of a volume}
    static KnownManifests read(Volume volume) {
        KnownManifests known = new KnownManifests(volume);
        try {
            known.decode(Folder.read(known.file, MAX_SIZE));
        } catch (IOException | BufferUnderflowException | IllegalArgumentException | DateTimeException e) {
            known.manifests.clear(); // it is only a cache
        }
        return known;
    }

    /// {@return what is known of a manifest}
    ///
    /// @param name of its file
    /// @param stamp of the file now
    Optional<Known> of(String name, Optional<Stamp> stamp) {
        Known known = manifests.get(name);
        return known != null && stamp.equals(Optional.of(known.stamp)) ? Optional.of(known) : Optional.empty();
    }

    /// Adds a manifest that was read.
    ///
    /// @param stamp of its file before
    void add(String name, Manifest manifest, Hash original, Stamp stamp) {
        manifests.put(name, new Known(manifest, original, stamp));
        changed = true;
    }

    /// Writes what is known, if that has changed.
    ///
    /// @param there the manifests that there are; others are forgotten
    void save(Collection<Path> there) {
        if (manifests.size() > there.size()) {
            Set<String> names = there.stream().map(path -> path.getFileName().toString()).collect(Collectors.toSet());
            changed |= manifests.keySet().retainAll(names);
        }
        if (!changed) {
            return;
        }
        try {
            byte[] content = encode();
            if (content.length <= MAX_SIZE) {
                Files.createDirectories(file.getParent());
                Path draft = file.resolveSibling(file.getFileName() + "~");
                Files.write(draft, content);
                Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            // a vault that cannot be written to is looked at more slowly
        }
    }

    // ---- as it is on disk

    private byte[] encode() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        text(out, FORMAT);
        text(out, volume);
        out.writeInt(manifests.size());
        for (Map.Entry<String, Known> entry : manifests.entrySet()) {
            text(out, entry.getKey());
            Known known = entry.getValue();
            out.writeLong(known.stamp.inode());
            out.writeLong(known.stamp.size());
            out.writeLong(known.stamp.changed());
            hash(out, known.original);
            manifest(out, known.manifest);
        }
        out.writeLong(check(bytes.toByteArray(), bytes.size()));
        return bytes.toByteArray();
    }

    private static void manifest(DataOutputStream out, Manifest m) throws IOException {
        out.writeBoolean(m.kind() == Kind.FULL);
        text(out, m.volume());
        out.writeLong(m.volumeId().getMostSignificantBits());
        out.writeLong(m.volumeId().getLeastSignificantBits());
        out.writeLong(m.sequence());
        hash(out, m.previous().orElse(null));
        hash(out, m.original().orElse(null));
        out.writeLong(m.time().toEpochMilli());
        out.writeLong(m.finished().toEpochMilli());
        text(out, m.label().orElse(null));
        text(out, m.source());
        text(out, m.host());
        text(out, m.tool());
        out.writeInt(m.chunkLog());
        state(out, m.state());
        state(out, m.parent());
        out.writeLong(m.changedSize());
        out.writeLong(m.payloadSize());
        digest(out, m.file());
        digest(out, m.index());
        out.writeLong(m.seal().map(Seal::contentSize).orElse(-1L));
        text(out, m.seal().map(seal -> Seal.text(seal.recipients())).orElse(null));
    }

    private static void state(DataOutputStream out, State state) throws IOException {
        hash(out, state.root());
        out.writeLong(state.size());
    }

    private static void digest(DataOutputStream out, Manifest.Digest digest) throws IOException {
        out.writeLong(digest.size());
        hash(out, digest.hash());
    }

    private static void hash(DataOutputStream out, @Nullable Hash hash) throws IOException {
        out.writeBoolean(hash != null);
        if (hash != null) {
            out.write(hash.bytes());
        }
    }

    private static void text(DataOutputStream out, @Nullable String text) throws IOException {
        byte[] bytes = text == null ? new byte[0] : text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(text == null ? -1 : bytes.length);
        out.write(bytes);
    }

    private void decode(byte[] content) {
        ByteBuffer in = ByteBuffer.wrap(content);
        if (content.length < CHECK_SIZE || content.length > MAX_SIZE || in.getLong(content.length - CHECK_SIZE) != check(content, content.length - CHECK_SIZE)) {
            return;
        }
        in.limit(content.length - CHECK_SIZE);
        if (!FORMAT.equals(text(in)) || !volume.equals(text(in))) {
            return;
        }
        for (int left = in.getInt(); left > 0; left--) {
            String name = required(in);
            Stamp stamp = new Stamp(in.getLong(), in.getLong(), in.getLong());
            Hash original = requiredHash(in);
            manifests.put(name, new Known(manifest(in), original, stamp));
        }
    }

    private static Manifest manifest(ByteBuffer in) {
        return new Manifest(
                in.get() == 1 ? Kind.FULL : Kind.DELTA,
                required(in),
                new UUID(in.getLong(), in.getLong()),
                in.getLong(),
                Optional.ofNullable(hash(in)),
                Optional.ofNullable(hash(in)),
                Instant.ofEpochMilli(in.getLong()),
                Instant.ofEpochMilli(in.getLong()),
                Optional.ofNullable(text(in)),
                required(in),
                required(in),
                required(in),
                in.getInt(),
                state(in),
                state(in),
                in.getLong(),
                in.getLong(),
                digest(in),
                digest(in),
                seal(in.getLong(), text(in)));
    }

    private static Optional<Seal> seal(long contentSize, @Nullable String recipients) {
        return recipients == null ? Optional.empty() : Optional.of(new Seal(contentSize, Seal.parse(recipients)));
    }

    private static State state(ByteBuffer in) {
        return new State(requiredHash(in), in.getLong());
    }

    private static Manifest.Digest digest(ByteBuffer in) {
        return new Manifest.Digest(in.getLong(), requiredHash(in));
    }

    private static Hash requiredHash(ByteBuffer in) {
        return present(hash(in));
    }

    private static @Nullable Hash hash(ByteBuffer in) {
        if (in.get() == 0) {
            return null;
        }
        return new Hash(Long.reverseBytes(in.getLong()), Long.reverseBytes(in.getLong()), Long.reverseBytes(in.getLong()), Long.reverseBytes(in.getLong()));
    }

    private static String required(ByteBuffer in) {
        return present(text(in));
    }

    private static @Nullable String text(ByteBuffer in) {
        int size = in.getInt();
        if (size < 0) {
            return null;
        }
        if (size > in.remaining()) {
            throw new BufferUnderflowException();
        }
        String text = new String(in.array(), in.position(), size, StandardCharsets.UTF_8);
        in.position(in.position() + size);
        return text;
    }

    private static <T> T present(@Nullable T value) {
        if (value == null) {
            throw new IllegalArgumentException("nothing where something is required");
        }
        return value;
    }

    private static long check(byte[] content, int size) {
        CRC32C check = new CRC32C();
        check.update(content, 0, size);
        return check.getValue();
    }
}
