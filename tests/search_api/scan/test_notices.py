"""What is attributed is no finding, what is not is mended by `--fix`, so that `reuse lint` passes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from oracle.projects import folder_of, functions_of, own_code

PASS = ("--policy", "attribution-only")
RULES = ("verbatim-unattributed", "attribution-missing")


@pytest.fixture(scope="session")
def mit_functions() -> list[str]:
    """Functions of `attrs`, which is MIT."""
    return functions_of("attrs", lines=14)


def rules(read: dict) -> list[str]:
    """The rules of the findings."""
    return [item["rule"] for item in read["findings"]]


def block(text: str, license: str = "MIT", owner: str = "2015 Hynek Schlawack and the attrs contributors") -> str:
    """A text in a REUSE snippet block."""
    head = f"# SPDX-SnippetBegin\n# SPDX-License-Identifier: {license}\n# SPDX-SnippetCopyrightText: {owner}\n"
    return f"{head}{text}# SPDX-SnippetEnd\n"


def test_a_passage_without_a_notice_is_a_finding_that_names_its_owner(repository, scanned, mit_functions) -> None:
    """Both places, the licence with its evidence, what it asks for, the block to add."""
    repository.write("app/x.py", own_code(1) + mit_functions[0])
    (finding,) = scanned(repository.root, *PASS)["findings"]
    assert (finding["rule"], finding["severity"], finding["path"]) == ("verbatim-unattributed", "warning", "app/x.py")
    source = finding["match"]["sources"][0]
    assert source["purl"].startswith("pkg:pypi/attrs@") and source["license"] == "MIT"
    assert source["license_evidence"] and "include-copyright" in source["obligations"]
    assert "SPDX-SnippetBegin" in finding["mend"] and "Hynek Schlawack" in finding["mend"]


def test_a_snippet_block_satisfies_and_one_of_somebody_else_does_not(repository, scanned, mit_functions) -> None:
    """The licence and an owner must be named, around all of the passage."""
    text = mit_functions[0]
    repository.write("app/x.py", own_code(1) + block(text))
    assert rules(scanned(repository.root, *PASS)) == []
    assert scanned(repository.root, *PASS)["satisfied"]
    repository.write("app/x.py", own_code(1) + block(text, owner="2020 Somebody Else"))
    assert rules(scanned(repository.root, *PASS)) == ["attribution-missing"]
    repository.write("app/x.py", own_code(1) + block(text, license="Zlib"))
    assert rules(scanned(repository.root, *PASS)) == ["verbatim-unattributed"]
    repository.write("app/x.py", block(own_code(1)) + text)
    assert rules(scanned(repository.root, *PASS)) == ["verbatim-unattributed"]


def test_a_head_or_a_notice_satisfies(repository, scanned, mit_functions) -> None:
    """The head of the file; a NOTICE above it; the licence file of a vendored folder; a sidecar."""
    text, owner = mit_functions[0], "Copyright (c) 2015 Hynek Schlawack and the attrs contributors"
    repository.write("a.py", f"# {owner}\n# SPDX-License-Identifier: MIT\n{text}")
    repository.write("lib/b.py", text)
    repository.write("lib/NOTICE", f"attrs\n\n{owner}\n\nSPDX-License-Identifier: MIT\n")
    license = next(iter(folder_of("attrs").parent.glob("attrs-*.dist-info/licenses/LICENSE")))
    repository.write("other/deep/c.py", text)
    repository.write("other/LICENSE", license.read_text())
    repository.write("d.py", text)
    repository.write(
        "d.py.license", f"SPDX-FileCopyrightText: 2015 Hynek Schlawack\n\nSPDX-License-Identifier: MIT\n{owner}"
    )
    assert rules(scanned(repository.root, *PASS)) == []


def test_a_denied_passage_is_a_finding_though_it_is_attributed(repository, scanned, gpl_functions) -> None:
    """A notice does not make a licence fit."""
    owner = "2017 Free Software Foundation Europe e.V. <https://fsfe.org>"
    repository.write("app/x.py", block(gpl_functions[0], "GPL-3.0-or-later", owner))
    assert rules(scanned(repository.root, "--policy", "permissive-only")) == ["verbatim-denied"]


def reuse_lint(root: Path) -> subprocess.CompletedProcess[str]:
    """What the REUSE tool says."""
    return subprocess.run(
        [sys.executable, "-m", "reuse", "--root", str(root), "lint"], capture_output=True, text=True, check=False
    )


def test_fix_writes_what_reuse_lint_accepts_and_runs_again_without_a_trace(
    repository, codecite, upstream, scanned, mit_functions
) -> None:
    """Blocks in Python, C and a file in CR LF; entries in NOTICE; texts in LICENSES; the code still compiles."""
    head = "SPDX-FileCopyrightText: 2026 Us\n{0} SPDX-License-Identifier: Apache-2.0\n"
    python, script = head.format("#"), "#!/usr/bin/env python3\n# "
    (repository.root / "app/own.py").write_text(f"# {python}{own_code(1)}")
    (repository.root / "LICENSE").unlink()
    wrapped = "def outer():\n    text = '''\n" + own_code(9, 1) + "'''\n    return text\n\n\n"
    repository.write("app/x.py", f"# {python}{own_code(2)}{mit_functions[0]}\n\n{wrapped}{mit_functions[1]}")
    repository.write("app/run.py", f"{script}{python}{mit_functions[2]}")
    repository.write("app/dos.py", f"# {python}{own_code(3)}{mit_functions[3]}".replace("\n", "\r\n"))
    commented = "".join(f"  {line}\n" for line in mit_functions[4].split("\n"))
    repository.write("app/quoted.c", f"// {head.format('//')}int x;\n/*\n{commented}*/\nint y;\n")
    assert reuse_lint(repository.root).returncode == 1  # the text of Apache-2.0 is missing
    subprocess.run(
        [sys.executable, "-m", "reuse", "--root", str(repository.root), "lint"], capture_output=True, check=False
    )
    from codecite.indexer.licenses.tables import license_text

    listed = license_text("Apache-2.0")
    assert listed is not None
    repository.write("LICENSES/Apache-2.0.txt", listed[1])
    assert reuse_lint(repository.root).returncode == 0, reuse_lint(repository.root).stdout
    assert set(rules(scanned(repository.root, *PASS))) <= set(RULES)
    done = codecite("scan", repository.root, "--fix", *PASS, "--index", upstream)
    assert done.returncode == 0, done.stderr
    assert "wrote app/x.py" in done.stderr and "wrote NOTICE" in done.stderr
    linted = reuse_lint(repository.root)
    assert linted.returncode == 0, linted.stdout
    assert rules(scanned(repository.root, *PASS)) == []
    for path in ("app/x.py", "app/run.py", "app/dos.py"):
        compile((repository.root / path).read_bytes(), path, "exec")
    assert (repository.root / "app/run.py").read_text().startswith("#!/usr/bin/env python3\n")
    dos = (repository.root / "app/dos.py").read_bytes()
    assert dos.count(b"\r\n") == dos.count(b"\n")
    quoted = (repository.root / "app/quoted.c").read_text()
    places = [quoted.index(part) for part in ("SPDX-SnippetBegin", "\n/*\n", "\n*/\n", "SPDX-SnippetEnd")]
    assert places == sorted(places)
    before = {place: place.read_bytes() for place in repository.root.rglob("*") if place.is_file()}
    codecite("scan", repository.root, "--fix", *PASS, "--index", upstream)
    assert before == {place: place.read_bytes() for place in repository.root.rglob("*") if place.is_file()}


def test_fix_leaves_files_without_comments_alone_and_names_their_sources(
    repository, codecite, upstream, scanned, mit_functions
) -> None:
    """A JSON file stays what it is; NOTICE says whose text is in it."""
    import json

    text = json.dumps({"code": mit_functions[0].split("\n")}, indent=1)
    repository.write("data.txt", mit_functions[0])
    repository.write("data.json", text)
    assert codecite("scan", repository.root, "--fix", *PASS, "--index", upstream).returncode == 0
    assert (repository.root / "data.json").read_text() == text
    assert (repository.root / "data.txt").read_text() == mit_functions[0]
    assert "pkg:pypi/attrs@" in (repository.root / "NOTICE").read_text()
    assert rules(scanned(repository.root, *PASS)) == []
