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
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

import xxhash

from codecite.indexer.corpus.containers import Container, is_archive, is_archive_name, open_container
from codecite.indexer.corpus.describe import declared_by, describe, is_manifest, top_of
from codecite.indexer.corpus.files import HEAD, MAX_METADATA, READER, absolute, look_into, printable, too_large
from codecite.indexer.corpus.identity import Described
from codecite.indexer.corpus.leftout import kept
from codecite.indexer.corpus.members import Member
from codecite.indexer.corpus.nearby import NOTHING, Near, Nearby, is_near_file
from codecite.indexer.corpus.parse import MAX_BYTES
from codecite.indexer.corpus.units import Item, Pending, Reading, Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.licenses.texts import TEXT_BYTES
from codecite.indexer.records import Package, Skipped, SkipReason

MAX_DEPTH = 4
"""Archives within each other that are read."""

MAX_INNER = 256 << 20
"""Bytes of an archive inside an archive."""

_GEM = {"data.tar.gz", "metadata.gz"}
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an archive was found.

    The package around it, its own name, the folder that it is in if that is on disk, its path in the outermost
    archive; and, should it be a part of that package, what stands before its files' paths, and what is near it.
    """

    around: Package
    name: str
    beside: Path | None = None
    within: str = ""
    prefix: str = ""
    near: Near = NOTHING
    depth: int = 1


@dataclass(frozen=True, slots=True)
class _Found:
    path: str
    member: Member


def archive(path: str, reading: Reading, source: str | None = None) -> Unit:
    """The Unit of an archive. `source` is what was given to `index add`, if that was not the archive itself.

    Raises nothing: what is wrong with the file is a SourceError of its `files()`.
    """
    path, name = absolute(path), printable(absolute(path))
    digest, size = _digest(path)
    digest = None if digest is None else reading.mark(digest)
    package = Package(source=source or name, url=Path(path).as_uri(), fingerprint=digest, container=digest)

    def files() -> Iterator[Item]:
        try:
            stream = open(path, "rb")  # noqa: SIM115, PTH123
        except OSError as error:
            raise SourceError(
                f"{name}: cannot be read ({error.strerror}); check the path and its permissions"
            ) from error
        with stream, open_container(stream, name, size=os.fstat(stream.fileno()).st_size) as container:
            place = _Place(replace(package, fingerprint=None), Path(path).name, Path(path).parent)
            yield _contents(container, place, reading)

    return Unit(package, files, size)


def _digest(path: str) -> tuple[str | None, int]:
    """The fingerprint of a file and its size; None and 0 if it cannot be read."""
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
    by_name = {member.name: member for member in container.members}

    def read(name: str) -> bytes:
        return container.head(by_name[name], MAX_BYTES + 1)

    found = describe(place.name, list(by_name), read, beside=place.beside) or Described()
    commit = container.comment.strip()
    revision = found.revision or (commit if _COMMIT.fullmatch(commit) else None)
    if place.depth == 1 or found.purl is not None:
        url = (place.around.url or "").partition("#")[0]
        package = replace(
            place.around,
            purl=found.purl,
            repository=found.repository,
            revision=revision,
            released=found.released or container.newest,
            url=url if place.depth == 1 else f"{url}#{quote(place.within)}",
            evidence=found.evidence,
        )
        place = replace(place, around=package, prefix="", near=NOTHING)
    elif found.evidence:
        place = replace(place, around=replace(place.around, evidence=(*place.around.evidence, *found.evidence)))
    return Unit(place.around, partial(_files, container, place, reading), sum(item.size for item in container.members))


def _files(container: Container, place: _Place, reading: Reading) -> Iterator[Item]:
    for refused in container.refused:
        yield replace(refused, path=place.prefix + refused.path)
    found = [_Found(place.prefix + member.name, member) for member in container.members]
    licenses = {item.path: container.head(item.member, TEXT_BYTES) for item in found if is_near_file(item.member.name)}
    top = top_of([item.member.name for item in found])
    manifests = {
        item.path: container.head(item.member, MAX_METADATA)
        for item in found
        if is_manifest(item.member.name) and "/" in item.member.name.removeprefix(top)
    }
    near = Nearby(licenses, place.near.evidence, declared_by(manifests))
    said = frozenset(place.around.evidence)
    is_gem = _GEM.issubset(item.member.name for item in found)
    for item in kept(found, reading.excluded):
        if isinstance(item, Skipped):
            yield item
            continue
        here = near.of(item.path)
        here = replace(here, evidence=tuple(one for one in here.evidence if one not in said))
        if is_archive_name(item.path):
            inner = replace(
                place,
                name=item.member.name.rpartition("/")[2],
                beside=None,
                within=f"{place.within}/{item.member.name}".lstrip("/"),
                prefix=place.prefix if is_gem and item.member.name in _GEM else f"{item.path}/",
                near=here,
                depth=place.depth + 1,
            )
            yield from _nested(container, item, inner, reading)
        elif item.member.size > reading.max_file_bytes:
            yield too_large(item.path, item.member.size, reading)
        else:
            yield _pending(item.path, container.read(item.member), here)


def _nested(container: Container, found: _Found, place: _Place, reading: Reading) -> Iterator[Item]:
    """What an archive inside an archive gives: a Unit, its error, or the file that it is after all."""
    path, size = found.path, found.member.size
    if size > MAX_INNER:
        yield Skipped(path, SkipReason.TOO_LARGE, f"an archive of {size:,} bytes, the limit is {MAX_INNER:,}")
        return
    if container.allowance.exceeded:
        yield Skipped(path, SkipReason.TOO_LARGE, "an archive; what is before it expands too far already")
        return
    with container.spool(found.member) as stream:
        head = stream.read(HEAD)
        stream.seek(0)
        if not is_archive(head):
            if size > reading.max_file_bytes:
                yield too_large(path, size, reading)
            else:
                yield _pending(path, stream.read(), place.near)
        elif place.depth > MAX_DEPTH:
            yield Skipped(path, SkipReason.TOO_DEEP, f"archives are read to a depth of {MAX_DEPTH}")
        else:
            with ExitStack() as opened:
                try:
                    inner = open_container(
                        stream, f"{container.name}: {found.member.name}", size=size, allowance=container.allowance
                    )
                    unit = _contents(opened.enter_context(inner), place, reading)
                except SourceError as error:
                    yield error
                else:
                    yield unit


def _pending(path: str, content: bytes, near: Near) -> Pending:
    return Pending(path, len(content), partial(look_into, path, content, near))
