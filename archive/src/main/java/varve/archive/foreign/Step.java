package varve.archive.foreign;

import java.util.List;
import java.util.Optional;

/// One step of a patch: it leads from one state of a device to another.
///
/// @param from what the patch calls the state that it starts from
/// @param fromNothing whether it starts from a device of zeros
/// @param to what the patch calls the state that it leads to
/// @param checksum of the device after it
/// @param notes what else is to be told
public record Step(Optional<String> from, boolean fromNothing, Optional<String> to, Optional<Checksum> checksum, List<String> notes) {

    static Step plain(List<String> notes) {
        return new Step(Optional.empty(), false, Optional.empty(), Optional.empty(), notes);
    }
}
