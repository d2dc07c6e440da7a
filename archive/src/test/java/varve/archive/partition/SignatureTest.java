package varve.archive.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.block.FileDevice;
import varve.testdata.LoopDevice;
import varve.testdata.Tools;

/// What the makers of file systems write is known, by the same name, label and UUID as blkid has for it.
final class SignatureTest {

    private static final long MIB = 1 << 20;

    @TempDir
    Path folder;

    private Path image(long size) throws IOException {
        Path image = folder.resolve("image");
        Files.deleteIfExists(image);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(size);
        }
        return image;
    }

    private static List<Signature> signatures(Path image) throws IOException {
        try (FileDevice device = FileDevice.open(image)) {
            return Signature.of(device, 0, device.size());
        }
    }

    /// {@return the members of what `blkid` prints: TYPE, LABEL, UUID ...}
    private static Map<String, String> blkid(Path image) throws IOException {
        Tools.Output output = Tools.run("blkid", "-p", "-o", "export", image).orElseGet(() -> Assumptions.abort("needs blkid"));
        return output.text().lines()
                .filter(line -> line.contains("="))
                .collect(Collectors.toMap(line -> line.substring(0, line.indexOf('=')), line -> line.substring(line.indexOf('=') + 1).replaceAll("\\\\(.)", "$1")));
    }

    private static void make(Path image, String command) throws IOException {
        List<Object> words = new ArrayList<>(List.of(command.split(" ")));
        words.add(image);
        Tools.run(words.toArray()).orElseGet(() -> Assumptions.abort("needs " + words.getFirst())).expectSuccess();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "mke2fs -q -t ext2 -L old",
        "mke2fs -q -t ext3 -L journal",
        "mke2fs -q -t ext4 -L archives",
        "mke2fs -q -t ext4 -O ^has_journal",
        "mke2fs -q -t ext4 -b 4096 -L sixteen-letters!",
        "mke2fs -q -O journal_dev",
        "mkfs.xfs -q -L tools",
        "mkfs.btrfs -q -L a_label",
        "mkfs.vfat -n EFI",
        "mkfs.vfat -F 32",
        "mkfs.vfat -F 12 -n TWELVE",
        "mkfs.ntfs -q -F",
        "mkfs.exfat",
        "mkfs.f2fs -q",
        "mkswap -q -L pages",
    })
    void fileSystemsAreKnownAsBlkidKnowsThem(String command) throws IOException {
        Path image = image((command.contains("xfs") ? 300 : command.contains("F 12") ? 4 : 128) * MIB);
        make(image, command);
        Map<String, String> expected = blkid(image);
        List<Signature> found = signatures(image);
        assertEquals(1, found.size(), found::toString);
        assertEquals(
                List.of(expected.get("TYPE"), expected.getOrDefault("LABEL", ""), expected.getOrDefault("UUID", "")),
                List.of(found.getFirst().kind().word(), found.getFirst().label(), found.getFirst().uuid()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"luks1", "luks2"})
    void encryptedDevicesAreKnown(String version) throws IOException {
        Path image = image(32 * MIB);
        Path key = Files.write(folder.resolve("key"), new byte[] {1, 2, 3});
        String label = version.equals("luks2") ? " --label secret" : "";
        make(image, "cryptsetup luksFormat --batch-mode --type " + version + label + " --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file " + key);
        Map<String, String> expected = blkid(image);
        Signature found = signatures(image).getFirst();
        assertEquals(List.of("crypto_LUKS", expected.getOrDefault("LABEL", ""), expected.get("UUID")), List.of(found.kind().word(), found.label(), found.uuid()));
    }

    @Test
    void physicalVolumesOfLvmAreKnown() throws IOException {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and loop devices");
        Path image = image(32 * MIB);
        Path settings = Files.createDirectories(folder.resolve("lvm"));
        try (LoopDevice device = LoopDevice.attach(image)) {
            Files.writeString(settings.resolve("lvm.conf"), "devices { filter = [ \"a|" + device.path() + "|\", \"r|.*|\" ] use_devicesfile = 0 }\n");
            Tools.run("env", "LVM_SYSTEM_DIR=" + settings, "pvcreate", "-q", "-y", device.path()).orElseThrow();
        }
        Assumptions.assumeTrue(Tools.find("pvcreate").isPresent(), "needs pvcreate");
        Map<String, String> expected = blkid(image);
        Signature found = signatures(image).getFirst();
        assertEquals(List.of("LVM2_member", expected.get("UUID")), List.of(found.kind().word(), found.uuid()));
    }

    /// the metadata of DRBD lies behind the file system that people want
    @Test
    void metadataOfDrbdIsToldBesideTheFileSystem() throws IOException {
        long size = 64 * MIB + 512;
        Path image = image(64 * MIB - (64 << 10));
        make(image, "mke2fs -q -t ext4");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(size);
            file.seek(size / 4096 * 4096 - 4096 + 40);
            file.writeLong(0x123456789abcdef0L);
            file.seek(size / 4096 * 4096 - 4096 + 60);
            file.writeInt(0x8374026d);
        }
        List<Signature> found = signatures(image);
        assertEquals(List.of("ext4", "drbd"), found.stream().map(signature -> signature.kind().word()).toList());
        assertEquals("123456789abcdef0", found.get(1).uuid());
    }

    /// version 1.2, and 1.0 at the end: linux/raid/md_p.h
    @ParameterizedTest
    @ValueSource(longs = {4096, 64 * MIB - 8192})
    void membersOfRaidAreKnown(long at) throws IOException {
        Path image = image(64 * MIB);
        byte[] id = new byte[16];
        new Random(1).nextBytes(id);
        ByteBuffer superblock = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
        superblock.putInt(0xa92b4efc).putInt(1).putInt(0).putInt(0).put(id).put("host:0".getBytes(StandardCharsets.US_ASCII));
        superblock.putLong(144, at / 512);
        try (FileChannel file = FileChannel.open(image, StandardOpenOption.WRITE)) {
            file.write(superblock.rewind(), at);
        }
        Signature found = signatures(image).getFirst();
        assertEquals("linux_raid_member", found.kind().word());
        assertEquals(HexFormat.of().formatHex(id), found.uuid().replace("-", ""));
    }

    @Test
    void whatNobodyKnowsIsNothing() throws IOException {
        assertEquals(List.of(), signatures(image(0)));
        assertEquals(List.of(), signatures(image(1)));
        assertEquals(List.of(), signatures(image(5000)));
        assertEquals(List.of(), signatures(image(MIB)));
    }

    /// whatever the bytes are
    @Test
    void anyBytesGiveSomeAnswer() throws IOException {
        Path image = image(2 * MIB);
        make(image, "mke2fs -q -t ext2");
        byte[] good = Files.readAllBytes(image);
        for (long seed = 0; seed < 100; seed++) {
            byte[] bad = good.clone();
            Random random = new Random(seed);
            random.ints(300, 0, 80 << 10).forEach(at -> bad[at] = (byte) random.nextInt());
            Files.write(image, bad);
            assertTrue(signatures(image).size() <= 5, "seed " + seed);
        }
    }

    @Test
    void partitionsAndWhatTheyHoldAreFoundTogether() throws IOException {
        Path image = image(64 * MIB);
        Tools.runWith("label: gpt\nstart=1MiB, size=8MiB, type=uefi, name=\"boot ü\"\nstart=20MiB, size=16MiB\n".getBytes(StandardCharsets.UTF_8), "sfdisk", "-q", image)
                .orElseGet(() -> Assumptions.abort("needs sfdisk")).expectSuccess();
        Path second = folder.resolve("fs");
        try (RandomAccessFile file = new RandomAccessFile(second.toFile(), "rw")) {
            file.setLength(16 * MIB);
        }
        make(second, "mke2fs -q -t ext4 -L root");
        Tools.run("dd", "if=" + second, "of=" + image, "bs=1M", "seek=20", "conv=notrunc,sparse").orElseThrow().expectSuccess();
        try (FileDevice device = FileDevice.open(image)) {
            Layout layout = Layout.of(device);
            assertEquals(PartitionTable.Scheme.GPT, layout.scheme());
            assertEquals(List.of(MIB, 20 * MIB), layout.regions().stream().map(Layout.Region::offset).toList());
            assertEquals(List.of("unknown", "ext4"), layout.regions().stream().map(Layout.Region::content).toList());
            assertEquals("root", layout.regions().get(1).fileSystems().getFirst().label());
            String ids = Tools.run("sfdisk", "--dump", image).orElseThrow().text().toLowerCase();
            for (Layout.Region region : layout.regions()) {
                assertTrue(ids.contains("uuid=" + region.partition().orElseThrow().id()), ids);
            }
        }
    }
}
