"""The figures of licence evidence: tags, notices in heads, packages, and what reading them costs a build.

In: linux-source-6.1 (`fetch.py`), Debian packages (`apt-get`), jars (`mvn`), tarballs (`npm`), wheels and sdists (`pip
download`). Out: plain tables on standard output, each difference with its reason. It refuses to know how licences are
read.

    python bench/licenses.py [--only kernel heads maven npm first last packages cost] [--examples N]
"""

from __future__ import annotations

import argparse
import time

import licenses_cost
import licenses_debian
import licenses_heldback
import licenses_kernel
import licenses_maven
import licenses_npm
import licenses_packages
import measure

SECTIONS = {
    "kernel": licenses_kernel.lines,
    "heads": licenses_debian.lines,
    "maven": licenses_maven.lines,
    "npm": licenses_npm.lines,
    "first": licenses_heldback.first,
    "last": licenses_heldback.last,
    "packages": licenses_packages.lines,
    "cost": licenses_cost.lines,
}


def main() -> None:
    """One section after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], choices=tuple(SECTIONS), metavar="NAME")
    parser.add_argument("--examples", type=int, default=40, help="lines shown of each kind of difference")
    arguments = parser.parse_args()
    measure.use_cores()
    for name in arguments.only or SECTIONS:
        began = time.monotonic()
        found = SECTIONS[name](arguments.examples)
        print(f"== {name} ({time.monotonic() - began:.0f} s)", *found, "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
