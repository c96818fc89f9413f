"""Errors -> answers in problem JSON (RFC 9457), whoever raised them.

In: a Problem, an error of the library, one of Flask's own. Out: a response. Under `/v1/`, whose clients know another
form, the same object has an `error` too, as OpenAI writes it. It refuses to know of any route.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.http import HTTP_STATUS_CODES

from codecite.indexer.errors import (
    CodeciteError,
    ConfigError,
    ModelError,
    NotSearchableError,
    PolicyError,
    QueryError,
    TextError,
)

_LOG = logging.getLogger("codecite.server")
_TYPES = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}


class Problem(Exception):
    """What a request is refused with. `extra` are further members of the object."""

    def __init__(self, status: int, detail: str, *, retry_after: float | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
        self.extra = extra


def wrong_field(field: str, message: str, status: int = 422) -> Problem:
    """What is wrong with one field of a request."""
    return Problem(status, f"{field}: {message}", errors=[{"field": field, "message": message}])


def problem_object(status: int, detail: str, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The members of a problem."""
    title = HTTP_STATUS_CODES.get(status, "Error")
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **(extra or {})}


def openai_error(status: int, detail: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """The same as OpenAI's clients read it."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"message": detail, "type": kind, "param": param, "code": code}


def problem_response(problem: Problem) -> Response:
    """The answer for a Problem."""
    made = problem_object(problem.status, problem.detail, problem.extra)
    if "request_id" in g:
        made["request_id"] = g.request_id
    if request.path.startswith("/v1/"):
        errors = problem.extra.get("errors") or [{}]
        made["error"] = openai_error(problem.status, problem.detail, errors[0].get("field"), problem.extra.get("code"))
    response = Response(json.dumps(made), problem.status, mimetype="application/problem+json")
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(problem.retry_after)))
    return response


def problem_of(error: CodeciteError | OSError) -> Problem:
    """What an error of the library is to the one who asked: names of files on this machine are not told."""
    if isinstance(error, (TextError, PolicyError)):
        return Problem(422, str(error))
    if isinstance(error, ModelError):
        return Problem(502, str(error))
    if isinstance(error, (ConfigError, QueryError)):
        return Problem(422, str(error))
    if isinstance(error, NotSearchableError):
        return Problem(501, str(error))
    _LOG.error("the index cannot answer: %s", error)
    return Problem(503, "the index cannot answer now; the server's log says why", retry_after=5)


def register(app: Flask) -> None:
    """Answer every error of this application with a problem."""

    @app.errorhandler(Problem)
    def refused(error: Problem) -> Response:
        return problem_response(error)

    @app.errorhandler(CodeciteError)
    def library(error: CodeciteError) -> Response:
        return problem_response(problem_of(error))

    @app.errorhandler(HTTPException)
    def flasks_own(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400 and error.response is not None:  # a redirect of the router's
            return Response(status=status, headers={"Location": error.get_response().headers.get("Location", "/")})
        detail = error.description or HTTP_STATUS_CODES.get(status, "Error")
        if isinstance(error, RequestEntityTooLarge):
            limit = app.config["MAX_CONTENT_LENGTH"]
            detail = f"the body is larger than the {limit:,} bytes that this server takes"
        response = problem_response(Problem(status, detail))
        for name, value in error.get_headers():
            if name.lower() in ("allow", "retry-after", "www-authenticate"):
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        _LOG.error("a bug in codecite: %s", type(error).__name__, exc_info=error)
        return problem_response(Problem(500, "a bug in codecite; the server's log says where"))
