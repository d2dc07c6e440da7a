package varve.mounthelper.mount;

import java.util.List;
import varve.archive.partition.Signature.Kind;

/// How to mount each kind of file system so that nothing of it would be written, not even its journal replayed.
final class ReadOnly {

    private ReadOnly() {}

    /// {@return options of mount(8); what they mean is in ext4(5), xfs(5), btrfs(5) and the kernel's documentation}
    static List<String> options(Kind kind) {
        return switch (kind) {
            case EXT3, EXT4 -> List.of("noload");
            case XFS -> List.of("norecovery", "nouuid"); // its UUID may be mounted already, from the device itself
            case BTRFS -> List.of("rescue=nologreplay");
            case F2FS -> List.of("norecovery");
            case NTFS, EXT2, VFAT, EXFAT, ISO9660, SQUASHFS, EROFS -> List.of();
            case JOURNAL, LUKS, BITLOCKER, LVM, RAID, BLUESTORE, SWAP, HIBERNATED, DRBD ->
                    throw new IllegalArgumentException(kind.word() + " cannot be mounted");
        };
    }
}
