"""An index behind a codecite server, with the answers that it gives on its own machine.

In: the address of a server, texts. Out: Reports, equal to those of an embedded index. It refuses to know how a server
is reached (`client.py`).

The server judges: the policy travels with each text, whole. A stream asks the server at each look, a small request for
every 48 bytes of text or so. Texts leave this machine; no answer names more of the server than its index.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from codecite.indexer.attribution.policy import Policy, load_policy
from codecite.indexer.attribution.policy_form import policy_to_form
from codecite.indexer.backend import Index, IndexStats
from codecite.indexer.errors import RemoteError, TextError
from codecite.indexer.lookup.documents import Document, digest_named
from codecite.indexer.records import Attribution, Coverage, Report, SearchReport, SimilarReport
from codecite.indexer.remote import reading
from codecite.indexer.remote.client import Server, TooLargeError
from codecite.indexer.remote.client import is_server as is_server
from codecite.indexer.stream import Part
from codecite.indexer.text.checked import encode

T = TypeVar("T")
Form = dict[str, Any]
_NAMES = ("purl", "repository", "revision", "url")
_REPORT = "codecite-report/1"
_BATCH_TEXTS = 64
_BATCH_BYTES = 1 << 20


def connect(address: str) -> RemoteIndex:
    """The index behind the server at an address. Raises RemoteError where none answers, ConfigError for a wrong key."""
    return RemoteIndex(Server(address))


class RemoteIndex(Index):
    """The indexes behind one server; each answer is of the generation that is live there when it is asked."""

    def __init__(self, server: Server) -> None:
        self._server = server
        empty = self._asked("/api/v1/check", {"text": "", "policy": "audit"}, reading.read_coverage, _REPORT)
        self._coverage = empty

    def check(
        self,
        text: str | bytes,
        *,
        before: str | bytes = "",
        after: str | bytes = "",
        policy: Policy | str | Path | None = None,
        sources: int = 5,
        near: bool = False,
        shortest: int = 1,
    ) -> Report:
        """As `Index.check`; `sources` is at most what the server shows (100)."""
        held = _loaded(policy)
        raw = [encode(part, name) for part, name in ((before, "before"), (text, "text"), (after, "after"))]
        body = _texts_form(text=text, before=before, after=after)
        body |= {"policy": policy_to_form(held), "sources": sources, "near": near, "shortest": shortest}

        def read(form: Form) -> Report:
            return _own(reading.read_report(form, b"".join(raw)), raw[1])

        report = self._asked("/api/v1/check", body, read, _REPORT)
        self._note(report, held)
        return report

    def check_many(
        self,
        texts: Sequence[str | bytes],
        *,
        policy: Policy | str | Path | None = None,
        sources: int = 5,
        shortest: int = 1,
    ) -> Iterator[Report | TextError]:
        """As `Index.check_many`, many in one request."""
        held = _loaded(policy)
        options = {"policy": policy_to_form(held), "sources": sources, "shortest": shortest}
        first = size = 0
        for number, text in enumerate(texts):
            if number > first and (number - first == _BATCH_TEXTS or size + len(text) > _BATCH_BYTES):
                yield from self._batch(texts[first:number], options)
                first, size = number, 0
            size += len(text)
        if first < len(texts):
            yield from self._batch(texts[first:], options)

    def _batch(self, texts: Sequence[str | bytes], options: Form) -> list[Report | TextError]:
        """The answers on texts, in as few requests as the server takes."""
        raw: list[bytes | TextError] = []
        for text in texts:
            try:
                raw.append(encode(text, "text"))
            except TextError as error:
                raw.append(error)
        sent = [{"text": _plain(text)} for text, item in zip(texts, raw, strict=True) if isinstance(item, bytes)]
        if not sent:
            return [item for item in raw if isinstance(item, TextError)]
        body = {"texts": sent, **options}
        try:
            reports = iter(self._asked("/api/v1/check/batch", body, lambda form: _reports(form, raw), whole=False))
        except TooLargeError as error:
            if len(texts) > 1:
                half = len(texts) // 2
                return self._batch(texts[:half], options) + self._batch(texts[half:], options)
            return [self._too_large(len(texts[0]), error)]
        return [next(reports) if isinstance(item, bytes) else item for item in raw]

    def look(self, part: Part, policy: Policy, sources: int = 5) -> tuple[Attribution, ...]:
        """As `Index.look`."""
        body = {"text": _plain(part.raw), "context": part.context, "own": part.own, "new": part.new}
        body |= {"policy": policy_to_form(policy), "sources": sources}
        seen = part.raw[part.context :]
        return self._asked("/api/v1/look", body, lambda form: reading.read_attributions(form, seen), "codecite-look/1")

    def search(
        self,
        query: str,
        *,
        language: str | None = None,
        license: str | None = None,
        repository: str | None = None,
        path: str | None = None,
        limit: int = 10,
        offset: int = 0,
        facets: bool = False,
    ) -> SearchReport:
        """As `Index.search`; `limit` is at most what the server shows (1000)."""
        options = {"language": language, "license": license, "repository": repository, "path": path}
        body: Form = {"query": query, "limit": limit, "offset": offset, "facets": facets}
        body |= {name: value for name, value in options.items() if value}

        def read(form: Form) -> SearchReport:
            total, capped = form.get("total"), form.get("total_capped")
            if type(total) is not int or type(capped) is not bool:
                raise reading.Unlike("total")
            hits = tuple(reading.read_hits(form))
            counts = reading.read_facets(form)
            return SearchReport(reading.read_coverage(form), query, offset, total, capped, hits, counts)

        return self._asked("/api/v1/search", body, read, "codecite-search/1")

    def similar(self, text: str | bytes, *, limit: int = 10, at_least: float = 0.5) -> SimilarReport:
        """As `Index.similar`; `limit` is at most what the server shows (1000)."""
        content = encode(text, "text")
        body = {"text": _plain(content), "limit": limit, "at_least": at_least}
        digest = hashlib.sha256(content).hexdigest()

        def read(form: Form) -> SimilarReport:
            return SimilarReport(reading.read_coverage(form), digest, at_least, tuple(reading.read_files(form)))

        return self._asked("/api/v1/similar", body, read, "codecite-similar/1")

    def document(self, swhid: str, sources: int = 100) -> Document | None:
        """As `Index.document`, with at most 100 Origins. RemoteError where the server does not show texts."""
        digest = digest_named(swhid)
        if digest is None:
            return None
        path = f"/api/v1/documents/{swhid}"
        form = self._server.find(path, schema="codecite-document/1")
        if form is None:
            return None
        return self._read(path, form, lambda form: self._document(form, digest, sources))

    def _document(self, form: Form, digest: bytes, sources: int) -> Document:
        swhid = f"swh:1:cnt:{digest.hex()}"
        if form.get("serve_text") != "all":
            raise RemoteError(
                f"{self._server.address}: the server does not show the text of {swhid}; its policy would have to say "
                'serve_text = "all"'
            )
        parts, origins, total = form.get("parts"), form.get("origins"), form.get("origins_total")
        if not isinstance(parts, list) or not isinstance(origins, list) or type(total) is not int:
            raise reading.Unlike("parts")
        content = b"".join(encode(str(part.get("text")), "text") for part in parts if isinstance(part, dict))
        named = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).digest()
        if named != digest:
            raise reading.Unlike("the text of the Document, which its SWHID does not name")
        return Document(swhid, content, tuple(map(reading.read_source, origins[:sources])), total)

    def file_beside(self, source: Mapping[str, Any], path: str) -> bytes | None:
        """As `Index.file_beside`, for the licence and notice files that the evidence of a source names."""
        swhid = source.get("swhid")
        if digest_named(str(swhid)) is None:
            return None
        body = {name: source.get(name) for name in _NAMES} | {"path": path}
        form = self._server.find(f"/api/v1/documents/{swhid}/license", body, "codecite-license-file/1")
        text = None if form is None else form.get("text")
        return encode(text, "text") if isinstance(text, str) else None

    def stats(self) -> tuple[IndexStats, ...]:
        """As `Index.stats`."""
        return self._asked("/api/v1/stats", None, reading.read_stats, "codecite-stats/1")

    @property
    def coverage(self) -> tuple[Coverage, ...]:
        """What each index held when it was asked last."""
        return self._coverage

    @property
    def places(self) -> tuple[str, ...]:
        """The address of the server, for each of its indexes."""
        return (self._server.address,) * len(self._coverage)

    def _note(self, report: Report, policy: Policy) -> None:
        if not policy.own_projects:
            self._coverage = report.indexes

    def _asked(
        self,
        path: str,
        body: Form | None,
        read: Callable[[Form], T],
        schema: str | None = None,
        *,
        whole: bool = True,
    ) -> T:
        """What is read of an answer. A text that is too large at once is a TextError if that is the `whole` request."""
        try:
            form = self._server.ask(path, body, schema)
        except TooLargeError as error:
            if not whole:
                raise
            raise self._too_large(
                sum(len(part) for part in (body or {}).values() if isinstance(part, str)), error
            ) from None
        return self._read(path, form, read)

    def _read(self, path: str, form: Form, read: Callable[[Form], T]) -> T:
        try:
            return read(form)
        except reading.Unlike as error:
            where = f"{self._server.address}{path}"
            raise RemoteError(f"{where}: the answer is not as this codecite reads it: {error}") from None

    def _too_large(self, size: int, error: TooLargeError) -> TextError:
        why = f" ({error})" if str(error) else ""
        return TextError(
            f"the text ({size:,} bytes) is more than {self._server.address} takes{why}; 'codecite serve --max-body' "
            "lets it take more"
        )


def _loaded(policy: Policy | str | Path | None) -> Policy:
    return policy if isinstance(policy, Policy) else load_policy(policy or "audit")


def _plain(text: str | bytes) -> str:
    """A text as it may stand in JSON; bytes that are no UTF-8 are escaped, and come out as they were."""
    return text if isinstance(text, str) else text.decode("utf-8", "surrogateescape")


def _texts_form(**texts: str | bytes) -> Form:
    """A text and its context as fields of a request.

    Bytes that are no UTF-8 go in base64: a code point may be parted between a text and its context.
    """
    given = {name: text for name, text in texts.items() if text or name == "text"}
    plain = {name: _plain(text) for name, text in given.items()}
    raw = [text for text in given.values() if isinstance(text, bytes)]
    if len(raw) < len(given) or _is_utf8(raw):
        return plain
    return {name: b64encode(text).decode() for name, text in zip(given, raw, strict=True)} | {"encoding": "base64"}


def _is_utf8(parts: Sequence[bytes]) -> bool:
    try:
        for part in parts:
            part.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _own(report: Report, text: bytes) -> Report:
    """The Report, if it is one on this text."""
    if report.text_sha256 != hashlib.sha256(text).hexdigest():
        raise reading.Unlike("the Report is on another text")
    return report


def _reports(form: Form, texts: Sequence[bytes | TextError]) -> list[Report | TextError]:
    """The Reports of a batch, on those texts that were sent."""
    sent = [text for text in texts if isinstance(text, bytes)]
    items = form.get("reports")
    if not isinstance(items, list) or len(items) != len(sent):
        raise reading.Unlike("reports")
    found: list[Report | TextError] = []
    for item, text in zip(items, sent, strict=True):
        problem = item.get("problem") if isinstance(item, dict) else None
        if isinstance(problem, dict):
            found.append(TextError(str(problem.get("detail"))))
        elif not isinstance(item, dict) or item.get("schema") != _REPORT:
            raise reading.Unlike("schema")
        else:
            found.append(_own(reading.read_report(item, text), text))
    return found
