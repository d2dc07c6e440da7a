package varve.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import varve.archive.vault.Depth;
import varve.testdata.Damage;
import varve.testdata.Histories;
import varve.testdata.Images;

/// Every byte of every file of a small full and a small delta changed, and each of them cut off everywhere: always found at
/// the depth that promises it, and never a wrong byte read.
final class EveryByteTest {

    private static final int CHUNK = TestVault.CHUNK;

    @TempDir
    Path folder;

    private TestVault tools;

    /// a full of five chunks, two of them zero, and two deltas; every file is some hundred bytes to a few KiB
    @BeforeEach
    void archives() throws IOException {
        byte[] image = new byte[4 * CHUNK + 5000];
        System.arraycopy(Images.text(1, 600), 0, image, 0, 600);
        Arrays.fill(image, CHUNK, 2 * CHUNK, (byte) 7);
        System.arraycopy(Images.noise(1, 200), 0, image, 4 * CHUNK + 4800, 200);
        tools = new TestVault(folder).add(image);
        image = image.clone();
        System.arraycopy(Images.text(2, 300), 0, image, 5000, 300);
        image[CHUNK + 1] = 3;
        image[2 * CHUNK + 9000] = 1;
        tools.add(image);
        image = image.clone();
        Arrays.fill(image, 4096, 9000, (byte) 0);
        tools.add(image);
    }

    @ParameterizedTest
    @CsvSource({
        "0, zst, STORED CONTENT", "0, json, STRUCTURE", "0, index, STRUCTURE", "0, tree, STORED",
        "1, zst, STORED CONTENT", "1, json, STRUCTURE", "1, index, STRUCTURE", "1, tree, STORED",
        "2, json, STRUCTURE",
    })
    void everyChangedByteIsFound(int archive, String suffix, String depths) throws IOException {
        Path file = tools.file(archive, suffix);
        byte[] good = Files.readAllBytes(file);
        List<Depth> each = Stream.of(depths.split(" ")).map(Depth::valueOf).toList();
        check(file, good, each, Damage.everyByte(good.length));
    }

    @ParameterizedTest
    @CsvSource({
        "0, zst, STRUCTURE", "0, json, STRUCTURE", "0, index, STRUCTURE", "0, tree, STORED",
        "1, zst, STRUCTURE", "1, json, STRUCTURE", "1, index, STRUCTURE", "1, tree, STORED",
    })
    void everyTruncationIsFound(int archive, String suffix, Depth depth) throws IOException {
        Path file = tools.file(archive, suffix);
        byte[] good = Files.readAllBytes(file);
        check(file, good, List.of(depth), Damage.everyTruncation(good.length));
    }

    @ParameterizedTest
    @CsvSource({"0, zst", "0, json", "0, index", "0, tree", "1, zst", "1, json", "1, index", "1, tree"})
    void everyKindOfDamageIsFound(int archive, String suffix) throws IOException {
        Path file = tools.file(archive, suffix);
        byte[] good = Files.readAllBytes(file);
        check(file, good, List.of(Depth.CONTENT), Histories.seeds(1).stream()
                .flatMap(seed -> Damage.random(seed, good.length, 60))
                .filter(damage -> !Arrays.equals(damage.of(good), good)));
    }

    /// @param depths each of which finds it
    private void check(Path file, byte[] good, List<Depth> depths, Stream<Damage> damages) throws IOException {
        depths.forEach(depth -> assertTrue(tools.verify(depth).sound()));
        assertEquals(3, tools.restore());
        for (Damage damage : (Iterable<Damage>) damages::iterator) {
            Files.write(file, damage.of(good));
            for (Depth depth : depths) {
                Report report = tools.verify(depth);
                assertFalse(report.sound(), () -> file + ": " + damage + " was not found");
                assertTrue(report.findings().stream().allMatch(finding -> finding.text().contains(finding.file())), () -> report.findings().toString());
            }
            tools.restore();
        }
        Files.write(file, good);
        assertEquals(List.of(), tools.verify(Depth.CONTENT).findings());
    }
}
