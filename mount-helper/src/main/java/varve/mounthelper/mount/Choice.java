package varve.mounthelper.mount;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import varve.archive.block.RefusedException;
import varve.archive.cli.Size;
import varve.archive.partition.Layout;
import varve.archive.partition.Signature;

/// The file system of an image that is mounted, and how.
///
/// @param region where it lies
/// @param type as mount(8) names it
/// @param options of mount(8)
record Choice(Layout.Region region, String type, List<String> options) {

    /// Chooses what to mount.
    ///
    /// @throws RefusedException if there is nothing that can be mounted, or more than one; tells what there is
    static Choice of(Layout layout, String point, MountOptions options) throws RefusedException {
        Layout.Region region = region(layout, point, options);
        List<Signature> candidates = region.fileSystems();
        boolean writable = options.overlay().isPresent();
        List<String> flags = new ArrayList<>(List.of(writable ? "rw" : "ro", "nodev", "nosuid"));
        String type;
        if (options.type().isPresent()) {
            type = options.type().get();
            candidates.stream().filter(known -> known.kind().word().equals(type)).forEach(known -> flags.addAll(writable ? Flags.writable(known.kind()) : Flags.readOnly(known.kind())));
        } else if (candidates.size() == 1) {
            type = candidates.getFirst().kind().word();
            Signature.Kind kind = candidates.getFirst().kind();
            if (writable && Flags.neverWritten(kind)) {
                throw new RefusedException(point + ": " + region.name() + " holds " + type + ", which nothing can write to; mount it without --writable");
            }
            flags.addAll(writable ? Flags.writable(kind) : Flags.readOnly(kind));
        } else {
            throw new RefusedException(point + ": " + region.name() + " holds " + region.content()
                    + (candidates.isEmpty() ? remedy(region) : ": say which one it is: --type"));
        }
        options.more().ifPresent(flags::add);
        return new Choice(region, type, List.copyOf(flags));
    }

    private static Layout.Region region(Layout layout, String point, MountOptions options) throws RefusedException {
        List<Layout.Region> regions = layout.regions();
        if (options.partition().isPresent()) {
            int number = options.partition().get();
            return regions.stream()
                    .filter(region -> region.partition().map(known -> known.number() == number).orElse(number == 0))
                    .findFirst()
                    .orElseThrow(() -> new RefusedException(point + ": there is no partition " + number + "; " + list(regions)));
        }
        if (regions.size() == 1) {
            return regions.getFirst();
        }
        List<Layout.Region> candidates = regions.stream().filter(region -> !region.fileSystems().isEmpty()).toList();
        return switch (candidates.size()) {
            case 1 -> candidates.getFirst();
            case 0 -> throw new RefusedException(point + ": no partition holds a file system; " + list(regions) + remedy(regions));
            default -> throw new RefusedException(point + ": several file systems: say which one, with --partition; " + list(regions));
        };
    }

    private static String list(List<Layout.Region> regions) {
        return "there is " + regions.stream()
                .map(region -> region.name() + " (" + Size.format(region.size()) + ", " + region.content()
                        + region.fileSystems().stream().map(Signature::label).filter(label -> !label.isEmpty()).map(label -> " \"" + label + "\"").collect(Collectors.joining()) + ")")
                .collect(Collectors.joining(", "));
    }

    private static String remedy(List<Layout.Region> regions) {
        return regions.stream().map(Choice::remedy).filter(text -> !text.isEmpty()).findFirst().orElse("");
    }

    /// what to do about a region that cannot be mounted by itself
    private static String remedy(Layout.Region region) {
        for (Signature signature : region.signatures()) {
            String next = switch (signature.kind()) {
                case LVM -> "vgscan and vgchange -ay find its volumes";
                case RAID -> "mdadm --assemble --readonly puts it together";
                case LUKS -> "cryptsetup open --readonly unlocks it";
                case BITLOCKER -> "cryptsetup open --type bitlk --readonly unlocks it";
                case SWAP, HIBERNATED -> "there are no files in swap space";
                case JOURNAL -> "the file system that it belongs to is elsewhere";
                case BLUESTORE -> "ceph-objectstore-tool reads it";
                default -> "";
            };
            boolean byHand = switch (signature.kind()) {
                case LVM, RAID, LUKS, BITLOCKER, BLUESTORE -> true;
                default -> false;
            };
            if (!next.isEmpty()) {
                return byHand ? "; take the image (varve mount --images DIR), losetup --read-only --offset " + region.offset() + ", then " + next : "; " + next;
            }
        }
        return region.signatures().isEmpty() ? ": no file system that is known; varve partitions shows what there is" : "";
    }
}
