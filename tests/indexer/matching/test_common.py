"""One passage in hundreds of documents: Reports equal the oracle's, whatever of it is asked for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import twins
from oracle.library import Library, build, units
from oracle.reading import Oracle, Place
from oracle.repeats import diverging

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.kernels.grouping import CUT
from codecite.indexer.store import frequent
from codecite.indexer.store.snapshot import Snapshot

LICENSES = ["MIT", "GPL-3.0-only", "Apache-2.0", "BSD-3-Clause"]
ALONE = "ISC"
"""The licence of a single document."""
COUNT = 500


def prose(seed: int, words: int) -> str:
    """Words in lines, which repeat nothing as long as a k-gram."""
    chance = random.Random(seed)
    chosen = [f"{chance.choice('abcdefghijklmnop')}{chance.randrange(10**6)}" for _ in range(words)]
    return "\n".join(" ".join(chosen[i : i + 8]) for i in range(0, words, 8)) + "\n"


RULER = "/" + "*" * 76 + "\n"
HEAD = RULER + prose(1, 190) + RULER
OTHER = prose(2, 60)


def respaced(text: str) -> str:
    """The same text with other white space."""
    return text.replace(" ", "\n\t")


def tail(number: int) -> str:
    """What follows the head in one document, some with a ruler or the other head."""
    own = prose(1000 + number, 30)
    if number % 10 == 3:
        return "-" * (40 + number % 90) + "\n" + own
    return OTHER + own if number % 4 == 0 else own


def document(number: int) -> str:
    """One of the documents."""
    head = HEAD if number % 7 else respaced(HEAD)
    before = f"# file {number}\n" if number % 3 else ""
    return before + (head if number % 5 else head[: 300 + number]) + tail(number)


def places(number: int) -> Sequence[Place]:
    """Where it was seen: in one of some projects, under one licence or two."""
    license = ALONE if number == 201 else LICENSES[number // 3 % 4]
    purl = f"pkg:pypi/p{number % 30}@{number}"
    first = Place(license, purl, path=f"src/{number}.py", released=f"20{10 + number % 15}-01-01")
    return [first] if number % 50 else [first, Place("MIT", None, "https://example.org/r", path=f"r/{number}.py")]


@pytest.fixture(scope="module", params=["whole", "cut", "cut anywhere"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """All documents in one Segment; with whole chains, cut where they diverge, or cut anywhere."""
    index = tmp_path_factory.mktemp("common") / "index"
    seed = 1 if request.param == "cut anywhere" else None
    with patch.object(frequent, "DIVERGING", 10 if request.param == "cut" else frequent.DIVERGING), diverging(seed):
        library = build(index, [(document(number).encode(), places(number)) for number in range(COUNT)])
    (opened,) = Snapshot(index).segments
    assert opened.segment.frequent.lists.shape[1] > 40
    assert bool(np.any(opened.segment.frequent.groups[:, 1] & CUT)) == (request.param != "whole")
    return library


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The same documents in three Segments: the head is frequent in the first two, and rare in the third."""
    index = tmp_path_factory.mktemp("divided") / "index"
    made = [(document(number).encode(), places(number)) for number in range(COUNT)]
    for part in (made[:245], made[245:490], made[490:]):
        add(index, units([(content, place) for content, seen in part for place in seen]))
    sizes = [opened.segment.frequent.lists.shape[1] - 1 for opened in Snapshot(index).segments]
    assert sorted(size > 0 for size in sizes) == [False, True, True]
    return Library(open_index(index), Oracle(made, cap=1000, common=20))


QUERIES = {
    "the head": HEAD,
    "its beginning": HEAD[:700],
    "its middle": HEAD[400:900],
    "its end": HEAD[-500:],
    "a few words of it": HEAD[500:560],
    "reformatted": respaced(HEAD),
    "in one line": "".join(HEAD.split()),
    "with foreign code": prose(7, 20) + HEAD + prose(8, 20),
    "broken by foreign code": HEAD[:600] + prose(7, 20) + HEAD[600:],
    "without some bytes": HEAD[:500] + HEAD[520:],
    "with one byte changed": HEAD[:800] + "!" + HEAD[801:],
    "one document": document(17),
    "one document with a ruler": document(13),
    "the document alone under its licence": document(201),
    "with the tail of one": HEAD + tail(23),
    "with the tails of two": HEAD + tail(8) + tail(9),
    "a head cut short and its tail": document(20),
    "two heads in a row": HEAD + OTHER,
    "two heads the other way": OTHER + HEAD,
    "the head twice": HEAD + HEAD,
    "the ruler": RULER * 3,
    "the end of the head and its ruler": HEAD[-200:] + "-" * 130 + "\n",
    "rulers longer than any": "*" * 300 + HEAD[100:400] + "-" * 300,
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_passage_of_hundreds_of_documents(library: Library, name: str) -> None:
    """Every span of every licence, and all who hold it."""
    assert library.check(QUERIES[name]).matches


def test_the_head_has_all_its_licenses(library: Library) -> None:
    """Also that of a single document among hundreds."""
    expected = {*LICENSES, ALONE}
    assert any(match.licenses.keys() == expected for match in library.check(HEAD).matches)


@pytest.mark.parametrize("name", QUERIES)
def test_a_head_that_is_frequent_in_some_segments_and_rare_in_another(divided: Library, name: str) -> None:
    """The sums are over all of them."""
    assert divided.check(QUERIES[name]).matches


def test_slices_of_a_frequent_head(library: Library, divided: Library) -> None:
    """At every length from the guarantee on, with context of the head or foreign on either side."""
    chance = random.Random(3)
    for _ in range(25):
        start = chance.randrange(len(HEAD) - 60)
        length = chance.choice([60, 75, 90, 200, 1000])
        before = chance.choice(["", HEAD[max(0, start - 40) : start], prose(4, 5)])
        after = chance.choice(["", HEAD[start + length :][:40], prose(5, 5)])
        for each in (library, divided):
            each.check(HEAD[start : start + length], before, after)


LAST = 12
"""So many words at the end of a head have white space between them that is neither a blank nor a line feed."""


def ending(words: list[str], at: int | None) -> str:
    """A head of these words; the white space before number `at` of the last ones is another than before the rest."""
    spaces = ["\n " if number == at else "\n\t" for number in range(LAST)]
    return " ".join(words[:-LAST]) + "".join(space + word for space, word in zip(spaces, words[-LAST:], strict=True))


@pytest.mark.parametrize("least", [10, frequent.DIVERGING], ids=["cut", "whole"])
def test_one_holder_of_hundreds_has_the_white_space_of_the_text(tmp_path: Path, least: int) -> None:
    """Wherever it lies, also behind the cut of chains, and whoever is shown: the passage is verbatim for that one."""
    words = prose(9, 150).split()
    made = []
    for number in range(400):
        at = number - 300 if 300 <= number < 300 + LAST else None
        content = ending(words, at) + "\n" + prose(2000 + number, 20)
        released = "2020-01-01" if at is None else "2024-01-01"
        made.append((content.encode(), [Place("MIT", f"pkg:pypi/p{number % 30}@1", f"{number}.py", released)]))
    with patch.object(frequent, "DIVERGING", least):
        library = build(tmp_path / "index", made)
    for at in (None, *range(LAST)):
        text = ending(words, at)
        (match,) = library.check(text + "\n!").matches
        assert (match.kind, match.documents) == ("verbatim", 400)
    (match,) = library.check(ending(words, None).replace("\n\t", "\t\t")).matches
    assert match.kind == "reformatted"


def same_list() -> tuple[bytes, bytes]:
    """Two k-grams that the small indexes here keep in one list, since their hashes begin alike; both are small."""
    seen: dict[int, bytes] = {}
    for number in range(1 << 18):
        kgram = b"%025d" % number
        top = twins.fingerprint.__wrapped__(kgram) >> 40
        if top < 1 << 14 and seen.setdefault(top, kgram) != kgram:
            return seen[top], kgram
    raise AssertionError("none are alike")


def test_other_text_in_the_list_of_a_fingerprint_is_no_match(tmp_path: Path) -> None:
    """Where contexts agree on both sides and the k-grams between them differ, the documents share no passage."""
    one, other = same_list()
    head, end = prose(5, 3).encode()[:20], prose(6, 8).encode()[:45]
    made = [
        (b"%d" % number * 30 + head + kgram + end + b"\n%d" % number, [Place(license, path=f"{number}.py")])
        for number, (kgram, license) in enumerate([(one, "MIT"), (one, "MIT"), (other, "ISC"), (other, "ISC")])
    ]
    assert len(twins.canonical(head)) in [at for _, at in twins.document_selection(twins.canonical(head + one + end))]
    with patch.object(frequent, "LEAST", 2):
        library = build(tmp_path / "index", made)
    library.check(head + one + end)
    library.check(head + other + end)
