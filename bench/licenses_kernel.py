"""The tags of linux-source-6.1, and its notices with the tags taken out.

In: the unpacked source (`fetch.py`). Out: lines of figures. It refuses to know other sources.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import fetch
import measure
import pinned
from licenses_heads import Judged, judge_head, table

from codecite.indexer.licenses.expression import join
from codecite.indexer.licenses.head import HEAD, read_head

_TAG = b"SPDX-License-Identifier"
_CODE = frozenset([".c", ".h", ".S", ".rs", ".dts", ".dtsi", ".sh", ".py", ".pl", ".y", ".l", ".cc", ".cpp"])


def lines(examples: int) -> list[str]:
    """Fetch the source if need be, read every file, count."""
    cache = pinned.cache()
    cache.mkdir(parents=True, exist_ok=True)
    package = fetch.unpack_linux(cache, None)
    root = cache / "sources" / "linux"
    paths = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    with ProcessPoolExecutor(measure.CORES) as pool:
        read = [one for one in pool.map(_read, paths, chunksize=500) if one]
    tagged = [one for one in read if one[1]]
    code = sum(path.suffix in _CODE for path, _, _ in tagged)
    unread = Counter(text for _, tags, _ in tagged for expression, text in tags if expression is None)
    unlisted = Counter(
        text for _, tags, _ in tagged for expression, text in tags if expression and "Ref-" in expression
    )
    out = [
        f"{package}: {len(paths):,} files, {len(read):,} mention the tag in their head, {len(tagged):,} bear it"
        f" ({code:,} of them code)",
        f"tags that do not normalise: {sum(unread.values()):,}; to a name on no list: {sum(unlisted.values()):,}",
        *(f"  {count:4}  {text}" for text, count in (unread + unlisted).most_common(examples)),
        *(f"  mentioned only: {path.relative_to(root)}" for path, tags, _ in read if not tags),
    ]
    heads = [head for _, _, head in tagged if head is not None]
    relative = [Judged(str(Path(one.path).relative_to(root)), one.stated, one.found, one.outcome) for one in heads]
    return [*out, *table(relative, examples)]


def _read(path: Path) -> tuple[Path, list[tuple[str | None, str]], Judged | None] | None:
    """The tags of a file (expression and text), and its head judged against them; None where no tag is mentioned."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if _TAG not in head:
        return None
    tags = [(tag.expression, tag.text) for tag in read_head(head)[0]]
    stated = join(tuple(expression for expression, _ in tags if expression))
    return path, tags, judge_head(str(path), head, stated) if stated else None
