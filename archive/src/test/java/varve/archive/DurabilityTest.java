package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;

/// What a power cut may take: watched by strace(1), since nothing less shows the order of writes, fsyncs and renames.
class DurabilityTest {

    /// `PID call(...) = result`; a call that others overtake is printed in two parts
    private static final Pattern CALL = Pattern.compile("^(\\d+) +(\\w+)\\((.*)\\) += (-?\\d+).*");

    private static final Pattern BEGUN = Pattern.compile("^(\\d+) +(\\w+)\\((.*) <unfinished \\.\\.\\.>");
    private static final Pattern ENDED = Pattern.compile("^(\\d+) +<\\.\\.\\. \\w+ resumed>(.*)");
    private static final Pattern DESCRIPTOR = Pattern.compile("^\\d+<([^>]*)>");
    private static final Pattern NAME = Pattern.compile("\"([^\"]*)\"");

    @TempDir
    Path folder;

    private final Set<String> unsyncedFiles = new HashSet<>();
    private final Set<String> unsyncedFolders = new HashSet<>();
    private final List<String> broken = new ArrayList<>();
    private int renames;

    @BeforeEach
    void strace() {
        Assumptions.assumeTrue(Tools.find("strace").isPresent(), "needs strace");
    }

    @Test
    void nothingGetsItsNameBeforeItIsOnTheMedium() throws Exception {
        Path image = folder.resolve("device.img");
        Path vault = folder.resolve("new/vault");
        Images.write(Images.mixed(1, 5 << 20), image);
        watch(image, vault); // makes folders, the vault and a full
        Files.delete(image);
        Images.write(Images.mixed(2, 6 << 20), image);
        watch(image, vault); // a delta
        // of a manifest's draft, the four files of an archive and the head of the receipts, and once of the vault's marker and the
        // three files of its rescue kit
        assertEquals(16, renames);
    }

    private void watch(Path image, Path vault) throws Exception {
        Path trace = folder.resolve("trace");
        List<String> strace = List.of("strace", "-f", "-y", "-qq", "--seccomp-bpf", "-s", "0", "-e", "signal=none",
                "-o", trace.toString(), "-e",
                "trace=write,pwrite64,pwritev,ftruncate,fallocate,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,fsync,fdatasync");
        try (VarveProcess varve = VarveProcess.start(
                strace, VarveProcess.QUICK, "archive", image, "--vault", vault, "--volume", "tools")) {
            varve.end().expect(0);
        }
        Map<String, String> begun = new HashMap<>();
        for (String line : Files.readAllLines(trace)) {
            Matcher part = BEGUN.matcher(line);
            if (part.matches()) {
                begun.put(part.group(1), part.group(1) + " " + part.group(2) + "(" + part.group(3));
                continue;
            }
            part = ENDED.matcher(line);
            Matcher call = CALL.matcher(part.matches() ? begun.remove(part.group(1)) + part.group(2) : line);
            if (call.matches() && !call.group(4).startsWith("-")) {
                seen(call.group(2), call.group(3));
            }
        }
        unsyncedFolders.forEach(left -> broken.add("at the end " + left + " has names that are not on the medium"));
        assertEquals(List.of(), broken);
    }

    private void seen(String call, String arguments) throws IOException {
        switch (call) {
            case "write", "pwrite64", "pwritev", "ftruncate", "fallocate" -> {
                String file = descriptor(arguments);
                if (ours(file)) {
                    unsyncedFiles.add(file);
                }
            }
            case "fsync", "fdatasync" -> {
                unsyncedFiles.remove(descriptor(arguments));
                unsyncedFolders.remove(descriptor(arguments));
            }
            case "mkdir", "mkdirat" -> named(names(arguments).getFirst());
            case "rename", "renameat", "renameat2", "link", "linkat" -> {
                List<String> names = names(arguments);
                if (ours(names.get(0))) {
                    moved(names.get(0), names.get(1));
                }
            }
            default -> throw new IOException(call);
        }
    }

    private void moved(String from, String to) {
        renames++;
        if (unsyncedFiles.contains(from)) {
            broken.add(from + " becomes " + to + " before its content is on the medium");
        }
        if (to.endsWith(".json") && !to.contains("/.varve-stage") && unsyncedFolders.contains(parent(to))) {
            broken.add(to + " gets its name before the files that it describes have theirs");
        }
        named(to);
    }

    private void named(String path) {
        if (ours(path)) {
            unsyncedFolders.add(parent(path));
        }
    }

    private static String parent(String path) {
        return path.substring(0, path.lastIndexOf('/'));
    }

    /// what has to be on the medium: all but caches, which may be lost (FORMAT.md section 17)
    private boolean ours(String path) {
        return path.startsWith(folder + "/") && !path.contains("/.varve-list");
    }

    private static String descriptor(String arguments) {
        Matcher matcher = DESCRIPTOR.matcher(arguments);
        assertTrue(matcher.find(), arguments);
        return matcher.group(1);
    }

    private static List<String> names(String arguments) {
        return NAME.matcher(arguments).results().map(match -> match.group(1)).toList();
    }
}
