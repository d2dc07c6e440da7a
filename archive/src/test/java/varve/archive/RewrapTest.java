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
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.block.FileDevice;
import varve.archive.block.RefusedException;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.chain.History;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.seal.AgeHeader;
import varve.archive.seal.KeyFiles;
import varve.archive.seal.Keys;
import varve.archive.seal.Recipient;
import varve.archive.seal.WrongKeyException;
import varve.archive.sign.SecretKey;
import varve.archive.sign.Signing;
import varve.archive.sign.Trust;
import varve.archive.vault.Receipts;
import varve.archive.vault.SealedFor;
import varve.archive.vault.Signatures;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.testdata.Tools;

/// Archives that are sealed for others than before.
class RewrapTest {

    private static final int CHUNK_LOG = 16;

    @TempDir
    private Path folder;

    private final byte[] device = new byte[40 << CHUNK_LOG];
    private Path other;
    private List<Recipient> another;
    private Signing signing = Signing.NONE;

    @BeforeEach
    void archiveTwoPoints() throws Exception {
        other = folder.resolve("other");
        assumeTrue(Tools.run("age-keygen", "-o", other).isPresent(), "needs age-keygen");
        another = List.of(KeyFiles.identities(other, (what, anew) -> Optional.empty()).getFirst().recipient());
        new Random(1).nextBytes(device);
        archive(TestKeys.recipients());
        device[0] ^= 1;
        archive(List.of());
    }

    @Test
    void addedKeysOpenEverythingAndRemovedOnesNothing() throws Exception {
        List<byte[]> payloads = payloads();
        List<StoredArchive> before = volume(Keys.NONE).read().sound().archives();
        Rewrapping.Plan plan = rewrap(TestKeys.secret(), another, List.of());
        assertEquals(2, plan.archives().size());
        assertArrayEquals(device, read(TestKeys.of(other)));
        assertArrayEquals(device, read(TestKeys.secret()));
        rewrap(TestKeys.of(other), List.of(), TestKeys.recipients());
        assertArrayEquals(device, read(TestKeys.of(other)));
        assertThrows(WrongKeyException.class, () -> read(TestKeys.secret()));

        History history = volume(Keys.NONE).read().sound();
        assertEquals(2, history.archives().size());
        for (int i = 0; i < 2; i++) {
            assertArrayEquals(payloads.get(i), payloads().get(i), "the payload is the same");
            assertTrue(history.archives().get(i).manifest().derived());
            assertEquals(before.get(i).manifest().originalHash(), history.archives().get(i).manifest().originalHash());
            assertFalse(Files.exists(before.get(i).data()));
        }
        assertEquals(new SealedFor(List.of(another.getFirst().text())), SealedFor.of(volume(Keys.NONE), history));
        assertEquals(List.of(), new Receipts(volume(Keys.NONE)).read().problems());
        device[1] ^= 1;
        archive(List.of());
        assertArrayEquals(device, read(TestKeys.of(other)));
    }

    @Test
    void withoutAKeyNothingChanges() throws Exception {
        List<byte[]> payloads = payloads();
        for (Keys keys : List.of(Keys.NONE, TestKeys.of(other))) {
            assertThrows(WrongKeyException.class, () -> rewrap(keys, another, List.of()));
        }
        assertThrows(RefusedException.class, () -> rewrap(TestKeys.secret(), List.of(), TestKeys.recipients()), "nobody would be left");
        assertThrows(RefusedException.class, () -> rewrap(TestKeys.secret(), List.of(), another), "it is not sealed for that");
        assertEquals(TestKeys.recipients().getFirst().text(), SealedFor.of(volume(Keys.NONE), volume(Keys.NONE).read().sound()).texts().getFirst());
        for (int i = 0; i < 2; i++) {
            assertArrayEquals(payloads.get(i), payloads().get(i));
        }
        assertArrayEquals(device, read(TestKeys.secret()));
    }

    @Test
    void whatIsDamagedIsNotTakenOver() throws Exception {
        StoredArchive full = volume(Keys.NONE).read().sound().archives().getFirst();
        byte[] bytes = Files.readAllBytes(full.data());
        bytes[bytes.length / 2] ^= 1;
        Files.write(full.data(), bytes);
        assertThrows(CorruptException.class, () -> rewrap(TestKeys.secret(), another, List.of()));
        assertTrue(Files.exists(full.data()));
        bytes[bytes.length / 2] ^= 1;
        Files.write(full.data(), bytes);
        rewrap(TestKeys.secret(), List.of(), List.of()); // goes on where that one stopped
        assertArrayEquals(device, read(TestKeys.of(other)));
    }

    @Test
    void aRunThatDiedBeforeTheOldArchiveWentIsFinished() throws Exception {
        StoredArchive full = volume(Keys.NONE).read().sound().archives().getFirst();
        Path aside = Files.createDirectory(folder.resolve("aside"));
        List<Path> files = List.of(full.data(), full.index(), full.tree(), full.manifestFile());
        for (Path file : files) {
            Files.copy(file, aside.resolve(file.getFileName()));
        }
        rewrap(TestKeys.secret(), another, List.of());
        for (Path file : files) {
            Files.copy(aside.resolve(file.getFileName()), file);
        }
        assertEquals(3, volume(Keys.NONE).read().sound().archives().size());
        rewrap(TestKeys.secret(), List.of(), List.of());
        assertEquals(2, volume(Keys.NONE).read().sound().archives().size());
        assertArrayEquals(device, read(TestKeys.of(other)));
    }

    @Test
    void aSignedVolumeStaysSigned() throws Exception {
        SecretKey key = SecretKey.generate(new SecureRandom());
        Path file = Files.write(folder.resolve("sign.key"), key.file(Optional.empty(), new SecureRandom()));
        Trust trust = new Trust(List.of(new Trust.Entry("tools", key.publicKey())));
        assertEquals(2, Signatures.of(volume(Keys.NONE)).signAll(key, Instant.now(), false));

        signing = new Signing(trust, Optional.empty(), Optional::empty);
        assertThrows(RefusedException.class, () -> rewrap(TestKeys.secret(), another, List.of()), "nothing to sign with");
        signing = new Signing(trust, Optional.of(file), Optional::empty);
        rewrap(TestKeys.secret(), another, List.of());
        Signatures signatures = Signatures.of(volume(Keys.NONE));
        assertEquals(List.of(), signatures.misfits(new Receipts(volume(Keys.NONE)).read()));
        History history = volume(Keys.NONE).read().sound();
        assertEquals(
                history.archives().stream().map(archive -> archive.manifest().baseName() + ".json").toList(),
                List.copyOf(signatures.head().orElseThrow().manifests().keySet()));
        assertArrayEquals(device, read(TestKeys.of(other)));
        device[1] ^= 1;
        archive(List.of());
        assertEquals(3, Signatures.of(volume(Keys.NONE)).head().orElseThrow().manifests().size());
    }

    // ---- the scene

    private Volume volume(Keys keys) throws IOException {
        return vault(keys).volume("tools");
    }

    private Vault vault(Keys keys) throws IOException {
        return Vault.openOrCreate(folder.resolve("vault")).with(keys).with(signing);
    }

    private List<byte[]> payloads() throws IOException {
        List<byte[]> payloads = new java.util.ArrayList<>();
        for (StoredArchive archive : volume(Keys.NONE).read().sound().archives()) {
            byte[] bytes = Files.readAllBytes(archive.data());
            payloads.add(Arrays.copyOfRange(bytes, AgeHeader.decode(bytes).size(), bytes.length));
        }
        return payloads;
    }

    private Rewrapping.Plan rewrap(Keys keys, List<Recipient> added, List<Recipient> removed) throws Exception {
        return new Rewrapping(vault(keys), "tools", added, removed, InstantSource.system(), _ -> {}).execute(Duration.ZERO, _ -> {}, _ -> {});
    }

    private void archive(List<Recipient> recipients) throws Exception {
        Path image = Files.write(folder.resolve("device.img"), device);
        ArchiveOptions options = new ArchiveOptions(false, 1, OptionalInt.of(CHUNK_LOG), 2, 0, false, Optional.empty(), false).with(recipients);
        try (FileDevice source = FileDevice.open(image)) {
            new Archiver(vault(Keys.NONE), "tools", options, InstantSource.system(), _ -> {}, _ -> {}).archive(source, Duration.ZERO);
        }
    }

    private byte[] read(Keys keys) throws IOException {
        History history = volume(keys).read().sound();
        List<StoredArchive> path = history.path(history.points().getLast().state(), StoredArchive::dataAtHand).orElseThrow();
        try (ChainImage image = new ChainImage(Chain.open(path));
                Arena arena = Arena.ofShared()) {
            MemorySegment bytes = arena.allocate(image.size(), 8);
            image.read(0, bytes);
            return bytes.toArray(ValueLayout.JAVA_BYTE);
        }
    }
}
