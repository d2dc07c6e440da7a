package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.block.Geometry;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.History;
import varve.archive.cli.Captured;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Kind;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.testdata.Damage;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// Vaults that are not as they should be, and others at work in them.
class VaultTroubleTest {

    private static final int MIB = 1 << 20;

    @TempDir
    Path folder;

    private Path image;
    private VolumeSubject volume;

    @BeforeEach
    void make() {
        image = folder.resolve("device.img");
        volume = new VolumeSubject(folder.resolve("vault"), "tools");
    }

    private byte[] write(byte[] device) throws IOException {
        Files.deleteIfExists(image);
        Images.write(device, image);
        return device;
    }

    /// Archives the image, in this process.
    private Ended run(String... more) {
        return archive("tools", more);
    }

    private Ended archive(String name, String... more) {
        return Captured.varve(Stream.concat(
                Stream.of("archive", image, "--vault", volume.vault(), "--volume", name), Stream.of(more)).toArray());
    }

    /// archives an image that differs a little from that of other numbers
    private byte[] record(int number) throws Exception {
        byte[] device = Images.mixed(1, 4 * MIB);
        System.arraycopy(Images.noise(number, 10_000), 0, device, number * 100_000, 10_000);
        write(device);
        volume.archive(image);
        assertEquals(1, volume.look(device).size());
        return device;
    }

    // ---- names

    @ParameterizedTest
    @ValueSource(strings = {
        "../x", ".hidden", "a/b", "", ".", "..", "-x", "_x", "a b", "a\nb", "a\u0000b", "tööls", "varve-vault.json", "/tmp/x",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    })
    void aNameWithTricksIsRefusedAndNothingIsMade(String name) throws Exception {
        write(new byte[MIB]);
        Ended end = archive(name).expect(ExitCode.REFUSED.number());
        assertTrue(end.err().contains("a volume's name is"), end::err);
        try (Stream<Path> content = Files.list(folder)) {
            assertEquals(List.of(image), content.toList());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "9", "A.B_c-d", "con", "tools.20261120T020000.123Z.full",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
    void aNameWithoutIsFine(String name) throws Exception {
        write(new byte[MIB]);
        archive(name).expect(0);
    }

    // ---- what is no vault

    @Test
    void aFolderWithOtherThingsIsNotMadeAVault() throws Exception {
        write(new byte[MIB]);
        Files.createDirectories(volume.vault());
        Files.writeString(volume.vault().resolve("thesis.odt"), "irreplaceable");
        assertEquals("varve: " + volume.vault() + ": not empty and no vault; give a vault, or an empty folder to make one in",
                run().expect(9).error());
        try (Stream<Path> content = Files.list(volume.vault())) {
            assertEquals(1, content.count());
        }
    }

    @Test
    void aFileIsNoVault() throws Exception {
        write(new byte[MIB]);
        Files.writeString(volume.vault(), "x");
        run().expect(9).error();
        Captured.varve("archive", image, "--vault", volume.vault().resolve("vault")).expect(7).error();
    }

    @Test
    void aFileInThePlaceOfAVolumeIsAnError() throws Exception {
        record(1);
        Files.writeString(volume.vault().resolve("other"), "x");
        Ended end = archive("other").expect(7);
        assertTrue(end.error().contains("/vault/other"), end::err);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "{}", "not json", "{\"format\": \"varve-vault-1\"}", "{\"format\": \"varve-vault-1\", \"id\": \"12\"}",
        "{\"format\": \"varve-vault-1\", \"id\": 12}", "{\"format\": 1, \"id\": \"12\"}", "[1]", "\u0000\u0000\u0000"
    })
    void aDamagedMarkerIsNamedAndLeftAlone(String text) throws Exception {
        record(1);
        Path marker = volume.vault().resolve("varve-vault.json");
        String good = Files.readString(marker);
        Files.writeString(marker, text);
        String error = run().expect(ExitCode.NOT_FOUND.number()).error();
        assertTrue(error.startsWith("varve: " + marker + ": damaged"), error);
        assertEquals(text, Files.readString(marker));
        Files.writeString(marker, good);
        volume.lookAtAll();
    }

    @Test
    void aMarkerOfALaterVersionAsksForAnUpgrade() throws Exception {
        record(1);
        Path marker = volume.vault().resolve("varve-vault.json");
        Files.writeString(marker, Files.readString(marker).replace("varve-vault-1", "varve-vault-2"));
        run().expect(6).error();
    }

    // ---- others at work

    @Test
    void theSecondOfTwoRunsSaysWhoHoldsTheLockAndSinceWhen() throws Exception {
        byte[] device = write(Images.noise(1, 8 * MIB));
        try (VarveProcess first = VarveProcess.start(
                "archive", image, "--vault", volume.vault(), "--volume", "tools", "--bwlimit", "3M")) {
            assertTrue(first.await(() -> Files.exists(volume.stage("data"))));
            first.suspend(); // so that it is not done before the second has begun
            String error = run().expect(8).error();
            assertTrue(error.matches("varve: .*/vault/tools: locked by process " + first.pid() + ", varve archive .*/device\\.img, since "
                    + "20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"), error);
            run("--dry-run").expect(0); // it only looks
            try (VarveProcess waiting = VarveProcess.start(
                    "archive", image, "--vault", volume.vault(), "--volume", "tools", "--lock-wait", "100")) {
                archive("other").expect(0); // another volume is free
                first.resume();
                first.end().expect(0);
                waiting.end().expect(0);
            }
        }
        assertEquals(2, volume.look(device, device).size());
    }

    @Test
    void theLockOfADeadRunIsFree() throws Exception {
        write(Images.noise(1, 8 * MIB));
        try (VarveProcess first = VarveProcess.start(
                "archive", image, "--vault", volume.vault(), "--volume", "tools", "--bwlimit", "3M")) {
            assertTrue(first.await(() -> Files.exists(volume.stage("data"))));
            first.kill();
        }
        run().expect(0);
    }

    @Test
    void severalFirstRunsAtOnceMakeOneVault() throws Exception {
        write(Images.mixed(1, 2 * MIB));
        for (int round = 0; round < 2; round++) {
            Path vault = folder.resolve("vault" + round);
            List<VarveProcess> runs = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                runs.add(VarveProcess.start("archive", image, "--vault", vault, "--volume", "volume" + i));
            }
            for (VarveProcess run : runs) {
                try (run) {
                    run.end().expect(0);
                }
            }
            assertEquals(4, Vault.open(vault).volumes().size());
        }
    }

    // ---- the clock

    @Test
    void aClockThatGoesBackIsAWarningAndOrderIsKept() throws Exception {
        Instant noon = Instant.parse("2026-11-20T12:00:00Z");
        Instant back = noon.minus(Duration.ofDays(400));
        List<byte[]> devices = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        List<Instant> clock = List.of(noon, back, noon.plusSeconds(1), noon.plusSeconds(1), back, Instant.EPOCH);
        for (int i = 0; i < clock.size(); i++) {
            Instant now = clock.get(i);
            byte[] device = Images.mixed(i, 2 * MIB);
            devices.add(device);
            write(device);
            volume.archive(image, () -> now, warnings);
            volume.look(device);
        }
        volume.lookAtAll();
        assertEquals(3, warnings.stream().filter(warning -> warning.contains("check the clock")).count(), warnings::toString);
        List<StoredArchive> archives = volume.archives();
        assertEquals(clock.size(), archives.stream().map(archive -> archive.manifest().time()).distinct().count(), "times are unique");
        assertEquals(archives.getLast(), PointName.parse("tools@latest").in(new History(archives)).archive());
        assertEquals(volume.root(devices.getLast()), archives.getLast().manifest().state().root().toString());
    }

    @Test
    void aClockThatStandsStillGivesPointsOfTheirOwn() throws Exception {
        Instant now = Instant.parse("2026-11-20T12:00:00Z");
        for (int i = 0; i < 4; i++) {
            byte[] device = Images.mixed(i, MIB);
            write(device);
            volume.archive(image, () -> now, new ArrayList<>());
            volume.look(device);
        }
        assertEquals(4, volume.archives().stream().map(archive -> archive.manifest().time()).distinct().count());
    }

    // ---- what is no file

    @Test
    void aLinkInThePlaceOfAStageIsNotFollowed() throws Exception {
        byte[] device = Images.noise(1, 4 * MIB); // of which the first MiB is staged long before the end
        write(device);
        try (VarveProcess first = VarveProcess.start(
                "archive", image, "--vault", volume.vault(), "--volume", "tools", "--bwlimit", "1M")) {
            assertTrue(first.await(() -> Files.exists(volume.stage("data")) && Files.size(volume.stage("data")) > 0));
            first.kill();
        }
        Path killed = folder.resolve("killed");
        VaultScene.copyFolder(volume.vault(), killed);
        Path precious = Files.writeString(folder.resolve("precious"), "irreplaceable");
        for (String extension : List.of("data", "index", "tree", "nodes", "extents", "json", "json-draft")) {
            VaultScene.delete(volume.vault());
            VaultScene.copyFolder(killed, volume.vault());
            volume = new VolumeSubject(volume.vault(), "tools");
            Files.deleteIfExists(volume.stage(extension));
            Files.createSymbolicLink(volume.stage(extension), precious);
            run().expect(0);
            assertEquals("irreplaceable", Files.readString(precious));
            assertEquals(1, volume.look(device).size());
            assertFalse(Files.exists(volume.stage(extension), LinkOption.NOFOLLOW_LINKS), extension);
        }
    }

    @Test
    void aLinkInThePlaceOfTheLocksHolderIsNotFollowed() throws Exception {
        record(1);
        Path precious = Files.writeString(folder.resolve("precious"), "irreplaceable");
        Path holder = volume.folder().resolve(".varve-lock-holder");
        Files.createSymbolicLink(holder, precious);
        record(2);
        assertEquals("irreplaceable", Files.readString(precious));
    }

    @ParameterizedTest
    @ValueSource(strings = {".varve-stage.data", ".varve-stage.nodes", ".varve-stage.json", ".varve-lock-holder"})
    void aPipeAmongOurFilesIsNotWaitedFor(String name) throws Exception {
        record(1);
        Path pipe = volume.folder().resolve(name);
        Files.deleteIfExists(pipe);
        Tools.run("mkfifo", pipe).orElseThrow().expectSuccess();
        run().expect(0);
    }

    @Test
    void aPipeInThePlaceOfAFileOfAnArchiveIsNotWaitedFor() throws Exception {
        record(1);
        record(2);
        StoredArchive first = volume.archives().getFirst();
        pipeFor(first.data(), () -> assertTrue(run().expect(0).err().contains("warning: the parent's data cannot be read")));
        pipeFor(first.tree(), () -> run().expect(0));
        pipeFor(first.manifestFile(), () -> assertTrue(run().expect(7).error().contains(first.manifestFile() + ": no regular file")));
        pipeFor(first.index(), () -> run().expect(0)); // the data file has the tables too
        pipeFor(volume.vault().resolve("varve-vault.json"), () -> assertTrue(run().expect(7).error().contains("no regular file")));
    }

    private interface Check {
        void run() throws Exception;
    }

    private void pipeFor(Path file, Check check) throws Exception {
        Path aside = folder.resolve("aside");
        Files.move(file, aside);
        Tools.run("mkfifo", file).orElseThrow().expectSuccess();
        write(change(Math.floorMod(file.hashCode(), 10)));
        check.run();
        Files.delete(file);
        Files.move(aside, file);
    }

    @Test
    void filesOfAnySizeInThePlaceOfSmallOnesTakeNoMemory() throws Exception {
        record(1);
        for (Path file : List.of(volume.stage("json"), volume.folder().resolve(".varve-lock-holder"))) {
            huge(file);
            run().expect(0);
        }
        Path marker = volume.vault().resolve("varve-vault.json");
        huge(marker);
        assertTrue(run().expect(10).error().contains("damaged"));
    }

    private static void huge(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[1]), 3L << 30);
        }
    }

    // ---- manifests

    @Test
    void aManifestThatCannotBeReadRefusesToWrite() throws Exception {
        record(1);
        record(2);
        record(3);
        for (int i = 0; i < 3; i++) {
            Path manifest = volume.archives().get(i).manifestFile();
            byte[] good = Files.readAllBytes(manifest);
            for (Damage damage : List.of(Damage.truncate(0), Damage.truncate(good.length - 1),
                    Damage.flip(good.length / 2, 3), Damage.append((byte) '\n'))) {
                damage.inflictOn(manifest);
                IOException e = assertThrows(IOException.class, () -> volume.archive(image), damage::toString);
                assertTrue(e.getMessage().contains(manifest.getFileName().toString()) || e.getMessage().contains(".json"), e::getMessage);
                Files.write(manifest, good);
            }
        }
        volume.lookAtAll();
    }

    @Test
    void manifestsThatAreSwappedAreRefused() throws Exception {
        record(1);
        record(2);
        record(3);
        List<StoredArchive> archives = volume.archives();
        swap(archives.get(1).manifestFile(), archives.get(2).manifestFile());
        assertThrows(CorruptException.class, () -> volume.archive(image));
        swap(archives.get(1).manifestFile(), archives.get(2).manifestFile());
        volume.lookAtAll();
        record(4);
    }

    @Test
    void aManifestOfAnotherVolumeIsRefused() throws Exception {
        record(1);
        record(2);
        Path other = folder.resolve("other-vault");
        VolumeSubject stranger = new VolumeSubject(other, "tools");
        stranger.archive(image);
        Path manifest = stranger.archives().getFirst().manifestFile();
        Path intruder = volume.folder().resolve(manifest.getFileName());
        Files.copy(manifest, intruder);
        CorruptException e = assertThrows(CorruptException.class, () -> volume.archive(image));
        assertTrue(e.getMessage().contains("F040"), e::getMessage);
        Files.delete(intruder);
        record(3);
    }

    @Test
    void aWholeArchiveOfAnotherVolumeIsRefused() throws Exception {
        byte[] device = record(1);
        VolumeSubject stranger = new VolumeSubject(folder.resolve("other-vault"), "tools");
        stranger.archive(image);
        write(Images.mixed(9, 4 * MIB));
        stranger.archive(image);
        StoredArchive delta = stranger.archives().getLast();
        for (Path file : List.of(delta.data(), delta.index(), delta.tree(), delta.manifestFile())) {
            Files.copy(file, volume.folder().resolve(file.getFileName()));
        }
        write(device);
        assertThrows(CorruptException.class, () -> volume.archive(image));
    }

    @Test
    void deltaFilesThatAreSwappedAreNeverBelieved() throws Exception {
        record(1);
        record(2);
        record(3);
        List<StoredArchive> archives = volume.archives();
        swap(archives.get(1).index(), archives.get(2).index());
        swap(archives.get(1).data(), archives.get(2).data());
        write(Images.mixed(5, 4 * MIB));
        assertThrows(CorruptException.class, () -> volume.archive(image));
        swap(archives.get(1).index(), archives.get(2).index());
        List<String> warnings = new ArrayList<>();
        byte[] device = Images.mixed(1, 4 * MIB);
        device[300_000] ^= 1; // in what a delta holds
        write(device);
        Archiver.Outcome outcome = volume.archive(image, Instant::now, warnings);
        assertTrue(warnings.toString().contains("is damaged: changed chunks are stored whole"), warnings::toString);
        assertEquals(Kind.DELTA, outcome.kind());
        swap(archives.get(1).data(), archives.get(2).data());
        volume.look(device);
        volume.lookAtAll();
    }

    @Test
    void aDataFileOfTheSameSizeFromAnotherVolumeIsNeverBelieved() throws Exception {
        byte[] first = write(Images.noise(1, 2 * MIB));
        volume.archive(image);
        volume.look(first);
        VolumeSubject stranger = new VolumeSubject(folder.resolve("other-vault"), "tools");
        write(Images.noise(2, 2 * MIB));
        stranger.archive(image);
        Path data = volume.archives().getFirst().data();
        Path foreign = stranger.archives().getFirst().data();
        assertEquals(Files.size(data), Files.size(foreign));
        swap(data, foreign);
        byte[] second = first.clone();
        second[5] ^= 1;
        write(second);
        List<String> warnings = new ArrayList<>();
        Archiver.Outcome outcome = volume.archive(image, Instant::now, warnings);
        assertEquals(1, warnings.size());
        assertEquals(1 << Geometry.DEFAULT_CHUNK_LOG, outcome.changedSize());
        swap(data, foreign);
        volume.look(second);
        volume.lookAtAll();
    }

    @Test
    void aGapInTheNumbersIsNoReasonToRefuseWhatStillHangsTogether() throws Exception {
        record(1);
        write(Images.mixed(7, 4 * MIB));
        run("--full").expect(0);
        volume.look(Images.mixed(7, 4 * MIB));
        record(3);
        StoredArchive first = volume.archives().getFirst();
        for (Path file : List.of(first.data(), first.index(), first.tree(), first.manifestFile())) {
            Files.delete(file);
        }
        VolumeSubject rest = new VolumeSubject(volume.vault(), "tools");
        byte[] device = write(Images.mixed(8, 4 * MIB));
        rest.archive(image);
        assertEquals(4, rest.archives().getLast().manifest().sequence());
        assertEquals(rest.root(device), rest.archives().getLast().manifest().state().root().toString());
    }

    @Test
    void aDeltaWhoseParentIsGoneAltogetherAsksForItOrAFull() throws Exception {
        record(1);
        record(2);
        StoredArchive first = volume.archives().getFirst();
        for (Path file : List.of(first.data(), first.index(), first.tree(), first.manifestFile())) {
            Files.delete(file);
        }
        BrokenChainException e = assertThrows(BrokenChainException.class, () -> volume.archive(image));
        assertTrue(e.getMessage().contains("archive with --full"), e::getMessage);
        run("--full").expect(0);
        run().expect(0);
    }

    // ---- tables and data of the parent

    @Test
    void tablesThatAreMissingAreReadFromTheData() throws Exception {
        record(1);
        record(2);
        for (StoredArchive archive : volume.archives()) {
            Files.move(archive.index(), folder.resolve(archive.index().getFileName()));
        }
        byte[] device = write(change(2));
        assertEquals(4096, volume.archive(image).changedSize());
        putBack(".index");
        assertEquals(1, volume.look(device).size());
        volume.lookAtAll();
    }

    @Test
    void dataThatIsAwayCostsOnlySize() throws Exception {
        record(1);
        record(2);
        for (StoredArchive archive : volume.archives()) {
            Files.move(archive.data(), folder.resolve(archive.data().getFileName()));
        }
        byte[] device = write(change(2));
        List<String> warnings = new ArrayList<>();
        assertEquals(1 << Geometry.DEFAULT_CHUNK_LOG, volume.archive(image, Instant::now, warnings).changedSize());
        assertTrue(warnings.toString().contains("not at hand"), warnings::toString);
        putBack(".zst");
        assertEquals(1, volume.look(device).size());
        volume.lookAtAll();
    }

    @Test
    void tablesHereAndDataThereAreEnough() throws Exception {
        record(1);
        record(2);
        record(3);
        List<StoredArchive> archives = volume.archives();
        Files.move(archives.get(0).index(), folder.resolve(archives.get(0).index().getFileName()));
        Files.move(archives.get(1).data(), folder.resolve(archives.get(1).data().getFileName()));
        byte[] device = write(change(3));
        volume.archive(image);
        putBack(".index");
        putBack(".zst");
        assertEquals(1, volume.look(device).size());
        volume.lookAtAll();
    }

    @Test
    void withoutTablesAndDataADeltaIsImpossibleAndAFullIsNot() throws Exception {
        record(1);
        record(2);
        StoredArchive first = volume.archives().getFirst();
        Files.delete(first.index());
        Files.delete(first.data());
        assertThrows(BrokenChainException.class, () -> volume.archive(image));
        assertTrue(run().expect(5).error().contains("archive with --full"));
        run("--full").expect(0);
    }

    @Test
    void aDryRunLeavesNothingBehind() throws Exception {
        write(Images.mixed(1, 2 * MIB));
        run("--dry-run").expect(0);
        assertFalse(Files.exists(volume.vault()));
        record(1);
        List<String> before = names();
        write(change(1));
        assertTrue(run("--dry-run").expect(0).out().contains("would store a delta of 4.0 KiB changed"));
        assertEquals(before, names());
    }

    private List<String> names() throws IOException {
        try (Stream<Path> content = Files.walk(volume.vault())) {
            return content.map(Path::toString).sorted().toList();
        }
    }

    /// the image of [#record] with one more byte changed
    private static byte[] change(int number) {
        byte[] device = Images.mixed(1, 4 * MIB);
        System.arraycopy(Images.noise(number, 10_000), 0, device, number * 100_000, 10_000);
        device[3 * MIB] ^= 1;
        return device;
    }

    private void putBack(String extension) throws IOException {
        try (Stream<Path> content = Files.list(folder)) {
            for (Path file : content.filter(path -> path.toString().endsWith(extension)).toList()) {
                Files.move(file, volume.folder().resolve(file.getFileName()));
            }
        }
    }

    private static void swap(Path a, Path b) throws IOException {
        Path aside = a.resolveSibling(".aside");
        Files.move(a, aside);
        Files.move(b, a);
        Files.move(aside, b, StandardCopyOption.ATOMIC_MOVE);
    }
}
