package varve.archive.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import varve.archive.format.Manifest;
import varve.testdata.Histories;
import varve.testdata.TestFiles;

/// What receipts say of each byte of a file: the last that was found counts, and less is believed rather than more.
class ProofsTest {

    private static final UUID VAULT = UUID.fromString("0e3f1a52-6d0c-4b8e-9b1c-7c1f5a2d9e10");
    private static final Instant START = Instant.parse("2026-11-01T02:00:00Z");
    private static final Instant NOW = START.plus(Duration.ofDays(1000));

    private Manifest manifest;
    private int size;
    private final List<Receipt> receipts = new ArrayList<>();

    @BeforeEach
    void read() throws IOException {
        Path file = TestFiles.root().resolve("golden/example/example.20261101T020000.123Z.full.json");
        manifest = Manifest.decode(Files.readAllBytes(file), "example");
        size = (int) manifest.file().size();
    }

    private ProofsTest say(Receipt.What what, UUID vault, int day, Depth depth, Evidence evidence, Ranges proved, Ranges damaged) {
        Receipt.Result result = damaged.isEmpty() ? Receipt.Result.OK : Receipt.Result.DAMAGED;
        Receipt.Act act = Receipt.begin(what, new Vault(Path.of("x"), vault, Standing.NEW, false), "example", "x", InstantSource.fixed(day(day)))
                .act(depth, evidence, result, List.of(Receipt.Proof.of(manifest, depth, result, proved, damaged)), List.of(), List.of());
        receipts.add(new Receipt(receipts.size() + 1, Optional.empty(), Optional.empty(), act));
        return this;
    }

    private ProofsTest verify(int day, Depth depth, Ranges proved, Ranges damaged) {
        return say(Receipt.What.VERIFY, VAULT, day, depth, Evidence.MEDIUM, proved, damaged);
    }

    private static Instant day(int day) {
        return START.plus(Duration.ofDays(day));
    }

    private Ranges all() {
        return Ranges.of(0, size);
    }

    private Proofs.Last last() {
        return Proofs.of(VAULT, receipts, NOW).last(manifest);
    }

    @Test
    void whatWasNeverLookedAtIsNotProved() {
        assertFalse(last().good());
        assertEquals(Optional.empty(), last().time());
        assertEquals(0, last().proved());
        assertEquals(0, last().damaged());
    }

    @Test
    void archiveThatWasReadBackIsProved() {
        say(Receipt.What.ARCHIVE, VAULT, 1, Depth.STORED, Evidence.MEDIUM, all(), Ranges.NONE);
        assertEquals(new Proofs.Last(Optional.of(day(1)), Depth.STORED, Evidence.MEDIUM, size, 0), last());
        assertTrue(last().good());
    }

    @Test
    void fileIsAsOldAsItsOldestByte() {
        verify(1, Depth.CONTENT, all(), Ranges.NONE).verify(5, Depth.CONTENT, Ranges.of(0, size - 1), Ranges.NONE);
        assertEquals(Optional.of(day(1)), last().time());
        verify(6, Depth.CONTENT, Ranges.of(size - 1, size), Ranges.NONE);
        assertEquals(Optional.of(day(5)), last().time());
    }

    @Test
    void laterDamageTakesThePlaceOfAProofAndALaterProofThatOfDamage() {
        verify(1, Depth.STORED, all(), Ranges.NONE).verify(2, Depth.STORED, Ranges.of(0, 10), Ranges.of(10, 20));
        assertFalse(last().good());
        assertEquals(10, last().damaged());
        assertEquals(size - 10, last().proved());
        say(Receipt.What.HEAL, VAULT, 3, Depth.STORED, Evidence.CACHE, Ranges.of(10, 20), Ranges.NONE);
        assertTrue(last().good());
        assertEquals(Evidence.CACHE, last().evidence());
    }

    @Test
    void damageWithoutAPlaceIsTheWholeFile() {
        verify(1, Depth.STORED, all(), Ranges.NONE);
        Receipt.Proof lost = Receipt.Proof.of(manifest, Depth.STRUCTURE, Receipt.Result.DAMAGED, Ranges.NONE, Ranges.NONE);
        assertEquals(all(), lost.damaged());
        verify(2, Depth.STRUCTURE, Ranges.NONE, lost.damaged());
        assertEquals(size, last().damaged());
    }

    @Test
    void structureARestoreAndAnotherVaultProveNoBytes() {
        verify(1, Depth.STRUCTURE, Ranges.NONE, Ranges.NONE);
        say(Receipt.What.RESTORE, VAULT, 1, Depth.CONTENT, Evidence.CACHE, all(), Ranges.NONE);
        say(Receipt.What.VERIFY, new UUID(0, 7), 1, Depth.CONTENT, Evidence.MEDIUM, all(), Ranges.NONE);
        assertEquals(0, last().proved());
    }

    @Test
    void proofsOfTheFutureDoNotCount() {
        verify(1001, Depth.CONTENT, all(), Ranges.NONE);
        assertEquals(0, last().proved());
        assertTrue(Proofs.of(VAULT, receipts, day(1001)).last(manifest).good());
    }

    @Test
    void shallowProofsDoNotCountWhereDeepOnesAreAskedForButTheyEndDamage() {
        verify(1, Depth.CONTENT, all(), Ranges.NONE).verify(2, Depth.STORED, all(), Ranges.NONE);
        Proofs content = new Proofs(VAULT, NOW, Depth.CONTENT);
        receipts.forEach(receipt -> content.add(receipt.act()));
        assertEquals(Optional.of(day(1)), content.last(manifest).time());
        assertEquals(Optional.of(day(2)), last().time());
        verify(3, Depth.STORED, Ranges.NONE, Ranges.of(5, 9)).verify(4, Depth.STORED, all(), Ranges.NONE);
        Proofs again = new Proofs(VAULT, NOW, Depth.CONTENT);
        receipts.forEach(receipt -> again.add(receipt.act()));
        assertEquals(0, again.last(manifest).damaged());
        assertEquals(size - 4, again.last(manifest).proved());
    }

    @Test
    void everyByteHasTheFateOfItsLastProof() {
        for (long seed : Histories.seeds(30)) {
            Random random = new Random(seed);
            receipts.clear();
            int[] days = new int[size];
            boolean[] good = new boolean[size];
            for (int day = 1; day <= 12; day++) {
                int from = random.nextInt(size);
                int middle = from + random.nextInt(size - from);
                int to = middle + random.nextInt(size - middle + 1);
                Ranges proved = Ranges.of(from, middle);
                Ranges damaged = Ranges.of(middle, to);
                if (proved.isEmpty() && damaged.isEmpty()) {
                    continue;
                }
                verify(day, Depth.STORED, proved, damaged);
                for (int i = from; i < to; i++) {
                    days[i] = day;
                    good[i] = i < middle;
                }
            }
            long at = 0;
            for (Proofs.Piece piece : Proofs.of(VAULT, receipts, NOW).pieces(manifest)) {
                assertEquals(at, piece.from(), "seed " + seed);
                for (long i = piece.from(); i < piece.to(); i++) {
                    assertEquals(days[(int) i] == 0 ? Optional.empty() : Optional.of(day(days[(int) i])), piece.time(), "seed " + seed);
                    assertEquals(good[(int) i], piece.good(), "seed " + seed);
                }
                at = piece.to();
            }
            assertEquals(size, at);
        }
    }
}
