package varve.archive.hash;

import java.lang.foreign.MemorySegment;

/// Hashes many leaves, or many parents, side by side.
///
/// It has room for a row of chaining values. Leaves fill it from the left; parents replace pairs of values by one, in place, until one
/// is left. A kernel holds this and other scratch memory: one thread at a time.
abstract sealed class Kernel permits LaneKernel, MachineKernel {
    /// Most values that there is room for.
    static final int WIDTH = 256;

    /// Hashes whole leaves into the columns from 0 on.
    ///
    /// @param index the number of the first leaf in the device. The leaves belong to one subtree, so their numbers
    ///     differ in the low 32 bits only.
    abstract void leaves(MemorySegment data, int count, long index);

    /// As [#leaves], of zeros.
    abstract void zeros(int count, long index);

    /// Puts a value into a column.
    abstract void put(int column, Hash hash);

    /// {@return the value in a column}
    abstract Hash value(int column);

    /// Replaces values by those of their parents, level by level, until each value that is left stands for `span` of them, a power of two,
    /// or for all there are; the last one for what is left over. An odd one at the end rises as it is, which gives BLAKE3's tree: every left
    /// subtree is complete.
    ///
    /// @return how many values are left
    abstract int reduce(int count, int span);

    /// Does so until one is left.
    ///
    /// @return the value of the subtree, without the ROOT flag
    final Hash reduce(int count) {
        reduce(count, WIDTH);
        return value(0);
    }
}
