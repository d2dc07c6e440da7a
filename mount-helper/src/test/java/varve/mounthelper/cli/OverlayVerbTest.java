package varve.mounthelper.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.cli.Stdio;
import varve.archive.hash.SubtreeHasher;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.mounthelper.Scene;
import varve.mounthelper.image.Image;
import varve.mounthelper.image.Images;
import varve.mounthelper.image.Points;
import varve.mounthelper.overlay.Overlay;
import varve.testdata.VarveProcess.Ended;

/// `varve overlay`, and `varve archive` of an overlay.
final class OverlayVerbTest {

    private static final int SIZE = 6 * Scene.CHUNK + 777;

    @TempDir
    Path folder;

    private Scene scene;
    private byte[] first;
    private byte[] second;
    private Path file;

    @BeforeEach
    void archive() throws Exception {
        first = Scene.dense(1, SIZE);
        second = Scene.changed(first, 2);
        scene = new Scene(folder).archive(first).archive(second);
        file = folder.resolve("o");
    }

    private interface Use {
        void with(Overlay overlay) throws Exception;
    }

    /// Uses an overlay on a point as `varve serve --writable` does.
    private void use(String point, Use use) throws Exception {
        Vault vault = Vault.open(scene.vault);
        try (Images images = new Images(line -> {})) {
            var found = new Points(List.of(vault), Clock.systemUTC()).find(PointName.parse(point));
            Image image = images.open(found.path(), "tools@" + found.point().manifest().time());
            try (Overlay overlay = Overlay.attach(file, image, image.state(), Instant.now(), image)) {
                use.with(overlay);
            }
        }
    }

    private static void write(Overlay overlay, byte[] image, int offset, int size, int value) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            overlay.write(offset, arena.allocate(size).fill((byte) value));
        }
        Arrays.fill(image, offset, offset + size, (byte) value);
    }

    private static Ended run(Object... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        ExitCode code = Main.run(
                new Stdio(InputStream.nullInputStream(), new PrintStream(out), new PrintStream(err), 0, System::nanoTime),
                Stream.of(words).map(Object::toString).toArray(String[]::new));
        return new Ended(code.number(), out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private byte[] restored(String point) throws Exception {
        Path target = folder.resolve("restored.img");
        Files.deleteIfExists(target);
        run("restore", point, target, "--vault", scene.vault).expect(0);
        return Files.readAllBytes(target);
    }

    @Test
    void anOverlayIsRecordedAsABranchOfItsPoint() throws Exception {
        byte[] branch = first.clone();
        use("tools@-1", overlay -> {
            write(overlay, branch, 5000, 10, 7);
            write(overlay, branch, SIZE - 5, 5, 8);
            overlay.zero(3 * Scene.CHUNK, Scene.CHUNK, false);
            Arrays.fill(branch, 3 * Scene.CHUNK, 4 * Scene.CHUNK, (byte) 0);
        });
        Ended archived = run("archive", "overlay:" + file, "--vault", scene.vault, "--label", "repaired").expect(0);
        assertTrue(archived.out().contains("root " + blake3(branch)), archived.out());
        assertTrue(archived.out().contains("stored a delta of 68.8 KiB"), archived.out());
        assertTrue(archived.out().contains("it is what tools@2026-11-20"), archived.out());
        String manifest = Files.readString(newestManifest());
        assertTrue(manifest.contains("\"parentRoot\": \"" + blake3(first) + "\""), manifest);
        run("verify", "tools", "--vault", scene.vault, "--depth", "content").expect(0);
        assertEquals(-1, Arrays.mismatch(branch, restored("tools@latest")));
        assertEquals(-1, Arrays.mismatch(second, restored("tools@-1")));
        // the history goes on
        scene.archive(second);
        assertEquals(-1, Arrays.mismatch(second, restored("tools@latest")));
        assertEquals(-1, Arrays.mismatch(branch, restored("tools@-1")));
    }

    @Test
    void anOverlayCanBeginAVolumeOfItsOwn() throws Exception {
        byte[] branch = second.clone();
        use("tools", overlay -> write(overlay, branch, 0, 4096, 7));
        Ended archived = run("archive", "overlay:" + file, "--vault", scene.vault, "--volume", "experiment").expect(0);
        assertTrue(archived.out().contains("stored a full"), archived.out());
        assertEquals(-1, Arrays.mismatch(branch, restored("experiment")));
        assertEquals(-1, Arrays.mismatch(second, restored("tools")));
    }

    @Test
    void aDryRunStoresNothing() throws Exception {
        use("tools", overlay -> write(overlay, second, 0, 4096, 7));
        assertTrue(run("archive", "overlay:" + file, "--vault", scene.vault, "-n").expect(0).out().contains("would store a delta of 4.0 KiB"));
        run("overlay", "list", file).expect(0);
        assertTrue(run("list", "tools", "--vault", scene.vault).expect(0).out().lines().count() == 3);
    }

    @Test
    void anOverlayInUseIsNeitherArchivedNorDiscarded() throws Exception {
        use("tools", overlay -> {
            run("archive", "overlay:" + file, "--vault", scene.vault).expect(8);
            run("overlay", "discard", file).expect(8);
            assertTrue(run("overlay", "list", folder).expect(0).out().contains("in use"));
        });
        assertTrue(Files.exists(file));
    }

    @Test
    void whatIsNoOverlayIsNotArchived() throws Exception {
        Files.writeString(file, "text");
        run("archive", "overlay:" + file, "--vault", scene.vault).expect(9);
        run("archive", "overlay:" + folder.resolve("none"), "--vault", scene.vault).expect(10);
        run("archive", "overlay:" + folder, "--vault", scene.vault).expect(9);
    }

    @Test
    void listsAndDiscards() throws Exception {
        assertEquals("no overlays", run("overlay", "list", folder).expect(0).out().strip());
        use("tools@-1", overlay -> write(overlay, first, 100, 8192, 7));
        String listed = run("overlay", "list", folder).expect(0).out();
        assertTrue(listed.contains("tools@2026-11-20T02:00") && listed.contains("12.0 KiB") && listed.contains("whole"), listed);
        String json = run("overlay", "list", "--json", file).expect(0).out();
        assertTrue(json.contains("\"writtenSize\": 12288") && json.contains("\"root\": \"" + blake3(Scene.dense(1, SIZE)) + "\""), json);
        assertTrue(run("overlay", "discard", file, "-n").expect(0).out().startsWith("would discard "));
        assertTrue(Files.exists(file));
        run("overlay", "discard", file).expect(0);
        assertFalse(Files.exists(file));
        run("overlay", "discard", file).expect(10);
        Files.writeString(file, "text");
        run("overlay", "discard", file).expect(9);
        assertTrue(Files.exists(file));
    }

    @Test
    void aDamagedOverlayIsListedAsThatAndCanBeDiscarded() throws Exception {
        use("tools", overlay -> write(overlay, second, 0, 4096, 7));
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.seek(70);
            access.write('?');
        }
        assertTrue(run("overlay", "list", file).expect(3).out().contains("damaged"));
        run("overlay", "discard", file).expect(0);
        assertFalse(Files.exists(file));
    }

    private Path newestManifest() throws IOException {
        try (var files = Files.list(scene.vault.resolve("tools"))) {
            return files.filter(name -> name.toString().endsWith(".delta.json")).sorted().toList().getLast();
        }
    }

    private static String blake3(byte[] bytes) {
        return new SubtreeHasher().whole(MemorySegment.ofArray(bytes)).toString();
    }
}
