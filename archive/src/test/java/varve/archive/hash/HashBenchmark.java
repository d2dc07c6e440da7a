package varve.archive.hash;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bouncycastle.crypto.digests.Blake3Digest;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// How long a subtree takes, by kernel. Bytes per nanosecond are GB/s. To run it, with `JAVA_HOME` a JDK 25:
///
///     mvn -q test-compile dependency:build-classpath -pl archive -am -Dmdep.outputFile=/tmp/cp
///     $JAVA_HOME/bin/java --add-modules jdk.incubator.vector \
///         -cp archive/target/test-classes:archive/target/classes:$(cat /tmp/cp) org.openjdk.jmh.Main HashBenchmark
///
/// The width of the vector kernel is set by `-jvmArgs -Dvarve.hash.kernel=vector-256`.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@State(Scope.Thread)
@Fork(value = 2, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class HashBenchmark {
    @Param({"65536", "262144", "1048576", "4194304"})
    int size;

    private final SubtreeHasher machine = new SubtreeHasher(new MachineKernel());
    private final SubtreeHasher vector = new SubtreeHasher(new VectorKernel());
    private final SubtreeHasher plain = new SubtreeHasher(new PlainKernel());
    private MemorySegment data;
    private byte[] array;

    @Setup
    public void setUp() {
        array = new byte[size];
        new Random(1).nextBytes(array);
        data = Arena.ofAuto().allocate(size, 4096).copyFrom(MemorySegment.ofArray(array));
    }

    @Benchmark
    public Hash machine() {
        return machine.subtree(data, 0);
    }

    @Benchmark
    public Hash machineZeros() {
        return machine.zeros(0, size);
    }

    @Benchmark
    public Hash vector() {
        return vector.subtree(data, 0);
    }

    @Benchmark
    public Hash vectorZeros() {
        return vector.zeros(0, size);
    }

    @Benchmark
    public Hash plain() {
        return plain.subtree(data, 0);
    }

    @Benchmark
    public byte[] bouncyCastle() {
        Blake3Digest digest = new Blake3Digest();
        digest.update(array, 0, size);
        byte[] hash = new byte[Hash.SIZE];
        digest.doFinal(hash, 0);
        return hash;
    }
}
