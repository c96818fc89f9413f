"""A Scan as JSON, `codecite-scan/1`.

In: a Scan. Out: one object, indented. It refuses to know what is in it.
"""

from __future__ import annotations

import json

from codecite.search_api.scan.records import Scan
from codecite.search_api.scan.report import scan_to_dict


def render(scan: Scan) -> str:
    """The JSON form, for programs."""
    return json.dumps(scan_to_dict(scan), indent=2) + "\n"
