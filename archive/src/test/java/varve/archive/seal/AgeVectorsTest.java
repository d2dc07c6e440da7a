package varve.archive.seal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import varve.testdata.TestFiles;

/// The test vectors that the authors of age publish: what has to be accepted, and what has to be refused, at which stage.
class AgeVectorsTest {

    /// A vector: an age file, and what is expected of it.
    private record Vector(String name, String expect, Map<String, String> fields, List<Identity> identities, byte[] file) {

        static Vector read(Path path) throws Exception {
            byte[] bytes = Files.readAllBytes(path);
            Map<String, String> fields = new TreeMap<>();
            List<Identity> identities = new ArrayList<>();
            int at = 0;
            while (bytes[at] != '\n') {
                int end = at;
                while (bytes[end] != '\n') {
                    end++;
                }
                String[] pair = new String(bytes, at, end - at, StandardCharsets.UTF_8).split(": ", 2);
                switch (pair[0]) {
                    case "identity" -> identities.add(X25519Identity.parse(pair[1]));
                    case "passphrase" -> identities.add(new Passphrase(pair[1]));
                    default -> fields.put(pair[0], pair[1]);
                }
                at = end + 1;
            }
            byte[] file = Arrays.copyOfRange(bytes, at + 1, bytes.length);
            if ("zlib".equals(fields.get("compressed"))) {
                file = new InflaterInputStream(new ByteArrayInputStream(file)).readAllBytes();
            }
            return new Vector(path.getFileName().toString(), fields.get("expect"), fields, identities, file);
        }
    }

    @TestFactory
    Stream<DynamicTest> everyVectorIsAcceptedOrRefusedAsItsAuthorsDemand() throws Exception {
        try (Stream<Path> files = Files.list(TestFiles.root().resolve("age/vectors"))) {
            return files.sorted().toList().stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(Vector.read(file))));
        }
    }

    @Test
    void theVectorsAreThere() throws IOException {
        try (Stream<Path> files = Files.list(TestFiles.root().resolve("age/vectors"))) {
            assertEquals(92, files.count());
        }
    }

    private static void check(Vector vector) throws Exception {
        List<Byte> given = new ArrayList<>();
        assertEquals(vector.expect, outcome(vector, given));
        byte[] content = new byte[given.size()];
        for (int i = 0; i < content.length; i++) {
            content[i] = given.get(i);
        }
        String found = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        if (vector.expect.equals("success")) {
            assertEquals(vector.fields.get("payload"), found);
        } else {
            assertTrue(given.isEmpty() || vector.expect.equals("payload failure"), "nothing is given out of a file that is refused");
        }
    }

    private static String outcome(Vector vector, List<Byte> given) throws IOException {
        AgeHeader header;
        Optional<FileKey> key;
        try {
            header = AgeHeader.decode(vector.file);
            assertEquals(new String(Arrays.copyOf(vector.file, header.size()), StandardCharsets.ISO_8859_1),
                    new String(header.encode(), StandardCharsets.ISO_8859_1));
            key = header.open(vector.identities);
        } catch (AgeFormatException e) {
            return e.getMessage().contains("the header was altered") ? "HMAC failure" : "header failure";
        }
        if (key.isEmpty()) {
            return "no match";
        }
        try (SealedContent content = Sealing.content(vector.file, header, key.get())) {
            byte[] bytes = new byte[(int) content.size()];
            content.read(0, MemorySegment.ofArray(bytes), Sealing.bytes(vector.file));
            for (byte b : bytes) {
                given.add(b);
            }
            return "success";
        } catch (AgeFormatException e) {
            boolean nonce = vector.file.length >= header.size() + ChunkCipher.NONCE_SIZE; // which its authors count with the header
            return nonce ? "payload failure" : "header failure";
        }
    }
}
