#!/usr/bin/env python3
"""Makes the golden volumes beside this script with varve_writer.py, and expect.json in each.

What expect.json says does not come from the writer: sizes are those of the images, roots are printed by the program
b3sum for the images, and the program zstd has to decode every full to its image and every delta to the changed blocks.
"""
import collections
import json
import os
import random
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from varve_writer import BLOCK, MIB, SUFFIXES, Volume, delta, full  # noqa: E402

KIB = 1024
# of sealed archives
IDENTITY = os.path.join(os.path.dirname(HERE), "age", "identity.txt")
KEY = "age1mavc7jlhng26ygqcqu6nqzt93tpgtzn4vyx0pgrmmjc0fk8vtpcquauune"
CHUNK = 64 * KIB
WORDS = "sediment layer silt clay spring summer lake core sample year winter ice melt drift bed thin dark light".split()


def text(seed, size):
    """Bytes that compress like text."""
    source = random.Random(seed)
    words = []
    length = 0
    while length < size:
        words.append(source.choice(WORDS) + source.choice(" \n"))
        length += len(words[-1])
    return "".join(words).encode()[:size]


def noise(seed, size):
    return random.Random(seed).randbytes(size)


def patch(image, *pieces):
    """The image with (offset, bytes) written over it."""
    image = bytearray(image)
    for offset, data in pieces:
        image[offset:offset + len(data)] = data
    return bytes(image)


def output(*command, data=None):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


class Golden:
    """One volume, and what others say of it."""

    def __init__(self, name, about, chunk=CHUNK):
        self.folder = os.path.join(HERE, name)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.volume, self.about, self.points, self.state = Volume(self.folder, chunk), about, [], None
        self.states, self.derived = [], collections.defaultdict(list)

    def add(self, image, kind="delta", label=None, only=SUFFIXES, key=None, **options):
        """Records a point in time."""
        if self.state is None or kind == "full":
            draft = full(image, self.volume.chunk)
        else:
            draft = delta(self.state, image, **options)
        self.state = draft.state
        self.states.append(draft.state)
        seal = {"key": key} if key else {}
        self.points.append(self.vouched(draft, len(self.points) + 1, label=label, only=only, **seal))
        return self

    def derive(self, day, parent=None):
        """Adds an archive to a point in time that is there: a full, or a delta from the point of another day."""
        image = self.states[day - 1].image
        draft = delta(self.states[parent - 1], image) if parent else full(image, self.volume.chunk)
        self.derived[day].append(self.vouched(draft, day, derived=True))
        return self

    def drop(self, day):
        """Removes the original archive of a point in time; a derived one takes its place."""
        for suffix in SUFFIXES:
            os.remove(os.path.join(self.folder, self.points[day - 1]["archive"][:-4] + suffix))
        self.points[day - 1] = min(self.derived[day], key=lambda point: point["archive"])
        return self

    def expire(self, day):
        """Removes a point in time."""
        for suffix in SUFFIXES:
            os.remove(os.path.join(self.folder, self.points[day - 1]["archive"][:-4] + suffix))
        self.points[day - 1] = None
        return self

    def vouched(self, draft, day, **options):
        self.volume.save(draft, day, **options)
        image = draft.state.image
        root = output("b3sum", "--no-names", data=image).decode().strip()
        name = self.volume.saved + ".zst"
        path = os.path.join(self.folder, name)
        stored, unsealed = path, []
        if "key" in options:
            name, stored, path = name + ".age", path + ".age", os.path.join("/tmp", name)
            unsealed = ["age", "-d", "-i", IDENTITY, "-o", path, stored]
            output(*unsealed)
        blocks = [image[first * BLOCK:(first + count) * BLOCK] for first, count, state in draft.extents if state]
        assert root == draft.state.root.hex(), name
        assert output("zstd", "-dcq", path) == (b"".join(blocks) if draft.parent else image), name
        manifest = json.load(open(os.path.join(self.folder, self.volume.saved + ".json"), encoding="utf-8"))
        assert output("b3sum", "--no-names", stored).decode().strip() == manifest["fileHash"], name
        decoded = "the changed blocks" if draft.parent else "the image"
        way = "age -d | zstd -dc" if unsealed else "zstd -dc"
        return {
            "time": f"2026-11-{day:02}T02:00:00.123Z", "archive": name, "size": len(image), "root": root,
            "vouchers": ["b3sum of the image", f"{way} of the archive is {decoded}", "b3sum of the archive"]}

    def done(self):
        programs = [output(name, "--version").decode().split("\n")[0].strip("* ") for name in ("b3sum", "zstd")]
        expected = {"about": self.about, "volume": self.volume.name, "programs": programs, "points": [point for point in self.points if point]}
        with open(os.path.join(self.folder, "expect.json"), "w", encoding="utf-8") as file:
            json.dump(expected, file, indent=2)
            file.write("\n")


def example():
    image = patch(bytes(100_000), (0, b"Sand.\n" * 100), (2 * BLOCK, b"Clay.\n" * 100))
    (Golden("example", "what docs/FORMAT.md shows byte by byte: one data node, one zero node; then one extent of each state")
     .add(image).add(patch(image, (0, bytes(BLOCK)), (5 * BLOCK, b"Silt.\n" * 100))).done())


def small_devices():
    Golden("empty", "no bytes at all: no nodes, no frames; and nothing changes").add(b"").add(b"").done()
    Golden("one-byte", "one byte, then one bit of it, then zero").add(b"v").add(b"w").add(b"\0").done()
    one = text(1, CHUNK)
    (Golden("one-chunk", "a chunk exactly: the only node's hash is the root")
     .add(one).add(patch(one, (5 * BLOCK, noise(1, 10)))).add(bytes(CHUNK))
     .add(patch(bytes(CHUNK), (CHUNK - 1, b"1"))).done())
    odd = text(2, 200_003)
    (Golden("odd-size", "not a multiple of a block: the last block and the last chunk are short")
     .add(odd).add(patch(odd, (200_002, b"!")))
     .add(patch(odd, (200_000, b"\0\0\0"), (0, noise(2, 5000)))).add(bytes(200_003)).done())


def zero_runs():
    image = patch(bytes(40 * CHUNK + 100), (0, text(3, 3 * CHUNK)), (9 * CHUNK, text(4, CHUNK)),
                  (22 * CHUNK, noise(3, 5000)))
    second = patch(image, (13 * CHUNK + 7 * BLOCK, text(5, 100)), (3 * CHUNK - BLOCK, bytes(BLOCK)),
                   (9 * CHUNK, bytes(CHUNK)))
    third = patch(second, (40 * CHUNK + 99, b"1"), (22 * CHUNK, bytes(5000)), (0, bytes(2 * CHUNK)))
    (Golden("zero-runs", "zero nodes of many sizes, one clipped at the end; changes inside of them leave kept nodes")
     .add(image).add(second).add(third).add(bytes(len(image))).add(bytes(len(image)), "full").done())

    sparse = bytes(200 * MIB + 777)
    written = patch(sparse, (100 * MIB + 4097, b"one byte in the middle of 64 MiB of zeros"))
    (Golden("sparse", "200 MiB of zeros: nodes of 64 MiB, some of which one write parts", 256 * KIB)
     .add(sparse).add(written).add(written[:150 * MIB + 5]).add(sparse).done())


def other_zeros():
    a = bytes(8 * CHUNK) + text(11, CHUNK)
    seven = bytes(7 * CHUNK)
    (Golden("other-zeros", "deltas on top of archives that lead to the same state, but cut its zeros otherwise")
     .add(a).add(patch(a, (3 * CHUNK, b"1"))).add(a).add(patch(a, (2 * CHUNK, b"2"))).add(a).add(a[:3 * CHUNK]).add(a)
     .add(a[:8 * CHUNK]).add(seven).add(patch(seven, (5 * CHUNK, b"3"))).add(seven).derive(11).add(seven + a[-CHUNK:])
     .done())


def changing_size():
    grown = text(6, 9 * CHUNK)
    sizes = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 5000, 3 * CHUNK + 4096]
    golden = Golden("growth", "from nothing over one chunk to several: chunk 0 is kept where only its hash changes")
    for size in sizes:
        golden.add(grown[:size])
    golden.done()
    golden = Golden("growth-of-zeros", "zeros that grow: clipped nodes become parts of larger trees")
    for size in (5000, CHUNK, 2 * CHUNK, 3 * CHUNK + 1, 7 * CHUNK, 8 * CHUNK, 9 * CHUNK - 1):
        golden.add(bytes(size))
    golden.add(bytes(9 * CHUNK) + b"1").done()
    golden = Golden("shrinkage", "less and less, also four zero chunks that were one node, and nothing; and back")
    image = bytes(4 * CHUNK) + text(7, 3 * CHUNK + 100)
    chunks = 6, 5, 4, 3
    for size in (len(image), *[c * CHUNK for c in chunks], 3 * CHUNK - BLOCK - 1, CHUNK + 1, CHUNK, 10, 0, len(image)):
        golden.add(image[:size])
    golden.done()


def receipts():
    image = text(11, CHUNK + 500)
    golden = Golden("receipts", "receipts of an archive, a verification that found damage, and a restore").add(image)
    volume = golden.volume
    volume.receipt("archive", about="/dev/vg/tools")
    bad = dict(volume.archives[0], result="damaged", proved=[[0, 100], [300, 400]], damaged=[[100, 300]])
    volume.receipt(result="damaged", archives=[bad], findings=1, first='a "quoted" text\n\u2603', evidence="cache")
    volume.receipt("restore", depth="content", note="a note", archives=[dict(bad, result="ok", damaged=[], depth="content")])
    volume.save_receipts()
    golden.done()


def settings():
    image = text(12, 2 * CHUNK)
    golden = Golden("settings", "a policy, a protected point, and points that were given up: deltas over them were folded")
    for day in range(8):
        golden.add(patch(image, (day * 7 * BLOCK % CHUNK, noise(20 + day, 100 * day))), label="moved" if day == 4 else None)
    golden.derive(4, 1).drop(4).derive(5, 4).drop(5).derive(8, 5).drop(8)
    for day in (2, 3, 6, 7):
        golden.expire(day)
    golden.volume.settings(
        generation=3, keepLast=1, keepWithin="1y6m14d12h", keepDaily=7, keepWeekly=4, timeZone="Europe/Vienna",
        protected="4", unprotected="1 8", expired="2-3 6-7")
    golden.done()


def histories():
    first = text(8, 3 * CHUNK + 2000)
    second = patch(first, (CHUNK, noise(4, 2 * BLOCK)), (3 * CHUNK, bytes(2000)))
    (Golden("back", "nothing changed, back to an old state, forward, a second full: many paths to some states")
     .add(first).add(first).add(second, label="the day of the change").add(first).add(second)
     .add(second, "full").add(second).add(first).done())
    many = text(9, 24 * CHUNK)
    some = patch(many, *[(c * CHUNK + c % 16 * BLOCK, noise(c, 50 * (c + 1))) for c in range(0, 24, 2)],
                 *[(c * CHUNK + BLOCK, bytes(3 * BLOCK)) for c in range(0, 24, 3)])
    (Golden("frames", "deltas with one frame for all nodes, with several, and one for each")
     .add(many).add(some).add(many, frame_size=20_000).add(some, frame_size=1).done())
    (Golden("whole-chunks", "deltas of a writer that has only the parent's hashes: changed chunks are stored whole")
     .add(first).add(second, whole_chunks=True).add(first[:CHUNK + 3], whole_chunks=True).done())
    (Golden("derived", "several archives of one point: deltas over several others, fulls; some originals are gone")
     .add(many).add(some, label="kept").add(patch(some, (0, bytes(3 * CHUNK)))).add(patch(some, (7, b"four")))
     .add(patch(many, (0, b"five"))[:20 * CHUNK + 5]).add(first).add(some)
     .derive(4, 1).derive(6, 3).derive(7, 4).derive(3).drop(3).derive(6, 4).drop(6).derive(2, 1).derive(5).drop(5).drop(2)
     .done())
    large = text(10, 1 * MIB) + bytes(2 * MIB + 5000) + noise(5, 3000)
    (Golden("large-chunks", "chunks of 1 MiB", MIB)
     .add(large).add(patch(large, (2 * MIB, b"x"), (0, noise(6, 9000)))).done())
    label = 'a "quoted" \\ line\n\ttab \x7f caf\u00e9 \u2603 \U0001F30A'
    (Golden("Name_with.dots-2", "a name with all kinds of characters, a label with escapes, no index and no tree")
     .add(first[:9000], label=label, only=SUFFIXES[:2]).add(first[:9001], label="", only=SUFFIXES[:2]).done())


def sealed():
    first = text(13, 5 * CHUNK + 77)
    noisy = patch(first, (CHUNK, noise(30, 2 * CHUNK)))
    (Golden("sealed", "a full and deltas that are sealed, one in between that is not; of several sealed chunks; for testdata/age/identity.txt")
     .add(first, key=KEY).add(noisy, key=KEY).add(patch(noisy, (7, b"three"))).add(noise(31, 4 * CHUNK), key=KEY)
     .add(noise(31, 4 * CHUNK), key=KEY).done())


if __name__ == "__main__":
    if sys.argv[1:] == ["sealed"]:  # which come out otherwise each time
        sealed()
        sys.exit()
    example()
    small_devices()
    zero_runs()
    other_zeros()
    changing_size()
    histories()
    receipts()
    settings()
    sealed()
