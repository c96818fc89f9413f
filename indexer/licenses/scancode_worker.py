"""The process that holds ScanCode: texts in, licences out.

In: on standard input texts, each a JSON string on a line. Out: on standard output for each a line, a list of an SPDX
expression, the line in the text where it is stated and the words there, or null. It refuses to know whose texts they
are. `scancode.py` starts it; nothing imports it.

Only exact rules are asked (`approximate=False`): approximate ones take seconds for a file. What ScanCode calls a clue,
a licence that it does not know, or a mere disclaimer is no licence.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_NO_LICENSES = ("unknown", "warranty-disclaimer", "proprietary-license", "generic-cla")


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the library prints is no answer
    from licensedcode.detection import detect_licenses

    for line in sys.stdin:
        found = _found(detect_licenses(query_string=json.loads(line), approximate=False))
        answers.write(json.dumps(found) + "\n")
        answers.flush()


def _found(detections: Any) -> list[object] | None:
    """The expressions of all detections together, with the place of the first."""
    stated = [
        one
        for one in detections
        if one.license_expression_spdx and not any(word in one.license_expression for word in _NO_LICENSES)
    ]
    if not stated:
        return None
    expressions = dict.fromkeys(one.license_expression_spdx for one in stated)
    first = stated[0].matches[0]
    return [" AND ".join(f"({one})" for one in expressions), first.start_line, first.matched_text()]


if __name__ == "__main__":
    main()
