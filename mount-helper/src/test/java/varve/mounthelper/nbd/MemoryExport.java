package varve.mounthelper.nbd;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import varve.archive.block.BlockSource;
import varve.archive.vault.NotFoundException;
import varve.mounthelper.MemoryTarget;

/// A writable export in an array, the only one of its server: what an overlay will be to it.
final class MemoryExport implements Export, Exports {

    final byte[] bytes;
    final AtomicInteger flushes;
    final AtomicInteger open;
    private final MemoryTarget target;

    /// @param whenRead is run by each read, with its offset
    MemoryExport(byte[] bytes, LongConsumer whenRead) {
        this.bytes = bytes;
        this.target = new MemoryTarget(bytes, whenRead);
        this.flushes = target.flushes;
        this.open = target.open;
    }

    MemoryExport(byte[] bytes) {
        this(bytes, offset -> {});
    }

    @Override
    public List<Export> list() {
        return List.of(this);
    }

    @Override
    public Export find(String name) throws IOException {
        if (!name.equals(name())) {
            throw new NotFoundException("no export \"" + name + "\"");
        }
        return this;
    }

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public String description() {
        return "an array";
    }

    @Override
    public long size() {
        return bytes.length;
    }

    @Override
    public boolean writable() {
        return true;
    }

    @Override
    public BlockSource open() {
        return target.opened();
    }
}
