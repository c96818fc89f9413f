"""Licences are known by the places where they are published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.licenses.names import spdx_list
from codecite.indexer.licenses.urls import from_url


@pytest.mark.parametrize(
    ("url", "license"),
    [
        ("http://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"),
        ("https://www.apache.org/licenses/LICENSE-2.0.html", "Apache-2.0"),
        ("http://apache.org/licenses/LICENSE-1.1", "Apache-1.1"),
        ("http://www.opensource.org/licenses/mit-license.php", "MIT"),
        ("https://opensource.org/license/mit/", "MIT"),
        ("https://opensource.org/licenses/BSD-3-Clause", "BSD-3-Clause"),
        ("http://www.opensource.org/licenses/bsd-license.php", "LicenseRef-BSD"),
        ("http://www.gnu.org/licenses/lgpl.html", "LicenseRef-LGPL"),
        ("http://www.gnu.org/copyleft/lesser.html", "LicenseRef-LGPL"),
        ("https://www.gnu.org/licenses/old-licenses/gpl-2.0.en.html", "GPL-2.0-only"),
        ("https://www.gnu.org/licenses/agpl-3.0.txt", "AGPL-3.0-only"),
        ("https://www.gnu.org/software/classpath/license.html", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("http://www.eclipse.org/legal/epl-v10.html", "EPL-1.0"),
        ("https://www.eclipse.org/legal/epl-2.0/", "EPL-2.0"),
        ("http://www.eclipse.org/org/documents/edl-v10.php", "BSD-3-Clause"),
        ("http://www.mozilla.org/MPL/2.0/index.txt", "MPL-2.0"),
        ("https://www.mozilla.org/en-US/MPL/2.0/", "MPL-2.0"),
        ("http://www.mozilla.org/MPL/MPL-1.1.html", "MPL-1.1"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/licenses/by-sa/3.0/legalcode", "CC-BY-SA-3.0"),
        ("http://repository.jboss.org/licenses/cc0-1.0.txt", "CC0-1.0"),
        ("https://unlicense.org/", "Unlicense"),
        ("http://www.apache.org/licenses/", None),
        ("https://github.com/a/b/blob/main/LICENSE.txt", None),
        ("https://github.com/a/mit", None),
        ("https://example.org/license", None),
        ("ftp://www.gnu.org/licenses/gpl-3.0.txt", None),
        ("MIT", None),
        ("http://[::1/licenses/MIT", None),
        ("", None),
    ],
)
def test_places_of_licenses_are_known(url: str, license: str | None) -> None:
    """Pages of families keep their ambiguity, and a page of anything else is no licence."""
    assert from_url(url) == license


def test_the_pages_of_the_license_list_are_known() -> None:
    """Every identifier of today is found at its page on the SPDX site."""
    identifiers = {name for name in spdx_list().licenses.values() if " " not in name}
    assert len(identifiers) > 500
    for name in identifiers:
        assert from_url(f"https://spdx.org/licenses/{name}.html") == name


@given(st.text(max_size=100))
def test_any_text_is_a_place_or_none(text: str) -> None:
    """No URL, however broken, is an error."""
    for url in (text, f"https://{text}", f"https://www.gnu.org/licenses/{text}"):
        assert from_url(url) is None or from_url(url) != ""
