package varve.archive;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import varve.archive.file.Folder;
import varve.archive.format.CorruptException;
import varve.archive.format.JsonMembers;
import varve.archive.format.Manifest;

/// How far the audit of change lists has come on its way around a device: FORMAT.md section 2.
///
/// @param next chunk to look at
/// @param time of the last audit
record AuditMark(long next, Instant time) {

    private static final String FILE = ".varve-audit.json";
    private static final String FORMAT = "varve-audit-1";
    private static final int MOST = 4096;

    /// Reads the mark in the folder of a volume. One that is missing or damaged costs an audit from the start of the device.
    ///
    /// @param now what to take for the time of the last audit then: a day before
    static AuditMark read(Path folder, Instant now) throws IOException {
        Path file = folder.resolve(FILE);
        try {
            JsonMembers json = JsonMembers.parse(Files.size(file) > MOST ? new byte[0] : Files.readAllBytes(file), FILE);
            if (FORMAT.equals(json.text("format")) && json.sealed() && json.number("next") >= 0) {
                return new AuditMark(json.number("next"), Instant.parse(json.required("time")));
            }
        } catch (NoSuchFileException | CorruptException | DateTimeException e) {
            // none that can be believed
        }
        return new AuditMark(0, now.minus(Duration.ofDays(1)));
    }

    /// {@return how many chunks are due} at a pace of once around in so many days; at least one
    long due(long chunks, int days, Instant now) {
        double passed = Math.max(0, Duration.between(time, now).toMillis()) / (double) Duration.ofDays(days).toMillis();
        return Math.min(chunks, Math.max(1, (long) Math.ceil(chunks * Math.min(1, passed))));
    }

    void write(Path folder) throws IOException {
        JsonMembers json = new JsonMembers(FILE);
        json.text("format", FORMAT);
        json.number("next", next);
        json.text("time", Manifest.text(time));
        json.seal();
        Path draft = folder.resolve(FILE + ".draft");
        Folder.write(draft, json.toString().getBytes(StandardCharsets.UTF_8));
        Files.move(draft, folder.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
    }
}
