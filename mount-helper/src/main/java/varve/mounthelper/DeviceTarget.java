package varve.mounthelper;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import varve.archive.block.RefusedException;
import varve.archive.linux.Linux;
import varve.archive.linux.SystemCallException;

/// A block device, which this process alone holds from the first look to the end.
///
/// The device may be larger than the image: what is beyond is left alone.
final class DeviceTarget extends Target {

    private final int hold;
    private final long deviceSize;
    private final boolean inPlace;
    private final String contents;

    private DeviceTarget(Path path, int hold, long deviceSize, boolean inPlace, String contents) {
        super(path);
        this.hold = hold;
        this.deviceSize = deviceSize;
        this.inPlace = inPlace;
        this.contents = contents;
    }

    static DeviceTarget open(Path path, long size, boolean inPlace) throws IOException {
        int hold = hold(path);
        try {
            List<String> holders = Holders.ofDevice(path);
            if (!holders.isEmpty()) {
                throw inUse(path, holders);
            }
            if (Linux.isReadOnly(hold)) {
                throw new RefusedException(path + ": a read-only device");
            }
            long deviceSize = Linux.size(hold);
            if (deviceSize < size) {
                throw new RefusedException(path + ": too small: it has " + deviceSize + " bytes, the image has " + size + ", "
                        + (size - deviceSize) + " more");
            }
            return new DeviceTarget(path, hold, deviceSize, inPlace, Contents.of(hold, deviceSize));
        } catch (Throwable e) {
            Linux.close(hold);
            throw e;
        }
    }

    /// As long as it is open, nobody can mount the device or build on it; for reading, since nothing is written yet.
    private static int hold(Path path) throws IOException {
        try {
            return Linux.open(path, Linux.O_RDONLY | Linux.O_EXCL);
        } catch (SystemCallException e) {
            if (e.errno() == SystemCallException.EBUSY) {
                throw inUse(path, Holders.ofDevice(path));
            }
            throw e;
        }
    }

    private static RefusedException inUse(Path path, List<String> holders) {
        String who = holders.isEmpty() ? "the kernel does not say by whom; another restore, perhaps" : String.join("; ", holders);
        return new RefusedException(path + ": in use: " + who);
    }

    @Override
    RestorePlan.Kind kind() {
        return RestorePlan.Kind.DEVICE;
    }

    @Override
    RestorePlan.Mode mode() {
        return inPlace ? RestorePlan.Mode.IN_PLACE : RestorePlan.Mode.OVERWRITE;
    }

    @Override
    long oldSize() {
        return deviceSize;
    }

    @Override
    String contents() {
        return contents;
    }

    @Override
    Path real() throws IOException {
        return Holders.backingFile(path()).orElse(path());
    }

    @Override
    boolean sparse() {
        return false;
    }

    @Override
    int openForWriting(long size) throws IOException {
        return Linux.open(Path.of("/proc/self/fd/" + hold), Linux.O_RDWR);
    }

    @Override
    boolean blank(long offset, long size) {
        return false;
    }

    @Override
    void zero(long offset, long size) throws IOException {
        long whole = size & -Medium.PAGE;
        try {
            if (whole > 0) {
                Linux.zeroOut(medium().fd(), offset, whole);
            }
        } catch (SystemCallException e) {
            medium().writeZeros(offset, whole); // some drivers have no such call; a failing device fails again, and says where
        }
        medium().writeZeros(offset + whole, size - whole);
    }

    @Override
    void commit(long size) throws IOException {
        medium().sync();
    }

    @Override
    public void close() throws IOException {
        try {
            super.close();
        } finally {
            Linux.close(hold);
        }
    }
}
