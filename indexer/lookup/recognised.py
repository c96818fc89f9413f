"""What the fingerprints of files are known from, and its one JSON form, `codecite-candidates/1`.

In: judged candidates. Out: a noun; dictionaries, lists, texts and numbers, as `docs/codecite-candidates-1.schema.json`
has them. It refuses to know how candidates are found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from codecite.indexer.fingerprint.handover import Fingerprinted
from codecite.indexer.records import Attribution, Coverage, Report, Source, Verdict
from codecite.indexer.report_json import attribution_to_dict, report_to_dict, source_to_dict

UNVERIFIED = (
    "Candidates are not verified: the hashes of their k-grams agree, but no text was compared. What lies between and "
    "around the k-grams, white space and what kind of text it is are not known, and names that were changed are not "
    "looked for. A file is known as a whole if its SWHID is."
)
"""What every answer says of itself."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the fingerprints of one file are known from.

    `known` are the first sources of the Document that is the whole file, by its SWHID, `known_origins` how many there
    are. The Matches of `candidates` are of the kind `candidate`: `canonical_start` and `canonical_end` bound what the
    fingerprints show, `length` is that in bytes, `bytes_in_text` how long the passage may be at most; the lines are
    those on which its first and last k-gram begin; other offsets are 0. `passed_over` counts fingerprints that stand
    too often, in the file and in an index, to say anything.
    """

    file: Fingerprinted
    known: tuple[Source, ...]
    known_origins: int
    candidates: tuple[Attribution, ...]
    verdict: Verdict
    passed_over: int


def recognised_to_dict(
    indexes: tuple[Coverage, ...], policy: tuple[str, str | None], files: Iterable[Recognised]
) -> dict[str, Any]:
    """The form of an answer on some files; `policy` is the name and the digest of that which judged them."""
    base = report_to_dict(Report(indexes, "", 0, 0, (), Verdict(), *policy))
    return {
        "schema": "codecite-candidates/1",
        "codecite": base["codecite"],
        "indexes": base["indexes"],
        "policy": base["policy"],
        "unverified": UNVERIFIED,
        "files": [_file(item) for item in files],
    }


def _file(item: Recognised) -> dict[str, Any]:
    verdict = report_to_dict(Report((), "", 0, 0, (), item.verdict))["verdict"]
    return {
        "path": item.file.path,
        "swhid": item.file.swhid,
        "known": bool(item.known_origins),
        "origins": item.known_origins,
        "sources": [source_to_dict(source) for source in item.known],
        "fingerprints": len(item.file.hashes),
        "passed_over": item.passed_over,
        "candidates": [_candidate(attribution) for attribution in item.candidates],
        "verdict": verdict,
    }


_SHARED = ("id", "index", "kind", "start_line", "end_line", "documents", "documents_capped", "projects")
_SHARED_TOO = ("projects_capped", "common", "licenses", "licenses_capped", "sources", "outcome")


def _candidate(attribution: Attribution) -> dict[str, Any]:
    """A candidate; `start` and `end` are canonical bytes of the file."""
    match, form = attribution.match, attribution_to_dict(attribution)
    return {
        **{name: form[name] for name in _SHARED},
        "start": match.canonical_start,
        "end": match.canonical_end,
        "bytes_at_least": match.length,
        "bytes_at_most": match.bytes_in_text,
        **{name: form[name] for name in _SHARED_TOO},
    }
