"""Fingerprints alone: what `check` finds in the text lies around a candidate, and a candidate's k-grams are there."""

from __future__ import annotations

import hashlib
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from codecite.indexer import Index, open_index
from codecite.indexer.build import add
from codecite.indexer.config import KGRAM, WINDOW
from codecite.indexer.corpus.units import Unit
from codecite.indexer.errors import TextError
from codecite.indexer.fingerprint.handover import Fingerprinted, check_header, fingerprinted, from_dict, header
from codecite.indexer.lookup import candidates
from codecite.indexer.records import EvidenceKind, Kind, LicenseEvidence, Package, SourceFile
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown
from codecite.indexer.upkeep import remove

STDLIB = Path(sysconfig.get_paths()["stdlib"])
HELD = ("textwrap.py", "shlex.py", "heapq.py", "bisect.py", "argparse.py", "json/decoder.py", "json/scanner.py")
SPACE = b"\t\n\v\f\r "


def bare(text: bytes) -> bytes:
    """A text without white space."""
    return text.translate(None, SPACE)


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    """Files of the index, by path; one holds the head of another, under another licence."""
    found = {name: (STDLIB / name).read_bytes() for name in HELD}
    found["vendored/wrap.py"] = b"# other\n" + found["textwrap.py"][3000:9000]
    return found


@pytest.fixture(scope="module")
def index(contents: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Two Segments, two licences."""
    place = tmp_path_factory.mktemp("index")
    for license, chosen in (("MIT", list(contents)[:4]), ("GPL-3.0-only", list(contents)[4:])):
        evidence = (LicenseEvidence(EvidenceKind.SPDX_TAG, license, "line 1", license),)
        files = [SourceFile(path, contents[path], evidence) for path in chosen]
        add(place, [Unit(Package(license, purl=f"pkg:pypi/{license.lower()}@1"), lambda files=files: iter(files))])
    return open_index(place)


def texts(contents: dict[str, bytes]) -> list[bytes]:
    """Whole files, pieces put together, other white space, an edit in the middle, and what nobody has."""
    wrap, shlex = contents["textwrap.py"], contents["shlex.py"]
    return [
        wrap,
        wrap[2000:2120] + b"\nx = 1\n" + shlex[500:3000] + b"\n# mine\n" + contents["argparse.py"][40_000:40_400],
        shlex.replace(b"    ", b"\t"),
        wrap[:5000] + b" inserted(1) " + wrap[5000:],
        b"".join(b"def own_%d(): return %d\n" % (i, i * i) for i in range(500)),
        b"short",
        b"",
        "é = 1\n".encode() + wrap[100:900],
    ]


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("shortest", [50, 150])
def test_every_passage_that_check_finds_lies_around_a_candidate(
    index: Index, contents: dict[str, bytes], number: int, shortest: int
) -> None:
    """None of as many bytes is missed, and its licences are among the candidate's."""
    text = texts(contents)[number]
    found = index.recognise(fingerprinted("a.py", text), shortest=shortest)
    spans = [
        (item.match.canonical_start, item.match.canonical_end, set(item.match.counts.licenses))
        for item in found.candidates
    ]
    for item in index.check(text).attributions:
        match = item.match
        if match.length < shortest:
            continue
        for license in match.counts.licenses:
            assert any(
                start < match.canonical_start + WINDOW and end > match.canonical_end - WINDOW and license in licenses
                for start, end, licenses in spans
            ), (match.canonical_start, match.canonical_end, license, spans)


@pytest.mark.parametrize("number", range(8))
def test_the_k_grams_of_a_candidate_stand_in_its_sources(index: Index, contents: dict[str, bytes], number: int) -> None:
    """Held against the texts themselves: all but lone fingerprints, which a stranger may have."""
    text = texts(contents)[number]
    own, file = bare(text), fingerprinted("a.py", text)
    by_swhid = {}
    for content in contents.values():
        digest = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        by_swhid[f"swh:1:cnt:{digest}"] = bare(content)
    for item in index.recognise(file, shortest=100).candidates:
        match = item.match
        assert match.kind is Kind.CANDIDATE
        assert match.length <= match.bytes_in_text <= match.length + 2 * (WINDOW - 1)
        inside = [
            own[at : at + KGRAM]
            for at in file.positions.tolist()
            if match.canonical_start <= at <= match.canonical_end - KGRAM
        ]
        for source in item.sources:
            held = by_swhid[source.swhid]
            assert inside[0] in held
            assert inside[-1] in held
            lines = contents[source.origin.path].split(b"\n")[source.start_line - 1 : source.end_line]
            assert inside[0] in bare(b"\n".join(lines))


def test_a_whole_file_is_known_by_its_swhid(index: Index, contents: dict[str, bytes]) -> None:
    """Also one too short to have a fingerprint; a file that differs in a byte is not."""
    found = index.recognise(fingerprinted("x.py", contents["heapq.py"]))
    assert [source.origin.path for source in found.known] == ["heapq.py"]
    assert [source.kind for source in found.candidates[0].sources] == [Kind.VERBATIM]
    other = index.recognise(fingerprinted("x.py", contents["heapq.py"] + b"\n"))
    assert (other.known, other.known_origins) == ((), 0)
    assert [source.kind for source in other.candidates[0].sources] == [Kind.CANDIDATE]


def test_nothing_of_own_text_is_a_candidate(index: Index, contents: dict[str, bytes]) -> None:
    """Two fingerprints on one diagonal are none by chance."""
    assert index.recognise(fingerprinted("own.py", texts(contents)[4]), shortest=100).candidates == ()


def test_pairs_in_parts_give_the_same(
    index: Index, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are more than are held at a time."""
    file = fingerprinted("a.py", texts(contents)[1])
    whole = index.recognise(file, shortest=50).candidates
    monkeypatch.setattr(candidates, "_AT_ONCE", 40)
    assert index.recognise(file, shortest=50).candidates == whole
    assert len(whole) >= 3


def test_what_repeats_too_often_is_passed_over_and_counted(tmp_path: Path) -> None:
    """A long ruler against a long ruler would be a million pairs and more."""
    ruler = b"-" * 300_000
    text = b"def f():\n    return 'between the rulers, of their own kind and length'\n" * 3
    files = [SourceFile("ruler.txt", ruler + text)]
    add(tmp_path, [Unit(Package("rulers"), lambda: iter(files))])
    found = open_index(tmp_path).recognise(fingerprinted("mine.txt", text + ruler))
    assert found.passed_over > 200_000
    assert any(item.match.length > 150 for item in found.candidates)


def test_what_is_written_reads_back_the_same(contents: dict[str, bytes]) -> None:
    """All that a line has, for each of the texts."""
    for text in texts(contents):
        file = fingerprinted("a.py", text)
        again = from_dict(file.to_dict(), "here")
        for name in ("path", "swhid", "size", "canonical", "lines"):
            assert getattr(again, name) == getattr(file, name)
        for name in ("hashes", "positions", "at_lines"):
            assert np.array_equal(getattr(again, name), getattr(file, name))
        whole, before = bare(text), 0
        for at, line in zip(file.positions.tolist(), file.at_lines.tolist(), strict=True):
            assert whole[at : at + KGRAM] in bare(b"\n".join(text.split(b"\n")[line - 1 :]))
            assert line >= before
            before = line


GOOD = fingerprinted("a.py", b"".join(b"value_%d = %d\n" % (i, i * 7) for i in range(40)))


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("path", 3, "path"),
        ("swhid", "swh:1:dir:" + "0" * 40, "swhid"),
        ("hashes", "0123", "hashes"),
        ("hashes", "0" * 16, "numbers for 1 hashes"),
        ("bytes", -1, "whole numbers"),
        ("bytes", True, "whole numbers"),
        ("positions", [0.5], "positions"),
        ("positions", [5] * len(GOOD.hashes), "ascend"),
        ("canonical_bytes", 30, "canonical bytes"),
        ("at_lines", [99] * len(GOOD.hashes), "at_lines"),
        ("at_lines", None, "at_lines"),
    ],
)
def test_a_wrong_line_is_refused_by_its_field(field: str, value: object, says: str) -> None:
    """With the place and what mends it."""
    with pytest.raises(TextError, match=rf"^file.jsonl: line 2: .*{says}"):
        from_dict({**GOOD.to_dict(), field: value}, "file.jsonl: line 2")


def test_other_fingerprints_are_refused() -> None:
    """Those that this version does not make."""
    check_header(header(), "here")
    with pytest.raises(TextError, match="this version reads"):
        check_header({**header(), "config": {"kgram": 30}}, "here")
    with pytest.raises(TextError, match="codecite fingerprint"):
        check_header([], "here")


def test_what_was_taken_down_is_no_candidate(contents: dict[str, bytes], tmp_path: Path) -> None:
    """Nor known as a whole."""
    files = [SourceFile("heapq.py", contents["heapq.py"])]
    add(tmp_path, [Unit(Package("here", purl="pkg:pypi/heap@1"), lambda: iter(files))])
    file: Fingerprinted = fingerprinted("x.py", contents["heapq.py"])
    assert open_index(tmp_path).recognise(file).candidates
    remove(tmp_path, [parse_takedown(TakedownKind.PURL, "pkg:pypi/heap")])
    found = open_index(tmp_path).recognise(file)
    assert (found.known, found.candidates) == ((), ())
