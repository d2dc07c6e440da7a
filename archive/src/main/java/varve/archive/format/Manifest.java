package varve.archive.format;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.ResolverStyle;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// The small text that describes one archive: FORMAT.md section 6. It has exactly one form, so hashes over it mean something.
///
/// The *original* manifest of a point in time was written when the point was recorded. An archive that was derived from
/// others later repeats in its manifest what the original says of the point, and names it.
///
/// @param kind full or delta
/// @param volume name of the volume
/// @param volumeId of the volume
/// @param sequence number of the point in time: 1 for the first of a volume, then one more each
/// @param previous hash of the original manifest of the point before this
/// @param original hash of the original manifest of this point; empty if this is it
/// @param time when reading of the device began, whole milliseconds
/// @param finished when the archive was complete, whole milliseconds
/// @param label free text
/// @param source what was read
/// @param host where
/// @param tool what wrote it
/// @param chunkLog chunk size as a power of two
/// @param state of the device
/// @param parent of a delta; [State#NOTHING] for a full
/// @param changedSize bytes of the device that are in this archive
/// @param payloadSize decompressed size of the data frames
/// @param file size and hash of the data file
/// @param index size and hash of the index region
/// @param seal how the data file is sealed; empty if anybody can read it
public record Manifest(
        Kind kind,
        String volume,
        UUID volumeId,
        long sequence,
        Optional<Hash> previous,
        Optional<Hash> original,
        Instant time,
        Instant finished,
        Optional<String> label,
        String source,
        String host,
        String tool,
        int chunkLog,
        State state,
        State parent,
        long changedSize,
        long payloadSize,
        Digest file,
        Digest index,
        Optional<Seal> seal) {

    /// Size and BLAKE3 of some bytes.
    public record Digest(long size, Hash hash) {}

    /// FORMAT.md F035
    public static final int MAX_SIZE = 64 << 10;

    private static final String FORMAT = "varve-manifest-1";
    private static final String SEALED_FORMAT = "varve-manifest-2";
    private static final int NAME_DIGITS = 8;
    private static final Pattern VOLUME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC).withResolverStyle(ResolverStyle.STRICT);
    private static final DateTimeFormatter NAME_TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

    /// {@return whether a volume may be called so}
    public static boolean isVolumeName(String name) {
        return VOLUME.matcher(name).matches();
    }

    /// {@return the time as manifests and messages write it}
    public static String text(Instant time) {
        return TIME.format(time);
    }

    /// {@return `VOLUME.TIME.KIND`, what the names of all files of this archive begin with; if it is derived, with the first
    /// digits of the file's hash before the kind}
    public String baseName() {
        String digest = derived() ? "." + file.hash().toString().substring(0, NAME_DIGITS) : "";
        return volume + "." + nameTime(time) + digest + "." + kind.word();
    }

    /// what `NAME_TIME` gives, without the formatter where that is so: there are lists of many thousand names
    static String nameTime(Instant time) {
        LocalDateTime utc = LocalDateTime.ofInstant(time, ZoneOffset.UTC);
        if (utc.getYear() < 1000 || utc.getYear() > 9999) {
            return NAME_TIME.format(time);
        }
        long date = utc.getYear() * 10_000L + utc.getMonthValue() * 100 + utc.getDayOfMonth();
        long clock = 1_000_000 + utc.getHour() * 10_000 + utc.getMinute() * 100 + utc.getSecond(); // a digit before, so that zeros stay
        long millis = 1000 + utc.getNano() / 1_000_000;
        return date + "T" + String.valueOf(clock).substring(1) + "." + String.valueOf(millis).substring(1) + "Z";
    }

    /// {@return the name of the data file}
    public String dataName() {
        return baseName() + "." + dataExtension();
    }

    /// {@return what the name of the data file ends with, behind a dot}
    public String dataExtension() {
        return seal.isPresent() ? "zst.age" : "zst";
    }

    /// {@return the size of the zstd file: the data file itself, or what is sealed in it}
    public long contentSize() {
        return seal.map(Seal::contentSize).orElse(file.size());
    }

    /// {@return bytes that the archive takes in a vault: the data file and the copy of its tables}
    public long storedSize() {
        return file.size() + index.size();
    }

    /// {@return whether the archive was made of others, and not when the point was recorded}
    public boolean derived() {
        return original.isPresent();
    }

    /// {@return the hash of the original manifest of this point, which the next point names}
    public Hash originalHash() {
        return original.orElseGet(() -> new SubtreeHasher().whole(MemorySegment.ofArray(encode())));
    }

    /// {@return whether both say the same of the point in time, however it is stored}
    public boolean describesPointOf(Manifest other) {
        return volume.equals(other.volume)
                && volumeId.equals(other.volumeId)
                && sequence == other.sequence
                && previous.equals(other.previous)
                && time.equals(other.time)
                && label.equals(other.label)
                && source.equals(other.source)
                && host.equals(other.host)
                && state.equals(other.state);
    }

    public Geometry geometry() {
        return new Geometry(state.size(), chunkLog);
    }

    /// {@return whether nothing had changed since the parent}
    public boolean unchanged() {
        return kind == Kind.DELTA && parent.equals(state);
    }

    /// {@return the manifest of an archive that was made of others and leads to the same point}
    ///
    /// @param parent of a delta; [State#NOTHING] for a full
    public Manifest derive(
            State parent, Instant finished, String tool, long changedSize, long payloadSize, Digest file, Digest index, Optional<Seal> seal) {
        return new Manifest(
                parent.equals(State.NOTHING) ? Kind.FULL : Kind.DELTA,
                volume,
                volumeId,
                sequence,
                previous,
                Optional.of(originalHash()),
                time,
                finished,
                label,
                source,
                host,
                tool,
                chunkLog,
                state,
                parent,
                changedSize,
                payloadSize,
                file,
                index,
                seal);
    }

    /// {@return the text}
    public byte[] encode() {
        JsonMembers json = members();
        json.seal();
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    private JsonMembers members() {
        JsonMembers json = new JsonMembers(baseName());
        json.text("format", seal.isPresent() ? SEALED_FORMAT : FORMAT);
        json.text("archive", dataName());
        json.text("kind", kind.word());
        json.text("volume", volume);
        json.text("volumeId", volumeId.toString());
        json.number("sequence", sequence);
        json.text("previous", previous.map(Hash::toString).orElse(null));
        json.text("original", original.map(Hash::toString).orElse(null));
        json.text("time", text(time));
        json.text("finished", text(finished));
        json.text("label", label.orElse(null));
        json.text("source", source);
        json.text("host", host);
        json.text("tool", tool);
        json.number("chunkSize", 1L << chunkLog);
        json.number("blockSize", Geometry.BLOCK_SIZE);
        json.number("size", state.size());
        json.text("root", state.root().toString());
        json.number("parentSize", kind == Kind.FULL ? null : (Long) parent.size());
        json.text("parentRoot", kind == Kind.FULL ? null : parent.root().toString());
        json.number("changedSize", changedSize);
        json.number("payloadSize", payloadSize);
        json.number("fileSize", file.size());
        json.text("fileHash", file.hash().toString());
        json.number("indexSize", index.size());
        json.text("indexHash", index.hash().toString());
        seal.ifPresent(it -> {
            json.number("contentSize", it.contentSize());
            json.text("recipients", Seal.text(it.recipients()));
        });
        return json;
    }

    /// {@return the manifest that `text` is}
    /// @param where file name for messages
    /// @throws CorruptException F035, F036, F043
    /// @throws UnsupportedException if a later version wrote it
    public static Manifest decode(byte[] text, String where) throws CorruptException, UnsupportedException {
        if (text.length > MAX_SIZE) {
            throw new CorruptException(Rule.F035, where, text.length + " bytes, at most " + MAX_SIZE);
        }
        JsonMembers json = JsonMembers.parse(text, where);
        String format = json.required("format");
        if (!FORMAT.equals(format) && !SEALED_FORMAT.equals(format)) {
            throw new UnsupportedException(where + ": format \"" + format + "\" (F035), this varve reads \"" + FORMAT + "\" and \"" + SEALED_FORMAT + "\"");
        }
        if (!Arrays.equals(json.toString().getBytes(StandardCharsets.UTF_8), text)) {
            throw new CorruptException(Rule.F035, where, "not in the one form that a manifest has");
        }
        if (!json.sealed()) {
            throw new CorruptException(Rule.F043, where, "its last member is not the hash of what is before it");
        }
        Manifest manifest;
        try {
            manifest = read(json);
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new CorruptException(Rule.F036, where, String.valueOf(e.getMessage()));
        }
        manifest.check(json, where);
        if (!json.seals(manifest.members())) { // else it is what encode() gives, which would cost another hash
            throw new CorruptException(Rule.F035, where, "other members than a manifest has, or in another order");
        }
        return manifest;
    }

    private static Manifest read(JsonMembers json) throws CorruptException {
        String word = json.required("kind");
        Kind kind = Arrays.stream(Kind.values())
                .filter(k -> k.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("kind \"" + word + "\""));
        return new Manifest(
                kind,
                json.required("volume"),
                UUID.fromString(json.required("volumeId")),
                json.number("sequence"),
                Optional.ofNullable(json.text("previous")).map(Hash::parse),
                Optional.ofNullable(json.text("original")).map(Hash::parse),
                Instant.from(TIME.parse(json.required("time"))),
                Instant.from(TIME.parse(json.required("finished"))),
                Optional.ofNullable(json.text("label")),
                json.required("source"),
                json.required("host"),
                json.required("tool"),
                chunkLog(json.number("chunkSize")),
                new State(Hash.parse(json.required("root")), json.number("size")),
                parent(kind, json.text("parentRoot"), json.optionalNumber("parentSize")),
                json.number("changedSize"),
                json.number("payloadSize"),
                new Digest(json.number("fileSize"), Hash.parse(json.required("fileHash"))),
                new Digest(json.number("indexSize"), Hash.parse(json.required("indexHash"))),
                SEALED_FORMAT.equals(json.text("format"))
                        ? Optional.of(new Seal(json.number("contentSize"), Seal.parse(json.required("recipients"))))
                        : Optional.empty());
    }

    private static int chunkLog(long chunkSize) {
        int log = Long.numberOfTrailingZeros(chunkSize);
        if (Long.bitCount(chunkSize) != 1 || log < Geometry.MIN_CHUNK_LOG || log > Geometry.MAX_CHUNK_LOG) {
            throw new IllegalArgumentException("chunk size " + chunkSize);
        }
        return log;
    }

    private static State parent(Kind kind, @Nullable String root, @Nullable Long size) {
        if (kind == Kind.FULL && root == null && size == null) {
            return State.NOTHING;
        }
        if (kind == Kind.DELTA && root != null && size != null) {
            return new State(Hash.parse(root), size);
        }
        throw new IllegalArgumentException(kind.word() + " with parent root " + root + " and size " + size);
    }

    private void check(JsonMembers json, String where) throws CorruptException {
        String wrong = null;
        if (!isVolumeName(volume)) {
            wrong = "volume name \"" + volume + "\"";
        } else if (!dataName().equals(json.text("archive"))) {
            wrong = "archive \"" + json.text("archive") + "\", expected \"" + dataName() + "\"";
        } else if (sequence < 1 || (sequence == 1) != previous.isEmpty()) {
            wrong = "sequence " + sequence + " with previous " + json.text("previous");
        } else if (json.number("blockSize") != Geometry.BLOCK_SIZE) {
            wrong = "block size " + json.number("blockSize");
        } else if (!volumeId.toString().equals(json.text("volumeId"))) {
            wrong = "volume id \"" + json.text("volumeId") + "\"";
        } else if (changedSize > state.size() || (kind == Kind.FULL && changedSize != state.size())) {
            wrong = "changed size " + changedSize + " of " + state.size();
        } else if (payloadSize > changedSize) {
            wrong = "payload size " + payloadSize + " of changed size " + changedSize;
        }
        if (wrong != null) {
            throw new CorruptException(Rule.F036, where, wrong);
        }
    }
}
