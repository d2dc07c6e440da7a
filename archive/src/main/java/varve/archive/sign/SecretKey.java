package varve.archive.sign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.crypto.generators.SCrypt;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/// What signs: an Ed25519 secret key in the file of minisign, under a password or not.
///
/// | size | field |
/// |---|---|
/// | 2 | `Ed` |
/// | 2 | `Sc`: scrypt of the password; 0: none |
/// | 2 | `B2`: the check is a BLAKE2b-256 |
/// | 32 | salt |
/// | 8, 8 | limits of operations and of memory, from which libsodium's rule makes the parameters of scrypt; little-endian |
/// | 104 | key id (8), seed (32), public key (32), check of algorithm, id and keys (32); with a password xor'ed with scrypt's output |
public final class SecretKey {

    /// most bytes that the file has
    public static final int MAX_SIZE = 4096;

    private static final byte[] SCRYPT = {'S', 'c'};
    private static final byte[] NO_KDF = {0, 0};
    private static final byte[] BLAKE2B = {'B', '2'};
    private static final int SALT_SIZE = 32;
    private static final int SEALED_SIZE = 104;
    private static final int SIZE = 6 + SALT_SIZE + 16 + SEALED_SIZE;

    // 64 MiB, which fits the heap of every command; minisign's own choice is 1 GiB
    private static final long OPERATIONS = 2 << 20;
    private static final long MEMORY = 64 << 20;

    private static final int BLOCKS = 8; // scrypt's r, fixed in libsodium
    private static final int BLOCK_SIZE = 128;

    private final byte[] id;
    private final byte[] seed;
    private final byte[] key;

    private SecretKey(byte[] id, byte[] seed, byte[] key) {
        this.id = id;
        this.seed = seed;
        this.key = key;
    }

    /// Asks for the password of a key. It is asked only if there is one.
    @FunctionalInterface
    public interface Password {
        /// {@return the password, or nothing if there is none to be had}
        Optional<char[]> ask();
    }

    /// {@return a new key}
    public static SecretKey generate(SecureRandom random) {
        byte[] id = new byte[PublicKey.ID_SIZE];
        byte[] seed = new byte[Ed25519.SECRET_KEY_SIZE];
        byte[] key = new byte[PublicKey.KEY_SIZE];
        random.nextBytes(id);
        Ed25519.generatePrivateKey(random, seed);
        Ed25519.generatePublicKey(seed, 0, key, 0);
        return new SecretKey(id, seed, key);
    }

    /// {@return the key in a file of minisign}
    /// @throws WrongPasswordException if the password is wrong, or there is none to be had
    /// @throws IllegalArgumentException if it is no such file, or it takes more memory to open it than there is
    public static SecretKey parse(byte[] file, Password password) throws WrongPasswordException {
        List<String> lines = new String(file, StandardCharsets.UTF_8).strip().lines().toList();
        byte[] bytes = lines.size() == 2 ? Base64.getDecoder().decode(lines.get(1).strip()) : new byte[0];
        if (bytes.length != SIZE || !Arrays.equals(Arrays.copyOf(bytes, 2), PublicKey.ALGORITHM)
                || !Arrays.equals(Arrays.copyOfRange(bytes, 4, 6), BLAKE2B)) {
            throw new IllegalArgumentException("no secret key of minisign");
        }
        ByteBuffer fields = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        byte[] kdf = Arrays.copyOfRange(bytes, 2, 4);
        byte[] salt = Arrays.copyOfRange(bytes, 6, 6 + SALT_SIZE);
        byte[] sealed = Arrays.copyOfRange(bytes, SIZE - SEALED_SIZE, SIZE);
        boolean encrypted = Arrays.equals(kdf, SCRYPT);
        if (encrypted) {
            char[] word = password.ask().orElseThrow(() -> new WrongPasswordException("it has a password, and nobody is there to ask for it"));
            xor(sealed, stretch(word, salt, fields.getLong(6 + SALT_SIZE), fields.getLong(14 + SALT_SIZE)));
        } else if (!Arrays.equals(kdf, NO_KDF)) {
            throw new IllegalArgumentException("no secret key of minisign");
        }
        SecretKey key = new SecretKey(
                Arrays.copyOf(sealed, 8), Arrays.copyOfRange(sealed, 8, 40), Arrays.copyOfRange(sealed, 40, 72));
        byte[] check = Arrays.copyOfRange(sealed, 72, SEALED_SIZE);
        boolean right = Arrays.equals(key.check(), check);
        if (encrypted && !right) {
            throw new WrongPasswordException("wrong password");
        }
        // minisign leaves the check of a key without a password empty
        if (!right && !(Arrays.equals(check, new byte[check.length]) && key.publicKey().verifies(salt, key.sign(salt)))) {
            throw new IllegalArgumentException("damaged: its check is wrong");
        }
        return key;
    }

    /// {@return the file of minisign}
    /// @param password that opens it, or nothing: then whoever has the file can sign
    public byte[] file(Optional<char[]> password, SecureRandom random) {
        byte[] sealed = ByteBuffer.allocate(SEALED_SIZE).put(id).put(seed).put(key).put(check()).array();
        byte[] salt = new byte[SALT_SIZE];
        if (password.isPresent()) {
            random.nextBytes(salt);
            xor(sealed, stretch(password.get(), salt, OPERATIONS, MEMORY));
        }
        byte[] bytes = ByteBuffer.allocate(SIZE)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(PublicKey.ALGORITHM)
                .put(password.isPresent() ? SCRYPT : NO_KDF)
                .put(BLAKE2B)
                .put(salt)
                .putLong(password.isPresent() ? OPERATIONS : 0)
                .putLong(password.isPresent() ? MEMORY : 0)
                .put(sealed)
                .array();
        return ("untrusted comment: varve secret key " + publicKey().id() + (password.isPresent() ? ", encrypted" : "") + "\n"
                        + Base64.getEncoder().encodeToString(bytes) + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    public PublicKey publicKey() {
        return PublicKey.of(id, key);
    }

    /// Signs a file.
    ///
    /// @param comment one line that is signed as well
    public Signature sign(byte[] file, String comment) {
        return Signature.make(this, file, comment);
    }

    byte[] id() {
        return id.clone();
    }

    /// with the public key that belongs to the seed, which is made anew: to sign with another one would give the seed away
    byte[] sign(byte[] message) {
        byte[] signature = new byte[Ed25519.SIGNATURE_SIZE];
        Ed25519.sign(seed, 0, message, 0, message.length, signature, 0);
        return signature;
    }

    private byte[] check() {
        return Signature.digest(
                ByteBuffer.allocate(2 + 72).put(PublicKey.ALGORITHM).put(id).put(seed).put(key).array(), 32);
    }

    /// scrypt with the parameters that libsodium's `crypto_pwhash_scryptsalsa208sha256` makes of the limits
    private static byte[] stretch(char[] password, byte[] salt, long operations, long memory) {
        long ops = Math.max(operations, 1 << 15);
        int log;
        long parallel = 1;
        if (ops < memory / 32) {
            log = log(ops / (BLOCKS * 4));
        } else {
            log = log(memory / (BLOCKS * BLOCK_SIZE));
            parallel = Math.min(ops / 4 >> log, 0x3fffffff) / BLOCKS;
        }
        long needed = (long) BLOCK_SIZE * BLOCKS << log;
        if (operations < 0 || memory < 0 || log > 24 || parallel < 1 || parallel > 64) {
            throw new IllegalArgumentException("its password is stretched with absurd limits: " + operations + " operations, " + memory + " bytes");
        }
        if (needed > Runtime.getRuntime().maxMemory() / 4 * 3) {
            throw new IllegalArgumentException("opening it takes " + (needed >> 20) + " MiB of memory, more than there is; give more for once with"
                    + " VARVE_JVM_OPTIONS=-Xmx" + ((needed >> 20) * 3 / 2) + "m, or take its password off with: minisign -C -W -s FILE");
        }
        ByteBuffer utf8 = StandardCharsets.UTF_8.encode(CharBuffer.wrap(password));
        byte[] bytes = Arrays.copyOf(utf8.array(), utf8.limit());
        return SCrypt.generate(bytes, salt, 1 << log, BLOCKS, (int) parallel, SEALED_SIZE);
    }

    /// the smallest power of two, 2 or more, that is larger than half of `most`, as a logarithm
    private static int log(long most) {
        int log = 1;
        while (log < 62 && 1L << log <= most / 2) {
            log++;
        }
        return log;
    }

    private static void xor(byte[] bytes, byte[] with) {
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] ^= with[i];
        }
    }
}
