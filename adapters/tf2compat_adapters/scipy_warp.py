"""Images warped by SciPy's splines: the port `image_warp`. Keras' results are SciPy's, to the last digit."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage


def affine(x: np.ndarray, matrix: np.ndarray, offset: np.ndarray, *, order: int, mode: str, cval: float) -> Any:
    """The pixels of `x` at `matrix @ position + offset`, by a spline of the given order; `mode` says what lies outside."""
    return ndimage.affine_transform(x, matrix, offset, order=order, mode=mode, cval=cval)
