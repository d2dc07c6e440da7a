package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import varve.archive.format.CorruptException;
import varve.archive.format.Manifest;
import varve.archive.format.Rule;
import varve.archive.seal.AgeFormatException;
import varve.archive.seal.AgeHeader;
import varve.archive.seal.FileKey;
import varve.archive.seal.Keys;
import varve.archive.seal.SealedContent;
import varve.archive.seal.WrongKeyException;

/// Sealed data files: from the bytes as they are stored, wherever those come from, to the zstd file. FORMAT.md section 19.
public final class Sealed {

    private Sealed() {}

    /// {@return the header with which a data file begins}
    /// @throws CorruptException F047
    public static AgeHeader header(Manifest manifest, String where, SealedContent.Bytes stored) throws IOException {
        byte[] start = new byte[(int) Math.min(manifest.file().size(), AgeHeader.MAX_SIZE)];
        stored.read(0, MemorySegment.ofArray(start));
        try {
            return AgeHeader.decode(start);
        } catch (AgeFormatException e) {
            throw new CorruptException(Rule.F047, where, String.valueOf(e.getMessage()));
        }
    }

    /// Opens a data file.
    ///
    /// @param where its name, for messages
    /// @throws CorruptException F047, F048
    /// @throws WrongKeyException if no key opens it
    public static SealedContent open(Manifest manifest, Keys keys, String where, SealedContent.Bytes stored) throws IOException {
        AgeHeader header = header(manifest, where, stored);
        FileKey key;
        try {
            key = keys.open(header, where);
        } catch (AgeFormatException e) {
            throw new CorruptException(Rule.F047, where, String.valueOf(e.getMessage()));
        }
        SealedContent content;
        try {
            content = new SealedContent(header.size(), manifest.file().size(), key, stored);
        } catch (AgeFormatException e) {
            throw new CorruptException(Rule.F048, where, String.valueOf(e.getMessage()));
        }
        if (content.size() != manifest.contentSize()) {
            throw new CorruptException(Rule.F047, where, "expected " + manifest.contentSize() + " bytes of content, found " + content.size());
        }
        return content;
    }

    /// Reads a part of the zstd file.
    ///
    /// @param content of the file that `stored` gives out, or another copy of it
    /// @throws CorruptException F048, or if it does not lie within the file
    public static void read(SealedContent content, String where, long position, MemorySegment into, SealedContent.Bytes stored) throws IOException {
        if (position < 0 || position > content.size() - into.byteSize()) {
            throw new CorruptException(Rule.F002, where, into.byteSize() + " bytes at " + position + " of " + content.size());
        }
        try {
            content.read(position, into, stored);
        } catch (AgeFormatException e) {
            throw new CorruptException(Rule.F048, where, String.valueOf(e.getMessage()));
        }
    }
}
