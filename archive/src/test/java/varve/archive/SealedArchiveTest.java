package varve.archive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.block.FileDevice;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.file.ArchiveWriter;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Header;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.format.Rule;
import varve.archive.format.State;
import varve.archive.seal.AgeHeader;
import varve.archive.seal.KeyFiles;
import varve.archive.seal.Keys;
import varve.archive.seal.Recipient;
import varve.archive.seal.TestPassphrases;
import varve.archive.seal.WrongKeyException;
import varve.archive.vault.SealedFor;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeSettings;
import varve.testdata.Tools;

/// Archives that are sealed: who can read them, and what those can do who cannot.
class SealedArchiveTest {

    private static final int CHUNK_LOG = 16;
    private static final int CHUNK = 1 << CHUNK_LOG;

    /// what the first check that notices says
    private static final Set<Rule> DAMAGED = Set.of(Rule.F002, Rule.F038, Rule.F047, Rule.F048);

    @TempDir
    private Path folder;

    private final List<String> warnings = new ArrayList<>();

    @Test
    void ageAndZstdAloneRestoreAFullForEachKindOfKey() throws Exception {
        byte[] device = device(1);
        for (String kind : List.of("age", "ed25519", "rsa")) {
            Path key = key(kind);
            List<Recipient> recipients = KeyFiles.recipients(Path.of(key + ".pub"));
            Manifest manifest = archive(vault(kind, Keys.NONE), device, recipients);
            assertTrue(manifest.dataName().endsWith(".full.zst.age"), manifest.dataName());
            byte[] zst = run("age", "-d", "-i", key, folder.resolve(kind).resolve("tools").resolve(manifest.dataName()));
            assertEquals(manifest.contentSize(), zst.length);
            byte[] found = Tools.runWith(zst, "zstd", "-dcq").orElseThrow().expectSuccess().bytes();
            assertArrayEquals(device, found);
            assertArrayEquals(device, read(vault(kind, TestKeys.of(key)), 0));
            assertEquals(manifest.state().root().toString(), new String(Tools.runWith(found, "b3sum", "--no-names").orElseThrow().bytes()).strip());
        }
    }

    @Test
    void aPassphraseServesAsWell() throws Exception {
        Keys secret = new Keys(List.of(), (what, anew) -> Optional.of(TestPassphrases.quick("open sesame")));
        Vault vault = vault("vault", secret);
        byte[] device = device(2);
        archive(vault, device, List.of(secret.passphraseToSeal()));
        device[0] ^= 1;
        Manifest second = archive(vault, device, List.of()); // which is asked for again
        assertEquals(List.of("passphrase"), second.seal().orElseThrow().recipients());
        assertEquals(4096, second.changedSize()); // and reads the parent
        assertArrayEquals(device, read(vault, 1));
        Keys wrong = new Keys(List.of(), (what, anew) -> Optional.of(TestPassphrases.quick("open barley")));
        assertThrows(WrongKeyException.class, () -> read(vault("vault", wrong), 1));
        assertThrows(WrongKeyException.class, () -> read(vault("vault", Keys.NONE), 1));
    }

    @Test
    void aHostThatCannotReadMakesDeltasOfWholeChunks() throws Exception {
        Vault blind = vault("vault", Keys.NONE);
        byte[] device = device(3);
        archive(blind, device, TestKeys.recipients());
        device[5 * CHUNK] ^= 1;
        Manifest delta = archive(blind, device, List.of());
        assertEquals(Kind.DELTA, delta.kind());
        assertEquals(CHUNK, delta.changedSize());
        assertEquals(TestKeys.recipients().getFirst().text(), String.join("", delta.seal().orElseThrow().recipients()));
        assertEquals(List.of(), warnings);
        assertThrows(WrongKeyException.class, () -> read(blind, 1));
        assertArrayEquals(device, read(vault("vault", TestKeys.secret()), 1));
        device[5 * CHUNK] ^= 1;
        assertEquals(4096, archive(vault("vault", TestKeys.secret()), device, List.of()).changedSize());
    }

    @Test
    void aKeyThatIsGivenAndDoesNotFitIsAnErrorAndNotPassedOver() throws Exception {
        Vault blind = vault("vault", Keys.NONE);
        byte[] device = device(4);
        archive(blind, device, TestKeys.recipients());
        device[0] ^= 1;
        Path other = key("age");
        Vault wrong = vault("vault", TestKeys.of(other));
        WrongKeyException e = assertThrows(WrongKeyException.class, () -> archive(wrong, device, List.of()));
        assertTrue(e.getMessage().contains(other.toString()) && e.getMessage().contains("1 key (X25519)"), e.getMessage());
        assertThrows(WrongKeyException.class, () -> read(wrong, 0));
        assertThrows(WrongKeyException.class, () -> read(vault("vault", TestKeys.of(folder.resolve("gone"))), 0));
        assertEquals(1, blind.volume("tools").read().sound().points().size());
    }

    @Test
    void aVolumeThatWasSealedOnceIsNeverContinuedInTheClear() throws Exception {
        Vault blind = vault("vault", Keys.NONE);
        byte[] device = device(5);
        archive(blind, device, TestKeys.recipients());
        Files.delete(blind.volume("tools").folder().resolve(VolumeSettings.FILE)); // as if the run had died before it was written
        device[0] ^= 1;
        assertTrue(archive(blind, device, List.of()).seal().isPresent());
        List<Recipient> others = KeyFiles.recipients(Path.of(key("age") + ".pub"));
        device[0] ^= 1;
        assertEquals(List.of(others.getFirst().text()), archive(blind, device, others).seal().orElseThrow().recipients());
        assertTrue(warnings.getLast().contains("other keys"), warnings::toString);
        device[0] ^= 1;
        assertEquals(List.of(others.getFirst().text()), archive(blind, device, List.of()).seal().orElseThrow().recipients());
        Volume volume = blind.volume("tools");
        assertEquals(new SealedFor(List.of(others.getFirst().text())), SealedFor.of(volume, volume.read().sound()));
    }

    @Test
    void aFlippedByteIsNeverGivenOut() throws Exception {
        Vault vault = vault("vault", TestKeys.secret());
        byte[] device = device(6);
        archive(vault, device, TestKeys.recipients());
        Path data = vault.volume("tools").read().sound().archives().getFirst().data();
        byte[] good = Files.readAllBytes(data);
        int header = AgeHeader.decode(good).size();
        Random random = new Random(6);
        for (int i = 0; i < header + 150; i += 5) {
            int at = i < header ? i : header + random.nextInt(good.length - header);
            byte[] flipped = good.clone();
            flipped[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(data, flipped);
            try {
                byte[] found = read(vault("vault", TestKeys.secret()), 0);
                // the tables are read from their file beside: what was not read may be damaged
                assertArrayEquals(device, found, "byte " + at);
                assertTrue(at >= header + 16, "byte " + at + " of the header");
            } catch (CorruptException e) {
                assertTrue(DAMAGED.contains(e.rule()), e.getMessage());
            } catch (WrongKeyException e) {
                assertTrue(at < header, e.getMessage());
            }
        }
        Files.write(data, good);
        assertArrayEquals(device, read(vault("vault", TestKeys.secret()), 0));
    }

    @Test
    void anotherHeaderSwappedChunksAndAMissingEndAreRefused() throws Exception {
        Vault vault = vault("vault", TestKeys.secret());
        byte[] device = noise(4 * CHUNK, 7);
        archive(vault, device, TestKeys.recipients());
        Path data = vault.volume("tools").read().sound().archives().getFirst().data();
        byte[] good = Files.readAllBytes(data);
        archive(vault("other", TestKeys.secret()), device, TestKeys.recipients());
        byte[] other = Files.readAllBytes(vault("other", Keys.NONE).volume("tools").read().sound().archives().getFirst().data());
        int header = AgeHeader.decode(good).size();

        byte[] foreign = good.clone();
        System.arraycopy(other, 0, foreign, 0, header);
        refused(data, foreign);
        byte[] swapped = good.clone();
        System.arraycopy(good, header + 16, swapped, header + 16 + 65552, 65552);
        System.arraycopy(good, header + 16 + 65552, swapped, header + 16, 65552);
        refused(data, swapped);
        refused(data, Arrays.copyOf(good, good.length - 1));
        refused(data, Arrays.copyOf(good, header + 16 + 65552));
        refused(data, new byte[0]);
        Files.write(data, good);
        assertArrayEquals(device, read(vault, 0));
    }

    private void refused(Path data, byte[] content) throws IOException {
        Files.write(data, content);
        CorruptException e = assertThrows(CorruptException.class, () -> read(vault("vault", TestKeys.secret()), 0));
        assertTrue(DAMAGED.contains(e.rule()), e.getMessage());
    }

    @Test
    void theTablesComeOutOfTheSealedFileIfTheirCopyIsGone() throws Exception {
        Vault vault = vault("vault", TestKeys.secret());
        byte[] device = device(8);
        archive(vault, device, TestKeys.recipients());
        StoredArchive archive = vault.volume("tools").read().sound().archives().getFirst();
        Files.delete(archive.index());
        assertArrayEquals(device, read(vault, 0));
        assertThrows(WrongKeyException.class, () -> read(vault("vault", Keys.NONE), 0));
    }

    @Test
    void whatIsDamagedInOneVaultIsReadFromAnother() throws Exception {
        Vault vault = vault("vault", TestKeys.secret());
        byte[] device = noise(40 * CHUNK, 9);
        archive(vault, device, TestKeys.recipients());
        StoredArchive archive = vault.volume("tools").read().sound().archives().getFirst();
        Path second = folder.resolve("second");
        Files.createDirectory(second);
        for (Path file : List.of(archive.data(), archive.index(), archive.tree(), archive.manifestFile())) {
            Files.copy(file, second.resolve(file.getFileName()));
        }
        flip(archive.data(), 20 * CHUNK);
        flip(second.resolve(archive.data().getFileName()), 10);
        try (ChainImage image = new ChainImage(Chain.open(List.of(archive.with(second))))) {
            assertArrayEquals(device, read(image));
        }
        assertThrows(CorruptException.class, () -> read(vault, 0));
    }

    @Test
    void anInterruptedRunLeavesNothingThatIsUsed() throws Exception {
        Vault vault = vault("vault", TestKeys.secret());
        Path tools = vault.volume("tools").folder();
        Files.createDirectories(tools);
        byte[] device = noise(30 * CHUNK, 10);
        Header header = new Header(Kind.FULL, CHUNK_LOG, java.util.UUID.randomUUID(), State.NOTHING);
        try (ArchiveWriter writer = new ArchiveWriter(tools, header, varve.archive.file.Signer.NONE, TestKeys.recipients());
                Arena arena = Arena.ofConfined()) {
            writer.frame(arena.allocate(3 << 20), 3 << 20); // and dies
        }
        assertTrue(Files.exists(tools.resolve(".varve-stage.data")));
        Manifest manifest = archive(vault, device, TestKeys.recipients());
        assertEquals(Files.size(tools.resolve(manifest.dataName())), manifest.file().size());
        assertFalse(Files.exists(tools.resolve(".varve-stage.data")));
        assertArrayEquals(device, read(vault, 0));
    }

    // ---- the scene

    private static byte[] device(int seed) {
        byte[] device = noise(12 * CHUNK + 99, seed);
        Arrays.fill(device, 3 * CHUNK, 5 * CHUNK, (byte) 0);
        return device;
    }

    private static byte[] noise(int size, int seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static void flip(Path file, long position) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) position] ^= 1;
        Files.write(file, bytes, StandardOpenOption.TRUNCATE_EXISTING);
    }

    private Vault vault(String name, Keys keys) throws IOException {
        return Vault.openOrCreate(folder.resolve(name)).with(keys);
    }

    private Manifest archive(Vault vault, byte[] device, List<Recipient> recipients) throws Exception {
        Path image = Files.write(folder.resolve("device.img"), device);
        ArchiveOptions options = new ArchiveOptions(false, 1, OptionalInt.of(CHUNK_LOG), 2, 0, false, Optional.empty(), false).with(recipients);
        try (FileDevice source = FileDevice.open(image)) {
            return new Archiver(vault, "tools", options, InstantSource.system(), _ -> {}, warnings::add)
                    .archive(source, Duration.ZERO).manifest().orElseThrow();
        }
    }

    private static byte[] read(Vault vault, int point) throws IOException {
        var history = vault.volume("tools").read().sound();
        try (ChainImage image = new ChainImage(Chain.open(history.path(history.points().get(point).state(), StoredArchive::dataAtHand).orElseThrow()))) {
            return read(image);
        }
    }

    private static byte[] read(ChainImage image) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment bytes = arena.allocate(image.size(), 8);
            image.read(0, bytes);
            return bytes.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private Path key(String kind) throws IOException {
        Path key = folder.resolve("key-" + kind);
        if (kind.equals("age")) {
            run("age-keygen", "-o", key);
            Files.write(Path.of(key + ".pub"), run("age-keygen", "-y", key));
        } else {
            run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", key);
        }
        return key;
    }

    private static byte[] run(Object... command) throws IOException {
        Optional<Tools.Output> output = Tools.run(command);
        assumeTrue(output.isPresent(), "needs " + command[0]);
        return output.get().expectSuccess().bytes();
    }
}
