"""An archive in a stream -> a Container: its members, and what each of them holds.

In: a stream that can be read at random (a file, or a member of another archive). Out: a Container over zip (so also
wheels, jars, eggs, NuGet packages) and tar, plain or compressed by gzip, bzip2, xz or zstd (so also sdists, npm's
packages, crates, gems). The bytes tell which, not the name. This module refuses to unpack anything to a path, and to
know what the members are.

A compressed tar is expanded once, into memory and beyond SPOOL into a temporary file without a name; members are then
read in any order. Whatever the bytes are, nothing but SourceError is raised, and no more is expanded than
`members.Allowance` says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from types import TracebackType
from typing import BinaryIO, cast

from codecite.indexer.corpus.expand import decoder_of, expanded
from codecite.indexer.corpus.members import Allowance, Listing, Member, incomplete
from codecite.indexer.corpus.tar import BLOCK, begins_tar, list_tar
from codecite.indexer.corpus.zip import MAGIC, list_zip
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Skipped

SPOOL = 64 << 20
"""Bytes that an expanded tar archive holds in memory before it goes to a temporary file."""

ARCHIVES = (
    *(".zip", ".whl", ".jar", ".war", ".aar", ".ear", ".egg", ".nupkg", ".gem", ".crate"),
    *(".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst"),
)
"""How the names of archives end."""


class Container:
    """An open archive; a context manager. One thread at a time may use it.

    `members` are its regular files in the archive's order, `refused` the entries that are none or may not be read,
    `newest` the ISO date of the newest member whose date is plausible, `comment` what the archive says of itself.
    """

    def __init__(self, name: str, listing: Listing, allowance: Allowance, spool: BinaryIO | None = None) -> None:
        self.name = name
        self.allowance = allowance
        self.members: list[Member] = listing.members
        self.refused: list[Skipped] = listing.refused
        self.newest: str | None = listing.newest
        self.comment: str = listing.comment
        self._pieces = listing.pieces
        self._spool = spool

    def __enter__(self) -> Container:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._spool is not None:
            self._spool.close()

    def read(self, member: Member) -> bytes:
        """What the member holds. Raises SourceError where that is not what the archive says of it."""
        return b"".join(self._pieces(member.place))

    def head(self, member: Member, size: int) -> bytes:
        """Its first `size` bytes, or all if it has no more; what follows is not looked at."""
        head = b""
        for piece in self._pieces(member.place):
            head += piece
            if len(head) >= size:
                break
        return head[:size]

    def spool(self, member: Member) -> BinaryIO:
        """The same as an open temporary file, for a member that may be large."""
        return _spooled(f"{self.name}: {member.name}", self._pieces(member.place))


def is_archive_name(name: str) -> bool:
    """Whether a file of this name ought to be an archive."""
    return name.lower().endswith(ARCHIVES)


def is_archive(head: bytes) -> bool:
    """Whether a file that begins with these bytes (512, if it has so many) is compressed or an archive."""
    return head.startswith(MAGIC) or decoder_of(head) is not None or begins_tar(head[:BLOCK])


def open_container(stream: BinaryIO, name: str, *, size: int, allowance: Allowance | None = None) -> Container:
    """The archive of `size` bytes in `stream`, which stays the caller's to close, and open as long as the Container.

    `name` is for messages. `allowance` is that of the archive around this one. Raises SourceError for what is no
    archive, not complete, or asks for more than it may.
    """
    allowance = Allowance(name, size) if allowance is None else allowance
    try:
        stream.seek(0)
        head = stream.read(BLOCK)
    except (OSError, ValueError) as error:
        raise incomplete(name, error) from error
    decoder = decoder_of(head)
    if decoder is not None:
        stream.seek(0)
        plain = _spooled(name, expanded(stream, name, decoder, allowance))
        try:
            return Container(name, _compressed(plain, name, allowance), allowance, plain)
        except SourceError:
            plain.close()
            raise
    if begins_tar(head):
        return Container(name, list_tar(stream, name, size, allowance, whole=False), allowance)
    if not head:
        raise incomplete(name, "it is empty")
    return Container(name, list_zip(stream, name, size, allowance), allowance)


def _compressed(plain: BinaryIO, name: str, allowance: Allowance) -> Listing:
    """What the expanded stream holds; a tar archive without a member is nothing but zeros."""
    length = plain.seek(0, 2)
    plain.seek(0)
    head = plain.read(BLOCK)
    if not begins_tar(head) and head.strip(b"\0"):
        raise SourceError(f"{name}: one compressed file and no archive; expand it first")
    return list_tar(plain, name, length, allowance, whole=True)


def _spooled(name: str, pieces: Iterable[bytes]) -> BinaryIO:
    spool = tempfile.SpooledTemporaryFile(SPOOL)  # noqa: SIM115 - the caller closes it
    try:
        for piece in pieces:
            try:
                spool.write(piece)
            except OSError as error:
                raise SourceError(
                    f"{name}: no room to expand it in {tempfile.gettempdir()} ({error.strerror}); make room, or set "
                    f"TMPDIR to another folder"
                ) from error
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return cast(BinaryIO, spool)
