"""A wheel -> a Unit.

In: the path of a `.whl` file. Out: a Unit with what its metadata declares, whose files come in the archive's order,
under their paths in the archive. This module refuses to unpack anything to disk, and to install.
"""

from __future__ import annotations

import email
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path

from codecite.indexer.config import IndexConfig
from codecite.indexer.corpus.files import HEAD, absolute, printable, read_stream
from codecite.indexer.corpus.python import license_files, package
from codecite.indexer.corpus.units import Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Skipped, SkipReason, SourceFile

_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, RuntimeError, ValueError)
"""What zipfile and the decompressors raise on archives that are not what they say."""

_ENCRYPTED = 0x1


def wheel(path: str, config: IndexConfig) -> Unit:
    """The Unit of a wheel.

    Raises SourceError if the file is no complete zip archive or holds no metadata; its `files()` raises it at a
    member whose content does not agree with its checksum.
    """
    path = absolute(path)
    with _opened(path) as archive:
        names = archive.namelist()
        info = _info_folder(path, names)
        message = _metadata(path, archive, f"{info}/METADATA")
        kept = [(name, _read(path, archive, name, HEAD)) for name in license_files(message, info, names)]
        record = f"{info}/RECORD"
        described = package(
            message,
            source=printable(path),
            url=Path(path).as_uri(),
            record=_read(path, archive, record) if record in names else None,
            licenses=kept,
        )
        sizes = [member.file_size for member in archive.infolist()]

    def files() -> Iterator[SourceFile | Skipped]:
        with _opened(path) as archive:
            for member in archive.infolist():
                if not member.filename.endswith("/"):
                    yield _member(path, archive, member, config)

    return Unit(described, files, sum(size for size in sizes if size <= config.max_file_bytes))


@contextmanager
def _opened(path: str) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise SourceError(f"{printable(path)}: not a complete wheel ({error}); download or build it again") from error
    with archive:
        yield archive


def _info_folder(path: str, names: list[str]) -> str:
    """The one `NAME-VERSION.dist-info` folder at the top of the archive."""
    folders = [name[: -len("/METADATA")] for name in names if name.endswith(".dist-info/METADATA")]
    top = [folder for folder in folders if "/" not in folder]
    if len(top) != 1:
        found = f"{len(top)} folders" if top else "no folder"
        raise SourceError(f"{printable(path)}: not a wheel: {found} NAME-VERSION.dist-info with METADATA at its top")
    return top[0]


def _metadata(path: str, archive: zipfile.ZipFile, name: str) -> Message:
    return email.message_from_string(_read(path, archive, name).decode("utf-8", "replace"))


def _read(path: str, archive: zipfile.ZipFile, name: str, size: int = -1) -> bytes:
    try:
        with archive.open(name) as stream:
            return stream.read(size)
    except _DAMAGE as error:
        raise _damaged(path, name, error) from error


def _member(path: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, config: IndexConfig) -> SourceFile | Skipped:
    name = printable(member.filename)
    if not name or name.startswith("/") or ".." in name.split("/"):
        return Skipped(name, SkipReason.BAD_PATH, "no path inside the wheel")
    if stat.S_ISLNK(member.external_attr >> 16):
        return Skipped(name, SkipReason.NOT_A_FILE, "a symbolic link")
    if member.flag_bits & _ENCRYPTED:
        return Skipped(name, SkipReason.ENCRYPTED)
    try:
        with archive.open(member) as stream:
            return read_stream(stream, member.file_size, name, config)
    except NotImplementedError as error:
        return Skipped(name, SkipReason.UNREADABLE, str(error))
    except _DAMAGE as error:
        raise _damaged(path, name, error) from error


def _damaged(path: str, name: str, error: Exception) -> SourceError:
    return SourceError(f"{printable(path)}: member {name} is damaged ({error}); download or build the wheel again")
