package varve.mounthelper.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A client that says just what it is told to, right or wrong, and speaks extended headers, which no packaged client does. It
/// checks what a client can: that every reply has the form of proto.md, and fits its request.
final class NbdClient implements AutoCloseable {

    static final int FIXED = 1;
    static final int NO_ZEROES = 2;

    private final SocketChannel channel;
    private long cookie = 0x1122_3344_5566_0000L;
    private boolean structured;
    private boolean extended;
    private long size;
    private int flags;

    /// An answer to an option.
    record OptionReply(int type, byte[] data) {
        boolean error() {
            return type < 0;
        }

        String text() {
            return new String(data, StandardCharsets.UTF_8);
        }
    }

    /// A simple reply, or a chunk of another one.
    ///
    /// @param type of the chunk; -1 for a simple reply, whose error is in `flags`
    record Reply(long cookie, int flags, int type, byte[] payload) {
        boolean done() {
            return type < 0 || (flags & Protocol.REPLY_FLAG_DONE) != 0;
        }
    }

    /// All of an answer.
    ///
    /// @param error number, 0 for success
    /// @param data of a read, as far as it came
    /// @param holes bytes that were not sent, being zero
    /// @param status of the runs by context
    record Answer(int error, String message, byte[] data, long holes, int chunks, Map<Integer, List<long[]>> status) {}

    private NbdClient(SocketChannel channel) {
        this.channel = channel;
    }

    static NbdClient connect(Path socket) throws IOException {
        return new NbdClient(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
    }

    /// Connects and greets.
    static NbdClient greeted(Path socket) throws IOException {
        return connect(socket).greet(FIXED | NO_ZEROES);
    }

    /// Connects and comes to transmission, with both contexts if replies can have them.
    static NbdClient transmitting(Path socket, String export, Session.Style style) throws IOException {
        NbdClient client = greeted(socket);
        switch (style) {
            case SIMPLE -> {}
            case STRUCTURED -> client.acknowledged(Protocol.OPT_STRUCTURED_REPLY);
            case EXTENDED -> client.acknowledged(Protocol.OPT_EXTENDED_HEADERS);
        }
        if (style != Session.Style.SIMPLE) {
            client.acknowledged(Protocol.OPT_SET_META_CONTEXT, contexts(export, "base:allocation", "varve:archive"));
        }
        client.go(export);
        return client;
    }

    NbdClient greet(int clientFlags) throws IOException {
        ByteBuffer greeting = receive(18);
        assertEquals(Protocol.NBDMAGIC, greeting.getLong());
        assertEquals(Protocol.IHAVEOPT, greeting.getLong());
        assertEquals(3, greeting.getShort());
        send(ByteBuffer.allocate(4).putInt(clientFlags));
        return this;
    }

    // ---- options

    /// Sends an option.
    ///
    /// @return the replies, the last one final
    List<OptionReply> option(int option, byte... data) throws IOException {
        sendOption(option, data);
        return optionReplies(option);
    }

    void sendOption(int option, byte... data) throws IOException {
        send(ByteBuffer.allocate(16 + data.length).putLong(Protocol.IHAVEOPT).putInt(option).putInt(data.length).put(data));
    }

    List<OptionReply> optionReplies(int option) throws IOException {
        List<OptionReply> replies = new ArrayList<>();
        while (true) {
            ByteBuffer head = receive(20);
            assertEquals(Protocol.OPTION_REPLY_MAGIC, head.getLong());
            assertEquals(option, head.getInt());
            OptionReply reply = new OptionReply(head.getInt(), receive(head.getInt()).array());
            replies.add(reply);
            if (reply.type == Protocol.REP_ACK || reply.error()) {
                return replies;
            }
        }
    }

    /// Sends an option that is granted.
    List<OptionReply> acknowledged(int option, byte... data) throws IOException {
        List<OptionReply> replies = option(option, data);
        assertEquals(Protocol.REP_ACK, replies.getLast().type, () -> replies.getLast().text());
        structured |= option == Protocol.OPT_STRUCTURED_REPLY;
        extended |= option == Protocol.OPT_EXTENDED_HEADERS;
        return replies;
    }

    /// Sends an option that is not.
    ///
    /// @return the type of the error
    int refused(int option, byte... data) throws IOException {
        OptionReply reply = option(option, data).getLast();
        assertTrue(reply.error(), "granted");
        assertFalse(reply.text().isEmpty(), "no words");
        return reply.type;
    }

    void go(String export) throws IOException {
        for (OptionReply reply : acknowledged(Protocol.OPT_GO, wish(export))) {
            if (reply.type == Protocol.REP_INFO) {
                ByteBuffer info = ByteBuffer.wrap(reply.data);
                if (info.getShort() == Protocol.INFO_EXPORT) {
                    size = info.getLong();
                    flags = Short.toUnsignedInt(info.getShort());
                }
            }
        }
    }

    /// {@return the data of NBD_OPT_INFO and NBD_OPT_GO}
    static byte[] wish(String export, int... infos) {
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        ByteBuffer data = ByteBuffer.allocate(6 + name.length + 2 * infos.length)
                .putInt(name.length).put(name).putShort((short) infos.length);
        for (int info : infos) {
            data.putShort((short) info);
        }
        return data.array();
    }

    /// {@return the data of the options about contexts}
    static byte[] contexts(String export, String... queries) {
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        ByteBuffer data = ByteBuffer.allocate(8192).putInt(name.length).put(name).putInt(queries.length);
        for (String query : queries) {
            byte[] bytes = query.getBytes(StandardCharsets.UTF_8);
            data.putInt(bytes.length).put(bytes);
        }
        return Arrays.copyOf(data.array(), data.position());
    }

    long size() {
        return size;
    }

    int flags() {
        return flags;
    }

    // ---- requests

    /// Sends a request.
    ///
    /// @return its cookie
    long request(int commandFlags, int command, long offset, long length, byte... payload) throws IOException {
        ByteBuffer request = ByteBuffer.allocate(32 + payload.length)
                .putInt(extended ? Protocol.EXTENDED_REQUEST_MAGIC : Protocol.REQUEST_MAGIC)
                .putShort((short) commandFlags).putShort((short) command).putLong(++cookie).putLong(offset);
        if (extended) {
            request.putLong(length);
        } else {
            request.putInt((int) length);
        }
        send(request.put(payload).flip().slice());
        return cookie;
    }

    /// Sends a request and waits for its answer.
    Answer ask(int commandFlags, Command command, long offset, long length, byte... payload) throws IOException {
        long sent = request(commandFlags, command.ordinal(), offset, length, payload);
        return answer(sent, command, offset, length);
    }

    byte[] read(long offset, int length) throws IOException {
        Answer answer = ask(0, Command.READ, offset, length);
        assertEquals(0, answer.error, answer.message);
        return answer.data;
    }

    /// Writes; extended headers want to know of the payload.
    Answer write(int commandFlags, long offset, byte... payload) throws IOException {
        return ask(commandFlags | (extended ? Protocol.CMD_FLAG_PAYLOAD_LEN : 0), Command.WRITE, offset, payload.length, payload);
    }

    /// Waits for all of an answer, and puts it together.
    Answer answer(long expected, Command command, long offset, long length) throws IOException {
        boolean reading = command == Command.READ;
        byte[] data = new byte[reading ? Math.clamp(length, 0, 64 << 20) : 0];
        boolean[] covered = new boolean[data.length];
        long holes = 0;
        int error = 0;
        String message = "";
        Map<Integer, List<long[]>> status = new TreeMap<>();
        for (int chunks = 1; ; chunks++) {
            Reply reply = reply(expected, offset, command, (int) Math.min(length, Integer.MAX_VALUE));
            ByteBuffer payload = ByteBuffer.wrap(reply.payload);
            switch (reply.type) {
                case -1 -> {
                    assertFalse(reading && structured, "a simple reply to a read");
                    error = reply.flags;
                    if (error == 0) {
                        payload.get(data);
                        Arrays.fill(covered, true);
                    }
                }
                case Protocol.REPLY_NONE -> assertTrue(reply.done() && reply.payload.length == 0);
                case Protocol.REPLY_OFFSET_DATA -> {
                    int at = at(payload.getLong(), offset);
                    assertTrue(payload.hasRemaining());
                    cover(covered, at, payload.remaining());
                    payload.get(data, at, payload.remaining());
                }
                case Protocol.REPLY_OFFSET_HOLE -> {
                    assertEquals(12, reply.payload.length);
                    int at = at(payload.getLong(), offset);
                    int hole = payload.getInt();
                    assertTrue(hole > 0);
                    cover(covered, at, hole);
                    holes += hole;
                }
                case Protocol.REPLY_BLOCK_STATUS, Protocol.REPLY_BLOCK_STATUS_EXT -> {
                    assertEquals(extended, reply.type == Protocol.REPLY_BLOCK_STATUS_EXT);
                    assertTrue(status.put(payload.getInt(), descriptors(payload)) == null, "two chunks of one context");
                }
                case Protocol.REPLY_ERROR, Protocol.REPLY_ERROR_OFFSET -> {
                    error = payload.getInt();
                    byte[] text = new byte[Short.toUnsignedInt(payload.getShort())];
                    payload.get(text);
                    message = new String(text, StandardCharsets.UTF_8);
                    if (reply.type == Protocol.REPLY_ERROR_OFFSET) {
                        long at = payload.getLong();
                        assertTrue(at >= offset && at < offset + length, "error at " + at);
                    }
                    assertFalse(payload.hasRemaining());
                    assertTrue(error != 0);
                }
                default -> throw new AssertionError("a chunk of type " + reply.type);
            }
            if (reply.done()) {
                for (int i = 0; error == 0 && i < covered.length; i++) {
                    assertTrue(covered[i], "nothing was sent for " + (offset + i));
                }
                return new Answer(error, message, data, holes, chunks, status);
            }
        }
    }

    private static int at(long offset, long start) {
        return Math.toIntExact(offset - start);
    }

    private static void cover(boolean[] covered, int from, int length) {
        for (int i = from; i < from + length; i++) {
            assertFalse(covered[i], "sent twice");
            covered[i] = true;
        }
    }

    private List<long[]> descriptors(ByteBuffer payload) {
        List<long[]> descriptors = new ArrayList<>();
        int count = extended ? payload.getInt() : payload.remaining() / 8;
        for (int i = 0; i < count; i++) {
            long[] each = extended
                    ? new long[] {payload.getLong(), payload.getLong()}
                    : new long[] {Integer.toUnsignedLong(payload.getInt()), Integer.toUnsignedLong(payload.getInt())};
            assertTrue(each[0] > 0);
            descriptors.add(each);
        }
        assertTrue(count > 0);
        assertFalse(payload.hasRemaining());
        return descriptors;
    }

    /// Waits for a reply message.
    private Reply reply(long expected, long offset, Command command, int length) throws IOException {
        int magic = receive(4).getInt();
        switch (magic) {
            case Protocol.SIMPLE_REPLY_MAGIC -> {
                assertFalse(extended, "a simple reply, though headers are extended");
                ByteBuffer head = receive(12);
                int error = head.getInt();
                assertEquals(expected, head.getLong());
                boolean data = error == 0 && command == Command.READ && !structured;
                return new Reply(expected, error, -1, data ? receive(length).array() : new byte[0]);
            }
            case Protocol.STRUCTURED_REPLY_MAGIC -> {
                assertTrue(structured && !extended);
                ByteBuffer head = receive(16);
                int replyFlags = head.getShort();
                int type = Short.toUnsignedInt(head.getShort());
                assertEquals(expected, head.getLong());
                return new Reply(expected, replyFlags, type, receive(head.getInt()).array());
            }
            case Protocol.EXTENDED_REPLY_MAGIC -> {
                assertTrue(extended);
                ByteBuffer head = receive(28);
                int replyFlags = head.getShort();
                int type = Short.toUnsignedInt(head.getShort());
                assertEquals(expected, head.getLong());
                assertEquals(offset, head.getLong());
                return new Reply(expected, replyFlags, type, receive(Math.toIntExact(head.getLong())).array());
            }
            default -> throw new AssertionError("a reply that begins with 0x" + Integer.toHexString(magic));
        }
    }

    // ---- bytes

    void send(ByteBuffer bytes) throws IOException {
        if (bytes.position() > 0) {
            bytes.flip();
        }
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    ByteBuffer receive(int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes) < 0) {
                throw new EOFException("the server hung up after " + bytes.position() + " of " + count + " bytes");
            }
        }
        return bytes.flip();
    }

    /// {@return whether the server has hung up: nothing comes any more}
    boolean hungUp() throws IOException {
        try {
            return channel.read(ByteBuffer.allocate(1)) < 0;
        } catch (IOException e) {
            return true; // connection reset
        }
    }

    void disconnect() throws IOException {
        request(0, Command.DISC.ordinal(), 0, 0);
        assertTrue(hungUp());
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
