package varve.mounthelper.nbd;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import varve.archive.block.RefusedException;

/// What a server needs to speak TLS: its certificate and key, and perhaps the authority that its clients' certificates have to
/// be signed by.
public final class Tls {

    private static final Pattern PEM =
            Pattern.compile("-----BEGIN ([A-Z ]+)-----\\s+([A-Za-z0-9+/=\\s]+)-----END \\1-----");
    private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA", "RSASSA-PSS");

    private final SSLContext context;
    private final boolean clientsNeedCertificates;

    private Tls(SSLContext context, boolean clientsNeedCertificates) {
        this.context = context;
        this.clientsNeedCertificates = clientsNeedCertificates;
    }

    /// Reads what is needed from PEM files.
    ///
    /// @param certificate of the server, followed by those that sign it
    /// @param key in PKCS #8, not encrypted
    /// @param authority whose signature clients need
    /// @throws RefusedException if they are not that
    public static Tls load(Path certificate, Path key, Optional<Path> authority) throws IOException {
        try {
            char[] password = new char[0];
            KeyStore own = empty();
            own.setKeyEntry("server", key(key), password, certificates(certificate).toArray(Certificate[]::new));
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(own, password);
            TrustManager[] trusted = {};
            if (authority.isPresent()) {
                KeyStore others = empty();
                for (Certificate each : certificates(authority.get())) {
                    others.setCertificateEntry("authority-" + others.size(), each);
                }
                TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
                trust.init(others);
                trusted = trust.getTrustManagers();
            }
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trusted, null);
            return new Tls(context, authority.isPresent());
        } catch (GeneralSecurityException e) {
            throw new RefusedException(certificate + ", " + key + ": " + e.getMessage());
        }
    }

    private static KeyStore empty() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static Collection<? extends Certificate> certificates(Path file) throws IOException, GeneralSecurityException {
        byte[] text = Files.readAllBytes(file);
        try {
            Collection<? extends Certificate> found =
                    CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(text));
            if (!found.isEmpty()) {
                return found;
            }
        } catch (GeneralSecurityException e) {
            throw new RefusedException(file + ": expected certificates in PEM, found: " + e.getMessage());
        }
        throw new RefusedException(file + ": expected certificates in PEM, found none");
    }

    private static PrivateKey key(Path file) throws IOException, GeneralSecurityException {
        Matcher block = PEM.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
        while (block.find()) {
            if (block.group(1).equals("PRIVATE KEY")) {
                return key(file, Base64.getMimeDecoder().decode(block.group(2)));
            }
            if (block.group(1).endsWith("PRIVATE KEY")) {
                throw new RefusedException(file + ": expected BEGIN PRIVATE KEY, found BEGIN " + block.group(1)
                        + "; openssl pkcs8 -topk8 -nocrypt -in " + file + " makes one of the other");
            }
        }
        throw new RefusedException(file + ": expected a private key in PEM, found none");
    }

    private static PrivateKey key(Path file, byte[] encoded) throws IOException, GeneralSecurityException {
        for (String algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(encoded));
            } catch (InvalidKeySpecException e) {
                // of another algorithm
            }
        }
        throw new RefusedException(file + ": expected a private key of one of " + ALGORITHMS + ", found none of these");
    }

    /// Upgrades a connection.
    Wire over(Wire wire) throws IOException {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        parameters.setNeedClientAuth(clientsNeedCertificates);
        engine.setSSLParameters(parameters);
        return new TlsWire(wire, engine);
    }
}
