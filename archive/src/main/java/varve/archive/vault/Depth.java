package varve.archive.vault;

/// How deep a proof goes. Each depth includes those before it.
public enum Depth {
    /// Manifests, tables, headers, seek tables and sizes fit each other, archives lead to every point, and the hashes in
    /// the tables combine to its root. Of the data files only their ends are read.
    STRUCTURE("structure", "checked by structure", "what the data files hold"),

    /// Every byte of the data files is as the file tree and the manifest say. Nothing is decompressed.
    STORED("stored", "checked as stored", "that what is stored decodes to the hashes of the tables"),

    /// Every frame is decoded, every chunk proved by its hash.
    CONTENT("content", "proved by content", "whether the device itself held these bytes"),

    /// The content is compared with what the outside says: the device, or hashes taken at the source.
    SOURCE("source", "proved by content and compared with the source", "what the source holds at any other time");

    private final String word;
    private final String claim;
    private final String open;

    Depth(String word, String claim, String open) {
        this.word = word;
        this.claim = claim;
        this.open = open;
    }

    /// {@return the word on the command line}
    public String word() {
        return word;
    }

    /// {@return what may be said of a point that was found good}
    public String claim() {
        return claim;
    }

    /// {@return what this depth leaves open}
    public String open() {
        return open;
    }

    /// {@return whether this depth proves what the other does}
    public boolean includes(Depth other) {
        return compareTo(other) >= 0;
    }
}
