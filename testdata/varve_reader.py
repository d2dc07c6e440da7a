#!/usr/bin/env python3
"""Reads varve archives, written from docs/FORMAT.md alone.

    varve_reader.py list    DIR/VOLUME
    varve_reader.py restore DIR/VOLUME POINT TARGET     POINT: latest, the beginning of a time, or of a root
    varve_reader.py verify  DIR/VOLUME [--nodes]        --nodes hashes each node by itself: slow, but names the place
    varve_reader.py vault   DIR                         marker and inventories of a vault

A target is a new file, or a device, which is overwritten. Needs Python 3.9 and the program zstd, and
is fast with the program b3sum. Archives that are sealed need the program age, and the file of a secret key in the
environment as VARVE_IDENTITY (else age asks for a passphrase); each is unsealed as a whole into TMPDIR. Damage is one line on stderr that names the broken rule (F001 ...) and exit code 1; a
point in time that cannot be reached is exit code 2.
"""
import bisect
import collections
import datetime
import functools
import json
import os
import re
import stat
import struct
import subprocess
import sys
import tempfile

BLOCK = 4096
MIB = 1 << 20


class Broken(Exception):
    """A file breaks a numbered rule of FORMAT.md."""

    def __init__(self, rule, where, what):
        super().__init__(f"{where}: {rule}: {what}")
        self.rule = rule


class Unavailable(Exception):
    """A point in time that is unknown, or that no path of archives leads to."""


def require(ok, rule, where, what):
    if not ok:
        raise Broken(rule, where, what)


# ---- BLAKE3 (section 3) ----------------------------------------------------------------------------------------------
#
# n blocks are compressed side by side: each state word is one big integer with a lane of 64 bits per block. The upper
# half of a lane takes the carries and what shifts push out, and is masked away. Some 20 MB/s, where n is large.

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
QUARTERS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
START, END, PARENT, ROOT = 1, 2, 4, 8
LEAF = 1024


@functools.lru_cache(maxsize=64)
def ones(n):
    return ((1 << 64 * n) - 1) // ((1 << 64) - 1)


def to_lanes(words):
    return int.from_bytes(struct.pack(f"<{len(words)}Q", *words), "little")


def compress(h, m, counter, length, flags, n):
    one = ones(n)
    mask = one * 0xFFFFFFFF
    v = list(h) + [w * one for w in IV[:4]] + [counter & mask, counter >> 32 & mask, length * one, flags * one]
    for _ in range(7):
        for i, (a, b, c, d) in enumerate(QUARTERS):
            va, vb, vc, vd = v[a], v[b], v[c], v[d]
            for x, right, then in (m[2 * i], 16, 12), (m[2 * i + 1], 8, 7):
                va = va + vb + x & mask
                vd ^= va
                vd = (vd >> right | vd << 32 - right) & mask
                vc = vc + vd & mask
                vb ^= vc
                vb = (vb >> then | vb << 32 - then) & mask
            v[a], v[b], v[c], v[d] = va, vb, vc, vd
        m = [m[p] for p in PERMUTATION]
    return [v[i] ^ v[i + 8] for i in range(8)]


def from_lanes(h, n):
    """The n chaining values of 32 bytes each, end to end."""
    words = [struct.unpack(f"<{2 * n}I", w.to_bytes(8 * n, "little"))[::2] for w in h]
    return b"".join(struct.pack("<8I", *value) for value in zip(*words))


def leaf_values(data, first, root=0):
    """The chaining values of the 1 KiB leaves of data, of which only the last may be short."""
    values, whole = [], len(data) // LEAF if len(data) > LEAF else 0
    for at in range(0, whole, LEAF):
        n = min(1024, whole - at)
        words = struct.unpack(f"<{256 * n}I", data[at * LEAF:(at + n) * LEAF])
        counter, h = to_lanes(range(first + at, first + at + n)), [w * ones(n) for w in IV]
        for i in range(16):
            m = [to_lanes(words[16 * i + k::256]) for k in range(16)]
            h = compress(h, m, counter, 64, (i == 0) * START | (i == 15) * END, n)
        values.append(from_lanes(h, n))
    rest = data[whole * LEAF:]
    if rest or not data:
        h, last = IV, max(0, len(rest) - 1) // 64
        for i in range(last + 1):
            piece = rest[64 * i:64 * i + 64]
            m = struct.unpack("<16I", piece.ljust(64, b"\0"))
            h = compress(h, m, first + whole, len(piece), (i == 0) * START | (i == last) * (END | root), 1)
        values.append(from_lanes(h, 1))
    return b"".join(values)


def parents(values, root=0):
    """One level up: pairs of values combined, an odd last one as it is."""
    n = len(values) // 64
    words = struct.unpack(f"<{16 * n}I", values[:64 * n])
    m = [to_lanes(words[k::16]) for k in range(16)]
    return from_lanes(compress([w * ones(n) for w in IV], m, 0, 64, PARENT | root, n), n) + values[64 * n:]


def chaining_value(data, offset):
    """Of an aligned group of leaves at its own place in the device; never the root."""
    values = leaf_values(data, offset // LEAF)
    while len(values) > 32:
        values = parents(values)
    return values


@functools.lru_cache(maxsize=1024)
def value_of_zeros(offset, size):
    """Chaining value of zeros, from those of the two halves where there are two."""
    if size <= MIB:
        return chaining_value(bytes(size), offset)
    half = 1 << (size - 1).bit_length() - 1
    return parents(value_of_zeros(offset, half) + value_of_zeros(offset + half, size - half))


def blake3(data):
    values = leaf_values(data, 0, ROOT if len(data) <= LEAF else 0)
    while len(values) > 32:
        values = parents(values, ROOT if len(values) == 64 else 0)
    return values


def combine(values, sizes):
    """The root of n >= 2 neighbouring values, or None where no value ends at a split."""
    ends = [0]
    for size in sizes:
        ends.append(ends[-1] + size)

    def part(low, high, root):
        if high - low == 1:
            return values[low]
        split = ends[low] + (1 << (ends[high] - ends[low] - 1).bit_length() - 1)
        middle = bisect.bisect_left(ends, split)
        if ends[middle] != split:
            return None
        left, right = part(low, middle, 0), part(middle, high, 0)
        return left and right and parents(left + right, root)

    return part(0, len(values), ROOT)


def b3sum(descriptor, size, begin=0):
    """BLAKE3 of a part of a file, by the program of that name if it is there."""
    sizes = [min(MIB, size - at) for at in range(0, size, MIB)]
    pieces = (os.pread(descriptor, n, begin + MIB * i) for i, n in enumerate(sizes))
    try:
        with subprocess.Popen(["b3sum", "--no-names"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
            for piece in pieces:
                program.stdin.write(piece)
            return program.communicate()[0].decode().strip()
    except FileNotFoundError:
        if len(sizes) < 2:
            return blake3(b"".join(pieces)).hex()
        return combine([chaining_value(piece, MIB * i) for i, piece in enumerate(pieces)], sizes).hex()


# ---- manifests (section 6) -------------------------------------------------------------------------------------------

FILE = re.compile(r".+\.\d{8}T\d{6}\.\d{3}Z\.([0-9a-f]{8}\.)?(full|delta)\.json")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
HASH = re.compile(r"[0-9a-f]{64}")
MEMBERS = {"format": str, "archive": str, "kind": str, "volume": str, "volumeId": str, "sequence": int,
           "previous": (str, None), "original": (str, None), "time": str, "finished": str, "label": (str, None),
           "source": str, "host": str, "tool": str, "chunkSize": int, "blockSize": int, "size": int, "root": str,
           "parentSize": (int, None), "parentRoot": (str, None), "changedSize": int, "payloadSize": int,
           "fileSize": int, "fileHash": str, "indexSize": int, "indexHash": str}
FORMATS = {"varve-manifest-1": {**MEMBERS, "check": str},
           "varve-manifest-2": {**MEMBERS, "contentSize": int, "recipients": str, "check": str}}
POINT = "volume", "volumeId", "sequence", "previous", "time", "label", "source", "host", "size", "root"


def json_value(value):
    if value is None or isinstance(value, int):
        return "null" if value is None else str(value)
    escape = {'"': '\\"', "\\": "\\\\", **{chr(c): f"\\u{c:04x}" for c in range(32)}}
    return '"' + "".join(escape.get(c, c) for c in value) + '"'


def encode_manifest(m):
    return ("{\n" + ",\n".join(f'  "{name}": {json_value(value)}' for name, value in m.items()) + "\n}\n").encode()


def is_value(value, kind):
    if isinstance(kind, tuple):
        return value is None or is_value(value, kind[0])
    return type(value) is kind and (kind is str or 0 <= value < 1 << 63)


def is_time(text):
    try:
        return bool(TIME.fullmatch(text) and datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ"))
    except ValueError:
        return False


def are_recipients(text):
    """Public keys one a line, in order, or a passphrase alone (section 19)."""
    keys = text.split("\n")
    return (len(text) <= 16384 and keys == sorted(set(keys)) and ("passphrase" not in keys or len(keys) == 1)
            and all(re.fullmatch(r"[ -~]*[!-~][ -~]*", key) for key in keys))


def read_manifest(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        raw = file.read(65537)
    require(len(raw) <= 65536, "F035", name, "longer than 64 KiB")
    try:
        m = json.loads(raw.decode("utf-8"))
        known = type(m) is dict and type(m.get("format")) is str and m["format"] in FORMATS
        require(known, "F035", name, "the format is not varve-manifest-1 or -2")
        members = FORMATS[m["format"]]
        require(list(m) == list(members), "F035", name, "other members than a manifest has")
        for member, kind in members.items():
            require(is_value(m[member], kind), "F035", name, f"{member} is of the wrong type or out of range")
        require(encode_manifest(m) == raw, "F035", name, "not in the one form that a manifest has")
        sealed = raw[:raw.rindex(b'  "check": ')]
        require(m["check"] == blake3(sealed).hex(), "F043", name, "check is not the hash of what is before it")
    except (ValueError, RecursionError) as e:
        raise Broken("F035", name, f"no JSON: {e}") from None
    m["sealed"] = "recipients" in m
    delta = m["kind"] == "delta"
    hashes = [m[h] for h in ("root", "fileHash", "indexHash", "previous", "original", "parentRoot") if m[h] is not None]
    for what, fact in {
        "unknown kind": m["kind"] in ("full", "delta"),
        "impossible name of a volume": re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", m["volume"]),
        "volumeId is no UUID": re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", m["volumeId"]),
        "impossible time": is_time(m["time"]) and is_time(m["finished"]),
        "a hash is not 64 lower-case digits": all(HASH.fullmatch(h) for h in hashes),
        "the numbers begin with 1": m["sequence"] >= 1,
        "the first manifest, and only that, has no previous": (m["sequence"] == 1) == (m["previous"] is None),
        "impossible chunk size": m["chunkSize"] in [1 << n for n in range(16, 25)],
        "impossible block size": m["blockSize"] == BLOCK,
        "a parent in a full, or none in a delta": delta == (m["parentSize"] is not None)
        and delta == (m["parentRoot"] is not None),
        "changed and payload size do not fit": m["payloadSize"] <= m["changedSize"] <= m["size"] if delta
        else m["payloadSize"] == m["changedSize"] == m["size"],
        "impossible recipients": not m["sealed"] or are_recipients(m["recipients"]),
    }.items():
        require(fact, "F036", name, what)
    digest = "" if m["original"] is None else "." + m["fileHash"][:8]
    m["base"] = f"{m['volume']}.{m['time'].replace('-', '').replace(':', '')}{digest}.{m['kind']}"
    data = m["base"] + (".zst.age" if m["sealed"] else ".zst")
    require((m["archive"], name) == (data, m["base"] + ".json"), "F036", name,
            "file name, volume, time and kind do not fit")
    m["of"] = m["original"] or blake3(raw).hex()
    return m


def read_volume(folder):
    """All manifests, in the order of their numbers, the original of a point before those that were derived."""
    manifests = [read_manifest(folder, name) for name in sorted(os.listdir(folder)) if FILE.fullmatch(name)]
    manifests.sort(key=lambda m: (m["sequence"], m["original"] is not None, m["base"]))
    before = None
    for m in manifests:
        name = m["base"] + ".json"
        if before:
            same = all(m[member] == before[member] for member in ("volumeId", "chunkSize"))
            require(same, "F040", name, f"another volume id or chunk size than {before['base']}")
            if m["sequence"] == before["sequence"]:
                require(m["original"] is not None, "F040", name, f"number {m['sequence']} twice")
                require(m["of"] == before["of"], "F040", name, "names another original manifest than others")
                same = all(m[member] == before[member] for member in POINT)
                require(same, "F040", name, f"says otherwise than {before['base']} of the same point")
            require(m["sequence"] != before["sequence"] + 1 or m["previous"] == before["of"], "F040", name,
                    "previous is not the hash of the original manifest before")
        before = m
    return manifests


# ---- one archive (sections 4 and 5) ----------------------------------------------------------------------------------

MAGIC, SEEK_MAGIC, SEEK_FOOT = 0x184D2A56, 0x184D2A5E, 0x8F92EAB1
HEADER = struct.Struct("<8sHHBBHQ16sQ32s16s")
SUMMARY = struct.Struct("<8s72sQ32sQQQQQ16s16s")
EXTENT = struct.Struct("<QII")
NODE = struct.Struct("<IIQIIII32s")
FIRST_FRAME = 8 + HEADER.size
Extent = collections.namedtuple("Extent", "first count state")
Node = collections.namedtuple("Node", "first count zero position stored content begin extent hash")


def zero_frame(n):
    """The only form of a frame of n zeros (section 4.2)."""
    form = bytes.fromhex("28B52FFD8038") + struct.pack("<I", n) + bytes.fromhex("09000000" if n == 1 else "08000000")
    for at in range(1, n, 131072):
        size = min(131072, n - at)
        form += (size << 3 | 2 | (at + size == n)).to_bytes(3, "little") + b"\0"
    return form


def is_one_frame(data, content):
    """Whether data is one whole zstd frame (RFC 8878 3.1.1) that states this content size, and no dictionary."""
    if len(data) < 6 or data[:4] != b"\x28\xB5\x2F\xFD" or data[4] & 3:
        return False
    single, width = data[4] >> 5 & 1, data[4] >> 6
    width = single if width == 0 else 1 << width
    at = 6 - single
    size = int.from_bytes(data[at:at + width], "little") + (256 if width == 2 else 0)
    at, last = at + width, 0
    while not last and at + 3 <= len(data):
        block = int.from_bytes(data[at:at + 3], "little")
        last = block & 1
        at += 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
    return bool(last and width and size == content and at + (data[4] & 4) == len(data))


def cut(c, e, chunks, chunk):
    """The zero run [c, e) of chunks, cut into nodes (F021): pairs of first chunk and count."""
    while c < e:
        p = 1
        while c % (2 * p) == 0 and 2 * p * chunk <= 64 * MIB and 2 * p < chunks and (c + 2 * p <= e or e == chunks):
            p *= 2
        yield c, min(c + p, e) - c
        c += p


class Archive:
    """One archive whose structure has been checked. The content of its frames is checked by apply()."""

    def __init__(self, folder, manifest):
        self.m, self.name = manifest, manifest["archive"]
        self.path = os.path.join(folder, self.name)
        if not os.path.exists(self.path):
            raise Unavailable(f"{self.name} is missing")
        self.full = manifest["kind"] == "full"
        self.unsealed = self.unseal() if manifest["sealed"] else None
        with self.open() as file:
            self.read_header(file)
            start, rows = self.read_seek_table(file)
            self.read_summary(file, start)
            self.read_index(file, start, os.path.join(folder, manifest["base"] + ".index"))
            self.check_nodes()
            self.check_extents()
            self.check_zero_runs()
            self.check_unlisted()
            self.check_frames(file)
        index = EXTENT.size * len(self.extents), NODE.size * len(self.nodes), SUMMARY.size - 8
        expected = [(FIRST_FRAME, 0)] + [(f.stored, f.content) for f in self.frames] + [(16 + n, 0) for n in index]
        self.require(rows == expected, "F013", "the seek table and the frames do not agree")

    def require(self, ok, rule, what):
        require(ok, rule, self.name, what)

    def unseal(self):
        """X.zst out of X.zst.age (section 19), as a file without a name."""
        size, content = os.stat(self.path).st_size, self.m["contentSize"]
        self.require(size == self.m["fileSize"], "F038", f"{size} bytes, not {self.m['fileSize']}")
        with open(self.path, "rb") as file:
            head = re.match(rb"age-encryption\.org/v1\n(-> [!-~]+( [!-~]+)*\n([A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)+"
                            rb"--- [A-Za-z0-9+/]{43}\n", file.read(65536))
        self.require(head, "F047", "no header of age v1")
        payload = 16 + content + 16 * max(1, -(-content // 65536))
        fits = size == head.end() + payload
        self.require(fits, "F047", f"{content} bytes of content do not make {size} bytes")
        key, file = os.environ.get("VARVE_IDENTITY"), tempfile.TemporaryFile()
        words = ["age", "-d", *(["-i", key] if key else []), self.path]
        age = subprocess.run(words, stdout=file, stderr=subprocess.PIPE if key else None)
        said = (age.stderr or b"").decode(errors="replace").split("\n")[0]
        if "no identity matched" in said or not key and age.returncode:
            file.close()
            raise Unavailable(f"{self.name}: is sealed for another key; give the file of the secret key as VARVE_IDENTITY: {said}")
        damage = "F048" if "decrypt and authenticate payload chunk" in said or "EOF" in said else "F047"
        self.require(age.returncode == 0, damage, f"age says: {said}")
        if age.returncode or not fits:
            raise Unavailable(f"{self.name}: cannot be unsealed")
        return file

    def open(self):
        """X.zst, from its beginning."""
        if not self.unsealed:
            return open(self.path, "rb")
        file = os.fdopen(os.dup(self.unsealed.fileno()), "rb")
        file.seek(0)
        return file

    def read_header(self, file):
        self.file_size = os.fstat(file.fileno()).st_size
        size = self.m["contentSize" if self.unsealed else "fileSize"]
        self.require(self.file_size == size, "F038", f"{self.file_size} bytes, not {size}")
        raw = file.read(FIRST_FRAME)
        self.require(raw[:16] == struct.pack("<II8s", MAGIC, HEADER.size, b"VARVEHDR") and len(raw) == FIRST_FRAME,
                     "F001", "no header of a varve archive")
        (_, version, self.kind, chunk, block, reserved, features, self.volume_id, self.parent_size, self.parent_root,
         check) = HEADER.unpack(raw[8:])
        self.require(check == blake3(raw[8:88])[:16], "F003", "the header's check is wrong")
        self.require(version == 1, "F004", f"version {version} is unsupported: upgrade")
        self.require(features == 0, "F005", f"features {features:#x} are unsupported: upgrade")
        self.require(self.kind in (1, 2), "F006", f"kind {self.kind}")
        self.require(16 <= chunk <= 24 and block == 12, "F007", f"chunk 2^{chunk}, block 2^{block}")
        self.require(reserved == 0, "F008", "reserved bytes in use")
        orphan = self.parent_size == 0 and self.parent_root == bytes(32)
        self.require(self.kind == 2 or orphan, "F009", "a full with a parent")
        self.chunk, self.repeated = 1 << chunk, raw[16:88]

    def read_seek_table(self, file):
        file.seek(max(0, self.file_size - 9))
        count, descriptor, magic = struct.unpack("<IBI", file.read(9))
        start = self.file_size - 17 - 8 * count
        ok = magic == SEEK_FOOT and descriptor == 0 and start >= FIRST_FRAME + 8 + SUMMARY.size
        self.require(ok, "F013", "no seek table at the end")
        file.seek(start)
        ok = struct.unpack("<II", file.read(8)) == (SEEK_MAGIC, 8 * count + 9)
        self.require(ok, "F013", "the seek table does not begin where its size says")
        return start, list(struct.iter_unpack("<II", file.read(8 * count)))

    def read_summary(self, file, start):
        file.seek(start - 8 - SUMMARY.size)
        raw = file.read(8 + SUMMARY.size)
        (_, repeated, self.size, self.root, self.extent_count, self.node_count, self.frame_count, self.payload_size,
         self.position, reserved, check) = SUMMARY.unpack(raw[8:])
        ok = raw[:16] == struct.pack("<II8s", MAGIC, SUMMARY.size, b"VARVEEND") and reserved == bytes(16)
        self.require(ok and check == blake3(raw[8:184])[:16], "F027", "no right summary in front of the seek table")
        self.require(repeated == self.repeated, "F028", "summary and header differ")
        largest = max(self.size, self.parent_size)
        self.require(largest <= self.chunk * ((1 << 26) - 1), "F032", f"a device of {largest} bytes")
        self.require(self.node_count < 1 << 26, "F033", f"{self.node_count} node rows")
        self.require(self.extent_count <= 1 << 27, "F034", f"{self.extent_count} extent rows")
        parent = (None, None) if self.kind == 1 else (self.parent_size, self.parent_root.hex())
        here = {"kind": ("full", "delta")[self.kind - 1], "chunkSize": self.chunk, "size": self.size,
                "root": self.root.hex(), "parentSize": parent[0], "parentRoot": parent[1],
                "payloadSize": self.payload_size, "volumeId": self.volume_id.hex()}
        for member, value in here.items():
            stated = self.m[member].replace("-", "") if member == "volumeId" else self.m[member]
            self.require(value == stated, "F037", f"{member} is {value}, in the manifest {stated}")
        self.chunks, self.blocks = -(-self.size // self.chunk), -(-self.size // BLOCK)

    def read_index(self, file, start, copy):
        size = self.m["indexSize"]
        self.require(size <= start, "F039", "the index region would be larger than the file")
        file.seek(start - size)
        region = file.read(size)
        found = b3sum(file.fileno(), size, start - size)
        self.require(found == self.m["indexHash"], "F039", "the index region has another hash")
        if os.path.exists(copy):
            with open(copy, "rb") as index:
                require(index.read(size + 1) == region, "F039", os.path.basename(copy), "no copy of the index region")
        self.require(self.position == start - size, "F029", "the index region is not where the summary says")
        at, tables = 0, []
        for tag, row, count in (b"VARVEEXT", EXTENT, self.extent_count), (b"VARVENOD", NODE, self.node_count):
            magic, content, found = struct.unpack("<II8s", region[at:at + 16].ljust(16, b"\0"))
            self.require(magic == MAGIC and found == tag, "F002", f"no frame {tag.decode()} where it should be")
            ok = content == 8 + count * row.size and at + 8 + content <= size
            self.require(ok, "F029", f"{tag.decode()} has not {count} rows")
            tables.append(row.iter_unpack(region[at + 16:at + 8 + content]))
            at += 8 + content
        self.require(at + 8 + SUMMARY.size == size, "F029", "the counts do not fit the size of the index region")
        self.extents = [Extent(*row) for row in tables[0]]
        self.nodes = [Node(first, n & 0x7FFFFFFF, n >> 31 == 1, *rest) for first, n, *rest in tables[1]]

    def span(self, first, count, unit):
        """Bytes of a run of blocks or chunks of this device."""
        return min((first + count) * unit, self.size) - first * unit

    def in_parent(self, last, unit):
        """Whether a block or chunk, and so all before it, lies in the parent at the same length."""
        return self.span(last, 1, unit) == min((last + 1) * unit, self.parent_size) - last * unit

    def check_nodes(self):
        """F018 to F020."""
        end = 0
        for i, n in enumerate(self.nodes):
            ok = end <= n.first and n.first + n.count <= self.chunks
            self.require(ok, "F018", f"node {i}: chunks {n.first} + {n.count}")
            self.require(n.zero or n.count == 1, "F019", f"node {i}: a data node of {n.count} chunks")
            self.require(not self.full or n.first == end, "F020", f"node {i}: chunks {end} to {n.first} are missing")
            end = n.first + n.count
        self.require(not self.full or end == self.chunks, "F020", f"chunks {end} to {self.chunks} are missing")

    def check_zero_runs(self):
        """F021; in a delta the nodes of a run all have extents, or are all kept."""
        end, kind, runs = 0, None, []
        for n, own in zip(self.nodes, self.extents_of):
            if n.zero and (not runs or n.first != end or bool(own) != kind):
                runs.append([])
            if n.zero:
                runs[-1].append((n.first, n.count))
            end, kind = (n.first + n.count if n.zero else None), bool(own)
        for run in runs:
            c, e = run[0][0], sum(run[-1])
            ok = list(cut(c, e, self.chunks, self.chunk)) == run
            self.require(ok, "F021", f"the zero chunks {c} to {e} are not cut as they should be")

    def check_extents(self):
        """F014 to F017, F022, F024, and F025 for blocks; finds the extents and the payload size of each node."""
        self.require(not self.full or not self.extents, "F014", "a full with extents")
        end, at, self.extents_of, self.payloads = 0, 0, [], []
        for i, x in enumerate(self.extents):
            ok = end <= x.first and x.count >= 1 and x.state <= 1 and x.first + x.count <= self.blocks
            self.require(ok, "F015", f"extent {i}: blocks {x.first} + {x.count}, state {x.state}")
            end = x.first + x.count
        for i, n in enumerate(self.nodes):
            self.require(n.extent == at, "F024", f"node {i}: its first extent is not {n.extent} but {at}")
            begin = n.first * self.chunk // BLOCK
            end = min(begin + n.count * self.chunk // BLOCK, self.blocks)
            own = []
            while at < len(self.extents) and self.extents[at].first < end:
                own.append(self.extents[at])
                at += 1
            self.extents_of.append(own)
            if self.full:
                self.payloads.append(self.span(n.first, n.count, self.chunk))
                continue
            self.payloads.append(sum(self.span(x.first, x.count, BLOCK) for x in own if x.state))
            ok = not own or begin <= own[0].first and sum(own[-1][:2]) <= end
            self.require(ok, "F016", f"node {i}: extents that do not lie in it")
            ok = all(a.first + a.count < b.first or a.state != b.state for a, b in zip(own, own[1:]))
            self.require(ok, "F017", f"node {i}: extents that touch have the same state")
            ok = not n.zero or own in ([], [(begin, end - begin, 0)])
            self.require(ok, "F022", f"node {i}: a zero node with other extents")
            for x in own + [Extent(end, 0, 0)]:
                ok = begin == x.first or self.in_parent(x.first - 1, BLOCK)
                self.require(ok, "F025", f"node {i}: block {x.first - 1} is not in the parent")
                begin = x.first + x.count
        self.require(at == len(self.extents), "F016", f"extent {at} lies in no node")
        changed = self.size if self.full else sum(self.span(x.first, x.count, BLOCK) for x in self.extents)
        self.require(changed == self.m["changedSize"], "F037", f"changedSize is {self.m['changedSize']}, not {changed}")

    def check_unlisted(self):
        """F025 for chunks that a delta does not list."""
        end = 0
        for n in self.nodes + [Node(self.chunks, *[0] * 8)]:
            ok = self.full or end == n.first or self.in_parent(n.first - 1, self.chunk)
            self.require(ok, "F025", f"chunk {n.first - 1} is not in the parent")
            end = n.first + n.count

    def check_frames(self, file):
        """F010 and F011 as far as they show without decoding, F012, F023, F030."""
        end, filled, self.frames = FIRST_FRAME, 0, []
        for i, (n, payload) in enumerate(zip(self.nodes, self.payloads)):
            place = n.position, n.stored, n.content, n.begin
            if not payload:
                self.require(place == (0, 0, 0, 0), "F023", f"node {i}: a frame without payload")
                continue
            limit = 64 * MIB if self.full and n.zero else 32 * MIB
            self.require(n.content <= limit and n.stored <= 33 * MIB, "F012", f"node {i}: a frame of {n.content} bytes")
            if not self.frames or filled == self.frames[-1].content:
                self.frames.append(n)
                filled, end = 0, end + n.stored
            frame = self.frames[-1]
            ok = place == (end - frame.stored, frame.stored, frame.content, filled)
            self.require(ok, "F023", f"node {i}: its payload does not begin where the one before ends")
            filled += payload
            ok = filled <= frame.content and (not self.full or filled == payload == frame.content)
            self.require(ok, "F023", f"node {i}: its payload does not fit the frame")
        self.require(not self.frames or filled == self.frames[-1].content, "F023", "the last frame is not filled")
        self.require(end == self.position, "F023", f"the frames end at {end}, the index begins at {self.position}")
        ok = self.frame_count == len(self.frames) and self.payload_size == sum(self.payloads)
        self.require(ok, "F030", "frames or payload size do not add up")
        for f in self.frames:
            file.seek(f.position)
            data = file.read(f.stored)
            ok = not (self.full and f.zero) or data == zero_frame(f.content)
            self.require(ok, "F011", f"frame at {f.position}: not the form of {f.content} zeros")
            self.require(is_one_frame(data, f.content), "F010", f"frame at {f.position}: not {f.content} bytes")

    def apply(self, target, blank, end):
        """Writes this over the parent's content up to offset `end`; `blank`: the target of a full holds zeros only."""
        def write(piece, at):
            os.pwrite(target, piece[:max(0, end - at)], at)

        with self.open() as data, subprocess.Popen(
                ["zstd", "-dcq"], stdin=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as zstd:
            def take(offset, size, skip=False):
                for at in range(offset, offset + size, MIB):
                    piece = zstd.stdout.read(min(MIB, offset + size - at))
                    self.require(len(piece) == min(MIB, offset + size - at), "F010", f"no payload for offset {at}")
                    if not skip:
                        write(piece, at)

            for n, payload, own in zip(self.nodes, self.payloads, self.extents_of):
                if self.full:
                    take(n.first * self.chunk, payload, n.zero and blank)
                for x in own:
                    offset, size = x.first * BLOCK, self.span(x.first, x.count, BLOCK)
                    if x.state:
                        take(offset, size)
                        continue
                    for at in range(offset, offset + size, MIB):
                        write(bytes(min(MIB, offset + size - at)), at)
            self.require(not zstd.stdout.read(1) and zstd.wait() == 0, "F010", "zstd finds damage")

    def values(self, parent_values):
        """The nodes of the whole device, those of the parent where this has none: (first, count, zero, hash) each."""
        result, at, old = [], 0, 0
        for n in self.nodes + [Node(self.chunks, *[0] * 8)]:
            while at < n.first:
                while old < len(parent_values) and sum(parent_values[old][:2]) <= at:
                    old += 1
                self.require(old < len(parent_values), "F031", f"chunk {at}: no node of the parent")
                first, count, zero, _ = parent_values[old]
                end = min(first + count, n.first)
                subtree = count & (count - 1) == 0 or end == self.chunks
                if not zero or (first, first + count) == (at, end) and subtree and (count < self.chunks or self.chunks == 1):
                    result.append(parent_values[old])
                else:
                    for c, k in cut(at, end, self.chunks, self.chunk):
                        value = value_of_zeros(c * self.chunk, self.span(c, k, self.chunk))
                        result.append((c, k, True, value))
                at = end
            if n.count:
                result.append((n.first, n.count, n.zero, n.hash))
            at = n.first + n.count
        if len(result) > 1:
            root = combine([v[3] for v in result], [self.span(v[0], v[1], self.chunk) for v in result])
        else:
            root = result[0][3] if result else blake3(b"")
        self.require(root == self.root, "F031", f"expected {self.root.hex()}, found {root.hex() if root else 'none'}")
        return result

    def check_kept(self, parent_values):
        """F022: a kept zero node lies in zero nodes of the parent."""
        ends = [v[0] + v[1] for v in parent_values]
        for i, (n, own) in enumerate(zip(self.nodes, self.extents_of)):
            if n.zero and not own and not self.full:
                at = bisect.bisect_right(ends, n.first)
                while at < len(ends) and parent_values[at][0] < n.first + n.count:
                    self.require(parent_values[at][2], "F022", f"node {i}: kept as zeros, but the parent has data")
                    at += 1

    def check_node_hashes(self, target):
        for i, n in enumerate(self.nodes):
            offset, size = n.first * self.chunk, self.span(n.first, n.count, self.chunk)
            data = os.pread(target, size, offset)
            found = blake3(data) if self.chunks == 1 else chaining_value(data, offset)
            self.require(found == n.hash, "F026", f"node {i} at offset {offset}: expected {n.hash.hex()}, "
                         f"found {found.hex()}")


def check_tree(folder, m):
    """X.tree (section 7), if it is there."""
    name, size = m["base"] + ".tree", m["fileSize"]
    if not os.path.exists(os.path.join(folder, name)):
        return
    with open(os.path.join(folder, name), "rb") as file:
        raw = file.read()
    ok = raw[:24] == struct.pack("<8sIIQ", b"VARVETRE", 1, 20, size) and len(raw) == 24 - 32 * (-size // MIB)
    require(ok, "F041", name, "not the form of a tree, or not as many values as the file has groups")
    values = [raw[at:at + 32] for at in range(24, len(raw), 32)]
    sizes = [min(MIB, size - at) for at in range(0, size, MIB)]
    found = values[0] if len(values) == 1 else combine(values, sizes)
    require(found.hex() == m["fileHash"], "F042", name, "the values do not combine to fileHash")


# ---- receipts (section 13) -------------------------------------------------------------------------------------------

RECEIPT = {"format": str, "sequence": int, "previous": (str, None), "note": (str, None), "what": str, "vault": str,
           "volume": str, "about": str, "started": str, "finished": str, "milliseconds": int, "host": str, "tool": str,
           "depth": (str, None), "evidence": (str, None), "result": str, "archives": list, "findings": int,
           "first": (str, None), "notCovered": list}
PROOF = {"archive": str, "fileHash": str, "fileSize": int, "depth": (str, None), "result": str, "proved": list,
         "damaged": list}
WORDS = {"what": ("archive", "verify", "restore", "copy", "consolidate", "heal", "expire", "evict"),
         "depth": ("structure", "stored", "content", "source", None), "evidence": ("medium", "cache", None),
         "result": ("ok", "damaged", "failed")}


def compact(value):
    if isinstance(value, dict):
        return "{" + ",".join(json_value(k) + ":" + compact(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return json_value(value)


def is_object(value, members):
    return type(value) is dict and list(value) == list(members) and all(
        type(value[m]) is list if kind is list else is_value(value[m], kind) for m, kind in members.items()) and all(
        value[m] in words for m, words in WORDS.items() if m in value)


def are_ranges(value, size):
    flat = [-1]
    for pair in value:
        if type(pair) is not list or len(pair) != 2 or not all(is_value(at, int) for at in pair):
            return False
        flat += pair
    return len(value) <= 256 and all(a < b for a, b in zip(flat, flat[1:])) and flat[-1] <= size


def is_proof(proof):
    if not is_object(proof, PROOF) or not HASH.fullmatch(proof["fileHash"]) or not 1 <= units(proof["archive"]) <= 200:
        return False
    both = sorted(proof["proved"] + proof["damaged"])
    return (all(are_ranges(proof[kind], proof["fileSize"]) for kind in ("proved", "damaged"))
            and all(a[1] <= b[0] for a, b in zip(both, both[1:])) and not (proof["damaged"] and proof["result"] == "ok"))


def units(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def read_receipt(raw, where):
    r = None
    try:
        r = json.loads(raw.decode("utf-8"))
        ok = (len(raw) < 1 << 20 and is_object(r, RECEIPT) and compact(r).encode() == raw
              and r["format"] == "varve-receipt-1" and r["sequence"] >= 1
              and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r["vault"])
              and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", r["volume"])
              and is_time(r["started"]) and is_time(r["finished"]) and all(map(is_proof, r["archives"]))
              and (r["previous"] is None or HASH.fullmatch(r["previous"]))
              and all(type(text) is str for text in r["notCovered"]) and len(r["notCovered"]) <= 20
              and all(units(text) <= 1000 for text in [
                  r["about"], r["host"], r["tool"], r["first"] or "", r["note"] or "", *r["notCovered"]]))
    except (ValueError, RecursionError):
        ok = False
    require(ok, "F044", where, "not in the form of a receipt")
    return r


def read_head(folder):
    """Number and hash of the newest line, or None."""
    name, head = ".varve-receipts.head", None
    try:
        with open(os.path.join(folder, name), "rb") as file:
            raw = file.read(4097)
    except FileNotFoundError:
        return None
    try:
        head = json.loads(raw.decode("utf-8"))
        ok = (is_object(head, {"format": str, "sequence": int, "hash": str, "check": str})
              and head["format"] == "varve-receipts-1" and encode_manifest(head) == raw
              and head["check"] == blake3(raw[:raw.rindex(b'  "check": ')]).hex())
    except (ValueError, RecursionError):
        ok = False
    require(ok, "F045", name, "damaged")
    return head["sequence"], head["hash"]


def read_receipts(folder):
    """All receipts; what was never completed at the end is left out."""
    name = "receipts.jsonl"
    head = read_head(folder)
    try:
        with open(os.path.join(folder, name), "rb") as file:
            lines = file.read().split(b"\n")[:-1]
    except FileNotFoundError:
        lines = []
    receipts, hashes = [], []
    for number, line in enumerate(lines, 1):
        try:
            r = read_receipt(line, f"{name}: line {number}")
        except Broken:
            unknown = head[0] == number - 1 if head else number == 1
            if number == len(lines) and unknown:
                break
            raise
        require(r["sequence"] == number, "F045", name, f"line {number} is receipt {r['sequence']}")
        require(r["previous"] == (hashes[-1] if hashes else None), "F045", name,
                f"receipt {number} does not follow the line before it")
        receipts.append(r)
        hashes.append(blake3(line).hex())
    require(head or len(receipts) <= 1, "F045", name, "no head")
    require(not head or head[0] <= len(hashes) and hashes[head[0] - 1] == head[1], "F045", name,
            "the newest line is not the one that was written")
    return receipts


# ---- vaults (sections 14 and 15) -------------------------------------------------------------------------------------

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STANDING = {"label": (str, None), "place": (str, None), "state": str, "revision": int}
MARKER = {"format": str, "id": str, "created": str, **STANDING, "keeper": int, "check": str}
OLD_MARKER = {"format": str, "id": str, "created": str, "check": str}
STATES = ("online", "away", "suspect", "retired")
INVENTORY = {"format": str, "vault": str, "generation": int, "written": str, "keeper": int, **STANDING}
OTHER = {"other": str, **STANDING, "seen": (str, None), "folder": (str, None)}
STOCK = {"volume": str, "volumeId": str}
HELD = {"archive": str, "fileHash": str, "fileSize": int, "kind": str, "sequence": int, "proved": (str, None),
        "depth": (str, None), "evidence": (str, None), "result": (str, None)}


def has_members(value, members):
    return type(value) is dict and list(value) == list(members) and all(is_value(value[m], k) for m, k in members.items())


def read_marker(folder):
    name, m = "varve-vault.json", None
    with open(os.path.join(folder, name), "rb") as file:
        raw = file.read(65537)
    try:
        m = json.loads(raw.decode("utf-8"))
        ok = ((has_members(m, MARKER) and m["state"] in STATES and m["keeper"] in (0, 1) or has_members(m, OLD_MARKER))
              and m["format"] == "varve-vault-1" and UUID.fullmatch(m["id"]) and encode_manifest(m) == raw
              and m["check"] == blake3(raw[:raw.rindex(b'  "check": ')]).hex())
    except (ValueError, RecursionError):
        ok = False
    require(ok, "section 14", name, "not in the form of a marker")
    return {"label": None, "place": None, "state": "online", "revision": 0, "keeper": 0, **m}


def read_inventory(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        raw = file.read()
    rows, ok = [], False
    try:
        lines = raw.split(b"\n")
        rows = [json.loads(line.decode("utf-8")) for line in lines[:-1]]
        head, others, held, order = rows[0], [], [], []
        ok = (lines[-1] == b"" and has_members(head, INVENTORY) and head["format"] == "varve-inventory-1"
              and head["vault"] + ".jsonl" == name and UUID.fullmatch(head["vault"]) and head["generation"] >= 1
              and is_time(head["written"]) and head["state"] in STATES and head["keeper"] in (0, 1)
              and all(compact(row).encode() == line and len(line) < 16384 for row, line in zip(rows, lines))
              and rows[-1] == {"check": blake3(raw[:raw.rindex(b'{"check":')]).hex()})
        for row in rows[1:-1]:
            if has_members(row, OTHER):
                ok = ok and not order and row["state"] in STATES and (row["seen"] is None or is_time(row["seen"]))
                others.append(row["other"])
            elif has_members(row, STOCK):
                order.append((row["volume"], []))
            else:
                ok = ok and has_members(row, HELD) and HASH.fullmatch(row["fileHash"]) and row["kind"] in ("full", "delta")
                proof = row["proved"], row["depth"], row["evidence"], row["result"]
                ok = ok and (proof == (None,) * 4 or is_time(proof[0]) and None not in proof
                             and all(row[m] in WORDS[m] for m in ("depth", "evidence", "result")))
                order[-1][1].append(row["sequence"])
                held.append(row)
        ok = ok and others == sorted(set(others)) and [v for v, _ in order] == sorted({v for v, _ in order}) and all(
            numbers == sorted(numbers) for _, numbers in order)
    except (ValueError, RecursionError, IndexError, KeyError):
        ok = False
    require(ok, "section 15", name, "not in the form of an inventory")
    return head, held


def command_vault(folder):
    marker = read_marker(folder)
    print(f"{marker['id']}  {marker['label']}  {marker['state']}")
    catalogue = os.path.join(folder, "varve-catalogue")
    for name in sorted(os.listdir(catalogue)) if os.path.isdir(catalogue) else []:
        if name.endswith(".jsonl"):
            head, held = read_inventory(catalogue, name)
            proved = sum(row["result"] == "ok" for row in held)
            print(f"{head['vault']}  {head['label']}  {head['state']}  generation {head['generation']}: {proved} of {len(held)} proved")


# ---- settings (section 16) -------------------------------------------------------------------------------------------

KEEP = "keepLast", "keepDaily", "keepWeekly", "keepMonthly", "keepYearly"
SETTINGS = {"format": str, "volume": str, "volumeId": str, "generation": int, "keepLast": (int, None),
            "keepWithin": (str, None), "keepDaily": (int, None), "keepWeekly": (int, None), "keepMonthly": (int, None),
            "keepYearly": (int, None), "timeZone": (str, None), "protected": str, "unprotected": str, "expired": str}
SETTINGS_FORMATS = {"varve-volume-1": {**SETTINGS, "check": str},
                    "varve-volume-2": {**SETTINGS, "recipients": str, "check": str}}


def read_numbers(text):
    """Ranges of numbers, as pairs of the first and the last."""
    if not re.fullmatch(r"([1-9]\d{0,17}(-[1-9]\d{0,17})?( (?!$)|$))*", text):
        return None
    pairs = [(int(part.split("-")[0]), int(part.split("-")[-1])) for part in text.split()]
    ends = [0, *(end for _, end in pairs)]
    ok = all(first > before + (before > 0) for (first, _), before in zip(pairs, ends)) and " ".join(
        f"{a}-{b}" if a < b else str(a) for a, b in pairs) == text
    return pairs if ok else None


def read_settings(folder, manifests):
    """What is kept, or None if nobody has decided anything."""
    name, s = "varve-volume.json", None
    try:
        with open(os.path.join(folder, name), "rb") as file:
            raw = file.read((1 << 20) + 1)
    except FileNotFoundError:
        return None
    try:
        s = json.loads(raw.decode("utf-8"))
        known = type(s) is dict and type(s.get("format")) is str and s["format"] in SETTINGS_FORMATS
        policy = [s[member] for member in KEEP] if known and is_object(s, SETTINGS_FORMATS[s["format"]]) else []
        ok = (policy and len(raw) <= 1 << 20 and encode_manifest(s) == raw and are_recipients(s.get("recipients", "none"))
              and s["check"] == blake3(raw[:raw.rindex(b'  "check": ')]).hex() and s["generation"] >= 1
              and all(number is None or 1 <= number <= 1000000 for number in policy)
              and (s["keepWithin"] is None or re.fullmatch(
                  r"(?=.)([1-9]\d{0,3}y)?([1-9]\d{0,3}m)?([1-9]\d{0,3}d)?([1-9]\d{0,3}h)?", s["keepWithin"]))
              and (s["timeZone"] is None) == (not any(policy) and s["keepWithin"] is None)
              and (s["timeZone"] is None or re.fullmatch(r"[A-Za-z0-9+:/_-]+", s["timeZone"]))
              and all(read_numbers(s[member]) is not None for member in ("protected", "unprotected", "expired"))
              and not any(a <= d and c <= b for a, b in read_numbers(s["protected"]) for c, d in read_numbers(s["unprotected"]))
              and all(m["volume"] == s["volume"] and m["volumeId"] == s["volumeId"] for m in manifests))
    except (ValueError, RecursionError):
        ok = False
    require(ok, "F046", name, "not in the form of settings, or not of this volume")
    return s


# ---- points in time (section 8) --------------------------------------------------------------------------------------

def state(m):
    return m["root"], m["size"]


def find_path(folder, manifests, goal):
    """The shortest row of archives at hand that begins with a full and ends in the state `goal`."""
    paths, seen = collections.deque([(goal, [])]), {goal}
    while paths:
        at, path = paths.popleft()
        for m in manifests:
            parent = m["parentRoot"], m["parentSize"]
            if state(m) != at or parent in seen or not os.path.exists(os.path.join(folder, m["archive"])):
                continue
            if m["kind"] == "full":
                return [m] + path
            seen.add(parent)
            paths.append((parent, [m] + path))
    raise Unavailable(f"no path of archives at hand leads to root {goal[0]}")


class Image:
    """A target that goes from state to state."""

    def __init__(self, folder, target):
        self.folder, self.target, self.state, self.values = folder, target, None, []
        self.regular = stat.S_ISREG(os.fstat(target).st_mode)

    def go(self, path, nodes=False):
        """Applies the archives; the last state is proved, with `nodes` each of them."""
        for m in path:
            archive = Archive(self.folder, m)
            archive.check_kept(self.values)
            self.values = archive.values([] if archive.full else self.values)
            if self.regular:
                os.ftruncate(self.target, 0 if archive.full else m["size"])
                os.ftruncate(self.target, m["size"])
            archive.apply(self.target, self.regular, m["size"] if nodes else path[-1]["size"])
            if nodes:
                archive.check_node_hashes(self.target)
            self.state = state(m)
        found = b3sum(self.target, m["size"])
        archive.require(found == m["root"], "F026", f"the content has not the hash of its nodes: root {found}")


def choose(manifests, point):
    """The last point whose time begins with `point`, or the only state whose root does."""
    found = manifests if point == "latest" else [m for m in manifests if m["time"].startswith(point)]
    if not found:
        found = [m for m in manifests if m["root"].startswith(point.lower())]
        if len(set(map(state, found))) > 1:
            raise Unavailable(f"{point} is the beginning of several roots")
    if not found:
        raise Unavailable(f"no point in time {point}")
    return found[-1]


def command_list(folder):
    for m in read_volume(folder):
        label = "" if m["label"] is None else f"  {m['label']!r}"
        kind = m["kind"] + ("" if m["original"] is None else ", derived")
        print(f"{m['time']}  {kind:14}  size {m['size']}  stored {m['fileSize']}  root {m['root']}{label}")


def command_restore(folder, point, target):
    """A file gets its name only when it is proved; a device is written in place, unless something holds it."""
    manifests = read_volume(folder)
    m = choose(manifests, point)
    path = find_path(folder, manifests, state(m))
    device = os.path.exists(target) and stat.S_ISBLK(os.stat(target).st_mode)
    if not device and os.path.exists(target):
        raise FileExistsError(f"{target} exists; move it away, or give another name")
    stage = target if device else target + ".unproved"
    descriptor = os.open(stage, os.O_RDWR | (os.O_EXCL if device else os.O_CREAT | os.O_TRUNC), 0o600)
    print(*[f"reads {step['archive']}" for step in path], sep="\n", file=sys.stderr)
    try:
        Image(folder, descriptor).go(path)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if not device:
        os.rename(stage, target)
    print(f"{target}: {m['size']} bytes as of {m['time']}, root {m['root']}, proved")


def command_verify(folder, nodes):
    manifests = read_volume(folder)
    for m in manifests:
        Archive(folder, m)
        check_tree(folder, m)
    with tempfile.TemporaryFile() as file:
        image = Image(folder, file.fileno())
        for m in manifests:
            parent = m["parentRoot"], m["parentSize"]
            before = [] if m["kind"] == "full" or image.state == parent else find_path(folder, manifests, parent)
            image.go(before + [m], nodes)
            with open(os.path.join(folder, m["archive"]), "rb") as data:
                found = b3sum(data.fileno(), m["fileSize"])
            require(found == m["fileHash"], "F038", m["archive"], f"b3sum of the file is {found}")
            print(f"{m['time']}  {m['kind']:5}  ok  root {m['root']}")
    receipts = read_receipts(folder)
    if receipts:
        print(f"{len(receipts)} receipts, ok")
    if read_settings(folder, manifests):
        print("settings, ok")


def main(words):
    nodes = words[2:] == ["--nodes"]
    if [*words[:1], len(words) - nodes] not in (["list", 2], ["restore", 4], ["verify", 2], ["vault", 2]):
        sys.exit(__doc__.strip())
    try:
        if words[0] == "list":
            command_list(words[1])
        elif words[0] == "vault":
            command_vault(words[1])
        elif words[0] == "restore":
            command_restore(*words[1:])
        else:
            command_verify(words[1], nodes)
    except Broken as e:
        print(e, file=sys.stderr)
        return 1
    except (Unavailable, OSError) as e:
        print(e, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
