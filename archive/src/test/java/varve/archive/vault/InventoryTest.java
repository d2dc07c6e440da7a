package varve.archive.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.block.RefusedException;
import varve.archive.format.Kind;
import varve.archive.hash.Hash;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

class InventoryTest {

    static final Instant NOW = Instant.parse("2026-11-20T02:00:00.123Z");

    static Inventory inventory(int vault, long generation, Random random) {
        List<Inventory.Other> others = new ArrayList<>();
        for (int other = 0; other < 4; other++) {
            if (other != vault && random.nextBoolean()) {
                Optional<Instant> seen = random.nextBoolean() ? Optional.of(NOW.plusSeconds(random.nextInt(100))) : Optional.empty();
                others.add(new Inventory.Other(new UUID(other, other), standing(random), seen, seen.map(time -> "/mnt/\"disk\\ " + time)));
            }
        }
        List<Inventory.Stock> stocks = new ArrayList<>();
        for (String volume : List.of("tools", "mail")) {
            List<Inventory.Held> archives = new ArrayList<>();
            for (int number = 1; number <= random.nextInt(5); number++) {
                Optional<Inventory.Proof> proof = random.nextInt(4) == 0 ? Optional.empty()
                        : Optional.of(new Inventory.Proof(NOW.minusSeconds(random.nextInt(9999)), Depth.STORED, Evidence.MEDIUM, random.nextBoolean()));
                archives.add(new Inventory.Held(volume + ".2026" + number, new Hash(number, 1, 2, 3), random.nextLong(1L << 40), Kind.DELTA, number, proof));
            }
            stocks.add(new Inventory.Stock(volume, new UUID(7, 7), archives));
        }
        return new Inventory(new UUID(vault, vault), generation, NOW, standing(random), random.nextBoolean(), others, stocks);
    }

    private static Standing standing(Random random) {
        return new Standing(
                random.nextBoolean() ? Optional.of("mönday " + random.nextInt(3)) : Optional.empty(),
                random.nextBoolean() ? Optional.of("safe B, shelf \"3\"") : Optional.empty(),
                Standing.State.values()[random.nextInt(4)],
                random.nextInt(5));
    }

    @Test
    void isReadAsItWasWritten() {
        Random random = new Random(1);
        for (int i = 0; i < 100; i++) {
            Inventory inventory = inventory(1, 1 + i, random);
            byte[] text = inventory.encode();
            assertEquals(inventory, Inventory.decode(text));
            assertArrayEquals(text, Inventory.decode(text).encode());
        }
    }

    @Test
    void anyByteThatChangesShows() {
        byte[] text = inventory(1, 3, new Random(2)).encode();
        for (int at = 0; at < text.length; at++) {
            for (int bit : new int[] {0, 5, 7}) {
                text[at] ^= (byte) (1 << bit);
                assertThrows(IllegalArgumentException.class, () -> Inventory.decode(text));
                text[at] ^= (byte) (1 << bit);
            }
        }
        Inventory.decode(text);
    }

    @Test
    void aPartOfItIsNone() {
        String text = new String(inventory(1, 3, new Random(3)).encode(), StandardCharsets.UTF_8);
        for (int size = 0; size < text.length(); size += 7) {
            byte[] part = text.substring(0, size).getBytes(StandardCharsets.UTF_8);
            assertThrows(IllegalArgumentException.class, () -> Inventory.decode(part));
        }
        List<String> lines = new ArrayList<>(text.lines().toList());
        lines.remove(1);
        assertThrows(IllegalArgumentException.class, () -> Inventory.decode((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void aLineWithoutAnEndIsRefusedBeforeMemoryIsFull() {
        byte[] text = new byte[10 << 20];
        Arrays.fill(text, (byte) '{');
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Inventory.decode(text)).getMessage().contains("line 1: longer than"));
    }

    @Test
    void theCheckIsWhatB3sumSaysOfTheLinesBefore() throws Exception {
        String text = new String(inventory(1, 3, new Random(4)).encode(), StandardCharsets.UTF_8);
        int last = text.lastIndexOf('\n', text.length() - 2) + 1;
        Optional<Tools.Output> b3sum = Tools.runWith(text.substring(0, last).getBytes(StandardCharsets.UTF_8), "b3sum", "--no-names", "-");
        Assumptions.assumeTrue(b3sum.isPresent(), "needs b3sum");
        assertEquals("{\"check\":\"" + b3sum.get().expectSuccess().text() + "\"}\n", text.substring(last));
    }

    // ---- the document

    /// {@return the indented block of a section of FORMAT.md}
    private static String example(String section) throws Exception {
        String page = Files.readString(TestFiles.root().resolve("../docs/FORMAT.md"));
        int start = page.indexOf("\n## " + section);
        int end = page.indexOf("\n## ", start + 1);
        return page.substring(start, end < 0 ? page.length() : end).lines()
                .filter(line -> line.startsWith("    "))
                .map(line -> line.substring(4) + "\n")
                .collect(Collectors.joining());
    }

    @Test
    void theExampleInTheDocumentIsOne() throws Exception {
        Inventory inventory = Inventory.decode(example("15.").getBytes(StandardCharsets.UTF_8));
        assertEquals(Instant.parse("2026-11-01T01:00:00Z").toEpochMilli() + 6, inventory.generation());
        assertEquals("home", inventory.others().getFirst().standing().label().orElseThrow());
        assertTrue(inventory.stock("example").orElseThrow().archives().getFirst().proved());
    }

    @Test
    void theMarkerInTheDocumentIsOne(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("varve-vault.json"), example("14."));
        Vault vault = Vault.open(folder);
        assertEquals("0e3f1a52-6d0c-4b8e-9b1c-7c1f5a2d9e10", vault.id().toString());
        assertEquals(new Standing(Optional.of("monday"), Optional.of("safe B, shelf 3"), Standing.State.AWAY, 2), vault.standing());
        assertTrue(vault.keeper());
        assertEquals(example("14."), new String(Marker.read(folder).encode(), StandardCharsets.UTF_8));
    }

    // ---- merging

    private static Inventories some(Random random) {
        List<Inventory> some = new ArrayList<>();
        for (int vault = 0; vault < 4; vault++) {
            if (random.nextInt(3) > 0) {
                long generation = 1 + random.nextInt(4);
                some.add(inventory(vault, generation, new Random(vault * 10L + generation))); // one text for each generation
            }
        }
        return Inventories.of(some);
    }

    @Test
    void itDoesNotMatterInWhichOrderOrHowOftenTheyAreMerged() throws Exception {
        long seed = Long.getLong("varve.test.seed", System.nanoTime());
        System.out.println("InventoryTest: -Dvarve.test.seed=" + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            Inventories a = some(random);
            Inventories b = some(random);
            Inventories c = some(random);
            assertEquals(a.merge(b), b.merge(a));
            assertEquals(a.merge(b).merge(c), a.merge(b.merge(c)));
            assertEquals(a, a.merge(a));
            assertEquals(a.merge(b), a.merge(b).merge(b).merge(a));
            List<Inventories> all = new ArrayList<>(List.of(a, b, c, b, a));
            Collections.shuffle(all, random);
            Inventories merged = Inventories.of(List.of());
            for (Inventories next : all) {
                merged = merged.merge(next);
            }
            assertEquals(a.merge(b).merge(c), merged);
            for (UUID vault : merged.vaults()) {
                assertEquals(a.merge(b).merge(c).standing(vault), merged.standing(vault));
            }
        }
    }

    @Test
    void theHigherGenerationHolds() throws Exception {
        Inventory old = inventory(1, 3, new Random(5));
        Inventory newer = inventory(1, 4, new Random(6));
        assertEquals(Optional.of(newer), Inventories.of(List.of(old)).merge(Inventories.of(List.of(newer))).of(new UUID(1, 1)));
    }

    @Test
    void twoThatClaimOneGenerationAreALoudError() {
        Inventories a = Inventories.of(List.of(inventory(1, 3, new Random(5))));
        Inventories b = Inventories.of(List.of(inventory(1, 3, new Random(6))));
        RefusedException e = assertThrows(RefusedException.class, () -> a.merge(b));
        assertTrue(e.getMessage().contains("two inventories of generation 3"), e::getMessage);
        assertThrows(RefusedException.class, () -> b.merge(a));
    }

    @Test
    void whatWasSaidLastOfAVaultHoldsWhereverItWasSaid() throws Exception {
        UUID vault = new UUID(1, 1);
        Standing away = Standing.NEW.labelled("monday").with(Standing.State.AWAY);
        Inventory own = new Inventory(vault, 9, NOW, away, true, List.of(), List.of());
        Inventory.Other said = new Inventory.Other(vault, away.with(Standing.State.RETIRED), Optional.empty(), Optional.empty());
        Inventory home = new Inventory(new UUID(2, 2), 1, NOW, Standing.NEW, false, List.of(said), List.of());
        assertEquals(Standing.State.AWAY, Inventories.of(List.of(own)).standing(vault).state());
        assertEquals(Standing.State.RETIRED, Inventories.of(List.of(own, home)).standing(vault).state());
        assertFalse(Inventories.of(List.of(own, home)).standing(vault).counts());
    }

    @Test
    void ofTwoThingsSaidApartTheGraverHolds() {
        Standing suspect = Standing.NEW.with(Standing.State.SUSPECT);
        Standing away = Standing.NEW.with(Standing.State.AWAY);
        assertEquals(suspect, Standing.newer(suspect, away));
        assertEquals(suspect, Standing.newer(away, suspect));
        assertEquals(away.with(Standing.State.ONLINE), Standing.newer(suspect, away.with(Standing.State.ONLINE)));
    }
}
