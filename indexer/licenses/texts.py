"""The text of a licence file -> which licences it holds.

In: the bytes of a licence file, any bytes. Out: SPDX names in the order in which they stand there. It refuses to know
where the file lies, and what the licences are of.

The texts are compared by `licenseclassifier`; what it does not know (a BSD licence with other words for its owner) is
looked for as the notice that it is. The text of a GNU licence does not say whether later versions may be chosen: that
is in the grant. So such a text is called by the name that SPDX gave up for just that, `GPL-2.0`, unless a grant stands
in front of it.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict

from codecite.indexer.licenses.comments import plain_words
from codecite.indexer.licenses.expression import normalize, parse
from codecite.indexer.licenses.notice import expression_granted, licenses_named

TEXT_BYTES = 1 << 17
"""Bytes of a licence file that are worth reading: the longest licence has 40,000."""

_REMEMBERED = 4096
_GNU = re.compile(r"([AL]?GPL|GFDL)-([0-9.]+)(-only|-or-later)?$")
_PART_OF = {
    "LGPL-3.0": {"GPL-3.0", "GPL-3.0-only"},
    "LGPL-3.0-only": {"GPL-3.0", "GPL-3.0-only"},
    "LGPL-3.0-or-later": {"GPL-3.0", "GPL-3.0-only"},
    "Python-2.0.1": {"HPND", "0BSD", "PSF-2.0", "CNRI-Python"},
    "Python-2.0": {"HPND", "0BSD", "PSF-2.0", "CNRI-Python"},
    "PSF-2.0": {"HPND", "0BSD", "CNRI-Python"},
}
"""Licences whose text holds others, or comes with them: these are no licences of their own then."""


def licenses_in(text: bytes) -> tuple[str, ...]:
    """The SPDX names of the licences whose texts stand in a licence file, each once.

    Of a file that holds no text but a notice it is what that grants; where it offers a choice, the one expression.

    >>> licenses_in(b"Permission to use, copy, modify, and/or distribute this software for any purpose with or without "
    ...             b"fee is hereby granted.")
    ('0BSD',)
    """
    text = text[:TEXT_BYTES]
    key = hashlib.sha1(text, usedforsecurity=False).digest()
    with _lock:
        found = _known.get(key)
        if found is not None:
            _known.move_to_end(key)
            return found
    found = _classified(_decoded(text))
    with _lock:
        _known[key] = found
        if len(_known) > _REMEMBERED:
            _known.popitem(last=False)
    return found


_known: OrderedDict[bytes, tuple[str, ...]] = OrderedDict()
_lock = threading.Lock()


def _decoded(text: bytes) -> str:
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return text.decode("utf-16", "replace")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _classified(text: str) -> tuple[str, ...]:
    from licenseclassifier import identify_license

    names = list(dict.fromkeys(match.id for match in identify_license(text, 0)))
    if not names:
        words = plain_words(text)
        granted = expression_granted(words)
        tree = parse(granted) if granted else None
        if granted and tree is not None and tree.operator == "OR":
            return (granted,)
        stated = licenses_named(words)
        return tuple(dict.fromkeys(name for one in stated for name in _names(one)))
    found: list[str] = []
    for name in names:
        gnu = _GNU.match(name)
        if gnu and any(_GNU.sub(r"\1-\2", other) == f"{gnu[1]}-{gnu[2]}" for other in found):
            continue  # the appendix of the text shows how to grant it; or the text follows its grant
        if not any(name in _PART_OF.get(other, ()) for other in found):
            found.append(name)
    return tuple(found)


def _names(expression: str) -> list[str]:
    tree = parse(normalize(expression) or "")
    return [] if tree is None else [leaf.license for leaf in tree.leaves]
