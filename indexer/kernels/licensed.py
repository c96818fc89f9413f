"""The licences of the Documents of a Segment, by Document and by place.

In: numbers. Out: numbers. It refuses to know what a licence is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codecite.indexer.kernels.jit import kernel
from codecite.indexer.kernels.segment import GRANULE_BITS
from codecite.indexer.kernels.types import Any32, Ints, Ints32


class Licensed(NamedTuple):
    """The licences of the Documents of a Segment: those of d are `numbers[bounds[d]:bounds[d + 1]]`.

    `of_granule` has an entry for each 8 KiB of canonical text: the one licence of all Documents that reach into it, or
    -1 where they have several. It spares most postings the search for their Document.
    """

    bounds: Ints
    numbers: Any32
    of_granule: Ints32


@kernel
def map_granules(document_canonical: Ints, bounds: Ints, numbers: Any32, of_granule: Ints32) -> None:
    """Fill `Licensed.of_granule`, which has an entry for each granule that the canonical text reaches."""
    last = np.int64(-1)
    for document in range(len(document_canonical) - 1):
        start = document_canonical[document]
        end = document_canonical[document + 1]
        if start == end:
            continue
        one = bounds[document + 1] - bounds[document] == 1
        number = np.int64(numbers[bounds[document]]) if one else np.int64(-1)
        for granule in range(start >> GRANULE_BITS, ((end - 1) >> GRANULE_BITS) + 1):
            if granule > last:
                of_granule[granule] = number
                last = granule
            elif of_granule[granule] != number:
                of_granule[granule] = -1
