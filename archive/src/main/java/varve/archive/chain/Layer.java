package varve.archive.chain;

import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.file.DataCopies;
import varve.archive.file.Index;
import varve.archive.file.Reading;
import varve.archive.file.StoredArchive;

/// One archive of an opened chain: its tables at once, its data file when it is first needed.
final class Layer implements Closeable {

    private final StoredArchive archive;
    private final Index index;
    private final boolean borrowed;
    private final boolean keepOpen;
    private final Reading reading;
    private volatile @Nullable DataCopies data;

    /// @param opened its tables, if somebody else has opened them and will close them
    /// @param keepOpen whether the data file stays open between reads
    Layer(StoredArchive archive, Optional<Index> opened, boolean keepOpen, Reading reading) throws IOException {
        this.archive = archive;
        this.keepOpen = keepOpen;
        this.reading = reading;
        this.borrowed = opened.isPresent();
        this.index = borrowed ? opened.get() : archive.openIndex();
    }

    StoredArchive archive() {
        return archive;
    }

    Index index() {
        return index;
    }

    /// {@return the data file, in all its copies}
    /// @throws BrokenChainException if it is not at hand
    DataCopies data() throws IOException {
        DataCopies file = data;
        if (file != null) {
            return file;
        }
        synchronized (this) {
            if (data == null) {
                if (!archive.dataAtHand()) {
                    throw new BrokenChainException(archive.data() + ": needed, but not at hand; bring it back to this folder");
                }
                data = archive.openCopies(keepOpen, reading);
            }
            return data;
        }
    }

    /// {@return whether the first copy of the data file is so wrong that others are read before it}
    boolean passesOverFirst() {
        DataCopies file = data;
        return file != null && !file.first().equals(archive.data());
    }

    @Override
    public void close() throws IOException {
        try (DataCopies file = data) {
            if (!borrowed) {
                index.close();
            }
        }
    }
}
