"""SCANOSS's fingerprints: those of SCANOSS's own program, line by line, and of a plain twin."""

from __future__ import annotations

import random
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.clients import programs_of, run

from codecite.indexer.store.scanoss import winnowed

STDLIB = Path(sysconfig.get_paths()["stdlib"])
FILES = ("argparse.py", "textwrap.py", "heapq.py", "tarfile.py", "json/decoder.py", "email/header.py", "re/_parser.py")


def lines_of(content: bytes) -> list[str]:
    """The lines of a WFP, as the kernel has them."""
    raw = np.frombuffer(content, np.uint8)
    hashes, _, lines = winnowed(raw, np.array([len(raw)], np.int64))
    return joined(zip(lines.tolist(), hashes.tolist(), strict=True))


def joined(found: object) -> list[str]:
    """Lines and hashes in the form of a WFP."""
    told: dict[int, list[str]] = {}
    for line, value in found:  # type: ignore[attr-defined]
        told.setdefault(line, []).append(f"{value:08x}")
    return [f"{line}={','.join(values)}" for line, values in told.items()]


def crc32c(data: bytes) -> int:
    """Bit by bit.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def twin(content: bytes) -> list[str]:
    """The specification, with nothing rolling."""
    kept, line = [], 1
    for byte in content:
        line += byte == 10
        if byte < 128 and chr(byte).isalnum():
            kept.append((ord(chr(byte).lower()), line))
    text = bytes(byte for byte, _ in kept)
    grams = [crc32c(text[at : at + 30]) for at in range(len(text) - 29)]
    found, last = [], None
    for end in range(64, len(grams) + 1):
        smallest = min(grams[end - 64 : end])
        if smallest != last:
            found.append((kept[end + 28][1], crc32c(smallest.to_bytes(4, "little"))))
            last = smallest
    return joined(found)


def test_the_hashes_are_those_of_scanoss_line_by_line(tmp_path: Path) -> None:
    """Of real files, and of one with other line ends, other alphabets and a long line."""
    program = programs_of("scanoss") / "scanoss-py"
    tree = tmp_path / "tree"
    for name in FILES:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes((STDLIB / name).read_bytes())
    odd = (STDLIB / "shlex.py").read_bytes().replace(b"\n", b"\r\n") + "größer = 'ΑΒΓ'\n".encode() * 30
    (tree / "odd.py").write_bytes(odd + b"x1 = " + b"abc0 " * 150 + b"\n")
    done = run(program, "fingerprint", tree, home=tmp_path)
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("file="):
            path = line.split(",", 2)[2]
            found[path] = []
        elif line[:1].isdigit():
            found[path].append(line)
    assert set(found) == {*FILES, "odd.py"}, done.stderr
    for name, theirs in found.items():
        assert len(theirs) > 20
        assert lines_of((tree / name).read_bytes()) == theirs, name


@given(st.text(alphabet="abXY01 \n\té-", min_size=80, max_size=400), st.integers(0, 2**32))
def test_the_kernel_is_its_twin(text: str, seed: int) -> None:
    """For texts that repeat themselves, and for rubbish."""
    draw = random.Random(seed)
    for content in (text.encode(), bytes(draw.choices(range(256), k=300)), b"a" * 150, b"ab" * 100):
        assert lines_of(content) == twin(content)


@pytest.mark.parametrize("split", [0, 1, 92, 93, 700])
def test_documents_of_a_batch_are_told_apart(split: int) -> None:
    """Each begins anew, at line 1; one that is too short has none."""
    content = (STDLIB / "bisect.py").read_bytes()
    first, second = content[:split], content[split:]
    ends = np.array([len(first), len(content)], np.int64)
    hashes, documents, lines = winnowed(np.frombuffer(content, np.uint8), ends)
    for number, part in enumerate((first, second)):
        here = documents == number
        assert joined(zip(lines[here].tolist(), hashes[here].tolist(), strict=True)) == twin(part)
