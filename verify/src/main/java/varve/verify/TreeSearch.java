package varve.verify;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.format.CorruptException;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.hash.Hash;
import varve.archive.hash.TreeMerge;

/// Finds the file tree of an archive among what several damaged things say of it: trees in several places, and the data files
/// themselves.
///
/// The right values are those that combine to the hash of the file, so nothing has to be believed. Where all agree there is nothing to
/// choose; where they do not, each part of the tree has as many possible values as there are ways to choose within it. Up to 2^16
/// ways are tried: first with the values that most agree on, then with all.
final class TreeSearch {

    private static final int MOST_WAYS = 1 << 16;

    private final Manifest.Digest file;
    private final List<GroupValues> witnesses;
    private boolean majority;

    /// A value that a part of the tree may have.
    private record Way(Hash value, @Nullable Pick picks) {}

    /// What was chosen to get there: a group's value, or what was chosen in two parts.
    private record Pick(long group, @Nullable Hash value, @Nullable Pick left, @Nullable Pick right) {}

    private TreeSearch(Manifest.Digest file, List<GroupValues> witnesses) {
        this.file = file;
        this.witnesses = witnesses;
    }

    /// @param arena that the tree will live in
    static Optional<FileTree> find(Manifest manifest, List<GroupValues> witnesses, Arena arena) {
        return new TreeSearch(manifest.file(), witnesses).find(arena);
    }

    private Optional<FileTree> find(Arena arena) {
        long groups = FileTree.groups(file.size());
        if (groups == 1) {
            return encode(new Pick(0, file.hash(), null, null), arena);
        }
        for (boolean first : new boolean[] {true, false}) {
            majority = first;
            long split = Long.highestOneBit(groups - 1);
            List<Way> left = ways(0, split);
            List<Way> right = left.isEmpty() ? List.of() : ways(split, groups);
            if ((long) left.size() * right.size() <= MOST_WAYS) {
                for (Way l : left) {
                    for (Way r : right) {
                        if (merge(0, split, groups, l, r).root().equals(file.hash())) {
                            return encode(join(l.picks, r.picks), arena);
                        }
                    }
                }
            }
        }
        return Optional.empty();
    }

    /// {@return what the groups of a part may combine to; nothing if that is nothing, or too much}
    private List<Way> ways(long from, long to) {
        if (to - from == 1) {
            List<Hash> values = values(from);
            return values.size() == 1
                    ? List.of(new Way(values.getFirst(), null))
                    : values.stream().map(value -> new Way(value, new Pick(from, value, null, null))).toList();
        }
        long split = from + Long.highestOneBit(to - from - 1);
        List<Way> left = ways(from, split);
        List<Way> right = left.isEmpty() ? List.of() : ways(split, to);
        List<Way> ways = new ArrayList<>();
        if ((long) left.size() * right.size() <= MOST_WAYS) {
            for (Way l : left) {
                for (Way r : right) {
                    ways.add(new Way(merge(from, split, to, l, r).value(), join(l.picks, r.picks)));
                }
            }
        }
        return ways;
    }

    private TreeMerge merge(long from, long split, long to, Way left, Way right) {
        TreeMerge merge = new TreeMerge();
        merge.add(left.value, size(from, split));
        merge.add(right.value, size(split, to));
        return merge;
    }

    private long size(long from, long to) {
        return Math.min(file.size(), to << FileTree.GROUP_LOG) - (from << FileTree.GROUP_LOG);
    }

    private static @Nullable Pick join(@Nullable Pick left, @Nullable Pick right) {
        return left == null ? right : right == null ? left : new Pick(-1, null, left, right);
    }

    private List<Hash> values(long group) {
        Map<Hash, Integer> votes = new LinkedHashMap<>();
        for (GroupValues witness : witnesses) {
            Hash value = witness.at(group);
            if (value != null) {
                votes.merge(value, 1, Integer::sum);
            }
        }
        int most = votes.values().stream().max(Integer::compare).orElse(0);
        return votes.keySet().stream().filter(value -> !majority || votes.get(value) == most).toList();
    }

    private Optional<FileTree> encode(@Nullable Pick picks, Arena arena) {
        long groups = FileTree.groups(file.size());
        MemorySegment bytes = arena.allocate(FileTree.HEAD_SIZE + groups * Hash.SIZE, 8);
        FileTree.encodeHead(bytes, file.size());
        for (long group = 0; group < groups; group++) {
            List<Hash> values = values(group);
            if (!values.isEmpty()) {
                values.getFirst().write(bytes, FileTree.HEAD_SIZE + group * Hash.SIZE);
            }
        }
        put(picks, bytes);
        try {
            return Optional.of(FileTree.decode(bytes, file, "tree"));
        } catch (CorruptException e) {
            throw new IllegalStateException(e); // its values were just combined
        }
    }

    private static void put(@Nullable Pick pick, MemorySegment bytes) {
        if (pick == null) {
            return;
        }
        if (pick.value != null) {
            pick.value.write(bytes, FileTree.HEAD_SIZE + pick.group * Hash.SIZE);
        }
        put(pick.left, bytes);
        put(pick.right, bytes);
    }
}
