package varve.archive;

/// The version of varve, as in pom.xml.
public final class Version {
    public static final String CURRENT = "0.1.0";

    private Version() {}
}
