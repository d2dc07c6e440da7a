package varve.archive;

import java.util.List;
import java.util.Optional;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.format.Kind;

/// What a consolidation will do, found out from the tables alone.
///
/// @param from the point that the new delta applies to; empty for a full
/// @param to the point that the new archive leads to
/// @param archives that are folded, the oldest first; none if nothing has to be done
/// @param present an archive that does already what the new one would
/// @param readSize bytes of the data files that are read
/// @param movedFrames that are taken as they are
/// @param movedSize bytes of them
/// @param packedSize bytes that are decompressed, put together anew and compressed
/// @param payloadSize bytes of the device that the new archive holds and that are not zero
/// @param storedSize bytes that the new archive takes, index included; an estimate
public record ConsolidationPlan(
        Optional<Point> from,
        Point to,
        List<StoredArchive> archives,
        Optional<StoredArchive> present,
        long readSize,
        long movedFrames,
        long movedSize,
        long packedSize,
        long payloadSize,
        long storedSize) {

    public Kind kind() {
        return from.isPresent() ? Kind.DELTA : Kind.FULL;
    }

    /// {@return whether there is nothing to do: the archive is there, or the points share a state}
    public boolean idle() {
        return archives.isEmpty();
    }

    /// {@return bytes that are moved or packed, of which progress tells}
    public long work() {
        return movedSize + packedSize;
    }
}
