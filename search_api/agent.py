"""The door for agents: the tools of `codecite mcp`, over the Model Context Protocol.

In: calls of tools. Out: the answers of the library, in their JSON forms. It refuses to know how the calls arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from codecite.indexer.attribution.policy import Policy
from codecite.indexer.attribution.shipped import as_text
from codecite.indexer.attribution.shipping import notice_of
from codecite.indexer.errors import CodeciteError
from codecite.indexer.index import Index
from codecite.indexer.licenses.categories import OBLIGATIONS, category, obligations
from codecite.indexer.licenses.compatibility import compatibility
from codecite.indexer.licenses.named import expression_named
from codecite.indexer.licenses.tables import license_text
from codecite.search_api.live import LiveIndex

_INSTRUCTIONS = (
    "codecite tells where code came from and under which licence. Check code that you wrote or copied before you hand "
    "it over; a passage that is found has sources, licences and what these ask for. No match never means original: "
    "each answer states what the index holds."
)
Tool = TypeVar("Tool", bound=Callable[..., Any])
_SOURCES = 20
_TEXT = 20_000
"""Characters of a licence's text that are told at most."""


def make_agent_server(index: Index, policy: Policy) -> MCPServer[Any]:
    """The server with its tools over an opened index, of which it always asks the latest generation."""
    live = LiveIndex(index)
    server: MCPServer[Any] = MCPServer("codecite", instructions=_INSTRUCTIONS)

    @server.tool()
    @_told
    def check(text: str, before: str = "", after: str = "", sources: int = 3) -> dict[str, Any]:
        """Find the passages of a piece of code that stand in the index, where, under which licences, and the verdict.

        `before` and `after` are the code around it. Each passage shows its first `sources` sources.
        """
        options: dict[str, Any] = {"before": before, "after": after, "sources": max(0, min(sources, 100))}
        return live.answer(lambda found: found.check(text, policy=policy, **options)).to_dict()

    @server.tool()
    @_told
    def search(query: str, limit: int = 10) -> dict[str, Any]:
        """Search the code of the index by words and names."""
        return _asked(live, "search", query, limit)

    @server.tool()
    @_told
    def similar(text: str, limit: int = 10) -> dict[str, Any]:
        """Find files of the index that are nearly this one."""
        return _asked(live, "similar", text, limit)

    @server.tool()
    @_told
    def notice(text: str, path: str = "code") -> dict[str, Any]:
        """Write the attributions that must be shipped with a piece of code, and name what no notice settles."""

        def made(found: Index) -> dict[str, Any]:
            report = found.check(text, policy=policy, sources=_SOURCES).to_dict()
            shipped = notice_of([(path, report)], policy, found.file_beside)
            return {"notice": as_text(shipped, "Third-party notices"), "unsettled": shipped.to_dict()["unsettled"]}

        return live.answer(made)

    @server.tool()
    @_told
    def explain_license(expression: str, into: str | None = None) -> dict[str, Any]:
        """Say what kind of licence an SPDX expression stands for, what it asks for, and its text.

        `into` is the licence of a work that takes the code up: then also whether the two go together.
        """
        return explained(expression, into)

    return server


def _told(tool: Tool) -> Tool:
    """The same tool, whose errors of the library are told to the agent."""

    @wraps(tool)
    def telling(*arguments: Any, **named: Any) -> Any:
        try:
            return tool(*arguments, **named)
        except CodeciteError as error:
            raise ToolError(str(error)) from None

    return cast(Tool, telling)


def explained(expression: str, into: str | None) -> dict[str, Any]:
    """What is known of a licence."""
    try:
        license = expression_named(expression)
        outbound = None if into is None else expression_named(into)
    except ValueError as error:
        raise CodeciteError(str(error)) from None
    listed = license_text(license)
    told: dict[str, Any] = {
        "license": license,
        "category": str(category(license)),
        "obligations": {name: OBLIGATIONS[name] for name in obligations(license)},
        "name": listed[0] if listed else None,
        "text": listed[1][:_TEXT] if listed else None,
    }
    if outbound is not None:
        found = compatibility(license, outbound)
        told["into"] = {"license": outbound, "answer": found.answer.name.lower(), "reason": found.sentence}
    return told


def _asked(live: LiveIndex, what: str, text: str, limit: int) -> dict[str, Any]:
    def question(index: Index) -> dict[str, Any]:
        ask: Callable[..., Any] | None = getattr(index, what, None)
        if ask is None:
            raise CodeciteError(f"this index cannot answer {what} yet")
        found = ask(text, limit=max(1, min(limit, 100)))
        made: dict[str, Any] = found if isinstance(found, dict) else found.to_dict()
        return made

    return live.answer(question)
