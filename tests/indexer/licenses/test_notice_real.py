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
    "Licensed under the GPL: https://www.gnu.org/licenses/old-licenses/gpl-2.0.html": "GPL-1.0-or-later",
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

FSF = (
    "This file is free software; the Foundation gives unlimited permission to copy and/or distribute it, with or "
    "without modifications, as long as this notice is preserved."
)
ISC = "Permission to use, copy, modify, and distribute this software for any purpose with or without fee is granted, "
HPND = (
    "Permission to use, copy, modify, distribute, and sell this software and its documentation for any purpose is "
    "hereby granted without fee, provided that both notices appear in all copies and in supporting documentation"
)
AUTOCONF = (
    "As a special exception, if you distribute this file as part of a program that contains a configuration script "
    "generated by Autoconf, you may include it under the terms of the rest."
)
GPL_3_LATER = f"{GPL_2}; either version 3 of the License, or (at your option) any later version."
BSD_4 = text_of("BSD-4-Clause")
WORDINGS |= {
    FSF: "FSFULLR",
    f"{FSF} It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY.": "FSFULLRWD",
    "Copying and distribution of this file, with or without modification, are permitted in any medium without royalty "
    "provided that this stays.": "FSFAP",
    f"{FSF} This file can be used in projects which are not available under the GNU General Public License, but want "
    "to translate. Please note that the actual code of the library is covered by the GNU Lesser General Public "
    "License, and the rest by the GNU General Public License.": "FSFULLR",
    f"{GPL_3_LATER} {AUTOCONF}": "GPL-3.0-or-later WITH Autoconf-exception-generic",
    f"{GPL_3_LATER} {AUTOCONF} This Exception is an additional permission under section 7 of the GNU General Public "
    'License, version 3 ("GPLv3").': "GPL-3.0-or-later WITH Autoconf-exception-generic-3.0",
    f"{GPL_3_LATER} As a special exception, the respective Autoconf Macro's copyright owner gives unlimited permission "
    "to copy, distribute and modify the configure scripts that it makes. "
    "You need not follow the terms of the GNU General Public License when using that. The GNU "
    "General Public License (GPL) does govern all other use.": "GPL-3.0-or-later WITH Autoconf-exception-macro",
    f"{GPL_3_LATER.replace('version 3', 'version 2')} As a special exception to the GNU General Public License, if you "
    "distribute this file as part of a program or library that is built using GNU Libtool, you may do as you like.": (
        "GPL-2.0-or-later WITH Libtool-exception"
    ),
    f"{ISC} provided that this notice appears in all copies. Except as contained in this notice, the name of a holder "
    "shall not be used.": "curl",
    HPND: "HPND-sell-variant",
    HPND.replace(", distribute, and sell", ", and distribute"): "HPND",
    f"{GPL_3_LATER} As a special exception, you may create a larger work that contains part or all of the Bison parser "
    "skeleton. Alternatively, you may remove this exception, and it is licensed under the GNU General Public License. "
    "It was added in version 2.2 of Bison.": "GPL-3.0-or-later WITH Bison-exception-2.2",
    f"{ISC.replace('with or ', '')}provided that this entire notice is included in all copies of any software.": "dtoa",
    BSD_4: "BSD-4-Clause",
    text_of("BSD-4-Clause-UC"): "BSD-4-Clause-UC",
    text_of("BSD-2-Clause") + "3. The name of the author may be used to endorse or promote products": "BSD-3-Clause",
}
WORDINGS |= {
    # by whatever name licences are called, with or without their versions
    "This code is released under the libpng license. For conditions see png.h": "Libpng",
    "Use of this file is governed by the BSD 3-clause license that can be found in the root": "BSD-3-Clause",
    "This can be used either under the terms of a) the GNU Lesser General Public License, version 3 or any later "
    "version b) the terms of the Apache License. You should have copies of both.": (
        "LGPL-3.0-or-later OR LicenseRef-Apache"
    ),
    "Available via Academic Free License 2.1 OR the modified BSD license, see our page": "AFL-2.1 OR BSD-3-Clause",
    "May be used under the terms of either the BSD License or the GNU General Public License (GPL) Version 2.": (
        "GPL-2.0-only OR LicenseRef-BSD"
    ),
    "This code is released under a tri EPL/GPL/LGPL license. Its terms are of the: Eclipse Public License version 2.0 "
    "GNU General Public License version 2 GNU Lesser General Public License version 2.1": (
        "EPL-2.0 OR GPL-2.0-only OR LGPL-2.1-only"
    ),
    'This is dual-licensed under "the GNU LGPLv3+ or the GNU GPLv2+".': "GPL-2.0-or-later OR LGPL-3.0-or-later",
    "Permission is granted to copy and modify this document under the terms of the GNU Free Documentation License, "
    "Version 1.3 or any later version published by the Foundation": "GFDL-1.3-or-later",
    # dedications, which ask for nothing beside a licence
    "This file is in the public domain. It was written long ago.": "LicenseRef-Public-Domain",
    "It was written by Jo Doe, and is placed in the public domain. There is no copyright.": "LicenseRef-Public-Domain",
    f"This code is in the public domain; do with it what you wish. Changes: Copyright 2018 A. {BSD_3}": "BSD-3-Clause",
    # texts that are carried along, by other owners, are no part of the choice before them
    "Multiple-Licensed under the MPL 2.0, and the EPL 1.0. This takes its format from another, whose owners say: "
    f"Copyright (c) 2000 Jo Doe. {BSD_2}": "(EPL-1.0 OR MPL-2.0) AND BSD-2-Clause",
    "This is LGPL licensed code, see LICENSE. Copyright (c) Others. "
    "Permission to use, copy, modify, and/or distribute this software for any purpose is hereby granted.": (
        "0BSD AND LicenseRef-LGPL"
    ),
    "The contents of this file are subject to the Mozilla Public License, Version 1.1; its limitations are permitted. "
    "Alternatively, it may be used under the terms of the GNU LGPL, version 2.1. If you have not got this from us, "
    "you should see whether what you have is obsolete, and look there for another one, as all of the others do, too. "
    f"Copyright (c) 2000 Jo Doe. {MIT}": "(LGPL-2.1-only OR MPL-1.1) AND MIT",
    f"{MIT} You can now use it under the MIT license; you can also use it under the MPL version 1.1.": "MIT OR MPL-1.1",
    "x.js version : 2 authors : many license : MIT": "MIT",
    "Permission is granted to copy this document under the terms of the GNU Free Documentation License, Version 1.3 or "
    "any later version published by the Foundation; with no Invariant Sections.": "GFDL-1.3-no-invariants-or-later",
    # permissions and exceptions near others
    text_of("libtiff"): "libtiff",
    f"{GPL_3_LATER} Under section 7 of GPL version 3, you are granted additional permissions described in the Autoconf "
    "Configure Script Exception, version 3.0, as published by the Foundation.": (
        "GPL-3.0-or-later WITH Autoconf-exception-3.0"
    ),
    f"{GPL_2}, version 2.0. This file is also subject to the Universal FOSS Exception, version 1.0, of a copy": (
        "GPL-2.0-only WITH Universal-FOSS-exception-1.0"
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


def test_a_comment_that_begins_with_if_is_no_directive() -> None:
    """`# if you distribute` is prose, `# if DEBUG` is not."""
    text = (
        "# Licensed under the GNU GPL, version 2. As a special exception,\n"
        "# if you distribute this file as part of a program or library that\n"
        "# is built using GNU Libtool, you may do as you like.\n"
    )
    found = read_notice(text.encode())
    assert found is not None
    assert found.expression == "GPL-2.0-only WITH Libtool-exception"
    for directive in ("#if DEBUG", "# if defined(A)", "#if 0", "# ifdef x", '#include "x"', "#define MIT_LICENSE x"):
        assert read_notice(f"{directive} licensed under the MIT license\n".encode()) is None


def test_the_marks_of_a_manual_page_are_no_words() -> None:
    """Its comments begin with a dot, a backslash and a quotation mark."""
    words = f"{ISC} provided that the notice appears in all copies.".split()
    page = "".join(f'.\\" {" ".join(words[at : at + 5])}\n' for at in range(0, len(words), 5))
    found = read_notice(page.encode())
    assert found is not None
    assert found.expression == "ISC"


@pytest.mark.parametrize(
    "text",
    [
        "# Translations.\n# This file is distributed under the same license as the sed package.\n",
        "/* This software is distributed under license and may not be copied but as that license says. */\n",
    ],
)
def test_what_points_to_the_licence_of_the_package_names_none(text: str) -> None:
    """It is kept as a notice without an expression."""
    found = read_notice(text.encode())
    assert found is not None
    assert found.expression is None


def test_what_a_file_is_made_after_may_be_in_the_public_domain() -> None:
    """That is not said of the file itself."""
    assert (
        read_notice(b"// Copyright A. This is based on the excellent TweetNaCl, which is in the public domain.\n")
        is None
    )
