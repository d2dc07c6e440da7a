package varve.archive.partition;

/// A partition of a device.
///
/// @param number as the kernel counts
/// @param name that it has in a GPT; may be empty
/// @param id that it has: a UUID in a GPT, made of the disk's and its number in an MBR, as Linux does (PARTUUID)
/// @param type what it is for, as a word or in the table's own terms
/// @param offset of its first byte
/// @param size in bytes
public record Partition(int number, String name, String id, String type, long offset, long size) {

    public long end() {
        return offset + size;
    }
}
