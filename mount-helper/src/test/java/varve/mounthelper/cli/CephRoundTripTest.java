package varve.mounthelper.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.cli.Stdio;
import varve.testdata.Images;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

/// Out of a vault into a real Ceph cluster of one node, and back: `rbd` takes what `varve export` writes, and `varve import` what `rbd` writes.
class CephRoundTripTest {

    private static final Path CLUSTER = TestFiles.root().resolve("ceph/cluster");
    private static final int SIZE = 12 << 20;

    @TempDir
    Path folder;

    private String said = "";

    private void varve(Object... words) {
        List<String> line = new ArrayList<>();
        for (Object word : words) {
            line.add(word.toString());
        }
        line.addAll(List.of("--vault", folder.resolve("vault").toString()));
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        PrintStream printer = new PrintStream(all);
        assertEquals(ExitCode.OK, Main.run(new Stdio(InputStream.nullInputStream(), printer, printer, 0, System::nanoTime), line.toArray(String[]::new)),
                () -> all.toString(StandardCharsets.UTF_8));
        said = all.toString(StandardCharsets.UTF_8);
    }

    private String shell(String command) throws Exception {
        return Tools.run("bash", "-c", "set -eo pipefail; export CEPH_CONF='" + folder.resolve("cluster/ceph.conf") + "'; cd '" + folder + "'; " + command)
                .orElseThrow().expectSuccess().text().strip();
    }

    @AfterEach
    void stop() throws Exception {
        if (Files.exists(folder.resolve("cluster"))) {
            Tools.run("bash", CLUSTER, "stop", folder.resolve("cluster"));
        }
    }

    @Test
    void pointsGoIntoCephAndComeBackWithTheSameRoots() throws Exception {
        List<String> missing = List.of("ceph-mon", "ceph-osd", "rbd", "b3sum").stream().filter(tool -> Tools.find(tool).isEmpty()).toList();
        assumeTrue(missing.isEmpty(), "needs " + missing);
        Tools.run("bash", CLUSTER, "start", folder.resolve("cluster")).orElseThrow().expectSuccess();
        byte[] first = Images.mixed(3, SIZE);
        Arrays.fill(first, 4 << 20, 8 << 20, (byte) 0);
        byte[] second = Arrays.copyOf(first, SIZE + (4 << 20));
        Arrays.fill(second, 1 << 20, (1 << 20) + 50_000, (byte) 5);
        Arrays.fill(second, 2 << 20, (2 << 20) + 300_000, (byte) 0);
        Arrays.fill(second, SIZE + 4096, SIZE + 9000, (byte) 9);
        Path image = Files.write(folder.resolve("tools.img"), first);
        varve("archive", image, "--label", "mon");
        String monday = shell("b3sum --no-names tools.img");
        Files.write(image, second);
        varve("archive", image, "--label", "tue");
        String tuesday = shell("b3sum --no-names tools.img");

        varve("export", "tools@-1", folder.resolve("mon.rbd"), "--format", "rbd");
        shell("rbd import --no-progress --export-format 2 mon.rbd rbd/tools && rbd snap create --no-progress rbd/tools@mon");
        varve("export", "tools@-1..@latest", folder.resolve("tue.diff"), "--format", "rbd-diff");
        shell("rbd import-diff --no-progress tue.diff rbd/tools");
        assertEquals(monday, shell("rbd export --no-progress rbd/tools@mon - | b3sum --no-names"));
        assertEquals(tuesday, shell("rbd export --no-progress rbd/tools@tue - | b3sum --no-names"));

        shell("rbd export --no-progress --export-format 2 rbd/tools all.rbd; rbd export-diff --no-progress rbd/tools@mon first.diff; "
                + "rbd export-diff --no-progress --from-snap mon rbd/tools@tue second.diff");
        varve("import", folder.resolve("all.rbd"), "--volume", "whole", "--expect-root", tuesday);
        varve("verify", "whole", "--depth", "content");
        varve("list", "whole");
        assertEquals(3, said.lines().filter(line -> line.contains(" 16.0 MiB ") || line.contains(" 12.0 MiB ")).count(), said);
        varve("import", folder.resolve("first.diff"), "--volume", "steps", "--expect-root", monday);
        varve("import", folder.resolve("second.diff"), "--volume", "steps", "--expect-root", tuesday);
    }
}
