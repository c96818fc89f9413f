"""What the tests of remote indexes ask about: real modules, and what their packages declare."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from codecite.indexer.records import EvidenceKind, LicenseEvidence

STDLIB = Path(sysconfig.get_paths()["stdlib"])
MODULES = ("textwrap.py", "shlex.py", "bisect.py", "heapq.py", "tokenize.py", "json/decoder.py")
HEADS = ("MIT", "GPL-2.0-only", "Apache-2.0")
TEXTS = {name: (STDLIB / name).read_bytes() for name in MODULES}
NOTICE = b"This product has a notice.\xff\n"


def evidence(license: str) -> tuple[LicenseEvidence, ...]:
    """What a package declares, and the file that came with it."""
    field = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, license, "License", license)
    file = LicenseEvidence(EvidenceKind.LICENSE_FILE, None, "NOTICE", "a notice", ("Copyright 2020 A. Author",))
    return field, file
