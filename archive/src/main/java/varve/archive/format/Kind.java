package varve.archive.format;

/// What an archive is.
public enum Kind {
    FULL(1, "full"),
    DELTA(2, "delta");

    private final int code;
    private final String word;

    Kind(int code, String word) {
        this.code = code;
        this.word = word;
    }

    /// {@return the number in the header}
    public int code() {
        return code;
    }

    /// {@return the word in file names and manifests}
    public String word() {
        return word;
    }
}
