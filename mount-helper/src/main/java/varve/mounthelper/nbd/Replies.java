package varve.mounthelper.nbd;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import varve.mounthelper.nbd.Session.Style;

/// The replies to one client, each sent as a whole: proto.md, sections "Simple reply message", "Structured reply chunk message" and
/// "Extended reply chunk message".
///
/// | bytes | simple | structured | extended |
/// |---|---|---|---|
/// | 4 | magic `0x67446698` | magic `0x668e33ef` | magic `0x6e8a278c` |
/// | | error, 4 bytes | reply flags, type, 2 bytes each | reply flags, type, 2 bytes each |
/// | 8 | cookie | cookie | cookie |
/// | | | | offset of the request, 8 bytes |
/// | | | length of the payload, 4 bytes | length of the payload, 8 bytes |
///
/// Safe for use by several threads.
final class Replies {

    private static final int LARGEST_HEAD = 32 + 8; // of a chunk, and what is in front of its data
    private static final int LONGEST_MESSAGE = 1000;

    private final Connection connection;
    private final Wire wire;
    private final Style style;
    private final ReentrantLock sending = new ReentrantLock();

    /// What block status says of a run.
    ///
    /// @param status of the context
    record Descriptor(long size, long status) {}

    Replies(Connection connection, Wire wire, Style style) {
        this.connection = connection;
        this.wire = wire;
        this.style = style;
    }

    /// Success without a payload.
    void done(Request request) throws IOException {
        if (style == Style.EXTENDED || style == Style.STRUCTURED && request.command().equals(Optional.of(Command.READ))) {
            send(head(request, Protocol.REPLY_FLAG_DONE, Protocol.REPLY_NONE, 0, 0).flip());
        } else {
            send(simple(request, 0));
        }
    }

    /// Failure as a whole.
    void error(Request request, int error, String message) throws IOException {
        if (style == Style.SIMPLE) {
            send(simple(request, error));
            return;
        }
        byte[] text = text(message);
        send(head(request, Protocol.REPLY_FLAG_DONE, Protocol.REPLY_ERROR, 6 + text.length, 6 + text.length)
                .putInt(error).putShort((short) text.length).put(text).flip());
    }

    /// Failure from an offset on, after what was sent before it.
    void error(Request request, int error, String message, long offset) throws IOException {
        byte[] text = text(message);
        send(head(request, Protocol.REPLY_FLAG_DONE, Protocol.REPLY_ERROR_OFFSET, 14 + text.length, 14 + text.length)
                .putInt(error).putShort((short) text.length).put(text).putLong(offset).flip());
    }

    /// All or a part of what a read asked for.
    ///
    /// @param bytes native memory; all of it, if replies are simple
    /// @param last whether nothing follows
    void data(Request request, long offset, MemorySegment bytes, boolean last) throws IOException {
        ByteBuffer head = style == Style.SIMPLE
                ? simple(request, 0)
                : head(request, last ? Protocol.REPLY_FLAG_DONE : 0, Protocol.REPLY_OFFSET_DATA, 8 + bytes.byteSize(), 8)
                        .putLong(offset).flip();
        send(head, bytes.asByteBuffer());
    }

    /// Zeros as a part of what a read asked for.
    void hole(Request request, long offset, long size, boolean last) throws IOException {
        send(head(request, last ? Protocol.REPLY_FLAG_DONE : 0, Protocol.REPLY_OFFSET_HOLE, 12, 12)
                .putLong(offset).putInt((int) size).flip());
    }

    /// What one context has to say.
    void status(Request request, MetaContext context, List<Descriptor> descriptors, boolean last) throws IOException {
        int flags = last ? Protocol.REPLY_FLAG_DONE : 0;
        if (style == Style.EXTENDED) {
            int size = 8 + 16 * descriptors.size();
            ByteBuffer reply = head(request, flags, Protocol.REPLY_BLOCK_STATUS_EXT, size, size)
                    .putInt(context.id()).putInt(descriptors.size());
            descriptors.forEach(each -> reply.putLong(each.size).putLong(each.status));
            send(reply.flip());
        } else {
            int size = 4 + 8 * descriptors.size();
            ByteBuffer reply = head(request, flags, Protocol.REPLY_BLOCK_STATUS, size, size).putInt(context.id());
            descriptors.forEach(each -> reply.putInt((int) each.size).putInt((int) each.status));
            send(reply.flip());
        }
    }

    private static ByteBuffer simple(Request request, int error) {
        return ByteBuffer.allocate(16).putInt(Protocol.SIMPLE_REPLY_MAGIC).putInt(error).putLong(request.cookie()).flip();
    }

    /// {@return the head of a chunk, with room after it}
    private ByteBuffer head(Request request, int flags, int type, long payloadSize, int room) {
        ByteBuffer head = ByteBuffer.allocate(LARGEST_HEAD + room);
        if (style == Style.EXTENDED) {
            return head.putInt(Protocol.EXTENDED_REPLY_MAGIC)
                    .putShort((short) flags).putShort((short) type)
                    .putLong(request.cookie()).putLong(request.offset()).putLong(payloadSize);
        }
        return head.putInt(Protocol.STRUCTURED_REPLY_MAGIC)
                .putShort((short) flags).putShort((short) type)
                .putLong(request.cookie()).putInt((int) payloadSize);
    }

    private static byte[] text(String message) {
        String brief = message.length() <= LONGEST_MESSAGE ? message : message.substring(0, LONGEST_MESSAGE);
        return brief.getBytes(StandardCharsets.UTF_8);
    }

    private void send(ByteBuffer... message) throws IOException {
        sending.lock();
        connection.sending().begin();
        try {
            wire.write(message);
        } finally {
            connection.sending().end();
            sending.unlock();
        }
    }
}
