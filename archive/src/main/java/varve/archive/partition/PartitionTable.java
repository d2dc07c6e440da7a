package varve.archive.partition;

import java.io.IOException;
import java.util.List;
import varve.archive.block.BlockSource;

/// The partitions of a device, from its GPT (UEFI specification, section 5.3), the copy of that at the end, or its MBR.
///
/// @param scheme what they are from
/// @param partitions by offset
public record PartitionTable(Scheme scheme, List<Partition> partitions) {

    /// A kind of table.
    public enum Scheme {
        /// no table that can be believed, and so no partitions
        NONE("none"),
        GPT("GPT"),
        MBR("MBR");

        private final String word;

        Scheme(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }
    }

    /// {@return the table of a device}
    /// @throws IOException if it cannot be read
    public static PartitionTable read(BlockSource device) throws IOException {
        return new TableReader(device).read();
    }
}
