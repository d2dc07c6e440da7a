package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.block.BlockSource;
import varve.archive.chain.History;
import varve.archive.snapshot.Owner;
import varve.archive.snapshot.Snapshot;
import varve.archive.vault.Vault;
import varve.testdata.Images;

/// Which snapshots the next delta needs, and which nobody does.
class SnapshotPlanTest {

    private static final String ORIGIN = "lvm:vg/tools";

    @TempDir
    Path folder;

    private final byte[] content = Images.mixed(1, 300_000);
    private Vault vault;
    private Owner owner;

    /// a device in memory
    private record Device(String name, byte[] bytes) implements BlockSource {
        @Override
        public long size() {
            return bytes.length;
        }

        @Override
        public void read(long offset, MemorySegment into) {
            into.copyFrom(MemorySegment.ofArray(bytes).asSlice(offset, into.byteSize()));
        }

        @Override
        public void close() {}
    }

    @BeforeEach
    void twoNights() throws Exception {
        vault = Vault.openOrCreate(folder.resolve("vault"));
        owner = new Owner(vault.id(), "tools");
        archive(ORIGIN + "@one");
        archive(ORIGIN + "@two");
    }

    private void archive(String source) throws Exception {
        content[70_000] ^= 1;
        new Archiver(vault, "tools", ArchiveOptions.defaults(), InstantSource.system(), bytes -> {}, warning -> {})
                .archive(new Device(source, content.clone()), Duration.ZERO);
    }

    private SnapshotPlan plan(boolean full, Snapshot... found) throws Exception {
        History history = vault.volume("tools").read().sound();
        return SnapshotPlan.of(history, List.of(found), owner, full);
    }

    private Snapshot snapshot(String name) {
        return new Snapshot(ORIGIN, name, owner, true);
    }

    private static void assertWhole(String why, SnapshotPlan plan) {
        assertTrue(plan.whole().orElse("no").contains(why), plan.toString());
    }

    @Test
    void theNewestWithAPointIsNeededAndTheOthersAreNot() throws Exception {
        Snapshot another = new Snapshot(ORIGIN, "theirs", new Owner(UUID.randomUUID(), "tools"), true);
        SnapshotPlan plan = plan(false, snapshot("one"), another, snapshot("killed"), snapshot("two"));
        assertEquals("two", plan.base().orElseThrow().snapshot().name());
        assertEquals(2, plan.base().orElseThrow().point().manifest().sequence());
        assertEquals(List.of(snapshot("one"), snapshot("killed")), plan.leftovers());
        assertEquals(Optional.empty(), plan.whole());
    }

    @Test
    void ifTheLatestPointCameFromElsewhereTheOneBeforeServes() throws Exception {
        archive("/dev/other");
        SnapshotPlan plan = plan(false, snapshot("one"), snapshot("two"));
        assertEquals("two", plan.base().orElseThrow().snapshot().name());
        assertEquals(Optional.empty(), plan.whole());
    }

    @Test
    void oneThatOverflowedIsNoBaseAndGoes() throws Exception {
        Snapshot overflowed = new Snapshot(ORIGIN, "two", owner, false);
        SnapshotPlan plan = plan(false, snapshot("one"), overflowed);
        assertEquals(Optional.empty(), plan.base());
        assertEquals(List.of(snapshot("one"), overflowed), plan.leftovers());
        assertWhole("the snapshot that was kept has overflowed", plan);
    }

    @Test
    void oneThatTheVaultDoesNotKnowIsNotBelieved() throws Exception {
        SnapshotPlan plan = plan(false, snapshot("rolled-back"));
        assertEquals(Optional.empty(), plan.base());
        assertEquals(List.of(snapshot("rolled-back")), plan.leftovers());
        assertWhole("no point of this vault was made from " + ORIGIN + "@rolled-back", plan);
    }

    @Test
    void withoutOneTheWholeDeviceIsRead() throws Exception {
        assertWhole("no snapshot of an earlier run is there", plan(false));
        assertWhole("a full was asked for", plan(true, snapshot("two")));
    }
}
