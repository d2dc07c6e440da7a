package varve.mounthelper.nbd;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import varve.archive.vault.NotFoundException;
import varve.mounthelper.nbd.Session.Style;

/// The first phase of a connection, in which a client finds out what there is, and chooses: proto.md, sections "Fixed newstyle
/// negotiation" and "Option types".
///
/// An option that is wrong or unknown gets an error, and the client may go on; what leaves no way to answer ends the connection.
/// With TLS nothing but TLS is talked about before it is there (section "FORCEDTLS mode").
final class Handshake {

    private static final int MOST_DATA = 64 << 10; // of an option that is read
    private static final int MOST_SKIPPED = 16 << 20; // of one that is refused politely
    private static final int OUTBOX = 64 << 10;
    private static final int PADDING = 124;
    private static final int MINIMUM_BLOCK = 1;
    private static final int PREFERRED_BLOCK = 4096;

    private final NbdServer server;
    private final Connection connection;
    private Wire wire;
    private Input input;
    private final ByteArrayOutputStream outbox = new ByteArrayOutputStream();

    private boolean fixed;
    private boolean zeroes = true;
    private boolean secured;
    private Style style = Style.SIMPLE;
    private String contextsOf = "";
    private List<MetaContext> contexts = List.of();

    /// An option cannot be granted.
    private static final class Refusal extends Exception {
        private static final long serialVersionUID = 1L;

        private final int reply;

        /// @param reply its type, `REP_ERR_...`
        Refusal(int reply, String message) {
            super(message);
            this.reply = reply;
        }
    }

    Handshake(NbdServer server, Connection connection, Wire wire) {
        this.server = server;
        this.connection = connection;
        this.wire = wire;
        this.input = new Input(wire);
    }

    /// {@return what comes after the handshake}
    Input input() {
        return input;
    }

    /// Shakes hands.
    ///
    /// @return nothing if the client has taken its leave
    /// @throws ProtocolException if it is no use to go on
    Optional<Session> run() throws IOException {
        greet();
        while (true) {
            if (input.i64() != Protocol.IHAVEOPT) {
                throw new ProtocolException("expected an option, found something else");
            }
            int option = input.i32();
            long length = input.u32();
            if (!fixed && option != Protocol.OPT_EXPORT_NAME || length > MOST_SKIPPED) {
                throw new ProtocolException("option " + option + " with " + length + " bytes");
            }
            Optional<Session> session = Optional.empty();
            try {
                session = obey(option, data(option, length));
            } catch (Refusal e) {
                if (option == Protocol.OPT_EXPORT_NAME) { // it has no way to say so
                    throw new ProtocolException(e.getMessage());
                }
                reply(option, e.reply, e.getMessage().getBytes(StandardCharsets.UTF_8));
            }
            flush();
            if (session.isPresent() || option == Protocol.OPT_ABORT) {
                return session;
            }
        }
    }

    private void greet() throws IOException {
        ByteBuffer greeting = ByteBuffer.allocate(18)
                .putLong(Protocol.NBDMAGIC)
                .putLong(Protocol.IHAVEOPT)
                .putShort((short) (Protocol.FLAG_FIXED_NEWSTYLE | Protocol.FLAG_NO_ZEROES));
        wire.write(greeting.flip());
        int flags = input.i32();
        if ((flags & ~(Protocol.FLAG_FIXED_NEWSTYLE | Protocol.FLAG_NO_ZEROES)) != 0) { // section "Client flags": MUST drop
            throw new ProtocolException("client flags 0x" + Integer.toHexString(flags));
        }
        fixed = (flags & Protocol.FLAG_FIXED_NEWSTYLE) != 0;
        zeroes = (flags & Protocol.FLAG_NO_ZEROES) == 0;
    }

    private ByteBuffer data(int option, long length) throws IOException, Refusal {
        if (length <= MOST_DATA) {
            return ByteBuffer.wrap(input.bytes((int) length));
        }
        input.skip(length);
        if (option == Protocol.OPT_ABORT) {
            return ByteBuffer.allocate(0);
        }
        throw new Refusal(Protocol.REP_ERR_TOO_BIG, "option data of " + length + " bytes, at most " + MOST_DATA + " are read");
    }

    private Optional<Session> obey(int option, ByteBuffer data) throws IOException, Refusal {
        if (option == Protocol.OPT_ABORT) {
            reply(option, Protocol.REP_ACK);
            return Optional.empty();
        }
        if (server.ending()) {
            throw new Refusal(Protocol.REP_ERR_SHUTDOWN, "the server is about to end");
        }
        if (server.settings().tls().isPresent() && !secured && option != Protocol.OPT_STARTTLS) {
            throw new Refusal(Protocol.REP_ERR_TLS_REQD, "TLS comes first");
        }
        switch (option) {
            case Protocol.OPT_EXPORT_NAME -> {
                return Optional.of(exportName(data));
            }
            case Protocol.OPT_GO -> {
                return Optional.of(go(option, data));
            }
            case Protocol.OPT_INFO -> info(option, data);
            case Protocol.OPT_LIST -> list(option, data);
            case Protocol.OPT_STARTTLS -> startTls(option, data);
            case Protocol.OPT_STRUCTURED_REPLY -> structuredReply(option, data);
            case Protocol.OPT_EXTENDED_HEADERS -> extendedHeaders(option, data);
            case Protocol.OPT_LIST_META_CONTEXT -> listMetaContext(option, data);
            case Protocol.OPT_SET_META_CONTEXT -> setMetaContext(option, data);
            default -> throw new Refusal(Protocol.REP_ERR_UNSUP, "option " + option + " is not known here");
        }
        return Optional.empty();
    }

    // ---- choosing an export

    private Session exportName(ByteBuffer data) throws IOException, Refusal {
        if (style == Style.EXTENDED) { // section "Option types": MUST NOT
            throw new Refusal(Protocol.REP_ERR_INVALID, "NBD_OPT_EXPORT_NAME after extended headers");
        }
        String name = string(data, data.remaining());
        Export export = find(name);
        Session session = open(export, name);
        append(ByteBuffer.allocate(10 + (zeroes ? PADDING : 0))
                .putLong(export.size())
                .putShort((short) Session.flags(export.writable(), style, false)));
        return session;
    }

    private Session go(int option, ByteBuffer data) throws IOException, Refusal {
        Wish wish = Wish.decode(data);
        Export export = find(wish.name);
        Session session = open(export, wish.name);
        describe(option, export, wish, !session.contexts().isEmpty());
        reply(option, Protocol.REP_ACK);
        return session;
    }

    private void info(int option, ByteBuffer data) throws IOException, Refusal {
        Wish wish = Wish.decode(data);
        describe(option, find(wish.name), wish, !contextsFor(wish.name).isEmpty());
        reply(option, Protocol.REP_ACK);
    }

    /// What a client says that wants to know about an export, or to use it.
    private record Wish(String name, Set<Integer> infos) {

        static Wish decode(ByteBuffer data) throws Refusal {
            try {
                String name = string(data, data.getInt());
                int count = Short.toUnsignedInt(data.getShort());
                Set<Integer> infos = new LinkedHashSet<>();
                for (int i = 0; i < count; i++) {
                    infos.add(Short.toUnsignedInt(data.getShort()));
                }
                checkEnd(data);
                return new Wish(name, infos);
            } catch (BufferUnderflowException e) {
                throw tooShort();
            }
        }
    }

    private void describe(int option, Export export, Wish wish, boolean contexts) throws IOException {
        reply(option, Protocol.REP_INFO, ByteBuffer.allocate(12)
                .putShort((short) Protocol.INFO_EXPORT)
                .putLong(export.size())
                .putShort((short) Session.flags(export.writable(), style, contexts))
                .array());
        for (int info : wish.infos) {
            switch (info) {
                case Protocol.INFO_NAME -> reply(option, Protocol.REP_INFO, info(info, export.name()));
                case Protocol.INFO_DESCRIPTION -> reply(option, Protocol.REP_INFO, info(info, export.description()));
                case Protocol.INFO_BLOCK_SIZE -> reply(option, Protocol.REP_INFO, ByteBuffer.allocate(14)
                        .putShort((short) info)
                        .putInt(MINIMUM_BLOCK)
                        .putInt(PREFERRED_BLOCK)
                        .putInt(Protocol.MAX_PAYLOAD)
                        .array());
                default -> {} // MUST be ignored
            }
        }
    }

    private static byte[] info(int type, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(2 + bytes.length).putShort((short) type).put(bytes).array();
    }

    private Export find(String name) throws IOException, Refusal {
        try {
            return server.exports().find(name);
        } catch (NotFoundException e) {
            throw new Refusal(Protocol.REP_ERR_UNKNOWN, e.getMessage());
        } catch (IOException e) {
            connection.say(e.getMessage());
            throw new Refusal(Protocol.REP_ERR_UNKNOWN, e.getMessage());
        }
    }

    private Session open(Export export, String name) throws Refusal {
        try {
            return new Session(export.open(), export.writable(), style, contextsFor(name));
        } catch (IOException e) {
            connection.say(e.getMessage());
            throw new Refusal(Protocol.REP_ERR_UNKNOWN, e.getMessage());
        }
    }

    private void list(int option, ByteBuffer data) throws IOException, Refusal {
        checkEnd(data);
        List<Export> exports;
        try {
            exports = server.exports().list();
        } catch (IOException e) {
            connection.say(e.getMessage());
            throw new Refusal(Protocol.REP_ERR_UNKNOWN, e.getMessage());
        }
        for (Export export : exports) {
            byte[] name = export.name().getBytes(StandardCharsets.UTF_8);
            byte[] description = export.description().getBytes(StandardCharsets.UTF_8);
            reply(option, Protocol.REP_SERVER, ByteBuffer.allocate(4 + name.length + description.length)
                    .putInt(name.length).put(name).put(description).array());
        }
        reply(option, Protocol.REP_ACK);
    }

    // ---- agreeing on how to talk

    private void startTls(int option, ByteBuffer data) throws IOException, Refusal {
        Optional<Tls> tls = server.settings().tls();
        if (tls.isEmpty()) {
            throw new Refusal(Protocol.REP_ERR_UNSUP, "there is no TLS here");
        }
        if (secured) {
            throw new Refusal(Protocol.REP_ERR_INVALID, "TLS is there already");
        }
        checkEnd(data);
        if (input.pending()) { // it would be taken for something that came over TLS
            throw new ProtocolException("does not wait for the answer to NBD_OPT_STARTTLS");
        }
        reply(option, Protocol.REP_ACK);
        flush();
        wire = tls.get().over(wire);
        connection.upgrade(wire);
        input = new Input(wire);
        secured = true;
        style = Style.SIMPLE; // MUST NOT preserve any negotiation state
        contexts = List.of();
    }

    private void structuredReply(int option, ByteBuffer data) throws IOException, Refusal {
        checkEnd(data);
        if (style == Style.EXTENDED) {
            throw new Refusal(Protocol.REP_ERR_EXT_HEADER_REQD, "extended headers were agreed on");
        }
        style = Style.STRUCTURED;
        reply(option, Protocol.REP_ACK);
    }

    private void extendedHeaders(int option, ByteBuffer data) throws IOException, Refusal {
        checkEnd(data);
        style = Style.EXTENDED;
        reply(option, Protocol.REP_ACK);
    }

    private void listMetaContext(int option, ByteBuffer data) throws IOException, Refusal {
        Query query = Query.decode(data);
        find(query.export);
        for (MetaContext context : query.queries.isEmpty() ? List.of(MetaContext.values()) : query.matching(true)) {
            reply(option, Protocol.REP_META_CONTEXT, context(0, context));
        }
        reply(option, Protocol.REP_ACK);
    }

    private void setMetaContext(int option, ByteBuffer data) throws IOException, Refusal {
        contexts = List.of(); // also if this fails
        if (style == Style.SIMPLE) {
            throw new Refusal(Protocol.REP_ERR_INVALID, "structured replies come first");
        }
        Query query = Query.decode(data);
        find(query.export);
        contexts = query.matching(false);
        contextsOf = query.export;
        for (MetaContext context : contexts) {
            reply(option, Protocol.REP_META_CONTEXT, context(context.id(), context));
        }
        reply(option, Protocol.REP_ACK);
    }

    private static byte[] context(int id, MetaContext context) {
        byte[] name = context.toString().getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(4 + name.length).putInt(id).put(name).array();
    }

    /// {@return the contexts that were chosen, if it was for this export}
    private List<MetaContext> contextsFor(String export) {
        return export.equals(contextsOf) ? contexts : List.of();
    }

    /// What a client says that asks for contexts.
    private record Query(String export, List<String> queries) {

        static Query decode(ByteBuffer data) throws Refusal {
            try {
                String export = string(data, data.getInt());
                int count = data.getInt();
                List<String> queries = new ArrayList<>();
                for (int i = 0; i != count; i++) { // each takes some bytes, so the data ends before the memory
                    String query = string(data, data.getInt());
                    if (query.indexOf(':') <= 0) {
                        throw new Refusal(Protocol.REP_ERR_INVALID, "a query without a namespace and a colon");
                    }
                    queries.add(query);
                }
                checkEnd(data);
                return new Query(export, queries);
            } catch (BufferUnderflowException e) {
                throw tooShort();
            }
        }

        List<MetaContext> matching(boolean wildcards) {
            return queries.stream()
                    .flatMap(query -> MetaContext.matching(query, wildcards).stream())
                    .distinct()
                    .toList();
        }
    }

    // ---- data of options

    /// {@return a string: proto.md, section "Conventions"}
    private static String string(ByteBuffer data, int length) throws Refusal {
        if (length < 0 || length > data.remaining()) {
            throw tooShort();
        }
        if (length > Protocol.MAX_STRING) {
            throw new Refusal(Protocol.REP_ERR_INVALID, "a string of " + length + " bytes, at most " + Protocol.MAX_STRING + " may be");
        }
        try {
            String string = StandardCharsets.UTF_8.newDecoder().decode(data.slice().limit(length)).toString();
            data.position(data.position() + length);
            if (string.indexOf('\0') >= 0) {
                throw new Refusal(Protocol.REP_ERR_INVALID, "a string with a NUL in it");
            }
            return string;
        } catch (CharacterCodingException e) {
            throw new Refusal(Protocol.REP_ERR_INVALID, "a string that is not UTF-8");
        }
    }

    private static void checkEnd(ByteBuffer data) throws Refusal {
        if (data.hasRemaining()) {
            throw new Refusal(Protocol.REP_ERR_INVALID, data.remaining() + " bytes of data too many");
        }
    }

    private static Refusal tooShort() {
        return new Refusal(Protocol.REP_ERR_INVALID, "the data ends too early");
    }

    // ---- replies

    private void reply(int option, int type, byte... data) throws IOException {
        append(ByteBuffer.allocate(20 + data.length)
                .putLong(Protocol.OPTION_REPLY_MAGIC)
                .putInt(option)
                .putInt(type)
                .putInt(data.length)
                .put(data));
    }

    private void append(ByteBuffer bytes) throws IOException {
        outbox.writeBytes(bytes.array());
        if (outbox.size() > OUTBOX) {
            flush();
        }
    }

    private void flush() throws IOException {
        wire.write(ByteBuffer.wrap(outbox.toByteArray()));
        outbox.reset();
    }
}
