package varve.testdata;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Makes random histories of a device: sizes from 0 up, growth, shrinkage, runs of zeros, one-bit changes, no change, and
/// the way back to an old state. Sizes and places like the borders of blocks and chunks.
public final class Histories {
    private static final String SEED = "varve.test.seed";

    private final Random random;
    private final int chunkSize;
    private final int maxSize;
    private final List<History.Point> points = new ArrayList<>();

    private Histories(long seed, int chunkSize, int maxSize) {
        this.random = new Random(seed);
        this.chunkSize = chunkSize;
        this.maxSize = maxSize;
    }

    /// {@return `count` seeds to test with: the same every time, so that a change is judged by what it changes; others each time if
    /// the system property `varve.test.seed` is `random`; or the only one that it gives, to repeat what failed}
    public static List<Long> seeds(int count) {
        Long fixed = Long.getLong(SEED);
        Random random = "random".equals(System.getProperty(SEED)) ? new Random() : new Random(count);
        return fixed != null ? List.of(fixed) : random.longs(count).boxed().toList();
    }

    /// @param chunkSize the borders that sizes and changes like
    /// @param maxSize of the device, in bytes
    public static History random(long seed, int count, int chunkSize, int maxSize) {
        Histories histories = new Histories(seed, chunkSize, maxSize);
        histories.first();
        while (histories.points.size() < count) {
            histories.next();
        }
        return new History(seed, List.copyOf(histories.points));
    }

    private void first() {
        byte[] image = random.nextInt(5) == 0 ? new byte[0] : Images.mixed(random.nextLong(), size());
        add("a device", image);
    }

    private void next() {
        byte[] old = points.getLast().image();
        switch (random.nextInt(10)) {
            case 0 -> add("no change", old);
            case 1 -> add("back to the first", points.getFirst().image());
            case 2, 3 -> resize(old);
            case 4 -> flip(old);
            default -> write(old);
        }
    }

    private void resize(byte[] old) {
        byte[] image = Arrays.copyOf(old, size());
        boolean grown = image.length > old.length;
        if (grown && random.nextBoolean()) {
            fill(image, old.length, image.length);
        }
        add(grown ? "growth" : "shrinkage", image);
    }

    private void flip(byte[] old) {
        if (old.length == 0) {
            add("no change", old);
            return;
        }
        byte[] image = old.clone();
        int at = place(image.length);
        image[at] ^= (byte) (1 << random.nextInt(8));
        add("one bit at " + at, image);
    }

    private void write(byte[] old) {
        byte[] image = old.clone();
        int writes = old.length == 0 ? 0 : 1 + random.nextInt(6);
        for (int i = 0; i < writes; i++) {
            int from = place(image.length);
            int to = (int) Math.min(image.length, from + length());
            if (random.nextInt(3) == 0) {
                Arrays.fill(image, from, to, (byte) 0);
            } else {
                fill(image, from, to);
            }
        }
        add(writes + " writes", image);
    }

    private void fill(byte[] image, int from, int to) {
        long seed = random.nextLong();
        byte[] content = random.nextBoolean() ? Images.text(seed, to - from) : Images.noise(seed, to - from);
        System.arraycopy(content, 0, image, from, to - from);
    }

    private void add(String change, byte[] image) {
        points.add(new History.Point(change, image));
    }

    private int size() {
        int size = switch (random.nextInt(8)) {
            case 0 -> random.nextInt(3);
            case 1 -> random.nextInt(chunkSize + 2);
            case 2, 3 -> chunkSize * random.nextInt(maxSize / chunkSize + 1) + random.nextInt(3) - 1;
            case 4 -> Images.BLOCK * random.nextInt(maxSize / Images.BLOCK + 1);
            default -> random.nextInt(maxSize + 1);
        };
        return Math.clamp(size, 0, maxSize);
    }

    /// an offset within a device that is not empty
    private int place(int size) {
        int at = random.nextInt(size);
        return switch (random.nextInt(4)) {
            case 0 -> at - at % chunkSize;
            case 1 -> at - at % Images.BLOCK;
            case 2 -> size - 1;
            default -> at;
        };
    }

    private long length() {
        return switch (random.nextInt(4)) {
            case 0 -> 1 + random.nextInt(100);
            case 1 -> Images.BLOCK;
            case 2 -> (long) chunkSize * (1 + random.nextInt(9));
            default -> 1 + random.nextInt(2 * chunkSize);
        };
    }
}
