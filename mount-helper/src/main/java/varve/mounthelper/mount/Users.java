package varve.mounthelper.mount;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/// Who uses what is mounted on a folder, as far as `/proc` tells: one line each, for people. Nothing is touched that may be dead.
final class Users {

    private static final Path PROC = Path.of("/proc");

    private Users() {}

    static List<String> of(Path folder) throws IOException {
        TreeSet<String> found = new TreeSet<>();
        for (MountPoint mount : MountPoint.all()) {
            if (mount.folder().startsWith(folder) && !mount.folder().equals(folder)) {
                found.add("a mount on " + mount.folder());
            }
        }
        for (Loop loop : Loop.all()) {
            if (loop.backing().startsWith(folder)) {
                List<String> on = MountPoint.all().stream()
                        .filter(mount -> mount.source().equals(loop.device().toString()))
                        .map(mount -> ", mounted on " + mount.folder())
                        .toList();
                found.add("the loop device " + loop.device() + String.join("", on));
            }
        }
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                uses(process, folder).forEach(use -> found.add("process " + process.getFileName() + " (" + name(process) + "), " + use));
            }
        }
        return List.copyOf(found);
    }

    private static List<String> uses(Path process, Path folder) {
        List<String> uses = new ArrayList<>();
        link(process.resolve("cwd"), folder, "whose folder it is", uses);
        link(process.resolve("root"), folder, "whose root it is", uses);
        link(process.resolve("exe"), folder, "whose program is in it", uses);
        try (DirectoryStream<Path> open = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path descriptor : open) {
                if (uses.isEmpty()) { // one is enough
                    link(descriptor, folder, "has a file open", uses);
                }
            }
        } catch (IOException e) {
            // gone by now
        }
        if (uses.isEmpty() && maps(process, folder)) {
            uses.add("has a file mapped");
        }
        return uses;
    }

    private static void link(Path link, Path folder, String what, List<String> uses) {
        try {
            if (Files.readSymbolicLink(link).startsWith(folder)) {
                uses.add(what);
            }
        } catch (IOException e) {
            // gone by now, or not ours to know
        }
    }

    private static boolean maps(Path process, Path folder) {
        try {
            return Files.readString(process.resolve("maps")).contains(" " + folder + "/");
        } catch (IOException e) {
            return false;
        }
    }

    private static String name(Path process) {
        try {
            return Files.readString(process.resolve("comm")).strip();
        } catch (IOException e) {
            return "?";
        }
    }
}
