package varve.mounthelper;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.chain.BrokenChainException;
import varve.archive.format.CorruptException;
import varve.archive.vault.PointName;
import varve.archive.vault.Ranges;
import varve.archive.vault.Vault;
import varve.testdata.Damage;
import varve.testdata.Histories;
import varve.testdata.Images;
import varve.testdata.Tools;

/// Restores from damaged copies: each chunk from whichever vault has it whole; and salvages: what there is, and a map of what is missing.
final class SalvageTest {

    private static final int CHUNK = Scene.CHUNK;
    private static final int SIZE = 40 * CHUNK + 5000;

    @TempDir
    Path folder;

    private Scene scene;
    private byte[] first;
    private byte[] second;
    private Path target;
    private Path map;

    /// a full, and a delta with 10 blocks of chunk 3 and all of chunk 20; chunks 30 to 33 are zero
    @BeforeEach
    void archive() throws Exception {
        first = Images.noise(1, SIZE);
        Arrays.fill(first, 30 * CHUNK, 34 * CHUNK, (byte) 0);
        second = first.clone();
        System.arraycopy(Images.noise(2, 10 * Scene.BLOCK), 0, second, 3 * CHUNK, 10 * Scene.BLOCK);
        System.arraycopy(Images.noise(3, CHUNK), 0, second, 20 * CHUNK, CHUNK);
        scene = new Scene(folder).archive(first).archive(second);
        target = folder.resolve("t.img.salvaged");
        map = folder.resolve("t.map");
    }

    private Restoration.Outcome salvage(String point, Path... vaults) throws IOException {
        return restore(point, Optional.of(map), vaults);
    }

    private Restoration.Outcome restore(String point, Optional<Path> salvage, Path... vaults) throws IOException {
        try (Restoration restoration = open(point, salvage, vaults)) {
            return restoration.execute(Optional.of(target), bytes -> {});
        }
    }

    private Restoration open(String point, Optional<Path> salvage, Path... vaults) throws IOException {
        List<Vault> open = new ArrayList<>();
        for (Path vault : vaults.length == 0 ? new Path[] {scene.vault} : vaults) {
            open.add(Vault.open(vault));
        }
        return Restoration.open(open, PointName.parse(point), target, new RestoreOptions(false, 2, 0, false, salvage));
    }

    /// damages the frame of a chunk of the full: frames of noise are as long as chunks, but for some bytes
    private static void damageChunk(Path full, int chunk) throws IOException {
        Damage.flip(104 + chunk * (CHUNK + 10) + CHUNK / 2, 3).inflictOn(full);
    }

    private static Path in(Path vault, Path file) {
        return vault.resolve("tools").resolve(file.getFileName());
    }

    private static byte[] without(byte[] image, int... chunks) {
        byte[] rest = image.clone();
        for (int chunk : chunks) {
            Arrays.fill(rest, chunk * CHUNK, Math.min(rest.length, (chunk + 1) * CHUNK), (byte) 0);
        }
        return rest;
    }

    // ---- nothing is wrong

    @Test
    void withoutDamageASalvageIsARestore() throws Exception {
        Restoration.Outcome outcome = salvage("tools@latest");
        assertEquals(Ranges.NONE, outcome.missing());
        Scene.assertHolds(second, target);
        assertEquals(List.of("0x00000000  0x%08X  +".formatted(SIZE)), blocks());
    }

    private List<String> blocks() throws IOException {
        return Files.readAllLines(map).stream().filter(line -> !line.startsWith("#")).skip(1).toList();
    }

    // ---- several copies

    @Test
    void eachChunkComesFromWhicheverVaultHasItWhole() throws Exception {
        Path other = scene.copy();
        Path full = scene.data("full", 0);
        Path delta = scene.data("delta", 0);
        damageChunk(full, 7);
        damageChunk(in(other, full), 8);
        damageChunk(in(other, full), 3);
        Scene.damage(delta);
        assertThrows(CorruptException.class, () -> restore("tools@latest", Optional.empty()));
        assertThrows(CorruptException.class, () -> restore("tools@latest", Optional.empty(), other));
        try (Restoration restoration = open("tools@latest", Optional.empty(), scene.vault, other)) {
            restoration.execute(Optional.of(target), bytes -> {});
            assertEquals(List.of(full, delta), restoration.passedOver());
            assertEquals(List.of(), restoration.proofs(), "of a file that is not good throughout");
        }
        Scene.assertHolds(second, target);
    }

    @Test
    void wholeCopiesArePassedOverByNobody() throws Exception {
        Path other = scene.copy();
        Scene.damage(in(other, scene.data("full", 0)));
        try (Restoration restoration = open("tools@latest", Optional.empty(), scene.vault, other)) {
            restoration.execute(Optional.of(target), bytes -> {});
            assertEquals(List.of(), restoration.passedOver());
            assertEquals(2, restoration.proofs().size());
        }
    }

    @Test
    void aCopyThatIsCutOffIsPassedOver() throws Exception {
        Path other = scene.copy();
        Path full = scene.data("full", 0);
        Damage.truncate(1_000_000).inflictOn(full);
        Damage.zeroSector(2_000_000).inflictOn(in(other, full));
        assertThrows(CorruptException.class, () -> restore("tools@latest", Optional.empty(), scene.vault, other));
        Restoration.Outcome outcome = salvage("tools@latest", scene.vault, other); // chunk 34 is where neither has it
        assertEquals(Ranges.of(34L * CHUNK, 35L * CHUNK), outcome.missing());
        Scene.assertHolds(without(second, 34), target);
    }

    // ---- salvage

    @Test
    void whatIsMissingIsZerosAndInTheMap() throws Exception {
        Path full = scene.data("full", 0);
        damageChunk(full, 7);
        damageChunk(full, 8);
        damageChunk(full, 20); // which the delta has
        Restoration.Outcome outcome = salvage("tools@latest");
        assertEquals(Ranges.of(7L * CHUNK, 9L * CHUNK), outcome.missing());
        Scene.assertHolds(without(second, 7, 8), target);
        assertEquals(List.of(
                "0x00000000  0x00070000  +",
                "0x00070000  0x00020000  -",
                "0x00090000  0x%08X  +".formatted(SIZE - 9 * CHUNK)), blocks());
        assertFalse(Files.exists(folder.resolve("t.img")));
        Scene.assertNoStage(folder);
    }

    @Test
    void ddrescueReadsTheMap() throws Exception {
        Assumptions.assumeTrue(Tools.find("ddrescuelog").isPresent(), "needs ddrescuelog (package gddrescue)");
        damageChunk(scene.data("full", 0), 7);
        damageChunk(scene.data("full", 0), 27);
        salvage("tools@latest");
        String bad = Scene.run("ddrescuelog", "--list-blocks=-", "--block-size=65536", map.toString());
        assertEquals(List.of("7", "27"), bad.lines().toList());
        assertEquals(1, new ProcessBuilder("ddrescuelog", "--done-status", map.toString()).start().waitFor(), "it is not done");
    }

    @Test
    void ddrescueTakesAMapOfAWholeImageForDone() throws Exception {
        Assumptions.assumeTrue(Tools.find("ddrescuelog").isPresent(), "needs ddrescuelog (package gddrescue)");
        salvage("tools@latest");
        Scene.run("ddrescuelog", "--done-status", map.toString());
    }

    @Test
    void withoutADeltaItsChunksAreMissing() throws Exception {
        Files.delete(scene.data("delta", 0));
        assertThrows(BrokenChainException.class, () -> restore("tools@latest", Optional.empty()));
        Restoration.Outcome outcome = salvage("tools@latest");
        assertEquals(2L * CHUNK, outcome.missing().size());
        Scene.assertHolds(without(second, 3, 20), target);
    }

    @Test
    void aDataFileThatIsCutOffGivesWhatIsBefore() throws Exception {
        Damage.truncate(104 + 10 * (CHUNK + 10) + 77).inflictOn(scene.data("full", 0));
        Restoration.Outcome outcome = salvage("tools@latest");
        assertEquals(Ranges.union(List.of(new Ranges.Range(10L * CHUNK, 20L * CHUNK), new Ranges.Range(21L * CHUNK, 30L * CHUNK),
                new Ranges.Range(34L * CHUNK, SIZE))), outcome.missing());
        Scene.assertHolds(without(second, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 34, 35, 36, 37, 38, 39, 40), target);
    }

    @Test
    void whatAnotherPathHasIsNotMissing() throws Exception {
        scene.archive(first); // back to the state of the full, by a delta
        byte[] third = first.clone();
        third[35 * CHUNK]++;
        scene.archive(third).archive(first);
        damageChunk(scene.data("full", 0), 7);
        Files.delete(scene.data("delta", 0));
        Restoration.Outcome outcome = salvage("tools@latest");
        assertEquals(Ranges.of(7L * CHUNK, 8L * CHUNK), outcome.missing());
        Scene.assertHolds(without(first, 7), target);
    }

    @Test
    void whatTheTargetHoldsIsKept() throws Exception {
        damageChunk(scene.data("full", 0), 7);
        damageChunk(scene.data("full", 0), 9);
        Files.write(target, without(second, 9));
        try (Restoration restoration = Restoration.open(List.of(Vault.open(scene.vault)), PointName.parse("tools"), target,
                new RestoreOptions(true, 2, 0, false, Optional.of(map)))) {
            Restoration.Outcome outcome = restoration.execute(Optional.of(target), bytes -> {});
            assertEquals(Ranges.of(9L * CHUNK, 10L * CHUNK), outcome.missing());
        }
        Scene.assertHolds(without(second, 9), target);
    }

    @Test
    void whatIsMissingIsZeroWhateverWasThere() throws Exception {
        damageChunk(scene.data("full", 0), 7);
        Files.write(target, Images.noise(9, SIZE));
        try (Restoration restoration = Restoration.open(List.of(Vault.open(scene.vault)), PointName.parse("tools"), target,
                new RestoreOptions(true, 2, 0, false, Optional.of(map)))) {
            restoration.execute(Optional.of(target), bytes -> {});
        }
        Scene.assertHolds(without(second, 7), target);
    }

    @Test
    void withoutTablesThereIsNothingToGoBy() throws Exception {
        Path full = scene.data("full", 0);
        Path index = full.resolveSibling(full.getFileName().toString().replace(".zst", ".index"));
        Damage.flip(100, 1).inflictOn(index);
        Damage.flip((int) Files.size(full) - 1000, 1).inflictOn(full);
        assertThrows(CorruptException.class, () -> salvage("tools@latest"));
        assertFalse(Files.exists(target));
        assertFalse(Files.exists(map));
    }

    static Stream<Long> seeds() {
        return Histories.seeds(12).stream();
    }

    /// What is given out is right, and what a whole copy has is not missing.
    @ParameterizedTest
    @MethodSource("seeds")
    void noWrongByteEverComesBack(long seed) throws Exception {
        Random random = new Random(seed);
        Path other = scene.copy();
        for (Path file : List.of(scene.data("full", 0), scene.data("delta", 0))) {
            for (int i = 1 + random.nextInt(4); i > 0 && Files.size(file) >= 2; i--) {
                Damage.random(random.nextLong(), (int) Files.size(file), 1).toList().getFirst().inflictOn(file);
            }
        }
        Restoration.Outcome outcome = salvage("tools@latest");
        byte[] found = Files.readAllBytes(target);
        byte[] expected = second.clone();
        for (Ranges.Range range : outcome.missing().list()) {
            Arrays.fill(expected, (int) range.from(), (int) range.to(), (byte) 0);
        }
        assertArrayEquals(expected, found);
        if (outcome.missing().isEmpty()) {
            restore("tools@latest", Optional.empty());
        } else {
            assertThrows(IOException.class, () -> restore("tools@latest", Optional.empty()));
        }
        assertEquals(Ranges.NONE, salvage("tools@latest", scene.vault, other).missing());
        Scene.assertHolds(second, target);
    }
}
