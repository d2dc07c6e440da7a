package varve.archive.vault;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import varve.archive.format.Version;
import varve.archive.file.Folder;

/// What lies in every vault so that a stranger gets the data back without varve: a page that explains, a shell script that
/// restores, and the same in Python.
///
/// The page says of which varve they are, and comes last: whoever finds an older page renews all of them.
final class RescueKit {

    private static final String PAGE = "RESCUE.md";
    private static final String SCRIPT = "rescue";
    private static final List<String> FILES = List.of(SCRIPT, "varve_reader.py", PAGE);
    private static final Pattern VERSION = Pattern.compile("came with varve ([0-9][0-9A-Za-z.+-]*)\\.\\*\\s*\\z");

    private RescueKit() {}

    /// {@return whether a file of the kit is called so, and so no volume can be}
    static boolean has(String name) {
        return FILES.contains(name);
    }

    /// Puts the kit into the folder of a vault, unless the one that is there is the same or came with a later varve.
    static void renew(Path folder) throws IOException {
        if (isLater(folder.resolve(PAGE))) {
            return;
        }
        for (String name : FILES) {
            byte[] content = content(name);
            Path file = folder.resolve(name);
            if (!isThere(file, content)) {
                replace(file, content, name.equals(SCRIPT) ? "rwxr-xr-x" : "rw-r--r--");
            }
        }
        Folder.sync(folder);
    }

    private static boolean isLater(Path page) throws IOException {
        if (!Files.isRegularFile(page) || Files.size(page) > 1 << 20) {
            return false;
        }
        Matcher version = VERSION.matcher(new String(Files.readAllBytes(page), StandardCharsets.UTF_8));
        return version.find()
                && ModuleDescriptor.Version.parse(version.group(1)).compareTo(ModuleDescriptor.Version.parse(Version.CURRENT)) > 0;
    }

    private static boolean isThere(Path file, byte[] content) throws IOException {
        return Files.isRegularFile(file) && Files.size(file) == content.length && Arrays.equals(Files.readAllBytes(file), content);
    }

    private static void replace(Path file, byte[] content, String permissions) throws IOException {
        Path draft = Files.createTempFile(file.getParent(), ".varve-rescue", ".draft");
        try {
            Folder.write(draft, content);
            if (Files.getFileStore(draft).supportsFileAttributeView("posix")) {
                Files.setPosixFilePermissions(draft, PosixFilePermissions.fromString(permissions));
            }
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    /// {@return a file as this varve has it}
    static byte[] content(String name) throws IOException {
        try (InputStream in = RescueKit.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new FileNotFoundException(name + ": is missing in this varve");
            }
            byte[] content = in.readAllBytes();
            return name.equals(PAGE)
                    ? new String(content, StandardCharsets.UTF_8).replace("varve VERSION", "varve " + Version.CURRENT).getBytes(StandardCharsets.UTF_8)
                    : content;
        }
    }
}
