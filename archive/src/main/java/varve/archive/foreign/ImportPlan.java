package varve.archive.foreign;

import java.util.List;
import java.util.Optional;
import varve.archive.Archiver;
import varve.archive.format.Manifest;

/// What the import of a patch would do.
///
/// @param file the patch
/// @param parent the point that it is applied to; empty if it starts from nothing
/// @param steps that the patch has
/// @param done how many of them an interrupted import of the same file has recorded
/// @param records pieces of data and zeros
/// @param dataSize bytes of data
/// @param zeroSize bytes of zeros
/// @param outcome of the last step, relative to the latest point
/// @param checksum what came of the one in the patch
/// @param notes what else is to be told of it
public record ImportPlan(
        String file,
        Form form,
        Optional<Manifest> parent,
        List<Step> steps,
        int done,
        long records,
        long dataSize,
        long zeroSize,
        Archiver.Outcome outcome,
        Optional<String> checksum,
        List<String> notes) {}
