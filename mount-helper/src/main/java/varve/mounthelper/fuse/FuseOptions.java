package varve.mounthelper.fuse;

/// How a tree is mounted.
///
/// @param writable whether files in it may be; if not, the kernel refuses every write by itself
/// @param others whether other users than the one who mounts may look, too
public record FuseOptions(boolean writable, boolean others) {

    public static final FuseOptions PRIVATE = new FuseOptions(false, false);
}
