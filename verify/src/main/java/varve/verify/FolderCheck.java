package varve.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import varve.archive.chain.Point;
import varve.archive.file.Folder;
import varve.archive.file.Removal;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Manifest;
import varve.archive.format.UnsupportedException;
import varve.archive.sign.Signature;
import varve.archive.sign.UntrustedException;
import varve.archive.vault.Head;
import varve.archive.vault.Numbers;
import varve.archive.vault.Receipts;
import varve.archive.vault.Signatures;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeSettings;

/// What the folder of a volume tells as a whole: manifests that are damaged or missing, and files that nothing speaks of.
final class FolderCheck {

    private static final Pattern PART =
            Pattern.compile("(.+\\.\\d{8}T\\d{6}\\.\\d{3}Z(?:\\.[0-9a-f]{8})?\\.(?:full|delta))\\.(?:zst|zst\\.age|index|tree)");
    private static final Pattern POINT = Pattern.compile(".+\\.\\d{8}T\\d{6}\\.\\d{3}Z");
    private static final String STAGE = ".varve-stage";
    private static final Set<String> OURS = Set.of(
            ".varve-lock", ".varve-lock-holder", Receipts.FILE, Signature.SIGNER, Signatures.DRAFT, Head.FILE, Head.FILE + Signature.EXTENSION);

    private FolderCheck() {}

    static void run(Volume volume, Volume.Content content, Findings findings) throws IOException {
        for (Volume.Problem problem : content.problems()) {
            String file = problem.manifest();
            findings.add(file, problem.cause(), text -> problem.cause() instanceof UntrustedException
                    ? new Finding.Untrusted(file, Severity.DAMAGE, text)
                    : new Finding.DamagedManifest(file, Findings.rule(problem.cause()), text));
        }
        Signatures signatures = Signatures.of(volume);
        Receipts.Log log = new Receipts(volume).read(); // after the head, which names a receipt that is there then
        signatures(volume, content, signatures, log, findings);
        gaps(content, expired(volume, content, findings), findings);
        times(content, findings);
        files(volume, findings);
        receipts(log, findings);
    }

    private static void signatures(Volume volume, Volume.Content content, Signatures signatures, Receipts.Log log, Findings findings)
            throws IOException {
        if (!signatures.signed()) {
            return;
        }
        signatures.headProblem().ifPresent(problem -> untrusted(Head.FILE, Severity.DAMAGE, problem, findings));
        if (signatures.head().isEmpty() && signatures.headProblem().isEmpty()) {
            findings.add(new Finding.Untrusted(Head.FILE, Severity.SPARE, Head.FILE + ": missing: each manifest is signed, but whether one was removed does not show;"
                    + " the next run that has the key signs a head"));
        }
        signatures.head().ifPresent(head -> findings.add(new Finding.Signed(Head.FILE, signatures.believed(), Head.FILE + ": signed by key " + signatures.headSigner().orElseThrow()
                + (signatures.believed() ? ", which this host believes" : ", which the vault names itself; this host believes no key for it yet (varve trust add)")
                + ": head " + head.generation() + " of " + Manifest.text(head.written()) + " lists " + head.manifests().size() + " manifests")));
        for (UntrustedException misfit : signatures.misfits(log)) {
            untrusted(volume.folder().getFileName().toString(), Severity.DAMAGE, misfit, findings);
        }
        for (StoredArchive archive : content.history().archives()) {
            Path manifest = volume.folder().resolve(archive.manifestFile().getFileName());
            if (Files.exists(manifest)) {
                try {
                    signatures.checkSignature(manifest, Folder.read(manifest, Manifest.MAX_SIZE));
                } catch (UntrustedException e) { // its head lists it, or it would not have been read
                    untrusted(manifest.getFileName().toString(), Severity.SPARE, e, findings);
                }
            }
        }
    }

    static void untrusted(String file, Severity severity, UntrustedException why, Findings findings) {
        findings.add(new Finding.Untrusted(file, severity, Findings.text(file, why)));
    }

    /// {@return numbers of points that were given up}
    private static Numbers expired(Volume volume, Volume.Content content, Findings findings) throws IOException {
        if (content.history().archives().isEmpty()) {
            return Numbers.NONE;
        }
        try {
            return VolumeSettings.read(volume, content.history()).expired();
        } catch (CorruptException | UnsupportedException e) {
            findings.add(VolumeSettings.FILE, e, text -> new Finding.DamagedSettings(VolumeSettings.FILE, Findings.rule(e), text));
            return Numbers.NONE;
        }
    }

    private static void receipts(Receipts.Log log, Findings findings) {
        for (IOException problem : log.problems()) {
            findings.add(Receipts.FILE, problem,
                    text -> new Finding.DamagedReceipts(Receipts.FILE, Findings.rule(problem), text));
        }
        if (log.torn() > 0) {
            findings.add(new Finding.StrayFile(Receipts.FILE, Receipts.FILE + ": " + log.torn()
                    + " bytes at its end of a receipt that is being written or never was; the next receipt takes their place"));
        }
    }

    /// {@return how many points in time have no manifest that can be read}
    static int unreadable(Volume.Content content) {
        Set<String> good = new TreeSet<>();
        content.history().archives().forEach(archive -> good.add(point(archive.manifestFile().getFileName().toString())));
        return (int) lost(content).map(FolderCheck::point).distinct().filter(name -> !good.contains(name)).count();
    }

    /// {@return `VOLUME.TIME`, which the names of all archives of a point begin with}
    private static String point(String file) {
        Matcher name = POINT.matcher(file);
        return name.lookingAt() ? name.group() : file;
    }

    private static Stream<String> lost(Volume.Content content) {
        Set<String> good = new TreeSet<>();
        content.history().archives().forEach(archive -> good.add(archive.manifestFile().getFileName().toString()));
        return content.problems().stream().map(Volume.Problem::manifest).distinct().filter(file -> !good.contains(file));
    }

    /// numbers that are missing, but for those that were given up or that damaged manifests may have had: names sort by time
    private static void gaps(Volume.Content content, Numbers expired, Findings findings) {
        List<String> lost = lost(content).toList();
        String before = "";
        long next = 1;
        for (StoredArchive archive : content.history().archives()) {
            Manifest manifest = archive.manifest();
            String file = archive.manifestFile().getFileName().toString();
            String after = before;
            long damaged = lost.stream().filter(name -> name.compareTo(after) > 0 && name.compareTo(file) < 0).count();
            List<Numbers.Range> missing = expired.missing(next, manifest.sequence() - 1);
            if (missing.stream().mapToLong(range -> range.last() - range.first() + 1).sum() > damaged) {
                missing.forEach(range -> findings.add(new Finding.MissingPoints(file, range.first(), range.last())));
            }
            next = Math.max(next, manifest.sequence() + 1);
            before = file;
        }
    }

    private static void times(Volume.Content content, Findings findings) {
        Instant before = Instant.MIN;
        for (Point point : content.history().points()) {
            Manifest manifest = point.manifest();
            String file = manifest.baseName() + ".json";
            if (!manifest.time().isAfter(before)) {
                findings.add(new Finding.StrangeTime(file, file + ": its time is not after " + Manifest.text(before)
                        + ", that of a point recorded before it: a clock was wrong; days and times may name another point than is meant"));
            } else if (manifest.finished().isBefore(manifest.time())) {
                findings.add(new Finding.StrangeTime(file, file + ": finished at " + Manifest.text(manifest.finished())
                        + ", before it began: the clock was set back meanwhile"));
            }
            before = manifest.time().isAfter(before) ? manifest.time() : before;
        }
    }

    private static void files(Volume volume, Findings findings) throws IOException {
        Set<String> names = new TreeSet<>();
        try (Stream<Path> files = Files.list(volume.folder())) {
            files.map(path -> path.getFileName().toString()).forEach(names::add);
        }
        Set<String> missing = new TreeSet<>();
        boolean committing = names.contains(STAGE + ".json");
        for (String name : names) {
            Matcher part = PART.matcher(name);
            if (name.startsWith(STAGE)) {
                findings.add(new Finding.StrayFile(name, name + ": stage of a run that is at work or was interrupted; the next varve archive carries on from it"));
            } else if (name.startsWith(Removal.PREFIX)) {
                findings.add(new Finding.StrayFile(name, name + ": an archive that is being removed; the next varve expire goes on with that"));
            } else if (part.matches()) {
                String manifest = part.group(1) + ".json";
                if (!committing && !names.contains(Removal.PREFIX + manifest) && !Files.exists(volume.folder().resolve(manifest)) && missing.add(manifest)) {
                    findings.add(new Finding.MissingManifest(manifest));
                }
            } else if (name.endsWith(".json" + Signature.EXTENSION) && names.contains(name.substring(0, name.length() - Signature.EXTENSION.length()))) {
                continue; // looked at with its manifest
            } else if (!name.endsWith(".json") && !OURS.contains(name) && !name.startsWith(Receipts.HIDDEN)) {
                findings.add(new Finding.StrayFile(name, name + ": no part of an archive"));
            }
        }
    }
}
