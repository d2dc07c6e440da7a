package varve.verify.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// A volume that is signed, from the first key to the next, by the commands that people type.
final class SignCommandsTest {

    @TempDir
    Path folder;

    private Path image;
    private Path trust;
    private String key = "";

    @BeforeEach
    void make() throws IOException {
        image = Files.write(folder.resolve("image"), Images.mixed(3, 300_000));
        trust = folder.resolve("trust");
    }

    private Ended varve(Object... arguments) throws Exception {
        return VarveProcess.start(
                List.of("env", "VARVE_SIGN_KEY=" + key, "VARVE_TRUST=" + trust, "VARVE_VAULT=" + folder.resolve("vault")), VarveProcess.QUICK, arguments)
                .end();
    }

    private Path folder() {
        return folder.resolve("vault/tools");
    }

    private String id(String name) throws IOException {
        return Files.readAllLines(folder.resolve(name + ".pub")).getFirst().replaceFirst(".* ", "");
    }

    @Test
    void aVolumeIsSignedAndItsKeyChanged() throws Exception {
        varve("archive", image, "--volume", "tools").expect(0);
        for (String name : List.of("old", "new")) {
            varve("key", "generate", "--no-password", folder.resolve(name)).expect(0);
            varve("key", "generate", "--no-password", folder.resolve(name)).expect(9);
        }

        // signed afterwards
        key = folder.resolve("old").toString();
        Files.write(image, Images.mixed(4, 300_000));
        assertTrue(varve("archive", image, "--volume", "tools").expect(9).error().contains("varve sign tools"));
        varve("sign", "tools").expect(0);
        varve("archive", image, "--volume", "tools").expect(0);
        varve("trust", "add", "tools", folder.resolve("old.pub")).expect(0);
        Ended proved = varve("verify", "tools").expect(0);
        assertTrue((proved.out() + proved.err()).contains("signed by key " + id("old") + ", which this host believes"), proved::toString);
        outsiderAgrees("old");

        // another key
        key = folder.resolve("new").toString();
        assertTrue(varve("archive", image, "--volume", "tools").expect(9).error().contains(id("new")));
        varve("trust", "add", "tools", folder.resolve("new.pub")).expect(0);
        varve("sign", "tools").expect(0);
        varve("trust", "remove", "tools", id("old")).expect(0);
        varve("verify", "tools").expect(0);
        varve("archive", image, "--volume", "tools").expect(0);
        outsiderAgrees("new");
        varve("trust", "remove", "tools", id("new")).expect(0);
        varve("trust", "add", "*", folder.resolve("old.pub")).expect(0);
        Ended foreign = varve("verify", "tools").expect(3);
        assertTrue((foreign.out() + foreign.err()).contains("signed by key " + id("new") + ", expected key " + id("old")), foreign::toString);
    }

    /// minisign verifies every signature
    private void outsiderAgrees(String name) throws IOException {
        try (var files = Files.list(folder())) {
            List<Path> signatures = files.filter(file -> file.toString().endsWith(".minisig")).toList();
            assertTrue(signatures.size() >= 3, signatures::toString);
            for (Path signature : signatures) {
                Path file = Path.of(signature.toString().replaceFirst("\\.minisig$", ""));
                Optional<Tools.Output> output = Tools.run("minisign", "-V", "-p", folder.resolve(name + ".pub"), "-m", file);
                if (output.isPresent()) { // counted as skipped by MinisignTest
                    output.get().expectSuccess();
                }
            }
        }
    }

    @Test
    void theSheetForTheSafeVerifiesWithoutVarve() throws Exception {
        varve("key", "generate", "--no-password", folder.resolve("key")).expect(0);
        key = folder.resolve("key").toString();
        varve("archive", image, "--volume", "tools").expect(0);
        String sheet = varve("key", "print", folder.resolve("key.pub")).expect(0).out();
        assertTrue(sheet.contains(id("key")) && !sheet.contains("SECRET KEY"), sheet);
        String commands = sheet.lines().filter(line -> line.startsWith("    minisign") || line.startsWith("    sed")).reduce("set -e\n", (a, b) -> a + b + "\n");
        Optional<Tools.Output> minisign = Tools.run("minisign", "-v");
        if (minisign.isPresent() && Tools.find("b3sum").isPresent()) {
            String said = Tools.run("sh", "-c", "cd '" + folder() + "' && " + commands).orElseThrow().expectSuccess().text();
            assertTrue(said.contains("Signature and comment signature verified") && said.contains(".full.json: OK"), said);
        }
        String secret = varve("key", "print", key).expect(0).out();
        String line = Files.readAllLines(folder.resolve("key")).getLast();
        assertTrue(secret.contains(line), secret);
    }

    @Test
    void aJobWithAPasswordReadsItFromAFile() throws Exception {
        Path password = Files.writeString(folder.resolve("password"), "a long one\n");
        List<String> with = List.of("env", "VARVE_SIGN_PASSWORD_FILE=" + password, "VARVE_SIGN_KEY=" + folder.resolve("key"),
                "VARVE_TRUST=" + trust, "VARVE_VAULT=" + folder.resolve("vault"));
        VarveProcess.start(with, VarveProcess.QUICK, "key", "generate", folder.resolve("key")).end().expect(0);
        VarveProcess.start(with, VarveProcess.QUICK, "archive", image, "--volume", "tools").end().expect(0);
        Files.writeString(password, "another\n");
        Ended refused = VarveProcess.start(with, VarveProcess.QUICK, "archive", image, "--volume", "tools").end();
        assertEquals(9, refused.code(), refused::toString);
        assertTrue(refused.error().contains("wrong password"), refused::toString);
    }
}
