package varve.archive.snapshot;

import static varve.archive.snapshot.Machine.step;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;

/// What runs in the guest of [SnapshotsInGuestTest]: all its scenes, one after the other, since a guest, and a JVM in it, takes its time to start.
public final class Scenes {

    private final Path results;

    private Scenes(Path results) {
        this.results = results;
    }

    private interface Scene {
        void play() throws Exception;
    }

    /// @param words folder for the results, seed, nights, kills
    public static void main(String... words) {
        Scenes scenes = new Scenes(Path.of(words[0]));
        long seed = Long.parseLong(words[1]);
        int nights = Integer.parseInt(words[2]);
        int kills = Integer.parseInt(words[3]);
        step("seed " + seed);
        scenes.play("classic", () -> {
            LvmScenes classic = new LvmScenes(false, "/dev/ubda", seed);
            scenes.play("missing", classic::missing);
            scenes.play("classic nights", () -> classic.nights(nights));
            scenes.play("overflows", classic::overflows);
            scenes.play("classic kills", () -> classic.kills(kills));
            scenes.play("classic end", classic::end);
        });
        scenes.play("thin", () -> {
            LvmScenes thin = new LvmScenes(true, "/dev/ubdb", seed);
            scenes.play("thin nights", () -> thin.nights(nights));
            scenes.play("held", thin::heldBySomebodyElse);
            scenes.play("thin kills", () -> thin.kills(kills));
            scenes.play("thin end", thin::end);
        });
        scenes.play("drbd", () -> new DrbdScene("/dev/ubdc", seed).play());
        System.exit(0);
    }

    /// A scene that fails does not keep others from being played.
    private void play(String name, Scene scene) {
        try (PrintWriter result = new PrintWriter(results.resolve(name).toFile())) {
            try {
                scene.play();
                step(name + ": done");
            } catch (Exception | AssertionError e) {
                e.printStackTrace(result);
                step(name + ": FAILED");
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
