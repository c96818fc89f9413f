"""What other programs find of the same changed code, each by its own rule.

In: the changed text and the file it was taken from. Out: whether the peer tells that the one is in the other. It
refuses to know how the text was changed. Each peer is given an easier task than codecite: it is held against the one
file that is sought, and not against the whole corpus. All three are MIT, and none is imported by codecite itself.

- SCANOSS: the fingerprints of `scanoss-winnowing` (grams of 30, windows of 64); three shared ones are a match, and no
  least number of lines is asked for.
- copydetect: its own k (25) and window, its tokenizer for the language; half of the text's tokens covered.
- datasketch: MinHash LSH of 128 permutations over whole files (five words a shingle), threshold .7.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import lru_cache

from copydetect import CodeFingerprint, compare_files
from datasketch import MinHash, MinHashLSH
from scanoss_winnowing.winnowing import Winnowing

SHARED = 3
_NOISE, _WINDOW = 25, 6
_WFP = re.compile(r"^\d+=([0-9a-f,]+)$", re.MULTILINE)
_winnowing = Winnowing(quiet=True)


@lru_cache(maxsize=1024)
def _wfp(text: str) -> frozenset[str]:
    written = _winnowing.wfp_for_contents("text.py", False, text.encode("utf-8", "replace"))
    return frozenset(each for line in _WFP.findall(written) for each in line.split(","))


def scanoss(text: str, original: str) -> bool:
    """Whether they share as many fingerprints as make a match."""
    return len(_wfp(text) & _wfp(original)) >= SHARED


@lru_cache(maxsize=1024)
def _fingerprint(text: str) -> CodeFingerprint:
    return CodeFingerprint("text.py", _NOISE, _WINDOW, fp=io.StringIO(text))


def copydetect(text: str, original: str) -> bool:
    """Whether half of the text is covered by what they share."""
    return bool(compare_files(_fingerprint(text), _fingerprint(original))[1][0] >= 0.5)


@lru_cache(maxsize=1024)
def _minhash(text: str) -> MinHash:
    words = re.findall(r"\w+", text)
    made = MinHash(num_perm=128)
    made.update_batch([" ".join(words[i : i + 5]).encode() for i in range(max(1, len(words) - 4))])
    return made


def datasketch(text: str, original: str) -> bool:
    """Whether the file is a candidate for the text, both as wholes."""
    lsh = MinHashLSH(threshold=0.7, num_perm=128)
    lsh.insert("original", _minhash(original))
    return bool(lsh.query(_minhash(text)))


PEERS: dict[str, Callable[[str, str], bool]] = {
    "SCANOSS winnowing": scanoss,
    "copydetect": copydetect,
    "datasketch LSH": datasketch,
}
