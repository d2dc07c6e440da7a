package varve.archive.sign;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.Images;
import varve.testdata.Tools;

/// What we sign, `minisign` verifies, and the reverse; whatever is not what was signed is refused.
class MinisignTest {

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final SecretKey.Password NOBODY = Optional::empty;

    @TempDir
    Path folder;

    private Path file;
    private byte[] content;

    @BeforeEach
    void make() throws IOException {
        content = Images.noise(5, 3000);
        file = Files.write(folder.resolve("file"), content);
    }

    private String minisign(String input, Object... arguments) throws IOException {
        Object[] command = new Object[arguments.length + 1];
        command[0] = "minisign";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        Optional<Tools.Output> output = Tools.runWith(input.getBytes(StandardCharsets.UTF_8), command);
        assumeTrue(output.isPresent(), "needs minisign");
        return output.get().expectSuccess().text();
    }

    @Test
    void minisignVerifiesWhatWeSign() throws IOException {
        SecretKey key = SecretKey.generate(RANDOM);
        Files.writeString(folder.resolve("k.pub"), key.publicKey().file());
        Files.write(folder.resolve("file.minisig"), key.sign(content, "timestamp:1\tfile:file").encode());
        assertTrue(minisign("", "-V", "-p", folder.resolve("k.pub"), "-m", file).contains("Signature and comment signature verified"));
        assertTrue(minisign("", "-V", "-P", key.publicKey().text(), "-m", file).contains("file:file"));
        Files.write(file, Images.noise(6, 3000));
        assertThrows(IOException.class, () -> minisign("", "-V", "-p", folder.resolve("k.pub"), "-m", file));
    }

    @Test
    void weVerifyWhatMinisignSigns() throws IOException {
        minisign("", "-G", "-W", "-p", folder.resolve("k.pub"), "-s", folder.resolve("k"));
        minisign("", "-S", "-s", folder.resolve("k"), "-m", file, "-t", "a comment");
        PublicKey key = PublicKey.parse(Files.readString(folder.resolve("k.pub")));
        Signature signature = Signature.parse(Files.readAllBytes(folder.resolve("file.minisig")));
        assertTrue(signature.of(key, content));
        assertEquals("a comment", signature.comment());
        assertEquals(key.id(), signature.keyId());
        assertFalse(signature.of(key, Images.noise(6, 3000)));
        assertFalse(signature.of(SecretKey.generate(RANDOM).publicKey(), content));
        SecretKey secret = SecretKey.parse(Files.readAllBytes(folder.resolve("k")), NOBODY);
        assertEquals(key, secret.publicKey());
    }

    @Test
    void minisignSignsWithOurKeyAndItsPassword() throws IOException {
        SecretKey key = SecretKey.generate(RANDOM);
        Files.writeString(folder.resolve("k.pub"), key.publicKey().file());
        Files.write(folder.resolve("open"), key.file(Optional.empty(), RANDOM));
        Files.write(folder.resolve("closed"), key.file(Optional.of("secret, ö".toCharArray()), RANDOM));
        for (String name : new String[] {"open", "closed"}) {
            Files.deleteIfExists(folder.resolve("file.minisig"));
            minisign("secret, ö\n", "-S", "-s", folder.resolve(name), "-m", file);
            assertTrue(Signature.parse(Files.readAllBytes(folder.resolve("file.minisig"))).of(key.publicKey(), content), name);
        }
    }

    @Test
    void aKeyOpensWithItsPasswordAlone() throws IOException {
        SecretKey key = SecretKey.generate(RANDOM);
        byte[] closed = key.file(Optional.of("right".toCharArray()), RANDOM);
        assertEquals(key.publicKey(), SecretKey.parse(closed, () -> Optional.of("right".toCharArray())).publicKey());
        assertThrows(WrongPasswordException.class, () -> SecretKey.parse(closed, () -> Optional.of("wrong".toCharArray())));
        assertThrows(WrongPasswordException.class, () -> SecretKey.parse(closed, NOBODY));
    }

    @Test
    void aDamagedKeyIsNone() throws IOException {
        byte[] good = SecretKey.generate(RANDOM).file(Optional.empty(), RANDOM);
        int start = new String(good, StandardCharsets.UTF_8).indexOf('\n') + 1;
        for (int i = start; i < good.length - 1; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 1;
            String where = "byte " + i;
            try {
                byte[] again = SecretKey.parse(bad, NOBODY).file(Optional.empty(), RANDOM);
                // what no key is made of: the salt of a key without a password
                assertArrayEquals(SecretKey.parse(good, NOBODY).sign(content, "").encode(), SecretKey.parse(again, NOBODY).sign(content, "").encode(), where);
            } catch (IllegalArgumentException | WrongPasswordException e) {
                assertFalse(e.getMessage().isEmpty(), where);
            }
        }
    }

    @Test
    void everyByteOfASignatureCounts() {
        SecretKey key = SecretKey.generate(RANDOM);
        byte[] good = key.sign(content, "a comment").encode();
        assertTrue(Signature.parse(good).of(key.publicKey(), content));
        int start = new String(good, StandardCharsets.UTF_8).indexOf('\n') + 1; // what is before is trusted by nobody
        for (int i = start; i < good.length - 1; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 4;
            String where = "byte " + i;
            try {
                assertFalse(Signature.parse(bad).of(key.publicKey(), content), where);
            } catch (IllegalArgumentException e) {
                assertFalse(e.getMessage().isEmpty(), where);
            }
        }
        for (int length = 0; length < good.length - 1; length += 3) {
            int cut = length;
            assertThrows(IllegalArgumentException.class, () -> {
                if (!Signature.parse(java.util.Arrays.copyOf(good, cut)).of(key.publicKey(), content)) {
                    throw new IllegalArgumentException("refused");
                }
            }, "cut at " + cut);
        }
    }

    @Test
    void aTrustFileThatIsNotUnderstoodIsRefused() throws IOException {
        Path trust = folder.resolve("trust");
        assertEquals(Trust.NONE, Trust.read(trust));
        PublicKey key = SecretKey.generate(RANDOM).publicKey();
        Trust.NONE.with(new Trust.Entry("tools", key)).with(new Trust.Entry("*", key)).write(trust);
        assertEquals(2, Trust.read(trust).entries().size());
        assertEquals(1, Trust.read(trust).keys("tools").size());
        assertEquals(1, Trust.read(trust).keys("other").size());
        Files.writeString(trust, Files.readString(trust) + "tools " + key.text().substring(4) + "\n");
        assertTrue(assertThrows(UntrustedException.class, () -> Trust.read(trust)).getMessage().contains("line 4"));
    }
}
