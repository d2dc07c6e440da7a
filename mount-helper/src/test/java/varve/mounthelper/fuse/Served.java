package varve.mounthelper.fuse;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import varve.archive.linux.Linux;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.mounthelper.image.Images;
import varve.mounthelper.image.Points;
import varve.mounthelper.mount.VaultTree;
import varve.testdata.Tools;

/// A tree that is mounted by this process, and looked at by others: if this one waited for itself, nobody could kill it.
final class Served implements AutoCloseable {

    final Path folder;
    final FuseServer server;
    final List<String> log;
    private final Closeable served;

    private Served(Path folder, Entry.Folder tree, FuseOptions options, List<String> log, Closeable served) throws IOException {
        this.folder = folder;
        this.log = log;
        this.served = served;
        this.server = FuseServer.mount(folder, tree, options, log::add);
    }

    static boolean available() {
        return Linux.user() == 0 && Files.exists(Mounting.DEVICE);
    }

    static Served tree(Path folder, Entry.Folder tree, FuseOptions options) throws IOException {
        return new Served(Files.createDirectories(folder), tree, options, new CopyOnWriteArrayList<>(), () -> {});
    }

    /// Serves points of a vault; all if none is named.
    static Served vault(Path folder, Path vault, String... points) throws IOException {
        return vaults(folder, List.of(vault), points);
    }

    /// Serves points of several vaults.
    static Served vaults(Path folder, List<Path> vaults, String... points) throws IOException {
        List<String> log = new CopyOnWriteArrayList<>();
        Images images = new Images(log::add);
        List<PointName> names = Stream.of(points).map(PointName::parse).toList();
        List<Vault> open = new ArrayList<>();
        for (Path vault : vaults) {
            open.add(Vault.open(vault));
        }
        VaultTree tree = new VaultTree(new Points(open, Clock.systemUTC()), images, names, Instant.EPOCH, log::add);
        return new Served(Files.createDirectories(folder), tree, FuseOptions.PRIVATE, log, () -> {
            tree.close();
            images.close();
        });
    }

    static Tools.Output run(Object... command) throws IOException {
        return Tools.run(command).orElseThrow();
    }

    List<Path> files() throws IOException {
        return run("find", folder, "-type", "f").expectSuccess().text().lines().sorted().map(Path::of).toList();
    }

    static byte[] read(Path file) throws IOException {
        return run("cat", file).expectSuccess().bytes();
    }

    /// Reads a part, past the kernel's cache.
    static Optional<byte[]> read(Path file, long offset, long size) throws IOException {
        Tools.Output output = run("dd", "if=" + file, "bs=" + size, "count=1", "skip=" + offset, "iflag=skip_bytes,direct", "status=none");
        return output.exitCode() == 0 ? Optional.of(output.bytes()) : Optional.empty();
    }

    /// Asks a file by lseek(2) where its data is.
    static List<long[]> map(Path file) throws IOException {
        String program = """
                import os, sys
                fd = os.open(sys.argv[1], os.O_RDONLY)
                end = 0
                try:
                    while True:
                        start = os.lseek(fd, end, os.SEEK_DATA)
                        end = os.lseek(fd, start, os.SEEK_HOLE)
                        print(start, end)
                except OSError as e:
                    assert e.errno == 6, e
                """;
        List<long[]> runs = new ArrayList<>();
        for (String line : new String(run("python3", "-c", program, file).expectSuccess().bytes(), StandardCharsets.UTF_8).lines().toList()) {
            String[] numbers = line.split(" ");
            runs.add(new long[] {Long.parseLong(numbers[0]), Long.parseLong(numbers[1])});
        }
        return runs;
    }

    @Override
    public void close() throws IOException {
        server.close();
        served.close();
    }
}
