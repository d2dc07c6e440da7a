package varve.archive.vault;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import varve.archive.block.RefusedException;
import varve.archive.file.Folder;

/// The inventories that are known in one place: of each vault the newest that was seen there.
///
/// Merging takes of each vault the one with the higher generation; so it does not matter in which order, or how often, what
/// different places know is brought together. Immutable.
///
/// @param of each vault, by id
public record Inventories(Map<UUID, Inventory> of) {

    private static final Pattern NAME = Pattern.compile("([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\.jsonl");

    public Inventories {
        of = Map.copyOf(of);
    }

    public static Inventories of(Collection<Inventory> inventories) {
        Map<UUID, Inventory> map = new HashMap<>();
        inventories.forEach(inventory -> map.put(inventory.vault(), inventory));
        return new Inventories(map);
    }

    /// Reads those that lie in a vault. What is damaged or foreign is told and left out: it comes back with the next exchange.
    static Inventories read(Vault vault, Consumer<String> warnings) throws IOException {
        List<Inventory> found = new ArrayList<>();
        for (Path file : files(vault.catalogue())) {
            try {
                found.add(read(file));
            } catch (IllegalArgumentException e) {
                warnings.accept(file + ": not used: " + e.getMessage());
            }
        }
        return of(found);
    }

    private static List<Path> files(Path catalogue) throws IOException {
        if (!Files.isDirectory(catalogue)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(catalogue)) {
            return files.filter(file -> NAME.matcher(file.getFileName().toString()).matches()).sorted().toList();
        }
    }

    private static Inventory read(Path file) throws IOException {
        long size = Files.size(file);
        if (size > Inventory.MAX_SIZE) {
            throw new IllegalArgumentException(size + " bytes, at most " + Inventory.MAX_SIZE);
        }
        Inventory inventory = Inventory.decode(Files.readAllBytes(file));
        Matcher name = NAME.matcher(file.getFileName().toString());
        if (!name.matches() || !inventory.vault().toString().equals(name.group(1))) {
            throw new IllegalArgumentException("it is of vault " + inventory.vault());
        }
        return inventory;
    }

    /// {@return the inventory of a vault, if one was seen}
    public Optional<Inventory> of(UUID vault) {
        return Optional.ofNullable(of.get(vault));
    }

    /// {@return what both know together}
    /// @throws RefusedException if they have two inventories of one vault and one generation that differ: then two disks go by
    /// one id, or one was set back
    public Inventories merge(Inventories other) throws RefusedException {
        Map<UUID, Inventory> merged = new HashMap<>(of);
        for (Inventory inventory : other.of.values()) {
            Inventory mine = merged.putIfAbsent(inventory.vault(), inventory);
            if (mine != null) {
                merged.put(inventory.vault(), newer(mine, inventory));
            }
        }
        return new Inventories(merged);
    }

    private static Inventory newer(Inventory one, Inventory other) throws RefusedException {
        if (one.generation() == other.generation() && !one.equals(other)) {
            throw new RefusedException("vault " + Vault.name(one.vault(), one.standing()) + " (" + one.vault() + "): there are two inventories of generation "
                    + one.generation() + ": is there a second disk with this id, or was it set back? Bring it, and give it to varve catalogue rebuild");
        }
        return one.generation() >= other.generation() ? one : other;
    }

    /// {@return the same without what is known of a vault}
    Inventories without(UUID vault) {
        Map<UUID, Inventory> left = new HashMap<>(of);
        left.remove(vault);
        return new Inventories(left);
    }

    /// {@return the same with a newer inventory of a vault}
    Inventories with(Inventory inventory) {
        Map<UUID, Inventory> map = new HashMap<>(of);
        map.put(inventory.vault(), inventory);
        return new Inventories(map);
    }

    /// {@return what holds of a vault, of all that is said of it anywhere}
    public Standing standing(UUID vault) {
        Stream<Standing> own = of(vault).map(Inventory::standing).stream();
        Stream<Standing> said = of.values().stream()
                .flatMap(inventory -> inventory.others().stream())
                .filter(other -> other.vault().equals(vault))
                .map(Inventory.Other::standing);
        return Stream.concat(own, said).reduce(Standing.NEW, Standing::newer);
    }

    /// {@return the vaults that anything is known of, by id}
    public List<UUID> vaults() {
        Stream<UUID> said = of.values().stream().flatMap(inventory -> inventory.others().stream()).map(Inventory.Other::vault);
        return Stream.concat(of.keySet().stream(), said).distinct().sorted(Comparator.comparing(UUID::toString)).toList();
    }

    /// Writes them to a vault: those that are not there as they are.
    void write(Vault vault) throws IOException {
        Folder.create(vault.catalogue());
        for (Inventory inventory : of.values()) {
            Path file = vault.catalogue().resolve(inventory.vault() + ".jsonl");
            byte[] text = inventory.encode();
            if (!Files.exists(file) || !Arrays.equals(Files.readAllBytes(file), text)) {
                Folder.replace(file, text);
            }
        }
    }
}
