package varve.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.block.RefusedException;
import varve.archive.format.Manifest;
import varve.archive.retention.Retention;
import varve.archive.sign.SecretKey;
import varve.archive.sign.Signing;
import varve.archive.sign.Trust;
import varve.archive.sign.UntrustedException;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Depth;
import varve.archive.vault.PointName;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.archive.vault.VolumeSettings;
import varve.testdata.Images;
import varve.testdata.TestFiles;

/// What an attacker who can write to a vault gets away with, and what shows: the table of docs/SECURITY.md, row by row.
final class TamperingTest {

    private static final String NONE = "-";

    private static Path folder;
    private static Scene signed;
    private static Scene unsigned;

    /// A row of the table.
    ///
    /// @param what is tampered with
    /// @param how it is
    /// @param unsigned what `varve verify` then says of a volume that is not signed: `shows`, `passes`, or `-` if there is no such thing
    /// @param signed likewise
    record Row(String what, String how, String unsigned, String signed) {
        @Override
        public String toString() {
            return what + ": " + how;
        }
    }

    static List<Row> rows() throws IOException {
        List<Row> rows = new ArrayList<>();
        boolean in = false;
        for (String line : Files.readAllLines(TestFiles.root().resolveSibling("docs/SECURITY.md"))) {
            if (line.startsWith("| what | how |")) {
                in = true;
            } else if (in && !line.startsWith("|")) {
                break;
            } else if (in && !line.startsWith("|---")) {
                String[] cells = line.split("\\|");
                rows.add(new Row(cells[1].strip(), cells[2].strip(), cells[3].strip(), cells[4].strip()));
            }
        }
        return rows;
    }

    /// A vault with three points in time, the same as it was before the third, and another vault with another volume of the same name.
    private record Scene(TestVault vault, Path now, Path before, Path foreign) {

        static Scene make(Path folder, Signing signing) throws IOException {
            byte[] image = Images.mixed(7, 5 * TestVault.CHUNK);
            TestVault vault = new TestVault(folder, signing).add(image).add(changed(image, 1));
            keep(vault, 5);
            Path before = copy(vault.vault.folder(), folder.resolve("before"));
            vault.add(changed(image, 2));
            keep(vault, 9);
            TestVault foreign = new TestVault(folder.resolve("other"), signing).add(image).add(changed(image, 3)).add(changed(image, 4));
            keep(foreign, 7);
            return new Scene(vault, copy(vault.vault.folder(), folder.resolve("now")), before, foreign.vault.folder());
        }

        private static byte[] changed(byte[] image, int seed) {
            byte[] copy = image.clone();
            System.arraycopy(Images.noise(seed, 5000), 0, copy, 70_000 * (seed % 3 + 1), 5000);
            return copy;
        }

        /// settings, and a receipt more
        private static void keep(TestVault vault, int points) throws IOException {
            Retention policy = new Retention(points, Optional.empty(), 0, 0, 0, 0, ZoneOffset.UTC);
            try {
                VolumeSettings.change(vault.volume, Duration.ZERO, "a test", (old, history) -> old.with(Optional.of(policy)));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            new Receipts(vault.volume).add(vault.verify(Depth.STORED)
                    .act(Receipt.begin(Receipt.What.VERIFY, vault.vault, "tools", "tools", InstantSource.system())));
        }

        Path folder() {
            return vault.volume.folder();
        }

        void reset() throws IOException {
            Folders.delete(vault.vault.folder());
            copy(now, vault.vault.folder());
        }
    }

    @BeforeAll
    static void make() throws IOException {
        folder = Files.createTempDirectory("tampering");
        SecretKey key = SecretKey.generate(new SecureRandom());
        Path file = Files.write(folder.resolve("key"), key.file(Optional.empty(), new SecureRandom()));
        Signing signing = new Signing(new Trust(List.of(new Trust.Entry("tools", key.publicKey()))), Optional.of(file), Optional::empty);
        signed = Scene.make(Files.createDirectory(folder.resolve("signed")), signing);
        unsigned = Scene.make(Files.createDirectory(folder.resolve("unsigned")), Signing.NONE);
    }

    @AfterAll
    static void remove() throws IOException {
        Folders.delete(folder);
    }

    @Test
    void whatIsNotTamperedWithPasses() throws IOException {
        for (Scene scene : List.of(signed, unsigned)) {
            scene.reset();
            assertEquals("passes", look(scene));
        }
    }

    @ParameterizedTest
    @MethodSource("rows")
    void theTableIsTrue(Row row) throws IOException {
        for (Scene scene : List.of(unsigned, signed)) {
            String expected = scene == signed ? row.signed : row.unsigned;
            scene.reset();
            boolean done = tamper(scene, row);
            assertEquals(expected, done ? look(scene) : NONE, scene == signed ? "signed" : "unsigned");
        }
    }

    @Test
    void theTableIsWhole() throws IOException {
        Map<String, Integer> rows = new TreeMap<>();
        rows().forEach(row -> rows.merge(row.what, 1, Integer::sum));
        for (String what : List.of("manifest", "data", "table", "tree", "head", "receipts", "settings", "signature")) {
            assertTrue(rows.getOrDefault(what, 0) >= 4, what);
        }
    }

    /// {@return what `varve verify` says}
    private static String look(Scene scene) {
        Report report = scene.vault.verify(Depth.STORED);
        boolean clean = report.findings().stream().allMatch(finding -> finding.severity() == Severity.NOTE)
                && report.points().stream().allMatch(Report.PointInTime::good);
        return clean ? "passes" : "shows";
    }

    // ---- the deeds

    private static boolean tamper(Scene scene, Row row) throws IOException {
        return switch (row.how) {
            case "edit" -> edit(scene, row.what);
            case "edit, all hashes made right again" -> forge(scene);
            case "delete" -> delete(scene, row.what);
            case "replace by older" -> replace(scene, row.what, scene.before.resolve("tools"), false);
            case "copy from another volume" -> replace(scene, row.what, scene.foreign.resolve("tools"), true);
            case "reorder" -> swap(scene, row.what);
            case "set back as a whole, no other vault at hand" -> whole(scene, scene.before);
            default -> throw new IllegalArgumentException(row.toString());
        };
    }

    private static Predicate<String> of(String what) {
        return switch (what) {
            case "manifest" -> name -> name.matches("tools\\..*\\.(full|delta)\\.json");
            case "data" -> name -> name.endsWith(".zst");
            case "table" -> name -> name.endsWith(".index");
            case "tree" -> name -> name.endsWith(".tree");
            case "signature" -> name -> name.endsWith(".json.minisig");
            case "head" -> name -> name.equals("varve-head.jsonl") || name.equals("varve-head.jsonl.minisig");
            case "receipts" -> name -> name.equals(Receipts.FILE) || name.equals(Receipts.HIDDEN + "head");
            case "settings" -> name -> name.equals("varve-volume.json");
            default -> throw new IllegalArgumentException(what);
        };
    }

    private static List<Path> files(Path folder, String what) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> of(what).test(file.getFileName().toString())).sorted().toList();
        }
    }

    private static boolean edit(Scene scene, String what) throws IOException {
        List<Path> files = files(scene.folder(), what);
        if (files.isEmpty()) {
            return false;
        }
        Path file = files.getLast();
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        return true;
    }

    /// a manifest with another label, whole in itself and named by none
    private static boolean forge(Scene scene) throws IOException {
        Path file = files(scene.folder(), "manifest").getLast();
        Manifest m = Manifest.decode(Files.readAllBytes(file), file.toString());
        Files.write(file, new Manifest(m.kind(), m.volume(), m.volumeId(), m.sequence(), m.previous(), m.original(), m.time(), m.finished(), Optional.of("all is well"),
                m.source(), m.host(), m.tool(), m.chunkLog(), m.state(), m.parent(), m.changedSize(), m.payloadSize(), m.file(), m.index(), m.seal()).encode());
        return true;
    }

    private static boolean delete(Scene scene, String what) throws IOException {
        List<Path> files = files(scene.folder(), what);
        if (files.isEmpty()) {
            return false;
        }
        if (what.equals("manifest")) { // with all that belongs to it, so that nothing is left over
            String base = files.getLast().getFileName().toString().replaceFirst("json$", "");
            for (String end : List.of("json", "json.minisig", "zst", "index", "tree")) {
                Files.deleteIfExists(scene.folder().resolve(base + end));
            }
            return true;
        }
        for (Path file : what.equals("receipts") || what.equals("head") ? files : List.of(files.getLast())) {
            Files.delete(file);
        }
        return true;
    }

    private static boolean replace(Scene scene, String what, Path from, boolean foreign) throws IOException {
        boolean done = false;
        List<Path> theirs = files(from, what);
        for (Path file : files(scene.folder(), what)) {
            Optional<Path> other = foreign && what.equals("manifest")
                    ? theirs.stream().skip(1).findFirst()
                    : theirs.stream().filter(it -> it.getFileName().equals(file.getFileName())).findFirst();
            if (other.isPresent() && !Arrays.equals(Files.readAllBytes(other.get()), Files.readAllBytes(file))) {
                Files.write(file, Files.readAllBytes(other.get()));
                done = true;
            }
        }
        return done;
    }

    private static boolean swap(Scene scene, String what) throws IOException {
        List<Path> files = files(scene.folder(), what);
        if (what.equals("receipts")) {
            Path file = scene.folder().resolve(Receipts.FILE);
            List<String> lines = new ArrayList<>(Files.readAllLines(file));
            lines.add(lines.removeFirst());
            Files.write(file, lines);
            return true;
        }
        if (files.size() < 2 || what.equals("head")) {
            return false;
        }
        byte[] one = Files.readAllBytes(files.get(files.size() - 1));
        Files.write(files.get(files.size() - 1), Files.readAllBytes(files.get(files.size() - 2)));
        Files.write(files.get(files.size() - 2), one);
        return true;
    }

    private static boolean whole(Scene scene, Path from) throws IOException {
        Folders.delete(scene.vault.vault.folder());
        copy(from, scene.vault.vault.folder());
        return true;
    }

    @Test
    void aVaultThatWasSetBackIsCalledByItsHead() throws Exception {
        signed.reset();
        Vault home = signed.vault.vault;
        Vault other = Vault.openOrCreate(folder.resolve("witness")).with(home.signing());
        Catalogue.open(List.of(home, other), w -> {}).exchange(List.of("tools"), InstantSource.system(), w -> {});
        assertEquals(Optional.empty(), Catalogue.open(List.of(home, other), w -> {}).setBack(home.id(), "tools"));
        whole(signed, signed.before);
        Optional<UntrustedException> found = Catalogue.open(List.of(home, other), w -> {}).setBack(home.id(), "tools");
        assertTrue(found.orElseThrow().getMessage().contains("it was set back"), found.get()::getMessage);
        Report report = TestVault.verifier(List.of(home, other), VerifyOptions.of(Depth.STRUCTURE))
                .verify(List.of(PointName.parse("tools"))).getFirst();
        assertTrue(report.findings().stream().anyMatch(finding -> finding.text().contains("it was set back")), report.findings()::toString);
        List<String> warnings = new ArrayList<>();
        Catalogue after = Catalogue.open(List.of(home, other), w -> {}).exchange(List.of("tools"), InstantSource.system(), warnings::add);
        assertTrue(warnings.stream().anyMatch(warning -> warning.contains("it was set back")), warnings::toString);
        assertTrue(after.setBack(home.id(), "tools").isPresent(), "the exchange does not make it forgotten");
    }

    @Test
    void aSignedVolumeTakesNoArchiveWithoutItsKey() throws Exception {
        signed.reset();
        Vault keyless = signed.vault.vault.with(new Signing(signed.vault.vault.signing().trust(), Optional.empty(), Optional::empty));
        TestVault other = new TestVault(folder.resolve("signed"), keyless.signing());
        String before = look(signed);
        try {
            other.add(Images.mixed(8, 5 * TestVault.CHUNK));
            throw new AssertionError("taken");
        } catch (RefusedException e) {
            assertTrue(e.getMessage().contains("VARVE_SIGN_KEY"), e::getMessage);
        }
        assertEquals(before, look(signed));
    }

    private static Path copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                }
            }
        }
        return to;
    }
}
