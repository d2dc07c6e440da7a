package varve.archive.snapshot;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import varve.archive.block.BlockSource;
import varve.archive.block.RefusedException;
import varve.archive.changes.ChangeList;

/// The secondary of a DRBD resource, `drbd:RESOURCE`: a snapshot of the logical volume that it lies on, less the metadata at its end, which is
/// no part of what users see. The primary is not touched.
///
/// If asked, the replication is stopped while the snapshot is taken. A tag of the logical volume says so, so that it goes on even if
/// the run is killed meanwhile: the next one, or `varve snapshots --clean`, sees to it.
final class DrbdResource implements Origin {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.][A-Za-z0-9_.-]*(/[0-9]+)?");
    private static final String DISCONNECTED = "varve.disconnected=";
    private static final int SECTOR = 512;
    private static final long POLL_MILLIS = 500;

    // the last 4 KiB of a device with internal metadata, of DRBD 8.4 and 9: big-endian
    private static final int SUPERBLOCK = 4096;
    private static final int MAGIC_POSITION = 60;
    private static final List<Integer> MAGICS = List.of(0x8374026b, 0x8374026c, 0x8374026d); // 8.4, 8.4 in use, 9
    private static final ValueLayout.OfInt U32 = JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong U64 = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final String resource;
    private final SnapshotSettings settings;
    private final Program program;
    private final Lvm lvm;
    private Optional<LogicalVolume> below = Optional.empty();

    private DrbdResource(String resource, SnapshotSettings settings) {
        this.resource = resource;
        this.settings = settings;
        this.program = settings.program();
        this.lvm = new Lvm(program);
    }

    static DrbdResource parse(String name, SnapshotSettings settings) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("\"" + name + "\": expected RESOURCE, or RESOURCE/VOLUME");
        }
        return new DrbdResource(name, settings);
    }

    @Override
    public String toString() {
        return "drbd:" + resource;
    }

    private String ask(String what) throws IOException, InterruptedException {
        try {
            return program.run("drbdadm", what, resource).strip();
        } catch (ProgramException e) {
            if (e.getMessage().contains("not defined in your config") || e.getMessage().contains("no resources defined")) {
                throw new NoSuchFileException(toString(), null, "drbdadm knows no such resource here; see drbdadm sh-resources");
            }
            throw e;
        }
    }

    private String one(String what) throws IOException, InterruptedException {
        String answer = ask(what);
        if (answer.lines().count() != 1) {
            throw new RefusedException(this + ": has several volumes; say which: drbd:" + resource + "/0");
        }
        return answer;
    }

    /// {@return the logical volume that it lies on, which is [#below] from now on}
    private Lvm.Row backing() throws IOException, InterruptedException {
        Path disk = Path.of(one("sh-ll-dev"));
        List<Lvm.Row> rows;
        try {
            rows = lvm.rows(disk.toString());
        } catch (ProgramException e) {
            throw new RefusedException(this + ": lies on " + disk + ", which is no logical volume, so no snapshot of it can be taken: " + e.getMessage());
        }
        if (rows.isEmpty()) {
            throw new RefusedException(this + ": lies on " + disk + ", which is no logical volume, so no snapshot of it can be taken");
        }
        Lvm.Row row = rows.getFirst();
        below = Optional.of(new LogicalVolume(toString(), row.group(), row.name(), row.thin(), settings));
        return row;
    }

    private LogicalVolume below() throws IOException, InterruptedException {
        if (below.isEmpty()) {
            backing();
        }
        return below.orElseThrow();
    }

    @Override
    public List<Snapshot> snapshots() throws IOException, InterruptedException {
        return below().snapshots();
    }

    /// Makes sure that this is a secondary that has what the primary has.
    @Override
    public List<Snapshot> prepare() throws IOException, InterruptedException {
        String why = notWorthIt();
        if (!why.isEmpty()) {
            throw new RefusedException(this + ": " + why);
        }
        return below().prepare();
    }

    private String notWorthIt() throws IOException, InterruptedException {
        String role = first(ask("role"));
        String disk = ask("dstate");
        String connection = ask("cstate");
        if (!role.equals("Secondary")) {
            return "is " + role + " here; run on a host where it is secondary, or archive its logical volume as lvm:";
        }
        if (!first(disk).equals("UpToDate")) {
            return "is not up to date here: its disk is " + disk + ", expected UpToDate; wait until it has caught up, see drbdadm status " + resource;
        }
        if (connection.lines().noneMatch(line -> first(line).equals("Connected") || first(line).equals("Established"))) {
            return "is not connected: it is " + connection.replace('\n', ' ') + ", expected Connected, so nobody knows whether it is up to date; drbdadm"
                    + " connect " + resource + ", or see drbdadm status " + resource;
        }
        return "";
    }

    /// {@return the word of a pair that is about this host}
    private static String first(String pair) {
        return pair.lines().findFirst().orElse("").split("/")[0].strip();
    }

    @Override
    public Snapshot take(Owner owner, Instant now) throws IOException, InterruptedException {
        if (!settings.disconnect()) {
            return below().take(owner, now);
        }
        Lvm.Row row = backing();
        lvm.tag(row.group(), row.name(), disconnected(owner));
        Snapshot taken = null;
        try {
            program.run("drbdadm", "disconnect", bare());
            if (!first(ask("dstate")).equals("UpToDate")) {
                throw new RefusedException(this + ": is " + ask("dstate") + " after it was disconnected, expected UpToDate");
            }
            taken = below().take(owner, now);
            return taken;
        } finally {
            try {
                connect(row, owner);
            } catch (IOException e) {
                if (taken != null) {
                    below().remove(taken);
                }
                throw e;
            }
        }
    }

    /// the connection is of all volumes of a resource
    private String bare() {
        return resource.replaceFirst("/.*", "");
    }

    private void connect(Lvm.Row row, Owner owner) throws IOException, InterruptedException {
        if (!ask("cstate").lines().allMatch(line -> first(line).equals("Connected") || first(line).equals("Connecting") || first(line).startsWith("WF"))) {
            program.run("drbdadm", "connect", bare());
        }
        lvm.untag(row.group(), row.name(), disconnected(owner));
    }

    private static String disconnected(Owner owner) {
        return DISCONNECTED + owner.vault() + "/" + owner.volume();
    }

    @Override
    public List<String> mend(Owner owner, boolean really) throws IOException, InterruptedException {
        Lvm.Row row = backing();
        List<String> found = new ArrayList<>(below().mend(owner, really));
        if (row.tags().contains(disconnected(owner))) {
            found.add("replication of " + this + " stopped");
            if (really) {
                connect(row, owner);
                await();
            }
        }
        return found;
    }

    /// waits until what it has missed is there
    private void await() throws IOException, InterruptedException {
        long end = System.nanoTime() + settings.limit().toNanos();
        while (!notWorthIt().isEmpty() && System.nanoTime() - end < 0) {
            Thread.sleep(POLL_MILLIS);
        }
    }

    @Override
    public BlockSource open(Snapshot snapshot) throws IOException, InterruptedException {
        BlockSource whole = below().open(snapshot);
        try {
            return new SnapshotSource(snapshot, whole, size(whole), whole::checkSize);
        } catch (Throwable e) {
            whole.close();
            throw e;
        }
    }

    /// {@return how much of the device users see: what the kernel says, and the metadata if it is at the end}
    private long size(BlockSource device) throws IOException, InterruptedException {
        Path file = Path.of("/sys/block/drbd" + one("sh-minor") + "/size");
        long size = Long.parseLong(Files.readString(file).strip()) * SECTOR;
        long recorded = effectiveSize(device);
        if (size <= 0 || size > device.size() || recorded >= 0 && recorded != size) {
            throw new RefusedException(this + ": the kernel says that it has " + size + " bytes, "
                    + (recorded >= 0 ? "its metadata " + recorded : "it lies on " + device.size()) + "; is it being resized?");
        }
        return size;
    }

    /// {@return what the metadata at the end of a device says of the size without it; -1 if there is none}
    static long effectiveSize(BlockSource device) throws IOException {
        long position = device.size() / SUPERBLOCK * SUPERBLOCK - SUPERBLOCK;
        if (position < 0) {
            return -1;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate(SUPERBLOCK, SUPERBLOCK);
            device.read(position, block);
            long sectors = block.get(U64, 0);
            return MAGICS.contains(block.get(U32, MAGIC_POSITION)) && sectors >= 0 && sectors <= device.size() / SECTOR
                    ? sectors * SECTOR
                    : -1;
        }
    }

    @Override
    public ChangeList changes(Snapshot older, Snapshot newer, long size) throws IOException, InterruptedException {
        try (BlockSource whole = below().open(newer)) {
            return below().changes(older, newer, whole.size()).cut(size);
        }
    }

    @Override
    public String listName(Snapshot older, Snapshot newer) {
        return below.orElseThrow().listName(older, newer);
    }

    @Override
    public void remove(Snapshot snapshot) throws IOException, InterruptedException {
        below().remove(snapshot);
    }
}
