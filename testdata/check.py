#!/usr/bin/env python3
"""Tests of the reader, the writer, the golden and the bad volumes. `check.py -v` names them, `check.py Bad Golden` runs some."""
import contextlib
import io
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import varve_reader as reader  # noqa: E402
import varve_writer as writer  # noqa: E402

CHUNK = 65536
os.environ["VARVE_IDENTITY"] = os.path.join(HERE, "age", "identity.txt")


def folders(kind):
    with os.scandir(os.path.join(HERE, kind)) as entries:
        return sorted(entry.path for entry in entries if entry.is_dir())


def program(*words, data=None):
    return subprocess.run(words, input=data, stdout=subprocess.PIPE, check=True).stdout


def run_reader(*words):
    """Exit code and standard error of the reader's command line, in this process."""
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        return reader.main(list(words)), errors.getvalue()


def verdict(folder, overlooked=None):
    """The rule that the reader finds broken, None if all is well, or "stuck" where it can go no further."""
    original = reader.require

    def require(ok, rule, where, what):
        if rule != overlooked:
            original(ok, rule, where, what)

    reader.require = require
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            reader.command_verify(folder, True)
        return None
    except reader.Broken as e:
        return "stuck" if e.rule == overlooked else e.rule
    except (reader.Unavailable, OSError, ArithmeticError, LookupError, ValueError, TypeError, AttributeError,
            reader.struct.error):
        if overlooked is None:
            raise
        return "stuck"
    finally:
        reader.require = original


class Blake3(unittest.TestCase):
    def test_equals_b3sum(self):
        source = random.Random(1)
        for size in (0, 1, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 3072, 5000, CHUNK, CHUNK + 1, 1 << 20, 1234567):
            data = source.randbytes(size)
            expected = program("b3sum", "--no-names", data=data).decode().strip()
            self.assertEqual(expected, reader.blake3(data).hex(), size)


class Golden(unittest.TestCase):
    def test_every_volume_verifies(self):
        for folder in folders("golden"):
            with self.subTest(os.path.basename(folder)):
                self.assertIsNone(verdict(folder))

    def test_every_point_restores_to_the_expected_root(self):
        for folder in folders("golden"):
            with open(os.path.join(folder, "expect.json"), encoding="utf-8") as file:
                points = json.load(file)["points"]
            with self.subTest(os.path.basename(folder)), tempfile.TemporaryDirectory() as scratch:
                for i, point in enumerate(points):
                    target = os.path.join(scratch, f"image{i}")
                    code, errors = run_reader("restore", folder, point["time"], target)
                    self.assertEqual(0, code, errors)
                    self.assertEqual(point["size"], os.path.getsize(target))
                    self.assertEqual(point["root"], program("b3sum", "--no-names", target).decode().strip())

    def test_zstd_accepts_every_archive(self):
        archives = [os.path.join(folder, name) for folder in folders("golden") for name in os.listdir(folder)
                    if name.endswith(".zst")]
        program("zstd", "-tq", *archives)


class Seekable(unittest.TestCase):
    """seekable.py, which knows the zstd seekable format and nothing else."""

    SCRIPT = os.path.join(HERE, "seekable.py")

    def run_script(self, *words):
        command = [sys.executable, "-B", self.SCRIPT, *words]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_it_reads_every_golden_archive(self):
        for folder in folders("golden"):
            for name in os.listdir(folder):
                if name.endswith(".zst"):
                    result = self.run_script("check", os.path.join(folder, name))
                    self.assertEqual(0, result.returncode, result.stderr)

    def test_it_finds_any_place(self):
        path = os.path.join(HERE, "golden", "back", "back.20261101T020000.123Z.full.zst")
        content = program("zstd", "-dcq", path)
        for offset, size in (0, 1), (65530, 100), (len(content) - 1, 5), (3, len(content)), (CHUNK, CHUNK):
            self.assertEqual(content[offset:offset + size],
                             self.run_script("read", path, str(offset), str(size)).stdout)

    def test_it_refuses_every_bad_seek_table(self):
        for folder in folders("bad"):
            if os.path.basename(folder).startswith("F013"):
                path, = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".zst")]
                self.assertEqual(1, self.run_script("check", path).returncode, path)


class Bad(unittest.TestCase):
    def test_every_volume_is_refused_for_its_rule_and_nothing_else_is_wrong(self):
        for folder in folders("bad"):
            with self.subTest(os.path.basename(folder)):
                with open(os.path.join(folder, "expect.txt"), encoding="utf-8") as file:
                    rule, _, *also = file.read().splitlines()
                self.assertEqual(os.path.basename(folder)[:4], rule)
                code, errors = run_reader("verify", folder)
                self.assertEqual(1, code, errors)
                self.assertEqual([rule], re.findall(r"\bF0\d\d\b(?=: )", errors), errors)
                self.assertEqual(1, errors.count("\n"), errors)
                self.assertIn(verdict(folder, rule), [also[0][6:]] if also else [None, "stuck"])

    def test_every_rule_has_a_volume(self):
        with open(os.path.join(HERE, os.pardir, "docs", "FORMAT.md"), encoding="utf-8") as file:
            rules = set(re.findall(r"\*\*(F\d{3})\*\*", file.read()))
        self.assertEqual(rules, {os.path.basename(folder)[:4] for folder in folders("bad")})


class Page(unittest.TestCase):
    def test_format_md_holds_what_format_examples_prints(self):
        printed = program(sys.executable, "-B", os.path.join(HERE, "format_examples.py")).decode()
        with open(os.path.join(HERE, os.pardir, "docs", "FORMAT.md"), encoding="utf-8") as file:
            self.assertIn("\n\n" + printed, file.read())


class Histories(unittest.TestCase):
    """Random devices: what the writer writes the reader reads."""

    def test_random_histories(self):
        for seed in range(12):
            source = random.Random(seed)
            with self.subTest(seed=seed), tempfile.TemporaryDirectory() as scratch:
                volume, image, state = writer.Volume(os.path.join(scratch, "volume")), b"", None
                images = []
                for day in range(1, 7):
                    image = self.changed(image, source)
                    images.append(image)
                    draft = writer.full(image, CHUNK) if state is None else writer.delta(
                        state, image, source.random() < 0.3, source.choice([1, 100000, 1 << 20]))
                    state = volume.save(draft, day)
                self.assertIsNone(verdict(volume.folder))
                day = source.randrange(6)
                target = os.path.join(scratch, "image")
                code, errors = run_reader("restore", volume.folder, f"2026-11-{day + 1:02}", target)
                self.assertEqual(0, code, errors)
                with open(target, "rb") as file:
                    self.assertEqual(images[day], file.read())

    @staticmethod
    def changed(image, source):
        size = source.choice([len(image), 0, 1, CHUNK, CHUNK + 1, 4 * CHUNK, 7 * CHUNK, 8 * CHUNK,
                              source.randrange(12 * CHUNK), source.randrange(12 * CHUNK)])
        image = bytearray(image[:size].ljust(size, b"\0"))
        for _ in range(source.randrange(6) if size else 0):
            begin = source.randrange(size)
            begin -= begin % source.choice([1, CHUNK])
            end = min(size, begin + source.choice([1, 100, 4096, CHUNK, 3 * CHUNK, 5 * CHUNK]))
            some = source.randbytes(min(end - begin, 64)).ljust(end - begin, b"x")
            image[begin:end] = some if source.random() < 0.5 else bytes(end - begin)
        return bytes(image)


class Damage(unittest.TestCase):
    """One flipped bit, or an end anywhere."""

    def test_flipped_bits_and_early_ends_are_found(self):
        with tempfile.TemporaryDirectory() as scratch:
            volume = writer.Volume(os.path.join(scratch, "volume"))
            volume.save(writer.full(b"small" * 40 + bytes(2 * CHUNK), CHUNK), 1)
            for name in os.listdir(volume.folder):
                path = os.path.join(volume.folder, name)
                with open(path, "rb") as file:
                    raw = file.read()
                for at in range(0, len(raw), 13):
                    with self.subTest(name=name, position=at):
                        with open(path, "wb") as file:
                            file.write(raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1:])
                        self.assertIsNotNone(verdict(volume.folder))
                for size in range(0, len(raw), 29):
                    with self.subTest(name=name, size=size):
                        with open(path, "wb") as file:
                            file.write(raw[:size])
                        self.assertIsNotNone(verdict(volume.folder))
                with open(path, "wb") as file:
                    file.write(raw)


if __name__ == "__main__":
    unittest.main(warnings="ignore") # of files that a refusal leaves open
