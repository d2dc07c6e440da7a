package varve.archive.partition;

import java.io.IOException;
import java.util.List;
import varve.archive.block.BlockSource;

/// What a part of a device says of itself by a magic number.
///
/// @param kind what it is
/// @param label that people gave it; may be empty
/// @param uuid as Linux writes it; may be empty
public record Signature(Kind kind, String label, String uuid) {

    /// What a kind of content is good for.
    public enum Role {
        /// can be mounted
        FILE_SYSTEM,
        /// holds something else, which takes other tools to get at
        CONTAINER,
        /// nobody's data for long
        SWAP,
        /// says something about the file system that lies before it
        METADATA
    }

    /// Kinds, by the names that blkid(8) has for them.
    public enum Kind {
        EXT2("ext2", Role.FILE_SYSTEM),
        EXT3("ext3", Role.FILE_SYSTEM),
        EXT4("ext4", Role.FILE_SYSTEM),
        XFS("xfs", Role.FILE_SYSTEM),
        BTRFS("btrfs", Role.FILE_SYSTEM),
        F2FS("f2fs", Role.FILE_SYSTEM),
        VFAT("vfat", Role.FILE_SYSTEM),
        EXFAT("exfat", Role.FILE_SYSTEM),
        NTFS("ntfs", Role.FILE_SYSTEM),
        ISO9660("iso9660", Role.FILE_SYSTEM),
        SQUASHFS("squashfs", Role.FILE_SYSTEM),
        EROFS("erofs", Role.FILE_SYSTEM),
        JOURNAL("jbd", Role.CONTAINER),
        LUKS("crypto_LUKS", Role.CONTAINER),
        BITLOCKER("BitLocker", Role.CONTAINER),
        LVM("LVM2_member", Role.CONTAINER),
        RAID("linux_raid_member", Role.CONTAINER),
        BLUESTORE("ceph_bluestore", Role.CONTAINER),
        SWAP("swap", Role.SWAP),
        HIBERNATED("swsuspend", Role.SWAP),
        DRBD("drbd", Role.METADATA);

        private final String word;
        private final Role role;

        Kind(String word, Role role) {
            this.word = word;
            this.role = role;
        }

        public String word() {
            return word;
        }

        public Role role() {
            return role;
        }
    }

    /// Looks for magic numbers at the begin and the end of a part of a device.
    ///
    /// @return all that are there, what is likelier first; none if nothing is known of it
    /// @throws IOException if it cannot be read
    public static List<Signature> of(BlockSource device, long offset, long size) throws IOException {
        return new SignatureReader(device, offset, size).read();
    }
}
