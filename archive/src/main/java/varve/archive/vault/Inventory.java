package varve.archive.vault;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import varve.archive.file.StoredArchive;
import varve.archive.format.Json;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.hash.GroupedHash;
import varve.archive.hash.Hash;

/// What a vault says of itself: which data files it holds and when each was last proved, and what it knows of other vaults.
/// FORMAT.md section 15.
///
/// A vault is the only author of its inventory and counts its versions, so of two that others have seen the one with the higher
/// generation is the newer, and merging what they have seen is to take that. It counts from the time at which it began: if the
/// inventory is lost and made again, by somebody who cannot know how far others have seen it count, then the new one is above
/// all of them.
///
/// @param vault whose it is
/// @param generation milliseconds since 1970 for the first, then one more each
/// @param written when
/// @param standing what the vault's marker says
/// @param keeper whether the vault removes nothing on the word of a vault that is not at hand, so that others may rely on it
/// @param others what is said here of other vaults, by id
/// @param stocks what it holds, by name of the volume
public record Inventory(
        UUID vault, long generation, Instant written, Standing standing, boolean keeper, List<Other> others, List<Stock> stocks) {

    /// most bytes that a reader takes
    public static final long MAX_SIZE = 128 << 20;

    private static final String FORMAT = "varve-inventory-1";
    private static final int MAX_LINE = 16 << 10;

    /// What is said of another vault.
    ///
    /// @param standing the newest that was said anywhere, as far as it is known here
    /// @param seen when it was last at hand together with this one
    /// @param folder where it was then
    public record Other(UUID vault, Standing standing, Optional<Instant> seen, Optional<String> folder) {}

    /// The data files of a volume in the vault.
    ///
    /// @param volume its name
    /// @param archives by number of their point in time
    /// @param head the newest signed head that was ever seen there; empty if the volume is not signed
    public record Stock(String volume, UUID volumeId, Optional<SeenHead> head, List<Held> archives) {

        public Stock(String volume, UUID volumeId, List<Held> archives) {
            this(volume, volumeId, Optional.empty(), archives);
        }

        Stock remembering(Optional<SeenHead> older) {
            boolean newer = older.isPresent() && head.map(it -> it.generation < older.get().generation).orElse(true);
            return newer ? new Stock(volume, volumeId, older, archives) : this;
        }
    }

    /// Which head a vault had of a volume.
    public record SeenHead(long generation, Hash hash, Instant written) {
        static SeenHead of(Head head) {
            return new SeenHead(head.generation(), head.hash(), head.written());
        }
    }

    /// What makes a data file one and the same in several vaults. (Content alone does not: a device that comes back to an old state the
    /// same way gives the same bytes again.)
    ///
    /// @param archive base name
    public record DataFile(String archive, Hash hash) {

        public static DataFile of(StoredArchive archive) {
            return new DataFile(archive.manifest().baseName(), archive.manifest().file().hash());
        }
    }

    /// A data file in the vault.
    ///
    /// @param archive base name
    /// @param sequence number of its point in time
    /// @param proof how it was last found; empty if that was never looked at as a whole
    public record Held(String archive, Hash fileHash, long fileSize, Kind kind, long sequence, Optional<Proof> proof) {

        public DataFile file() {
            return new DataFile(archive, fileHash);
        }

        /// {@return whether it counts as a copy: every byte was right when it was last looked at}
        public boolean proved() {
            return proof.filter(Proof::good).isPresent();
        }
    }

    /// How a data file was last found.
    ///
    /// @param time when the byte that was not looked at for the longest time was
    /// @param good whether all of them were right
    public record Proof(Instant time, Depth depth, Evidence evidence, boolean good) {}

    public Inventory {
        if (generation < 1) {
            throw new IllegalArgumentException("generation " + generation);
        }
        others = others.stream().sorted(Comparator.comparing(other -> other.vault().toString())).toList();
        stocks = stocks.stream().sorted(Comparator.comparing(Stock::volume)).toList();
        requireDistinct(others, Other::vault);
        requireDistinct(stocks, Stock::volume);
    }

    private static <T> void requireDistinct(List<T> list, Function<T, Object> key) {
        if (list.stream().map(key).distinct().count() != list.size()) {
            throw new IllegalArgumentException("said twice");
        }
    }

    /// {@return what it says of a volume}
    public Optional<Stock> stock(String volume) {
        return stocks.stream().filter(stock -> stock.volume.equals(volume)).findFirst();
    }

    /// {@return whether another says the same, whenever it was written}
    boolean saysAs(Inventory other) {
        return vault.equals(other.vault)
                && standing.equals(other.standing)
                && keeper == other.keeper
                && others.equals(other.others)
                && stocks.equals(other.stocks);
    }

    // ---- the text

    /// {@return the text: one JSON object a line, the last with the hash of all lines before it}
    public byte[] encode() {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        line(text, standing(new Json.Members()
                .text("format", FORMAT)
                .text("vault", vault.toString())
                .number("generation", generation)
                .text("written", Manifest.text(written))
                .number("keeper", keeper ? 1 : 0), standing));
        for (Other other : others) {
            line(text, standing(new Json.Members().text("other", other.vault.toString()), other.standing)
                    .text("seen", other.seen.map(Manifest::text).orElse(null))
                    .text("folder", other.folder.orElse(null)));
        }
        for (Stock stock : stocks) {
            Json.Members json = new Json.Members().text("volume", stock.volume).text("volumeId", stock.volumeId.toString());
            stock.head.ifPresent(head -> json.number("headGeneration", head.generation).text("head", head.hash.toString())
                    .text("headWritten", Manifest.text(head.written)));
            line(text, json);
            stock.archives.forEach(held -> line(text, encode(held)));
        }
        GroupedHash hash = new GroupedHash(20, group -> {});
        hash.update(MemorySegment.ofArray(text.toByteArray()));
        line(text, new Json.Members().text("check", hash.root().toString()));
        return text.toByteArray();
    }

    private static Json.Members standing(Json.Members json, Standing standing) {
        return json.text("label", standing.label().orElse(null))
                .text("place", standing.place().orElse(null))
                .text("state", standing.state().word())
                .number("revision", standing.revision());
    }

    private static Json.Members encode(Held held) {
        return new Json.Members()
                .text("archive", held.archive)
                .text("fileHash", held.fileHash.toString())
                .number("fileSize", held.fileSize)
                .text("kind", held.kind.word())
                .number("sequence", held.sequence)
                .text("proved", held.proof.map(Proof::time).map(Manifest::text).orElse(null))
                .text("depth", held.proof.map(Proof::depth).map(Depth::word).orElse(null))
                .text("evidence", held.proof.map(Proof::evidence).map(Evidence::word).orElse(null))
                .text("result", held.proof.map(proof -> proof.good ? "ok" : "damaged").orElse(null));
    }

    private static void line(ByteArrayOutputStream text, Json json) {
        text.writeBytes(json.encode());
        text.write('\n');
    }

    /// {@return the inventory that a text is}
    /// @throws IllegalArgumentException if it is none, is damaged, or not in the one form that an inventory has
    public static Inventory decode(byte[] text) {
        try {
            Inventory inventory = new Reader(text).read();
            if (!Arrays.equals(inventory.encode(), text)) {
                throw new IllegalArgumentException("not in the one form that an inventory has, or its last line is not the hash of those before it");
            }
            return inventory;
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /// Takes the lines of a text, each by its first member.
    private static final class Reader {

        private final InputStream in;
        private final List<Other> others = new ArrayList<>();
        private final List<Stock> stocks = new ArrayList<>();
        private int number;

        Reader(byte[] text) {
            in = new BufferedInputStream(new ByteArrayInputStream(text));
        }

        Inventory read() {
            Json.Members head = line();
            if (head == null || !FORMAT.equals(head.text("format"))) {
                throw new IllegalArgumentException("does not begin with format \"" + FORMAT + "\"");
            }
            List<Held> archives = new ArrayList<>();
            for (Json.Members json = line(); json != null && !json.has("check"); json = line()) {
                if (json.has("archive")) {
                    archives.add(held(json));
                } else if (json.has("volume")) {
                    archives = new ArrayList<>();
                    stocks.add(new Stock(json.text("volume"), UUID.fromString(json.text("volumeId")), head(json), archives));
                } else {
                    others.add(new Other(UUID.fromString(json.text("other")), standing(json), time(json, "seen"),
                            Optional.ofNullable(json.optionalText("folder"))));
                }
            }
            return new Inventory(
                    UUID.fromString(head.text("vault")),
                    head.number("generation"),
                    Instant.parse(head.text("written")),
                    standing(head),
                    head.number("keeper") == 1,
                    others,
                    stocks);
        }

        private static Standing standing(Json.Members json) {
            return new Standing(
                    Optional.ofNullable(json.optionalText("label")),
                    Optional.ofNullable(json.optionalText("place")),
                    Standing.State.of(json.text("state")),
                    json.number("revision"));
        }

        private static Optional<SeenHead> head(Json.Members json) {
            return json.has("head")
                    ? Optional.of(new SeenHead(json.number("headGeneration"), Hash.parse(json.text("head")), Instant.parse(json.text("headWritten"))))
                    : Optional.empty();
        }

        private static Held held(Json.Members json) {
            Optional<Proof> proof = time(json, "proved").map(time -> new Proof(
                    time,
                    word(Depth.values(), Depth::word, json.text("depth")),
                    word(Evidence.values(), Evidence::word, json.text("evidence")),
                    json.text("result").equals("ok")));
            return new Held(
                    json.text("archive"),
                    Hash.parse(json.text("fileHash")),
                    json.number("fileSize"),
                    word(Kind.values(), Kind::word, json.text("kind")),
                    json.number("sequence"),
                    proof);
        }

        private static Optional<Instant> time(Json.Members json, String name) {
            return Optional.ofNullable(json.optionalText(name)).map(Instant::parse);
        }

        private static <E> E word(E[] values, Function<E, String> name, String word) {
            return Arrays.stream(values)
                    .filter(value -> name.apply(value).equals(word))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("unknown word \"" + word + "\""));
        }

        private Json.@Nullable Members line() {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            number++;
            try {
                for (int c = in.read(); c >= 0; c = in.read()) {
                    if (c == '\n') {
                        return Json.object(line.toByteArray());
                    }
                    if (line.size() == MAX_LINE) {
                        throw new IllegalArgumentException("longer than " + MAX_LINE + " bytes");
                    }
                    line.write(c);
                }
                return null;
            } catch (IOException e) {
                throw new IllegalStateException(e); // of memory
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("line " + number + ": " + e.getMessage(), e);
            }
        }
    }
}
