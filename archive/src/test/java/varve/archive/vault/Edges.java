package varve.archive.vault;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import varve.archive.file.StoredArchive;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.archive.hash.Hash;

/// Archives that are nothing but edges between states, for tests of what is decided from manifests alone.
public final class Edges {

    private static final UUID VOLUME = UUID.fromString("9796546c-64ab-45ab-b468-b479f3b3c20d");

    private Edges() {}

    /// {@return a state by number; 0 is nothing at all}
    public static State state(int number) {
        return number == 0 ? State.NOTHING : new State(new Hash(number, 1, 2, 3), 1 << 20);
    }

    /// @param from 0 for a full
    /// @param name what makes its data file different from all others
    public static StoredArchive edge(int from, int to, long size, int name) {
        Manifest manifest = new Manifest(
                from == 0 ? Kind.FULL : Kind.DELTA,
                "tools",
                VOLUME,
                to,
                to == 1 ? Optional.empty() : Optional.of(new Hash(to - 1, 7, 7, 7)),
                Optional.of(new Hash(to, 7, 7, 7)),
                Instant.ofEpochSecond(1_800_000_000L + to),
                Instant.ofEpochSecond(1_800_000_000L + to),
                Optional.empty(),
                "source",
                "host",
                "tool",
                16,
                state(to),
                state(from),
                1 << 20,
                1 << 20,
                new Manifest.Digest(size, new Hash(name, 9, 9, 9)),
                new Manifest.Digest(100, new Hash(name, 8, 8, 8)),
                Optional.empty());
        return new StoredArchive(Path.of("/nowhere"), manifest);
    }

    /// {@return a history at random: some fulls, deltas along it, deltas that skip, and ways back}
    public static List<StoredArchive> random(Random random, int states) {
        List<StoredArchive> archives = new ArrayList<>();
        int name = 1;
        archives.add(edge(0, 1, 50 + random.nextInt(100), name++));
        for (int to = 2; to <= states; to++) {
            archives.add(edge(to - 1, to, 1 + random.nextInt(20), name++));
            if (random.nextInt(3) == 0) {
                archives.add(edge(random.nextInt(to), to, 1 + random.nextInt(120), name++));
            }
            if (random.nextInt(4) == 0) {
                archives.add(edge(to, 1 + random.nextInt(to - 1), 1 + random.nextInt(20), name++));
            }
        }
        return archives;
    }

    /// {@return the states that some of the archives lead to, found out in the plainest way}
    public static Set<State> reached(List<StoredArchive> archives, Predicate<StoredArchive> usable) {
        Set<State> reached = new HashSet<>(Set.of(State.NOTHING));
        boolean more = true;
        while (more) {
            more = false;
            for (StoredArchive archive : archives) {
                if (usable.test(archive) && reached.contains(archive.manifest().parent())) {
                    more |= reached.add(archive.manifest().state());
                }
            }
        }
        reached.remove(State.NOTHING);
        return reached;
    }
}
