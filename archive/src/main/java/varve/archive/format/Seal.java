package varve.archive.format;

import java.util.List;

/// How a data file is sealed: FORMAT.md section 19.
///
/// @param contentSize bytes of the zstd file inside
/// @param recipients for whom, each in its one text, sorted; or `passphrase` alone
public record Seal(long contentSize, List<String> recipients) {

    /// characters that recipients may have in all, with a line end between them
    public static final int MAX_TEXT = 16 << 10;

    /// what stands for a passphrase
    public static final String PASSPHRASE = "passphrase";

    public Seal {
        recipients = List.copyOf(recipients);
        if (contentSize < 0 || !isCanonical(recipients)) {
            throw new IllegalArgumentException("recipients " + recipients);
        }
    }

    /// {@return whether recipients are in the one order that they have in texts, and no more than these hold}
    public static boolean isCanonical(List<String> recipients) {
        return !recipients.isEmpty()
                && recipients.equals(recipients.stream().distinct().sorted().toList())
                && (!recipients.contains(PASSPHRASE) || recipients.size() == 1)
                && recipients.stream().noneMatch(it -> it.isBlank() || it.chars().anyMatch(c -> c < 32 || c > 126))
                && text(recipients).length() <= MAX_TEXT;
    }

    /// {@return recipients as manifests and settings have them}
    public static String text(List<String> recipients) {
        return String.join("\n", recipients);
    }

    /// {@return the recipients in such a text}
    public static List<String> parse(String text) {
        return List.of(text.split("\n", -1));
    }
}
