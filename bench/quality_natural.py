"""Changes that people made: functions of pip's vendored packages against the wheels they came from, and of one release
of a package against the one before.

In: an index of the older side. Out: pairs of a changed function and the file it came from, with its path in the index.
It refuses to know how anything is found. A pair are two functions of one file and name whose texts differ, but not by
more than half (difflib's ratio of their lines).
"""

from __future__ import annotations

import ast
import difflib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pinned

PIP = "pip==24.2"
RELEASES = (
    ("tornado==6.2", "tornado==6.4.1"),
    ("celery==5.2.7", "celery==5.4.0"),
    ("Scrapy==2.6.3", "Scrapy==2.11.2"),
    ("paramiko==2.12.0", "paramiko==3.5.0"),
    ("docutils==0.18.1", "docutils==0.21.2"),
)


def vendored() -> tuple[list[Path], list[tuple[str, str, str]]]:
    """The upstream wheels of what pip holds, and the functions that it changed."""
    (pip,) = fetched("pip", [PIP])
    with zipfile.ZipFile(pip) as archive:
        listed = archive.read("pip/_vendor/vendor.txt").decode().split("\n")
    wanted = [line.split("#")[0].strip() for line in listed]
    wheels = fetched("vendored", [line for line in wanted if "==" in line and not line.startswith("setuptools")])
    return wheels, [pair for wheel in wheels for pair in pairs(wheel, pip, "pip/_vendor/")]


def released() -> tuple[list[Path], list[tuple[str, str, str]]]:
    """The older wheels, and the functions that the newer ones changed."""
    older = fetched("older", [old for old, _ in RELEASES])
    newer = {name_of(path): path for path in fetched("newer", [new for _, new in RELEASES])}
    return older, [pair for old in older for pair in pairs(old, newer[name_of(old)], "")]


def fetched(group: str, wanted: list[str]) -> list[Path]:
    """Wheels, from the cache folder or the package index."""
    folder = pinned.cache() / "natural" / group
    if len(list(folder.glob("*.whl"))) < len(wanted):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *pinned.WHEEL_TARGET]
        subprocess.run([*pip, "--dest", folder, *wanted], check=True)
    return sorted(folder.glob("*.whl"))


def name_of(wheel: Path) -> str:
    """The name of a wheel's project."""
    return wheel.name.split("-")[0].lower()


def pairs(old: Path, new: Path, prefix: str) -> Iterator[tuple[str, str, str]]:
    """The changed functions: path in the old wheel, its text, and the function as it stands in the new one."""
    with zipfile.ZipFile(old) as before, zipfile.ZipFile(new) as after:
        names = set(after.namelist())
        for path in sorted(before.namelist()):
            if path.endswith(".py") and prefix + path in names:
                original = before.read(path).decode("utf-8", "replace")
                was = named(original)
                for name, text in named(after.read(prefix + path).decode("utf-8", "replace")).items():
                    if name in was and text.split() != was[name].split() and alike(was[name], text):
                        yield path, original, text


def alike(one: str, other: str) -> bool:
    """Whether at most half of their lines differ."""
    return difflib.SequenceMatcher(None, one.split("\n"), other.split("\n")).ratio() >= 0.5


def named(text: str) -> dict[str, str]:
    """The functions of a module by their qualified names, 5 to 80 lines long."""
    found: dict[str, str] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}.{child.name}"
                segment = ast.get_source_segment(text, child, padded=True)
                if not isinstance(child, ast.ClassDef) and segment and 5 <= segment.count("\n") + 1 <= 80:
                    found[name] = segment
                visit(child, name)

    try:
        visit(ast.parse(text), "")
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return found
