package varve.archive.seal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyTextTest {

    /// the example of the specification of age
    private static final String SECRET = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    private static final String PUBLIC = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

    @TempDir
    private Path folder;

    @Test
    void theKeysOfTheSpecificationBelongTogether() throws IOException {
        X25519Identity identity = X25519Identity.parse(SECRET);
        assertEquals(PUBLIC, identity.recipient().text());
        assertEquals(SECRET, identity.secretText());
        assertEquals(identity.recipient(), Recipient.parse(PUBLIC));
        assertEquals(identity.recipient(), Recipient.parse("  " + PUBLIC.toUpperCase(Locale.ROOT) + " "));
    }

    @Test
    void everyMistypedLetterOfAKeyIsNoticed() {
        for (int at = 4; at < PUBLIC.length(); at++) {
            char other = PUBLIC.charAt(at) == 'q' ? 'p' : 'q';
            String mistyped = PUBLIC.substring(0, at) + other + PUBLIC.substring(at + 1);
            assertThrows(AgeFormatException.class, () -> Recipient.parse(mistyped));
        }
    }

    @Test
    void whatIsNoPublicKeyIsRefusedByItsName() {
        refused("secret key", SECRET);
        refused("no public key", "tools");
        refused("kind \"age1pq\"", new Bech32("age1pq", new byte[40]).encode());
        refused("ssh-dss", "ssh-dss AAAAB3NzaC1kc3MAAACBAP1");
        refused("ssh-ed25519", "ssh-ed25519");
        refused("ssh-ed25519", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH");
    }

    private static void refused(String word, String text) {
        AgeFormatException e = assertThrows(AgeFormatException.class, () -> Recipient.parse(text));
        assertTrue(e.getMessage().contains(word), e.getMessage());
    }

    @Test
    void filesOfKeysMayHaveCommentsAndEmptyLines() throws IOException {
        Path recipients = write("# Alice\n\n" + PUBLIC + "\r\n# that is all");
        assertEquals(List.of(PUBLIC), KeyFiles.recipients(recipients).stream().map(Recipient::text).toList());
        Path identities = write("# created: today\n# public key: " + PUBLIC + "\n" + SECRET + "\n\n");
        assertEquals(List.of(PUBLIC), KeyFiles.identities(identities, (what, anew) -> Optional.empty()).stream().map(it -> it.recipient().text()).toList());
    }

    @Test
    void filesWithoutTheRightKindOfKeyAreRefused() throws IOException {
        refusedFile("line 2: a secret key", () -> KeyFiles.recipients(write("# Alice\n" + SECRET)));
        refusedFile("no public key", () -> KeyFiles.recipients(write("# nobody\n")));
        refusedFile("public key", () -> KeyFiles.identities(write(PUBLIC), (what, anew) -> Optional.empty()));
        refusedFile("no secret key", () -> KeyFiles.identities(write(""), (what, anew) -> Optional.empty()));
        refusedFile("SSH key", () -> KeyFiles.identities(write("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END"), (what, anew) -> Optional.empty()));
        refusedFile("at most", () -> KeyFiles.identities(write(" ".repeat(1 << 21)), (what, anew) -> Optional.empty()));
    }

    private interface Reading {
        Object read() throws IOException;
    }

    private void refusedFile(String word, Reading reading) {
        AgeFormatException e = assertThrows(AgeFormatException.class, reading::read);
        assertTrue(e.getMessage().contains(word) && e.getMessage().contains("keys"), e.getMessage());
    }

    @Test
    void aFileOfKeysMayItselfBeSealedWithAPassphrase() throws IOException {
        Path file = folder.resolve("keys.age");
        Files.write(file, Sealing.seal((SECRET + "\n").getBytes(StandardCharsets.US_ASCII), new Passphrase("open sesame", 4)));
        assertEquals(PUBLIC, KeyFiles.identities(file, (what, anew) -> Optional.of(new Passphrase("open sesame"))).getFirst().recipient().text());
        assertThrows(WrongKeyException.class, () -> KeyFiles.identities(file, (what, anew) -> Optional.of(new Passphrase("open barley"))));
        assertThrows(WrongKeyException.class, () -> KeyFiles.identities(file, (what, anew) -> Optional.empty()));
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("keys"), text);
    }

    @Test
    void scryptIsThatOfTheRfc() {
        scrypt("77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
                "", "", 4, 1, 1);
        scrypt("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
                "password", "NaCl", 10, 8, 16);
        scrypt("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
                "pleaseletmein", "SodiumChloride", 14, 8, 1);
    }

    private static void scrypt(String expected, String secret, String salt, int logN, int r, int p) {
        assertEquals(expected, HexFormat.of().formatHex(Scrypt.derive(
                secret.getBytes(StandardCharsets.US_ASCII), salt.getBytes(StandardCharsets.US_ASCII), logN, r, p, 64)));
    }

    @Test
    void bech32KeepsBytesOfEverySize() throws IOException {
        for (int size = 0; size < 70; size++) {
            byte[] data = SealedContentTest.random(size, size);
            Bech32 decoded = Bech32.decode(new Bech32("varve", data).encode());
            assertEquals("varve", decoded.label());
            assertArrayEquals(data, decoded.data());
        }
    }
}
