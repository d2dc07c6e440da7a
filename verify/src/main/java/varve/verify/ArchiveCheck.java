package varve.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import varve.archive.file.ArchiveFile;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.format.UnsupportedException;

/// The structure of one archive by itself: are its files there, of the right size, and do header, both copies of the
/// tables and the seek table say the same as the manifest?
final class ArchiveCheck {

    private final StoredArchive archive;
    private final Findings findings;
    private final String data;
    private final String index;
    private boolean unsupported;

    /// What can be used of an archive.
    ///
    /// @param tables one copy at least is good
    /// @param data the data file is at hand, and its header and size are right
    /// @param verdict on the archive: can it be used to restore, as far as this check can tell?
    record Usable(boolean tables, boolean data, Severity verdict) {}

    private ArchiveCheck(StoredArchive archive, Findings findings) {
        this.archive = archive;
        this.findings = findings;
        this.data = archive.data().getFileName().toString();
        this.index = archive.index().getFileName().toString();
    }

    /// {@return what can be used of an archive; what cannot is told to `findings`}
    static Usable run(StoredArchive archive, Findings findings) {
        return new ArchiveCheck(archive, findings).run();
    }

    private Usable run() {
        boolean here = archive.dataAtHand();
        boolean beside = Files.exists(archive.index());
        if (!here) {
            findings.add(beside
                    ? new Finding.NotAtHand(data)
                    : new Finding.MissingFile(data, Severity.DAMAGE, data + ": missing, and so are its tables (" + index + ")"));
        }
        Throwable besideFault = beside ? tryTables(archive.index(), manifest -> Index.open(archive.index(), 0, manifest)) : null;
        boolean besideGood = beside && besideFault == null;
        unsupported = besideFault instanceof UnsupportedException;
        boolean ownGood = false;
        boolean file = false;
        if (here) {
            Throwable ownFault = tryTables(archive.data(), manifest -> ArchiveFile.openOwnIndex(archive.data(), manifest));
            ownGood = ownFault == null;
            file = checkFile(ownGood || besideGood);
            if (ownFault != null) {
                Severity severity = besideGood ? Severity.SPARE : Severity.DAMAGE;
                findings.add(data, ownFault, text -> new Finding.DamagedIndex(data, severity, Findings.rule(ownFault), text));
            }
        }
        if (besideFault != null) {
            Severity severity = ownGood ? Severity.SPARE : Severity.DAMAGE;
            findings.add(index, besideFault, text -> new Finding.DamagedIndex(index, severity, Findings.rule(besideFault), text));
        } else if (here && !beside) {
            findings.add(new Finding.MissingFile(index, Severity.SPARE, index + ": missing; the tables are in the data file too"));
        }
        boolean tables = ownGood || besideGood;
        boolean unknown = !here && beside || unsupported;
        return new Usable(tables, file, tables && file ? Severity.NOTE : unknown ? Severity.UNKNOWN : Severity.DAMAGE);
    }

    private interface Opening {
        Index open(Manifest manifest) throws IOException;
    }

    private @Nullable Throwable tryTables(Path file, Opening opening) {
        try (Index tables = opening.open(archive.manifest())) {
            return null;
        } catch (IOException | RuntimeException | InternalError e) { // the last is how a mapped file fails to be read
            return e;
        }
    }

    /// whether header and size are right; the seek table may be wrong without harm to the data
    private boolean checkFile(boolean tables) {
        Severity severity = Severity.DAMAGE;
        try (ArchiveFile file = archive.openData()) {
            severity = Severity.SPARE;
            if (tables) {
                checkSeekTable(file);
            }
            return true;
        } catch (IOException | RuntimeException | InternalError e) {
            Severity how = severity;
            unsupported |= e instanceof UnsupportedException;
            findings.add(data, e, text -> new Finding.DamagedFile(data, how, Findings.rule(e), text));
            return severity == Severity.SPARE;
        }
    }

    private void checkSeekTable(ArchiveFile file) throws IOException {
        try (Index tables = archive.openIndex()) {
            file.checkSeekTable(tables);
        }
    }
}
