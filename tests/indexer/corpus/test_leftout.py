"""What is excluded is left out and told of once."""

from __future__ import annotations

from dataclasses import dataclass

from codecite.indexer.corpus.leftout import kept
from codecite.indexer.records import Skipped, SkipReason


@dataclass(frozen=True)
class Entry:
    """A listed file."""

    path: str


def test_the_outermost_excluded_folder_is_told_of_once_and_never_asked_into() -> None:
    """Also where its files do not come one behind the other."""
    asked: list[str] = []

    def excluded(path: str) -> bool:
        asked.append(path)
        return path in ("a/b/", "a/b/c/", "x.min.js", "z/")

    paths = ["a/b/c/1", "a/2", "x.min.js", "a/b/3", "a/d/b/4", "z/5", "6"]
    assert list(kept([Entry(path) for path in paths], excluded)) == [
        Skipped("a/b/", SkipReason.EXCLUDED),
        Entry("a/2"),
        Skipped("x.min.js", SkipReason.EXCLUDED),
        Entry("a/d/b/4"),
        Skipped("z/", SkipReason.EXCLUDED),
        Entry("6"),
    ]
    assert asked == ["a/", "a/b/", "a/2", "x.min.js", "a/d/", "a/d/b/", "a/d/b/4", "z/", "6"]


def test_a_path_of_many_folders_is_no_trouble() -> None:
    """Hostile archives have them."""
    deep = "d/" * 5000 + "x"
    assert list(kept([Entry(deep)], lambda path: False)) == [Entry(deep)]
