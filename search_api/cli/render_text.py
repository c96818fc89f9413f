"""A Report for people: the text with its shared passages marked, then where each of them stands.

In: a Report and the text that was checked (with its context). Out: lines for a terminal or a pipe, free of control
characters. Colours are an extra: the margin and the marks say the same without them. It refuses to know how the
Report came about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from codecite.indexer.records import Attribution, Coverage, EvidenceKind, Outcome, Report, Source
from codecite.search_api.cli.marked_text import Span, marked_text
from codecite.search_api.cli.printable import count, printable, shortened, size

_INNER_SHOWN = 3
_COPYRIGHT_SHOWN = 3
_SOURCES_SHOWN = 3
_REASONS_SHOWN = 20
_WIDTH = 160


def render_report(report: Report, text: str, *, title: str, colour: bool, whole: bool = False) -> Iterator[str]:
    """The lines that show `report`; `text` is before + text + after, as it was checked.

    Lines far from a passage are left out, unless the text is shown `whole`.
    """
    outer, inner = _nested(report.attributions)
    passages = count(len(outer), "shared passage") if outer else "no shared passage"
    yield click.style(f"{printable(title)}: {passages}", bold=True) if colour else f"{printable(title)}: {passages}"
    if outer or whole:
        spans = [Span(item.match.start, item.match.end, str(number)) for number, item in enumerate(outer, start=1)]
        yield ""
        yield from marked_text(text, spans, own=(report.text_start, report.text_end), colour=colour, whole=whole)
        if report.text_end - report.text_start < len(text):
            yield "(a colon in the margin: this line is the context that was given, not the text itself)"
    for number, attribution in enumerate(outer, start=1):
        yield ""
        yield from _passage(attribution, str(number), inner, depth=0, colour=colour)
    yield from _verdict(report, colour=colour)


def _verdict(report: Report, *, colour: bool) -> Iterator[str]:
    """What the policy says, in one line, and why; nothing where it has nothing against the text."""
    outcome = report.verdict.outcome
    if outcome is Outcome.PASS:
        return
    line = f"{str(outcome).upper()} by the policy {printable(report.policy_name)}:"
    yield ""
    yield click.style(line, fg="red" if outcome is Outcome.FAIL else "yellow", bold=True) if colour else line
    for reason in report.verdict.reasons[:_REASONS_SHOWN]:
        yield f"    {printable(reason.message)} [{reason.rule}]"
    if len(report.verdict.reasons) > _REASONS_SHOWN:
        yield f"    and {count(len(report.verdict.reasons) - _REASONS_SHOWN, 'more reason')} (--format json has all)"


def _order(attribution: Attribution) -> tuple[int, int]:
    return attribution.match.start, -attribution.match.end


def _nested(attributions: Sequence[Attribution]) -> tuple[list[Attribution], dict[str, list[Attribution]]]:
    """The passages that lie within no other, and those within each, by the id of the one around."""
    outer: list[Attribution] = []
    inner: dict[str, list[Attribution]] = {}
    for item in sorted(attributions, key=_order):
        around = item.match.within
        (outer if around is None else inner.setdefault(around, [])).append(item)
    return outer, inner


def _passage(
    attribution: Attribution, label: str, inner: dict[str, list[Attribution]], *, depth: int, colour: bool
) -> Iterator[str]:
    match, counts = attribution.match, attribution.match.counts
    pad = "    " * depth
    lines = (
        f"line {match.start_line}"
        if match.start_line == match.end_line
        else f"lines {match.start_line}-{match.end_line}"
    )
    own = "" if match.bytes_in_text == match.length else f" ({match.bytes_in_text:,} of them in the completion)"
    similar = "" if match.similarity is None else f" ({match.similarity:.0%} of the tokens agree)"
    common = ", common" if counts.common else ""
    marks = "".join(f", {mark}" for mark in attribution.marks)
    head = f"[{label}] {lines}: {count(match.length, 'byte')}{own}, {match.kind}{similar}{common}{marks}"
    yield pad + (click.style(head, fg="yellow", bold=True) if colour else head)
    yield (
        f"{pad}    in {count(counts.documents, 'document', capped=counts.documents_capped)} of "
        f"{count(counts.projects, 'project', capped=counts.projects_capped)}: {_licenses(attribution)}"
    )
    for source in attribution.sources:
        yield from (f"{pad}    {line}" for line in _source(source))
    more = counts.documents - len({source.swhid for source in attribution.sources})
    if more > 0:
        yield f"{pad}    and {count(more, 'more document', capped=counts.documents_capped)} (--sources N shows more)"
    within = inner.get(match.id, [])
    for number, item in enumerate(within[:_INNER_SHOWN], start=1):
        yield from _passage(item, f"{label}.{number}", inner, depth=depth + 1, colour=colour)
    if len(within) > _INNER_SHOWN:
        yield f"{pad}    and {count(len(within) - _INNER_SHOWN, 'more passage')} inside it (--format json has all)"


def _lines(start: int, end: int) -> str:
    return f"line {start}" if start == end else f"lines {start}-{end}"


def _licenses(attribution: Attribution) -> str:
    counts = attribution.match.counts
    ranked = sorted(counts.licenses.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{printable(expression)} ({documents:,})" for expression, documents in ranked)
    return shown + (" or more each" if counts.licenses_capped else "")


def _source(source: Source) -> Iterator[str]:
    origin = source.origin
    where = printable(origin.path)
    yield f"{where}:{source.start_line}-{source.end_line}"
    place = [
        origin.purl or origin.repository or origin.url or "",
        f"released {origin.released}" if origin.released else "",
    ]
    believed = next((item.kind.replace("_", " ") for item in origin.evidence if item.expression is not None), None)
    evidence = f" (by its {believed})" if believed else " (nothing states one)"
    conflict = ", but the evidence disagrees" if origin.conflict else ""
    if source.record is not None:
        record = source.record
        written = f"generated here by {record['model']} at {record['time']}, verdict {record['outcome']}"
        yield "    " + printable(written)
        return
    agrees = "" if source.kind == "verbatim" else source.kind
    facts = [*place, f"licence {origin.license}{evidence}{conflict}", source.category, agrees, *origin.marks]
    yield "    " + printable(", ".join(fact for fact in facts if fact))
    texts = [item.where for item in origin.evidence if item.kind is EvidenceKind.LICENSE_FILE]
    if not origin.copyright and texts:
        more = f" and {len(texts) - 1:,} more" if len(texts) > 1 else ""
        yield "    " + printable(f"no copyright line in the file; the package has {texts[0]}{more}")
    for holder in origin.copyright[:_COPYRIGHT_SHOWN]:
        yield "    " + shortened(printable(holder.strip()), _WIDTH)
    if len(origin.copyright) > _COPYRIGHT_SHOWN:
        yield f"    and {count(len(origin.copyright) - _COPYRIGHT_SHOWN, 'more copyright line')}"


def render_coverage(indexes: Sequence[Coverage]) -> Iterator[str]:
    """What was searched, and so what an answer means."""
    yield ""
    for coverage in indexes:
        shown = ", ".join(shortened(printable(source), _WIDTH) for source in coverage.sources[:_SOURCES_SHOWN])
        more = len(coverage.sources) - _SOURCES_SHOWN
        sources = shown + (f" and {more:,} more" if more > 0 else "")
        yield (
            f"Searched: {count(coverage.documents, 'document')}, {size(coverage.bytes)}, from {sources or 'nothing'} "
            f"(index {printable(coverage.id)}, generation {coverage.generation}, built {coverage.built})."
        )
    guarantee = max((coverage.guarantee_bytes for coverage in indexes), default=0)
    yield f"Every passage of {guarantee} bytes or more (white space not counted) that stands in it is listed."
    yield "No match means that it is not in this index; it never means that the code is original."
