"""A jar -> what its pom says of it.

In: the members of a `.jar` (`-sources.jar`, `.war`, `.aar`), and the folder on disk that it lies in. Out: a Described.
This module refuses to know what a pom looks like, and fetches none.

A pom is looked for in the jar (`META-INF/maven/GROUP/ARTIFACT/`), then beside it, where Maven's repositories and
Gradle's cache keep it. A jar into which others were packed carries their poms too, and perhaps none of its own: only
the one whose artifact is named as the jar is believed. Without a pom, the folders of such a repository still tell
group, artifact and version, and the manifest may tell a licence. What a pom leaves out, its parents say, if they are
in the same repository on disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from codecite.indexer.corpus.identity import Described, Members, purl
from codecite.indexer.corpus.parse import MAX_BYTES, fields, properties
from codecite.indexer.corpus.pom import Coordinates, Pom, read_pom
from codecite.indexer.licenses.metadata import from_bundle
from codecite.indexer.records import LicenseEvidence

_SUFFIXES = (".jar", ".war", ".ear", ".aar")
_MANIFEST = "META-INF/MANIFEST.MF"
_POM = re.compile(r"META-INF/maven/[^/]+/([^/]+)/pom\.(?:xml|properties)")
_ROOTS = ("repository", "maven2", "releases")
_GRADLE = "files-2.1"
_MAX_PARENTS = 8
_PLAIN = re.compile(r"\w[\w.+-]*")
"""What may become a part of a path; with anything else a pom could lead out of the repository."""


def describe_maven(members: Members) -> Described | None:
    """What the jar's own pom says, else the one beside it; the manifest's `Bundle-License` is evidence too."""
    if not members.name.lower().endswith(_SUFFIXES):
        return None
    stem = members.name.rpartition(".")[0]
    bundle = _bundle(members)
    named = _inside(members, stem) or (_beside(members.beside, stem) if members.beside else None)
    if named is None:
        return Described(evidence=bundle) if bundle else None
    coordinates, pom = named
    if not coordinates.group and members.beside:
        coordinates = _placed(members.beside.absolute().parts, stem) or coordinates
    if pom and members.beside:
        pom = _inherited(pom, coordinates, members.beside)
    return Described(
        purl=purl("maven", coordinates.artifact, coordinates.version, coordinates.group) if coordinates.group else None,
        repository=pom.repository if pom else None,
        revision=pom.tag if pom else None,
        evidence=(*(pom.evidence if pom else ()), *bundle),
    )


def _inside(members: Members, stem: str) -> tuple[Coordinates, Pom | None] | None:
    """The pom in the jar whose artifact fits the jar's name best (`a-b-1.0` is of `a-b` rather than of `a`)."""
    found = {path: match.group(1) for path in members.paths if (match := _POM.fullmatch(path))}
    fitting = [artifact for artifact in found.values() if f"{stem}-".startswith(f"{artifact}-")]
    if not fitting:
        return None
    best = max(fitting, key=len)
    paths = {path.rpartition("/")[2]: path for path, artifact in found.items() if artifact == best}
    xml, exact = paths.get("pom.xml"), paths.get("pom.properties")
    pom = read_pom(xml, members.read(xml)) if xml else None
    stated = pom.coordinates if pom else Coordinates()
    resolved = properties(exact, members.read(exact)) if exact else {}
    return Coordinates(
        group=resolved.get("groupId") or stated.group,
        artifact=best,
        version=resolved.get("version") or stated.version,
    ), pom


def _beside(folder: Path, stem: str) -> tuple[Coordinates, Pom | None] | None:
    """The pom beside the jar, else what the folders of a repository tell."""
    placed = _placed(folder.absolute().parts, stem)
    for path in _poms(folder, stem, placed):
        content = _content(path)
        if content is not None:
            pom = read_pom(path.name, content)
            return pom.coordinates, pom
    return (placed, None) if placed and placed.group else None


def _placed(folders: tuple[str, ...], stem: str) -> Coordinates | None:
    """The coordinates that `.../GROUP/ARTIFACT/VERSION/` says, or Gradle's `GROUP/ARTIFACT/VERSION/DIGEST/`.

    None where the jar's name says otherwise. The group is empty where nothing tells at which folder it begins.
    """
    if _GRADLE in folders[-5:-4]:
        named = Coordinates(*folders[-4:-1])
    elif len(folders) > 3:
        above = folders[:-2]
        root = max((place + 1 for place, name in enumerate(above) if name in _ROOTS), default=len(above))
        named = Coordinates(".".join(above[root:]), *folders[-2:])
    else:
        return None
    return named if f"{stem}-".startswith(f"{named.artifact}-{named.version}-") else None


def _poms(folder: Path, stem: str, placed: Coordinates | None) -> Iterator[Path]:
    """Where the pom of a jar may lie, likeliest first."""
    if placed is None:
        yield folder / f"{stem}.pom"
        yield folder / f"{stem.removesuffix('-sources')}.pom"
        return
    name = f"{placed.artifact}-{placed.version}.pom"
    yield folder / name
    if _GRADLE in folder.absolute().parts:
        try:
            yield from (sibling / name for sibling in sorted(folder.absolute().parent.iterdir()))
        except OSError:
            return


def _inherited(pom: Pom, coordinates: Coordinates, folder: Path) -> Pom:
    """The pom with the licences and the repository of its nearest parents that have some, where it has none."""
    inside = _folder(coordinates)
    root = folder.absolute()
    if root.parts[-len(inside) :] != inside:
        return pom
    root = root.parents[len(inside) - 1]
    above = pom
    for _ in range(_MAX_PARENTS):
        named = above.parent
        complete = pom.evidence and pom.repository
        if complete or not all(map(_PLAIN.fullmatch, (named.group, named.artifact, named.version))):
            break
        content = _content(root.joinpath(*_folder(named), f"{named.artifact}-{named.version}.pom"))
        if content is None:
            break
        above = read_pom(f"{named.artifact}-{named.version}.pom", content)
        pom = replace(pom, evidence=pom.evidence or above.evidence, repository=pom.repository or above.repository)
    return pom


def _folder(coordinates: Coordinates) -> tuple[str, ...]:
    """The folders in which a repository keeps an artifact."""
    return (*coordinates.group.split("."), coordinates.artifact, coordinates.version)


def _content(path: Path) -> bytes | None:
    """A file beside the jar, None if it is not there; of one that is too long more than may be read."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError):
        return None


def _bundle(members: Members) -> tuple[LicenseEvidence, ...]:
    if _MANIFEST not in members.paths:
        return ()
    manifest = fields(_MANIFEST, members.read(_MANIFEST).replace(b"\r\n", b"\n").replace(b"\n ", b""))
    return from_bundle(str(manifest.get("Bundle-License") or ""))
