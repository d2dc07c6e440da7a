package varve.archive.snapshot;

/// A snapshot that varve has taken.
///
/// @param origin what it is of, as on the command line: `lvm:VG/LV`
/// @param name its own, never given twice
/// @param owner for whom it was taken
/// @param sound whether it can be read and compared with; not if it overflowed
public record Snapshot(String origin, String name, Owner owner, boolean sound) {

    /// {@return what the manifest calls the source of a point that was made from it}
    @Override
    public String toString() {
        return origin + "@" + name;
    }
}
