"""Writes varve archives from images held in memory, for the files of testdata/golden and testdata/bad.

It is written from docs/FORMAT.md and knows nothing of varve. Of varve_reader.py it takes only BLAKE3, which the program
b3sum referees. It works in two steps, so that a bad file can be wrong at one place and right everywhere else:
`full` and `delta` make a Draft, which lists what is to be written; `Draft.save` computes positions, checks, hashes and
the manifest for whatever the draft then says.
"""
import functools
import os
import struct
import subprocess
from types import SimpleNamespace

from varve_reader import blake3, chaining_value, combine, value_of_zeros

BLOCK = 4096
MIB = 1 << 20
MAGIC = 0x184D2A56
ZEROS = bytes(16 * MIB)
SUFFIXES = ".zst", ".json", ".index", ".tree"


@functools.lru_cache(maxsize=256)
def compressed(content, *options):
    """One zstd frame that states its content size; `options` are those of the program."""
    command = ["zstd", "-q", "-c", "-3", "--no-check", f"--stream-size={len(content)}", *options]
    return subprocess.run(command, input=content, stdout=subprocess.PIPE, check=True).stdout


def zeros_compressed(size):
    """The frame of a zero node: a raw block of one zero, then runs of at most 128 KiB."""
    blocks = [(1, 0)] + [(min(131072, size - at), 1) for at in range(1, size, 131072)]
    frame = struct.pack("<IBBI", 0xFD2FB528, 0x80, 0x38, size)
    for i, (length, run) in enumerate(blocks):
        last = i == len(blocks) - 1
        frame += struct.pack("<I", last | run << 1 | length << 3)[:3] + b"\0"
    return frame


def is_zero(data):
    """Of at most a chunk."""
    return data == ZEROS[:len(data)]


def skippable(content, magic=MAGIC):
    return struct.pack("<II", magic, len(content)) + content


def checked(raw):
    return raw + blake3(raw)[:16]


class State:
    """A device at a point in time: its bytes, its nodes as (first, count, zero, hash), and its root."""

    def __init__(self, image, chunk, nodes):
        self.image, self.chunk, self.nodes, self.size = image, chunk, nodes, len(image)
        sizes = [min((first + count) * chunk, self.size) - first * chunk for first, count, _, _ in nodes]
        self.root = nodes[0][3] if len(nodes) == 1 else combine([n[3] for n in nodes], sizes) if nodes else blake3(b"")


class Draft:
    """All that one archive will say. Rows are open to change until `save`."""

    def __init__(self, state, parent=None):
        self.state, self.parent, self.chunk = state, parent, state.chunk
        self.header = SimpleNamespace(
            magic=MAGIC, tag=b"VARVEHDR", version=1, kind=2 if parent else 1, chunk=self.chunk.bit_length() - 1,
            block=12, reserved=0, features=0, volume_id=None, parent_size=parent.size if parent else 0,
            parent_root=parent.root if parent else bytes(32), extra=b"", spoil_check=False)
        self.nodes, self.extents, self.frames, self.swap_tables = [], [], [], False

    def add_node(self, first, count, zero, value, extents=(), frame=None, begin=0):
        """`frame` is the number of the node's frame; extents are (first block, blocks, state)."""
        self.nodes.append(SimpleNamespace(
            first=first, count=count, zero=zero, hash=value, frame=frame, begin=begin,
            extent=len(self.extents) if self.parent else 0))
        self.extents += [list(x) for x in extents]

    def span(self, first, count):
        return min((first + count) * BLOCK, self.state.size) - first * BLOCK

    def layout(self):
        """Gives each node the position of its frame, and adds up the summary and the seek table."""
        position, places = 104 + len(self.header.extra), []
        for stored, content in self.frames:
            places.append((position, len(stored), content))
            position += len(stored)
        for n in self.nodes:
            n.position, n.stored, n.content = places[n.frame] if n.frame is not None else (0, 0, 0)
        changed = sum(self.span(first, count) for first, count, _ in self.extents)
        payload = sum(self.span(first, count) for first, count, state in self.extents if state)
        full = self.parent is None
        self.changed = self.state.size if full else changed
        self.summary = SimpleNamespace(
            tag=b"VARVEEND", size=self.state.size, root=self.state.root, extents=len(self.extents),
            nodes=len(self.nodes), frames=len(self.frames), payload=self.state.size if full else payload,
            position=position, reserved=bytes(16), repeated=None, extra=b"", spoil_check=False)
        self.tables = [SimpleNamespace(magic=MAGIC, tag=tag, extra=b"") for tag in (b"VARVEEXT", b"VARVENOD")]
        self.seek_rows = [(104 + len(self.header.extra), 0)]
        self.seek_rows += [(len(stored), content) for stored, content in self.frames]
        self.seek_rows += [(16 + 16 * len(self.extents), 0), (16 + 64 * len(self.nodes), 0), (200, 0)]
        self.seek = SimpleNamespace(count=None, descriptor=0, magic=0x184D2A5E, foot=0x8F92EAB1, size=None, after=b"")
        return self

    def encode(self, volume_id):
        """The bytes of X.zst and of its index region."""
        h, s = self.header, self.summary
        h.volume_id = h.volume_id or volume_id
        raw = struct.pack("<8sHHBBHQ16sQ32s", h.tag, h.version, h.kind, h.chunk, h.block, h.reserved, h.features,
                          h.volume_id, h.parent_size, h.parent_root)
        header = skippable(spoiled(checked(raw), h.spoil_check) + h.extra, h.magic)
        extents = b"".join(struct.pack("<QII", *x) for x in self.extents)
        nodes = b"".join(struct.pack("<IIQIIII32s", n.first, n.count | n.zero << 31, n.position, n.stored, n.content,
                                     n.begin, n.extent, n.hash) for n in self.nodes)
        tables = [skippable(t.tag + rows + t.extra, t.magic) for t, rows in zip(self.tables, (extents, nodes))]
        if self.swap_tables:
            tables.reverse()
        end = struct.pack("<8s72sQ32sQQQQQ16s", s.tag, s.repeated or raw[8:], s.size, s.root, s.extents, s.nodes,
                          s.frames, s.payload, s.position, s.reserved)
        region = b"".join(tables) + skippable(spoiled(checked(end), s.spoil_check) + s.extra)
        rows = b"".join(struct.pack("<II", *row) for row in self.seek_rows)
        count = len(self.seek_rows) if self.seek.count is None else self.seek.count
        size = len(rows) + 9 if self.seek.size is None else self.seek.size
        seek = struct.pack("<II", self.seek.magic, size) + rows
        seek += struct.pack("<IBI", count, self.seek.descriptor, self.seek.foot) + self.seek.after
        return header + b"".join(stored for stored, _ in self.frames) + region + seek, region


def spoiled(raw, spoil):
    return raw[:-1] + bytes([raw[-1] ^ 1]) if spoil else raw


def cut(c, e, zero, chunks, chunk):
    """The nodes of a run of chunks [c, e): data nodes one by one, zero nodes by F021."""
    while c < e and not zero:
        yield c, 1
        c += 1
    while c < e:
        fitting = [1 << k for k in range(30) if c % (1 << k) == 0 and (1 << k) * chunk <= 64 * MIB
                   and (1 << k) < chunks and (c + (1 << k) <= e or e == chunks)]
        p = max(fitting + [1])
        yield c, min(c + p, e) - c
        c += p


def runs(items):
    """Numbers in a row that have the same key, out of (number, key) pairs, as (first, end, key)."""
    result = []
    for number, key in items:
        if result and result[-1][1] == number and result[-1][2] == key:
            result[-1][1] = number + 1
        else:
            result.append([number, number + 1, key])
    return result


def node_hash(image, first, count, zero, chunk):
    offset, size = first * chunk, min((first + count) * chunk, len(image)) - first * chunk
    if len(image) <= chunk:
        return blake3(image)
    return value_of_zeros(offset, size) if zero else chaining_value(image[offset:offset + size], offset)


def full(image, chunk):
    chunks = -(-len(image) // chunk)
    zero = [is_zero(image[c * chunk:(c + 1) * chunk]) for c in range(chunks)]
    nodes = [(first, count, z, node_hash(image, first, count, z, chunk)) for c, e, z in runs(enumerate(zero))
             for first, count in cut(c, e, z, chunks, chunk)]
    draft = Draft(State(image, chunk, nodes))
    for first, count, z, value in nodes:
        content = image[first * chunk:(first + count) * chunk]
        draft.frames.append((zeros_compressed(len(content)) if z else compressed(content), len(content)))
        draft.add_node(first, count, z, value, frame=len(draft.frames) - 1)
    return draft.layout()


def delta(parent, image, whole_chunks=False, frame_size=MIB):
    """`whole_chunks` stores changed chunks as they are, as a writer does that has only the hashes of the parent."""
    chunk, old = parent.chunk, parent.image
    chunks, old_chunks = -(-len(image) // chunk), -(-len(old) // chunk)
    piece = [image[c * chunk:(c + 1) * chunk] for c in range(chunks)]
    changed = [piece[c] != old[c * chunk:(c + 1) * chunk] for c in range(chunks)]
    what = {c: ("zero" if is_zero(piece[c]) else "data") for c in range(chunks) if changed[c]}
    alone = (chunks == 1) != (old_chunks == 1)
    for first, count, zero, _ in parent.nodes:
        here = range(first, min(first + count, chunks))
        subtree = count & (count - 1) == 0 or first + count == chunks
        stays = first + count <= chunks and not any(changed[c] for c in here)
        if not (stays and subtree and not alone and (count < chunks or chunks == 1)):
            what.update({c: "kept zero" if zero else "kept data" for c in here if zero or alone if not changed[c]})
    rows = [(first, count, kind.endswith("zero"), node_hash(image, first, count, kind.endswith("zero"), chunk), kind)
            for c, e, kind in runs((c, what[c]) for c in sorted(what))
            for first, count in cut(c, e, kind.endswith("zero"), chunks, chunk)]
    listed = {c for first, count, *_ in rows for c in range(first, first + count)}
    rest = [n for n in parent.nodes if n[0] not in listed and n[0] < chunks]
    draft = Draft(State(image, chunk, sorted([row[:4] for row in rows] + rest)), parent)
    pending, contents = b"", []
    for first, count, zero, value, kind in rows:
        extents = []
        begin, end = first * chunk // BLOCK, min((first + count) * chunk, len(image) + BLOCK - 1) // BLOCK
        if kind == "zero":
            extents = [(begin, end - begin, 0)]
        elif kind == "data":
            blocks = range(begin, end)
            state = {b: not is_zero(image[b * BLOCK:(b + 1) * BLOCK]) for b in blocks
                     if whole_chunks or image[b * BLOCK:(b + 1) * BLOCK] != old[b * BLOCK:(b + 1) * BLOCK]}
            extents = [(b, e - b, int(data)) for b, e, data in runs(state.items())]
        payload = b"".join(image[b * BLOCK:(b + n) * BLOCK] for b, n, data in extents if data)
        place = (len(contents), len(pending)) if payload else (None, 0)
        draft.add_node(first, count, zero, value, extents, *place)
        pending += payload
        if len(pending) >= frame_size:
            contents.append(pending)
            pending = b""
    contents += [pending] if pending else []
    draft.frames = [(compressed(content), len(content)) for content in contents]
    return draft.layout()


def tree_values(data):
    """X.tree's values, and the hash that they combine to."""
    groups = [data[at:at + MIB] for at in range(0, len(data), MIB)]
    if len(groups) <= 1:
        return [blake3(data)], blake3(data)
    values = [chaining_value(group, i * MIB) for i, group in enumerate(groups)]
    return values, combine(values, [len(group) for group in groups])


def json_value(v):
    if v is None or isinstance(v, int):
        return "null" if v is None else str(v)
    if isinstance(v, dict):
        return "{" + ",".join(json_value(k) + ":" + json_value(item) for k, item in v.items()) + "}"
    if isinstance(v, list):
        return "[" + ",".join(json_value(item) for item in v) + "]"
    out = ""
    for c in v:
        out += "\\" + c if c in '"\\' else "\\u%04x" % ord(c) if c < " " else c
    return f'"{out}"'


def text_of(members):
    text = "{\n" + "".join(f'  "{k}": {json_value(v)},\n' for k, v in members.items())
    return f'{text}  "check": "{blake3(text.encode()).hex()}"\n}}\n'


def sealed(data, key):
    """An age file, by the program age: another one each time."""
    return subprocess.run(["age", "-r", key], input=data, stdout=subprocess.PIPE, check=True).stdout


class Volume:
    """A folder of archives. Points in time get their numbers in the order in which they are saved."""

    def __init__(self, folder, chunk=65536):
        self.folder, self.name, self.chunk = folder, os.path.basename(folder), chunk
        self.sequence, self.previous, self.points, self.saved = 0, None, {}, None
        self.archives, self.receipts = [], []
        random = bytearray(blake3(self.name.encode())[:16])
        random[6], random[8] = random[6] & 15 | 0x40, random[8] & 63 | 0x80
        self.volume_id = bytes(random)

    def save(self, draft, day, label=None, only=SUFFIXES, change=lambda members: None, name=None, derived=False,
             key=None, **bytes_of):
        """Writes an archive as of 02:00 of a day of November 2026, the original one of that point in time, or one that
        was derived since. With `key` it is sealed for that public key, and `age` alters the bytes of the sealed file. `change` alters the manifest's members before it is
        written; `json`, `index` and `tree` alter the bytes of those files, `data` those of X.zst before it is hashed,
        and `name` is their base name."""
        data, region = draft.encode(self.volume_id)
        data = bytes_of.get("data", bytes)(data)
        content = data
        if key:
            data = bytes_of.get("age", bytes)(sealed(data, key))
        values, file_hash = tree_values(data)
        if derived:
            sequence, previous, label, original = self.points[day]
        else:
            self.sequence += 1
            sequence, previous, original = self.sequence, self.previous, None
        zst = ".zst.age" if key else ".zst"
        s, p, uuid = draft.state, draft.parent, self.volume_id.hex()
        kind = "delta" if p else "full"
        base = f"{self.name}.202611{day:02}T020000.123Z{'.' + file_hash.hex()[:8] if derived else ''}.{kind}"
        members = {
            "format": f"varve-manifest-{2 if key else 1}", "archive": base + zst, "kind": kind, "volume": self.name,
            "volumeId": "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:])),
            "sequence": sequence, "previous": previous, "original": original, "time": f"2026-11-{day:02}T02:00:00.123Z",
            "finished": f"2026-11-{day:02}T02:00:01.456Z", "label": label, "source": "image", "host": "archiver",
            "tool": "varve_writer.py", "chunkSize": self.chunk, "blockSize": BLOCK, "size": draft.summary.size,
            "root": draft.summary.root.hex(), "parentSize": draft.header.parent_size if p else None,
            "parentRoot": draft.header.parent_root.hex() if p else None, "changedSize": draft.changed,
            "payloadSize": draft.summary.payload, "fileSize": len(data), "fileHash": file_hash.hex(),
            "indexSize": len(region), "indexHash": blake3(region).hex(),
            **({"contentSize": len(content), "recipients": key} if key else {})}
        change(members)
        self.saved = name or base
        head = struct.pack("<8sIIQ", b"VARVETRE", 1, 20, len(data))
        self.archives.append({"archive": base + zst, "fileHash": file_hash.hex(), "fileSize": len(data),
                              "depth": "stored", "result": "ok", "proved": [[0, len(data)]], "damaged": []})
        files = {".zst": data, ".json": text_of(members).encode(), ".index": region, ".tree": head + b"".join(values)}
        os.makedirs(self.folder, exist_ok=True)
        for suffix in only:
            raw = bytes_of.get(suffix[1:], bytes)(files[suffix])
            with open(os.path.join(self.folder, self.saved + (zst if suffix == ".zst" else suffix)), "wb") as file:
                file.write(raw)
            if suffix == ".json" and not derived:
                self.previous = blake3(raw).hex()
                self.points[day] = sequence, previous, label, self.previous
        return draft.state

    def receipt(self, what="verify", change=lambda members: None, **members):
        """Adds a receipt; `change` alters its members, the others replace some. The line is written by save_receipts."""
        number = len(self.receipts) + 1
        previous = blake3(self.receipts[-1]).hex() if self.receipts else None
        line = {
            "format": "varve-receipt-1", "sequence": number, "previous": previous, "note": None, "what": what,
            "vault": "0e3f1a52-6d0c-4b8e-9b1c-7c1f5a2d9e10", "volume": self.name, "about": self.name,
            "started": f"2026-11-{number:02}T03:00:00.000Z", "finished": f"2026-11-{number:02}T03:00:04.200Z",
            "milliseconds": 4200, "host": "archiver", "tool": "varve_writer.py", "depth": "stored",
            "evidence": "medium", "result": "ok", "archives": self.archives[:], "findings": 0, "first": None,
            "notCovered": ["that what is stored decodes to the hashes of the tables"]}
        line.update(members)
        change(line)
        self.receipts.append(json_value(line).encode())
        return self

    def save_receipts(self, lines=None, head=None):
        """Writes the receipts: all, or these lines; `head` alters the bytes of the head, None of which means no head."""
        with open(os.path.join(self.folder, "receipts.jsonl"), "wb") as file:
            file.write(b"".join(line + b"\n" for line in (self.receipts if lines is None else lines)))
        text = text_of({"format": "varve-receipts-1", "sequence": len(self.receipts),
                        "hash": blake3(self.receipts[-1]).hex()}).encode()
        text = head(text) if head else text
        if text is not None:
            with open(os.path.join(self.folder, ".varve-receipts.head"), "wb") as file:
                file.write(text)

    def settings(self, alter=lambda raw: raw, **members):
        """Writes what is kept: weeklies, if `members` do not say otherwise. `alter` changes the bytes."""
        uuid = self.volume_id.hex()
        found = {
            "format": "varve-volume-1", "volume": self.name,
            "volumeId": "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:])), "generation": 1,
            "keepLast": None, "keepWithin": None, "keepDaily": None, "keepWeekly": 4, "keepMonthly": None, "keepYearly": None,
            "timeZone": "UTC", "protected": "", "unprotected": "", "expired": ""}
        found.update(members)
        with open(os.path.join(self.folder, "varve-volume.json"), "wb") as file:
            file.write(alter(text_of(found).encode()))
