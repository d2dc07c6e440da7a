package varve.archive.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountsTest {

    @TempDir
    Path folder;

    private Mounts mounts(String fstab, String... mounted) throws IOException {
        StringBuilder info = new StringBuilder("21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n");
        for (String point : mounted) {
            info.append("30 21 8:1 / ").append(point).append(" rw,relatime - ext4 /dev/sdb1 rw\n");
        }
        return new Mounts(Files.writeString(folder.resolve("fstab"), fstab), Files.writeString(folder.resolve("mountinfo"), info));
    }

    @Test
    void aDiskOfTheTableThatIsNotMountedIsMissing() throws Exception {
        String table = "# comment /dev/x /mnt\nUUID=1 / ext4 defaults 0 1\n\nUUID=2\t/mnt/offline  ext4 noauto 0 2\nswap none swap sw 0 0\n";
        assertEquals(Optional.of(Path.of("/mnt/offline")), mounts(table).missing(Path.of("/mnt/offline/vault")));
        assertEquals(Optional.of(Path.of("/mnt/offline")), mounts(table).missing(Path.of("/mnt/offline")));
        assertEquals(Optional.empty(), mounts(table, "/mnt/offline").missing(Path.of("/mnt/offline/vault")));
        assertEquals(Optional.empty(), mounts(table).missing(Path.of("/mnt/other/vault")));
        assertEquals(Optional.empty(), mounts(table).missing(Path.of("/mnt/offline2")));
    }

    @Test
    void theDeepestDecides() throws Exception {
        String table = "a /mnt ext4 d 0 0\nb /mnt/b ext4 d 0 0\n";
        assertEquals(Optional.of(Path.of("/mnt/b")), mounts(table, "/mnt").missing(Path.of("/mnt/b/v")));
        assertEquals(Optional.empty(), mounts(table, "/mnt/b").missing(Path.of("/mnt/b/v")));
        assertEquals(Optional.empty(), mounts(table, "/mnt/c").missing(Path.of("/mnt/c/v")), "another disk, mounted by hand");
        assertEquals(Optional.of(Path.of("/mnt")), mounts(table, "/mnt/c").missing(Path.of("/mnt/d")));
    }

    @Test
    void namesWithBlanksAreRead() throws Exception {
        String table = "LABEL=x /mnt/My\\040Disk ext4 d 0 0\n";
        assertEquals(Optional.of(Path.of("/mnt/My Disk")), mounts(table).missing(Path.of("/mnt/My Disk/v")));
        assertEquals(Optional.empty(), mounts(table, "/mnt/My\\040Disk").missing(Path.of("/mnt/My Disk/v")));
        assertEquals("a\\b c\\9", Mounts.unescape("a\\134b\\040c\\9"));
    }

    @Test
    void linksAreFollowed() throws Exception {
        Path disk = Files.createDirectories(folder.resolve("disk"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), disk);
        String table = "x " + disk.toRealPath() + " ext4 d 0 0\n";
        assertEquals(Optional.of(disk.toRealPath()), mounts(table).missing(link.resolve("vault")));
    }

    @Test
    void whereDisksAreMountedAFolderOfTheSystemIsSuspicious() throws Exception {
        assertTrue(mounts("").seemsUnmounted(Path.of("/media/user/DISK")));
        assertTrue(mounts("").seemsUnmounted(Path.of("/mnt/offline/vault")));
        assertFalse(mounts("", "/mnt/offline").seemsUnmounted(Path.of("/mnt/offline/vault")));
        assertTrue(mounts("", "/mnt").seemsUnmounted(Path.of("/media/offline")));
        assertFalse(mounts("", "/mnt").seemsUnmounted(Path.of("/mnt/vault")));
        assertTrue(mounts("", "/run").seemsUnmounted(Path.of("/run/media/user/DISK")));
        assertFalse(mounts("").seemsUnmounted(Path.of("/srv/vault")));
        assertFalse(mounts("").seemsUnmounted(Path.of("/mntx/vault")));
    }

    @Test
    void withoutATableNothingIsMissing() throws Exception {
        assertEquals(Optional.empty(), new Mounts(folder.resolve("none"), folder.resolve("none")).missing(Path.of("/mnt/x")));
        Mounts.ofSystem().missing(folder);
    }
}
