package varve.verify.cli;

import java.time.Instant;
import java.util.Optional;
import java.util.function.Function;
import varve.verify.status.Concern;
import varve.verify.status.Level;
import varve.verify.status.Status;
import varve.verify.status.VolumeStatus;

/// A status in the text format of Prometheus: times as seconds since 1970, so that they stay true when the file gets old.
final class StatusMetrics {

    private final StringBuilder text = new StringBuilder();

    private StatusMetrics() {}

    static String of(Status status) {
        StatusMetrics metrics = new StatusMetrics();
        metrics.overall(status.level(), status.now());
        metrics.each(status, "varve_volume_status", "How a volume stands: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
                volume -> Optional.of((double) volume.level().number()));
        metrics.each(status, "varve_points", "Points in time of a volume.", volume -> Optional.of((double) volume.points()));
        metrics.each(status, "varve_newest_good_point_timestamp_seconds", "Time of the newest point of a volume that proved copies lead to.",
                volume -> seconds(volume.newest()));
        metrics.each(status, "varve_proved_copies", "Proved copies of the point of a volume that has the fewest.",
                volume -> Optional.of((double) volume.leastCopies()));
        metrics.each(status, "varve_oldest_proof_timestamp_seconds", "When the byte of a volume was last proved that was not for the longest time.",
                volume -> seconds(volume.unproved()));
        metrics.each(status, "varve_damaged_bytes", "Bytes of a volume that are known to be damaged.",
                volume -> Optional.of((double) volume.damaged()));
        metrics.each(status, "varve_locked_since_timestamp_seconds", "Since when a job holds a volume.", volume -> seconds(volume.lockedSince()));
        metrics.each(status, "varve_leftover_files", "Files that jobs on a volume left behind.", volume -> Optional.of((double) volume.leftovers()));
        metrics.head("varve_concerns", "Things that are not as they should be in a volume, by kind.");
        for (VolumeStatus volume : status.volumes()) {
            for (Concern.Kind kind : Concern.Kind.values()) {
                long count = volume.concerns().stream().filter(concern -> concern.kind() == kind).count();
                metrics.line("varve_concerns{volume=\"" + escape(volume.volume()) + "\",kind=\"" + kind.word() + "\"}", count);
            }
        }
        return metrics.text.toString();
    }

    /// {@return what is to be read when nothing could be found out: old numbers would look as if all were well}
    static String failed(Instant now) {
        StatusMetrics metrics = new StatusMetrics();
        metrics.overall(Level.UNKNOWN, now);
        return metrics.text.toString();
    }

    private void overall(Level level, Instant now) {
        head("varve_status", "How all volumes stand together: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.");
        line("varve_status", level.number());
        head("varve_status_timestamp_seconds", "When this was found out.");
        line("varve_status_timestamp_seconds", now.getEpochSecond());
    }

    private void each(Status status, String name, String help, Function<VolumeStatus, Optional<Double>> value) {
        head(name, help);
        for (VolumeStatus volume : status.volumes()) {
            value.apply(volume).ifPresent(number -> line(name + "{volume=\"" + escape(volume.volume()) + "\"}", number));
        }
    }

    private void head(String name, String help) {
        text.append("# HELP ").append(name).append(' ').append(help).append("\n# TYPE ").append(name).append(" gauge\n");
    }

    private void line(String series, double value) {
        text.append(series).append(' ').append(value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value)).append('\n');
    }

    private static Optional<Double> seconds(Optional<Instant> time) {
        return time.map(then -> then.toEpochMilli() / 1000.0);
    }

    private static String escape(String label) {
        return label.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }
}
