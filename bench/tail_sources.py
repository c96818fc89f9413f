"""Real code of the kinds that make up the tail, beside what `fetch.py` lays out: a tenth of linux, generated, minified.

In: the folders of `fetch.py`; archives fetched by pinned names with the clients of their package indexes (pip, npm,
go). Out: the corpus `tenth`, and `Pool`s of texts. It refuses to know what is asked about them.

`tenth` holds the files of the linux source whose path `fetch.py` draws for its small corpus: every text that stands in
it stands in the whole source too, so that queries copied from it find the same in both.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tarfile
import zipfile
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path

import fetch
import pinned

WHEELS = ("googleapis-common-protos==1.65.0", "opentelemetry-proto==1.27.0", "pycparser==2.22")
NPM = (
    "bootstrap@5.3.3",
    "chart.js@4.4.4",
    "d3@7.9.0",
    "grpc@1.24.11",
    "jquery@3.7.1",
    "lodash@4.17.21",
    "moment@2.30.1",
    "react-dom@18.3.1",
    "three@0.160.0",
    "tree-sitter-c@0.21.4",
    "vue@3.4.38",
)
GO = ("k8s.io/api@v0.31.0",)
"""Modules of protobuf code in Python, C and Go, parser tables, minified scripts and style sheets: some 30 MB in all."""

LARGEST = 16_000_000


class Pool:
    """Texts to draw slices of, each as likely as it is large; what is not UTF-8 or not as asked is left out."""

    def __init__(self, texts: Iterable[tuple[str, bytes]]) -> None:
        self._texts = dict(sorted(texts))
        self.names = list(self._texts)
        self._ends = list(accumulate(len(text) for text in self._texts.values()))
        self._decoded = cache(lambda name: self._texts[name].decode("utf-8", "replace"))

    def text(self, name: str) -> str:
        """One of them."""
        return self._decoded(name)

    def slice(self, draw: random.Random, length: int) -> tuple[str, str]:
        """The name of a text that is long enough, and so many characters from anywhere in it."""
        while True:
            name = self.names[bisect(self._ends, draw.randrange(self._ends[-1]))]
            text = self.text(name)
            if len(text) >= length:
                start = draw.randrange(len(text) - length + 1)
                return name, text[start : start + length]


def lay_out_tenth() -> Path:
    """Link the files of `tenth`, once."""
    source, target = pinned.cache() / "sources" / "linux", pinned.cache() / "corpora" / "tenth"
    if target.exists():
        return target
    unfinished = target.with_suffix(".unfinished")
    for path in sorted(source.rglob("*")):
        relative = Path("linux") / path.relative_to(source)
        if "small" in fetch.members(relative.as_posix()) and path.is_file() and not path.is_symlink():
            (unfinished / relative).parent.mkdir(parents=True, exist_ok=True)
            os.link(path, unfinished / relative)
    unfinished.rename(target)
    return target


def files(root: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """The files of a tree whose path in it is wanted, with that path."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if wanted(name) and path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
            yield name, path.read_bytes()


def members(wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """The members of the fetched archives whose path is wanted, as `archive/path`."""
    for archive in fetched():
        if archive.suffix == ".tgz":
            with tarfile.open(archive) as tar:
                for member in tar:
                    stream = tar.extractfile(member) if member.isfile() and wanted(member.name) else None
                    if stream is not None:
                        yield f"{archive.name}/{member.name}", stream.read()
        else:
            with zipfile.ZipFile(archive) as zipped:
                for name in zipped.namelist():
                    if wanted(name):
                        yield f"{archive.name}/{name}", zipped.read(name)


@cache
def fetched() -> tuple[Path, ...]:
    """The pinned archives; those that are missing are fetched."""
    folder = pinned.cache() / "tail-sources"
    folder.mkdir(exist_ok=True)
    found = []
    for wanted in WHEELS:
        name, version = wanted.split("==")
        pattern = f"{name.replace('-', '_')}-{version}-*.whl"
        if not any(folder.glob(pattern)):
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), wanted]
            subprocess.run(pip, check=True)
        found.append(next(folder.glob(pattern)))
    for wanted in NPM:
        name = f"{wanted.replace('@', '-')}.tgz"
        if not (folder / name).exists():
            subprocess.run(["npm", "pack", "--silent", wanted], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        found.append(folder / name)
    for wanted in GO:
        name = f"{wanted.replace('/', '-')}.zip"
        if not (folder / name).exists():
            places = {**os.environ, "GOMODCACHE": str(folder / "go"), "GOFLAGS": "-modcacherw"}
            said = subprocess.run(
                ["go", "mod", "download", "-json", wanted], cwd=folder, env=places, check=True, stdout=subprocess.PIPE
            )
            os.link(json.loads(said.stdout)["Zip"], folder / name)
        found.append(folder / name)
    return tuple(found)
