"""`tf.keras.datasets.boston_housing`: prices of houses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._reading import arrays, cached, shuffled


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113, cache_dir: str | None = None) -> Any:
    """((x_train, y_train), (x_test, y_test)) of 506 houses with 13 features. ValueError for a split outside [0, 1)."""
    if not 0 <= test_split < 1:
        raise AssertionError(f"test_split must be in [0, 1), got {test_split}")
    found = cached(path, "boston_housing.npz", "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5", cache_dir)
    x, y = shuffled(seed, *arrays(found, "x", "y"))
    n = int(len(x) * (1 - test_split))
    return (np.array(x[:n]), np.array(y[:n])), (np.array(x[n:]), np.array(y[n:]))
