package varve.mounthelper.overlay;

import java.lang.foreign.MemorySegment;
import varve.archive.block.Run;
import varve.archive.format.State;
import varve.archive.hash.SubtreeHasher;
import varve.mounthelper.image.Composed;
import varve.mounthelper.image.Origin;

/// An image in an array, of which every page of zeros is known to be zero.
record ArrayImage(byte[] bytes) implements Composed {

    private static final int PAGE = 4096;

    State state() {
        return new State(new SubtreeHasher().whole(MemorySegment.ofArray(bytes)), bytes.length);
    }

    @Override
    public long size() {
        return bytes.length;
    }

    @Override
    public String name() {
        return "tools@2026-11-20T02:00:00.000Z";
    }

    @Override
    public void read(long offset, MemorySegment into) {
        into.copyFrom(MemorySegment.ofArray(bytes).asSlice(offset, into.byteSize()));
    }

    @Override
    public Run runAt(long offset, long most) {
        boolean zero = zero(offset);
        long end = offset + most;
        for (long at = offset; ; at = (at / PAGE + 1) * PAGE) {
            if (at >= end || zero(at) != zero) {
                return new Run(Math.min(end, at) - offset, zero);
            }
        }
    }

    private boolean zero(long offset) {
        int from = (int) (offset / PAGE * PAGE);
        for (int at = from; at < Math.min(bytes.length, from + PAGE); at++) {
            if (bytes[at] != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public Origin originAt(long offset, long most) {
        Run run = runAt(offset, most);
        return new Origin(run.size(), run.zero(), 1);
    }

    @Override
    public void expect(long offset, long size) {}

    @Override
    public void close() {}
}
