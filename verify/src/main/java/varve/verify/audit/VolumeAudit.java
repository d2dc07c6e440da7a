package varve.verify.audit;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import varve.archive.chain.Point;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;

/// What is known of one volume.
///
/// @param points with a manifest, the oldest first
/// @param incidents of the vaults at hand, the oldest first
/// @param chains one for each vault at hand that has the volume
/// @param problems manifests that cannot be believed
public record VolumeAudit(String volume, List<PointAudit> points, List<Incident> incidents, List<Chain> chains, List<IOException> problems) {

    /// A point in time.
    ///
    /// @param copies how many proved copies there are: any but one of the vaults may burn
    /// @param holdings one for each vault that holds any of its data
    public record PointAudit(Point point, int copies, List<Holding> holdings) {}

    /// What one vault holds of a point in time.
    ///
    /// @param vault its identity
    /// @param name what people call it
    /// @param counts whether its copies count: not if it is suspect or retired
    /// @param files data files that the point needs, in the vault
    /// @param missing data files that it needs, and the vault has not
    /// @param proof when the byte of them was last proved that was not for the longest time; empty if one never was
    /// @param depth the least to which they were
    /// @param evidence where the bytes came from
    /// @param unproved bytes that never were proved
    /// @param damaged bytes that were found damaged when they were last looked at
    public record Holding(
            UUID vault, String name, boolean atHand, boolean counts, int files, int missing, Optional<Instant> proof, Depth depth,
            Evidence evidence, long unproved, long damaged) {

        /// {@return whether the vault alone can give the point back, by all that was proved}
        public boolean proved() {
            return missing == 0 && proof.isPresent() && damaged == 0;
        }
    }

    /// The receipts of the volume in one vault.
    ///
    /// @param receipts that can be read
    /// @param problems where they are not as they were written
    public record Chain(UUID vault, String name, long receipts, Optional<Instant> first, Optional<Instant> last, List<IOException> problems) {}

    /// {@return whether each point has a proved copy, nothing that went wrong is open, and receipts are as they were written}
    public boolean clean() {
        return problems.isEmpty()
                && points.stream().allMatch(point -> point.copies() > 0)
                && incidents.stream().allMatch(incident -> incident.end().isPresent())
                && chains.stream().allMatch(chain -> chain.problems().isEmpty());
    }
}
