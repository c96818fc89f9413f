"""Archives sent to the API: a Report for each file as if it had been sent alone, and a reason for each other."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from codecite.indexer import open_index

KIND = "application/octet-stream"


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip archive of files."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return kept.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    """A tar archive of files, by gzip."""
    kept = io.BytesIO()
    with tarfile.open(fileobj=kept, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return kept.getvalue()


def sent(client: Any, content: bytes, query: str = "name=a.zip") -> Any:
    """The answer on an archive."""
    return client.post(f"/api/v1/check/archive?{query}", data=content, content_type=KIND)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_each_file_has_the_report_that_it_has_alone(client: Any, index: Path, passage: str, pack: Any) -> None:
    """Those of archives inside the archive, too; what cannot be checked is named with its reason."""
    inner = zipped({"deep/copied.py": passage.encode(), "own.py": b"own = 1\n"})
    files = {"src/copied.py": passage.encode(), "odd.py": b"\xff\xfe" + "odd = 2\n".encode("utf-16-le")}
    files |= {"bytes.py": b"# \xe9\n" + passage.encode("latin-1"), "lib/inner.whl": inner, "../out.py": b"x = 1\n"}
    files |= {"image.bin": b"\0\1" * 50, "empty.py": b"", "bad.zip": b"PK\x03\x04 and no more"}
    told = sent(client, pack(files), "name=a.zip&texts=true&sources=2").get_json()
    opened = open_index(index)
    held = {**files, "lib/inner.whl/deep/copied.py": passage.encode(), "lib/inner.whl/own.py": b"own = 1\n"}
    held["odd.py"] = b"odd = 2\n"
    wanted = ["src/copied.py", "odd.py", "bytes.py", "lib/inner.whl/deep/copied.py", "lib/inner.whl/own.py"]
    assert [item["path"] for item in told["reports"]] == wanted
    for item in told["reports"]:
        path, text = item.pop("path"), item.pop("content")
        assert text.encode("utf-8", "surrogateescape") == held[path]
        assert item == opened.check(held[path], sources=2).to_dict()
    assert len(told["reports"][2]["matches"]) == 1
    reasons = {item["path"]: item["reason"] for item in told["skipped"]}
    assert reasons == {
        "../out.py": "bad-path",
        "image.bin": "binary",
        "empty.py": "empty",
        "bad.zip": "unreadable",
    }


def test_a_real_wheel_is_answered_whole(client: Any, corpus: Path) -> None:
    """As many Reports and reasons as there are files in it."""
    files = {str(path.relative_to(corpus)): path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    told = sent(client, zipped(files)).get_json()
    assert {item["path"] for item in (*told["reports"], *told["skipped"])} == set(files)
    assert all(item["matches"] for item in told["reports"])


def test_what_is_no_archive_is_refused_by_its_name(client: Any) -> None:
    """Also one compressed file, and half an archive."""
    for content in (b"print(1)\n", gzip.compress(b"print(1)\n"), zipped({"a.py": b"a = 1\n" * 99})[:-30], b""):
        answered = sent(client, content, "name=some.whl")
        assert answered.status_code == 422
        assert answered.get_json(force=True)["detail"].startswith("some.whl: ")


def test_no_form_of_another_page_is_taken(client: Any) -> None:
    """Only bytes, which a page cannot send elsewhere without asking first."""
    for kind in ("multipart/form-data", "text/plain", "application/x-www-form-urlencoded", "application/json"):
        assert client.post("/api/v1/check/archive", data=zipped({}), content_type=kind).status_code == 415


def test_an_archive_that_holds_too_much_is_refused_with_the_limit(require, index: Path) -> None:
    """Too many files, too much text, too large itself, and a bomb: each says what the limit is."""
    require("flask", "prometheus_client")
    from codecite.search_api.app import create_app
    from codecite.search_api.settings import Settings

    client = create_app(
        open_index(index), settings=Settings(max_body=1 << 20, max_batch=5, max_unpacked=100_000)
    ).test_client()
    many = zipped({f"{number}.py": b"a = 1\n" for number in range(6)})
    bomb = zipped({"zeros.txt": b"0" * 15_000_000})
    deep = zipped({"1.zip": zipped({"2.zip": zipped({"zeros.txt": b"0" * 15_000_000})})})
    for content, limit in ((many, "5 files"), (bomb, "100,000 bytes"), (deep, "100,000 bytes")):
        answered = sent(client, content)
        assert answered.status_code == 413
        assert limit in answered.get_json(force=True)["detail"]
    answered = sent(client, bytes(2 << 20))
    assert answered.status_code == 413
    assert "1,048,576 bytes" in answered.get_json(force=True)["detail"]
