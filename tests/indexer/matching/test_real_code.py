"""Every shared passage of real code is found, none is invented, each is maximal and rightly counted."""

from __future__ import annotations

import random
import re

import pytest
from oracle.library import Library
from oracle.realcode import excerpt

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_slices_are_found(real_code: Library, files: list[bytes], seed: int) -> None:
    """A slice of a file is found from its first to its last byte."""
    chance = random.Random(seed)
    query = excerpt(chance, chance.choice(files), chance.randint(200, 2500))
    report = real_code.check(query)
    assert len(b"".join(query.split())) in {match.bytes for match in report.matches}


@pytest.mark.parametrize("seed", SEEDS)
def test_splices_of_several_files_are_found(real_code: Library, files: list[bytes], seed: int) -> None:
    """Slices of several files, with words of one's own or nothing between them, are told apart."""
    chance = random.Random(seed)
    glue = chance.choice([b"", b"\n", b"\nours = 1\n"])
    query = glue.join(excerpt(chance, chance.choice(files), chance.randint(20, 600)) for _ in range(8))
    assert real_code.check(query).matches


@pytest.mark.parametrize("seed", SEEDS)
def test_changed_white_space_is_reformatted(real_code: Library, files: list[bytes], seed: int) -> None:
    """With other indentation and line ends the same passages are found, and called reformatted."""
    chance = random.Random(seed)
    query = excerpt(chance, chance.choice(files), 1500)
    changed = re.sub(rb"\s+", lambda _: chance.choice([b" ", b"\n", b"\r\n\t", b"  \v"]), query)
    matches = real_code.check(changed).matches
    assert [match.bytes for match in matches] == [match.bytes for match in real_code.check(query).matches]
    assert "reformatted" in {match.kind for match in matches}


@pytest.mark.parametrize("seed", SEEDS)
def test_renamed_identifiers_cut_passages(real_code: Library, files: list[bytes], seed: int) -> None:
    """What stands between the places of a renamed identifier is found where it is long enough."""
    chance = random.Random(seed)
    query = excerpt(chance, chance.choice(files), 2500)
    names = sorted(set(re.findall(rb"[A-Za-z_]{4,}", query)))
    for name in chance.sample(names, min(2, len(names))):
        query = query.replace(name, name[::-1] + b"9")
    real_code.check(query)


@pytest.mark.parametrize("seed", SEEDS)
def test_repeated_lines_are_told_apart(real_code: Library, files: list[bytes], seed: int) -> None:
    """Lines that a query repeats, shuffled among others, are Matches each time."""
    chance = random.Random(seed)
    lines = excerpt(chance, chance.choice(files), 2000).splitlines(keepends=True)
    real_code.check(b"".join(chance.choices(lines, k=len(lines)) + lines[:5] * 2))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_ends_of_files_are_found(real_code: Library, files: list[bytes], seed: int) -> None:
    """The first and the last bytes of files match, also where another file follows at once."""
    chance = random.Random(seed)
    one, other = chance.sample(files, 2)
    real_code.check(one[-300:] + other[:300])
    real_code.check(b"ours" + other[:200] + b"ours" + one[-200:])


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_whole_files_are_found(real_code: Library, files: list[bytes], seed: int) -> None:
    """A whole file is one verbatim passage."""
    query = random.Random(seed).choice([content for content in files if len(content) < 8000])
    report = real_code.check(query)
    assert (report.matches[0].bytes, report.matches[0].kind) == (len(b"".join(query.split())), "verbatim")


@pytest.mark.parametrize("seed", SEEDS)
def test_passages_cross_into_the_context(real_code: Library, files: list[bytes], seed: int) -> None:
    """With a prompt before and a suffix after, what touches the text is reported with its whole length."""
    chance = random.Random(seed)
    query = b"".join(excerpt(chance, chance.choice(files), 400) for _ in range(3)).decode("utf-8", "replace")
    first, second = sorted(chance.choices(range(len(query)), k=2))
    before, text, after = query[:first], query[first:second], query[second:]
    report = real_code.check(text, before, after)
    assert all(match.bytes_in_text >= 1 for match in report.matches)
    assert (report.text_start, report.text_end) == (first, second)


def test_the_number_of_sources_is_the_callers(real_code: Library, files: list[bytes]) -> None:
    """The sources shown are the first of one order, however many are asked for."""
    query = excerpt(random.Random(1), files[-1], 800)
    for number in (0, 1, 3, 50):
        real_code.check(query, sources=number)
