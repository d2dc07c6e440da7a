package varve.archive.foreign;

import java.util.Optional;
import java.util.OptionalLong;
import varve.archive.ArchiveOptions;
import varve.archive.vault.PointName;

/// How to import.
///
/// @param form of the file; found out if it is not said
/// @param parent the point that a patch is applied to, in whatever volume
/// @param size of the image, if it is known
/// @param archive how to record it
public record ImportOptions(Optional<Form> form, Optional<PointName> parent, OptionalLong size, ArchiveOptions archive) {}
