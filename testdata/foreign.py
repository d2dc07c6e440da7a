#!/usr/bin/env python3
"""Patches of other tools, written from their descriptions; knows nothing of varve.

    foreign.py make FORM BEFORE AFTER PATCH     the patch that leads from one image to the other
    foreign.py apply FORM PATCH IMAGE           applies it, in place

FORM is bdsync, bdsync-big-endian, bdsync-checksum, lvmsync-1, lvmsync-2, lvmsync-3-little-endian, lvmsync-3, lvmsync-headless,
blocksync-fast, blocksync-fast-big-endian, rbd-diff.
"""
import hashlib
import struct
import sys

BLOCK = 4096


def blocks(before, after):
    """Offsets of the blocks that differ, the last one first, as a tool that takes them as they come might have it."""
    found = []
    for at in range(0, len(after), BLOCK):
        if before[at:at + BLOCK] != after[at:at + BLOCK]:
            found.append(at)
    return found


def make(form, before, after):
    changed = blocks(before, after)
    if form.startswith('bdsync'):
        order = '>' if form.endswith('big-endian') else '<'
        name = b'/dev/vg/tools'
        out = [b'BDSYNC 0.3\n', struct.pack(order + 'qH', len(after), len(name)), name]
        for at in changed:
            data = after[at:at + BLOCK]
            out += [struct.pack(order + 'qH', at, len(data)), data]
        out.append(struct.pack(order + 'qH', 0, 0))
        if form.endswith('checksum'):
            step = 64 * BLOCK
            padded = after + bytes(-len(after) % step)
            digest = hashlib.sha512(padded).digest()
            out += [b'\x06sha512', bytes([len(digest)]), digest]
        else:
            out.append(b'\0')
        return b''.join(out)
    if form.startswith('lvmsync'):
        line = {'lvmsync-1': b'lvmsync PROTO[1]\n', 'lvmsync-2': b'lvmsync PROTO[2]\n', 'lvmsync-headless': b''}
        out = [line.get(form, b'lvmsync PROTO[3]\n')]
        for at in reversed(changed):
            number = {'lvmsync-1': struct.pack('<Q', at // BLOCK), 'lvmsync-2': struct.pack('<Q', at // BLOCK),
                      'lvmsync-3-little-endian': struct.pack('<Q', at)}.get(form, struct.pack('>Q', at))
            data = after[at:at + BLOCK]
            out += [number, b'' if form == 'lvmsync-1' else struct.pack('>I', len(data)), data]
        return b''.join(out)
    if form.startswith('blocksync-fast'):
        order = '>' if form.endswith('big-endian') else '<'
        header = struct.pack(order + '16s8sQQQQQ448x', b'!BSF#DELTA', b'1.07', len(after), BLOCK, -(-len(after) // BLOCK), 1700000000, 0)
        return header + b''.join(struct.pack(order + 'Q', at) + after[at:at + BLOCK] for at in changed)
    if form == 'rbd-diff':
        out = [b'rbd diff v1\n', b'f\x03\0\0\0mon', b't\x03\0\0\0tue', b's' + struct.pack('<Q', len(after))]
        for at in changed:
            data = after[at:at + BLOCK]
            if any(data):
                out.append(b'w' + struct.pack('<QQ', at, len(data)) + data)
            else:
                out.append(b'z' + struct.pack('<QQ', at, len(data)))
        return b''.join(out) + b'e'
    raise SystemExit('no such form: ' + form)


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        taken = self.data[self.at:self.at + count]
        if len(taken) != count:
            raise SystemExit('cut off')
        self.at += count
        return taken

    def unpack(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def more(self):
        return self.at < len(self.data)


def write(image, at, data):
    if at + len(data) > len(image):
        raise SystemExit('past the end')
    image[at:at + len(data)] = data


def resize(image, size):
    if size < len(image):
        del image[size:]
    image.extend(bytes(size - len(image)))


def apply(form, patch, image):
    r = Reader(patch)
    if form.startswith('bdsync'):
        assert r.take(11) == b'BDSYNC 0.3\n'
        size, name = r.unpack('<qH')
        r.take(name)
        resize(image, size)
        while True:
            at, length = r.unpack('<qH')
            if at == 0 and length == 0:
                break
            assert length <= 32768
            write(image, at, r.take(length))
        name = r.take(r.take(1)[0]).decode()
        if name:
            value = r.take(r.take(1)[0])
            assert len(image) % BLOCK == 0 and hashlib.new(name, image).digest() == value
        assert not r.more()
    elif form.startswith('lvmsync'):
        assert r.take(17) == b'lvmsync PROTO[3]\n'
        while r.more():
            at, length = r.unpack('>QI')
            write(image, at, r.take(length))
    elif form == 'rbd-diff':
        assert r.take(12) == b'rbd diff v1\n'
        while True:
            tag = r.take(1)
            if tag == b'e':
                break
            if tag in b'ft':
                r.take(r.unpack('<I')[0])
            elif tag == b's':
                resize(image, r.unpack('<Q')[0])
            elif tag == b'w':
                at, length = r.unpack('<QQ')
                write(image, at, r.take(length))
            elif tag == b'z':
                at, length = r.unpack('<QQ')
                write(image, at, bytes(length))
            else:
                raise SystemExit('tag ' + repr(tag))
        assert not r.more()
    else:
        raise SystemExit('no such form: ' + form)


def main():
    verb, form = sys.argv[1:3]
    if verb == 'make':
        before, after = (open(name, 'rb').read() for name in sys.argv[3:5])
        with open(sys.argv[5], 'wb') as out:
            out.write(make(form, before, after))
    else:
        image = bytearray(open(sys.argv[4], 'rb').read())
        apply(form, open(sys.argv[3], 'rb').read(), image)
        with open(sys.argv[4], 'wb') as out:
            out.write(image)


main()
