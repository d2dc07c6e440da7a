package varve.archive;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.block.DeviceException;
import varve.archive.block.FileDevice;
import varve.archive.codec.FrameEncoder;
import varve.archive.file.Hints;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Kind;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.retention.Retention;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.testdata.Damage;
import varve.testdata.TestFiles;

/// What is folded and is not what was written is found before anything is made of it, and before anything old goes.
final class ConsolidationDamageTest {

    private static final int CHUNK_LOG = 16;
    private static final int CHUNK = 1 << CHUNK_LOG;
    private static final int CHUNKS = 96;
    private static final Instant START = Instant.parse("2026-11-20T02:00:00Z");

    @TempDir
    Path folder;

    private final Random random = new Random(26);
    private Vault vault;
    private Volume volume;

    /// the first two deltas share chunks, so that their frames are packed anew; that of the third, of more than a group of the file, moves
    @BeforeEach
    void makeHistory() throws Exception {
        vault = Vault.openOrCreate(folder.resolve("vault"));
        volume = vault.volume("tools");
        byte[] image = new byte[CHUNKS * CHUNK];
        random.nextBytes(image);
        archive(image, 0);
        for (int chunk = 0; chunk < 30; chunk++) {
            change(image, chunk * CHUNK, 12_288);
        }
        archive(image, 1);
        for (int chunk = 0; chunk < 30; chunk += 2) {
            change(image, chunk * CHUNK + 4096, 4096);
        }
        archive(image, 2);
        change(image, 50 * CHUNK, 32 * CHUNK);
        archive(image, 3);
    }

    private void change(byte[] image, int at, int size) {
        byte[] some = new byte[size];
        random.nextBytes(some);
        System.arraycopy(some, 0, image, at, size);
    }

    private void archive(byte[] image, int day) throws Exception {
        Path source = Files.write(folder.resolve("source.img"), image);
        ArchiveOptions options = new ArchiveOptions(false, 1, OptionalInt.of(CHUNK_LOG), 2, 0, false, Optional.empty(), false);
        try (FileDevice device = FileDevice.open(source)) {
            new Archiver(vault, "tools", options, InstantSource.fixed(START.plus(Duration.ofDays(day))), _ -> {}, _ -> {}).archive(device, Duration.ZERO);
        }
    }

    @Test
    void aFrameThatIsNotWhatWasWrittenIsRefusedAndNothingIsMade() throws Exception {
        Map<String, Long> before = files();
        for (StoredArchive delta : volume.read().sound().archives().subList(1, 4)) {
            for (long position : positions(delta)) {
                Damage damage = Damage.invert((int) position);
                damage.inflictOn(delta.data());
                CorruptException e = assertThrows(CorruptException.class, this::fold, damage::toString);
                assertEquals(Rule.F038, e.rule(), e::getMessage);
                assertTrue(e.getMessage().contains(delta.data().getFileName().toString()), e::getMessage);
                assertEquals(before, files(), damage::toString);
                damage.inflictOn(delta.data());
            }
        }
        Consolidation.Outcome whole = fold();
        assertEquals(0, whole.openChunks());
        assertTrue(whole.provedChunks() >= 30, whole::toString);
    }

    @Test
    void expireRemovesNothingIfWhatItFoldsIsNotWhatWasWritten() throws Exception {
        StoredArchive delta = volume.read().sound().archives().get(2);
        Damage damage = Damage.invert((int) positions(delta).getFirst().longValue());
        damage.inflictOn(delta.data());
        Map<String, Long> before = files();
        assertThrows(CorruptException.class, this::expire);
        assertEquals(before, files());
        damage.inflictOn(delta.data());
        expire();
        assertFalse(Files.exists(delta.data()));
    }

    @Test
    void aDeltaThatWasWrittenWrongIsNotPackedIntoAnother() throws Exception {
        Volume bad = vault.volume("F026_payload"); // its files are as they were written
        Files.createDirectories(bad.folder());
        try (Stream<Path> files = Files.list(TestFiles.root().resolve("bad/F026_payload"))) {
            for (Path file : files.filter(file -> !file.endsWith("expect.txt")).toList()) {
                Files.copy(file, bad.folder().resolve(file.getFileName()));
            }
        }
        try (Consolidation consolidation = Consolidation.open(vault, bad.name(), ConsolidationOptions.full("latest"), _ -> {})) {
            CorruptException e = assertThrows(CorruptException.class, () -> consolidation.execute(InstantSource.system(), _ -> {}));
            assertEquals(Rule.F026, e.rule(), e::getMessage);
        }
        assertEquals(2, bad.read().sound().archives().size());
        Receipt.Act act = new Receipts(bad).read().receipts().getLast().act();
        assertEquals(Receipt.Result.DAMAGED, act.result());
        assertEquals(List.of(), act.archives());
    }

    @Test
    void aPackedFrameThatDoesNotDecodeToWhatWasPutInIsRefused() throws IOException {
        byte[] text = "what was there before may go, so this has to be right; ".repeat(700).getBytes();
        try (Arena arena = Arena.ofShared();
                FrameEncoder encoder = new FrameEncoder(3);
                Press press = new Press(Hints.NONE, 3, CHUNK, CHUNK, new LongAdder())) {
            MemorySegment payload = arena.allocate(text.length, 8).copyFrom(MemorySegment.ofArray(text));
            MemorySegment other = arena.allocate(text.length, 8).copyFrom(payload);
            other.set(JAVA_BYTE, text.length / 2, (byte) 0);
            MemorySegment room = arena.allocate(FrameEncoder.bound(text.length), 8);
            assertThrows(DeviceException.class, () -> press.requireContent(7, room.asSlice(0, encoder.encode(other, room)), payload));
            MemorySegment frame = room.asSlice(0, encoder.encode(payload, room));
            for (long at = 0; at < frame.byteSize(); at++) {
                flip(frame, at);
                assertThrows(DeviceException.class, () -> press.requireContent(7, frame, payload), "byte " + at);
                flip(frame, at);
            }
            press.requireContent(7, frame, payload);
        }
    }

    private static void flip(MemorySegment bytes, long at) {
        bytes.set(JAVA_BYTE, at, (byte) ~bytes.get(JAVA_BYTE, at));
    }

    private Consolidation.Outcome fold() throws IOException {
        try (Consolidation consolidation = Consolidation.open(vault, "tools", ConsolidationOptions.delta("-3", "latest"), _ -> {})) {
            assertTrue(consolidation.plan().movedFrames() > 0 && consolidation.plan().packedSize() > 0, consolidation.plan()::toString);
            return consolidation.execute(InstantSource.system(), _ -> {});
        }
    }

    private void expire() throws Exception {
        ExpiryOptions options = new ExpiryOptions(Optional.of(new Retention(1, Optional.empty(), 0, 0, 0, 0, ZoneOffset.UTC)), 1, 2);
        new Expiry(List.of(vault), "tools", options, InstantSource.fixed(START.plus(Duration.ofDays(4))), _ -> {}).execute(Duration.ZERO, _ -> {}, _ -> {});
    }

    /// {@return one in each frame of a delta, anywhere}
    private List<Long> positions(StoredArchive delta) throws IOException {
        assertEquals(Kind.DELTA, delta.manifest().kind());
        List<Long> positions = new ArrayList<>();
        try (Index index = delta.openIndex()) {
            long last = -1;
            for (long row = 0; row < index.nodes(); row++) {
                Node.Frame frame = index.node(row).frame();
                if (frame.size() > 0 && frame.position() != last) {
                    last = frame.position();
                    positions.add(last + random.nextInt(frame.size()));
                }
            }
        }
        return positions;
    }

    /// {@return the files of archives and what is staged, and their sizes}
    private Map<String, Long> files() throws IOException {
        Map<String, Long> files = new TreeMap<>();
        try (Stream<Path> all = Files.list(volume.folder())) {
            for (Path file : all.toList()) {
                String name = file.getFileName().toString();
                if (name.startsWith("tools.") || name.startsWith(".varve-stage")) {
                    files.put(name, Files.size(file));
                }
            }
        }
        return files;
    }
}
