package varve.archive.vault;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import varve.archive.format.Json;
import varve.archive.format.Manifest;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// What a vault holds of a volume, to be signed as a whole: FORMAT.md section 18. A manifest that was removed, a file that was set
/// back, manifests of another vault: each by itself is signed well, but not what the head says of them together.
///
/// @param vault that the folder is in
/// @param volume its name
/// @param generation 1 for the first, then one more each
/// @param previous hash of the head before this one
/// @param written when
/// @param receipts number of the newest receipt; 0 if there is none
/// @param receipt hash of its line
/// @param settings hash of the settings of the volume
/// @param manifests hashes of all manifests, by file name
public record Head(
        UUID vault,
        String volume,
        UUID volumeId,
        long generation,
        Optional<Hash> previous,
        Instant written,
        long receipts,
        Optional<Hash> receipt,
        Optional<Hash> settings,
        SortedMap<String, Hash> manifests) {

    /// name of the file in the folder of the volume
    public static final String FILE = "varve-head.jsonl";

    static final int MAX_SIZE = 64 << 20;

    private static final String FORMAT = "varve-head-1";

    public Head {
        manifests = Collections.unmodifiableSortedMap(new TreeMap<>(manifests));
        if (generation < 1 || (generation == 1) != previous.isEmpty() || (receipts == 0) != receipt.isEmpty()) {
            throw new IllegalArgumentException("generation " + generation + " with " + (previous.isEmpty() ? "none" : "one") + " before it, "
                    + receipts + " receipts");
        }
    }

    /// {@return the hash by which the next head names this one}
    public Hash hash() {
        return hash(encode());
    }

    static Hash hash(byte[] text) {
        return new SubtreeHasher().whole(MemorySegment.ofArray(text));
    }

    /// {@return the text: one JSON object a line}
    public byte[] encode() {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        line(text, new Json.Members()
                .text("format", FORMAT)
                .text("vault", vault.toString())
                .text("volume", volume)
                .text("volumeId", volumeId.toString())
                .number("generation", generation)
                .text("previous", text(previous))
                .text("written", Manifest.text(written))
                .number("receipts", receipts)
                .text("receipt", text(receipt))
                .text("settings", text(settings))
                .number("manifests", manifests.size()));
        manifests.forEach((file, hash) -> line(text, new Json.Members().text("manifest", file).text("hash", hash.toString())));
        return text.toByteArray();
    }

    private static String text(Optional<Hash> hash) {
        return hash.map(Hash::toString).orElse(null);
    }

    private static void line(ByteArrayOutputStream text, Json json) {
        text.writeBytes(json.encode());
        text.write('\n');
    }

    /// {@return the head that a text is}
    /// @throws IllegalArgumentException if it is none, or not in the one form that a head has
    public static Head decode(byte[] text) {
        try {
            List<String> lines = new String(text, StandardCharsets.UTF_8).lines().toList();
            Json.Members first = lines.isEmpty() ? new Json.Members() : json(lines.getFirst());
            if (!first.has("format") || !first.text("format").equals(FORMAT)) {
                throw new IllegalArgumentException("does not begin with format \"" + FORMAT + "\"");
            }
            SortedMap<String, Hash> manifests = new TreeMap<>();
            for (String line : lines.subList(1, lines.size())) {
                Json.Members json = json(line);
                manifests.put(json.text("manifest"), Hash.parse(json.text("hash")));
            }
            Head head = new Head(
                    UUID.fromString(first.text("vault")),
                    first.text("volume"),
                    UUID.fromString(first.text("volumeId")),
                    first.number("generation"),
                    hash(first, "previous"),
                    Instant.parse(first.text("written")),
                    first.number("receipts"),
                    hash(first, "receipt"),
                    hash(first, "settings"),
                    manifests);
            if (!Arrays.equals(head.encode(), text)) {
                throw new IllegalArgumentException("not in the one form that a head has");
            }
            return head;
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private static Json.Members json(String line) {
        return Json.object(line.getBytes(StandardCharsets.UTF_8));
    }

    private static Optional<Hash> hash(Json.Members json, String name) {
        return Optional.ofNullable(json.optionalText(name)).map(Hash::parse);
    }

    /// {@return the head that follows this one, with other manifests}
    Head next(Instant now, long receipts, Optional<Hash> receipt, Optional<Hash> settings, Map<String, Hash> manifests) {
        return new Head(
                vault, volume, volumeId, generation + 1, Optional.of(hash()), now, receipts, receipt, settings, new TreeMap<>(manifests));
    }
}
