"""Datasets in The Stack's schema become one Unit a row, the same from JSON Lines and from parquet."""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import json
import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from codecite.indexer.corpus import rows as module
from codecite.indexer.corpus.members import TOO_LONG
from codecite.indexer.corpus.rows import PRESETS, parse_columns, rows
from codecite.indexer.corpus.units import Columns, Pending, Reading, Unit
from codecite.indexer.errors import ConfigError, SourceError
from codecite.indexer.licenses.effective import effective
from codecite.indexer.records import EvidenceKind, Package, Skipped, SkipReason, SourceFile

TEXT, NUMBER, SHARE, LIST = pa.string(), pa.int64(), pa.float64(), pa.list_(pa.string())
PROJECTS = {"click": ("pallets/click", ["BSD-3-Clause"]), "iniconfig": ("pytest-dev/iniconfig", ["MIT", "Apache-2.0"])}


def events(kind: str) -> list[tuple[str, pa.DataType]]:
    """The columns that The Stack repeats for stars, issues and forks."""
    repository, event = f"max_{kind}_repo", f"max_{kind}_repo_{kind}_event"
    return [
        *((f"{repository}_path", TEXT), (f"{repository}_name", TEXT), (f"{repository}_head_hexsha", TEXT)),
        *((f"{repository}_licenses", LIST), (f"max_{kind}_count", NUMBER)),
        *((f"{event}_min_datetime", TEXT), (f"{event}_max_datetime", TEXT)),
    ]


SCHEMA = pa.schema(
    [
        *(("hexsha", TEXT), ("size", NUMBER), ("ext", TEXT), ("lang", TEXT)),
        *(*events("stars"), *events("issues"), *events("forks")),
        *(("content", TEXT), ("avg_line_length", SHARE), ("max_line_length", NUMBER), ("alphanum_fraction", SHARE)),
    ]
)
"""The Stack 1.0 to 1.2, and their deduplicated sets."""


def blob(content: bytes) -> str:
    """The SHA-1 that git gives to the content."""
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content)).hexdigest()


def real_rows() -> list[dict[str, Any]]:
    """The Python files of real packages, as The Stack would list them."""
    found = []
    for name, (repository, licenses) in PROJECTS.items():
        revision = hashlib.sha1(name.encode()).hexdigest()
        for file in importlib.metadata.files(name) or ():
            content = Path(str(file.locate())).read_bytes() if file.suffix == ".py" else b""
            if content:
                row = dict.fromkeys(SCHEMA.names) | {"hexsha": blob(content), "size": len(content), "ext": "py"}
                for kind in ("stars", "issues", "forks"):
                    row |= {f"max_{kind}_repo_path": f"src/{file.as_posix()}", f"max_{kind}_repo_name": repository}
                    row |= {f"max_{kind}_repo_head_hexsha": revision, f"max_{kind}_repo_licenses": licenses}
                found.append(
                    row | {"lang": "Python", "content": content.decode(), "max_stars_count": len(found) or None}
                )
    return found


def parquet(path: Path, found: list[dict[str, Any]], **options: Any) -> str:
    """A parquet file of the rows."""
    pq.write_table(pa.Table.from_pylist(found, SCHEMA), path, **options)
    return os.fspath(path)


def json_lines(path: Path, found: Iterable[dict[str, Any]]) -> str:
    """JSON Lines of the rows, compressed as the name says."""
    text = "".join(json.dumps(row) + "\n" for row in found).encode()
    path.write_bytes({".gz": gzip.compress, ".zst": zstandard.compress}.get(path.suffix, bytes)(text))
    return os.fspath(path)


def read(path: str, reading: Reading = Reading()) -> list[tuple[Package, SourceFile | Skipped]]:  # noqa: B008
    """What the rows give; none may be broken."""
    found = []
    for unit in rows(path, reading, "/given").files():
        assert isinstance(unit, Unit)
        (item,) = unit.files()
        assert isinstance(item, Pending | Skipped)
        found.append((unit.package, item.load() if isinstance(item, Pending) else item))
    return found


def one(path: Path, row: dict[str, Any], reading: Reading = Reading()) -> tuple[Package, SourceFile | Skipped]:  # noqa: B008
    """What a dataset of this one row gives."""
    return read(json_lines(path / "one.jsonl", [row]), reading)[0]


def test_rows_carry_what_the_stack_says_of_them(tmp_path: Path) -> None:
    """Each row is a file of its repository at its revision under its licenses, whose content is git's blob."""
    expected = real_rows()
    path = parquet(tmp_path / "stack.parquet", expected)
    found = read(path)
    assert len(found) == len(expected) > 20
    for row, (package, file) in zip(expected, found, strict=True):
        owner = row["max_stars_repo_name"]
        revision = row["max_stars_repo_head_hexsha"]
        assert isinstance(file, SourceFile)
        assert (blob(file.content), file.path, file.language) == (row["hexsha"], row["max_stars_repo_path"], "Python")
        assert (package.source, package.purl, package.revision) == (
            "/given",
            f"pkg:github/{owner}@{revision}",
            revision,
        )
        assert package.repository == f"https://github.com/{owner}"
        assert package.url == f"https://github.com/{owner}/tree/{revision}"
        assert (package.fingerprint, package.container) == (None, rows(path, Reading(), "").package.fingerprint)
        (evidence,) = package.evidence
        assert (evidence.kind, evidence.where) == (EvidenceKind.DATASET_FIELD, "max_stars_repo_licenses")
        assert evidence.text == ", ".join(row["max_stars_repo_licenses"])
    assert {effective(package.evidence) for package, _ in found} == {"BSD-3-Clause", "Apache-2.0 AND MIT"}
    assert len({package for package, _ in found}) == len(PROJECTS)


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_both_formats_give_the_same_rows(tmp_path: Path, codec: str) -> None:
    """However a parquet file is compressed and cut into row groups, and whichever way JSON Lines are."""
    expected = real_rows()
    paths = [
        parquet(tmp_path / "a.parquet", expected, compression=codec, row_group_size=3, data_page_size=1000),
        parquet(tmp_path / "b.parquet", expected, compression=codec, use_dictionary=False, version="1.0"),
        *(json_lines(tmp_path / f"c{suffix}", expected) for suffix in (".jsonl", ".jsonl.gz", ".jsonl.zst")),
    ]
    found = [[(replace(package, container=None), file) for package, file in read(path)] for path in paths]
    assert found[0]
    assert all(other == found[0] for other in found[1:])


def test_rows_are_loaded_on_other_threads_after_the_file_is_read(tmp_path: Path) -> None:
    """A Pending holds its own bytes."""
    path = parquet(tmp_path / "stack.parquet", real_rows(), row_group_size=5)
    pending = [item for unit in rows(path, Reading(), "").files() for item in unit.files()]  # type: ignore[union-attr]
    Path(path).unlink()
    with ThreadPoolExecutor(4) as pool:
        files = list(pool.map(lambda item: item.load(), reversed(pending)))  # type: ignore[union-attr]
    assert [len(file.content) for file in files] == [item.size for item in reversed(pending)]  # type: ignore[union-attr]


def test_an_unchanged_file_has_the_same_fingerprint(tmp_path: Path) -> None:
    """It is that of the bytes and of the columns' names, whatever the file is called."""
    expected = real_rows()[:2]
    first = rows(json_lines(tmp_path / "a.jsonl", expected), Reading(), "").package.fingerprint
    assert rows(json_lines(tmp_path / "b.jsonl", expected), Reading(), "").package.fingerprint == first
    assert rows(json_lines(tmp_path / "c.jsonl", expected[:1]), Reading(), "").package.fingerprint != first
    other = Reading(columns=Columns(path="max_forks_repo_path"))
    assert rows(json_lines(tmp_path / "a.jsonl", expected), other, "").package.fingerprint != first


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """Its rows would stand under the fingerprint of another content."""
    path = json_lines(tmp_path / "a.jsonl", real_rows())
    unit = rows(path, Reading(), "")
    items = unit.files()
    next(items)
    json_lines(tmp_path / "a.jsonl", real_rows()[:3])
    with pytest.raises(SourceError, match=r"a\.jsonl: changed while it was read; run the command again"):
        list(items)


V2 = {
    "blob_id": "5" * 40,
    "path": "/src/app.py",
    "detected_licenses": ["MIT", "LicenseRef-scancode-unknown"],
    "repo_name": "Octo/Demo.js",
    "revision_id": "c" * 40,
    "language": "Python",
    "revision_date": "2018-01-20T10:00:56",
}


def test_the_stack_v2_is_read_once_its_texts_are_joined(tmp_path: Path) -> None:
    """Without them the error says so; with them the preset names all columns."""
    with pytest.raises(SourceError, match=r"no column content among .*The Stack v2.*the-stack-v2,content=NAME"):
        one(tmp_path, V2)
    reading = Reading(columns=parse_columns("the-stack-v2,content=text"))
    package, file = one(tmp_path, V2 | {"text": "print()\n"}, reading)
    assert (file.path, package.released) == ("src/app.py", "2018-01-20")
    assert package.purl == f"pkg:github/octo/demo.js@{'c' * 40}"
    assert package.repository == "https://github.com/Octo/Demo.js"
    assert effective(package.evidence) == "LicenseRef-scancode-unknown AND MIT"


@pytest.mark.parametrize("days", ["2016-04-06", 1459921149, 1459921149.5, 1459921149_000, 1459921149_000000000])
def test_dates_are_read_in_the_forms_that_datasets_have(tmp_path: Path, days: object) -> None:
    """ISO text, and seconds or a fraction of them since 1970."""
    reading = Reading(columns=Columns(released="day"))
    assert one(tmp_path, {"content": "x", "day": days}, reading)[0].released == "2016-04-06"


def test_timestamps_of_parquet_are_dates(tmp_path: Path) -> None:
    """Of every unit, nanoseconds included."""
    moment = pa.array([1459921149_123456789], pa.timestamp("ns"))
    pq.write_table(pa.table({"content": ["x"], "day": moment}), tmp_path / "a.parquet")
    found = read(os.fspath(tmp_path / "a.parquet"), Reading(columns=Columns(released="day")))
    assert found[0][0].released == "2016-04-06"


def test_starcoderdata_is_read_by_its_preset(tmp_path: Path) -> None:
    """It has no licenses, revision and language."""
    row = {"id": "1", "content": "int x;\n", "max_stars_repo_name": "a/b", "max_stars_repo_path": "x.c"}
    package, file = one(tmp_path, row | {"max_stars_count": 3}, Reading(columns=PRESETS["starcoderdata"]))
    assert (package.purl, package.evidence, package.url) == ("pkg:github/a/b", (), "https://github.com/a/b")
    assert isinstance(file, SourceFile)
    assert (file.path, file.language) == ("x.c", "C")


def test_a_row_with_nothing_but_a_text_is_read(tmp_path: Path) -> None:
    """Its path is its number, or its digest if it has one; its place is the dataset."""
    found = read(json_lines(tmp_path / "a.jsonl", [{"content": "x"}, {"content": "y", "hexsha": "ab"}]))
    assert [file.path for _, file in found] == ["row-1", "ab"]
    assert {(package.purl, package.url) for package, _ in found} == {(None, (tmp_path / "a.jsonl").as_uri())}


@pytest.mark.parametrize(
    ("name", "purl", "repository"),
    [
        ("https://github.com/A/b.git", "pkg:github/a/b", "https://github.com/A/b"),
        ("https://example.org/x/y", None, "https://example.org/x/y"),
        ("a/..", "pkg:generic/a%2F..", None),
        ("javascript:alert(1)", "pkg:generic/javascript%3Aalert%281%29", None),
        ("kernel", "pkg:generic/kernel", None),
    ],
)
def test_other_names_of_repositories_are_kept(tmp_path: Path, name: str, purl: str, repository: str) -> None:
    """A URL as the repository, anything else in a purl."""
    package, _ = one(tmp_path, {"content": "x", "max_stars_repo_name": name})
    assert (package.purl, package.repository) == (purl, repository)


@pytest.mark.parametrize(
    ("value", "expected"),
    [([], "NOASSERTION"), (None, "NOASSERTION"), ("mit", "MIT"), (["MIT", None, "GPL-2.0"], "GPL-2.0-only AND MIT")],
)
def test_licenses_may_be_a_list_a_name_or_none(tmp_path: Path, value: object, expected: str) -> None:
    """All of a list hold at once."""
    package, _ = one(tmp_path, {"content": "x", "max_stars_repo_licenses": value})
    assert effective(package.evidence) == expected


@pytest.mark.parametrize(
    ("given", "path", "expected"),
    [("FORTRAN", "a.f90", "Fortran"), ("c-sharp", "a.cs", "C#"), ("C++", "a.h", "C++"), ("Quenya", "a.py", "Python")],
)
def test_languages_have_the_names_of_linguist(tmp_path: Path, given: str, path: str, expected: str) -> None:
    """The row's where Linguist knows it, else that of the path."""
    _, file = one(tmp_path, {"content": "x = 1\n", "lang": given, "max_stars_repo_path": path})
    assert isinstance(file, SourceFile)
    assert file.language == expected


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("../up.py", "x", SkipReason.BAD_PATH),
        ("a\nb", "x", SkipReason.BAD_PATH),
        ("vendor/x/a.py", "x", SkipReason.EXCLUDED),
        ("a.min.js", "x", SkipReason.EXCLUDED),
        ("a.py", "x" * 101, SkipReason.TOO_LARGE),
        ("a.py", "", SkipReason.EMPTY),
        ("a.py", "\0", SkipReason.BINARY),
    ],
)
def test_rows_that_are_left_out_are_named(tmp_path: Path, path: str, content: str, reason: SkipReason) -> None:
    """By their path, with the reason."""
    reading = Reading(max_file_bytes=100, excluded=lambda name: name in ("vendor/", "a.min.js"))
    _, skipped = one(tmp_path, {"content": content, "max_stars_repo_path": path}, reading)
    assert isinstance(skipped, Skipped)
    assert (skipped.path, skipped.reason) == (path.replace("\n", "?"), reason)


def test_a_path_that_no_file_system_takes_is_not_looked_into(tmp_path: Path) -> None:
    """Half a million folders cost nothing, and only the first are shown."""
    began = time.process_time()
    _, skipped = one(tmp_path, {"content": "x = 1\n", "max_stars_repo_path": "a/" * 500_000 + "b"})
    assert skipped == Skipped("a/" * 40 + "...", SkipReason.BAD_PATH, TOO_LONG)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "no text in column content; give the row its text"),
        ({"content": 5}, r"column content holds 5 \(int\), not the text of a file; see --columns"),
        ({"content": "\ud800"}, "not UTF-8: half a surrogate pair at character 1 of column content"),
        ({"content": "x", "lang": ["C"]}, r"column lang holds \['C'\] \(list\), not a text"),
        ({"content": "x", "max_stars_repo_licenses": {"MIT": 1}}, r"licenses holds .* \(dict\), not license names"),
        ({"content": "x", "day": "yesterday"}, r"column day holds 'yesterday' \(str\), not a date; write YYYY-MM-DD"),
        ({"content": "x", "day": 10**400}, "column day holds 1000.* not a date"),
    ],
)
def test_a_wrong_row_is_named_and_the_others_go_on(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    """File, line, byte, column and mend."""
    path = json_lines(tmp_path / "a.jsonl", [{"content": "x"}, row, {"content": "z"}])
    first, wrong, last = rows(path, Reading(columns=Columns(released="day")), "").files()
    assert isinstance(wrong, SourceError)
    assert str(wrong).startswith(f"{path}: line 2 (byte 17): ")
    with pytest.raises(SourceError, match=message):
        raise wrong
    assert isinstance(first, Unit)
    assert isinstance(last, Unit)


def test_a_file_of_nothing_but_broken_rows_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last error says that the rest was not tried; good rows make up for broken ones."""
    monkeypatch.setattr(module, "GIVE_UP", 10)
    good, broken = {"content": "x"}, {"content": 1}
    *_, last = rows(json_lines(tmp_path / "a.jsonl", [good] + [broken] * 30), Reading(), "").files()
    assert "given up, as 11 more rows are broken than good" in str(last)
    found = list(rows(json_lines(tmp_path / "b.jsonl", [good, broken, broken] * 8), Reading(), "").files())
    assert len(found) == 24


def test_a_missing_file_is_refused_at_once(tmp_path: Path) -> None:
    """The message names the path and the reason."""
    with pytest.raises(SourceError, match=r"none\.jsonl: cannot be read \(No such file or directory\); check the path"):
        rows(os.fspath(tmp_path / "none.jsonl"), Reading(), "")


def test_columns_are_named_by_preset_or_pair() -> None:
    """Both may stand together; an empty name says that there is no such column."""
    assert parse_columns("the-stack") == Columns()
    assert parse_columns("content=text, repository=repo") == Columns(content="text", repository="repo")
    assert parse_columns("the-stack-v2,released=") == replace(PRESETS["the-stack-v2"], released="")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing is not understood"),
        ("the-pile", "the-pile is not understood; give one of the-stack, the-stack-v2, starcoderdata, or KEY=COLUMN"),
        ("text=content", "text=content is not understood.*of the keys content, repository, revision, path, licenses"),
        ("path=a,path=b", "path=b is named twice"),
        ("content=", "content must have a column"),
    ],
)
def test_wrong_columns_are_refused(text: str, message: str) -> None:
    """The message names what is known."""
    with pytest.raises(ConfigError, match=message):
        parse_columns(text)
