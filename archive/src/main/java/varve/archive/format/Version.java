package varve.archive.format;

/// The version of varve, as in pom.xml.
public final class Version {
    public static final String CURRENT = "0.1.0";

    /// what manifests and receipts say that wrote them
    public static final String TOOL = "varve " + CURRENT;

    private Version() {}
}
