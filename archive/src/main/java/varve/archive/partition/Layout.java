package varve.archive.partition;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import varve.archive.block.BlockSource;
import varve.archive.partition.Signature.Role;

/// What lies where on a device.
///
/// @param scheme of its partition table
/// @param regions its partitions by offset; if there are none, the device as one
public record Layout(PartitionTable.Scheme scheme, List<Region> regions) {

    /// A partition, or the whole of a device that has none.
    ///
    /// @param partition nothing if it is the whole device
    /// @param size in bytes, as far as the device has them
    /// @param signatures what it says that it holds: several if something is left of what it held before, or if metadata lies behind
    public record Region(Optional<Partition> partition, long offset, long size, List<Signature> signatures) {

        /// {@return the file systems that it may hold}
        public List<Signature> fileSystems() {
            return signatures.stream().filter(signature -> signature.kind().role() == Role.FILE_SYSTEM).toList();
        }

        /// {@return what it holds, in words of blkid(8)}
        public String content() {
            return signatures.isEmpty() ? "unknown" : signatures.stream().map(signature -> signature.kind().word()).collect(Collectors.joining(" + "));
        }

        /// {@return how to say which one it is}
        public String name() {
            return partition.map(known -> "partition " + known.number()).orElse("the whole device");
        }
    }

    /// Reads the table of a device, and the first and last bytes of what it tells of.
    public static Layout of(BlockSource device) throws IOException {
        PartitionTable table = PartitionTable.read(device);
        List<Region> regions = new ArrayList<>();
        if (table.partitions().isEmpty()) {
            regions.add(region(device, Optional.empty(), 0, device.size()));
        }
        for (Partition partition : table.partitions()) {
            regions.add(region(device, Optional.of(partition), partition.offset(), partition.size()));
        }
        return new Layout(table.scheme(), List.copyOf(regions));
    }

    private static Region region(BlockSource device, Optional<Partition> partition, long offset, long size) throws IOException {
        long there = Math.clamp(device.size() - offset, 0, size);
        return new Region(partition, offset, there, Signature.of(device, Math.min(offset, device.size()), there));
    }
}
