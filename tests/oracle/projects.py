"""Real projects for the scanner's tests: wheels of installed packages, functions cut out of them, git repositories.

In: names of installed distributions. Out: wheels, texts, repositories. It refuses to know what is scanned.
"""

from __future__ import annotations

import ast
import subprocess
import textwrap
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any


def wheel_of(name: str, folder: Path) -> Path:
    """The installed distribution as the wheel that it came from, but for what is compiled."""
    found = distribution(name)
    wheel = folder / f"{name}-{found.version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in sorted(map(str, found.files or ())):
            place = Path(str(found.locate_file(file)))
            inside = not file.startswith(("..", "/")) and "__pycache__" not in file
            if inside and place.is_file() and place.suffix not in (".so", ".mo", ".po"):
                archive.write(place, file)
    return wheel


def folder_of(name: str) -> Path:
    """Where an installed package lies."""
    return Path(str(distribution(name).locate_file({"attrs": "attr"}.get(name, name))))


@dataclass
class Repository:
    """A git repository that a test fills."""

    root: Path

    def git(self, *arguments: str, **options: Any) -> str:
        """Run git in it."""
        command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"]
        done = subprocess.run([*command, *arguments], cwd=self.root, capture_output=True, check=True, **options)
        return done.stdout.decode("utf-8", "surrogateescape")

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a file."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def commit(self, message: str = "change") -> str:
        """Commit all there is; returns the hash."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()


def own_code(seed: int, functions: int = 6) -> str:
    """Code that stands in no index."""
    parts = [
        f"def own_{seed}_{number}(first, second):\n    total_{seed} = first * {seed + number} - second\n"
        f"    return total_{seed} // {number + 7}\n\n\n"
        for number in range(functions)
    ]
    return "".join(parts)


def functions_of(name: str, most: int = 1000, lines: int = 12) -> list[str]:
    """Functions of a package of at least so many lines, none twice, at the margin."""
    found: dict[str, None] = {}
    for path in sorted(folder_of(name).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 >= lines:
                text = textwrap.dedent("\n".join(source.split("\n")[node.lineno - 1 : node.end_lineno])) + "\n"
                if len("".join(text.split())) >= 400:
                    found[text] = None
    return list(found)[:most]


def reformatted(text: str) -> str:
    """The same code laid out otherwise: two spaces for four, CR LF, blank lines."""
    return (
        "\r\n".join(
            " " * ((len(line) - len(line.lstrip())) // 2) + line.lstrip() + ("\r\n" if number % 5 == 4 else "")
            for number, line in enumerate(text.rstrip("\n").split("\n"))
        )
        + "\r\n"
    )
