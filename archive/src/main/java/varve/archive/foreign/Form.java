package varve.archive.foreign;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import varve.archive.block.RefusedException;

/// How a foreign file is laid out.
public enum Form {
    /// The bytes of the device.
    RAW("raw", Kind.IMAGE, List.of(), "", ""),
    GZ("gz", Kind.PACKED, List.of("1f8b08"), "gz", ""),
    XZ("xz", Kind.PACKED, List.of("fd377a585a00"), "xz", ""),
    BZ2("bz2", Kind.PACKED, List.of("425a68"), "bz2", ""),
    LZ4("lz4", Kind.PACKED, List.of("04224d18"), "lz4", ""),
    /// Also what varve itself stores as a full.
    ZST("zst", Kind.PACKED, List.of("28b52ffd", "502a4d18", "512a4d18", "522a4d18", "532a4d18", "542a4d18", "552a4d18", "562a4d18",
            "572a4d18", "582a4d18", "592a4d18", "5a2a4d18", "5b2a4d18", "5c2a4d18", "5d2a4d18", "5e2a4d18", "5f2a4d18"), "zst", ""),
    QCOW2("qcow2", Kind.QEMU, List.of("514649fb"), "qcow2", "the active state is taken, snapshots inside of the file are not"),
    BDSYNC("bdsync", Kind.PATCH, List.of(ascii("BDSYNC ")), "bdsync",
            "does not say which state it applies to"),
    LVMSYNC("lvmsync", Kind.PATCH, List.of(ascii("lvmsync PROTO[")), "lvmsync",
            "does not say which state it applies to, and has no checksum; one that is cut off between two records looks whole"),
    /// As written by lvmsync before 2014-08-26: it lacks the first line, and nothing tells it from other files.
    LVMSYNC_SNAPBACK("lvmsync-snapback", Kind.PATCH, List.of(), "", LVMSYNC.caveat),
    RBD_DIFF("rbd-diff", Kind.PATCH, List.of(ascii("rbd diff v")), "",
            "names the snapshot that it starts from, which proves nothing, and has no checksum"),
    RBD_EXPORT("rbd-export", Kind.PATCH, List.of(ascii("rbd image v")), "", "has no checksum"),
    BLOCKSYNC_FAST("blocksync-fast", Kind.PATCH, List.of(ascii("!BSF#DELTA")), "",
            "does not say which state it applies to, and has no checksum; one that is cut off between two records looks whole"),
    /// The store of a device-mapper snapshot: with it, a device becomes what it was when the snapshot was taken.
    LVM_COW("lvm-cow", Kind.PATCH, List.of(ascii("SnAp") + "0100000001000000", ascii("SnAp") + "0000000001000000"), "",
            "does not say which origin it is of, has no checksum, and is right only if the snapshot was never written to and the parent is the "
                    + "origin as it was when the store was copied");

    /// bytes at the beginning that tell all forms apart
    private static final int LOOKED_AT = 16;

    /// what is no image of a device, although it may look like one
    private static final Map<String, String> OTHERS = Map.of(
            ascii("KDMV"), "VMDK", ascii("conectix"), "VHD", ascii("vhdxfile"), "VHDX", ascii("<<< Oracle VM"), "VDI", ascii("QED") + "00", "QED");

    private final String word;
    private final Kind kind;
    private final List<String> magics;
    private final String suffix;
    private final String caveat;

    /// What a file of a form holds.
    public enum Kind {
        /// The bytes of a device.
        IMAGE,
        /// The bytes of a device, compressed.
        PACKED,
        /// An image that QEMU's tools read.
        QEMU,
        /// What a device differs in from another state of it.
        PATCH
    }

    /// @param magics what files begin with, in hexadecimal
    /// @param suffix of names
    /// @param caveat what it cannot promise
    Form(String word, Kind kind, List<String> magics, String suffix, String caveat) {
        this.word = word;
        this.kind = kind;
        this.magics = magics;
        this.suffix = suffix;
        this.caveat = caveat;
    }

    private static String ascii(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
    }

    /// {@return the word on the command line}
    public String word() {
        return word;
    }

    public Kind kind() {
        return kind;
    }

    /// {@return what files of this form cannot promise, as the rest of a sentence about one; empty if nothing need be said}
    public String caveat() {
        return caveat;
    }

    /// {@return the form of that word}
    /// @throws IllegalArgumentException if there is none
    public static Form of(String word) {
        return Arrays.stream(values()).filter(form -> form.word.equals(word)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("expected one of " + words() + ", found \"" + word + "\""));
    }

    /// {@return the words of all forms}
    public static String words() {
        return Arrays.stream(values()).map(Form::word).collect(Collectors.joining(", "));
    }

    /// {@return what a stream seems to be by its first bytes; [#RAW] if they say nothing}
    /// @param stream that can go back to them
    /// @param name of it, for messages
    /// @throws RefusedException if it is an image of a form that is not known here
    public static Form detect(InputStream stream, String name) throws IOException {
        stream.mark(LOOKED_AT);
        byte[] first = stream.readNBytes(LOOKED_AT);
        stream.reset();
        String digits = HexFormat.of().formatHex(first);
        for (Map.Entry<String, String> other : OTHERS.entrySet()) {
            if (digits.startsWith(other.getKey())) {
                throw new RefusedException(name + ": seems to be a " + other.getValue() + " image: convert it with qemu-img convert -O raw, or say --format raw if "
                        + "it is none");
            }
        }
        return Arrays.stream(values()).filter(form -> form.magics.stream().anyMatch(digits::startsWith)).findFirst().orElse(RAW);
    }

    /// {@return a file's name without what its form, or one of images, adds to names}
    public static Optional<String> volumeName(String file) {
        String name = file;
        for (Form form : values()) {
            name = form.suffix.isEmpty() ? name : name.replaceFirst("\\." + form.suffix + "$", "");
        }
        name = name.replaceFirst("\\.(img|raw)$", "");
        return name.isEmpty() ? Optional.empty() : Optional.of(name);
    }
}
