"""What every request goes through, whatever it asks: ids, leave to enter, headers, compression, counting, the log.

In: requests and answers. Out: the same, or a Problem. It refuses to know what is asked and answered.

No cookies are set or read. What changes anything or costs anything is a POST of JSON, which a page of another site
cannot send without asking first; no answer to such a question (CORS) is ever given.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
import time
from base64 import b64decode
from urllib.parse import urlsplit
from uuid import uuid4

from flask import Flask, Response, current_app, g, request

from codecite.search_api.openapi import operation_of
from codecite.search_api.problems import Problem
from codecite.search_api.service import Service, service

_LOG = logging.getLogger("codecite.requests")
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_SAFE = ("GET", "HEAD", "OPTIONS")
_METHODS = (*_SAFE, "POST", "PUT", "PATCH", "DELETE")
_PROBES = ("/healthz", "/readyz")
"""What is asked under any name: an orchestrator's probes address a container as it is reached, and it tells nothing."""
_COMPRESSED = ("application/json", "application/problem+json", "text/", "application/javascript", "image/svg")
_LEAST = 1400
"""Bytes of an answer below which compressing gains nothing."""
_TEXT = 2000
"""Characters of a body that a log holds, where it holds any."""

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def register(app: Flask) -> None:
    """Let all requests of an application through here."""
    app.before_request(_enter)
    app.after_request(_leave)


def _enter() -> None:
    g.began = time.perf_counter()
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if _ID.fullmatch(sent) else uuid4().hex
    part = service()
    _from_here(part)
    described = operation_of(current_app, request.endpoint)
    if described is not None and described.public:
        return
    g.client = _client(part)
    part.rates.take(g.client)


def _from_here(part: Service) -> None:
    """Refuse what addresses another host, and what a page of another site sends."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if part.settings.hosts and host not in part.settings.hosts and request.path not in _PROBES:
        raise Problem(421, "this server does not answer under that host name")
    if request.method in _SAFE:
        return
    origin = request.headers.get("Origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.host
    if foreign or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise Problem(403, "pages of other sites may not send this")


def _client(part: Service) -> str:
    """Who asks: the name of a key where keys are asked for, else an address."""
    keys = part.settings.keys
    if keys is None:
        return request.remote_addr or "unknown"
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    key = sent.strip()
    if scheme.lower() == "basic":  # what a browser asks a person for: the key stands in place of the password
        try:
            key = b64decode(key, validate=True).decode("utf-8").partition(":")[2]
        except ValueError:
            key = ""
    name = keys.name_of(key) if scheme.lower() in ("bearer", "basic") else None
    if name is None:
        raise Problem(401, "send an API key: Authorization: Bearer KEY", code="invalid_api_key")
    return f"key {name}"


def _leave(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = g.get("request_id", "")
    if "generation" in g:
        response.headers["Codecite-Generation"] = g.generation
    if response.status_code == 401:
        asks = "Bearer" if request.path.startswith(("/api/", "/v1/")) else 'Basic realm="codecite", charset="UTF-8"'
        response.headers["WWW-Authenticate"] = asks
    if response.mimetype != "text/event-stream":
        response.direct_passthrough = False  # files of the page and of the documentation, all of them small
        _tag(response)
        _compress(response)
    if request.method == "POST" and response.status_code == 413:
        response.headers["Connection"] = "close"
    _count(response)
    return response


def _tag(response: Response) -> None:
    """An ETag for what was answered well; a client that has it is told so."""
    response.headers.setdefault("Cache-Control", "no-cache" if request.method in _SAFE else "no-store")
    if response.status_code == 200 and "ETag" not in response.headers:
        response.set_etag(hashlib.sha1(response.get_data(), usedforsecurity=False).hexdigest(), weak=True)
        response.make_conditional(request)


def _compress(response: Response) -> None:
    if not (response.mimetype or "").startswith(_COMPRESSED) or "Content-Encoding" in response.headers:
        return
    response.vary.add("Accept-Encoding")
    if response.status_code == 304 or not request.accept_encodings["gzip"] or request.method == "HEAD":
        return
    content = response.get_data()
    if len(content) >= _LEAST:
        response.set_data(gzip.compress(content, compresslevel=5 if len(content) < 1 << 20 else 1, mtime=0))
        response.headers["Content-Encoding"] = "gzip"


def _count(response: Response) -> None:
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    part, route = service(), request.url_rule.rule if request.url_rule else "none"
    method = request.method if request.method in _METHODS else "other"
    part.metrics.request(method, route, response.status_code, seconds)
    if not _LOG.isEnabledFor(logging.INFO):
        return
    told = {"id": g.get("request_id"), "method": method, "route": route, "status": response.status_code}
    told |= {"ms": round(seconds * 1000, 2), "client": g.get("client")}
    if part.settings.log_text:
        told["text"] = request.get_data(as_text=True)[:_TEXT] if request.method == "POST" else request.full_path[:_TEXT]
    _LOG.info("request", extra={"fields": told})
