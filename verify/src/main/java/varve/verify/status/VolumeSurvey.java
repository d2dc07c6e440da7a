package varve.verify.status;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import varve.archive.block.RefusedException;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.cli.Lapse;
import varve.archive.file.Removal;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.archive.format.UnsupportedException;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Copies;
import varve.archive.vault.Depth;
import varve.archive.vault.Inventory;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Stocktaking;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeLock;
import varve.archive.vault.VolumeSettings;
import varve.verify.Coverage;
import varve.verify.Presence;
import varve.verify.status.Concern.Kind;

/// One volume, looked at in all vaults at hand.
final class VolumeSurvey {

    /// what clocks of two hosts, or of a host and a file system, may differ
    private static final Duration SKEW = Duration.ofMinutes(5);

    private static final String STAGE = ".varve-stage";

    private final String name;
    private final Catalogue catalogue;
    private final StatusOptions options;
    private final Instant now;
    private final List<Concern> concerns = new ArrayList<>();
    private final List<Place> places = new ArrayList<>();
    private int points;
    private int leastCopies;
    private Optional<Instant> newest = Optional.empty();
    private Optional<Instant> unproved = Optional.empty();
    private Optional<Instant> lockedSince = Optional.empty();
    private long damaged;
    private int leftovers;

    /// The volume in one vault.
    private static final class Place {
        final Vault vault;
        final Volume volume;
        final List<Path> left = new ArrayList<>();
        final Set<String> known = new HashSet<>(); // archives that have a manifest here
        final Set<String> held = new HashSet<>(); // those of them that have a data file here
        Volume.Content content = new Volume.Content(new History(List.of()), List.of());
        Receipts.Log log = Receipts.Log.EMPTY;

        Place(Vault vault, Volume volume) {
            this.vault = vault;
            this.volume = volume;
        }

        /// lets go of what is not needed any more: there may be many volumes
        void forget() {
            content = new Volume.Content(new History(List.of()), List.of());
            log = Receipts.Log.EMPTY;
            known.clear();
            held.clear();
        }
    }

    VolumeSurvey(List<Vault> vaults, String name, Catalogue catalogue, StatusOptions options, Instant now) throws RefusedException {
        this.name = name;
        this.catalogue = catalogue;
        this.options = options;
        this.now = now;
        for (Vault vault : vaults) {
            Volume volume = vault.volume(name);
            if (volume.exists()) {
                places.add(new Place(vault, volume));
            }
        }
    }

    boolean exists() {
        return !places.isEmpty();
    }

    /// {@return whether anything in the folders is of varve}
    boolean worthwhile() throws IOException {
        for (Place place : places) {
            try (Stream<Path> files = Files.list(place.volume.folder())) {
                if (files.map(file -> file.getFileName().toString())
                        .anyMatch(file -> file.startsWith(".varve-") || file.equals(Receipts.FILE) || file.startsWith(name + ".") && file.endsWith(".json"))) {
                    return true;
                }
            }
        }
        return false;
    }

    private void concern(Level level, Kind kind, String text) {
        concerns.add(new Concern(level, kind, text));
    }

    /// Looks. Whatever goes wrong with it is a concern.
    void look() {
        try {
            read();
            Volume.Content content = places.size() == 1 ? places.getFirst().content : Volume.look(places.stream().map(place -> place.volume).toList());
            History history = content.history();
            Set<String> told = new HashSet<>();
            for (Volume.Problem problem : content.problems()) {
                boolean later = problem.cause() instanceof UnsupportedException;
                concern(later ? Level.UNKNOWN : Level.CRITICAL, Kind.CHAIN, String.valueOf(problem.cause().getMessage()));
                told.add(problem.manifest());
            }
            for (Place place : places) { // one that is damaged here and whole elsewhere
                place.content.problems().stream().filter(problem -> told.add(problem.manifest())).forEach(problem ->
                        concern(Level.WARNING, Kind.CHAIN, "vault " + place.vault.name() + ": " + problem.cause().getMessage() + "; varve heal mends it"));
            }
            points(history);
            for (Place place : places) {
                look(place, history);
            }
            lookAway(history);
            judgeUnproved();
        } catch (IOException | RuntimeException e) {
            concern(Level.UNKNOWN, Kind.UNREADABLE, e.getMessage() == null ? e.toString() : e.getMessage());
        } finally {
            places.forEach(Place::forget);
        }
    }

    private void read() throws IOException {
        Map<UUID, Inventory.Stock> stocks = new HashMap<>();
        for (Place place : places) {
            place.content = Volume.look(List.of(place.volume));
            place.log = new Receipts(place.volume).read();
            Stocktaking.stock(place.vault, place.volume, place.content.history().archives(), place.log.receipts(), now).ifPresent(stock -> {
                stocks.put(place.vault.id(), stock);
                stock.archives().forEach(held -> place.held.add(held.archive()));
            });
            place.content.history().archives().forEach(archive -> place.known.add(archive.manifest().baseName()));
        }
        catalogue.take(name, stocks);
    }

    // ---- points in time

    private void points(History history) throws IOException {
        List<Point> all = history.points();
        points = all.size();
        if (all.isEmpty()) {
            concern(Level.CRITICAL, Kind.AGE, "no point in time");
            return;
        }
        Set<State> reached = history.reached(any -> true);
        List<Point> broken = all.stream().filter(point -> !reached.contains(point.state())).toList();
        if (!broken.isEmpty()) {
            concern(Level.CRITICAL, Kind.CHAIN, "no archives lead to " + some(broken));
        }
        Copies copies = catalogue.copies(name, history.archives());
        leastCopies = all.stream().mapToInt(point -> copies.of(point.state())).min().orElse(0);
        List<Point> lost = all.stream().filter(point -> copies.of(point.state()) == 0).toList();
        List<Point> few = all.stream().filter(point -> copies.of(point.state()) > 0 && copies.of(point.state()) < options.minCopies()).toList();
        if (!lost.isEmpty()) {
            concern(Level.CRITICAL, Kind.COPIES, "no proved copy of " + some(lost));
        }
        if (!few.isEmpty()) {
            int least = few.stream().mapToInt(point -> copies.of(point.state())).min().orElse(0);
            concern(Level.WARNING, Kind.COPIES, "proved copies: " + least + " instead of " + options.minCopies() + " of " + some(few));
        }
        Optional<Point> good = all.reversed().stream().filter(point -> copies.of(point.state()) > 0).findFirst();
        newest = good.map(point -> point.manifest().time());
        if (good.isEmpty()) {
            concern(Level.CRITICAL, Kind.AGE, "no good point in time");
            return;
        }
        Instant time = newest.orElseThrow();
        String which = "the newest good point in time is of " + Manifest.text(time);
        if (time.isAfter(now.plus(SKEW))) {
            concern(Level.UNKNOWN, Kind.CLOCK, which + ", which is still to come: a clock is wrong, so ages cannot be told");
        }
        judge(Kind.AGE, time, options.maxAge(), which);
    }

    private String some(List<Point> some) {
        String first = name + "@" + Manifest.text(some.getLast().manifest().time());
        return some.size() == 1 ? first : some.size() + " points, the newest of them " + first;
    }

    private void judge(Kind kind, Instant time, Duration limit, String what) {
        Duration age = Duration.between(time, now);
        if (age.compareTo(limit) > 0) {
            Level level = age.compareTo(limit.multipliedBy(2)) > 0 ? Level.CRITICAL : Level.WARNING;
            concern(level, kind, what + ", " + Lapse.format(age) + " ago; at most " + Lapse.format(limit) + " is well");
        }
    }

    // ---- one vault

    private void look(Place place, History history) throws IOException {
        String where = places.size() == 1 ? "" : "vault " + place.vault.name() + ": ";
        try (Stream<Path> files = Files.list(place.volume.folder())) {
            files.filter(file -> file.getFileName().toString().startsWith(STAGE) || file.getFileName().toString().startsWith(Removal.PREFIX))
                    .sorted()
                    .forEach(place.left::add);
        }
        Receipts.Log log = place.log;
        if (!log.problems().isEmpty()) {
            concern(Level.WARNING, Kind.RECEIPTS, where + log.problems().getFirst().getMessage()
                    + (log.problems().size() == 1 ? "" : " (the first of " + log.problems().size() + ")"));
        }
        List<Receipt> own = log.receipts().stream().filter(receipt -> receipt.act().vault().equals(place.vault.id())).toList();
        clocks(own, where);
        failures(own, where);
        if (catalogue.standing(place.vault.id()).counts()) {
            proofs(place, history, log.receipts(), where);
        }
        try {
            if (!history.archives().isEmpty()) {
                VolumeSettings.read(place.volume, history);
            }
        } catch (IOException e) {
            concern(Level.WARNING, Kind.UNREADABLE, where + e.getMessage());
        }
    }

    private void clocks(List<Receipt> receipts, String where) {
        Instant before = Instant.MIN;
        Optional<Instant> back = Optional.empty();
        for (Receipt receipt : receipts) {
            Receipt.Act act = receipt.act();
            Duration wall = Duration.between(act.started(), act.finished());
            boolean set = wall.minus(act.took()).abs().compareTo(SKEW) > 0;
            // lines are added when a task has finished, so that ascends
            if (set || before.isAfter(act.finished().plus(SKEW))) {
                back = Optional.of(act.finished());
            }
            before = act.finished();
        }
        boolean ahead = receipts.stream().anyMatch(receipt -> receipt.act().finished().isAfter(now.plus(SKEW)));
        if (ahead) {
            concern(Level.UNKNOWN, Kind.CLOCK, where + "there are receipts of a time that is still to come: a clock is wrong, so ages cannot be told");
        } else if (back.filter(time -> time.isAfter(now.minus(options.maxAge()))).isPresent()) {
            concern(Level.WARNING, Kind.CLOCK, where + "a clock was set before the receipt of " + Manifest.text(back.get()) + ", so ages may be wrong");
        }
    }

    /// the last of each kind counts: what has worked since is no concern
    private void failures(List<Receipt> receipts, String where) {
        Map<Receipt.What, Receipt.Act> failed = new EnumMap<>(Receipt.What.class);
        for (Receipt receipt : receipts) {
            Receipt.Act act = receipt.act();
            boolean target = act.what() == Receipt.What.RESTORE && act.result() == Receipt.Result.FAILED; // not the archive's fault
            if (act.result() == Receipt.Result.OK || target) {
                failed.remove(act.what());
                if (act.what() == Receipt.What.HEAL || act.what() == Receipt.What.VERIFY) {
                    failed.remove(Receipt.What.VERIFY);
                    failed.remove(Receipt.What.RESTORE);
                }
            } else {
                failed.put(act.what(), act);
            }
        }
        failed.forEach((what, act) -> concern(Level.WARNING, Kind.FAILURE, where + "the last " + what.word() + " "
                + (act.result() == Receipt.Result.FAILED ? "failed" : "found damage") + " at " + Manifest.text(act.finished())
                + act.first().map(text -> ": " + text).orElse("")));
    }

    private void proofs(Place place, History history, List<Receipt> receipts, String where) throws IOException {
        List<StoredArchive> here = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        Presence presence = Presence.of(receipts, place.vault.id());
        for (StoredArchive archive : history.archives()) {
            StoredArchive own = new StoredArchive(place.volume.folder(), archive.manifest());
            String name = archive.manifest().baseName();
            if (place.known.contains(name) ? place.held.contains(name) : own.dataAtHand()) {
                here.add(own);
            } else if (presence.of(name).orElse(false)) {
                missing.add(own.data().getFileName().toString());
            }
        }
        if (!missing.isEmpty()) {
            concern(Level.WARNING, Kind.DAMAGE, where + missing.getFirst() + (missing.size() == 1 ? "" : " and " + (missing.size() - 1) + " more")
                    + ": missing, and no receipt says that it was removed");
        }
        Coverage coverage = Coverage.of(place.vault.id(), here, history, receipts, now, Depth.STORED);
        damaged += coverage.damaged();
        if (coverage.damaged() > 0) {
            Coverage.Stretch first = coverage.stretches().stream().filter(stretch -> stretch.damaged().isPresent()).findFirst().orElseThrow();
            concern(Level.WARNING, Kind.DAMAGE, where + coverage.damaged() + " bytes are known to be damaged, such as in "
                    + first.archive().data().getFileName() + " since " + Manifest.text(first.damaged().orElseThrow()) + "; varve heal mends them");
        }
        for (Coverage.Stretch stretch : coverage.stretches()) {
            if (stretch.damaged().isEmpty()) {
                unproved(stretch.proved().orElse(stretch.archive().manifest().time()));
            }
        }
    }

    private void unproved(Instant since) {
        unproved = unproved.filter(oldest -> !oldest.isAfter(since)).or(() -> Optional.of(since));
    }

    /// vaults on a shelf: what their inventories say
    private void lookAway(History history) throws IOException {
        Set<Inventory.DataFile> wanted = new HashSet<>();
        Map<String, Instant> recorded = new HashMap<>();
        for (StoredArchive archive : history.archives()) {
            wanted.add(Inventory.DataFile.of(archive));
            recorded.put(archive.manifest().baseName(), archive.manifest().time());
        }
        catalogue.stocks(name).forEach((vault, stock) -> {
            if (catalogue.atHand(vault).isEmpty() && catalogue.standing(vault).counts()) {
                stock.archives().stream()
                        .filter(held -> wanted.contains(held.file()) && held.proof().filter(proof -> !proof.good()).isEmpty())
                        .forEach(held -> unproved(held.proof().map(Inventory.Proof::time).orElse(recorded.get(held.archive()))));
            }
        });
    }

    private void judgeUnproved() {
        unproved.ifPresent(time -> judge(Kind.UNPROVED, time, options.maxUnproved(), "some bytes were last proved at " + Manifest.text(time)));
    }

    // ---- locks and leftovers

    VolumeStatus status(KernelLocks before, KernelLocks after) {
        for (Place place : places) {
            try {
                boolean held = before.held(place.volume.folder()) || after.held(place.volume.folder());
                lock(place, held, places.size() == 1 ? "" : "vault " + place.vault.name() + ": ");
            } catch (IOException | RuntimeException e) {
                concern(Level.UNKNOWN, Kind.UNREADABLE, e.getMessage() == null ? e.toString() : e.getMessage());
            }
        }
        return new VolumeStatus(name, points, newest, leastCopies, unproved, damaged, lockedSince, leftovers, concerns);
    }

    private void lock(Place place, boolean held, String where) throws IOException {
        Optional<VolumeLock.Holder> holder = VolumeLock.holder(place.volume.folder());
        Optional<Instant> since = holder.map(VolumeLock.Holder::since);
        if (held) {
            String who = holder.map(VolumeLock.Holder::who).orElse("a job");
            lockedSince = Stream.concat(lockedSince.stream(), since.stream()).min(Instant::compareTo);
            if (since.filter(time -> time.isAfter(now.plus(SKEW))).isPresent()) {
                concern(Level.UNKNOWN, Kind.CLOCK, where + "locked since a time that is still to come, by " + who);
            }
            since.ifPresent(time -> judge(Kind.LOCK, time, options.maxLock(), where + "locked by " + who));
            return;
        }
        if (since.filter(time -> time.isAfter(now.minusSeconds(1)) && time.isBefore(now.plus(SKEW))).isPresent()) {
            return; // began while we looked
        }
        holder.ifPresent(who -> concern(Level.WARNING, Kind.DIED, where + "a job died: " + who.who()));
        List<Path> left = place.left.stream().filter(file -> Files.exists(file, LinkOption.NOFOLLOW_LINKS)).toList(); // still
        long bytes = 0;
        for (Path file : left) {
            bytes += size(file);
        }
        leftovers += left.size();
        if (!left.isEmpty()) {
            concern(Level.WARNING, Kind.LEFTOVER, where + "left behind by a job that is not at work any more: " + left.getFirst().getFileName()
                    + (left.size() == 1 ? "" : " and " + (left.size() - 1) + " more") + ", " + bytes
                    + " bytes; the same command again carries on");
        }
    }

    private static long size(Path file) throws IOException {
        try {
            return Files.size(file);
        } catch (NoSuchFileException e) {
            return 0;
        }
    }
}
