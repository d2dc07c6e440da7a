package varve.mounthelper.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import varve.mounthelper.FileTree;
import varve.testdata.TestFiles;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;

/// A volume that is sealed: looked at, served and mounted with its key, and refused without.
final class SealedMountTest extends RealMounts {

    private static final int WRONG_KEY = 11;

    @Test
    void aSealedVolumeIsServedAndMountedWithItsKeyAlone() throws Exception {
        Path image = imageWithFile(16 * MIB);
        Path key = Files.copy(TestFiles.identity(), folder.resolve("key.txt"));
        String recipient = Files.readAllLines(key).stream().filter(line -> line.startsWith("# public key: ")).findFirst().orElseThrow().substring(14);
        here(0, "archive", image, "--volume", "tools", "--vault", vault, "--recipient", recipient);

        here(WRONG_KEY, "partitions", "tools", "--vault", vault);
        assertTrue(here(0, "partitions", "tools", "--vault", vault, "--identity", key).contains("ext4"));

        Path socket = folder.resolve("s");
        assertTrue(varve("serve", "tools", "--socket", socket).expect(WRONG_KEY).error().contains("is sealed, and no key was given"));
        try (VarveProcess server = start("serve", "tools", "--socket", socket, "--identity", key)) {
            server.awaitSocket(socket);
            Path copy = folder.resolve("copy.img");
            Tools.run("nbdcopy", "nbd+unix:///?socket=" + socket, copy).orElseGet(() -> Assumptions.abort("needs nbdcopy")).expectSuccess();
            assertEquals(-1, Files.mismatch(image, copy));
        }

        assertTrue(varve("mount", "tools", place).expect(WRONG_KEY).error().contains("is sealed, and no key was given"));
        assertNothingIsLeft();
        Path fromHere = Path.of("").toAbsolutePath().relativize(key); // the server has another current folder
        Path overlay = folder.resolve("o");
        varve("mount", "tools", place, "--identity", fromHere, "--writable", overlay).expect(0);
        assertEquals(-1, Files.mismatch(folder.resolve("content").resolve("file"), place.resolve("file")));
        Files.writeString(place.resolve("new"), "new");
        assertTrue(FileTree.describe(place).containsKey("new"));
        unmount(place);
        assertNothingIsLeft();

        here(0, "archive", "overlay:" + overlay, "--vault", vault, "--identity", key);
        try (VarveProcess mount = VarveProcess.start(
                List.of("env", "VARVE_RUNTIME=" + runtime, "VARVE_VAULT=" + vault, "VARVE_IDENTITY=" + fromHere), VarveProcess.QUICK, "mount", "tools", place)) {
            mount.end().expect(0);
        }
        assertEquals("new", Files.readString(place.resolve("new")));
        assertEquals(List.of(), unmount(place));
    }
}
