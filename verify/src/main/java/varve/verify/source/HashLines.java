package varve.verify.source;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads lists of hashes that have one on a line: of `b3sum`, `md5sum`, `sha256sum` and their like, plain and `--tag`, of the
/// `md5deep` family and of `hashdeep`, also piecewise.
///
/// Names may hold anything but the end of a line; lines may end with NUL instead, as the tools write them with `-0` or `-z`.
final class HashLines {

    private static final String HEXES = "[0-9a-fA-F]{32,128}";

    /// digest, what `md5deep -t` puts behind it, separator, name and what piecewise mode puts behind it
    private static final Pattern PLAIN = Pattern.compile(
            "(\\\\?)(" + HEXES + ")(?: \\d{4}(?::\\d\\d){5})?(?:  | \\*|,)(.*?)(?: offset (\\d{1,19})-(\\d{1,19}))?", Pattern.DOTALL);
    private static final Pattern TAGGED = Pattern.compile("(\\\\?)([A-Za-z0-9-]{2,16}) \\((.*)\\) = (" + HEXES + ")", Pattern.DOTALL);
    private static final Pattern OFFSET = Pattern.compile("(.*) offset (\\d{1,19})-(\\d{1,19})", Pattern.DOTALL);
    private static final String HASHDEEP = "%%%% HASHDEEP-1.";
    private static final int MAX_LINE = 64 << 10;

    private final String where;
    private final Consumer<Listed> taker;
    private String @Nullable [] columns; // of hashdeep
    private long number;

    private HashLines(String where, Consumer<Listed> taker) {
        this.where = where;
        this.taker = taker;
    }

    /// {@return whether a file begins as such a list does}
    static boolean begins(String text) {
        String first = text.lines().flatMap(line -> Arrays.stream(line.split("\0"))).findFirst().orElse("");
        return first.startsWith(HASHDEEP) || PLAIN.matcher(first).matches() && Algorithm.ofDigits(digits(PLAIN, first, 2)).size() > 0
                || TAGGED.matcher(first).matches();
    }

    private static int digits(Pattern pattern, String line, int group) {
        Matcher matcher = pattern.matcher(line);
        return matcher.matches() ? matcher.group(group).length() : 0;
    }

    /// Reads a list.
    ///
    /// @throws DamagedListException if a line is none
    static void read(Path path, Consumer<Listed> taker) throws IOException {
        HashLines lines = new HashLines(path.toString(), taker);
        try (BufferedReader in = Files.newBufferedReader(path, StandardCharsets.ISO_8859_1)) { // names are bytes
            StringBuilder line = new StringBuilder();
            for (int c = in.read(); c >= 0; c = in.read()) {
                if (c == '\n' || c == 0) {
                    lines.line(line.toString());
                    line.setLength(0);
                } else if (line.length() < MAX_LINE) {
                    line.append((char) c);
                } else {
                    throw new DamagedListException(path + ": line " + (lines.number + 1) + " is longer than " + MAX_LINE + " bytes");
                }
            }
            if (!line.isEmpty()) {
                lines.line(line.toString());
            }
        }
    }

    private void line(String latin) throws DamagedListException {
        number++;
        String line = new String(latin.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        if (line.startsWith("%%%% ")) {
            header(line);
        } else if (line.isEmpty() || line.startsWith("#") && columns != null) {
            return; // a comment
        } else if (columns != null) {
            hashdeep(line, columns);
        } else {
            plain(line);
        }
    }

    private void header(String line) {
        if (!line.startsWith(HASHDEEP)) {
            columns = line.substring(5).split(",");
        }
    }

    private void hashdeep(String line, String[] names) throws DamagedListException {
        String[] cells = line.split(",", names.length); // more commas belong to the name
        if (cells.length != names.length || !cells[0].matches("\\d{1,19}")) {
            throw damaged("size, hashes and a name");
        }
        Map<Algorithm, String> digests = new EnumMap<>(Algorithm.class);
        for (int i = 1; i < cells.length - 1; i++) {
            String digest = cells[i].toLowerCase(Locale.ROOT);
            Algorithm.named(names[i]).ifPresent(algorithm -> digests.put(algorithm, digest));
        }
        if (digests.isEmpty()) {
            throw new DamagedListException(where + ": has only hashes that are not known here (" + String.join(", ", names)
                    + "); make the list again with -c sha256");
        }
        String name = cells[cells.length - 1];
        OptionalLong size = OptionalLong.of(number(cells[0]));
        Matcher piece = OFFSET.matcher(name);
        if (piece.matches()) {
            take(piece.group(1), piece.group(2), piece.group(3), size, digests);
        } else {
            taker.accept(new Listed(name, OptionalLong.empty(), OptionalLong.empty(), size, digests));
        }
    }

    private void plain(String line) throws DamagedListException {
        Matcher tagged = TAGGED.matcher(line);
        if (tagged.matches()) {
            Optional<Algorithm> algorithm = Algorithm.named(tagged.group(2));
            if (algorithm.isEmpty()) {
                throw new DamagedListException(where + ": line " + number + ": " + tagged.group(2) + " is not known here");
            }
            Map<Algorithm, String> digest = Map.of(algorithm.get(), tagged.group(4).toLowerCase(Locale.ROOT));
            taker.accept(new Listed(name(tagged.group(1), tagged.group(3)), OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), digest));
            return;
        }
        Matcher matcher = PLAIN.matcher(line);
        List<Algorithm> algorithms = matcher.matches() ? Algorithm.ofDigits(matcher.group(2).length()) : List.of();
        if (algorithms.isEmpty()) {
            throw damaged("a hash and a name");
        }
        Map<Algorithm, String> digests = new EnumMap<>(Algorithm.class);
        boolean piece = matcher.group(4) != null;
        for (Algorithm algorithm : algorithms) {
            if (algorithm != Algorithm.BLAKE3 || !piece) { // no tool makes pieces of BLAKE3
                digests.put(algorithm, matcher.group(2).toLowerCase(Locale.ROOT));
            }
        }
        String name = name(matcher.group(1), matcher.group(3));
        if (piece) {
            take(name, matcher.group(4), matcher.group(5), OptionalLong.empty(), digests);
        } else {
            taker.accept(new Listed(name, OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), digests));
        }
    }

    /// as the coreutils escape names that would break the line
    private static String name(String escape, String name) {
        return escape.isEmpty() ? name : name.replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\");
    }

    /// takes a piece, whose last byte the tools name
    private void take(String name, String first, String last, OptionalLong size, Map<Algorithm, String> digests) throws DamagedListException {
        long from = number(first);
        long to = number(last) + 1;
        if (to <= from) {
            return; // what the tools say of the end of a block device
        }
        Listed listed = new Listed(name, OptionalLong.of(from), OptionalLong.of(to), size, digests);
        if (from == 0 && to == 1 && (size.isPresent() ? size.getAsLong() == 0 : listed.ofNothing())) {
            return; // "0-0" stands for no byte and for one
        }
        if (size.isPresent() && size.getAsLong() != to - from) {
            throw damaged("a piece of " + size.getAsLong() + " bytes");
        }
        taker.accept(listed);
    }

    private long number(String digits) throws DamagedListException {
        try {
            long value = Long.parseLong(digits);
            if (value < Long.MAX_VALUE) {
                return value;
            }
        } catch (NumberFormatException e) {
            // falls through
        }
        throw damaged("an offset or size below 2^63");
    }

    private DamagedListException damaged(String expected) {
        return new DamagedListException(where + ": line " + number + ": expected " + expected);
    }
}
