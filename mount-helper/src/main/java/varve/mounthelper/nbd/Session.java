package varve.mounthelper.nbd;

import java.util.List;
import varve.archive.block.BlockSource;

/// What a client and the server have agreed on: an export, opened, and how to talk about it.
///
/// @param contexts that block status is about
record Session(BlockSource source, boolean writable, Style style, List<MetaContext> contexts) {

    /// How requests and replies look: proto.md, section "Transmission".
    enum Style {
        SIMPLE,
        STRUCTURED,
        EXTENDED
    }

    /// {@return the flags that tell a client what it may do: proto.md, section "Transmission flags"}
    static int flags(boolean writable, Style style, boolean contexts) {
        int flags = Protocol.HAS_FLAGS | Protocol.CAN_MULTI_CONN | Protocol.SEND_CACHE;
        flags |= writable
                ? Protocol.SEND_FLUSH | Protocol.SEND_FUA | Protocol.SEND_TRIM | Protocol.SEND_WRITE_ZEROES
                : Protocol.READ_ONLY;
        if (style != Style.SIMPLE) {
            flags |= Protocol.SEND_DF;
        }
        if (style == Style.EXTENDED && contexts) {
            flags |= Protocol.BLOCK_STATUS_PAYLOAD;
        }
        return flags;
    }
}
