package varve.mounthelper.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.cli.Stdio;
import varve.archive.vault.Vault;
import varve.testdata.Histories;
import varve.testdata.Images;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

/// What `varve export` writes, read by other tools and by a second implementation, and back again.
class ExportVerbTest {

    private static final int SIZE = 3 << 20;
    private static final int BLOCK = 4096;

    @TempDir
    Path folder;

    private final long seed = Histories.seeds(1).getFirst();
    private final byte[] before = Images.mixed(seed, SIZE);
    private final byte[] after = before.clone();
    private Path image;
    private byte[] out = {};
    private String said = "";

    @BeforeEach
    void archive() throws IOException {
        Random random = new Random(seed);
        for (int i = 0; i < 20; i++) {
            int at = random.nextInt(SIZE - 100_000) & -512;
            byte[] bytes = random.nextBoolean() ? Images.noise(random.nextLong(), 512 * (1 + random.nextInt(60))) : new byte[30_000];
            System.arraycopy(bytes, 0, after, at, bytes.length);
        }
        Arrays.fill(after, 1 << 20, (1 << 20) + 600_000, (byte) 0);
        image = Files.write(folder.resolve("tools.img"), before);
        run(ExitCode.OK, "archive", image, "--label", "mon", "--level", 1, "--chunk-size", "64K");
        Files.write(image, after);
        run(ExitCode.OK, "archive", image, "--label", "tue", "--level", 1);
    }

    private void run(ExitCode expected, Object... words) {
        List<String> line = new ArrayList<>();
        for (Object word : words) {
            line.add(word.toString());
        }
        line.addAll(List.of("--vault", folder.resolve("vault").toString()));
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        ByteArrayOutputStream talk = new ByteArrayOutputStream();
        ExitCode code = Main.run(new Stdio(InputStream.nullInputStream(), new PrintStream(data), new PrintStream(talk), 0, System::nanoTime),
                line.toArray(String[]::new));
        out = data.toByteArray();
        said = talk.toString(StandardCharsets.UTF_8);
        assertEquals(expected, code, said + new String(out, StandardCharsets.ISO_8859_1).lines().limit(5).toList());
    }

    private static byte[] tool(Object... command) throws IOException {
        return Tools.run(command).orElseThrow().expectSuccess().bytes();
    }

    // ---- what changed between two points

    @ParameterizedTest
    @CsvSource({"bdsync, ''", "bdsync, sha256", "lvmsync, ''", "rbd-diff, ''"})
    void aPatchLeadsFromOnePointToTheOtherForASecondReaderAndForImport(String form, String checksum) throws IOException {
        assumeTrue(Tools.find("python3").isPresent(), "needs python3");
        Path patch = folder.resolve("patch");
        if (checksum.isEmpty()) {
            run(ExitCode.OK, "export", "tools@-1..@latest", patch, "--format", form);
        } else {
            run(ExitCode.OK, "export", "tools@-1..@latest", patch, "--format", form, "--checksum", checksum);
        }
        assertTrue(Files.size(patch) < SIZE / 2, "all of it");
        Path device = Files.write(folder.resolve("device"), before);
        tool("python3", TestFiles.root().resolve("foreign.py"), "apply", form, patch, device);
        assertArrayEquals(after, Files.readAllBytes(device));
        // the other way round, to stdout, and back into a volume
        run(ExitCode.OK, "export", "tools@latest..@-1", "-", "--format", form);
        Path back = Files.write(folder.resolve("back"), out);
        run(ExitCode.OK, "import", back, "--parent", "tools@latest", "--expect-root", root("-1"));
        run(ExitCode.OK, "export", "tools@latest", "-", "--format", "raw");
        assertArrayEquals(before, out);
    }

    @Test
    void sealedPointsAreExportedAndPatchedWithTheirKeyOnlyAndComparedWithout() throws Exception {
        assumeTrue(Tools.find("python3").isPresent(), "needs python3");
        Path key = TestFiles.identity();
        String recipient = Files.readAllLines(key).stream().filter(line -> line.startsWith("# public key: ")).findFirst().orElseThrow().substring(14);
        Files.write(image, before);
        run(ExitCode.OK, "archive", image, "--volume", "safe", "--level", 1, "--chunk-size", "64K", "--recipient", recipient);
        Files.write(image, after);
        run(ExitCode.OK, "archive", image, "--volume", "safe", "--level", 1);
        Path raw = folder.resolve("raw");
        run(ExitCode.WRONG_KEY, "export", "safe@latest", raw, "--format", "raw");
        assertFalse(Files.exists(raw));
        run(ExitCode.OK, "export", "safe@latest", raw, "--format", "raw", "--identity", key);
        assertArrayEquals(after, Files.readAllBytes(raw));
        run(ExitCode.OK, "show", "safe@latest", "--json");
        String shown = new String(out, StandardCharsets.UTF_8);
        if (Tools.find("b3sum").isPresent()) {
            String sum = new String(tool("b3sum", "--no-names", raw), StandardCharsets.UTF_8).strip();
            assertTrue(shown.contains("\"root\": \"" + sum), shown + sum);
        }
        Path patch = folder.resolve("patch");
        run(ExitCode.WRONG_KEY, "export", "safe@-1..@latest", patch, "--format", "bdsync");
        run(ExitCode.OK, "export", "safe@latest..@-1", patch, "--format", "bdsync", "--identity", key);
        run(ExitCode.OK, "import", patch, "--parent", "safe@latest", "--expect-root", root("-1")); // of whole chunks: it can be sealed without reading any

        byte[] last = before.clone();
        last[5000] ^= 1;
        Path small = folder.resolve("small");
        tool("python3", TestFiles.root().resolve("foreign.py"), "make", "bdsync", Files.write(folder.resolve("old"), before),
                Files.write(folder.resolve("new"), last), small);
        run(ExitCode.OK, "list", "safe", "--json");
        byte[] points = out;
        run(ExitCode.WRONG_KEY, "import", small, "--parent", "safe@latest");
        run(ExitCode.OK, "list", "safe", "--json");
        assertArrayEquals(points, out);
        run(ExitCode.OK, "import", small, "--parent", "safe@latest", "--identity", key);
        run(ExitCode.OK, "export", "safe@latest", "-", "--format", "raw", "--identity", key);
        assertArrayEquals(last, out);
        try (Stream<Path> files = Files.list(folder.resolve("vault/safe"))) {
            assertEquals(List.of(), files.map(Path::toString).filter(name -> name.endsWith(".zst")).toList());
        }
        run(ExitCode.OK, "diff", "safe@-1", "safe@latest", "--summary");
        run(ExitCode.WRONG_KEY, "consolidate", "safe", "--full");
        run(ExitCode.OK, "consolidate", "safe", "--full", "--identity", key);
    }

    private String root(String point) {
        run(ExitCode.OK, "export", "tools@" + point, "-", "--format", "b3sum", "--name", "x");
        return new String(out, StandardCharsets.UTF_8).substring(0, 64);
    }

    @ParameterizedTest
    @ValueSource(ints = {2_000_000, 4_000_000, 1 << 20})
    void aPatchAlsoSaysTheNewSizeWhereItsFormCan(int size) throws IOException {
        assumeTrue(Tools.find("python3").isPresent(), "needs python3");
        byte[] other = Arrays.copyOf(after, size);
        Arrays.fill(other, size - 70_000, size, (byte) 7);
        Files.write(image, other);
        run(ExitCode.OK, "archive", image, "--level", 1);
        Path device = folder.resolve("device");
        for (String form : List.of("bdsync", "rbd-diff")) {
            Path patch = folder.resolve(form);
            run(ExitCode.OK, "export", "tools@-1..@latest", patch, "--format", form);
            Files.write(device, after);
            tool("python3", TestFiles.root().resolve("foreign.py"), "apply", form, patch, device);
            assertArrayEquals(other, Files.readAllBytes(device));
        }
        run(ExitCode.REFUSED, "export", "tools@-1..@latest", folder.resolve("lvmsync"), "--format", "lvmsync");
        assertFalse(Files.exists(folder.resolve("lvmsync")));
        if (size % BLOCK != 0) {
            run(ExitCode.REFUSED, "export", "tools@-1..@latest", "-", "--format", "bdsync", "--checksum", "md5");
        }
    }

    // ---- a point

    @Test
    void anImageIsWrittenWithHolesAndPackedAndToAStream() throws IOException {
        Path raw = folder.resolve("raw");
        run(ExitCode.OK, "export", "tools@latest", raw, "--format", "raw");
        assertArrayEquals(after, Files.readAllBytes(raw));
        run(ExitCode.OK, "export", "tools@-1", "-", "--format", "raw.zst");
        assertArrayEquals(before, Tools.unzstd(Files.write(folder.resolve("z"), out)).orElse(before));
        Files.write(image, new byte[200_000]);
        run(ExitCode.OK, "archive", image);
        run(ExitCode.OK, "export", "tools@latest", folder.resolve("zeros"), "--format", "raw");
        assertArrayEquals(new byte[200_000], Files.readAllBytes(folder.resolve("zeros")));
        Files.write(image, new byte[0]);
        run(ExitCode.OK, "archive", image);
        for (String form : List.of("raw", "raw.zst", "rbd")) {
            run(ExitCode.OK, "export", "tools@latest", folder.resolve("empty." + form), "--format", form);
        }
        assertEquals(0, Files.size(folder.resolve("empty.raw")));
    }

    @Test
    void aQcow2FileHoldsTheImageForQemu() throws IOException {
        assumeTrue(Tools.find("qemu-img").isPresent(), "needs qemu-img");
        Path qcow2 = folder.resolve("tools.qcow2");
        run(ExitCode.OK, "export", "tools@latest", qcow2, "--format", "qcow2");
        tool("qemu-img", "compare", "-f", "qcow2", "-F", "raw", qcow2, image);
        tool("qemu-img", "check", "-f", "qcow2", qcow2);
        assertTrue(Files.size(qcow2) < SIZE, "its holes are not holes");
    }

    @Test
    void anExportForCephIsReadBack() throws IOException {
        Path file = folder.resolve("tools.rbd");
        run(ExitCode.OK, "export", "tools@latest", file, "--format", "rbd");
        run(ExitCode.OK, "import", file, "--volume", "again", "--expect-root", root("latest"));
    }

    @Test
    void listsOfHashesAreWhatTheToolsPrintAndVerifyTakesThem() throws IOException {
        assumeTrue(Tools.find("hashdeep").isPresent() && Tools.find("b3sum").isPresent(), "needs hashdeep and b3sum");
        Path list = folder.resolve("list");
        run(ExitCode.OK, "export", "tools@latest", list, "--format", "hashdeep", "--piece", "64K", "--name", image);
        List<String> theirs = new String(tool("hashdeep", "-c", "md5,sha256", "-p", "64k", image), StandardCharsets.UTF_8).lines().filter(line -> !line.startsWith("##")).toList();
        assertEquals(theirs, Files.readAllLines(list).stream().filter(line -> !line.startsWith("##")).toList());
        for (String tool : List.of("md5deep", "sha256deep")) {
            Path deep = folder.resolve(tool);
            run(ExitCode.OK, "export", "tools@latest", deep, "--format", tool, "--piece", "64K", "--name", image);
            assertArrayEquals(tool(tool, "-p", "64k", image), Files.readAllBytes(deep));
            // -x prints what is not in the list; that a hash of it is there twice makes it end with 1
            assertEquals("", new String(Tools.run(tool, "-p", "64k", "-x", deep, image).orElseThrow().bytes(), StandardCharsets.UTF_8));
        }
        byte[] other = after.clone();
        other[2_000_000] ^= 1;
        Path damaged = Files.write(folder.resolve("damaged"), other);
        assertEquals(1, new String(Tools.run("md5deep", "-p", "64k", "-x", folder.resolve("md5deep"), damaged).orElseThrow().bytes(), StandardCharsets.UTF_8).lines().count());
        run(ExitCode.OK, "export", "tools@latest", "-", "--format", "b3sum", "--name", image);
        Path sums = Files.write(folder.resolve("sums"), out);
        tool("b3sum", "--check", sums);
    }

    // ---- what is refused

    @Test
    void anExportThatIsNotWantedOrCannotBeIsRefusedAndLeavesNothing() throws IOException {
        Path there = Files.writeString(folder.resolve("there"), "mine");
        run(ExitCode.REFUSED, "export", "tools@latest", there, "--format", "raw");
        assertEquals("mine", Files.readString(there));
        run(ExitCode.USAGE, "export", "tools@latest", folder.resolve("x"), "--format", "bdsync");
        run(ExitCode.USAGE, "export", "tools@-1..@latest", folder.resolve("x"), "--format", "raw");
        run(ExitCode.USAGE, "export", "tools@latest", folder.resolve("x"), "--format", "vhd");
        run(ExitCode.USAGE, "export", "tools@latest", "-", "--format", "qcow2");
        run(ExitCode.USAGE, "export", "tools@latest", "-", "--format", "raw", "--checksum", "md5");
        run(ExitCode.NOT_FOUND, "export", "tools@-5", folder.resolve("x"), "--format", "raw");
        Path data = Vault.open(folder.resolve("vault")).volume("tools").read().sound().archives().getFirst().data();
        byte[] bytes = Files.readAllBytes(data);
        for (int at = 3000; at < bytes.length - 5000; at += 2000) {
            bytes[at] ^= 1;
        }
        Files.write(data, bytes);
        run(ExitCode.CORRUPT, "export", "tools@-1", folder.resolve("x"), "--format", "raw");
        try (var files = Files.list(folder)) {
            assertTrue(files.noneMatch(file -> file.getFileName().toString().startsWith("x")), "something was left");
        }
    }
}
