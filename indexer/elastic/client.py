"""A cluster, asked: requests in, answers out, and whatever goes wrong as a sentence that says what to do.

In: a Place. Out: bodies of answers. It refuses to know what is asked. The one module that imports the client.

Answers are whole or an error: a search that a shard did not take part in raises.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from codecite.indexer.elastic.place import Place
from codecite.indexer.errors import ClusterError, ConfigError, IndexMissingError, IndexWriteError

T = TypeVar("T")
PAGE = 10_000
"""Hits in one answer: what Elasticsearch allows by default."""
TERMS = 60_000
"""Terms in one query: 65,536 are allowed by default."""
_TRIES = 8
_STARTING = 4
_KEEP = "2m"

Hit = dict[str, Any]


class Cluster:
    """A cluster, with the index of a place. Threads may share it."""

    def __init__(self, place: Place) -> None:
        try:
            from elasticsearch import Elasticsearch
        except ImportError:
            raise ConfigError(
                f"{place.url}: needs the package elasticsearch; install it with: pip install 'codecite[elasticsearch]'"
            ) from None
        self.place = place
        options: dict[str, Any] = {}
        if place.hosts[0].startswith("https:") and place.ca is not None:
            options["ca_certs"] = place.ca
        self._client = Elasticsearch(
            list(place.hosts),
            api_key=place.api_key,
            basic_auth=place.user,
            request_timeout=place.timeout,
            retry_on_timeout=True,
            retry_on_status=(502, 504),
            max_retries=3,
            http_compress=False,
            **options,
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def ask(self, index: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Search `index`, of which every shard must answer."""
        if "pit" not in body:
            options |= {"index": index, "allow_partial_search_results": False}

        def search(client: Any) -> dict[str, Any]:
            return dict(client.search(body=body, **options).body)

        found = self.call(search)
        if found.get("timed_out") or found["_shards"]["failed"]:
            raise ClusterError(
                f"{self.place.url}: not all parts of the index answered; try again, or look at its health"
            )
        return found

    def hits(self, index: str, query: dict[str, Any], wanted: dict[str, Any]) -> Iterator[Hit]:
        """All Documents that fit a query, however many; `wanted` says what is to be shown of each."""
        body = {"query": query, "size": PAGE, "track_total_hits": False, "sort": ["_doc"], **wanted}
        first = self.ask(index, body)["hits"]["hits"]
        if len(first) < PAGE:
            yield from first
            return
        point = self.call(
            lambda client: client.open_point_in_time(index=index, keep_alive=_KEEP, allow_partial_search_results=False)
        )["id"]
        try:
            body |= {"sort": ["_shard_doc"]}
            while True:
                answer = self.ask(index, {**body, "pit": {"id": point, "keep_alive": _KEEP}})
                page, point = answer["hits"]["hits"], answer["pit_id"]
                yield from page
                if len(page) < PAGE:
                    return
                body["search_after"] = page[-1]["sort"]
        finally:
            self.call(lambda client: client.close_point_in_time(id=point))

    def count(self, index: str, query: dict[str, Any]) -> int:
        """How many fit a query."""
        return int(self.call(lambda client: client.count(index=index, query=query))["count"])

    def bulk(self, index: str, lines: Sequence[bytes]) -> list[int]:
        """Send actions, each one or two lines of `lines` (see `action`); the status of each. 409 (there is such a one
        already) is no error. What the cluster has no room for now is sent again, nothing else.
        """
        done: list[int] = [0] * len(lines)
        left = list(range(len(lines)))
        pause = 0.1
        for attempt in range(_TRIES):
            items = self.call(partial(_send, index, b"".join(lines[i] for i in left)), writing=True)["items"]
            again = []
            for i, item in zip(left, items, strict=True):
                result = next(iter(item.values()))
                status = int(result["status"])
                if status in (429, 503) and attempt + 1 < _TRIES and not _is_full(str(result.get("error"))):
                    again.append(i)
                elif status < 300 or status in (404, 409):
                    done[i] = status
                else:
                    error = result["error"]
                    raise _write_error(self.place.url, f"{error.get('type')}: {error.get('reason')}")
            if not again:
                return done
            left = again
            time.sleep(pause)
            pause = min(2 * pause, 10.0)
        return done

    def call(self, what: Callable[[Any], T], *, writing: bool = False) -> T:
        """An answer; errors of the client as our own."""
        from elastic_transport import ConnectionError as NotConnected
        from elastic_transport import ConnectionTimeout, TlsError, TransportError
        from elasticsearch import ApiError

        pause = 0.2
        for attempt in range(_TRIES):
            try:
                return what(self._client)
            except ApiError as error:
                said, status = str(error), error.meta.status
                # 503: shards that are being started, or moved to another node, are there in a moment.
                most = {429: _TRIES, 503: _STARTING}.get(status, 0)
                if attempt + 1 < most and not _is_full(said):
                    time.sleep(pause)
                    pause = min(2 * pause, 5.0)
                    continue
                raise _translated(self.place, int(status), said, writing) from None
            except ConnectionTimeout:
                raise ClusterError(
                    f"{self.place.url}: no answer within {self.place.timeout:g} s; CODECITE_ES_TIMEOUT sets that"
                ) from None
            except TlsError as error:
                raise ClusterError(
                    f"{self.place.url}: the certificate is not trusted ({_cause(error)}); let CODECITE_ES_CA name the "
                    "certificates of the authority that signed it"
                ) from None
            except NotConnected as error:
                raise ClusterError(
                    f"{self.place.url}: cannot be reached ({_cause(error)}); is Elasticsearch running there, "
                    "and are host and port right?"
                ) from None
            except TransportError as error:
                raise ClusterError(
                    f"{self.place.url}: {_cause(error)}; is that an Elasticsearch of version 8 or 9?"
                ) from None
        raise AssertionError


def _send(index: str, sent: bytes, client: Any) -> dict[str, Any]:
    return dict(client.bulk(index=index, operations=sent).body)


def paged(items: Iterable[T]) -> Iterator[list[T]]:
    """Some at a time."""
    rest = iter(items)
    while page := list(islice(rest, PAGE)):
        yield page


def missing(url: str) -> IndexMissingError:
    """The error where there is no index."""
    return IndexMissingError(f"{url}: there is no index here; make one with 'codecite index add SOURCE --index {url}'")


def _cause(error: Exception) -> str:
    return str(getattr(error, "message", error)).split("\n")[0][:300]


def _is_full(said: str) -> bool:
    return "flood-stage" in said or "circuit_breaking" in said


def _translated(place: Place, status: int, said: str, writing: bool) -> Exception:
    """What an answer with this status means for a person."""
    url = place.url
    if "flood-stage" in said:
        return _write_error(url, said)
    if "circuit_breaking" in said:
        return ClusterError(
            f"{url}: Elasticsearch has too little memory for this request (its circuit breaker opened); give it more "
            "heap, or ask for less at a time"
        )
    if status == 401:
        return ClusterError(
            f"{url}: the credentials were not accepted (401); set CODECITE_ES_API_KEY, or CODECITE_ES_USER and "
            "CODECITE_ES_PASSWORD, or CODECITE_ES_CREDENTIALS"
        )
    if status == 403:
        return ClusterError(
            f"{url}: these credentials may not do that (403); docs/elasticsearch.md lists the privileges"
        )
    if status == 404:
        return missing(url)
    if status == 429:
        return ClusterError(f"{url}: Elasticsearch has more to do than it can (429); try again later")
    if status == 503 or "all shards failed" in said:
        return ClusterError(
            f"{url}: a part of the index is not available (503, the cluster is red), so nothing is answered; "
            "bring its nodes back and try again"
        )
    if writing:
        return _write_error(url, said)
    return ClusterError(f"{url}: Elasticsearch refused the request ({status}: {said[:300]})")


def _write_error(url: str, said: str) -> IndexWriteError:
    if "flood-stage" in said:
        return IndexWriteError(
            f"{url}: the disk of a node is full (flood-stage watermark) and the index is read-only; make room, run it "
            "again; what was published before is whole"
        )
    return IndexWriteError(f"{url}: cannot be written ({said[:300]}); what was published before is whole")
