"""infini-gram on the heads of files, for `tail.py`: run by the interpreter that has it.

In: a file with a JSON list of texts. Out: seconds of `attribute` for each, with prefetching as it comes and without,
as JSON. It refuses to know codecite.

    python bench/tail_peer.py FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import measure
import peer
import pinned


def main() -> None:
    """Ask, and print the seconds."""
    measure.use_cores()
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    index = str(pinned.cache() / "infini-gram" / "index")
    tuned = peer.open_engine(index, ds_prefetch_depth=0, sa_prefetch_depth=0, od_prefetch_depth=0)
    ways = [peer.attributor(peer.open_engine(index)), peer.attributor(tuned)]
    print(json.dumps(dict(zip(("default", "tuned"), measure.best_times(ways, texts, 2), strict=True))))


if __name__ == "__main__":
    main()
