package varve.archive.seal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.Terminal;
import varve.testdata.Tools;

/// The programs `age`, `age-keygen` and `ssh-keygen` read what we seal, and the reverse.
class AgeProgramTest {

    private static final int SIZE = 3 * ChunkCipher.CHUNK_SIZE + 5;
    private static final String PASSPHRASE = "ein Kännchen Öl";

    @TempDir
    private Path folder;

    private final byte[] content = SealedContentTest.random(SIZE, 7);

    @Test
    void keysOfAge() throws IOException {
        bothWays(ageKey("key"));
    }

    @Test
    void keysOfSsh() throws IOException {
        bothWays(sshKey("ed25519", "ed25519"));
        bothWays(sshKey("rsa", "rsa", "-b", "2048"));
        Path old = sshKey("pem", "rsa", "-b", "2048", "-m", "PEM");
        assertTrue(Files.readString(old).contains("BEGIN RSA PRIVATE KEY"));
        bothWays(old);
    }

    @Test
    void severalKeysAtOnce() throws IOException {
        List<Path> keys = List.of(ageKey("one"), ageKey("two"), sshKey("three", "ed25519"), sshKey("four", "rsa", "-b", "2048"));
        Recipient[] recipients = keys.stream().map(this::recipient).toArray(Recipient[]::new);
        Path ours = Files.write(folder.resolve("ours.age"), Sealing.seal(content, recipients));
        for (Path key : keys) {
            assertArrayEquals(content, run("age", "-d", "-i", key, ours));
        }
    }

    @Test
    void passphrases() throws IOException {
        assumeTrue(Tools.find("age").isPresent() && Tools.find("python3").isPresent(), "needs age and python3");
        Path ours = Files.write(folder.resolve("ours.age"), Sealing.seal(content, new Passphrase(PASSPHRASE, 10)));
        atTerminal(List.of(": ", PASSPHRASE + "\\n"), "age", "-d", "-o", folder.resolve("opened"), ours);
        assertArrayEquals(content, Files.readAllBytes(folder.resolve("opened")));

        Path plain = Files.write(folder.resolve("plain"), content);
        atTerminal(List.of(": ", PASSPHRASE + "\\n", ": ", PASSPHRASE + "\\n"), "age", "-p", "-o", folder.resolve("theirs.age"), plain);
        byte[] theirs = Files.readAllBytes(folder.resolve("theirs.age"));
        assertArrayEquals(content, Sealing.open(theirs, new Passphrase(PASSPHRASE)).orElseThrow());
    }

    @Test
    void aWrongKeyOpensNothing() throws IOException {
        Path other = ageKey("other");
        for (Path key : List.of(ageKey("key"), sshKey("ed25519", "ed25519"), sshKey("rsa", "rsa", "-b", "2048"))) {
            byte[] sealed = Sealing.seal(content, recipient(key));
            assertTrue(Sealing.open(sealed, identity(other)).isEmpty());
            assertTrue(Sealing.open(sealed, identity(key)).isPresent());
        }
    }

    private void bothWays(Path key) throws IOException {
        Path ours = Files.write(folder.resolve("ours.age"), Sealing.seal(content, recipient(key)));
        assertArrayEquals(content, run("age", "-d", "-i", key, ours));

        Path plain = Files.write(folder.resolve("plain"), content);
        byte[] theirs = run("age", "-R", publicKey(key), plain);
        assertArrayEquals(content, Sealing.open(theirs, identity(key)).orElseThrow());
    }

    private Path ageKey(String name) throws IOException {
        Path file = folder.resolve(name);
        run("age-keygen", "-o", file);
        Files.write(publicKey(file), run("age-keygen", "-y", file));
        return file;
    }

    private Path sshKey(String name, String kind, String... more) throws IOException {
        Path file = folder.resolve(name);
        Object[] command = java.util.stream.Stream.concat(
                        java.util.stream.Stream.of("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "a comment", "-f", file),
                        java.util.stream.Stream.of(more))
                .toArray();
        run(command);
        return file;
    }

    private static Path publicKey(Path key) {
        return key.resolveSibling(key.getFileName() + ".pub");
    }

    private Recipient recipient(Path key) {
        try {
            Recipient recipient = KeyFiles.recipients(publicKey(key)).getFirst();
            assertEquals(recipient, identity(key).recipient());
            assertTrue(Files.readString(publicKey(key)).startsWith(recipient.text()));
            return recipient;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Identity identity(Path key) throws IOException {
        return KeyFiles.identities(key, (what, anew) -> Optional.empty()).getFirst();
    }

    private static void atTerminal(List<String> dialogue, Object... command) throws IOException {
        Terminal terminal = Terminal.run(dialogue, List.of(command));
        assertEquals(0, terminal.exitCode(), terminal.said());
    }

    private static byte[] run(Object... command) throws IOException {
        Optional<Tools.Output> output = Tools.run(command);
        assumeTrue(output.isPresent(), "needs " + command[0]);
        return output.get().expectSuccess().bytes();
    }
}
