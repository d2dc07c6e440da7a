package varve.archive.foreign;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.function.LongConsumer;
import varve.archive.block.BlockSource;
import varve.archive.codec.FrameEncoder;

/// A point in time, written as an image that other tools read.
///
/// @param progress gets bytes as they are done
public record ImageExport(BlockSource image, LongConsumer progress) {

    /// a zstd frame of no content: RFC 8878 3.1.1
    private static final byte[] EMPTY_FRAME = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 0x20, 0, 1, 0, 0};

    private static final int RBD_ORDER = 22; // objects of 4 MiB
    private static final long RBD_FEATURES = 1; // layering, which every client has

    /// Writes the bytes of the device to a stream.
    public void raw(OutputStream stream) throws IOException {
        try (Output out = new Output(stream)) {
            out.pieces(image, 0, image.size(), Output.UNIT, (at, bytes) -> {
                out.flush(bytes);
                progress.accept(bytes.byteSize());
            });
        }
    }

    /// Writes the bytes of the device to an empty file, which gets holes where the device is zero.
    public void raw(FileChannel file) throws IOException {
        try (Output out = new Output(OutputStream.nullOutputStream())) {
            for (long at = image.dataFrom(0); at < image.size(); ) {
                long end = image.dataUntil(at);
                out.pieces(image, at, end, Output.UNIT, (offset, bytes) -> {
                    ByteBuffer buffer = bytes.asByteBuffer();
                    for (long place = offset; buffer.hasRemaining(); ) {
                        place += file.write(buffer, place);
                    }
                    progress.accept(bytes.byteSize());
                });
                at = image.dataFrom(end);
            }
        }
        if (file.size() < image.size()) {
            file.write(ByteBuffer.allocate(1), image.size() - 1); // the last block is in a hole
        }
    }

    /// Writes the device as a zstd file of many frames, which `zstd -d` and others unpack.
    public void zst(int level, OutputStream stream) throws IOException {
        try (Output out = new Output(stream);
                FrameEncoder encoder = new FrameEncoder(level);
                Arena arena = Arena.ofConfined()) {
            MemorySegment frame = arena.allocate(FrameEncoder.bound(Output.UNIT));
            if (image.size() == 0) {
                out.bytes(EMPTY_FRAME).flush();
            }
            out.pieces(image, 0, image.size(), Output.UNIT, (at, bytes) -> {
                out.flush(frame.asSlice(0, encoder.encode(bytes, frame)));
                progress.accept(bytes.byteSize());
            });
        }
    }

    /// Writes what `rbd import --export-format 2` reads: an image without snapshots.
    public void rbd(OutputStream stream) throws IOException {
        try (Output out = new Output(stream)) {
            ByteOrder order = ByteOrder.LITTLE_ENDIAN;
            out.ascii(RbdExport.LINE)
                    .u8('O').u64(8, order).u64(RBD_ORDER, order)
                    .u8('T').u64(8, order).u64(RBD_FEATURES, order)
                    .u8('U').u64(8, order).u64(1 << RBD_ORDER, order)
                    .u8('C').u64(8, order).u64(1, order)
                    .u8('E')
                    .ascii(RbdExport.DIFFS).u64(1, order)
                    .ascii(RbdDiff.LINE_2)
                    .u8('s').u64(8, order).u64(image.size(), order).flush();
            for (long at = image.dataFrom(0); at < image.size(); ) {
                long end = image.dataUntil(at);
                PatchExport.extents(out, image, at, end, true, progress);
                at = image.dataFrom(end);
            }
            out.u8('e').flush();
        }
    }

    /// Writes MD5 and SHA-256 of each piece as hashdeep does in its piecewise mode.
    ///
    /// @param name of the device
    public void hashdeep(String name, int piece, OutputStream stream) throws IOException {
        try (Output out = new Output(stream)) {
            out.ascii("%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /\n## # hashdeep -c md5,sha256 -p " + piece + " ")
                    .bytes(name.getBytes(StandardCharsets.UTF_8)).ascii("\n## \n").flush();
            pieces(out, piece, List.of("md5", "sha256"), (start, end, digests) ->
                    line(out, (end - start) + "," + String.join(",", digests) + ",", name, start, end));
        }
    }

    /// Writes one digest of each piece as md5deep and its like do in their piecewise mode.
    ///
    /// @param digest md5 or sha256
    /// @param name of the device
    public void md5deep(String digest, String name, int piece, OutputStream stream) throws IOException {
        try (Output out = new Output(stream)) {
            pieces(out, piece, List.of(digest), (start, end, digests) -> line(out, digests.getFirst() + "  ", name, start, end));
        }
    }

    private static void line(Output out, String before, String name, long start, long end) throws IOException {
        out.ascii(before).bytes(name.getBytes(StandardCharsets.UTF_8)).ascii(" offset " + start + "-" + (end - 1) + "\n").flush();
    }

    private interface Pieces {
        void piece(long start, long end, List<String> digests) throws IOException;
    }

    private void pieces(Output out, int piece, List<String> names, Pieces pieces) throws IOException {
        List<MessageDigest> digests = names.stream().map(name -> new Checksum(name, new byte[0]).digest().orElseThrow()).toList();
        long[] start = {0};
        out.pieces(image, 0, image.size(), Math.min(piece, Output.UNIT), (at, bytes) -> {
            digests.forEach(digest -> digest.update(bytes.asByteBuffer()));
            long end = at + bytes.byteSize();
            if (end % piece == 0 || end == image.size()) {
                pieces.piece(start[0], end, digests.stream().map(digest -> HexFormat.of().formatHex(digest.digest())).toList());
                start[0] = end;
            }
            progress.accept(bytes.byteSize());
        });
    }
}
