package varve.testdata;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The tests of `check.py`, several classes of them at once.
@Execution(ExecutionMode.CONCURRENT)
class PythonTest {

    private static final Path SCRIPT = TestFiles.root().resolve("check.py");

    static List<String> classes() throws IOException {
        return Pattern.compile("(?m)^class (\\w+)\\(").matcher(Files.readString(SCRIPT)).results().map(found -> found.group(1)).toList();
    }

    @ParameterizedTest
    @MethodSource("classes")
    void passes(String tests) throws IOException {
        for (String tool : List.of("zstd", "b3sum", "age")) {
            Assumptions.assumeTrue(Tools.find(tool).isPresent(), tool + " is not installed");
        }
        Optional<Tools.Output> output = Tools.run("python3", "-B", SCRIPT, tests);
        Assumptions.assumeTrue(output.isPresent(), "python3 is not installed");
        assertEquals(0, output.get().exitCode(), output.get()::errors);
    }
}
