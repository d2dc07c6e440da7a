package varve.verify.source;

import java.util.Map;
import java.util.OptionalLong;

/// One line of a list of hashes: what another tool says of a file, or of a piece of it.
///
/// @param name of the file; empty if the list does not say
/// @param from offset of the piece; empty if the hashes are of the whole file
/// @param to offset behind the piece
/// @param size of what was hashed, if the list says
/// @param digests lower-case hexadecimal digits; several algorithms may stand for one digest whose list does not say which it is
record Listed(String name, OptionalLong from, OptionalLong to, OptionalLong size, Map<Algorithm, String> digests) {

    boolean piece() {
        return from.isPresent();
    }

    /// {@return the strongest of its digests that is not BLAKE3}
    Algorithm strongest() {
        return digests.keySet().stream().filter(algorithm -> algorithm != Algorithm.BLAKE3).max(Algorithm::compareTo).orElse(Algorithm.BLAKE3);
    }

    /// {@return whether some digest is that of no bytes}
    boolean ofNothing() {
        return digests.entrySet().stream().anyMatch(digest -> digest.getKey().ofNothing().equals(digest.getValue()));
    }
}
