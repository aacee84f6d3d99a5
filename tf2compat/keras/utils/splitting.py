"""`split_dataset`: one data set as two."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf


def split_dataset(
    dataset: Any, left_size: Any = None, right_size: Any = None, shuffle: bool = False, seed: int | None = None
) -> tuple[Any, Any]:
    """Two datasets of the first and last elements, by number or share (`tf.keras.utils.split_dataset`).

    TypeError for other data than datasets, arrays and lists of them; ValueError for sizes that do not fit.
    """
    if not hasattr(dataset, "element_spec") and not isinstance(dataset, (list, tuple, np.ndarray)):
        raise TypeError(
            f"The `dataset` argument must be either a `tf.data.Dataset` object or a list/tuple of arrays. Received: dataset={dataset} of "
            f"type {type(dataset)}"
        )
    if right_size is None and left_size is None:
        raise ValueError("At least one of the `left_size` or `right_size` must be specified. Received: left_size=None and right_size=None")
    if hasattr(dataset, "element_spec"):
        elements = list(dataset)
    elif isinstance(dataset, np.ndarray):
        elements = list(dataset)
    else:
        elements = list(zip(*dataset, strict=True)) if isinstance(dataset[0], np.ndarray) else list(dataset)
    n = len(elements)

    def size(value: Any, what: str) -> int | None:
        if value is None:
            return None
        if not isinstance(value, (int, float)):
            raise TypeError(f"Invalid `{what}` Received: {value} of type {type(value)}")
        if (isinstance(value, int) and not 0 < value < n) or (isinstance(value, float) and not 0 < value < 1):
            raise ValueError(f"`{what}` should be a positive number smaller than the number of samples. Received: {what}={value}, {n} samples")
        return round(value * n) if isinstance(value, float) else value

    left, right = size(left_size, "left_size"), size(right_size, "right_size")
    if left is None:
        left = n - int(right)  # type: ignore[arg-type]
    elif right is None:
        right = n - left
    if left + int(right) > n:  # type: ignore[arg-type]
        raise ValueError(f"The sum of `left_size` and `right_size` should be smaller than the number of samples: {left} + {right} > {n}")
    if shuffle:
        np.random.RandomState(np.random.randint(1_000_000) if seed is None else seed).shuffle(elements)

    def made(part: list[Any]) -> Any:
        stacked = tf.nest.map_structure(lambda *parts: np.stack([np.asarray(p) for p in parts]), *part)
        return tf.data.Dataset.from_tensor_slices(stacked)

    return made(elements[:left]), made(elements[n - int(right) :])  # type: ignore[arg-type]
