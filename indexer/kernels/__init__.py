"""Arrays in, arrays out: the loops that codecite's speed rests on, compiled by numba. No I/O, no nouns."""
