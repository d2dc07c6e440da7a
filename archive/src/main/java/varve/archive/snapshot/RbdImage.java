package varve.archive.snapshot;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import varve.archive.block.BlockSource;
import varve.archive.block.DeviceException;
import varve.archive.block.RefusedException;
import varve.archive.ceph.RbdDevice;
import varve.archive.changes.ChangeList;
import varve.archive.changes.ChangeSource;
import varve.archive.format.JsonRows;

/// An image of Ceph, `rbd:POOL/IMAGE` or `rbd:POOL/NAMESPACE/IMAGE`. Its snapshots have no tags, so their names say whose they are:
/// `varve.VAULT.VOLUME.TIME`. They are read through `librbd`, so that nothing is mapped which could be left over.
final class RbdImage implements Origin {

    private static final String WORD = "[A-Za-z0-9_.][^/@=\\s\\p{Cntrl}]*";
    private static final Pattern NAME = Pattern.compile("(" + WORD + ")/(?:(" + WORD + ")/)?(" + WORD + ")");
    private static final Pattern NOT_THERE = Pattern.compile("exit status 2: .*(error opening (image|pool|default pool)|namespace '.*' does not exist)");
    private static final Pattern SNAPSHOT = Pattern.compile("varve\\.([0-9a-f-]{36})\\.(.+)\\.varve_[0-9TZ]+_[0-9a-f]{8}");

    private final String image;
    private final String pool;
    private final Optional<String> namespace;
    private final String name;
    private final Program program;

    private RbdImage(String image, String pool, Optional<String> namespace, String name, SnapshotSettings settings) {
        this.image = image;
        this.pool = pool;
        this.namespace = namespace;
        this.name = name;
        this.program = settings.program();
    }

    static RbdImage parse(String image, SnapshotSettings settings) {
        Matcher matcher = NAME.matcher(image);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("\"" + image + "\": expected POOL/IMAGE, or POOL/NAMESPACE/IMAGE");
        }
        return new RbdImage(image, matcher.group(1), Optional.ofNullable(matcher.group(2)), matcher.group(3), settings);
    }

    @Override
    public String toString() {
        return "rbd:" + image;
    }

    private List<String> names() throws IOException, InterruptedException {
        List<String> names = new ArrayList<>();
        try {
            program.read(List.of("rbd", "snap", "ls", "--format", "json", image), out -> JsonRows.read(out, "", row -> {
                if (row.text("name") != null) {
                    names.add(row.text("name"));
                }
            }));
        } catch (ProgramException e) {
            if (NOT_THERE.matcher(e.getMessage()).find()) {
                throw new NoSuchFileException(toString(), null, "there is no such image, or no such pool or namespace: " + e.getMessage());
            }
            throw e;
        }
        return names;
    }

    @Override
    public List<Snapshot> snapshots() throws IOException, InterruptedException {
        return names().stream().flatMap(found -> owner(found).map(owner -> new Snapshot(toString(), found, owner, true)).stream()).toList();
    }

    private static Optional<Owner> owner(String snapshot) {
        Matcher matcher = SNAPSHOT.matcher(snapshot);
        try {
            return matcher.matches() ? Optional.of(new Owner(UUID.fromString(matcher.group(1)), matcher.group(2))) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    @Override
    public List<Snapshot> prepare() throws IOException, InterruptedException {
        return snapshots(); // whatever is wrong with the cluster shows then
    }

    @Override
    public Snapshot take(Owner owner, Instant now) throws IOException, InterruptedException {
        String snapshot = "varve." + owner.vault() + "." + owner.volume() + "." + LogicalVolume.name(now);
        program.run("rbd", "snap", "create", "--no-progress", image + "@" + snapshot);
        return new Snapshot(toString(), snapshot, owner, true);
    }

    @Override
    public BlockSource open(Snapshot snapshot) throws IOException {
        RbdDevice device = RbdDevice.open(pool, namespace, name, snapshot.name(), program.limit());
        return new SnapshotSource(snapshot, device, device.size(), () -> {
            if (!names().contains(snapshot.name())) {
                throw new DeviceException(snapshot + ": the snapshot was removed while it was read");
            }
        });
    }

    @Override
    public ChangeList changes(Snapshot older, Snapshot newer, long size) throws IOException, InterruptedException {
        List<String> command = List.of("rbd", "diff", "--format", "json", "--from-snap", older.name(), image + "@" + newer.name());
        return program.read(command, out -> ChangeSource.read(ChangeSource.Kind.RBD_DIFF, out, "rbd diff", size));
    }

    @Override
    public String listName(Snapshot older, Snapshot newer) {
        return "rbd-diff:" + image + "@" + older.name() + ".." + newer.name();
    }

    @Override
    public void remove(Snapshot snapshot) throws IOException, InterruptedException {
        if (!owner(snapshot.name()).equals(Optional.of(snapshot.owner()))) {
            throw new RefusedException(snapshot + ": is no snapshot of " + snapshot.owner() + "; it stays");
        }
        program.run("rbd", "snap", "rm", "--no-progress", image + "@" + snapshot.name());
    }

    @Override
    public List<String> mend(Owner owner, boolean really) {
        return List.of();
    }
}
