package varve.archive.seal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;

/// Whole sealed files in memory.
final class Sealing {

    static final SecureRandom RANDOM = new SecureRandom();

    private Sealing() {}

    static byte[] seal(byte[] content, Recipient... recipients) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        FileKey key = FileKey.random(RANDOM);
        SealedOutput output = new SealedOutput(key, AgeHeader.seal(key, List.of(recipients), RANDOM), RANDOM,
                bytes -> file.writeBytes(bytes.toArray(ValueLayout.JAVA_BYTE)));
        MemorySegment all = MemorySegment.ofArray(content);
        for (int at = 0; at < content.length; at += 70_001) { // across the ends of chunks
            output.append(all.asSlice(at, Math.min(70_001, content.length - at)));
        }
        output.finish();
        return file.toByteArray();
    }

    /// {@return the content, or empty if the identities do not fit}
    static Optional<byte[]> open(byte[] file, Identity... identities) throws IOException {
        AgeHeader header = AgeHeader.decode(file);
        Optional<FileKey> key = header.open(List.of(identities));
        if (key.isEmpty()) {
            return Optional.empty();
        }
        try (SealedContent content = content(file, header, key.get())) {
            byte[] bytes = new byte[(int) content.size()];
            content.read(0, MemorySegment.ofArray(bytes), Sealing.bytes(file));
            return Optional.of(bytes);
        }
    }

    static SealedContent content(byte[] file, AgeHeader header, FileKey key) throws IOException {
        return new SealedContent(header.size(), file.length, key, bytes(file));
    }

    static SealedContent.Bytes bytes(byte[] file) {
        return (position, into) -> into.copyFrom(MemorySegment.ofArray(file).asSlice(position, into.byteSize()));
    }
}
