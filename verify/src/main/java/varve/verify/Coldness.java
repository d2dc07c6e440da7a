package varve.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import varve.archive.linux.Linux;
import varve.archive.linux.Residency;
import varve.archive.vault.Evidence;
import varve.archive.vault.Ranges;
import varve.archive.vault.Volume;

/// Makes sure that what is read of files from now on comes from their medium and not from the page cache: drops their pages, and
/// asks the kernel whether they are gone.
///
/// What has been written and is not on the medium yet stays, and so does what somebody has mapped; a file system that lives in
/// memory or across a network has no medium that could be read from here. Then the evidence is that of the cache.
final class Coldness {

    private static final Set<String> NO_MEDIUM = Set.of(
            "tmpfs", "ramfs", "nfs", "nfs4", "cifs", "smb3", "9p", "zfs", "ceph", "virtiofs", "hostfs");

    private Evidence evidence;
    private String why = "";

    private Coldness(Evidence evidence) {
        this.evidence = evidence;
    }

    /// Makes sure of the files of a volume, as far as that is wanted.
    ///
    /// @param warnings learn why it could not be
    static Coldness of(Volume volume, VerifyOptions options, Consumer<String> warnings) throws IOException {
        boolean wanted = wanted(volume.folder(), options);
        Coldness coldness = new Coldness(wanted ? Evidence.MEDIUM : Evidence.CACHE);
        if (wanted && volume.exists()) {
            coldness.dropFolder(volume.folder());
            coldness.warn(options, warnings);
        }
        return coldness;
    }

    /// Makes sure of a part of a file, likewise.
    static Coldness of(Path file, Ranges.Range part, VerifyOptions options, Consumer<String> warnings) throws IOException {
        boolean wanted = wanted(file.toAbsolutePath().getParent(), options);
        Coldness coldness = new Coldness(wanted ? Evidence.MEDIUM : Evidence.CACHE);
        if (wanted) {
            coldness.drop(file, part.from(), part.to());
            coldness.warn(options, warnings);
        }
        return coldness;
    }

    private static boolean wanted(Path folder, VerifyOptions options) throws IOException {
        return options.fromMedium().isPresent() ? options.fromMedium().get() : onAnotherDisk(folder);
    }

    private void warn(VerifyOptions options, Consumer<String> warnings) {
        if (evidence == Evidence.CACHE && options.fromMedium().isPresent()) {
            warnings.accept(why + ": what is read may come from a cache, and receipts say so");
        }
    }

    /// whether a folder lies on another disk than the system itself}
    private static boolean onAnotherDisk(Path folder) throws IOException {
        return !Files.getAttribute(folder, "unix:dev").equals(Files.getAttribute(Path.of("/"), "unix:dev"));
    }

    private void dropFolder(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                drop(file, 0, Long.MAX_VALUE);
            }
        }
    }

    /// @param end may lie behind the end of the file
    private void drop(Path file, long from, long end) throws IOException {
        String type = Files.getFileStore(file).type();
        if (NO_MEDIUM.contains(type) || type.startsWith("fuse")) {
            warm(file + " lies on " + type);
            return;
        }
        int fd = Linux.open(file, Linux.O_RDONLY);
        try {
            long size = Linux.size(fd);
            long length = Math.max(0, Math.min(end, size) - from);
            Linux.dropCache(fd, from, end >= size ? 0 : length); // 0 is all up to the end
            long[] cold = {0};
            try (Residency residency = new Residency(fd, size)) {
                residency.missing(from, length, (at, missing) -> cold[0] += missing);
            }
            if (cold[0] < length) {
                warm((length - cold[0]) + " bytes of " + file + " stay in the page cache");
            }
        } finally {
            Linux.close(fd);
        }
    }

    private void warm(String reason) {
        evidence = Evidence.CACHE;
        why = why.isEmpty() ? reason : why;
    }

    /// {@return where what is read comes from}
    Evidence evidence() {
        return evidence;
    }
}
