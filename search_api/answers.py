"""Answers as JSON, and the events of a completion in their JSON form.

In: objects, events of a generator. Out: responses, objects. It refuses to know who asked: the command line writes the
same events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from codecite.generator.events import End, Event, Generation, Text, Withdrawn
from codecite.indexer.records import Prevented
from codecite.indexer.report_json import attribution_to_dict


def event_object(event: Event) -> dict[str, Any]:
    """An event as JSON: its `event` is `text`, `opened`, `grown`, `closed`, `prevented`, `withdrawn` or `end`."""
    if isinstance(event, Text):
        return {"event": "text", "text": event.text}
    if isinstance(event, Withdrawn):
        return {"event": "withdrawn"}
    if isinstance(event, End):
        return {"event": "end", "error": event.generation.error, "report": report_with_text(event.generation)}
    if isinstance(event, Prevented):
        return {"event": "prevented", "action": event.action, "match": attribution_to_dict(event.attribution)}
    return {"event": str(event.state), "match": attribution_to_dict(event.attribution)}


def report_with_text(done: Generation) -> dict[str, Any]:
    """The Report of a completion, with the completion in it."""
    form = done.report.to_dict()
    form["generation"]["text"] = done.completion
    return form


def encoded(value: Mapping[str, Any]) -> str:
    """An object as JSON in ASCII, on one line: no character in it can end a line or a script."""
    return json.dumps(value, separators=(",", ":"))
