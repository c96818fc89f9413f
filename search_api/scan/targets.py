"""What is asked for -> the files to scan: a tree, a list, or what a change adds.

In: a folder or a file, revisions, a diff, a list of names. Out: Targets, with whatever is not scanned named and why. It
refuses to know what is looked for in them.

In a working tree of git, git says what is ignored; elsewhere `.gitignore` files do, by the same rules.
`.codeciteignore` files, written alike, hold everywhere, for changes too. Symbolic links are not followed, submodules
are repositories of their own: both are listed as skipped.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from codecite.indexer.corpus.files import absolute, printable
from codecite.indexer.corpus.patterns import Excludes, read_patterns
from codecite.indexer.errors import ConfigError, SourceError
from codecite.indexer.records import Skipped, SkipReason
from codecite.search_api.scan.git import Change, Git, top_of
from codecite.search_api.scan.patch import content_after, parse_patch, runs_of
from codecite.search_api.scan.records import Target, Targets

OURS = ".codeciteignore"
_GITS = ".gitignore"
_VERSION_CONTROL = {".git", ".hg", ".svn"}
_SUBMODULE, _LINK = "160000", "120000"


class Ignoring:
    """Whether a path below a root is left out by the ignore files of its folder and of those above it."""

    def __init__(self, root: Path, names: tuple[str, ...]) -> None:
        self._root = root
        self._names = names
        self._of = cache(self._read)

    def __call__(self, path: str) -> bool:
        """The path is relative to the root; that of a folder ends in a slash."""
        folder, at = "", 0
        while True:
            for excludes in self._of(folder):
                if excludes(path[len(folder) :]):
                    return True
            at = path.find("/", at) + 1
            if not at or at == len(path):
                return False
            folder = path[:at]

    def _read(self, folder: str) -> tuple[Excludes, ...]:
        found = []
        for name in self._names:
            place = self._root / folder / name
            if place.is_file() and not place.is_symlink():
                patterns = read_patterns(place) if name == OURS else _lenient(place)
                if patterns:
                    found.append(Excludes(patterns))
        return tuple(found)


def _lenient(place: Path) -> list[str]:
    """The patterns of a file that git reads; as git does, what can match nothing is passed over."""
    try:
        lines = place.read_bytes().decode("utf-8", "surrogateescape").split("\n")
    except OSError:
        return []
    patterns = []
    for line in lines:
        pattern = line.removesuffix("\r")
        if pattern.startswith("#") or not pattern.strip(" "):
            continue
        try:
            Excludes([pattern])
        except ConfigError:
            continue
        patterns.append(pattern)
    return patterns


def tree_targets(path: Path) -> Targets:
    """The files of a folder that are not ignored, or one file."""
    if not path.exists():
        raise SourceError(f"{path}: there is nothing here; name a folder or a file to scan")
    if path.is_file():
        root = Path(absolute(os.fspath(path.parent)))
        return Targets(root, (Target(path.name, root / path.name),))
    root = Path(absolute(os.fspath(path)))
    listed = Git(root).listed() if top_of(root) and not Git(root).ignores_itself() else _walked(root)
    return _targets(root, listed)


def listed_targets(root: Path, names: Iterable[str]) -> Targets:
    """The named files; names are relative to the folder that the command was started in, or absolute."""
    base = Path(absolute(os.fspath(root)))
    found: dict[str, str] = {}
    for name in names:
        whole = absolute(name)
        found.setdefault(os.path.relpath(whole, base) if Path(whole).is_relative_to(base) else whole, "")
    return _targets(base, ((mode, path) for path, mode in found.items()), missing=True)


def changed_targets(root: Path, base: str, head: str) -> Targets:
    """What one commit adds to where it parted from another."""
    return _of_change(root, lambda git: git.between(base, head))


def staged_targets(root: Path) -> Targets:
    """What is to be committed."""
    return _of_change(root, lambda git: git.staged())


def patch_targets(root: Path, patch: bytes) -> Targets:
    """What a diff adds, whether or not it was applied to the tree at `root`."""
    base = Path(absolute(os.fspath(root)))
    ignored = Ignoring(base, (OURS,))
    files, skipped, before = [], [], []
    for path, hunks in parse_patch(patch):
        before += [b"\n".join(hunk.old) for hunk in hunks if hunk.old]
        added = tuple(runs_of(hunks))
        if not added:
            continue
        if ignored(path):
            skipped.append(Skipped(printable(path), SkipReason.EXCLUDED))
            continue
        place = base / path
        inside = ".." not in Path(path).parts and not Path(path).is_absolute()
        try:
            current = place.read_bytes() if inside and place.is_file() and not place.is_symlink() else None
        except OSError:
            current = None
        content = content_after(hunks, current)
        files.append(Target(printable(path), content=content, added=added))
    notes = () if files or skipped else ("the diff adds no lines",)
    return Targets(base, tuple(files), tuple(skipped), tuple(before), notes)


def _of_change(root: Path, ask: object) -> Targets:
    base = Path(absolute(os.fspath(root)))
    if top_of(base) is None:
        raise SourceError(f"{root}: lies in no git repository; give --patch a diff, or scan the tree")
    git = Git(base)
    change: Change = ask(git)  # type: ignore[operator]
    ignored = Ignoring(base, (OURS,))
    kept = [item for item in change.files if not ignored(item.path)]
    contents = git.contents([item.oid for item in kept])
    files = [
        Target(printable(item.path), content=content, added=item.added)
        for item, content in zip(kept, contents, strict=True)
    ]
    skipped = [Skipped(printable(item.path), SkipReason.EXCLUDED) for item in change.files if ignored(item.path)]
    skipped += [_no_file(mode, path) for mode, path in change.others]
    notes = () if files or skipped else ("the change adds no lines",)
    return Targets(base, tuple(files), tuple(skipped), tuple(git.contents(change.before)), notes)


def _targets(root: Path, listed: Iterable[tuple[str, str]], *, missing: bool = False) -> Targets:
    ignored = Ignoring(root, (OURS,))
    files, skipped = [], []
    base = os.fspath(root)
    for mode, path in listed:
        name = printable(path)
        try:
            kind = os.lstat(os.path.join(base, path)).st_mode  # noqa: PTH118 - a Path costs more than the call
        except (OSError, ValueError):
            if missing:
                skipped.append(Skipped(name, SkipReason.MISSING, "no such file"))
            continue
        if stat.S_ISLNK(kind):
            skipped.append(_no_file(_LINK, path))
        elif mode == _SUBMODULE or path.endswith("/"):
            skipped.append(_no_file(_SUBMODULE, path))
        elif ignored(path):
            skipped.append(Skipped(name, SkipReason.EXCLUDED))
        elif stat.S_ISREG(kind):
            files.append(Target(name, root / path))
        else:
            skipped.append(Skipped(name, SkipReason.NOT_A_FILE, "a folder, pipe, socket or device"))
    return Targets(root, tuple(files), tuple(skipped))


def _no_file(mode: str, path: str) -> Skipped:
    what = "a symbolic link" if mode == _LINK else "a repository of its own; scan it by itself"
    return Skipped(printable(path.rstrip("/")), SkipReason.NOT_A_FILE, what)


def _walked(root: Path) -> Iterator[tuple[str, str]]:
    """The files of a tree outside git, by its `.gitignore` files."""
    ignored = Ignoring(root, (_GITS,))
    stack = [""]
    while stack:
        folder = stack.pop()
        try:
            with os.scandir(root / folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            text = f"{root / folder}: cannot be listed ({error.strerror}); allow it, or leave it out"
            raise SourceError(text) from None
        inner = []
        for entry in found:
            path = folder + entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _VERSION_CONTROL and not ignored(f"{path}/"):
                    inner.append(f"{path}/")
            elif not ignored(path):
                yield (_LINK if entry.is_symlink() else ""), path
        stack += reversed(inner)
