package varve.archive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.bouncycastle.crypto.digests.Blake3Digest;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.block.FileDevice;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.file.StoredArchive;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// Random histories of a device against the plainest model: one byte array for each point in time.
class HistoryPropertyTest {

    private static final int POINTS = 9;

    @TempDir
    Path folder;

    static List<Long> seeds() {
        long fixed = Long.getLong("varve.test.seed", 0);
        if (fixed != 0) {
            return List.of(fixed);
        }
        Random random = new Random();
        return random.longs(Integer.getInteger("varve.test.histories", 40)).boxed().toList();
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void everyPointComesBackAndEveryRootIsBlake3OfTheModel(long seed) throws Exception {
        Random random = new Random(seed);
        Path image = folder.resolve("device.img");
        Path vaultFolder = folder.resolve("vault");
        Vault vault = Vault.openOrCreate(vaultFolder);
        List<byte[]> model = new ArrayList<>();
        boolean sealed = seed % 3 == 0;
        byte[] device = random.nextInt(4) == 0 ? new byte[random.nextInt(3)] : content(random, size(random));
        for (int point = 0; point < POINTS; point++) {
            if (point > 0) {
                device = change(random, device);
            }
            model.add(device);
            boolean away = point > 0 && random.nextInt(5) == 0;
            if (away) {
                hideData(vaultFolder.resolve("tools"), true);
            }
            boolean blind = sealed && random.nextBoolean(); // as a host that can seal, but not read
            Archiver.Outcome outcome = archive(
                    random, blind ? vault : vault.with(TestKeys.secret()), image, device, point > 0 && random.nextInt(8) == 0, sealed && point % 3 == 0);
            if (away) {
                hideData(vaultFolder.resolve("tools"), false);
            }
            assertEquals(blake3(device), outcome.state().root().toString(), "root of point " + point);
            assertEquals(device.length, outcome.state().size());
        }
        Volume volume = vault.with(TestKeys.secret()).volume("tools");
        List<StoredArchive> archives = volume.read().sound().archives();
        assertEquals(POINTS, archives.size());
        for (int point = 0; point < POINTS; point++) {
            List<StoredArchive> path = volume.read().sound()
                    .path(archives.get(point).manifest().state(), StoredArchive::dataAtHand)
                    .orElseThrow();
            assertArrayEquals(model.get(point), read(path), "content of point " + point);
            assertEquals(sealed, archives.get(point).manifest().seal().isPresent(), "sealed");
        }
    }

    private Archiver.Outcome archive(Random random, Vault vault, Path image, byte[] device, boolean full, boolean sealed) throws Exception {
        ArchiveOptions options = new ArchiveOptions(full, 1, OptionalInt.of(16), 1 + random.nextInt(3), 0, false, Optional.empty(), false)
                .with(sealed ? TestKeys.recipients() : List.of());
        Archiver archiver = new Archiver(vault, "tools", options, InstantSource.system(), bytes -> {}, warning -> {});
        if (random.nextInt(4) == 0) {
            return archiver.archive(dripping(random, device), Duration.ZERO);
        }
        write(random, image, device);
        try (FileDevice source = FileDevice.open(image)) {
            return archiver.archive(source, Duration.ZERO);
        }
    }

    /// a stream that gives what it likes
    private static InputStream dripping(Random random, byte[] bytes) {
        return new InputStream() {
            private int at;

            @Override
            public int read() {
                return at == bytes.length ? -1 : bytes[at++] & 0xff;
            }

            @Override
            public int read(byte[] into, int offset, int length) {
                if (at == bytes.length) {
                    return -1;
                }
                int count = Math.min(Math.min(length, bytes.length - at), 1 + random.nextInt(200_000));
                System.arraycopy(bytes, at, into, offset, count);
                at += count;
                return count;
            }
        };
    }

    private static void write(Random random, Path image, byte[] device) throws IOException {
        Files.deleteIfExists(image);
        if (random.nextBoolean()) {
            Files.write(image, device);
            return;
        }
        try (RandomAccessFile sparse = new RandomAccessFile(image.toFile(), "rw")) {
            sparse.setLength(device.length);
            for (int at = 0; at < device.length; at += 4096) {
                int end = Math.min(device.length, at + 4096);
                if (!Arrays.equals(device, at, end, new byte[4096], 0, end - at)) {
                    sparse.seek(at);
                    sparse.write(device, at, end - at);
                }
            }
        }
    }

    private static int size(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> random.nextInt(5000);
            case 1 -> 65536 * random.nextInt(5) + random.nextInt(3) - 1 + 1;
            case 2 -> 4096 * random.nextInt(600);
            default -> random.nextInt(6 << 20);
        };
    }

    private static byte[] content(Random random, int size) {
        byte[] device = new byte[size];
        for (int i = random.nextInt(6); i > 0; i--) {
            fill(random, device);
        }
        return device;
    }

    private static byte[] change(Random random, byte[] old) {
        byte[] device = switch (random.nextInt(6)) {
            case 0 -> Arrays.copyOf(old, size(random));
            case 1 -> Arrays.copyOf(old, Math.max(0, old.length + random.nextInt(200_000) - 100_000));
            default -> old.clone();
        };
        for (int i = random.nextInt(5); i > 0 && device.length > 0; i--) {
            switch (random.nextInt(4)) {
                case 0 -> device[random.nextInt(device.length)] ^= (byte) (1 << random.nextInt(8));
                case 1 -> zero(random, device);
                default -> fill(random, device);
            }
        }
        return device;
    }

    private static void fill(Random random, byte[] device) {
        if (device.length > 0) {
            int from = random.nextInt(device.length);
            int to = from + random.nextInt(Math.min(device.length - from, 1 << random.nextInt(21)) + 1);
            int spread = 1 + random.nextInt(255);
            for (int i = from; i < to; i++) {
                device[i] = (byte) random.nextInt(spread);
            }
        }
    }

    private static void zero(Random random, byte[] device) {
        int from = random.nextInt(device.length);
        Arrays.fill(device, from, from + random.nextInt(device.length - from + 1), (byte) 0);
    }

    private static void hideData(Path volume, boolean hide) throws IOException {
        try (var files = Files.list(volume)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (hide && (name.endsWith(".zst") || name.endsWith(".zst.age"))) {
                    Files.move(file, volume.resolve(name + ".away"));
                } else if (!hide && name.endsWith(".away")) {
                    Files.move(file, volume.resolve(name.replace(".away", "")));
                }
            }
        }
    }

    private static byte[] read(List<StoredArchive> path) throws IOException {
        try (ChainImage image = new ChainImage(Chain.open(path));
                Arena arena = Arena.ofShared()) {
            MemorySegment bytes = arena.allocate(Math.max(1, image.size()), 8).asSlice(0, image.size());
            image.read(0, bytes);
            return bytes.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static String blake3(byte[] bytes) {
        Blake3Digest digest = new Blake3Digest();
        digest.update(bytes, 0, bytes.length);
        byte[] hash = new byte[32];
        digest.doFinal(hash, 0);
        return HexFormat.of().formatHex(hash);
    }
}
