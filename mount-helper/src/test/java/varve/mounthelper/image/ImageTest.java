package varve.mounthelper.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.mounthelper.Scene;

/// What happens to an image while the decoders are at work on it.
final class ImageTest {

    private static final int CLOSED = 200; // times
    private static final int SIZE = 12 * Scene.CHUNK;

    @Test
    void closingItWhileItReadsAheadIsNoDamage(@TempDir Path folder) throws Exception {
        Scene scene = new Scene(folder).archive(Scene.dense(1, SIZE));
        FoundPoint found = new Points(List.of(Vault.open(scene.vault)), Clock.systemUTC()).find(PointName.parse("tools"));
        List<String> told = new CopyOnWriteArrayList<>();
        try (Images images = new Images(told::add)) {
            for (int i = 0; i < CLOSED; i++) {
                Image image = images.open(found.path(), "tools");
                image.expect(0, SIZE);
                image.close();
            }
        }
        assertEquals(List.of(), told);
    }
}
