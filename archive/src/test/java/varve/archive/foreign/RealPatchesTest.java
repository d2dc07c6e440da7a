package varve.archive.foreign;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.cli.ExitCode;
import varve.testdata.Tools;

/// Patches that real tools made of real devices: each leads to the state that the tool meant.
class RealPatchesTest {

    @TempDir
    Path folder;

    private ImportScene scene;

    @BeforeEach
    void needZstd() {
        assumeTrue(Tools.find("zstd").isPresent(), "needs zstd");
        scene = new ImportScene(folder);
    }

    @ParameterizedTest
    @CsvSource({
        "plain.bdsync, after, ''", "sha256.bdsync, after, sha256 matches", "twopass.bdsync, after, md5 matches",
        "blocks512.bdsync, after, sha1 matches", "grown.bdsync, grown, sha256 matches", "shrunk.bdsync, shrunk, sha256 matches",
        "blocksync-fast.delta, after, ''"
    })
    void aPatchLeadsToTheOtherDevice(String patch, String after, String checksum) throws IOException {
        scene.imported(scene.fixture("patches/before.img"), "--volume", "d");
        scene.imported(scene.fixture("patches/" + patch), "--parent", "d@latest");
        assertTrue(scene.said.contains(checksum.isEmpty() ? "does not say which state it applies to" : checksum), scene.said);
        assertArrayEquals(ImportScene.bytes("patches/" + after + ".img"), scene.latest("d"));
        assertEquals(2, scene.points("d"));
        assertTrue(scene.files().stream().noneMatch(name -> name.contains(".varve-import")), () -> scene.files().toString());
    }

    @Test
    void aPatchWithAChecksumIsRefusedOnAnotherParentAndOneWithoutGivesAnotherRoot() throws IOException {
        byte[] other = ImportScene.bytes("patches/before.img");
        other[500_000] ^= 1;
        scene.imported(Files.write(folder.resolve("other.img"), other), "--volume", "d");
        List<String> before = scene.files();
        assertEquals(ExitCode.REFUSED, scene.run("import", scene.fixture("patches/sha256.bdsync"), "--parent", "d@latest"));
        assertTrue(scene.said.contains("checksum is sha256"), scene.said);
        assertEquals(before, scene.files());
        String root = Tools.b3sum(scene.fixture("patches/after.img")).orElseThrow();
        assertEquals(ExitCode.REFUSED, scene.run("import", scene.fixture("patches/plain.bdsync"), "--parent", "d@latest", "--expect-root", root));
        assertTrue(scene.said.contains("expected it to lead to root " + root), scene.said);
        assertEquals(before, scene.files());
        scene.imported(scene.fixture("patches/plain.bdsync"), "--parent", "d@latest");
        assertEquals(2, scene.points("d"));
    }

    @Test
    void aPatchIsAppliedToTheNamedParentWhateverCameAfterIt() throws IOException {
        scene.imported(scene.fixture("patches/before.img"), "--volume", "d");
        scene.imported(scene.fixture("patches/grown.img"), "--volume", "d");
        scene.imported(scene.fixture("patches/shrunk.img"), "--volume", "d");
        scene.imported(scene.fixture("patches/sha256.bdsync"), "--parent", "d@-2");
        assertArrayEquals(ImportScene.bytes("patches/after.img"), scene.latest("d"));
        scene.imported(scene.fixture("patches/sha256.bdsync"), "--parent", "d@-3", "--volume", "e", "--expect-root",
                Tools.b3sum(scene.fixture("patches/after.img")).orElseThrow());
        assertArrayEquals(ImportScene.bytes("patches/after.img"), scene.latest("e"));
    }

    @Test
    void aDryRunShowsTheRootAndRecordsNothing() throws IOException {
        scene.imported(scene.fixture("patches/before.img"), "--volume", "d");
        List<String> before = scene.files();
        assertEquals(ExitCode.OK, scene.run("import", scene.fixture("patches/plain.bdsync"), "--parent", "d@latest", "-n"));
        assertTrue(scene.said.contains(Tools.b3sum(scene.fixture("patches/after.img")).orElseThrow() + " after"), scene.said);
        assertEquals(before, scene.files());
    }

    @ParameterizedTest
    @CsvSource({"lv.3.0.lvmsync, lv.before, lv.after", "lv.little-endian.lvmsync, lv.before, lv.after", "lv.snapback.lvmsync, lv.after, lv.before"})
    void aDumpOrSnapbackOfLvmsyncLeadsThereOrBack(String patch, String before, String after) throws IOException {
        scene.imported(scene.fixture("patches/" + before + ".img"), "--volume", "d");
        scene.imported(scene.fixture("patches/" + patch), "--parent", "d@latest");
        assertEquals(patch.contains("little"), scene.said.contains("little-endian"), scene.said);
        assertArrayEquals(ImportScene.bytes("patches/" + after + ".img"), scene.latest("d"));
    }

    @Test
    void aSnapbackWithoutItsFirstLineHasToBeNamed() throws IOException {
        byte[] whole = ImportScene.bytes("patches/lv.snapback.lvmsync");
        Path headless = Files.write(folder.resolve("headless"), Arrays.copyOfRange(whole, 17, whole.length));
        scene.imported(scene.fixture("patches/lv.after.img"), "--volume", "d");
        scene.imported(headless, "--parent", "d@latest", "--format", "lvmsync-snapback");
        assertArrayEquals(ImportScene.bytes("patches/lv.before.img"), scene.latest("d"));
    }

    @Test
    void aDumpOfALargerDeviceIsRefused() throws IOException {
        scene.imported(scene.fixture("patches/before.img"), "--volume", "d"); // 1 MiB, the dump is of 8
        assertEquals(ExitCode.REFUSED, scene.run("import", scene.fixture("patches/lv.3.0.lvmsync"), "--parent", "d@latest"));
        assertTrue(scene.said.contains("past the end of the device"), scene.said);
        assertEquals(1, scene.points("d"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"std-4k", "std-16k", "std-512k", "areas-4k", "area-full-4k", "empty-4k", "rwsnap-4k", "reactivated-4k", "ext4live-4k"})
    void theStoreOfASnapshotLeadsBackToIt(String name) throws IOException {
        scene.imported(scene.fixture("dmsnap/" + name + ".after.img"), "--volume", "d");
        scene.imported(scene.fixture("dmsnap/" + name + ".cow.img"), "--parent", "d@latest");
        assertTrue(scene.said.contains("leads back"), scene.said);
        byte[] before = ImportScene.bytes("dmsnap/" + name + ".before.img");
        assertEquals(!name.startsWith("rwsnap"), Arrays.equals(before, scene.latest("d")));
    }

    @Test
    void theStoreOfAnOverflowedSnapshotIsRefused() throws IOException {
        scene.imported(scene.fixture("dmsnap/overflow-4k.after.img"), "--volume", "d");
        assertEquals(ExitCode.REFUSED, scene.run("import", scene.fixture("dmsnap/overflow-4k.cow.img"), "--parent", "d@latest"));
        assertTrue(scene.said.contains("overflowed"), scene.said);
        assertEquals(1, scene.points("d"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"fd", "striped"})
    void diffsOfRbdFollowEachOtherByTheNamesOfSnapshots(String name) throws IOException {
        scene.imported(scene.fixture("rbd/" + name + ".0-s1.diff"), "--volume", "d");
        for (String pair : List.of("s1-s2", "s2-s3", "s3-s4", "s4-s5")) {
            scene.imported(scene.fixture("rbd/" + name + "." + pair + (pair.equals("s2-s3") ? ".whole.diff" : ".diff")), "--volume", "d");
        }
        History history = scene.history("d");
        List<Point> points = history.points();
        assertEquals(5, points.size());
        for (int i = 0; i < 4; i++) {
            assertEquals("s" + (i + 1), points.get(i).manifest().label().orElseThrow());
            assertArrayEquals(ImportScene.bytes("rbd/" + name + ".s" + (i + 1) + ".img"), ImportScene.at(history, points.get(i)));
        }
        assertTrue(points.get(4).manifest().unchanged());
        // a merged one starts from s1 as well
        scene.imported(scene.fixture("rbd/" + name + ".merged-s1-s3.diff"), "--volume", "d");
        assertArrayEquals(ImportScene.bytes("rbd/" + name + ".s3.img"), scene.latest("d"));
    }

    @Test
    void aDiffOfRbdIsNotAppliedToAPointThatIsAnotherSnapshotByItsLabel() throws IOException {
        scene.imported(scene.fixture("rbd/fd.0-s1.diff"), "--volume", "d");
        scene.imported(scene.fixture("rbd/fd.s1-s2.diff"), "--volume", "d");
        assertEquals(ExitCode.REFUSED, scene.run("import", scene.fixture("rbd/fd.s1-s2.diff"), "--parent", "d@latest"));
        assertTrue(scene.said.contains("starts from snapshot \"s1\""), scene.said);
        assertEquals(ExitCode.NOT_FOUND, scene.run("import", scene.fixture("rbd/fd.s3-s4.diff"), "--volume", "d"));
        assertEquals(ExitCode.REFUSED, scene.run("import", scene.fixture("rbd/fd.0-s1.diff"), "--parent", "d@latest"));
        assertEquals(2, scene.points("d"));
        // a point without such a label is the user's word
        scene.imported(scene.fixture("rbd/fd.s1.img"), "--volume", "e");
        scene.imported(scene.fixture("rbd/fd.s1-s2.diff"), "--parent", "e@latest");
        assertTrue(scene.said.contains("your word alone"), scene.said);
        assertArrayEquals(ImportScene.bytes("rbd/fd.s2.img"), scene.latest("e"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"fd", "plain", "striped"})
    void anExportOfRbdBecomesAChainOfItsSnapshots(String name) throws IOException {
        Path file = scene.fixture("rbd/" + name + ".export-v2");
        scene.imported(file, "--volume", "d");
        checkChain(name);
        // again: nothing to do
        scene.imported(file, "--volume", "d");
        assertTrue(scene.said.contains("is recorded already"), scene.said);
        assertEquals(6, scene.points("d"));
    }

    @Test
    void anImportOfManySnapshotsThatWasInterruptedIsCarriedOn() throws IOException {
        Path file = scene.fixture("rbd/fd.export-v2");
        scene.imported(file, "--volume", "d");
        List<Point> points = scene.history("d").points();
        for (Point gone : points.subList(2, 6)) {
            String base = gone.manifest().baseName() + ".";
            try (var files = Files.list(scene.vault.resolve("d"))) {
                for (Path path : files.filter(path -> path.getFileName().toString().startsWith(base)).toList()) {
                    Files.delete(path);
                }
            }
        }
        scene.imported(file, "--volume", "d");
        assertTrue(scene.said.contains("recorded 2 of them already"), scene.said);
        checkChain("fd");
        assertEquals(points.subList(0, 2), scene.history("d").points().subList(0, 2));
    }

    private void checkChain(String name) throws IOException {
        History history = scene.history("d");
        List<Point> points = history.points();
        assertEquals(6, points.size());
        for (int i = 1; i <= 4; i++) {
            assertEquals("s" + i, points.get(i - 1).manifest().label().orElseThrow());
            assertArrayEquals(ImportScene.bytes("rbd/" + name + ".s" + i + ".img"), ImportScene.at(history, points.get(i - 1)));
        }
        assertTrue(points.get(4).manifest().unchanged());
        assertTrue(points.get(5).manifest().label().isEmpty());
    }
}
