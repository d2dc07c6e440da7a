package varve.mounthelper.nbd;

import java.io.IOException;
import varve.archive.block.BlockSource;
import varve.archive.block.BlockTarget;

/// One thing that a server offers, not opened yet.
public interface Export {

    /// {@return its name, the one that the list of exports has}
    String name();

    /// {@return what it is, in a line for people}
    String description();

    /// {@return its size in bytes}
    long size();

    /// {@return whether what [#open] gives is a [BlockTarget]}
    boolean writable();

    /// Opens it for one connection, which closes it. What is written over one connection can be read over all.
    BlockSource open() throws IOException;
}
