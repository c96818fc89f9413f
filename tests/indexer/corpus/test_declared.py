"""What packages that were unpacked in a tree, or committed to a repository, declare of the files below them."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import time
from importlib.metadata import distribution
from pathlib import Path

import pytest

from codecite.indexer.corpus.archive import archive
from codecite.indexer.corpus.git import repository
from codecite.indexer.corpus.tree import SETTLED, tree
from codecite.indexer.corpus.units import Pending, Reading, Unit
from codecite.indexer.licenses.effective import disagrees, effective
from codecite.indexer.records import SourceFile


def read(unit: Unit) -> dict[str, SourceFile]:
    """The files of a unit, by path."""
    found = [item.load() for item in unit.files() if isinstance(item, Pending)]
    return {item.path: item for item in found if isinstance(item, SourceFile)}


def test_a_package_in_a_tree_declares_the_licence_of_its_files(tmp_path: Path, reading: Reading) -> None:
    """The texts of `packaging` do not say that one may choose; its metadata do, for its folders, and for no others."""
    texts = [path for path in distribution("packaging").files or () if path.name in ("LICENSE.APACHE", "LICENSE.BSD")]
    assert len(texts) == 2
    vendored = tmp_path / "vendor" / "packaging"
    for folder in (vendored / "src", vendored / "inner" / "deep", tmp_path / "vendor" / "other"):
        folder.mkdir(parents=True)
        (folder / "code.py").write_text("value = 1\n")
    for path in texts:
        shutil.copy(str(path.locate()), vendored / path.name)
    shutil.copy(str(texts[0].locate()), vendored / "inner" / "LICENSE")
    (vendored / "src" / "package.json").write_text('{"type": "module"}')
    (vendored / "inner" / "deep" / "Cargo.toml").write_text("[package\n")

    def licenses() -> dict[str, str]:
        found = read(tree(os.fspath(tmp_path), reading))
        return {path: effective(item.evidence) for path, item in found.items() if path.endswith(".py")}

    before = licenses()
    assert before["vendor/packaging/src/code.py"] == "Apache-2.0 AND BSD-2-Clause"
    manifest = vendored / "PKG-INFO"
    manifest.write_text(
        "Metadata-Version: 2.4\nName: packaging\nVersion: 1\nLicense-Expression: Apache-2.0 OR BSD-2-Clause\n\n"
    )
    after = licenses()
    assert after.pop("vendor/packaging/src/code.py") == "Apache-2.0 OR BSD-2-Clause"
    before.pop("vendor/packaging/src/code.py")
    assert (
        after == before == {"vendor/other/code.py": "NOASSERTION", "vendor/packaging/inner/deep/code.py": "Apache-2.0"}
    )
    own = [
        item
        for item in read(tree(os.fspath(tmp_path), reading))["vendor/packaging/src/code.py"].evidence
        if item.text.endswith("Clause")
    ]
    assert [item.where for item in own] == ["vendor/packaging/License-Expression"]


def test_a_change_of_what_a_package_declares_is_seen_in_the_stamps_of_its_files(
    tmp_path: Path, reading: Reading
) -> None:
    """They are read again, though they have not changed."""
    (tmp_path / "lib").mkdir()
    code, manifest = tmp_path / "lib" / "a.js", tmp_path / "lib" / "package.json"
    code.write_text("let a = 1;\n")
    stamps = []
    for license in ("MIT", "ISC", "MIT"):
        manifest.write_text(json.dumps({"name": "lib", "version": "1.0.0", "license": license}))
        time.sleep(SETTLED / 1e9 + 0.1 if not stamps else 0)
        items = {item.path: item for item in tree(os.fspath(tmp_path), reading).files() if isinstance(item, Pending)}
        stamps.append(items["lib/a.js"].stamp)
    assert stamps[0] == stamps[2] != stamps[1]
    assert 0 not in stamps


def test_a_repository_says_of_licences_what_the_tree_of_its_files_says(tmp_path: Path, reading: Reading) -> None:
    """Licence files, packages' metadata, and what ends where another one begins: the same evidence for every file."""
    mit, bsd = (
        next(
            Path(str(file.locate())) for file in importlib.metadata.files(name) or () if "LICENSE" in file.name
        ).read_bytes()
        for name in ("attrs", "click")
    )
    files = {
        "LICENSE": mit,
        "a.py": b"a = 1\n",
        "vendor/dual/LICENSE-BSD": bsd,
        "vendor/dual/LICENSE-MIT": mit,
        "vendor/dual/Cargo.toml": b'[package]\nname = "dual"\nversion = "1.0.0"\nlicense = "BSD-3-Clause OR MIT"\n',
        "vendor/dual/src/lib.rs": b"fn a() {}\n",
        "vendor/dual/src/inner/COPYING": bsd,
        "vendor/dual/src/inner/b.rs": b"fn b() {}\n",
        "web/package.json": b'{"name": "web", "version": "1.0.0", "license": "ISC"}',
        "web/esm/package.json": b'{"type": "module"}',
        "web/esm/c.js": b"let c = 1;\n",
        "web/broken/package.json": b"{",
        "web/broken/d.js": b"let d = 1;\n",
        "py/PKG-INFO": b"Metadata-Version: 2.4\nName: p\nVersion: 1\nLicense-Expression: Zlib\n\n",
        "py/pyproject.toml": b'[project]\nname = "p"\nversion = "1"\nlicense = "Apache-2.0"\n',
        "py/e.py": b"e = 1\n",
    }
    folder = tmp_path / "both"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for arguments in (
        ("init", "-q"),
        ("add", "-A"),
        ("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "all"),
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    mine = {
        path: item.evidence for path, item in read(repository(os.fspath(folder), reading, os.fspath(folder))).items()
    }
    theirs = {path: item.evidence for path, item in read(tree(os.fspath(folder), reading)).items()}
    assert mine == theirs
    assert mine.keys() == files.keys()
    licenses = {path: effective(evidence) for path, evidence in mine.items()}
    assert licenses["a.py"] == "MIT"
    assert licenses["vendor/dual/src/lib.rs"] == "BSD-3-Clause OR MIT"
    assert licenses["vendor/dual/src/inner/b.rs"] == "BSD-3-Clause"
    assert disagrees("MIT", mine["web/esm/c.js"])
    assert [item.where for item in mine["web/esm/c.js"]] == ["LICENSE", "web/package.json license"]
    assert [item.where for item in mine["py/e.py"]] == ["LICENSE", "py/License-Expression"]


@pytest.mark.parametrize("kind", ["zip", "gztar"])
@pytest.mark.parametrize("top", ["", "outer-1.0/"])
def test_an_archive_says_of_what_it_carries_along_what_the_tree_of_its_files_says(
    tmp_path: Path, reading: Reading, kind: str, top: str
) -> None:
    """The manifests of vendored packages count below them, as far as the next licence file or manifest."""
    texts = importlib.metadata.files("packaging") or ()
    apache, bsd = (
        next(Path(str(file.locate())) for file in texts if file.name == name).read_bytes()
        for name in ("LICENSE.APACHE", "LICENSE.BSD")
    )
    files = {
        "LICENSE": apache,
        "a.py": b"a = 1\n",
        "_vendor/dual/LICENSE-A": apache,
        "_vendor/dual/LICENSE-B": bsd,
        "_vendor/dual/Cargo.toml": (
            b'[package]\nname = "d"\nversion = "1.0.0"\nlicense = "Apache-2.0 OR BSD-2-Clause"\n'
        ),
        "_vendor/dual/src/lib.rs": b"fn a() {}\n",
        "_vendor/dual/src/inner/COPYING": bsd,
        "_vendor/dual/src/inner/b.rs": b"fn b() {}\n",
        "node_modules/web/package.json": b'{"name": "web", "version": "1.0.0", "license": "GPL-3.0-only"}',
        "node_modules/web/esm/package.json": b'{"type": "module"}',
        "node_modules/web/esm/c.js": b"let c = 1;\n",
        "node_modules/broken/package.json": b"{",
        "node_modules/broken/d.js": b"let d = 1;\n",
    }
    folder = tmp_path / "files"
    for name, content in files.items():
        place = folder / top / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    packed = shutil.make_archive(str(tmp_path / "packed"), kind, folder)
    inner = archive(packed, reading).files()
    unit = next(inner)
    assert isinstance(unit, Unit)
    mine = {path: item.evidence for path, item in read(unit).items()}
    theirs = {path: item.evidence for path, item in read(tree(os.fspath(folder), reading)).items()}
    assert mine == theirs
    assert {path.removeprefix(top) for path in mine} == files.keys()
    licenses = {path.removeprefix(top): effective(evidence) for path, evidence in mine.items()}
    assert licenses["_vendor/dual/src/lib.rs"] == "Apache-2.0 OR BSD-2-Clause"
    assert licenses["_vendor/dual/src/inner/b.rs"] == "BSD-2-Clause"
    assert disagrees("Apache-2.0", mine[f"{top}node_modules/web/esm/c.js"])
    assert not disagrees("Apache-2.0", mine[f"{top}node_modules/broken/d.js"])
