"""A package's metadata names its source repository under many labels."""

from __future__ import annotations

import email

import pytest

from codecite.indexer.corpus.python import repository


@pytest.mark.parametrize(
    ("lines", "url"),
    [
        (["Project-URL: Source, https://github.com/pallets/flask/"], "https://github.com/pallets/flask"),
        (["Project-URL: repository, https://github.com/a/b.git"], "https://github.com/a/b"),
        (["Project-URL: Source Code, https://github.com/a/b/tree/main/sub"], "https://github.com/a/b"),
        (["Project-URL: Code, https://gitlab.com/a/b/c/-/tree/main"], "https://gitlab.com/a/b/c"),
        (["Project-URL: GitHub, git+https://user:secret@www.github.com/a/b"], "https://github.com/a/b"),
        (["Project-URL: Source, https://git.example.org/project?h=main"], "https://git.example.org/project"),
        (["Project-URL: Homepage, https://x.example.org", "Home-page: https://codeberg.org/a/b"], None),
        (["Home-page: https://codeberg.org/a/b/"], "https://codeberg.org/a/b"),
        (
            ["Project-URL: Source, https://github.com/onlyowner", "Home-page: https://github.com/a/b"],
            "https://github.com/a/b",
        ),
        (
            ["Project-URL: Homepage, https://github.com/a/b", "Project-URL: Source, https://github.com/c/d"],
            "https://github.com/c/d",
        ),
        (["Project-URL: Documentation, https://github.com/a/b"], None),
        (["Home-page: https://www.example.org/project"], None),
        (["Project-URL: Source, not a url", "Home-page: http://[::1"], None),
        (["Project-URL: Source"], None),
        ([], None),
    ],
)
def test_the_repository_is_found_and_trimmed(lines: list[str], url: str | None) -> None:
    """Branches, folders, credentials and suffixes go; a home page counts only where repositories live."""
    assert repository(email.message_from_string("\n".join(["Name: x", *lines, ""]))) == url
