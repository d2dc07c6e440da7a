"""What a program that strace looked at has read of the files in a folder.

    reads.py TRACES FOLDER --data BYTES   fails if it was more than BYTES of data files (*.zst), or more than all of the others

TRACES is a folder of what `strace -ff -y -o` wrote. What is mapped counts as read.
"""

import argparse
import collections
import os
import re
import sys

# pread64(7</vault/tools/a.zst>, ..., 1048576, 0) = 1048576; copy_file_range and sendfile have the other file before it, or after
READ = re.compile(r"(?:p?readv?|pread64)\(\d+<(?P<path>[^>]*)>.* = (?P<size>\d+)$")
COPIED = re.compile(r"(?:copy_file_range\(|sendfile\(\d+<[^>]*>, )\d+<(?P<path>[^>]*)>.* = (?P<size>\d+)$")
MAPPED = re.compile(r"mmap\([^,]*, (?P<size>\d+), .*, \d+<(?P<path>[^>]*)>, \w+\) = 0x")


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
    data = others = 0
    for path, size in reads(wanted.traces).items():
        if os.path.dirname(path) == folder:
            if path.endswith(".zst"):
                data += size
            else:
                others += size
    tables = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder) if not name.endswith(".zst"))
    print(f"read {data} bytes of data files, {others} of others, which have {tables}")
    if not 0 < data <= wanted.data or others > tables:
        sys.exit(f"reads.py: expected at most {wanted.data} and {tables}, and something")


if __name__ == "__main__":
    main()
