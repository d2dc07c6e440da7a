package varve.archive.ceph;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.block.BlockSource;
import varve.archive.block.DeviceException;

/// A snapshot of an image of a Ceph cluster, open for reading. The cluster is the one of `ceph.conf`, or of what `CEPH_CONF` names; the user is
/// `client.admin`, or the one that `CEPH_ARGS` names with `--id` or `--name`.
///
/// A request that the cluster does not answer in time is an error, not a wait without end. Safe for use by several threads.
public final class RbdDevice implements BlockSource {

    private static final String LIBRARIES = "librbd1";
    private static final long POINTER = ADDRESS.byteSize();

    private final String name;
    private final MemorySegment cluster;
    private final MemorySegment pool;
    private final MemorySegment image;
    private final long size;

    private RbdDevice(String name, MemorySegment cluster, MemorySegment pool, MemorySegment image, long size) {
        this.name = name;
        this.cluster = cluster;
        this.pool = pool;
        this.image = image;
        this.size = size;
    }

    /// Opens a snapshot.
    ///
    /// @param limit for each request
    /// @throws NoSuchFileException if `librbd` is not installed
    public static RbdDevice open(String pool, Optional<String> namespace, String image, String snapshot, Duration limit) throws IOException {
        Calls calls = Calls.load();
        String name = pool + "/" + namespace.map(space -> space + "/").orElse("") + image + "@" + snapshot;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment holder = arena.allocate(POINTER);
            check(calls.create(holder, arena.allocateFrom(user(System.getenv("CEPH_ARGS")))), name, "no handle for the cluster");
            MemorySegment cluster = holder.get(ADDRESS, 0);
            MemorySegment ioctx = MemorySegment.NULL;
            MemorySegment handle = MemorySegment.NULL;
            try {
                check(calls.readConfiguration(cluster, MemorySegment.NULL), name, "cannot read ceph.conf");
                calls.readEnvironment(cluster, MemorySegment.NULL);
                String seconds = String.valueOf(Math.max(1, limit.toSeconds()));
                for (String option : new String[] {"rados_osd_op_timeout", "rados_mon_op_timeout", "client_mount_timeout"}) {
                    calls.configure(cluster, arena.allocateFrom(option), arena.allocateFrom(seconds)); // one that a version lacks does no harm
                }
                check(calls.connect(cluster), name, "cannot connect to the cluster");
                check(calls.openPool(cluster, arena.allocateFrom(pool), holder), name, "cannot open pool " + pool);
                ioctx = holder.get(ADDRESS, 0);
                namespace.ifPresent(space -> calls.useNamespace(holder.get(ADDRESS, 0), arena.allocateFrom(space)));
                MemorySegment place = arena.allocate(POINTER);
                check(calls.openImage(ioctx, arena.allocateFrom(image), place, arena.allocateFrom(snapshot)), name, "cannot be opened");
                handle = place.get(ADDRESS, 0);
                MemorySegment size = arena.allocate(JAVA_LONG);
                check(calls.size(handle, size), name, "has no size");
                return new RbdDevice(name, cluster, ioctx, handle, size.get(JAVA_LONG, 0));
            } catch (Throwable e) {
                if (!handle.equals(MemorySegment.NULL)) {
                    calls.closeImage(handle);
                }
                if (!ioctx.equals(MemorySegment.NULL)) {
                    calls.closePool(ioctx);
                }
                calls.shutdown(cluster);
                throw e;
            }
        }
    }

    /// {@return the name of the user that the options of Ceph's programs name, without `client.`}
    static String user(@Nullable String options) {
        String[] words = options == null ? new String[0] : options.strip().split("[\\s=]+");
        for (int i = 0; i + 1 < words.length; i++) {
            switch (words[i]) {
                case "--id", "--user" -> {
                    return words[i + 1];
                }
                case "-n", "--name" -> {
                    return words[i + 1].replaceFirst("^client\\.", "");
                }
                default -> {}
            }
        }
        return "admin";
    }

    private static void check(int result, String name, String what) throws DeviceException {
        if (result < 0) {
            throw new DeviceException("rbd:" + name + ": " + what + ": error " + -result);
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public String name() {
        return "rbd:" + name;
    }

    @Override
    public void read(long offset, MemorySegment into) throws IOException {
        for (long done = 0; done < into.byteSize(); ) {
            long count = Calls.load().read(image, offset + done, into.byteSize() - done, into.asSlice(done));
            if (count <= 0) {
                throw new DeviceException("rbd:" + name + ": cannot read at " + (offset + done) + ": "
                        + (count == 0 ? "it ends there, expected " + size : "error " + -count));
            }
            done += count;
        }
    }

    @Override
    public void close() throws IOException {
        Calls calls = Calls.load();
        calls.closeImage(image);
        calls.closePool(pool);
        calls.shutdown(cluster);
    }

    /// The functions of `librados` and `librbd` (`rados/librados.h`, `rbd/librbd.h`). Results below 0 are error numbers.
    private static final class Calls {

        private final MethodHandle create;
        private final MethodHandle readConfiguration;
        private final MethodHandle readEnvironment;
        private final MethodHandle configure;
        private final MethodHandle connect;
        private final MethodHandle openPool;
        private final MethodHandle useNamespace;
        private final MethodHandle closePool;
        private final MethodHandle shutdown;
        private final MethodHandle openImage;
        private final MethodHandle size;
        private final MethodHandle read;
        private final MethodHandle closeImage;

        private Calls(SymbolLookup rados, SymbolLookup rbd) {
            this.create = link(rados, "rados_create", JAVA_INT, ADDRESS, ADDRESS);
            this.readConfiguration = link(rados, "rados_conf_read_file", JAVA_INT, ADDRESS, ADDRESS);
            this.readEnvironment = link(rados, "rados_conf_parse_env", JAVA_INT, ADDRESS, ADDRESS);
            this.configure = link(rados, "rados_conf_set", JAVA_INT, ADDRESS, ADDRESS, ADDRESS);
            this.connect = link(rados, "rados_connect", JAVA_INT, ADDRESS);
            this.openPool = link(rados, "rados_ioctx_create", JAVA_INT, ADDRESS, ADDRESS, ADDRESS);
            this.useNamespace = link(rados, "rados_ioctx_set_namespace", null, ADDRESS, ADDRESS);
            this.closePool = link(rados, "rados_ioctx_destroy", null, ADDRESS);
            this.shutdown = link(rados, "rados_shutdown", null, ADDRESS);
            this.openImage = link(rbd, "rbd_open_read_only", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
            this.size = link(rbd, "rbd_get_size", JAVA_INT, ADDRESS, ADDRESS);
            this.read = link(rbd, "rbd_read", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
            this.closeImage = link(rbd, "rbd_close", JAVA_INT, ADDRESS);
        }

        /// Loaded when first needed.
        private static final class Loaded {
            static final Calls CALLS = new Calls(
                    SymbolLookup.libraryLookup("librados.so.2", Arena.global()), SymbolLookup.libraryLookup("librbd.so.1", Arena.global()));
        }

        static Calls load() throws NoSuchFileException {
            try {
                return Loaded.CALLS;
            } catch (ExceptionInInitializerError | NoClassDefFoundError e) {
                throw new NoSuchFileException("librbd.so.1", null, "this library is needed and not installed; it is in the package " + LIBRARIES);
            }
        }

        private static MethodHandle link(SymbolLookup library, String name, @Nullable MemoryLayout result, MemoryLayout... arguments) {
            FunctionDescriptor type = result == null ? FunctionDescriptor.ofVoid(arguments) : FunctionDescriptor.of(result, arguments);
            return Linker.nativeLinker().downcallHandle(library.find(name).orElseThrow(() -> new IllegalStateException("no " + name)), type);
        }

        private interface Call<T> {
            T make() throws Throwable;
        }

        private static <T> T call(Call<T> call) {
            try {
                return call.make();
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        int create(MemorySegment cluster, MemorySegment user) {
            return call(() -> (int) create.invokeExact(cluster, user));
        }

        int readConfiguration(MemorySegment cluster, MemorySegment file) {
            return call(() -> (int) readConfiguration.invokeExact(cluster, file));
        }

        int readEnvironment(MemorySegment cluster, MemorySegment name) {
            return call(() -> (int) readEnvironment.invokeExact(cluster, name));
        }

        int configure(MemorySegment cluster, MemorySegment option, MemorySegment value) {
            return call(() -> (int) configure.invokeExact(cluster, option, value));
        }

        int connect(MemorySegment cluster) {
            return call(() -> (int) connect.invokeExact(cluster));
        }

        int openPool(MemorySegment cluster, MemorySegment name, MemorySegment pool) {
            return call(() -> (int) openPool.invokeExact(cluster, name, pool));
        }

        void useNamespace(MemorySegment pool, MemorySegment name) {
            call(() -> {
                useNamespace.invokeExact(pool, name);
                return 0;
            });
        }

        void closePool(MemorySegment pool) {
            call(() -> {
                closePool.invokeExact(pool);
                return 0;
            });
        }

        void shutdown(MemorySegment cluster) {
            call(() -> {
                shutdown.invokeExact(cluster);
                return 0;
            });
        }

        int openImage(MemorySegment pool, MemorySegment name, MemorySegment image, MemorySegment snapshot) {
            return call(() -> (int) openImage.invokeExact(pool, name, image, snapshot));
        }

        int size(MemorySegment image, MemorySegment size) {
            return call(() -> (int) this.size.invokeExact(image, size));
        }

        long read(MemorySegment image, long offset, long length, MemorySegment into) {
            return call(() -> (long) read.invokeExact(image, offset, length, into));
        }

        int closeImage(MemorySegment image) {
            return call(() -> (int) closeImage.invokeExact(image));
        }
    }
}
