package varve.mounthelper.fuse;


/// Numbers and layouts of the protocol: `linux/fuse.h`, whose names they have. All fields are in the machine's own byte order
/// and aligned.
final class Protocol {

    static final int VERSION = 7;
    static final int MINOR = 31; // what is spoken; a later kernel speaks it, too
    static final int OLDEST = 28; // the first with what is needed here: FUSE_MAX_PAGES, linux 4.20

    static final int LOOKUP = 1;
    static final int FORGET = 2;
    static final int GETATTR = 3;
    static final int OPEN = 14;
    static final int READ = 15;
    static final int WRITE = 16;
    static final int STATFS = 17;
    static final int RELEASE = 18;
    static final int FSYNC = 20;
    static final int FLUSH = 25;
    static final int INIT = 26;
    static final int OPENDIR = 27;
    static final int READDIR = 28;
    static final int RELEASEDIR = 29;
    static final int INTERRUPT = 36;
    static final int DESTROY = 38;
    static final int BATCH_FORGET = 42;
    static final int FALLOCATE = 43;
    static final int LSEEK = 46;

    // flags of INIT
    static final int ASYNC_READ = 1;
    static final int BIG_WRITES = 1 << 5;
    static final int ASYNC_DIO = 1 << 15;
    static final int PARALLEL_DIROPS = 1 << 18;
    static final int MAX_PAGES = 1 << 22;

    // flags of OPEN's answer
    static final int KEEP_CACHE = 1 << 1;

    // fuse_in_header, fuse_out_header
    static final int IN_HEADER = 40;
    static final int OUT_HEADER = 16;

    static final int ATTR = 88;
    static final int ENTRY_OUT = 40 + ATTR;
    static final int ATTR_OUT = 16 + ATTR;
    static final int OPEN_OUT = 16;
    static final int WRITE_IN = 40;
    static final int WRITE_OUT = 8;
    static final int LSEEK_OUT = 8;
    static final int STATFS_OUT = 80;
    static final int INIT_OUT = 64;
    static final int DIRENT = 24; // without the name

    static final long ROOT = 1;

    // what an open file's flags say, asm-generic/fcntl.h
    static final int O_ACCMODE = 3;

    // linux/fs.h
    static final int SEEK_DATA = 3;
    static final int SEEK_HOLE = 4;
    static final int FALLOC_FL_KEEP_SIZE = 1;
    static final int FALLOC_FL_PUNCH_HOLE = 2;
    static final int FALLOC_FL_ZERO_RANGE = 16;

    // linux/stat.h
    static final int S_IFDIR = 0x4000;
    static final int S_IFREG = 0x8000;


    private Protocol() {}
}
