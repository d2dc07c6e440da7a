package varve.archive.vault;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import varve.archive.format.Manifest;
import varve.archive.hash.Hash;

/// What receipts say of the data files of one vault: which bytes were last proved when, how deep, and from where.
///
/// A later proof of some bytes takes the place of an earlier one, a failed one too. Receipts of another vault (a folder that was
/// copied) say nothing of these files, and nor do those of a time that is still to come: a clock was wrong.
public final class Proofs {

    /// what clocks of two hosts may differ
    private static final Duration SKEW = Duration.ofMinutes(5);

    private final UUID vault;
    private final Instant now;
    private final Depth least;
    private final Map<Identity, List<Piece>> pieces = new HashMap<>();

    private record Identity(String archive, Hash fileHash) {}

    /// Bytes of a data file with one fate.
    ///
    /// @param from position of the first byte
    /// @param to position behind the last
    /// @param time when they were last looked at; empty if that never was
    /// @param depth how deep; structure if never
    /// @param good whether they were right then
    public record Piece(long from, long to, Optional<Instant> time, Depth depth, Evidence evidence, boolean good) {

        public long size() {
            return to - from;
        }

        private Piece cut(long newFrom, long newTo) {
            return new Piece(newFrom, newTo, time, depth, evidence, good);
        }
    }

    /// A data file as a whole.
    ///
    /// @param time when the byte that was not looked at for the longest time was; empty if one never was
    /// @param depth the least
    /// @param evidence [Evidence#CACHE] if it is that of any byte
    /// @param proved bytes that were right when they were last looked at
    /// @param damaged bytes that were not
    public record Last(Optional<Instant> time, Depth depth, Evidence evidence, long proved, long damaged) {

        /// {@return whether every byte was right when it was last looked at}
        public boolean good() {
            return time.isPresent() && damaged == 0;
        }
    }

    /// @param vault whose files these are
    /// @param now proofs of a later time do not count
    /// @param least depth of proofs that count: stored or content
    public Proofs(UUID vault, Instant now, Depth least) {
        this.vault = vault;
        this.now = now;
        this.least = least;
    }

    /// {@return the proofs of a volume in a vault, at depth stored or more}
    public static Proofs of(UUID vault, List<Receipt> receipts, Instant now) {
        Proofs proofs = new Proofs(vault, now, Depth.STORED);
        receipts.forEach(receipt -> proofs.add(receipt.act()));
        return proofs;
    }

    /// Takes the next receipt.
    public void add(Receipt.Act act) {
        if (act.what().removes() && act.vault().equals(vault)) { // what comes back one day is another file
            act.archives().forEach(proof -> pieces.remove(new Identity(proof.archive(), proof.fileHash())));
        }
        boolean counts = act.what().provesBytes() && act.vault().equals(vault) && !act.started().isAfter(now.plus(SKEW));
        for (Receipt.Proof proof : counts ? act.archives() : List.<Receipt.Proof>of()) {
            if (!proof.proved().isEmpty() || !proof.damaged().isEmpty()) {
                Depth depth = proof.depth().orElse(Depth.STRUCTURE);
                // the bytes were read after the start: who says earlier claims nothing wrong
                Optional<Instant> time = Optional.of(act.started());
                Evidence evidence = act.evidence().orElse(Evidence.CACHE);
                List<Piece> known = pieces.computeIfAbsent(new Identity(proof.archive(), proof.fileHash()),
                        file -> new ArrayList<>(List.of(never(0, proof.fileSize()))));
                for (Ranges.Range range : proof.proved().list()) {
                    good(known, new Piece(range.from(), range.to(), time, depth, evidence, true));
                }
                for (Ranges.Range range : proof.damaged().list()) {
                    put(known, new Piece(range.from(), range.to(), time, depth, evidence, false));
                }
            }
        }
    }

    private void good(List<Piece> known, Piece piece) {
        if (piece.depth.includes(least)) {
            put(known, piece);
            return;
        }
        for (Piece old : List.copyOf(known)) { // not deep enough to count, but the damage is gone
            long from = Math.max(old.from, piece.from);
            long to = Math.min(old.to, piece.to);
            if (from < to && old.time.isPresent() && !old.good) {
                put(known, never(from, to));
            }
        }
    }

    private static Piece never(long from, long to) {
        return new Piece(from, to, Optional.empty(), Depth.STRUCTURE, Evidence.CACHE, false);
    }

    private static void put(List<Piece> known, Piece piece) {
        List<Piece> all = new ArrayList<>();
        boolean done = false;
        for (Piece old : known) {
            if (old.from < piece.from) {
                all.add(old.cut(old.from, Math.min(old.to, piece.from)));
            }
            if (!done && old.to > piece.from) {
                all.add(piece);
                done = true;
            }
            if (old.to > piece.to) {
                all.add(old.cut(Math.max(old.from, piece.to), old.to));
            }
        }
        known.clear();
        for (Piece next : all) {
            Piece last = known.isEmpty() ? null : known.getLast();
            if (last != null && last.to == next.from && last.cut(0, 1).equals(next.cut(0, 1))) {
                known.set(known.size() - 1, next.cut(last.from, next.to));
            } else {
                known.add(next);
            }
        }
    }

    /// {@return the whole of a data file, in pieces}
    public List<Piece> pieces(Manifest manifest) {
        List<Piece> known = pieces.get(new Identity(manifest.dataName(), manifest.file().hash()));
        return known == null || known.getLast().to != manifest.file().size()
                ? List.of(never(0, manifest.file().size()))
                : List.copyOf(known);
    }

    /// {@return how a data file was last found}
    public Last last(Manifest manifest) {
        Optional<Instant> oldest = Optional.of(Instant.MAX);
        Depth depth = Depth.CONTENT;
        Evidence evidence = Evidence.MEDIUM;
        long proved = 0;
        long damaged = 0;
        for (Piece piece : pieces(manifest)) {
            if (piece.time.isEmpty()) {
                oldest = Optional.empty();
            } else if (oldest.isPresent() && piece.time.get().isBefore(oldest.get())) {
                oldest = piece.time;
            }
            depth = piece.depth.includes(depth) ? depth : piece.depth;
            evidence = piece.evidence == Evidence.CACHE ? Evidence.CACHE : evidence;
            proved += piece.good ? piece.size() : 0;
            damaged += piece.time.isPresent() && !piece.good ? piece.size() : 0;
        }
        return new Last(oldest, depth, evidence, proved, damaged);
    }
}
