"""A user can open every file of an index with public tools alone: numpy, pyarrow and lz4."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import lz4.block
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc

from codecite.indexer.build import add
from codecite.indexer.config import BLOCK
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import EvidenceKind, FileMark, LicenseEvidence, Package, SourceFile

MIT = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, "MIT", "License-Expression", "MIT")
TAG = LicenseEvidence(EvidenceKind.SPDX_TAG, "GPL-3.0-only", "line 1", "SPDX-License-Identifier: GPL-3.0-only")
PACKAGE = Package(
    "wheel", "pkg:pypi/p@1", "https://example.org/r", "v1", "2024-05-01", "file:///p.whl", (MIT,), "f" * 8, "c" * 8
)


def contents() -> list[bytes]:
    """Files of all sizes: larger than a block, of one byte, without text."""
    code = b"".join(b"def f_%d(value):\n\treturn value * %d\r\n" % (i, i * i) for i in range(900))
    noise = np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes()
    return [code, b"x", b" \n\t", noise, code[:BLOCK], code[5000:9000] * 3]


@pytest.fixture(scope="module")
def segment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one Segment of an index of those files."""
    directory = tmp_path_factory.mktemp("public") / "index"
    files = [SourceFile(f"d/f{i}.py", content) for i, content in enumerate(contents())]
    marks = FileMark.GENERATED, FileMark.VENDORED
    files.append(SourceFile("copy.py", contents()[0], (TAG,), ("Copyright A", "(c) B"), "Python", marks))
    add(directory, [Unit(PACKAGE, lambda: iter(files))])
    (path,) = (directory / "segments").iterdir()
    return path


def test_numpy_maps_every_array(segment: Path) -> None:
    """With the shapes and types that the writer documents."""
    arrays = {path.stem: np.load(path, mmap_mode="r") for path in segment.glob("*.npy") if path.stem != "foreign"}
    documents = len(contents())
    assert arrays["documents"].shape == (3, documents + 1)
    assert arrays["contents"].shape == (documents, 20)
    assert arrays["origin_bounds"].tolist() == [0, 2, *range(3, documents + 2)]
    kinds = {name: array.dtype.name for name, array in arrays.items()}
    assert kinds == {
        "dictionary": "uint8",
        "blocks": "int64",
        "documents": "int64",
        "contents": "uint8",
        "buckets": "uint32",
        "tags": "uint16",
        "positions": "uint32",
        "kgrams": "uint8",
        "lists": "int64",
        "groups": "uint64",
        "contexts": "uint8",
        "resumed": "uint64",
        "rest": "uint16",
        "near-buckets": "uint32",
        "near-tags": "uint16",
        "near-positions": "uint32",
        "near-rest": "uint16",
        "signatures": "uint32",
        "origin_bounds": "uint32",
        "licenses": "uint32",
    }
    assert arrays["buckets"][-1] == len(arrays["tags"]) == len(arrays["positions"]) == len(arrays["rest"])
    assert arrays["near-buckets"][-1] == len(arrays["near-tags"]) == len(arrays["near-positions"])
    assert len(arrays["signatures"]) == 128 * len(arrays["contents"])
    assert arrays["lists"].shape[0] == 7
    assert arrays["kgrams"].shape == (arrays["lists"].shape[1] - 1, 32)
    assert arrays["groups"].shape == (arrays["lists"][2, -1], 2)
    assert len(arrays["contexts"]) == arrays["lists"][3, -1]
    assert np.load(segment / "foreign.npy").shape == (0, 20)


def test_lz4_decodes_every_document(segment: Path) -> None:
    """Blocks behind the dictionary, one after the other, are the Documents, whose SHA-1 is that of git's blob."""
    dictionary = np.load(segment / "dictionary.npy").tobytes()
    offsets, raw_starts, canonical_starts, line_starts = np.load(segment / "blocks.npy").tolist()
    assert dictionary
    packed = (segment / "content.lz4").read_bytes()
    raw = b""
    for i in range(len(offsets) - 1):
        size = raw_starts[i + 1] - raw_starts[i]
        assert 0 < size <= BLOCK
        block = packed[offsets[i] : offsets[i + 1]]
        raw += lz4.block.decompress(block, uncompressed_size=size, dict=dictionary)
    assert raw == b"".join(contents())
    for i, start in enumerate(raw_starts):
        assert line_starts[i] == raw[:start].count(b"\n")
        assert canonical_starts[i] == len(b"".join(raw[:start].split()).replace(b"\x0b", b""))
    starts = np.load(segment / "documents.npy")[0].tolist()
    digests = np.load(segment / "contents.npy")
    for i, content in enumerate(contents()):
        assert raw[starts[i] : starts[i + 1]] == content
        assert digests[i].tobytes() == hashlib.sha1(b"blob %d\0" % len(content) + content).digest()


def rows(path: Path) -> list[dict[str, Any]]:
    """A table as pyarrow reads it, from a mapped file."""
    with pa.memory_map(str(path)) as source:
        return ipc.open_stream(source).read_all().to_pylist()


def test_pyarrow_reads_the_origins(segment: Path) -> None:
    """In the order of their Documents, licences and evidence as text."""
    table = rows(segment / "origins.arrow")
    assert [(row["document"], row["path"]) for row in table] == [
        (0, "d/f0.py"),
        (0, "copy.py"),
        *((i, f"d/f{i}.py") for i in range(1, len(contents()))),
    ]
    assert [row["license"] for row in table] == ["MIT", "GPL-3.0-only", *["MIT"] * 5]
    copy = table[1]
    assert json.loads(copy["evidence"]) == [["spdx_tag", "GPL-3.0-only", "line 1", TAG.text]]
    assert copy["copyright"] == "Copyright A\n(c) B"
    assert (copy["language"], copy["marks"], copy["stamp"]) == ("Python", "generated vendored", 0)
    assert sorted(row["rank"] for row in table) == list(range(len(table)))
    assert len({row["key"] for row in table}) == len(table)
    assert {row["package"] for row in table} == {0}


def test_pyarrow_reads_the_packages(segment: Path) -> None:
    """All fields, and the project they count as."""
    (row,) = rows(segment / "packages.arrow")
    evidence = json.loads(row.pop("evidence"))
    assert evidence == [["package_metadata", "MIT", "License-Expression", "MIT"]]
    assert row.pop("project") == "pkg:pypi/p"
    assert row.pop("complete") == len(contents()) + 1
    assert row == {name: getattr(PACKAGE, name) for name in row}
    assert len(row) == 8


def test_the_licenses_of_each_document_are_listed_by_number(segment: Path) -> None:
    """Pairs of a Document and an entry of the pool of expressions, ascending."""
    documents, numbers = np.load(segment / "licenses.npy").tolist()
    with pa.memory_map(str(segment / "origins.arrow")) as source:
        pool = ipc.open_stream(source).read_all()["license"].chunk(0).dictionary.to_pylist()
    pairs = [(document, pool[number]) for document, number in zip(documents, numbers, strict=True)]
    assert pairs == [(0, "MIT"), (0, "GPL-3.0-only"), *((i, "MIT") for i in range(1, len(contents())))]
