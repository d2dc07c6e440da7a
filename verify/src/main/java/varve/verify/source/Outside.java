package varve.verify.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import varve.archive.block.RefusedException;
import varve.archive.linux.Linux;

/// What the outside world says that a device held, or holds.
public sealed interface Outside {

    /// {@return what it was named}
    Path path();

    /// {@return what it is, in reports}
    String what();

    /// The device itself, a snapshot or copy of it, or an image.
    record Device(Path path) implements Outside {
        @Override
        public String what() {
            return "device";
        }
    }

    /// A list that `varve hash --manifest` made.
    record Nodes(Path path) implements Outside {
        @Override
        public String what() {
            return "hash list of varve";
        }
    }

    /// One hash of the whole device. If its digits do not tell of which algorithm, it may be any of several.
    record Whole(Path path, String name, Map<Algorithm, String> digests) implements Outside {
        @Override
        public String what() {
            return String.join(" or ", digests.keySet().stream().map(Algorithm::word).toList());
        }
    }

    /// Hashes of pieces of the device.
    record Pieces(Path path, String name, PieceList pieces) implements Outside {
        @Override
        public String what() {
            return pieces.algorithm().word() + " of pieces";
        }
    }

    /// Finds out what a file or device is.
    ///
    /// @param name which file of a list is meant; needed if it has several
    /// @param source what the archiver called the device, which decides if nothing else does
    /// @throws DamagedListException if it is a list that cannot be used
    /// @throws RefusedException if it is none of what can be compared with
    static Outside open(Path path, Optional<String> name, String source) throws IOException {
        if (Linux.isBlockDevice(path)) {
            return new Device(path);
        }
        if (Files.isDirectory(path)) {
            throw new RefusedException(path + ": a folder; give a device, an image, or a list of hashes");
        }
        String start = start(path);
        if (start.startsWith("varve-hashes-")) {
            new HashListReader(path).close();
            return new Nodes(path);
        }
        if (Dfxml.begins(start)) {
            return new Reading(path, name, source, taker -> Dfxml.read(path, taker)).outside();
        }
        if (HashLines.begins(start)) {
            return new Reading(path, name, source, taker -> HashLines.read(path, taker)).outside();
        }
        return new Device(path);
    }

    private static String start(Path path) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            return new String(in.readNBytes(64 << 10), StandardCharsets.UTF_8);
        }
    }

    /// A list that is read twice: for the names in it, then for the entries of one of them.
    final class Reading {

        private static final int MOST_NAMES = 1000;

        private final Path path;
        private final Optional<String> wanted;
        private final String source;
        private final Reader reader;
        private final TreeSet<String> names = new TreeSet<>();
        private @Nullable Listed whole;
        private @Nullable PieceList pieces;
        private boolean tooMany;

        private interface Reader {
            void read(Consumer<Listed> taker) throws IOException;
        }

        private Reading(Path path, Optional<String> wanted, String source, Reader reader) {
            this.path = path;
            this.wanted = wanted;
            this.source = source;
            this.reader = reader;
        }

        private Outside outside() throws IOException {
            reader.read(listed -> {
                if (names.size() < MOST_NAMES) {
                    names.add(listed.name());
                }
            });
            String name = choose();
            reader.read(listed -> {
                if (listed.name().equals(name)) {
                    take(listed);
                }
            });
            if (tooMany) {
                throw new DamagedListException(path + ": more than " + PieceList.MOST + " pieces: make the list again with larger ones");
            }
            if (pieces != null) {
                pieces.sort(path.toString());
                return new Pieces(path, name, pieces);
            }
            if (whole == null) {
                throw new DamagedListException(path + ": holds no hash of \"" + name + "\"");
            }
            return new Whole(path, name, whole.digests());
        }

        private String choose() throws RefusedException, DamagedListException {
            if (names.isEmpty()) {
                throw new DamagedListException(path + ": holds no hashes");
            }
            String meant = wanted.orElse(names.size() == 1 ? names.first() : source);
            if (names.contains(meant)) {
                return meant;
            }
            String last = last(meant);
            String[] alike = names.stream().filter(name -> last(name).equals(last)).toArray(String[]::new);
            if (alike.length == 1) {
                return alike[0];
            }
            throw new RefusedException(path + ": holds hashes of " + names.size() + " files ("
                    + String.join(", ", names.stream().limit(5).toList()) + (names.size() > 5 ? ", ..." : "")
                    + "); say which is meant: --against-name NAME");
        }

        private static String last(String name) {
            return name.substring(name.lastIndexOf('/') + 1);
        }

        private void take(Listed listed) {
            if (!listed.piece()) {
                whole = listed;
                return;
            }
            if (pieces == null) {
                pieces = new PieceList(listed.strongest());
            }
            if (pieces.count() == PieceList.MOST) {
                tooMany = true;
                return;
            }
            String digest = listed.digests().get(pieces.algorithm());
            if (digest != null) {
                pieces.add(listed.from().getAsLong(), listed.to().getAsLong(), digest);
            }
        }
    }
}
