package varve.archive.vault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Optional;
import varve.archive.file.Folder;
import varve.archive.format.CorruptException;
import varve.archive.format.JsonMembers;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;

/// Number and hash of the newest receipt, in a file beside the receipts: without it nobody would miss the last ones.
///
/// @param sequence of the newest receipt
/// @param hash of its line, without its end
record ReceiptHead(long sequence, Hash hash) {

    static final String FILE = Receipts.HIDDEN + "head";

    private static final String DRAFT = FILE + ".new";
    private static final String FORMAT = "varve-receipts-1";
    private static final long MAX_SIZE = 4096;

    /// {@return the head in a folder, if there is one}
    /// @throws CorruptException F045, if it is damaged
    static Optional<ReceiptHead> read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        try {
            if (Files.size(file) > MAX_SIZE) {
                throw new CorruptException(Rule.F045, FILE, Files.size(file) + " bytes, at most " + MAX_SIZE);
            }
            return Optional.of(decode(Files.readAllBytes(file)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static ReceiptHead decode(byte[] text) throws CorruptException {
        ReceiptHead head;
        try {
            JsonMembers json = JsonMembers.parse(text, FILE);
            head = new ReceiptHead(json.number("sequence"), Hash.parse(json.required("hash")));
        } catch (CorruptException | IllegalArgumentException e) {
            throw new CorruptException(Rule.F045, FILE, "damaged: " + e.getMessage());
        }
        if (!Arrays.equals(head.encode(), text)) {
            throw new CorruptException(Rule.F045, FILE, "damaged: not in the one form that it has");
        }
        return head;
    }

    private byte[] encode() {
        JsonMembers json = new JsonMembers(FILE);
        json.text("format", FORMAT);
        json.number("sequence", sequence);
        json.text("hash", hash.toString());
        json.seal();
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    /// Puts it in the place of an older one.
    void write(Path folder) throws IOException {
        Folder.write(folder.resolve(DRAFT), encode());
        Files.move(folder.resolve(DRAFT), folder.resolve(FILE), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Folder.sync(folder);
    }
}
