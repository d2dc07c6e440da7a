package varve.archive.seal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/// Which cipher a process has, and that it makes no difference. Each in a JVM of its own.
class CipherChoiceTest {

    @TempDir
    private Path folder;

    private String run(Class<?> program, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-Xmx512m", "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("java.class.path")));
        command.addAll(List.of(options));
        command.add(program.getName());
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("LD_LIBRARY_PATH", folder.toString());
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), () -> String.join(" ", command) + "\n" + output);
        return output.strip();
    }

    @Test
    void theJdksCipherPassesAllTestsOfSealedFiles() throws Exception {
        String output = run(Tests.class, "-Dvarve.seal.cipher=jdk");
        assertTrue(output.matches("JdkAead: 10[0-9] passed"), output); // most of them are published vectors
    }

    static final class Tests {
        public static void main(String[] arguments) {
            SummaryGeneratingListener listener = new SummaryGeneratingListener();
            LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request()
                    .selectors(selectClass(SealedContentTest.class), selectClass(AgeHeaderTest.class), selectClass(AgeVectorsTest.class),
                            selectMethod(AgeProgramTest.class, "keysOfAge"))
                    .build(), listener);
            listener.getSummary().printFailuresTo(new PrintWriter(System.out, true));
            System.out.println(Aead.of(new byte[Aead.KEY_SIZE]).getClass().getSimpleName() + ": " + listener.getSummary().getTestsSucceededCount() + " passed");
            System.exit(listener.getSummary().getTestsFailedCount() == 0 ? 0 : 1);
        }
    }

    @Test
    void whereTheLibraryCannotBeLoadedTheJdkServes() throws Exception {
        String there = run(Which.class);
        for (String name : List.of("libcrypto.so.3", "libcrypto.so.1.1")) {
            Files.writeString(folder.resolve(name), "no library");
        }
        assertEquals("JdkAead", run(Which.class));
        assumeTrue(LibCrypto.LOADED.isPresent(), "needs libcrypto");
        assertEquals("LibCryptoAead", there);
    }

    static final class Which {
        public static void main(String[] arguments) {
            System.out.println(Aead.of(new byte[Aead.KEY_SIZE]).getClass().getSimpleName());
        }
    }

    @Test
    void ciphersThatNobodyHasAnyMoreTakeNoMemory() throws Exception {
        assumeTrue(LibCrypto.LOADED.isPresent(), "needs libcrypto");
        long grown = Long.parseLong(run(Many.class, "-Xmx32m", "-XX:TieredStopAtLevel=1"));
        assertTrue(grown < 60_000, () -> grown + " kB"); // kB; not freed, they take some 200,000
    }

    static final class Many {
        public static void main(String[] arguments) throws Exception {
            make(20_000);
            long before = resident();
            make(200_000);
            System.out.println(resident() - before);
        }

        private static void make(int count) {
            for (int i = 0; i < count; i++) {
                Aead.of(new byte[Aead.KEY_SIZE]);
                if (i % 10_000 == 0) {
                    System.gc();
                }
            }
        }

        private static long resident() throws IOException {
            return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(it -> it.startsWith("VmRSS:"))
                    .mapToLong(it -> Long.parseLong(it.replaceAll("\\D", ""))).findFirst().orElseThrow();
        }
    }
}
