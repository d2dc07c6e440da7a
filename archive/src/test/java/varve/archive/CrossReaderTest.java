package varve.archive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.bouncycastle.crypto.digests.Blake3Digest;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.block.FileDevice;
import varve.archive.block.Geometry;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.Extent;
import varve.archive.format.Manifest;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.testdata.Histories;
import varve.testdata.History;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

/// What we write others read, and what others vouch for we read: the reader in Python that was written from FORMAT.md alone,
/// zstd, b3sum, and a reader of the zstd seekable format that knows nothing of varve.
class CrossReaderTest {

    private static final int CHUNK_LOG = 16;
    private static final int POINTS = 4;
    private static final int MAX_SIZE = 9 << CHUNK_LOG;
    private static final Instant START = Instant.parse("2026-11-20T02:00:00.123Z");

    @TempDir
    Path folder;

    static List<Long> seeds() {
        return Histories.seeds(12);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void othersReadWhatWeWrite(long seed) throws Exception {
        needs("python3", "zstd", "b3sum");
        History history = Histories.random(seed, POINTS, 1 << CHUNK_LOG, MAX_SIZE);
        Random random = new Random(seed);
        Volume volume = archive(history, random);
        List<StoredArchive> archives = volume.read().sound().archives();
        assertEquals(POINTS, archives.size(), history::toString);
        Path device = folder.resolve("device.img");
        for (int point = 0; point < POINTS; point++) {
            String what = "point " + point + " of " + history;
            byte[] image = history.points().get(point).image();
            StoredArchive archive = archives.get(point);
            Files.write(device, image);
            assertEquals(archive.manifest().state().root().toString(), Tools.b3sum(device).orElseThrow(), what);
            assertEquals(archive.manifest().file().hash().toString(), Tools.b3sum(archive.data()).orElseThrow(), what);
            assertArrayEquals(image, restored(volume, archive.manifest()), what);
            byte[] payload = payload(archive, image);
            run("zstd", "-tq", "--", archive.data());
            assertArrayEquals(payload, Tools.unzstd(archive.data()).orElseThrow(), what);
            assertSeekable(archive.data(), payload, random, what);
        }
        run("python3", "-B", TestFiles.pythonReader(), "verify", volume.folder(), "--nodes");
    }

    static List<TestFiles.GoldenVolume> golden() throws IOException {
        return TestFiles.golden();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("golden")
    void weReadWhatOthersVouchFor(TestFiles.GoldenVolume golden) throws Exception {
        varve.archive.chain.History history = new Volume(golden.toString(), copy(golden.folder()), TestKeys.secret()).read().sound();
        assertEquals(golden.points().size(), history.points().size());
        for (int i = 0; i < golden.points().size(); i++) {
            TestFiles.GoldenPoint point = golden.points().get(i);
            Manifest manifest = history.points().get(i).manifest();
            assertEquals(point.archive(), manifest.dataName());
            assertEquals(point.root(), manifest.state().root().toString());
            List<StoredArchive> path = history.path(manifest.state(), StoredArchive::dataAtHand).orElseThrow();
            try (ChainImage image = new ChainImage(Chain.open(path))) {
                assertEquals(point.size(), image.size());
                assertEquals(point.root(), blake3(image), point.archive());
            }
        }
    }

    /// {@return the files of the volume, without the one that says what to expect}
    private Path copy(Path golden) throws IOException {
        try (Stream<Path> files = Files.list(golden)) {
            for (Path file : files.filter(f -> !f.endsWith("expect.json")).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        return folder;
    }

    /// Archives every point, one second after the other; now and then as a full.
    private Volume archive(History history, Random random) throws Exception {
        Vault vault = Vault.openOrCreate(folder.resolve("vault"));
        Path source = folder.resolve("source.img");
        for (int point = 0; point < history.points().size(); point++) {
            Files.write(source, history.points().get(point).image());
            boolean full = random.nextInt(6) == 0;
            ArchiveOptions options = new ArchiveOptions(
                    full, 3, OptionalInt.of(CHUNK_LOG), 2, 0, false, Optional.empty(), false);
            InstantSource clock = InstantSource.fixed(START.plusSeconds(point));
            try (FileDevice device = FileDevice.open(source)) {
                new Archiver(vault, "tools", options, clock, _ -> {}, _ -> {}).archive(device, Duration.ZERO);
            }
        }
        return vault.volume("tools");
    }

    /// {@return what the reader in Python makes of a point in time}
    private byte[] restored(Volume volume, Manifest manifest) throws IOException {
        Path target = folder.resolve("restored.img");
        Files.deleteIfExists(target);
        run("python3", "-B", TestFiles.pythonReader(), "restore", volume.folder(), Manifest.text(manifest.time()), target);
        return Files.readAllBytes(target);
    }

    /// {@return what has to be in the data frames of an archive: the device, or those extents of it that hold data}
    private static byte[] payload(StoredArchive archive, byte[] image) throws IOException {
        try (Index index = archive.openIndex()) {
            if (index.full()) {
                return image;
            }
            ByteArrayOutputStream payload = new ByteArrayOutputStream();
            for (long row = 0; row < index.summary().extents(); row++) {
                Extent extent = index.extent(row);
                if (extent.data()) {
                    int offset = Math.toIntExact(extent.first() << Geometry.BLOCK_LOG);
                    int length = (int) index.geometry().blockLength(extent.first(), extent.count());
                    payload.write(image, offset, length);
                }
            }
            return payload.toByteArray();
        }
    }

    private static void assertSeekable(Path data, byte[] payload, Random random, String what) throws IOException {
        run("python3", "-B", TestFiles.seekableReader(), "check", data);
        if (payload.length > 0) {
            int offset = random.nextInt(payload.length);
            int size = random.nextInt(Math.min(payload.length - offset, 200_000) + 1);
            assertArrayEquals(
                    Arrays.copyOfRange(payload, offset, offset + size),
                    run("python3", "-B", TestFiles.seekableReader(), "read", data, offset, size),
                    () -> size + " bytes at " + offset + " of the payload, " + what);
        }
    }

    private static void needs(String... programs) {
        for (String program : programs) {
            Assumptions.assumeTrue(Tools.find(program).isPresent(), program + " is not installed");
        }
    }

    private static byte[] run(Object... command) throws IOException {
        return Tools.run(command).orElseThrow().expectSuccess().bytes();
    }

    private static String blake3(ChainImage image) throws IOException {
        Blake3Digest digest = new Blake3Digest();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment part = arena.allocate(1 << 20, 8);
            byte[] bytes = new byte[1 << 20];
            for (long offset = 0; offset < image.size(); offset += bytes.length) {
                int length = (int) Math.min(bytes.length, image.size() - offset);
                image.read(offset, part.asSlice(0, length));
                MemorySegment.copy(part, ValueLayout.JAVA_BYTE, 0, bytes, 0, length);
                digest.update(bytes, 0, length);
            }
        }
        byte[] hash = new byte[32];
        digest.doFinal(hash, 0);
        return HexFormat.of().formatHex(hash);
    }
}
