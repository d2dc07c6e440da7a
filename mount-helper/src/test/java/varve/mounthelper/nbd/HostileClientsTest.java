package varve.mounthelper.nbd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import varve.mounthelper.Scene;
import varve.mounthelper.nbd.Session.Style;
import varve.testdata.Histories;

/// Clients that say anything, in any order, or nothing any more: whatever they do, others go on, and get right bytes.
final class HostileClientsTest {

    private static final int SIZE = (2 << 20) + 777;
    private static final int CONVERSATIONS = 300;

    @TempDir
    static Path folder;

    private static byte[] image;
    private static Path vault;

    @BeforeAll
    static void archive() throws Exception {
        byte[] old = Scene.image(1, SIZE);
        image = Scene.changed(old, 2);
        vault = new Scene(folder).archive(old).archive(image).vault;
    }

    @AfterAll
    static void forget() {
        image = new byte[0];
    }

    /// A client that reads, compares, and reads again, as long as it is open.
    private static final class Honest implements AutoCloseable {
        private final AtomicBoolean over = new AtomicBoolean();
        private final AtomicReference<Throwable> failure = new AtomicReference<>();
        private final Thread thread;

        Honest(TestServer server, Style style) {
            thread = Thread.ofPlatform().start(() -> {
                Random random = new Random(5);
                try (NbdClient client = NbdClient.transmitting(server.socket(), "tools", style)) {
                    while (!over.get()) {
                        int offset = random.nextInt(SIZE - 10_000);
                        byte[] bytes = client.read(offset, 10_000);
                        assertArrayEquals(Arrays.copyOfRange(image, offset, offset + 10_000), bytes);
                    }
                    client.disconnect();
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
        }

        @Override
        public void close() throws Exception {
            over.set(true);
            thread.join();
            if (failure.get() != null) {
                throw new AssertionError("an honest client was harmed", failure.get());
            }
        }
    }

    static List<Long> seeds() {
        return Histories.seeds(3);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void randomConversationsHarmNobody(long seed) throws Exception {
        Random random = new Random(seed);
        try (TestServer server = TestServer.serve(vault);
                Honest one = new Honest(server, Style.SIMPLE);
                Honest other = new Honest(server, Style.EXTENDED)) {
            for (int i = 0; i < CONVERSATIONS; i++) {
                talk(server, mutated(random, conversation(random)), random.nextInt(4) > 0);
            }
            assertEquals(List.of(), server.log().stream().filter(line -> line.contains("unexpected")).toList(), "seed " + seed);
        }
    }

    /// Sends bytes, and waits until the server has hung up, unless it vanishes first.
    private static void talk(TestServer server, byte[] bytes, boolean listen) throws Exception {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(server.socket()))) {
            Thread listening = Thread.startVirtualThread(() -> {
                try {
                    ByteBuffer room = ByteBuffer.allocate(1 << 16);
                    while (listen && channel.read(room.clear()) >= 0) {
                        // whatever it is
                    }
                } catch (IOException e) {
                    // reset
                }
            });
            try {
                ByteBuffer rest = ByteBuffer.wrap(bytes);
                if (!listen) {
                    channel.configureBlocking(false); // what does not fit into the socket is not said
                }
                for (int tries = 0; rest.hasRemaining() && tries < 50; tries++) {
                    channel.write(rest);
                }
                channel.shutdownOutput();
            } catch (IOException e) {
                // it has hung up already
            }
            listening.join();
        }
    }

    private static byte[] conversation(Random random) {
        ByteBuffer bytes = ByteBuffer.allocate(4 << 20);
        bytes.putInt(random.nextInt(20) == 0 ? random.nextInt() : random.nextInt(4));
        Style style = Style.SIMPLE;
        for (int i = random.nextInt(6); i > 0; i--) {
            int option = random.nextInt(12);
            byte[] data = switch (option) {
                case Protocol.OPT_INFO -> NbdClient.wish("tools@-" + random.nextInt(3), random.nextInt(5), random.nextInt(5));
                case Protocol.OPT_LIST_META_CONTEXT, Protocol.OPT_SET_META_CONTEXT ->
                    NbdClient.contexts("tools", "base:allocation", "varve:archive");
                case Protocol.OPT_EXPORT_NAME, Protocol.OPT_GO, Protocol.OPT_ABORT -> noise(random, 20);
                default -> random.nextInt(3) == 0 ? noise(random, 200) : new byte[0];
            };
            if (option == Protocol.OPT_STRUCTURED_REPLY && data.length == 0 && style == Style.SIMPLE) {
                style = Style.STRUCTURED;
            } else if (option == Protocol.OPT_EXTENDED_HEADERS && data.length == 0) {
                style = Style.EXTENDED;
            }
            option(bytes, option, data);
        }
        if (random.nextBoolean()) {
            option(bytes, Protocol.OPT_GO, NbdClient.wish("tools"));
        } else {
            option(bytes, Protocol.OPT_EXPORT_NAME, "tools".getBytes());
        }
        for (int i = random.nextInt(30); i > 0; i--) {
            request(random, bytes, style);
        }
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    private static void option(ByteBuffer bytes, int option, byte[] data) {
        bytes.putLong(Protocol.IHAVEOPT).putInt(option).putInt(data.length).put(data);
    }

    private static void request(Random random, ByteBuffer bytes, Style style) {
        boolean extended = style == Style.EXTENDED;
        int command = random.nextInt(9);
        int flags = random.nextInt(4) == 0 ? random.nextInt(1 << 16) : 0;
        long offset = random.nextInt(8) == 0 ? random.nextLong() : random.nextInt(SIZE);
        int length = random.nextInt(8) == 0 ? random.nextInt() : random.nextInt(100_000);
        boolean payload = extended ? (flags & Protocol.CMD_FLAG_PAYLOAD_LEN) != 0 : command == Command.WRITE.ordinal();
        if (payload) {
            length = random.nextInt(50_000);
        }
        bytes.putInt(extended ? Protocol.EXTENDED_REQUEST_MAGIC : Protocol.REQUEST_MAGIC)
                .putShort((short) flags).putShort((short) command).putLong(random.nextLong()).putLong(offset);
        if (extended) {
            bytes.putLong(length);
        } else {
            bytes.putInt(length);
        }
        bytes.put(payload ? noise(random, length) : new byte[0]);
    }

    private static byte[] noise(Random random, int size) {
        byte[] noise = new byte[size];
        random.nextBytes(noise);
        return noise;
    }

    private static byte[] mutated(Random random, byte[] good) {
        byte[] bytes = good.clone();
        for (int i = random.nextInt(4); i > 0; i--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt();
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes = Arrays.copyOf(bytes, 1 + at);
                default -> {
                    byte[] longer = Arrays.copyOf(bytes, bytes.length + 7);
                    System.arraycopy(bytes, at, longer, at + 7, bytes.length - at);
                    bytes = longer;
                }
            }
        }
        return bytes;
    }

    // ---- clients that do not take what they asked for

    @ParameterizedTest
    @EnumSource
    void whoTakesNothingDoesNotKeepTheMemory(Style style) throws Exception {
        MemoryExport export = new MemoryExport(Scene.dense(1, 33 << 20));
        Settings settings = new Settings(Optional.empty(), Optional.empty(), Duration.ofMinutes(5), Duration.ofSeconds(2), 100);
        List<NbdClient> lazy = new ArrayList<>();
        try (TestServer server = TestServer.serve(export, settings)) {
            for (int i = 0; i < 6; i++) {
                NbdClient client = NbdClient.transmitting(server.socket(), "memory", style);
                lazy.add(client);
                for (int j = 0; j < 70; j++) { // more than may be under way
                    client.request(0, Command.READ.ordinal(), j, 1 << 20);
                }
                client.request(0, Command.READ.ordinal(), 0, 32 << 20);
            }
            try (NbdClient honest = NbdClient.transmitting(server.socket(), "memory", style)) {
                for (int i = 0; i < 3; i++) {
                    assertArrayEquals(Arrays.copyOf(export.bytes, 32 << 20), honest.read(0, 32 << 20));
                }
                honest.disconnect();
            }
            assertTrue(server.log().stream().anyMatch(line -> line.contains("does not take what it asked for")), server.log()::toString);
        } finally {
            for (NbdClient client : lazy) {
                client.close();
            }
        }
        assertEquals(0, export.open.get());
    }

    @Test
    void whoDoesNotSendWhatItAnnouncesDoesNotKeepTheMemory() throws Exception {
        MemoryExport export = new MemoryExport(new byte[33 << 20]);
        Settings settings = new Settings(Optional.empty(), Optional.empty(), Duration.ofMinutes(5), Duration.ofSeconds(2), 100);
        List<NbdClient> lazy = new ArrayList<>();
        try (TestServer server = TestServer.serve(export, settings)) {
            for (int i = 0; i < 6; i++) {
                NbdClient client = NbdClient.transmitting(server.socket(), "memory", Style.SIMPLE);
                lazy.add(client);
                client.request(0, Command.WRITE.ordinal(), 0, 32 << 20, new byte[100]);
            }
            try (NbdClient honest = NbdClient.transmitting(server.socket(), "memory", Style.STRUCTURED)) {
                assertEquals(0, honest.write(0, 0, new byte[32 << 20]).error());
                honest.disconnect();
            }
        } finally {
            for (NbdClient client : lazy) {
                client.close();
            }
        }
    }

    @Test
    void linesThatClientsCauseAreLimited() throws Exception {
        try (TestServer server = TestServer.serve(vault)) {
            for (int i = 0; i < 300; i++) {
                try (NbdClient client = NbdClient.connect(server.socket()).greet(77)) {
                    assertTrue(client.hungUp());
                }
            }
            assertTrue(server.log().size() <= 100, () -> server.log().size() + " lines");
        }
    }
}
