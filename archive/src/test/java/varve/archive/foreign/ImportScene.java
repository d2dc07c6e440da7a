package varve.archive.foreign;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import varve.archive.block.BlockSource;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.chain.Point;
import varve.archive.cli.Captured;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.file.StoredArchive;
import varve.archive.chain.History;
import varve.archive.vault.Vault;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

/// A vault that foreign files are imported into, by the command.
final class ImportScene {

    final Path folder;
    final Path vault;
    String said = "";

    ImportScene(Path folder) {
        this.folder = folder;
        this.vault = folder.resolve("vault");
    }

    /// {@return a committed file, unpacked}
    Path fixture(String name) throws IOException {
        Path file = folder.resolve(name.replace('/', '-'));
        if (!Files.exists(file)) {
            Files.write(file, bytes(name));
        }
        return file;
    }

    static byte[] bytes(String name) throws IOException {
        return Tools.unzstd(TestFiles.root().resolve("fixtures").resolve(name + ".zst")).orElseThrow();
    }

    ExitCode run(Object... words) {
        List<String> line = new ArrayList<>();
        for (Object word : words) {
            line.add(word.toString());
        }
        line.add("--vault");
        line.add(vault.toString());
        Captured captured = new Captured();
        ExitCode code = Main.run(captured.stdio(0), line.toArray(String[]::new));
        said = captured.out() + captured.err();
        return code;
    }

    /// Imports, which has to work.
    void imported(Path file, Object... more) {
        List<Object> words = new ArrayList<>(List.of("import", file, "--level", 1));
        words.addAll(List.of(more));
        ExitCode code = run(words.toArray());
        if (code != ExitCode.OK) {
            throw new AssertionError(code + ": " + said);
        }
    }

    History history(String volume) throws IOException {
        return Vault.open(vault).volume(volume).read().sound();
    }

    int points(String volume) throws IOException {
        return Files.isDirectory(vault) && Vault.open(vault).volume(volume).exists() ? history(volume).points().size() : 0;
    }

    /// {@return the device at the latest point, as a restore would give it}
    byte[] latest(String volume) throws IOException {
        History history = history(volume);
        return at(history, history.latest().orElseThrow());
    }

    static byte[] at(History history, Point point) throws IOException {
        try (ChainImage image = new ChainImage(Chain.open(history.path(point.state(), StoredArchive::dataAtHand).orElseThrow()))) {
            return content(image);
        }
    }

    static byte[] content(BlockSource source) throws IOException {
        return content(source, 0, (int) source.size());
    }

    static byte[] content(BlockSource source, long offset, int length) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.max(1, length), 4096).asSlice(0, length);
            if (length > 0) {
                source.read(offset, bytes);
            }
            return bytes.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /// {@return all names in the vault, to see whether something was left}
    List<String> files() {
        try (var all = Files.walk(vault)) {
            return all.map(path -> vault.relativize(path).toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
