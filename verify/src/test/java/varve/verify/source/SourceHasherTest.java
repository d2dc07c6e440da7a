package varve.verify.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bouncycastle.crypto.digests.Blake3Digest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.block.FileDevice;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.Node;
import varve.archive.format.State;
import varve.testdata.Histories;
import varve.testdata.Images;
import varve.verify.TestVault;

/// Roots are those of Bouncy Castle's BLAKE3, nodes those of an archive of the same image.
final class SourceHasherTest {

    private static final int CHUNK = TestVault.CHUNK;

    @TempDir
    Path folder;

    static Stream<byte[]> images() {
        Stream<byte[]> sizes = IntStream.of(0, 1, 1023, 1024, 1025, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 7 * CHUNK + 5, 16 * CHUNK, 33 * CHUNK - 1)
                .boxed()
                .flatMap(size -> Stream.of(new byte[size], Images.noise(size, size)));
        Stream<byte[]> histories = Histories.seeds(4).stream()
                .flatMap(seed -> Histories.random(seed, 5, CHUNK, 40 * CHUNK).points().stream())
                .map(point -> point.image());
        byte[] late = new byte[40 * CHUNK];
        late[17 * CHUNK] = 1;
        byte[] ends = new byte[40 * CHUNK + 77];
        ends[0] = 1;
        ends[ends.length - 1] = 1;
        return Stream.concat(Stream.concat(sizes, histories), Stream.of(late, ends));
    }

    private static String blake3(byte[] bytes) {
        Blake3Digest digest = new Blake3Digest(32);
        digest.update(bytes, 0, bytes.length);
        byte[] hash = new byte[32];
        digest.doFinal(hash, 0);
        return HexFormat.of().formatHex(hash);
    }

    private Path write(byte[] image, boolean sparse) throws IOException {
        Path file = folder.resolve(sparse ? "sparse" : "dense");
        Files.deleteIfExists(file);
        if (sparse) {
            Images.write(image, file);
        } else {
            Files.write(file, image);
        }
        return file;
    }

    private List<HashList.Entry> nodesOfAnArchive(byte[] image) throws IOException {
        TestVault vault = new TestVault(folder.resolve("v" + System.nanoTime()));
        vault.add(image);
        List<HashList.Entry> entries = new ArrayList<>();
        try (Index index = new StoredArchive(vault.volume.folder(), vault.manifest(0)).openIndex()) {
            for (long row = 0; row < index.nodes(); row++) {
                Node node = index.node(row);
                entries.add(new HashList.Entry(
                        index.geometry().offset(node.chunk()), index.geometry().length(node.chunk(), node.count()), node.hash(), node.zero()));
            }
        }
        return entries;
    }

    @ParameterizedTest
    @MethodSource("images")
    void rootIsBlake3AndNodesAreThoseOfAnArchive(byte[] image) throws IOException {
        List<HashList.Entry> expected = nodesOfAnArchive(image);
        for (boolean sparse : new boolean[] {false, true}) {
            List<HashList.Entry> entries = new ArrayList<>();
            AtomicLong progress = new AtomicLong();
            try (FileDevice device = FileDevice.open(write(image, sparse))) {
                State state = new SourceHasher(16, 2, progress::addAndGet).hash(device, entries::add);
                assertEquals(blake3(image), state.root().toString());
                assertEquals(image.length, state.size());
            }
            assertEquals(expected, entries);
            assertEquals(image.length, progress.get());
        }
        List<HashList.Entry> entries = new ArrayList<>();
        State state = new SourceHasher(16, 2, p -> {}).hash(new ByteArrayInputStream(image), entries::add);
        assertEquals(blake3(image), state.root().toString());
        assertEquals(image.length, state.size());
        assertEquals(expected, entries);
    }

    @Test
    void longHolesBecomeLargeNodes() throws IOException {
        Path file = folder.resolve("hole");
        byte[] head = Images.noise(1, 100);
        Files.write(file, head);
        long size = (300L << 20) + 5;
        try (var channel = java.nio.channels.FileChannel.open(file, java.nio.file.StandardOpenOption.WRITE)) {
            channel.write(java.nio.ByteBuffer.wrap(new byte[1]), size - 1);
        }
        List<HashList.Entry> entries = new ArrayList<>();
        try (FileDevice device = FileDevice.open(file)) {
            State state = new SourceHasher(20, 2, p -> {}).hash(device, entries::add);
            byte[] image = Arrays.copyOf(head, (int) size);
            assertEquals(blake3(image), state.root().toString());
        }
        assertTrue(entries.size() < 20, () -> entries.toString());
        assertEquals(64L << 20, entries.get(8).size());
    }
}
