package varve.archive.foreign;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.block.BlockSource;
import varve.archive.block.FileDevice;
import varve.archive.block.RefusedException;
import varve.archive.format.State;
import varve.testdata.Histories;
import varve.testdata.Images;

/// A patched device against a plain array that the same is written to.
class PatchTableTest {

    private static final int MOST = 7 << 20; // regions of 2 MiB matter
    private static final int BLOCK = 4096;

    @TempDir
    Path folder;

    static Stream<Long> seeds() {
        return Histories.seeds(Integer.getInteger("varve.test.patches", 12)).stream();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void aPatchedDeviceReadsAsAnArrayThatTheSameWasWrittenTo(long seed) throws IOException {
        Random random = new Random(seed);
        byte[] parent = Images.mixed(seed, 1 + random.nextInt(MOST));
        byte[] content = new byte[3 << 20];
        random.nextBytes(content);
        byte[] model = parent.clone();
        byte[] start = model;
        Path patch = Files.write(folder.resolve("patch"), content);
        Path image = folder.resolve("parent");
        Images.write(parent, image);
        try (FileDevice below = FileDevice.open(image);
                FileDevice file = FileDevice.open(patch);
                PatchTable table = new PatchTable("patch", parent.length, 1L << 40, folder)) {
            for (int i = 0; i < 300; i++) {
                switch (random.nextInt(12)) {
                    case 0 -> {
                        int size = random.nextInt(MOST);
                        model = Arrays.copyOf(model, size);
                        table.resize(size);
                    }
                    case 1, 2, 3 -> {
                        int offset = place(random, model.length);
                        int length = random.nextInt(6) == 0 ? random.nextInt(5 << 20) : random.nextInt(20_000);
                        Arrays.fill(model, offset, Math.min(model.length, offset + length), (byte) 0);
                        table.zero(offset, length);
                    }
                    case 4 -> {
                        if (i < 250) { // the second step
                            continue;
                        }
                        start = model.clone();
                        table.forget();
                    }
                    default -> {
                        int offset = place(random, model.length);
                        int length = Math.min(model.length - offset, random.nextInt(5) == 0 ? random.nextInt(1 << 20) : random.nextInt(9000));
                        int position = random.nextInt(content.length - length);
                        System.arraycopy(content, position, model, offset, length);
                        table.data(offset, length, position);
                    }
                }
            }
            assertEquals(model.length, table.size());
            PatchedDevice device = new PatchedDevice(below, file, table, State.NOTHING, "parent");
            assertArrayEquals(model, ImportScene.content(device));
            for (int i = 0; i < 100; i++) {
                int from = random.nextInt(model.length + 1);
                int to = Math.min(model.length, from + random.nextInt(50_000));
                assertArrayEquals(Arrays.copyOfRange(model, from, to), ImportScene.content(device, from, to - from));
            }
            checkHoles(device, model);
            for (int at = 0; at < model.length; at += BLOCK) {
                int end = Math.min(model.length, at + BLOCK);
                if (end > start.length || !Arrays.equals(model, at, end, start, at, end)) {
                    assertEquals(at, table.recent().listedFrom(at), "not listed: " + at);
                }
            }
        }
    }

    private static int place(Random random, int size) {
        int at = size == 0 ? 0 : random.nextInt(size);
        return switch (random.nextInt(3)) {
            case 0 -> at & -BLOCK;
            case 1 -> at & -(2 << 20);
            default -> at;
        };
    }

    /// what is called a hole is zero, and the walk comes to an end
    private static void checkHoles(BlockSource device, byte[] model) throws IOException {
        long at = 0;
        while (at < model.length) {
            long data = device.dataFrom(at);
            for (long i = at; i < data; i++) {
                assertEquals(0, model[(int) i], "in a hole: " + i);
            }
            at = data;
            if (at < model.length) {
                long end = device.dataUntil(at);
                assertTrue(end > at);
                at = end;
            }
        }
        assertEquals(model.length, at);
    }

    @Test
    void aTebibyteOfZerosTakesNoRoomAndADeviceThatIsTooLargeIsRefused() throws IOException {
        try (PatchTable table = new PatchTable("patch", 1L << 40, 1L << 41, folder)) {
            table.zero(0, 1L << 40);
            table.data(3, 4, 5);
            table.data((1L << 40) - 7, 7, 0);
            assertTrue(table.inZeroRegion(1L << 30));
            assertThrows(RefusedException.class, () -> table.resize((1L << 41) + 1));
            assertThrows(RefusedException.class, () -> table.data((1L << 40) - 7, 8, 0));
            assertThrows(RefusedException.class, () -> table.data(Long.MAX_VALUE, Long.MAX_VALUE, 0));
            assertEquals(1L << 40, table.size());
        }
    }
}
