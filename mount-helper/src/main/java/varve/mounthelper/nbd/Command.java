package varve.mounthelper.nbd;

import java.util.Optional;
import java.util.stream.Stream;

/// What a client can ask for in transmission: proto.md, section "Request types". Each stands at its number.
enum Command {
    READ(false, Protocol.CMD_FLAG_DF),
    WRITE(true, Protocol.CMD_FLAG_PAYLOAD_LEN),
    DISC(false, 0),
    FLUSH(false, 0),
    TRIM(true, 0),
    CACHE(false, 0),
    WRITE_ZEROES(true, Protocol.CMD_FLAG_NO_HOLE),
    BLOCK_STATUS(false, Protocol.CMD_FLAG_REQ_ONE | Protocol.CMD_FLAG_PAYLOAD_LEN);

    private final boolean writes;
    private final int flags;

    /// @param flags that are for this command; that of extended headers not without these
    Command(boolean writes, int flags) {
        this.writes = writes;
        this.flags = flags;
    }

    static Optional<Command> of(int number) {
        return Stream.of(values()).filter(command -> command.ordinal() == number).findFirst();
    }

    boolean writes() {
        return writes;
    }

    /// {@return the command flags that a client may set}
    int flags() {
        return flags;
    }
}
