#!/usr/bin/env python3
"""Makes the bad volumes beside this script with varve_writer.py: each breaks one rule of docs/FORMAT.md.

Everything else of a volume is consistent: positions, checks, hashes and manifests are computed for the file as it is.
`expect.txt` has the rule in its first line, and what was done in the second. Where a rule cannot be broken all alone, a
third line `also: F0nn` names what a reader finds that overlooks it (section 8 of FORMAT.md has the order of checks).
"""
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from varve_writer import (  # noqa: E402
    BLOCK, MAGIC, MIB, SUFFIXES, State, Volume, blake3, chaining_value, compressed, delta, full, skippable, zeros_compressed)
from varve_reader import parents, value_of_zeros  # noqa: E402

CHUNK = 65536
PER_CHUNK = CHUNK // BLOCK
NO_TREE = ".zst", ".json", ".index"
CASES = []


def case(name, what, also=None, chunk=CHUNK):
    """Registers a function that fills the volume `name`, whose first four characters are the rule."""
    def register(function):
        CASES.append((name, what, also, chunk, function))
        return function
    return register


def blocks(first, count, seed="a"):
    """Blocks that all differ, and compress well."""
    return b"".join(f"{seed} {b:6} ".encode() * (BLOCK // 9) + b"." for b in range(first, first + count))


def chunks(first, count, seed="a"):
    return blocks(first * PER_CHUNK, count * PER_CHUNK, seed)


def patch(image, *pieces):
    image = bytearray(image)
    for offset, data in pieces:
        image[offset:offset + len(data)] = data
    return bytes(image)


# data, data, zero, zero, data, and 5,000 bytes: the zero chunks are one node
OLD = patch(chunks(0, 5) + blocks(5 * PER_CHUNK, 2)[:5000], (2 * CHUNK, bytes(2 * CHUNK)))
# in chunk 0 a block, in chunk 1 two zero blocks and one of data, chunk 4 zero, and some bytes at the end
NEW = patch(OLD, (3 * BLOCK, b"new"), (CHUNK + 5 * BLOCK, bytes(2 * BLOCK)), (CHUNK + 9 * BLOCK, b"new"),
            (4 * CHUNK, bytes(CHUNK)), (5 * CHUNK + 4990, b"new"))


def tampered_full(name, what, change, also=None, image=OLD, **options):
    @case(name, what, also)
    def make(volume):
        draft = full(image, CHUNK)
        change(draft)
        volume.save(draft, 1, **options)


def tampered_delta(name, what, change, also=None, old=OLD, new=NEW, **options):
    @case(name, what, also)
    def make(volume):
        draft = delta(volume.save(full(old, CHUNK), 1), new)
        change(draft)
        volume.save(draft, 2, **options)


def put(part, **fields):
    """A change of fields of one part of the draft, such as its header; numbers in lists are given as `at`."""
    def change(draft):
        target = draft
        for step in part.split("."):
            target = target[int(step)] if step.isdigit() else getattr(target, step)
        for field, value in fields.items():
            setattr(target, field, value(getattr(target, field)) if callable(value) else value)
    return change


def more(value):
    return value + 1


# ---- header and frames ----------------------------------------------------------------------------------------------

def relaid(change):
    """A change after which positions and sums are computed again."""
    def changed(draft):
        change(draft)
        draft.layout()
    return changed


tampered_full("F001_magic", "the header is a skippable frame with another magic", put("header", magic=MAGIC + 1))
tampered_full("F001_tag", "the header has another tag", put("header", tag=b"VARVEHDX"))
tampered_full("F001_empty", "no bytes at all", lambda draft: None, data=lambda raw: b"", only=NO_TREE)
tampered_full("F001_cut", "the file ends within the header", lambda draft: None, data=lambda raw: raw[:100],
              only=NO_TREE)
tampered_full("F001_length", "the header frame is 97 bytes long", relaid(put("header", extra=b"\0")), also="F023")
tampered_full("F002_magic", "the node frame has another skippable magic", put("tables.1", magic=MAGIC + 1))
tampered_full("F002_tag", "the extent frame has an unknown tag", put("tables.0", tag=b"VARVEXXX"))
tampered_delta("F002_order", "the node frame comes before the extent frame; both are of the same size",
               lambda draft: setattr(draft, "swap_tables", True), also="F019",
               new=patch(OLD, *[(b * BLOCK, b"new") for b in (0, 2, 4, 6)]))
tampered_full("F003_check", "a bit of the header's check is flipped", put("header", spoil_check=True))
tampered_full("F004_newer", "version 2", put("header", version=2))
tampered_full("F004_zero", "version 0", put("header", version=0))
tampered_full("F005_first", "feature bit 0 is set", put("header", features=1))
tampered_full("F005_last", "feature bit 63 is set", put("header", features=1 << 63))
tampered_full("F006_three", "kind 3", put("header", kind=3))
tampered_full("F006_zero", "kind 0", put("header", kind=0), also="F037")
tampered_full("F007_chunk-small", "chunks of 2^15 bytes", put("header", chunk=15), also="F037")
tampered_full("F007_chunk-large", "chunks of 2^25 bytes", put("header", chunk=25), also="F037")
tampered_full("F007_chunk-absurd", "chunks of 2^255 bytes", put("header", chunk=255), also="F037")
tampered_full("F007_block", "blocks of 2^13 bytes", put("header", block=13))
tampered_full("F008_reserved", "a reserved byte of the header is 1", put("header", reserved=256))
tampered_full("F009_size", "a full with the size of a parent", put("header", parent_size=CHUNK))
tampered_full("F009_root", "a full with the root of a parent", put("header", parent_root=blake3(b"parent")))


def frame(number, stored, content=None):
    """Another frame in place of one; content is the size that the node table gives."""
    def change(draft):
        draft.frames[number] = stored, content or draft.frames[number][1]
        draft.layout()
    return change


def undecodable(content):
    """A frame of content with one byte changed so that zstd refuses it though its blocks have their sizes."""
    good = compressed(content)
    for at in range(16, len(good)):
        bad = good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1:]
        if subprocess.run(["zstd", "-dcq"], input=bad, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            return bad
    raise AssertionError("zstd decodes all of them")


def raw_frame(content, stated, dictionary=b""):
    """A frame of one raw block, with a content size that need not be right, and a dictionary's number of 1 byte."""
    head = b"\x28\xB5\x2F\xFD" + bytes([0xA0 | len(dictionary)]) + dictionary + stated.to_bytes(4, "little")
    return head + (len(content) << 3 | 1).to_bytes(3, "little") + content


FIRST, LAST = OLD[:CHUNK], OLD[5 * CHUNK:]
tampered_full("F010_damaged", "a frame with one byte changed, so that it does not decode", frame(0, undecodable(FIRST)),
              also="F026")
tampered_full("F010_short", "a frame of one byte less than the node table says",
              frame(0, compressed(FIRST[:-1]), CHUNK), also="F026")
tampered_full("F010_long", "a frame of one byte more than the node table says",
              frame(0, compressed(FIRST + b"1"), CHUNK), also="F026")
tampered_full("F010_lie", "a frame that states the right size and decodes to one byte less",
              frame(4, raw_frame(LAST[:-1], 5000)), also="F026")
tampered_full("F010_no-size", "a frame without a content size",
              frame(0, subprocess.run(["zstd", "-qc"], input=FIRST, stdout=subprocess.PIPE, check=True).stdout))
tampered_full("F010_two-frames", "two frames, each of half of a chunk, where one has to be",
              frame(0, compressed(FIRST[:CHUNK // 2]) + compressed(FIRST[CHUNK // 2:])))
tampered_full("F010_skippable", "a skippable frame in the place of a data frame, behind it",
              frame(0, compressed(FIRST) + skippable(b"hidden")))
tampered_full("F010_dictionary", "a frame that names a dictionary", frame(4, raw_frame(LAST, 5000, b"\x07")),
              also="F026")


def rle_only(size):
    return b"\x28\xB5\x2F\xFD\x80\x38" + size.to_bytes(4, "little") + (size << 3 | 3).to_bytes(3, "little") + b"\0"


tampered_full("F011_compressed", "zeros as zstd compresses them", frame(2, compressed(bytes(2 * CHUNK))))
tampered_full("F011_run", "one block of a run of zeros, without the raw byte in front", frame(2, rle_only(2 * CHUNK)))
tampered_full("F011_window", "the right blocks, but a window of 256 KiB",
              frame(2, zeros_compressed(2 * CHUNK).replace(b"\x80\x38", b"\x80\x40", 1)))


@case("F012_content", "a frame of 48 MiB: three chunks of a delta", chunk=16 * MIB)
def large_frame(volume):
    parent = volume.save(full(bytes(48 * MIB), volume.chunk), 1)
    volume.save(delta(parent, b"1" * (48 * MIB), frame_size=48 * MIB), 2)


def rows(function):
    def change(draft):
        draft.seek_rows = function(draft.seek_rows)
    return change


tampered_full("F013_foot", "the last four bytes are another magic", put("seek", foot=0x8F92EAB2))
tampered_full("F013_head", "the seek table's frame has the magic of our own frames", put("seek", magic=MAGIC))
tampered_full("F013_descriptor", "the descriptor says that rows have checksums", put("seek", descriptor=0x80))
tampered_full("F013_reserved", "a reserved bit of the descriptor is set", put("seek", descriptor=0x04))
tampered_full("F013_size", "the frame's content size is one more", put("seek", size=9 + 8 * 9 + 1), also="F010")
tampered_full("F013_header-only", "the file ends after the header", lambda draft: None, data=lambda raw: raw[:104],
              only=NO_TREE)
tampered_full("F013_count", "one row more is counted than there is", put("seek", count=10), also="F027")
tampered_full("F013_count-absurd", "2^32 - 1 rows are counted", put("seek", count=0xFFFFFFFF))
tampered_full("F013_stored", "a row has another compressed size",
              rows(lambda r: [*r[:1], (r[1][0] + 1, r[1][1]), *r[2:]]))
tampered_full("F013_content", "a row has another decompressed size", rows(lambda r: [*r[:1], (r[1][0], 1), *r[2:]]))
tampered_full("F013_missing", "no row for the header", rows(lambda r: r[1:]))
tampered_full("F013_extra", "a row for a frame that does not exist", rows(lambda r: r + [(0, 0)]))
tampered_full("F013_after", "a byte after the seek table", put("seek", after=b"\0"), also="F027")
tampered_full("F013_frame-after", "a skippable frame after the seek table", put("seek", after=skippable(bytes(24))),
              also="F027")


# ---- extents --------------------------------------------------------------------------------------------------------

def one_node(name, what, extents, new, also=None):
    """A delta of chunk 0 only, with extents as (first block, count, state) that make `new` of OLD."""
    def change(draft):
        payload = b"".join(new[b * BLOCK:(b + n) * BLOCK] for b, n, state in extents if state)
        draft.extents, draft.frames = [list(x) for x in extents], [(compressed(payload), len(payload))]
        draft.layout()
    tampered_delta(name, what, change, also, new=new)


CHANGED = patch(OLD, (0, b"new"), (BLOCK, b"new"), (2 * BLOCK, b"new"), (3 * BLOCK, b"new"))
tampered_full("F014_extent", "a full with an extent row", relaid(lambda d: d.extents.append([0, 1, 1])), also="F024")
one_node("F015_order", "two extents change places", [(2, 2, 1), (0, 1, 0)],
         patch(OLD, (0, bytes(BLOCK)), (2 * BLOCK, b"new"), (3 * BLOCK, b"new")))
one_node("F015_overlap", "two extents share a block", [(0, 4, 1), (3, 2, 0)],
         patch(CHANGED, (3 * BLOCK, bytes(2 * BLOCK))))
one_node("F015_empty", "an extent of no blocks", [(0, 4, 1), (9, 0, 0)], CHANGED)
tampered_delta("F015_state", "an extent of state 2", lambda d: d.extents[0].__setitem__(2, 2))
tampered_delta("F015_end", "the last extent reaches past the end of the device",
               lambda d: d.extents[-1].__setitem__(1, d.extents[-1][1] + 1), also="F016")
tampered_delta("F015_absurd", "an extent begins at the last block that a number can have",
               lambda d: d.extents[-1].__setitem__(0, (1 << 64) - 1), also="F016")


def one_extent_for_two(draft):
    draft.extents[:] = [[0, 2 * PER_CHUNK, 1]]
    draft.nodes[1].extent = 1
    draft.layout()


tampered_delta("F016_two-nodes", "one extent for two chunks", one_extent_for_two, also="F023",
               new=chunks(0, 2, "b") + OLD[2 * CHUNK:])


def orphan(draft):
    draft.extents.insert(1, [3 * PER_CHUNK, 1, 0])
    draft.layout()


tampered_delta("F016_nowhere", "an extent in a chunk that the delta does not list", orphan,
               new=patch(OLD, (0, b"new"), (4 * CHUNK, b"new")))
tampered_delta("F016_after-all", "an extent after the last node", orphan, new=patch(OLD, (0, b"new")))
one_node("F017_data", "two data extents that touch", [(0, 2, 1), (2, 2, 1)], CHANGED)
one_node("F017_zero", "two zero extents that touch", [(0, 1, 1), (4, 1, 0), (5, 1, 0)],
         patch(OLD, (0, b"new"), (4 * BLOCK, bytes(2 * BLOCK))))


# ---- nodes ----------------------------------------------------------------------------------------------------------

def kept(draft, first, count, zero, value, at=None):
    """Adds a node without extents."""
    draft.add_node(first, count, zero, value)
    node = draft.nodes.pop()
    at = len(draft.nodes) if at is None else at
    node.extent = len(draft.extents) if at == len(draft.nodes) else draft.nodes[at].extent
    draft.nodes.insert(at, node)
    draft.layout()


def value_of(image, first):
    return chaining_value(image[first * CHUNK:(first + 1) * CHUNK], first * CHUNK)


def kept_pair(draft):
    kept(draft, 1, 1, False, value_of(OLD, 1), 0)
    kept(draft, 0, 1, False, value_of(OLD, 0), 1)


AT_END = patch(OLD, (5 * CHUNK, b"new"))
tampered_delta("F018_order", "two kept nodes change places", kept_pair, also="F031", new=AT_END)
tampered_delta("F018_twice", "one chunk is listed twice", lambda d: kept(d, 5, 1, False, d.nodes[0].hash), new=AT_END,
               also="F031")


@case("F018_end", "a kept zero node after the end of the device, where the parent has zeros", also="F031")
def node_after_end(volume):
    parent = volume.save(full(chunks(0, 6) + bytes(2 * CHUNK), CHUNK), 1)
    draft = delta(parent, patch(parent.image[:6 * CHUNK], (0, b"new")))
    kept(draft, 6, 2, True, parent.nodes[-1][3])
    volume.save(draft, 2)


tampered_delta("F018_absurd", "a kept node with the largest chunk number", also="F031",
               change=lambda d: kept(d, (1 << 32) - 1, 1, False, d.nodes[0].hash), new=AT_END)


@case("F019_two", "a data node of two chunks, with the hash of both")
def two_chunks(volume):
    draft = full(chunks(0, 3), CHUNK)
    pair = chunks(0, 2)
    draft.nodes.pop(1)
    draft.nodes[0].count, draft.nodes[0].hash = 2, chaining_value(pair, 0)
    draft.nodes[1].frame = 1
    draft.frames[:2] = [(compressed(pair), len(pair))]
    volume.save(draft.layout(), 1)


tampered_delta("F019_none", "a kept data node of no chunks", lambda d: kept(d, 1, 0, False, bytes(32), 0), new=AT_END,
               also="F026")


def without(number):
    """A full without one of its nodes and the frame of that."""
    def change(draft):
        draft.nodes.pop(number)
        draft.frames.pop(number)
        for i, node in enumerate(draft.nodes):
            node.frame = i
        draft.layout()
    return change


tampered_full("F020_start", "a full does not list chunk 0", without(0), also="F030")
tampered_full("F020_gap", "a full does not list chunk 1", without(1), also="F030")
tampered_full("F020_end", "a full does not list its last chunk", without(4), also="F030")


def zero_nodes(name, what, size, nodes, also=None):
    """A full of zero chunks only, with nodes as (first, count, hash or None) given."""
    @case(name, what, also)
    def make(volume):
        draft = full(bytes(size * CHUNK), CHUNK)
        state = draft.state
        draft.nodes, draft.frames = [], []
        for first, count, value in nodes:
            content = count * CHUNK
            draft.frames.append((zeros_compressed(content), content))
            draft.add_node(first, count, True, value or value_of_zeros(first * CHUNK, content),
                           frame=len(draft.frames) - 1)
        if len(nodes) == 1:
            state.root = draft.nodes[0].hash
        volume.save(draft.layout(), 1)


def pair_of_zeros(first):
    return parents(value_of_zeros(first * CHUNK, CHUNK) + value_of_zeros((first + 1) * CHUNK, CHUNK))


zero_nodes("F021_split", "two zero nodes that should be one", 4, [(0, 1, None), (1, 1, None), (2, 2, None)])
zero_nodes("F021_whole", "one zero node for all of a device of four chunks, its hash is the root", 4,
           [(0, 4, parents(pair_of_zeros(0) + pair_of_zeros(2), 8))], also="F026")
zero_nodes("F021_unaligned", "a zero node of two chunks that begins at chunk 1", 4,
           [(0, 1, None), (1, 2, pair_of_zeros(1)), (3, 1, None)], also="F031")


@case("F021_large", "a kept zero node of 128 MiB", chunk=16 * MIB)
def large_zero_node(volume):
    parent = volume.save(full(bytes(144 * MIB + 1), volume.chunk), 1)
    draft = delta(parent, parent.image[:-1] + b"1")
    kept(draft, 0, 8, True, value_of_zeros(0, 128 * MIB), 0)
    volume.save(draft, 2)


@case("F021_kept", "the two kept zero nodes of a delta that should be one")
def split_kept(volume):
    parent = volume.save(full(bytes(4 * CHUNK) + chunks(4, 1), CHUNK), 1)
    draft = delta(parent, patch(parent.image, (0, b"new")))
    draft.nodes = [n for n in draft.nodes if n.first < 2]
    for c in 2, 3:
        kept(draft, c, 1, True, value_of_zeros(c * CHUNK, CHUNK))
    volume.save(draft, 2)


HALF = patch(OLD, (0, bytes(CHUNK // 2)))


def becomes_zero(extents):
    """Chunk 0, of which the first half was zero, becomes zero by other extents than the one that covers it."""
    def change(draft):
        draft.extents = [list(x) for x in extents]
        payload = sum(n for _, n, state in extents if state) * BLOCK
        if payload:
            draft.frames, draft.nodes[0].frame = [(compressed(bytes(payload)), payload)], 0
        draft.layout()
    return change


ZEROED = patch(OLD, (0, bytes(CHUNK)))
tampered_delta("F022_part", "a zero node whose extent covers just what was not zero", becomes_zero([(8, 8, 0)]),
               old=HALF, new=ZEROED)
tampered_delta("F022_two", "a zero node with two extents, what lies between them was zero before",
               becomes_zero([(0, 2, 0), (6, 10, 0)]), old=HALF, new=ZEROED)
tampered_delta("F022_data", "a zero node with a data extent of zeros", becomes_zero([(0, 16, 1)]), old=HALF, new=ZEROED)


def kept_over_data(draft):
    draft.extents = []
    draft.layout()


tampered_delta("F022_kept", "a kept zero node where the parent has data", kept_over_data, also="F026", new=ZEROED)


def hidden(at, stored, content=0):
    """Puts a frame that no node refers to in front of a frame, with a row of its own in the seek table."""
    def change(draft):
        draft.frames.insert(at, (stored, content))
        for node in draft.nodes:
            if node.frame is not None and node.frame >= at:
                node.frame += 1
        draft.layout()
        draft.summary.frames -= 1
    return change


NOTHING = compressed(b"")
tampered_full("F023_first", "a skippable frame in front of the first data frame", hidden(0, skippable(b"hidden")),
              also="F013")
tampered_full("F023_gap", "a skippable frame between two data frames", hidden(1, skippable(b"hidden")), also="F013")
tampered_full("F023_nothing", "a zstd frame of no bytes between two data frames", hidden(1, NOTHING), also="F013")
tampered_full("F023_last", "a skippable frame behind the last data frame", hidden(5, skippable(b"hidden")), also="F013")
tampered_delta("F023_position", "nodes that share a frame differ in its position", put("nodes.1", position=more))
tampered_delta("F023_stored", "nodes that share a frame differ in its compressed size", put("nodes.1", stored=more))
tampered_delta("F023_content", "nodes that share a frame differ in its content size", put("nodes.1", content=more))
tampered_delta("F023_begin", "a payload begins one byte behind the one before", put("nodes.1", begin=more))
tampered_delta("F023_without", "a node without payload names a frame", put("nodes.2", position=104))


def rest(draft):
    content = b"".join(NEW[b * BLOCK:(b + n) * BLOCK] for b, n, state in draft.extents if state) + b"rest"
    draft.frames = [(compressed(content), len(content))]
    draft.layout()


def swap_frames(draft):
    draft.frames[0], draft.frames[1] = draft.frames[1], draft.frames[0]
    draft.nodes[0].frame, draft.nodes[1].frame = 1, 0
    draft.layout()


tampered_delta("F023_rest", "a frame holds four bytes more than the payloads of its nodes", rest, also="F010")
tampered_full("F023_order", "the frames of two nodes change places", swap_frames, also="F013")
tampered_full("F024_full", "a node of a full has an extent row", put("nodes.1", extent=1))
tampered_delta("F024_first", "the first node's extents begin with row 1", put("nodes.0", extent=1))
tampered_delta("F024_second", "the second node's extents begin one row late", put("nodes.1", extent=more))
tampered_delta("F024_kept", "a kept node at the end has row 0", new=patch(OLD, (0, b"new")),
               change=lambda d: (kept(d, 4, 1, False, value_of(OLD, 4)), put("nodes.1", extent=0)(d)))


# ---- the parent -----------------------------------------------------------------------------------------------------

TWO, THREE = chunks(0, 2), chunks(0, 2) + chunks(2, 1)[:CHUNK // 2] + bytes(CHUNK // 2)


def half_listed(draft):
    draft.extents = [[2 * PER_CHUNK, 8, 1]]
    draft.frames = [(compressed(THREE[2 * CHUNK:2 * CHUNK + 8 * BLOCK]), 8 * BLOCK)]
    draft.layout()


def not_covered(draft):
    draft.extents, draft.frames, draft.nodes[-1].frame = [], [], None
    draft.layout()


def not_listed(draft):
    draft.nodes.pop()
    not_covered(draft) if draft.nodes else setattr(draft, "extents", [])
    draft.frames = []
    draft.layout()


tampered_delta("F025_block", "a device grows by a chunk, of which only a half has an extent", half_listed,
               old=TWO, new=THREE)
tampered_delta("F025_length", "the last block grows, but no extent covers it", not_covered,
               old=TWO + bytes(50) + b"1" * 50, new=TWO + bytes(50) + b"1" * 50 + bytes(50))
tampered_delta("F025_chunk", "a device grows by a chunk that is not listed", not_listed, also="F031",
               old=TWO, new=THREE)
tampered_delta("F025_zero", "a device grows by a zero chunk that is listed as kept", not_covered,
               old=TWO, new=TWO + bytes(CHUNK))


def other_content(draft):
    content = b"".join(NEW[b * BLOCK:(b + n) * BLOCK] for b, n, state in draft.extents if state)
    draft.frames = [(compressed(b"X" + content[1:]), len(content))]
    draft.layout()


def combined_again(draft):
    """The root that the hashes of the draft's nodes give."""
    listed = {n.first: (n.first, n.count, n.zero, n.hash) for n in draft.nodes}
    nodes = [listed.get(n[0], n) for n in draft.state.nodes]
    draft.state.root = State(draft.state.image, draft.chunk, nodes).root
    draft.layout()


def other_hash(number, value):
    def change(draft):
        draft.nodes[number].hash = value
        combined_again(draft)
    return change


tampered_full("F026_content", "the first byte of chunk 0 is another", frame(0, compressed(b"X" + FIRST[1:])))
tampered_delta("F026_payload", "the first byte of a delta's payload is another", other_content)
tampered_full("F026_zero", "a zero node has another hash", other_hash(2, blake3(b"other")))
tampered_full("F026_place", "the hash of chunk 1 is computed as if it were chunk 0",
              other_hash(1, chaining_value(OLD[CHUNK:2 * CHUNK], 0)))
tampered_full("F026_small", "the hash of the only node is a chaining value and not a root",
              other_hash(0, chaining_value(FIRST, 0)), image=FIRST)
tampered_delta("F026_kept", "a kept node has another hash", new=AT_END,
               change=lambda d: (kept(d, 1, 1, False, blake3(b"other"), 0), combined_again(d)))


# ---- summary and limits ---------------------------------------------------------------------------------------------

tampered_full("F027_tag", "the summary has another tag", put("summary", tag=b"VARVEENX"))
tampered_full("F027_check", "a bit of the summary's check is flipped", put("summary", spoil_check=True))
tampered_full("F027_reserved", "a reserved byte of the summary is 1", put("summary", reserved=bytes(15) + b"\1"))
tampered_full("F027_length", "the summary is 193 bytes long", also="F028",
              change=lambda d: (put("summary", extra=b"\0")(d), d.seek_rows.__setitem__(-1, (201, 0))))


def repeats(volume, draft, at):
    """Lets the summary repeat the header with another byte at a position of the header."""
    header = bytearray(draft.encode(volume.volume_id)[0][8:88])
    header[at] ^= 1
    draft.summary.repeated = bytes(header[8:])


@case("F028_volume", "the summary names another volume id")
def summary_of_other_volume(volume):
    draft = full(OLD, CHUNK)
    repeats(volume, draft, 24)
    volume.save(draft, 1)


@case("F028_parent", "the summary names another parent's root")
def summary_of_other_parent(volume):
    draft = delta(volume.save(full(OLD, CHUNK), 1), NEW)
    repeats(volume, draft, 79)
    volume.save(draft, 2)


tampered_delta("F029_extents", "one extent row more is counted than there is", put("summary", extents=more))
tampered_delta("F029_nodes", "one node row less is counted than there is", put("summary", nodes=lambda n: n - 1))
tampered_full("F029_position", "the index region is said to begin one byte late", put("summary", position=more),
              also="F023")
tampered_full("F029_rest", "four bytes follow the rows of the node table",
              change=lambda d: (put("tables.1", extra=b"rest")(d), d.seek_rows.__setitem__(-2, (16 + 64 * 5 + 4, 0))))
tampered_delta("F030_payload", "the payload is one byte more than said", put("summary", payload=lambda n: n - 1))
tampered_full("F030_frames", "one frame more is counted than there is", put("summary", frames=more))
tampered_full("F031_full", "the root is not what the nodes combine to", also="F026",
              change=put("summary", root=blake3(b"other")))
tampered_delta("F031_delta", "the root is not what the nodes and those of the parent combine to", also="F026",
               change=put("summary", root=blake3(b"other")))


def not_kept(draft):
    """Without the nodes that have no extents."""
    draft.nodes = [n for n in draft.nodes if any(
        n.first * PER_CHUNK <= first < (n.first + n.count) * PER_CHUNK for first, _, _ in draft.extents)]
    draft.layout()


tampered_delta("F031_grown", "a device grows from one chunk to two, and chunk 0 is not kept", not_kept,
               old=FIRST, new=OLD[:2 * CHUNK])


@case("F032_size", "a delta in which nothing changed, of a device of 4 TiB and one byte")
def large_device(volume):
    draft = delta(State(b"", CHUNK, []), b"")
    draft.summary.size = draft.header.parent_size = (CHUNK << 26) + 1
    volume.save(draft, 1)


@case("F032_parent", "a delta that cuts a device of 2^63 - 1 bytes down to nothing")
def large_parent(volume):
    draft = delta(State(b"", CHUNK, []), b"")
    draft.header.parent_size, draft.header.parent_root = (1 << 63) - 1, blake3(b"large")
    volume.save(draft, 1)


tampered_full("F033_nodes", "2^26 node rows are counted", put("summary", nodes=1 << 26), also="F029")
tampered_full("F033_absurd", "2^64 - 1 node rows are counted", put("summary", nodes=(1 << 64) - 1), also="F029")
tampered_delta("F034_extents", "2^27 + 1 extent rows are counted", put("summary", extents=(1 << 27) + 1), also="F029")
tampered_delta("F034_absurd", "2^60 extent rows are counted, which are 0 bytes if 64 bits overflow", also="F029",
               change=put("summary", extents=1 << 60))


# ---- manifests ------------------------------------------------------------------------------------------------------

def manifest_text(name, what, change, also=None, label="one\ttwo"):
    tampered_full(name, what, lambda draft: None, also, image=FIRST, label=label, json=lambda raw: sealed(change(raw)))


def sealed(raw):
    """Makes `check` right again, if it is still there."""
    at = raw.rfind(b'  "check": "')
    return raw if at < 0 else raw[:at + 12] + blake3(raw[:at]).hex().encode() + raw[at + 76:]


def replaced(old, new):
    def change(raw):
        assert raw.count(old) == 1, old
        return raw.replace(old, new)
    return change


manifest_text("F035_garbage", "no JSON at all", lambda raw: b"garbage\n")
manifest_text("F035_cut", "the last line is missing", lambda raw: raw[:-2])
manifest_text("F035_array", "an array around it", lambda raw: b"[" + raw[:-1] + b"]\n")
manifest_text("F035_deep", "60,000 nested arrays", lambda raw: b"[" * 60000)
manifest_text("F035_order", "kind comes before archive", lambda raw: b"\n".join(
    [*raw.split(b"\n")[:2], *raw.split(b"\n")[3:1:-1], *raw.split(b"\n")[4:]]))
manifest_text("F035_missing", "there is no host", replaced(b'  "host": "archiver",\n', b""))
manifest_text("F035_extra", "there is one member more", replaced(b'  "host"', b'  "guest": "archiver",\n  "host"'))
manifest_text("F035_twice", "host is there twice", replaced(b'  "host"', b'  "host": "archiver",\n  "host"'))
manifest_text("F035_space", "a space before a comma", replaced(b'"archiver",', b'"archiver" ,'))
manifest_text("F035_indent", "one line is indented by a tab", replaced(b'  "host"', b'\t"host"'))
manifest_text("F035_crlf", "lines end with CR and LF", lambda raw: raw.replace(b"\n", b"\r\n"))
manifest_text("F035_end", "the last line has no end", lambda raw: raw[:-1])
manifest_text("F035_after", "an empty line after the last one", lambda raw: raw + b"\n")
manifest_text("F035_mark", "a byte order mark in front", lambda raw: b"\xEF\xBB\xBF" + raw)
manifest_text("F035_utf-8", "a label that is not UTF-8", replaced(b"one", b"on\xE9"))
manifest_text("F035_overlong", "a label with a slash in two bytes", replaced(b"one", b"on\xC0\xAF"))
manifest_text("F035_surrogate", "a label with half of a surrogate pair", replaced(b"one", b"on\\ud800"))
manifest_text("F035_escape", "a letter of the label is escaped", replaced(b"one", b"\\u006fne"))
manifest_text("F035_slash", "an escaped slash", replaced(b"one", b"\\/"))
manifest_text("F035_tab", "a tab is escaped as \\t", replaced(b"\\u0009", b"\\t"))
manifest_text("F035_digits", "an escape with an upper-case digit", replaced(b"\\u000b", b"\\u000B"), label="one\x0btwo")
manifest_text("F035_raw", "a tab that is not escaped", replaced(b"\\u0009", b"\t"))
manifest_text("F035_string", "a size in quotes", replaced(b'"blockSize": 4096', b'"blockSize": "4096"'), also="F036")
manifest_text("F035_fraction", "a size with a fraction", replaced(b'"blockSize": 4096', b'"blockSize": 4096.0'))
manifest_text("F035_power", "a size with an exponent", replaced(b'"blockSize": 4096', b'"blockSize": 4096e0'))
manifest_text("F035_zero", "a size with a zero in front", replaced(b'"blockSize": 4096', b'"blockSize": 04096'))
manifest_text("F035_negative", "a negative size", replaced(b'"blockSize": 4096', b'"blockSize": -4096'), also="F036")
manifest_text("F035_true", "a number that is true", replaced(b'"sequence": 1', b'"sequence": true'))
manifest_text("F035_null", "a host that is null", replaced(b'"archiver"', b"null"))
manifest_text("F035_large", "a size of 2^63", replaced(b'"blockSize": 4096', b'"blockSize": 9223372036854775808'),
              also="F036")
manifest_text("F035_huge", "a size of 5,000 digits", replaced(b'"blockSize": 4096', b'"blockSize": ' + b"4" * 5000))
manifest_text("F035_format", "a format that does not exist", replaced(b"varve-manifest-1", b"varve-manifest-0"))
manifest_text("F035_long", "64 KiB and one byte, because of a long label",
              lambda raw: raw.replace(b"one", b"1" * (65536 + 1 - len(raw) + 3)))


tampered_full("F043_host", "one bit of the host's name is flipped", lambda draft: None, image=FIRST,
              json=lambda raw: raw.replace(b"archiver", b"archives"))
tampered_full("F043_check", "one digit of the check itself is another", lambda draft: None, image=FIRST,
              json=lambda raw: raw[:-5] + (b"0" if raw[-5:-4] != b"0" else b"1") + raw[-4:])


def manifest_full(name, what, also=None, base=None, only=NO_TREE, **fields):
    """A full with other values in its manifest. `base` is its name instead of the right one, or what follows the name
    of the volume in it."""
    @case(name, what, also)
    def make(volume):
        def change(members):
            for member, value in fields.items():
                members[member] = value(members[member]) if callable(value) else value
            if stem:
                members["archive"] = stem + ".zst"
        stem = base if base is None or base[:1].isalpha() else f"{volume.name}.{base}"
        volume.save(full(FIRST, CHUNK), 1, change=change, name=stem, only=only)


def manifest_delta(name, what, also=None, **fields):
    @case(name, what, also)
    def make(volume):
        def change(members):
            for member, value in fields.items():
                members[member] = value(members[member]) if callable(value) else value
        volume.save(delta(volume.save(full(OLD, CHUNK), 1), NEW), 2, change=change)


ROOT = blake3(b"other").hex()
TIME = "20261101T020000.123Z"
manifest_full("F036_kind", "a kind that does not exist", kind="half", also="F037")
manifest_full("F036_volume", "a name with a space", volume="bad name", base=f"bad name.{TIME}.full")
manifest_full("F036_long", "a name of 65 characters", volume="v" * 65, base=f"{'v' * 65}.{TIME}.full")
manifest_full("F036_uuid", "a volume id in upper case", volumeId=lambda v: v.upper(), also="F037")
manifest_full("F036_file", "the files have another time than the manifest", base="20261102T020000.123Z.full")
manifest_full("F036_archive", "the archive's name is another", archive=lambda v: v.replace("01T02", "01T03"))
manifest_full("F036_month", "month 13", time="2026-13-01T02:00:00.123Z", base="20261301T020000.123Z.full")
manifest_full("F036_day", "30 February", time="2026-02-30T02:00:00.123Z", base="20260230T020000.123Z.full")
manifest_full("F036_hour", "hour 24", time="2026-11-01T24:00:00.123Z", base="20261101T240000.123Z.full")
manifest_full("F036_zone", "a time zone instead of Z", finished="2026-11-01T02:00:01.456+00:00")
manifest_full("F036_fraction", "a finish without milliseconds", finished="2026-11-01T02:00:01Z")
manifest_full("F036_sequence", "number 0", sequence=0, previous=ROOT)
manifest_full("F036_first", "the first manifest has a previous one", previous=ROOT)
manifest_delta("F036_second", "the second manifest has no previous one", previous=None, also="F040")
manifest_full("F036_root", "a root in upper case", root=lambda v: v.upper(), also="F037")
manifest_full("F036_hash", "a file hash of 63 digits", fileHash=lambda v: v[:-1], also="F038")
manifest_full("F036_chunk", "a chunk size that is no power of two", chunkSize=100000, also="F037")
manifest_full("F036_chunk-large", "chunks of 32 MiB", chunkSize=32 * MIB, also="F037")
manifest_full("F036_block", "blocks of 512 bytes", blockSize=512)
manifest_full("F036_parent", "a full with a parent", parentSize=5, parentRoot=ROOT, also="F037")
manifest_full("F036_parent-size", "a full with the size of a parent", parentSize=0, also="F037")
manifest_delta("F036_orphan", "a delta without a parent", parentSize=None, parentRoot=None, also="F037")
manifest_full("F036_changed", "a full of which less than its size is changed", changedSize=1, also="F037")
manifest_full("F036_payload", "a full with less payload than its size", payloadSize=1, also="F037")
manifest_delta("F036_payload-large", "a delta with more payload than was changed", payloadSize=lambda v: v + (1 << 20),
               also="F037")
manifest_delta("F036_changed-large", "a delta of which more than its size is changed", changedSize=1 << 40, also="F037")

manifest_full("F037_kind", "a full whose manifest says delta", kind="delta", parentSize=5, parentRoot=ROOT,
              base=f"{TIME}.delta", also="F025")
manifest_full("F037_volume", "another volume id", volumeId=lambda v: "0" + v[1:] if v[0] != "0" else "1" + v[1:])
manifest_full("F037_chunk", "another chunk size", chunkSize=2 * CHUNK)
manifest_full("F037_size", "another size", size=more, changedSize=more, payloadSize=more, also="F026")
manifest_full("F037_root", "another root", root=ROOT, also="F026")
manifest_delta("F037_parent-size", "another parent's size", parentSize=more)
manifest_delta("F037_parent-root", "another parent's root", parentRoot=ROOT)
manifest_delta("F037_changed", "another changed size", changedSize=more)
manifest_delta("F037_payload", "another payload size", payloadSize=lambda v: v - 1)
manifest_full("F038_size", "a file of one byte more is expected", fileSize=more)
manifest_full("F038_hash", "another file hash", fileHash=ROOT)
manifest_full("F039_hash", "another index hash", indexHash=ROOT)
manifest_full("F039_size", "an index of one byte less is expected", indexSize=lambda v: v - 1, also="F029")
manifest_full("F039_absurd", "an index of 2^62 bytes is expected", indexSize=1 << 62)


def copied_index(name, what, change):
    tampered_full(name, what, lambda draft: None, image=FIRST, index=change)


copied_index("F039_copy", "one bit of X.index is flipped", lambda raw: raw[:50] + bytes([raw[50] ^ 1]) + raw[51:])
copied_index("F039_longer", "X.index has a byte more", lambda raw: raw + b"\0")
copied_index("F039_shorter", "X.index ends early", lambda raw: raw[:-1])
copied_index("F039_empty", "X.index is empty", lambda raw: b"")


@case("F040_volume", "two volumes in one folder")
def two_volumes(volume):
    volume.save(full(FIRST, CHUNK), 1)
    volume.volume_id = blake3(b"other")[:16]
    volume.save(full(FIRST, CHUNK), 2)


@case("F040_chunk", "two fulls with different chunk sizes")
def two_chunk_sizes(volume):
    volume.save(full(FIRST, CHUNK), 1)
    volume.chunk = 2 * CHUNK
    volume.save(full(FIRST, 2 * CHUNK), 2)


@case("F040_number", "two archives with number 1")
def same_number(volume):
    volume.save(full(FIRST, CHUNK), 1)
    volume.sequence, volume.previous = 0, None
    volume.save(full(FIRST, CHUNK), 2)


def derived_full(name, what, also=None, base=None, image=NEW, gone=False, **fields):
    """Two points in time, and a full derived of the second, with other values in its manifest. `base` is what follows the
    volume's name in its own instead of the right one; `gone` says that the original archive of the second is."""
    @case(name, what, also)
    def make(volume):
        def change(members):
            members.update(fields)
            if base:
                members["archive"] = f"{volume.name}.{base}.zst"
        state = volume.save(full(OLD, CHUNK), 1)
        volume.save(delta(state, NEW), 2)
        if gone:
            volume.save(full(NEW, CHUNK), 2, derived=True)
            for suffix in SUFFIXES:
                os.remove(os.path.join(volume.folder, f"{volume.name}.{SECOND}.delta{suffix}"))
        draft = delta(volume.save(full(image, CHUNK), 3), NEW) if gone else full(image, CHUNK)
        volume.save(draft, 2, derived=True, change=change, name=base and f"{volume.name}.{base}")


SECOND = "20261102T020000.123Z"
derived_full("F036_original", "the original is named in upper case", original=ROOT.upper(), also="F040")
derived_full("F036_digest", "a derived archive has no digits in its name", base=f"{SECOND}.full")
derived_full("F036_digest-other", "a derived archive has the digits of another in its name", base=f"{SECOND}.0123abcd.full")
manifest_full("F036_digest-original", "an original archive has digits in its name", base=f"{TIME}.0123abcd.full")
derived_full("F040_original", "a derived archive names another original than there is", original=ROOT)
derived_full("F040_two-originals", "two derived archives of one point name different originals", original=ROOT, gone=True)
derived_full("F040_label", "a derived archive has a label, the original has none", label="other")
derived_full("F040_host", "a derived archive says another host than the original", host="other")
derived_full("F040_state", "a derived archive leads to another state than the original", image=OLD)


@case("F040_previous-derived", "the third manifest names a derived one before it")
def derived_before(volume):
    state = volume.save(delta(volume.save(full(OLD, CHUNK), 1), NEW), 2)
    volume.save(full(NEW, CHUNK), 2, derived=True)
    with open(os.path.join(volume.folder, volume.saved + ".json"), "rb") as file:
        volume.previous = blake3(file.read()).hex()
    volume.save(delta(state, OLD), 3)


@case("F040_previous", "the second manifest names another one before it")
def other_previous(volume):
    volume.save(full(FIRST, CHUNK), 1)
    volume.previous = ROOT
    volume.save(full(FIRST, CHUNK), 2)


def tree(name, what, change, also=None):
    tampered_full(name, what, lambda draft: None, also, image=FIRST, tree=change)


tree("F041_tag", "another tag", lambda raw: b"VARVETRX" + raw[8:])
tree("F041_version", "version 2", lambda raw: raw[:8] + b"\2" + raw[9:])
tree("F041_group", "groups of 2^21 bytes", lambda raw: raw[:12] + b"\x15" + raw[13:])
tree("F041_size", "the size of another file", lambda raw: raw[:16] + b"\1" + raw[17:])
tree("F041_more", "one value more than there are groups", lambda raw: raw + bytes(32))
tree("F041_less", "no value", lambda raw: raw[:-32])
tree("F041_cut", "the last byte is missing", lambda raw: raw[:-1], also="F042")
tree("F041_empty", "an empty file", lambda raw: b"")
tree("F042_value", "another value", lambda raw: raw[:24] + blake3(b"other"))


@case("F042_values", "the values of two groups change places", chunk=MIB)
def swapped_groups(volume):
    noise, seed = b"", b"noise"
    while len(noise) < 20000:
        seed = blake3(seed)
        noise += seed
    image = (noise * 60)[:MIB + 70000]
    draft = full(image, volume.chunk)
    draft.frames = [(raw_blocks(image[at:at + MIB]), len(image[at:at + MIB])) for at in (0, MIB)]
    volume.save(draft.layout(), 1, tree=lambda raw: raw[:24] + raw[56:88] + raw[24:56])


def raw_blocks(content):
    """A frame that does not compress, so that a small image makes a file of two groups."""
    out = b"\x28\xB5\x2F\xFD\xA0" + len(content).to_bytes(4, "little")
    for at in range(0, len(content), 131072):
        piece = content[at:at + 131072]
        out += (len(piece) << 3 | (at + len(piece) == len(content))).to_bytes(3, "little") + piece
    return out


# ---- receipts --------------------------------------------------------------------------------------------------------

def receipts(name, what, save, change=lambda volume: None, also=None):
    """Three receipts, of which `change` makes one more, written by `save`."""
    @case(name, what, also)
    def make(volume):
        volume.save(full(FIRST, CHUNK), 1)
        volume.receipt("archive").receipt().receipt("restore", depth="content")
        change(volume)
        save(volume)


def altered_receipt(name, what, change):
    receipts(name, what, Volume.save_receipts, lambda volume: volume.receipt(change=change))


def in_archive(**members):
    return lambda line: line["archives"].__setitem__(0, dict(line["archives"][0], **members))


altered_receipt("F044_format", "another format", lambda line: line.update(format="receipt"))
altered_receipt("F044_member", "a member is missing", lambda line: line.pop("about"))
altered_receipt("F044_more", "a member too many", lambda line: line.update(more=1))
altered_receipt("F044_order", "host and tool change places", lambda line: line.update(
    {k: line.pop(k) for k in list(line)[list(line).index("tool"):] + ["host"]}))
altered_receipt("F044_result", "an unknown result", lambda line: line.update(result="fine"))
altered_receipt("F044_time", "the 31st of November", lambda line: line.update(started="2026-11-31T03:00:00.000Z"))
altered_receipt("F044_number", "a number that is a text", lambda line: line.update(findings="0"))
altered_receipt("F044_hash", "a file hash of 63 digits", in_archive(fileHash="0" * 63))
altered_receipt("F044_range", "an empty range", in_archive(proved=[[5, 5]]))
altered_receipt("F044_touch", "two ranges that touch", in_archive(proved=[[0, 5], [5, 9]]))
altered_receipt("F044_past", "a range that reaches past the end of the file", in_archive(proved=[[0, 1 << 40]]))
altered_receipt("F044_both", "bytes that are proved and damaged",
                in_archive(proved=[[0, 5]], damaged=[[4, 9]], result="damaged"))
altered_receipt("F044_ok", "damage that is ok", in_archive(proved=[], damaged=[[4, 9]]))
receipts("F044_spaces", "a space behind each comma of a line",
         lambda volume: volume.save_receipts(), lambda volume: volume.receipts.append(
             volume.receipt().receipts.pop().replace(b',"', b', "')))
receipts("F044_damaged", "no JSON in the second line", lambda volume: volume.save_receipts(
    [volume.receipts[0], volume.receipts[1][:-1], volume.receipts[2]]))
receipts("F045_first", "the first line is missing", lambda volume: volume.save_receipts(volume.receipts[1:]))
receipts("F045_middle", "the second line is missing",
         lambda volume: volume.save_receipts(volume.receipts[::2]))
receipts("F045_last", "the last line is missing", lambda volume: volume.save_receipts(volume.receipts[:-1]))
receipts("F045_all", "the file is missing", lambda volume: (
    volume.save_receipts(), os.remove(os.path.join(volume.folder, "receipts.jsonl"))))
receipts("F045_order", "two lines change places", lambda volume: volume.save_receipts(
    [volume.receipts[i] for i in (1, 0, 2)]))
receipts("F045_edited", "a line was altered", lambda volume: volume.save_receipts(
    [line.replace(b'"verify"', b'"copy"') for line in volume.receipts]))
receipts("F045_edited-last", "the last line was altered", lambda volume: volume.save_receipts(
    volume.receipts[:2] + [volume.receipts[2].replace(b"4200,", b"4201,")]))
receipts("F045_number", "the first line has number 2", Volume.save_receipts, lambda volume: (
    volume.receipts.clear(), volume.receipt(sequence=2)))
receipts("F045_head-missing", "three lines and no head", lambda volume: volume.save_receipts(head=lambda text: None))
receipts("F045_head-damaged", "a bit of the head is flipped",
         lambda volume: volume.save_receipts(head=lambda text: text[:60] + bytes([text[60] ^ 1]) + text[61:]))


# ---- settings --------------------------------------------------------------------------------------------------------

def settings(name, what, also=None, **changes):
    @case("F046_" + name, what, also)
    def make(volume):
        volume.save(full(FIRST, CHUNK), 1)
        volume.settings(**changes)


settings("format", "another format", format="varve-settings")
settings("volume", "of another volume", volume="another")
settings("id", "of another volume id", volumeId="00000000-0000-4000-8000-000000000000")
settings("generation", "generation 0", generation=0)
settings("member", "a member too many", more=None)
settings("text", "a number that is a text", keepWeekly="4")
settings("zero", "no weeks to keep", keepWeekly=0)
settings("many", "more than a million weeks to keep", keepWeekly=1000001)
settings("span", "parts of a span in the wrong order", keepWithin="1d1y")
settings("span-zero", "a span with a part of 0", keepWithin="0y1d")
settings("nothing", "a policy that keeps nothing", keepWeekly=None)
settings("zone", "a policy without a time zone", timeZone=None)
settings("protected", "protected points in the wrong order", protected="3 1")
settings("both", "a point that is protected and no longer protected", protected="1-3", unprotected="3 5")
settings("touch", "ranges that touch", expired="2-3 4")
settings("range", "a range of one number with two ends", expired="2-2")
settings("spaces", "two spaces between members", alter=lambda raw: raw.replace(b": ", b":  "))
settings("check", "a bit of the policy is flipped", alter=lambda raw: raw.replace(b'"keepWeekly": 4', b'"keepWeekly": 5'))
settings("torn", "half of it", alter=lambda raw: raw[:len(raw) // 2])
settings("empty", "no bytes", alter=lambda raw: b"")


# ---- sealed archives -------------------------------------------------------------------------------------------------

# the public key of testdata/age/identity.txt
KEY = "age1mavc7jlhng26ygqcqu6nqzt93tpgtzn4vyx0pgrmmjc0fk8vtpcquauune"


def sealed_full(name, what, age=bytes, also=None, **changes):
    """A sealed full; `age` alters the bytes of the sealed file, before they are hashed, `changes` members of the manifest."""
    @case(name, what, also)
    def make(volume):
        def change(members):
            for member, value in changes.items():
                members[member] = value(members[member]) if callable(value) else value
        volume.save(full(OLD, CHUNK), 1, change=change, key=KEY, age=age)


def head_size(raw):
    return raw.index(b"\n--- ") + 49


def flipped(at):
    """One bit of a byte, counted from the end of the header."""
    return lambda raw: patch(raw, (head_size(raw) + at, bytes([raw[head_size(raw) + at] ^ 1])))


sealed_full("F036_recipients", "recipients in the wrong order", recipients=lambda key: key + "\n" + key[:-1])
sealed_full("F036_passphrase", "a passphrase and a key", recipients=lambda key: key + "\npassphrase")
sealed_full("F036_recipient-none", "no recipients", recipients="")
sealed_full("F047_version", "a later version of age", lambda raw: raw.replace(b"/v1\n", b"/v2\n"))
sealed_full("F047_zeros", "zeros instead of anything sealed", lambda raw: bytes(len(raw)))
sealed_full("F047_mac", "a bit of the header's MAC is flipped",
            lambda raw: patch(raw, (head_size(raw) - 10, bytes([raw[head_size(raw) - 10] ^ 1]))))
sealed_full("F047_cut", "the header ends in its first line", lambda raw: raw[:10])
sealed_full("F047_size", "one byte of content more is expected", contentSize=lambda size: size + 1)
sealed_full("F048_nonce", "a bit of the nonce is flipped", flipped(0))
sealed_full("F048_chunk", "a bit of the only chunk is flipped", flipped(500))
sealed_full("F048_tag", "a bit of the last tag is flipped", lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]))


def main(wanted):
    for name, what, also, chunk, fill in CASES:
        if wanted and not any(name.startswith(w) for w in wanted):
            continue
        folder = os.path.join(HERE, name)
        shutil.rmtree(folder, ignore_errors=True)
        fill(Volume(folder, chunk))
        with open(os.path.join(folder, "expect.txt"), "w", encoding="utf-8") as file:
            file.write(f"{name[:4]}\n{what}\n" + (f"also: {also}\n" if also else ""))


if __name__ == "__main__":
    main(sys.argv[1:])
