package varve.archive.snapshot;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import varve.archive.block.BlockSource;
import varve.archive.block.DeviceException;
import varve.archive.block.FileDevice;
import varve.archive.block.RefusedException;
import varve.archive.changes.ChangeList;
import varve.archive.changes.ChangeSource;

/// A logical volume of LVM, `lvm:VG/LV`, or a thin one, `lvm-thin:VG/LV`. Snapshots are read-only, and say in tags whose they are.
///
/// A classic snapshot keeps in its store what was overwritten on the origin since it was taken. So the store of the older snapshot lists
/// what has changed up to now, which is all that differs between the two snapshots and what was written since the newer one was taken: the list
/// names too much then, which costs reading and nothing else. It has to be read after the newer snapshot was taken.
///
/// Two thin snapshots are compared by `thin_delta` ([ThinPool]).
final class LogicalVolume implements Origin {

    private static final Pattern NAME = Pattern.compile("([A-Za-z0-9+_.][A-Za-z0-9+_.-]*)/([A-Za-z0-9+_.][A-Za-z0-9+_.-]*)");
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private final String word;
    private final String group;
    private final String volume;
    private final boolean thin;
    private final SnapshotSettings settings;
    private final Lvm lvm;

    /// @param word what snapshots of it are said to be of
    LogicalVolume(String word, String group, String volume, boolean thin, SnapshotSettings settings) {
        this.word = word;
        this.group = group;
        this.volume = volume;
        this.thin = thin;
        this.settings = settings;
        this.lvm = new Lvm(settings.program());
    }

    /// @param name as in `VG/LV`
    static LogicalVolume parse(String name, boolean thin, SnapshotSettings settings) {
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("\"" + name + "\": expected VG/LV");
        }
        return new LogicalVolume((thin ? "lvm-thin:" : "lvm:") + name, matcher.group(1), matcher.group(2), thin, settings);
    }

    /// {@return snapshots of any volume of any group that varve has taken}
    static List<Snapshot> everywhere(SnapshotSettings settings) throws IOException, InterruptedException {
        return new Lvm(settings.program()).rows().stream()
                .filter(row -> row.owner().isPresent())
                .map(row -> new Snapshot(
                        row.word(), row.name(), row.owner().get(), row.sound()))
                .toList();
    }

    @Override
    public String toString() {
        return word;
    }

    @Override
    public List<Snapshot> snapshots() throws IOException, InterruptedException {
        return snapshots(lvm.group(group));
    }

    private List<Snapshot> snapshots(Lvm.Group rows) {
        return rows.rows().stream()
                .filter(row -> row.origin().equals(volume) && row.owner().isPresent())
                .map(row -> new Snapshot(word, row.name(), row.owner().get(), row.sound()))
                .toList();
    }

    @Override
    public List<Snapshot> prepare() throws IOException, InterruptedException {
        Lvm.Group rows = lvm.group(group);
        Lvm.Row row = rows.row(volume);
        if (row.thin() != thin) {
            throw new RefusedException(word + ": " + group + "/" + volume + (row.thin() ? " is a thin volume: say lvm-thin:" : " is no thin volume: say lvm:")
                    + group + "/" + volume);
        }
        return snapshots(rows);
    }

    @Override
    public Snapshot take(Owner owner, Instant now) throws IOException, InterruptedException {
        String name = name(now);
        if (thin) {
            lvm.thinSnapshot(group, volume, name, word, owner);
        } else {
            lvm.snapshot(group, volume, name, word, owner, settings.storeSize());
        }
        return new Snapshot(word, name, owner, true);
    }

    /// {@return a name that was never given, without hyphens, since device-mapper doubles them and has little room}
    static String name(Instant now) {
        return "varve_" + TIME.format(now) + String.format("_%08x", new SecureRandom().nextInt());
    }

    @Override
    public BlockSource open(Snapshot snapshot) throws IOException {
        FileDevice device = FileDevice.open(Lvm.device(group, snapshot.name()));
        return new SnapshotSource(snapshot, device, device.size(), () -> check(snapshot));
    }

    private void check(Snapshot snapshot) throws IOException, InterruptedException {
        if (!lvm.row(group, snapshot.name()).sound()) {
            throw new DeviceException(snapshot + (thin
                    ? ": its thin pool has failed while it was read; see lvs " + group
                    : ": the snapshot overflowed while it was read: its store was too small for what was written to " + group + "/" + volume
                            + " meanwhile; give it more with --snapshot-size"));
        }
    }

    @Override
    public ChangeList changes(Snapshot older, Snapshot newer, long size) throws IOException, InterruptedException {
        if (!thin) {
            Path store = Path.of(Lvm.device(group, older.name()) + "-cow");
            return new ChangeSource(ChangeSource.Kind.LVM_COW, store, OptionalLong.empty()).read(size);
        }
        Lvm.Group rows = lvm.group(group);
        Lvm.Row from = rows.row(older.name());
        Lvm.Row to = rows.row(newer.name());
        if (!from.pool().equals(to.pool())) {
            throw new RefusedException(older + ": lies in another thin pool than " + newer);
        }
        return new ThinPool(settings, lvm, rows.row(from.pool())).delta(from.thinId(), to.thinId(), size);
    }

    @Override
    public String listName(Snapshot older, Snapshot newer) {
        return thin
                ? "thin-delta:" + group + "/" + older.name() + ".." + newer.name()
                : "lvm-cow:" + Lvm.device(group, older.name()) + "-cow";
    }

    @Override
    public void remove(Snapshot snapshot) throws IOException, InterruptedException {
        if (!lvm.remove(group, volume, snapshot.name(), snapshot.owner())) {
            throw new RefusedException(snapshot + ": is not, or no longer, a snapshot of " + snapshot.owner() + "; it stays");
        }
    }

    @Override
    public List<String> mend(Owner owner, boolean really) throws IOException, InterruptedException {
        if (!thin) {
            return List.of();
        }
        Lvm.Group rows = lvm.group(group);
        Lvm.Row row = rows.row(volume);
        return row.pool().isEmpty() ? List.of() : new ThinPool(settings, lvm, rows.row(row.pool())).mend(really);
    }
}
