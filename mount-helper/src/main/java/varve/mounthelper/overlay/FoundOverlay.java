package varve.mounthelper.overlay;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import varve.archive.block.RefusedException;
import varve.archive.linux.Linux;
import varve.archive.vault.LockedException;

/// An overlay's file, as it was found.
///
/// @param header empty if it is damaged
/// @param taken bytes that it takes on its disk
/// @param written bytes of the device that it holds, zeros included; empty if it is in use or damaged
/// @param used whether somebody uses it
/// @param damage what is wrong with it, as far as its header and table say
public record FoundOverlay(
        Path path, Optional<OverlayHeader> header, long taken, OptionalLong written, boolean used, Optional<String> damage) {

    /// Looks at a file.
    ///
    /// @throws RefusedException if it is no overlay, and does not seem to have been one
    public static FoundOverlay at(Path path) throws IOException {
        if (!OverlayFile.begins(path)) {
            throw new RefusedException(path + ": not an overlay");
        }
        long taken = OverlayFile.taken(path);
        if (OverlayFile.inUse(path)) {
            return new FoundOverlay(path, Optional.of(OverlayFile.peek(path)), taken, OptionalLong.empty(), true, Optional.empty());
        }
        Optional<OverlayHeader> header = Optional.empty();
        try {
            header = Optional.of(OverlayFile.peek(path));
            try (OverlayFile file = OverlayFile.open(path)) {
                long[] counts = new BlockTable(file).count();
                long written = Math.min(file.header().state().size(), (counts[0] + counts[1]) * OverlayFile.BLOCK);
                return new FoundOverlay(path, header, taken, OptionalLong.of(written), false, Optional.empty());
            }
        } catch (LockedException e) {
            return new FoundOverlay(path, header, taken, OptionalLong.empty(), true, Optional.empty());
        } catch (IOException e) {
            return new FoundOverlay(path, header, taken, OptionalLong.empty(), false, Optional.of(e.getMessage()));
        }
    }

    /// {@return the overlays in a folder, by name}
    public static List<FoundOverlay> in(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> content = Files.list(folder)) {
            files = content.filter(Files::isRegularFile).filter(Files::isReadable).sorted().toList();
        }
        List<FoundOverlay> found = new ArrayList<>();
        for (Path file : files) {
            if (OverlayFile.begins(file)) {
                found.add(at(file));
            }
        }
        return found;
    }

    /// Removes an overlay that nothing was written to; leaves any other, one that is damaged or in use, and whatever else it may be.
    public static void discardIfEmpty(Path path) throws IOException {
        if (Files.exists(path) && OverlayFile.begins(path)) {
            FoundOverlay found = at(path);
            if (found.written.equals(OptionalLong.of(0))) {
                found.discard();
            }
        }
    }

    /// Removes it, with all that was written to it.
    ///
    /// @throws LockedException if it is in use
    public void discard() throws IOException {
        int fd = OverlayFile.openLocked(path);
        try {
            Files.delete(path);
        } finally {
            Linux.close(fd);
        }
    }
}
