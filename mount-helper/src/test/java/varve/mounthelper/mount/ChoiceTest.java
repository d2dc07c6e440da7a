package varve.mounthelper.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import varve.archive.block.RefusedException;
import varve.archive.partition.Layout;
import varve.archive.partition.Partition;
import varve.archive.partition.PartitionTable.Scheme;
import varve.archive.partition.Signature;
import varve.archive.partition.Signature.Kind;
import varve.archive.partition.Signature.Role;

/// What of an image is mounted, and what is said if nothing can be.
final class ChoiceTest {

    private static final MountOptions NONE = options(null, null);

    private static MountOptions options(Integer partition, String type) {
        return new MountOptions(Optional.ofNullable(partition), Optional.ofNullable(type), Optional.empty(), Optional.empty(), false);
    }

    private static List<Signature> signatures(Kind... kinds) {
        return Stream.of(kinds).map(kind -> new Signature(kind, "", "")).toList();
    }

    private static Layout whole(Kind... kinds) {
        return new Layout(Scheme.NONE, List.of(new Layout.Region(Optional.empty(), 0, 1 << 20, signatures(kinds))));
    }

    /// a disk with a partition of each kind
    private static Layout disk(Kind... kinds) {
        return new Layout(Scheme.GPT, IntStream.range(0, kinds.length)
                .mapToObj(i -> new Layout.Region(
                        Optional.of(new Partition(i + 1, "", "", "Linux", (i + 1L) << 20, 1 << 20)), (i + 1L) << 20, 1 << 20, signatures(kinds[i])))
                .toList());
    }

    private static String refusal(Layout layout, MountOptions options) {
        return assertThrows(RefusedException.class, () -> Choice.of(layout, "tools@latest", options)).getMessage();
    }

    @Test
    void theOnlyFileSystemIsTaken() throws Exception {
        Choice choice = Choice.of(disk(Kind.SWAP, Kind.XFS, Kind.LVM), "tools", NONE);
        assertEquals("partition 2", choice.region().name());
        assertEquals("xfs", choice.type());
        assertEquals(List.of("ro", "nodev", "nosuid", "norecovery", "nouuid"), choice.options());
        assertEquals(List.of("ro", "nodev", "nosuid", "noload"), Choice.of(whole(Kind.EXT4), "tools", NONE).options());
    }

    @Test
    void withAnOverlayNothingKeepsTheJournalFromBeingReplayed() throws Exception {
        MountOptions writable = new MountOptions(Optional.empty(), Optional.empty(), Optional.empty(), Optional.of(Path.of("o")), false);
        assertEquals(List.of("rw", "nodev", "nosuid"), Choice.of(whole(Kind.EXT4), "tools", writable).options());
        assertEquals(List.of("rw", "nodev", "nosuid", "nouuid"), Choice.of(whole(Kind.XFS), "tools", writable).options());
        assertTrue(refusal(whole(Kind.SQUASHFS), writable).contains("squashfs, which nothing can write to; mount it without --writable"));
        assertEquals("squashfs", Choice.of(whole(Kind.SQUASHFS), "tools", NONE).type());
    }

    @Test
    void metadataOfDrbdBehindAFileSystemIsNoObstacle() throws Exception {
        assertEquals("ext4", Choice.of(whole(Kind.EXT4, Kind.DRBD), "tools", NONE).type());
    }

    @Test
    void ofSeveralFileSystemsOneHasToBeNamed() throws Exception {
        Layout disk = disk(Kind.VFAT, Kind.EXT4);
        String refusal = refusal(disk, NONE);
        assertTrue(refusal.contains("--partition; there is partition 1 (1.0 MiB, vfat), partition 2 (1.0 MiB, ext4)"), refusal);
        assertEquals("ext4", Choice.of(disk, "tools", options(2, null)).type());
        assertTrue(refusal(disk, options(3, null)).contains("there is no partition 3; there is partition 1"));
    }

    @Test
    void whatLooksLikeTwoFileSystemsHasToBeNamedToo() throws Exception {
        assertTrue(refusal(whole(Kind.EXT4, Kind.BTRFS), NONE).contains("holds ext4 + btrfs: say which one it is: --type"));
        assertEquals(List.of("ro", "nodev", "nosuid", "noload"), Choice.of(whole(Kind.EXT4, Kind.BTRFS), "tools", options(null, "ext4")).options());
    }

    @ParameterizedTest
    @EnumSource
    void whatCannotBeMountedIsTold(Kind kind) throws Exception {
        if (kind.role() == Role.FILE_SYSTEM) {
            assertEquals(kind.word(), Choice.of(whole(kind), "tools", NONE).type());
            return;
        }
        String refusal = refusal(whole(kind), NONE);
        assertTrue(refusal.startsWith("tools@latest: the whole device holds " + kind.word()), refusal);
        assertTrue(refusal(disk(kind, Kind.SWAP), NONE).contains("no partition holds a file system"));
        if (kind.role() == Role.CONTAINER && kind != Kind.JOURNAL) {
            assertTrue(refusal.contains("; take the image (varve mount --images DIR), losetup --read-only --offset 0, then "), refusal);
        }
    }

    @Test
    void whatNobodyKnowsIsToldToo() {
        assertTrue(refusal(whole(), NONE).contains("holds unknown: no file system that is known"));
    }
}
