package varve.mounthelper;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import varve.archive.block.RefusedException;
import varve.archive.format.Version;
import varve.archive.vault.Ranges;

/// What of an image was salvaged, as a mapfile of GNU ddrescue ("Mapfile structure" in its manual): `+` are bytes that are proved, `-` are missing.
///
/// So `ddrescuelog` and `ddrescueview` show it, and `ddrescue` can fill in what another medium still has.
final class RescueMap {

    private static final String HEAD = "# Mapfile.";

    private RescueMap() {}

    /// Makes sure that a map can be written without loss.
    ///
    /// @param target of the salvage
    /// @throws RefusedException if there is something else than an older map
    static void check(Path file, Path target) throws IOException {
        if (file.toAbsolutePath().normalize().equals(target.toAbsolutePath().normalize())) {
            throw new RefusedException(file + ": the map cannot go where the image goes; name another file");
        }
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new NoSuchFileException(file.toString(), null, "no folder " + folder + " to write the map in");
        }
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !isMap(file)) {
            throw new RefusedException(file + ": exists and is no map; name another file for the map of what is missing");
        }
    }

    private static boolean isMap(Path file) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (InputStream begin = Files.newInputStream(file)) {
            return new String(begin.readNBytes(HEAD.length()), StandardCharsets.ISO_8859_1).equals(HEAD);
        }
    }

    /// Writes the map, which is complete when it has its name.
    ///
    /// @param about the salvage; one line
    /// @param size of the image
    static void write(Path file, String about, long size, Ranges missing) throws IOException {
        Path stage = file.resolveSibling(file.getFileName() + ".varve-partial");
        try {
            try (FileChannel channel = FileChannel.open(stage, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                ByteBuffer text = ByteBuffer.wrap(text(about, size, missing).getBytes(StandardCharsets.UTF_8));
                while (text.hasRemaining()) {
                    channel.write(text);
                }
                channel.force(true);
            }
            Files.move(stage, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(stage);
        }
    }

    static String text(String about, long size, Ranges missing) {
        StringBuilder text = new StringBuilder(HEAD + " Created by " + Version.TOOL + "\n");
        text.append("# ").append(about.replaceAll("\\p{Cntrl}", "?")).append('\n');
        text.append("# - is missing: zeros in the image; + is proved by its hashes\n");
        text.append("# current_pos  current_status  current_pass\n");
        text.append(String.format("0x%08X     +               1%n", size));
        text.append("#      pos        size  status\n");
        long at = 0;
        for (Ranges.Range range : missing.list()) {
            line(text, at, range.from(), '+');
            line(text, range.from(), range.to(), '-');
            at = range.to();
        }
        line(text, at, size, '+');
        return text.toString();
    }

    private static void line(StringBuilder text, long from, long to, char status) {
        if (from < to) {
            text.append(String.format("0x%08X  0x%08X  %c%n", from, to - from, status));
        }
    }
}
