"""Functions of Python modules, as they stand.

In: the text of a module, or a wheel. Out: functions of 4 to 80 lines. It refuses to know what is done with them.
"""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Iterator
from pathlib import Path


def functions(text: str) -> Iterator[str]:
    """The functions in a module, as they stand."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found = ast.get_source_segment(text, node, padded=True)
            if found is not None and 4 <= found.count("\n") + 1 <= 80:
                yield found


def in_wheel(wheel: Path) -> Iterator[tuple[str, str]]:
    """The functions of a wheel, with the names of their files."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".py"):
                for text in functions(archive.read(name).decode("utf-8", "replace")):
                    yield f"{wheel.name.split('-')[0]}: {name}", text
