package varve.archive.file;

/// Whether what is read of a data file will be read again.
public enum Reading {
    /// Probably not: pages that were not in the page cache before do not stay there.
    ONCE,

    /// As clients like: the kernel keeps what it can.
    OFTEN
}
