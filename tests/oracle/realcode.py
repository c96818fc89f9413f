"""Real code under several licenses: what the running Python carries, and files that borrow from it.

In: modules that this environment has, and a seed. Out: documents with the places they were seen at. It refuses to
know what is asked of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from oracle.reading import Place

MODULES = {
    "asyncio": ("PSF-2.0", "pkg:generic/cpython@3", "2022-10-24"),
    "email": ("PSF-2.0", "pkg:generic/cpython@3", "2022-10-24"),
    "json": ("PSF-2.0", "pkg:generic/cpython@3", "2022-10-24"),
    "logging": ("PSF-2.0", "pkg:generic/cpython@3", "2022-10-24"),
    "unittest": ("PSF-2.0", "pkg:generic/cpython@3", "2022-10-24"),
    "xml": ("PSF-2.0", "pkg:generic/cpython@3", "2022-10-24"),
    "_pytest": ("MIT", "pkg:pypi/pytest@9", "2025-05-01"),
    "hypothesis": ("MPL-2.0", "pkg:pypi/hypothesis@6", "2025-06-01"),
    "numpy.lib": ("BSD-3-Clause", "pkg:pypi/numpy@2", None),
    "pip._vendor.packaging": ("MIT", "pkg:pypi/pip@26", "2026-01-01"),
    "packaging": ("Apache-2.0 OR BSD-2-Clause", "pkg:pypi/packaging@26", None),
}
"""Import name -> license, purl and release date; the dates are ours, so that the order of sources is known."""


def documents(seed: int = 0, borrowers: int = 60) -> list[tuple[bytes, list[Place]]]:
    """The modules' files, and `borrowers` files under other licenses that hold passages of them or all of one."""
    found = [
        (path.read_bytes(), [Place(expression, purl, None, "installed", f"{name}/{path.name}", released)])
        for name, (expression, purl, released) in MODULES.items()
        for path in sources(name)
    ]
    chance = random.Random(seed)
    originals = [content for content, _ in found if content]
    for number in range(borrowers):
        expression = chance.choice(["GPL-3.0-only", "NOASSERTION", "MIT"])
        project = f"https://example.org/borrower{number % 7}"
        place = Place(expression, None, project, "tree", f"src/{number}.py", chance.choice([None, "2020-02-02"]))
        if number % 10 == 0:
            content = chance.choice(originals)
        elif number % 10 == 1:
            content = excerpt(chance, chance.choice(originals), chance.randint(1, 49))
        else:
            own = f"# borrower {number}\n".encode()
            pieces = (excerpt(chance, chance.choice(originals), chance.randint(40, 1500)) for _ in range(4))
            content = own.join([b"", *pieces])
        found.append((content, [place]))
    return found


def sources(module: str) -> Iterator[Path]:
    """The Python files of a package that is installed, in order; none where it is not."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        return
    for folder in spec.submodule_search_locations or () if spec else ():
        yield from sorted(Path(folder).glob("*.py"))


def excerpt(chance: random.Random, content: bytes, length: int) -> bytes:
    """A slice of at most `length` bytes from anywhere in `content`."""
    start = chance.randrange(max(len(content) - length, 0) + 1)
    return content[start : start + length]
