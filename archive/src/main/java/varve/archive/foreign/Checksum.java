package varve.archive.foreign;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedSet;
import java.util.TreeSet;
import varve.archive.block.BlockSource;

/// A digest of a whole device that a patch carries. bdsync pads the device with zeros to a step that it does not record,
/// and where the device shrinks, to its old size first.
///
/// @param name of the digest, as its user typed it
/// @param value of it
public record Checksum(String name, byte[] value) {

    /// names in OpenSSL and here
    private static final Map<String, String> DIGESTS = Map.of(
            "md5", "MD5", "sha1", "SHA-1", "sha224", "SHA-224", "sha256", "SHA-256", "sha384", "SHA-384", "sha512", "SHA-512",
            "sha3256", "SHA3-256", "sha3512", "SHA3-512");

    private static final int UNIT = 1 << 20;
    private static final long LEAST_STEP = 512;

    /// the most that is tried: blocks of 16 MiB in passes of 64
    private static final long MOST_STEP = 1L << 30;

    /// {@return what computes it; empty if nothing here does}
    Optional<MessageDigest> digest() {
        String algorithm = DIGESTS.get(name.toLowerCase(Locale.ROOT).replaceAll("[-_/]", ""));
        try {
            return algorithm == null ? Optional.empty() : Optional.of(MessageDigest.getInstance(algorithm));
        } catch (NoSuchAlgorithmException e) {
            return Optional.empty();
        }
    }

    /// Compares a device with it.
    ///
    /// @param before size of the device before the patch: where it shrinks, bdsync goes on to there with zeros
    /// @return the size that the device was padded to so that it fits; empty if none does
    /// @throws IllegalStateException if there is no [#digest]
    OptionalLong matches(BlockSource device, long before) throws IOException {
        MessageDigest digest = digest().orElseThrow(IllegalStateException::new);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(UNIT, 4096);
            for (long offset = 0; offset < device.size(); offset += UNIT) {
                MemorySegment part = bytes.asSlice(0, Math.min(UNIT, device.size() - offset));
                device.read(offset, part);
                digest.update(part.asByteBuffer());
            }
        }
        long padded = device.size();
        for (long candidate : paddings(device.size(), before)) {
            pad(digest, candidate - padded);
            padded = candidate;
            if (Arrays.equals(finish(digest), value)) {
                return OptionalLong.of(padded);
            }
        }
        return OptionalLong.empty();
    }

    private static SortedSet<Long> paddings(long size, long before) {
        SortedSet<Long> all = new TreeSet<>(List.of(size, Math.max(size, before)));
        for (long step = LEAST_STEP; step <= MOST_STEP; step *= 2) {
            all.add((size + step - 1) / step * step);
            all.add((Math.max(size, before) + step - 1) / step * step);
        }
        return all;
    }

    private static void pad(MessageDigest digest, long zeros) {
        byte[] some = new byte[(int) Math.min(UNIT, zeros)];
        for (long left = zeros; left > 0; left -= some.length) {
            digest.update(some, 0, (int) Math.min(some.length, left));
        }
    }

    /// the digest of what was fed so far, which goes on afterwards
    private static byte[] finish(MessageDigest digest) {
        try {
            return ((MessageDigest) digest.clone()).digest();
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException(e); // all of the JDK's can be
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Checksum that && name.equals(that.name) && Arrays.equals(value, that.value);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(value);
    }

    @Override
    public String toString() {
        return name + " " + HexFormat.of().formatHex(value);
    }
}
