"""What every kind of archive has in common: members, names, dates and limits.

In: the raw names, dates and sizes that an archive states. Out: Members with safe, printable names, the Skipped of
those that are refused, and a SourceError as soon as an archive asks for more than it may. This module refuses to know
how an archive is laid out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from codecite.indexer.errors import SourceError
from codecite.indexer.records import Skipped, SkipReason

MAX_MEMBERS = 500_000
"""Entries that an archive may have, those of archives inside it included."""

FREE_BYTES = 256 << 20
"""Bytes to which anything may expand."""

MAX_RATIO = 100
"""Beyond FREE_BYTES, how many times its own size an archive may expand to."""

PIECE = 1 << 20
"""Bytes that are expanded at a time."""

MAX_PATH = 4096
"""Bytes of a path in a source: no file system takes a longer one, and each folder in it costs."""

_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST_DAY = date(1990, 1, 1).toordinal() - _EPOCH
_INVENTED_DAYS = {day.toordinal() - _EPOCH for day in (date(2006, 7, 24), date(2016, 1, 1), date(2020, 2, 2))}
"""Cargo, poetry and hatch write these days into every archive, so that builds are reproducible. npm, Yarn, Gradle and
others take days before 1990."""

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file of an archive: its path in it (printable, `/` between folders), and its size in bytes.

    `place` is its number among the archive's entries.
    """

    name: str
    size: int
    place: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What an archive holds.

    `pieces(place)` expands the member of that number and raises SourceError where it is not what the archive says of
    it. `newest` is the ISO date of the newest member whose date is plausible; `comment` what the archive says of
    itself (of what `git archive` wrote, the commit).
    """

    members: list[Member]
    refused: list[Skipped]
    newest: str | None
    comment: str
    pieces: Callable[[int], Iterator[bytes]]


TOO_LONG = f"longer than {MAX_PATH:,} bytes"
"""What is wrong with a path beyond MAX_PATH."""


class Allowance:
    """What an outermost archive, with all archives inside it, may still cost.

    `exceeded` says that it was asked for more than is left: what is inside is not looked into any more.
    """

    def __init__(self, name: str, size: int) -> None:
        self.exceeded = False
        self._name = name
        self._bytes = max(FREE_BYTES, MAX_RATIO * size)
        self._members = MAX_MEMBERS
        self._limit = f"{self._bytes:,} bytes"

    def take_members(self, count: int) -> None:
        """So many more entries; SourceError where that is too many."""
        self._members -= count
        if self._members < 0:
            raise self._over(f"holds more than {MAX_MEMBERS:,} entries; unpack it and give the folder")

    def take_bytes(self, count: int) -> None:
        """So many more expanded bytes; SourceError, and nothing is taken, where that is too many."""
        if count > self._bytes:
            raise self._over(
                f"expands to more than {self._limit}, the limit for an archive of its size; if that is no attack, "
                f"unpack it and give the folder"
            )
        self._bytes -= count

    def refuse_ratio(self, expanded: int, read: int) -> None:
        """SourceError where a stream has expanded beyond what is free and MAX_RATIO times what was read of it."""
        if expanded > max(FREE_BYTES, MAX_RATIO * read):
            raise self._over(
                f"expands to more than {MAX_RATIO} times its size; if that is no attack, unpack it and give the folder"
            )

    def _over(self, reason: str) -> SourceError:
        self.exceeded = True
        return SourceError(f"{self._name}: {reason}")


def member_name(raw: bytes) -> tuple[str, str]:
    """The printable path of a member, and what is wrong with it (empty: nothing).

    Bytes that are not UTF-8 stand as `\\xff`. `.` and empty steps go.

    >>> member_name(b"./a//b.c"), member_name(b"../x")
    (('a/b.c', ''), ('../x', 'leads out of the archive'))
    """
    name = raw.decode("utf-8", "backslashreplace")
    if len(raw) > MAX_PATH:
        return f"{name[:80].translate(_CONTROL)}...", TOO_LONG
    shown = name.translate(_CONTROL)
    if shown != name:
        return shown, "holds a control character"
    if name.startswith("/"):
        return name, "an absolute path"
    if b"\\" in raw:
        return name, "holds a backslash"
    steps = [step for step in name.split("/") if step not in ("", ".")]
    if ".." in steps:
        return name, "leads out of the archive"
    if not steps:
        return name, "names no file"
    if len(steps[0]) > 1 and steps[0][1] == ":" and steps[0][0].isalpha():
        return name, "begins with a drive letter"
    return "/".join(steps), ""


def bad_path(name: str, wrong: str) -> Skipped:
    """The Skipped of a member whose name `member_name` complained of."""
    return Skipped(name or "(no name)", SkipReason.BAD_PATH, wrong)


def damaged(archive: str, member: str, reason: object) -> SourceError:
    """The SourceError for a member that is not what its archive says of it."""
    return SourceError(f"{archive}: member {member} is damaged ({reason}); download or build the archive again")


def incomplete(archive: str, reason: object) -> SourceError:
    """The SourceError for what is no archive, or not all of one."""
    return SourceError(f"{archive}: not a complete archive ({reason}); download or build it again")


def newest(days: Iterable[int]) -> str | None:
    """The ISO date of the newest plausible of the given days (counted from 1970-01-01), None if there is none."""
    today = int(time.time()) // _DAY
    plausible = [day for day in days if _FIRST_DAY <= day <= today and day not in _INVENTED_DAYS]
    return datetime.fromtimestamp(max(plausible) * _DAY, UTC).date().isoformat() if plausible else None


def day_of(seconds: int) -> int:
    """The day of a moment given in seconds since 1970."""
    return seconds // _DAY


def day_of_dos(moment: int) -> int:
    """The day of a date as MS-DOS packs it into 16 bits; -1 for one that no calendar has."""
    try:
        return date(1980 + (moment >> 9), moment >> 5 & 15, moment & 31).toordinal() - _EPOCH
    except ValueError:
        return -1
