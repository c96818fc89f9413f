"""A Document is found by its SWHID, with all its Origins and nothing that was taken down."""

from __future__ import annotations

import hashlib
from pathlib import Path

from oracle.library import reader

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package, SourceFile
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown
from codecite.indexer.upkeep import remove

CONTENT = b"".join(b"value_%d = compute(%d)\n" % (i, i * i) for i in range(20))


def swhid_of(content: bytes) -> str:
    """The SWHID of a content."""
    return "swh:1:cnt:" + hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def unit(name: str, license: str, *contents: bytes) -> Unit:
    """A package of these contents."""
    evidence = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, license, "License-Expression", license)
    files = [SourceFile(f"m{i}.py", content) for i, content in enumerate(contents)]
    return Unit(Package(name, f"pkg:pypi/{name}@1", evidence=(evidence,)), reader(files))  # type: ignore[arg-type]


def test_a_document_has_its_bytes_and_its_origins_of_all_segments(tmp_path: Path) -> None:
    """Origins come in their order, those of a later Segment too, each with what its license asks for."""
    add(tmp_path / "index", [unit("b", "MIT", CONTENT, b"other = 1\n" * 9)])
    add(tmp_path / "index", [unit("a", "GPL-3.0-only", CONTENT)])
    found = open_index(tmp_path / "index").document(swhid_of(CONTENT))
    assert found is not None
    assert found.content == CONTENT
    assert [source.origin.purl for source in found.sources] == ["pkg:pypi/a@1", "pkg:pypi/b@1"]
    assert [str(source.category) for source in found.sources] == ["strong-copyleft", "permissive"]
    assert (found.origins, found.sources[0].end_line) == (2, 20)
    first = open_index(tmp_path / "index").document(swhid_of(CONTENT), sources=1)
    assert first is not None
    assert (first.origins, len(first.sources)) == (2, 1)


def test_what_is_not_held_is_none(tmp_path: Path) -> None:
    """Unknown contents, what is no SWHID of a content, and what was removed."""
    add(tmp_path / "index", [unit("b", "MIT", CONTENT)])
    index = open_index(tmp_path / "index")
    for name in (swhid_of(b"x"), "swh:1:dir:" + "0" * 40, "../../etc/passwd", "", swhid_of(CONTENT).upper()):
        assert index.document(name) is None


def test_what_was_taken_down_is_gone_at_once(tmp_path: Path) -> None:
    """An Origin that was removed is not shown; a Document without one is not held."""
    add(tmp_path / "index", [unit("b", "MIT", CONTENT), unit("a", "MIT", CONTENT)])
    remove(tmp_path / "index", [parse_takedown(TakedownKind.PURL, "pkg:pypi/a")])
    found = open_index(tmp_path / "index").document(swhid_of(CONTENT))
    assert found is not None
    assert [source.origin.purl for source in found.sources] == ["pkg:pypi/b@1"]
    remove(tmp_path / "index", [parse_takedown(TakedownKind.SWHID, swhid_of(CONTENT))])
    assert open_index(tmp_path / "index").document(swhid_of(CONTENT)) is None
