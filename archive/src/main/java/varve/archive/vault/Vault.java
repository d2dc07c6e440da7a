package varve.archive.vault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import varve.archive.block.RefusedException;
import varve.archive.file.Folder;
import varve.archive.format.CorruptException;
import varve.archive.format.JsonMembers;
import varve.archive.format.Manifest;
import varve.archive.format.Rule;
import varve.archive.format.UnsupportedException;

/// A folder that holds archives: one folder for each volume, and an identity of its own.
///
/// @param folder of the vault
/// @param id made at random when the vault was
public record Vault(Path folder, UUID id) {

    private static final String MARKER = "varve-vault.json";
    private static final String FORMAT = "varve-vault-1";

    /// Opens a vault.
    ///
    /// @throws NotFoundException if there is none
    public static Vault open(Path folder) throws IOException {
        Path marker = folder.resolve(MARKER);
        byte[] text;
        try {
            text = Files.readAllBytes(marker);
        } catch (NoSuchFileException e) {
            throw new NotFoundException(folder + ": no vault (there is no " + MARKER + " in it); is the disk mounted?");
        }
        try {
            JsonMembers json = JsonMembers.parse(text, marker.toString());
            if (!FORMAT.equals(json.required("format"))) {
                throw new UnsupportedException(marker + ": format \"" + json.text("format") + "\", this varve reads \"" + FORMAT + "\"");
            }
            if (!json.sealed()) {
                throw new CorruptException(Rule.F043, marker.toString(), "its last member is not the hash of what is before it");
            }
            return new Vault(folder, UUID.fromString(json.required("id")));
        } catch (CorruptException | IllegalArgumentException e) {
            throw new NotFoundException(marker + ": damaged: " + e.getMessage());
        }
    }

    /// Opens the vault in a folder, or makes one there if the folder is empty or does not exist. What a stranger needs to get
    /// the data back without varve is there afterwards.
    ///
    /// @throws RefusedException if the folder holds something else
    public static Vault openOrCreate(Path folder) throws IOException {
        if (!Files.exists(folder.resolve(MARKER))) {
            create(folder);
        }
        Vault vault = open(folder);
        RescueKit.renew(folder);
        return vault;
    }

    private static void create(Path folder) throws IOException {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new RefusedException(folder + ": is not a folder");
        }
        Folder.create(folder);
        try (Stream<Path> content = Files.list(folder)) {
            boolean foreign = content.anyMatch(path -> !path.getFileName().toString().equals("lost+found")
                    && !path.getFileName().toString().startsWith(MARKER));
            if (foreign && !Files.exists(folder.resolve(MARKER))) { // else another process has just made it
                throw new RefusedException(folder + ": not empty and no vault; give a vault, or an empty folder to make one in");
            }
        }
        UUID id = UUID.randomUUID();
        JsonMembers json = new JsonMembers(MARKER);
        json.text("format", FORMAT);
        json.text("id", id.toString());
        json.text("created", Manifest.text(Instant.now()));
        json.seal();
        Path draft = folder.resolve(MARKER + "." + id);
        try {
            Folder.write(draft, json.toString().getBytes(StandardCharsets.UTF_8));
            nameMarker(draft, folder.resolve(MARKER));
        } finally {
            Files.deleteIfExists(draft);
        }
        Folder.sync(folder);
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
        return Files.exists(folder.resolve(MARKER)) ? open(folder) : new Vault(folder, new UUID(0, 0));
    }

    /// {@return the names of the volumes, sorted}
    public List<String> volumes() throws IOException {
        try (Stream<Path> content = Files.list(folder)) {
            return content.filter(Files::isDirectory)
                    .map(path -> path.getFileName().toString())
                    .filter(name -> Manifest.isVolumeName(name) && !name.equals("lost+found"))
                    .sorted()
                    .toList();
        }
    }

    /// {@return a volume, which need not exist yet}
    /// @throws RefusedException if no volume may be called so
    public Volume volume(String name) throws RefusedException {
        checkVolumeName(name);
        return new Volume(name, folder.resolve(name));
    }

    /// @throws RefusedException if no volume may be called so
    public static void checkVolumeName(String name) throws RefusedException {
        if (!Manifest.isVolumeName(name)) {
            throw new RefusedException("\"" + name + "\": a volume's name is 1 to 64 of A-Z a-z 0-9 . _ - and begins with a letter or digit");
        }
        if (name.equals(MARKER) || RescueKit.has(name)) {
            throw new RefusedException("\"" + name + "\": a file of every vault is called so, and no volume can be");
        }
    }
}
