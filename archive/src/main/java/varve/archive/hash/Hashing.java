package varve.archive.hash;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// Which kernel hashes: that of machine code, where there is one. Elsewhere it begins with the plain one; once [#warmUp()] has been called and the JVM has compiled the
/// vector kernel, that takes over, in all threads.
///
/// What is compiled is a fact of the process, so this state is the process's too.
public final class Hashing {
    /// `machine-512`, `machine-256`, `plain`, `vector-128`, `vector-256` or `vector-512`: just this kernel, from the start. `java`: as where there is no
    /// machine code. For tests and measurements.
    static final String CHOICE = System.getProperty("varve.hash.kernel", "");

    private static final boolean FREE = CHOICE.isEmpty() || CHOICE.equals("java");

    /// Made by whoever asks first, which takes some milliseconds.
    private static final class Machine {
        static final boolean THERE = (CHOICE.isEmpty() || CHOICE.startsWith("machine-")) && MachineKernel.available();
    }

    private static final long WORTH_WAITING = 256L << 20;
    private static final long PATIENCE_MILLIS = 600;

    private static final CountDownLatch warm = new CountDownLatch(1);
    private static final AtomicBoolean started = new AtomicBoolean(!FREE);
    private static volatile boolean vector = CHOICE.startsWith("vector-") && moduleIsThere();
    private static volatile @Nullable String fault;

    private Hashing() {}

    /// {@return the name of the kernel in use: `plain`, or `machine-` or `vector-` and the width in bits}
    ///
    /// @throws IllegalStateException if the vector kernel disagreed with the plain one; hashing goes on with that
    public static String kernel() {
        if (fault != null) {
            throw new IllegalStateException(fault);
        }
        return Machine.THERE ? MachineKernel.NAME : vector ? VectorKernel.NAME : PlainKernel.NAME;
    }

    /// Begins to do in the background what has to be done before hashing is fast, if it has not been done: makes the machine code, or else warms up the vector kernel, which costs about a
    /// quarter of a second of processor time.
    public static void warmUp() {
        if (started.compareAndSet(false, true)) {
            Thread.ofPlatform().name("hash warm-up").daemon().start(Hashing::run);
        }
    }

    /// Warms up for a number of bytes that are to be hashed. If they are many, waits until the vector kernel is warm, unless
    /// that takes long: leaving the processors to the compiler is better than to have the plain kernel compiled, too.
    public static void warmUp(long bytes) {
        warmUp();
        try {
            if (FREE && bytes > WORTH_WAITING) {
                warm.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void run() {
        try {
            vector = !Machine.THERE && moduleIsThere() && new Warmup().succeeds();
        } catch (Warmup.Disagreement e) {
            fault = e.getMessage();
        } finally {
            warm.countDown();
        }
    }

    private static boolean moduleIsThere() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    }

    /// {@return a kernel of the kind that is best now}
    static Kernel make() {
        return Machine.THERE ? new MachineKernel() : vector ? new VectorKernel() : new PlainKernel();
    }

    /// {@return whether a kernel is not of the kind that is best now}
    static boolean outdated(Kernel kernel) {
        return vector && kernel instanceof PlainKernel;
    }
}
