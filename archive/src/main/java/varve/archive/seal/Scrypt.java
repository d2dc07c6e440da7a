package varve.archive.seal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.KeyParameter;

/// scrypt (RFC 7914), with its table outside of the heap: what a passphrase needs, 256 MiB, is all that the heap has.
public final class Scrypt {

    private static final int BLOCK_INTS = 16; // of Salsa20

    private final int r;
    private final long n;
    private final MemorySegment table;
    private final int[] row;
    private final int[] mixed;
    private final int[] salsa = new int[BLOCK_INTS];
    private final int[] work = new int[BLOCK_INTS];

    private Scrypt(int logN, int r, Arena arena) {
        this.r = r;
        this.n = 1L << logN;
        this.table = arena.allocate(n * 128L * r, 64);
        this.row = new int[32 * r];
        this.mixed = new int[32 * r];
    }

    /// {@return a key of `size` bytes}
    /// @param logN logarithm of the work: so many times `128 * r` bytes of memory are taken
    public static byte[] derive(byte[] secret, byte[] salt, int logN, int r, int p, int size) {
        byte[] blocks = pbkdf2(secret, salt, p * 128 * r);
        try (Arena arena = Arena.ofConfined()) {
            Scrypt scrypt = new Scrypt(logN, r, arena);
            for (int i = 0; i < p; i++) {
                scrypt.mix(ByteBuffer.wrap(blocks, i * 128 * r, 128 * r).slice());
            }
        }
        return pbkdf2(secret, blocks, size);
    }

    /// PBKDF2-HMAC-SHA-256 with one iteration
    private static byte[] pbkdf2(byte[] secret, byte[] salt, int size) {
        HMac mac = new HMac(new Sha256());
        mac.init(new KeyParameter(secret));
        byte[] blocks = new byte[(size + 31) / 32 * 32];
        for (int i = 0; i < blocks.length / 32; i++) {
            mac.update(salt, 0, salt.length);
            mac.update(ByteBuffer.allocate(4).putInt(i + 1).array(), 0, 4);
            mac.doFinal(blocks, i * 32);
        }
        return Arrays.copyOf(blocks, size);
    }

    /// RFC 7914 section 5, scryptROMix
    private void mix(ByteBuffer block) {
        ByteBuffer bytes = block.order(ByteOrder.LITTLE_ENDIAN);
        int[] x = new int[32 * r];
        bytes.asIntBuffer().get(x);
        long size = 128L * r;
        for (long i = 0; i < n; i++) {
            MemorySegment.copy(x, 0, table, ValueLayout.JAVA_INT, i * size, x.length);
            blockMix(x);
        }
        for (long i = 0; i < n; i++) {
            long j = (x[(2 * r - 1) * BLOCK_INTS] & 0xffff_ffffL) & (n - 1);
            MemorySegment.copy(table, ValueLayout.JAVA_INT, j * size, row, 0, row.length);
            for (int k = 0; k < x.length; k++) {
                x[k] ^= row[k];
            }
            blockMix(x);
        }
        bytes.asIntBuffer().put(x);
    }

    /// RFC 7914 section 4, scryptBlockMix
    private void blockMix(int[] x) {
        System.arraycopy(x, (2 * r - 1) * BLOCK_INTS, salsa, 0, BLOCK_INTS);
        for (int i = 0; i < 2 * r; i++) {
            for (int k = 0; k < BLOCK_INTS; k++) {
                salsa[k] ^= x[i * BLOCK_INTS + k];
            }
            salsa208();
            System.arraycopy(salsa, 0, mixed, ((i & 1) * r + i / 2) * BLOCK_INTS, BLOCK_INTS);
        }
        System.arraycopy(mixed, 0, x, 0, x.length);
    }

    /// RFC 7914 section 3: Salsa20/8
    private void salsa208() {
        int[] w = work;
        System.arraycopy(salsa, 0, w, 0, BLOCK_INTS);
        for (int round = 0; round < 4; round++) {
            quarter(w, 0, 4, 8, 12);
            quarter(w, 5, 9, 13, 1);
            quarter(w, 10, 14, 2, 6);
            quarter(w, 15, 3, 7, 11);
            quarter(w, 0, 1, 2, 3);
            quarter(w, 5, 6, 7, 4);
            quarter(w, 10, 11, 8, 9);
            quarter(w, 15, 12, 13, 14);
        }
        for (int k = 0; k < BLOCK_INTS; k++) {
            salsa[k] += w[k];
        }
    }

    private static void quarter(int[] w, int a, int b, int c, int d) {
        w[b] ^= Integer.rotateLeft(w[a] + w[d], 7);
        w[c] ^= Integer.rotateLeft(w[b] + w[a], 9);
        w[d] ^= Integer.rotateLeft(w[c] + w[b], 13);
        w[a] ^= Integer.rotateLeft(w[d] + w[c], 18);
    }
}
