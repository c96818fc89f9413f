"""codecite's library: indexes source code, and tells where a text stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codecite.indexer.index import Index as Index
    from codecite.indexer.index import open_index as open_index

__all__ = ["Index", "open_index"]


def __getattr__(name: str) -> Any:
    """Load `open_index` and `Index` at their first use: `import codecite.indexer` itself stays light."""
    if name in __all__:
        from codecite.indexer import index

        return getattr(index, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
