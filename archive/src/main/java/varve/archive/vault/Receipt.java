package varve.archive.vault;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import varve.archive.format.CorruptException;
import varve.archive.format.Json;
import varve.archive.format.Manifest;
import varve.archive.format.Rule;
import varve.archive.format.UnsupportedException;
import varve.archive.format.Version;
import varve.archive.hash.Hash;

/// The record of one thing that was done to archives of a volume in a vault, and of what it proved: FORMAT.md section 13. It
/// is one line of text in exactly one form, and names the line before it by its hash.
///
/// @param sequence 1 for the first receipt, then one more each
/// @param previous hash of the line before this, without its end
/// @param note what its writer came upon in the file
/// @param act what was done
public record Receipt(long sequence, Optional<Hash> previous, Optional<String> note, Act act) {

    /// most bytes of a line, its end included: FORMAT.md F044
    static final int MAX_LINE = 1 << 20;

    /// most ranges of one kind of one archive: FORMAT.md F044
    static final int MAX_RANGES = 256;

    private static final String FORMAT = "varve-receipt-1";
    private static final int MAX_TEXT = 1000;
    private static final int MAX_OPEN = 20;

    /// What was done.
    public enum What {
        ARCHIVE("archive"),
        VERIFY("verify"),
        RESTORE("restore"),
        COPY("copy"),
        CONSOLIDATE("consolidate"),
        HEAL("heal"),
        EXPIRE("expire"),
        EVICT("evict");

        private final String word;

        What(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }

        /// {@return whether it takes data files away}
        boolean removes() {
            return this == EXPIRE || this == EVICT;
        }

        /// {@return whether its proofs are of every byte of the ranges that it names, by their own hashes} A restore proves
        /// what frames decode to, and removing proves nothing.
        boolean provesBytes() {
            return switch (this) {
                case ARCHIVE, VERIFY, COPY, CONSOLIDATE, HEAL -> true;
                case RESTORE, EXPIRE, EVICT -> false;
            };
        }
    }

    /// How it ended.
    public enum Result {
        /// As it should, and nothing is wrong.
        OK("ok"),
        /// Something is damaged, missing, or differs.
        DAMAGED("damaged"),
        /// It could not be done.
        FAILED("failed");

        private final String word;

        Result(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }
    }

    /// What was done to archives, and what it proved of them.
    ///
    /// @param vault whose data files these are
    /// @param about what was asked for: a point, a source, a target
    /// @param started whole milliseconds, by the clock of the host, which may have been set meanwhile
    /// @param took by a clock that is not set
    /// @param depth as asked for; empty if nothing was to be proved
    /// @param evidence where the bytes came from; empty likewise
    /// @param findings how many there were
    /// @param first what the first of them says, or why it failed
    /// @param notCovered what was not proved
    public record Act(
            What what,
            UUID vault,
            String volume,
            String about,
            Instant started,
            Instant finished,
            Duration took,
            String host,
            String tool,
            Optional<Depth> depth,
            Optional<Evidence> evidence,
            Result result,
            List<Proof> archives,
            long findings,
            Optional<String> first,
            List<String> notCovered) {

        public Act {
            if (!Manifest.isVolumeName(volume) || took.isNegative() || findings < 0) {
                throw new IllegalArgumentException("volume \"" + volume + "\", " + took + ", " + findings + " findings");
            }
            about = clean(about);
            host = clean(host);
            tool = clean(tool);
            started = started.truncatedTo(ChronoUnit.MILLIS);
            finished = finished.truncatedTo(ChronoUnit.MILLIS);
            took = took.truncatedTo(ChronoUnit.MILLIS);
            first = first.map(Act::clean);
            archives = List.copyOf(archives);
            notCovered = notCovered.stream().limit(MAX_OPEN).map(Act::clean).toList();
        }

        private static String clean(String text) {
            String brief = text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT);
            return new String(brief.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
        }

        Act with(List<Proof> others) {
            return new Act(what, vault, volume, about, started, finished, took, host, tool, depth, evidence, result, others,
                    findings, first, notCovered);
        }
    }

    /// What was proved of one archive, or done to it.
    ///
    /// @param archive name of the data file
    /// @param fileHash of the data file, as the manifest says
    /// @param fileSize likewise
    /// @param depth that was reached in the ranges
    /// @param proved bytes of the data file that were read and are right
    /// @param damaged bytes that are not right, or cannot be read
    public record Proof(
            String archive, Hash fileHash, long fileSize, Optional<Depth> depth, Result result, Ranges proved, Ranges damaged) {

        public Proof {
            proved = proved.longest(MAX_RANGES);
            damaged = damaged.covering(MAX_RANGES);
            if (archive.isEmpty() || archive.length() > 200 || Math.max(proved.end(), damaged.end()) > fileSize
                    || !proved.and(damaged).isEmpty() || result == Result.OK && !damaged.isEmpty()) {
                throw new IllegalArgumentException("ranges of " + archive);
            }
        }

        /// {@return what was found of an archive} Damage that has no place is everywhere.
        public static Proof of(Manifest manifest, Depth depth, Result result, Ranges proved, Ranges damaged) {
            long size = manifest.file().size();
            Ranges bad = result == Result.DAMAGED && damaged.isEmpty() ? Ranges.of(0, size) : damaged.covering(MAX_RANGES);
            return new Proof(
                    name(manifest), manifest.file().hash(), size, Optional.of(depth), result, proved.minus(bad), bad);
        }

        /// {@return an archive of which every byte was proved}
        public static Proof whole(Manifest manifest, Depth depth) {
            return of(manifest, depth, Result.OK, Ranges.of(0, manifest.file().size()), Ranges.NONE);
        }

        /// {@return an archive that something was done to that proves nothing}
        public static Proof none(Manifest manifest) {
            return new Proof(name(manifest), manifest.file().hash(), manifest.file().size(), Optional.empty(), Result.OK,
                    Ranges.NONE, Ranges.NONE);
        }

        private static String name(Manifest manifest) {
            return manifest.dataName();
        }
    }

    /// A receipt in the making: a task that has begun.
    public static final class Draft {

        private final What what;
        private final UUID vault;
        private final String volume;
        private final String about;
        private final InstantSource clock;
        private final Instant started;
        private final long start = System.nanoTime();

        private Draft(What what, UUID vault, String volume, String about, InstantSource clock) {
            this.what = what;
            this.vault = vault;
            this.volume = volume;
            this.about = about;
            this.clock = clock;
            this.started = clock.instant();
        }

        /// {@return what was done, ended now}
        public Act act(Depth depth, Evidence evidence, Result result, List<Proof> archives, List<String> findings,
                List<String> notCovered) {
            return act(Optional.of(depth), Optional.of(evidence), result, archives, findings.size(),
                    findings.stream().findFirst(), notCovered);
        }

        /// {@return what was done without proving anything, ended now}
        public Act act(List<Proof> archives) {
            return act(Optional.empty(), Optional.empty(), Result.OK, archives, 0, Optional.empty(), List.of());
        }

        /// {@return what could not be done}
        public Act failed(Throwable why) {
            Result result = why instanceof CorruptException ? Result.DAMAGED : Result.FAILED;
            return act(Optional.empty(), Optional.empty(), result, List.of(), 1,
                    Optional.of(why.getMessage() == null ? why.toString() : why.getMessage()), List.of());
        }

        private Act act(Optional<Depth> depth, Optional<Evidence> evidence, Result result, List<Proof> archives, long findings,
                Optional<String> first, List<String> notCovered) {
            return new Act(what, vault, volume, about, started, clock.instant(), Duration.ofNanos(System.nanoTime() - start),
                    hostName(), Version.TOOL, depth, evidence, result, archives, findings, first, notCovered);
        }
    }

    public Receipt {
        if (sequence < 1) {
            throw new IllegalArgumentException("sequence " + sequence);
        }
        note = note.map(Act::clean);
    }

    /// Begins a task.
    ///
    /// @param volume its name
    /// @param about what was asked for
    public static Draft begin(What what, Vault vault, String volume, String about, InstantSource clock) {
        return new Draft(what, vault.id(), volume, about, clock);
    }

    /// {@return what manifests and receipts call this machine}
    public static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }

    /// {@return the line, without its end}
    byte[] encode() {
        return new Json.Members()
                .text("format", FORMAT)
                .number("sequence", sequence)
                .text("previous", previous.map(Hash::toString).orElse(null))
                .text("note", note.orElse(null))
                .text("what", act.what.word)
                .text("vault", act.vault.toString())
                .text("volume", act.volume)
                .text("about", act.about)
                .text("started", Manifest.text(act.started))
                .text("finished", Manifest.text(act.finished))
                .number("milliseconds", act.took.toMillis())
                .text("host", act.host)
                .text("tool", act.tool)
                .text("depth", act.depth.map(Depth::word).orElse(null))
                .text("evidence", act.evidence.map(Evidence::word).orElse(null))
                .text("result", act.result.word)
                .array("archives", act.archives.stream().map(Receipt::encode).toList())
                .number("findings", act.findings)
                .text("first", act.first.orElse(null))
                .array("notCovered", act.notCovered.stream().map(Json.Text::new).toList())
                .encode();
    }

    private static Json encode(Proof proof) {
        return new Json.Members()
                .text("archive", proof.archive)
                .text("fileHash", proof.fileHash.toString())
                .number("fileSize", proof.fileSize)
                .text("depth", proof.depth.map(Depth::word).orElse(null))
                .text("result", proof.result.word)
                .array("proved", encode(proof.proved))
                .array("damaged", encode(proof.damaged));
    }

    private static List<Json> encode(Ranges ranges) {
        return ranges.list().stream()
                .<Json>map(range -> new Json.Array(List.of(new Json.Number(range.from()), new Json.Number(range.to()))))
                .toList();
    }

    /// {@return the receipt that a line is}
    /// @param where file and line for messages
    /// @throws CorruptException F044
    /// @throws UnsupportedException if a later version wrote it
    static Receipt decode(byte[] line, String where) throws CorruptException, UnsupportedException {
        Receipt receipt;
        try {
            Json.Members json = Json.object(line);
            String format = json.text("format");
            if (format.startsWith("varve-receipt-") && !FORMAT.equals(format)) {
                throw new UnsupportedException(where + ": format \"" + format + "\", this varve reads \"" + FORMAT + "\"");
            }
            if (!Arrays.equals(json.encode(), line)) {
                throw new IllegalArgumentException("not in the one form that a receipt has");
            }
            String what = json.text("what");
            if (Arrays.stream(What.values()).noneMatch(known -> known.word.equals(what))) {
                throw new UnsupportedException(where + ": a receipt of \"" + what + "\", which this varve does not know");
            }
            receipt = read(json);
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new CorruptException(Rule.F044, where, String.valueOf(e.getMessage()));
        }
        if (!Arrays.equals(receipt.encode(), line)) {
            throw new CorruptException(Rule.F044, where, "other members or values than a receipt has, or in another order");
        }
        return receipt;
    }

    private static Receipt read(Json.Members json) {
        Act act = new Act(
                word(What.values(), What::word, json.text("what")),
                UUID.fromString(json.text("vault")),
                json.text("volume"),
                json.text("about"),
                Instant.parse(json.text("started")),
                Instant.parse(json.text("finished")),
                Duration.ofMillis(json.number("milliseconds")),
                json.text("host"),
                json.text("tool"),
                optional(Depth.values(), Depth::word, json.optionalText("depth")),
                optional(Evidence.values(), Evidence::word, json.optionalText("evidence")),
                word(Result.values(), Result::word, json.text("result")),
                json.array("archives").stream().map(Receipt::proof).toList(),
                json.number("findings"),
                Optional.ofNullable(json.optionalText("first")),
                json.array("notCovered").stream().map(Receipt::text).toList());
        return new Receipt(
                json.number("sequence"),
                Optional.ofNullable(json.optionalText("previous")).map(Hash::parse),
                Optional.ofNullable(json.optionalText("note")),
                act);
    }

    private static Proof proof(Json element) {
        if (!(element instanceof Json.Members json)) {
            throw new IllegalArgumentException("an archive that is no object");
        }
        return new Proof(
                json.text("archive"),
                Hash.parse(json.text("fileHash")),
                json.number("fileSize"),
                optional(Depth.values(), Depth::word, json.optionalText("depth")),
                word(Result.values(), Result::word, json.text("result")),
                ranges(json.array("proved")),
                ranges(json.array("damaged")));
    }

    private static Ranges ranges(List<? extends Json> elements) {
        List<Ranges.Range> list = new ArrayList<>();
        for (Json element : elements) {
            if (!(element instanceof Json.Array(List<? extends Json> pair)) || pair.size() != 2
                    || !(pair.get(0) instanceof Json.Number(long from)) || !(pair.get(1) instanceof Json.Number(long to))) {
                throw new IllegalArgumentException("a range that is no pair of integers");
            }
            list.add(new Ranges.Range(from, to));
        }
        return new Ranges(list);
    }

    private static String text(Json element) {
        return element instanceof Json.Text(String value) ? value : wrong("no text in \"notCovered\"");
    }

    private static <E> Optional<E> optional(E[] values, Function<E, String> name, @Nullable String word) {
        return word == null ? Optional.empty() : Optional.of(word(values, name, word));
    }

    private static <E> E word(E[] values, Function<E, String> name, String word) {
        return Arrays.stream(values)
                .filter(value -> name.apply(value).equals(word))
                .findFirst()
                .orElseGet(() -> wrong("unknown word \"" + word + "\""));
    }

    private static <T> T wrong(String what) {
        throw new IllegalArgumentException(what);
    }
}
