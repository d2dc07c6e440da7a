package varve.archive.vault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import varve.archive.block.RefusedException;
import varve.archive.file.Folder;
import varve.archive.file.Signer;
import varve.archive.format.Manifest;
import varve.archive.hash.Hash;
import varve.archive.sign.PublicKey;
import varve.archive.sign.SecretKey;
import varve.archive.sign.Signature;
import varve.archive.sign.UntrustedException;

/// Who vouches for what is in the folder of a volume: FORMAT.md section 18.
///
/// A volume *is signed* if this host believes a key for it, or if a public key lies in its folder. Then a manifest is used only if such a
/// key has signed it, by itself or as one that the signed [Head] lists. What the host believes goes before what lies in the
/// folder, which whoever can write to the vault can replace.
///
/// The head never forgets by itself: a manifest that it lists and that is gone stays listed, until a run that removes it on
/// purpose signs that. So no later run covers up for a removal.
///
/// A snapshot; for one thread.
public final class Signatures {

    /// a head that is about to get its name
    public static final String DRAFT = ".varve-head.new";

    private static final int TRIES = 3;

    private final Volume volume;
    private final List<PublicKey> keys;
    private final boolean believed;
    private @Nullable Head head;
    private @Nullable String headSigner;
    private Optional<UntrustedException> headProblem = Optional.empty();

    private Signatures(Volume volume, List<PublicKey> keys, boolean believed) {
        this.volume = volume;
        this.keys = keys;
        this.believed = believed;
    }

    /// Looks at what is there. A volume that is not signed costs next to nothing.
    ///
    /// @throws UntrustedException if what the host believes, or the key in the folder, is not understood
    public static Signatures of(Volume volume) throws IOException {
        List<PublicKey> keys = volume.signing().trust().keys(volume.name());
        boolean believed = !keys.isEmpty();
        if (!believed) {
            keys = signer(volume.folder()).stream().toList();
        }
        Signatures signatures = new Signatures(volume, keys, believed);
        if (signatures.signed() && volume.exists()) {
            signatures.readHead();
        }
        return signatures;
    }

    private static Optional<PublicKey> signer(Path folder) throws IOException {
        Path file = folder.resolve(Signature.SIGNER);
        try {
            return Optional.of(PublicKey.parse(new String(Folder.read(file, Signature.MAX_SIZE), StandardCharsets.UTF_8)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            throw new UntrustedException(file + ": no public key of minisign: " + e.getMessage());
        }
    }

    /// {@return whether anything in the folder has to be signed}
    public boolean signed() {
        return !keys.isEmpty();
    }

    /// {@return whether it is this host that believes the keys, and not only the vault that names one}
    public boolean believed() {
        return believed;
    }

    /// {@return the keys that are believed}
    public List<PublicKey> keys() {
        return keys;
    }

    /// {@return whose signatures count, for people}
    public String describe() {
        String ids = keys.stream().map(PublicKey::id).collect(Collectors.joining(" or "));
        return "key " + ids + (believed ? "" : " (named by the vault itself; this host believes in no key yet: varve trust add)");
    }

    /// {@return the head, if there is one and a key that is believed has signed it}
    public Optional<Head> head() {
        return Optional.ofNullable(head);
    }

    /// {@return the number of the key that has signed the head}
    public Optional<String> headSigner() {
        return Optional.ofNullable(headSigner);
    }

    /// {@return what is wrong with the head, if there is one}
    public Optional<UntrustedException> headProblem() {
        return headProblem;
    }

    // ---- checking

    /// Makes sure that somebody who is believed vouches for a manifest.
    ///
    /// @param text of the file
    /// @throws UntrustedException if nobody does
    public void check(Path file, byte[] text) throws IOException {
        if (!signed() || (head != null && Head.hash(text).equals(head.manifests().get(file.getFileName().toString())))) {
            return;
        }
        signer(file, text);
    }

    /// Makes sure that a signature lies beside a file and is right, whoever else vouches for it.
    ///
    /// @param text of the file
    /// @throws UntrustedException if there is none of a key that is believed
    public void checkSignature(Path file, byte[] text) throws IOException {
        signer(file, text);
    }

    /// {@return who has signed a file}
    private String signer(Path file, byte[] text) throws IOException {
        Path beside = file.resolveSibling(file.getFileName() + Signature.EXTENSION);
        Signature signature;
        try {
            signature = Signature.parse(Folder.read(beside, Signature.MAX_SIZE));
        } catch (NoSuchFileException e) {
            throw new UntrustedException(file + ": not signed, expected a signature of " + describe()
                    + "; it may have been put there: take it from another copy with varve heal");
        } catch (IllegalArgumentException e) {
            throw new UntrustedException(beside + ": " + e.getMessage());
        }
        if (keys.stream().anyMatch(key -> signature.of(key, text))) {
            return signature.keyId();
        }
        throw new UntrustedException(file + (keys.stream().anyMatch(key -> key.id().equals(signature.keyId()))
                ? ": not what key " + signature.keyId() + " has signed: it was altered; take it from another copy with varve heal"
                : ": signed by key " + signature.keyId() + ", expected " + describe()));
    }

    private void readHead() throws IOException {
        Path file = volume.folder().resolve(Head.FILE);
        for (int i = 1; i <= TRIES; i++) { // another run may be about to replace it
            try {
                byte[] text = Folder.read(file, Head.MAX_SIZE);
                readHead(file, text);
                headProblem = Optional.empty();
                return;
            } catch (NoSuchFileException e) {
                return;
            } catch (UntrustedException e) {
                headProblem = Optional.of(e);
            }
        }
    }

    private void readHead(Path file, byte[] text) throws IOException {
        byte[] signed = text;
        String signer;
        try {
            signer = signer(file, text);
        } catch (UntrustedException e) {
            // a run that died between giving signature and head their names
            try {
                signed = Folder.read(volume.folder().resolve(DRAFT), Head.MAX_SIZE);
                signer = signer(file, signed);
            } catch (NoSuchFileException | UntrustedException none) {
                throw e;
            }
        }
        try {
            Head found = Head.decode(signed);
            if (!found.volume().equals(volume.name())) {
                throw new UntrustedException(file + ": is of volume \"" + found.volume() + "\", expected \"" + volume.name() + "\"");
            }
            UUID vault = Marker.read(vaultFolder()).id();
            if (!found.vault().equals(vault)) {
                throw new UntrustedException(file + ": is of vault " + found.vault() + ", expected " + vault + ": the folder comes from another vault");
            }
            head = found;
            headSigner = signer;
        } catch (IllegalArgumentException e) {
            throw new UntrustedException(file + ": " + e.getMessage());
        }
    }

    private Path vaultFolder() {
        return volume.folder().toAbsolutePath().getParent();
    }

    /// {@return manifests that the head lists and the folder does not have as it lists them: removed, or replaced since}
    public List<UntrustedException> lost() throws IOException {
        List<UntrustedException> misfits = new ArrayList<>();
        if (head == null) {
            return misfits;
        }
        for (Map.Entry<String, Hash> listed : head.manifests().entrySet()) {
            Path file = volume.folder().resolve(listed.getKey());
            String of = "head " + head.generation() + " of " + Manifest.text(head.written());
            try {
                if (!Head.hash(Folder.read(file, Manifest.MAX_SIZE)).equals(listed.getValue())) {
                    misfits.add(new UntrustedException(file + ": not the manifest that " + of + " lists: it was replaced"));
                }
            } catch (NoSuchFileException e) {
                misfits.add(new UntrustedException(file + ": missing, but listed by " + of + ": it was removed, or the folder was set back"));
            }
        }
        return misfits;
    }

    /// {@return all that is not as the head says: manifests, settings, receipts}
    ///
    /// @param log the receipts, read after this
    public List<UntrustedException> misfits(Receipts.Log log) throws IOException {
        List<UntrustedException> misfits = lost();
        if (head == null) {
            return misfits;
        }
        if (!settings(volume.folder()).equals(head.settings())) {
            misfits.add(new UntrustedException(volume.folder().resolve(VolumeSettings.FILE) + ": not the settings that were signed: which points are kept was altered"));
        }
        if (!log.has(head.receipts(), head.receipt())) {
            misfits.add(new UntrustedException(volume.folder().resolve(Receipts.FILE) + ": receipt " + head.receipts() + " is not the one that was signed: "
                    + "receipts were removed or altered"));
        }
        return misfits;
    }

    private static Optional<Hash> settings(Path folder) throws IOException {
        try {
            return Optional.of(Head.hash(Folder.read(folder.resolve(VolumeSettings.FILE), VolumeSettings.MAX_SIZE)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    // ---- signing

    /// {@return the key to sign with; nothing if the volume is not signed and there is no key}
    /// @throws RefusedException if the volume is signed and there is no key, or not one of its keys; or if it is not signed, has
    /// manifests, and there is a key
    public Optional<SecretKey> requireKey() throws IOException {
        Optional<SecretKey> key = volume.signing().key();
        if (!signed()) {
            if (key.isPresent() && volume.exists() && !manifests().isEmpty()) {
                throw new RefusedException(volume.name() + ": has manifests that nobody has signed, and there is a signing key; prove the volume and sign"
                        + " them: varve sign " + volume.name());
            }
            return key;
        }
        if (key.isEmpty()) {
            throw new RefusedException(volume.name() + ": is signed by " + describe() + ", and there is no key to sign with: VARVE_SIGN_KEY has to name its file");
        }
        if (!keys.contains(key.get().publicKey())) {
            throw new RefusedException(volume.name() + ": is signed by " + describe() + ", found key " + key.get().publicKey().id()
                    + " to sign with; to change keys: varve trust add, then varve sign " + volume.name());
        }
        return key;
    }

    /// Makes sure that a run may add to the volume, and finds out what to sign with.
    ///
    /// @throws RefusedException as [#requireKey]
    /// @throws UntrustedException if there is no head to believe, or a manifest that it lists is gone: to go on from there would
    /// cover it up
    public Optional<SecretKey> requireSound() throws IOException {
        Optional<SecretKey> key = requireKey();
        if (headProblem.isPresent()) {
            throw headProblem.get();
        }
        List<UntrustedException> lost = lost();
        if (!lost.isEmpty()) {
            throw new UntrustedException(lost.getFirst().getMessage() + "; varve verify shows all, varve heal --from another vault brings back what it has, and"
                    + " varve sign --accept-loss " + volume.name() + " goes on without them");
        }
        if (signed() && head == null && volume.exists() && !manifests().isEmpty()) {
            throw new UntrustedException(volume.folder().resolve(Head.FILE) + ": missing, so nothing tells whether manifests were removed; compare with another vault"
                    + " (varve list), then: varve sign " + volume.name());
        }
        return key;
    }

    /// Makes the first head of a volume that has no manifests yet. From there on every removal shows.
    public void begin(SecretKey key, UUID volumeId, Instant now) throws IOException {
        name(key.publicKey(), volume.folder());
        if (head == null) {
            write(new Head(Marker.read(vaultFolder()).id(), volume.name(), volumeId, 1, Optional.empty(), now.truncatedTo(ChronoUnit.MILLIS), 0,
                    Optional.empty(), settings(volume.folder()), new TreeMap<>()), key);
        }
    }

    /// {@return whether a key is one of those that are believed}
    public boolean believes(SecretKey key) {
        return keys.contains(key.publicKey());
    }

    /// {@return what signs manifests with a key, if there is one}
    public static Signer signer(Optional<SecretKey> key, InstantSource clock) {
        return manifest -> key.map(it -> sign(it, manifest.encode(), manifest.baseName() + ".json", clock.instant()));
    }

    private static byte[] sign(SecretKey key, byte[] text, String file, Instant now) {
        return key.sign(text, "timestamp:" + now.getEpochSecond() + "\tfile:" + file).encode();
    }

    /// Says in a new head what has changed, if the volume is signed and there is a key. For the holder of the lock of the receipts.
    ///
    /// @param removed manifests that are about to go
    /// @param settings whether the settings were changed on purpose
    /// @param receipts the newest receipt, if those before it are what they were
    void renew(Set<String> removed, boolean settings, Optional<ReceiptHead> receipts, Instant now) throws IOException {
        Optional<SecretKey> key = signed() ? volume.signing().key() : Optional.empty();
        if (headProblem.isPresent()) {
            throw headProblem.get();
        }
        if (key.isEmpty() || head == null || !believes(key.get())) {
            return;
        }
        Map<String, Hash> manifests = new TreeMap<>(head.manifests());
        manifests.keySet().removeAll(removed);
        for (Path file : manifests()) {
            String name = file.getFileName().toString();
            byte[] text = Folder.read(file, Manifest.MAX_SIZE);
            if (!manifests.containsKey(name) && !removed.contains(name) && vouched(file, text)) {
                manifests.put(name, Head.hash(text));
            }
        }
        write(
                head.next(
                        now.truncatedTo(ChronoUnit.MILLIS),
                        receipts.map(ReceiptHead::sequence).orElse(head.receipts()),
                        receipts.isPresent() ? receipts.map(ReceiptHead::hash) : head.receipt(),
                        settings ? settings(volume.folder()) : head.settings(),
                        manifests),
                key.get());
    }

    private boolean vouched(Path file, byte[] text) throws IOException {
        try {
            check(file, text);
            return true;
        } catch (UntrustedException e) {
            return false;
        }
    }

    private void write(Head next, SecretKey key) throws IOException {
        Path folder = volume.folder();
        byte[] text = next.encode();
        Folder.write(folder.resolve(DRAFT), text);
        Folder.replace(folder.resolve(Head.FILE + Signature.EXTENSION), sign(key, text, Head.FILE, next.written()));
        Files.move(folder.resolve(DRAFT), folder.resolve(Head.FILE), StandardCopyOption.ATOMIC_MOVE);
        Folder.sync(folder);
        head = next;
        headSigner = key.publicKey().id();
    }

    private List<Path> manifests() throws IOException {
        try (Stream<Path> content = Files.list(volume.folder())) {
            return content.filter(path -> Volume.isManifest(path.getFileName().toString())).sorted().toList();
        }
    }

    /// Says in the folder of a volume whose signatures to expect there.
    private static void name(PublicKey key, Path folder) throws IOException {
        Folder.create(folder);
        Path file = folder.resolve(Signature.SIGNER);
        byte[] text = key.file().getBytes(StandardCharsets.UTF_8);
        if (!Files.exists(file) || !Arrays.equals(text, Folder.read(file, Signature.MAX_SIZE))) {
            Folder.replace(file, text);
        }
    }

    /// Signs everything in the folder anew, as it is. For the holder of the volume's lock.
    ///
    /// @param acceptLoss whether to go on although the head is damaged, or something is not what was signed any more
    /// @throws UntrustedException if the volume is signed, and a manifest is not what was; or anything else is not, without `acceptLoss`
    ///
    /// @return how many manifests
    public int signAll(SecretKey key, Instant now, boolean acceptLoss) throws IOException {
        List<UntrustedException> misfits = new ArrayList<>(headProblem.stream().toList());
        misfits.addAll(misfits(new Receipts(volume).read()));
        if (!misfits.isEmpty() && !acceptLoss) {
            throw misfits.getFirst();
        }
        List<Path> files = manifests();
        List<byte[]> texts = new ArrayList<>();
        for (Path file : files) {
            byte[] text = Folder.read(file, Manifest.MAX_SIZE);
            check(file, text);
            texts.add(text);
        }
        for (int i = 0; i < files.size(); i++) {
            String name = files.get(i).getFileName().toString();
            Folder.replace(files.get(i).resolveSibling(name + Signature.EXTENSION), sign(key, texts.get(i), name, now));
        }
        name(key.publicKey(), volume.folder());
        new Receipts(volume).signAnew(newest -> write(anew(files, texts, newest, now), key));
        return files.size();
    }

    /// {@return a head of just this, after the one before if there was one}
    private Head anew(List<Path> files, List<byte[]> texts, Optional<ReceiptHead> newest, Instant now) throws IOException {
        SortedMap<String, Hash> manifests = new TreeMap<>();
        for (int i = 0; i < files.size(); i++) {
            manifests.put(files.get(i).getFileName().toString(), Head.hash(texts.get(i)));
        }
        return new Head(
                Marker.read(vaultFolder()).id(),
                volume.name(),
                Manifest.decode(texts.getFirst(), files.getFirst().toString()).volumeId(),
                head == null ? 1 : head.generation() + 1,
                Optional.ofNullable(head).map(Head::hash),
                now.truncatedTo(ChronoUnit.MILLIS),
                newest.map(ReceiptHead::sequence).orElse(0L),
                newest.map(ReceiptHead::hash),
                settings(volume.folder()),
                manifests);
    }
}
