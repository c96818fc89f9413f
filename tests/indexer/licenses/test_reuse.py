"""What stands beside a file about its licence is read as the REUSE tool reads it, a program of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus import tree
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Reading
from codecite.indexer.licenses.reuse import is_declaration, read_annotations, sidecar_of, with_declared
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Source

TOOL = Path(sys.executable).with_name("reuse")
CODE = "".join(f"def function_{i}(alpha, beta):\n    return alpha * {i} - beta % {i + 2}\n" for i in range(4))
HEADS = {
    "": "",
    "tag": "# SPDX-License-Identifier: MIT\n",
    "owner": "# SPDX-FileCopyrightText: 2001 In File\n",
    "both": "# SPDX-FileCopyrightText: 2001 In File\n#\n# SPDX-License-Identifier: MIT\n",
}
SIDECARS = {
    "": "",
    "tag": "SPDX-License-Identifier: Zlib\n",
    "both": "SPDX-FileCopyrightText: 2002 Beside\n\nSPDX-License-Identifier: Zlib\n",
}
PRECEDENCES = ("", "closest", "aggregate", "override")


def annotation(path: str, precedence: str, license: str, owner: str) -> str:
    """A table of a REUSE.toml."""
    return (
        f'[[annotations]]\npath = ["nothing/**", "{path}"]\nprecedence = "{precedence}"\n'
        f'SPDX-License-Identifier = "{license}"\nSPDX-FileCopyrightText = "{owner}"\n\n'
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every head with every sidecar and every pair of annotations, at the root and in the folder of the file."""
    root = tmp_path_factory.mktemp("reuse") / "project"
    top = "version = 1\n\n" + annotation("c**", "closest", "ISC", "2000 Overwritten")
    for number, (head, beside, outer, inner) in enumerate(product(HEADS, SIDECARS, PRECEDENCES, PRECEDENCES)):
        folder = root / f"c{number}"
        folder.mkdir(parents=True)
        (folder / "file_*.py").write_text(f"{HEADS[head]}# {number}\n{CODE}")
        if beside:
            (folder / "file_*.py.license").write_text(SIDECARS[beside])
        top += annotation(f"c{number}/file*", outer, "Apache-2.0", "2003 Outer") if outer else ""
        if inner:
            own = annotation(r"file_\\*.*", inner, "BSD-3-Clause OR EPL-2.0", "\u00a9 2004 Inner")
            (folder / "REUSE.toml").write_text(f"version = 1\n{own}", encoding="utf-8")
    (root / "REUSE.toml").write_text(top)
    return root


def said_by_tool(root: Path) -> dict[str, tuple[set[str], set[str]]]:
    """The expressions and the copyright lines of each file.

    Where an inner file overrides, the tool adds what the outer one says `closest`, though there is something closer:
    that is taken away.
    """
    done = subprocess.run([TOOL, "--root", root, "lint", "--json"], capture_output=True, text=True, check=False)
    found = {
        item["path"]: (
            {one["value"] for one in item["spdx_expressions"]},
            {bare(one["value"]) for one in item["copyrights"]},
        )
        for item in json.loads(done.stdout)["files"]
    }
    for number, (_, _, outer, inner) in enumerate(product(HEADS, SIDECARS, PRECEDENCES, PRECEDENCES)):
        if inner == "override" and outer in ("", "closest"):
            licenses, owners = found[f"c{number}/file_*.py"]
            licenses -= {"ISC", "Apache-2.0"}
            owners -= {"2000 Overwritten", "2003 Outer"}
    return found


def bare(line: str) -> str:
    """A copyright line without the words and signs before the year."""
    return re.sub(r"^.*?(?=\d{4} )", "", line)


def said_by_us(index: Path, root: Path, paths: list[str]) -> dict[str, tuple[set[str], set[str]]]:
    """The expressions of all tags that count, and the copyright lines."""
    opened = open_index(index)
    found = {}
    for path in paths:
        report = opened.check((root / path).read_bytes(), sources=1000)
        (source,) = {
            item.origin: item for each in report.attributions for item in each.sources if at(item, path)
        }.values()
        tags = {one.expression for one in source.origin.evidence if one.kind is EvidenceKind.SPDX_TAG}
        found[path] = ({tag for tag in tags if tag}, {bare(line) for line in source.origin.copyright})
    return found


def at(source: Source, path: str) -> bool:
    """Whether a source is the file at this path, in a tree or in an archive of it."""
    return source.origin.path == path


@pytest.mark.parametrize("kind", ["tree", "archive", "git"])
def test_licences_and_owners_are_those_that_the_reuse_tool_finds(
    require: Callable[..., None], project: Path, tmp_path: Path, kind: str
) -> None:
    """Of each file, however head, sidecar and annotations are put together, whatever the tree comes in."""
    require("reuse")
    expected = {path: said for path, said in said_by_tool(project).items() if path.endswith(".py")}
    assert len(expected) == len(HEADS) * len(SIDECARS) * len(PRECEDENCES) ** 2
    source = project
    if kind == "archive":
        source = tmp_path / "project.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in sorted(project.rglob("*")):
                archive.write(path, path.relative_to(project))
    elif kind == "git":
        source = tmp_path / "clone"
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "init", "-q", source], check=True)
        for path in sorted(project.rglob("*")):
            if path.is_file():
                copy = source / path.relative_to(project)
                copy.parent.mkdir(exist_ok=True)
                copy.write_bytes(path.read_bytes())
        subprocess.run(["git", *identity, "-C", source, "add", "-A"], check=True)
        subprocess.run(["git", *identity, "-C", source, "commit", "-qm", "x"], check=True)
    add(tmp_path / "index", read_sources((str(source),), installed=False, reading=Reading()))
    assert said_by_us(tmp_path / "index", project, sorted(expected)) == expected


def test_a_file_is_read_again_when_what_is_declared_of_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it is as it was itself."""
    monkeypatch.setattr(tree, "SETTLED", 0)
    root = tmp_path / "project"
    root.mkdir()
    for name in ("a.py", "b.py"):
        (root / name).write_text(f"# {name}\n{CODE}")
    (root / "b.py.license").write_text(SIDECARS["tag"])
    unchanged = []
    for license in ("MIT", "ISC"):
        (root / "REUSE.toml").write_text(annotation("*.py", "closest", license, "2020 A"))
        done = add(tmp_path / "index", read_sources((str(root),), installed=False, reading=Reading()), sync=True)
        unchanged.append(done.unchanged_files)
        report = open_index(tmp_path / "index").check((root / "a.py").read_text())
        held = {s.origin.path: s.origin.license for item in report.attributions for s in item.sources}
        assert held == {"a.py": license, "b.py": "Zlib"}
        assert all(item.match.counts.licenses.keys() <= {license, "Zlib"} for item in report.attributions)
    assert unchanged == [0, 1]  # the sidecar, of which nothing is declared


def test_what_an_override_replaces_is_kept_as_weaker_evidence() -> None:
    """The tag of the file itself is shown as its header; it disagrees."""
    text = b'[[annotations]]\npath = "**"\nprecedence = "override"\nSPDX-License-Identifier = "GPL-2.0-only"\n'
    declared = read_annotations("REUSE.toml", text).of("a/b.c")
    assert declared is not None
    tag = LicenseEvidence(EvidenceKind.SPDX_TAG, "MIT", "line 1", "SPDX-License-Identifier: MIT")
    evidence, owners = with_declared((declared,), (tag,), ("Copyright 2020 A",))
    assert [(item.kind, item.expression, item.where) for item in evidence] == [
        (EvidenceKind.SPDX_TAG, "GPL-2.0-only", "REUSE.toml, annotation 1"),
        (EvidenceKind.FILE_HEADER, "MIT", "line 1"),
    ]
    assert owners == ("Copyright 2020 A",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"[[annotations]", "line 1"),
        (b"\xff\xfe", "utf-8"),
        (b"annotations = 3", "list of tables"),
        (b'[[annotations]]\npath = 3\nSPDX-License-Identifier = "MIT"', "annotation 1: path"),
        (b'[[annotations]]\nSPDX-License-Identifier = "MIT"', "annotation 1 has no path"),
        (b'[[annotations]]\npath = "a"\nprecedence = "strongest"', "precedence is 'strongest'"),
        (b"a = " + b"[" * 100_000, ""),
    ],
)
def test_a_broken_toml_is_evidence_that_says_why(text: bytes, why: str) -> None:
    """It states no licence, and is not passed over in silence."""
    declared = read_annotations("sub/REUSE.toml", text).of("sub/a.py")
    assert declared is not None
    (evidence,) = declared.evidence
    assert (evidence.expression, evidence.where) == (None, "sub/REUSE.toml")
    assert evidence.text.startswith("not read: ")
    assert why in evidence.text


def test_the_old_form_is_read() -> None:
    """`.reuse/dep5` holds for all that is below its project."""
    text = b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: img/*\n"
    text += b"Copyright: 2019 Someone\nLicense: CC0-1.0\n"
    declared = read_annotations("a/.reuse/dep5", text).of("a/img/b/c.svg")
    assert declared is not None
    assert [item.expression for item in declared.evidence] == ["CC0-1.0"]
    assert declared.copyright == ("2019 Someone",)
    assert read_annotations("a/.reuse/dep5", text).of("a/src/b.c") is None


def test_declarations_go_by_their_names() -> None:
    """A file called `.license` is beside nothing."""
    assert is_declaration(sidecar_of("a/b.png"))
    assert is_declaration("x/.reuse/dep5")
    assert not any(map(is_declaration, ("a/.license", "dep5", "a/reuse.toml", "license")))


@given(st.text("ab/*\\", max_size=9).filter(lambda text: not text.endswith("\\")), st.text("ab/*", max_size=9))
def test_patterns_match_as_their_regular_expressions_do(pattern: str, path: str) -> None:
    """A star stops at a slash, two do not, a backslash takes what follows as it is."""
    signs = re.findall(r"\\.|\*\*+|.", pattern)
    wild = {"*": "[^/]*"}
    expression = "".join(
        wild.get(sign, ".*" if sign.startswith("**") else re.escape(sign.removeprefix("\\") or sign)) for sign in signs
    )
    text = json.dumps(pattern)
    found = read_annotations("REUSE.toml", f'[[annotations]]\npath = {text}\nSPDX-License-Identifier = "MIT"'.encode())
    assert (found.of(path) is not None) == (re.fullmatch(expression, path) is not None)


def test_a_hostile_pattern_takes_no_time() -> None:
    """Six thousand wildcards and a path of ten thousand signs."""
    pattern = "*a**b" * 3000 + "c"
    text = f'[[annotations]]\npath = "{pattern}"\nSPDX-License-Identifier = "MIT"'.encode()
    assert read_annotations("REUSE.toml", text).of("ab" * 5_000) is None
