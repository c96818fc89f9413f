"""An archive -> a Unit.

In: the path of an archive. Out: the Unit of the file, known by the digest of its bytes, and in it the Unit of what it
holds, named by the package's own metadata. This module refuses to know how archives are laid out, and what metadata
look like.

An archive inside an archive is a Unit inside the Unit: a package of its own where its metadata say so
(`file:///outer.zip#inner.jar`), else files of the outer one, under `inner.tar.gz/`. A Unit in it has to be read before
the next item is taken, since the archive around it is open only as long.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from codecite.indexer.corpus.containers import Container, is_archive, is_archive_name, open_container
from codecite.indexer.corpus.describe import describe
from codecite.indexer.corpus.files import READER, absolute, look_into, printable, too_large
from codecite.indexer.corpus.members import Member
from codecite.indexer.corpus.nearby import Nearby, is_license_file
from codecite.indexer.corpus.units import Item, Pending, Reading, Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Package, Skipped, SkipReason

MAX_DEPTH = 4
"""Archives within each other that are read."""

MAX_INNER = 256 << 20
"""Bytes of an archive inside an archive."""

MAX_METADATA = 4 << 20
"""Bytes of a member that are read to learn what an archive is."""

_GEM = {"data.tar.gz", "metadata.gz"}
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an archive was found: the package around it, its own name, the folder it is in if that is on disk, and
    what stands before the paths of its files in a package that it is part of."""

    around: Package
    name: str
    beside: Path | None = None
    within: str = ""
    prefix: str = ""
    depth: int = 1


def archive(path: str, reading: Reading, source: str | None = None) -> Unit:
    """The Unit of an archive. `source` is what was given to `index add`, if that was not the archive itself.

    Raises nothing: what is wrong with the file is a SourceError of its `files()`.
    """
    path = absolute(path)
    name = printable(path)
    digest, size = _digest(path)
    package = Package(source=source or name, url=Path(path).as_uri(), fingerprint=digest, container=digest)

    def files() -> Iterator[Item]:
        try:
            stream = open(path, "rb")  # noqa: SIM115, PTH123
        except OSError as error:
            raise SourceError(f"{name}: cannot be read ({error.strerror}); check the path and its permissions") from error
        with stream, open_container(stream, name, size=os.fstat(stream.fileno()).st_size) as container:
            place = _Place(replace(package, fingerprint=None), Path(path).name, Path(path).parent)
            yield _contents(container, place, reading)

    return Unit(package, files, size)


def _digest(path: str) -> tuple[str | None, int]:
    """The fingerprint of a file and its size; None and 0 if it cannot be read."""
    import xxhash

    digest = xxhash.xxh3_128()
    size = 0
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - a path need not be UTF-8
            while piece := stream.read(_PIECE):
                digest.update(piece)
                size += len(piece)
    except OSError:
        return None, 0
    return f"xxh3:{digest.hexdigest()}/{READER}", size


def _contents(container: Container, place: _Place, reading: Reading) -> Unit:
    """The Unit of what an open archive holds. The SourceError of a member that describes it comes at once."""
    described = _described(container, place)
    if described is not None:
        place = replace(place, around=described, prefix="")
    return Unit(place.around, partial(_files, container, place, reading), sum(item.size for item in container.members))


def _described(container: Container, place: _Place) -> Package | None:
    """The package that the archive is; None for one inside another of which nothing tells."""
    small = {member.name: member for member in container.members if member.size <= MAX_METADATA}
    found = describe(place.name, list(small), lambda name: container.read(small[name]), beside=place.beside)
    commit = container.comment.strip()
    revision = commit if _COMMIT.fullmatch(commit) else None
    if found is None:
        if place.depth > 1:
            return None
        return replace(place.around, revision=revision, released=container.newest)
    url = place.around.url if place.depth == 1 else f"{(place.around.url or '').partition('#')[0]}#{quote(place.within)}"
    return replace(
        place.around,
        purl=found.purl,
        repository=found.repository,
        revision=found.revision or revision,
        released=found.released or container.newest,
        url=url,
        evidence=found.evidence,
    )


def _files(container: Container, place: _Place, reading: Reading) -> Iterator[Item]:
    members = container.members
    licenses = {item.name: container.read(item) for item in members if is_license_file(item.name) and _small(item)}
    near = Nearby(licenses)
    left_out = _LeftOut(reading.excluded)
    inline = _GEM <= {member.name for member in members}
    for refused in container.refused:
        yield replace(refused, path=place.prefix + refused.path)
    for member in members:
        path = place.prefix + member.name
        excluded = left_out.by(path)
        if excluded is not None:
            if excluded:
                yield Skipped(excluded, SkipReason.EXCLUDED)
        elif is_archive_name(member.name):
            inner = replace(
                place,
                name=member.name.rpartition("/")[2],
                beside=None,
                within=f"{place.within}/{member.name}" if place.within else member.name,
                prefix=place.prefix if inline and member.name in _GEM else f"{path}/",
                depth=place.depth + 1,
            )
            yield from _nested(container, member, path, inner, reading)
        elif member.size > reading.max_file_bytes:
            yield too_large(path, member.size, reading)
        else:
            yield Pending(path, member.size, partial(look_into, path, container.read(member), near.of(member.name)))


def _nested(container: Container, member: Member, path: str, place: _Place, reading: Reading) -> Iterator[Item]:
    """What an archive inside an archive gives: a Unit, its error, or the file that it is after all."""
    if member.size > MAX_INNER:
        yield Skipped(path, SkipReason.TOO_LARGE, f"an archive of {member.size:,} bytes, the limit is {MAX_INNER:,}")
        return
    with container.spool(member) as stream:
        if not is_archive(_head(stream)):
            if member.size > reading.max_file_bytes:
                yield too_large(path, member.size, reading)
            else:
                yield Pending(path, member.size, partial(look_into, path, _all(stream)))
            return
        if place.depth > MAX_DEPTH:
            yield Skipped(path, SkipReason.TOO_DEEP, f"archives are read to a depth of {MAX_DEPTH}")
            return
        name = f"{container.name}: {member.name}"
        try:
            inner = open_container(stream, name, size=member.size, allowance=container.allowance)
        except SourceError as error:
            yield error
            return
        with inner:
            try:
                unit = _contents(inner, place, reading)
            except SourceError as error:
                yield error
                return
            yield unit


def _small(member: Member) -> bool:
    return member.size <= MAX_METADATA


def _head(stream: BinaryIO) -> bytes:
    head = stream.read(512)
    stream.seek(0)
    return head


def _all(stream: BinaryIO) -> bytes:
    return stream.read()


class _LeftOut:
    """Which members are left out, where no folder is listed: an excluded folder is told of once."""

    def __init__(self, excluded: Callable[[str], bool]) -> None:
        self._excluded = excluded
        self._folders: dict[str, str | None] = {"": None}

    def by(self, path: str) -> str | None:
        """None for a member that stays; else what is left out, or nothing if that was told of before."""
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            outer = self.by(folder) if folder else None
            raise_ = outer
            self._folders[folder] = raise_
        return None
