package varve.mounthelper.nbd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import varve.mounthelper.Scene;
import varve.mounthelper.nbd.NbdClient.Answer;
import varve.mounthelper.nbd.Session.Style;
import varve.testdata.Images;

/// Requests and replies in all their styles: proto.md, section "Transmission".
final class TransmissionTest {

    private static final int MIB = 1 << 20;
    private static final int SIZE = 3 * MIB + 4711;

    @TempDir
    static Path folder;

    private static byte[] old;
    private static byte[] image;
    private static TestServer server;

    @BeforeAll
    static void serve() throws Exception {
        old = Scene.image(1, SIZE);
        image = Scene.changed(old, 2);
        server = TestServer.serve(new Scene(folder).archive(old).archive(image).vault);
    }

    @AfterAll
    static void end() throws Exception {
        server.close();
        assertEquals(List.of(), server.log().stream().filter(line -> line.contains("unexpected")).toList());
    }

    private static NbdClient client(Style style) throws Exception {
        return NbdClient.transmitting(server.socket(), "tools@latest", style);
    }

    private static byte[] part(long offset, int length) {
        return Arrays.copyOfRange(image, (int) offset, (int) offset + length);
    }

    // ---- reading

    @ParameterizedTest
    @EnumSource
    void readsAnyRange(Style style) throws Exception {
        Random random = new Random(7);
        try (NbdClient client = client(style)) {
            assertArrayEquals(image, client.read(0, SIZE));
            for (int i = 0; i < 200; i++) {
                int offset = random.nextInt(SIZE);
                int length = 1 + random.nextInt(Math.min(SIZE - offset, i % 2 == 0 ? 9000 : SIZE));
                assertArrayEquals(part(offset, length), client.read(offset, length), offset + " " + length);
            }
            client.disconnect();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STRUCTURED", "EXTENDED"})
    void zerosAreHolesUnlessTheClientWantsOnePiece(Style style) throws Exception {
        try (NbdClient client = client(style)) {
            Answer pieces = client.ask(0, Command.READ, 0, SIZE);
            assertTrue(pieces.holes() > 0 && pieces.chunks() > 3);
            Answer whole = client.ask(Protocol.CMD_FLAG_DF, Command.READ, 0, SIZE);
            assertEquals(1, whole.chunks());
            assertEquals(0, whole.holes());
            assertArrayEquals(image, whole.data());
        }
    }

    @ParameterizedTest
    @EnumSource
    void repliesToManyRequestsComeAsTheyAreReady(Style style) throws Exception {
        MemoryExport export = new MemoryExport(image.clone());
        CountDownLatch laterIsDone = new CountDownLatch(1);
        MemoryExport slow = new MemoryExport(export.bytes, offset -> {
            if (offset == 0) {
                await(laterIsDone);
            }
        });
        try (TestServer memory = TestServer.serve(slow, TestServer.SETTINGS);
                NbdClient client = NbdClient.transmitting(memory.socket(), "memory", style)) {
            long first = client.request(0, Command.READ.ordinal(), 0, 1000);
            long second = client.request(0, Command.READ.ordinal(), 5000, 1000);
            assertArrayEquals(part(5000, 1000), client.answer(second, Command.READ, 5000, 1000).data());
            laterIsDone.countDown();
            assertArrayEquals(part(0, 1000), client.answer(first, Command.READ, 0, 1000).data());
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aReadOfNothingIsGranted(Style style) throws Exception {
        try (NbdClient client = client(style)) {
            for (long offset : new long[] {0, 5, SIZE}) {
                assertEquals(0, client.ask(0, Command.READ, offset, 0).error());
            }
            assertEquals(Protocol.EINVAL, client.ask(0, Command.READ, SIZE + 1, 0).error());
        }
    }

    @ParameterizedTest
    @EnumSource
    void nothingOutsideOfTheExportIsRead(Style style) throws Exception {
        long[][] ranges = {
            {SIZE, 1}, {SIZE - 1, 2}, {0, SIZE + 1}, {-1, 1}, {-1, 2}, {Long.MIN_VALUE, 1}, {Long.MAX_VALUE, 1},
            {Long.MAX_VALUE - 100, 4096}, {-4096, 4096}, {-4096, 8192}, {1L << 40, 512}, {4096, 0xffff_ffffL}
        };
        try (NbdClient client = client(style)) {
            for (long[] range : ranges) {
                for (Command command : List.of(Command.READ, Command.CACHE)) {
                    assertEquals(Protocol.EINVAL, client.ask(0, command, range[0], range[1]).error(), Arrays.toString(range));
                }
                if (style != Style.SIMPLE) {
                    assertEquals(Protocol.EINVAL, client.ask(0, Command.BLOCK_STATUS, range[0], range[1]).error());
                }
            }
            if (style == Style.EXTENDED) {
                for (long length : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32}) {
                    for (Command command : List.of(Command.READ, Command.CACHE, Command.BLOCK_STATUS)) {
                        assertEquals(Protocol.EINVAL, client.ask(0, command, 0, length).error());
                    }
                }
            }
            assertArrayEquals(part(0, 10), client.read(0, 10));
        }
    }

    @ParameterizedTest
    @EnumSource
    void cacheIsGranted(Style style) throws Exception {
        try (NbdClient client = client(style)) {
            assertEquals(0, client.ask(0, Command.CACHE, 0, SIZE).error());
            assertEquals(0, client.ask(0, Command.CACHE, SIZE, 0).error());
            assertArrayEquals(image, client.read(0, SIZE));
        }
    }

    @ParameterizedTest
    @EnumSource
    void moreThanTheLargestPayloadIsNotReadAtOnce(Style style) throws Exception {
        MemoryExport export = new MemoryExport(Images.noise(1, Protocol.MAX_PAYLOAD + 4096));
        try (TestServer memory = TestServer.serve(export, TestServer.SETTINGS);
                NbdClient client = NbdClient.transmitting(memory.socket(), "memory", style)) {
            byte[] all = client.ask(style == Style.SIMPLE ? 0 : Protocol.CMD_FLAG_DF, Command.READ, 1, Protocol.MAX_PAYLOAD).data();
            assertArrayEquals(Arrays.copyOfRange(export.bytes, 1, 1 + Protocol.MAX_PAYLOAD), all);
            assertEquals(
                    style == Style.SIMPLE ? Protocol.EINVAL : Protocol.EOVERFLOW,
                    client.ask(0, Command.READ, 0, Protocol.MAX_PAYLOAD + 1).error());
        }
    }

    // ---- a read-only export

    @ParameterizedTest
    @EnumSource
    void nothingIsWrittenToAPointInTime(Style style) throws Exception {
        try (NbdClient client = client(style)) {
            for (int length : new int[] {1, 4096, 5 * MIB}) {
                assertEquals(Protocol.EPERM, client.write(0, 0, new byte[length]).error());
            }
            assertEquals(Protocol.EPERM, client.write(Protocol.CMD_FLAG_FUA, 1L << 60, new byte[10]).error());
            for (Command command : List.of(Command.TRIM, Command.WRITE_ZEROES)) {
                assertEquals(Protocol.EPERM, client.ask(0, command, 0, 4096).error());
                assertEquals(Protocol.EPERM, client.ask(Protocol.CMD_FLAG_FUA, command, 0, 0).error());
            }
            assertEquals(0, client.ask(0, Command.FLUSH, 0, 0).error());
            assertArrayEquals(image, client.read(0, SIZE));
        }
    }

    // ---- block status

    private static long sum(List<long[]> descriptors) {
        return descriptors.stream().mapToLong(each -> each[0]).sum();
    }

    @ParameterizedTest
    @EnumSource(names = {"STRUCTURED", "EXTENDED"})
    void whatIsCalledZeroIsZeroAndTheMapIsWhole(Style style) throws Exception {
        try (NbdClient client = client(style)) {
            List<long[]> allocation = client.ask(0, Command.BLOCK_STATUS, 0, SIZE).status().get(MetaContext.ALLOCATION.id());
            assertEquals(SIZE, sum(allocation));
            int at = 0;
            long before = -1;
            boolean anyHole = false;
            for (long[] each : allocation) {
                assertTrue(each[1] == 0 || each[1] == 3);
                assertTrue(each[1] != before, "two runs of the same status");
                for (int i = at; each[1] == 3 && i < at + each[0]; i++) {
                    assertEquals(0, image[i], "at " + i);
                }
                at += (int) each[0];
                before = each[1];
                anyHole |= each[1] == 3;
            }
            assertTrue(anyHole);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STRUCTURED", "EXTENDED"})
    void everyByteComesFromTheArchiveThatHoldsIt(Style style) throws Exception {
        try (NbdClient client = client(style)) {
            List<long[]> archives = client.ask(0, Command.BLOCK_STATUS, 0, SIZE).status().get(MetaContext.ARCHIVE.id());
            assertEquals(SIZE, sum(archives));
            Set<Long> points = new TreeSet<>();
            int at = 0;
            for (long[] each : archives) {
                points.add(each[1]);
                for (int from = at; from < at + each[0]; from += Scene.BLOCK) {
                    int to = Math.min(at + (int) each[0], from + Scene.BLOCK);
                    assertEquals(each[1] == 1, Arrays.equals(old, from, to, image, from, to), "at " + from);
                }
                at += (int) each[0];
            }
            assertEquals(Set.of(1L, 2L), points);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STRUCTURED", "EXTENDED"})
    void oneRunIsGivenIfOneIsAskedFor(Style style) throws Exception {
        try (NbdClient client = client(style)) {
            Answer all = client.ask(0, Command.BLOCK_STATUS, 0, SIZE);
            for (MetaContext context : MetaContext.values()) {
                long at = 0;
                for (long[] expected : all.status().get(context.id())) {
                    Answer one = client.ask(Protocol.CMD_FLAG_REQ_ONE, Command.BLOCK_STATUS, at, SIZE - at);
                    assertEquals(1, one.status().get(context.id()).size());
                    assertArrayEquals(expected, one.status().get(context.id()).getFirst());
                    Answer cut = client.ask(Protocol.CMD_FLAG_REQ_ONE, Command.BLOCK_STATUS, at, 1);
                    assertArrayEquals(new long[] {1, expected[1]}, cut.status().get(context.id()).getFirst());
                    at += expected[0];
                }
            }
        }
    }

    @Test
    void blockStatusWithoutContextsIsInvalid() throws Exception {
        try (NbdClient client = NbdClient.greeted(server.socket())) {
            client.acknowledged(Protocol.OPT_STRUCTURED_REPLY);
            client.go("tools");
            assertEquals(Protocol.EINVAL, client.ask(0, Command.BLOCK_STATUS, 0, 512).error());
        }
        try (NbdClient client = client(Style.SIMPLE)) {
            assertEquals(Protocol.EINVAL, client.ask(0, Command.BLOCK_STATUS, 0, 512).error());
        }
        try (NbdClient client = client(Style.STRUCTURED)) {
            assertEquals(Protocol.EINVAL, client.ask(0, Command.BLOCK_STATUS, 0, 0).error());
        }
    }

    private static byte[] payload(long length, int... ids) {
        ByteBuffer payload = ByteBuffer.allocate(8 + 4 * ids.length).putLong(length);
        for (int id : ids) {
            payload.putInt(id);
        }
        return payload.array();
    }

    /// proto.md of extended headers, NBD_CMD_BLOCK_STATUS: the payload form
    @Test
    void aPayloadChoosesContextsOfBlockStatus() throws Exception {
        int flag = Protocol.CMD_FLAG_PAYLOAD_LEN;
        int allocation = MetaContext.ALLOCATION.id();
        int archive = MetaContext.ARCHIVE.id();
        try (NbdClient client = client(Style.EXTENDED)) {
            for (int[] ids : new int[][] {{allocation}, {archive}, {archive, allocation}}) {
                byte[] good = payload(SIZE, ids);
                Answer answer = client.ask(flag, Command.BLOCK_STATUS, 0, good.length, good);
                assertEquals(ids.length, answer.status().size());
                assertEquals(SIZE, sum(answer.status().get(ids[0])));
            }
            for (byte[] bad : List.of(
                    payload(SIZE), payload(SIZE, 99), payload(SIZE, 0), payload(SIZE, -1),
                    payload(SIZE, allocation, allocation), payload(SIZE, allocation, 99), payload(SIZE, new int[1000]),
                    payload(SIZE + 1, allocation), payload(-1, allocation), payload(0, allocation),
                    new byte[1], new byte[7], new byte[9], new byte[13], new byte[MIB])) {
                assertEquals(Protocol.EINVAL, client.ask(flag, Command.BLOCK_STATUS, 0, bad.length, bad).error());
            }
            assertArrayEquals(image, client.read(0, SIZE));
        }
    }

    @Test
    void aPayloadCannotChooseWhatWasNotAgreedOn() throws Exception {
        try (NbdClient client = NbdClient.greeted(server.socket())) {
            client.acknowledged(Protocol.OPT_EXTENDED_HEADERS);
            client.acknowledged(Protocol.OPT_SET_META_CONTEXT, NbdClient.contexts("tools", "varve:archive"));
            client.go("tools");
            byte[] allocation = payload(SIZE, MetaContext.ALLOCATION.id());
            assertEquals(Protocol.EINVAL, client.ask(Protocol.CMD_FLAG_PAYLOAD_LEN, Command.BLOCK_STATUS, 0, 12, allocation).error());
            byte[] archive = payload(SIZE, MetaContext.ARCHIVE.id());
            assertEquals(0, client.ask(Protocol.CMD_FLAG_PAYLOAD_LEN, Command.BLOCK_STATUS, 0, 12, archive).error());
        }
    }

    // ---- what is not well-formed

    @ParameterizedTest
    @EnumSource
    void unknownCommandsAreInvalid(Style style) throws Exception {
        try (NbdClient client = client(style)) {
            for (int command : new int[] {8, 9, 255, 32768, 65535}) {
                long sent = client.request(0, command, 0, 4096);
                assertEquals(Protocol.EINVAL, client.answer(sent, Command.FLUSH, 0, 0).error());
            }
            assertArrayEquals(part(0, 10), client.read(0, 10));
        }
    }

    @ParameterizedTest
    @EnumSource
    void flagsWhereTheyDoNotBelongAreInvalid(Style style) throws Exception {
        boolean chunks = style != Style.SIMPLE;
        try (NbdClient client = client(style)) {
            for (Command command : List.of(Command.READ, Command.FLUSH, Command.CACHE, Command.BLOCK_STATUS)) {
                int allowed = switch (command) {
                    case READ -> chunks ? Protocol.CMD_FLAG_DF : 0;
                    case BLOCK_STATUS -> chunks ? Protocol.CMD_FLAG_REQ_ONE : 0;
                    default -> 0;
                };
                for (int flag = 1; flag < 1 << 16; flag <<= 1) {
                    if (flag != allowed && !(style == Style.EXTENDED && flag == Protocol.CMD_FLAG_PAYLOAD_LEN)) {
                        long length = command == Command.FLUSH ? 0 : 512;
                        assertEquals(Protocol.EINVAL, client.ask(flag, command, 0, length).error(), command + " " + flag);
                    }
                }
            }
            assertArrayEquals(part(0, 10), client.read(0, 10));
        }
    }

    @Test
    void payloadsWhereTheyDoNotBelongAreTakenAndInvalid() throws Exception {
        int flag = Protocol.CMD_FLAG_PAYLOAD_LEN;
        try (NbdClient client = client(Style.EXTENDED)) {
            for (Command command : List.of(Command.READ, Command.FLUSH, Command.CACHE)) {
                assertEquals(Protocol.EINVAL, client.ask(flag, command, 0, 5000, new byte[5000]).error());
            }
            assertEquals(Protocol.EINVAL, client.ask(flag, Command.BLOCK_STATUS, 0, 0).error());
            assertEquals(Protocol.EPERM, client.ask(0, Command.WRITE, 0, 4096).error()); // without a payload
            assertEquals(Protocol.EPERM, client.ask(flag, Command.TRIM, 0, 100, new byte[100]).error());
            assertArrayEquals(part(0, 10), client.read(0, 10));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFlushOfARangeIsInvalid(Style style) throws Exception {
        try (NbdClient client = client(style)) {
            assertEquals(Protocol.EINVAL, client.ask(0, Command.FLUSH, 0, 1).error());
            assertEquals(Protocol.EINVAL, client.ask(0, Command.FLUSH, 1, 0).error());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPayloadThatIsTooLargeEndsTheConnection(Style style) throws Exception {
        try (NbdClient client = client(style)) {
            int flag = style == Style.EXTENDED ? Protocol.CMD_FLAG_PAYLOAD_LEN : 0;
            client.request(flag, Command.WRITE.ordinal(), 0, Protocol.MAX_PAYLOAD + 1);
            assertTrue(client.hungUp());
        }
        if (style == Style.EXTENDED) {
            try (NbdClient client = client(style)) {
                client.request(Protocol.CMD_FLAG_PAYLOAD_LEN, Command.READ.ordinal(), 0, -1);
                assertTrue(client.hungUp());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void anotherMagicEndsTheConnection(Style style) throws Exception {
        for (int magic : new int[] {0, Protocol.REQUEST_MAGIC, Protocol.EXTENDED_REQUEST_MAGIC, Protocol.SIMPLE_REPLY_MAGIC, 0x12560953}) {
            if (magic != (style == Style.EXTENDED ? Protocol.EXTENDED_REQUEST_MAGIC : Protocol.REQUEST_MAGIC)) {
                try (NbdClient client = client(style)) {
                    client.send(ByteBuffer.allocate(64).putInt(magic).position(64));
                    assertTrue(client.hungUp());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoDisconnectsStillGetsItsReplies(Style style) throws Exception {
        try (NbdClient client = client(style)) {
            long first = client.request(0, Command.READ.ordinal(), 0, SIZE);
            client.request(0, Command.DISC.ordinal(), 0, 0);
            assertArrayEquals(image, client.answer(first, Command.READ, 0, SIZE).data());
            assertTrue(client.hungUp());
        }
    }

    /// at each byte of a conversation
    @ParameterizedTest
    @EnumSource
    void clientsMayVanishAtAnyMoment(Style style) throws Exception {
        int length = style == Style.EXTENDED ? 32 : 28;
        for (int cut = 0; cut < length; cut++) {
            try (NbdClient client = client(style)) {
                client.request(0, Command.READ.ordinal(), 0, SIZE); // nobody will take the reply
                client.send(ByteBuffer.allocate(cut).position(cut));
            }
        }
        try (NbdClient client = client(style)) {
            assertArrayEquals(image, client.read(0, SIZE));
        }
    }

    // ---- a writable export

    @ParameterizedTest
    @EnumSource
    void whatIsWrittenIsReadBack(Style style) throws Exception {
        MemoryExport export = new MemoryExport(image.clone());
        try (TestServer memory = TestServer.serve(export, TestServer.SETTINGS);
                NbdClient client = NbdClient.transmitting(memory.socket(), "memory", style);
                NbdClient other = NbdClient.transmitting(memory.socket(), "memory", style)) {
            int writable = Protocol.SEND_FLUSH | Protocol.SEND_FUA | Protocol.SEND_TRIM | Protocol.SEND_WRITE_ZEROES;
            assertEquals(writable, client.flags() & (writable | Protocol.READ_ONLY));
            byte[] expected = image.clone();
            Random random = new Random(3);
            for (int i = 0; i < 60; i++) {
                int offset = random.nextInt(SIZE);
                int length = random.nextInt(Math.min(SIZE - offset, 300_000) + 1);
                switch (i % 3) {
                    case 0 -> {
                        byte[] bytes = Images.noise(i, length);
                        System.arraycopy(bytes, 0, expected, offset, length);
                        assertEquals(0, client.write(0, offset, bytes).error() & (length == 0 ? 0 : -1));
                    }
                    case 1 -> {
                        Arrays.fill(expected, offset, offset + length, (byte) 0);
                        assertEquals(0, client.ask(Protocol.CMD_FLAG_NO_HOLE, Command.WRITE_ZEROES, offset, length).error());
                    }
                    default -> {
                        Arrays.fill(expected, offset, offset + length, (byte) 0);
                        assertEquals(0, client.ask(0, Command.TRIM, offset, length).error());
                    }
                }
            }
            assertArrayEquals(expected, other.read(0, SIZE));
            assertEquals(0, export.flushes.get());
            assertEquals(0, client.ask(0, Command.FLUSH, 0, 0).error());
            assertEquals(1, export.flushes.get());
            assertEquals(0, client.write(Protocol.CMD_FLAG_FUA, 0, new byte[10]).error());
            assertEquals(2, export.flushes.get());
            assertEquals(0, client.ask(Protocol.CMD_FLAG_FUA, Command.READ, 0, 10).error()); // section "Command flags": of any command
        }
        assertEquals(0, export.open.get());
    }

    @ParameterizedTest
    @EnumSource
    void nothingIsWrittenBeyondTheEnd(Style style) throws Exception {
        MemoryExport export = new MemoryExport(image.clone());
        try (TestServer memory = TestServer.serve(export, TestServer.SETTINGS);
                NbdClient client = NbdClient.transmitting(memory.socket(), "memory", style)) {
            for (long offset : new long[] {SIZE - 1, SIZE, 1L << 40, -1, -2, Long.MAX_VALUE}) {
                assertEquals(Protocol.ENOSPC, client.write(0, offset, new byte[2]).error());
                assertEquals(Protocol.ENOSPC, client.ask(0, Command.WRITE_ZEROES, offset, 2).error());
                assertEquals(Protocol.EINVAL, client.ask(0, Command.TRIM, offset, 2).error());
            }
            if (style == Style.EXTENDED) {
                assertEquals(Protocol.EINVAL, client.ask(0, Command.WRITE, 0, 4096).error()); // without a payload
                assertEquals(Protocol.EINVAL, client.ask(Protocol.CMD_FLAG_PAYLOAD_LEN, Command.WRITE, 0, 0).error());
            }
            assertArrayEquals(image, client.read(0, SIZE));
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatTheSourceCannotDoIsAnInputOutputError(Style style) throws Exception {
        MemoryExport broken = new MemoryExport(image.clone(), offset -> {
            if (offset >= MIB) {
                throw new IllegalStateException("broken at " + offset);
            }
        });
        try (TestServer memory = TestServer.serve(broken, TestServer.SETTINGS);
                NbdClient client = NbdClient.transmitting(memory.socket(), "memory", style)) {
            assertEquals(Protocol.EIO, client.ask(0, Command.READ, MIB, 512).error());
            Answer part = client.ask(0, Command.READ, MIB - 512, 1024);
            assertEquals(style == Style.SIMPLE ? 0 : Protocol.EIO, part.error()); // one read, or one for each piece
            assertArrayEquals(part(0, 512), client.read(0, 512));
        }
    }
}
