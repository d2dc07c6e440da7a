package varve.mounthelper;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.block.DeviceException;

/// A medium that does not keep what it is given: somebody changes the stage while it is written.
final class ProofTest {
    private static final RestoreOptions ONE_THREAD = RestoreOptions.of(1);

    @TempDir
    Path folder;

    private Scene scene;
    private Path target;
    private final AtomicLong done = new AtomicLong();

    @BeforeEach
    void place() {
        scene = new Scene(folder);
        target = folder.resolve("t.img");
    }

    private void scribble(long offset) {
        try (RandomAccessFile stage = new RandomAccessFile(folder.resolve("t.img.varve-partial").toFile(), "rw")) {
            stage.seek(offset);
            stage.write(1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// scribbles once, when so many bytes of the image are done
    private String messageOf(long moment, long offset) throws IOException {
        try (Restoration restoration = scene.open("tools", target, ONE_THREAD)) {
            DeviceException e = assertThrows(DeviceException.class, () -> restoration.execute(Optional.empty(), bytes -> {
                long before = done.getAndAdd(bytes);
                if (before < moment && before + bytes >= moment) {
                    scribble(offset);
                }
            }));
            assertFalse(Files.exists(target));
            return e.getMessage();
        }
    }

    @Test
    void dataThatReadsBackDifferentlyIsAnError() throws Exception {
        byte[] image = Scene.dense(1, 4 << 20);
        image[5 * Scene.CHUNK + 10] = 3;
        scene.archive(image);
        String message = messageOf(4 << 20, 5 * Scene.CHUNK + 10);
        assertTrue(message.contains("chunk 5 at " + 5 * Scene.CHUNK + " does not read back as it was written: expected "), message);
    }

    @Test
    void aWriteThatDestroysAnEarlierOneIsAnError() throws Exception {
        byte[] image = Scene.dense(2, 40 << 20);
        image[7] = 3;
        scene.archive(image);
        // stretches are of 32 MiB at least: the first is proved by now
        String message = messageOf(36 << 20, 7);
        assertTrue(message.contains("chunk 0 at 0 does not read back as it was written"), message);
    }

    @Test
    void theNextRunMendsIt() throws Exception {
        byte[] image = Scene.dense(3, 4 << 20);
        image[99] = 3;
        scene.archive(image);
        messageOf(4 << 20, 99);
        Restoration.Outcome outcome = scene.restore("tools", target);
        assertTrue(outcome.written() == Scene.CHUNK, outcome::toString);
        Scene.assertHolds(image, target);
    }
}
