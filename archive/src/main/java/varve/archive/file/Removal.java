package varve.archive.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import varve.archive.sign.Signature;

/// Archives on their way out of a folder.
///
/// The manifest goes first, by another name: from then on there is no such archive, so never one without its data. Under that name
/// it says which files are left to remove; a run that dies in between leaves it for the next ([#finish]).
///
/// For one thread, the holder of the lock of the volume.
public final class Removal {

    /// what the names of manifests begin with whose archives are being removed
    public static final String PREFIX = ".varve-drop-";

    private static final Pattern NAME =
            Pattern.compile(Pattern.quote(PREFIX) + "(.+\\.\\d{8}T\\d{6}\\.\\d{3}Z\\.(?:[0-9a-f]{8}\\.)?(?:full|delta))\\.json");

    private Removal() {}

    /// Removes archives, with all that belongs to them.
    public static void run(Path folder, List<StoredArchive> archives) throws IOException {
        for (StoredArchive archive : archives) {
            Path manifest = folder.resolve(archive.manifest().baseName() + ".json");
            Files.move(manifest, folder.resolve(PREFIX + manifest.getFileName()), StandardCopyOption.ATOMIC_MOVE);
        }
        finish(folder);
    }

    /// Finishes what interrupted runs had begun.
    ///
    /// @return how many archives that were
    public static int finish(Path folder) throws IOException {
        List<Matcher> begun;
        try (Stream<Path> content = Files.list(folder)) {
            begun = content.map(file -> NAME.matcher(file.getFileName().toString())).filter(Matcher::matches).toList();
        }
        if (begun.isEmpty()) {
            return 0;
        }
        Folder.sync(folder); // no manifest may come back when its data is gone
        for (Matcher name : begun) {
            if (!Files.exists(folder.resolve(name.group(1) + ".json"))) { // else it has been brought back since
                for (String extension : List.of(".zst", ".zst.age", ".index", ".tree", ".json" + Signature.EXTENSION)) {
                    Files.deleteIfExists(folder.resolve(name.group(1) + extension));
                }
            }
        }
        Folder.sync(folder);
        for (Matcher name : begun) {
            Files.deleteIfExists(folder.resolve(name.group()));
        }
        return begun.size();
    }
}
