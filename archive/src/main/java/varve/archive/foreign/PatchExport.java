package varve.archive.foreign;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.function.LongConsumer;
import varve.archive.block.BlockSource;
import varve.archive.block.Geometry;
import varve.archive.block.RefusedException;
import varve.archive.block.Zeros;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.chain.Difference;

/// What differs between two points in time, written as a patch of another tool.
///
/// @param from the state that it is to be applied to
/// @param to the state that it leads to
/// @param progress gets bytes as they are written
public record PatchExport(Chain from, ChainImage to, LongConsumer progress) {

    private static final int LVMSYNC_RECORD = 64 << 10;
    private static final int SECTOR = 512;

    /// Writes a patch of bdsync.
    ///
    /// @param name of the device, for people
    /// @param digest of a checksum, such as sha256, if there is to be one: the device is read for it from end to end
    public void bdsync(String name, Optional<String> digest, OutputStream stream) throws IOException {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        if (text.length > Bdsync.MAX_NAME) {
            throw new RefusedException("a name of " + text.length + " bytes: bdsync takes " + Bdsync.MAX_NAME);
        }
        if (digest.isPresent() && to.size() % Geometry.BLOCK_SIZE != 0) {
            throw new RefusedException("a checksum of bdsync is over whole blocks, and a device of " + to.size() + " bytes has a part of one: export it without");
        }
        try (Output out = new Output(stream)) {
            out.ascii(Bdsync.MAGIC).u64(to.size(), ByteOrder.LITTLE_ENDIAN).u16(text.length).bytes(text).flush();
            ranges((offset, end) -> out.pieces(to, offset, end, Bdsync.MAX_LENGTH, (at, bytes) -> {
                out.u64(at, ByteOrder.LITTLE_ENDIAN).u16((int) bytes.byteSize()).flush(bytes);
                progress.accept(bytes.byteSize());
            }));
            out.u64(0, ByteOrder.LITTLE_ENDIAN).u16(0);
            if (digest.isEmpty()) {
                out.u8(0).flush();
                return;
            }
            byte[] word = digest.get().getBytes(StandardCharsets.US_ASCII);
            byte[] value = digest(out, digest.get());
            out.u8(word.length).bytes(word).u8(value.length).bytes(value).flush();
        }
    }

    private byte[] digest(Output out, String name) throws IOException {
        MessageDigest digest = new Checksum(name, new byte[0]).digest()
                .orElseThrow(() -> new RefusedException(name + ": no digest that is known here; expected md5, sha1, sha256 or sha512"));
        out.pieces(to, 0, to.size(), Output.UNIT, (at, bytes) -> digest.update(bytes.asByteBuffer()));
        return digest.digest();
    }

    /// Writes a dump of lvmsync.
    public void lvmsync(OutputStream stream) throws IOException {
        if (from.geometry().size() != to.size()) {
            throw new RefusedException("lvmsync cannot change the size of a device, which was " + from.geometry().size() + " bytes and is " + to.size());
        }
        if (to.size() % SECTOR != 0) {
            throw new RefusedException("lvmsync is for devices of whole sectors, this one has " + to.size() + " bytes");
        }
        try (Output out = new Output(stream)) {
            out.ascii(Lvmsync.LINE).flush();
            ranges((offset, end) -> out.pieces(to, offset, end, LVMSYNC_RECORD, (at, bytes) -> {
                out.u64(at, ByteOrder.BIG_ENDIAN).u32((int) bytes.byteSize(), ByteOrder.BIG_ENDIAN).flush(bytes);
                progress.accept(bytes.byteSize());
            }));
        }
    }

    /// Writes a diff of RBD, version 1.
    ///
    /// @param before name of the snapshot that it starts from
    /// @param after name of the snapshot that it leads to
    public void rbdDiff(String before, String after, OutputStream stream) throws IOException {
        try (Output out = new Output(stream)) {
            out.ascii(RbdDiff.LINE);
            name(out, 'f', before);
            name(out, 't', after);
            out.u8('s').u64(to.size(), ByteOrder.LITTLE_ENDIAN).flush();
            ranges((offset, end) -> extents(out, to, offset, end, false, progress));
            out.u8('e').flush();
        }
    }

    private static void name(Output out, char letter, String name) throws RefusedException {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        if (text.length == 0 || text.length > RbdDiff.MAX_NAME) {
            throw new RefusedException("a snapshot's name of " + text.length + " bytes: expected 1 to " + RbdDiff.MAX_NAME);
        }
        out.u8(letter).u32(text.length, ByteOrder.LITTLE_ENDIAN).bytes(text);
    }

    /// Writes the records of a range: data, and zeros where whole blocks are zero.
    ///
    /// @param sized whether as version 2
    static void extents(Output out, BlockSource image, long offset, long end, boolean sized, LongConsumer progress) throws IOException {
        out.pieces(image, offset, end, Output.UNIT, (at, bytes) -> {
            for (long done = 0; done < bytes.byteSize(); ) {
                boolean zero = zero(bytes, done);
                long stop = done;
                while (stop < bytes.byteSize() && zero(bytes, stop) == zero) {
                    stop = Math.min(bytes.byteSize(), stop + Geometry.BLOCK_SIZE);
                }
                out.u8(zero ? 'z' : 'w');
                if (sized) {
                    out.u64(16 + (zero ? 0 : stop - done), ByteOrder.LITTLE_ENDIAN);
                }
                out.u64(at + done, ByteOrder.LITTLE_ENDIAN).u64(stop - done, ByteOrder.LITTLE_ENDIAN).flush();
                if (!zero) {
                    out.flush(bytes.asSlice(done, stop - done));
                }
                done = stop;
            }
            progress.accept(bytes.byteSize());
        });
    }

    private static boolean zero(MemorySegment bytes, long at) {
        return Zeros.only(bytes.asSlice(at, Math.min(Geometry.BLOCK_SIZE, bytes.byteSize() - at)));
    }

    private interface Ranges {
        void range(long offset, long end) throws IOException;
    }

    /// the parts of the device as it is after it that may differ from before
    private void ranges(Ranges ranges) throws IOException {
        Difference.between(from, to.chain(), (offset, size) -> {
            if (offset < to.size()) {
                ranges.range(offset, Math.min(to.size(), offset + size));
            }
        });
    }
}
