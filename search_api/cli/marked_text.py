"""A text with numbered spans marked in it, and the rest of a long text left out.

In: a text and spans in code points. Out: lines with their number, a margin that names the spans of each line, and the
text, in which marks (or a colour) say where the spans begin and end. It refuses to know what the spans are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import click

from codecite.search_api.cli.printable import count, printable

_AROUND = 2
"""Lines shown beside a span."""
_HEAD, _TAIL = 24, 8
"""Lines shown of a long run of lines under the same spans."""
_LONGEST = 400
"""Characters shown of a line."""
_OPEN, _CLOSE = "«", "»"


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open span of code points, and the label that the margin shows."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    start: int
    end: int
    spans: tuple[Span, ...]


def marked_text(
    text: str, spans: Sequence[Span], *, own: tuple[int, int], colour: bool, whole: bool = False
) -> Iterator[str]:
    """The lines of `text`, `spans` (sorted by start) marked; lines outside `own` bear a colon in their margin.

    Long runs of lines are left out, unless the text is wanted `whole`.
    """
    lines = _lines(text, spans)
    width = max((len(_margin(line)) for line in lines), default=0)
    digits = len(str(lines[-1].number)) if lines else 1
    runs = [list(run) for _, run in groupby(lines, key=lambda line: line.spans)]
    for place, run in enumerate(runs):
        if run[0].spans:
            head, tail = _HEAD, _TAIL
        else:
            head, tail = (_AROUND if place > 0 else 0), (_AROUND if place < len(runs) - 1 else 0)
        left_out = 0 if whole else len(run) - head - tail
        for line in run if left_out <= 1 else run[:head]:
            yield _drawn(text, line, digits, width, own, colour)
        if left_out > 1:
            yield f"{'':{digits}} {'':{width}} … {count(left_out, 'line')}"
            for line in run[len(run) - tail :]:
                yield _drawn(text, line, digits, width, own, colour)


def _lines(text: str, spans: Sequence[Span]) -> list[_Line]:
    lines = []
    active: list[Span] = []
    upcoming = 0
    start = 0
    for number, content in enumerate(text.split("\n"), start=1):
        end = start + len(content)
        while upcoming < len(spans) and spans[upcoming].start < end:
            active.append(spans[upcoming])
            upcoming += 1
        active = [span for span in active if span.end > start]
        lines.append(_Line(number, start, end, tuple(active)))
        start = end + 1
    if len(lines) > 1 and lines[-1].start == lines[-1].end:
        lines.pop()
    return lines


def _margin(line: _Line) -> str:
    labels = [span.label for span in line.spans]
    return ",".join(labels[:2]) + ("+" if len(labels) > 2 else "")


def _drawn(text: str, line: _Line, digits: int, width: int, own: tuple[int, int], colour: bool) -> str:
    rule = "|" if line.start <= own[1] and line.end >= own[0] else ":"
    margin = f"{_margin(line):>{width}}"
    content = _marked(text, line, colour)
    return f"{line.number:>{digits}} {click.style(margin, fg='yellow') if colour else margin} {rule} {content}".rstrip()


def _marked(text: str, line: _Line, colour: bool) -> str:
    stop = min(line.end, line.start + _LONGEST)
    pieces = []
    at = line.start
    for start, end in _united(line.spans):
        begin, until = max(start, line.start), min(end, stop)
        if begin >= stop:
            break
        pieces.append(printable(text[at:begin]))
        inside = printable(text[begin:until])
        if colour:
            pieces.append(click.style(inside, fg="yellow"))
        else:
            pieces.append((_OPEN if start >= line.start else "") + inside + (_CLOSE if end <= stop else ""))
        at = until
    pieces.append(printable(text[at:stop].removesuffix("\r")))
    if stop < line.end:
        pieces.append(f" … ({count(line.end - line.start, 'character')})")
    return "".join(pieces)


def _united(spans: Sequence[Span]) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for span in spans:
        if united and span.start <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], span.end)
        else:
            united.append((span.start, span.end))
    return united
