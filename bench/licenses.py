"""How often the licence of a file or a package is read right, against sources that know it.

In: the linux source, with a licence tag in nearly every file; Debian packages, whose `debian/copyright` people wrote;
wheels of the same upstream versions. Out: tables, and each disagreement by name. It refuses to know how a licence is
read: it compares expressions.

    python bench/licenses.py [--only linux|debian|wheels|cost] [--show 20]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable

import licenses_debian
import licenses_linux
import measure


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=sorted(PARTS))
    parser.add_argument("--show", type=int, default=20, help="so many disagreements of each class are printed")
    arguments = parser.parse_args()
    measure.use_cores()
    print(f"numpy copies {measure.copy_rate():.1f} GB/s")
    for name, part in PARTS.items():
        if not arguments.only or name in arguments.only:
            part(arguments.show)


PARTS: dict[str, Callable[[int], None]] = {
    "linux": licenses_linux.main,
    "debian": licenses_debian.heads,
    "wheels": licenses_debian.wheels,
}


def percent(part: int, whole: int) -> str:
    """A share, written."""
    return f"{part:,} of {whole:,} ({part / max(1, whole):.2%})"


def shown(cases: Counter[tuple[str, str]], limit: int) -> None:
    """The most frequent disagreements."""
    for (expected, found), count in cases.most_common(limit):
        print(f"    {count:6,}  {expected}  read as  {found}")


if __name__ == "__main__":
    main()
