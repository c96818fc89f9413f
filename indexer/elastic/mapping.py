"""The form of an index on a cluster, and the version of it.

In: nothing. Out: the mapping and settings that an index is made with, ids of documents, and values in the form they
have there. It refuses to know of connections.

The name of an index is an alias. It stands for one Elasticsearch index, NAME-xxxxxxxxxxxx, which holds five kinds of
documents (ids are URL-safe base64, which Elasticsearch keeps as bytes):

piece       id: SHA-1 of the Document and the number of the piece (u32). A Document is cut into pieces of about 4 KiB.
    fp          the fingerprints whose k-gram has a byte in this piece, 48 bits each (`kernels/winnow.py`)
    head        binary: SHA-1, number of the piece, how many there are, line feeds before it (u32 each, little-endian)
    content     binary: its raw bytes, a zstd frame
    and in piece 0, which is written last and says that all others are there, of the whole Document:
    terms       its words (`kernels/terms.py`), for BM25
    near        fingerprints of its tokens, 48 bits each (`kernels/near.py`)
    bands       keys of bands of its MinHash signature, 63 bits each; BANDS x ROWS numbers
    signature   binary: u32[128], little-endian
    size        binary: raw bytes, canonical bytes, postings (u64 each, little-endian)
origin      id: the key of the Origin (u64, `store/tables.py`) and `o`.
    digest      SHA-1 of its Document, hexadecimal
    package     the key of its Package, hexadecimal
    load        number of the load that brought it: readers see those up to `loaded` of the manifest
    source, path, under, stamp  hashes: of the source, of the path, of the fingerprints it stands under, of what tells
                that it is unchanged
    origin      binary: a zstd frame of a JSON list: key, SHA-1 and key of the Package (all hexadecimal), path, license,
                evidence, copyright, language, marks (as in `origins.arrow`)
package     id: its key (u64) and `p`.
    named       hash of what people know it by
    load        as above
    row         the columns of `packages.arrow`
complete    id: the key of a Package that was read to its end and `c`.
    packaged    hash of source and fingerprint
    load        as above
    row         complete: how many Origins then stood under its fingerprint
manifest    id: `manifest`.
    row         what `elastic/manifest.py` keeps

An Origin is all that makes a Document visible: pieces that no visible Origin names are as good as absent. What is
indexed has no doc_values. What is read back is binary doc_values, a column: stored fields lie in compressed blocks of
240 KiB, of which each hit would cost one (.6 ms, for .04). `_source` keeps only the rows of Packages and of the
manifest.

Version history, oldest first:
    1   the first
"""

from __future__ import annotations

import struct
from base64 import b64decode, urlsafe_b64encode
from typing import Any

from codecite.indexer.fingerprint.minhash import Banding

FORMAT = "codecite-elasticsearch-1"
MANIFEST = "manifest"
MASK = (1 << 48) - 1
"""The bits of a fingerprint that are kept: what is found is compared on the text, so a stranger costs a little time."""
BANDING = Banding(42, 3)
"""Of two files with a Jaccard similarity of .5 99.6 % share a band, of .6 all but one in 30,000."""
HEAD = struct.Struct("<20sIII")
SIZE = struct.Struct("<QQQ")

_HIDDEN = (
    "fp",
    "head",
    "content",
    "terms",
    "near",
    "bands",
    "signature",
    "size",
    "origin",
    "digest",
    "package",
    "path",
    "source",
)
_NUMBERS = {"type": "long", "doc_values": False}
_KEYS = {"type": "keyword", "doc_values": False, "norms": False}
_STORED = {"type": "binary", "doc_values": True}


def index_body(shards: int) -> dict[str, Any]:
    """Settings and mapping of a new index. Until it is published for the first time it has no replicas."""
    return {
        "settings": {
            "index": {
                "number_of_shards": shards,
                "number_of_replicas": 0,
                "auto_expand_replicas": "false",
                "codec": "best_compression",
                "refresh_interval": "-1",
                "similarity": {"default": {"type": "BM25", "k1": 1.2, "b": 0.75}},
            }
        },
        "mappings": {
            "dynamic": "strict",
            "_meta": {"format": FORMAT},
            "_source": {"excludes": list(_HIDDEN)},
            "properties": {
                "fp": _NUMBERS,
                "near": _NUMBERS,
                "bands": _NUMBERS,
                "head": _STORED,
                "content": _STORED,
                "signature": _STORED,
                "size": _STORED,
                "terms": {"type": "text", "analyzer": "whitespace", "index_options": "freqs"},
                "origin": _STORED,
                "digest": _KEYS,
                "package": _KEYS,
                "load": {"type": "integer", "doc_values": False},
                "source": _NUMBERS,
                "path": _NUMBERS,
                "under": _NUMBERS,
                "stamp": _NUMBERS,
                "packaged": _NUMBERS,
                "named": _NUMBERS,
                "row": {"type": "object", "enabled": False},
            },
        },
    }


def piece_id(digest: bytes, number: int) -> str:
    """The id of a piece of the Document with this SHA-1."""
    return urlsafe_b64encode(digest + number.to_bytes(4, "little")).decode().rstrip("=")


def origin_id(key: int) -> str:
    """The id of an Origin."""
    return urlsafe_b64encode(key.to_bytes(8, "little") + b"o").decode().rstrip("=")


def package_id(key: bytes) -> str:
    """The id of a Package."""
    return urlsafe_b64encode(key + b"p").decode().rstrip("=")


def complete_id(key: bytes) -> str:
    """The id of what says that a Package was read to its end."""
    return urlsafe_b64encode(key + b"c").decode().rstrip("=")


def key_of_origin(name: str) -> int:
    """The key in the id of an Origin."""
    return int.from_bytes(key_of_package(name), "little")


def key_of_package(name: str) -> bytes:
    """The key in the id of a Package."""
    return b64decode(name + "=" * (-len(name) % 4), altchars=b"-_")[:8]


def shown(*names: str) -> dict[str, Any]:
    """What a search is to show of its hits: these columns, and nothing that is not one."""
    return {"_source": False, "stored_fields": "_none_", "docvalue_fields": list(names)}


def signed(value: int) -> int:
    """64 bits as the `long` that a cluster keeps."""
    return value - (1 << 64) if value >> 63 else value
