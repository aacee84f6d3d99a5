"""`tf.compat.v1.ragged`: `tf.ragged`, and ragged values as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat.ragged.constants import plan

from .graph_mode import gone
from .values import RaggedTensorValue

__all__ = ["RaggedTensorValue", "constant_value", "placeholder"]


def constant_value(pylist: Any, dtype: Any = None, ragged_rank: int | None = None, inner_shape: Any = None, row_splits_dtype: Any = "int64") -> Any:
    """A RaggedTensorValue, or an array where nothing is ragged, from nested Python lists; errors as of `tf.ragged.constant`."""
    kind = dtype.as_numpy_dtype if isinstance(dtype, tf.DType) else dtype
    found = plan(pylist, ragged_rank, inner_shape)
    if found is None:
        return _array(pylist, kind, inner_shape)
    flat, splits, shape = found
    value: Any = _array(flat, kind, (len(flat), *shape))
    for row_splits in reversed(splits):
        value = RaggedTensorValue(value, np.array(row_splits, tf.as_dtype(row_splits_dtype).as_numpy_dtype))
    return value


def _array(value: Any, dtype: Any, shape: Any) -> np.ndarray:
    made = np.array(value, dtype) if dtype is None or dtype is object else np.array(value).astype(dtype)
    return made if shape is None else made.reshape(shape)


def placeholder(dtype: Any, ragged_rank: int, value_shape: Any = None, name: str | None = None) -> Any:
    """RuntimeError: eager code has no placeholders."""
    raise gone("placeholder")


def __getattr__(name: str) -> Any:
    return getattr(tf.ragged, name)
