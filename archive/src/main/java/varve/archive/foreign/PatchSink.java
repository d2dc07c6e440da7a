package varve.archive.foreign;

import java.io.IOException;
import varve.archive.block.RefusedException;

/// Takes what a patch says, in its order: what comes later counts.
interface PatchSink {

    /// The device has this size from here on; what is cut off is lost, what is added is zero.
    void resize(long size) throws IOException;

    /// Bytes of the device are in the patch.
    ///
    /// @param position in the patch
    /// @throws RefusedException if they reach past the end of the device
    void data(long offset, long length, long position) throws IOException;

    /// Bytes of the device are zero. What reaches past its end is passed over.
    void zero(long offset, long length) throws IOException;
}
