package varve.archive.chain;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import varve.archive.format.CorruptException;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// The nodes of a chain as they were when it was opened and proved, for as long as it is open.
///
/// A chain's tables are mapped, so whatever becomes of their files later is read without a question: another process writes
/// to them, or pages are read again from a medium that has gone bad in the meantime. A changed hash would show when a
/// chunk is compared with it; a node that has become zero, or is not found any more, would not. So what was found is remembered:
/// not the nodes, which may be many, but a fingerprint of each 64 chunks of them. Nodes are taken from the tables a group
/// at a time, compared, and kept for a while, which also spares searching every archive for every chunk.
///
/// Safe for use by several threads. Memory: half a MiB for each TiB of chunks of 512 KiB, and 3 MiB.
public final class ProvedNodes {

    private static final int GROUP_LOG = 6; // of chunks
    private static final int MOST_GROUPS = 512; // that are kept
    private static final int ROW = 8 + 8 + 8 + 8 + Hash.SIZE;

    private final Chain chain;
    private final long[] fingerprints; // two words for each group
    private final Map<Long, List<Chain.Found>> groups = new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, List<Chain.Found>> eldest) {
            return size() > MOST_GROUPS;
        }
    };

    /// Looks at all nodes of a chain that has just been opened.
    public ProvedNodes(Chain chain) throws IOException {
        this.chain = chain;
        this.fingerprints = new long[Math.toIntExact(2 * group(chain.geometry().chunks() + (1 << GROUP_LOG) - 1))];
        SubtreeHasher hasher = new SubtreeHasher();
        List<Chain.Found> here = new ArrayList<>();
        chain.forEachNode(found -> {
            here.add(found);
            long first = group(found.node().chunk());
            for (long group = first; chunk(group + 1) <= found.node().end(); group++) {
                keep(group, here, hasher);
                here.clear();
                here.add(found); // which may reach into the next
            }
            if (found.node().end() == chunk(group(found.node().end()))) {
                here.clear();
            }
        });
        if (!here.isEmpty()) {
            keep(group(chain.geometry().chunks() - 1), here, hasher);
        }
    }

    private static long group(long chunk) {
        return chunk >>> GROUP_LOG;
    }

    private static long chunk(long group) {
        return group << GROUP_LOG;
    }

    private void keep(long group, List<Chain.Found> nodes, SubtreeHasher hasher) {
        Hash fingerprint = fingerprint(nodes, hasher);
        fingerprints[(int) (2 * group)] = fingerprint.w0();
        fingerprints[(int) (2 * group + 1)] = fingerprint.w1();
    }

    /// {@return the node that holds a chunk}
    /// @param chunk inside of the device
    /// @throws CorruptException if the tables do not say any more what they said when the chain was opened
    public Chain.Found find(long chunk) throws CorruptException {
        for (Chain.Found found : nodes(group(chunk))) {
            if (chunk < found.node().end()) {
                return found;
            }
        }
        throw changed(chunk);
    }

    private List<Chain.Found> nodes(long group) throws CorruptException {
        synchronized (groups) {
            List<Chain.Found> nodes = groups.get(group);
            if (nodes != null) {
                return nodes;
            }
        }
        List<Chain.Found> nodes = read(group);
        synchronized (groups) {
            groups.put(group, nodes);
        }
        return nodes;
    }

    private List<Chain.Found> read(long group) throws CorruptException {
        List<Chain.Found> nodes = new ArrayList<>();
        long end = Math.min(chunk(group + 1), chain.geometry().chunks());
        try {
            for (long chunk = chunk(group); chunk < end; ) {
                Chain.Found found = chain.find(chunk);
                nodes.add(found);
                chunk = Math.max(chunk + 1, found.node().end());
            }
        } catch (CorruptException | IndexOutOfBoundsException | InternalError e) { // the last: a page that cannot be read
            throw changed(chunk(group));
        }
        Hash fingerprint = fingerprint(nodes, new SubtreeHasher());
        if (fingerprints[(int) (2 * group)] != fingerprint.w0() || fingerprints[(int) (2 * group + 1)] != fingerprint.w1()) {
            throw changed(chunk(group));
        }
        return List.copyOf(nodes);
    }

    private CorruptException changed(long chunk) {
        return new CorruptException(Rule.F039, chain.name(), "the tables of one of the archives that lead to it have changed since they were opened, at chunk " + chunk);
    }

    private static Hash fingerprint(List<Chain.Found> nodes, SubtreeHasher hasher) {
        MemorySegment rows = MemorySegment.ofArray(new long[nodes.size() * ROW / Long.BYTES]);
        for (int i = 0; i < nodes.size(); i++) {
            Chain.Found found = nodes.get(i);
            Node node = found.node();
            long at = (long) i * ROW;
            rows.set(ValueLayout.JAVA_LONG, at, node.chunk());
            rows.set(ValueLayout.JAVA_LONG, at + 8, node.zero() ? -node.count() : node.count());
            rows.set(ValueLayout.JAVA_LONG, at + 16, found.layer());
            rows.set(ValueLayout.JAVA_LONG, at + 24, found.row());
            node.hash().write(rows, at + 32);
        }
        return hasher.whole(rows);
    }
}
