"""What a program that strace looked at has read of the files in a folder.

    reads.py TRACES FOLDER --data BYTES   fails if it was more than BYTES, and the tables

TRACES is a folder of what `strace -ff -y -o` wrote. What is mapped to be read counts as read. The tables are all files that are no data
files (*.zst); a data file has most of that at its end once more, beside its headers.
"""

import argparse
import collections
import os
import re
import sys

HEADERS = 64 << 10      # of a data file, and what is read to find its tables

# pread64(7</vault/tools/a.zst>, ..., 1048576, 0) = 1048576; copy_file_range and sendfile have the other file before it, or after
READ = re.compile(r"(?:p?readv?|pread64)\(\d+<(?P<path>[^>]*)>.* = (?P<size>\d+)$")
COPIED = re.compile(r"(?:copy_file_range\(|sendfile\(\d+<[^>]*>, )\d+<(?P<path>[^>]*)>.* = (?P<size>\d+)$")
MAPPED = re.compile(r"mmap\([^,]*, (?P<size>\d+), PROT_READ.*, \d+<(?P<path>[^>]*)>, \w+\) = 0x")


def reads(traces):
    """Bytes by file."""
    total = collections.Counter()
    for name in os.listdir(traces):
        with open(os.path.join(traces, name), encoding="utf-8", errors="replace") as trace:
            for line in trace:
                found = READ.match(line) or COPIED.match(line) or MAPPED.match(line)
                if found:
                    total[found["path"]] += int(found["size"])
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traces")
    parser.add_argument("folder")
    parser.add_argument("--data", type=int, required=True)
    wanted = parser.parse_args()
    folder = os.path.realpath(wanted.folder)
    read = {path: size for path, size in reads(wanted.traces).items() if os.path.dirname(path) == folder}
    data = [size for path, size in read.items() if path.endswith(".zst")]
    names = os.listdir(folder)
    tables = sum(os.path.getsize(os.path.join(folder, name)) for name in names if not name.endswith(".zst"))
    limit = wanted.data + 2 * tables + HEADERS * sum(name.endswith(".zst") for name in names)
    print(f"read {sum(data)} bytes of {len(data)} data files, {sum(read.values())} in all; limit {limit}")
    if not data or sum(read.values()) > limit:
        sys.exit("reads.py: expected less than the limit, and something")


if __name__ == "__main__":
    main()
