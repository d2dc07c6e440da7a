package varve.mounthelper.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.mounthelper.Scene;

/// A nearer place is asked first, and believed in nothing.
final class NearerTest {

    private static final int SIZE = 12 * Scene.CHUNK + 100;

    @TempDir
    Path folder;

    private final byte[] bytes = Scene.dense(1, SIZE);
    private final AtomicInteger asked = new AtomicInteger();
    private final List<String> told = new CopyOnWriteArrayList<>();

    private byte[] read(Nearer nearer, boolean archiveIsThere) throws Exception {
        Scene scene = new Scene(folder).archive(bytes);
        FoundPoint found = new Points(List.of(Vault.open(scene.vault)), Clock.systemUTC()).find(PointName.parse("tools"));
        try (Images images = new Images(told::add);
                Image image = images.open(found.path(), "tools");
                Arena arena = Arena.ofShared()) {
            image.prefer(nearer);
            if (!archiveIsThere) {
                Files.delete(scene.data("full", 0));
            }
            MemorySegment all = arena.allocate(SIZE);
            image.read(0, all);
            return all.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private boolean right(long offset, MemorySegment into) {
        asked.incrementAndGet();
        into.copyFrom(MemorySegment.ofArray(bytes).asSlice(offset, into.byteSize()));
        return true;
    }

    @Test
    void isReadInsteadOfTheArchive() throws Exception {
        assertEquals(-1, Arrays.mismatch(bytes, read(this::right, false)));
        assertEquals(13, asked.get());
        assertEquals(List.of(), told);
    }

    @Test
    void wrongBytesAreNotTaken() throws Exception {
        assertEquals(-1, Arrays.mismatch(bytes, read((offset, into) -> {
            right(offset, into);
            into.set(ValueLayout.JAVA_BYTE, 77, (byte) 0);
            return true;
        }, true)));
        assertTrue(asked.get() > 0);
    }

    @Test
    void onErrorsTheArchiveIsRead() throws Exception {
        assertEquals(-1, Arrays.mismatch(bytes, read((offset, into) -> {
            throw new IOException("a bad disk");
        }, true)));
        assertTrue(told.getFirst().contains("a bad disk"), told::toString);
    }
}
