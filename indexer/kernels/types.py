"""Names for the arrays that kernels take. It refuses to know what they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Ints32 = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]
Any32 = npt.NDArray[np.uint32]
Any16 = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]
