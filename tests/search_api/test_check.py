"""`codecite check`: files, standard input and batches; exit codes; what a person and a program read."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codecite.indexer import open_index
from codecite.indexer.attribution.policy import Policy
from codecite.indexer.errors import CodeciteError, IndexCorruptError
from codecite.indexer.index import EmbeddedIndex
from codecite.indexer.records import Report
from codecite.search_api.cli.batch import Asked, check_batch


def test_json_is_the_report_of_the_library(codecite, index: Path, passage: str, tmp_path: Path) -> None:
    """The command line and `open_index(...).check(text)` give the same Report."""
    text = f"first = 1\n{passage}last = 2\n"
    file = tmp_path / "mine.py"
    file.write_text(text, encoding="utf-8")
    done = codecite("check", file, "--index", index, "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == open_index(index).check(text).to_dict()


def test_a_copied_passage_is_found_where_it_stands(codecite, index: Path, passage: str, corpus: Path) -> None:
    """Twenty lines of a module are reported with that module's lines, license and copyright."""
    done = codecite("check", "-", "--index", index, "--format", "json", stdin=f"x = 1\n{passage}")
    report = json.loads(done.stdout)
    longest = max(report["matches"], key=lambda match: match["bytes"])
    source = longest["sources"][0]
    assert source["path"].endswith("textwrap.py")
    assert source["license"] == "PSF-2.0"
    assert source["start_line"] <= 121
    assert source["end_line"] >= 139
    assert any("Some Body" in line for line in source["copyright"])
    assert longest["kind"] == "verbatim"
    assert report["text"]["sha256"] == hashlib.sha256(f"x = 1\n{passage}".encode()).hexdigest()


def test_standard_input_is_read_where_no_file_is_named(process, index: Path, passage: str) -> None:
    """`codecite check < file` needs no dash."""
    named = process("check", "-", "--index", index, "--format", "json", stdin=passage)
    silent = process("check", "--index", index, "--format", "json", stdin=passage)
    assert named.stdout == silent.stdout


def test_the_index_may_come_from_the_environment(codecite, index: Path, passage: str) -> None:
    """`CODECITE_INDEX` names the index where no option does."""
    done = codecite("check", "--format", "json", stdin=passage, CODECITE_INDEX=str(index))
    assert json.loads(done.stdout)["matches"]


def test_several_files_give_a_report_a_line_with_its_path(codecite, index: Path, passage: str, tmp_path: Path) -> None:
    """A program can tell which Report speaks of which file."""
    names = [tmp_path / "one.py", tmp_path / "two.py"]
    names[0].write_text(passage, encoding="utf-8")
    names[1].write_text("nothing = 0\n", encoding="utf-8")
    done = codecite("check", *names, "--index", index, "--format", "json")
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert [report["path"] for report in reports] == [str(name) for name in names]
    assert [bool(report["matches"]) for report in reports] == [True, False]


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_answered(
    codecite, index: Path, passage: str, tmp_path: Path
) -> None:
    """One missing file costs the exit code, not the answers."""
    there = tmp_path / "there.py"
    there.write_text(passage, encoding="utf-8")
    missing = tmp_path / "missing.py"
    done = codecite("check", missing, tmp_path, there, "--index", index, "--format", "json")
    assert done.returncode == 2
    assert [json.loads(line)["path"] for line in done.stdout.splitlines()] == [str(there)]
    complaints = done.stderr.splitlines()
    assert any(str(missing) in line and "No such file" in line for line in complaints)
    assert any(f"{tmp_path}:" in line for line in complaints)
    assert "Traceback" not in done.stderr


def test_sources_bounds_what_is_listed_and_not_what_is_counted(codecite, index: Path, corpus: Path) -> None:
    """`--sources 0` lists none, and the counts stay."""
    text = (corpus / "bisect.py").read_bytes()
    none, one = (
        json.loads(codecite("check", "--index", index, "--format", "json", "--sources", n, stdin=text).stdout)
        for n in ("0", "1")
    )
    assert [len(match["sources"]) for match in none["matches"]] == [0] * len(none["matches"])
    assert [match["documents"] for match in none["matches"]] == [match["documents"] for match in one["matches"]]
    assert max(len(match["sources"]) for match in one["matches"]) == 1


def test_a_batch_answers_each_line_under_its_id(codecite, index: Path, passage: str, tmp_path: Path) -> None:
    """Each answer is the id and the Report of that text."""
    file = tmp_path / "batch.jsonl"
    lines = [{"id": "a", "text": passage}, {"id": 7, "text": "x = 1\n"}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    done = codecite("check", "--batch", file, "--index", index)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    library = open_index(index)
    assert done.returncode == 0
    assert answers == [{"id": line["id"], **library.check(str(line["text"])).to_dict()} for line in lines]


def test_broken_lines_of_a_batch_are_named_and_the_others_answered(codecite, index: Path) -> None:
    """Each broken line is named by its number; the exit code is 2."""
    lines = [
        b'{"id": 1, "text": "x"}',
        b"{not json",
        b'["a list"]',
        b'{"id": 4}',
        b'{"text": "no id"}',
        b'{"id": 6, "text": "\\ud800"}',
        b'{"id": 7, "text": "\xff"}',
        b"[" * 200_000,
        b"",
        b'{"id": 10, "text": "y"}',
    ]
    done = codecite("check", "--batch", "-", "--index", index, stdin=b"\n".join(lines))
    assert done.returncode == 2
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 10]
    complaints = done.stderr.splitlines()
    for number in range(2, 9):
        assert sum(f"line {number}:" in line for line in complaints) == 1, number


def test_a_long_batch_is_answered_in_its_order_by_several_processes(
    codecite, index: Path, passage: str, tmp_path: Path
) -> None:
    """Several hundred lines, some broken: each answer is the library's, each broken line is named."""
    file = tmp_path / "batch.jsonl"
    lines = [json.dumps({"id": n, "text": passage[n % 7 :] if n % 3 else f"x = {n}"}) for n in range(500)]
    broken = {70, 299, 500}
    for number in broken:
        lines[number - 1] = "{not json"
    file.write_text("\n".join(lines), encoding="utf-8")
    done = codecite("check", "--batch", file, "--index", index)
    library = open_index(index)
    expected = [json.loads(line) for number, line in enumerate(lines, start=1) if number not in broken]
    assert done.returncode == 2
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"id": line["id"], **library.check(line["text"]).to_dict()} for line in expected
    ]
    assert [complaint.split(": ")[1] for complaint in done.stderr.splitlines()] == [
        f"{file}, line {number}" for number in sorted(broken)
    ]


def test_a_damaged_index_ends_a_long_batch_with_one_error(
    index: Path, passage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where another process meets the damage too; what was answered before it is written."""

    class Damaged(EmbeddedIndex):
        def check(self, text: str, **options: object) -> Report:  # type: ignore[override]
            if text == passage:
                raise IndexCorruptError("a damaged block")
            return super().check(text)

    file = tmp_path / "batch.jsonl"
    texts = ["x = 1"] * 200 + [passage] * 200
    file.write_text("".join(json.dumps({"id": 1, "text": text}) + "\n" for text in texts), encoding="utf-8")
    with pytest.raises(CodeciteError, match="a damaged block"):
        check_batch(Damaged((index,)), str(file), Asked(5, Policy(), False))
    assert len(capsys.readouterr().out.splitlines()) == 200


def test_text_marks_the_passage_and_names_its_source(codecite, index: Path, passage: str) -> None:
    """In a pipe the marks are characters, and no colour is written."""
    done = codecite("check", "--index", index, stdin=f"mine = 1\n{passage}mine = 2\n")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "«" in done.stdout
    assert "»" in done.stdout
    assert "textwrap.py:" in done.stdout
    assert "PSF-2.0" in done.stdout
    assert "Copyright (c) 2001 Some Body" in done.stdout


def test_no_match_says_what_was_searched(codecite, index: Path) -> None:
    """An answer without a passage states the coverage and claims nothing more."""
    done = codecite("check", "--index", index, stdin="nobody_wrote_this = 1\n")
    assert "no shared passage" in done.stdout
    assert "Searched: 7 documents" in done.stdout or "Searched: 6 documents" in done.stdout
    assert "never means that the code is original" in done.stdout


def test_hostile_code_cannot_act_on_a_terminal(process, passage: str, tmp_path: Path) -> None:
    """Escape sequences in code, in file names and in copyright lines come out as visible text."""
    tree = tmp_path / "tree"
    tree.mkdir()
    hostile = f"# Copyright \x1b[31m Mallory\n{passage}\x1b]0;owned\x07\u202e\n"
    (tree / "evil\x1b[2J.py").write_text(hostile, encoding="utf-8")
    (tree / os.fsdecode(b"bad\xff.py")).write_text(passage + "# more\n", encoding="utf-8")
    made = process("index", "add", tree, "--index", tmp_path / "index")
    assert made.returncode == 0, made.stderr
    done = process("check", "--index", tmp_path / "index", stdin=hostile)
    assert "\\x1b" in done.stdout
    for stream in (made.stdout, made.stderr, done.stdout, done.stderr):
        assert not set(stream) & {"\x1b", "\x07", "\u202e"}


@pytest.mark.parametrize("arguments", [("check",), ("index", "stats"), ("index", "verify")], ids=" ".join)
def test_a_missing_index_is_one_line_and_exit_code_2(codecite, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """The message names the place; there is no traceback."""
    done = codecite(*arguments, "--index", tmp_path / "nowhere")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "nowhere" in done.stderr


def test_wrong_usage_is_exit_code_2(codecite, index: Path) -> None:
    """Options that contradict each other are explained."""
    done = codecite("check", "a.py", "--batch", "b.jsonl", "--index", index)
    assert done.returncode == 2
    assert "--batch takes no further files" in done.stderr


def test_a_reader_that_goes_away_ends_the_command_quietly(index: Path, passage: str, tmp_path: Path) -> None:
    """`codecite check ... | head -1` leaves no traceback and no complaint of the interpreter."""
    file = tmp_path / "batch.jsonl"
    file.write_text("".join(json.dumps({"id": n, "text": passage}) + "\n" for n in range(300)), encoding="utf-8")
    command = [sys.executable, "-m", "codecite.search_api.cli", "check", "--batch", str(file), "--index", str(index)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 2
