package varve.mounthelper.nbd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import varve.mounthelper.Scene;
import varve.mounthelper.nbd.NbdClient.Answer;
import varve.mounthelper.nbd.Session.Style;
import varve.testdata.Damage;
import varve.testdata.Histories;

/// Archives that are damaged while they are served: an input/output error and a line in the log, never a wrong byte.
final class DamagedArchiveTest {

    private static final int SIZE = 10 * Scene.CHUNK + 100;

    @TempDir
    Path folder;

    /// Writes a file in place, for a server that has it open.
    private static void rewrite(Path file, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes));
            channel.truncate(bytes.length);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDamagedChunkIsAnErrorAndTheOthersAreNot(Style style) throws Exception {
        byte[] image = Scene.dense(1, SIZE);
        Scene scene = new Scene(folder).archive(image);
        Path data = scene.data("full", 0);
        byte[] good = Files.readAllBytes(data);
        try (TestServer server = TestServer.serve(scene.vault, "tools");
                NbdClient client = NbdClient.transmitting(server.socket(), "", style)) {
            assertArrayEquals(Arrays.copyOf(image, 512), client.read(0, 512));
            byte[] bad = good.clone();
            bad[good.length / 2] ^= 1;
            rewrite(data, bad);
            int failed = -1;
            for (int chunk = 0; chunk < 10; chunk++) {
                Answer answer = client.ask(0, Command.READ, chunk * Scene.CHUNK, Scene.CHUNK);
                if (answer.error() == 0) {
                    assertArrayEquals(Arrays.copyOfRange(image, chunk * Scene.CHUNK, (chunk + 1) * Scene.CHUNK), answer.data());
                } else {
                    assertEquals(Protocol.EIO, answer.error());
                    assertEquals(-1, failed, "two chunks");
                    failed = chunk;
                }
            }
            assertTrue(failed > 0);
            int offset = failed * Scene.CHUNK;
            Answer whole = client.ask(0, Command.READ, offset - 512, Scene.CHUNK + 1024);
            assertEquals(Protocol.EIO, whole.error());
            if (style != Style.SIMPLE) {
                assertTrue(whole.message().contains("chunk " + failed), whole.message());
            }
            assertEquals(1, server.log().size(), server.log()::toString);
            assertTrue(server.log().getFirst().contains("full.zst: chunk " + failed + " at " + offset), server.log()::toString);
            rewrite(data, good);
            assertArrayEquals(image, client.read(0, SIZE), "healed");
        }
    }

    /// Flips a byte of a file that somebody reads.
    private static void flip(Path file, double where) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) (bytes.length * where)] ^= 1;
        rewrite(file, bytes);
    }

    @Test
    void whatIsDamagedInOneVaultIsTakenFromTheOther() throws Exception {
        byte[] first = Scene.dense(1, SIZE);
        byte[] second = Scene.changed(first, 2);
        Scene scene = new Scene(folder).archive(first).archive(second);
        Path other = scene.copy();
        List<Path> vaults = List.of(scene.vault, other);
        try (TestServer server = TestServer.serve(vaults, TestServer.SETTINGS, "tools");
                NbdClient client = NbdClient.transmitting(server.socket(), "", Style.STRUCTURED)) {
            assertArrayEquals(second, client.read(0, SIZE));
            assertEquals(List.of(), server.log(), "nothing is wrong");
        }
        Path full = scene.data("full", 0);
        Path elsewhere = other.resolve("tools").resolve(full.getFileName());
        try (TestServer server = TestServer.serve(vaults, TestServer.SETTINGS, "tools");
                NbdClient client = NbdClient.transmitting(server.socket(), "", Style.STRUCTURED)) {
            flip(full, 0.3);
            flip(full, 0.5);
            flip(elsewhere, 0.8);
            flip(scene.data("delta", 0), 0.3);
            assertArrayEquals(second, client.read(0, SIZE));
            assertTrue(server.log().stream().anyMatch(line -> line.contains("damaged, so parts of it are taken from another vault")), server.log()::toString);
            assertTrue(server.log().size() <= 2 && server.log().stream().noneMatch(line -> line.contains("cannot be read")), server.log()::toString);
        }
        try (TestServer server = TestServer.serve(vaults, TestServer.SETTINGS, "tools@-1");
                NbdClient client = NbdClient.transmitting(server.socket(), "", Style.STRUCTURED)) {
            flip(elsewhere, 0.3); // the same chunk is damaged in both now
            int errors = compare(client, first, "both");
            assertTrue(errors == 4 || errors == 5, errors + " errors"); // of 20000 bytes each
            assertEquals(1, server.log().stream().filter(line -> line.contains("cannot be read at ")).count(), server.log()::toString);
        }
    }

    @Test
    void whatIsServedStaysThoughItsArchivesAreRemoved() throws Exception {
        byte[] first = Scene.dense(1, SIZE);
        byte[] second = Scene.changed(first, 2);
        Scene scene = new Scene(folder).archive(first).archive(second);
        try (TestServer server = TestServer.serve(scene.vault, "tools")) {
            Files.delete(scene.data("full", 0));
            Files.delete(scene.data("delta", 0));
            for (int i = 0; i < 2; i++) {
                try (NbdClient client = NbdClient.transmitting(server.socket(), "", Style.STRUCTURED)) {
                    assertArrayEquals(second, client.read(0, SIZE));
                }
            }
            assertEquals(List.of(), server.log());
        }
    }

    static List<Long> seeds() {
        return Histories.seeds(2);
    }

    /// any file of the volume, any kind of damage, before or after it was opened
    @ParameterizedTest
    @MethodSource("seeds")
    void whateverIsDamagedNoByteIsWrong(long seed) throws Exception {
        byte[] first = Scene.image(1, SIZE);
        byte[] second = Scene.changed(first, 2);
        byte[] third = Scene.changed(second, 3);
        Scene scene = new Scene(folder).archive(first).archive(second).archive(third);
        List<Path> files;
        try (Stream<Path> content = Files.list(scene.vault.resolve("tools"))) {
            files = content.filter(file -> file.toString().matches(".*\\.(zst|index)")).sorted().toList();
        }
        Random random = new Random(seed);
        int errors = 0;
        try (TestServer server = TestServer.serve(scene.vault)) {
            for (int i = 0; i < 60; i++) {
                Path file = files.get(random.nextInt(files.size()));
                byte[] good = Files.readAllBytes(file);
                Damage damage = Damage.random(random.nextLong(), good.length, 1).findFirst().orElseThrow();
                boolean whileOpen = random.nextBoolean();
                if (!whileOpen) {
                    Files.write(file, damage.of(good));
                }
                try (NbdClient client = NbdClient.greeted(server.socket())) {
                    client.acknowledged(Protocol.OPT_STRUCTURED_REPLY);
                    if (!client.option(Protocol.OPT_GO, NbdClient.wish("tools")).getLast().error()) {
                        if (whileOpen) {
                            rewrite(file, damage.of(good));
                        }
                        errors += compare(client, third, "seed " + seed + ", " + file.getFileName() + ": " + damage);
                    }
                }
                Files.write(file, good);
            }
            assertEquals(List.of(), server.log().stream().filter(line -> line.contains("unexpected")).toList());
        }
        assertTrue(errors > 0, "seed " + seed);
    }

    /// {@return how many reads failed; the others give the image}
    private static int compare(NbdClient client, byte[] image, String what) throws IOException {
        int errors = 0;
        for (int offset = 0; offset < SIZE; offset += 20_000) {
            int length = Math.min(20_000, SIZE - offset);
            Answer answer = client.ask(0, Command.READ, offset, length);
            if (answer.error() == 0) {
                assertArrayEquals(Arrays.copyOfRange(image, offset, offset + length), answer.data(), what);
            } else {
                assertEquals(Protocol.EIO, answer.error(), what);
                errors++;
            }
        }
        return errors;
    }

    @Test
    void anArchiveThatIsAwayIsNotServed() throws Exception {
        byte[] image = Scene.image(1, SIZE);
        Scene scene = new Scene(folder).archive(image).archive(Scene.changed(image, 2));
        Files.delete(scene.data("delta", 0));
        try (TestServer server = TestServer.serve(scene.vault);
                NbdClient client = NbdClient.greeted(server.socket())) {
            assertEquals(Protocol.REP_ERR_UNKNOWN, client.refused(Protocol.OPT_GO, NbdClient.wish("tools")));
            assertTrue(server.log().getFirst().contains("needed, but not at hand"), server.log()::toString);
            client.go("tools@-1");
        }
    }

    @Test
    void withADamagedManifestOnlyWhatCannotBeMistakenIsServed() throws Exception {
        byte[] image = Scene.image(1, SIZE);
        Scene scene = new Scene(folder).archive(image).archive(Scene.changed(image, 2));
        Path manifest = Path.of(scene.data("delta", 0).toString().replace(".zst", ".json"));
        Scene.damage(manifest);
        try (TestServer server = TestServer.serve(scene.vault);
                NbdClient client = NbdClient.greeted(server.socket())) {
            assertEquals(Protocol.REP_ERR_UNKNOWN, client.refused(Protocol.OPT_GO, NbdClient.wish("tools@latest")));
            assertEquals(Protocol.REP_ERR_UNKNOWN, client.refused(Protocol.OPT_GO, NbdClient.wish("tools@2026-11-21")));
            client.go("tools@2026-11-20T02:00:00.000Z");
            assertArrayEquals(image, client.read(0, SIZE));
        }
    }
}
