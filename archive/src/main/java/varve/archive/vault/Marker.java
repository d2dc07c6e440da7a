package varve.archive.vault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import varve.archive.file.Folder;
import varve.archive.format.CorruptException;
import varve.archive.format.JsonMembers;
import varve.archive.format.Rule;
import varve.archive.format.UnsupportedException;

/// The file that makes a folder a vault: FORMAT.md section 14.
///
/// @param id made at random when the vault was
/// @param created when that was, as it stands there
/// @param standing what was last said of the vault
/// @param keeper whether the vault was ever kept away
record Marker(UUID id, String created, Standing standing, boolean keeper) {

    static final String FILE = "varve-vault.json";

    private static final String FORMAT = "varve-vault-1";
    private static final int MOST = 64 << 10;

    /// Reads the marker in a folder.
    ///
    /// @throws NotFoundException if there is none, or it is damaged
    static Marker read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        byte[] text;
        try {
            text = Folder.read(file, MOST);
        } catch (NoSuchFileException e) {
            throw new NotFoundException(folder + ": no vault (there is no " + FILE + " in it); is the disk mounted?");
        }
        try {
            return decode(text, file.toString());
        } catch (CorruptException | IllegalArgumentException e) {
            throw new NotFoundException(file + ": damaged: " + e.getMessage());
        }
    }

    byte[] encode() {
        JsonMembers json = new JsonMembers(FILE);
        json.text("format", FORMAT);
        json.text("id", id.toString());
        json.text("created", created);
        json.text("label", standing.label().orElse(null));
        json.text("place", standing.place().orElse(null));
        json.text("state", standing.state().word());
        json.number("revision", standing.revision());
        json.number("keeper", keeper ? 1 : 0);
        json.seal();
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static Marker decode(byte[] text, String where) throws CorruptException, UnsupportedException {
        JsonMembers json = JsonMembers.parse(text, where);
        if (!FORMAT.equals(json.required("format"))) {
            throw new UnsupportedException(where + ": format \"" + json.text("format") + "\", this varve reads \"" + FORMAT + "\"");
        }
        if (!json.sealed()) {
            throw new CorruptException(Rule.F043, where, "its last member is not the hash of what is before it");
        }
        return new Marker(UUID.fromString(json.required("id")), json.required("created"), standing(json), Long.valueOf(1).equals(json.optionalNumber("keeper")));
    }

    /// markers of varve 0.1.0 say nothing of it
    private static Standing standing(JsonMembers json) throws CorruptException {
        @Nullable String state = json.text("state");
        return state == null
                ? Standing.NEW
                : new Standing(
                        Optional.ofNullable(json.text("label")),
                        Optional.ofNullable(json.text("place")),
                        Standing.State.of(state),
                        json.number("revision"));
    }
}
