"""An archive that somebody sent -> the files in it, and why others are not read.

In: the bytes of an archive. Out: paths with contents, and the Skipped of all the rest; or a SourceError. It refuses to
unpack anything to a path and to know what is asked of the files. Archives inside it are read, too: their files lie
under `inner.zip/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from codecite.indexer.corpus.archive import MAX_DEPTH, MAX_INNER
from codecite.indexer.corpus.containers import Container, is_archive, is_archive_name, open_container
from codecite.indexer.corpus.files import HEAD
from codecite.indexer.corpus.members import Allowance, Member
from codecite.indexer.corpus.units import MAX_FILE_BYTES
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Skipped, SkipReason

Found = tuple[str, bytes] | Skipped


def unpacked(content: bytes, name: str) -> Iterator[Found]:
    """The files of the archive `name`, in its order. Raises SourceError for what is none, or asks for too much."""
    yield from _files(BytesIO(content), name, len(content), Allowance(name, len(content)), "", 1)


def _files(stream: BinaryIO, name: str, size: int, allowance: Allowance, prefix: str, depth: int) -> Iterator[Found]:
    with open_container(stream, name, size=size, allowance=allowance) as container:
        for refused in container.refused:
            yield Skipped(prefix + refused.path, refused.reason, refused.detail)
        for member in container.members:
            yield from _member(container, member, prefix + member.name, depth)


def _member(container: Container, member: Member, path: str, depth: int) -> Iterator[Found]:
    """What a member gives: itself, or the files in it."""
    inside = is_archive_name(path) and is_archive(container.head(member, HEAD))
    limit = MAX_INNER if inside else MAX_FILE_BYTES
    if member.size > limit:
        yield Skipped(path, SkipReason.TOO_LARGE, f"{member.size:,} bytes, the limit is {limit:,}")
    elif not inside:
        yield path, container.read(member)
    elif depth > MAX_DEPTH:
        yield Skipped(path, SkipReason.TOO_DEEP, f"archives are read to a depth of {MAX_DEPTH}")
    elif container.allowance.exceeded:
        yield Skipped(path, SkipReason.TOO_LARGE, "an archive; what is before it expands too far already")
    else:
        with container.spool(member) as stream:
            try:
                yield from _files(stream, path, member.size, container.allowance, f"{path}/", depth + 1)
            except SourceError as error:
                yield Skipped(path, SkipReason.UNREADABLE, str(error))
