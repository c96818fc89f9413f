"""URLs under which licences are published -> SPDX identifiers.

In: a URL. Out: an SPDX identifier, `LicenseRef-` for a family (the page of the LGPL, of any version), or None for a
URL that is not known to be a licence. Nothing is fetched. This module refuses to know where a URL was read.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from codecite.indexer.licenses import names

MAX_URL = 500
"""Characters; nothing longer is looked at."""

_PLACES = {
    "boost.org/license_1_0": "BSL-1.0",
    "creativecommons.org/publicdomain/mark/1.0": "LicenseRef-Public-Domain",
    "creativecommons.org/publicdomain/zero/1.0": "CC0-1.0",
    "creativecommons.org/publicdomain/zero/1.0/legalcode": "CC0-1.0",
    "eclipse.org/legal/epl-2.0": "EPL-2.0",
    "eclipse.org/legal/epl-v10": "EPL-1.0",
    "eclipse.org/legal/epl-v20": "EPL-2.0",
    "eclipse.org/org/documents/edl-v10": "BSD-3-Clause",
    "eclipse.org/org/documents/epl-2.0/epl-2.0": "EPL-2.0",
    "eclipse.org/org/documents/epl-v10": "EPL-1.0",
    "eclipse.org/org/documents/epl-v20": "EPL-2.0",
    "glassfish.dev.java.net/public/cddlv1.0": "CDDL-1.0",
    "gnu.org/software/classpath/license": "GPL-2.0-with-classpath-exception",
    "gnu.org/copyleft/lesser": "LicenseRef-LGPL",
    "golang.org/license": "BSD-3-Clause",
    "jquery.org/license": "MIT",
    "json.org/license": "JSON",
    "openjdk.java.net/legal/gplv2+ce": "GPL-2.0-with-classpath-exception",
    "opensource.org/licenses/apache2.0": "Apache-2.0",
    "opensource.org/licenses/bsd": "LicenseRef-BSD",
    "opensource.org/licenses/cddl1": "CDDL-1.0",
    "opensource.org/licenses/eclipse-1.0": "EPL-1.0",
    "opensource.org/licenses/isc-license": "ISC",
    "opensource.org/licenses/mozilla1.1": "MPL-1.1",
    "oss.oracle.com/licenses/upl": "UPL-1.0",
    "unlicense.org": "Unlicense",
    "wtfpl.net": "WTFPL",
    "wtfpl.net/about": "WTFPL",
}
"""Host and path in lower case, without `www.`, slash and suffix -> what `names.known` makes an identifier of."""

_ENDING = re.compile(r"(?:\.(?:txt|html?|php|md|json|en))+$")
_PATTERNS = (
    (re.compile(r"apache\.org/licenses/license-([\d.]+)"), "Apache-{}"),
    (re.compile(r"(?:gnu\.org|fsf\.org)/(?:copyleft|licenses)/(?:old-licenses/)?([al]?gpl(?:-[\d.]+)?)"), "{}"),
    (re.compile(r"opensource\.org/licenses?/(.+?)(?:-license)?"), "{}"),
    (re.compile(r"creativecommons\.org/licenses/([a-z-]+/[\d.]+)(?:/legalcode)?"), "CC-{}"),
    (re.compile(r"mozilla\.org/(?:[a-z-]+/)?mpl/(?:mpl-)?([\d.]+)(?:/index)?"), "MPL-{}"),
    (re.compile(r".*licen[cs]es?\b.*/([^/]+)"), "{}"),
)
"""Tried in order; the last takes the end of a path, which on sites of licences is their identifier."""


def from_url(url: str) -> str | None:
    """The SPDX identifier of the licence that is published there.

    >>> from_url("http://www.apache.org/licenses/LICENSE-2.0.txt"), from_url("https://www.gnu.org/licenses/lgpl.html")
    ('Apache-2.0', 'LicenseRef-LGPL')
    """
    try:
        parts = urlsplit(url.strip()[: MAX_URL + 1])
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or len(url) > MAX_URL:
        return None
    place = _ENDING.sub("", f"{host}{parts.path}".lower().rstrip("/"))
    if place in _PLACES:
        return names.known(_PLACES[place])
    for pattern, form in _PATTERNS:
        found = pattern.fullmatch(place)
        name = names.known(form.format(found.group(1).replace("/", "-"))) if found else None
        if name:
            return name
    return None
