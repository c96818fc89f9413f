"""The terms of a text, for the lexical index and for its queries.

In: bytes. Out: text of terms, one space behind each. It refuses to know of search engines.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.kernels.terms import ROOM, write_terms


def terms_of(content: bytes) -> str:
    """The terms of a text in their order.

    >>> terms_of(b"HTTPServer2.parse_url(x)")
    'httpserver2 http server 2 parse_url parse url x '
    """
    out = np.empty(ROOM * len(content) + 2, np.uint8)
    size = write_terms(np.frombuffer(content, np.uint8), out) if content else 0
    return out[:size].tobytes().decode("utf-8", "replace")
