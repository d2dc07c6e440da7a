package varve.archive.format;

/// The numbered rules of FORMAT.md, each with a few words for the user on what is wrong when it is broken.
public enum Rule {
    F001("not a varve archive"),
    F002("frames out of order"),
    F003("damaged header"),
    F004("unsupported version"),
    F005("unsupported feature"),
    F006("unknown kind of archive"),
    F007("impossible geometry"),
    F008("reserved bytes in use"),
    F009("full with a parent"),
    F010("frame does not decode"),
    F011("zero frame not canonical"),
    F012("frame too large"),
    F013("bad seek table"),
    F014("full with extents"),
    F015("bad extent"),
    F016("extent outside of its node"),
    F017("extents not merged"),
    F018("nodes out of order"),
    F019("data node of several chunks"),
    F020("full with a gap"),
    F021("zero nodes not canonical"),
    F022("zero node with other extents"),
    F023("frames do not fit"),
    F024("extent rows do not fit"),
    F025("unchanged block missing in the parent"),
    F026("hash mismatch"),
    F027("damaged summary"),
    F028("summary of another archive"),
    F029("tables do not fit"),
    F030("totals do not fit"),
    F031("root mismatch"),
    F032("device too large"),
    F033("too many nodes"),
    F034("too many extents"),
    F035("damaged manifest"),
    F036("impossible manifest"),
    F037("manifest of another archive"),
    F038("file differs from its manifest"),
    F039("index differs from its manifest"),
    F040("manifests do not fit each other"),
    F041("damaged file tree"),
    F042("file tree of another file"),
    F043("altered manifest"),
    F044("damaged receipt"),
    F045("receipts missing or altered"),
    F046("damaged settings"),
    F047("damaged seal"),
    F048("sealed bytes altered");

    private final String breach;

    Rule(String breach) {
        this.breach = breach;
    }

    /// {@return what is wrong, in a few words}
    public String breach() {
        return breach;
    }
}
