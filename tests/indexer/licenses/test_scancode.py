"""ScanCode reads what our own reader leaves open, in another process; without it a message says what to install."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codecite.indexer import open_index
from codecite.indexer.corpus.files import look_into
from codecite.indexer.errors import ConfigError
from codecite.indexer.licenses.effective import effective
from codecite.indexer.licenses.scancode import ScanCode, is_open
from codecite.indexer.records import EvidenceKind, LicenseEvidence, SourceFile

CODE = b"\nint answer(void)\n{\n    return 42;\n}\n"
SLEEPYCAT = b"/* first */\n/*\n * Licensed to you under the Sleepycat License.\n */\n" + CODE
UNIX_CRYPT = (
    b"/*\n * Copyright (c) 1996 Aki Yoshida. All rights reserved.\n"
    b" * Permission to use, copy, modify and distribute this software\n"
    b" * for non-commercial or commercial purposes and without fee is\n"
    b" * hereby granted provided that this copyright notice appears in\n * all copies.\n */\n" + CODE
)
"""As it stands in Jetty's UnixCrypt.java."""


def file(content: bytes) -> SourceFile:
    """A file as it is read."""
    found = look_into("a.c", content)
    assert isinstance(found, SourceFile)
    return found


@pytest.fixture(scope="module")
def scancode(require: Callable[..., None]) -> object:
    """The real one, some seconds and 1.4 GB."""
    require("licensedcode")
    with ScanCode() as found:
        yield found


def test_what_is_open_is_read_and_says_by_whom(scancode: ScanCode) -> None:
    """With the line and the detector; our own reader knows nothing of it, nor is it imported here."""
    before = file(UNIX_CRYPT)
    assert effective(before.evidence) == "NOASSERTION"
    found = scancode.read(before)
    (evidence,) = found.evidence
    assert evidence.kind is EvidenceKind.FILE_HEADER
    assert evidence.expression == effective(found.evidence) == "UnixCrypt"
    assert evidence.where.startswith("line 3, by ScanCode ")
    assert evidence.text.split()[:3] == ["Permission", "to", "use,"]
    assert "licensedcode" not in sys.modules


def test_what_is_known_or_grants_nothing_is_not_asked_for() -> None:
    """A notice that was read, a tag, a head without a word of licences: the other process is not needed."""
    require_nothing = [
        b"// Licensed under the MIT license.\n",
        b"// SPDX-License-Identifier: Sleepycat\n// See the License for the specific language.\n",
        b"// Nothing is said here.\n",
    ]
    assert not is_open(file(require_nothing[0]).evidence)
    assert not is_open(file(require_nothing[1]).evidence)
    if importlib.util.find_spec("licensedcode") is not None:
        with ScanCode() as idle:
            assert [idle.read(file(one + CODE)) for one in require_nothing] == [
                file(one + CODE) for one in require_nothing
            ]
            assert idle._process is None


def test_a_family_is_named_exactly_where_scancode_can(scancode: ScanCode) -> None:
    """Its exact reading goes before our vague one; one of its own is evidence behind it, and nothing is lost."""
    family = LicenseEvidence(EvidenceKind.FILE_HEADER, "LicenseRef-BSD", "line 1", "bsd")
    plain = SourceFile("a.c", SLEEPYCAT, (family,))
    found = scancode.read(plain)
    assert [item.expression for item in found.evidence] == ["Sleepycat", "LicenseRef-BSD"]
    adobe = (
        b"// Adobe permits you to use, modify, and distribute this file in accordance with the terms\n"
        b"// of the Adobe license agreement accompanying it.\n"
    )
    vague = scancode.read(SourceFile("a.c", adobe, (family,)))
    assert vague.evidence[0] == family
    assert all("LicenseRef-scancode" in str(item.expression) for item in vague.evidence[1:])


def test_an_index_holds_what_scancode_reads(scancode: ScanCode, tmp_path: Path) -> None:
    """`index add --scancode` on a folder, and again on what was added without it."""
    (tmp_path / "src").mkdir()
    for name, content in (("a.c", UNIX_CRYPT), ("b.c", b"// Licensed under the MIT license.\n" + CODE * 3)):
        (tmp_path / "src" / name).write_bytes(content)
    command = [sys.executable, "-m", "codecite.search_api.cli", "index", "add", str(tmp_path / "src"), "--format=json"]
    licenses = []
    for options in ([], ["--scancode", "--sync"]):
        done = subprocess.run(
            [*command, *options, "--index", str(tmp_path / "index")], capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)
        report = open_index(tmp_path / "index").check(UNIX_CRYPT.decode())
        licenses.append({source.origin.license for source in report.attributions[0].sources})
    assert licenses[0] == {"NOASSERTION"}
    assert "UnixCrypt" in licenses[1]


def test_without_scancode_a_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, before anything is read."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "licensedcode" else found(name))
    with pytest.raises(ConfigError, match=r"pip install 'codecite\[scancode\]'"):
        ScanCode()


def test_a_process_that_ends_is_an_error_that_says_so(scancode: ScanCode, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its exit code and its last words."""
    monkeypatch.setattr("codecite.indexer.licenses.scancode._WORKER", "codecite.no_such_worker")
    with ScanCode() as broken, pytest.raises(ConfigError, match=r"exit code 1 .*no_such_worker"):
        broken.read(file(UNIX_CRYPT))
