package varve.mounthelper.mount;

import java.util.List;
import varve.archive.partition.Signature.Kind;

/// Options of mount(8) for each kind of file system; what they mean is in ext4(5), xfs(5), btrfs(5) and the kernel's documentation.
final class Flags {

    private Flags() {}

    /// {@return what keeps the kernel from writing anything, even from replaying the journal}
    static List<String> readOnly(Kind kind) {
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

    /// {@return whether there is nothing that writes to it once it is made}
    static boolean neverWritten(Kind kind) {
        return kind == Kind.ISO9660 || kind == Kind.SQUASHFS || kind == Kind.EROFS;
    }

    /// {@return what it takes to write; nothing is kept from replaying its journal}
    static List<String> writable(Kind kind) {
        return switch (kind) {
            case XFS -> List.of("nouuid");
            case EXT2, EXT3, EXT4, BTRFS, F2FS, NTFS, VFAT, EXFAT, ISO9660, SQUASHFS, EROFS -> List.of();
            case JOURNAL, LUKS, BITLOCKER, LVM, RAID, BLUESTORE, SWAP, HIBERNATED, DRBD ->
                    throw new IllegalArgumentException(kind.word() + " cannot be mounted");
        };
    }
}
