"""A Debian source package -> a Unit.

In: the path of a `.dsc`, plain or signed in the clear, of format 1.0, 3.0 (native) or 3.0 (quilt), with the files it
lists beside it. Out: the Unit of the `.dsc`, known by its digest (which covers the checksums of all the others), and
in it the Unit of the package: the files of its tarballs and what a `.diff.gz` adds, under the paths that they have
once unpacked. This module refuses to check signatures, and to know of binary packages.

Each listed file is read once to compare it with its checksum, before anything of it is indexed. What `dpkg-source`
would do beside unpacking is not done: patches (those of `debian/patches`, and the changes that a `.diff.gz` makes to
files of the upstream) are not applied, so those files are indexed as the upstream wrote them; each such change in a
`.diff.gz` is a Skipped. A `debian` folder of the upstream's, which 3.0 (quilt) replaces, is one too.

The licence of each file is what `debian/copyright` says of it where that is machine-readable (`licenses/dep5.py`);
else the file is evidence of the whole package.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from codecite.indexer.corpus.containers import Container, open_container
from codecite.indexer.corpus.files import MAX_METADATA, READER, absolute, look_into, printable, too_large
from codecite.indexer.corpus.git import web_url
from codecite.indexer.corpus.identity import purl, repository_url
from codecite.indexer.corpus.leftout import kept
from codecite.indexer.corpus.nearby import Near, Nearby, evidence_of, is_near_file
from codecite.indexer.corpus.patch import added_files
from codecite.indexer.corpus.units import Item, Pending, Reading, Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.licenses import dep5
from codecite.indexer.records import Package, Skipped, SkipReason, SourceFile

COPYRIGHT, CHANGELOG = "debian/copyright", "debian/changelog"

_PIECE = 1 << 20
_SIGNED, _SIGNATURE = "-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNATURE-----"
_CHECKSUMS = {"checksums-sha256": "sha256", "files": "md5"}
_ROLE = re.compile(r".*?(?:\.(?P<kind>orig|debian)(?:-(?P<component>[A-Za-z0-9-]+))?)?\.tar\.[a-z0-9]+")
_FORMATS = {
    "1.0": ({"native"}, {"orig", "diff"}),
    "3.0 (native)": ({"native"},),
    "3.0 (quilt)": ({"orig", "debian"}, {"orig", "component", "debian"}),
}
_LOOKS = re.compile(rb"\A\s*-----BEGIN PGP SIGNED MESSAGE-----|^Checksums-Sha(?:1|256):|^Format: [13]\.0", re.MULTILINE)
_PART = re.compile(rb"^ [0-9A-Fa-f]{32,128} +[0-9]+ +(\S+)[ \t\r]*$", re.MULTILINE)
_TRAILER = re.compile(r"^ -- .*>  ?(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A file that the `.dsc` lists; the checksum is in hexadecimal digits, by the algorithm named."""

    name: str
    size: int
    algorithm: str
    checksum: str
    role: str
    component: str


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the unpacked package: its path there, its size in bytes, and the way to read it."""

    path: str
    size: int
    read: Callable[[], bytes]


def describes_source(head: bytes) -> bool:
    """Whether a file that begins like this is meant to be a `.dsc`; firmware, for one, has others of that name."""
    return _LOOKS.search(head) is not None


def parts_of(content: bytes) -> frozenset[str]:
    """The names of the files that a `.dsc` lists; none if it is meant to be something else."""
    if not describes_source(content):
        return frozenset()
    return frozenset(name.decode("utf-8", "surrogateescape") for name in _PART.findall(content))


def source_package(path: str, reading: Reading, source: str) -> Unit:
    """The Unit of the source package that the `.dsc` at the path describes.

    Raises nothing: what is wrong with the `.dsc`, and a listed file that is missing or is not what the `.dsc` says,
    is a SourceError of its `files()`.
    """
    path = absolute(path)
    try:
        content = _head(path)
        fingerprint = reading.mark(f"{_digest(content)}/{READER}")
    except OSError:
        fingerprint = None  # files() tells
    package = Package(source=source, url=Path(path).as_uri(), fingerprint=fingerprint, container=fingerprint)
    return Unit(package, partial(_unit, path, package, reading))


def _digest(content: bytes) -> str:
    import xxhash

    return f"xxh3:{xxhash.xxh3_128_hexdigest(content)}"


def _head(path: str) -> bytes:
    if not S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - as below
        raise OSError("no regular file")
    with open(path, "rb") as stream:  # noqa: PTH123 - a path need not be UTF-8
        return stream.read(MAX_METADATA)


def _unit(path: str, package: Package, reading: Reading) -> Iterator[Unit]:
    """The one Unit of the package; its files are open until the next is asked for."""
    name = printable(path)
    try:
        content = _head(path)
    except OSError as error:
        raise SourceError(f"{name}: cannot be read ({error.strerror or error}); check the path") from error
    if len(content) == MAX_METADATA:
        raise SourceError(f"{name}: no Debian source package: it has more than {MAX_METADATA:,} bytes; check the path")
    fields = _fields(name, content.decode("utf-8", "replace"))
    with ExitStack() as stack:
        files, skipped = _contents(name, Path(path).parent, _listed(name, fields), stack)
        by_path = {file.path: file for file in files if file.size <= MAX_METADATA}
        changelog, stated = (_text(by_path.get(name)) for name in (CHANGELOG, COPYRIGHT))
        licenses = dep5.parse(stated)
        described = replace(
            package,
            purl=_purl(fields["source"].synopsis, fields["version"].synopsis),
            repository=_repository(fields),
            released=_released(changelog),
            evidence=() if licenses or not stated else evidence_of({COPYRIGHT: stated.encode()}),
            fingerprint=None,
        )
        near = Nearby({at: f.read() for at, f in by_path.items() if is_near_file(at) and at != COPYRIGHT})
        yield Unit(
            described, partial(_items, files, skipped, licenses, near, reading), sum(file.size for file in files)
        )


def _items(
    files: list[_File], skipped: list[Skipped], licenses: dep5.Copyright | None, near: Nearby, reading: Reading
) -> Iterator[Item]:
    yield from skipped
    for found in kept(files, reading.excluded):
        if isinstance(found, Skipped):
            yield found
        elif found.size > reading.max_file_bytes:
            yield too_large(found.path, found.size, reading)
        else:
            stanza = licenses.of(found.path) if licenses else None
            here = near.of(found.path)
            if stanza:
                here = replace(here, evidence=(stanza.evidence, *here.evidence))
            load = partial(_load, found.path, found.read(), here, stanza.copyright if stanza else ())
            yield Pending(found.path, found.size, load)


def _load(path: str, content: bytes, near: Near, notices: tuple[str, ...]) -> SourceFile | Skipped:
    found = look_into(path, content, near)
    return replace(found, copyright=notices) if isinstance(found, SourceFile) and not found.copyright else found


def _fields(name: str, text: str) -> dict[str, dep5.Field]:
    """The fields of a `.dsc`; of a signed one those that the signature covers."""
    if text.startswith(_SIGNED):
        message, end, _ = text.partition(f"\n{_SIGNATURE}")
        if not end:
            raise SourceError(f"{name}: ends before its signature; download it again")
        text = re.sub(r"^- ", "", message.replace("\r\n", "\n").partition("\n\n")[2], flags=re.MULTILINE)
    found = dep5.paragraphs(text)
    missing = [field for field in ("Format", "Source", "Version") if not (found and field.lower() in found[0])]
    if missing:
        raise SourceError(f"{name}: no Debian source package: no field {', '.join(missing)}; download it again")
    return found[0]


def _listed(name: str, fields: dict[str, dep5.Field]) -> list[_Listed]:
    """The files that the `.dsc` lists, in its order; SourceError if they are not those that its format has."""
    key = next((key for key in _CHECKSUMS if key in fields), None)
    if key is None:
        raise SourceError(f"{name}: no Debian source package: no field Checksums-Sha256; download it again")
    found: list[_Listed] = []
    for number, line in enumerate(fields[key].lines, fields[key].line):
        words = line.split()
        if words:
            if len(words) != 3 or not words[1].isdecimal() or "/" in words[2]:
                raise SourceError(f"{name}: line {number} is no checksum, size and name ({line}); download it again")
            found.append(_Listed(words[2], int(words[1]), _CHECKSUMS[key], words[0].lower(), *_role(words[2])))
    stated = fields["format"].synopsis
    if stated not in _FORMATS:
        raise SourceError(f"{name}: the format {stated} is not read, only {', '.join(_FORMATS)}; unpack it")
    roles = [file.role for file in found if file.role not in ("signature", "component")]
    parts = {file.role for file in found} - {"signature"}
    if parts not in _FORMATS[stated] or len(roles) != len(set(roles)):
        names = ", ".join(file.name for file in found) or "nothing"
        raise SourceError(f"{name}: lists {names}, which is no source package of format {stated}; download it again")
    return found


def _role(name: str) -> tuple[str, str]:
    """What a listed file is to the package, and the name of its component if it is one."""
    if name.endswith(".asc"):
        return "signature", ""
    if name.endswith(".diff.gz"):
        return "diff", ""
    found = _ROLE.fullmatch(name)
    if not found:
        return "unknown", ""
    component = found["component"] or ""
    return ("component" if component else found["kind"] or "native"), component


def _contents(name: str, folder: Path, listed: list[_Listed], stack: ExitStack) -> tuple[list[_File], list[Skipped]]:
    """The files of the unpacked package, in the order of the `.dsc`, and what is not one of them."""
    files: list[_File] = []
    skipped: list[Skipped] = []
    replaced = {part.component or "debian": part.name for part in listed if part.role in ("component", "debian")}
    for part in listed:
        stream = stack.enter_context(_checked(name, folder, part))
        if part.role == "signature":
            skipped.append(Skipped(part.name, SkipReason.NOT_A_FILE, "a signature, not checked"))
        elif part.role == "diff":
            added, changed = added_files(stream, f"{name}: {part.name}")
            files += [_File(path, len(content), partial(bytes, content)) for path, content in added.items()]
            skipped += [replace(item, path=f"{part.name}/{item.path}") for item in changed]
        else:
            container = stack.enter_context(open_container(stream, f"{name}: {part.name}", size=part.size))
            _add(container, part, replaced if part.role == "orig" else {}, files, skipped)
    return files, skipped


def _add(
    container: Container, part: _Listed, replaced: dict[str, str], files: list[_File], skipped: list[Skipped]
) -> None:
    """The members of a tarball, under the paths that they are unpacked to."""
    top = "" if part.role == "debian" else _top(container)
    prefix = f"{part.component}/" if part.component else ""
    told: set[str] = set()
    skipped += [replace(refused, path=prefix + refused.path.removeprefix(top)) for refused in container.refused]
    for member in container.members:
        path = prefix + member.name.removeprefix(top)
        folder, slash, _ = path.partition("/")
        if not slash or folder not in replaced:
            files.append(_File(path, member.size, partial(container.read, member)))
        elif folder not in told:
            told.add(folder)
            skipped.append(Skipped(f"{folder}/", SkipReason.EXCLUDED, f"replaced by {replaced[folder]}"))


def _top(container: Container) -> str:
    """The one folder that everything in the tarball is in, with its `/`; empty if there is no such folder."""
    names = [member.name for member in container.members]
    names += [refused.path for refused in container.refused if refused.reason is not SkipReason.BAD_PATH]
    tops = {name.partition("/")[0] for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def _checked(name: str, folder: Path, part: _Listed) -> BinaryIO:
    """The listed file, open, after a look at its size and its checksum."""
    again = "download the package again"
    path = folder / part.name
    try:
        if not path.is_file():
            raise SourceError(f"{name}: lists {part.name}, which is not beside it; {again}")
        stream = path.open("rb")
    except (OSError, ValueError) as error:
        raise SourceError(f"{name}: {part.name} cannot be read ({error}); check its permissions") from error
    try:
        size = os.fstat(stream.fileno()).st_size
        if size != part.size:
            raise SourceError(f"{name}: {part.name} has {size:,} bytes where {part.size:,} are listed; {again}")
        digest = hashlib.new(part.algorithm, usedforsecurity=False)
        while piece := stream.read(_PIECE):
            digest.update(piece)
        if digest.hexdigest() != part.checksum:
            raise SourceError(f"{name}: {part.name} has another {part.algorithm} than is listed; {again}")
        stream.seek(0)
    except OSError as error:
        stream.close()
        raise SourceError(f"{name}: {part.name} cannot be read ({error.strerror}); {again}") from error
    except SourceError:
        stream.close()
        raise
    return stream


def _text(file: _File | None) -> str:
    return file.read().decode("utf-8", "replace") if file else ""


def _purl(name: str, version: str) -> str | None:
    found = purl("deb", name, version, "debian")
    return found and f"{found}?arch=source"


def _repository(fields: dict[str, dep5.Field]) -> str | None:
    """Where the package is worked on, else the project's page if that is on a forge."""
    git, browser, home = (
        fields[key].synopsis if key in fields else "" for key in ("vcs-git", "vcs-browser", "homepage")
    )
    return (
        (web_url(git.split()[0]) if git.strip() else None)
        or repository_url(browser)
        or repository_url(home, forges_only=True)
    )


def _released(changelog: str) -> str | None:
    """The day of the changelog's top entry, in UTC; None where there is none, or no such day."""
    found = _TRAILER.search(changelog)
    if not found:
        return None
    try:
        moment = parsedate_to_datetime(found.group(1))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).date().isoformat()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
