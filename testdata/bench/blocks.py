"""What differs between two images, in blocks of 4 KiB.

    blocks.py changed OLD NEW   the changed blocks of NEW, laid end to end, to standard output
    blocks.py summary DIR       a table of DIR/gen0.img, gen1.img, ...: data, changes, roots
"""

import itertools
import os
import subprocess
import sys

BLOCK = 4096
STRIDE = 1 << 20
ZEROS = bytes(STRIDE)


def strides(path):
    with open(path, "rb", buffering=0) as image:
        while data := image.read(STRIDE):
            yield data


def blocks_of(stride):
    return (stride[at:at + BLOCK] for at in range(0, len(stride), BLOCK))


def changed_blocks(old, new):
    """The (index, content) of every block of NEW that OLD does not have at its place."""
    for number, (before, after) in enumerate(itertools.zip_longest(strides(old), strides(new), fillvalue=b"")):
        if before != after:
            pairs = itertools.zip_longest(blocks_of(before), blocks_of(after))
            for index, (past, present) in enumerate(pairs, number * (STRIDE // BLOCK)):
                if present is not None and past != present:
                    yield index, present


def data_blocks(path):
    return sum(sum(block != ZEROS[:len(block)] for block in blocks_of(stride))
               for stride in strides(path) if stride != ZEROS[:len(stride)])


def summary(folder):
    print("gen  data MiB  changed MiB     %   chunks of 64 KiB, 256 KiB, 1 MiB touched %   b3sum")
    for number in itertools.count():
        image, previous = (os.path.join(folder, f"gen{n}.img") for n in (number, number - 1))
        if not os.path.exists(image):
            return
        blocks = os.path.getsize(image) // BLOCK
        changes = " " * 64
        if number:
            changed = [index for index, _ in changed_blocks(previous, image)]
            touched = (len({index // size for index in changed}) * size / blocks * 100 for size in (16, 64, 256))
            changes = (f"{len(changed) * BLOCK / STRIDE:11.1f} {len(changed) / blocks * 100:5.2f}   "
                       + " ".join(f"{percent:6.2f}" for percent in touched)).ljust(64)
        root = subprocess.run(["b3sum", "--no-names", image], check=True, capture_output=True, text=True).stdout.strip()
        print(f"{number:3} {data_blocks(image) * BLOCK / STRIDE:9.1f}  {changes} {root}", flush=True)


def main(what=None, *paths):
    if what == "changed" and len(paths) == 2:
        for _, content in changed_blocks(*paths):
            sys.stdout.buffer.write(content)
    elif what == "summary" and len(paths) == 1:
        summary(*paths)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
