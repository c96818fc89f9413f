"""Licences of wheels and sdists against Debian's `copyright` for the same upstream version.

In: the names of `licenses_pinned.py`, a package index (`pip download`), Debian's archive (`apt-get download`). Out:
lines of figures, each difference with its evidence. It refuses to know how a licence is found.

Of each package the code files are read as `index add` does, and the expression that most of them have is compared with
the one that `copyright` states for most of them. Where `copyright` has it wrong, the package was read by hand.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import fetch
import licenses_pinned
import pinned
from licenses_debian import files_of

from codecite.indexer.licenses import dep5
from codecite.indexer.licenses.effective import disagrees, effective
from codecite.indexer.licenses.expression import normalize, parse
from codecite.indexer.records import NOASSERTION, EvidenceKind, LicenseEvidence

_COPYRIGHT = re.compile(r"\./usr/share/doc/[^/]+/copyright")
_CODE = (".py", ".pyi", ".pyx", ".pxd", ".c", ".h")
_SOME = 400
"""Files of a package that are looked at."""


class Outcome(Enum):
    """How the expression of a package compares; the text is what the table prints."""

    SAME = "the same"
    NAMED = "the same, where the other side names a family or a name of its own"
    VAGUE = "the family only: the package holds no text, and names no more"
    NONE = "NOASSERTION"
    CONFLICT = "another, with the conflict shown"
    WRONG = "another, and silent"


@dataclass(frozen=True, slots=True)
class Compared:
    """One package: what was found for most of its files, what is stated, how they compare, and the evidence."""

    name: str
    found: str
    stated: str
    outcome: Outcome
    evidence: tuple[LicenseEvidence, ...]


def lines(examples: int) -> list[str]:
    """Fetch what is missing, compare, count."""
    entries = [line.split() for line in licenses_pinned.PACKAGES.split("\n") if line]
    done: list[Compared] = []
    missing: list[str] = []
    for debian, wanted, *form in entries:
        copyright, archive = fetch_copyright(debian), fetch_archive(wanted, sdist=bool(form))
        stated = dep5.parse(copyright.decode("utf-8", "replace")) if copyright else None
        if stated is None or archive is None:
            missing.append(wanted)
            continue
        done.append(compare(wanted.partition("==")[0], archive, stated))
    counts = Counter(one.outcome for one in done)
    right = sum(counts[outcome] for outcome in (Outcome.SAME, Outcome.NAMED, Outcome.VAGUE))
    shown = right + counts[Outcome.NONE] + counts[Outcome.CONFLICT]
    total = max(len(done), 1)
    out = [
        f"{len(done)} packages, {sum(bool(form) for _, _, *form in entries)} of them sdists; not to be had: {missing}",
        *(f"  {counts[outcome]:4}  {outcome.value}" for outcome in Outcome),
        f"right: {right / total:.1%}; right, NOASSERTION or conflict shown: {shown / total:.1%}; "
        f"NOASSERTION: {counts[Outcome.NONE] / total:.1%}; wrong and silent: {counts[Outcome.WRONG]}",
    ]
    for outcome in list(Outcome)[1:]:
        for one in [one for one in done if one.outcome is outcome][:examples]:
            out.append(f"-- {one.name}: found {one.found}, stated {one.stated} ({outcome.value})")
            if outcome not in (Outcome.NAMED, Outcome.VAGUE):
                out += [f"     {e.kind}: {e.expression}, {e.where}: {_short(e.text)}" for e in one.evidence]
    out += [
        f"-- {name} read by hand: {stated}; {place}" for name, (stated, place) in licenses_pinned.READ_BY_HAND.items()
    ]
    return out


def compare(name: str, archive: Path, copyright: dep5.Copyright) -> Compared:
    """The expression of most code files against the stated one of most."""
    found: Counter[str] = Counter()
    stated: Counter[str] = Counter()
    conflicts: Counter[str] = Counter()
    evidence: dict[str, tuple[LicenseEvidence, ...]] = {}
    for package, file in files_of(str(archive)):
        path = file.path.partition("/")[2] if archive.suffix == ".gz" else file.path
        if not path.endswith(_CODE) or ".dist-info/" in path or found.total() == _SOME:
            continue
        license = effective(file.evidence, package.evidence)
        found[license] += 1
        conflicts[license] += disagrees(license, (*file.evidence, *package.evidence))
        evidence.setdefault(license, (*file.evidence, *package.evidence))
        stated[_stated(path, copyright)] += 1
    license = found.most_common(1)[0][0] if found else NOASSERTION
    truth = stated.most_common(1)[0][0] if stated else NOASSERTION
    if name in licenses_pinned.READ_BY_HAND:
        truth = licenses_pinned.READ_BY_HAND[name][0]
    outcome = _outcome(license, truth, conflict=conflicts[license] * 2 > found[license])
    return Compared(name, license, truth, outcome, evidence.get(license, ()))


def _stated(path: str, copyright: dep5.Copyright) -> str:
    """What `copyright` says of a file, which may lie in a folder of the source that the wheel has not."""
    places = [copyright.of(f"{folder}{path}") for folder in ("", "src/", "lib/")]
    own = [stanza for stanza in places if stanza is not None and stanza is not copyright.stanzas[0]]
    stanza = next(iter([*own, *filter(None, places)]), None)
    return (stanza.evidence.expression if stanza else None) or NOASSERTION


def _outcome(found: str, stated: str, *, conflict: bool) -> Outcome:
    if found == stated:
        return Outcome.SAME
    if found == NOASSERTION:
        return Outcome.NONE
    ours = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, _usual(found), "", "")
    if not disagrees(_usual(stated), [ours]) and _shape(_usual(stated)) == _shape(_usual(found)):
        return Outcome.VAGUE if "LicenseRef-" in found else Outcome.NAMED
    return Outcome.CONFLICT if conflict else Outcome.WRONG


def _usual(expression: str) -> str:
    """Debian's own names of BSD licences (`BSD-3-clause-Author`) as the licence's."""
    usual = re.sub(r"LicenseRef-BSD-([23])-[\w-]+", r"BSD-\1-Clause", expression, flags=re.IGNORECASE)
    return normalize(usual) or expression


def _shape(expression: str) -> tuple[str, int]:
    """Operator and number of licences: what agrees in names but not in these does not say the same."""
    tree = parse(expression)
    return ("", 1) if tree is None else (tree.operator, len(tree.leaves))


def _short(text: str) -> str:
    return " ".join(text.split())[:100]


def fetch_copyright(debian: str) -> bytes | None:
    """The `copyright` of a Debian package, fetched once; None if it is not to be had."""
    folder = pinned.cache() / "debian" / "copyright"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / debian
    if not kept.exists():
        fetch.say(f"fetching {debian}")
        subprocess.run(["apt-get", "download", "-q", debian], cwd=folder, capture_output=True)
        content = b""
        for deb in folder.glob(f"{debian}_*.deb"):
            content = _member(deb)
            deb.unlink()
        kept.write_bytes(content)
    return kept.read_bytes() or None


def _member(deb: Path) -> bytes:
    unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(deb)], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        for member in archive:
            if _COPYRIGHT.fullmatch(member.name) and member.isfile():
                stream = archive.extractfile(member)
                return stream.read() if stream else b""
    return b""


def fetch_archive(wanted: str, *, sdist: bool) -> Path | None:
    """The wheel or sdist, fetched once; None if it is not to be had. To fetch an sdist pip runs its `setup.py`."""
    folder = pinned.cache() / ("sdists" if sdist else "license-wheels")
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / wanted
    if not kept.exists():
        fetch.say(f"fetching {wanted}")
        target = ("--no-binary=:all:",) if sdist else pinned.WHEEL_TARGET
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            *target,
            "--dest",
            str(kept),
            wanted,
        ]
        subprocess.run(command, capture_output=True)
    return next(iter(sorted(kept.glob("*"))), None) if kept.is_dir() else None
