"""`codecite index add`, `stats`, `verify`, and `codecite warm`: what they say and what their exit codes mean."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest


def test_adding_says_what_was_added_and_what_was_skipped(codecite, corpus: Path, tmp_path: Path) -> None:
    """Counts of documents and places, and the binary file with its reason."""
    done = codecite("index", "add", corpus, "--index", tmp_path / "index", "--format", "json")
    assert done.returncode == 0
    assert done.stderr == "" or "compiling" in done.stderr
    result = json.loads(done.stdout)
    assert result["generation"] == 1
    assert result["documents"] == 6
    assert result["origins"] == 7
    assert result["skipped"]["binary"]["count"] == 1
    assert "image.bin" in result["skipped"]["binary"]["examples"][0]


def test_no_progress_bar_in_a_pipe(codecite, corpus: Path, tmp_path: Path) -> None:
    """Standard error holds no carriage return and no escape."""
    done = codecite("index", "add", corpus, "--index", tmp_path / "index")
    assert not set(done.stderr) & {"\r", "\x1b"}
    assert "generation 1" in done.stdout
    assert "(binary)" in done.stdout


def test_a_damaged_wheel_is_named_and_the_rest_is_added(codecite, corpus: Path, tmp_path: Path) -> None:
    """A member that does not agree with its checksum costs the exit code; the tree beside it is published."""
    damaged = tmp_path / "damaged-1.0-py3-none-any.whl"
    with zipfile.ZipFile(damaged, "w") as archive:
        archive.writestr("damaged-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: damaged\nVersion: 1.0\n")
        archive.writestr("damaged.py", "value = 'as it was built'\n")
    damaged.write_bytes(damaged.read_bytes().replace(b"as it was built", b"as it is now no"))
    done = codecite("index", "add", damaged, corpus, "--index", tmp_path / "index", "--format", "json")
    assert done.returncode == 2
    result = json.loads(done.stdout)
    assert result["documents"] == 7  # the tree's six, and the METADATA that came before the damage
    assert len(result["failures"]) == 1
    assert [line for line in done.stderr.splitlines() if "damaged.py" in line]
    assert "Traceback" not in done.stderr


def test_what_is_no_wheel_is_refused_before_anything_is_written(codecite, corpus: Path, tmp_path: Path) -> None:
    """A source that cannot be opened at all is one line, and there is no index yet."""
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"PK\x03\x04 this is no archive")
    done = codecite("index", "add", corpus, broken, "--index", tmp_path / "index")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "broken-1.0" in done.stderr
    assert codecite("index", "stats", "--index", tmp_path / "index").returncode == 2


def test_a_missing_source_is_named(codecite, tmp_path: Path) -> None:
    """A path that does not exist is an error with that path in it."""
    done = codecite("index", "add", tmp_path / "nowhere", "--index", tmp_path / "index")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_adding_nothing_is_wrong_usage(codecite, tmp_path: Path) -> None:
    """Without a source there is nothing to do, and the message says what to give."""
    done = codecite("index", "add", "--index", tmp_path / "index")
    assert done.returncode == 2
    assert "--installed" in done.stderr


def test_writing_to_two_indexes_is_wrong_usage(codecite, corpus: Path, tmp_path: Path) -> None:
    """A writer takes one index."""
    done = codecite("index", "add", corpus, "--index", tmp_path / "a", "--index", tmp_path / "b")
    assert done.returncode == 2
    assert not (tmp_path / "a").exists()


def test_stats_count_documents_places_and_licenses(codecite, index: Path) -> None:
    """The figures are those of the corpus."""
    figures = json.loads(codecite("index", "stats", "--index", index, "--format", "json").stdout)
    assert figures["documents"] == 6
    assert figures["origins"] == 7
    assert figures["licenses"]["PSF-2.0"] == 2
    text = codecite("index", "stats", "--index", index).stdout
    assert "6 documents seen in 7 places" in text
    assert "PSF-2.0" in text


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
def test_a_cold_first_run_says_that_it_compiles(codecite, index: Path, tmp_path: Path) -> None:
    """With an empty numba cache `check` says so once; after `warm` it is silent."""
    cold = {"NUMBA_CACHE_DIR": str(tmp_path / "cold")}
    first = codecite("check", "--index", index, stdin="x = 1\n", **cold)
    assert first.stderr.count("compiling") == 1
    assert codecite("warm", **cold).returncode == 0
    assert codecite("check", "--index", index, stdin="x = 1\n", **cold).stderr == ""
