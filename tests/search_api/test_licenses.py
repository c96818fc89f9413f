"""What an index may hold by its licences, and the figures of what it holds, at the command line."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from codecite.indexer import open_index
from codecite.indexer.licenses.categories import category

HEADS = {
    "a.c": "// SPDX-License-Identifier: MIT\n",
    "b.c": "// SPDX-License-Identifier: GPL-2.0-only\n",
    "c.c": "// SPDX-License-Identifier: GPL-2.0-only OR MIT\n",
    "d.c": "",
}
ISC = (
    "The ISC License\n\nPermission to use, copy, modify, and/or distribute this software for any purpose with or "
    "without fee is hereby granted, provided that the above copyright notice and this permission notice appear in "
    "all copies.\n"
)
BODY = "".join(f"int step_{i}(int value) {{ return value * {i} + {i * i}; }}\n" for i in range(20))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Four files, and a package with a licence file and one file of another licence."""
    root = tmp_path / "tree"
    (root / "near").mkdir(parents=True)
    for name, head in HEADS.items():
        (root / name).write_text(f"{head}// {name}\n{BODY}")
    (root / "near" / "LICENSE").write_text(f"Copyright (c) 2001 Near, Inc.\n\n{ISC}")
    (root / "near" / "e.c").write_text(f"// e\n{BODY}")
    return root


def add(codecite, tree: Path, index: Path, *options: str):
    """`index add` as JSON."""
    return codecite("index", "add", tree, "--index", index, "--format", "json", *options)


def test_what_the_filter_does_not_admit_is_kept_out_and_counted(codecite, tree: Path, tmp_path: Path) -> None:
    """By the effective licence of each file; the index says so in every Report, and holds to it in later additions."""
    index = tmp_path / "index"
    done = add(codecite, tree, index, "--only-licenses", "permissive")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["documents"] == 4
    assert result["skipped"]["license"]["count"] == 2
    assert [example.rpartition(": ")[2] for example in result["skipped"]["license"]["examples"]] == [
        "b.c (GPL-2.0-only)",
        "d.c (NOASSERTION)",
    ]
    report = open_index(index).check(BODY)
    assert report.indexes[0].license_filter == "permissive"
    assert set(report.attributions[0].match.counts.licenses) == {"MIT", "GPL-2.0-only OR MIT", "ISC"}
    (tree / "f.c").write_text("// SPDX-License-Identifier: GPL-3.0-only\n" + BODY)
    again = json.loads(add(codecite, tree, index).stdout)
    assert (again["documents"], again["skipped"]["license"]["count"]) == (0, 3)
    stats = codecite("index", "stats", "--index", index)
    assert "holds only what is under permissive" in stats.stdout
    assert codecite("index", "compact", "--index", index).returncode == 0
    assert open_index(index).coverage[0].license_filter == "permissive"


def test_a_filter_that_is_not_the_index_s_own_is_an_error(codecite, tree: Path, tmp_path: Path) -> None:
    """The corpus would not be what its Reports say of it. The same filter again is none."""
    index = tmp_path / "index"
    assert add(codecite, tree, index).returncode == 0
    refused = add(codecite, tree, index, "--only-licenses", "permissive")
    assert refused.returncode == 2
    assert "any licence" in refused.stderr
    other = tmp_path / "other"
    assert add(codecite, tree, other, "--only-licenses", "MIT,permissive").returncode == 0
    assert add(codecite, tree, other, "--only-licenses", "permissive OR MIT").returncode == 0
    refused = add(codecite, tree, other, "--only-licenses", "MIT")
    assert refused.returncode == 2
    assert "MIT OR permissive" in refused.stderr
    slip = add(codecite, tree, tmp_path / "none", "--only-licenses", "permisive")
    assert slip.returncode == 2
    assert "is permissive meant?" in slip.stderr
    assert not (tmp_path / "none").exists()


def test_stats_count_by_category_and_by_evidence(codecite, tree: Path, tmp_path: Path) -> None:
    """As a Report on all of it does, source by source."""
    index = tmp_path / "index"
    add(codecite, tree, index)
    figures = json.loads(codecite("index", "stats", "--index", index, "--format", "json").stdout)
    sources = {
        source.origin.path: source.origin
        for found in open_index(index).check(BODY, sources=20).attributions
        for source in found.sources
    }
    assert len(sources) == 5
    kinds = Counter(
        next((str(item.kind) for item in origin.evidence if item.expression), "none") for origin in sources.values()
    )
    assert figures["evidence"] == {**kinds, "license_file": kinds["license_file"] + 1}
    assert list(figures["evidence"]) == ["spdx_tag", "license_file", "none"]
    categories = Counter(str(category(origin.license)) for origin in sources.values())
    assert figures["categories"] == {**categories, "permissive": categories["permissive"] + 1}


def test_a_file_without_a_copyright_line_has_that_of_the_licence_file(codecite, tree: Path, tmp_path: Path) -> None:
    """Of the nearest; one with a line of its own keeps it."""
    (tree / "near" / "own.c").write_text(f"// Copyright (c) 2002 Own\n{BODY}")
    index = tmp_path / "index"
    add(codecite, tree, index)
    lines = {
        source.origin.path: source.origin.copyright
        for found in open_index(index).check(BODY, sources=20).attributions
        for source in found.sources
    }
    assert lines["near/e.c"] == ("Copyright (c) 2001 Near, Inc.",)
    assert lines["near/own.c"] == ("// Copyright (c) 2002 Own",)
    assert lines["a.c"] == ()
