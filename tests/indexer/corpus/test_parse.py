"""Metadata files become values, or are refused by one error that says why, whatever their bytes are."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.corpus import parse
from codecite.indexer.corpus.parse import MAX_BYTES, MalformedError

READERS: dict[str, Callable[[str, bytes], Any]] = {
    "json": parse.json_object,
    "toml": parse.toml_table,
    "xml": parse.xml_root,
    "yaml": parse.yaml_mapping,
    "fields": parse.fields,
    "properties": parse.properties,
    "gzip": parse.gunzipped,
}
BOMBS = {
    "json": [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 100_000 + b"}",
        b'{"a": "\\ud800"}',
        b"[1]",
        b"\xff",
        b"",
    ],
    "toml": [
        b".".join([b"a"] * 20_000) + b" = 1",
        b"a = " + b"[" * 100_000,
        b"x = {" + b".".join([b"a"] * 20_000) + b" = 1}",
        b"\xff",
        b"a",
    ],
    "xml": [
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="nonsense"?><x/>',
        b'<?xml version="1.0" encoding="utf-7"?><x/>',
        b"<x>",
        b"",
        b"\0",
    ],
    "yaml": [b"a: [" * 50_000, b"- a", b"&a [*a]", b"a: 'b", b'a: "\\uD800"', b'a: "\\UFFFFFFFF"', b"\xff\xff", b""],
    "gzip": [gzip.compress(bytes(MAX_BYTES + 1), mtime=0), gzip.compress(b"x" * 1000, mtime=0)[:-20], b"no gzip", b""],
}


@pytest.mark.parametrize(("kind", "content"), [(kind, bomb) for kind, bombs in BOMBS.items() for bomb in bombs])
def test_what_is_malformed_or_a_bomb_is_refused_at_once(kind: str, content: bytes) -> None:
    """Depth, entities, escapes that are no characters, expansion, quadratic keys: one error, in less than a second."""
    began = time.perf_counter()
    with pytest.raises(MalformedError) as raised:
        READERS[kind]("the/file", content)
    assert raised.value.where == "the/file"
    assert 0 < len(str(raised.value)) <= 200
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("kind", READERS)
def test_huge_files_are_refused_unread(kind: str) -> None:
    """No metadata file is that long."""
    with pytest.raises(MalformedError, match="more than"):
        READERS[kind]("x", b" " * (MAX_BYTES + 1))


def test_aliases_do_not_multiply() -> None:
    """Nine levels of nine aliases each, a billion copies if they were copied, are read as references."""
    lines = ["a0: &a0 x"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 10)]
    read = parse.yaml_mapping("x", "\n".join(lines).encode())
    assert read["a1"] == ["x"] * 9
    assert read["a9"][0] is read["a8"]


def test_yaml_is_read_without_its_tags() -> None:
    """Ruby's classes are plain mappings, scalars are strings, and a key that is no text is left out."""
    text = "--- !ruby/object:Gem::X\nname: a\nversion: !ruby/object:Gem::Version\n  version: 1.10\n? [b]\n: c\n"
    assert parse.yaml_mapping("x", text.encode()) == {"name": "a", "version": {"version": "1.10"}}


def test_deep_xml_is_read() -> None:
    """Depth alone costs nothing: the tree is built and released without recursion."""
    assert parse.xml_root("x", b"<a>" * 100_000 + b"</a>" * 100_000).tag == "a"


def test_namespaces_of_xml_are_left_out() -> None:
    """A pom is the same with and without one."""
    assert parse.xml_root("x", b'<p xmlns="urn:x"><n>1</n></p>').findtext("n") == "1"


def test_properties_are_read_as_maven_writes_them() -> None:
    """Comments are passed over, values keep their equals signs."""
    assert parse.properties("x", b"#Created by Maven\r\nversion=1=2\r\n groupId = g\nrest") == {
        "version": "1=2",
        "groupId": "g",
    }


@pytest.mark.parametrize("kind", READERS)
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(kind: str, content: bytes) -> None:
    """Nothing but MalformedError gets out, and what is read can be encoded."""
    for attempt in (content, b"{" + content, b"a: " + content, b"<a>" + content, b"a = " + content):
        try:
            read = READERS[kind]("x", attempt)
        except MalformedError:
            continue
        if kind in ("json", "yaml", "properties"):
            json.dumps(read, ensure_ascii=False, default=str).encode()
