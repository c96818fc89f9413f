"""A git repository -> the files of its working tree, and what a change adds to it.

In: a folder in a working tree, revisions. Out: paths, contents, runs of added lines, URLs of remotes. It refuses to
know what is done with them. Only plumbing is run (`ls-files`, `diff-tree`, `diff-index`, `cat-file`, `merge-base`),
without filters, text conversions, hooks, pagers or lazy fetches, so that a repository's configuration starts nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codecite.indexer.corpus.git import web_url
from codecite.indexer.errors import SourceError
from codecite.search_api.scan.patch import added_lines
from codecite.search_api.scan.records import Lines

_OPTIONS = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "diff.external=")
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_KEPT = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
"""What a hook is given of git: `git commit --only` has its own index."""
_PATCH = ("-p", "-U0", "-M", "--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/")
_FILE_MODES = ("100644", "100755")
_NULL = "0" * 40


@dataclass(frozen=True, slots=True)
class Changed:
    """A file that a change adds lines to; `oid` names its new content."""

    path: str
    oid: str
    added: tuple[Lines, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The files that a change adds to, the contents that it replaces, and the paths of what is no file."""

    files: tuple[Changed, ...]
    before: tuple[str, ...]
    others: tuple[tuple[str, str], ...]


class Git:
    """The program, in the working tree around a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *arguments: str, asked: bytes = b"", may_fail: bool = False) -> bytes:
        """What the program answers; SourceError with its complaint where it fails."""
        program = shutil.which("git")
        if program is None:
            raise SourceError(f"{self.root}: this takes the program git; install it")
        outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
        done = subprocess.run(
            (program, *_OPTIONS, *arguments),
            input=asked,
            capture_output=True,
            cwd=self.root,
            env={**outside, **_ENVIRONMENT},
            check=False,
        )
        if done.returncode and not may_fail:
            said = " ".join(done.stderr.decode("utf-8", "replace").split())[:500]
            raise SourceError(f"{self.root}: git {arguments[0]} fails ({said}); see what `git fsck` says there")
        return b"" if done.returncode else done.stdout

    def listed(self) -> list[tuple[str, str]]:
        """The mode (empty where git does not keep it yet) and the path of what is in the tree and not ignored."""
        kept = self.run("ls-files", "-z", "--stage", "--cached")
        found: dict[str, str] = {}
        for entry in kept.split(b"\0"):
            head, _, path = entry.partition(b"\t")
            if path:
                found[os.fsdecode(path)] = head.split(b" ")[0].decode()
        for path in self.run("ls-files", "-z", "--others", "--exclude-standard").split(b"\0"):
            if path:
                found.setdefault(os.fsdecode(path), "")
        return [(mode, path) for path, mode in sorted(found.items())]

    def ignores_itself(self) -> bool:
        """Whether the folder itself is ignored in its repository, as a virtual environment is."""
        return bool(self.run("check-ignore", os.fspath(self.root), may_fail=True))

    def commit(self, revision: str) -> str:
        """The hash of the commit that a revision names."""
        if revision.startswith("-") or "\0" in revision:
            raise SourceError(f"{revision!r} is no revision; name a branch, a tag or a commit")
        answer = self.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", may_fail=True).decode().strip()
        if not answer:
            raise SourceError(
                f"{self.root}: there is no commit at {revision!r}; name one that is there, or fetch it (a shallow "
                f"checkout lacks the older ones: fetch-depth: 0)"
            )
        return answer

    def between(self, base: str, head: str) -> Change:
        """What the commit `head` adds to where it and `base` parted, or to `base` where they share no history."""
        old, new = self.commit(base), self.commit(head)
        parted = self.run("merge-base", old, new, may_fail=True).decode().split()
        old = parted[0] if parted else old
        return self._change(("diff-tree", "-r", "--no-commit-id", "--relative"), (old, new))

    def staged(self) -> Change:
        """What the index adds to the last commit, or to nothing where there is none."""
        head = self.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", may_fail=True).decode().strip()
        empty = self.run("hash-object", "-t", "tree", "--stdin").decode().strip()
        return self._change(("diff-index", "--cached", "--relative"), (head or empty,))

    def _change(self, command: Sequence[str], revisions: Sequence[str]) -> Change:
        name, *options = command
        patch = added_lines(self.run(name, *options, *_PATCH, *revisions, "--"))
        raw = self.run(name, *options, "--raw", "-z", "-M", "--no-abbrev", *revisions, "--").split(b"\0")
        files, before, others = [], [], []
        at = 0
        while at + 1 < len(raw):
            old_mode, mode, old, new, status = raw[at].decode("ascii").lstrip(":").split(" ")
            at += 3 if status[0] in "RC" else 2
            path = os.fsdecode(raw[at - 1])
            if old_mode in _FILE_MODES and old.strip("0"):
                before.append(old)
            if status[0] in "DU":
                continue
            if mode not in _FILE_MODES:
                others.append((mode, path))
            elif patch.get(path):
                files.append(Changed(path, new, tuple(patch[path])))
        return Change(tuple(files), tuple(before), tuple(others))

    def contents(self, oids: Sequence[str]) -> list[bytes]:
        """The contents of blobs, in their order; none of a blob that is not here."""
        if not oids:
            return []
        answer = self.run("cat-file", "--batch", "--buffer", asked="".join(f"{oid}\n" for oid in oids).encode())
        contents, at = [], 0
        for _ in oids:
            end = answer.index(b"\n", at)
            head = answer[at:end].split()
            at = end + 1
            if len(head) < 3:
                contents.append(b"")
                continue
            size = int(head[2])
            contents.append(answer[at : at + size])
            at += size + 1
        return contents

    def remotes(self) -> list[str]:
        """The https URLs of all remotes."""
        answer = self.run("config", "-z", "--get-regexp", r"^remote\..+\.url$", may_fail=True)
        urls = [web_url(line.partition("\n")[2]) for line in answer.decode("utf-8", "replace").split("\0") if line]
        return sorted({url for url in urls if url})


def top_of(folder: Path) -> Path | None:
    """The root of the working tree that a folder lies in; None outside any."""
    if shutil.which("git") is None:
        return None
    try:
        answer = Git(folder).run("rev-parse", "--show-toplevel", may_fail=True)
    except (OSError, SourceError):
        return None
    return Path(os.fsdecode(answer.rstrip(b"\n"))) if answer.strip() else None
