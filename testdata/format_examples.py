#!/usr/bin/env python3
"""Prints sections 10 and 11 of docs/FORMAT.md: the golden volume `example` byte by byte, and test vectors.

Nothing of it comes from varve. The example was written by golden/make.py; hashes are computed by varve_reader.py. What
the programs b3sum and zstd can say of a line is asked of them first, so nothing is printed that they deny.
"""
import os
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from varve_reader import blake3, chaining_value, combine, parents, zero_frame  # noqa: E402
from varve_writer import value_of_zeros  # noqa: E402

KIB, MIB = 1 << 10, 1 << 20
CHUNK = 64 * KIB
FAR = 5 << 42


def output(*command, data=b""):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def vouched(data, found):
    """`found`, if b3sum says that it is the hash of data."""
    assert output("b3sum", "--no-names", data=data).decode().strip() == found.hex()
    return found


def hexadecimal(data):
    return data.hex(" ").upper()


class Dump:
    """Bytes from a position on, up to 16 in a line, with a word on each field."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def show(self, size, note):
        for i in range(0, size, 16):
            piece = self.data[self.at:self.at + min(16, size - i)]
            assert len(piece) == min(16, size - i)
            print(f"    {self.at:4}  {hexadecimal(piece):47}  {note if i == 0 else ''}".rstrip())
            self.at += len(piece)

    def number(self, size, form="{}"):
        value = int.from_bytes(self.data[self.at:self.at + size], "little")
        self.show(size, form.format(value))
        return value

    def head(self, name):
        """Of a skippable frame; gives the content size."""
        self.show(4, f"skippable frame: {name}")
        return self.number(4, "content: {} bytes")

    def shared(self):
        """What header and summary both hold."""
        self.number(2, "version {}")
        self.number(2, "kind {} (1 full, 2 delta)")
        self.number(1, "chunk size 2^{}")
        self.number(1, "block size 2^{}")
        self.number(2, "reserved")
        self.number(8, "feature bits")
        self.show(16, "volume id")
        self.number(8, "size of the parent: {}")
        self.show(32, "root of the parent")

    def header(self):
        print("Header (4.1):\n")
        self.head("header")
        self.show(8, "tag VARVEHDR")
        self.shared()
        self.show(16, "check")

    def data_frame(self, size, what):
        print(f"\nData frame (4.2): {what}. How the blocks are coded is the compressor's choice.\n")
        begin = self.at
        self.show(4, "zstd magic")
        self.show(1, "frame header descriptor: one segment, content size of 2 bytes")
        self.number(2, "content size - 256 = {}")
        last = 0
        while not last:
            head = int.from_bytes(self.data[self.at:self.at + 3], "little")
            last, kind, length = head & 1, head >> 1 & 3, head >> 3
            self.show(3, f"block: {'last' if last else 'more follow'}, type {kind} (2 compressed), {length} bytes")
            self.show(1 if kind == 1 else length, "its content")
        assert self.at == begin + size

    def zero_frame(self, size, what):
        print(f"\nZero frame (4.2): {what}.\n")
        begin = self.at
        self.show(4, "zstd magic")
        self.show(2, "4-byte content size, window of 128 KiB")
        self.number(4, "{} zeros")
        self.show(4, "raw block of one zero")
        self.show(4, "last block, RLE: the other zeros")
        assert self.at == begin + size

    def extents(self):
        print("\nExtent table (5.1):\n")
        rows = (self.head("extent table") - 8) // 16
        self.show(8, "tag VARVEEXT")
        for row in range(rows):
            self.number(8, f"row {row}: " + "first block {}")
            self.number(4, "blocks: {}")
            self.number(4, "state {} (0 zero, 1 data)")

    def nodes(self):
        print("\nNode table (5.2):\n")
        rows = (self.head("node table") - 8) // 64
        self.show(8, "tag VARVENOD")
        for row in range(rows):
            self.number(4, f"row {row}: " + "first chunk {}")
            count, = struct.unpack_from("<I", self.data, self.at)
            self.show(4, f"{'zero' if count >> 31 else 'data'} node, chunks: {count & 0x7FFFFFFF}")
            self.number(8, "frame at {}")
            self.number(4, "its compressed size {}")
            self.number(4, "its content size {}")
            self.number(4, "payload of the node at {} in the content")
            self.number(4, "first extent: row {}")
            self.show(32, "hash")

    def summary(self):
        print("\nSummary (5.3):\n")
        self.head("summary")
        self.show(8, "tag VARVEEND")
        self.shared()
        self.number(8, "size of the device: {}")
        self.show(32, "root")
        for what in "extent rows", "node rows", "data frames", "size of the payload", "index region at":
            self.number(8, what + ": {}")
        self.show(16, "reserved")
        self.show(16, "check")

    def seek_table(self):
        print("\nSeek table (4.3):\n")
        self.head("seek table")
        frames = (len(self.data) - self.at - 9) // 8
        for frame in range(frames):
            stored, size = struct.unpack_from("<II", self.data, self.at)
            self.show(8, f"frame {frame}: {stored} bytes, content {size}")
        self.number(4, "frames: {}")
        self.number(1, "descriptor")
        self.show(4, "seekable magic")
        assert self.at == len(self.data)


def read(base, suffix):
    with open(os.path.join(HERE, "golden", "example", base + suffix), "rb") as file:
        return file.read()


def files(base, index_at, frames):
    data = read(base, ".zst")
    print(f"### `{base}.zst`, {len(data)} bytes\n")
    dump = Dump(data)
    dump.header()
    frames(dump)
    assert dump.at == index_at
    dump.extents()
    dump.nodes()
    dump.summary()
    index = data[index_at:dump.at]
    dump.seek_table()
    assert read(base, ".index") == index
    print(f"\n`{base}.index` is a copy of the {len(index)} bytes from position {index_at} on.\n")
    print(f"### `{base}.json`\n")
    print("".join("    " + line for line in read(base, ".json").decode().splitlines(True)))
    tree = Dump(read(base, ".tree"))
    print(f"### `{base}.tree`, {len(tree.data)} bytes\n")
    tree.show(8, "tag VARVETRE")
    tree.number(4, "version {}")
    tree.number(4, "groups of 2^{}")
    tree.number(8, "size of the data file: {}")
    tree.show(32, "the only group's hash, which is fileHash")
    assert vouched(data, tree.data[24:]) and tree.at == len(tree.data)
    print()


def example():
    full, delta = "example.20261101T020000.123Z.full", "example.20261102T020000.123Z.delta"
    print("""## 10. An example, byte by byte

The golden volume `testdata/golden/example`: a device of 100,000 bytes in chunks of 64 KiB. In the full, chunk 0 holds the
line `Sand.` 100 times in block 0 and the line `Clay.` 100 times in block 2, both ended by LF; all else is zero, so chunk 1,
the last 34,464 bytes, is a zero node. A day later block 0 is zero, and block 5 begins with 100 lines `Silt.`; block 2 and
chunk 1 are as they were, and the delta says nothing of them. Positions are decimal, bytes hexadecimal.
""")
    first = output("zstd", "-dcq", data=read(full, ".zst"))
    assert first == (b"Sand.\n" * 100).ljust(8192, b"\0") + (b"Clay.\n" * 100).ljust(91_808, b"\0")
    assert output("zstd", "-dcq", data=read(delta, ".zst")) == (b"Silt.\n" * 100).ljust(4096, b"\0")

    def of_full(dump):
        dump.data_frame(46, "chunk 0, 65,536 bytes")
        dump.zero_frame(18, "chunk 1, 34,464 zeros")

    files(full, 168, of_full)
    files(delta, 132, lambda dump: dump.data_frame(28, "block 5, the payload"))


def pattern(offset, size):
    """The bytes of the test device from an offset on."""
    period = bytes(range(251))
    begin = offset % 251
    return (period * (size // 251 + 2))[begin:begin + size]


def table(*columns):
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")


def row(*columns):
    print("| " + " | ".join(columns) + " |")


def grouped(number):
    return f"{number:,}"


def chunk_values():
    print("""### Chaining values

Of a device whose byte at offset `i` is `i mod 251`, the pattern of the BLAKE3 test vectors. The last three are at 5 * 2^42,
where leaf counters need more than 32 bits; 38,400 bytes are a clipped chunk.
""")
    table("offset", "size", "chaining value")
    places = [(c * CHUNK, CHUNK) for c in range(5)] + [(5 * CHUNK, 100)]
    places += [(256 * KIB, 256 * KIB), (MIB, MIB), (FAR, KIB), (FAR, CHUNK), (FAR + CHUNK, 38_400)]
    for offset, size in places:
        row(grouped(offset), grouped(size), f"`{chaining_value(pattern(offset, size), offset).hex()}`")
    low, high = (chaining_value(pattern(at, MIB), at) for at in (0, MIB))
    vouched(pattern(0, 2 * MIB), parents(low + high, 8))


def zero_values():
    print("\n### Chaining values of zeros\n")
    table("offset", "size", "chaining value")
    for size, offsets in {64 * KIB: (0, 64 * KIB, FAR), 256 * KIB: (0, 256 * KIB, FAR), 64 * MIB: (0, 64 * MIB, FAR),
                          100: (0, 64 * KIB), 70_000: (128 * KIB,)}.items():
        for offset in offsets:
            row(grouped(offset), grouped(size), f"`{value_of_zeros(offset, size).hex()}`")
    for size in 64 * KIB, 256 * KIB, 64 * MIB:
        vouched(bytes(2 * size), parents(value_of_zeros(0, size) + value_of_zeros(size, size), 8))


def roots():
    print("""
### Roots

Of the first bytes of the device above, in chunks of 64 KiB: from 65,537 bytes on the values of its chunks combine to the
root (section 3), so that a list of six values splits as 4 + 2 and one of seven as 4 + 3. All are as `b3sum` prints them.
""")
    table("size", "root")
    for size in 0, 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK, 5 * CHUNK, 5 * CHUNK + 100, 6 * CHUNK + 4097, 16 * CHUNK:
        data = pattern(0, size)
        root = blake3(data)
        if size > CHUNK:
            pieces = [data[at:at + CHUNK] for at in range(0, size, CHUNK)]
            values = [chaining_value(piece, i * CHUNK) for i, piece in enumerate(pieces)]
            assert root == combine(values, [len(piece) for piece in pieces])
        row(grouped(size), f"`{vouched(data, root).hex()}`")
    print("""
The same of zeros only, in chunks of 256 KiB, so that nodes are cut by F021:
""")
    table("size", "zero nodes, in chunks", "root")
    for size, nodes in {256 * KIB: "1", 512 * KIB: "1 + 1", MIB: "2 + 2", MIB + 1: "4 + 1", 5 * 256 * KIB - 7: "4 + 1",
                        128 * MIB: "256 + 256", 128 * MIB + 70_000: "256 + 256 + 1"}.items():
        counts, at, values, sizes = [int(n) for n in nodes.split(" + ")], 0, [], []
        for count in counts:
            sizes.append(min(size - at, count * 256 * KIB))
            values.append(value_of_zeros(at, sizes[-1]))
            at += sizes[-1]
        root = combine(values, sizes) if len(values) > 1 else blake3(bytes(size))
        row(grouped(size), nodes, f"`{vouched(bytes(size), root).hex()}`")


def zero_frames():
    print("\n### Zero frames\n\nComplete; `zstd -dc` makes `n` zeros of each.\n")
    table("n", "bytes")
    for size in 1, 2, 34_464, 65_536, 131_072, 131_073, 131_074, 300_000:
        frame = zero_frame(size)
        assert output("zstd", "-dcq", data=frame) == bytes(size)
        row(grouped(size), f"`{hexadecimal(frame)}`")


def headers():
    print("""
### Headers

The content of a header frame, 96 bytes; the last 16 are the check.
""")
    table("header", "bytes")
    volume = bytes.fromhex("0123456789AB4CDE8F0123456789ABCD")
    cases = {"full, chunks of 256 KiB": (1, 18, 0, bytes(32)),
             "full, chunks of 16 MiB": (1, 24, 0, bytes(32)),
             "delta, chunks of 64 KiB, to a device of 0 bytes": (2, 16, 0, blake3(b"")),
             "delta, chunks of 16 MiB, to a device of 2^50 bytes with a root of 256 ones": (2, 24, 1 << 50, b"\xff" * 32)}
    for what, (kind, chunk, size, root) in cases.items():
        raw = struct.pack("<8sHHBBHQ16sQ32s", b"VARVEHDR", 1, kind, chunk, 12, 0, 0, volume, size, root)
        row(what, f"`{hexadecimal(raw + vouched(raw, blake3(raw))[:16])}`")


def vectors():
    print("""## 11. Test vectors

`testdata/format_examples.py` prints this section and the one before. What a chaining value is cannot be asked of `b3sum`,
but what values combine to can.
""")
    chunk_values()
    zero_values()
    roots()
    zero_frames()
    headers()


if __name__ == "__main__":
    example()
    vectors()
