package varve.archive.vault;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import varve.archive.block.DeviceException;
import varve.archive.file.Folder;
import varve.archive.format.CorruptException;
import varve.archive.hash.Hash;
import varve.archive.linux.Linux;
import varve.archive.sign.UntrustedException;
import varve.archive.sign.WrongPasswordException;

/// The receipts of one volume in one vault: a file to which a line is added for each thing that was done (FORMAT.md section 13).
///
/// Each line names the hash of the line before it, and the *head*, a small file beside, that of the newest. So a line that was
/// removed, altered or moved shows, also the last one. What does not show is a file that was written anew from some line on,
/// head included, unless the volume is signed: then the signed [Head] names the newest receipt.
///
/// A line is written and brought to the medium, then the head. A process that dies in between leaves a part of a line,
/// which was never acknowledged and is cut off by the next writer, or a line ahead of the head. Writers exclude each other by
/// a kernel lock of their own; readers need none.
public final class Receipts {

    public static final String FILE = "receipts.jsonl";

    /// what the names of the other files of receipts begin with
    public static final String HIDDEN = ".varve-receipts.";

    static final String LOCK = HIDDEN + "lock";

    private static final int WAITS = 300;
    private static final long WAIT_MILLIS = 100;

    private final Volume volume;
    private final Path folder;
    private final Path file;

    /// What is in the file.
    ///
    /// @param receipts those that can be read, the oldest first
    /// @param problems lines that are damaged, missing or not as they were written; the messages name file and line
    /// @param torn bytes of a line at the end that was never completed, which is no problem
    /// @param hashes of the lines, by the numbers of their receipts
    public record Log(List<Receipt> receipts, List<IOException> problems, long torn, Map<Long, Hash> hashes) {

        /// What is known of none.
        public static final Log EMPTY = new Log(List.of(), List.of(), 0, Map.of());

        /// {@return whether a receipt of that number has that hash, and so is what it was; 0 is before the first}
        boolean has(long sequence, Optional<Hash> hash) {
            return sequence == 0 || hash.equals(Optional.ofNullable(hashes.get(sequence)));
        }
    }

    /// @param volume that the receipts are of
    public Receipts(Volume volume) {
        this.volume = volume;
        this.folder = volume.folder();
        this.file = folder.resolve(FILE);
    }

    /// Reads all of them. A volume that has none gives an empty log.
    public Log read() throws IOException {
        ReceiptChain chain = chain();
        return new Log(List.copyOf(chain.receipts()), List.copyOf(chain.problems()), chain.torn(), Map.copyOf(chain.hashes()));
    }

    private ReceiptChain chain() throws IOException {
        ReceiptHead head = null;
        IOException problem = null;
        try {
            head = ReceiptHead.read(folder).orElse(null); // before the lines, which are written before it
        } catch (CorruptException e) {
            problem = e;
        }
        ReceiptChain chain = new ReceiptChain(head);
        chain.end(lines(chain), problem);
        return chain;
    }

    /// {@return bytes behind the last end of a line}
    private long lines(ReceiptChain chain) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            byte[] complete = null;
            long size = 0;
            for (int c = in.read(); c >= 0; c = in.read()) {
                if (c == '\n') {
                    if (complete != null) {
                        chain.take(complete, false);
                    }
                    complete = line.toByteArray();
                    line.reset();
                    size = 0;
                } else {
                    size++;
                    if (line.size() < Receipt.MAX_LINE) { // one that is longer is damaged, and is so without its rest
                        line.write(c);
                    }
                }
            }
            if (complete != null) {
                chain.take(complete, size == 0);
            }
            return size;
        } catch (NoSuchFileException e) {
            return 0;
        }
    }

    /// Adds receipts of what was done: one, or several if one line cannot hold it. If that cannot be, it is told to `warnings`.
    public void add(Receipt.Act act, Consumer<String> warnings) {
        try {
            add(act);
        } catch (UntrustedException | WrongPasswordException e) {
            warnings.accept(volume.name() + ": the receipt of this is not signed: " + e.getMessage());
        } catch (IOException e) {
            warnings.accept(file + ": no receipt of this can be kept: " + e.getMessage());
        }
    }

    /// Adds receipts of what was done: one, or several if one line cannot hold it.
    ///
    /// @throws LockedException if another process is at it all the time
    public void add(Receipt.Act act) throws IOException {
        int lock = lock();
        try {
            Optional<ReceiptHead> before = newest();
            for (Receipt.Act part : parts(act)) {
                addOne(part);
            }
            renew(before, Set.of(), false);
        } finally {
            Linux.close(lock);
        }
    }

    /// Signs that something is about to change, or has changed, if the volume is signed and there is a key.
    ///
    /// @param removed manifests that are about to go
    /// @param settings whether the settings were changed on purpose
    public void sign(Set<String> removed, boolean settings) throws IOException {
        int lock = lock();
        try {
            renew(newest(), removed, settings);
        } finally {
            Linux.close(lock);
        }
    }

    /// Signs what is there.
    interface Signing {
        void sign(Optional<ReceiptHead> newest) throws IOException;
    }

    void signAnew(Signing signing) throws IOException {
        int lock = lock();
        try {
            signing.sign(newest());
        } finally {
            Linux.close(lock);
        }
    }

    /// @param before the newest receipt before one was added
    private void renew(Optional<ReceiptHead> before, Set<String> removed, boolean settings) throws IOException {
        if (!volume.signing().signs()) {
            return; // nothing to sign with: no need to read what is signed
        }
        Signatures signatures = Signatures.of(volume);
        if (!signatures.signed()) {
            return;
        }
        Optional<Head> head = signatures.head();
        boolean follows = head.isEmpty()
                || before.map(it -> it.sequence() == head.get().receipts() && Optional.of(it.hash()).equals(head.get().receipt())).orElse(head.get().receipts() == 0)
                || read().has(head.get().receipts(), head.get().receipt());
        signatures.renew(removed, settings, follows ? newest() : Optional.empty(), Instant.now());
    }

    private Optional<ReceiptHead> newest() throws IOException {
        try {
            return ReceiptHead.read(folder);
        } catch (CorruptException e) {
            return Optional.empty();
        }
    }

    private static List<Receipt.Act> parts(Receipt.Act act) {
        int largest = new Receipt(Long.MAX_VALUE, Optional.of(Hash.parse("0".repeat(64))), Optional.of("?".repeat(1000)), act).encode().length;
        int archives = act.archives().size();
        if (largest < Receipt.MAX_LINE || archives < 2) {
            return List.of(act);
        }
        List<Receipt.Act> parts = new ArrayList<>(parts(act.with(act.archives().subList(0, archives / 2))));
        parts.addAll(parts(act.with(act.archives().subList(archives / 2, archives))));
        return parts;
    }

    private int lock() throws IOException {
        int fd = Linux.open(folder.resolve(LOCK), Linux.O_RDWR | Linux.O_CREAT);
        try {
            for (int waits = 0; !Linux.flock(fd, true, false); waits++) {
                if (waits == WAITS) {
                    throw new LockedException(folder.resolve(LOCK) + ": locked by another process");
                }
                Thread.sleep(WAIT_MILLIS);
            }
            return fd;
        } catch (InterruptedException e) {
            Linux.close(fd);
            Thread.currentThread().interrupt();
            throw new LockedException(folder.resolve(LOCK) + ": interrupted while it was locked by another process");
        } catch (Throwable e) {
            Linux.close(fd);
            throw e;
        }
    }

    private void addOne(Receipt.Act act) throws IOException {
        boolean isNew = !Files.exists(file);
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            Receipt receipt = next(act, channel);
            byte[] line = receipt.encode();
            byte[] whole = Arrays.copyOf(line, line.length + 1);
            whole[line.length] = '\n';
            write(channel, whole);
            if (isNew) {
                Folder.sync(folder);
            }
            new ReceiptHead(receipt.sequence(), ReceiptChain.hash(line)).write(folder);
        }
    }

    /// {@return the receipt that follows what is there, behind which the channel then ends}
    private Receipt next(Receipt.Act act, FileChannel channel) throws IOException {
        Tail tail = tail(channel);
        Optional<ReceiptHead> head;
        try {
            head = ReceiptHead.read(folder);
        } catch (CorruptException e) {
            head = Optional.empty();
        }
        if (head.isPresent() && tail.torn == 0 && head.get().hash().equals(tail.hash.orElse(null))) {
            return new Receipt(head.get().sequence() + 1, tail.hash, Optional.empty(), act);
        }
        ReceiptChain chain = chain();
        channel.truncate(channel.size() - chain.torn());
        List<String> notes = new ArrayList<>();
        chain.problems().stream().limit(3).forEach(problem -> notes.add(problem.getMessage()));
        if (chain.torn() > 0) {
            notes.add("cut off " + chain.torn() + " bytes of a receipt that was never completed");
        }
        return new Receipt(
                chain.next(), chain.previous(), notes.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", notes)), act);
    }

    /// The end of the file.
    ///
    /// @param hash of the last line, if it is a line of a length that receipts have
    /// @param torn bytes behind it
    private record Tail(Optional<Hash> hash, long torn) {}

    private static Tail tail(FileChannel channel) throws IOException {
        long size = channel.size();
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(size, Receipt.MAX_LINE + 1));
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, size - bytes.capacity() + bytes.position()) < 0) {
                break;
            }
        }
        byte[] end = bytes.array();
        int last = lastBreak(end, end.length);
        if (last < 0) {
            return new Tail(Optional.empty(), size);
        }
        int before = lastBreak(end, last);
        boolean whole = before >= 0 || end.length == size;
        Optional<Hash> hash = whole ? Optional.of(ReceiptChain.hash(Arrays.copyOfRange(end, before + 1, last))) : Optional.empty();
        return new Tail(hash, end.length - 1 - last);
    }

    private static int lastBreak(byte[] text, int end) {
        int at = end - 1;
        while (at >= 0 && text[at] != '\n') {
            at--;
        }
        return at;
    }

    private void write(FileChannel channel, byte[] line) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(line);
        long end = channel.size();
        try {
            while (rest.hasRemaining()) {
                channel.write(rest, end + rest.position());
            }
            channel.force(true);
        } catch (IOException e) {
            throw new DeviceException(file + ": cannot write at " + (end + rest.position()) + ": " + e.getMessage(), e);
        }
    }
}
