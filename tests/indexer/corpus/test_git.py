"""A local git repository becomes a Unit of the files that were committed, and runs nothing of its own."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from codecite.indexer.corpus import git as module
from codecite.indexer.corpus.git import is_repository, repository, web_url
from codecite.indexer.corpus.members import TOO_LONG
from codecite.indexer.corpus.units import Pending, Reading
from codecite.indexer.errors import SourceError
from codecite.indexer.records import EvidenceKind, Package, Skipped, SkipReason, SourceFile

WHO = ("-c", "user.name=A. Author", "-c", "user.email=author@example.org", "-c", "protocol.file.allow=always")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


@pytest.fixture(autouse=True)
def _needs_git(require: Callable[..., None]) -> None:
    require("git")


def git(folder: Path, *arguments: str, standard_input: bytes = b"") -> str:
    """What git answers in this folder, without the user's own configuration."""
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_COMMITTER_DATE": "2024-02-29T23:30:00-0200",
        "GIT_AUTHOR_DATE": "2001-01-01T00:00:00+0000",
    }
    done = subprocess.run(
        ["git", *WHO, *arguments], cwd=folder, env=environment, input=standard_input, capture_output=True, check=True
    )
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def commit(folder: Path, files: dict[str, bytes], *options: str) -> str:
    """The hash of a commit with these files, in the repository at the folder, which is made if it is not there."""
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "--quiet", "--initial-branch=main", *options)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=x")
    return git(folder, "rev-parse", "HEAD")


def read(folder: Path, reading: Reading | None = None) -> dict[str, SourceFile | Skipped]:
    """The files of the repository, by their paths."""
    items = repository(os.fspath(folder), reading or Reading(), os.fspath(folder)).files()
    found: dict[str, SourceFile | Skipped] = {}
    for item in items:
        assert isinstance(item, Pending | Skipped)
        found[item.path] = item.load() if isinstance(item, Pending) else item
    return found


def package(folder: Path, reading: Reading | None = None) -> Package:
    """What is said of the repository."""
    return repository(os.fspath(folder), reading or Reading(), "given").package


def marked(found: dict[str, SourceFile | Skipped]) -> dict[str, bytes | SkipReason]:
    """Each path with its content, or why it was skipped."""
    return {path: item.reason if isinstance(item, Skipped) else item.content for path, item in found.items()}


@pytest.fixture(scope="module")
def click(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of a real package, with its licence at the top, and a branch `old` with another first line."""
    folder = tmp_path_factory.mktemp("git") / "click"
    files = importlib.metadata.files("click") or []
    sources = {f"src/{file}": file.locate() for file in files if file.suffix == ".py"}
    license = next(file.locate() for file in files if file.name == "LICENSE.txt")
    content = {name: Path(str(path)).read_bytes() for name, path in sources.items()}
    commit(folder, {**content, "src/click/__init__.py": b"# the older one, of a few bytes\n"})
    git(folder, "branch", "old")
    commit(folder, {**content, "LICENSE.txt": Path(str(license)).read_bytes()})
    git(folder, "remote", "add", "upstream", "https://example.org/other.git")
    git(folder, "remote", "add", "origin", "https://user:secret@github.com/Pallets/Click.git")
    return folder


def test_every_committed_file_comes_with_the_content_that_git_names(click: Path) -> None:
    """Paths are those of `git ls-tree`, and `git hash-object` of each content is its blob."""
    blobs = dict(line.split("\t")[::-1] for line in git(click, "ls-tree", "-r", "HEAD").splitlines())
    found = read(click)
    assert list(found) == list(blobs)
    assert len(found) > 10
    for path, item in found.items():
        assert isinstance(item, SourceFile)
        assert git(click, "hash-object", "--stdin", standard_input=item.content) == blobs[path].split()[2]


def test_a_repository_says_who_it_is(click: Path) -> None:
    """Remote without credentials, purl, commit and the commit's day in UTC; the commit is the fingerprint."""
    head = git(click, "rev-parse", "HEAD")
    found = package(click)
    assert found.repository == "https://github.com/Pallets/Click"
    assert found.purl == f"pkg:github/pallets/click@{head}"
    assert found.revision == head
    assert found.released == "2024-03-01"
    assert found.url == click.as_uri()
    assert found.source == "given"
    assert found.fingerprint == found.container
    assert head in str(found.fingerprint)
    assert "secret" not in repr(found)


def test_the_license_files_near_a_file_are_its_evidence(click: Path) -> None:
    """The one at the top goes with the sources below it."""
    found = read(click)["src/click/core.py"]
    assert isinstance(found, SourceFile)
    assert [(item.kind, item.where) for item in found.evidence] == [(EvidenceKind.LICENSE_FILE, "LICENSE.txt")]


def test_a_revision_is_read_as_it_was_committed(click: Path, tmp_path: Path) -> None:
    """Branches, tags and short hashes name one; the working tree and what it holds do not count."""
    folder = tmp_path / "x"
    git(tmp_path, "clone", "--quiet", os.fspath(click), "x")
    (folder / "src/click/__init__.py").write_bytes(b"changed\n")
    (folder / "new.py").write_bytes(b"new\n")
    git(folder, "tag", "--annotate", "--message=x", "v1", "origin/old")
    old = git(folder, "rev-parse", "origin/old")
    for name in ("v1", "origin/old", old[:10]):
        reading = Reading(revision=name)
        assert package(folder, reading).revision == old
        assert marked(read(folder, reading))["src/click/__init__.py"] == b"# the older one, of a few bytes\n"
    assert marked(read(folder)) == marked(read(click))


def test_bare_repositories_worktrees_and_submodules_are_repositories(click: Path, tmp_path: Path) -> None:
    """A folder within a repository is none; git would look for one above it."""
    git(tmp_path, "clone", "--quiet", "--bare", os.fspath(click), "bare.git")
    git(click, "worktree", "add", "--quiet", "--force", os.fspath(tmp_path / "worktree"), "old")
    outer = tmp_path / "outer"
    commit(outer, {"x.py": b"x\n"})
    git(outer, "submodule", "--quiet", "add", os.fspath(click), "inner")
    added = commit(outer, {})
    for folder in (click, tmp_path / "bare.git", tmp_path / "worktree", outer / "inner"):
        assert is_repository(os.fspath(folder))
        assert "src/click/core.py" in read(folder)
    assert package(tmp_path / "worktree").revision == git(click, "rev-parse", "old")
    assert not is_repository(os.fspath(click / "src"))
    assert not is_repository(os.fspath(click / "no\0path"))
    assert package(outer).revision == added
    inner = read(outer)["inner"]
    assert isinstance(inner, Skipped)
    assert (inner.reason, git(click, "rev-parse", "HEAD") in inner.detail) == (SkipReason.NOT_A_FILE, True)


def test_what_cannot_be_indexed_is_skipped(tmp_path: Path) -> None:
    """Links, pointers, and files too large, empty or binary have their reasons; odd names are kept, printable."""
    commit(
        tmp_path,
        {
            "large.py": b"x" * 1001,
            "most.py": b"x" * 1000,
            "empty.py": b"",
            "binary.so": b"\x7fELF\0",
            "movie.mp4": POINTER,
            os.fsdecode(b"\xff.py"): b"x = 1\n",
            "a\tb\n.py": b"x = 2\n",
        },
    )
    (tmp_path / "link.py").symlink_to("most.py")
    commit(tmp_path, {})
    assert marked(read(tmp_path, Reading(max_file_bytes=1000))) == {
        "large.py": SkipReason.TOO_LARGE,
        "most.py": b"x" * 1000,
        "empty.py": SkipReason.EMPTY,
        "binary.so": SkipReason.BINARY,
        "movie.mp4": SkipReason.MISSING,
        "\\xff.py": b"x = 1\n",
        "a\tb\n.py": b"x = 2\n",
        "link.py": SkipReason.NOT_A_FILE,
    }


def test_what_is_excluded_is_told_of_once(tmp_path: Path) -> None:
    """A folder is left out as a whole."""
    commit(tmp_path, {"vendor/a.py": b"a\n", "vendor/b/c.py": b"c\n", "x.py": b"x\n", "y.min.js": b"y\n"})
    reading = Reading(excluded=lambda path: path in ("vendor/", "y.min.js"))
    assert marked(read(tmp_path, reading)) == {
        "vendor/": SkipReason.EXCLUDED,
        "x.py": b"x\n",
        "y.min.js": SkipReason.EXCLUDED,
    }


def test_files_are_loaded_on_any_thread_after_the_repository_was_read(click: Path) -> None:
    """A Pending holds its bytes."""
    items = list(repository(os.fspath(click), Reading(), "x").files())
    pending = [item for item in items if isinstance(item, Pending)]
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda item: item.load(), pending))
    assert {item.path: item for item in loaded} == read(click)
    assert all(
        item.size == len(got.content) for item, got in zip(pending, loaded, strict=True) if isinstance(got, SourceFile)
    )


def test_repositories_with_sha_256_are_read(tmp_path: Path) -> None:
    """Their hashes have 64 digits."""
    head = commit(tmp_path, {"x.py": b"x = 1\n"}, "--object-format=sha256")
    assert len(head) == 64
    assert package(tmp_path).revision == head
    assert marked(read(tmp_path)) == {"x.py": b"x = 1\n"}


@pytest.mark.parametrize("revision", ["gone", "HEAD:x.py", "-h", "--all", "a b", "x\0y", "HEAD~9"])
def test_a_revision_that_is_not_there_is_named(tmp_path: Path, revision: str) -> None:
    """What looks like an option is no revision either."""
    commit(tmp_path, {"x.py": b"x\n"})
    with pytest.raises(SourceError, match=r"revision.*; name a branch, a tag or a commit") as caught:
        repository(os.fspath(tmp_path), Reading(revision=revision), "x")
    assert repr(revision) in str(caught.value)


def test_a_repository_without_commit_or_without_git_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages say what to do."""
    git(tmp_path, "init", "--quiet")
    with pytest.raises(SourceError, match=r"no commit at the revision 'HEAD'"):
        repository(os.fspath(tmp_path), Reading(), "x")
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(SourceError, match=r"takes the program git; install it"):
        repository(os.fspath(tmp_path), Reading(), "x")


def test_nothing_that_a_repository_configures_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters, conversions, hooks, aliases, pagers and signature programs of its own stay untouched."""
    folder, mark = tmp_path / "x", tmp_path / "mark"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{mark}'\ncat\n")
    program.chmod(0o755)
    commit(folder, {"x.py": b"x = 1\n", ".gitattributes": b"* filter=evil diff=evil text eol=crlf ident\n"})
    places = ("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "gpg.program", "diff.external")
    for key in (*places, "filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "alias.cat-file"):
        git(folder, "config", key, os.fspath(program))
    git(folder, "config", "log.showSignature", "true")
    git(folder, "config", "core.hooksPath", os.fspath(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    commit(elsewhere, {"y.py": b"y = 1\n"})
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_EXEC_PATH"):
        monkeypatch.setenv(name, os.fspath(elsewhere / ".git"))
    found = marked(read(folder))
    assert found["x.py"] == b"x = 1\n"
    assert not mark.exists()


def test_missing_objects_are_named_and_not_fetched(tmp_path: Path) -> None:
    """A partial clone whose remote is a program does not get it run."""
    commit(tmp_path / "full", {"a.py": b"a = 1\n", "b.py": b"b = 1\n"})
    git(tmp_path / "full", "config", "uploadpack.allowFilter", "true")
    url = (tmp_path / "full").as_uri()
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", "--no-checkout", url, "partial")
    partial, mark = tmp_path / "partial", tmp_path / "mark"
    git(partial, "config", "protocol.ext.allow", "always")
    git(partial, "config", "remote.origin.url", f"ext::sh -c touch% {mark}")
    with pytest.raises(SourceError, match=r"partial: "):
        read(partial)
    assert not mark.exists()
    blob = git(tmp_path / "full", "rev-parse", "HEAD:b.py")
    (tmp_path / "full" / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceError, match=rf"full: b\.py: object {blob} is missing"):
        read(tmp_path / "full")


def test_a_shallow_clone_is_read_at_what_it_has(click: Path, tmp_path: Path) -> None:
    """Its older commits are a revision that is not there."""
    git(tmp_path, "clone", "--quiet", "--depth=1", click.as_uri(), "shallow")
    assert marked(read(tmp_path / "shallow")) == marked(read(click))
    with pytest.raises(SourceError, match=r"a shallow clone lacks the older ones"):
        read(tmp_path / "shallow", Reading(revision="HEAD~1"))


def test_a_damaged_object_breaks_the_unit(tmp_path: Path) -> None:
    """Whether git sees it (no zlib stream) or not (a sound one with another content)."""
    commit(tmp_path, {"x.py": b"x = 1\n"})
    blob = git(tmp_path, "rev-parse", "HEAD:x.py")
    place = tmp_path / ".git" / "objects" / blob[:2] / blob[2:]
    place.chmod(0o644)
    place.write_bytes(zlib.compress(b"blob 6\0y = 1\n"))
    with pytest.raises(SourceError, match=rf"x\.py: object {blob} is damaged"):
        read(tmp_path)
    place.write_bytes(b"nothing of the kind")
    with pytest.raises(SourceError, match=r"git fsck"):
        read(tmp_path)


def test_replacements_are_not_followed(tmp_path: Path) -> None:
    """A hash means what was hashed."""
    commit(tmp_path, {"x.py": b"x = 1\n"})
    other = git(tmp_path, "hash-object", "-w", "--stdin", standard_input=b"other\n")
    git(tmp_path, "replace", git(tmp_path, "rev-parse", "HEAD:x.py"), other)
    assert marked(read(tmp_path)) == {"x.py": b"x = 1\n"}


def test_a_repository_of_another_user_is_read(tmp_path: Path) -> None:
    """Since nothing in it is run, it does not matter whose it is."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    commit(tmp_path, {"x.py": b"x = 1\n"})
    for folder in (tmp_path, tmp_path / ".git"):
        os.chown(folder, 65534, 65534)
    assert marked(read(tmp_path)) == {"x.py": b"x = 1\n"}


def test_the_only_remote_counts_where_none_is_called_origin(tmp_path: Path) -> None:
    """Of several nothing is guessed."""
    commit(tmp_path, {"x.py": b"x\n"})
    assert (package(tmp_path).repository, package(tmp_path).purl) == (None, None)
    git(tmp_path, "remote", "add", "a", "git@bitbucket.org:owner/name.git")
    assert str(package(tmp_path).purl).startswith("pkg:bitbucket/owner/name@")
    git(tmp_path, "remote", "add", "b", "https://example.org/b")
    assert package(tmp_path).repository is None


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("https://user:token@gitlab.com/group/sub/name.git", "https://gitlab.com/group/sub/name"),
        ("ssh://git@github.com:22/owner/name.git/", "https://github.com/owner/name"),
        ("git@Example.org:team/name.git", "https://example.org/team/name"),
        ("git://git.example.org/name.git", "https://git.example.org/name"),
        ("http://token@example.org:8080/name", "https://example.org:8080/name"),
        ("/srv/git/name.git", None),
        ("../name", None),
        ("owner/name", None),
        ("file:///srv/name.git", None),
        ("ext::sh -c anything", None),
        ("https://[broken/name", None),
        ("", None),
    ],
)
def test_a_remote_is_written_as_one_https_url(remote: str, expected: str | None) -> None:
    """Without credentials; a path on this machine is none."""
    assert web_url(remote) == expected


def test_a_tree_that_expands_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten names for one tree of ten names for one, and so on: a million files in some objects."""
    folder = tmp_path / "bomb"
    commit(folder, {"a.py": b"x = 1\n"})
    kind, tree = "blob", git(folder, "rev-parse", "HEAD:a.py")
    for _ in range(6):
        mode = "100644" if kind == "blob" else "040000"
        listed = "".join(f"{mode} {kind} {tree}\t{number}\n" for number in range(10))
        kind, tree = "tree", git(folder, "mktree", standard_input=listed.encode())
    git(folder, "reset", "--quiet", "--soft", git(folder, "commit-tree", tree, "-m", "x"))
    monkeypatch.setattr(module, "MAX_ENTRIES", 1000)
    with pytest.raises(SourceError, match=r"bomb: holds more than 1,000 files; .* check it out and give the folder"):
        read(folder)


def test_a_path_that_no_file_system_takes_is_skipped(tmp_path: Path) -> None:
    """Objects may hold it all the same."""
    folder = tmp_path / "deep"
    commit(folder, {"a.py": b"x = 1\n"})
    tree = git(folder, "rev-parse", "HEAD^{tree}")
    name = "d" * 250
    for _ in range(20):
        tree = git(folder, "mktree", standard_input=f"040000 tree {tree}\t{name}\n".encode())
    git(folder, "reset", "--quiet", "--soft", git(folder, "commit-tree", tree, "-m", "x"))
    assert read(folder) == {f"{name[:80]}...": Skipped(f"{name[:80]}...", SkipReason.BAD_PATH, TOO_LONG)}
