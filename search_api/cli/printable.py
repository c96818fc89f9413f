"""What may be shown on a terminal: code and names from anywhere, made harmless and short.

In: any text. Out: text without control characters, in which what was replaced can be seen; counts and sizes as
people read them. It refuses to know what the text means.
"""

from __future__ import annotations

import re

# Control characters (a terminal obeys them), bidirectional and invisible marks (they show code in another order
# than it runs), lone surrogates (bytes that were no UTF-8). Tabs are dealt with apart.
_HARMFUL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def printable(text: str) -> str:
    """`text` on one line: tabs as four spaces, whatever could act on a terminal as an escape such as `\\x1b`."""
    return _HARMFUL.sub(_escape, text.replace("\t", "    "))


def shortened(text: str, limit: int) -> str:
    """`text`, or its first characters and an ellipsis where it has more than `limit`."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def count(number: int, noun: str, *, capped: bool = False) -> str:
    """`1 document`, `2,345 documents`, `1,000 or more documents`."""
    plural = noun if number == 1 and not capped else f"{noun}s"
    return f"{number:,} {'or more ' if capped else ''}{plural}"


def size(octets: float) -> str:
    """A number of bytes in decimal units: `512 bytes`, `17.2 MB`."""
    if octets < 1000:
        return count(int(octets), "byte")
    for unit in ("kB", "MB", "GB"):
        octets /= 1000
        if octets < 999.95:
            return f"{octets:.1f} {unit}"
    return f"{octets / 1000:.1f} TB"
