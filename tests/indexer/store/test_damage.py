"""A flipped byte anywhere in an index is found, named, and never shows in an answer.

Some hundreds of flips, in every file of an index with several Segments, removed Origins and takedowns: at chosen
places (headers, checksum tables, every field of the trailer) and at random ones. Each is undone again.
"""

from __future__ import annotations

import random
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from oracle.killing import base
from oracle.planned import File, Plan, unit
from oracle.pool import CONTENTS, QUERIES, package
from oracle.store_model import answers
from oracle.tidy import MEMORY, holds_nothing_else

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.errors import CodeciteError
from codecite.indexer.store import frequent
from codecite.indexer.store.manifest import read_manifest
from codecite.indexer.store.section import BLOCK, Section
from codecite.indexer.store.segment import REST
from codecite.indexer.store.verify import FILES, verify
from codecite.indexer.upkeep import compact

LARGE = b"".join(
    b"    result[%d] = value_%d + other(%d);\n" % (i, i * 7919 % 10007, i * i % 997) for i in range(24_000)
)
TRAILER = 32
COPIED = LARGE[300_000:301_000]
ASKED = [*QUERIES, (b"", COPIED, b""), (b"", COPIED.replace(b"result", b"outcome"), b"")]


@pytest.fixture(scope="module")
def index() -> Iterator[Path]:
    """Segments of one and of many blocks, some with removed Origins, one with a Document of another; frequent lists."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as place, patch.object(frequent, "LEAST", 2):
        directory = Path(place) / "index"
        files = (File("large.c", LARGE), File("again.py", CONTENTS[6]), File("secret/b.py", CONTENTS[9]))
        add(directory, [unit(Plan(package("/large", 4, "MIT"), files))])
        base(directory)
        yield directory


@pytest.fixture(scope="module")
def expected(index: Path) -> list[str]:
    """What the sound index answers."""
    return asked(index)


def asked(directory: Path) -> list[str]:
    """The answers of an index that is opened for it."""
    index = open_index(directory)
    near = [index.check(text, before=before, after=after, near=True) for before, text, after in ASKED]
    return [*answers(index, ASKED), *map(str, near)]


@contextmanager
def flipped(path: Path, at: int, bit: int) -> Iterator[None]:
    """One bit of a file is another; afterwards it is as it was."""
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))
    try:
        yield
    finally:
        with path.open("r+b") as file:
            file.seek(at)
            file.write(bytes([byte]))


def sections(directory: Path) -> list[Path]:
    """The files of all Segments."""
    return sorted(path for path in directory.glob("segments/*/*"))


def places(path: Path, count: int, chosen: random.Random) -> list[int]:
    """Offsets in a section: some in its payload, its table, and the fields of its trailer."""
    size, length = path.stat().st_size, Section(path).length
    trailer = size - TRAILER
    fields = [trailer, trailer + 8, trailer + 10, trailer + 12, trailer + 16, trailer + 23, trailer + 24, size - 1]
    table = [length, chosen.randrange(length, trailer)] if length < trailer else []
    payload = [0, 8, length - 1, *(chosen.randrange(length) for _ in range(count))] if length else []
    return sorted({at for at in (*payload, *table, *fields) if at < size})


def found(directory: Path) -> Sequence[str]:
    """The problems that `verify` names, or the error that ends it."""
    try:
        return verify(directory).problems
    except CodeciteError as error:
        return (str(error),)


def answers_or_names(directory: Path, paths: Sequence[Path], expected: list[str]) -> bool:
    """Check answers as before, or ends with an error that names one of the files; whether it did."""
    try:
        observed = asked(directory)
    except CodeciteError as error:
        assert str(error).startswith(tuple(f"{path}: " for path in paths))
        return True
    assert observed == expected
    return False


@pytest.mark.parametrize("name", [*FILES, "removed"])
def test_a_flip_in_a_section_is_found_and_never_shows(index: Path, expected: list[str], name: str) -> None:
    """In each Segment; verify names the block, or the table or trailer that was hit."""
    chosen = random.Random(name)
    paths = [path for path in sections(index) if path.name == name or path.name.startswith(f"{name}-")]
    flips = named = 0
    for path in paths:
        length = Section(path).length
        large = path.stat().st_size > BLOCK
        for at in (
            places(path, 8 if large else 2, chosen) if large or path == paths[0] else places(path, 1, chosen)[::3]
        ):
            with flipped(path, at, chosen.randrange(8)):
                (problem,) = found(index)
                assert problem.startswith(f"{path}: ")
                (offset,) = map(int, re.findall(r"at byte (\d+)", problem))
                if at < length:
                    assert offset == at // BLOCK * BLOCK
                else:
                    assert length <= offset < path.stat().st_size
                named += answers_or_names(index, [path], expected)
            flips += 1
    assert flips >= 14
    assert named > 0 or name in REST
    assert found(index) == ()


@pytest.mark.parametrize("name", ["manifest.json", "takedowns"])
def test_a_flip_in_what_is_json_is_found_and_never_shows(index: Path, expected: list[str], name: str) -> None:
    """Anywhere in it: names, numbers, white space, the format, the checksum."""
    (path,) = index.glob(f"{name}*")
    chosen = random.Random(name)
    size = path.stat().st_size
    head = path.read_bytes().index(b"format")
    for at in {*range(0, head + 16, 5), *(chosen.randrange(size) for _ in range(40)), *range(size - 30, size, 4)}:
        with flipped(path, at, chosen.randrange(8)):
            (problem,) = found(index)
            assert problem.startswith(f"{path}: ")
            answers_or_names(index, [path], expected)
    assert found(index) == ()


@pytest.mark.parametrize("name", FILES)
def test_a_section_in_the_place_of_another_segments_is_found(index: Path, expected: list[str], name: str) -> None:
    """All its checksums are right, for the other."""
    paths = [path for path in sections(index) if path.name == name][:2]
    whole = [path.read_bytes() for path in paths]
    try:
        for path, other in zip(paths, reversed(whole), strict=True):
            path.write_bytes(other)
        problems = sorted(found(index))
        assert [problem.partition(": at byte ")[0] for problem in problems] == sorted(map(str, paths))
        assert answers_or_names(index, paths, expected) == (name not in REST)
    finally:
        for path, content in zip(paths, whole, strict=True):
            path.write_bytes(content)
    assert asked(index) == expected


@pytest.mark.parametrize("name", FILES)
def test_a_merge_does_not_carry_damage_on(index: Path, expected: list[str], tmp_path: Path, name: str) -> None:
    """Compaction ends with an error that names the file, and leaves the index as it was."""
    chosen = random.Random(f"merge {name}")
    (largest,) = sorted((path for path in sections(index) if path.name == name), key=lambda path: path.stat().st_size)[
        -1:
    ]
    path = tmp_path / "index" / largest.relative_to(index)
    for at in {0, Section(largest).length - 1, chosen.randrange(Section(largest).length)}:
        shutil.copytree(index, tmp_path / "index")
        with flipped(path, at, chosen.randrange(8)):
            with pytest.raises(CodeciteError, match=re.escape(f"{path}: at byte ")):
                compact(tmp_path / "index")
            holds_nothing_else(tmp_path / "index")
        assert asked(tmp_path / "index") == expected
        assert len(read_manifest(tmp_path / "index").segments) == len(read_manifest(index).segments)
        shutil.rmtree(tmp_path / "index")


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """An index of two Documents that agree for the most part, all of whose lists are frequent; and their text."""
    chance = random.Random("twice")
    text = bytearray(chance.choices(range(97, 123), k=60_000))
    other = text[:]
    for at in range(0, len(other), 500):
        other[at] = ord("!")
    directory = tmp_path_factory.mktemp("twice") / "index"
    with patch.object(frequent, "LEAST", 1):
        add(
            directory,
            [unit(Plan(package("/twice", 4, "MIT"), (File("a.c", bytes(text)), File("b.c", bytes(other)))))],
        )
    return directory, bytes(text)


@pytest.mark.parametrize("name", ["groups.npy", "contexts.npy"])
def test_a_check_looks_only_at_the_blocks_of_its_lists(twice: tuple[Path, bytes], name: str) -> None:
    """One of much text names the file wherever the flip is; of those of little text some answer, and as before."""
    directory, text = twice
    (path,) = directory.glob(f"segments/*/{name}")
    length = Section(path).length
    assert length > BLOCK
    few = [(b"", text[at : at + 60], b"") for at in range(900, 60_000, 5_000)]
    expected = [answers(open_index(directory), [query]) for query in few]
    chosen = random.Random(name)
    for at in (length - 1, *(chosen.randrange(BLOCK, length) for _ in range(3))):
        with flipped(path, at, chosen.randrange(8)):
            with pytest.raises(CodeciteError, match=re.escape(f"{path}: at byte {at // BLOCK * BLOCK}")):
                answers(open_index(directory), [(b"", text, b"")])
            answered = 0
            for query, wanted in zip(few, expected, strict=True):
                try:
                    assert answers(open_index(directory), [query]) == wanted
                    answered += 1
                except CodeciteError as error:
                    assert str(error).startswith(f"{path}: ")
            assert answered
    assert [answers(open_index(directory), [query]) for query in few] == expected
