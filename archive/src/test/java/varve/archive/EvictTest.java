package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static varve.archive.VaultScene.VOLUME;
import static varve.archive.VaultScene.damage;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.archive.file.StoredArchive;

/// What `varve evict` and `varve vault retire` give up, and what they keep: the last proved copy, always.
class EvictTest {

    @TempDir
    Path folder;

    private VaultScene scene;
    private Path home;
    private Path monday;
    private Path friday;

    @BeforeEach
    void make() throws Exception {
        scene = new VaultScene(folder, 2);
        home = scene.home;
        monday = scene.disk("monday");
        friday = scene.disk("friday");
        for (int i = 0; i < 3; i++) {
            scene.archive();
        }
    }

    private void evict(Path from, int minCopies, Path... atHand) {
        Object[] words = {"evict", VOLUME, "--min-copies", minCopies, "--vault", from};
        List<Object> all = new java.util.ArrayList<>(List.of(words));
        for (Path vault : atHand) {
            all.addAll(List.of("--vault", vault));
        }
        scene.expect(ExitCode.OK, all.toArray());
    }

    private void assertAllThere(Path... vaults) throws Exception {
        assertEquals(scene.points.size(), scene.restorable(vaults).size());
    }

    // ---- what goes

    @Test
    void dataFilesGoIfOthersHoldEnough() throws Exception {
        scene.copy(monday).copy(friday);
        evict(home, 2);
        assertEquals(Set.of(), scene.dataFiles(home));
        assertTrue(scene.out.startsWith("tools: removed 3 data files, "), scene.out);
        assertEquals(3, scene.history(home).points().size(), "points are still listed");
        assertEquals(List.of(2, 2, 2), scene.copies());
        assertAllThere(home, monday);
        assertAllThere(home, friday);
        scene.expect(ExitCode.OK, "diff", "tools@-1", "tools@latest", "--vault", home, "--summary");
    }

    @Test
    void theNextDeltaIsMadeWithoutTheDisks() throws Exception {
        scene.copy(monday).copy(friday);
        evict(home, 2);
        Path shelf = Files.createDirectory(folder.resolve("shelf"));
        Files.move(monday, shelf.resolve("monday"));
        Files.move(friday, shelf.resolve("friday"));
        for (int i = 0; i < 3; i++) {
            scene.archive();
        }
        assertTrue(scene.dataFiles(home).stream().allMatch(name -> name.endsWith(".delta.zst")), "no full was needed");
        assertEquals(List.of(), scene.restorable(home));
        assertAllThere(home, shelf.resolve("monday"));
        assertEquals(List.of(2, 2, 2, 1, 1, 1), scene.copies());
        scene.copy(shelf.resolve("monday"), "--points", "latest");
        assertAllThere(shelf.resolve("monday"));
    }

    @Test
    void oneCopyIsNotTwo() throws Exception {
        scene.copy(monday);
        scene.copy(friday, "--points", "-2");
        evict(home, 2);
        assertEquals(2, scene.dataFiles(home).size(), "the full alone is in both");
        evict(home, 1);
        assertEquals(Set.of(), scene.dataFiles(home));
        assertAllThere(monday);
    }

    @Test
    void aDryRunRemovesNothing() throws Exception {
        scene.copy(monday).expect(ExitCode.OK, "evict", VOLUME, "--vault", home, "--min-copies", "1", "-n");
        assertTrue(scene.out.contains("remove  tools.") && scene.out.endsWith("nothing was removed\n"), scene.out);
        scene.expect(ExitCode.OK, "evict", VOLUME, "--vault", home, "-n", "--json");
        assertTrue(scene.out.contains("\"minCopies\": 2"), scene.out);
        assertEquals(3, scene.dataFiles(home).size());
    }

    @Test
    void whatWasEvictedCanBeBroughtBack() throws Exception {
        scene.copy(monday);
        evict(home, 1);
        scene.expect(ExitCode.OK, "copy", VOLUME, "--vault", monday, "--to", home);
        assertAllThere(home);
        assertEquals(List.of(2, 2, 2), scene.copies());
    }

    @Test
    void tablesThatAreMissingAreMadeBeforeTheDataGoes() throws Exception {
        scene.copy(monday);
        Files.delete(scene.archive(home, 1).index());
        damage(scene.archive(home, 2).index());
        evict(home, 1);
        for (int number = 1; number <= 3; number++) {
            scene.archive(home, number).openIndex().close();
        }
        scene.archive();
        assertAllThere(home, monday);
    }

    @Test
    void aNegativeNumberOfCopiesIsAUsageError() {
        scene.expect(ExitCode.USAGE, "evict", VOLUME, "--vault", home, "--min-copies", "0");
        scene.expect(ExitCode.NOT_FOUND, "evict", "nothing", "--vault", home);
    }

    // ---- what is no copy

    @Test
    void withoutCopiesNothingGoes() throws Exception {
        evict(home, 1);
        assertEquals(3, scene.dataFiles(home).size());
        assertTrue(scene.err.contains("no vault that can be relied on"), scene.err);
    }

    @Test
    void whatWasNotProvedIsNoCopy() throws Exception {
        scene.copy(monday);
        Files.delete(monday.resolve(VOLUME).resolve("receipts.jsonl"));
        evict(home, 1, monday);
        assertEquals(3, scene.dataFiles(home).size());
    }

    @Test
    void whatWasFoundDamagedIsNoCopy() throws Exception {
        scene.copy(monday);
        damage(scene.archive(monday, 2).data());
        scene.expect(ExitCode.CORRUPT, "copy", VOLUME, "--vault", monday, "--to", friday);
        scene.expect(ExitCode.OK, "catalogue", "merge", home, monday);
        evict(home, 1);
        assertEquals(Set.of(scene.archive(home, 2).data().getFileName().toString()), scene.dataFiles(home));
        assertAllThere(home, monday);
    }

    @Test
    void aFileThatIsTooShortIsNoCopy() throws Exception {
        scene.copy(monday);
        Path file = scene.archive(monday, 3).data();
        Files.write(file, java.util.Arrays.copyOf(Files.readAllBytes(file), 500));
        evict(home, 1, monday);
        assertEquals(1, scene.dataFiles(home).size());
    }

    @Test
    void aSuspectOrRetiredVaultHoldsNoCopy() throws Exception {
        scene.copy(monday).copy(friday);
        scene.expect(ExitCode.OK, "vault", "set", "monday", "--state", "suspect", "--vault", home);
        evict(home, 2);
        assertEquals(3, scene.dataFiles(home).size());
        scene.expect(ExitCode.OK, "vault", "retire", "friday", "--vault", home);
        evict(home, 1);
        assertEquals(3, scene.dataFiles(home).size());
        scene.expect(ExitCode.OK, "vault", "set", "monday", "--state", "away", "--vault", home);
        evict(home, 1);
        assertEquals(Set.of(), scene.dataFiles(home));
    }

    @Test
    void anotherVolumeOfTheSameNameIsNoCopy() throws Exception {
        Path other = folder.resolve("other");
        scene.expect(ExitCode.OK, "vault", "init", other, "--state", "away");
        scene.archive(other); // a volume of its own
        scene.expect(ExitCode.CORRUPT, "catalogue", "merge", home, other);
        evict(home, 1);
        assertEquals(3, scene.dataFiles(home).size());
    }

    // ---- who may rely on whom

    @Test
    void twoVaultsNeverRelyOnEachOther() throws Exception {
        Path second = folder.resolve("second"); // as home: never away
        scene.expect(ExitCode.OK, "vault", "init", second, "--label", "second");
        scene.copy(second);
        evict(home, 1);
        evict(second, 1);
        assertAllThere(home);
        assertAllThere(second);
        evict(home, 1, second); // it is looked at
        assertEquals(Set.of(), scene.dataFiles(home));
        evict(second, 1);
        evict(second, 1, home);
        assertAllThere(second);
    }

    @Test
    void aVaultThatIsReliedOnGivesUpNothingOnAWord() throws Exception {
        scene.copy(monday).copy(friday).copy(monday);
        evict(monday, 1);
        assertEquals(3, scene.dataFiles(monday).size(), "friday is not at hand, home may rely on monday");
        evict(monday, 1, home);
        assertEquals(3, scene.dataFiles(monday).size(), "home may give up what it has, relying on monday");
        evict(monday, 1, friday);
        assertEquals(0, scene.dataFiles(monday).size());
        evict(friday, 1);
        evict(friday, 1, home, monday);
        assertEquals(3, scene.dataFiles(friday).size());
        evict(home, 1); // what it knows of monday is out of date, but some keeper has it
        assertAllThere(friday);
    }

    @Test
    void onceAwayAlwaysAKeeper() throws Exception {
        scene.copy(monday).copy(friday).copy(monday);
        scene.expect(ExitCode.OK, "vault", "set", monday, "--state", "online");
        evict(monday, 1);
        assertEquals(3, scene.dataFiles(monday).size());
    }

    @Test
    void whatSomebodyElseSaysMakesNoKeeper() throws Exception {
        Path second = folder.resolve("second");
        scene.expect(ExitCode.OK, "vault", "init", second, "--label", "second");
        scene.copy(second);
        scene.expect(ExitCode.OK, "vault", "list", "--vault", home);
        Path elsewhere = folder.resolve("elsewhere");
        Files.move(second, elsewhere);
        scene.expect(ExitCode.OK, "vault", "set", "second", "--state", "away", "--vault", home); // it has not heard of it
        evict(home, 1);
        evict(elsewhere, 1);
        assertAllThere(home);
        scene.expect(ExitCode.OK, "catalogue", "merge", home, elsewhere); // now it has
        evict(home, 1);
        assertEquals(Set.of(), scene.dataFiles(home));
        evict(elsewhere, 1);
        assertAllThere(elsewhere);
    }

    /// Keepers and others give up what they can in turn, each in a state of knowledge of its own.
    @Test
    void inAnyOrderTheLastCopyStays() throws Exception {
        scene.copy(monday).copy(friday);
        List<Path> vaults = List.of(home, monday, friday);
        for (int round = 0; round < 40; round++) {
            Path from = vaults.get(scene.random.nextInt(3));
            Path other = vaults.get(scene.random.nextInt(3));
            switch (scene.random.nextInt(4)) {
                case 0 -> evict(from, 1);
                case 1 -> evict(from, 1, other);
                case 2 -> scene.expect(ExitCode.OK, "catalogue", "merge", from, other);
                default -> {
                    if (!from.equals(other) && Files.exists(from.resolve(VOLUME))) {
                        scene.run("copy", VOLUME, "--vault", from, "--to", other);
                    }
                }
            }
            assertAllThere(home, monday, friday);
        }
    }

    // ---- giving a vault up

    @Test
    void aVaultWithTheLastCopyIsNotRetired() throws Exception {
        scene.copy(monday);
        evict(home, 1);
        scene.expect(ExitCode.REFUSED, "vault", "retire", "monday", "--vault", home);
        assertTrue(scene.err.contains("holds the last proved copy of 3 points in time"), scene.err);
        scene.expect(ExitCode.OK, "copy", VOLUME, "--vault", monday, "--to", friday);
        scene.expect(ExitCode.OK, "catalogue", "merge", home, friday);
        scene.expect(ExitCode.OK, "vault", "retire", "monday", "--vault", home, "-n");
        assertEquals(List.of(2, 2, 2), scene.copies());
        scene.expect(ExitCode.OK, "vault", "retire", "monday", "--vault", home);
        assertEquals(List.of(1, 1, 1), scene.copies());
        scene.expect(ExitCode.REFUSED, "vault", "retire", "friday", "--vault", home);
    }

    @Test
    void aVaultThatIsLostIsGivenUpKnowingly() throws Exception {
        scene.copy(monday);
        evict(home, 1);
        Files.move(monday, folder.resolve("lost"));
        scene.expect(ExitCode.REFUSED, "vault", "retire", "monday", "--vault", home);
        scene.expect(ExitCode.OK, "vault", "retire", "monday", "--lost", "--vault", home);
        assertEquals(List.of(0, 0, 0), scene.copies());
        scene.expect(ExitCode.USAGE, "vault", "set", "monday", "--state", "retired", "--vault", home);
        // it turns up again
        scene.expect(ExitCode.OK, "vault", "set", folder.resolve("lost"), "--state", "away", "--vault", home);
        assertEquals(List.of(1, 1, 1), scene.copies());
    }

    @Test
    void aRetiredVaultLearnsThatItIs() throws Exception {
        scene.copy(monday).copy(friday);
        Files.move(monday, folder.resolve("elsewhere"));
        scene.expect(ExitCode.OK, "vault", "retire", "monday", "--vault", home);
        assertFalse(Files.readString(folder.resolve("elsewhere/varve-vault.json")).contains("retired"));
        scene.expect(ExitCode.OK, "catalogue", "merge", home, folder.resolve("elsewhere"));
        assertTrue(Files.readString(folder.resolve("elsewhere/varve-vault.json")).contains("\"state\": \"retired\""));
        StoredArchive archive = scene.archive(folder.resolve("elsewhere"), 1);
        assertTrue(archive.dataAtHand(), "nothing was removed");
    }
}
