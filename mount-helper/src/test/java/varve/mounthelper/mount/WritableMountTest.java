package varve.mounthelper.mount;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import varve.archive.block.RefusedException;
import varve.mounthelper.FileTree;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess.Ended;

/// `varve mount --writable`: file systems of the kernel write to an overlay, are killed, and find it again; the archive stays as it is.
final class WritableMountTest extends RealMounts {

    private static final int KILLED_AFTER = Integer.getInteger("varve.test.mount.killedAfter", 10); // files

    private Path overlay;

    @BeforeEach
    void overlay() {
        overlay = folder.resolve("try.overlay");
    }

    private Ended mount(String point) throws Exception {
        return varve("mount", point, place, "--writable", overlay).expect(0);
    }

    private void umount() throws Exception {
        List<String> said = unmount(place);
        assertEquals(1, said.size(), said::toString);
        assertTrue(said.getFirst().contains(" is in " + overlay + "; to keep it: varve archive overlay:" + overlay), said::toString);
        assertNothingIsLeft();
    }

    private void assertArchiveIsUnchanged() {
        here(0, "verify", "tools", "--depth", "content", "--vault", vault);
    }

    /// Writes a file and brings it to the medium.
    private static void write(Path file, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes));
            channel.force(true);
        }
    }

    @ParameterizedTest
    @EnumSource
    void theJournalIsReplayedAndWhatIsWrittenStays(FileSystem kind) throws Exception {
        Map<String, String> day = archiveWithDirtyJournals(kind, 2).getLast();
        String said = mount("tools").err();
        assertTrue(said.contains(", the whole device on " + place + ", writable: what is written goes to " + overlay + "; when done"), said);
        assertEquals(day, FileTree.describe(place));
        assertEquals("in the journal", Files.readString(place.resolve("late/note1")));

        byte[] noise = Images.noise(7, 3_000_000);
        write(place.resolve("new"), noise);
        Files.delete(place.resolve("late/note0"));
        umount();
        assertArchiveIsUnchanged();
        assertTrue(here(0, "overlay", "list", overlay).contains("whole"));
        Ended other = varve("mount", "tools@-1", place, "--writable", overlay).expect(9);
        assertTrue(other.error().contains("is an overlay of tools@"), other::err);

        mount("tools");
        assertArrayEquals(noise, Files.readAllBytes(place.resolve("new")));
        assertFalse(Files.exists(place.resolve("late/note0")));
        Map<String, String> written = FileTree.describe(place);
        umount();

        here(0, "archive", "overlay:" + overlay, "--vault", vault, "--label", "repaired");
        here(0, "overlay", "discard", overlay);
        varve("mount", "tools", place).expect(0);
        assertEquals(written, FileTree.describe(place), "as a branch");
        assertEquals(List.of(), unmount(place));
    }

    @ParameterizedTest
    @EnumSource
    void aKilledServerLosesNothingThatWasFlushed(FileSystem kind) throws Exception {
        archiveWithDirtyJournals(kind, 1);
        mount("tools");
        String script = """
                i=0
                while head -c 200000 /dev/urandom >source && dd if=source of="$0/f$i" bs=64k conv=fsync status=none; do
                    echo "$i $(sha256sum <source)"
                    i=$((i + 1))
                done""";
        Process writer = new ProcessBuilder("sh", "-c", script, place.toString())
                .directory(folder.toFile()).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        StringBuilder flushed = new StringBuilder();
        try (BufferedReader lines = writer.inputReader()) {
            for (int i = 0; i < KILLED_AFTER; i++) {
                flushed.append(lines.readLine()).append('\n');
            }
            ProcessHandle server = ProcessHandle.of(new RuntimeFolder(runtime).all().getFirst().process()).orElseThrow();
            server.destroyForcibly();
            server.onExit().join();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                flushed.append(line).append('\n');
            }
        } finally {
            writer.destroyForcibly().waitFor();
        }
        assertTrue(varve("umount", "--all").expect(0).err().contains(" is in " + overlay + "; to keep it: "));
        assertNothingIsLeft();
        mount("tools");
        for (String line : flushed.toString().lines().toList()) {
            String[] words = line.split(" +");
            String sum = Tools.run("sha256sum", place.resolve("f" + words[0])).orElseThrow().expectSuccess().text();
            assertEquals(words[1], sum.split(" ")[0], "f" + words[0]);
        }
        umount();
        assertArchiveIsUnchanged();
    }

    /// An ext4 that was unmounted well, of 32 MiB.
    private void archiveFiles() throws Exception {
        archive(imageWithFile(32 * MIB));
    }

    @Test
    void ofAMountThatFailsNoOverlayIsLeftUnlessItWasThere() throws Exception {
        archiveFiles();
        assertTrue(varve("mount", "tools", place, "--type", "xfs", "--writable", overlay).expect(7).error().contains("wrong fs type"));
        assertFalse(Files.exists(overlay));
        here(9, "mount", "tools", place, "--writable", vault.resolve("o"), "--vault", vault);
        here(10, "mount", "tools", place, "--writable", folder.resolve("none/o"), "--vault", vault);
        Path other = Files.writeString(folder.resolve("other"), "something else");
        assertTrue(varve("mount", "tools", place, "--writable", other).expect(9).error().contains(other.toString()));
        assertEquals("something else", Files.readString(other));
        assertNothingIsLeft();
        mount("tools");
        Files.writeString(place.resolve("new"), "new");
        umount();
        String list = here(0, "overlay", "list", overlay);
        varve("mount", "tools", place, "--type", "xfs", "--writable", overlay).expect(7);
        assertEquals(list, here(0, "overlay", "list", overlay));
    }

    @Test
    void aFullDiskBehindTheOverlayIsToldAndWhatWasFlushedBeforeIsThere(@TempDir Path small) throws Exception {
        archiveFiles();
        Tools.run("mount", "-t", "tmpfs", "-o", "size=4m", "small", small).orElseThrow().expectSuccess();
        try {
            overlay = small.resolve("o");
            mount("tools");
            write(place.resolve("before"), Images.noise(3, 100_000));
            assertFalse(Tools.run("dd", "if=/dev/urandom", "of=" + place.resolve("much"), "bs=64k", "count=160", "conv=fsync").orElseThrow().exitCode() == 0);
            Ended ended = varve("umount", place).expect(0);
            assertTrue(ended.err().contains("No space left on device"), ended::err);
            Tools.run("mount", "-o", "remount,size=64m", small).orElseThrow().expectSuccess();
            mount("tools");
            assertArrayEquals(Images.noise(3, 100_000), Files.readAllBytes(place.resolve("before")));
            umount();
        } finally {
            unmountAll();
            Tools.run("umount", small);
        }
    }

    @Test
    void whatWasWrittenBeforeALazyUnmountIsThere() throws Exception {
        archiveFiles();
        mount("tools");
        Process user = new ProcessBuilder("sh", "-c", "echo written >\"$0/new\"; exec <\"$0/new\"; echo; exec sleep 600", place.toString()).start();
        try {
            user.getInputStream().read();
            assertTrue(assertThrows(RefusedException.class, () -> unmount(place)).getMessage().contains("process " + user.pid()));
            new Unmounter(new RuntimeFolder(runtime)).unmount(place, true);
        } finally {
            user.destroyForcibly().waitFor();
        }
        mount("tools");
        assertEquals("written\n", Files.readString(place.resolve("new")));
        umount();
    }

    @Test
    void anImageCanBeWrittenAsAFile() throws Exception {
        archiveFiles();
        here(2, "mount", "--images", place, "--writable", overlay, "--vault", vault);
        here(2, "mount", "--writable", overlay);
        varve("mount", "--images", place, "tools", "--writable", overlay).expect(0);
        Path second = Files.createDirectories(folder.resolve("second"));
        Ended used = varve("mount", "tools", second, "--writable", overlay).expect(8);
        assertTrue(used.error().contains(overlay + ": in use by tools@") && used.error().contains(" on " + place + ", which process "), used::err);
        String list = varve("mount").expect(0).out();
        assertTrue(list.contains(" " + overlay + " "), list);
        String image = Tools.run("find", place, "-name", "*.img").orElseThrow().text();
        byte[] noise = Images.noise(9, 300_000);
        Tools.runWith(noise, "dd", "of=" + image, "bs=10000", "seek=777", "conv=notrunc,fsync", "iflag=fullblock").orElseThrow().expectSuccess();
        umount();
        varve("mount", "--images", place, "tools", "--writable", overlay).expect(0);
        assertArrayEquals(noise, Tools.run("dd", "if=" + image, "bs=10000", "skip=777", "count=30", "status=none").orElseThrow().bytes());
        umount();
        assertArchiveIsUnchanged();
    }
}
