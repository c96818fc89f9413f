"""`codecite index compact` and `remove`: what goes, what stays, and what is said of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def mine(index: Path, tmp_path: Path) -> Path:
    """A copy of the index of the corpus."""
    return Path(shutil.copytree(index, tmp_path / "index"))


def paths(codecite, index: Path, file: Path) -> set[str]:
    """The paths at which the whole of a file is found."""
    done = codecite("check", file, "--index", index, "--format", "json")
    assert done.returncode == 0, done.stderr
    whole = len(b"".join(file.read_bytes().split()))
    matches = json.loads(done.stdout)["matches"]
    return {source["path"] for match in matches if match["bytes"] == whole for source in match["sources"]}


def test_a_dry_run_says_what_would_go_and_changes_nothing(codecite, mine: Path, corpus: Path) -> None:
    """Rules, projects with their places, and the Documents that would stay because others hold them too."""
    done = codecite("index", "remove", "--path", "bisect.py", "--path", "json/", "--dry-run", "--index", mine)
    assert done.returncode == 0, done.stderr
    assert "nothing was changed" in done.stdout
    assert "path        json/" in done.stdout
    assert f"4  {corpus}" in done.stdout
    assert "3 documents would no longer be found, 0 would still be" in done.stdout
    figures = json.loads(codecite("index", "stats", "--index", mine, "--format", "json").stdout)
    assert (figures["generation"], figures["origins"], figures["takedowns"]) == (1, 7, 0)


def test_what_is_removed_is_not_found_but_at_its_other_places(codecite, mine: Path, corpus: Path) -> None:
    """Of a file that is there twice one place goes; of one that is there once everything."""
    assert paths(codecite, mine, corpus / "bisect.py") == {"bisect.py", "vendored/bisect.py"}
    options = ("--path", "vendored/", "--path", "textwrap.py", "--index", mine, "--format", "json")
    result = json.loads(codecite("index", "remove", *options).stdout)
    assert (result["generation"], result["origins"], result["documents"], result["kept"]) == (2, 2, 1, 1)
    assert result["projects"] == {str(corpus): 2}
    assert not result["dry_run"]
    assert paths(codecite, mine, corpus / "bisect.py") == {"bisect.py"}
    assert paths(codecite, mine, corpus / "textwrap.py") == set()
    figures = json.loads(codecite("index", "stats", "--index", mine, "--format", "json").stdout)
    assert (figures["documents"], figures["origins"], figures["takedowns"]) == (5, 5, 2)
    assert figures["languages"] == {"Python": 5}


def test_what_was_removed_does_not_come_back(codecite, mine: Path, corpus: Path) -> None:
    """Adding the same tree again names each file that a takedown keeps out."""
    swhid = json.loads(codecite("check", corpus / "heapq.py", "--index", mine, "--format", "json").stdout)
    swhid = swhid["matches"][0]["sources"][0]["swhid"]
    codecite("index", "remove", "--swhid", swhid, "--path", "json/scanner.py", "--index", mine)
    again = json.loads(codecite("index", "add", corpus, "--index", mine, "--format", "json").stdout)
    assert again["origins"] == 0
    assert again["skipped"]["taken-down"]["count"] == 2
    assert any("heapq.py" in example and swhid in example for example in again["skipped"]["taken-down"]["examples"])
    assert paths(codecite, mine, corpus / "heapq.py") == set()


def test_the_takedowns_in_force_are_listed(codecite, mine: Path) -> None:
    """In their normal form, each once, also those that hid nothing."""
    codecite("index", "remove", "--repository", "git@github.com:Foo/Bar.git", "--owner", "someone", "--index", mine)
    codecite("index", "remove", "--repository", "foo/bar", "--purl", "pkg:pypi/Foo_Bar", "--index", mine)
    listed = json.loads(codecite("index", "remove", "--list", "--index", mine, "--format", "json").stdout)
    assert sorted((rule["kind"], rule["value"]) for rule in listed["takedowns"]) == [
        ("owner", "github.com/someone"),
        ("purl", "pkg:pypi/foo-bar"),
        ("repository", "github.com/foo/bar"),
    ]
    text = codecite("index", "remove", "--list", "--index", mine).stdout
    assert "3 takedowns in force" in text
    assert "github.com/foo/bar" in text
    assert "3 takedowns in force" in codecite("index", "stats", "--index", mine).stdout


def test_a_list_of_opt_outs_is_read_line_by_line(codecite, mine: Path, tmp_path: Path) -> None:
    """Owners, repositories and purls; a line that is none of these is named, and nothing is removed."""
    good = tmp_path / "opt-outs.txt"
    good.write_text("# of last month\n- someone\nfoo/bar\npkg:npm/left-pad\n", encoding="utf-8")
    done = codecite("index", "remove", "--opt-outs", good, "--index", mine, "--format", "json")
    assert [rule["kind"] for rule in json.loads(done.stdout)["takedowns"]] == ["owner", "repository", "purl"]
    bad = tmp_path / "bad.txt"
    bad.write_text("someone-else\nall\n", encoding="utf-8")
    done = codecite("index", "remove", "--opt-outs", good, "--opt-outs", bad, "--index", mine)
    assert done.returncode == 2
    assert "line 2" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "generation 2," in codecite("index", "stats", "--index", mine).stdout


def test_compacting_erases_what_was_removed_and_answers_the_same(codecite, mine: Path, corpus: Path) -> None:
    """The index gets smaller, is sound, and finds what it found before."""
    codecite("index", "remove", "--path", "textwrap.py", "--index", mine)
    before = paths(codecite, mine, corpus / "bisect.py")
    done = codecite("index", "compact", "--index", mine, "--format", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["erased"] == 1
    assert result["bytes"] < result["bytes_before"]
    assert (result["segments_before"], result["segments"]) == (1, 1)
    assert paths(codecite, mine, corpus / "bisect.py") == before
    assert codecite("index", "verify", "--index", mine).returncode == 0
    text = codecite("index", "compact", "--index", mine).stdout
    assert "erased     0 documents" in text


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "--opt-outs"),
        (("--dry-run",), "--opt-outs"),
        (("--list", "--purl", "pkg:npm/x"), "--list"),
        (("--purl", "left-pad"), "pkg:pypi/NAME"),
        (("--swhid", "swh:1:cnt:12"), "hexadecimal"),
        (("--opt-outs", "nowhere.txt"), "nowhere.txt"),
    ],
)
def test_wrong_usage_changes_nothing(codecite, mine: Path, arguments: tuple[str, ...], word: str) -> None:
    """Exit code 2, and what to write instead."""
    done = codecite("index", "remove", *arguments, "--index", mine)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((mine / "manifest.json").read_text(encoding="utf-8"))["generation"] == 1


@pytest.mark.parametrize("words", [("compact",), ("remove", "--list"), ("remove", "--path", "x")], ids=" ".join)
def test_where_there_is_no_index_that_is_said(codecite, tmp_path: Path, words: tuple[str, ...]) -> None:
    """One line, and no index is made."""
    done = codecite("index", *words, "--index", tmp_path / "none")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "there is no index here" in done.stderr
    assert not (tmp_path / "none").exists()
