package varve.archive.snapshot;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// What `lvs` says of logical volumes, and the commands that change them.
final class Lvm {

    private static final String SEPARATOR = "|"; // in no name, tag or number
    private static final String FIELDS = "vg_name,lv_name,origin,pool_lv,thin_id,lv_layout,lv_snapshot_invalid,lv_health_status,metadata_lv,lv_tags";
    private static final String VAULT_TAG = "varve.vault=";
    private static final String VOLUME_TAG = "varve.volume=";
    private static final String ORIGIN_TAG = "varve.origin=";

    private final Program program;

    Lvm(Program program) {
        this.program = program;
    }

    /// A logical volume, as `lvs` describes it.
    ///
    /// @param origin name of the volume that it is a snapshot of, or nothing
    /// @param pool its thin pool, or nothing
    /// @param metadata of a thin pool: the volume that holds its tables
    record Row(
            String group,
            String name,
            String origin,
            String pool,
            String thinId,
            boolean sound,
            String metadata,
            List<String> tags) {

        private static Row parse(String line) throws IOException {
            String[] fields = line.strip().split("\\|", -1);
            if (fields.length != 10) {
                throw new IOException("lvs: expected 10 fields, found " + fields.length + ": " + line.strip());
            }
            boolean invalid = fields[6].contains("invalid") || fields[7].equals("failed");
            return new Row(fields[0], bare(fields[1]), bare(fields[2]), bare(fields[3]), fields[4], !invalid, bare(fields[8]),
                    fields[9].isEmpty() ? List.of() : Arrays.asList(fields[9].split(",")));
        }

        /// hidden volumes are in brackets
        private static String bare(String name) {
            return name.startsWith("[") && name.endsWith("]") ? name.substring(1, name.length() - 1) : name;
        }

        boolean thin() {
            return !thinId.isEmpty();
        }

        /// {@return for whom varve has made it, if it has}
        Optional<Owner> owner() {
            Optional<String> vault = tag(VAULT_TAG);
            Optional<String> volume = tag(VOLUME_TAG);
            if (vault.isEmpty() || volume.isEmpty()) {
                return Optional.empty();
            }
            try {
                return Optional.of(new Owner(UUID.fromString(vault.get()), volume.get()));
            } catch (IllegalArgumentException e) {
                return Optional.empty(); // a tag of another form is not ours
            }
        }

        /// {@return what it is a snapshot of, as on the command line}
        String word() {
            return tag(ORIGIN_TAG).orElse((thin() ? "lvm-thin:" : "lvm:") + group + "/" + origin);
        }

        private Optional<String> tag(String start) {
            return tags.stream().filter(tag -> tag.startsWith(start)).map(tag -> tag.substring(start.length())).findFirst();
        }

        /// {@return where it is found}
        Path device() {
            return Lvm.device(group, name);
        }
    }

    /// What one call of `lvs` says of a volume group, hidden volumes too.
    record Group(String name, List<Row> rows) {

        Row row(String volume) throws IOException {
            return rows.stream()
                    .filter(row -> row.name.equals(volume))
                    .findFirst()
                    .orElseThrow(() -> new NoSuchFileException(name + "/" + volume, null, "there is no such logical volume; see lvs " + name));
        }
    }

    private static List<String> tags(String word, Owner owner) {
        return List.of("--addtag", VAULT_TAG + owner.vault(), "--addtag", VOLUME_TAG + owner.volume(), "--addtag", ORIGIN_TAG + word);
    }

    /// {@return the node of a volume, such as the hidden ones have too}
    static Path device(String group, String name) {
        return Path.of("/dev/mapper", mapperName(group, name));
    }

    /// {@return what device-mapper calls a volume: a hyphen in a name is written as two}
    static String mapperName(String group, String name) {
        return group.replace("-", "--") + "-" + name.replace("-", "--");
    }

    /// {@return the volumes of a group, hidden ones too, or those that some words select}
    List<Row> rows(String... selection) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of("lvs", "-a", "--noheadings", "--nosuffix", "--units", "b", "--separator", SEPARATOR, "-o", FIELDS));
        command.addAll(Arrays.asList(selection));
        Map<String, Row> rows = new LinkedHashMap<>(); // a volume of several segments has a line for each
        for (String line : program.run(command.toArray(String[]::new)).lines().filter(line -> !line.isBlank()).toList()) {
            Row row = Row.parse(line);
            rows.putIfAbsent(row.group + "/" + row.name, row);
        }
        return List.copyOf(rows.values());
    }

    /// {@return all of a volume group}
    /// @throws NoSuchFileException if there is none of that name
    Group group(String name) throws IOException, InterruptedException {
        try {
            return new Group(name, rows(name));
        } catch (ProgramException e) {
            if (e.getMessage().contains("Volume group \"" + name + "\" not found")) {
                throw new NoSuchFileException(name, null, "there is no such volume group; see vgs");
            }
            throw e;
        }
    }

    Row row(String group, String name) throws IOException, InterruptedException {
        return new Group(group, rows(group + "/" + name)).row(name);
    }

    /// @param word what it is a snapshot of, as on the command line
    /// @param storeSize as in [SnapshotSettings]
    void snapshot(String group, String origin, String name, String word, Owner owner, String storeSize) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("lvcreate", "-y", "-s", "-p", "r", "-n", name));
        command.addAll(tags(word, owner));
        command.addAll(List.of(storeSize.contains("%") ? "-l" : "-L", storeSize, group + "/" + origin));
        program.run(command.toArray(String[]::new));
    }

    void thinSnapshot(String group, String origin, String name, String word, Owner owner) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("lvcreate", "-y", "-s", "-kn", "-p", "r", "-n", name));
        command.addAll(tags(word, owner));
        command.add(group + "/" + origin);
        program.run(command.toArray(String[]::new));
    }

    /// Removes a snapshot if it is one of a volume, and carries the tags of its owner: `lvremove` looks while it alone may change the group.
    ///
    /// @return whether it is gone
    boolean remove(String group, String origin, String name, Owner owner) throws IOException, InterruptedException {
        String whose = "origin=\"" + origin + "\" && lv_tags={\"" + VAULT_TAG + owner.vault() + "\" && \"" + VOLUME_TAG + owner.volume() + "\"}";
        String said = program.run("lvremove", "-f", "-y", "-S", whose, group + "/" + name);
        return said.contains(name) || rows(group).stream().noneMatch(row -> row.name.equals(name));
    }

    void tag(String group, String name, String tag) throws IOException, InterruptedException {
        program.run("lvchange", "--addtag", tag, group + "/" + name);
    }

    void untag(String group, String name, String tag) throws IOException, InterruptedException {
        program.run("lvchange", "--deltag", tag, group + "/" + name);
    }
}
