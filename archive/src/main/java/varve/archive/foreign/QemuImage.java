package varve.archive.foreign;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import varve.archive.block.BlockSource;
import varve.archive.block.DeviceException;
import varve.archive.block.FileDevice;
import varve.archive.block.RefusedException;
import varve.archive.changes.ChangeList;
import varve.archive.format.JsonRows;

/// The image in a qcow2 file, as `qemu-nbd` serves it to this process alone; `qemu-img map` says where it has holes.
///
/// An image can name other files that belong to it. One that comes from somewhere else could so name any file of this machine, and
/// it would end up in the archive. So the header is looked at before any program of QEMU's is, and an image that does is refused.
///
/// Safe for use by several threads, which wait for each other. The server ends when it is closed, or this process dies.
final class QemuImage implements BlockSource {

    private static final int HEADER = 104;
    private static final int MAGIC = 0x514649fb;
    private static final long EXTERNAL_DATA = 4; // incompatible feature, qcow2.txt

    private static final long NBD_MAGIC = 0x4e42444d41474943L; // nbd proto.md, fixed newstyle negotiation
    private static final long OPTION_MAGIC = 0x49484156454f5054L;
    private static final int OPTION_EXPORT_NAME = 1;
    private static final int FIXED_NEWSTYLE = 1;
    private static final int NO_ZEROES = 2;
    private static final int REQUEST = 0x25609513;
    private static final int REPLY = 0x67446698;
    private static final int READ = 0;

    private static final int ONLY_LEAKS = 3; // qemu-img(1)

    private static final int UNIT = 1 << 20;
    private static final long PATIENCE_SECONDS = 60;

    private final Path file;
    private final Path folder;
    private final Process server;
    private final SocketChannel socket;
    private final DataInputStream in;
    private final DataOutputStream out;
    private final byte[] unit = new byte[UNIT];
    private final long size;
    private final ChangeList data;

    /// Opens an image.
    ///
    /// @throws RefusedException if it is none, or needs other files
    static QemuImage open(Path file) throws IOException {
        checkHeader(file);
        Path folder = Files.createTempDirectory("varve-qemu-"); // with mode 0700
        Process server = null;
        try {
            Path socket = folder.resolve("nbd.sock");
            server = start(folder, "qemu-nbd", "--read-only", "--format=qcow2", "--socket=" + socket, "--", absolute(file));
            return new QemuImage(file, folder, server, connect(socket, server, folder));
        } catch (Throwable e) {
            end(server, folder);
            throw e;
        }
    }

    private static String absolute(Path file) {
        return file.toAbsolutePath().toString(); // so that QEMU does not take it for a protocol
    }

    private static void checkHeader(Path file) throws IOException {
        try (FileDevice device = FileDevice.open(file);
                Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(HEADER, 4096);
            if (device.size() < HEADER) {
                throw new RefusedException(file + ": expected a qcow2 image, found " + device.size() + " bytes");
            }
            device.read(0, bytes);
            ByteBuffer header = bytes.asByteBuffer().order(ByteOrder.BIG_ENDIAN);
            int version = header.getInt(4);
            if (header.getInt(0) != MAGIC || version < 2 || version > 3) {
                throw new RefusedException(file + ": expected a qcow2 image of version 2 or 3, found another file");
            }
            if (header.getLong(8) != 0) {
                throw new RefusedException(file + ": is the overlay of another image, and does not hold all of it; make one that does with "
                        + "qemu-img convert, if you know that file");
            }
            if (version == 3 && (header.getLong(72) & EXTERNAL_DATA) != 0) {
                throw new RefusedException(file + ": keeps its data in another file; make an image that does not with qemu-img convert, if you know that file");
            }
            if (header.getInt(32) != 0) {
                throw new RefusedException(file + ": is encrypted; decrypt it with qemu-img convert");
            }
        }
    }

    private static Process start(Path folder, String... command) throws IOException {
        try {
            return new ProcessBuilder(command).redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectError(folder.resolve("log").toFile()).start();
        } catch (IOException e) {
            throw new DeviceException(command[0] + ": cannot be run: " + e.getMessage() + "; it is in the package qemu-utils", e);
        }
    }

    private static SocketChannel connect(Path path, Process server, Path folder) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (true) {
            SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                socket.connect(UnixDomainSocketAddress.of(path));
                return socket;
            } catch (IOException e) {
                socket.close();
                if (!server.isAlive() || System.nanoTime() > end) {
                    throw new DeviceException("qemu-nbd does not serve the image: " + log(folder), e);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            }
        }
    }

    private static String log(Path folder) throws IOException {
        Path log = folder.resolve("log");
        return Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8).strip().replace('\n', ' ') : "it says nothing";
    }

    private QemuImage(Path file, Path folder, Process server, SocketChannel socket) throws IOException {
        this.file = file;
        this.folder = folder;
        this.server = server;
        this.socket = socket;
        this.in = new DataInputStream(Channels.newInputStream(socket));
        this.out = new DataOutputStream(new BufferedOutputStream(Channels.newOutputStream(socket)));
        this.size = shakeHands();
        this.data = new ChangeList(size);
        check();
        map();
    }

    private long shakeHands() throws IOException {
        if (in.readLong() != NBD_MAGIC || in.readLong() != OPTION_MAGIC || (in.readUnsignedShort() & FIXED_NEWSTYLE) == 0) {
            throw new DeviceException(file + ": qemu-nbd does not speak the protocol that was expected");
        }
        out.writeInt(FIXED_NEWSTYLE | NO_ZEROES);
        out.writeLong(OPTION_MAGIC);
        out.writeInt(OPTION_EXPORT_NAME);
        out.writeInt(0);
        out.flush();
        long length = in.readLong();
        in.readUnsignedShort(); // what else it can do
        return length;
    }

    /// Has the tables of the image checked: QEMU reads what is not there as zeros.
    private void check() throws IOException {
        int code = run(rows -> rows.transferTo(OutputStream.nullOutputStream()), "qemu-img", "check", "--force-share", "--format=qcow2", "--", absolute(file));
        if (code != 0 && code != ONLY_LEAKS) {
            throw new RefusedException(file + ": qemu-img check finds that it is damaged, or cut off: " + log(folder) + "; nothing was recorded");
        }
    }

    private void map() throws IOException {
        long fileSize = Files.size(file);
        int code = run(
                rows -> JsonRows.read(rows, "", row -> {
                    long length = row.number("length");
                    if (row.has("offset") && row.number("offset") > fileSize - length) {
                        throw new IllegalArgumentException("it is cut off: it has data at " + row.number("offset") + ", the file ends at " + fileSize);
                    }
                    if (!"true".equals(row.text("zero"))) {
                        data.add(row.number("start"), length);
                    }
                }),
                "qemu-img", "map", "--force-share", "--output=json", "--format=qcow2", "--", absolute(file));
        if (code != 0) {
            throw new DeviceException(file + ": qemu-img map cannot read it: " + log(folder));
        }
    }

    private interface Reading {
        void read(InputStream rows) throws IOException;
    }

    /// {@return the exit code of a program, whose output is read}
    private int run(Reading reading, String... command) throws IOException {
        Process program = start(folder, command);
        try (InputStream rows = program.getInputStream()) {
            reading.read(rows);
            return program.waitFor();
        } catch (IllegalArgumentException e) {
            throw new RefusedException(file + ": no qcow2 image that can be used: " + e.getMessage() + "; nothing was recorded");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(file + ": interrupted");
        } finally {
            program.destroy();
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public String name() {
        return file.toString();
    }

    @Override
    public synchronized void read(long offset, MemorySegment into) throws IOException {
        for (long done = 0; done < into.byteSize(); ) {
            int part = (int) Math.min(UNIT, into.byteSize() - done);
            try {
                readUnit(offset + done, part);
            } catch (EOFException e) {
                throw new DeviceException(file + ": cannot read at " + (offset + done) + ": qemu-nbd has ended: " + log(folder), e);
            }
            MemorySegment.copy(MemorySegment.ofArray(unit), 0, into, done, part);
            done += part;
        }
    }

    private void readUnit(long offset, int length) throws IOException {
        out.writeInt(REQUEST);
        out.writeShort(0);
        out.writeShort(READ);
        out.writeLong(offset);
        out.writeLong(offset);
        out.writeInt(length);
        out.flush();
        int magic = in.readInt();
        int error = in.readInt();
        long handle = in.readLong();
        if (magic != REPLY || handle != offset) {
            throw new DeviceException(file + ": cannot read at " + offset + ": qemu-nbd answers something else");
        }
        if (error != 0) {
            throw new DeviceException(file + ": cannot read at " + offset + ": qemu-nbd says error " + error);
        }
        in.readFully(unit, 0, length);
    }

    @Override
    public long dataFrom(long offset) {
        return data.listedFrom(offset);
    }

    @Override
    public long dataUntil(long offset) {
        return data.unlistedFrom(offset);
    }

    @Override
    public void close() throws IOException {
        socket.close();
        end(server, folder);
    }

    private static void end(Process server, Path folder) throws IOException {
        if (server != null) {
            server.destroy();
            server.onExit().join();
        }
        for (String left : List.of("nbd.sock", "log")) {
            Files.deleteIfExists(folder.resolve(left));
        }
        Files.deleteIfExists(folder);
    }
}
