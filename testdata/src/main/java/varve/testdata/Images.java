package varve.testdata;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;

/// Content of devices: the same bytes for the same seed, on every machine ([Random] promises that).
///
/// A [#mixed] image is made of parts of 1 MiB that depend on the seed and their place only, so that a large one can be
/// written as a sparse file without being held in memory, and is the prefix of a larger one of the same seed.
public final class Images {
    /// The unit in which the kinds of content alternate: the block of ext4, and of varve.
    public static final int BLOCK = 4096;

    private static final int PART = 1 << 20;
    private static final String[] WORDS = (
            "sediment layer silt clay spring summer lake core sample year winter ice melt drift bed thin dark light pollen ash"
            ).split(" ");

    private Images() {
    }

    /// {@return bytes that zstd brings down to a quarter or less}
    public static byte[] text(long seed, int size) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder(size + 16);
        while (text.length() < size) {
            text.append(WORDS[random.nextInt(WORDS.length)]).append(random.nextInt(9) == 0 ? '\n' : ' ');
        }
        return Arrays.copyOf(text.toString().getBytes(StandardCharsets.US_ASCII), size);
    }

    /// {@return bytes that nothing makes smaller}
    public static byte[] noise(long seed, int size) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /// {@return what a file system in use looks like: runs of text, noise, sparse metadata and zeros, most of them longer
    /// than a block}
    public static byte[] mixed(long seed, int size) {
        byte[] image = new byte[size];
        for (int at = 0; at < size; at += PART) {
            byte[] part = part(seed, at / PART);
            System.arraycopy(part, 0, image, at, Math.min(PART, size - at));
        }
        return image;
    }

    /// Writes a [#mixed] image to a new file, with holes where a block is zero.
    public static void writeMixed(long seed, long size, Path file) throws IOException {
        try (FileChannel channel = create(file)) {
            for (long at = 0; at < size; at += PART) {
                writeSparse(channel, at, part(seed, (int) (at / PART)), (int) Math.min(PART, size - at));
            }
            lengthen(channel, size);
        }
    }

    /// Writes an image to a new file, with holes where a block is zero.
    public static void write(byte[] image, Path file) throws IOException {
        try (FileChannel channel = create(file)) {
            writeSparse(channel, 0, image, image.length);
            lengthen(channel, image.length);
        }
    }

    private static byte[] part(long seed, int number) {
        Random random = new Random(seed * 0x9E3779B97F4A7C15L + number);
        byte[] part = new byte[PART];
        int end;
        for (int at = 0; at < PART; at = end) {
            end = Math.min(PART, at + BLOCK * (1 + random.nextInt(1 << random.nextInt(8))));
            long inner = random.nextLong();
            switch (random.nextInt(8)) {
                case 0, 1 -> slackText(part, at, end, inner);
                case 2, 3 -> System.arraycopy(noise(inner, end - at), 0, part, at, end - at);
                case 4 -> inodes(part, at, end, new Random(inner));
                case 5 -> Arrays.fill(part, at, at + random.nextInt(BLOCK), (byte) 0xFF); // a bitmap
                default -> { } // free
            }
        }
        return part;
    }

    /// small files: each begins at a block, and the rest of its last block is zero
    private static void slackText(byte[] part, int from, int to, long seed) {
        System.arraycopy(text(seed, to - from), 0, part, from, to - from);
        for (int block = from; block < to; block += 2 * BLOCK) {
            int end = Math.min(to, block + BLOCK);
            Arrays.fill(part, end - (int) (seed >>> 54), end, (byte) 0);
        }
    }

    /// records of 256 bytes that hold a few numbers each, some of them unused
    private static void inodes(byte[] part, int from, int to, Random random) {
        ByteBuffer table = ByteBuffer.wrap(part);
        for (int at = from; at < to; at += 256) {
            if (random.nextInt(3) > 0) {
                table.putInt(at, 0x81A4);
                table.putInt(at + 4, random.nextInt(1 << 20));
                table.putLong(at + 8, 1_790_000_000L + random.nextInt(1 << 24));
                table.putShort(at + 40, (short) 0xF30A);
                table.putInt(at + 60, random.nextInt(1 << 24));
            }
        }
    }

    private static FileChannel create(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW, StandardOpenOption.SPARSE);
    }

    private static void writeSparse(FileChannel channel, long offset, byte[] bytes, int size) throws IOException {
        byte[] zeros = new byte[BLOCK];
        for (int at = 0; at < size; at += BLOCK) {
            int end = Math.min(size, at + BLOCK);
            if (!Arrays.equals(bytes, at, end, zeros, 0, end - at)) {
                writeFully(channel, ByteBuffer.wrap(bytes, at, end - at), offset + at);
            }
        }
    }

    private static void lengthen(FileChannel channel, long size) throws IOException {
        if (channel.size() < size) {
            writeFully(channel, ByteBuffer.allocate(1), size - 1);
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
        while (bytes.hasRemaining()) {
            position += channel.write(bytes, position);
        }
    }
}
