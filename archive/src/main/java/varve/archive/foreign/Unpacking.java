package varve.archive.foreign;

import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalLong;
import org.apache.commons.compress.MemoryLimitException;
import org.apache.commons.compress.compressors.CompressorException;
import org.apache.commons.compress.compressors.CompressorStreamFactory;
import varve.archive.block.DeviceException;
import varve.archive.codec.ZstdStream;

/// The content of a compressed image, whatever made it: all members, streams or frames in the file, one after the other. What it throws says
/// how far it came, in bytes of the image.
///
/// What is packed well can be very large when it is unpacked; so what it needs does not depend on its content, but for the dictionary of xz,
/// which is limited.
final class Unpacking extends InputStream {

    /// as much as `xz -9` needs, and some more
    private static final int MEMORY_KIB = 128 << 10;

    private final InputStream in;
    private final String name;
    private final OptionalLong expected;
    private long offset;

    private Unpacking(InputStream in, String name, OptionalLong expected) {
        this.in = in;
        this.name = name;
        this.expected = expected;
    }

    /// @param packed is closed with it
    /// @param form [Form#RAW] or a packed one
    /// @param name for messages
    /// @param expected size of the image, if it is known
    static Unpacking of(InputStream packed, Form form, String name, OptionalLong expected) throws IOException {
        try {
            return new Unpacking(unpacked(packed, form), name, expected);
        } catch (IOException | RuntimeException e) {
            packed.close();
            throw failure(e, name, 0);
        }
    }

    private static InputStream unpacked(InputStream in, Form form) throws IOException {
        CompressorStreamFactory all = new CompressorStreamFactory(true, MEMORY_KIB); // true: not only the first member
        return switch (form) {
            case RAW -> in;
            case GZ -> all.createCompressorInputStream(CompressorStreamFactory.GZIP, in);
            case XZ -> all.createCompressorInputStream(CompressorStreamFactory.XZ, in);
            case BZ2 -> all.createCompressorInputStream(CompressorStreamFactory.BZIP2, in);
            case LZ4 -> all.createCompressorInputStream(CompressorStreamFactory.LZ4_FRAMED, in);
            case ZST -> new ZstdStream(in);
            default -> throw new IllegalArgumentException(form.word());
        };
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int from, int length) throws IOException {
        try {
            int count = in.read(into, from, length);
            offset += Math.max(0, count);
            checkSize(count < 0);
            return count;
        } catch (DeviceException e) {
            throw e;
        } catch (IOException | RuntimeException e) { // decoders of strangers' bytes throw what they like
            throw failure(e, name, offset);
        }
    }

    private void checkSize(boolean end) throws DeviceException {
        if (expected.isPresent() && (end ? offset != expected.getAsLong() : offset > expected.getAsLong())) {
            throw new DeviceException(name + ": expected an image of " + expected.getAsLong() + " bytes, found "
                    + (end ? String.valueOf(offset) : "more") + "; nothing was recorded");
        }
    }

    private static DeviceException failure(Exception e, String name, long offset) {
        Throwable cause = e instanceof CompressorException && e.getCause() != null ? e.getCause() : e;
        String reason = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return new DeviceException(name + ": cannot be unpacked past byte " + offset + " of the image: " + reason
                + (cause instanceof MemoryLimitException ? "; unpack it with its own tool and import the stream" : "")
                + "; nothing was recorded", cause instanceof IOException io ? io : new IOException(cause));
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
