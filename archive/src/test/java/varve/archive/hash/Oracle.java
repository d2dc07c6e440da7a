package varve.archive.hash;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.bouncycastle.crypto.digests.Blake3Digest;

/// What others say that BLAKE3 is: Bouncy Castle, the official test vectors, `b3sum`.
final class Oracle {
    private Oracle() {}

    /// {@return Bouncy Castle's BLAKE3}
    static Hash bouncyCastle(MemorySegment data) {
        Blake3Digest digest = new Blake3Digest();
        byte[] bytes = data.toArray(ValueLayout.JAVA_BYTE);
        digest.update(bytes, 0, bytes.length);
        return finish(digest);
    }

    /// {@return Bouncy Castle's BLAKE3 of the beginnings of data, by their sizes}
    static Map<Integer, Hash> bouncyCastle(byte[] data, Iterable<Integer> sizes) {
        Map<Integer, Hash> hashes = new TreeMap<>();
        Blake3Digest running = new Blake3Digest();
        int done = 0;
        for (int size : sizes) {
            running.update(data, done, size - done);
            done = size;
            hashes.put(size, finish(new Blake3Digest(running)));
        }
        return hashes;
    }

    private static Hash finish(Blake3Digest digest) {
        byte[] hash = new byte[Hash.SIZE];
        digest.doFinal(hash, 0);
        return Hash.of(hash);
    }

    /// {@return the test vectors: hashes of inputs whose byte `i` is `i % 251`, by their sizes}
    static Map<Integer, Hash> vectors() {
        try (InputStream in = Oracle.class.getResourceAsStream("vectors.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split(" "))
                    .collect(Collectors.toMap(words -> Integer.valueOf(words[0]), words -> Hash.parse(words[1])));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] vectorInput(int size) {
        byte[] input = new byte[size];
        for (int i = 0; i < size; i++) {
            input[i] = (byte) (i % 251);
        }
        return input;
    }

    static boolean hasB3sum() {
        return Arrays.stream(System.getenv("PATH").split(":")).anyMatch(d -> Files.isExecutable(Path.of(d, "b3sum")));
    }

    /// {@return what `b3sum` prints for files}
    static List<Hash> b3sum(List<Path> files) throws IOException {
        List<String> command = new ArrayList<>(List.of("b3sum", "--no-names"));
        files.forEach(file -> command.add(file.toString()));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (var lines = process.inputReader().lines()) {
            return lines.map(Hash::parse).toList();
        }
    }
}
