"""The one place that decides how kernels are compiled.

In: a function over numpy arrays. Out: the same function, compiled at its first call, without the GIL, with the
machine code cached on disk. It refuses to know what a kernel computes.

numba's cache notices a change in the file of a kernel, but not in a kernel of another file that it calls. So each
cache entry is stamped with a digest over every file of this room instead: change one, and all are compiled anew.
The environment variable `NUMBA_DISABLE_JIT=1` runs the kernels as plain Python, `NUMBA_CACHE_DIR` moves the cache
(a read-only container needs it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

_kernels: list[Any] = []


@cache
def digest() -> str:
    """The hexadecimal digest over the sources of all kernels."""
    state = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        state.update(path.read_bytes())
    return state.hexdigest()[:16]


def kernel(function: F) -> F:
    """Compile `function` lazily, without the GIL, cached on disk under the digest of all kernels.

    It makes no arrays, and calls nothing that does, so references to arrays need not be counted: counting them would
    take longer than all the rest where steps are small.
    """
    return _compile(function, no_cfunc_wrapper=True, _nrt=False)


def part(function: F) -> F:
    """The same for a function that only other kernels call: without the way in from Python, compiled faster."""
    return _compile(function, no_cfunc_wrapper=True, no_cpython_wrapper=True, _nrt=False)


def inlined(function: F) -> F:
    """A part that becomes a piece of whatever calls it: an array in a call is seven words to hand over."""
    return _compile(function, no_cfunc_wrapper=True, no_cpython_wrapper=True, _nrt=False, forceinline=True)


def making_kernel(function: F) -> F:
    """A kernel that makes arrays."""
    return _compile(function, no_cfunc_wrapper=True)


def making_part(function: F) -> F:
    """A part that makes arrays."""
    return _compile(function, no_cfunc_wrapper=True, no_cpython_wrapper=True)


def _compile(function: F, **options: bool) -> F:
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    except RuntimeError:
        # Nowhere to keep machine code: neither beside the sources, nor in the user's cache, nor in NUMBA_CACHE_DIR.
        return numba.njit(nogil=True, error_model="numpy", **options)(function)
    index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if index is not None:
        # Unlike the stamp, the version is compared before anything is unpickled that may name a class that is gone.
        index._version = f"{index._version}+{digest()}"
        _kernels.append(compiled)
    return compiled


@kernel
def _probe(number: int) -> int:
    return number


def is_compiled(function: Callable[..., Any]) -> bool:
    """Whether a kernel was compiled, or loaded from the cache, in this process."""
    return bool(getattr(function, "signatures", True))


class Warmth(StrEnum):
    """What is compiled: all kernels, or those that reading an index needs."""

    ALL = "all"
    READING = "reading"


def _marker(warmth: Warmth) -> Path | None:
    """The file that says that so many kernels of this digest were compiled into the cache."""
    if not _kernels:
        return None
    return Path(_kernels[0]._cache.cache_path) / f"codecite-{digest()}.{warmth}"


def has_cache() -> bool:
    """Whether compiled kernels can be kept for the next process."""
    return bool(_kernels)


def is_cold(warmth: Warmth) -> bool:
    """Whether a first use still has to compile (some ten seconds)."""
    if not has_cache():
        return True
    wanted = [Warmth.ALL] if warmth is Warmth.ALL else list(Warmth)
    markers = [_marker(each) for each in wanted]
    return not any(marker is None or marker.exists() for marker in markers)


def mark_warm(warmth: Warmth) -> None:
    """Remember what is compiled. A cache that cannot be written stays cold."""
    marker = _marker(warmth)
    if marker is None:
        return
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError:
        return
