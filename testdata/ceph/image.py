#!/usr/bin/python3
"""Writes to an image of Ceph: image.py IMAGE SEED COUNT. As many writes, writes of zeros and discards of random sizes at random places."""
import random
import sys

import rados
import rbd

image, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
with rados.Rados(conffile="") as cluster, cluster.open_ioctx("rbd") as pool, rbd.Image(pool, image) as target:
    size = target.size()
    for _ in range(count):
        length = min(chance.choice((512, 4096, 10_000, 300_000)), size)
        offset = chance.randrange(size - length + 1)
        what = chance.random()
        if what < 0.7:
            target.write(chance.randbytes(length), offset)
        elif what < 0.8:
            target.write(bytes(length), offset)
        elif what < 0.95:
            target.discard(offset, length)
        else:  # a whole object
            target.discard(offset & -4194304, min(4194304, size - (offset & -4194304)))
    target.flush()
