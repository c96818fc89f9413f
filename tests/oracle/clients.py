"""Clients of other people's services, as programs: each in an environment of its own, never imported here.

In: the name of a package. Out: the folder of its programs. It refuses to know what they are used for. The environments
stay in the user's cache, so that they are made once.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import venv
from pathlib import Path

import pytest

PINNED = {"scanoss": "scanoss==1.54.3", "swh.scanner": "swh.scanner==0.9.0"}


def programs_of(package: str) -> Path:
    """Where the programs of a package are; skips, or fails if `CODECITE_REQUIRE` lists it, where it cannot be had."""
    base = Path(os.environ.get("CODECITE_CLIENTS") or Path.home() / ".cache" / "codecite-clients")
    place = base / PINNED[package]
    base.mkdir(parents=True, exist_ok=True)
    with (base / f"{PINNED[package]}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = place / "installed"
        if not done.exists():
            venv.create(place, with_pip=True, clear=True)
            command = [place / "bin" / "python", "-m", "pip", "install", "--quiet", PINNED[package]]
            made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
            if made.returncode:
                text = f"{PINNED[package]} cannot be installed here: {made.stderr.strip()[-300:]}"
                if package in os.environ.get("CODECITE_REQUIRE", "").split(","):
                    pytest.fail(text, pytrace=False)
                pytest.skip(text)
            done.touch()
    return place / "bin"


def run(program: Path, *arguments: str | Path, home: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program with a home of its own."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("CODECITE_", "XDG_", "SWH_"))}
    return subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        input=stdin,
        cwd=home,
        env={**outside, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
        timeout=300,
    )
