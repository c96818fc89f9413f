"""`codecite index stats`, `verify`, and `codecite warm`: what they say and what their exit codes mean."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest


def test_stats_count_documents_places_and_licenses(codecite, index: Path) -> None:
    """The figures are those of the corpus."""
    figures = json.loads(codecite("index", "stats", "--index", index, "--format", "json").stdout)
    assert figures["documents"] == 6
    assert figures["origins"] == 7
    assert figures["licenses"]["PSF-2.0"] == 2
    assert figures["languages"] == {"Python": 7}
    assert (figures["segments"], figures["takedowns"]) == (1, 0)
    text = codecite("index", "stats", "--index", index).stdout
    assert "6 documents seen in 7 places" in text
    assert "PSF-2.0" in text
    assert "places by language: Python 7" in text
    assert "takedown" not in text


def test_clusters_are_figures_and_a_file(codecite, index: Path, tmp_path: Path) -> None:
    """Only where they are asked for; the file has its columns even where no two files are similar."""
    plain = json.loads(codecite("index", "stats", "--index", index, "--format", "json").stdout)
    assert "clusters" not in plain
    to = tmp_path / "clusters.parquet"
    done = codecite("index", "stats", "--index", index, "--clusters", "--export", to, "--format", "json")
    clusters = json.loads(done.stdout)["clusters"]
    assert [figures["threshold"] for figures in clusters] == [0.7, 0.85]
    assert {figures["documents"] for figures in clusters} == {0}
    names = ["threshold", "swhid", "cluster", "size", "representative", "path", "license"]
    assert pq.read_table(to).column_names == names
    assert "no two are similar at 0.85" in codecite("index", "stats", "--index", index, "--clusters").stdout


def test_similar_files_are_counted_in_text(codecite, tmp_path: Path) -> None:
    """Two of three are nearly the same; what would go is said."""
    lines = [f"value_{i} = compute_{i}(first, second)\n" for i in range(100)]
    for name, content in {"a": lines, "b": lines[:98], "c": ["other = words\n"] * 9}.items():
        (tmp_path / "code").mkdir(exist_ok=True)
        (tmp_path / "code" / f"{name}.py").write_text("".join(content))
    assert codecite("index", "add", tmp_path / "code", "--index", tmp_path / "index").returncode == 0
    text = codecite("index", "stats", "--index", tmp_path / "index", "--clusters").stdout
    assert "similar at 0.85: 2 documents in 1 cluster, the largest of 2; one kept of each, 33.3% of the" in text


def test_a_file_without_clusters_is_an_error_of_usage(codecite, index: Path, tmp_path: Path) -> None:
    """What cannot be written is one, too; neither shows a traceback."""
    assert codecite("index", "stats", "--index", index, "--export", tmp_path / "x.parquet").returncode == 2
    nowhere = tmp_path / "nowhere" / "x.parquet"
    done = codecite("index", "stats", "--index", index, "--clusters", "--export", nowhere)
    assert done.returncode == 2
    assert "x.parquet" in done.stderr
    assert "Traceback" not in done.stderr


def test_verify_finds_a_sound_index_sound(codecite, index: Path) -> None:
    """Exit code 0 and no problem."""
    done = codecite("index", "verify", "--index", index, "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["problems"] == []


def test_verify_names_a_file_with_a_flipped_byte(codecite, index: Path, tmp_path: Path) -> None:
    """Whichever large file of the index is damaged, it is named, and the exit code is 2."""
    copied = tmp_path / "copy"
    shutil.copytree(index, copied)
    largest = max((path for path in copied.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 0x10
    largest.write_bytes(content)
    done = codecite("index", "verify", "--index", copied)
    assert done.returncode == 2
    assert largest.name in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_cold_first_run_says_that_it_compiles(process, index: Path, tmp_path: Path) -> None:
    """With an empty numba cache `check` says so once; after `warm` it is silent."""
    cold = {"NUMBA_CACHE_DIR": str(tmp_path / "cold")}
    first = process("check", "--index", index, stdin="x = 1\n", **cold)
    assert first.stderr.count("compiling") == 1
    assert process("warm", **cold).returncode == 0
    assert process("check", "--index", index, stdin="x = 1\n", **cold).stderr == ""
