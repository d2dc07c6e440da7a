package varve.archive.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.block.FileDevice;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

/// What DRBD's metadata at the end of a real backing device says of the device above.
class DrbdResourceTest {

    private static final long SIZE = 16_736_256; // of /dev/drbd0, as blockdev --getsize64 said

    @TempDir
    Path folder;

    private byte[] volume;

    @BeforeEach
    void unpack() throws Exception {
        assumeTrue(Tools.find("zstd").isPresent(), "needs zstd");
        volume = Tools.unzstd(TestFiles.root().resolve("fixtures/drbd/secondary-snap.img.zst")).orElseThrow();
    }

    private long effectiveSize(byte[] content) throws IOException {
        try (FileDevice device = FileDevice.open(Files.write(folder.resolve("volume"), content))) {
            return DrbdResource.effectiveSize(device);
        }
    }

    @Test
    void theMetadataIsNoPartOfTheDevice() throws Exception {
        assertEquals(SIZE, effectiveSize(volume));
    }

    @Test
    void aDeviceWithoutMetadataHasNone() throws Exception {
        assertEquals(-1, effectiveSize(Arrays.copyOf(volume, (int) SIZE)));
        assertEquals(-1, effectiveSize(new byte[100]));
        assertEquals(-1, effectiveSize(new byte[0]));
    }

    @Test
    void metadataThatSaysMoreThanThereIsIsNone() throws Exception {
        volume[volume.length - 4096] = 0x7f;
        assertEquals(-1, effectiveSize(volume));
    }
}
