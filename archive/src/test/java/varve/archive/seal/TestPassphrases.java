package varve.archive.seal;

/// Passphrases that cost no second each.
public final class TestPassphrases {

    private TestPassphrases() {}

    public static Passphrase quick(String secret) {
        return new Passphrase(secret, 10);
    }
}
