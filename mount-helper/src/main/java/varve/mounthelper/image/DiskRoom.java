package varve.mounthelper.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Room on a disk for what was decoded.
///
/// @param folder that the file lies in, which has no name there
/// @param size of the file at most, in bytes; 0 for no file
public record DiskRoom(Path folder, long size) {

    /// No room.
    public static final DiskRoom NONE = new DiskRoom(Path.of("/"), 0);

    /// what it is called in the environment
    public static final String VARIABLE = "VARVE_CACHE";

    private static final long DEFAULT = 8L << 30;
    private static final long MOST = 32L << 30; // of which the values take 64 MiB of memory
    private static final Pattern SIZE = Pattern.compile("(\\d{1,6})([MG]?)");

    /// {@return what the environment says: `VARVE_CACHE` the size, such as 500M or 2G, `TMPDIR` the folder}
    /// @throws IllegalArgumentException if it is no size
    public static DiskRoom of(Map<String, String> environment) {
        String temporary = environment.get("TMPDIR");
        Path folder = Path.of(temporary == null || temporary.isEmpty() ? "/var/tmp" : temporary);
        String size = environment.get(VARIABLE);
        if (size == null || size.isEmpty()) {
            return new DiskRoom(folder, DEFAULT);
        }
        Matcher matcher = SIZE.matcher(size);
        if (!matcher.matches() || matcher.group(2).isEmpty() && Long.parseLong(matcher.group(1)) != 0) {
            throw new IllegalArgumentException(VARIABLE + "=" + size + ": expected a size such as 500M or 2G, or 0");
        }
        long bytes = Long.parseLong(matcher.group(1)) << (matcher.group(2).equals("G") ? 30 : 20);
        return new DiskRoom(folder, Math.min(MOST, bytes));
    }

    private static long availableMemory() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
            if (line.startsWith("MemAvailable:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        return 0;
    }

    /// {@return a cache in half of what is free there, or as large as it may be; null if there is no room}
    @Nullable DiskCache open(Consumer<String> trouble) {
        try {
            long most = size == 0 ? 0 : Math.min(size, Files.getFileStore(folder).getUsableSpace() / 2);
            return most == 0 ? null : new DiskCache(folder, most, Math.min(most, availableMemory() / 4), System::nanoTime, trouble);
        } catch (IOException e) {
            trouble.accept("what is decoded cannot be kept in " + folder + ": " + e.getMessage());
            return null;
        }
    }
}
