package varve.verify.audit;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import varve.archive.hash.Hash;
import varve.archive.vault.Depth;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;

/// Something that went wrong in a vault, and what became of it.
///
/// @param vault its identity
/// @param name what people call it
/// @param found when
/// @param by what was being done
/// @param receipt number of the receipt that says so
/// @param archive name of the data file that is damaged; empty if it is not about one
/// @param damaged which bytes of it
/// @param text what was said
/// @param end when all of it had been proved again or removed, or the same had been done without failure; empty if it is open
/// @param endedBy what did that
public record Incident(
        UUID vault, String name, Instant found, Receipt.What by, long receipt, Optional<String> archive, Ranges damaged, String text,
        Optional<Instant> end, Optional<Receipt.What> endedBy) {

    /// {@return what went wrong, as the receipts of a volume in a vault have it, the oldest first}
    ///
    /// @param receipts those of other vaults (a folder that was copied) say nothing
    static List<Incident> of(UUID vault, String name, List<Receipt> receipts) {
        Following following = new Following(vault, name);
        receipts.stream().filter(receipt -> receipt.act().vault().equals(vault)).forEach(following::take);
        return following.open.stream().map(Open::incident).toList();
    }

    /// An incident while receipts are followed.
    private static final class Open {
        final Optional<Receipt.Proof> proof;
        Incident incident;
        Ranges rest; // what was not proved again yet

        Open(Incident incident, Optional<Receipt.Proof> proof) {
            this.incident = incident;
            this.proof = proof;
            this.rest = incident.damaged;
        }

        Incident incident() {
            return incident;
        }

        boolean isOpen() {
            return incident.end.isEmpty();
        }

        boolean isOf(String archive, Hash hash) {
            return isOpen() && proof.filter(known -> known.archive().equals(archive) && known.fileHash().equals(hash)).isPresent();
        }

        void end(Receipt.Act act) {
            incident = new Incident(incident.vault, incident.name, incident.found, incident.by, incident.receipt, incident.archive, incident.damaged,
                    incident.text, Optional.of(act.finished()), Optional.of(act.what()));
        }
    }

    private static final class Following {
        private final UUID vault;
        private final String name;
        private final List<Open> open = new ArrayList<>();

        Following(UUID vault, String name) {
            this.vault = vault;
            this.name = name;
        }

        void take(Receipt receipt) {
            Receipt.Act act = receipt.act();
            boolean placed = false;
            for (Receipt.Proof proof : act.archives()) {
                if (act.what() == Receipt.What.EXPIRE || act.what() == Receipt.What.EVICT) {
                    open.stream().filter(known -> known.isOf(proof.archive(), proof.fileHash())).forEach(known -> known.end(act));
                } else {
                    mend(act, proof);
                    placed |= !proof.damaged().isEmpty();
                    damage(receipt, proof);
                }
            }
            if (act.result() == Receipt.Result.OK) {
                open.stream().filter(known -> known.isOpen() && known.proof.isEmpty() && shows(act.what(), known.incident.by)).forEach(known -> known.end(act));
            } else if (!placed) {
                String text = act.first().orElse(act.result().word());
                if (open.stream().noneMatch(known -> known.isOpen() && known.incident.by == act.what() && known.incident.text.equals(text))) {
                    open.add(new Open(incident(receipt, Optional.empty(), Ranges.NONE, text), Optional.empty()));
                }
            }
        }

        private void mend(Receipt.Act act, Receipt.Proof proof) {
            for (Open known : open) {
                Depth found = known.proof.flatMap(Receipt.Proof::depth).orElse(Depth.STRUCTURE);
                boolean deepEnough = proof.depth().filter(depth -> depth.includes(Depth.STORED) && depth.includes(found)).isPresent();
                if (act.what() != Receipt.What.RESTORE && deepEnough && known.isOf(proof.archive(), proof.fileHash())) {
                    known.rest = known.rest.minus(proof.proved());
                    if (known.rest.isEmpty()) {
                        known.end(act);
                    }
                }
            }
        }

        private void damage(Receipt receipt, Receipt.Proof proof) {
            Ranges known = Ranges.NONE;
            for (Open other : open) {
                known = other.isOf(proof.archive(), proof.fileHash()) ? known.plus(other.rest) : known;
            }
            Ranges news = proof.damaged().minus(known);
            if (!news.isEmpty()) {
                String text = receipt.act().first().filter(first -> first.contains(proof.archive())).orElse(proof.archive() + ": damaged");
                open.add(new Open(incident(receipt, Optional.of(proof.archive()), news, text), Optional.of(proof)));
            }
        }

        private Incident incident(Receipt receipt, Optional<String> archive, Ranges damaged, String text) {
            Receipt.Act act = receipt.act();
            return new Incident(vault, name, act.finished(), act.what(), receipt.sequence(), archive, damaged, text, Optional.empty(), Optional.empty());
        }

        /// whether success of one thing shows that what failed in another is over
        private static boolean shows(Receipt.What done, Receipt.What failed) {
            boolean proves = done == Receipt.What.VERIFY || done == Receipt.What.HEAL;
            return done == failed || proves && (failed == Receipt.What.VERIFY || failed == Receipt.What.HEAL || failed == Receipt.What.RESTORE);
        }
    }
}
