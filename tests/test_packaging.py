"""What an installation holds: every package, the type marker, the demo model, the licence, and no more than needed."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOPS = ("generator", "indexer", "search_api")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_package_list_names_every_folder_with_python_files() -> None:
    """A folder that is forgotten in pyproject.toml would be missing from the wheel."""
    folders = {path.parent.relative_to(ROOT) for top in TOPS for path in (ROOT / top).rglob("*.py")}
    assert {f"codecite.{'.'.join(folder.parts)}" for folder in folders} == set(
        SETTINGS["tool"]["setuptools"]["packages"]
    )


def test_every_folder_of_a_package_opens_with_an_init() -> None:
    """Only `codecite` itself is a namespace."""
    for name in SETTINGS["tool"]["setuptools"]["packages"]:
        folder = ROOT / name.removeprefix("codecite.").replace(".", "/")
        assert (folder / "__init__.py").is_file(), folder


def test_constraints_are_names_and_versions_only() -> None:
    """A pin never says where a package comes from."""
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line), line


def test_every_dependency_is_pinned() -> None:
    """`make setup` installs the same thing tomorrow."""
    pinned = {
        normalised(line.split("==")[0]) for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    }
    project = SETTINGS["project"]
    wanted = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    names = {normalised(re.split(r"[\[<>=~! ]", requirement)[0]) for requirement in wanted}
    assert names - {"codecite"} <= pinned


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_a_plain_install_needs_no_model_and_no_server() -> None:
    """`pip install codecite` stays light."""
    names = {normalised(re.split(r"[<>=~! \[]", item)[0]) for item in SETTINGS["project"]["dependencies"]}
    assert names.isdisjoint({"torch", "transformers", "tokenizers", "flask", "pytest", "mypy", "ruff"})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout, built by the project's own build backend."""
    out = tmp_path_factory.mktemp("wheel")
    source = tmp_path_factory.mktemp("source") / "codecite"
    kept = ["pyproject.toml", "README.md", "LICENSE", "LICENSES", "NOTICE", *TOPS]
    source.mkdir()
    for name in kept:
        copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(source)]
    if has_the_build_backend():
        command.insert(-1, "--no-build-isolation")  # nothing is to be installed for it first
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    (built,) = out.glob("codecite-*.whl")
    return zipfile.ZipFile(built)


def has_the_build_backend() -> bool:
    """Whether this Python has what pyproject.toml asks for to build."""
    ((name, least),) = (requirement.split(">=") for requirement in SETTINGS["build-system"]["requires"])
    try:
        return int(importlib.metadata.version(name).partition(".")[0]) >= int(least)
    except importlib.metadata.PackageNotFoundError:
        return False


def copy(place: Path, target: Path) -> None:
    """A file or a folder, without what Python leaves behind."""
    if place.is_dir():
        target.mkdir()
        for child in place.iterdir():
            if child.name != "__pycache__":
                copy(child, target / child.name)
    else:
        target.write_bytes(place.read_bytes())


def test_the_wheel_holds_every_module_under_the_codecite_name(wheel: zipfile.ZipFile) -> None:
    """What is imported as `codecite.indexer` lies in `codecite/indexer`, and nothing lies beside `codecite`."""
    names = set(wheel.namelist())
    for top in TOPS:
        assert f"codecite/{top}/py.typed" in names
        for path in (ROOT / top).rglob("*.py"):
            assert f"codecite/{path.relative_to(ROOT).as_posix()}" in names
    assert {name.split("/")[0] for name in names} == {"codecite", "codecite-0.1.0.dist-info"}


def test_the_wheel_holds_the_demo_model_with_its_license_texts(wheel: zipfile.ZipFile) -> None:
    """The model ships with its weights, its card, and the texts of what it was trained on."""
    shipped = {name for name in wheel.namelist() if name.startswith("codecite/generator/demo_model/")}
    there = {
        f"codecite/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "generator" / "demo_model").rglob("*")
        if path.is_file()
    }
    assert there <= shipped
    assert any(name.endswith(".safetensors") for name in shipped)


def test_the_wheel_states_its_license(wheel: zipfile.ZipFile) -> None:
    """License-Expression, the text and the notice travel along, and the command has its entry point."""
    metadata = wheel.read("codecite-0.1.0.dist-info/METADATA").decode()
    assert "\nLicense-Expression: Apache-2.0 AND CC-BY-4.0\n" in metadata
    assert "codecite-0.1.0.dist-info/licenses/LICENSE" in wheel.namelist()
    assert "codecite-0.1.0.dist-info/licenses/NOTICE" in wheel.namelist()
    assert "codecite-0.1.0.dist-info/licenses/LICENSES/CC-BY-4.0.txt" in wheel.namelist()


def test_the_wheel_holds_tables_and_policies(wheel: zipfile.ZipFile) -> None:
    """What is read beside the modules, and who is named for it."""
    names = set(wheel.namelist())
    for path in (ROOT / "indexer").rglob("*"):
        if path.suffix in (".json", ".xz", ".toml"):
            assert f"codecite/{path.relative_to(ROOT).as_posix()}" in names
    notice = wheel.read("codecite-0.1.0.dist-info/licenses/NOTICE").decode()
    assert "ScanCode LicenseDB" in notice
    assert "OSADL" in notice


def test_the_wheel_has_its_command(wheel: zipfile.ZipFile) -> None:
    """`codecite` is installed with it."""
    assert (
        "codecite = codecite.search_api.cli.main:main"
        in wheel.read("codecite-0.1.0.dist-info/entry_points.txt").decode()
    )
