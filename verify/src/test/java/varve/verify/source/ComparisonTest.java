package varve.verify.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.block.FileDevice;
import varve.archive.block.RefusedException;
import varve.archive.chain.Chain;
import varve.archive.file.StoredArchive;
import varve.archive.partition.Partition;
import varve.archive.partition.PartitionTable;
import varve.archive.vault.Ranges;
import varve.testdata.Damage;
import varve.testdata.Histories;
import varve.testdata.History;
import varve.testdata.Images;
import varve.testdata.LoopDevice;
import varve.testdata.Tools;
import varve.verify.TestVault;
import varve.verify.work.Watcher;

/// What other tools say of a device is accepted, and refused after one changed byte; differences are found where they are.
final class ComparisonTest {

    private static final int CHUNK = TestVault.CHUNK;
    private static final int SIZE = 48 * CHUNK; // a multiple of what loop devices and md5deep go by

    @TempDir
    Path folder;

    private TestVault tools;
    private byte[] image;
    private Path file;

    /// a full and a delta; what is compared with is the state of the delta
    @BeforeEach
    void archives() throws IOException {
        image = Images.mixed(5, SIZE);
        Arrays.fill(image, 20 * CHUNK, 26 * CHUNK, (byte) 0);
        System.arraycopy(Images.noise(9, CHUNK), 0, image, 30 * CHUNK, CHUNK);
        tools = new TestVault(folder);
        byte[] before = image.clone();
        before[7 * CHUNK + 5] ^= 1;
        Arrays.fill(before, 30 * CHUNK, 31 * CHUNK, (byte) 3);
        tools.add(before).add(image);
        file = Files.write(folder.resolve("disk.img"), image);
    }

    private Differences compare(Path with, Optional<String> name) throws IOException {
        var history = tools.volume.read().history();
        List<StoredArchive> path = history.path(history.latest().orElseThrow().state(), any -> true).orElseThrow();
        try (Chain chain = Chain.open(path)) {
            return new Comparison(chain, 2, Watcher.NONE).with(with, name, "disk.img");
        }
    }

    private Differences compare(Path with) throws IOException {
        return compare(with, Optional.empty());
    }

    private static void assertSame(Differences differences) {
        assertTrue(differences.same(), differences::text);
        assertEquals(SIZE, differences.compared(), differences::text);
        assertTrue(differences.text().startsWith("as "), differences::text);
    }

    private static List<String> places(Differences differences) {
        return differences.changed().places().stream().map(range -> range.from() + "+" + range.size()).toList();
    }

    private void write(byte[] content) throws IOException {
        Files.write(file, content);
    }

    private static byte[] run(Object... command) throws IOException {
        return Tools.run(command).orElseGet(() -> Assumptions.abort(command[0] + " is not installed")).expectSuccess().bytes();
    }

    private Path list(byte[] content) throws IOException {
        return Files.write(Files.createTempFile(folder, "list", ".txt"), content);
    }

    // ---- a device or image

    @Test
    void imageThatIsAsItWasRecordedIsTheSame() throws IOException {
        assertSame(compare(file));
    }

    @Test
    void everyBlockThatDiffersIsFoundAndNoOther() throws IOException {
        byte[] now = image.clone();
        now[3] ^= 1;
        now[7 * CHUNK + 5] ^= 1;
        Arrays.fill(now, 20 * CHUNK + 8192, 20 * CHUNK + 8200, (byte) 1); // among zeros
        Arrays.fill(now, 40 * CHUNK - 10, 40 * CHUNK + 10, (byte) 77); // over the border of a chunk
        now[SIZE - 1] ^= 1;
        write(now);
        Differences differences = compare(file);
        assertEquals(
                List.of("0+4096", 7 * CHUNK + "+4096", 20 * CHUNK + 8192 + "+4096", 40 * CHUNK - 4096 + "+8192", SIZE - 4096 + "+4096"),
                places(differences));
        assertEquals(0, differences.changed().first());
        assertEquals(SIZE - 1, differences.changed().last());
        assertTrue(differences.archiveRead());
        assertTrue(differences.damaged().none());
        assertTrue(differences.text().contains("the source has changed"), differences::text);
    }

    static Stream<Long> seeds() {
        return Histories.seeds(10).stream();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void differencesOfRandomStatesAreThoseOfAModel(long seed, @TempDir Path place) throws IOException {
        History history = Histories.random(seed, 5, CHUNK, 12 * CHUNK);
        tools = new TestVault(place);
        for (History.Point point : history.points()) {
            tools.add(point.image());
        }
        byte[] recorded = history.points().getLast().image();
        for (History.Point point : history.points()) {
            byte[] now = point.image();
            Files.write(file, now);
            Differences differences = compare(file);
            Ranges expected = Ranges.NONE;
            int both = Math.min(now.length, recorded.length);
            for (int at = 0; at < both; at += 4096) {
                int end = Math.min(both, at + 4096);
                if (!Arrays.equals(now, at, end, recorded, at, end)) {
                    expected = expected.plus(Ranges.of(at, end));
                }
            }
            expected = expected.plus(Ranges.of(both, Math.max(now.length, recorded.length)));
            String what = history + " against " + point;
            assertEquals(expected.list(), differences.changed().places(), what);
            assertEquals(expected.size(), differences.changed().bytes(), what);
            assertEquals(expected.isEmpty(), differences.same(), what);
        }
    }

    @Test
    void blockDeviceIsCompared() throws IOException {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and loop devices");
        try (LoopDevice device = LoopDevice.attach(file)) {
            assertSame(compare(device.path()));
        }
        byte[] now = image.clone();
        now[9 * CHUNK] ^= 1;
        write(now);
        try (LoopDevice device = LoopDevice.attach(file)) {
            assertEquals(List.of(9 * CHUNK + "+4096"), places(compare(device.path())));
        }
    }

    @Test
    void damagedArchiveIsToldApartFromADeviceThatChanged() throws IOException {
        byte[] now = image.clone();
        now[30 * CHUNK + 9000] ^= 1; // in the delta
        now[2 * CHUNK] ^= 1; // in the full
        write(now);
        Path delta = tools.file(1, "zst");
        Damage.flip(30_000, 1).inflictOn(delta); // behind the block of chunk 7
        Differences differences = compare(file);
        assertEquals(List.of(2 * CHUNK + "+4096"), places(differences));
        assertEquals(1, differences.damaged().count());
        assertEquals(30 * CHUNK, differences.damaged().first());
        assertTrue(differences.text().contains("the archive is damaged there"), differences::text);
    }

    @Test
    void damageWhereTheDeviceIsAsRecordedIsNoDifference() throws IOException {
        Path full = tools.file(0, "zst");
        Damage.flip(2000, 1).inflictOn(full);
        assertSame(compare(file)); // the tables say so; what the data files hold is another question
    }

    @Test
    void dataThatIsAwayIsNeverReadAndSaidSo() throws IOException {
        Files.delete(tools.file(0, "zst"));
        Files.delete(tools.file(1, "zst"));
        assertSame(compare(file));
        byte[] now = image.clone();
        now[2 * CHUNK] ^= 1;
        write(now);
        Differences differences = compare(file);
        assertEquals(List.of(2 * CHUNK + "+" + CHUNK), places(differences)); // no finer than the tables
        assertFalse(differences.archiveRead());
        assertTrue(differences.text().contains("was not looked at"), differences::text);
    }

    @Test
    void sizesThatDifferAreDifferences() throws IOException {
        write(Arrays.copyOf(image, SIZE + 5 * CHUNK));
        assertEquals(List.of(SIZE + "+" + 5 * CHUNK), places(compare(file)));
        write(Arrays.copyOf(image, SIZE - CHUNK));
        assertEquals(List.of(SIZE - CHUNK + "+" + CHUNK), places(compare(file)));
        write(new byte[0]);
        assertEquals(List.of("0+" + SIZE), places(compare(file)));
    }

    // ---- hashes of the whole device, made by others

    @ParameterizedTest
    @ValueSource(strings = {"b3sum", "sha256sum", "md5sum", "sha1sum", "sha512sum", "sha256sum --tag", "md5sum --tag", "md5deep", "sha256deep"})
    void hashOfTheWholeDeviceIsAcceptedAndRefusedAfterOneChangedByte(String tool) throws IOException {
        List<Object> command = new ArrayList<>(List.of((Object[]) tool.split(" ")));
        command.add(file);
        Path good = list(run(command.toArray()));
        assertSame(compare(good));
        byte[] now = image.clone();
        now[SIZE / 2] ^= 1;
        write(now);
        Path bad = list(run(command.toArray()));
        Differences differences = compare(bad);
        assertFalse(differences.same());
        assertFalse(differences.located());
        assertTrue(differences.damaged().none());
    }

    @ParameterizedTest
    @ValueSource(strings = {"b3sum", "sha256sum", "md5sum"})
    void hashOfALoopDeviceIsAcceptedAndRefusedAfterOneByteWasWritten(String tool) throws IOException {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and loop devices");
        try (LoopDevice device = LoopDevice.attach(file)) {
            assertSame(compare(list(run(tool, device.path()))));
            try (FileChannel channel = FileChannel.open(device.path(), StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(new byte[] {(byte) (image[SIZE / 2] ^ 1)}), SIZE / 2);
                channel.force(true);
            }
            Differences differences = compare(list(run(tool, device.path())));
            assertFalse(differences.same());
            assertTrue(differences.damaged().none());
        }
    }

    @Test
    void hashOfTheWholeDeviceThatCannotBeComputedIsDamageAndNoDifference() throws IOException {
        Path list = list(run("sha256sum", file));
        Path full = tools.file(0, "zst");
        Damage.flip(2000, 1).inflictOn(full);
        Differences differences = compare(list);
        assertFalse(differences.same());
        assertTrue(differences.changed().none());
        assertFalse(differences.damaged().none());
    }

    @Test
    void namesDecideWhichLineIsMeant() throws IOException {
        Path other = Files.write(folder.resolve("other.img"), new byte[5000]);
        Path list = list(run("sha256sum", other, file));
        assertSame(compare(list)); // the archiver called it disk.img
        assertSame(compare(list, Optional.of(file.toString())));
        assertFalse(compare(list, Optional.of(other.toString())).same());
        assertThrows(RefusedException.class, () -> compare(list, Optional.of("third")));
    }

    @Test
    void hashOfNothingIsNoHashOfADevice() throws IOException {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and loop devices");
        try (LoopDevice device = LoopDevice.attach(file)) {
            for (String tool : List.of("md5deep", "hashdeep")) {
                Path list = list(run(tool, device.path()));
                DamagedListException e = assertThrows(DamagedListException.class, () -> compare(list));
                assertTrue(e.getMessage().contains("-p"), e::getMessage);
            }
        }
    }

    // ---- hashes of pieces

    static List<String> piecewise() {
        return List.of("md5deep -p 64k", "md5deep -p 1m", "md5deep -q -p 1m", "md5deep -k -p 100k", "md5deep -c -p 1m", "md5deep -t -p 1m",
                "md5deep -0 -p 64k", "sha256deep -p 3000", "sha1deep -p 1m", "md5deep -d -p 256k", "hashdeep -p 1m", "hashdeep -c sha256 -p 64k",
                "hashdeep -c md5,sha1,sha256,tiger,whirlpool -p 777k", "hashdeep -d -p 1m", "hashdeep -0 -p 1m");
    }

    @ParameterizedTest
    @MethodSource("piecewise")
    void piecesOfABlockDeviceAreAcceptedAndOneChangedByteIsFound(String tool) throws IOException {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and loop devices");
        List<Object> command = new ArrayList<>(List.of((Object[]) tool.split(" ")));
        try (LoopDevice device = LoopDevice.attach(file)) {
            command.add(device.path());
            assertSame(compare(list(run(command.toArray()))));
        }
        byte[] now = image.clone();
        now[11 * CHUNK + 77] ^= 1;
        write(now);
        try (LoopDevice device = LoopDevice.attach(file)) {
            command.set(command.size() - 1, device.path());
            Differences differences = compare(list(run(command.toArray())));
            assertEquals(1, differences.changed().count(), differences::text);
            Ranges.Range place = differences.changed().places().getFirst();
            assertTrue(place.from() <= 11 * CHUNK + 77 && 11 * CHUNK + 77 < place.to(), place::toString);
            assertTrue(place.size() <= 1 << 20, place::toString);
            assertTrue(differences.damaged().none());
        }
    }

    @Test
    void gapsInAListAreNotCovered() throws IOException {
        String all = new String(run("md5deep", "-p", "1m", file), StandardCharsets.UTF_8);
        List<String> lines = new ArrayList<>(all.lines().toList());
        lines.remove(1);
        Differences differences = compare(list(String.join("\n", lines.reversed()).getBytes(StandardCharsets.UTF_8)));
        assertTrue(differences.same());
        assertEquals(SIZE - (1 << 20), differences.compared());
    }

    @Test
    void piecesInDamagedPlacesAreNotDifferences() throws IOException {
        Path list = list(run("md5deep", "-p", "64k", file));
        Path full = tools.file(0, "zst");
        Damage.flip(2000, 1).inflictOn(full);
        Differences differences = compare(list);
        assertTrue(differences.changed().none(), differences::text);
        assertEquals(1, differences.damaged().count());
        assertEquals(SIZE - differences.damaged().bytes(), differences.compared());
    }

    @Test
    void listOfALongerDeviceDiffersBehindTheEnd() throws IOException {
        Path longer = Files.write(folder.resolve("longer.img"), Arrays.copyOf(image, SIZE + (1 << 20)));
        Differences differences = compare(list(run("md5deep", "-p", "1m", longer)));
        assertEquals(List.of(SIZE + "+" + (1 << 20)), places(differences));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "d41d8cd98f00b204e9800998ecf8427e  x offset 0-99999999999999999999\n",
        "d41d8cd98f00b204e9800998ecf8427e  x offset 0-9\nno hash at all\n",
        "d41d8cd98f00b204e9800998ecf8427e  x offset 0-9\nd41d8cd98f00b204e9800998ecf8427e  x offset 15-20\nd41d8cd98f00b204e9800998ecf8427e  x offset 5-12\n",
        "%%%% HASHDEEP-1.0\n%%%% size,tiger,filename\n5,00,x\n",
        "%%%% HASHDEEP-1.0\n%%%% size,md5,filename\nx,00,x\n",
        "%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n7,d41d8cd98f00b204e9800998ecf8427e,x offset 0-99\n",
        "%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n",
        "<?xml version='1.0'?><dfxml><fileobject><filename>x</filename><byte_run file_offset='-5' len='3'>",
        "<?xml version='1.0'?><!DOCTYPE dfxml [<!ENTITY e 'x'>]><dfxml><fileobject><filename>x</filename><hashdigest type='MD5'>d41d8cd98f00b204e9800998ecf8427e</hashdigest></fileobject></dfxml>",
        "varve-hashes-1 5 5\n"})
    void badListsAreErrors(String text) throws IOException {
        Path list = list(text.getBytes(StandardCharsets.UTF_8));
        assertThrows(DamagedListException.class, () -> compare(list));
    }

    @Test
    void anXmlListWhoseElementsLieInEachOtherWithoutEndIsAnError() throws IOException {
        String digest = "<fileobject><filename>x</filename><hashdigest type='MD5'>d41d8cd98f00b204e9800998ecf8427e</hashdigest></fileobject>";
        Path list = list(("<?xml version='1.0'?><dfxml>" + "<a>".repeat(200) + digest + "</a>".repeat(200) + "</dfxml>").getBytes(StandardCharsets.UTF_8));
        assertTrue(assertThrows(DamagedListException.class, () -> compare(list)).getMessage().contains("more than 100 deep"));
    }

    // ---- our own lists

    @ParameterizedTest
    @ValueSource(ints = {16, 17, 20, 24})
    void ownListsOfAnyChunkSizeAreCompared(int chunkLog) throws IOException {
        assertSame(compare(own(image, chunkLog)));
        byte[] now = image.clone();
        now[9 * CHUNK + 1] ^= 1;
        now[22 * CHUNK] = 1;
        Differences differences = compare(own(now, chunkLog));
        assertFalse(differences.same());
        for (long at : new long[] {9 * CHUNK + 1, 22 * CHUNK}) {
            assertTrue(differences.changed().places().stream().anyMatch(range -> range.from() <= at && at < range.to()), differences::text);
        }
        assertTrue(differences.changed().bytes() <= 2L << chunkLog, differences::text);
        assertTrue(differences.archiveRead());
        assertEquals(List.of(SIZE - CHUNK + "+" + CHUNK), chunkLog == 16 ? places(compare(own(Arrays.copyOf(image, SIZE - CHUNK), 16))) : List.of(SIZE - CHUNK + "+" + CHUNK));
    }

    private Path own(byte[] content, int chunkLog) throws IOException {
        Path path = folder.resolve("own" + System.nanoTime());
        try (HashListWriter writer = new HashListWriter(path)) {
            var state = new SourceHasher(chunkLog, 1, p -> {}).hash(new ByteArrayInputStream(content), writer);
            writer.commit(new HashList.Head(state, chunkLog, Instant.parse("2026-11-20T02:00:00Z"), "x"));
        }
        return path;
    }

    // ---- partitions and files

    @ParameterizedTest
    @ValueSource(strings = {
        "label: gpt\nsize=8MiB, name=\"boot ü\", type=uefi\nsize=16MiB, name=data\n",
        "label: dos\nsize=8MiB, type=c\ntype=5\nsize=4MiB, type=83\nsize=6MiB, type=82\n"})
    void differencesAreToldByPartition(String script) throws IOException {
        Path disk = folder.resolve("parts.img");
        Files.write(disk, new byte[40 << 20]);
        Tools.runWith(script.getBytes(StandardCharsets.UTF_8), "sfdisk", "-q", disk).orElseGet(() -> Assumptions.abort("sfdisk is not installed")).expectSuccess();
        String dump = new String(run("sfdisk", "-d", disk), StandardCharsets.UTF_8);
        tools = new TestVault(folder.resolve("parts"));
        byte[] before = Files.readAllBytes(disk);
        tools.add(before);
        assertTrue(compare(disk).partitions().isEmpty());
        byte[] now = before.clone();
        List<String> starts = dump.lines().filter(line -> line.contains("start=") && !line.contains("type=5")).map(line -> line.replaceAll(".*start= *(\\d+).*", "$1")).toList();
        for (String start : starts) {
            now[Integer.parseInt(start) * 512 + 5000] = 1;
        }
        Files.write(disk, now);
        List<Differences.InPartition> partitions = compare(disk).partitions();
        assertEquals(starts.stream().map(start -> Long.parseLong(start) * 512).toList(), partitions.stream().map(in -> in.partition().offset()).toList());
        assertTrue(partitions.stream().allMatch(in -> in.count() == 1 && in.bytes() == 4096));
        if (script.contains("gpt")) {
            assertEquals(List.of("boot ü", "data"), partitions.stream().map(in -> in.partition().name()).toList());
            assertEquals("EFI system", partitions.getFirst().partition().type());
        } else {
            assertEquals(List.of(1, 5, 6), partitions.stream().map(in -> in.partition().number()).toList());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void damagedPartitionTablesAreNone(boolean gpt) throws IOException {
        Path disk = folder.resolve("parts.img");
        Files.write(disk, new byte[20 << 20]);
        String script = gpt ? "label: gpt\nsize=8MiB\n" : "label: dos\nsize=8MiB\n";
        Tools.runWith(script.getBytes(StandardCharsets.UTF_8), "sfdisk", "-q", disk).orElseGet(() -> Assumptions.abort("sfdisk is not installed")).expectSuccess();
        byte[] good = Files.readAllBytes(disk);
        for (long seed = 0; seed < 200; seed++) {
            byte[] bad = good.clone();
            new Random(seed).ints(20, 0, 40 * 512).forEach(at -> bad[at] = (byte) at);
            write(bad);
            try (var device = FileDevice.open(file)) {
                for (Partition partition : PartitionTable.read(device).partitions()) {
                    assertTrue(partition.offset() >= 0 && partition.size() > 0);
                }
            }
        }
    }

    @Test
    void filesOfExt4ThatDifferencesLieInAreNamed() throws IOException {
        Assumptions.assumeTrue(Tools.find("debugfs").isPresent() && Tools.find("mke2fs").isPresent(), "e2fsprogs is not installed");
        Path content = Files.createDirectories(folder.resolve("content/etc"));
        Files.write(content.resolve("passwd"), Images.noise(1, 9000));
        Files.write(content.resolve("a name with spaces"), Images.noise(2, 5000));
        Files.write(content.resolve("untouched"), Images.noise(3, 5000));
        Path fs = folder.resolve("fs.img");
        Files.write(fs, new byte[16 << 20]);
        run("mke2fs", "-q", "-t", "ext4", "-d", folder.resolve("content"), fs);
        Path disk = folder.resolve("whole.img");
        Files.write(disk, new byte[24 << 20]);
        Tools.runWith("label: gpt\nstart=4096, size=32768, name=root\n".getBytes(StandardCharsets.UTF_8), "sfdisk", "-q", disk)
                .orElseGet(() -> Assumptions.abort("sfdisk is not installed")).expectSuccess();
        byte[] whole = Files.readAllBytes(disk);
        System.arraycopy(Files.readAllBytes(fs), 0, whole, 4096 * 512, 16 << 20);
        Files.write(disk, whole);
        tools = new TestVault(folder.resolve("ext4"));
        tools.add(whole);
        byte[] now = whole.clone();
        for (byte[] changed : List.of(Images.noise(1, 9000), Images.noise(2, 5000))) {
            int at = indexOf(whole, Arrays.copyOf(changed, 64));
            now[at + 4200] ^= 1;
        }
        Files.write(disk, now);
        Differences differences = compare(disk);
        assertEquals(1, differences.files().size());
        assertEquals(List.of("/etc/a name with spaces", "/etc/passwd"), differences.files().getFirst().paths().stream().sorted().toList());
        assertEquals("root", differences.files().getFirst().partition().orElseThrow().name());
    }

    private static int indexOf(byte[] bytes, byte[] wanted) {
        for (int at = 0; at < bytes.length - wanted.length; at += 1024) {
            if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
                return at;
            }
        }
        throw new AssertionError("not found");
    }
}
