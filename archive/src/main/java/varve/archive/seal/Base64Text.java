package varve.archive.seal;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// Base64 as age writes it: RFC 4648 section 4, without padding, in its one canonical form.
final class Base64Text {

    private Base64Text() {}

    static String encode(byte[] bytes) {
        return Base64.getEncoder().withoutPadding().encodeToString(bytes);
    }

    /// @throws AgeFormatException if encoding the result does not give `text` again
    static byte[] decode(String text) throws AgeFormatException {
        try {
            byte[] bytes = Base64.getDecoder().decode(text.getBytes(StandardCharsets.ISO_8859_1));
            if (encode(bytes).equals(text)) {
                return bytes;
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw new AgeFormatException("\"" + (text.length() > 80 ? text.substring(0, 80) + "..." : text) + "\" is no canonical base64");
    }

    /// @throws AgeFormatException likewise, or if it is not of this size
    static byte[] decode(String text, int size) throws AgeFormatException {
        byte[] bytes = decode(text);
        if (bytes.length != size) {
            throw new AgeFormatException("expected " + size + " bytes of base64, found " + bytes.length);
        }
        return bytes;
    }
}
