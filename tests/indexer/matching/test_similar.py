"""The most similar files are those that brute force finds, with their exact Jaccard similarity."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner
from oracle import minhash

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.errors import ConfigError, TextError
from codecite.indexer.fingerprint.minhash import SCHEME, SEED, shingles
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package, SourceFile
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown
from codecite.indexer.upkeep import compact, remove
from codecite.search_api.cli.main import cli

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "codecite-similar-1.schema.json").read_text())
WORDS = [f"word{i}" for i in range(400)]


def variant(number: int) -> str:
    """A text of which more is changed the higher its number."""
    changed = [f"other{i}" if i % 40 < number else word for i, word in enumerate(WORDS)]
    return "\n".join(" ".join(changed[at : at + 8]) for at in range(0, 400, 8))


TEXTS = {f"{number}.txt": variant(number) for number in range(0, 40, 4)} | {"short.py": "x = 1\n", "dots.txt": "...!\n"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Variants of one text, in two additions, under two licences."""
    for license, names in (("MIT", list(TEXTS)[:6]), ("GPL-3.0-only", list(TEXTS)[6:])):
        evidence = (LicenseEvidence(EvidenceKind.PACKAGE_METADATA, license, "License", license),)
        files = [SourceFile(name, TEXTS[name].encode()) for name in names]
        package = Package("here", purl=f"pkg:pypi/{license.lower()}@1", evidence=evidence)
        add(tmp_path / "index", [Unit(package, lambda files=files: iter(files))])
    return tmp_path / "index"


def brute(text: str, at_least: float) -> dict[str, float]:
    """The Jaccard similarity of each file, by sets of plain Python."""
    mine = set(minhash.shingles(text.encode()))
    found = {}
    for name, other in TEXTS.items():
        theirs = set(minhash.shingles(other.encode()))
        if mine and mine & theirs:
            found[name] = len(mine & theirs) / len(mine | theirs)
    return {name: value for name, value in found.items() if value >= at_least}


@pytest.mark.parametrize("at_least", [0.0, 0.2, 0.7, 1.0])
@pytest.mark.parametrize("number", [0, 6, 12])
def test_files_are_ranked_by_their_exact_similarity(directory: Path, number: int, at_least: float) -> None:
    """In each Segment alone, and merged; those that share a tenth are found at the latest when all are asked for."""
    text = variant(number)
    expected = brute(text, at_least)
    answers = []
    for _ in range(2):
        report = open_index(directory).similar(text, limit=20, at_least=at_least)
        jsonschema.validate(report.to_dict(), SCHEMA)
        answers.append({file.source.origin.path: file.similarity for file in report.files})
        compact(directory)
    assert answers[0] == answers[1]
    similarities = list(answers[0].values())
    assert similarities == sorted(similarities, reverse=True)
    assert {name: value for name, value in answers[0].items() if value > 0.1} == pytest.approx(
        {name: value for name, value in expected.items() if value > 0.1}
    )


def test_no_more_than_asked_for_and_nothing_that_was_taken_out(directory: Path) -> None:
    """What is hidden is not counted."""
    index = open_index(directory)
    assert len(index.similar(variant(0), limit=3, at_least=0).files) == 3
    assert index.similar(variant(0)).files[0].source.origin.license == "MIT"
    remove(directory, [parse_takedown(TakedownKind.PATH, "0.txt")])
    assert open_index(directory).similar(variant(0)).files[0].source.origin.path == "4.txt"


def test_texts_without_words_are_like_none(directory: Path) -> None:
    """Empty ones, and signs."""
    index = open_index(directory)
    for text in ("", "...!\n", b"\0\1"):
        assert index.similar(text, at_least=0).files == ()
    with pytest.raises(TextError):
        index.similar("\ud800")
    with pytest.raises(ConfigError, match="limit is 0"):
        index.similar("x", limit=0)


def test_a_stored_signature_is_datasketchs(directory: Path, require) -> None:  # type: ignore[no-untyped-def]
    """A row loads as its LeanMinHash, and estimates what the exact similarity is."""
    require("datasketch")
    from datasketch import LeanMinHash

    segments = [opened.segment for opened in open_index(directory)._snapshots[0].segments]
    rows = [LeanMinHash(seed=SEED, hashvalues=np.array(row), scheme=SCHEME)
            for segment in segments for row in segment.signatures.reshape(-1, 128)]  # fmt: skip
    assert len(rows) == len(TEXTS)
    assert rows[0].jaccard(rows[1]) == pytest.approx(brute(TEXTS["0.txt"], 0)["4.txt"], abs=0.15)
    assert len(shingles(TEXTS["0.txt"].encode())) == 396


def test_the_command_answers_in_text_and_json(directory: Path, tmp_path: Path) -> None:
    """A file, or standard input; a file that is missing is one sentence."""
    file = tmp_path / "asked.txt"
    file.write_text(variant(3))
    run = CliRunner().invoke
    done = run(cli, ["similar", str(file), "--index", str(directory)])
    assert done.exit_code == 0
    assert "4.txt" in done.output
    told = run(cli, ["similar", "-", "--index", str(directory), "--format", "json"], input=variant(3))
    hits = json.loads(told.output)["hits"]
    assert hits[0]["rank"] == 1
    assert hits[0]["similarity"] == pytest.approx(max(brute(variant(3), 0).values()), abs=1e-4)
    missing = run(cli, ["similar", str(tmp_path / "none"), "--index", str(directory)])
    assert missing.output.endswith("none: No such file or directory\n")
