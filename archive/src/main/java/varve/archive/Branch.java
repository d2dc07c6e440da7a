package varve.archive;

import java.io.IOException;
import varve.archive.block.BlockSource;
import varve.archive.format.State;

/// A source that began as a point in time and has been written since: it knows what it has of its own, so that no more has to be
/// read, and is recorded as a delta to where it began.
public interface Branch extends BlockSource {

    /// Takes ranges of bytes.
    @FunctionalInterface
    interface Ranges {
        void add(long offset, long size) throws IOException;
    }

    /// {@return the state that it began with}
    State base();

    /// {@return what the point in time was called that it began with}
    String point();

    /// Names all that may differ from the base.
    void changes(Ranges ranges) throws IOException;
}
