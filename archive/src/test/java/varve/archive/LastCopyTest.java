package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static varve.archive.VaultScene.VOLUME;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.archive.vault.VolumeSettings;

/// To drop the last proved copy of a point that is kept is tried through every command, and fails.
///
/// A disk on a shelf, `monday`, has all of the data; `home`, which is archived to, has only the newest delta, tables, and what people decided.
class LastCopyTest {

    @TempDir
    Path folder;

    private VaultScene scene;
    private Path home;
    private Path monday;

    @BeforeEach
    void make() throws Exception {
        scene = new VaultScene(folder, 6);
        home = scene.home;
        monday = scene.disk("monday");
        for (int i = 0; i < 3; i++) {
            scene.archive();
        }
        scene.copy(monday).expect(ExitCode.OK, "evict", VOLUME, "--vault", home, "--min-copies", "1");
        assertEquals(0, scene.dataFiles(home).size());
        scene.archive();
        for (int back = 1; back <= 3; back++) {
            scene.expect(ExitCode.OK, "protect", VOLUME + "@-" + back, "--vault", home); // monday has not heard of it
            assertTrue(scene.err.contains("its data is not all in this vault"), scene.err);
        }
    }

    private void assertNothingIsLost(Object command) throws Exception {
        assertEquals(List.of(1L, 2L, 3L, 4L), scene.restorable(home, monday), () -> command + ": " + scene.out + scene.err);
    }

    private void attempt(ExitCode code, Object... words) throws Exception {
        scene.expect(code, words);
        assertNothingIsLost(List.of(words));
    }

    @Test
    void noCommandDropsTheLastProvedCopyOfAPointThatIsKept() throws Exception {
        attempt(ExitCode.OK, "evict", VOLUME, "--vault", monday, "--min-copies", "1");
        attempt(ExitCode.OK, "evict", VOLUME, "--vault", monday, "--vault", home, "--min-copies", "1");
        attempt(ExitCode.OK, "evict", VOLUME, "--vault", home, "--vault", monday, "--min-copies", "1");
        attempt(ExitCode.USAGE, "evict", VOLUME, "--vault", monday, "--min-copies", "0");
        attempt(ExitCode.REFUSED, "expire", VOLUME, "--vault", monday, "--keep-last", "1");
        assertTrue(scene.err.contains("vault home relies on it"), scene.err);
        attempt(ExitCode.USAGE, "expire", VOLUME, "--vault", monday, "--vault", home, "--keep-last", "1", "--min-copies", "0");
        attempt(ExitCode.REFUSED, "vault", "retire", monday);
        attempt(ExitCode.REFUSED, "vault", "retire", "monday", "--vault", home, "--vault", monday);
        attempt(ExitCode.REFUSED, "vault", "init", monday);
        attempt(ExitCode.OK, "policy", VOLUME, "--vault", monday, "--keep-last", "1");
        attempt(ExitCode.REFUSED, "expire", VOLUME, "--vault", monday);
        attempt(ExitCode.OK, "consolidate", VOLUME, "--vault", monday, "--full");
        attempt(ExitCode.OK, "evict", VOLUME, "--vault", monday, "--vault", home, "--min-copies", "1");
        attempt(ExitCode.OK, "catalogue", "rebuild", monday, home);
        scene.run("expire", VOLUME, "--vault", monday, "--vault", home, "--keep-last", "1");
        assertNothingIsLost("expire with both");
        scene.run("expire", VOLUME, "--vault", home, "--vault", monday, "--keep-last", "1");
        assertNothingIsLost("expire with both");
    }

    @Test
    void whatIsProtectedInOneVaultIsProtectedInAllThatItMeets() throws Exception {
        scene.expect(ExitCode.OK, "catalogue", "merge", home, monday);
        assertEquals("1-3", VolumeSettings.read(scene.volume(monday), scene.history(monday)).protectedPoints().toString());
        scene.copy(monday);
        VaultScene.delete(home);
        Files.createDirectory(home);
        scene.expect(ExitCode.REFUSED, "expire", VOLUME, "--vault", monday, "--keep-last", "1");
        scene.expect(ExitCode.OK, "vault", "retire", "home", "--lost", "--vault", monday);
        scene.expect(ExitCode.OK, "expire", VOLUME, "--vault", monday, "--keep-last", "1");
        assertEquals(List.of(1L, 2L, 3L, 4L), scene.restorable(monday));
    }

    @Test
    void anotherVolumeOfTheSameNameIsToldNothing() throws Exception {
        Path other = scene.disk("other");
        scene.archive(other);
        scene.run("expire", VOLUME, "--vault", home, "--vault", other, "--keep-last", "1");
        assertEquals("", VolumeSettings.read(scene.volume(other), scene.history(other)).protectedPoints().toString());
        assertNothingIsLost("expire beside another volume");
    }

    @Test
    void whatIsNoLongerProtectedGoesEverywhere() throws Exception {
        scene.copy(monday);
        for (int back = 1; back <= 3; back++) {
            scene.expect(ExitCode.OK, "protect", VOLUME + "@-" + back, "--vault", home, "--remove");
        }
        scene.expect(ExitCode.OK, "expire", VOLUME, "--vault", monday, "--vault", home, "--keep-last", "1");
        assertEquals(List.of(1L, 4L), scene.restorable(monday), "and the full that others rest on");
        assertEquals("2-3", VolumeSettings.read(scene.volume(home), scene.history(home)).expired().toString());
    }
}
