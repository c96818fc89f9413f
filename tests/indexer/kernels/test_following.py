"""How far Documents go on with a run of the query, by the groups of its list, equals their text byte by byte."""

from __future__ import annotations

import numpy as np
import twins
from hypothesis import given
from hypothesis import strategies as st
from oracle.repeats import Posted, grouped, ruled

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.contexts import REACH
from codecite.indexer.kernels.following import follow_runs

edges = st.sampled_from([b"", b"x", b"!end of text", b"return value", b"end of textreturn value + index * 26;"])


def before(document: bytes, at: int, endless: bytes, ahead: bytes) -> tuple[int, int]:
    """How far a Document goes on with the run before `at` (REACH: so far at least), and then with the text `ahead`.

    -1 where the context does not say.
    """
    context = document[max(0, at - REACH) : at][::-1]
    length = twins.agreement(context, endless[::-1])
    more = twins.agreement(context[length:], ahead[::-1])
    return length, -1 if length + more == REACH else more


def behind(case: Posted, owner: int, at: int, number: int, endless: bytes, after: bytes) -> tuple[int, int]:
    """How far a Document goes on behind its k-gram with the run, which is `endless` from there on, then with `after`.

    The first is -1 where the chain is open. The second is that of the last posting of the chain that sees the end, and
    -1 where its context does not say, or another list comes first.
    """
    positions = case.frequent[owner]
    length, is_open = twins.chain(case.raw[owner], positions, positions.index(at), endless, 0)
    posting = owner, at
    while posting in case.lists[number]:
        context = twins.surroundings(case.raw[owner], posting[1])[1]
        agreed = twins.agreement(context, endless[KGRAM:])
        if agreed < REACH:
            more = twins.agreement(context[agreed:], after)
            return length, -1 if agreed + more == REACH else more
        following = case.next_of(posting)
        if following is None:
            break
        posting = following
    return -1 if is_open else length, -1


@given(ruled(), st.integers(0, 24), st.integers(0, 90), edges, edges)
def test_documents_are_followed_as_far_as_they_go_on_with_a_run(
    ruler: tuple[Posted, int, int], phase: int, more: int, ahead: bytes, after: bytes
) -> None:
    """On either side, and beyond it with the text where the context says so."""
    case, period, number = ruler
    owner, at = case.lists[number][0]
    kgram = twins.canonical(case.raw[owner])[at : at + KGRAM]
    unit, phase = kgram[:period], phase % period
    run = (unit * 300)[period - phase :][: phase + KGRAM + period + more]
    text = np.frombuffer(bytearray(ahead + run + after), np.uint8)
    found = grouped(case)
    first, end = found.frequent.lists[2, number : number + 2].tolist()
    runs = np.full((5, end - first), -9, np.int64)
    start, stop = len(ahead), len(ahead) + len(run)
    follow_runs(found.frequent, number, text, start, stop, period, start + phase, runs)
    endless = unit * 900
    for group in range(first, end):
        for owner, at in found.groups[group]:
            document = twins.canonical(case.raw[owner])
            left = before(document, at, endless, ahead)
            right = behind(case, owner, at, number, endless, after)
            observed = runs[:, group - first].tolist()
            assert (observed[0], observed[2]) == left
            assert observed[1] == right[0]
            if right[0] >= 0:
                assert observed[3] == right[1]
