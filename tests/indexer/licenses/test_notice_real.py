"""Wordings of notices as they stand in the kernel and in Debian's packages, the prose around them ours."""

from __future__ import annotations

import pytest
from oracle.expressions import text_of

from codecite.indexer.licenses.notice import read_notice

BSD_2, BSD_3, MIT = text_of("BSD-2-Clause"), text_of("BSD-3-Clause"), text_of("MIT")
APACHE = 'Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file'
GPL_2 = (
    "This program is free software; you can redistribute it and/or modify it under the terms of the GNU General Public "
    "License as published by the Free Software Foundation"
)

WORDINGS = {
    # a family where no licence of it is named, and only there
    "This file is provided under a dual BSD/GPLv2 license. Take it under either.": "GPL-2.0-only OR LicenseRef-BSD",
    f"This file is provided under a dual BSD/GPLv2 license. Take it under either. {BSD_3}": (
        "BSD-3-Clause OR GPL-2.0-only"
    ),
    "The first author put his part under a DUAL GPL/BSD license.": "GPL-1.0-or-later OR LicenseRef-BSD",
    "Dual GPLv2/MIT, whichever suits.": "GPL-2.0-only OR MIT",
    # a licence that is left to a file beside another, which must not hide it
    "This source code is licensed under both the BSD-style license (found in the LICENSE file in the top folder "
    "of this tree) and the GPLv2 (found in the COPYING file in the same place). You may select, at your option, "
    "one of the two.": ("GPL-2.0-only OR LicenseRef-BSD"),
    "This file is subject to the terms of the GNU General Public License. See the file COPYING for them. "
    f"Parts of it came to us under this: {BSD_3}": "BSD-3-Clause AND LicenseRef-GPL",
    "This program can be distributed under the terms of the GNU GPL. See the file COPYING. This header, though, may "
    f"also be distributed under the terms of the BSD Licence as follows: {BSD_2}": "BSD-2-Clause OR LicenseRef-GPL",
    # choices in other words
    "If distributed as part of the kernel, this code is licensed under the terms of the GPL v2. Otherwise, the "
    f"following license terms apply: {BSD_3}": "BSD-3-Clause OR GPL-2.0-only",
    "The library may be modified under the terms of either: the GNU Lesser General Public License as published by the "
    "Free Software Foundation; either version 3 of the License, or (at your option) any later version. or the GNU "
    "General Public License as published by the Free Software Foundation; either version 2 of the License, or (at your "
    "option) any later version. or both in parallel, as here.": "GPL-2.0-or-later OR LGPL-3.0-or-later",
    # versions
    f"{GPL_2} version 2 and no later version.": "GPL-2.0-only",
    f"{GPL_2}; version 2 of the License (not later!)": "GPL-2.0-only",
    "The code contained herein is licensed under the GNU General Public License. You may obtain a copy of the GNU "
    "General Public License Version 2 or later at the following locations:": "GPL-2.0-or-later",
    "The code contained herein is licensed under the GNU Lesser General Public License. You may obtain a copy of the "
    "GNU Lesser General Public License Version 2.1 at the following locations:": "LGPL-2.1-only",
    "Licensed under the GNU General Public License. You may obtain a copy of the GNU Lesser General Public License "
    "Version 2.1 elsewhere.": "GPL-1.0-or-later",
    # names in another order, or with a word less
    "You can modify it under the terms of the GNU General Lesser Public License as published by the Free Software "
    "Foundation; either version 2.1 of the License, or (at your option) any later version.": "LGPL-2.1-or-later",
    "Released under terms of General Public License": "GPL-1.0-or-later",
    # what the origin of a file was under
    "The library itself is published under the LGPL; however I decided to publish this code under the plain GPL.": (
        "GPL-1.0-or-later"
    ),
    "Its author gave permission to relicense it under the GPLv2. The original headers, including the original license "
    f"headers, are included below for completeness. {APACHE}": "GPL-2.0-only",
    f"Its author wrote it under the GPLv2. The headers of a part of it are included below. {APACHE}": (
        "Apache-2.0 AND GPL-2.0-only"
    ),
}


@pytest.mark.parametrize("expected", WORDINGS.items(), ids=lambda item: item[1])
@pytest.mark.parametrize("width", [50, 78, 1000])
def test_wordings_of_real_heads(expected: tuple[str, str], width: int) -> None:
    """However long the lines of the comment are."""
    lines, line = [], ""
    for word in expected[0].split():
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    head = "".join(f" * {one}\n" for one in [*lines, line])
    found = read_notice(f"/*\n{head} */\nint x;\n".encode())
    assert found is not None
    assert found.expression == expected[1]
