"""SCANOSS's door, with the client that people use: `scanoss-py scan --apiurl`, run as a program."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from oracle.clients import programs_of, run
from oracle.projects import wheel_of
from oracle.served import Served

from codecite.indexer import open_index
from codecite.indexer.errors import TextError
from codecite.indexer.lookup.wfp import parse_wfp
from codecite.indexer.records import Origin
from codecite.search_api.routes.scanoss import named

PACKAGES = ("click", "packaging")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real wheels."""
    folder = tmp_path_factory.mktemp("wheels")
    for name in PACKAGES:
        wheel_of(name, folder)
    return folder


@pytest.fixture(scope="module")
def held(codecite: Any, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their index, with SCANOSS's fingerprints, in two Segments."""
    directory = tmp_path_factory.mktemp("held") / "index"
    for wheel in sorted(wheels.iterdir()):
        done = codecite("index", "add", wheel, "--scanoss", "--index", directory)
        assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of a package, a part of another, and one's own."""
    import click
    import packaging

    made = tmp_path_factory.mktemp("scanned")
    (made / "vendor").mkdir()
    (made / "vendor" / "core.py").write_bytes((Path(click.__file__).parent / "core.py").read_bytes())
    lines = (Path(packaging.__file__).parent / "version.py").read_text(encoding="utf-8").split("\n")
    head = "import os\n\n\ndef mine(first, second):\n    return first + second\n\n\n"
    (made / "part.py").write_text(head + "\n".join(lines[200:330]) + "\n")
    own = (f"def my_own_function_{i}(argument):\n    return argument * {i * i} - {i}\n" for i in range(60))
    (made / "own.py").write_text("".join(own))
    return made


@pytest.fixture(scope="module")
def client_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for the client."""
    return tmp_path_factory.mktemp("home")


Scan = Callable[[Path, Path], dict[str, Any]]


@pytest.fixture
def scan(client_home: Path, tmp_path: Path) -> Scan:
    """Serve an index, and scan a folder with `scanoss-py`."""
    program = programs_of("scanoss") / "scanoss-py"

    def scanned(index: Path, folder: Path) -> dict[str, Any]:
        out = tmp_path / "out.json"
        with Served("--index", index) as server:
            url = f"{server.url}/scan/direct"
            done = run(program, "scan", "--apiurl", url, folder, "--output", out, home=client_home)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return found

    return scanned


def test_the_scanner_of_scanoss_works_on_our_index(held: Path, tree: Path, scan: Scan, client_home: Path) -> None:
    """Whole files by MD5, snippets by hashes; the client renders both, as a table and as an SBOM that is one."""
    found = scan(held, tree)
    assert {path: [item["id"] for item in items] for path, items in found.items()} == {
        "vendor/core.py": ["file"],
        "part.py": ["snippet"],
        "own.py": ["none"],
    }
    whole, part = found["vendor/core.py"][0], found["part.py"][0]
    md5 = hashlib.md5((tree / "vendor/core.py").read_bytes(), usedforsecurity=False).hexdigest()
    assert (whole["file_hash"], whole["source_hash"]) == (md5, md5)
    assert (whole["purl"], whole["component"], whole["file"]) == (["pkg:pypi/click"], "click", "click/core.py")
    assert (whole["lines"], whole["oss_lines"], whole["matched"]) == ("all", "all", "100%")
    assert "BSD-3-Clause" in [item["name"] for item in whole["licenses"]]
    assert part["purl"] == ["pkg:pypi/packaging"]
    assert part["source_hash"] == hashlib.md5((tree / "part.py").read_bytes(), usedforsecurity=False).hexdigest()
    assert part["file"] == "packaging/version.py"
    for mine, theirs in zip(part["lines"].split(","), part["oss_lines"].split(","), strict=True):
        first, last = map(int, mine.split("-"))
        begin, end = map(int, theirs.split("-"))
        # The part begins behind 7 lines of one's own, with line 201 of the file.
        assert (begin - first, end - last) == (193, 193)
        assert 8 <= first <= last <= 138
    for item in (whole, part):
        assert item["status"] == "pending"
        assert item["server"]["version"]
        assert item["server"]["kb_version"]["daily"]
    program = programs_of("scanoss") / "scanoss-py"
    results = client_home / "results.json"
    results.write_text(json.dumps(found))
    table = run(program, "convert", "--input", results, "--format", "csv", home=client_home)
    rows = list(csv.DictReader(io.StringIO(table.stdout)))
    assert {(row["path"], row["detected_usage"], row["detected_purls"]) for row in rows} == {
        ("vendor/core.py", "file", "pkg:pypi/click"),
        ("part.py", "snippet", "pkg:pypi/packaging"),
    }
    place = client_home / "bom.json"
    done = run(program, "convert", "--input", results, "--format", "cyclonedx", "--output", place, home=client_home)
    assert done.returncode == 0, done.stderr
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_4).validate_str(place.read_text(encoding="utf-8")) is None
    components = {item["purl"]: item for item in json.loads(place.read_text(encoding="utf-8"))["components"]}
    assert set(components) == {"pkg:pypi/click", "pkg:pypi/packaging"}


def test_an_index_without_these_fingerprints_says_so_and_knows_whole_files(
    codecite: Any, wheels: Path, tree: Path, scan: Scan, tmp_path: Path
) -> None:
    """Nothing is invented; adding with --scanoss later makes them for what is there already, too."""
    directory = tmp_path / "plain"
    assert codecite("index", "add", wheels, "--index", directory).returncode == 0
    found = scan(directory, tree)
    assert {path: items[0]["id"] for path, items in found.items()} == {
        "vendor/core.py": "file",
        "part.py": "none",
        "own.py": "none",
    }
    assert "no SCANOSS fingerprints" in found["part.py"][0]["server"]["notes"][0]
    assert codecite("index", "add", wheels, "--scanoss", "--index", directory).returncode == 0
    assert scan(directory, tree)["part.py"][0]["id"] == "snippet"


def wfp_of(held: Path, content: bytes, path: str = "a.py") -> str:
    """A WFP of a text, its hashes taken from the kernel (which is tested against SCANOSS's own)."""
    import numpy as np

    from codecite.indexer.store.scanoss import winnowed

    hashes, _, lines = winnowed(np.frombuffer(content, np.uint8), np.array([len(content)], np.int64))
    told = "".join(f"{line}={value:08x}\n" for line, value in zip(lines.tolist(), hashes.tolist(), strict=True))
    return f"file={hashlib.md5(content, usedforsecurity=False).hexdigest()},{len(content)},{path}\n{told}"


def test_merging_keeps_them_and_takedowns_hide_at_once(codecite: Any, held: Path, tree: Path, tmp_path: Path) -> None:
    """Before, after compaction, and after what was taken out is erased; verify walks the sections."""
    directory = tmp_path / "index"
    shutil.copytree(held, directory)
    part, whole = (parse_wfp(wfp_of(held, (tree / name).read_bytes()))[0] for name in ("part.py", "vendor/core.py"))

    def answers() -> list[Any]:
        index = open_index(directory)
        assert index.scanoss
        return [index.match_wfp(part), index.match_wfp(whole)]

    before = answers()
    assert [item.whole for item in before] == [False, True]
    assert codecite("index", "compact", "--index", directory).returncode == 0
    assert len(list((directory / "segments").iterdir())) == 1
    assert answers() == before
    sound = codecite("index", "verify", "--index", directory)
    assert sound.returncode == 0
    assert codecite("index", "remove", "--purl", "pkg:pypi/packaging", "--index", directory).returncode == 0
    assert answers() == [None, before[1]]
    assert codecite("index", "compact", "--index", directory).returncode == 0
    assert answers() == [None, before[1]]
    section = next(directory.glob("segments/*/wfp-places.npy"))
    content = bytearray(section.read_bytes())
    content[400] ^= 1
    section.write_bytes(content)
    damaged = codecite("index", "verify", "--index", directory)
    assert damaged.returncode == 2
    assert "wfp-places.npy" in damaged.stdout + damaged.stderr


@pytest.fixture
def door(held: Path) -> Any:
    """A client of the application itself."""
    from codecite.search_api.app import create_app

    return create_app(open_index(held)).test_client()


def sent(door: Any, wfp: str, **settings: int) -> Any:
    """Send a WFP as the client does."""
    headers = {"scanoss-settings": base64.b64encode(json.dumps(settings).encode()).decode()} if settings else {}
    form = {"file": (io.BytesIO(wfp.encode()), "x.wfp"), "format": "plain"}
    return door.post("/scan/direct", data=form, content_type="multipart/form-data", headers=headers)


def test_the_client_says_how_much_a_snippet_must_have(door: Any, held: Path, tree: Path) -> None:
    """Hits and lines; what is less is no match."""
    wfp = wfp_of(held, (tree / "part.py").read_bytes())
    assert sent(door, wfp, min_snippet_hits=5).get_json()["a.py"][0]["id"] == "snippet"
    assert sent(door, wfp, min_snippet_hits=5000).get_json()["a.py"][0]["id"] == "none"
    assert sent(door, wfp, min_snippet_lines=5000).get_json()["a.py"][0]["id"] == "none"


@pytest.mark.parametrize("wfp", ["", "hello\n", "1=00000000\n", "file=abc,1,x\n", f"file={'0' * 32},1,x\n1=xyz\n"])
def test_what_is_no_wfp_is_refused(door: Any, wfp: str) -> None:
    """With a problem that says where."""
    answered = sent(door, wfp)
    assert answered.status_code == 422
    assert "WFP" in answered.get_json()["detail"]


def test_fields_that_are_not_used_are_passed_over() -> None:
    """Of two files; the paths stay as they are."""
    head = "d" * 32
    files = parse_wfp(f"file={head},10,a, b.c\nfh2={head}\nhpsm=00ff\n3=0000000a,0000000b\nfile={head},0,z\n")
    assert [(file.path, file.hashes, file.lines) for file in files] == [("a, b.c", (10, 11), (3, 3)), ("z", (), ())]
    with pytest.raises(TextError, match="line 2"):
        parse_wfp(f"file={head},10,a\nnothing\n")


@pytest.mark.parametrize(
    ("purl", "repository", "expected"),
    [
        ("pkg:deb/debian/bash@5.2-1?arch=source", None, ("pkg:deb/debian/bash", "debian", "bash", "5.2-1")),
        ("pkg:npm/%40babel/core@7.1.0", None, ("pkg:npm/%40babel/core", "@babel", "core", "7.1.0")),
        ("pkg:golang/example.org/a/b", None, ("pkg:golang/example.org/a/b", "example.org/a", "b", "")),
        (None, "https://github.com/Own/Name.git", ("pkg:github/own/name", "Own", "Name", "v1")),
        (None, "https://git.example.org/group/name", ("", "group", "name", "v1")),
        (None, None, ("", "", "folder", "v1")),
    ],
)
def test_a_package_is_named_as_scanoss_has_it(
    purl: str | None, repository: str | None, expected: tuple[str, ...]
) -> None:
    """The purl without its version; nothing that is not known."""
    origin = Origin(purl, repository, "v1", "a.c", "file:///srv/folder", None, "MIT", (), False, ())
    assert named(origin) == expected
