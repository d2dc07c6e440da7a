package varve.archive.vault;

/// Where the bytes came from that a proof looked at.
public enum Evidence {
    /// The medium itself: past the page cache, or after its pages had been dropped.
    MEDIUM("medium"),

    /// The page cache may have given them: what is on the medium may be another matter.
    CACHE("cache");

    private final String word;

    Evidence(String word) {
        this.word = word;
    }

    /// {@return the word in receipts and reports}
    public String word() {
        return word;
    }
}
