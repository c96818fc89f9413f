"""`codecite notice` on real packages: from files and from saved Reports, and snippet blocks that `reuse` accepts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codecite.indexer.licenses.tables import license_text


@pytest.fixture(scope="module")
def packages(codecite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of a tree with an Apache package that has a NOTICE, an MIT one, and one without a licence."""
    tree = tmp_path_factory.mktemp("packages")
    site = Path(json.__file__).parent.parent
    for name, module, head in (
        ("ours", "textwrap.py", "# Copyright 2001 Ours, Inc.\n"),
        ("theirs", "shlex.py", ""),
        ("nobodys", "heapq.py", ""),
    ):
        (tree / name).mkdir()
        (tree / name / module).write_text(head + (site / module).read_text(encoding="utf-8"), encoding="utf-8")
    apache, mit = license_text("Apache-2.0"), license_text("MIT")
    assert apache is not None
    assert mit is not None
    (tree / "ours" / "LICENSE").write_text(apache[1])
    (tree / "ours" / "NOTICE").write_text("Ours\nCopyright 2001 Ours, Inc.\nHolds work of many.\n")
    (tree / "theirs" / "LICENSE").write_text("Copyright (c) 2002 Theirs\n\n" + mit[1].split("\n", 2)[2])
    index = tree.parent / "packages-index"
    assert codecite("index", "add", tree, "--index", index).returncode == 0
    return index


@pytest.fixture
def copied(packages: Path, tmp_path: Path) -> Path:
    """A file with a passage of each."""
    del packages
    site = Path(json.__file__).parent.parent
    lines = [(site / name).read_text(encoding="utf-8").split("\n")[60:100] for name in ("textwrap.py", "shlex.py")]
    path = tmp_path / "mine.py"
    path.write_text("\n".join(["import os", *lines[0], "print(os.sep)", *lines[1]]) + "\n", encoding="utf-8")
    return path


def test_a_file_and_its_saved_report_give_the_same_notice(codecite, packages: Path, copied: Path) -> None:
    """Projects, copyright lines from a head and from a licence file, the NOTICE file, both texts, all once."""
    direct = codecite("notice", copied, "--index", packages)
    assert direct.returncode == 0, direct.stderr
    for expected in ("Copyright 2001 Ours, Inc.", "Holds work of many.", "Copyright (c) 2002 Theirs", "MIT License"):
        assert expected in direct.stdout
    assert direct.stdout.count("Apache License\n") == 1
    report = copied.with_name("report.json")
    report.write_text(codecite("check", copied, "--index", packages, "--format", "json").stdout)
    assert codecite("notice", report, "--index", packages).stdout == direct.stdout
    two = codecite("check", copied, copied, "--index", packages, "--format", "json").stdout
    assert codecite("notice", "-", "--index", packages, stdin=two).stdout == direct.stdout


def test_what_no_notice_settles_is_named(codecite, packages: Path, tmp_path: Path) -> None:
    """A passage without a licence is not in the notice: it is on standard error and in the JSON."""
    path = tmp_path / "unclear.py"
    shutil.copyfile(Path(json.__file__).parent.parent / "heapq.py", path)
    done = codecite("notice", path, "--index", packages, "--format", "json")
    notice = json.loads(done.stdout)
    assert notice["schema"] == "codecite-notice/1"
    assert not notice["credits"]
    assert {item["license"] for item in notice["unsettled"]} == {"NOASSERTION"}
    assert f"not settled: {path}" in done.stderr


@pytest.mark.parametrize("damage", [("matches", None), ("matches", [{}]), ("schema", "other/1")])
def test_what_is_no_report_is_an_error_in_one_line(codecite, packages: Path, copied: Path, damage) -> None:
    """A Report that lacks its fields; a file of another schema is a text like any other."""
    report = json.loads(codecite("check", copied, "--index", packages, "--format", "json").stdout)
    report[damage[0]] = damage[1]
    done = codecite("notice", "-", "--index", packages, stdin=json.dumps(report))
    assert done.returncode == (0 if damage[0] == "schema" else 2)
    assert len(done.stderr.splitlines()) == 1


def test_reuse_accepts_the_snippet_blocks(require, codecite, packages: Path, copied: Path, tmp_path: Path) -> None:
    """Inserted where they say, `reuse lint` finds their licences and complains of nothing else than before."""
    require("reuse")
    project = tmp_path / "project"
    (project / "LICENSES").mkdir(parents=True)
    text = copied.read_text(encoding="utf-8").split("\n")
    shown = codecite("notice", copied, "--index", packages, "--snippets", "--format", "json").stdout
    blocks = [json.loads(line) for line in shown.splitlines()]
    assert len(blocks) >= 2
    for block in sorted(blocks, key=lambda block: -block["start_line"]):
        text[block["end_line"] : block["end_line"]] = [block["end"]]
        text[block["start_line"] - 1 : block["start_line"] - 1] = block["begin"]
    head = ["# SPDX-FileCopyrightText: 2026 Me", "# SPDX-License-Identifier: 0BSD"]
    (project / "mine.py").write_text("\n".join([*head, *text]), encoding="utf-8")
    for name in ("0BSD", "Apache-2.0", "MIT"):
        listed = license_text(name)
        assert listed is not None
        (project / "LICENSES" / f"{name}.txt").write_text(listed[1], encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("reuse"), "--root", project, "lint", "--json"],
        capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"}, check=False,
    )  # fmt: skip
    lint = json.loads(done.stdout)
    assert lint["summary"]["compliant"], lint["non_compliant"]
    assert set(lint["summary"]["used_licenses"]) == {"0BSD", "Apache-2.0", "MIT"}
