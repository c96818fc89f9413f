"""What was scanned -> the components in it: which packages its files are copies of, and of which version.

In: Scanned files with their passages. Out: Components, the largest first. It refuses to know of policies.

A file may be that of many packages: of each version that kept it, of each project that carries it along. So no file is
judged by itself. Every release of a package is given the bytes of all files that it may account for, a whole file
(SWHID) more than its passages; the release that accounts for most takes its files, and so on with what is left. A
release that accounts for no whole file needs half of the bytes of a file to be named: what merely shares a function
with a package is not that package. Other releases of the same package that fit as well are named beside it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from codecite.indexer.records import NOASSERTION, Attribution, Origin
from codecite.search_api.scan.records import Component, Scanned

_WHOLE = 1.25
_SHARE = 0.5
_SMALLEST = 150
"""Canonical bytes that a component's files must agree in, at least."""
_NEAR_BEST = 0.98
_CARRIED = 0.5
"""What a place counts where a package carries others along."""
_CARRIES = re.compile(
    r"(?:^|/)_?(?:vendor(?:ed)?|third_?party|extern(?:al)?|node_modules|bundled)(?:/|$)", re.IGNORECASE
)


@dataclass(slots=True)
class _Release:
    """What one release of a package accounts for: for each file how much, and how it was told."""

    origin: Origin
    files: dict[int, tuple[float, str, float]] = field(default_factory=dict)
    licenses: Counter[str] = field(default_factory=Counter)

    def weight(self, left: set[int]) -> float:
        return sum(weight for number, (weight, _, _) in self.files.items() if number in left)


def components_of(files: Sequence[Scanned]) -> tuple[Component, ...]:
    """The components in the files."""
    releases = _releases(files)
    left = {number for release in releases.values() for number in release.files}
    found = []
    while left:
        best = max(
            releases.values(), key=lambda item: (item.weight(left), item.origin.released or "", _key(item.origin))
        )
        if best.weight(left) < _SMALLEST:
            break
        most = _most(releases.values())
        mine = [number for number, (weight, _, _) in best.files.items() if number in left and weight >= most[number]]
        found.append(_component(best, mine, files, releases.values(), left))
        bare = _bare(best.origin)
        left -= set(mine)
        for release in releases.values():
            if _bare(release.origin) == bare:
                left -= {number for number, (weight, _, _) in release.files.items() if weight >= most[number]}
        releases = {key: release for key, release in releases.items() if _bare(release.origin) != bare}
    return tuple(found)


def _most(releases: Iterable[_Release]) -> dict[int, float]:
    """For each file four fifths of what the release says that accounts for most of it."""
    most: dict[int, float] = {}
    for release in releases:
        for number, (weight, _, _) in release.files.items():
            most[number] = max(most.get(number, 0.0), 0.8 * weight)
    return most


def _key(origin: Origin) -> str:
    return origin.purl or f"{origin.repository}@{origin.revision}"


def _bare(origin: Origin) -> str:
    return (origin.purl or "").partition("@")[0] or origin.repository or ""


def _releases(files: Sequence[Scanned]) -> dict[str, _Release]:
    releases: dict[str, _Release] = {}
    for number, file in enumerate(files):
        spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
        origins: dict[str, Origin] = {}
        whole: set[str] = set()
        for passage in file.passages:
            for source in passage.sources:
                origin = source.origin
                if not _bare(origin):
                    continue
                key = _key(origin)
                known = origins.setdefault(key, origin)
                if _CARRIES.search(known.path) and not _CARRIES.search(origin.path):
                    origins[key] = origin
                spans[key].append((passage.match.canonical_start, passage.match.canonical_end))
                if source.swhid == file.swhid:
                    whole.add(key)
                    origins[key] = origin
        for key, origin in origins.items():
            share = 1.0 if key in whole else min(1.0, _covered(spans[key]) / max(1, file.canonical))
            if share < _SHARE:
                continue
            weight = file.canonical * share * (_WHOLE if key in whole else 1.0)
            weight *= _CARRIED if _CARRIES.search(origin.path) else 1.0
            release = releases.setdefault(key, _Release(origin))
            release.files[number] = weight, "file" if key in whole else "passage", share
            release.licenses[origin.license] += 1
    return releases


def _covered(spans: list[tuple[int, int]]) -> int:
    size, end = 0, -1
    for first, last in sorted(spans):
        size += max(0, last - max(first, end))
        end = max(end, last)
    return size


def _component(
    best: _Release, mine: list[int], files: Sequence[Scanned], releases: Iterable[_Release], left: set[int]
) -> Component:
    origin = best.origin
    bare = _bare(origin)
    weight = best.weight(left)
    versions = sorted(
        _version(other.origin) or ""
        for other in releases
        if _bare(other.origin) == bare and other.weight(left) >= _NEAR_BEST * weight
    )
    told = tuple((files[number].path, best.files[number][1], round(best.files[number][2], 4)) for number in mine)
    whole = sum(files[number].canonical for number in mine)
    agreeing = sum(files[number].canonical * best.files[number][2] for number in mine)
    stated = [license for license, _ in best.licenses.most_common() if license != NOASSERTION]
    evidence = next((item for item in origin.evidence if item.expression == origin.license), None)
    return Component(
        purl=origin.purl or "",
        name=bare.rpartition("/")[2],
        version=_version(origin),
        license=stated[0] if stated else NOASSERTION,
        files=told,
        share=round(agreeing / max(1, whole), 4),
        versions=tuple(version for version in versions if version),
        copyright=origin.copyright,
        repository=origin.repository,
        license_evidence=f"{evidence.kind}, {evidence.where}" if evidence else "",
    )


def _version(origin: Origin) -> str | None:
    _, _, version = (origin.purl or "").partition("@")
    return version.partition("?")[0] or origin.revision


def attribution_bytes(passages: Sequence[Attribution]) -> int:
    """The canonical bytes that the passages cover together."""
    return _covered([(item.match.canonical_start, item.match.canonical_end) for item in passages])
