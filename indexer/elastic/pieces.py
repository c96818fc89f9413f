"""Documents to pieces: what a cluster is sent of a content.

In: raw bytes with their SHA-1s. Out: actions for `Cluster.bulk`; from heads and contents, the pieces again. It refuses
to know of Origins, and of connections.

A Document is cut at every 4 KiB of its raw bytes, so that one passage of a huge file costs one piece. A piece has
LEAST canonical bytes or more, if its Document has. Of a passage of T bytes that lies in two pieces KGRAM bytes or more
are in one of them, and a fingerprint whose k-gram lies in both is noted in both; so for each passage that goes on in a
neighbour a piece is found at whose edge KGRAM bytes of it stand. `candidates.py` rests on this.
"""

from __future__ import annotations

import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import zstandard

from codecite.indexer.config import GUARANTEE, KGRAM, WINDOW
from codecite.indexer.elastic.mapping import BANDING, HEAD, MASK, SIZE, piece_id
from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.fingerprint.minhash import band_keys, has_words, signatures
from codecite.indexer.kernels.documents import fingerprint_documents
from codecite.indexer.kernels.near import fingerprint_tokens
from codecite.indexer.kernels.tokens import KEYWORDS
from codecite.indexer.kernels.types import Bytes, Ints, Words
from codecite.indexer.kernels.winnow import CHUNK
from codecite.indexer.text.terms import terms_of

PIECE = 4096
LEAST = GUARANTEE + KGRAM
_LEVEL = 3
_local = threading.local()


@dataclass(frozen=True, slots=True)
class Head:
    """Which piece: the SHA-1 of its Document, its number, how many there are, and the line feeds before it."""

    digest: bytes
    number: int
    count: int
    lines: int


def encode_batch(contents: Sequence[tuple[bytes, bytes]], *, lexical: bool) -> tuple[list[bytes], list[bytes]]:
    """The actions for Documents (SHA-1 and raw bytes): those for their further pieces, and those for their first."""
    raw = np.frombuffer(b"".join(content for _, content in contents), np.uint8)
    ends = np.cumsum([len(content) for _, content in contents], dtype=np.int64)
    exact, near = _exact(raw, ends), _near(raw, ends)
    rows = signatures(raw, ends)
    bands = (band_keys(rows, BANDING) >> np.uint64(1)).astype(np.int64)
    worded = has_words(rows)
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True)
    further: list[bytes] = []
    first: list[bytes] = []
    begin = 0
    for i, (digest, content) in enumerate(contents):
        part = raw[begin : ends[i]]
        begin = int(ends[i])
        hashes, positions = exact[i]
        starts, canonical, lines = _cut(part)
        count = len(starts) - 1
        of = np.searchsorted(canonical, positions, side="right") - 1
        until = np.searchsorted(canonical, positions + KGRAM - 1, side="right") - 1
        for number in range(count - 1, -1, -1):
            here = (of == number) | (until == number)
            head = HEAD.pack(digest, number, count, int(lines[number]))
            packed = compressor.compress(content[starts[number] : starts[number + 1]])
            fields = [
                f'"fp":{_numbers(hashes[here])}',
                f'"head":"{b64encode(head).decode()}"',
                f'"content":"{b64encode(packed).decode()}"',
            ]
            if number == 0:
                size = SIZE.pack(len(content), int(canonical[-1]), len(hashes))
                fields.append(f'"size":"{b64encode(size).decode()}"')
                if len(near[i]):
                    fields.append(f'"near":{_numbers(near[i])}')
                if worded[i]:
                    fields.append(f'"bands":{_numbers(bands[i])}')
                    fields.append(f'"signature":"{b64encode(rows[i].astype("<u4").tobytes()).decode()}"')
                if lexical:
                    fields.append(f'"terms":{json.dumps(terms_of(content), ensure_ascii=False)}')
            line = action("create", piece_id(digest, number), "{" + ",".join(fields) + "}")
            (further if number else first).append(line)
    return further, first


def action(kind: str, name: str, document: str) -> bytes:
    """An action of a bulk request."""
    return f'{{"{kind}":{{"_id":"{name}"}}}}\n{document}\n'.encode("utf-8", "replace")


def head_of(text: str) -> Head:
    """A head as it is shown."""
    return Head(*HEAD.unpack(b64decode(text)))


def content_of(text: str, head: Head) -> bytes:
    """A content as it is shown. Raises IndexCorruptError for one that is damaged."""
    try:
        return unpacked(text)
    except zstandard.ZstdError:
        raise IndexCorruptError(
            f"swh:1:cnt:{head.digest.hex()}: its piece {head.number} does not decode; run 'codecite index verify'"
        ) from None


def unpacked(text: str) -> bytes:
    """The bytes of a zstd frame, as it is shown. A decompressor serves one thread at a time, so each has its own."""
    try:
        held: zstandard.ZstdDecompressor = _local.decompressor
    except AttributeError:
        held = _local.decompressor = zstandard.ZstdDecompressor()
    return held.decompress(b64decode(text))


def _numbers(values: Words | Ints) -> str:
    return f"[{','.join(map(str, np.unique(values).tolist()))}]"


def _exact(raw: Bytes, ends: Ints) -> list[tuple[Words, Ints]]:
    """The fingerprints of each Document, 48 bits, and where their k-grams begin in its canonical text."""
    canonical, canonical_ends = np.empty(len(raw), np.uint8), np.empty(len(ends), np.int64)
    hashes, positions = np.empty(len(raw), np.uint64), np.empty(len(raw), np.int64)
    work = np.empty(CHUNK + WINDOW, np.uint64)
    count = fingerprint_documents(raw, ends, canonical, canonical_ends, hashes, positions, work)
    return _by_document(hashes[:count], positions[:count], canonical_ends)


def _near(raw: Bytes, ends: Ints) -> list[Words]:
    """The fingerprints of the tokens of each Document, 48 bits."""
    longest = int(np.diff(ends, prepend=0).max(initial=0))
    classes, names = np.empty((2, longest), np.uint64)
    starts, stops = np.empty((2, longest), np.int64)
    found: list[Words] = []
    begin = 0
    for end in ends.tolist():
        hashes, positions = np.empty(end - begin, np.uint64), np.empty(end - begin, np.int64)
        one = np.array([end - begin], np.int64)
        count = fingerprint_tokens(raw[begin:end], one, KEYWORDS, classes, names, starts, stops, hashes, positions)
        found.append(hashes[:count] & np.uint64(MASK))
        begin = end
    return found


def _by_document(hashes: Words, positions: Ints, ends: Ints) -> list[tuple[Words, Ints]]:
    bounds = [0, *np.searchsorted(positions, ends).tolist()]
    starts = [0, *ends.tolist()]
    return [
        (hashes[a:b] & np.uint64(MASK), positions[a:b] - start)
        for a, b, start in zip(bounds[:-1], bounds[1:], starts[:-1], strict=True)
    ]


def _cut(raw: Bytes) -> tuple[list[int], Ints, Ints]:
    """Where the pieces of a Document begin, with its end: in raw bytes, canonical bytes and line feeds."""
    length = len(raw)
    text = np.empty(length + 1, np.int64)
    feeds = np.empty(length + 1, np.int64)
    text[0] = feeds[0] = 0
    np.cumsum((raw != 32) & ((raw < 9) | (raw > 13)), out=text[1:])
    np.cumsum(raw == 10, out=feeds[1:])
    cuts = [0]
    while length - cuts[-1] > PIECE:
        end = cuts[-1] + PIECE
        wanted = int(text[cuts[-1]]) + LEAST
        if text[end] < wanted:
            end = int(np.searchsorted(text, wanted))
        if end >= length or text[length] - text[end] < LEAST:
            break
        cuts.append(end)
    cuts.append(length)
    return cuts, text[cuts], feeds[cuts]
