package varve.archive.vault;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import varve.archive.block.RefusedException;
import varve.archive.file.Folder;
import varve.archive.format.Manifest;
import varve.archive.linux.Mounts;
import varve.archive.sign.Signing;
import varve.archive.seal.Keys;

/// A folder that holds archives: one folder for each volume, and an identity of its own.
///
/// A path may lead to another folder than it did: the disk is not mounted, or another one is. So a vault is known by its id,
/// and nothing is read or written before the marker has been read; what `/etc/fstab` says should be mounted has to be.
///
/// @param folder of the vault
/// @param id made at random when the vault was
/// @param standing what its marker says of it
/// @param keeper whether it was ever kept away, so that others rely on it ([Catalogue])
/// @param signing whom to believe, and what to sign with
/// @param keys with which sealed archives in it are read
public record Vault(Path folder, UUID id, Standing standing, boolean keeper, Signing signing, Keys keys) {

    private static final String CATALOGUE = "varve-catalogue";

    /// A vault for which what the environment says of signatures holds.
    public Vault(Path folder, UUID id, Standing standing, boolean keeper) {
        this(folder, id, standing, keeper, Signing.ofHost(), Keys.NONE);
    }

    /// {@return the same vault, with others to believe and another key}
    public Vault with(Signing other) {
        return new Vault(folder, id, standing, keeper, other, keys);
    }

    /// Opens a vault.
    ///
    /// @throws NotFoundException if there is none
    /// @throws RefusedException if a disk should be mounted there, and is not
    public static Vault open(Path folder) throws IOException {
        Marker marker;
        try {
            marker = Marker.read(folder);
        } catch (NotFoundException e) {
            checkMounted(folder);
            throw e;
        }
        checkMounted(folder);
        return new Vault(folder, marker.id(), marker.standing(), marker.keeper());
    }

    private static void checkMounted(Path folder) throws IOException {
        Optional<Path> missing = Mounts.ofSystem().missing(folder);
        if (missing.isPresent()) {
            throw new RefusedException(folder + ": nothing is mounted on " + missing.get() + ", although /etc/fstab has a disk for it; mount it, then try again");
        }
    }

    /// Opens the vault in a folder, or makes one there if the folder is empty or does not exist. What a stranger needs to get
    /// the data back without varve is there afterwards.
    ///
    /// @throws RefusedException if the folder holds something else, or seems to wait for a disk that is not mounted
    public static Vault openOrCreate(Path folder) throws IOException {
        if (Files.exists(folder.resolve(Marker.FILE))) {
            Vault vault = open(folder);
            RescueKit.renew(folder);
            return vault;
        }
        if (Mounts.ofSystem().seemsUnmounted(folder)) {
            throw new RefusedException(folder + ": no vault there, and no disk is mounted there; mount the disk, or, if this is the place, make"
                    + " the vault with: varve vault init " + folder);
        }
        return create(folder, Standing.NEW);
    }

    /// Makes a vault in a folder that is empty or does not exist. If another process is faster, its vault is it.
    ///
    /// @param standing what to say of it
    /// @throws RefusedException if the folder holds something else, or a disk should be mounted there, and is not
    public static Vault create(Path folder, Standing standing) throws IOException {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new RefusedException(folder + ": is not a folder");
        }
        checkMounted(folder);
        Folder.create(folder);
        try (Stream<Path> content = Files.list(folder)) {
            boolean foreign = content.anyMatch(path -> !path.getFileName().toString().equals("lost+found")
                    && !path.getFileName().toString().startsWith(Marker.FILE));
            if (foreign && !Files.exists(folder.resolve(Marker.FILE))) { // else another process has just made it
                throw new RefusedException(folder + ": not empty and no vault; give a vault, or an empty folder to make one in");
            }
        }
        Marker marker = new Marker(UUID.randomUUID(), Manifest.text(Instant.now()), standing, standing.state() == Standing.State.AWAY);
        Path draft = folder.resolve(Marker.FILE + "." + marker.id());
        try {
            Folder.write(draft, marker.encode());
            nameMarker(draft, folder.resolve(Marker.FILE));
        } finally {
            Files.deleteIfExists(draft);
        }
        Folder.sync(folder);
        RescueKit.renew(folder);
        return open(folder);
    }

    private static void nameMarker(Path draft, Path marker) throws IOException {
        try {
            Files.createLink(marker, draft);
        } catch (FileAlreadyExistsException e) {
            // another process was first: its identity holds
        } catch (UnsupportedOperationException | FileSystemException e) {
            Files.move(draft, marker, StandardCopyOption.ATOMIC_MOVE); // a file system without links
        }
    }

    /// Opens the vault in a folder, or makes believe there is an empty one: for dry runs.
    public static Vault openOrImagine(Path folder) throws IOException {
        return Files.exists(folder.resolve(Marker.FILE)) ? open(folder) : new Vault(folder, new UUID(0, 0), Standing.NEW, false);
    }

    /// Makes sure that the folder still is this vault, before something is done that depends on it: a disk can be pulled.
    ///
    /// @throws NotFoundException if it is none or another one
    public void check() throws IOException {
        UUID there = Marker.read(folder).id();
        if (!there.equals(id)) {
            throw new NotFoundException(folder + ": holds vault " + there + " now, expected " + id + "; was the disk changed?");
        }
    }

    /// Says something else of the vault, in its marker.
    ///
    /// @return the vault as it is now
    public Vault say(Standing other) throws IOException {
        Marker marker = Marker.read(folder);
        check();
        boolean keeps = marker.keeper() || other.state() == Standing.State.AWAY;
        Folder.replace(folder.resolve(Marker.FILE), new Marker(id, marker.created(), other, keeps).encode());
        return new Vault(folder, id, other, keeps, signing, keys);
    }

    /// {@return the vault, with keys for sealed archives in it}
    public Vault with(Keys other) {
        return new Vault(folder, id, standing, keeper, signing, other);
    }

    /// {@return what people call it}
    public String name() {
        return name(id, standing);
    }

    /// {@return what people call a vault, or the first digits of its id}
    public static String name(UUID id, Standing standing) {
        return standing.label().orElseGet(() -> id.toString().substring(0, 8));
    }

    /// {@return where the catalogue lies}
    Path catalogue() {
        return folder.resolve(CATALOGUE);
    }

    /// {@return the names of the volumes, sorted}
    public List<String> volumes() throws IOException {
        try (Stream<Path> content = Files.list(folder)) {
            return content.filter(Files::isDirectory)
                    .map(path -> path.getFileName().toString())
                    .filter(name -> Manifest.isVolumeName(name) && !name.equals(CATALOGUE))
                    .sorted()
                    .toList();
        }
    }

    /// {@return a volume, which need not exist yet}
    /// @throws RefusedException if no volume may be called so
    public Volume volume(String name) throws RefusedException {
        checkVolumeName(name);
        return new Volume(name, folder.resolve(name), signing, keys);
    }

    /// @throws RefusedException if no volume may be called so
    public static void checkVolumeName(String name) throws RefusedException {
        if (!Manifest.isVolumeName(name) || name.equals(Marker.FILE) || name.equals(CATALOGUE) || RescueKit.has(name)) {
            throw new RefusedException("\"" + name + "\": a volume's name is 1 to 64 of A-Z a-z 0-9 . _ -, begins with a letter or digit, and is none"
                    + " of a vault's own files");
        }
    }
}
