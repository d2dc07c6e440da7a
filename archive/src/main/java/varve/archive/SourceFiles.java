package varve.archive;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Chain;
import varve.archive.file.ProvedFile;
import varve.archive.file.StoredArchive;

/// The data files of a chain that a new archive is made of, each opened when it is first needed.
///
/// Safe for use by several threads. Close it.
final class SourceFiles implements Closeable {

    /// files that are kept open
    private static final int MOST_OPEN = 64;

    private final Chain chain;
    private final List<@Nullable ProvedFile> files = new ArrayList<>();

    SourceFiles(Chain chain) {
        this.chain = chain;
        for (int layer = 0; layer < chain.length(); layer++) {
            files.add(null);
        }
    }

    /// {@return the data file of a layer}
    /// @throws BrokenChainException if it is not at hand
    synchronized ProvedFile of(int layer) throws IOException {
        ProvedFile file = files.get(layer);
        if (file == null) {
            StoredArchive archive = chain.archive(layer);
            if (!archive.dataAtHand()) {
                throw new BrokenChainException(archive.data() + ": needed, but not at hand; bring it back to this folder");
            }
            file = ProvedFile.open(archive, chain.length() <= MOST_OPEN);
            files.set(layer, file);
        }
        return file;
    }

    @Override
    public void close() throws IOException {
        for (ProvedFile file : files) {
            if (file != null) {
                file.close();
            }
        }
    }
}
