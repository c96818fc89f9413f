"""Whether code under one licence may become part of a work under another.

In: the SPDX expression of the code, and that of the work (its outbound licence). Out: an answer, with the pair of
licences that decides it. It refuses to know of policies. The facts are OSADL's matrix (`tables.py`); a pair that is not
in it is unknown, never compatible.

Of an `OR` in the code's expression the best branch counts, of an `AND` the worst part. A work that is under several
licences must be able to hold the code under each of them. An exception only permits more: with one, a pair that is
compatible without it stays so, and any other is unknown.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from codecite.indexer.licenses.expression import Node, parse
from codecite.indexer.licenses.tables import tables


class Answer(IntEnum):
    """What is known of a pair, the best first."""

    COMPATIBLE = 0
    DEPENDS = 1
    UNKNOWN = 2
    INCOMPATIBLE = 3


class Compatibility(NamedTuple):
    """An answer, and the licence of the code and of the work that it is due to."""

    answer: Answer
    inbound: str
    outbound: str

    @property
    def sentence(self) -> str:
        """The answer in words."""
        return _SENTENCES[self.answer].format(inbound=self.inbound, outbound=self.outbound)


_SENTENCES = {
    Answer.COMPATIBLE: "{inbound} code may be part of a work under {outbound}",
    Answer.DEPENDS: "whether {inbound} code may be part of a work under {outbound} depends on how it is used",
    Answer.UNKNOWN: "whether {inbound} code may be part of a work under {outbound} is not in the tables",
    Answer.INCOMPATIBLE: "{inbound} code may not become part of a work under {outbound}",
}
_LETTERS = {"y": Answer.COMPATIBLE, "c": Answer.DEPENDS, "u": Answer.UNKNOWN, "n": Answer.INCOMPATIBLE}


@lru_cache(maxsize=4096)
def compatibility(inbound: str, outbound: str) -> Compatibility:
    """Whether code under `inbound` may be part of a work under `outbound`.

    >>> compatibility("GPL-2.0-only", "Apache-2.0").sentence
    'GPL-2.0-only code may not become part of a work under Apache-2.0'
    """
    code, work = parse(inbound), parse(outbound)
    if code is None or work is None:
        return Compatibility(Answer.UNKNOWN, inbound, outbound)
    return max((_into(code, one) for one in work.leaves), key=lambda found: found.answer)


def _into(code: Node, work: Node) -> Compatibility:
    if code.operator:
        found = [_into(part, work) for part in code.parts]
        return (max if code.operator == "AND" else min)(found, key=lambda one: one.answer)
    answer = _pair(code.license, work.license)
    if (work.exception and code != work) or (code.exception and code != work and answer is not Answer.COMPATIBLE):
        answer = Answer.UNKNOWN
    return Compatibility(answer, str(code), str(work))


def _pair(inbound: str, outbound: str) -> Answer:
    if inbound == outbound:
        return Answer.COMPATIBLE
    matrix = tables().compatibility
    if inbound not in matrix or outbound not in matrix:
        return Answer.UNKNOWN
    return _LETTERS[matrix[outbound][list(matrix).index(inbound)]]
