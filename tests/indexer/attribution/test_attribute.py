"""An Attribution bears the marks of its passage, judged where the passage stands in the text."""

from __future__ import annotations

from codecite.indexer.attribution.attribute import attribute
from codecite.indexer.attribution.policy import Policy
from codecite.indexer.records import Counts, Kind, Mark, Match, Outcome

TEXT = (
    b"import alpha\nimport beta.gamma\nfrom delta import epsilon, zeta\n\n\ndef run(eta):\n    return eta * zeta(eta)\n"
)


def match_of(start: int, end: int) -> Match:
    """A Match on a span of TEXT; all else is of no concern to marks."""
    counts = Counts(1, False, 1, False, {"MIT": 1}, False, False)
    return Match(
        "0" * 16,
        None,
        "index",
        start,
        end,
        start,
        end,
        start,
        end,
        1,
        1,
        end - start,
        end - start,
        Kind.VERBATIM,
        counts,
    )


def test_each_attribution_has_the_marks_of_its_own_passage() -> None:
    """Imports that begin amid a line are marked, the whole file with its function is not, and the order is kept."""
    spans = [(0, len(TEXT)), (3, TEXT.index(b"def"))]
    attributions, verdict = attribute([(match_of(*span), ()) for span in spans], TEXT, Policy(), 5)
    assert [item.marks for item in attributions] == [(), (Mark.IMPORTS,)]
    assert verdict.outcome is Outcome.PASS
