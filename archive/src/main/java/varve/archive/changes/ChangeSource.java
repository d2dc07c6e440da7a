package varve.archive.changes;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import varve.archive.block.DeviceException;
import varve.archive.block.RefusedException;

/// Where a change list comes from: a file, and what is in it.
///
/// @param kind of the list
/// @param file that holds it; for [Kind#LVM_COW] it may be a device
/// @param unit bytes that a number in the list stands for, if the list does not say so itself
public record ChangeSource(Kind kind, Path file, OptionalLong unit) implements Listing {

    /// Who makes such lists, and how.
    public enum Kind {
        /// The store of a device-mapper snapshot that was never written to: what it holds is what changed on its origin.
        LVM_COW("lvm-cow"),
        /// XML of `thin_delta`, from the older to the newer device.
        THIN_DELTA("thin-delta"),
        /// XML of `era_invalidate --written-since`; needs the era block size.
        ERA("era"),
        /// `rbd diff --from-snap`, as JSON, XML or plain text.
        RBD_DIFF("rbd-diff"),
        /// The list of extents of varve(1), `varve diff --json`, `qemu-img map --output=json`, or `nbdinfo --map --json`.
        EXTENTS("extents");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        /// {@return the word on the command line}
        public String word() {
            return word;
        }
    }

    /// Reads a kind and a file out of `KIND:FILE`.
    ///
    /// @param unit bytes of an era block
    /// @throws IllegalArgumentException if it is of another form, or an [Kind#ERA] list without a unit
    public static ChangeSource parse(String text, OptionalLong unit) {
        int colon = text.indexOf(':');
        Kind kind = Arrays.stream(Kind.values())
                .filter(k -> colon > 0 && k.word.equals(text.substring(0, colon)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + text + "': expected KIND:FILE, KIND one of "
                        + Arrays.stream(Kind.values()).map(Kind::word).collect(Collectors.joining(", "))));
        if ((kind == Kind.ERA) != unit.isPresent()) {
            throw new IllegalArgumentException(kind == Kind.ERA
                    ? "an era list does not tell its block size: give that too"
                    : kind.word + " lists tell their unit themselves");
        }
        return new ChangeSource(kind, Path.of(text.substring(colon + 1)), unit);
    }

    @Override
    public String toString() {
        return kind.word + ":" + file;
    }

    /// @throws RefusedException if the file is not a whole and valid list, or is of another device
    @Override
    public ChangeList read(long size) throws IOException {
        if (kind == Kind.LVM_COW) {
            ChangeList list = new ChangeList(size);
            return take(kind, file.toString(), list, () -> SnapshotStore.read(file, list));
        }
        if (Files.isDirectory(file)) {
            throw refused(kind, file.toString(), "it is a folder");
        }
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            return read(kind, in, unit, file.toString(), size);
        } catch (FileSystemException | RefusedException e) {
            throw e;
        } catch (IOException e) {
            throw new DeviceException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /// Reads a list of a kind that tells its unit, from a stream.
    ///
    /// @param name of the list, for messages
    /// @throws RefusedException if it is not a whole and valid list
    public static ChangeList read(Kind kind, InputStream in, String name, long size) throws IOException {
        return read(kind, in, OptionalLong.empty(), name, size);
    }

    private static ChangeList read(Kind kind, InputStream in, OptionalLong unit, String name, long size) throws IOException {
        ChangeList list = new ChangeList(size);
        return take(kind, name, list, () -> {
            switch (kind) {
                case THIN_DELTA -> XmlLists.thinDelta(in, list);
                case ERA -> XmlLists.era(in, unit.getAsLong(), list);
                case RBD_DIFF -> RbdDiff.read(in, list);
                case EXTENTS -> Extents.read(in, list);
                case LVM_COW -> throw new IllegalStateException();
            }
        });
    }

    private interface Parser {
        void parse() throws IOException;
    }

    private static ChangeList take(Kind kind, String name, ChangeList list, Parser parser) throws IOException {
        try {
            parser.parse();
            return list;
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw refused(kind, name, e.getMessage());
        }
    }

    private static RefusedException refused(Kind kind, String name, String why) {
        return new RefusedException(name + ": no " + kind.word + " list that can be used: " + why
                + "; make it anew, or run without --changes to scan the whole device");
    }
}
