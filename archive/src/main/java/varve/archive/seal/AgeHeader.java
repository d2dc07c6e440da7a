package varve.archive.seal;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The head of an age file: the file key, wrapped for each recipient, authenticated by the file key itself.
///
/// `encode(decode(x))` is `x`, to the byte.
public final class AgeHeader {

    /// bytes that a header may have here; age itself sets no limit
    public static final int MAX_SIZE = 1 << 16;

    private static final String VERSION = "age-encryption.org/";
    private static final String FIRST_LINE = VERSION + "v1";
    private static final int MAC_SIZE = 32;

    private final List<Stanza> stanzas;
    private final byte[] mac;
    private final int size;

    private AgeHeader(List<Stanza> stanzas, byte[] mac) {
        this.stanzas = List.copyOf(stanzas);
        this.mac = mac;
        this.size = encode().length;
    }

    /// {@return a header that these recipients can open}
    /// @throws IllegalArgumentException if there are none, or more than a header holds, or a passphrase and others
    public static AgeHeader seal(FileKey key, List<Recipient> recipients, SecureRandom random) {
        List<Stanza> stanzas = recipients.stream().map(it -> it.wrap(key, random)).toList();
        if (stanzas.isEmpty() || mixesPassphrase(stanzas)) {
            throw new IllegalArgumentException("a passphrase is the only recipient, or there is none: " + recipients);
        }
        AgeHeader header = new AgeHeader(stanzas, key.mac(text(stanzas)));
        if (header.size > MAX_SIZE) {
            throw new IllegalArgumentException("too many recipients");
        }
        return header;
    }

    private static boolean mixesPassphrase(List<Stanza> stanzas) {
        return stanzas.size() > 1 && stanzas.stream().anyMatch(it -> it.kind().equals(Passphrase.KIND));
    }

    /// {@return the header with which a file begins}
    /// @param start of the file: all of it, or [#MAX_SIZE] bytes
    /// @throws AgeFormatException if it is none of age v1
    public static AgeHeader decode(byte[] start) throws AgeFormatException {
        Reader reader = new Reader(start);
        String version = reader.next();
        if (!version.equals(FIRST_LINE)) {
            throw new AgeFormatException(version.startsWith(VERSION) ? "of a later version of age: \"" + version + "\"" : "no age file");
        }
        List<Stanza> stanzas = new ArrayList<>();
        while (reader.at("-> ")) {
            stanzas.add(Stanza.decode(reader));
        }
        String end = reader.next();
        if (stanzas.isEmpty() || !end.startsWith("--- ")) {
            throw new AgeFormatException("expected \"-> \" or \"--- \", found \"" + end.substring(0, Math.min(end.length(), 20)) + "\"");
        }
        if (mixesPassphrase(stanzas)) {
            throw new AgeFormatException("a passphrase, and other recipients");
        }
        return new AgeHeader(stanzas, Base64Text.decode(end.substring(4), MAC_SIZE));
    }

    private static final class Reader implements Stanza.Lines {
        private final byte[] bytes;
        private int at;

        Reader(byte[] bytes) {
            this.bytes = Arrays.copyOf(bytes, Math.min(bytes.length, MAX_SIZE));
        }

        boolean at(String text) {
            int end = Math.min(bytes.length, at + text.length());
            return new String(bytes, at, end - at, StandardCharsets.ISO_8859_1).equals(text);
        }

        @Override
        public String next() throws AgeFormatException {
            int end = at;
            while (end < bytes.length && bytes[end] != '\n') {
                end++;
            }
            if (end == bytes.length) {
                throw new AgeFormatException(
                        end == MAX_SIZE ? "the header is longer than " + MAX_SIZE + " bytes" : "the header is cut off after " + end + " bytes");
            }
            String line = new String(bytes, at, end - at, StandardCharsets.ISO_8859_1);
            at = end + 1;
            return line;
        }
    }

    public byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(text(stanzas));
        bytes.writeBytes((" " + Base64Text.encode(mac) + "\n").getBytes(StandardCharsets.US_ASCII));
        return bytes.toByteArray();
    }

    /// what the MAC covers
    private static byte[] text(List<Stanza> stanzas) {
        return (FIRST_LINE + "\n" + stanzas.stream().map(Stanza::encode).collect(Collectors.joining()) + "---")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /// {@return bytes that it takes: where the payload begins}
    public int size() {
        return size;
    }

    /// {@return for what kinds of key it is, each once, such as `X25519` or `scrypt`}
    public List<String> kinds() {
        return stanzas.stream().map(Stanza::kind).distinct().toList();
    }

    /// {@return how many keys there are that open it}
    public int recipients() {
        return stanzas.size();
    }

    /// {@return the file key}, unwrapped by the first identity that can
    ///
    /// @return empty if none can
    /// @throws AgeFormatException if a stanza is not of its kind's form, or the header was altered
    public Optional<FileKey> open(List<? extends Identity> identities) throws AgeFormatException {
        for (Identity identity : identities) {
            for (Stanza stanza : stanzas) {
                Optional<FileKey> key = identity.unwrap(stanza);
                if (key.isPresent()) {
                    if (!MessageDigest.isEqual(mac, key.get().mac(text(stanzas)))) {
                        throw new AgeFormatException("the header was altered after it was sealed");
                    }
                    return key;
                }
            }
        }
        return Optional.empty();
    }
}
