#!/usr/bin/env python3
"""Reads files in the zstd seekable format, from the specification of that format alone (version 0.1.0, in
contrib/seekable_format of the zstd project). It knows nothing of varve.

    seekable.py list  FILE                 one line for each frame: position, compressed size, offset, decompressed size
    seekable.py read  FILE OFFSET SIZE     bytes of the content, to standard output; only the frames needed are decoded
    seekable.py check FILE                 decodes every frame by itself and compares with the table and with zstd -dc

Needs Python 3.9 and the program zstd. Checksums in a table are not compared.
"""
import collections
import os
import struct
import subprocess
import sys

SKIPPABLE = range(0x184D2A50, 0x184D2A60)
SEEK_TABLE = 0x184D2A5E
SEEKABLE = 0x8F92EAB1
ZSTD = 0xFD2FB528
Frame = collections.namedtuple("Frame", "position stored offset size")


def fail(what):
    sys.exit(f"seekable.py: {what}")


def read_at(file, position, size):
    data = os.pread(file.fileno(), size, position)
    if len(data) != size:
        fail(f"the file ends before position {position + size}")
    return data


def read_table(file):
    """The frames that the table lists. They have to fill the file up to the table."""
    end = os.fstat(file.fileno()).st_size
    if end < 17:
        fail("too short for a seek table")
    count, descriptor, magic = struct.unpack("<IBI", read_at(file, end - 9, 9))
    if magic != SEEKABLE:
        fail("no seek table at the end")
    if descriptor & 0x7C:
        fail(f"reserved bits are set in the descriptor {descriptor:#04x}")
    row = 12 if descriptor & 0x80 else 8
    start = end - 17 - count * row
    if start < 0:
        fail(f"a table of {count} frames is longer than the file")
    if struct.unpack("<II", read_at(file, start, 8)) != (SEEK_TABLE, count * row + 9):
        fail("the seek table does not begin with its skippable frame's head")
    frames, position, offset = [], 0, 0
    for at in range(0, count * row, row):
        stored, size = struct.unpack_from("<II", read_at(file, start + 8 + at, 8))
        frames.append(Frame(position, stored, offset, size))
        position, offset = position + stored, offset + size
    if position != start:
        fail(f"the frames of the table end at {position}, the table begins at {start}")
    return frames


def decode(file, frame):
    """The content of one frame, which is all that zstd is given."""
    data = read_at(file, frame.position, frame.stored)
    magic = int.from_bytes(data[:4], "little")
    if magic in SKIPPABLE:
        if 8 + int.from_bytes(data[4:8], "little") != frame.stored:
            fail(f"the skippable frame at {frame.position} has not the size that the table says")
        content = b""
    elif magic == ZSTD:
        zstd = subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if zstd.returncode:
            fail(f"the frame at {frame.position} does not decode: {zstd.stderr.decode().strip()}")
        content = zstd.stdout
    else:
        fail(f"no frame at {frame.position}")
    if len(content) != frame.size:
        fail(f"the frame at {frame.position} has {len(content)} bytes, the table says {frame.size}")
    return content


def read(file, offset, size):
    """Bytes of the content, from the frames that hold them."""
    for frame in read_table(file):
        begin, end = max(offset, frame.offset), min(offset + size, frame.offset + frame.size)
        if begin < end:
            yield decode(file, frame)[begin - frame.offset:end - frame.offset]


def check(file):
    frames = read_table(file)
    with subprocess.Popen(["zstd", "-dcq", file.name], stdout=subprocess.PIPE) as whole:
        for frame in frames:
            if whole.stdout.read(frame.size) != decode(file, frame):
                fail(f"zstd -dc gives other bytes at offset {frame.offset} than the frame at {frame.position}")
        if whole.stdout.read(1) or whole.wait():
            fail("zstd -dc gives more than the table lists, or finds damage")
    print(f"{file.name}: {len(frames)} frames, {sum(f.size for f in frames)} bytes")


def main(words):
    if [*words[:1], len(words)] not in (["list", 2], ["read", 4], ["check", 2]):
        fail("give list FILE, read FILE OFFSET SIZE, or check FILE")
    with open(words[1], "rb") as file:
        if words[0] == "list":
            for frame in read_table(file):
                print(*frame)
        elif words[0] == "read":
            for piece in read(file, int(words[2]), int(words[3])):
                sys.stdout.buffer.write(piece)
        else:
            check(file)


if __name__ == "__main__":
    main(sys.argv[1:])
