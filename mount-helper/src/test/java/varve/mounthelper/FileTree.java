package varve.mounthelper;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// What lies below a folder, in words.
public final class FileTree {

    private FileTree() {}

    /// {@return every file below a folder and what is to be known about it}
    public static Map<String, String> describe(Path root) throws Exception {
        Map<String, String> description = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.toList()) {
                Map<String, Object> unix = Files.readAttributes(
                        path, "unix:mode,nlink,uid,size,lastModifiedTime", LinkOption.NOFOLLOW_LINKS);
                String text = Integer.toOctalString((int) unix.get("mode")) + " " + unix.get("nlink") + " " + unix.get("uid")
                        + " " + unix.get("lastModifiedTime");
                if (Files.isSymbolicLink(path)) {
                    text += " -> " + Files.readSymbolicLink(path);
                } else if (Files.isRegularFile(path)) {
                    text += " " + unix.get("size") + " " + sha256(path);
                }
                description.put(root.relativize(path).toString(), text);
            }
        }
        return description;
    }

    private static String sha256(Path file) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[1 << 16];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                digest.update(buffer, 0, count);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
