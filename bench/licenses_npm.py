"""Heads of files in npm's tarballs, against what their projects state.

In: the tarballs below, fetched by `npm`. Out: the table of `licenses_projects.py`. It refuses to know how heads are
read.

`OTHERS` are expressions read by hand in single files that their projects took from elsewhere, or whose heads say less
or more than the project does. When these tarballs were first read (27 November 2026), and no wording had been fitted to
them, 4,334 of 4,345 heads were read right: the choice of licences was missed in dojo (3) and node-forge (1), the LGPL
beside a carried text in openpgp (2), two files of jszip and dojo say only `x11/mit` and name a file; the others hold
what OTHERS says.
"""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import fetch
import pinned
from licenses_projects import Project, table

_CODE = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".jsx", ".flow", ".css", ".scss", ".less", ".styl")

TARBALLS = {
    "@angular/core@17.0.9": "MIT",
    "ace-builds@1.32.3": "BSD-3-Clause",
    "ckeditor4@4.22.1": "GPL-2.0-or-later OR LGPL-2.1-or-later OR MPL-1.1",
    "codemirror@5.65.16": "MIT",
    "dojo@1.17.3": "AFL-2.1 OR BSD-3-Clause",
    "ember-source@5.5.0": "MIT",
    "escodegen@2.1.0": "BSD-2-Clause",
    "esprima@4.0.1": "BSD-2-Clause",
    "google-closure-library@20230802.0.0": "Apache-2.0",
    "google-protobuf@3.21.2": "BSD-3-Clause",
    "jquery@3.7.1": "MIT",
    "jszip@3.10.1": "GPL-3.0-or-later OR MIT",
    "mathjax-full@3.2.2": "Apache-2.0",
    "monaco-editor@0.45.0": "MIT",
    "node-forge@1.3.1": "BSD-3-Clause OR GPL-2.0-only",
    "openpgp@5.11.0": "LGPL-3.0-or-later",
    "pdfjs-dist@4.0.379": "Apache-2.0",
    "protobufjs@7.2.5": "BSD-3-Clause",
    "puppeteer-core@21.7.0": "Apache-2.0",
    "react-dom@18.2.0": "MIT",
    "react@18.2.0": "MIT",
    "relay-runtime@16.0.0": "MIT",
    "rxjs@7.8.1": "Apache-2.0",
    "source-map@0.7.4": "BSD-3-Clause",
    "thrift@0.19.0": "Apache-2.0",
    "typescript@5.3.3": "Apache-2.0",
    "video.js@8.9.0": "Apache-2.0",
    "webpack@5.89.0": "MIT",
}
"""Tarballs some of whose files have heads, and the licence that the project states for them."""

OTHERS: dict[str, set[str]] = {
    "ace-builds@1.32.3": {"MIT"},
    "dojo@1.17.3": {"Apache-2.0", "MIT"},
    "google-closure-library@20230802.0.0": {"MIT"},
    "google-protobuf@3.21.2": {"Apache-2.0"},
    "jszip@3.10.1": {"GPL-3.0-only OR MIT", "MIT"},
    "monaco-editor@0.45.0": {"Apache-2.0 AND MPL-2.0"},
    "node-forge@1.3.1": {"GPL-2.0-only OR LicenseRef-BSD", "LicenseRef-BSD AND MIT", "MIT"},
    "openpgp@5.11.0": {"0BSD AND LicenseRef-LGPL"},
    "rxjs@7.8.1": {"0BSD AND Apache-2.0"},
}


def lines(examples: int, tarballs: Mapping[str, str] = TARBALLS, others: Mapping[str, set[str]] = OTHERS) -> list[str]:
    """The table; `examples` differences of each tarball."""
    return table(
        (
            Project(name, _files(fetch_tarball(name)), license, frozenset(others.get(name, ())))
            for name, license in tarballs.items()
        ),
        examples,
    )


def fetch_tarball(name: str) -> Path:
    """The tarball of `NAME@VERSION`, fetched once."""
    folder = pinned.cache() / "npm" / name.replace("/", "+")
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.glob("*.tgz")):
        fetch.say(f"fetching {name}")
        subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True, capture_output=True)
    return next(folder.glob("*.tgz"))


def _files(tarball: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(tarball) as members:
        for member in members:
            stream = members.extractfile(member) if member.isfile() and member.name.endswith(_CODE) else None
            if stream is not None:
                yield member.name, stream.read()
