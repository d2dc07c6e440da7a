package varve.testdata;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// One way in which a file can be damaged. Its text form says what it does.
public final class Damage {
    private static final int SECTOR = 512;

    private final String what;
    private final UnaryOperator<byte[]> change;

    private Damage(String what, UnaryOperator<byte[]> change) {
        this.what = what;
        this.change = change;
    }

    /// {@return a bit flipped}
    public static Damage flip(int position, int bit) {
        return bytes("flip bit " + bit + " of byte " + position, bytes -> bytes[position] ^= (byte) (1 << bit));
    }

    /// {@return all bits of a byte flipped}
    public static Damage invert(int position) {
        return bytes("invert byte " + position, bytes -> bytes[position] ^= (byte) 0xFF);
    }

    /// {@return zeros from a position to the end of its sector of 512 bytes, or of the file}
    public static Damage zeroSector(int position) {
        return bytes("zero the sector from " + position, bytes -> Arrays.fill(
                bytes, position, Math.min(bytes.length, position - position % SECTOR + SECTOR), (byte) 0));
    }

    /// {@return an early end}
    public static Damage truncate(int size) {
        return new Damage("truncate to " + size, bytes -> Arrays.copyOf(bytes, Math.min(size, bytes.length)));
    }

    /// {@return more bytes at the end}
    public static Damage append(byte... more) {
        return new Damage("append " + more.length + " bytes", bytes -> {
            byte[] longer = Arrays.copyOf(bytes, bytes.length + more.length);
            System.arraycopy(more, 0, longer, bytes.length, more.length);
            return longer;
        });
    }

    /// {@return two ranges in each other's place, as when a device mixes up its blocks; they do not overlap}
    public static Damage swap(int position, int other, int size) {
        return bytes("swap " + size + " bytes at " + position + " and " + other, bytes -> {
            byte[] first = Arrays.copyOfRange(bytes, position, position + size);
            System.arraycopy(bytes, other, bytes, position, size);
            System.arraycopy(first, 0, bytes, other, size);
        });
    }

    /// {@return a write that ended too early: from a position on there is what was there before, or nothing}
    ///
    /// @param before an older content of the file
    public static Damage tear(int position, byte[] before) {
        return new Damage("tear at " + position, bytes -> {
            byte[] torn = Arrays.copyOf(before, Math.max(position, before.length));
            System.arraycopy(bytes, 0, torn, 0, Math.min(position, bytes.length));
            return torn;
        });
    }

    /// {@return two ranges of any sizes in each other's place; what lies between them moves}
    public static Damage exchange(int position, int size, int other, int otherSize) {
        return bytes("exchange " + size + " bytes at " + position + " with " + otherSize + " at " + other, bytes -> {
            byte[] part = Arrays.copyOfRange(bytes, position, other + otherSize);
            int between = other - position - size;
            System.arraycopy(part, part.length - otherSize, bytes, position, otherSize);
            System.arraycopy(part, size, bytes, position + otherSize, between);
            System.arraycopy(part, 0, bytes, position + otherSize + between, size);
        });
    }

    /// {@return the content of another file}
    public static Damage become(String what, byte[] other) {
        return new Damage("become " + what, bytes -> other.clone());
    }

    /// {@return each byte of a file of this size changed, by one of its bits}
    public static Stream<Damage> everyByte(int size) {
        return IntStream.range(0, size).mapToObj(position -> flip(position, position * 5 % 8));
    }

    /// {@return each end that a file of this size could come to too early}
    public static Stream<Damage> everyTruncation(int size) {
        return IntStream.range(0, size).mapToObj(Damage::truncate);
    }

    /// {@return `count` kinds of damage of a file of at least 2 bytes. One that swaps equal ranges or zeroes zeros changes
    /// nothing: compare.}
    public static Stream<Damage> random(long seed, int size, int count) {
        Random random = new Random(seed);
        return Stream.generate(() -> switch (random.nextInt(6)) {
            case 0 -> flip(random.nextInt(size), random.nextInt(8));
            case 1 -> invert(random.nextInt(size));
            case 2 -> zeroSector(random.nextInt(size));
            case 3 -> truncate(random.nextInt(size));
            case 4 -> append(Images.noise(random.nextLong(), 1 + random.nextInt(2 * SECTOR)));
            default -> {
                int length = 1 + random.nextInt(Math.min(SECTOR, size / 2));
                int first = random.nextInt(size - 2 * length + 1);
                yield swap(first, first + length + random.nextInt(size - 2 * length - first + 1), length);
            }
        }).limit(count);
    }

    /// {@return a damaged copy}
    public byte[] of(byte[] bytes) {
        return change.apply(bytes.clone());
    }

    /// Damages a file where it lies.
    public void inflictOn(Path file) throws IOException {
        Files.write(file, of(Files.readAllBytes(file)));
    }

    @Override
    public String toString() {
        return what;
    }

    private static Damage bytes(String what, Consumer<byte[]> change) {
        return new Damage(what, bytes -> {
            change.accept(bytes);
            return bytes;
        });
    }
}
