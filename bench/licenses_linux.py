"""The linux source: its tags normalised, and the notices in its heads read with the tags taken out.

In: the files of linux-source. Out: a table. Where the words of a notice cannot give what the tag says, that is a class
of its own, counted and shown, decided by the words alone and not by what was read.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pinned

from codecite.indexer.licenses.expression import normalize, parse
from codecite.indexer.licenses.head import read_head
from codecite.indexer.licenses.notice import read_notice

TAG = re.compile(rb"^.*SPDX-License-Identifier.*\n", re.MULTILINE)


def main(limit: int) -> None:
    """Print both tables."""
    root = pinned.cache() / "sources" / "linux"
    tags = files = unread = 0
    classes: Counter[str] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        content = path.read_bytes()
        if b"SPDX-License-Identifier" not in content[:8192]:
            continue
        files += 1
        evidence, _ = read_head(content)
        tags += len(evidence)
        unread += sum(item.expression is None for item in evidence)
        if len(evidence) != 1 or evidence[0].expression is None:
            continue
        tag = evidence[0].expression
        found = read_notice(TAG.sub(b"", content))
        if found is None:
            continue
        kind = judged(tag, found.expression, content)
        classes[kind] += 1
        if kind in ("wrong", "none"):
            case = tag, str(found.expression)
            wrong[case] += 1
            example.setdefault(case, str(path.relative_to(root)))
    print(f"\nlinux: {files:,} files with a tag, {tags:,} tags, {unread:,} of them not normalised")
    print(f"heads with a notice, the tag taken out: {sum(classes.values()):,}")
    for kind, count in classes.most_common():
        print(f"  {kind:10} {count:7,}")
    judged_ones = classes["right"] + classes["wrong"] + classes["none"]
    print(f"  right of those whose words can tell: {classes['right'] / judged_ones:.2%}")
    for (expected, found_as), count in wrong.most_common(limit):
        print(f"    {count:5,}  {expected}  read as  {found_as}  ({example[expected, found_as]})")


def judged(tag: str, found: str | None, content: bytes) -> str:
    """`right`, `wrong`, `none` (a notice without a licence), or why the words cannot tell what the tag says.

    `exception`: no notice states it. `silent`: the words name no licence of that family at all. `family`: they name
    it without a version, or BSD without clauses; what was read must then be of those families, else it is wrong.
    `later`: the words grant later versions, or do not, and the tag says otherwise.
    """
    words = " ".join(TAG.sub(b"", content[:4096]).decode("latin-1").lower().split())
    if found is None:
        return "none"
    if same(tag, found):
        return "right"
    bare = re.sub(r" WITH [\w.-]+", "", tag)
    if same(bare, found):
        return "exception"
    mine, theirs = families(found), families(bare)
    if any(not NAMES[family].search(words) for family in theirs if family in NAMES):
        return "silent"
    if mine != theirs:
        return "wrong"
    later = "-or-later" in bare
    if any(family in theirs and not NUMBERS[family].search(words) for family in NUMBERS):
        return "family"
    return "later" if later != (LATER.search(words) is not None) else "wrong"


NAMES = {
    "GPL": re.compile(r"\bgpl|general public"),
    "LGPL": re.compile(r"lgpl|lesser|library general"),
    "MIT": re.compile(r"\bmit\b|x11|permission is hereby granted"),
    "BSD": re.compile(r"\bbsd|redistribution and use"),
    "Apache": re.compile(r"apache"),
    "Linux": re.compile(r"openib|redistribution and use"),
    "GFDL": re.compile(r"gfdl|free documentation"),
}
"""How a licence of a family would have to be called."""

NUMBERS = {
    "GPL": re.compile(r"(?:version|gpl)[ ,-]*v?[123]\b|\bv\.? ?[123]\b"),
    "LGPL": re.compile(r"(?:version|gpl)[ ,-]*v?[23]|\bv\.? ?[23]"),
    "BSD": re.compile(r"redistribution and use|clause"),
}
"""What would say which one of the family it is."""

LATER = re.compile(r"(?:any|or) later|and later|later version")


def families(text: str) -> set[str]:
    """The first words of the names in an expression."""
    names = re.split(r"[ ()]+(?:OR|AND)?[ ()]*", text)
    return {name.removeprefix("LicenseRef-").split("-")[0] for name in names if name not in ("", "OR", "AND")}


def same(one: str, other: str) -> bool:
    """Whether two expressions say the same, whatever their order."""
    return _sorted(one) == _sorted(other)


def _sorted(text: str) -> str:
    tree = parse(normalize(text) or text)
    if tree is None or not tree.operator:
        return str(tree or text)
    return f"({f' {tree.operator} '.join(sorted(_sorted(str(part)) for part in tree.parts))})"
