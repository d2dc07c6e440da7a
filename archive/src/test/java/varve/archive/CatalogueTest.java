package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static varve.archive.VaultScene.VOLUME;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.archive.file.StoredArchive;
import varve.archive.vault.Vault;

/// Catalogues that are lost, made again, set back, and brought together with those that lived on.
class CatalogueTest {

    @TempDir
    Path folder;

    private VaultScene scene;
    private Path home;
    private Path monday;
    private Path friday;

    @BeforeEach
    void make() throws Exception {
        scene = new VaultScene(folder, 5);
        home = scene.home;
        monday = scene.disk("monday");
        friday = scene.disk("friday");
        scene.archive();
        scene.copy(monday).copy(friday);
        scene.archive();
        scene.copy(monday);
    }

    /// {@return the generation that a vault knows of another}
    private long generation(Path vault, Path of) throws IOException {
        UUID id = Vault.open(of).id();
        return scene.catalogue(vault).inventory(id).orElseThrow().generation();
    }

    private static void loseCatalogue(Path vault) throws IOException {
        VaultScene.delete(vault.resolve("varve-catalogue"));
    }

    private void rebuild(Object... vaults) {
        scene.expect(ExitCode.OK, Stream.concat(Stream.of("catalogue", "rebuild"), Stream.of(vaults)).toArray());
        assertEquals("", scene.err);
    }

    @Test
    void anInventoryMadeAgainIsAboveAllThatOthersHaveSeen() throws Exception {
        long seen = generation(home, monday);
        loseCatalogue(monday);
        rebuild(monday);
        assertTrue(generation(monday, monday) > seen);
        assertEquals(List.of(3, 2), scene.copies(home, monday), "without a warning");
        scene.copy(monday);
        assertEquals("", scene.err.lines().filter(line -> line.contains("warning")).findAny().orElse(""));
        assertEquals(generation(monday, monday), generation(home, monday));
    }

    @Test
    void aWitnessWhoHasSeenLessThanOthersIsNoDanger() throws Exception {
        scene.expect(ExitCode.OK, "catalogue", "merge", friday, monday);
        scene.archive();
        scene.copy(monday);
        long seen = generation(home, monday);
        assertTrue(generation(friday, monday) < seen);
        loseCatalogue(monday);
        rebuild(monday, "--vault", friday);
        assertTrue(generation(friday, monday) > seen);
        assertEquals(List.of(3, 2, 2), scene.copies(home, monday, friday), "without a warning");
    }

    @Test
    void damageOfAnInventoryIsMendedLikeItsLoss() throws Exception {
        long seen = generation(home, monday);
        VaultScene.damage(monday.resolve("varve-catalogue").resolve(Vault.open(monday).id() + ".jsonl"));
        scene.expect(ExitCode.OK, "catalogue", "rebuild", monday);
        assertTrue(scene.err.contains("not used"), scene.err);
        assertTrue(generation(monday, monday) > seen);
        assertEquals(List.of(3, 2), scene.copies(home, monday));
    }

    @Test
    void aDiskThatWasSetBackIsFoundOutAndMended() throws Exception {
        Path aside = folder.resolve("aside");
        Files.move(monday.resolve("varve-catalogue"), aside);
        rebuild(monday, home);
        long seen = generation(home, monday);
        Path own = monday.resolve("varve-catalogue").resolve(Vault.open(monday).id() + ".jsonl");
        byte[] before = Files.readAllBytes(own);
        scene.expect(ExitCode.OK, "vault", "set", monday, "--place", "safe A", "--vault", home);
        Files.write(own, before);
        Path shelf = folder.resolve("shelf");
        Files.move(home, shelf); // out of reach
        scene.expect(ExitCode.OK, "vault", "set", monday, "--place", "safe B");
        Files.move(shelf, home);
        assertEquals(seen + 1, generation(monday, monday));
        ExitCode code = scene.run("vault", "list", "--vault", home, "--vault", monday);
        assertEquals(ExitCode.OK, code);
        assertTrue(scene.err.contains("two inventories of generation " + (seen + 1)), scene.err);
        scene.expect(ExitCode.OK, "catalogue", "rebuild", monday, "--vault", home);
        rebuild(monday, "--vault", home);
        assertTrue(generation(home, monday) > seen + 1);
    }

    @Test
    void everythingComesBackFromTheMediaAlone() throws Exception {
        for (Path vault : List.of(home, monday, friday)) {
            loseCatalogue(vault);
            for (StoredArchive archive : scene.history(vault).archives()) {
                Files.deleteIfExists(archive.index());
                Files.deleteIfExists(archive.tree());
            }
        }
        rebuild(home, monday, friday);
        assertEquals(List.of(3, 2), scene.copies(home));
        assertEquals(List.of(3, 2), scene.copies(friday));
        for (Path vault : List.of(home, monday, friday)) {
            for (StoredArchive archive : scene.history(vault).archives()) {
                assertTrue(archive.indexAtHand());
                assertEquals(archive.dataAtHand(), Files.exists(archive.tree()));
            }
        }
        scene.expect(ExitCode.OK, "evict", VOLUME, "--vault", home, "--min-copies", "1");
        assertEquals(List.of(1L, 2L), scene.restorable(home, monday));
        scene.archive();
    }

    @Test
    void aSecondRebuildChangesNothing() throws Exception {
        rebuild(home, monday, friday);
        long before = generation(home, monday);
        long again;
        rebuild(home, monday, friday);
        again = generation(home, monday);
        assertTrue(again == before || again == before + 1, "it was seen again, and no more"); // `seen` has the time
    }
}
