"""A local git repository, at one revision -> a Unit.

In: the path of a repository (with a working tree or bare, a worktree, a submodule), the revision in `Reading`. Out: a
Unit with the files of that revision's tree in git's order, as they were committed. This module refuses to know of the
working tree, of history, and of any remote: nothing is fetched, nothing is written.

Objects are read by the `git` program: `rev-parse` and `cat-file` once each for the commit, then one `ls-tree` and one
`cat-file --batch` for all files. None of them uses a filter, a text conversion, a hook, an alias or a pager; the
repository is named by `--git-dir`, so that git neither searches the folders above nor asks who owns it; the caller's
`GIT_*` variables and the configuration of user and system are left out, and every transport is forbidden, so that a
partial clone cannot have its missing objects fetched by a program that its own configuration names. Objects count as
what their names say: replacements (`git replace`) are not followed, and each content is checked against its hash.

Submodules, symbolic links and pointers of Git LFS are skipped by name: what they stand for is not in the repository.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, cast
from urllib.parse import urlsplit

from codecite.indexer.corpus.describe import declared_by, is_manifest
from codecite.indexer.corpus.files import HEAD, MAX_METADATA, READER, absolute, look_into, printable, too_large
from codecite.indexer.corpus.identity import purl, repository_url
from codecite.indexer.corpus.leftout import kept
from codecite.indexer.corpus.members import MAX_PATH, TOO_LONG
from codecite.indexer.corpus.nearby import Near, Nearby, is_near_file
from codecite.indexer.corpus.units import Item, Pending, Reading, Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.licenses.texts import TEXT_BYTES
from codecite.indexer.records import Package, Skipped, SkipReason, SourceFile

MAX_ENTRIES = 1_000_000
"""Files of a revision: a tree that names itself ten times over, ten times, takes some kilobytes."""

_OPTIONS = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_PURL_TYPES = {"github.com": "github", "bitbucket.org": "bitbucket"}
_SCHEMES = {"git", "git+http", "git+https", "git+ssh", "http", "https", "ssh"}
_SCP = re.compile(r"(?:[^@:/\s]+@)?([^@:/\s]+):(?!//|:)(\S+)")
_LFS = b"version https://git-lfs.github.com/spec/v1\n"
_MAX_LFS = 1024
_PIECE = 64 << 10
_SUBMODULE, _LINK = "160000", "120000"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of `git ls-tree`; the size is None of what is no blob."""

    mode: str
    oid: str
    size: int | None
    path: str


def is_repository(path: str) -> bool:
    """Whether a git repository lies at the path itself: a working tree with its `.git`, or a bare one."""
    root = Path(path)
    try:
        bare = (root / "HEAD").is_file() and (root / "objects").is_dir() and (root / "refs").is_dir()
        return bare or (root / ".git" / "HEAD").is_file() or (root / ".git").is_file()
    except (OSError, ValueError):
        return False


def repository(path: str, reading: Reading, source: str) -> Unit:
    """The Unit of the tree at `reading.revision` (`HEAD` if that is None) of the repository at the path.

    Its fingerprint is the commit's hash. Raises SourceError without a `git` program, for a revision that is not
    there and for a damaged commit; `files()` raises it for objects that are missing or damaged, and so does the
    `load` of a file whose content is not what its hash says.
    """
    git = _Git(absolute(path))
    revision = reading.revision or "HEAD"
    commit = _commit(git, revision)
    remote = _remote(git)
    fingerprint = reading.mark(f"git:{commit}/{READER}")
    described = Package(
        source=source,
        purl=_purl(remote, commit),
        repository=remote,
        revision=commit,
        released=_released(git.run("cat-file", "commit", commit)),
        url=Path(git.path).as_uri(),
        fingerprint=fingerprint,
        container=fingerprint,
    )
    return Unit(described, partial(_files, git, commit, reading))


def web_url(remote: str) -> str | None:
    """The https URL of what a remote's URL names, without credentials; None for a path on this machine.

    >>> web_url("git@github.com:owner/name.git"), web_url("https://user:secret@example.org:8443/x.git")
    ('https://github.com/owner/name', 'https://example.org:8443/x')
    """
    scp = _SCP.fullmatch(remote)
    if scp:
        return repository_url(f"https://{scp.group(1).lower()}/{_bare(scp.group(2))}")
    try:
        parts = urlsplit(remote)
        port = parts.port if "http" in parts.scheme else None
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        return None
    host = f"{parts.hostname}:{port}" if port else parts.hostname
    return repository_url(f"https://{host}/{_bare(parts.path)}")


def _bare(path: str) -> str:
    return path.strip("/").removesuffix(".git").rstrip("/")


@dataclass(frozen=True, slots=True)
class _Running:
    """A running `git`, what it answers and, in a file, what it complains of."""

    process: subprocess.Popen[bytes]
    stdout: IO[bytes]
    complaints: IO[bytes]

    def said(self) -> str:
        """Its complaints, on one line; it is ended if it has not."""
        self.process.kill()
        self.process.wait()
        self.complaints.seek(0)
        return " ".join(self.complaints.read(HEAD).decode("utf-8", "replace").split()) or "it says nothing"


class _Git:
    """The `git` program, on one repository."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = printable(path)
        program = shutil.which("git")
        if program is None:
            raise SourceError(f"{self.name}: to read a repository takes the program git; install it")
        inside = Path(path, ".git")
        self._command = (program, f"--git-dir={inside if inside.exists() else path}", *_OPTIONS)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._environment = {**kept, **_ENVIRONMENT}

    @contextmanager
    def started(self, *arguments: str, asked: bytes = b"") -> Iterator[_Running]:
        """The program, running, with so much on its standard input; it does not outlive the block."""
        with ExitStack() as opened:
            try:
                complaints, standard_input = (opened.enter_context(tempfile.TemporaryFile()) for _ in range(2))
                standard_input.write(asked)
                standard_input.seek(0)
                process = subprocess.Popen(
                    (*self._command, *arguments),
                    stdin=standard_input,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    env=self._environment,
                )
            except OSError as error:
                raise SourceError(f"{self.name}: git cannot be started ({error}); make room for it") from error
            opened.enter_context(process)
            opened.callback(process.kill)
            yield _Running(process, cast("IO[bytes]", process.stdout), complaints)

    def run(self, *arguments: str) -> bytes:
        """What the program answers; SourceError with its complaint where it fails."""
        with self.started(*arguments) as running:
            answer = running.stdout.read()
            if running.process.wait():
                raise self.broken(running)
        return answer

    def broken(self, running: _Running) -> SourceError:
        """The SourceError for a repository of which git complains."""
        return SourceError(
            f"{self.name}: git cannot read it ({running.said()}); see what `git fsck` says there, or clone it again"
        )


def _commit(git: _Git, revision: str) -> str:
    """The full hash of the commit that the revision names."""
    if revision.startswith("-") or "\0" in revision:
        raise SourceError(f"{git.name}: {revision!r} is no revision; name a branch, a tag or a commit")
    with git.started("rev-parse", "--verify", f"{revision}^{{commit}}") as running:
        answer = running.stdout.read().decode().strip()
        if running.process.wait():
            raise SourceError(
                f"{git.name}: there is no commit at the revision {revision!r} ({running.said()}); name a branch, a tag "
                f"or a commit that is there, or fetch it (a shallow clone lacks the older ones)"
            )
    return answer


def _remote(git: _Git) -> str | None:
    """The https URL of the remote `origin`, else of the only remote."""
    with git.started("config", "-z", "--get-regexp", r"^remote\..+\.url$") as running:
        answer = running.stdout.read()  # the exit code says only whether there is one
    urls: dict[str, str] = {}
    for line in answer.decode("utf-8", "replace").split("\0"):
        key, _, url = line.partition("\n")
        urls.setdefault(key, url)
    urls.pop("", None)
    chosen = urls.get("remote.origin.url") or (next(iter(urls.values())) if len(urls) == 1 else "")
    return web_url(chosen)


def _purl(repository: str | None, commit: str) -> str | None:
    host, _, path = (repository or "").removeprefix("https://").partition("/")
    owner, _, name = path.partition("/")
    return purl(_PURL_TYPES[host], name, commit, owner) if host in _PURL_TYPES else None


def _released(commit: bytes) -> str | None:
    """The day on which the commit was made, in UTC; None for a date that no calendar has."""
    for line in commit.partition(b"\n\n")[0].split(b"\n"):
        if line.startswith(b"committer "):
            try:
                return datetime.fromtimestamp(int(line.split()[-2]), UTC).date().isoformat()
            except (ValueError, IndexError, OverflowError, OSError):
                return None
    return None


def _files(git: _Git, commit: str, reading: Reading) -> Iterator[Item]:
    entries = list(islice(_entries(git, commit), MAX_ENTRIES + 1))
    if len(entries) > MAX_ENTRIES:
        raise SourceError(
            f"{git.name}: holds more than {MAX_ENTRIES:,} files; if that is no attack, check it out and give the folder"
        )
    licenses = [entry for entry in entries if is_near_file(entry.path) and _readable(entry, reading) is entry]
    manifests = [entry for entry in entries if is_manifest(entry.path) and _readable(entry, reading) is entry]
    found = [
        item if isinstance(item, Skipped) else _readable(item, reading) for item in kept(entries, reading.excluded)
    ]
    wanted = [item for item in found if isinstance(item, _Entry)]
    with closing(_blobs(git, [*licenses, *manifests, *wanted])) as blobs:
        texts = {entry.path: next(blobs)[:TEXT_BYTES] for entry in licenses}
        near = Nearby(texts, packages=declared_by({entry.path: next(blobs)[:MAX_METADATA] for entry in manifests}))
        for item in found:
            if isinstance(item, Skipped):
                yield item
            else:
                content = next(blobs)
                load = partial(_load, git.name, item, content, near.of(item.path))
                yield Pending(item.path, len(content), load)


def _entries(git: _Git, commit: str) -> Iterator[_Entry]:
    """What the tree of the commit holds, folders aside."""
    with git.started("ls-tree", "-r", "-z", "--long", "--full-tree", commit) as running:
        rest = b""
        while piece := running.stdout.read(_PIECE):
            *lines, rest = (rest + piece).split(b"\0")
            for line in lines:
                head, _, path = line.partition(b"\t")
                mode, _, oid, size = head.decode("ascii").split()
                entry = _Entry(mode, oid, int(size) if size.isdecimal() else None, printable(os.fsdecode(path)))
                if entry.size is None and size != "-":
                    raise _missing(git, entry)
                yield entry
        if running.process.wait():
            raise git.broken(running)


def _readable(entry: _Entry, reading: Reading) -> _Entry | Skipped:
    """The entry, or the Skipped of what is no file, too large, or not to be named."""
    if entry.mode == _SUBMODULE:
        return Skipped(entry.path, SkipReason.NOT_A_FILE, f"a submodule, at {entry.oid}; add its own repository")
    if entry.mode == _LINK:
        return Skipped(entry.path, SkipReason.NOT_A_FILE, "a symbolic link")
    if len(entry.path) > MAX_PATH:
        return Skipped(f"{entry.path[:80]}...", SkipReason.BAD_PATH, TOO_LONG)
    if {"", ".", ".."} & set(entry.path.split("/")):
        return Skipped(entry.path, SkipReason.BAD_PATH, "no path inside a tree")
    if entry.size is not None and entry.size > reading.max_file_bytes:
        return too_large(entry.path, entry.size, reading)
    return entry


def _blobs(git: _Git, entries: list[_Entry]) -> Generator[bytes, None, None]:
    """The contents of the entries, in their order."""
    asked = "".join(f"{entry.oid}\n" for entry in entries).encode()
    with git.started("cat-file", "--batch", "--buffer", asked=asked) as running:
        for entry in entries:
            answer = running.stdout.readline().split()
            if len(answer) == 2:
                raise _missing(git, entry)
            size = int(answer[2]) if answer else 0
            content = running.stdout.read(size + 1)
            if not answer or len(content) <= size:
                raise git.broken(running)
            yield content[:-1]


def _missing(git: _Git, entry: _Entry) -> SourceError:
    return SourceError(
        f"{git.name}: {entry.path}: object {entry.oid} is missing; in a partial clone it is elsewhere: clone without "
        f"filter, else see what `git fsck` says"
    )


def _load(name: str, entry: _Entry, content: bytes, near: Near) -> SourceFile | Skipped:
    digest = hashlib.new("sha1" if len(entry.oid) == 40 else "sha256", b"blob %d\0" % len(content))
    digest.update(content)
    if digest.hexdigest() != entry.oid:
        raise SourceError(
            f"{name}: {entry.path}: object {entry.oid} is damaged; see what `git fsck` says, or clone again"
        )
    if len(content) < _MAX_LFS and content.startswith(_LFS):
        return Skipped(entry.path, SkipReason.MISSING, "a Git LFS pointer; the file is not in the repository")
    return look_into(entry.path, content, near)
