"""What is installed becomes one Unit for each distribution that Python would import."""

from __future__ import annotations

import csv
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from codecite.indexer.corpus.installed import installed
from codecite.indexer.corpus.units import Pending, Reading, Unit
from codecite.indexer.licenses.effective import effective
from codecite.indexer.records import EvidenceKind, Skipped, SkipReason, SourceFile


@pytest.fixture(scope="module")
def units() -> dict[str | None, Unit]:
    """The Units of the environment the tests run in, by purl without version."""
    return {unit.package.purl and unit.package.purl.partition("@")[0]: unit for unit in installed(Reading())}


def read(unit: Unit) -> list[SourceFile | Skipped]:
    """The files of a Unit, loaded as the builder does it."""
    found: list[SourceFile | Skipped] = []
    for item in unit.files():
        assert isinstance(item, (Pending, Skipped))
        found.append(item.load() if isinstance(item, Pending) else item)
    return found


def metadata(root: Path, folder: str, files: dict[str, str]) -> None:
    """A metadata folder (and files beside it) in an environment made by hand."""
    for name, text in files.items():
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_each_installed_distribution_is_there_once(units: dict[str | None, Unit]) -> None:
    """The names are those that importlib.metadata knows, each with the version that Python resolves."""
    names = {re.sub(r"[-_.]+", "-", each.name).lower() for each in importlib.metadata.distributions() if each.name}
    found = [unit.package.purl for unit in installed(Reading()) if unit.package.purl]
    assert len(found) == len(names)
    assert f"pkg:pypi/pytest@{importlib.metadata.version('pytest')}" in found
    assert all(unit.package.source == "installed" for unit in units.values())


@pytest.mark.parametrize("name", ["pytest", "hypothesis", "click", "iniconfig"])
def test_what_record_lists_is_read_or_skipped(units: dict[str | None, Unit], name: str) -> None:
    """Every line of RECORD has its file or its reason, under the path that stands there, and bytecode is not read."""
    distribution = importlib.metadata.distribution(name)
    record = distribution.read_text("RECORD") or ""
    listed = [row[0] for row in csv.reader(record.splitlines())]
    found = read(units[f"pkg:pypi/{name}"])
    assert [item.path for item in found] == listed
    for item in found:
        if isinstance(item, SourceFile):
            assert item.content == Path(os.fspath(distribution.locate_file(item.path))).read_bytes()
        elif item.path.endswith(".pyc"):
            assert item.detail == "bytecode, not read"
    assert any(item.path.endswith(".py") for item in found if isinstance(item, SourceFile))


def test_licenses_and_repositories_come_from_the_metadata(units: dict[str | None, Unit]) -> None:
    """The package says what its metadata declares, and keeps its license file."""
    package = units["pkg:pypi/pytest"].package
    assert effective(package.evidence) == "MIT"
    assert package.repository == "https://github.com/pytest-dev/pytest"
    kinds = [item.kind for item in package.evidence]
    assert kinds[0] is EvidenceKind.LICENSE_FILE
    assert EvidenceKind.PACKAGE_METADATA in kinds
    assert package.fingerprint is not None


def test_the_first_of_one_name_is_the_one_that_python_imports(tmp_path: Path) -> None:
    """A distribution that another one shadows is not read, however its name is spelt."""
    for folder, name, version in (("one", "Some_Thing", "2.0"), ("two", "some.thing", "1.0")):
        text = f"Name: {name}\nVersion: {version}\n"
        metadata(tmp_path / folder, f"some_thing-{version}.dist-info", {"METADATA": text, "RECORD": ""})
    found = installed(Reading(), [os.fspath(tmp_path / "one"), os.fspath(tmp_path / "two")])
    assert [unit.package.purl for unit in found] == ["pkg:pypi/some-thing@2.0"]


def test_record_may_list_what_is_gone_or_lies_elsewhere(tmp_path: Path) -> None:
    """Scripts outside of site-packages are read, absolute paths too, and what is missing is told."""
    site = tmp_path / "lib" / "site"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "data.txt").write_text("data\n")
    record = f'../../bin/tool,,10\n{tmp_path}/data.txt,,5\ngone.py,,5\n"a,b.py",,6\nx/__pycache__/x.pyc,,\n'
    metadata(site, "x-1.dist-info", {"METADATA": "Name: x\nVersion: 1\n", "RECORD": record})
    (site / "a,b.py").write_text("x = 1\n")
    (unit,) = installed(Reading(), [os.fspath(site)])
    found = [(item.path, item.reason if isinstance(item, Skipped) else item.content) for item in read(unit)]
    assert found == [
        ("../../bin/tool", b"#!/bin/sh\n"),
        (f"{tmp_path}/data.txt", b"data\n"),
        ("gone.py", SkipReason.MISSING),
        ("a,b.py", b"x = 1\n"),
        ("x/__pycache__/x.pyc", SkipReason.BINARY),
    ]
    assert unit.size == 26


def test_a_distribution_without_record_is_read_by_its_top_level_modules(tmp_path: Path) -> None:
    """So Debian packages Python: an egg-info with no list of files. Its package is read anew each time."""
    top = {"PKG-INFO": "Name: Old\nVersion: 1\nLicense: GPLv2+\n", "top_level.txt": "old\nsingle\nspace\n_gone\n"}
    metadata(tmp_path, "Old-1.egg-info", top)
    metadata(tmp_path, "old", {"__init__.py": "x = 1\n", "sub/deep.py": "y = 2\n", "__pycache__/a.pyc": "z"})
    metadata(tmp_path, "space", {"other.py": "not ours\n"})
    (tmp_path / "single.py").write_text("s = 3\n")
    (unit,) = installed(Reading(), [os.fspath(tmp_path)])
    assert unit.package.purl == "pkg:pypi/old@1"
    assert effective(unit.package.evidence) == "GPL-2.0-or-later"
    assert unit.package.fingerprint is None
    found = {item.path: isinstance(item, SourceFile) for item in read(unit)}
    assert found == {
        "old/__init__.py": True,
        "old/__pycache__/a.pyc": False,
        "old/sub/deep.py": True,
        "single.py": True,
    }


def test_what_an_old_installer_noted_is_read(tmp_path: Path) -> None:
    """`installed-files.txt` lists paths relative to the metadata's folder."""
    noted = {"PKG-INFO": "Name: old\nVersion: 1\n", "installed-files.txt": "../old/a.py\nPKG-INFO\n"}
    metadata(tmp_path, "old-1.egg-info", noted)
    metadata(tmp_path, "old", {"a.py": "x = 1\n", "b.py": "not ours\n"})
    (unit,) = installed(Reading(), [os.fspath(tmp_path)])
    assert [item.path for item in read(unit)] == ["old/a.py", "old-1.egg-info/PKG-INFO"]


def test_what_cannot_be_read_of_a_distribution_is_told(tmp_path: Path) -> None:
    """Metadata that is missing or no UTF-8, and a distribution that lists no files, are one skip each."""
    (tmp_path / "broken-1.dist-info").mkdir()
    (tmp_path / "bytes-1.dist-info").mkdir()
    (tmp_path / "bytes-1.dist-info" / "METADATA").write_bytes(b"Name: bytes\nSummary: \xff\n")
    (tmp_path / "single-1.egg-info").write_text("Name: single\nVersion: 1\n")
    found = {item.path: item for unit in installed(Reading(), [os.fspath(tmp_path)]) for item in read(unit)}
    assert {path: item.reason for path, item in found.items() if isinstance(item, Skipped)} == {
        "broken-1.dist-info": SkipReason.UNREADABLE,
        "bytes-1.dist-info": SkipReason.UNREADABLE,
        "single-1.egg-info": SkipReason.MISSING,
    }


def test_a_record_that_names_a_folder_is_told_of(tmp_path: Path) -> None:
    """Some tools write one; the rest of the package is read."""
    files = {"METADATA": "Name: odd\nVersion: 1\n", "RECORD": "odd,,\nodd/a.py,,\n"}
    metadata(tmp_path, "odd-1.dist-info", files)
    metadata(tmp_path, "odd", {"a.py": "x = 1\n"})
    found = {item.path: item for unit in installed(Reading(), [os.fspath(tmp_path)]) for item in read(unit)}
    assert isinstance(found["odd"], Skipped)
    assert found["odd"].reason is SkipReason.NOT_A_FILE
    assert not isinstance(found["odd/a.py"], Skipped)


def test_importing_the_readers_does_not_load_the_license_list() -> None:
    """The list is read when the first license is named, so that starting stays quick."""
    code = "import sys, codecite.indexer.corpus.sources; print('license_expression' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_license_files_near_a_file_are_its_evidence(tmp_path: Path) -> None:
    """What a package vendors keeps its own license; those in the metadata's folder are evidence of the whole."""
    record = "x/a.py,,\nx/_vendor/b.py,,\nx/_vendor/LICENSE,,\nx-1.dist-info/METADATA,,\nx-1.dist-info/LICENSE,,\n"
    metadata(tmp_path, "x", {"a.py": "x = 1\n", "_vendor/b.py": "y = 2\n", "_vendor/LICENSE": "\nTheirs\n"})
    texts = {"METADATA": "Name: x\nVersion: 1\n", "LICENSE": "Ours\n", "RECORD": record}
    metadata(tmp_path, "x-1.dist-info", texts)
    (unit,) = installed(Reading(), [os.fspath(tmp_path)])
    near = {
        item.path: [(each.where, each.text) for each in item.evidence] for item in read(unit) if item.path[-1] == "y"
    }
    assert near == {"x/a.py": [], "x/_vendor/b.py": [("x/_vendor/LICENSE", "Theirs")]}
    assert [(each.where, each.text) for each in unit.package.evidence] == [("x-1.dist-info/LICENSE", "Ours")]


def test_what_is_excluded_is_not_read(tmp_path: Path) -> None:
    """A folder that is left out is told of once, and of what is in it nothing is asked."""
    asked: list[str] = []

    def excluded(path: str) -> bool:
        asked.append(path)
        return path in ("x/tests/", "x/b.py")

    record = "x/a.py,,\nx/b.py,,\nx/tests/c.py,,\nx/tests/d.py,,\n"
    metadata(tmp_path, "x", {"a.py": "x = 1\n", "b.py": "y = 2\n", "tests/c.py": "z = 3\n", "tests/d.py": "z = 4\n"})
    metadata(tmp_path, "x-1.dist-info", {"METADATA": "Name: x\nVersion: 1\n", "RECORD": record})
    (unit,) = installed(Reading(excluded=excluded), [os.fspath(tmp_path)])
    found = {item.path: item.reason if isinstance(item, Skipped) else None for item in read(unit)}
    assert found == {"x/a.py": None, "x/b.py": SkipReason.EXCLUDED, "x/tests/": SkipReason.EXCLUDED}
    assert not any(path.startswith("x/tests/") and path != "x/tests/" for path in asked)


def test_the_fingerprint_follows_name_version_and_record(tmp_path: Path) -> None:
    """An installation whose RECORD is unchanged is known; another RECORD is another."""

    def fingerprint(folder: str, record: str) -> str | None:
        files = {"METADATA": "Name: x\nVersion: 1\n", "RECORD": record}
        metadata(tmp_path / folder, "x-1.dist-info", files)
        (unit,) = installed(Reading(), [os.fspath(tmp_path / folder)])
        return unit.package.fingerprint

    first = fingerprint("one", "x.py,sha256=a,6\n")
    assert first is not None
    assert fingerprint("two", "x.py,sha256=a,6\n") == first
    assert fingerprint("three", "x.py,sha256=b,6\n") != first


def test_a_broken_record_breaks_its_distribution_only(tmp_path: Path) -> None:
    """A field beyond what csv takes, and sizes that are none."""
    metadata(tmp_path, "x-1.dist-info", {"METADATA": "Name: x\nVersion: 1\n", "RECORD": f'"{"x" * 200_000}",,\n'})
    metadata(tmp_path, "y-1.dist-info", {"METADATA": "Name: y\nVersion: 1\n", "RECORD": f"a.py,,{'9' * 5000}\n"})
    units = list(installed(Reading(), [os.fspath(tmp_path)]))
    found = {item.path: item.reason for unit in units for item in read(unit) if isinstance(item, Skipped)}
    assert found == {"x-1.dist-info": SkipReason.UNREADABLE, "a.py": SkipReason.MISSING}


def test_an_editable_install_has_what_its_record_lists(tmp_path: Path) -> None:
    """The link to the project's folder, and not what lies there."""
    record = "__editable__.x-1.pth,,\nx-1.dist-info/METADATA,,\n"
    metadata(tmp_path, "x-1.dist-info", {"METADATA": "Name: x\nVersion: 1\n", "RECORD": record})
    (tmp_path / "__editable__.x-1.pth").write_text("/home/someone/x\n")
    (unit,) = installed(Reading(), [os.fspath(tmp_path)])
    assert [item.path for item in read(unit)] == ["__editable__.x-1.pth", "x-1.dist-info/METADATA"]
