package varve.verify;

/// What a finding means for the user's data.
public enum Severity {
    /// Nothing: the data is whole and so is what protects it.
    NOTE("note"),

    /// The data is whole, but something that helps to find, prove or heal it is damaged or missing.
    SPARE("spare"),

    /// Nothing is known of the data: it is not at hand, or a later varve wrote it.
    UNKNOWN("unknown"),

    /// Bytes of the user's data, or what is needed to believe them, are damaged or missing here.
    DAMAGE("damage");

    private final String word;

    Severity(String word) {
        this.word = word;
    }

    /// {@return the word in reports}
    public String word() {
        return word;
    }
}
