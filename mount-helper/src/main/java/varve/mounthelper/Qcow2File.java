package varve.mounthelper;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import varve.archive.block.BlockSource;
import varve.archive.block.DeviceException;
import varve.archive.block.Run;
import varve.archive.vault.NotFoundException;
import varve.mounthelper.nbd.Export;
import varve.mounthelper.nbd.Exports;
import varve.mounthelper.nbd.Listener;
import varve.mounthelper.nbd.NbdServer;
import varve.mounthelper.nbd.Settings;

/// An image written as qcow2: `qemu-img convert` reads it from a server of ours, on a socket of this process alone, and so knows its holes.
public final class Qcow2File {

    private Qcow2File() {}

    /// Writes an image to a file that is not there yet.
    ///
    /// @param progress gets bytes as they are read
    public static void write(BlockSource image, Path file, LongConsumer progress) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("varve-qemu-"); // with mode 0700
        Path log = folder.resolve("log");
        try (Listener listener = Listener.unix(folder.resolve("nbd.sock"));
                NbdServer server = new NbdServer(new Only(new Lent(image, progress)), new Settings(Optional.empty(), Optional.empty()), line -> {})) {
            Thread serving = Thread.ofPlatform().name("varve-serve").daemon().start(() -> {
                try {
                    server.run(listener);
                } catch (IOException e) {
                    // qemu-img says that it cannot read
                }
            });
            Process program = start(log, "qemu-img", "convert", "-f", "raw", "-O", "qcow2", listener.uri("", false), file.toAbsolutePath().toString());
            try {
                if (program.waitFor() != 0) {
                    throw new DeviceException(file + ": cannot be written: qemu-img: "
                            + new String(Files.readAllBytes(log), StandardCharsets.UTF_8).strip().replace('\n', ' '));
                }
            } finally {
                program.destroy();
                server.end();
                serving.join();
            }
        } finally {
            Files.deleteIfExists(log);
            Files.deleteIfExists(folder.resolve("nbd.sock"));
            Files.delete(folder);
        }
    }

    private static Process start(Path log, String... command) throws IOException {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile())
                    .redirectInput(Path.of("/dev/null").toFile()).start();
        } catch (IOException e) {
            throw new DeviceException(command[0] + ": cannot be run: " + e.getMessage() + "; it is in the package qemu-utils", e);
        }
    }

    /// The one export there is.
    private record Only(BlockSource image) implements Exports, Export {

        @Override
        public List<Export> list() {
            return List.of(this);
        }

        @Override
        public Export find(String name) throws IOException {
            if (!name.isEmpty()) {
                throw new NotFoundException("no export \"" + name + "\"");
            }
            return this;
        }

        @Override
        public String name() {
            return "";
        }

        @Override
        public String description() {
            return image.name();
        }

        @Override
        public long size() {
            return image.size();
        }

        @Override
        public boolean writable() {
            return false;
        }

        @Override
        public BlockSource open() {
            return image;
        }
    }

    /// A source that others may close without its being closed.
    private record Lent(BlockSource image, LongConsumer progress) implements BlockSource {

        @Override
        public long size() {
            return image.size();
        }

        @Override
        public String name() {
            return image.name();
        }

        @Override
        public void read(long offset, java.lang.foreign.MemorySegment into) throws IOException {
            image.read(offset, into);
            progress.accept(into.byteSize());
        }

        @Override
        public long dataFrom(long offset) throws IOException {
            return image.dataFrom(offset);
        }

        @Override
        public long dataUntil(long offset) throws IOException {
            return image.dataUntil(offset);
        }

        @Override
        public Run runAt(long offset, long most) throws IOException {
            return image.runAt(offset, most);
        }

        @Override
        public void close() {}
    }
}
