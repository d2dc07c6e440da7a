package varve.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import varve.archive.file.ArchiveFile;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Rule;
import varve.archive.format.UnsupportedException;

/// The structure of one archive by itself: are its files there, of the right size, and do header, both copies of the
/// tables and the seek table say the same as the manifest?
final class ArchiveCheck {

    private final StoredArchive archive;
    private final boolean elsewhere;
    private final Findings findings;
    private final Consumer<Index> keeper;
    private final String data;
    private final String index;
    private boolean unsupported;

    /// What can be used of an archive.
    ///
    /// @param tables one copy at least is good
    /// @param data the data file is at hand, and its header and size are right
    /// @param verdict on the archive: can it be used to restore, as far as this check can tell?
    record Usable(boolean tables, boolean data, Severity verdict) {}

    private ArchiveCheck(StoredArchive archive, boolean elsewhere, Findings findings, Consumer<Index> keeper) {
        this.archive = archive;
        this.keeper = keeper;
        this.elsewhere = elsewhere;
        this.findings = findings;
        this.data = archive.data().getFileName().toString();
        this.index = archive.index().getFileName().toString();
    }

    /// {@return what can be used of an archive; what cannot is told to `findings`}
    ///
    /// @param elsewhere whether the data file, if it is not here, is known to be in another vault
    /// @param inside whether a sealed file is looked into, which takes a key that is known to fit
    /// @param keeper takes good tables, to close them or to go on with them
    static Usable run(StoredArchive archive, boolean elsewhere, boolean inside, Findings findings, Consumer<Index> keeper) {
        ArchiveCheck check = new ArchiveCheck(archive, elsewhere, findings, keeper);
        return archive.manifest().seal().isPresent() && !inside && archive.dataAtHand() ? check.runSealed() : check.run();
    }

    /// what can be told without a key
    private Usable runSealed() {
        boolean file = checkFile(null);
        if (!Files.exists(archive.index())) {
            findings.add(new Finding.MissingFile(index, Severity.SPARE, index + ": missing; the tables are sealed in the data file too"));
            return new Usable(false, file, file ? Severity.UNKNOWN : Severity.DAMAGE);
        }
        return usable(keepIndexFile(), file);
    }

    private Usable run() {
        if (!archive.dataAtHand()) {
            return runWithoutData();
        }
        Index tables;
        try {
            tables = ArchiveFile.openOwnIndex(archive.data(), archive.manifest(), archive.keys());
        } catch (IOException | RuntimeException | InternalError e) { // the last is how a mapped file fails to be read
            unsupported |= e instanceof UnsupportedException;
            return runWithBadTables(e);
        }
        boolean file = checkFile(tables);
        checkCopy(tables);
        keeper.accept(tables);
        return usable(true, file);
    }

    private Usable runWithoutData() {
        if (!Files.exists(archive.index())) {
            findings.add(new Finding.MissingFile(data, Severity.DAMAGE, data + ": missing, and so are its tables (" + index + ")"));
            return usable(false, false);
        }
        findings.add(new Finding.NotAtHand(data, elsewhere));
        boolean tables = keepIndexFile();
        return new Usable(tables, false, tables ? Severity.UNKNOWN : Severity.DAMAGE);
    }

    private Usable runWithBadTables(Throwable fault) {
        Index tables = Files.exists(archive.index()) ? openIndexFile() : null;
        boolean file = checkFile(tables);
        Severity severity = tables != null ? Severity.SPARE : Severity.DAMAGE;
        findings.add(data, fault, text -> new Finding.DamagedIndex(data, severity, Findings.rule(fault), text));
        return usable(keep(tables), file);
    }

    private boolean keepIndexFile() {
        return keep(openIndexFile());
    }

    /// {@return whether there are good tables}
    private boolean keep(@Nullable Index tables) {
        if (tables != null) {
            keeper.accept(tables);
        }
        return tables != null;
    }

    private Usable usable(boolean tables, boolean file) {
        Severity bad = unsupported ? Severity.UNKNOWN : Severity.DAMAGE;
        return new Usable(tables, file, tables && file ? Severity.NOTE : bad);
    }

    /// the `.index` file as the only copy of the tables, if it is good
    private @Nullable Index openIndexFile() {
        try {
            return Index.open(archive.index(), 0, archive.manifest());
        } catch (IOException | RuntimeException | InternalError e) {
            unsupported |= e instanceof UnsupportedException;
            findings.add(index, e, text -> new Finding.DamagedIndex(index, Severity.DAMAGE, Findings.rule(e), text));
            return null;
        }
    }

    /// the `.index` file as a second copy
    private void checkCopy(Index tables) {
        try {
            long position = tables.mismatch(archive.index());
            if (position >= 0) {
                throw new CorruptException(Rule.F039, index, "byte at " + position + " is not as in the data file");
            }
        } catch (NoSuchFileException e) {
            findings.add(new Finding.MissingFile(index, Severity.SPARE, index + ": missing; the tables are in the data file too"));
        } catch (IOException | RuntimeException | InternalError e) {
            findings.add(index, e, text -> new Finding.DamagedIndex(index, Severity.SPARE, Findings.rule(e), text));
        }
    }

    /// whether header and size are right; the seek table may be wrong without harm to the data
    ///
    /// @param tables null if there are no good ones: then the seek table is not looked at
    private boolean checkFile(@Nullable Index tables) {
        Severity severity = Severity.DAMAGE;
        try (ArchiveFile file = tables == null ? archive.openStored() : archive.openData()) {
            severity = Severity.SPARE;
            if (tables != null) {
                file.checkSeekTable(tables);
            }
            return true;
        } catch (IOException | RuntimeException | InternalError e) {
            Severity how = severity;
            unsupported |= e instanceof UnsupportedException;
            findings.add(data, e, text -> new Finding.DamagedFile(data, how, Findings.rule(e), text));
            return severity == Severity.SPARE;
        }
    }
}
