"""The findings of a first scan -> a file, and with it the later findings that are not new.

In: Findings, or a baseline file. Out: the file, or which Findings it knows. It refuses to know of paths and lines,
which are in the file for its readers only: a finding is known by its content, wherever that has moved to.

An entry knows a finding of the same rule whose licences it names if their canonical text is the same (moved lines,
renamed files, another layout), or if four fifths of the finding's hashes are among the entry's (an edited passage, a
part of one). Each entry counts how often the passage was there, and each of its hashes is used up so often: one more
copy is a new finding.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codecite.indexer.errors import SourceError
from codecite.search_api.scan.records import Finding

SCHEMA = "codecite-baseline/1"
_SHARE = 0.8
_FEWEST = 4


@dataclass(slots=True)
class _Entry:
    rule: str
    fingerprint: str
    licenses: frozenset[str]
    left: int
    hashes: Counter[int] = field(default_factory=Counter)
    highest: int = 0


class Baseline:
    """Known findings; each call of `knows` uses up what it finds."""

    def __init__(self, entries: Iterable[dict[str, Any]] = ()) -> None:
        self._entries = [
            _Entry(
                item["rule"],
                item["fingerprint"],
                frozenset(item["licenses"]),
                int(item["count"]),
                Counter({int(value): int(item["count"]) for value in item["hashes"]}),
                max(map(int, item["hashes"]), default=0),
            )
            for item in entries
        ]
        self._by_print = {(entry.rule, entry.fingerprint): entry for entry in self._entries}

    def known(self, findings: Sequence[Finding]) -> set[int]:
        """The places in `findings` of those that are not new; exact agreements come first."""
        found = {number for number, finding in enumerate(findings) if self._exactly(finding)}
        return found | {
            number for number, finding in enumerate(findings) if number not in found and self._nearly(finding)
        }

    def _exactly(self, finding: Finding) -> bool:
        entry = self._by_print.get((finding.rule, finding.fingerprint))
        if entry is None or entry.left <= 0 or not set(finding.licenses) <= entry.licenses:
            return False
        entry.left -= 1
        entry.hashes -= Counter(finding.hashes)
        return True

    def _nearly(self, finding: Finding) -> bool:
        for entry in self._entries:
            if entry.rule == finding.rule and set(finding.licenses) <= entry.licenses:
                # Both keep their smallest hashes only: a part of the passage is compared as far as the entry reaches.
                reach = [value for value in finding.hashes if value <= entry.highest]
                shared = [value for value in reach if entry.hashes[value] > 0]
                if len(reach) >= _FEWEST and len(shared) >= _SHARE * len(reach):
                    entry.hashes -= Counter(shared)
                    return True
        return False


def read_baseline(path: Path) -> Baseline:
    """The Baseline of a file. Raises SourceError for one that is none."""
    try:
        read = json.loads(path.read_bytes())
        if read["schema"] != SCHEMA:
            raise ValueError(f"is {read['schema']!r}, not {SCHEMA}")
        return Baseline(read["findings"])
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); write it with --write-baseline") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(f"{path}: is no baseline ({error}); write it anew with --write-baseline") from None


def baseline_text(findings: Iterable[Finding]) -> str:
    """The file for these findings: the same for the same, so that it may be kept under version control."""
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    for finding in findings:
        if not finding.fingerprint:
            continue
        entry = entries.setdefault(
            (finding.rule, finding.fingerprint),
            {
                "rule": str(finding.rule),
                "fingerprint": finding.fingerprint,
                "licenses": list(finding.licenses),
                "count": 0,
                "where": [],
                "hashes": list(finding.hashes),
            },
        )
        entry["count"] += 1
        entry["where"].append(f"{finding.path}:{finding.start_line}-{finding.end_line}")
    ordered = [entries[key] for key in sorted(entries)]
    return json.dumps({"schema": SCHEMA, "findings": ordered}, indent=1, ensure_ascii=False) + "\n"
