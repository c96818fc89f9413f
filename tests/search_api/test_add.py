"""`codecite index add`: what it reads, leaves out, removes and says, and what its exit codes mean."""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from codecite.indexer import open_index
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import Package
from codecite.search_api.cli import progress
from codecite.search_api.cli.add import _Way, add_sources

SETTLED = 2.5
"""Seconds after which a file's times tell whether it has changed since."""


def wheel(path: Path, **members: str) -> Path:
    """A wheel of the project `demo` with these modules."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        for name, text in members.items():
            archive.writestr(f"{name}.py", text)
    return path


def added(codecite, *arguments: str | Path) -> dict:
    """The JSON of an `index add` that went well."""
    done = codecite("index", "add", *arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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


def test_no_progress_bar_in_a_pipe(process, corpus: Path, tmp_path: Path) -> None:
    """Standard error holds no carriage return and no escape."""
    done = process("index", "add", corpus, "--index", tmp_path / "index")
    assert not set(done.stderr) & {"\r", "\x1b"}
    assert "generation 1" in done.stdout
    assert "(binary)" in done.stdout


def test_a_second_run_reads_nothing_again(codecite, corpus: Path, tmp_path: Path) -> None:
    """Files of a tree and whole packages are counted as unchanged, and no generation is published."""
    archive = wheel(tmp_path / "demo-1.0-py3-none-any.whl", first="one = 1\n")
    arguments = (corpus, archive, "--index", tmp_path / "index")
    time.sleep(SETTLED)
    first = added(codecite, *arguments)
    assert (first["unchanged_files"], first["unchanged_packages"]) == (0, 0)
    again = added(codecite, *arguments)
    assert (again["documents"], again["origins"], again["bytes"], again["generation"]) == (0, 0, 0, 1)
    assert (again["unchanged_files"], again["unchanged_packages"]) == (7, 1)
    assert "unchanged  1 package, 7 files" in codecite("index", "add", *arguments).stdout
    assert open_index(tmp_path / "index").stats()[0].packages == 2, "the tree and the archive, not what is remembered"


def test_sync_removes_what_a_source_no_longer_holds(codecite, corpus: Path, tmp_path: Path) -> None:
    """A file that is gone from its tree is gone from the index only with `--sync`."""
    tree = Path(shutil.copytree(corpus, tmp_path / "tree"))
    arguments = (tree, "--index", tmp_path / "index")
    added(codecite, *arguments)
    (tree / "shlex.py").unlink()
    assert added(codecite, *arguments)["removed"] == 0
    done = codecite("index", "add", "--sync", *arguments)
    assert "removed    1 place that" in done.stdout
    figures = json.loads(codecite("index", "stats", "--index", tmp_path / "index", "--format", "json").stdout)
    assert (figures["documents"], figures["origins"]) == (5, 6)


def test_a_source_that_could_not_be_read_is_not_synced_and_named(codecite, corpus: Path, tmp_path: Path) -> None:
    """With a damaged archive in it, what a tree no longer holds stays, and both are said."""
    tree = Path(shutil.copytree(corpus, tmp_path / "tree"))
    added(codecite, tree, "--index", tmp_path / "index")
    (tree / "shlex.py").unlink()
    (tree / "damaged.whl").write_bytes(b"PK\x03\x04 this is no archive")
    done = codecite("index", "add", tree, "--sync", "--index", tmp_path / "index", "--format", "json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["unsynced"] == [str(tree)]
    failure, unsynced = done.stderr.splitlines()
    assert "damaged.whl" in failure
    assert f"nothing of {tree} was removed" in unsynced


def test_a_damaged_wheel_is_named_and_the_rest_is_added(codecite, corpus: Path, tmp_path: Path) -> None:
    """A wheel with a member that does not agree with its checksum leaves nothing; the tree beside it is published."""
    damaged = wheel(tmp_path / "demo-1.0-py3-none-any.whl", damaged="value = 'as it was built'\n")
    damaged.write_bytes(damaged.read_bytes().replace(b"as it was built", b"as it is now no"))
    arguments = ("index", "add", damaged, corpus, "--index", tmp_path / "index", "--format", "json")
    done = codecite(*arguments)
    assert done.returncode == 2
    result = json.loads(done.stdout)
    assert result["documents"] == 6
    assert len(result["failures"]) == 1
    assert [line for line in done.stderr.splitlines() if "damaged.py" in line]
    assert "Traceback" not in done.stderr
    going = codecite(*arguments, "--keep-going")
    assert going.returncode == 0
    assert "damaged.py" in going.stderr


def test_what_is_no_wheel_leaves_the_rest(process, corpus: Path, tmp_path: Path) -> None:
    """A file that is no archive is one line on standard error, and the tree before it is in the index."""
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"PK\x03\x04 this is no archive")
    done = process("index", "add", corpus, broken, "--index", tmp_path / "index")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "broken-1.0" in done.stderr
    assert "6 documents" in process("index", "stats", "--index", tmp_path / "index").stdout


def test_every_refused_member_of_a_hostile_archive_can_be_found(codecite, tmp_path: Path) -> None:
    """Each bad path stands in the text and in the JSON with what is wrong with it; the good member is added."""
    hostile = tmp_path / "hostile.zip"
    names = ("../outside.py", "/etc/passwd", "C:/boot.py", "bell\x07.py")
    with zipfile.ZipFile(hostile, "w") as archive:
        archive.writestr("good.py", "good = 1\n")
        for name in names:
            archive.writestr(name, f"bad = {name!r}\n")
    result = added(codecite, hostile, "--index", tmp_path / "index")
    assert result["documents"] == 1
    assert result["skipped"]["bad-path"]["count"] == len(names)
    text = codecite("index", "add", hostile, "--index", tmp_path / "other").stdout
    for shown in ("../outside.py", "/etc/passwd", "C:/boot.py", "bell\\x07.py"):
        assert any(shown in example for example in result["skipped"]["bad-path"]["examples"])
        assert shown in text
    assert not (tmp_path / "outside.py").exists()


def test_patterns_leave_out_and_the_command_line_has_the_last_word(codecite, corpus: Path, tmp_path: Path) -> None:
    """A `!` of --exclude takes back what a file of patterns left out."""
    patterns = tmp_path / "patterns"
    patterns.write_text("# what we do not want\nvendored/\n*.py\n", encoding="utf-8")
    options = ("--exclude-from", patterns, "--exclude", "!heapq.py", "--exclude", "*.bin")
    result = added(codecite, corpus, *options, "--index", tmp_path / "index")
    assert result["documents"] == 1
    assert result["skipped"]["excluded"]["count"] == 7
    assert "binary" not in result["skipped"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--exclude", "[a-"), "bracket"),
        (("--exclude-from", "nowhere.txt"), "nowhere.txt"),
        (("--columns", "colour=red"), "colour=red"),
        (("--max-file-bytes", "0"), "--max-file-bytes"),
        (("--revision", "no-such-revision"), "revision"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_written(
    codecite, corpus: Path, tmp_path: Path, arguments: tuple[str, str], word: str
) -> None:
    """Exit code 2, the wrong value in the message, and no index."""
    done = codecite("index", "add", corpus, *arguments, "--index", tmp_path / "index")
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "index").exists()


def test_a_repository_is_read_at_the_revision_asked_for(require, codecite, tmp_path: Path) -> None:
    """The file of the first commit comes with that commit, though the working tree has another one."""
    require("git")
    folder = tmp_path / "repository"
    folder.mkdir()

    def git(*words: str) -> str:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(
            ("git", *who, *words), cwd=folder, env=environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    text = "".join(f"first_{number} = {number}\n" for number in range(20))
    git("init", "--quiet")
    (folder / "module.py").write_text(text, encoding="utf-8")
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    first = git("rev-parse", "HEAD")
    (folder / "module.py").write_text("second = 2\n", encoding="utf-8")
    git("commit", "--quiet", "--all", "--message", "two")
    added(codecite, folder, "--revision", "HEAD~1", "--index", tmp_path / "index")
    report = json.loads(codecite("check", "--index", tmp_path / "index", "--format", "json", stdin=text).stdout)
    assert report["matches"][0]["sources"][0]["revision"] == first


def test_the_columns_of_a_dataset_can_be_named(codecite, tmp_path: Path) -> None:
    """Rows whose text is under another name are read, each with its repository."""
    dataset = tmp_path / "rows.jsonl"
    rows = [{"text": f"value_{number} = {number}\n" * 9, "repo": "Owner/Name"} for number in range(3)]
    dataset.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = added(codecite, dataset, "--columns", "content=text,repository=repo", "--index", tmp_path / "index")
    assert result["documents"] == 3
    without = codecite("index", "add", dataset, "--index", tmp_path / "other")
    assert without.returncode == 2
    assert "--columns" in without.stderr


def test_files_over_the_limit_are_skipped_and_a_higher_limit_reads_them(codecite, tmp_path: Path) -> None:
    """The archive is read again where more of it is asked for."""
    archive = wheel(tmp_path / "demo-1.0-py3-none-any.whl", small="one = 1\n", large="two = 2\n" * 200)
    lower = added(codecite, archive, "--max-file-bytes", "1000", "--index", tmp_path / "index")
    assert lower["skipped"]["too-large"]["count"] == 1
    assert added(codecite, archive, "--index", tmp_path / "index")["documents"] == 1


def test_a_missing_source_is_named(codecite, tmp_path: Path) -> None:
    """A path that does not exist is an error with that path in it."""
    done = codecite("index", "add", tmp_path / "nowhere", "--index", tmp_path / "index")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "word"), [((), "--installed"), (("--installed", "--revision", "main"), "repositories")]
)
def test_nothing_to_read_is_wrong_usage(codecite, tmp_path: Path, arguments: tuple[str, ...], word: str) -> None:
    """Without a source, or a repository for the revision, the message says what to give."""
    done = codecite("index", "add", *arguments, "--index", tmp_path / "index")
    assert done.returncode == 2
    assert word in done.stderr


def test_writing_to_two_indexes_is_wrong_usage(codecite, corpus: Path, tmp_path: Path) -> None:
    """A writer takes one index."""
    done = codecite("index", "add", corpus, "--index", tmp_path / "a", "--index", tmp_path / "b")
    assert done.returncode == 2
    assert not (tmp_path / "a").exists()


def test_a_second_writer_is_told_that_there_is_one(codecite, corpus: Path, tmp_path: Path) -> None:
    """While another holds the lock, adding is one line and exit code 2."""
    (tmp_path / "index").mkdir()
    with (tmp_path / "index" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = codecite("index", "add", corpus, "--index", tmp_path / "index")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "is writing to this index" in done.stderr


def test_a_full_disk_is_one_line_and_leaves_the_index_as_it_was(codecite, corpus: Path, index: Path) -> None:
    """Where no file may grow beyond some kilobytes, the message says that the old generation is whole."""
    copied = Path(shutil.copytree(index, index.with_name("full")))
    (more := copied.with_name("more.py")).write_bytes(os.urandom(200_000).hex().encode())
    command = ("bash", "-c", 'ulimit -f 16; exec "$@"', "bash", sys.executable, "-m", "codecite.search_api.cli")
    done = subprocess.run(
        (*command, "index", "add", more, "--index", copied), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "make room" in done.stderr
    assert codecite("index", "verify", "--index", copied).returncode == 0
    assert "generation 1," in codecite("index", "stats", "--index", copied).stdout


class Terminal(io.StringIO):
    """What was written to a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_the_bar_shows_files_bytes_skipped_and_unchanged(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a tree nobody knows the total, so there is no percentage; of archives there is one."""
    shutil.copytree(corpus, tmp_path / "tree")
    time.sleep(SETTLED)
    add_sources(tmp_path / "index", [str(tmp_path / "tree")], installed=False)
    (tmp_path / "tree" / "zz.py").write_text("zz = 1\n", encoding="utf-8")
    written = Terminal()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_PAUSE", 0.0)
    add_sources(tmp_path / "index", [str(tmp_path / "tree")], installed=False)
    assert "1 file  7 bytes" in written.getvalue()
    assert "7 unchanged" in written.getvalue()
    assert "%" not in written.getvalue()
    first, second = (wheel(tmp_path / f"{name}.zip", **{name: f"{name} = 1\n" * 99}) for name in ("one", "two"))
    add_sources(tmp_path / "index", [str(first), str(second)], installed=False)
    assert "%" in written.getvalue()


def test_the_share_of_archives_counts_each_as_what_it_measures() -> None:
    """An archive that expands further than it measures waits at its own size until the next one comes."""
    units = [Unit(Package(name), lambda: iter(()), size) for name, size in (("a", 100), ("b", 300))]
    way = _Way(iter(()), units, ())
    shares = []
    for _ in way:
        for more in (0, 50, 5000):
            way.read += more
            shares.append(way.share)
    assert shares == [None, 50 / 400, 100 / 400, 100 / 400, 150 / 400, None]


def test_the_total_of_a_directory_is_not_known(corpus: Path) -> None:
    """So there is no share, whatever else is added with it."""
    way = _Way(iter([Unit(Package("a"), lambda: iter(()), 100)]), [], [str(corpus)])
    for _ in way:
        way.read += 10
        assert way.share is None
