package varve.verify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import varve.archive.ArchiveOptions;
import varve.archive.Archiver;
import varve.archive.block.FileDevice;
import varve.archive.block.Geometry;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;
import varve.archive.chain.History;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.sign.Signing;
import varve.archive.vault.Depth;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.verify.work.Watcher;

/// A vault with one volume, `tools`, made of images that the test has at hand: one point in time a day.
public final class TestVault {

    public static final int CHUNK = 1 << 16;
    /// those that need nothing but the vault
    static final List<Depth> DEPTHS = List.of(Depth.STRUCTURE, Depth.STORED, Depth.CONTENT);

    private static final Instant FIRST = Instant.parse("2026-11-01T02:00:00Z");

    public final Vault vault;
    public final Volume volume;
    private final Path image;
    private final int chunkLog;
    private final List<byte[]> images = new ArrayList<>();
    private final List<Manifest> manifests = new ArrayList<>();

    public TestVault(Path folder) throws IOException {
        this(folder, 16);
    }

    public TestVault(Path folder, int chunkLog) throws IOException {
        this(folder, chunkLog, Signing.NONE);
    }

    /// A volume of which every archive is signed.
    public TestVault(Path folder, Signing signing) throws IOException {
        this(folder, 16, signing);
    }

    private TestVault(Path folder, int chunkLog, Signing signing) throws IOException {
        this.vault = Vault.openOrCreate(folder.resolve("vault")).with(signing);
        this.volume = vault.volume("tools");
        this.image = folder.resolve("image");
        this.chunkLog = chunkLog;
    }

    public TestVault add(byte[] content) throws IOException {
        return add(content, false);
    }

    public TestVault addFull(byte[] content) throws IOException {
        return add(content, true);
    }

    private TestVault add(byte[] content, boolean full) throws IOException {
        Files.write(image, content);
        ArchiveOptions options = new ArchiveOptions(full, 3, OptionalInt.of(chunkLog), 1, 0, false, Optional.empty(), false);
        InstantSource clock = InstantSource.fixed(FIRST.plus(Duration.ofDays(images.size())));
        try (FileDevice device = FileDevice.open(image)) {
            Archiver archiver = new Archiver(vault, "tools", options, clock, p -> {}, w -> {});
            manifests.add(archiver.archive(device, Duration.ZERO).manifest().orElseThrow());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        images.add(content);
        return this;
    }

    /// {@return a file of the n-th archive: `zst`, `json`, `index` or `tree`}
    public Path file(int archive, String suffix) {
        return volume.folder().resolve(manifests.get(archive).baseName() + "." + suffix);
    }

    public Manifest manifest(int archive) {
        return manifests.get(archive);
    }

    public Report verify(Depth depth) {
        return verify("tools", depth);
    }

    public Report verify(String name, Depth depth) {
        return verify(name, new VerifyOptions(depth, false, 1, Optional.of(false), Optional.empty()));
    }

    public Report verify(String name, VerifyOptions options) {
        try {
            return verifier(List.of(vault), options).verify(List.of(PointName.parse(name))).getFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static Verifier verifier(List<Vault> vaults, VerifyOptions options) {
        return new Verifier(vaults, options, InstantSource.system(), Watcher.NONE, Verifier.Ledger.NONE, warning -> {});
    }

    /// Reads every chunk of every point that still has a manifest. Whatever is given out has to be right.
    ///
    /// @return how many points came back whole
    public int restore() throws IOException {
        int whole = 0;
        History history = volume.read().history();
        for (StoredArchive archive : history.archives()) {
            byte[] expected = images.get((int) archive.manifest().sequence() - 1);
            if (restore(history, archive, expected)) {
                whole++;
            }
        }
        return whole;
    }

    private static boolean restore(History history, StoredArchive archive, byte[] expected) {
        try {
            List<StoredArchive> path = history.path(archive.manifest().state(), StoredArchive::dataAtHand).orElse(List.of());
            if (path.isEmpty()) {
                return false;
            }
            try (Chain chain = Chain.open(path)) {
                return restore(chain, expected);
            }
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean restore(Chain chain, byte[] expected) {
        Geometry geometry = chain.geometry();
        boolean whole = true;
        try (ChainReader reader = new ChainReader(chain);
                Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocate(geometry.chunkSize(), 4096);
            for (long chunk = 0; chunk < geometry.chunks(); chunk++) {
                MemorySegment bytes = room.asSlice(0, geometry.length(chunk, 1));
                try {
                    reader.read(chunk, bytes);
                    int offset = (int) geometry.offset(chunk);
                    assertArrayEquals(Arrays.copyOfRange(expected, offset, offset + (int) bytes.byteSize()), bytes.toArray(ValueLayout.JAVA_BYTE));
                } catch (IOException e) {
                    whole = false;
                }
            }
        }
        return whole && geometry.size() == expected.length;
    }
}
