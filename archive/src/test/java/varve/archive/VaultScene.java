package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import varve.archive.block.FileDevice;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.cli.Captured;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.file.StoredArchive;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Copies;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// A device that changes, a vault called home that it is archived to, other vaults, and what the device was at each point in time.
final class VaultScene {

    static final String VOLUME = "tools";

    private static final int SIZE = 3 << 20;

    final Path folder;
    final Path home;
    final Path image;
    final Random random;

    /// the device at each point in time, by root
    final Map<String, byte[]> points = new LinkedHashMap<>();

    private byte[] device;
    String out = "";
    String err = "";

    VaultScene(Path folder, long seed) throws IOException {
        this.folder = folder;
        this.home = folder.resolve("home");
        this.image = folder.resolve("device.img");
        this.random = new Random(seed);
        this.device = Images.mixed(seed, SIZE);
        expect(ExitCode.OK, "vault", "init", home, "--label", "home");
    }

    /// {@return a new vault that is kept away}
    Path disk(String label) {
        expect(ExitCode.OK, "vault", "init", folder.resolve(label), "--label", label, "--place", "shelf of " + label, "--state", "away");
        return folder.resolve(label);
    }

    // ---- commands

    /// Runs a command in this process.
    ExitCode run(Object... words) {
        Captured captured = new Captured();
        ExitCode code = Main.run(captured.stdio(0), Stream.of(words).map(Object::toString).toArray(String[]::new));
        out = captured.out();
        err = captured.err();
        return code;
    }

    /// Runs a command in this process, and checks how it ends.
    VaultScene expect(ExitCode code, Object... words) {
        assertEquals(code, run(words), () -> List.of(words) + ": " + out + err);
        return this;
    }

    /// Runs a command as a process that is killed in front of a system call.
    ///
    /// @param calls names of the calls, separated by commas
    /// @param step in front of which of them
    /// @return whether there were as many of them in any thread; else the command has ended well
    static boolean killed(String calls, int step, Object... words) throws Exception {
        Assumptions.assumeTrue(Tools.find("strace").isPresent(), "needs strace");
        List<String> strace = List.of("strace", "-f", "-qq", "-o", "/dev/null",
                "-e", "trace=" + calls, "-e", "inject=" + calls + ":signal=KILL:when=" + step);
        try (VarveProcess varve = VarveProcess.start(strace, VarveProcess.QUICK, words)) {
            Ended end = varve.end();
            assertTrue(end.killed() || end.code() == 0, end::err);
            return end.killed();
        }
    }

    VaultScene copy(Path to, Object... more) {
        return expect(ExitCode.OK, Stream.concat(Stream.of("copy", VOLUME, "--vault", home, "--to", to), Stream.of(more)).toArray());
    }

    /// Changes the device a little, and archives it.
    Point archive() throws Exception {
        change();
        return archiveUnchanged();
    }

    void change() {
        device = device.clone();
        byte[] noise = Images.noise(random.nextLong(), 4096 + random.nextInt(200_000));
        System.arraycopy(noise, 0, device, random.nextInt(device.length - noise.length) / 4096 * 4096, noise.length);
    }

    /// Sets the device back to what it was at a point in time.
    void set(byte[] to) {
        device = to;
    }

    Point archiveUnchanged() throws Exception {
        return archiveUnchanged(home);
    }

    /// Changes the device a little, and archives it to another vault.
    Point archive(Path vault) throws Exception {
        change();
        return archiveUnchanged(vault);
    }

    private Point archiveUnchanged(Path vault) throws Exception {
        return archive(vault, Optional.empty());
    }

    Point archiveLabelled(String label) throws Exception {
        return archive(home, Optional.of(label));
    }

    private Point archive(Path vault, Optional<String> label) throws Exception {
        Files.deleteIfExists(image);
        Images.write(device, image);
        ArchiveOptions options = new ArchiveOptions(false, 1, OptionalInt.of(16), 2, 0, false, label, false);
        List<String> warnings = new ArrayList<>();
        try (FileDevice source = FileDevice.open(image)) {
            Archiver archiver = new Archiver(Vault.open(vault), VOLUME, options, InstantSource.system(), bytes -> {}, warnings::add);
            archiver.archive(source, Duration.ZERO);
        }
        Point point = history(vault).latest().orElseThrow();
        points.put(point.state().root().toString(), device);
        return point;
    }

    // ---- what there is

    Volume volume(Path vault) throws IOException {
        return Vault.open(vault).volume(VOLUME);
    }

    History history(Path... vaults) throws IOException {
        List<Volume> volumes = new ArrayList<>();
        for (Path vault : vaults) {
            volumes.add(volume(vault));
        }
        return volumes.stream().anyMatch(Volume::exists) ? Volume.together(volumes).sound() : new History(List.of());
    }

    /// {@return the names of the data files in a vault}
    TreeSet<String> dataFiles(Path vault) throws IOException {
        TreeSet<String> names = new TreeSet<>();
        if (volume(vault).exists()) {
            try (Stream<Path> files = Files.list(volume(vault).folder())) {
                files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".zst") && !name.startsWith(".")).forEach(names::add);
            }
        }
        return names;
    }

    StoredArchive archive(Path vault, int number) throws IOException {
        return history(vault).points().get(number - 1).archive();
    }

    Catalogue catalogue(Path... vaults) throws IOException {
        List<Vault> opened = new ArrayList<>();
        for (Path vault : vaults) {
            opened.add(Vault.open(vault));
        }
        return Catalogue.open(opened, warning -> fail("a warning: " + warning));
    }

    /// {@return the copies of each point as the catalogue of home knows them, the oldest first}
    List<Integer> copies() throws IOException {
        return copies(home);
    }

    List<Integer> copies(Path... vaults) throws IOException {
        History history = history(home);
        Copies copies = catalogue(vaults).copies(VOLUME, history.archives());
        return history.points().stream().map(point -> copies.of(point.state())).toList();
    }

    /// {@return the numbers of the points in time that can be restored from vaults, each compared byte by byte}
    List<Long> restorable(Path... vaults) throws IOException {
        History history = history(vaults);
        List<Long> numbers = new ArrayList<>();
        for (Point point : history.points()) {
            Optional<List<StoredArchive>> path = history.path(point.state(), StoredArchive::dataAtHand);
            if (path.isPresent()) {
                assertContent(path.get(), points.get(point.state().root().toString()));
                numbers.add(point.manifest().sequence());
            }
        }
        return numbers;
    }

    private static void assertContent(List<StoredArchive> path, byte[] expected) throws IOException {
        try (ChainImage image = new ChainImage(Chain.open(path));
                Arena arena = Arena.ofConfined()) {
            assertEquals(expected.length, image.size());
            MemorySegment found = arena.allocate(expected.length, 8);
            image.read(0, found);
            assertEquals(-1, found.mismatch(MemorySegment.ofArray(expected)), () -> path.getLast().manifest().baseName() + ": the first wrong byte");
        }
    }

    /// Changes a byte in the middle of a file.
    static void damage(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 0x40;
        Files.write(file, bytes);
    }

    static void copyFolder(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file)));
            }
        }
    }

    /// Removes a folder and all that is in it.
    static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    static void assertNoStage(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(), files.map(Path::getFileName).map(Path::toString).filter(name -> name.startsWith(".varve-stage")).toList());
        }
    }

    static void assertSame(Path one, Path other) throws IOException {
        assertTrue(Arrays.equals(Files.readAllBytes(one), Files.readAllBytes(other)), () -> one + " and " + other + " differ");
    }
}
