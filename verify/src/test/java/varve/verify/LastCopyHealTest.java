package varve.verify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.format.JsonMembers;
import varve.archive.vault.Depth;
import varve.archive.vault.Vault;
import varve.testdata.Damage;
import varve.testdata.Images;
import varve.verify.work.Watcher;

/// To have the last proved copy of a point dropped by `heal` is tried, and fails: the vault that is healed is the only one with data, and what
/// it is to be healed from says that all of that is wrong. (The other commands are tried by LastCopyTest.)
final class LastCopyHealTest {

    private static final int GROUP = 1 << 20;

    @TempDir
    Path folder;

    private TestVault tools;
    private Path home;

    /// a full of three groups, two deltas, and another vault that has manifests and tables of them, and no data
    @BeforeEach
    void make() throws IOException {
        byte[] device = Images.noise(1, 3 * GROUP);
        tools = new TestVault(folder);
        for (int day = 0; day < 3; day++) {
            device = device.clone();
            device[day * 200_000]++;
            tools.add(device);
        }
        home = Vault.openOrCreate(folder.resolve("home")).folder();
        Folders.copy(tools.volume.folder(), home.resolve("tools"));
        for (int i = 0; i < 3; i++) {
            Files.delete(other(i, "zst"));
        }
    }

    /// {@return a file of the n-th archive in the other vault}
    private Path other(int archive, String suffix) {
        return home.resolve("tools").resolve(tools.file(archive, suffix).getFileName());
    }

    private HealingReport heal(Vault vault, Path... from) throws Exception {
        List<Vault> others = new ArrayList<>();
        for (Path path : from) {
            others.add(Vault.open(path));
        }
        HealingOptions options = new HealingOptions(others, Optional.empty(), false, 1, Duration.ZERO);
        return new Healing(vault, "tools", options, InstantSource.system(), Watcher.NONE, repair -> {}).run();
    }

    /// The data files are what they were, and all points come back.
    private void assertKept(List<byte[]> data) throws IOException {
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(data.get(i), Files.readAllBytes(tools.file(i, "zst")), "data file " + i);
        }
        assertEquals(3, tools.restore());
    }

    private List<byte[]> data() throws IOException {
        List<byte[]> data = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            data.add(Files.readAllBytes(tools.file(i, "zst")));
        }
        return data;
    }

    @Test
    void aVaultWithoutDataTakesNothingAway() throws Exception {
        List<byte[]> data = data();
        assertTrue(heal(tools.vault, home).healthy());
        assertTrue(heal(Vault.open(home), tools.vault.folder()).healthy());
        assertKept(data);
        for (String suffix : List.of("json", "index", "tree")) { // what is lost here comes from there, or follows from the data
            for (int i = 0; i < 3; i++) {
                Files.delete(tools.file(i, suffix));
            }
            HealingReport report = heal(tools.vault, home);
            assertTrue(report.healthy(), report::toString);
            assertKept(data);
        }
    }

    @Test
    void tablesAndTreesThatAreWrongEverywhereTakeNothingAway() throws Exception {
        List<byte[]> data = data();
        for (String suffix : List.of("index", "tree")) {
            for (int i = 0; i < 3; i++) {
                byte[] another = Files.readAllBytes(tools.file((i + 1) % 3, suffix));
                Damage.become("that of the next", another).inflictOn(other(i, suffix));
                Damage.become("that of the next", another).inflictOn(tools.file(i, suffix));
            }
        }
        assertTrue(heal(tools.vault, home).healthy());
        assertKept(data);
        assertEquals(List.of(), tools.verify(Depth.CONTENT).findings());
    }

    /// The manifest here is damaged or lost, and the one there is whole by itself and names another data file.
    @Test
    void aManifestThatNamesOtherDataTakesNothingAway() throws Exception {
        List<byte[]> data = data();
        for (int i = 0; i < 3; i++) {
            JsonMembers json = JsonMembers.parse(Files.readAllBytes(other(i, "json")), "test");
            json.text("fileHash", "5".repeat(64));
            json.seal();
            Files.writeString(other(i, "json"), json.toString(), StandardCharsets.UTF_8);
        }
        heal(tools.vault, home);
        assertKept(data);
        for (int i = 0; i < 3; i++) {
            byte[] good = Files.readAllBytes(tools.file(i, "json"));
            Damage.flip(200, 1).inflictOn(tools.file(i, "json"));
            heal(tools.vault, home);
            assertArrayEquals(data.get(i), Files.readAllBytes(tools.file(i, "zst")));
            Files.deleteIfExists(tools.file(i, "json"));
            heal(tools.vault, home);
            Files.write(tools.file(i, "json"), good);
            assertKept(data);
        }
    }

    /// What is damaged and nowhere whole does not take with it what is not damaged.
    @Test
    void whatIsLeftOfTheLastCopyStays() throws Exception {
        List<byte[]> good = data();
        Damage.flip(GROUP + 500_000, 1).inflictOn(tools.file(0, "zst"));
        Damage.append(new byte[5000]).inflictOn(tools.file(1, "zst"));
        Damage.truncate((int) Files.size(tools.file(2, "zst")) - 10).inflictOn(tools.file(2, "zst"));
        HealingReport report = heal(tools.vault, home);
        assertEquals(1, report.losses().size(), report::toString);
        byte[] full = Files.readAllBytes(tools.file(0, "zst"));
        assertTrue(Arrays.equals(good.getFirst(), 0, GROUP, full, 0, GROUP));
        assertTrue(Arrays.equals(good.getFirst(), 2 * GROUP, full.length, full, 2 * GROUP, full.length));
        assertArrayEquals(good.get(1), Files.readAllBytes(tools.file(1, "zst")));
        assertArrayEquals(good.get(2), Files.readAllBytes(tools.file(2, "zst")));
        for (int i = 0; i < 2; i++) { // again and again
            assertEquals(report.losses(), heal(tools.vault, home).losses());
            assertArrayEquals(full, Files.readAllBytes(tools.file(0, "zst")));
        }
        Files.write(tools.file(0, "zst"), good.getFirst());
        assertKept(good);
    }

    /// Another vault has an archive of the same name that is another one.
    @Test
    void aTwinTakesNothingAway() throws Exception {
        List<byte[]> data = data();
        Path there = Files.createDirectory(folder.resolve("there"));
        TestVault twin = new TestVault(there);
        for (int day = 0; day < 3; day++) { // of the same days
            twin.add(Images.noise(10 + day, 3 * GROUP));
            assertEquals(tools.file(day, "zst").getFileName().toString().replaceFirst("\\.(full|delta)\\.zst$", ""),
                    twin.file(day, "zst").getFileName().toString().replaceFirst("\\.(full|delta)\\.zst$", ""));
        }
        heal(tools.vault, twin.vault.folder());
        assertKept(data);
        for (int i = 0; i < 3; i++) {
            for (String suffix : List.of("json", "index", "tree")) {
                byte[] good = Files.readAllBytes(tools.file(i, suffix));
                Files.delete(tools.file(i, suffix));
                heal(tools.vault, twin.vault.folder());
                assertArrayEquals(data.get(i), Files.readAllBytes(tools.file(i, "zst")), suffix);
                Files.write(tools.file(i, suffix), good);
            }
        }
        for (int i = 0; i < 3; i++) { // all the tables are those of the other
            for (String suffix : List.of("json", "index", "tree")) {
                if (Files.exists(twin.file(i, suffix))) {
                    Files.deleteIfExists(tools.file(i, suffix));
                }
            }
        }
        heal(tools.vault, twin.vault.folder());
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(data.get(i), Files.readAllBytes(tools.file(i, "zst")));
        }
    }

    @Test
    void modesAreKept() throws Exception {
        List<byte[]> data = data();
        Damage.flip(GROUP + 500_000, 1).inflictOn(tools.file(0, "zst"));
        Files.write(other(0, "zst"), data.getFirst());
        try (Stream<Path> files = Files.list(tools.volume.folder())) {
            for (Path file : files.filter(file -> file.toString().endsWith(".zst")).toList()) {
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r-----"));
            }
        }
        assertTrue(heal(tools.vault, home).healthy());
        assertEquals("r--r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(tools.file(0, "zst"))));
        assertKept(data);
    }
}
