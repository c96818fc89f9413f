"""What the benchmark's corpora are made of.

In: nothing. Out: names, versions and the rules of selection, in one place. This module refuses to know how anything is
fetched or measured.
"""

from __future__ import annotations

import os
from pathlib import Path

LINUX_PACKAGE = "linux-source-6.1"
LINUX_VERSION = "6.1.192-2"

WHEELS = (
    "Django==5.1.2",
    "SQLAlchemy==2.0.36",
    "ansible==10.5.0",
    "apache-airflow==2.10.2",
    "astropy==6.1.4",
    "cmeel-boost==1.83.0",
    "diffusers==0.31.0",
    "esphome==2024.10.3",
    "kubernetes==31.0.0",
    "matplotlib==3.9.2",
    "mypy==1.13.0",
    "networkx==3.4.2",
    "nltk==3.9.1",
    "numpy==2.1.2",
    "pandas==2.2.3",
    "pyarrow==18.0.0",
    "scikit-learn==1.5.2",
    "scipy==1.14.1",
    "spacy==3.8.2",
    "statsmodels==0.14.4",
    "sympy==1.13.3",
    "transformers==4.57.1",
    "ziglang==0.13.0",
)
"""Wheels that hold much code: 0.7 GB unpacked, half of it C and C++ (Boost's headers, the libraries of ziglang)."""

WHEEL_TARGET = (
    "--only-binary=:all:",
    "--python-version=3.11",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_17_x86_64",
    "--platform=manylinux2014_x86_64",
    "--platform=manylinux_2_12_x86_64",
)
"""The same files on every machine, whatever runs there."""

CODE = (
    ".S .asm .bash .c .cc .cjs .cmake .cpp .cs .css .cu .cuh .cxx .def .f .f90 .go .h .hh .hpp .html .hxx .inc .ipp"
    " .j2 .java .js .jsx .kt .lua .m .mjs .mm .pl .proto .ps1 .psm1 .pxd .pxi .py .pyi .pyx .rb .rs .s .scss .sh .sql"
    " .swift .tcl .td .ts .tsx .yaml .yml .zig"
)
CODE_SUFFIXES = frozenset(CODE.split())
"""What counts as code in a wheel; of the linux source every text file counts."""

MAX_FILE_BYTES = 2_000_000
"""Files from here on are tables that a generator wrote; only `kernel13` holds them."""

SMALL_PER_MILLE = 100
"""Share of the large corpus that is the small one, by hash of the path."""

HELD_OUT_PER_MILLE = 3
"""Share of the files that no corpus holds; the queries take their foreign halves from these."""

INFINI_GRAM = ("infini-gram==2.6.0", "numpy==2.4.6", "transformers==5.23.0")
"""The peer and what its indexer imports, for a virtual environment of its own."""

QUALITY = ("black==26.10.1", "copydetect==0.5.0", "scanoss-winnowing==0.8.0")
"""What `quality.py` needs beside `make setup`: a formatter and two peers, all MIT."""


def cache() -> Path:
    """The folder outside git that holds everything: `$CODECITE_BENCH`, else ~/.cache/codecite-bench."""
    return Path(os.environ.get("CODECITE_BENCH", "~/.cache/codecite-bench")).expanduser().resolve()
