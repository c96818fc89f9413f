"""The one place that decides how kernels are compiled.

In: a function over numpy arrays. Out: the same function, compiled at its first call, without the GIL, with the
machine code cached on disk. It refuses to know what a kernel computes.

numba's cache notices a change in the file of a kernel, but not in a kernel of another file that it calls. So each
cache entry is stamped with a digest over every file of this room instead: change one, and all are compiled anew.
A cache that is complete and cannot be written (an image, a program that root installed) is read as it lies; numba
itself passes over what it cannot write. The environment variable `NUMBA_DISABLE_JIT=1` runs the kernels as plain
Python, `NUMBA_CACHE_DIR` moves the cache, `NUMBA_CPU_NAME=generic` compiles for every processor of the kind.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import llvmlite.binding
import numba
from numba.core import caching

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


class Warmth(StrEnum):
    """What is compiled: all kernels, or those that reading an index needs."""

    ALL = "all"
    READING = "reading"


def _marker(directory: str, warmth: Warmth) -> Path:
    """The file that says that so many kernels of this digest were compiled into a cache, for this processor."""
    return Path(directory) / f"codecite-{digest()}-{_target()}.{warmth}"


@cache
def _target() -> str:
    """What machine code depends on: numba's version, the processor and its features."""
    name = numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name()
    features = numba.config.CPU_FEATURES
    if features is None:
        features = llvmlite.binding.get_host_cpu_features().flatten()
    return hashlib.sha256(f"{numba.__version__} {name} {features}".encode()).hexdigest()[:8]


def _finished(locator: type[Any]) -> type[Any]:
    """One of numba's locators, for what it passes over: a directory that cannot be written and holds all kernels."""

    class Finished(locator):  # type: ignore[misc]
        def ensure_cache_path(self) -> None:
            place = self.get_cache_path()
            if os.access(place, os.W_OK) or not _marker(place, Warmth.ALL).exists():
                raise OSError

    return Finished


class _FinishedImpl(caching.CompileResultCacheImpl):  # type: ignore[misc]
    # NUMBA_CACHE_DIR, beside the sources, in the home directory.
    _locator_classes = [_finished(locator) for locator in caching.CacheImpl._locator_classes[:3]]  # noqa: RUF012


class _FinishedCache(caching.FunctionCache):  # type: ignore[misc]
    _impl_class = _FinishedImpl

    def save_overload(self, sig: object, data: object) -> None:
        """Nothing: it cannot be written."""


def _compile(function: F, **options: bool) -> F:
    try:
        finished = None if numba.config.DISABLE_JIT else _FinishedCache(function)
    except RuntimeError:
        finished = None
    try:
        compiled = numba.njit(cache=finished is None, nogil=True, error_model="numpy", **options)(function)
    except RuntimeError:
        # Nowhere to keep machine code: neither beside the sources, nor in the user's cache, nor in NUMBA_CACHE_DIR.
        return numba.njit(nogil=True, error_model="numpy", **options)(function)
    if finished is not None:
        compiled._cache = finished
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


def has_cache() -> bool:
    """Whether compiled kernels can be kept for the next process."""
    return bool(_kernels)


def is_cold(warmth: Warmth) -> bool:
    """Whether a first use still has to compile (some ten seconds)."""
    if not _kernels:
        return True
    wanted = [Warmth.ALL] if warmth is Warmth.ALL else list(Warmth)
    return not any(_marker(_kernels[0]._cache.cache_path, each).exists() for each in wanted)


def mark_warm(warmth: Warmth) -> None:
    """Remember what is compiled. A cache that cannot be written stays cold."""
    if not _kernels:
        return
    marker = _marker(_kernels[0]._cache.cache_path, warmth)
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError:
        return
