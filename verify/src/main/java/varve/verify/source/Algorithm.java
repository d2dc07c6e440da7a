package varve.verify.source;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A hash function of other tools, the strongest last.
public enum Algorithm {
    MD5("MD5", 32),
    SHA1("SHA-1", 40),
    SHA224("SHA-224", 56),
    SHA256("SHA-256", 64),
    SHA384("SHA-384", 96),
    SHA512("SHA-512", 128),
    /// ours too: compared with the root, without reading anything
    BLAKE3("BLAKE3", 64);

    private final String word;
    private final int digits;

    Algorithm(String word, int digits) {
        this.word = word;
        this.digits = digits;
    }

    /// {@return the word in reports}
    public String word() {
        return word;
    }

    /// {@return the algorithms whose hashes have so many hexadecimal digits}
    static List<Algorithm> ofDigits(int digits) {
        return Arrays.stream(values()).filter(algorithm -> algorithm.digits == digits).toList();
    }

    /// {@return the algorithm that a list calls so: `sha256`, `SHA2-256`, `BLAKE3`}
    static Optional<Algorithm> named(String name) {
        String plain = name.toUpperCase(Locale.ROOT).replace("SHA2-", "SHA").replace("-", "");
        return Arrays.stream(values()).filter(algorithm -> algorithm.name().equals(plain)).findFirst();
    }

    MessageDigest digest() {
        try {
            return MessageDigest.getInstance(word);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // all but BLAKE3 come with every JDK
        }
    }

    /// {@return the hash of no bytes}
    String ofNothing() {
        return this == BLAKE3
                ? "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
                : HexFormat.of().formatHex(digest().digest());
    }
}
