package varve.mounthelper.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import varve.archive.block.BlockSource;
import varve.archive.block.BlockTarget;
import varve.archive.block.Run;
import varve.archive.linux.SystemCallException;
import varve.mounthelper.image.Composed;
import varve.mounthelper.image.Origin;
import varve.mounthelper.nbd.Replies.Descriptor;
import varve.mounthelper.nbd.Session.Style;

/// The second phase of a connection: requests and their replies. proto.md, sections "Transmission" and "Request types".
///
/// One thread takes requests, each is served in a thread of its own, and replies go out as they are ready. So many
/// requests are under way at most, in so much memory ([Share]); the next ones wait in the socket.
final class Transmission {

    private static final int MOST_UNDER_WAY = 64;
    private static final int PIECE = 1 << 20; // that a reply to a large read is sent in
    private static final int MOST_DESCRIPTORS = 4096; // in a reply
    private static final int MOST_RUNS = 64 << 10; // that are looked at for a reply
    private static final long LONGEST_COMPACT = 0xffff_f000L; // what 32 bits can say, in whole blocks
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final NbdServer server;
    private final Connection connection;
    private final Input input;
    private final Session session;
    private final BlockSource source;
    private final long size;
    private final Replies replies;
    private final Semaphore slots = new Semaphore(MOST_UNDER_WAY);

    /// Why a request is not granted.
    ///
    /// @param error number of the protocol
    private record Problem(int error, String message) {}

    /// What is to be done for a request.
    @FunctionalInterface
    private interface Work {
        void run() throws IOException;
    }

    Transmission(NbdServer server, Connection connection, Input input, Session session, Replies replies) {
        this.server = server;
        this.connection = connection;
        this.input = input;
        this.session = session;
        this.source = session.source();
        this.size = source.size();
        this.replies = replies;
    }

    /// Serves until the client disconnects; in the end nothing is under way any more, and the source is closed.
    void run() throws IOException {
        try (source) {
            try {
                while (take(Request.decode(input, extended()))) {
                    // and the next one
                }
            } catch (EOFException e) {
                // it may still wait for replies
            } catch (Throwable e) {
                connection.cut();
                throw e;
            } finally {
                slots.acquireUninterruptibly(MOST_UNDER_WAY);
            }
        }
    }

    /// {@return whether requests are under way}
    boolean busy() {
        return slots.availablePermits() < MOST_UNDER_WAY;
    }

    private boolean extended() {
        return session.style() == Style.EXTENDED;
    }

    // ---- taking requests

    /// Takes a request, with its payload.
    ///
    /// @return false if it is the last one
    private boolean take(Request request) throws IOException {
        if (request.payload() && Long.compareUnsigned(request.length(), Protocol.MAX_PAYLOAD) > 0) {
            throw new ProtocolException("a payload of " + Long.toUnsignedString(request.length()) + " bytes, at most "
                    + Protocol.MAX_PAYLOAD + " are taken");
        }
        if (request.command().equals(Optional.of(Command.DISC))) {
            return false;
        }
        Optional<Problem> problem = problem(request);
        if (problem.isPresent()) {
            input.skip(request.payload() ? request.length() : 0);
            start(request, () -> replies.error(request, problem.get().error, problem.get().message));
        } else {
            switch (request.command().orElseThrow()) {
                case READ -> start(request, () -> read(request));
                case WRITE -> takeWrite(request);
                case FLUSH -> start(request, () -> change(request, this::flush));
                case TRIM -> start(request, () -> change(request, () -> target().discard(request.offset(), request.length())));
                case WRITE_ZEROES -> start(request, () -> change(request, () -> zero(request)));
                case CACHE -> start(request, () -> cache(request));
                case BLOCK_STATUS -> takeBlockStatus(request);
                case DISC -> throw new AssertionError();
            }
        }
        return true;
    }

    private void start(Request request, Work work) throws IOException {
        try {
            slots.acquire();
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        }
        Thread.startVirtualThread(() -> {
            try {
                work.run();
            } catch (IOException e) {
                connection.cut(); // the client is gone, or it has got half of a reply
            } catch (Throwable e) {
                connection.say(request + ": unexpected, please report it: " + e);
                connection.cut();
            } finally {
                slots.release();
            }
        });
    }

    /// {@return what is wrong with a request, whatever the source holds}: proto.md, section "Error values"
    private Optional<Problem> problem(Request request) {
        if (server.ending()) {
            return problem(Protocol.ESHUTDOWN, "the server is about to end");
        }
        if (request.command().isEmpty()) {
            return problem(Protocol.EINVAL, "no such command");
        }
        Command command = request.command().get();
        if (command.writes() && !session.writable()) {
            return problem(Protocol.EPERM, source.name() + ": read-only");
        }
        if ((request.flags() & ~flags(command)) != 0) {
            return problem(Protocol.EINVAL, "flags 0x" + Integer.toHexString(request.flags()) + " of " + command);
        }
        if (extended() && (request.payload() ? request.length() == 0 : command == Command.WRITE)) {
            return problem(Protocol.EINVAL, "no payload of " + command);
        }
        return switch (command) {
            case READ -> request.within(size, request.length()) ? tooLong(request) : beyond(request, Protocol.EINVAL);
            case WRITE, WRITE_ZEROES -> request.within(size, request.length()) ? Optional.empty() : beyond(request, Protocol.ENOSPC);
            case TRIM, CACHE -> request.within(size, request.length()) ? Optional.empty() : beyond(request, Protocol.EINVAL);
            case FLUSH -> request.offset() == 0 && request.length() == 0
                    ? Optional.empty()
                    : problem(Protocol.EINVAL, "flush is of all, not of a range");
            case BLOCK_STATUS -> session.contexts().isEmpty()
                    ? problem(Protocol.EINVAL, "no metadata context was agreed on")
                    : request.payload() ? Optional.empty() : outside(request, request.length());
            case DISC -> Optional.empty();
        };
    }

    private static Optional<Problem> problem(int error, String message) {
        return Optional.of(new Problem(error, message));
    }

    private Optional<Problem> beyond(Request request, int error) {
        return problem(error, Long.toUnsignedString(request.length()) + " bytes at " + Long.toUnsignedString(request.offset())
                + " of a device of " + size);
    }

    private Optional<Problem> outside(Request request, long length) {
        return length > 0 && request.within(size, length) ? Optional.empty() : beyond(request, Protocol.EINVAL);
    }

    /// a simple reply has no other way out; with chunks the client may try less
    private Optional<Problem> tooLong(Request request) {
        return request.length() <= Protocol.MAX_PAYLOAD
                ? Optional.empty()
                : problem(session.style() == Style.SIMPLE ? Protocol.EINVAL : Protocol.EOVERFLOW,
                        request.length() + " bytes in one read, at most " + Protocol.MAX_PAYLOAD + " are given");
    }

    /// section "Command flags": each only where it is documented, and was agreed on
    private int flags(Command command) {
        int flags = command.flags();
        if (session.style() == Style.SIMPLE) {
            flags &= ~Protocol.CMD_FLAG_DF;
        }
        if (!extended()) {
            flags &= ~Protocol.CMD_FLAG_PAYLOAD_LEN;
        }
        return session.writable() ? flags | Protocol.CMD_FLAG_FUA : flags;
    }

    // ---- reading

    private void read(Request request) throws IOException {
        if (request.length() == 0) {
            replies.done(request);
        } else if (session.style() == Style.SIMPLE || request.has(Protocol.CMD_FLAG_DF)) {
            readWhole(request);
        } else {
            readPieces(request);
        }
    }

    private void readWhole(Request request) throws IOException {
        MemorySegment buffer = connection.share().take(request.length());
        try {
            Optional<Problem> problem = attempt(() -> source.read(request.offset(), buffer));
            if (problem.isPresent()) {
                replies.error(request, problem.get().error, problem.get().message);
            } else {
                replies.data(request, request.offset(), buffer, true);
            }
        } finally {
            connection.share().free(buffer);
        }
    }

    private void readPieces(Request request) throws IOException {
        long end = request.offset() + request.length();
        for (long at = request.offset(); at < end; ) {
            long offset = at;
            Run[] run = new Run[1];
            Optional<Problem> problem = attempt(() -> run[0] = source.runAt(offset, end - offset));
            if (problem.isEmpty() && run[0].zero()) {
                at += run[0].size();
                replies.hole(request, offset, run[0].size(), at == end);
            } else if (problem.isEmpty()) {
                at = Math.min(offset + run[0].size(), (offset / PIECE + 1) * PIECE);
                problem = readPiece(request, offset, at - offset, at == end);
            }
            if (problem.isPresent()) {
                replies.error(request, problem.get().error, problem.get().message, offset);
                return;
            }
        }
    }

    private Optional<Problem> readPiece(Request request, long offset, long length, boolean last) throws IOException {
        MemorySegment buffer = connection.share().take(length);
        try {
            Optional<Problem> problem = attempt(() -> source.read(offset, buffer));
            if (problem.isEmpty()) {
                replies.data(request, offset, buffer, last);
            }
            return problem;
        } finally {
            connection.share().free(buffer);
        }
    }

    private void cache(Request request) throws IOException {
        if (source instanceof Composed image) {
            attempt(() -> image.expect(request.offset(), request.length()));
        }
        replies.done(request);
    }

    // ---- writing

    private BlockTarget target() {
        return (BlockTarget) source;
    }

    private void takeWrite(Request request) throws IOException {
        MemorySegment buffer = connection.share().take(request.length());
        try {
            connection.receiving().begin();
            try {
                input.fill(buffer);
            } finally {
                connection.receiving().end();
            }
            start(request, () -> {
                try {
                    change(request, () -> target().write(request.offset(), buffer));
                } finally {
                    connection.share().free(buffer);
                }
            });
        } catch (Throwable e) { // it was not started
            connection.share().free(buffer);
            throw e;
        }
    }

    private void flush() throws IOException {
        if (session.writable()) {
            target().flush();
        }
    }

    private void zero(Request request) throws IOException {
        target().zero(request.offset(), request.length(), request.has(Protocol.CMD_FLAG_NO_HOLE));
    }

    private void change(Request request, Work work) throws IOException {
        Optional<Problem> problem = attempt(() -> {
            work.run();
            if (request.has(Protocol.CMD_FLAG_FUA)) {
                flush();
            }
        });
        if (problem.isPresent()) {
            replies.error(request, problem.get().error, problem.get().message);
        } else {
            replies.done(request);
        }
    }

    /// Does something with the source.
    ///
    /// @return what went wrong
    private Optional<Problem> attempt(Work work) {
        try {
            work.run();
            return Optional.empty();
        } catch (IOException e) {
            return problem(error(e), e.getMessage() == null ? e.toString() : e.getMessage());
        } catch (RuntimeException | Error e) { // a page of a mapped table that cannot be read is an InternalError
            connection.say(source.name() + ": unexpected, please report it: " + e);
            return problem(Protocol.EIO, e.toString());
        }
    }

    private static int error(IOException thrown) {
        Throwable cause = thrown.getCause() == null ? thrown : thrown.getCause();
        return cause instanceof SystemCallException e && e.errno() == SystemCallException.ENOSPC ? Protocol.ENOSPC : Protocol.EIO;
    }

    // ---- block status

    /// Takes the payload, if there is one: 8 bytes of length, and the ids of some contexts, 4 bytes each.
    private void takeBlockStatus(Request request) throws IOException {
        long length = request.length();
        Set<MetaContext> contexts = EnumSet.copyOf(session.contexts());
        if (request.payload()) {
            int most = Long.BYTES + Integer.BYTES * MetaContext.values().length;
            Optional<MemorySegment> payload = Optional.empty();
            if (length <= most && length >= Long.BYTES && length % Integer.BYTES == 0) {
                payload = Optional.of(MemorySegment.ofArray(input.bytes((int) length)));
            } else {
                input.skip(length);
            }
            contexts = payload.map(this::contexts).orElse(Set.of());
            length = payload.map(bytes -> bytes.get(U64, 0)).orElse(0L);
        }
        Optional<Problem> problem = contexts.isEmpty()
                ? problem(Protocol.EINVAL, "not a list of metadata contexts that were agreed on")
                : outside(request, length);
        long asked = length;
        List<MetaContext> about = List.copyOf(contexts);
        start(request, () -> {
            if (problem.isPresent()) {
                replies.error(request, problem.get().error, problem.get().message);
            } else {
                status(request, asked, about);
            }
        });
    }

    /// {@return the contexts that a payload lists; empty if it lists one twice, or one that was not agreed on}
    private Set<MetaContext> contexts(MemorySegment payload) {
        Set<MetaContext> contexts = EnumSet.noneOf(MetaContext.class);
        for (long at = Long.BYTES; at < payload.byteSize(); at += Integer.BYTES) {
            Optional<MetaContext> context = MetaContext.of(payload.get(U32, at)).filter(session.contexts()::contains);
            if (context.isEmpty() || !contexts.add(context.get())) {
                return Set.of();
            }
        }
        return contexts;
    }

    private void status(Request request, long length, List<MetaContext> contexts) throws IOException {
        List<List<Descriptor>> found = new ArrayList<>();
        Optional<Problem> problem = attempt(() -> {
            for (MetaContext context : contexts) {
                found.add(descriptors(context, request, length));
            }
        });
        if (problem.isPresent()) {
            replies.error(request, problem.get().error, problem.get().message);
            return;
        }
        for (int i = 0; i < contexts.size(); i++) {
            replies.status(request, contexts.get(i), found.get(i), i == contexts.size() - 1);
        }
    }

    private List<Descriptor> descriptors(MetaContext context, Request request, long length) throws IOException {
        int most = request.has(Protocol.CMD_FLAG_REQ_ONE) ? 1 : MOST_DESCRIPTORS;
        long end = request.offset() + length;
        List<Descriptor> descriptors = new ArrayList<>();
        int runs = 0;
        for (long at = request.offset(); at < end && runs < MOST_RUNS; runs++) {
            Origin origin = originAt(at, Math.min(LONGEST_COMPACT, end - at));
            Descriptor next = new Descriptor(origin.size(), status(context, origin));
            Descriptor last = descriptors.isEmpty() ? null : descriptors.getLast();
            if (last != null && last.status() == next.status() && (extended() || last.size() + next.size() <= LONGEST_COMPACT)) {
                descriptors.set(descriptors.size() - 1, new Descriptor(last.size() + next.size(), next.status()));
            } else if (descriptors.size() == most) {
                break;
            } else {
                descriptors.add(next);
            }
            at += origin.size();
        }
        return descriptors;
    }

    private Origin originAt(long offset, long most) throws IOException {
        if (source instanceof Composed image) {
            return image.originAt(offset, most);
        }
        Run run = source.runAt(offset, most);
        return new Origin(run.size(), run.zero(), 0);
    }

    private static long status(MetaContext context, Origin origin) {
        return switch (context) {
            case ALLOCATION -> origin.zero() ? Protocol.STATE_HOLE | Protocol.STATE_ZERO : 0;
            case ARCHIVE -> origin.point();
        };
    }
}
