package varve.archive.vault;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.format.CorruptException;
import varve.archive.format.Rule;
import varve.archive.format.UnsupportedException;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// Follows the receipts of a file line by line: does each name the one before it, and is the newest the one that the head has?
final class ReceiptChain {

    private final @Nullable ReceiptHead head;
    private final List<Receipt> receipts = new ArrayList<>();
    private final List<IOException> problems = new ArrayList<>();
    private final Map<Long, Hash> hashes = new HashMap<>();
    private long lines;
    private long next = 1;
    private Optional<Hash> previous = Optional.empty();
    private boolean headSeen;
    private boolean headFits = true;
    private long torn;

    /// @param head null if there is none
    ReceiptChain(@Nullable ReceiptHead head) {
        this.head = head;
    }

    static Hash hash(byte[] line) {
        return new SubtreeHasher().whole(MemorySegment.ofArray(line));
    }

    /// Takes the next line, without its end.
    ///
    /// @param last whether the file ends behind it
    void take(byte[] line, boolean last) {
        String where = Receipts.FILE + ": line " + ++lines;
        Receipt receipt;
        try {
            receipt = Receipt.decode(line, where);
        } catch (UnsupportedException e) {
            problems.add(e);
            follow(next, line);
            return;
        } catch (CorruptException e) {
            if (last && unacknowledged()) {
                torn = line.length + 1;
            } else {
                problems.add(e);
                follow(next, line);
            }
            return;
        }
        if (receipt.sequence() != next) {
            broken(where, "expected receipt " + next + ", found " + receipt.sequence()
                    + (receipt.sequence() > next ? ": what was between them is missing" : ""));
        } else if (!receipt.previous().equals(previous)) {
            broken(where, "receipt " + next + " does not follow the line before it, which is not as it was written");
        }
        receipts.add(receipt);
        follow(receipt.sequence(), line);
    }

    private void follow(long sequence, byte[] line) {
        previous = Optional.of(hash(line));
        hashes.put(sequence, previous.get());
        next = sequence + 1;
        if (head != null && head.sequence() == sequence) {
            headSeen = true;
            headFits &= head.hash().equals(previous.get());
        }
    }

    /// whether the head has the line before the one at hand
    private boolean unacknowledged() {
        return head == null ? lines == 1 : headSeen && head.sequence() == next - 1;
    }

    private void broken(String where, String what) {
        problems.add(new CorruptException(Rule.F045, where, what));
    }

    /// Takes the end of the file.
    ///
    /// @param rest bytes behind the last end of a line
    /// @param headProblem what is wrong with the head, if it is there and not to be believed
    void end(long rest, @Nullable IOException headProblem) {
        torn += rest;
        if (headProblem != null) {
            problems.add(headProblem);
        } else if (head == null && lines > 1) {
            broken(ReceiptHead.FILE, "missing, so nothing tells whether receipts after " + (next - 1) + " are");
        } else if (head != null && !headSeen) {
            headFits = false;
            broken(Receipts.FILE, head.sequence() >= next
                    ? "ends with receipt " + (next - 1) + ", expected " + head.sequence() + ": what was behind it is missing"
                    : "receipt " + head.sequence() + " is missing");
        } else if (!headFits) {
            broken(Receipts.FILE, "receipt " + head.sequence() + " is not the one that was written");
        }
    }

    List<Receipt> receipts() {
        return receipts;
    }

    List<IOException> problems() {
        return problems;
    }

    /// {@return the hashes of the lines, by the numbers of their receipts}
    Map<Long, Hash> hashes() {
        return hashes;
    }

    /// {@return bytes at the end that are of a line which was never completed}
    long torn() {
        return torn;
    }

    /// {@return the number of a receipt to be added} It follows the newest that is known to have been written: the last
    /// line, unless the head knows better.
    long next() {
        return headFits || head == null ? next : Math.max(next, head.sequence() + 1);
    }

    /// {@return the hash that a receipt to be added names, likewise}
    Optional<Hash> previous() {
        return headFits || head == null ? previous : Optional.of(head.hash());
    }
}
