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
    batch_size = None
    if hasattr(dataset, "element_spec"):
        batch_size = _batch_size(dataset)
        elements = list(dataset if batch_size is None else dataset.unbatch())
    elif isinstance(dataset, np.ndarray):
        elements = list(dataset)
    else:
        elements = list(zip(*_same_lengths(dataset), strict=True))
    if not elements:
        raise ValueError(
            "Received an empty Dataset. `dataset` must be a non-empty list/tuple of `numpy.ndarray` objects or `tf.data.Dataset` objects."
        )
    n = len(elements)
    left, right = _sizes(left_size, right_size, n)
    if shuffle:
        np.random.RandomState(np.random.randint(1_000_000) if seed is None else seed).shuffle(elements)

    def made(part: list[Any]) -> Any:
        stacked = tf.nest.map_structure(lambda *parts: np.stack([np.asarray(p) for p in parts]), *part)
        found = tf.data.Dataset.from_tensor_slices(stacked)
        return (found if batch_size is None else found.batch(batch_size)).prefetch(tf.data.AUTOTUNE)

    return made(elements[:left]), made(elements[n - right :])


def _batch_size(dataset: Any) -> int | None:
    """The size of a dataset's batches; None where its last stage does not batch."""
    from tf2compat.data.batching import _BatchDataset, _PaddedBatchDataset

    return int(dataset._size) if isinstance(dataset, (_BatchDataset, _PaddedBatchDataset)) else None


def _same_lengths(arrays: Any) -> Any:
    kind = type(arrays).__name__
    if not arrays:
        raise ValueError(f"Received an empty list dataset. Please provide a non-empty {kind} of arrays.")
    if not isinstance(arrays[0], np.ndarray):
        raise ValueError(f"Expected a {kind} of `numpy.ndarray` objects, Received: {type(arrays[0])}")
    for i, array in enumerate(arrays):
        if len(array) != len(arrays[0]):
            raise ValueError(
                f"Received a {kind} of NumPy arrays with different lengths. Mismatch found at index {i}, Expected shape={arrays[0].shape} "
                f"Received shape={np.shape(array)}. Please provide a {kind} of NumPy arrays with the same length."
            )
    return arrays


def _sizes(left: Any, right: Any, n: int) -> tuple[int, int]:
    """The numbers of elements that two sizes, numbers or shares, mean for n elements."""
    strange = [name for name, size in (("left_size", left), ("right_size", right)) if size is not None and type(size) not in (int, float)]
    if len(strange) == 2:
        raise TypeError(
            "Invalid `left_size` and `right_size` Types. Expected: integer or float or None, Received: "
            f"type(left_size)={type(left)} and type(right_size)={type(right)}"
        )
    if strange:
        size = left if strange[0] == "left_size" else right
        raise TypeError(f"Invalid `{strange[0]}` Type. Expected: int or float or None, Received: type({strange[0]})={type(size)}.")
    if left == 0 and right == 0:
        raise ValueError("Both `left_size` and `right_size` are zero. At least one of the split sizes must be non-zero.")
    for name, size in (("left_size", left), ("right_size", right)):
        if size is not None and not 0 < size < (n if type(size) is int else 1):
            raise ValueError(
                f"`{name}` should be either a positive integer smaller than {n}, or a float within the range `[0, 1]`. Received: {name}={size}"
            )
    if type(left) is type(right) is float and left + right > 1:
        raise ValueError("The sum of `left_size` and `right_size` is greater than 1. It must be less than or equal to 1.")
    left, right = (round(size * n) if type(size) is float else size for size in (left, right))
    left = n - right if left is None else left
    right = n - left if right is None else right
    if left + right > n:
        raise ValueError(
            f"The sum of `left_size` and `right_size` should be smaller than the {n}. Received: left_size + right_size = {left + right}and "
            f"total_length = {n}"
        )
    for size, side in ((left, "left"), (right, "right")):
        if size == 0:
            raise ValueError(
                f"With `dataset` of length={n}, `left_size`={left} and `right_size`={right}.Resulting {side} side dataset split will be empty. "
                "Adjust any of the aforementioned parameters"
            )
    return left, right
