"""A passage -> whether it says next to nothing: rulers, tables of numbers, runs, the same words over and over.

In: bytes. Out: yes or no. It refuses to know of Matches.

The rule counts letters of distinct words. A word is a run of letters (in small letters; bytes outside ASCII are
letters); where one byte in ten is a digit, a word of nothing but a-f, x, u and l is taken for a piece of a number
(`0xffUL`) and does not count. The passage is cut into equal pieces of at most 512 bytes. It is `low-information` if in
every piece

* the letters of distinct words are at most 18 % of the bytes that are not white space, and
* they are at most 30, or still at most 18 % when each run of four or more equal bytes is taken for one byte: a ruler
  does not hide the code beside it.
"""

from __future__ import annotations

import re

from codecite.indexer.attribution.notice import LETTERS

_SPACE = b"\t\n\v\f\r "
_PIECE = 512
_SHARE = 0.18
_FEW = 30
_HEXADECIMAL = b"abcdefxul"
_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)


def is_low(raw: bytes) -> bool:
    """Whether every piece of `raw` is low in information; nothing at all is not."""
    pieces = -(-len(raw) // _PIECE)
    return pieces > 0 and all(
        _piece_is_low(raw[len(raw) * number // pieces : len(raw) * (number + 1) // pieces]) for number in range(pieces)
    )


def _piece_is_low(piece: bytes) -> bool:
    distinct = set(piece.translate(LETTERS).split())
    letters = len(b"".join(distinct))
    dense = piece.translate(None, _SPACE)
    room = _SHARE * len(dense)
    if letters > room:
        if len(dense.translate(None, _NO_DIGITS)) * 10 < len(dense):
            return False
        letters = sum(len(word) for word in distinct if word.strip(_HEXADECIMAL))
        if letters > room:
            return False
    return letters <= _FEW or letters <= _SHARE * len(_RUN.sub(rb"\1", dense))
