package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static varve.archive.VaultScene.VOLUME;
import static varve.archive.VaultScene.assertNoStage;
import static varve.archive.VaultScene.assertSame;
import static varve.archive.VaultScene.damage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.archive.file.StoredArchive;
import varve.testdata.Images;

/// What `varve copy` brings, and what it refuses.
class CopyTest {

    @TempDir
    Path folder;

    private VaultScene scene;
    private Path home;
    private Path monday;
    private Path friday;

    @BeforeEach
    void make() throws Exception {
        scene = new VaultScene(folder, 1);
        home = scene.home;
        monday = scene.disk("monday");
        friday = scene.disk("friday");
        for (int i = 0; i < 3; i++) {
            scene.archive();
        }
    }

    @Test
    void whatIsMissingIsBrought() throws Exception {
        scene.copy(monday);
        assertEquals(List.of(1L, 2L, 3L), scene.restorable(monday));
        for (StoredArchive archive : scene.history(home).archives()) {
            StoredArchive copy = new StoredArchive(monday.resolve(VOLUME), archive.manifest());
            assertSame(archive.data(), copy.data());
            assertSame(archive.index(), copy.index());
            assertSame(archive.tree(), copy.tree());
            assertSame(archive.manifestFile(), copy.manifestFile());
        }
        assertNoStage(monday.resolve(VOLUME));
        assertEquals(List.of(2, 2, 2), scene.copies());
    }

    @Test
    void whatIsThereIsNotCopiedAgain() throws Exception {
        scene.copy(monday);
        assertTrue(scene.out.startsWith("tools: 3 archives, "), scene.out);
        scene.copy(monday);
        assertTrue(scene.err.contains("nothing: what is wanted is there and proved"), scene.err);
        assertTrue(scene.out.startsWith("tools: 0 archives, 0 B"), scene.out);
        scene.archive();
        scene.copy(monday);
        assertTrue(scene.out.startsWith("tools: 1 archive, "), scene.out);
        assertEquals(List.of(1L, 2L, 3L, 4L), scene.restorable(monday));
    }

    @Test
    void ofDisksThatTakeTurnsEachGetsWhatItLacks() throws Exception {
        for (int week = 0; week < 3; week++) {
            scene.copy(monday);
            scene.archive();
            scene.archive();
            scene.copy(friday);
            scene.archive();
        }
        scene.copy(monday).copy(friday);
        int all = scene.points.size();
        assertEquals(all, scene.restorable(monday).size());
        assertEquals(all, scene.restorable(friday).size());
        assertEquals(Set.of(3), Set.copyOf(scene.copies()));
    }

    @Test
    void onlyWhatTheWantedPointsNeedIsBrought() throws Exception {
        scene.copy(monday, "--points", "-2");
        assertEquals(List.of(1L), scene.restorable(monday));
        assertEquals(1, scene.dataFiles(monday).size());
        assertEquals(3, scene.history(monday).points().size(), "the others are known there, too");
        scene.expect(ExitCode.OK, "archive", scene.image + "=" + VOLUME, "--vault", home, "--full");
        scene.copy(friday, "--points", "latest");
        assertEquals(List.of(3L, 4L), scene.restorable(friday), "the full alone serves both points of that state");
        assertEquals(1, scene.dataFiles(friday).size());
    }

    @Test
    void aPointThatIsNoneIsAnError() {
        scene.expect(ExitCode.NOT_FOUND, "copy", VOLUME, "--vault", home, "--to", monday, "--points", "latest,-7");
        assertTrue(scene.err.contains("tools@-7: the volume has only 3 points"), scene.err);
        assertFalse(Files.exists(monday.resolve(VOLUME)));
    }

    @Test
    void aPointWithoutChangesIsThereAsAWhole() throws Exception {
        scene.archiveUnchanged();
        scene.copy(monday);
        assertEquals(List.of(1L, 2L, 3L, 4L), scene.restorable(monday));
        assertEquals(4, scene.dataFiles(monday).size());
    }

    @Test
    void aDeviceThatCameBackToAnOldStateNeedsNoWayTwice() throws Exception {
        scene.set(scene.points.values().iterator().next());
        scene.archiveUnchanged();
        scene.archive();
        scene.copy(monday, "--points", "-1");
        assertEquals(List.of(1L, 4L), scene.restorable(monday));
        assertEquals(1, scene.dataFiles(monday).size());
    }

    @Test
    void aDryRunWritesNothing() throws Exception {
        scene.copy(monday, "--dry-run");
        assertTrue(scene.out.contains("3 points in time can be restored from there, 0 could before"), scene.out);
        assertTrue(scene.out.endsWith("nothing was written\n"), scene.out);
        assertFalse(Files.exists(monday.resolve(VOLUME)));
        assertFalse(Files.exists(monday.resolve("varve-catalogue")));
    }

    @Test
    void jsonSaysWhatWasBrought() {
        scene.copy(monday, "--json");
        assertTrue(scene.out.contains("\"copied\": true") && scene.out.contains("\"points\": 3"), scene.out);
    }

    // ---- where to

    @Test
    void aVaultIsFoundByItsLabelWhereItWasLastSeen() throws Exception {
        scene.copy(monday);
        scene.archive();
        scene.expect(ExitCode.OK, "copy", VOLUME, "--vault", home, "--to", "monday");
        assertEquals(4, scene.restorable(monday).size());
    }

    @Test
    void aVaultThatIsNotWhereItWasIsNotMade() throws Exception {
        scene.copy(monday);
        Files.move(monday, folder.resolve("elsewhere"));
        Files.createDirectory(monday); // as an empty mount point is
        scene.expect(ExitCode.NOT_FOUND, "copy", VOLUME, "--vault", home, "--to", "monday");
        assertTrue(scene.err.contains("vault monday (shelf of monday): not at hand: "), scene.err);
        scene.expect(ExitCode.NOT_FOUND, "copy", VOLUME, "--vault", home, "--to", monday);
        assertTrue(scene.err.contains("is the disk mounted?"), scene.err);
        try (var content = Files.list(monday)) {
            assertEquals(0, content.count());
        }
        scene.expect(ExitCode.OK, "copy", VOLUME, "--vault", home, "--to", "monday=" + folder.resolve("elsewhere"));
    }

    @Test
    void anotherVaultInItsPlaceIsNoticed() throws Exception {
        scene.copy(monday);
        Files.move(monday, folder.resolve("elsewhere"));
        Files.move(friday, monday);
        scene.expect(ExitCode.NOT_FOUND, "copy", VOLUME, "--vault", home, "--to", "monday");
        assertTrue(scene.err.contains(monday + " holds vault friday now"), scene.err);
        scene.expect(ExitCode.NOT_FOUND, "copy", VOLUME, "--vault", home, "--to", "monday=" + monday);
        assertTrue(scene.err.contains("expected monday"), scene.err);
        assertEquals(Set.of(), scene.dataFiles(monday));
        scene.copy(monday); // whoever is there
        assertEquals(3, scene.dataFiles(monday).size());
    }

    @Test
    void aVaultIsNotCopiedToItself() {
        scene.expect(ExitCode.REFUSED, "copy", VOLUME, "--vault", home, "--to", home);
    }

    @Test
    void aRetiredVaultGetsNothing() {
        scene.copy(monday).copy(friday).expect(ExitCode.OK, "vault", "retire", monday, "--vault", home);
        scene.expect(ExitCode.REFUSED, "copy", VOLUME, "--vault", home, "--to", monday);
        scene.expect(ExitCode.OK, "vault", "set", monday, "--state", "away").copy(monday);
    }

    // ---- what is wrong

    @Test
    void damageAtTheSourceIsNotCopied() throws Exception {
        damage(scene.archive(home, 2).data());
        scene.expect(ExitCode.CORRUPT, "copy", VOLUME, "--vault", home, "--to", monday);
        assertTrue(scene.err.contains(scene.archive(home, 2).data() + ": at "), scene.err);
        assertEquals(List.of(1L), scene.restorable(monday), "what does not need it is there");
        assertEquals(2, scene.dataFiles(monday).size());
        assertEquals(List.of(2, 0, 0), scene.copies(), "what is damaged is no copy");
    }

    @Test
    void damageAtTheSourceIsFoundWithoutATree() throws Exception {
        StoredArchive archive = scene.archive(home, 2);
        damage(archive.data());
        Files.delete(archive.tree());
        scene.expect(ExitCode.CORRUPT, "copy", VOLUME, "--vault", home, "--to", monday);
        assertEquals(2, scene.dataFiles(monday).size());
        assertEquals(List.of(2, 0, 0), scene.copies());
    }

    @Test
    void whatIsThereButNotProvedIsProvedAndMended() throws Exception {
        scene.copy(monday);
        Files.delete(monday.resolve(VOLUME).resolve("receipts.jsonl"));
        Files.delete(monday.resolve(VOLUME).resolve(".varve-receipts.head"));
        assertEquals(List.of(1, 1, 1), scene.copies(home, monday));
        damage(scene.archive(monday, 2).data());
        scene.copy(monday);
        assertTrue(scene.err.contains("; there, but not proved"), scene.err);
        assertEquals(3, scene.restorable(monday).size());
        assertSame(scene.archive(home, 2).data(), scene.archive(monday, 2).data());
        assertEquals(List.of(2, 2, 2), scene.copies());
    }

    @Test
    void whatWasFoundDamagedThereIsMended() throws Exception {
        scene.copy(monday);
        damage(scene.archive(monday, 1).data());
        scene.expect(ExitCode.CORRUPT, "copy", VOLUME, "--vault", monday, "--to", friday); // finds it
        assertEquals(List.of(1, 1, 1), scene.copies(home, monday));
        scene.copy(monday);
        assertEquals(List.of(2, 2, 2), scene.copies(home, monday));
        assertEquals(3, scene.restorable(monday).size());
    }

    @Test
    void eachCopyHasAReceipt() throws Exception {
        scene.copy(monday);
        assertEquals(3, Files.readAllLines(monday.resolve(VOLUME).resolve("receipts.jsonl")).stream()
                .filter(line -> line.contains("\"what\":\"copy\"") && line.contains("\"evidence\":\"medium\"")).count());
    }

    @Test
    void aTreeThatIsDamagedOrMissingIsMadeAgain() throws Exception {
        byte[] tree = Files.readAllBytes(scene.archive(home, 1).tree());
        damage(scene.archive(home, 1).tree());
        Files.delete(scene.archive(home, 2).tree());
        damage(scene.archive(home, 3).index());
        scene.copy(monday);
        assertEquals(3, scene.restorable(monday).size());
        org.junit.jupiter.api.Assertions.assertArrayEquals(tree, Files.readAllBytes(scene.archive(monday, 1).tree()));
        assertTrue(Files.exists(scene.archive(monday, 2).tree()));
        try (var index = scene.archive(monday, 3).openIndex()) {
            assertTrue(index.nodes() > 0);
        }
    }

    @Test
    void damageInOneSourceIsMendedFromAnother() throws Exception {
        scene.copy(monday);
        damage(scene.archive(home, 1).data());
        scene.expect(ExitCode.OK, "copy", VOLUME, "--vault", home, "--vault", monday, "--to", friday);
        assertTrue(scene.out.contains("are damaged in one of the vaults and were taken from another"), scene.out);
        assertEquals(3, scene.restorable(friday).size());
    }

    @Test
    void historiesThatWentSeparateWaysAreNotMixed() throws Exception {
        scene.copy(monday);
        scene.archive(); // number 4 at home
        scene.archive(monday); // another number 4
        byte[] before = Files.readAllBytes(scene.archive(home, 4).manifestFile());
        scene.expect(ExitCode.CORRUPT, "copy", VOLUME, "--vault", home, "--to", monday);
        assertTrue(scene.err.contains("sequence 4 is also that of"), scene.err);
        assertEquals(4, scene.dataFiles(monday).size());
        assertEquals(before.length, Files.size(scene.archive(home, 4).manifestFile()));
        assertEquals(4, scene.history(home).points().size());
    }

    @Test
    void anotherVolumeOfTheSameNameIsNotMixedIn() throws Exception {
        scene.archive(monday); // a volume of its own
        scene.expect(ExitCode.CORRUPT, "copy", VOLUME, "--vault", home, "--to", monday);
        assertTrue(scene.err.contains("another volume id"), scene.err);
        assertEquals(1, scene.dataFiles(monday).size());
    }

    @Test
    void aManifestThatIsDamagedHereIsPassedOver() throws Exception {
        scene.copy(monday);
        scene.archive();
        damage(scene.archive(home, 4).manifestFile());
        scene.expect(ExitCode.OK, "copy", VOLUME, "--vault", home, "--to", monday);
        assertTrue(scene.err.contains("varve: warning: "), scene.err);
        assertEquals(3, scene.dataFiles(monday).size());
    }

    @Test
    void aDamagedManifestDoesNoHarmIfTheOtherVaultHasIt() throws Exception {
        scene.copy(monday);
        damage(scene.archive(home, 1).manifestFile());
        scene.expect(ExitCode.OK, "copy", VOLUME, "--vault", home, "--to", monday);
        assertEquals("", scene.err.lines().filter(line -> line.contains("warning")).findFirst().orElse(""));
    }

    // ---- stages

    @Test
    void whatAnInterruptedRunLeftIsNotReadAgain() throws Exception {
        scene.set(Images.noise(5, 3 << 20));
        scene.archiveUnchanged();
        StoredArchive large = scene.archive(home, 4);
        Path stage = stage(large);
        byte[] data = Files.readAllBytes(large.data());
        assertTrue(data.length > 2 << 20, "a file of several groups");
        Files.write(stage, java.util.Arrays.copyOf(data, (1 << 20) + 5000));
        scene.copy(monday);
        assertTrue(scene.err.contains("goes on with what an interrupted run left"), scene.err);
        assertTrue(scene.out.contains("of this, 1.0 MiB were there already, and right"), scene.out);
        assertEquals(4, scene.restorable(monday).size());
        assertNoStage(monday.resolve(VOLUME));
    }

    @Test
    void aStageOfGarbageIsNotBelieved() throws Exception {
        StoredArchive full = scene.archive(home, 1);
        Files.write(stage(full), Images.noise(3, (int) Files.size(full.data()) + 9000));
        scene.copy(monday);
        assertSame(full.data(), scene.archive(monday, 1).data());
    }

    @Test
    void stagesOfArchivesThatAreNoLongerWantedGo() throws Exception {
        Files.write(stage(scene.archive(home, 3)), new byte[100]);
        scene.copy(monday, "--points", "-2");
        assertNoStage(monday.resolve(VOLUME));
    }

    private Path stage(StoredArchive archive) throws IOException {
        return Files.createDirectories(monday.resolve(VOLUME)).resolve(".varve-stage-" + archive.manifest().baseName() + ".zst");
    }

    // ---- what the vaults learn

    @Test
    void bothSidesKnowWhatTheOtherHolds() throws Exception {
        scene.copy(monday).copy(friday, "--points", "-2");
        scene.copy(monday);
        assertEquals(List.of(3, 2, 2), scene.copies());
        assertTrue(scene.catalogue(monday).all().size() == 3, "monday knows of friday through home");
        scene.expect(ExitCode.OK, "where", "tools@latest", "--vault", monday);
    }

    @Test
    void pointsThatOnlyTheOtherKnowsAreKnownHere() throws Exception {
        scene.copy(monday);
        scene.archive(monday); // somebody archived to the disk
        scene.copy(monday);
        assertEquals(4, scene.history(home).points().size());
        assertEquals(List.of(1L, 2L, 3L), scene.restorable(home));
        assertEquals(List.of(1L, 2L, 3L, 4L), scene.restorable(home, monday));
        scene.archive();
        assertEquals(5, scene.history(home).points().size());
        scene.copy(monday);
        assertEquals(List.of(1L, 2L, 3L, 4L, 5L), scene.restorable(monday));
    }

    @Test
    void whatIsNeededFromADiskThatIsAwayIsSaid() throws Exception {
        scene.copy(monday);
        scene.expect(ExitCode.OK, "evict", VOLUME, "--vault", home, "--min-copies", "1");
        scene.archive();
        Path shelf = folder.resolve("shelf");
        Files.move(monday, shelf);
        scene.copy(friday);
        assertEquals(List.of(), scene.restorable(friday), "nothing is restorable here, so nothing is wanted");
        scene.expect(ExitCode.BROKEN_CHAIN, "copy", VOLUME, "--vault", home, "--to", friday, "--points", "latest");
        assertTrue(scene.err.contains("bring monday (shelf of monday), then copy from there too"), scene.err);
        scene.expect(ExitCode.OK, "copy", VOLUME, "--vault", shelf, "--to", friday);
        assertEquals(List.of(1L, 2L, 3L, 4L), scene.restorable(friday), "one disk after the other");
    }
}
