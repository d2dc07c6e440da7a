package varve.testdata;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class TestFilesTest {

    @Test
    void everyGoldenPointHasItsArchive() throws IOException {
        assertTrue(TestFiles.golden().size() >= 14);
        for (TestFiles.GoldenVolume volume : TestFiles.golden()) {
            assertFalse(volume.points().isEmpty(), volume::toString);
            for (TestFiles.GoldenPoint point : volume.points()) {
                assertTrue(Files.exists(volume.folder().resolve(point.archive())), point::toString);
            }
        }
    }

    @Test
    void everyRuleHasABadVolume() throws IOException {
        String format = Files.readString(TestFiles.root().resolveSibling("docs").resolve("FORMAT.md"));
        Set<String> rules = Pattern.compile("\\*\\*(F\\d{3})\\*\\*").matcher(format).results().map(m -> m.group(1)).collect(Collectors.toSet());
        assertEquals(new TreeSet<>(rules),
                TestFiles.bad().stream().map(TestFiles.BadVolume::rule).collect(Collectors.toCollection(TreeSet::new)));
        assertTrue(TestFiles.bad().stream().anyMatch(volume -> volume.also().equals(Optional.of("F037"))));
    }

    @Test
    void zstdRestoresGoldenFulls() throws IOException {
        TestFiles.GoldenVolume volume = TestFiles.golden().stream()
                .filter(golden -> golden.toString().equals("one-byte")).findFirst().orElseThrow();
        Optional<byte[]> bytes = Tools.unzstd(volume.folder().resolve(volume.points().getFirst().archive()));
        Assumptions.assumeTrue(bytes.isPresent(), "zstd is not installed");
        assertArrayEquals("v".getBytes(), bytes.get());
    }
}
