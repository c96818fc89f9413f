"""What every test may use: `require`, which skips where a real part is missing, and the hypothesis profiles.

In: the environment (`CODECITE_REQUIRE`, `CODECITE_HYPOTHESIS`). Out: fixtures. It refuses to know what is tested.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

# Threads that wait for each other on a busy machine cost more than two cores bring, and small models gain nothing.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No deadline: the first call of a kernel may compile it.
settings.register_profile("default", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", parent=settings.get_profile("default"), max_examples=3000)
settings.load_profile(os.environ.get("CODECITE_HYPOTHESIS", "default"))


def _is_here(part: str) -> bool:
    """Whether `part`, a Python module or a program, is on this machine."""
    return importlib.util.find_spec(part) is not None or shutil.which(part) is not None


@pytest.fixture(scope="session")
def require() -> Callable[..., None]:
    """`require("torch")`: go on where the part is here; else skip, or fail if `CODECITE_REQUIRE` lists it."""
    demanded = {part.strip() for part in os.environ.get("CODECITE_REQUIRE", "").split(",")}

    def check(*parts: str) -> None:
        for part in parts:
            if _is_here(part):
                continue
            if part in demanded:
                pytest.fail(f"{part} is missing on this machine, and CODECITE_REQUIRE lists it", pytrace=False)
            pytest.skip(f"{part} is missing on this machine")

    return check
