package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.Tools;

/// `varve partitions` as a user runs it.
final class PartitionsVerbTest {

    @TempDir
    private Path folder;

    private Captured captured = new Captured();

    private ExitCode run(String... args) {
        captured = new Captured();
        return Main.run(captured.stdio(0), args);
    }

    @BeforeEach
    void archive() throws Exception {
        Path disk = Files.write(folder.resolve("disk.img"), new byte[40 << 20]);
        Tools.runWith("label: dos\nlabel-id: 0x12345678\nstart=2048, size=8MiB, type=c\nsize=16MiB, type=83\n".getBytes(StandardCharsets.UTF_8), "sfdisk", "-q", disk)
                .orElseGet(() -> Assumptions.abort("needs sfdisk")).expectSuccess();
        Path swap = Files.write(folder.resolve("swap"), new byte[16 << 20]);
        Tools.run("mkswap", "-q", "-L", "pages", swap).orElseGet(() -> Assumptions.abort("needs mkswap")).expectSuccess();
        Tools.run("dd", "if=" + swap, "of=" + disk, "bs=1M", "seek=9", "conv=notrunc", "status=none").orElseThrow().expectSuccess();
        assertEquals(ExitCode.OK, run("archive", disk.toString(), "--volume", "tools", "--vault", vault()), captured::err);
    }

    private String vault() {
        return folder.resolve("vault").toString();
    }

    @Test
    void everyPartitionIsARow() {
        assertEquals(ExitCode.OK, run("partitions", "tools", "--vault", vault()), captured::err);
        List<String> lines = captured.out().lines().map(line -> line.replaceAll(" +", " ")).toList();
        assertEquals("# OFFSET SIZE TYPE HOLDS LABEL UUID NAME", lines.getFirst());
        assertEquals("1 1048576 8.0 MiB FAT32 unknown", lines.get(1));
        assertTrue(lines.get(2).matches("2 9437184 16.0 MiB Linux swap pages [0-9a-f-]{36}"), lines.get(2));
        assertEquals(3, lines.size());
    }

    @Test
    void scriptsGetJson() {
        assertEquals(ExitCode.OK, run("partitions", "tools@latest", "--vault", vault(), "--json"), captured::err);
        for (String expected : List.of("\"table\": \"MBR\"", "\"partition\": 2", "\"offset\": 9437184", "\"size\": 16777216",
                "\"id\": \"12345678-02\"", "\"type\": \"swap\"", "\"label\": \"pages\"")) {
            assertTrue(captured.out().contains(expected), captured::out);
        }
    }

    @Test
    void aDeviceWithoutATableIsOneRow() throws Exception {
        Path image = Files.write(folder.resolve("plain.img"), new byte[4 << 20]);
        Tools.run("mke2fs", "-q", "-t", "ext2", "-L", "plain", image).orElseGet(() -> Assumptions.abort("needs mke2fs")).expectSuccess();
        assertEquals(ExitCode.OK, run("archive", image.toString(), "--volume", "plain", "--vault", vault()), captured::err);
        assertEquals(ExitCode.OK, run("partitions", "plain", "--vault", vault()), captured::err);
        assertTrue(captured.out().contains("-       0  4.0 MiB  no table  ext2   plain  "), captured::out);
    }

    @Test
    void aPointThatIsNotThereIsSaid() {
        assertEquals(ExitCode.NOT_FOUND, run("partitions", "tools@2020-01-01", "--vault", vault()), captured::err);
        assertTrue(captured.err().contains("no such point in time"), captured::err);
    }
}
