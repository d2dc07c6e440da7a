package varve.verify.source;

/// A partition of a device.
///
/// @param number as the kernel counts
/// @param name that it has in a GPT; may be empty
/// @param type what it is for, as a word or in the table's own terms
/// @param offset of its first byte
/// @param size in bytes
public record Partition(int number, String name, String type, long offset, long size) {

    public long end() {
        return offset + size;
    }
}
