package varve.archive.vault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import varve.archive.block.RefusedException;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.Folder;
import varve.archive.format.CorruptException;
import varve.archive.format.JsonMembers;
import varve.archive.format.Rule;
import varve.archive.format.Seal;
import varve.archive.format.UnsupportedException;
import varve.archive.retention.Moment;
import varve.archive.retention.Retention;
import varve.archive.retention.Span;

/// What people have decided for a volume: which points in time are kept. FORMAT.md section 16.
///
/// A point is kept if the policy keeps it, if it is protected, or if it has a label; and without a policy, all are.
///
/// @param volume its name
/// @param volumeId of the volume
/// @param generation 0 if nothing has been decided yet, and one more with each decision: of two, the higher holds
/// @param policy empty if every point is kept
/// @param protectedPoints never go
/// @param unprotected numbers of points that were protected once and are no longer, so that this holds against copies that say they are
/// @param expired numbers of points that were given up, so that those who miss them know why; some may still be there
/// @param recipients for whom archives are sealed from now on, in their one order; empty if that was not decided here
public record VolumeSettings(
        String volume,
        UUID volumeId,
        long generation,
        Optional<Retention> policy,
        Numbers protectedPoints,
        Numbers unprotected,
        Numbers expired,
        List<String> recipients) {

    /// name of the file in the folder of the volume
    public static final String FILE = "varve-volume.json";

    private static final String FORMAT = "varve-volume-1";
    private static final String SEALED_FORMAT = "varve-volume-2";
    static final int MAX_SIZE = 1 << 20;

    /// Reads what was decided.
    ///
    /// @throws NotFoundException if the volume has no points
    /// @throws CorruptException F046; then nobody knows which points are protected, and none may go
    public static VolumeSettings read(Volume volume, History history) throws IOException {
        UUID id = history.latest()
                .orElseThrow(() -> new NotFoundException("volume \"" + volume.name() + "\" has no points in time"))
                .manifest()
                .volumeId();
        Path file = volume.folder().resolve(FILE);
        try {
            byte[] text = Files.size(file) > MAX_SIZE ? new byte[0] : Files.readAllBytes(file);
            VolumeSettings settings = decode(text, file.toString());
            if (!settings.volume.equals(volume.name()) || !settings.volumeId.equals(id)) {
                throw new CorruptException(Rule.F046, file.toString(), "is of volume \"" + settings.volume + "\" with id " + settings.volumeId
                        + ", expected \"" + volume.name() + "\" with id " + id);
            }
            return settings;
        } catch (NoSuchFileException e) {
            return new VolumeSettings(volume.name(), id, 0, Optional.empty(), Numbers.NONE, Numbers.NONE, Numbers.NONE, List.of());
        }
    }

    /// Reads what was decided for a volume, of which several vaults have a copy: all of it together.
    ///
    /// @param volumes one, in several vaults
    /// @throws NotFoundException if none of them has points
    /// @throws CorruptException F046
    public static VolumeSettings together(List<Volume> volumes) throws IOException {
        Optional<VolumeSettings> together = Optional.empty();
        for (Volume volume : volumes) {
            History history = volume.exists() ? volume.read().history() : new History(List.of());
            if (history.latest().isPresent()) {
                VolumeSettings settings = read(volume, history);
                together = Optional.of(together.map(settings::merge).orElse(settings));
            }
        }
        return together.orElseThrow(() -> new NotFoundException("volume \"" + volumes.getFirst().name() + "\" has no points in time"));
    }

    /// {@return what holds where two copies meet, in whatever order}
    ///
    /// The later decision holds; but what the other one protects, and this one has never heard of, stays protected. Of two policies that were set
    /// apart and are equally late none holds, so that every point is kept until somebody decides.
    public VolumeSettings merge(VolumeSettings other) {
        VolumeSettings later = generation >= other.generation ? this : other;
        VolumeSettings earlier = later == this ? other : this;
        boolean apart = generation == other.generation;
        Numbers revoked = apart ? Numbers.NONE : later.unprotected;
        Numbers kept = later.protectedPoints.with(earlier.protectedPoints.without(revoked));
        VolumeSettings merged = new VolumeSettings(
                volume,
                volumeId,
                later.generation,
                apart && !policy.equals(other.policy) ? Optional.empty() : later.policy,
                kept,
                later.unprotected.with(earlier.unprotected).without(kept),
                later.expired.with(earlier.expired),
                later.recipients.isEmpty() ? earlier.recipients : later.recipients);
        return merged.equals(this) || merged.equals(other) ? merged : merged.with(merged.policy);
    }

    /// {@return whether these are not yet what a copy of the volume says}
    public boolean newerThan(Volume copy) throws IOException {
        History history = copy.read().history();
        return history.latest().isPresent() && !read(copy, history).equals(this);
    }

    /// Makes another decision from the one that holds now.
    public interface Decision {
        VolumeSettings after(VolumeSettings settings, History history) throws IOException;
    }

    /// Changes them, holding the lock of the volume.
    ///
    /// @param lockWait how long to wait for another writer
    /// @param purpose what for, in the message that others get
    /// @return what holds now
    /// @throws NotFoundException if there is no such volume
    public static VolumeSettings change(Volume volume, Duration lockWait, String purpose, Decision decision)
            throws IOException, InterruptedException {
        volume.read(); // before a folder is made for the lock
        try (VolumeLock lock = VolumeLock.acquire(volume.folder(), lockWait, purpose)) {
            History history = volume.read().history();
            VolumeSettings old = read(volume, history);
            VolumeSettings decided = decision.after(old, history);
            if (!decided.equals(old)) {
                decided.writeSigned(volume);
            }
            return decided;
        }
    }

    /// Writes them to the folder of the volume, atomically. For the holder of the volume's lock.
    public void write(Path folder) throws IOException {
        Folder.replace(folder.resolve(FILE), encode());
    }

    /// Writes them, and signs that if the volume is signed. For the holder of the volume's lock.
    ///
    /// @throws RefusedException if the volume is signed and the key is not at hand
    public void writeSigned(Volume volume) throws IOException {
        Signatures.of(volume).requireKey();
        write(volume.folder());
        new Receipts(volume).sign(Set.of(), true);
    }

    /// {@return the next decision: another policy}
    public VolumeSettings with(Optional<Retention> other) {
        return new VolumeSettings(volume, volumeId, generation + 1, other, protectedPoints, unprotected, expired, recipients);
    }

    /// {@return the next decision: a point is protected}
    public VolumeSettings protect(long point) {
        return new VolumeSettings(volume, volumeId, generation + 1, policy, protectedPoints.with(point), unprotected.without(point), expired, recipients);
    }

    /// {@return the next decision: a point is no longer protected}
    public VolumeSettings unprotect(long point) {
        return new VolumeSettings(volume, volumeId, generation + 1, policy, protectedPoints.without(point), unprotected.with(point), expired, recipients);
    }

    /// {@return the next decision: points are given up}
    public VolumeSettings expire(List<Long> points) {
        Numbers more = expired;
        for (long point : points) {
            more = more.with(point);
        }
        return new VolumeSettings(volume, volumeId, generation + 1, policy, protectedPoints, unprotected, more, recipients);
    }

    /// {@return the next decision: archives are sealed for others}
    public VolumeSettings sealFor(List<String> others) {
        return new VolumeSettings(volume, volumeId, generation + 1, policy, protectedPoints, unprotected, expired, others);
    }

    /// Chooses the points that are kept.
    ///
    /// @param points of the volume, by number
    /// @param now what the clock says
    /// @return for the number of each point that is kept, why
    public SortedMap<Long, List<String>> kept(List<Point> points, Instant now) {
        List<Moment> moments = points.stream()
                .map(point -> new Moment(point.manifest().sequence(), point.manifest().time()))
                .toList();
        SortedMap<Long, List<String>> kept = policy.map(it -> it.keep(moments, now)).orElseGet(TreeMap::new);
        for (Point point : points) {
            long number = point.manifest().sequence();
            List<String> why = kept.computeIfAbsent(number, it -> new ArrayList<>());
            if (protectedPoints.contains(number)) {
                why.add("protected");
            }
            if (point.manifest().label().isPresent()) {
                why.add("labelled");
            }
            if (policy.isEmpty()) {
                why.add("no policy");
            }
            kept.remove(number, List.of());
        }
        return kept;
    }

    /// {@return the text}
    public byte[] encode() {
        JsonMembers json = new JsonMembers(FILE);
        json.text("format", recipients.isEmpty() ? FORMAT : SEALED_FORMAT);
        json.text("volume", volume);
        json.text("volumeId", volumeId.toString());
        json.number("generation", generation);
        json.number("keepLast", policy.map(it -> number(it.last())).orElse(null));
        json.text("keepWithin", policy.flatMap(Retention::within).map(Span::toString).orElse(null));
        json.number("keepDaily", policy.map(it -> number(it.daily())).orElse(null));
        json.number("keepWeekly", policy.map(it -> number(it.weekly())).orElse(null));
        json.number("keepMonthly", policy.map(it -> number(it.monthly())).orElse(null));
        json.number("keepYearly", policy.map(it -> number(it.yearly())).orElse(null));
        json.text("timeZone", policy.map(it -> it.zone().getId()).orElse(null));
        json.text("protected", protectedPoints.toString());
        json.text("unprotected", unprotected.toString());
        json.text("expired", expired.toString());
        if (!recipients.isEmpty()) {
            json.text("recipients", Seal.text(recipients));
        }
        json.seal();
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static @Nullable Long number(int number) {
        return number == 0 ? null : (Long) (long) number;
    }

    /// {@return the settings that `text` is}
    /// @param where file name for messages
    /// @throws CorruptException F046
    /// @throws UnsupportedException if a later version wrote it
    public static VolumeSettings decode(byte[] text, String where) throws CorruptException, UnsupportedException {
        VolumeSettings settings;
        try {
            JsonMembers json = JsonMembers.parse(text, where);
            String format = json.required("format");
            if (!FORMAT.equals(format) && !SEALED_FORMAT.equals(format)) {
                throw new UnsupportedException(where + ": format \"" + format + "\", this varve reads \"" + FORMAT + "\" and \"" + SEALED_FORMAT + "\"");
            }
            settings = new VolumeSettings(
                    json.required("volume"),
                    UUID.fromString(json.required("volumeId")),
                    json.number("generation"),
                    policy(json),
                    Numbers.parse(json.required("protected")),
                    Numbers.parse(json.required("unprotected")),
                    Numbers.parse(json.required("expired")),
                    SEALED_FORMAT.equals(format) ? Seal.parse(json.required("recipients")) : List.of());
        } catch (CorruptException | IllegalArgumentException | DateTimeException e) {
            throw new CorruptException(Rule.F046, where, String.valueOf(e.getMessage()));
        }
        boolean both = !settings.protectedPoints.without(settings.unprotected).equals(settings.protectedPoints);
        boolean impossible = !settings.recipients.isEmpty() && !Seal.isCanonical(settings.recipients);
        if (settings.generation < 1 || both || impossible || !Arrays.equals(settings.encode(), text)) {
            throw new CorruptException(Rule.F046, where, "not in the one form that settings have, or changed since they were written");
        }
        return settings;
    }

    private static Optional<Retention> policy(JsonMembers json) throws CorruptException {
        String zone = json.text("timeZone");
        if (zone == null) {
            return Optional.empty();
        }
        return Optional.of(new Retention(
                count(json, "keepLast"),
                Optional.ofNullable(json.text("keepWithin")).map(Span::parse),
                count(json, "keepDaily"),
                count(json, "keepWeekly"),
                count(json, "keepMonthly"),
                count(json, "keepYearly"),
                ZoneId.of(zone)));
    }

    private static int count(JsonMembers json, String name) throws CorruptException {
        Long number = json.optionalNumber(name);
        return number == null ? 0 : (int) Math.min(number, Integer.MAX_VALUE);
    }
}
