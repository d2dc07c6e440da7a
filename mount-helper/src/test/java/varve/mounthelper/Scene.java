package varve.mounthelper;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.bouncycastle.crypto.digests.Blake3Digest;
import varve.archive.ArchiveOptions;
import varve.archive.Archiver;
import varve.archive.block.FileDevice;
import varve.archive.seal.Recipient;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;

/// A vault with one volume, `tools`, in a folder, and what it takes to restore from it and to look at the result.
/// Images are plain arrays; chunks have 64 KiB, so that small images have many.
public final class Scene {
    public static final int CHUNK = 64 << 10;
    public static final int BLOCK = 4096;

    public final Path folder;
    public final Path vault;
    private int points;
    private List<Recipient> recipients = List.of();

    public Scene(Path folder) {
        this.folder = folder;
        this.vault = folder.resolve("vault");
    }

    /// {@return an image of data, with zero runs from a block to many chunks}
    public static byte[] image(long seed, int size) {
        Random random = new Random(seed);
        byte[] image = new byte[size];
        random.nextBytes(image);
        for (int at = 0; at < size; ) {
            int length = switch (random.nextInt(4)) {
                case 0 -> BLOCK * (1 + random.nextInt(8));
                case 1 -> CHUNK * (1 + random.nextInt(8));
                default -> BLOCK * (1 + random.nextInt(64));
            };
            if (random.nextInt(3) == 0) {
                Arrays.fill(image, at, Math.min(size, at + length), (byte) 0);
            }
            at += length;
        }
        return image;
    }

    /// {@return an image without a zero byte: every chunk is data}
    public static byte[] dense(long seed, int size) {
        byte[] image = new byte[size];
        new Random(seed).nextBytes(image);
        for (int i = 0; i < size; i++) {
            image[i] |= 1;
        }
        return image;
    }

    /// {@return a copy with some blocks changed, some made zero}
    public static byte[] changed(byte[] image, long seed) {
        Random random = new Random(seed);
        byte[] changed = image.clone();
        for (int i = 0; i < 12 && image.length > 0; i++) {
            int from = random.nextInt(image.length);
            int to = Math.min(image.length, from + 1 + random.nextInt(3 * BLOCK));
            for (int at = from; at < to; at++) {
                changed[at] = i % 3 == 0 ? 0 : (byte) random.nextInt();
            }
        }
        return changed;
    }

    /// Has points that are recorded from now on sealed.
    public Scene sealedFor(List<Recipient> keys) {
        recipients = keys;
        return this;
    }

    /// Records a point in time.
    public Scene archive(byte[] image) throws Exception {
        Path source = Files.write(folder.resolve("source.img"), image);
        Instant time = Instant.parse("2026-11-20T02:00:00Z").plus(Duration.ofDays(points++));
        ArchiveOptions standard = ArchiveOptions.defaults();
        ArchiveOptions options = new ArchiveOptions(
                false, standard.level(), OptionalInt.of(16), 2, 0, false, Optional.empty(), false);
        try (FileDevice device = FileDevice.open(source)) {
            new Archiver(Vault.openOrCreate(vault), "tools", options.with(recipients), () -> time, bytes -> {}, warning -> {})
                    .archive(device, Duration.ZERO);
        }
        return this;
    }

    /// {@return a second vault with the same}
    public Path copy() throws IOException {
        Path other = Vault.openOrCreate(folder.resolve("other")).folder();
        Files.createDirectories(other.resolve("tools"));
        try (Stream<Path> files = Files.list(vault.resolve("tools"))) {
            for (Path file : files.toList()) {
                Files.copy(file, other.resolve("tools").resolve(file.getFileName()));
            }
        }
        return other;
    }

    Restoration open(String point, Path target, RestoreOptions options) throws IOException {
        return Restoration.open(Vault.open(vault), PointName.parse(point), target, options);
    }

    RestorePlan plan(String point, Path target) throws IOException {
        try (Restoration restoration = open(point, target, RestoreOptions.defaults())) {
            return restoration.plan();
        }
    }

    /// Restores, naming the target a second time.
    Restoration.Outcome restore(String point, Path target, RestoreOptions options) throws IOException {
        try (Restoration restoration = open(point, target, options)) {
            return restoration.execute(Optional.of(target), bytes -> {});
        }
    }

    Restoration.Outcome restore(String point, Path target) throws IOException {
        return restore(point, target, RestoreOptions.defaults());
    }

    static RestoreOptions inPlace() {
        return new RestoreOptions(true, 2, 0, false, Optional.empty());
    }

    /// {@return the only data file of a kind}
    public Path data(String kind, int number) throws IOException {
        try (Stream<Path> files = Files.list(vault.resolve("tools"))) {
            return files.filter(file -> file.toString().matches(".*\\." + kind + "\\.zst(\\.age)?")).sorted().toList().get(number);
        }
    }

    /// Flips a bit in the middle of a file.
    public static void damage(Path file) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            long middle = access.length() / 3;
            access.seek(middle);
            int old = access.read();
            access.seek(middle);
            access.write(old ^ 0x10);
        }
    }

    static void assertHolds(byte[] image, Path target) throws IOException {
        byte[] found = Files.readAllBytes(target);
        assertEquals(-1, Arrays.mismatch(image, found), () -> target + " differs at " + Arrays.mismatch(image, found));
        assertArrayEquals(image, found);
    }

    /// a device may be larger
    static void assertBeginsWith(byte[] image, Path device) throws IOException {
        assertEquals(-1, Arrays.mismatch(image, prefix(device, image.length)), "differs at");
    }

    static byte[] prefix(Path device, int size) throws IOException {
        return range(device, 0, size);
    }

    static byte[] range(Path device, long offset, int size) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(device.toFile(), "r")) {
            byte[] bytes = new byte[size];
            access.seek(offset);
            access.readFully(bytes);
            return bytes;
        }
    }

    static void assertNoStage(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertFalse(files.anyMatch(file -> file.toString().endsWith(".varve-partial")));
        }
    }

    static String blake3(byte[] bytes) {
        Blake3Digest digest = new Blake3Digest(256);
        digest.update(bytes, 0, bytes.length);
        byte[] hash = new byte[32];
        digest.doFinal(hash, 0);
        return HexFormat.of().formatHex(hash);
    }

    /// Runs a program to its end.
    public static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), () -> List.of(command) + ": " + output);
        return output;
    }
}
