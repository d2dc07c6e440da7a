package varve.verify.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.cli.JsonText;
import varve.archive.cli.Lapse;
import varve.archive.cli.Printable;
import varve.archive.format.Manifest;
import varve.verify.status.Concern;
import varve.verify.status.Level;
import varve.verify.status.Status;
import varve.verify.status.VolumeStatus;

/// A status as the line of a monitoring plugin, and as JSON.
final class StatusText {

    private static final int MOST = 3;
    private static final int MOST_TEXT = 300;

    private final Status status;

    /// A concern, and what it is of.
    private record Named(String name, Concern concern) {
        String text() {
            return (name.isEmpty() ? "" : name + ": ") + concern.text();
        }
    }

    StatusText(Status status) {
        this.status = status;
    }

    /// @param verbose whether to print a line for each volume and each concern, too
    void print(PrintStream out, boolean verbose) {
        List<Named> concerns = concerns();
        String line = "VARVE " + status.level() + " - ";
        if (concerns.isEmpty()) {
            line += status.volumes().isEmpty() ? "no volumes in these vaults" : summary();
        } else {
            List<String> texts = new ArrayList<>(concerns.stream().limit(MOST).map(named -> brief(named.text())).toList());
            if (concerns.size() > MOST) {
                texts.add((concerns.size() - MOST) + " more concerns");
            }
            line += String.join("; ", texts);
        }
        out.println(plain(line) + " | " + performance());
        if (verbose) {
            concerns.forEach(named -> out.println(named.concern().level() + ": " + plain(named.text())));
            status.volumes().forEach(volume -> out.println(plain(volume.volume() + ": " + volume.level() + ", " + numbers(volume))));
        }
    }

    private List<Named> concerns() {
        List<Named> all = new ArrayList<>();
        status.concerns().forEach(concern -> all.add(new Named("", concern)));
        status.volumes().forEach(volume -> volume.concerns().forEach(concern -> all.add(new Named(volume.volume(), concern))));
        return all.stream().sorted(Comparator.comparing((Named named) -> named.concern().level()).reversed()).toList();
    }

    private static String brief(String text) {
        return text.length() <= MOST_TEXT ? text : text.substring(0, MOST_TEXT) + "...";
    }

    /// {@return a text in one line, without what begins performance data}
    static String plain(String text) {
        return Printable.line(text).replace('|', '/');
    }

    private String summary() {
        return count(status.volumes().size(), "volume") + ": newest points at most " + age(status.oldest(VolumeStatus::newest)) + " old, "
                + (status.leastCopies() == 1 ? "1 copy" : status.leastCopies() + " copies") + " at least, oldest proof "
                + age(status.oldest(VolumeStatus::unproved)) + " ago";
    }

    private String numbers(VolumeStatus volume) {
        return count(volume.points(), "point") + ", newest good one " + age(volume.newest()) + " old, copies " + volume.leastCopies() + ", oldest proof "
                + age(volume.unproved()) + " ago" + (volume.damaged() > 0 ? ", damaged " + volume.damaged() + " bytes" : "")
                + volume.lockedSince().map(since -> ", at work since " + Manifest.text(since)).orElse("");
    }

    private String age(Optional<Instant> time) {
        return time.map(then -> Lapse.format(Duration.between(then, status.now()))).orElse("-");
    }

    private static String count(long number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    /// the worst of all volumes, as `label=value;warning;critical`
    private String performance() {
        List<String> data = new ArrayList<>();
        data.add("volumes=" + status.volumes().size());
        status.oldest(VolumeStatus::newest).ifPresent(time -> data.add(seconds("age", time, status.options().maxAge())));
        data.add("copies=" + status.leastCopies() + ";" + status.options().minCopies() + ":;1:");
        status.oldest(VolumeStatus::unproved).ifPresent(time -> data.add(seconds("unproved", time, status.options().maxUnproved())));
        data.add("damaged=" + status.damaged() + "B;0");
        data.add("concerns=" + concerns().size());
        return String.join(" ", data);
    }

    private String seconds(String label, Instant time, Duration limit) {
        return label + "=" + Duration.between(time, status.now()).toSeconds() + "s;" + limit.toSeconds() + ";" + 2 * limit.toSeconds();
    }

    void print(JsonText json) {
        json.object()
                .member("level", status.level().name())
                .member("time", Manifest.text(status.now()))
                .object("limits")
                .member("maxAgeSeconds", status.options().maxAge().toSeconds())
                .member("minCopies", status.options().minCopies())
                .member("maxUnprovedSeconds", status.options().maxUnproved().toSeconds())
                .member("maxLockSeconds", status.options().maxLock().toSeconds())
                .end();
        concerns(json, status.concerns());
        json.array("volumes");
        for (VolumeStatus volume : status.volumes()) {
            json.object()
                    .member("volume", volume.volume())
                    .member("level", volume.level().name())
                    .member("points", volume.points())
                    .member("newestGoodPoint", time(volume.newest()))
                    .member("leastCopies", volume.leastCopies())
                    .member("oldestProof", time(volume.unproved()))
                    .member("bytesDamaged", volume.damaged())
                    .member("lockedSince", time(volume.lockedSince()))
                    .member("leftovers", volume.leftovers());
            concerns(json, volume.concerns());
            json.end();
        }
        json.end().end();
    }

    private static void concerns(JsonText json, List<Concern> concerns) {
        json.array("concerns");
        for (Concern concern : concerns) {
            json.object()
                    .member("level", concern.level().name())
                    .member("kind", concern.kind().word())
                    .member("text", concern.text())
                    .end();
        }
        json.end();
    }

    private static @Nullable String time(Optional<Instant> time) {
        return time.map(Manifest::text).orElse(null);
    }
}
