package varve.archive.codec;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import varve.archive.ArchiveOptions;
import varve.testdata.Images;

/// How long one frame takes, there and back: text-like data at the default level. Bytes per microsecond are MB/s. To run it:
/// `testdata/bench/micro FrameBenchmark`.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@State(Scope.Thread)
@Fork(2)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class FrameBenchmark {
    @Param({"65536", "262144", "1048576"})
    int size;

    private final Arena arena = Arena.ofShared();
    private final FrameEncoder encoder = new FrameEncoder(ArchiveOptions.DEFAULT_LEVEL);
    private final FrameDecoder decoder = new FrameDecoder();
    private MemorySegment content;
    private MemorySegment room;
    private MemorySegment frame;
    private MemorySegment decoded;

    @Setup
    public void setUp() {
        content = arena.allocate(size, 4096).copyFrom(MemorySegment.ofArray(Images.text(1, size)));
        decoded = arena.allocate(size, 4096);
        room = arena.allocate(FrameEncoder.bound(size), 4096);
        int length = encode();
        frame = arena.allocate(length, 4096).copyFrom(room.asSlice(0, length));
    }

    @TearDown(Level.Trial)
    public void tearDown() {
        if (!decode() || decoded.mismatch(content) >= 0) {
            throw new IllegalStateException("what was decoded is not what was encoded");
        }
        encoder.close();
        decoder.close();
        arena.close();
    }

    @Benchmark
    public int encode() {
        return encoder.encode(content, room);
    }

    @Benchmark
    public boolean decode() {
        return decoder.decode(frame, decoded);
    }
}
