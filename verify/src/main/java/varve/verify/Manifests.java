package varve.verify;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import varve.archive.chain.History;
import varve.archive.file.ArchiveFile;
import varve.archive.file.Folder;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.JsonMembers;
import varve.archive.format.Manifest;
import varve.archive.format.Rule;
import varve.archive.format.Summary;
import varve.archive.format.UnsupportedException;
import varve.archive.hash.Hash;
import varve.archive.vault.Signatures;

/// The manifests of one volume in several folders: which of those that bear one name is to be believed.
///
/// Mostly all are equal. A manifest that is whole by itself may yet be that of another volume, or of another state of things. What
/// speaks for one: that the manifest of the next point names its hash; that tables and file trees, which lie beside it or in
/// another vault, are those that it names; in the end, that the data file is. What speaks against one: that another volume id is that of
/// most of the folder, or that the files beside it are not its. A manifest that nothing speaks for is not heard about others, either. If
/// nothing decides, a manifest that is here stays.
final class Manifests {

    private static final Pattern NAME = Pattern.compile(
            "([^.].*\\.\\d{8}T\\d{6}\\.\\d{3}Z(?:\\.[0-9a-f]{8})?\\.(?:full|delta))\\.(?:zst|index|tree|json)");

    /// what the names of manifests begin with whose archives are being removed
    private static final String DROPPED = ".varve-drop-";

    private static final Comparator<Manifest> ORDER =
            Comparator.comparingLong(Manifest::sequence).thenComparing(Manifest::derived).thenComparing(Manifest::baseName);

    private final String volume;
    private final List<Place> places;
    private final Map<String, List<Candidate>> candidates = new TreeMap<>();
    private final Map<String, Believed> believed = new HashMap<>();
    private final Map<String, Lost> lost = new TreeMap<>();
    private final Map<String, String> faults = new HashMap<>();
    private final List<String> notes = new ArrayList<>();
    private final Set<String> here = new TreeSet<>();
    private final Set<Candidate> heard = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Hash> named = new HashSet<>();
    private final Set<Long> nextKnown = new HashSet<>();

    /// A manifest that is whole by itself.
    ///
    /// @param hash of the original manifest of its point
    private record Candidate(Place place, byte[] text, Manifest manifest, Hash hash) {}

    /// A manifest that is to be believed.
    ///
    /// @param from where it was read
    record Believed(Manifest manifest, byte[] text, Place from) {}

    /// An archive without a manifest that is to be believed.
    ///
    /// @param unsupported whether a later varve wrote it, so that nothing need be wrong
    record Lost(String why, boolean unsupported) {}

    private Manifests(String volume, List<Place> places) {
        this.volume = volume;
        this.places = places;
    }

    /// @param places the folder that it is about, and others that may help
    static Manifests read(String volume, List<Place> places) throws IOException {
        Manifests manifests = new Manifests(volume, places);
        for (Place place : places) {
            manifests.take(place);
        }
        Optional<UUID> id = manifests.volumeId();
        manifests.hear(id);
        manifests.choose(id);
        return manifests;
    }

    /// {@return the archives of which any file is in the first folder: their base names}
    Set<String> here() {
        return here;
    }

    Optional<Believed> believed(String base) {
        return Optional.ofNullable(believed.get(base));
    }

    /// {@return what is wrong with the manifest in the first folder, if anything is}
    Optional<String> fault(String base) {
        return Optional.ofNullable(faults.get(base));
    }

    /// {@return archives in the first folder that have no manifest to be believed}
    Map<String, Lost> lost() {
        return lost;
    }

    /// {@return what should be known of the other folders}
    List<String> notes() {
        return notes;
    }

    /// {@return all archives that are believed in, wherever their files are, in the order of their points}
    History history() {
        return new History(believed.values().stream()
                .map(Believed::manifest)
                .sorted(ORDER)
                .map(manifest -> new StoredArchive(places.stream().map(Place::folder).toList(), manifest, places.getFirst().volume().keys()))
                .toList());
    }

    /// Counts archives as here of which nothing is left in the first folder, if it has a gap without them.
    ///
    /// @param expected those whose data should be here
    void miss(Set<String> expected) {
        boolean more = true;
        while (more) {
            History ours = new History(history().archives().stream().filter(archive -> here.contains(archive.manifest().baseName())).toList());
            List<StoredArchive> missed = history().archives().stream()
                    .filter(archive -> expected.contains(archive.manifest().baseName()) && !here.contains(archive.manifest().baseName()))
                    .filter(archive -> gap(ours, archive.manifest()))
                    .toList();
            for (StoredArchive archive : missed) {
                here.add(archive.manifest().baseName());
                faults.put(archive.manifest().baseName(), "missing");
            }
            more = !missed.isEmpty();
        }
    }

    /// whether others stand on an archive and on nothing else, or it is the newest
    private static boolean gap(History ours, Manifest manifest) {
        boolean newest = ours.archives().stream().noneMatch(archive -> archive.manifest().sequence() >= manifest.sequence());
        boolean carries = ours.archives().stream().anyMatch(archive -> archive.manifest().parent().equals(manifest.state()));
        return newest || carries && ours.path(manifest.state(), any -> true).isEmpty();
    }

    private boolean isHere(Place place) {
        return place.equals(places.getFirst());
    }

    private void take(Place place) throws IOException {
        if (!Files.isDirectory(place.folder())) {
            return;
        }
        List<String> names;
        try (Stream<Path> content = Files.list(place.folder())) {
            names = content.map(path -> path.getFileName().toString()).sorted().toList();
        }
        Signatures signatures = signatures(place);
        for (String name : names) {
            Matcher part = NAME.matcher(name);
            if (part.matches() && !names.contains(DROPPED + part.group(1) + ".json")) {
                String base = part.group(1);
                if (isHere(place)) {
                    here.add(base);
                }
                if (name.endsWith(".json")) {
                    take(place, base, name, signatures);
                }
            }
        }
        for (String base : isHere(place) ? here : Set.<String>of()) {
            if (!names.contains(base + ".json")) {
                faults.put(base, "missing");
            }
        }
    }

    private void take(Place place, String base, String name, Signatures signatures) {
        try {
            byte[] text = Folder.read(place.folder().resolve(name), Manifest.MAX_SIZE);
            Manifest manifest = decode(text, name);
            if (!manifest.volume().equals(volume) || !manifest.baseName().equals(base)) {
                throw new CorruptException(Rule.F036, name, "it is that of " + manifest.baseName() + " of volume \"" + manifest.volume() + "\"");
            }
            signatures.check(place.folder().resolve(name), text);
            candidates.computeIfAbsent(base, b -> new ArrayList<>()).add(new Candidate(place, text, manifest, manifest.originalHash()));
        } catch (UnsupportedException e) {
            if (isHere(place)) {
                lost.put(base, new Lost(Findings.text(name, e), true));
            }
        } catch (IOException e) {
            String text = Findings.text(name, e);
            if (isHere(place)) {
                faults.put(base, text);
            } else {
                notes.add(place.vault() + ": " + text);
            }
        }
    }

    /// what the vault that is healed demands, also of another that has no key of its own
    private Signatures signatures(Place place) throws IOException {
        Signatures theirs = Signatures.of(place.volume());
        return theirs.signed() ? theirs : Signatures.of(places.getFirst().volume());
    }

    /// @throws UnsupportedException if a later version wrote it, and its own check says that it did
    private static Manifest decode(byte[] text, String name) throws IOException {
        try {
            return Manifest.decode(text, name);
        } catch (UnsupportedException e) {
            if (JsonMembers.parse(text, name).sealed()) {
                throw e;
            }
            throw new CorruptException(Rule.F043, name, "its last member is not the hash of what is before it");
        }
    }

    /// Finds the manifests that may be right, the newest first: those that name others come before these.
    private void hear(Optional<UUID> id) {
        List<Candidate> newestFirst = candidates.values().stream()
                .flatMap(List::stream)
                .filter(c -> id.isEmpty() || c.manifest().volumeId().equals(id.get()))
                .sorted(Comparator.comparing(Candidate::manifest, ORDER.reversed()))
                .toList();
        for (Candidate candidate : newestFirst) {
            Manifest manifest = candidate.manifest();
            if (named.contains(candidate.hash()) || credible(candidate, isHere(candidate, candidates.get(manifest.baseName())))) {
                heard.add(candidate);
                manifest.previous().ifPresent(hash -> {
                    named.add(hash);
                    nextKnown.add(manifest.sequence() - 1);
                });
                manifest.original().ifPresent(named::add);
            }
        }
    }

    private void choose(Optional<UUID> id) {
        Set<String> bases = new TreeSet<>(candidates.keySet());
        bases.addAll(here);
        for (String base : bases) {
            if (lost.containsKey(base)) {
                continue;
            }
            List<Candidate> all = candidates.getOrDefault(base, List.of());
            Optional<Candidate> choice = choose(all.stream().filter(heard::contains).toList());
            if (choice.isPresent()) {
                accept(base, choice.get(), all);
            } else if (here.contains(base)) {
                lost.put(base, new Lost(why(base, all, id), false));
            }
        }
    }

    private boolean isHere(Candidate candidate, List<Candidate> all) {
        return all.stream().anyMatch(c -> isHere(c.place()) && Arrays.equals(c.text(), candidate.text()));
    }

    private String why(String base, List<Candidate> all, Optional<UUID> id) {
        if (all.isEmpty()) {
            return faults.get(base);
        }
        String file = base + ".json";
        boolean foreign = all.stream().noneMatch(c -> id.equals(Optional.of(c.manifest().volumeId())));
        return file + ": " + (foreign
                ? "it is that of another volume of the same name: its id is " + all.getFirst().manifest().volumeId()
                : "it does not fit the other files of the archive, nor does any other manifest at hand");
    }

    private void accept(String base, Candidate choice, List<Candidate> all) {
        believed.put(base, new Believed(choice.manifest(), choice.text(), choice.place()));
        for (Candidate other : all) {
            boolean same = Arrays.equals(other.text(), choice.text());
            if (!same && isHere(other.place())) {
                faults.put(base, "another manifest than the right one, which " + choice.place().vault() + " has");
            } else if (!same && !(choice.manifest().derived() && choice.manifest().file().equals(other.manifest().file()))) {
                notes.add(other.place().vault() + ": " + base + ".json: another archive than the one of this name here; not used");
            }
        }
    }

    /// {@return the identity of the volume in the first folder, as far as its files tell} What other folders say decides only
    /// between two that are equally likely.
    private Optional<UUID> volumeId() {
        Map<UUID, Integer> votes = new HashMap<>();
        for (String base : here) {
            Set<UUID> elsewhere = new HashSet<>();
            for (Candidate candidate : candidates.getOrDefault(base, List.of())) {
                if (isHere(candidate.place())) {
                    votes.merge(candidate.manifest().volumeId(), 2, Integer::sum);
                } else {
                    elsewhere.add(candidate.manifest().volumeId());
                }
            }
            elsewhere.forEach(id -> votes.merge(id, 1, Integer::sum));
            headerId(base).ifPresent(id -> votes.merge(id, 2, Integer::sum));
        }
        return votes.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey);
    }

    private Optional<UUID> headerId(String base) {
        try {
            return ArchiveFile.header(places.getFirst().file(base, "zst")).map(header -> header.volumeId());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private Optional<Candidate> choose(List<Candidate> all) {
        List<Candidate> different = new ArrayList<>();
        for (Candidate candidate : all) {
            if (different.stream().noneMatch(c -> Arrays.equals(c.text(), candidate.text()))) {
                different.add(candidate);
            }
        }
        if (different.size() == 1) {
            Candidate only = different.getFirst();
            boolean contradicted = nextKnown.contains(only.manifest().sequence()) && !named.contains(only.hash());
            return contradicted && files(only) == 0 ? Optional.empty() : Optional.of(only);
        }
        // the one that is here comes first, and stays first among equals
        return different.stream().max(Comparator.comparing((Candidate c) -> named.contains(c.hash()))
                .thenComparing(this::files)
                .thenComparing(this::data)
                .thenComparing(c -> isHere(c.place()))
                .thenComparing(c -> -places.indexOf(c.place())));
    }

    /// {@return whether more of the files of the archive say that a manifest is theirs than that it is not}
    ///
    /// @param own whether it is that of the first folder. One that is not must not turn good files there into others.
    private boolean credible(Candidate candidate, boolean own) {
        int allFor = 0;
        int allAgainst = 0;
        for (Place place : places) {
            int count = files(place, candidate.manifest());
            int contrary = 0;
            for (String extension : List.of("index", candidate.manifest().dataExtension())) {
                Optional<Summary> summary = summary(place.file(candidate.manifest().baseName(), extension), !extension.equals("index"));
                boolean described = summary.isPresent() && describes(candidate.manifest(), summary.get());
                contrary += summary.isPresent() && !described ? 1 : 0;
                count += described && !extension.equals("index") ? 1 : 0;
            }
            if (isHere(place) && !own && contrary > 0 && count == 0) {
                return false;
            }
            allFor += count;
            allAgainst += contrary;
        }
        return own ? allFor >= allAgainst || data(candidate) > 0 : allFor > allAgainst || allAgainst == 0;
    }

    private static Optional<Summary> summary(Path file, boolean data) {
        try {
            return ArchiveFile.summary(file, data);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static boolean describes(Manifest manifest, Summary summary) {
        return manifest.kind() == summary.header().kind()
                && manifest.volumeId().equals(summary.header().volumeId())
                && manifest.parent().equals(summary.header().parent())
                && manifest.state().equals(summary.state());
    }

    /// {@return how many tables and file trees are those that a manifest names}
    private int files(Candidate candidate) {
        return places.stream().mapToInt(place -> files(place, candidate.manifest())).sum();
    }

    private static int files(Place place, Manifest manifest) {
        String base = manifest.baseName();
        return (hasTables(place.file(base, "index"), manifest) ? 1 : 0) + (hasTree(place.file(base, "tree"), manifest) ? 1 : 0);
    }

    private static boolean hasTables(Path file, Manifest manifest) {
        try {
            Index.open(file, 0, manifest).close();
            return true;
        } catch (IOException | RuntimeException | InternalError e) {
            return false;
        }
    }

    private static boolean hasTree(Path file, Manifest manifest) {
        try (Arena arena = Arena.ofConfined()) {
            return TreeFile.open(file, manifest, arena).isPresent();
        }
    }

    /// {@return how many data files are those that a manifest names}
    private int data(Candidate candidate) {
        int count = 0;
        for (Place place : places) {
            Manifest manifest = candidate.manifest();
            try (Arena arena = Arena.ofConfined()) {
                count += GroupHashes.of(place.file(manifest.baseName(), manifest.dataExtension()), manifest, 1, arena).areOf(manifest) ? 1 : 0;
            } catch (IOException e) {
                // it speaks for nobody
            }
        }
        return count;
    }
}
