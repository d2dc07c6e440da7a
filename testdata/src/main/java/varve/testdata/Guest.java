package varve.testdata;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A machine of its own, with device-mapper, DRBD and NBD: User Mode Linux (`testdata/uml`). A main class of the test's class path runs in it
/// as root; the host's files are there, read-only. Programs are looked for in `/mnt/first` before anywhere else.
public final class Guest {

    /// options of a JVM in a guest, where memory is slow when it is touched first: the classes of the JDK are used where they lie, and not moved
    public static final List<String> JVM = Stream.concat(
                    VarveProcess.ANYWHERE.stream(), Stream.of("-XX:+UnlockDiagnosticVMOptions", "-XX:ArchiveRelocationMode=0"))
            .toList();

    private static final int MEMORY_MIB = 900;

    private Guest() {}

    /// {@return what is missing on this machine; nothing if a guest can be started}
    public static String missing(String... tools) {
        List<String> needed = new ArrayList<>(List.of("linux.uml", "modprobe", "timeout"));
        needed.addAll(List.of(tools));
        List<String> missing = new ArrayList<>(needed.stream().filter(tool -> Tools.find(tool).isEmpty()).toList());
        if (!"root".equals(System.getProperty("user.name"))) {
            missing.add("root");
        }
        return String.join(", ", missing);
    }

    /// {@return the command that starts a main class of the test's class path in the guest}
    public static String command(Class<?> main) {
        List<String> jvm = new ArrayList<>(JVM);
        jvm.add("-Djava.io.tmpdir=/mnt/tmp");
        return "'" + String.join("' '", VarveProcess.java(jvm)) + "' " + main.getName();
    }

    /// Runs a main class to its end.
    ///
    /// @param job an empty folder
    /// @param disks how many empty ones it has: `/dev/ubda`, `/dev/ubdb`, ...
    /// @param diskSize of each
    /// @return what it printed
    /// @throws AssertionError with what it printed, if it fails
    public static String run(Path job, int disks, long diskSize, int limitSeconds, Class<?> main, String... arguments) throws IOException, InterruptedException {
        return run(job, disks, diskSize, limitSeconds, "exec " + command(main) + " " + String.join(" ", arguments));
    }

    /// Runs a shell script to its end.
    ///
    /// @param job its current folder, the only one of the host's that it may write to
    /// @param disks how many empty ones it has: `/dev/ubda`, `/dev/ubdb`, ...
    /// @param diskSize of each
    /// @return what it printed
    /// @throws AssertionError with what it printed, if it fails
    public static String run(Path job, int disks, long diskSize, int limitSeconds, String text) throws IOException, InterruptedException {
        List<Path> images = new ArrayList<>();
        for (int i = 0; i < disks; i++) {
            images.add(job.resolve("disk" + i));
            try (RandomAccessFile file = new RandomAccessFile(images.getLast().toFile(), "rw")) {
                file.setLength(diskSize);
            }
        }
        Path script = Files.writeString(job.resolve("job"), "#!/bin/sh\n" + text + "\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        List<String> command = new ArrayList<>(List.of(TestFiles.root().resolve("uml/run").toString(), job.toString()));
        images.forEach(image -> command.add(image.toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("UML_LIMIT", String.valueOf(limitSeconds));
        builder.environment().put("UML_MEMORY", MEMORY_MIB + "M");
        builder.environment().merge("PATH", "/usr/sbin:/sbin", (path, more) -> path + ":" + more);
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes());
        int code = process.waitFor();
        for (Path image : images) {
            Files.deleteIfExists(image);
        }
        if (code != 0) {
            throw new AssertionError("exit status " + code + " in the guest: " + said + log(job));
        }
        return log(job) + "\n";
    }

    private static String log(Path job) throws IOException {
        Path log = job.resolve("log");
        if (!Files.exists(log)) {
            return "";
        }
        try (Stream<String> lines = Files.lines(log)) {
            return lines.reduce("", (text, line) -> text + "\n" + line);
        }
    }
}
