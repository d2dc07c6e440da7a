package varve.verify;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import varve.archive.chain.History;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.archive.vault.Depth;
import varve.archive.vault.Proofs;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;

/// How long ago each byte of data files in a vault was proved, as the receipts there say.
///
/// It is derived from the files that are there and from the receipts, and nothing else is kept: a byte that no receipt speaks of was
/// never proved. What was *looked at* is more than what was proved: the bytes that were found damaged, and those that could not be
/// proved so deep because of damage elsewhere.
///
/// @param stretches the whole of each data file, in pieces
public record Coverage(List<Stretch> stretches) {

    public static final Coverage NONE = new Coverage(List.of());

    /// Bytes of one data file with one past.
    ///
    /// @param archive whose data file it is
    /// @param depth that counts: less than was asked for, where what the archive applies to is not at hand
    /// @param proved when these bytes were last proved; empty if that never was, or if they were found damaged since
    /// @param damaged when they were found damaged, if that is the newest that is known
    /// @param looked when somebody last tried
    public record Stretch(
            StoredArchive archive, Ranges.Range range, Depth depth, Optional<Instant> proved, Optional<Instant> damaged,
            Optional<Instant> looked) {

        public long size() {
            return range.size();
        }
    }

    public Coverage {
        stretches = List.copyOf(stretches);
    }

    /// {@return the coverage of a volume in a vault}
    ///
    /// @param archives whose data files are in the vault
    /// @param history of the volume, as far as it is at hand
    /// @param receipts of the volume in the vault
    /// @param now receipts of a later time do not count
    /// @param depth that counts: stored or content
    public static Coverage of(
            UUID vault, List<StoredArchive> archives, History history, List<Receipt> receipts, Instant now, Depth depth) {
        boolean content = depth.includes(Depth.CONTENT);
        Past stored = new Past(vault, receipts, now, Depth.STORED);
        Past deep = content ? new Past(vault, receipts, now, Depth.CONTENT) : stored;
        Set<State> reached = content ? history.reached(StoredArchive::dataAtHand) : Set.of();
        List<Stretch> stretches = new ArrayList<>();
        for (StoredArchive archive : archives) {
            Manifest manifest = archive.manifest();
            boolean decodable = manifest.unchanged() || manifest.parent().equals(State.NOTHING) || reached.contains(manifest.parent());
            (decodable ? deep : stored).stretches(archive, stretches);
        }
        return new Coverage(stretches);
    }

    /// What receipts say as to one depth.
    private static final class Past {

        private final Depth depth;
        private final Proofs proofs;
        private final Proofs looks;

        Past(UUID vault, List<Receipt> receipts, Instant now, Depth depth) {
            this.depth = depth;
            this.proofs = new Proofs(vault, now, depth);
            this.looks = new Proofs(vault, now, Depth.STRUCTURE);
            for (Receipt receipt : receipts) {
                Receipt.Act act = receipt.act();
                proofs.add(act);
                if (act.what() == Receipt.What.EXPIRE || act.what() == Receipt.What.EVICT
                        || act.depth().filter(tried -> tried.includes(depth)).isPresent()) {
                    looks.add(act);
                }
            }
        }

        void stretches(StoredArchive archive, List<Stretch> to) {
            List<Proofs.Piece> proved = proofs.pieces(archive.manifest());
            List<Proofs.Piece> looked = looks.pieces(archive.manifest());
            long at = 0;
            for (int p = 0, l = 0; p < proved.size() && l < looked.size(); ) {
                Proofs.Piece proof = proved.get(p);
                Proofs.Piece look = looked.get(l);
                long end = Math.min(proof.to(), look.to());
                if (at < end) { // a manifest may speak of a file without bytes
                    to.add(new Stretch(
                            archive,
                            new Ranges.Range(at, end),
                            depth,
                            proof.time().filter(time -> proof.good()),
                            proof.time().filter(time -> !proof.good()),
                            look.time()));
                }
                p += proof.to() == end ? 1 : 0;
                l += look.to() == end ? 1 : 0;
                at = end;
            }
        }
    }

    public Coverage plus(Coverage other) {
        return new Coverage(Stream.concat(stretches.stream(), other.stretches.stream()).toList());
    }

    /// {@return bytes of all data files}
    public long size() {
        return sum(Stretch::size);
    }

    /// {@return bytes that were proved, and not found damaged since}
    public long proved() {
        return sum(stretch -> stretch.proved.isPresent() ? stretch.size() : 0);
    }

    /// {@return bytes that were found damaged when they were last looked at}
    public long damaged() {
        return sum(stretch -> stretch.damaged.isPresent() ? stretch.size() : 0);
    }

    /// {@return bytes that never were proved}
    public long never() {
        return size() - proved() - damaged();
    }

    /// {@return bytes that count although they are proved less deep than was asked for, as no path of data files at hand leads to what
    /// they apply to}
    public long lessDeepThan(Depth depth) {
        return sum(stretch -> stretch.depth.includes(depth) ? 0 : stretch.size());
    }

    /// {@return when the byte was proved that was not proved for the longest time}
    public Optional<Instant> oldest() {
        return stretches.stream().flatMap(stretch -> stretch.proved.stream()).min(Comparator.naturalOrder());
    }

    /// {@return the bytes that were not looked at since a time, those first that were not for the longest time}
    ///
    /// @param since empty if all of them are wanted
    public List<Stretch> due(Optional<Instant> since) {
        return stretches.stream()
                .filter(stretch -> since.isEmpty() || stretch.looked.isEmpty() || stretch.looked.get().isBefore(since.get()))
                .sorted(Comparator.comparing(stretch -> stretch.looked.orElse(Instant.MIN)))
                .toList();
    }

    private long sum(ToLongFunction<Stretch> bytes) {
        return stretches.stream().mapToLong(bytes).sum();
    }
}
