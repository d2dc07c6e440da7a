package varve.archive.hash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Each kernel in a JVM of its own, since a process has just one vector kernel.
class KernelTest {
    private static final String MODULE = "--add-modules=jdk.incubator.vector";
    private static final String JAVA = "-Dvarve.hash.kernel=java";

    private static String run(Class<?> program, String argument, String... options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-Xmx256m", "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(options));
        command.addAll(List.of(program.getName(), argument));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), () -> String.join(" ", command) + "\n" + output);
        return output.replaceFirst("WARNING: Using incubator modules: jdk.incubator.vector\n", "").strip();
    }

    @Test
    void allKernelsAreBlake3() throws Exception {
        long seed = Long.getLong("varve.test.seed", new Random().nextLong());
        System.out.println("KernelTest: -Dvarve.test.seed=" + seed);
        String plain = contract(seed, "plain");
        if (MachineKernel.available()) {
            assertEquals(plain, contract(seed, MachineKernel.NAME));
            assertEquals(plain, contract(seed, "machine-256"));
        } else {
            System.out.println("KernelTest: no machine code here");
        }
        assertEquals(plain, contract(seed, "vector-128", MODULE));
        assertEquals(plain, contract(seed, "vector-256", MODULE));
        assertEquals(plain, contract(seed, "vector-512", MODULE));
        // as on a processor without AVX-512
        assertEquals(plain, contract(seed, "vector-256", MODULE, "-XX:+IgnoreUnrecognizedVMOptions", "-XX:UseAVX=2"));
    }

    /// {@return the hash of all hashes}
    private static String contract(long seed, String kernel, String... options) throws Exception {
        List<String> all = new ArrayList<>(List.of(options));
        all.add("-Dvarve.hash.kernel=" + kernel);
        String[] output = run(KernelContract.class, Long.toString(seed), all.toArray(String[]::new)).split(" ");
        assertEquals(kernel, output[0]);
        return output[1];
    }

    @Test
    void vectorKernelTakesOverOnceItIsWarm() throws Exception {
        String output = run(WarmupProgram.class, "30", MODULE, JAVA);
        assertTrue(output.matches("plain, then vector-(128|256|512)"), output);
    }

    @Test
    void withoutTheModuleThePlainKernelServesAndNoVectorClassIsInitialised() throws Exception {
        String output = run(WarmupProgram.class, "1", JAVA, "-Xlog:class+init=info");
        assertTrue(output.contains("plain, then plain"), output);
        assertTrue(output.contains("varve.archive.hash.PlainKernel"), output);
        assertTrue(output.lines().noneMatch(line -> line.matches(".*(VectorKernel|jdk.incubator).*")), output);
    }

    @Test
    void machineCodeServesFromTheStartIfThereIsSome() throws Exception {
        String kernel = MachineKernel.available() ? MachineKernel.NAME : "plain";
        assertEquals(kernel + ", then " + kernel, run(WarmupProgram.class, "1"));
    }

    /// Hashes through a warm-up, always the same data.
    static final class WarmupProgram {
        public static void main(String[] arguments) {
            byte[] data = Oracle.vectorInput(102_400);
            Hash expected = Oracle.vectors().get(data.length);
            SubtreeHasher hasher = new SubtreeHasher();
            String first = Hashing.kernel();
            Hashing.warmUp();
            Hashing.warmUp();
            long end = System.nanoTime() + Long.parseLong(arguments[0]) * 1_000_000_000;
            String last;
            do {
                last = Hashing.kernel();
                Hash found = hasher.whole(MemorySegment.ofArray(data));
                if (!found.equals(expected)) {
                    throw new AssertionError("kernel " + last + ": expected " + expected + ", found " + found);
                }
            } while (last.equals("plain") && System.nanoTime() < end);
            System.out.println(first + ", then " + last);
        }
    }
}
