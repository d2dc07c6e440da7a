package varve.archive.hash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class B3sumTest {
    @TempDir
    Path folder;

    @Test
    void printsTheRootOfEveryFile() throws IOException {
        assumeTrue(Oracle.hasB3sum(), "needs b3sum");
        long seed = Long.getLong("varve.test.seed", new Random().nextLong());
        System.out.println("B3sumTest: -Dvarve.test.seed=" + seed);
        Random random = new Random(seed);
        List<Integer> sizes = new ArrayList<>(List.of(0, 1, 63, 64, 65, 127, 128));
        for (int leaf = 1; leaf <= 300; leaf++) {
            sizes.add(leaf * 1024 + leaf % 3 - 1);
        }
        for (int i = 0; i < 4; i++) {
            sizes.add(random.nextInt(8 << 20));
        }
        SubtreeHasher hasher = new SubtreeHasher();
        byte[] data = new byte[8 << 20];
        random.nextBytes(data);
        List<Path> files = new ArrayList<>();
        List<Hash> roots = new ArrayList<>();
        for (int size : sizes) {
            Path file = folder.resolve("of-" + size);
            try (var out = Files.newOutputStream(file)) {
                out.write(data, data.length - size, size);
            }
            files.add(file);
            roots.add(hasher.whole(MemorySegment.ofArray(data).asSlice(data.length - size)));
        }
        assertEquals(Oracle.b3sum(files), roots);
    }
}
