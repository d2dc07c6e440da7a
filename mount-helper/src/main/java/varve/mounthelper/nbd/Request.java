package varve.mounthelper.nbd;

import java.io.IOException;
import java.util.Optional;

/// One request: proto.md, section "Request message".
///
/// | bytes | compact | extended |
/// |---|---|---|
/// | 4 | magic `0x25609513` | magic `0x21e41c71` |
/// | 2 | command flags | command flags |
/// | 2 | type | type |
/// | 8 | cookie | cookie |
/// | 8 | offset | offset |
/// | 4 or 8 | length, 4 bytes | length, 8 bytes |
///
/// @param command what is asked for; empty if there is no such command
/// @param offset as it came: what is 2^63 and more is negative
/// @param length of the payload that follows, or of the range that is meant; as it came
/// @param payload whether a payload follows
record Request(int flags, Optional<Command> command, long cookie, long offset, long length, boolean payload) {

    static Request decode(Input input, boolean extended) throws IOException {
        int magic = input.i32();
        if (magic != (extended ? Protocol.EXTENDED_REQUEST_MAGIC : Protocol.REQUEST_MAGIC)) {
            throw new ProtocolException("a request that begins with 0x" + Integer.toHexString(magic));
        }
        int flags = input.u16();
        Optional<Command> command = Command.of(input.u16());
        long cookie = input.i64();
        long offset = input.i64();
        long length = extended ? input.i64() : input.u32();
        boolean payload = extended ? (flags & Protocol.CMD_FLAG_PAYLOAD_LEN) != 0 : command.equals(Optional.of(Command.WRITE));
        return new Request(flags, command, cookie, offset, length, payload);
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /// {@return whether a range from its offset on lies within a device}
    boolean within(long size, long length) {
        return offset >= 0 && length >= 0 && offset <= size && length <= size - offset;
    }
}
