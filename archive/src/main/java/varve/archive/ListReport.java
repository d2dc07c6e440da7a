package varve.archive;

import java.time.Instant;
import java.util.OptionalLong;

/// What came of a change list.
///
/// @param list kind and file
/// @param listedSize bytes of the device that it names, with those that changed between its start and the parent
/// @param outside bytes that it names past the end of the device
/// @param drawn chunks drawn at random and compared
/// @param undetected share of chunks that, had they held changes which the list keeps back, would have been found with a
/// probability of 99 %
/// @param striped chunks of the rotating stripe that were compared
/// @param chunks of the device that the audit goes around
/// @param aroundBy when the stripe will have been everywhere, if runs go on
/// @param auditedSize bytes that were read for the audit
/// @param wrong offset of the first block that differs although the list calls it unchanged; then the list was not used
public record ListReport(
        String list,
        long listedSize,
        long outside,
        long drawn,
        double undetected,
        long striped,
        long chunks,
        Instant aroundBy,
        long auditedSize,
        OptionalLong wrong) {

    /// {@return whether the list was believed}
    public boolean believed() {
        return wrong.isEmpty();
    }
}
