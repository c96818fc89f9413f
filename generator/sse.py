"""The body of an HTTP answer -> the data of its server-sent events.

In: an open answer of httpx. Out: JSON objects, one an event. It refuses to know what they say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from codecite.indexer.errors import ModelError


def events(response: Any, where: str) -> Iterator[dict[str, Any]]:
    """The data of server-sent events, each a JSON object; ends at `[DONE]`.

    The connection breaking before that is a ModelError: what came may not be all.
    """
    import httpx

    data: list[str] = []
    try:
        for line in _lines(response):
            if line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
                continue
            if line or not data:
                continue
            text, data = "\n".join(data), []
            if text == "[DONE]":
                return
            try:
                event = json.loads(text)
            except ValueError:
                event = None
            if not isinstance(event, dict):
                raise ModelError(f"{where}: sent an event that is no JSON object: {text[:80]!r}")
            yield event
            if event.get("stop") is True:  # the last one of llama.cpp's own routes
                return
    except httpx.TimeoutException:
        raise ModelError(f"{where}: stopped sending in the middle of a completion") from None
    except httpx.HTTPError as error:
        raise ModelError(f"{where}: broke off in the middle of a completion ({sentence(error)})") from None
    raise ModelError(f"{where}: broke off in the middle of a completion")


def _lines(response: Any) -> Iterator[str]:
    """The lines of a stream, which line feeds and carriage returns end and nothing else (U+2028 may stand in JSON)."""
    rest = b""
    for chunk in response.iter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines)


def sentence(error: BaseException) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
