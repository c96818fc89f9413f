"""The JSON forms of answers -> the records that they state: `report_json.py` turned round.

In: objects, as a server sent them. Out: Reports and their parts. What is not as it is to be is an Unlike that names the
place; it refuses to take anything on trust but what only the index can know.

Two things are not in JSON: canonical offsets, which are counted here from the text, and the copyright lines of each
piece of evidence, which a source has together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any, TypeVar

from codecite.indexer.backend import IndexStats
from codecite.indexer.lookup.stream import SPACE
from codecite.indexer.records import (
    Attribution,
    Category,
    Counts,
    Coverage,
    EvidenceKind,
    FileMark,
    Kind,
    LicenseEvidence,
    Mark,
    Match,
    Measure,
    Origin,
    Outcome,
    Reason,
    Report,
    SearchHit,
    SimilarFile,
    Source,
    Verdict,
)

Form = Mapping[str, Any]
Word = TypeVar("Word", bound=StrEnum)


class Unlike(Exception):
    """Something in an answer is not what it is to be; the text names it."""


def read_report(form: Form, text: bytes) -> Report:
    """A Report on `text`, in the middle of its context, as `check` makes it."""
    own, policy, verdict = _object(form, "text"), _object(form, "policy"), _object(form, "verdict")
    return Report(
        indexes=read_coverage(form),
        text_sha256=_text(own, "sha256"),
        text_start=_whole(own, "start"),
        text_end=_whole(own, "end"),
        attributions=read_attributions(form, text),
        verdict=Verdict(
            _word(verdict, "outcome", Outcome),
            tuple(
                Reason(_text(item, "rule"), _text_or_none(item, "match"), _text(item, "message"))
                for item in _objects(verdict, "reasons")
            ),
        ),
        policy_name=_text(policy, "name"),
        policy_sha256=_text_or_none(policy, "sha256"),
        notes=_texts(form, "notes") if "notes" in form else (),
    )


def read_attributions(form: Form, text: bytes) -> tuple[Attribution, ...]:
    """The Attributions of the `matches` of an answer on `text`."""
    at, before = 0, 0  # canonical bytes are counted on from the Match before
    found = []
    points = len(text.decode("utf-8", "surrogateescape"))
    for item in _objects(form, "matches"):
        begin, end = _whole(item, "byte_start"), _whole(item, "byte_end")
        if not 0 <= begin < end <= len(text) or not 0 <= _whole(item, "start") < _whole(item, "end") <= points:
            raise Unlike("matches: a place outside the text")
        if begin < at:
            at, before = 0, 0
        before += len(text[at:begin].translate(None, SPACE))
        at = begin
        found.append(_attribution(item, before))
    return tuple(found)


def _attribution(form: Form, canonical: int) -> Attribution:
    length = _whole(form, "bytes")
    match = Match(
        id=_text(form, "id"),
        within=_text_or_none(form, "within"),
        index=_text(form, "index"),
        start=_whole(form, "start"),
        end=_whole(form, "end"),
        byte_start=_whole(form, "byte_start"),
        byte_end=_whole(form, "byte_end"),
        canonical_start=canonical,
        canonical_end=canonical + length,
        start_line=_whole(form, "start_line"),
        end_line=_whole(form, "end_line"),
        length=length,
        bytes_in_text=_whole(form, "bytes_in_text"),
        kind=_word(form, "kind", Kind),
        counts=Counts(
            documents=_whole(form, "documents"),
            documents_capped=_flag(form, "documents_capped"),
            projects=_whole(form, "projects"),
            projects_capped=_flag(form, "projects_capped"),
            licenses=_numbers(form, "licenses"),
            licenses_capped=_flag(form, "licenses_capped"),
            common=_flag(form, "common"),
        ),
        similarity=None if form.get("similarity") is None else _number(form, "similarity"),
        measure=None if form.get("measure") is None else _word(form, "measure", Measure),
    )
    return Attribution(
        match,
        tuple(map(read_source, _objects(form, "sources"))),
        _word(form, "outcome", Outcome),
        _words(form, "marks", Mark),
    )


def read_source(form: Form) -> Source:
    """One source of a passage, or a hit."""
    origin = Origin(
        purl=_text_or_none(form, "purl"),
        repository=_text_or_none(form, "repository"),
        revision=_text_or_none(form, "revision"),
        path=_text(form, "path"),
        url=_text_or_none(form, "url"),
        released=_text_or_none(form, "released"),
        license=_text(form, "license"),
        evidence=tuple(
            LicenseEvidence(
                _word(item, "kind", EvidenceKind),
                _text_or_none(item, "expression"),
                _text(item, "where"),
                _text(item, "text"),
            )
            for item in _objects(form, "license_evidence")
        ),
        conflict=_flag(form, "conflict"),
        copyright=_texts(form, "copyright"),
        language=_text_or_none(form, "language"),
        marks=_words(form, "file_marks", FileMark),
    )
    return Source(
        _text(form, "swhid"),
        _word(form, "kind", Kind),
        origin,
        _whole(form, "start_line"),
        _whole(form, "end_line"),
        _word(form, "category", Category),
        _texts(form, "obligations"),
        _object(form, "record") if "record" in form else None,
    )


def read_coverage(form: Form) -> tuple[Coverage, ...]:
    """What each of the `indexes` of an answer holds."""
    return tuple(
        Coverage(
            id=_text(item, "id"),
            generation=_whole(item, "generation"),
            built=_text(item, "built"),
            documents=_whole(item, "documents"),
            bytes=_whole(item, "bytes"),
            sources=_texts(item, "sources"),
            license_filter=_text_or_none(item, "license_filter"),
            guarantee_bytes=_whole(item, "guarantee_bytes"),
        )
        for item in _objects(form, "indexes")
    )


def read_hits(form: Form) -> Iterator[SearchHit]:
    """The hits of a search; without their lines where the server shows none."""
    for item in _objects(form, "hits"):
        snippet = _text(item, "snippet") if "snippet" in item else ""
        terms = []
        for span in _list(item, "terms"):
            if not isinstance(span, list) or len(span) != 2 or not all(type(point) is int for point in span):
                raise Unlike("terms")
            if 0 <= span[0] <= span[1] <= len(snippet):
                terms.append((span[0], span[1]))
        yield SearchHit(_text(item, "index"), _number(item, "score"), read_source(item), snippet, tuple(terms))


def read_facets(form: Form) -> dict[str, dict[str, int]] | None:
    """The counts of the hits of a search, where they were asked for."""
    if "facets" not in form:
        return None
    counted = _object(form, "facets")
    return {name: _numbers(counted, name) for name in counted}


def read_files(form: Form) -> Iterator[SimilarFile]:
    """The files of an answer on similar ones."""
    for item in _objects(form, "hits"):
        measure = _word(item, "measure", Measure)
        similarity, origins = _number(item, "similarity"), _whole(item, "origins")
        yield SimilarFile(_text(item, "index"), similarity, measure, read_source(item), origins)


def read_stats(form: Form) -> tuple[IndexStats, ...]:
    """The figures of each of the `indexes` of an answer."""
    read: dict[str, Any] = {"str": _text, "int": _whole, "str | None": _text_or_none}
    read |= {"tuple[str, ...]": _texts, "Mapping[str, int]": _numbers}
    return tuple(
        IndexStats(**{field.name: read[str(field.type)](item, field.name) for field in fields(IndexStats)})
        for item in _objects(form, "indexes")
    )


def _value(form: Form, name: str, kind: type, *kinds: type) -> Any:
    value = form.get(name)
    if type(value) not in (kind, *kinds):
        raise Unlike(name)
    return value


def _text(form: Form, name: str) -> str:
    value: str = _value(form, name, str)
    return value


def _text_or_none(form: Form, name: str) -> str | None:
    value: str | None = _value(form, name, str, type(None))
    return value


def _whole(form: Form, name: str) -> int:
    value: int = _value(form, name, int)
    return value


def _number(form: Form, name: str) -> float:
    return float(_value(form, name, float, int))


def _flag(form: Form, name: str) -> bool:
    value: bool = _value(form, name, bool)
    return value


def _object(form: Form, name: str) -> dict[str, Any]:
    value: dict[str, Any] = _value(form, name, dict)
    return value


def _list(form: Form, name: str) -> list[Any]:
    value: list[Any] = _value(form, name, list)
    return value


def _objects(form: Form, name: str) -> list[dict[str, Any]]:
    value = _list(form, name)
    if not all(isinstance(item, dict) for item in value):
        raise Unlike(name)
    return value


def _texts(form: Form, name: str) -> tuple[str, ...]:
    value = _list(form, name)
    if not all(isinstance(item, str) for item in value):
        raise Unlike(name)
    return tuple(value)


def _numbers(form: Form, name: str) -> dict[str, int]:
    value = _object(form, name)
    if not all(type(item) is int for item in value.values()):
        raise Unlike(name)
    return value


def _word(form: Form, name: str, words: type[Word]) -> Word:
    try:
        return words(_text(form, name))
    except ValueError:
        raise Unlike(f"{name}, which is {_text(form, name)[:40]!r}") from None


def _words(form: Form, name: str, words: type[Word]) -> tuple[Word, ...]:
    return tuple(_word({name: item}, name, words) for item in _list(form, name))
