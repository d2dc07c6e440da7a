package varve.testdata;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipOutputStream;

/// The class path of the test as processes start fastest with it: folders of classes as jars, and an archive of the classes that `varve` loads (dynamic
/// CDS, JEP 350), which saves each process a quarter of its processor time. They are made once for each state of the classes, in `target`.
final class ClassArchive {

    private static final Path FOLDER = Path.of("target", "class-archive").toAbsolutePath();
    private static final String PROPERTY = "varve.test.classArchive"; // in a JVM that was started with one

    /// options of a JVM
    static final List<String> OPTIONS = options(System.getProperty("java.class.path"));

    private ClassArchive() {}

    private static List<String> options(String classPath) {
        String own = System.getProperty(PROPERTY);
        if (own != null) {
            return options(Path.of(own), classPath);
        }
        try {
            Files.createDirectories(FOLDER);
            try (FileChannel lock = FileChannel.open(FOLDER.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                lock.lock(); // the other half of the tests waits
                return make(classPath);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static List<String> make(String classPath) throws IOException, InterruptedException {
        List<String> jars = new ArrayList<>();
        for (String place : classPath.split(":")) {
            jars.add(Files.isDirectory(Path.of(place)) ? jar(Path.of(place)).toString() : place);
        }
        String path = String.join(":", jars);
        Path archive = FOLDER.resolve(name(path) + ".jsa");
        if (!Files.exists(archive)) {
            dump(path, archive);
        }
        return options(archive, path);
    }

    private static List<String> options(Path archive, String path) {
        return List.of("-XX:SharedArchiveFile=" + archive, "-D" + PROPERTY + "=" + archive, "-Xlog:disable", "-cp", path);
    }

    /// {@return a jar of the files in a folder as they are now}
    private static Path jar(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        StringBuilder state = new StringBuilder();
        for (Path file : files) {
            state.append(file).append(Files.size(file)).append(Files.getLastModifiedTime(file));
        }
        Path jar = FOLDER.resolve(name(state.toString()) + ".jar");
        if (Files.exists(jar)) {
            return jar;
        }
        Path draft = FOLDER.resolve("draft.jar");
        try (OutputStream out = Files.newOutputStream(draft);
                JarOutputStream packed = new JarOutputStream(out)) {
            packed.setLevel(ZipOutputStream.STORED);
            for (Path file : files) {
                packed.putNextEntry(new JarEntry(folder.relativize(file).toString()));
                Files.copy(file, packed);
            }
        }
        return Files.move(draft, jar, StandardCopyOption.ATOMIC_MOVE);
    }

    private static String name(String state) {
        return UUID.nameUUIDFromBytes(state.getBytes(StandardCharsets.UTF_8)).toString();
    }

    /// Without an archive, processes only start slower: so it does not matter if this fails.
    private static void dump(String path, Path archive) throws IOException, InterruptedException {
        Path work = Files.createTempDirectory("varve-rehearsal");
        Path draft = FOLDER.resolve("draft.jsa");
        for (int day = 1; day <= 2; day++) {
            Files.write(work.resolve("day" + day), Images.mixed(day, 3 << 20));
        }
        List<String> command = new ArrayList<>(VarveProcess.java(VarveProcess.QUICK, List.of("-cp", path)));
        command.add(1, "-XX:ArchiveClassesAtExit=" + draft);
        command.addAll(List.of("varve.archive.cli.Rehearsal", "archive day1 --volume r", "archive day2 --volume r", "list", "verify r", "restore r@-1 restored"));
        ProcessBuilder builder = new ProcessBuilder(command).directory(work.toFile()).redirectErrorStream(true).redirectOutput(FOLDER.resolve("log").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("VARVE_"));
        builder.environment().put("VARVE_VAULT", work.resolve("vault").toString());
        boolean done = builder.start().waitFor() == 0;
        try (Stream<Path> all = Files.walk(work)) {
            for (Path each : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(each);
            }
        }
        if (done && Files.exists(draft)) {
            Files.move(draft, archive, StandardCopyOption.ATOMIC_MOVE);
        }
    }
}
