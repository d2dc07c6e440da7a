package varve.archive.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.format.Version;
import varve.archive.block.RefusedException;

/// Every vault carries what a stranger needs, of the newest varve that wrote to it.
class RescueKitTest {

    private static final List<String> FILES = List.of("RESCUE.md", "rescue", "varve_reader.py");

    @TempDir
    private Path folder;

    private void assertComplete() throws IOException {
        for (String name : FILES) {
            assertArrayEquals(RescueKit.content(name), Files.readAllBytes(folder.resolve(name)), name);
        }
        try (Stream<Path> files = Files.list(folder)) {
            Set<String> names = files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
            assertEquals(Set.of("RESCUE.md", "rescue", "varve_reader.py", "varve-vault.json"), names);
        }
    }

    @Test
    void aNewVaultHasIt() throws IOException {
        Vault.openOrCreate(folder);
        assertComplete();
        assertTrue(Files.isExecutable(folder.resolve("rescue")));
        assertTrue(Files.readString(folder.resolve("RESCUE.md")).endsWith("came with varve " + Version.CURRENT + ".*\n"));
    }

    @Test
    void aVaultThatWasMadeWithoutItGetsIt() throws IOException {
        Vault.openOrCreate(folder);
        for (String name : FILES) {
            Files.delete(folder.resolve(name));
            Vault.openOrCreate(folder);
            assertComplete();
        }
    }

    @Test
    void whatAnOlderVarvePutThereIsRenewed() throws IOException {
        Vault.openOrCreate(folder);
        for (String name : FILES) {
            Files.writeString(folder.resolve(name), "These files came with varve 0.0.9.*\n");
        }
        Vault.openOrCreate(folder);
        assertComplete();
    }

    @Test
    void whatIsDamagedIsRenewed() throws IOException {
        Vault.openOrCreate(folder);
        for (String name : FILES) {
            byte[] content = Files.readAllBytes(folder.resolve(name));
            content[content.length / 2] ^= 1;
            Files.write(folder.resolve(name), content);
            Vault.openOrCreate(folder);
            assertComplete();
        }
    }

    @Test
    void whatALaterVarvePutThereStays() throws IOException {
        Vault.openOrCreate(folder);
        for (String name : FILES) {
            Files.writeString(folder.resolve(name), "*These files came with varve 99.1.0.*\n");
        }
        Vault.openOrCreate(folder);
        for (String name : FILES) {
            assertEquals("*These files came with varve 99.1.0.*\n", Files.readString(folder.resolve(name)));
        }
    }

    @Test
    void openingAVaultToReadWritesNothing() throws IOException {
        Vault.openOrCreate(folder);
        Files.delete(folder.resolve("rescue"));
        Vault.open(folder);
        assertFalse(Files.exists(folder.resolve("rescue")));
    }

    @Test
    void noVolumeIsCalledAsAFileOfEveryVault() throws IOException {
        Vault vault = Vault.openOrCreate(folder);
        for (String name : FILES) {
            assertThrows(RefusedException.class, () -> vault.volume(name));
        }
        assertEquals("rescue-2", vault.volume("rescue-2").name());
    }
}
