"""Ragged tensors, and their values as NumPy arrays, from nested Python lists."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .ragged_tensor import RaggedTensor


def _nested(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or np.ndim(value) != 0


def depths(value: Any) -> tuple[int | None, int]:
    """How deep the scalars of nested lists are (None where there are none), and how deep the lists go."""
    if not _nested(value):
        return 0, 0
    if isinstance(value, np.ndarray) and value.dtype != object:
        return (value.ndim if value.size else None), value.ndim
    scalars, deepest = None, 1
    for child in value:
        below, most = depths(child)
        if below is not None:
            if scalars is not None and scalars != below + 1:
                raise ValueError("all scalar values must have the same nesting depth")
            scalars = below + 1
        deepest = max(deepest, most + 1)
    return scalars, deepest


def inner_shape_of(flat: list[Any]) -> tuple[int, ...]:
    """The shape that all of the nested lists `flat` have; ValueError where they differ."""

    def shape(value: Any) -> tuple[int, ...]:
        if not _nested(value):
            return ()
        return (len(value), *shape(value[0])) if len(value) else (0,)

    def check(value: Any, want: tuple[int, ...]) -> None:
        if _nested(value) != bool(want) or (want and len(value) != want[0]):
            raise ValueError("inner values have inconsistent shape")
        for child in value if want else ():
            check(child, want[1:])

    found = shape(flat)
    check(flat, found)
    return found[1:]


def plan(pylist: Any, ragged_rank: int | None, inner_shape: Any) -> tuple[list[Any], list[list[int]], tuple[int, ...]] | None:
    """The inner values, the row splits of each ragged dimension and the shape of a value; None where the result is dense."""
    if isinstance(pylist, RaggedTensor) or hasattr(pylist, "nested_row_splits"):
        raise TypeError("pylist may not be a RaggedTensor or RaggedTensorValue.")
    if not _nested(pylist):
        if ragged_rank:
            raise ValueError(f"Invalid pylist={pylist!r}: incompatible with ragged_rank={ragged_rank}")
        if inner_shape:
            raise ValueError(f"Invalid pylist={pylist!r}: incompatible with dim(inner_shape)={len(inner_shape)}")
        return None
    if ragged_rank is not None and ragged_rank < 0:
        raise ValueError(f"Invalid ragged_rank={ragged_rank!r}: must be nonnegative")
    scalars, deepest = depths(pylist)
    if scalars is not None:
        if deepest > scalars:
            raise ValueError(f"Invalid pylist={pylist!r}: empty list nesting is greater than scalar value nesting")
        if ragged_rank is not None and deepest < ragged_rank:
            raise ValueError(f"Invalid pylist={pylist}, max depth smaller than ragged_rank={ragged_rank}")
    if inner_shape is not None and ragged_rank is not None:
        expected = ragged_rank + len(inner_shape) + 1
        if expected != scalars if scalars is not None else expected < deepest:
            raise ValueError(f"Invalid pylist={pylist!r}: incompatible with ragged_rank={ragged_rank} and dim(inner_shape)={len(inner_shape)}")
    if ragged_rank == 0 or ragged_rank is None and deepest - len(inner_shape or ()) < 2:
        return None
    shape = None if inner_shape is None else tuple(int(d) for d in inner_shape)
    if ragged_rank is None:
        shape = shape or ()
        ragged_rank = max(1, deepest - 1 if scalars is None else scalars - 1 - len(shape))
    splits: list[list[int]] = []
    flat: list[Any] = list(pylist)
    for level in range(ragged_rank):
        if not all(_nested(v) for v in flat):
            raise ValueError(f"pylist has scalar values depth {level + 1}, but ragged_rank={ragged_rank} requires scalar value depth greater than {ragged_rank}")
        splits.append(np.cumsum([0, *(len(v) for v in flat)]).tolist())
        flat = [x for v in flat for x in (v.tolist() if isinstance(v, np.ndarray) else v)]
    return flat, splits, inner_shape_of(flat) if shape is None else shape


def constant(
    pylist: Any, dtype: Any = None, ragged_rank: int | None = None, inner_shape: Any = None, name: str | None = None, row_splits_dtype: Any = dtypes.int64
) -> Any:
    """A ragged tensor (or a dense one, for a list without nested lists) from nested Python lists (`tf.ragged.constant`).

    ValueError where scalars are not all equally deep, or the lists do not fit `ragged_rank` and `inner_shape`.
    """
    row_splits_dtype = dtypes.as_dtype(row_splits_dtype)
    found = plan(pylist, ragged_rank, inner_shape)
    if found is None:
        return tf.constant(pylist, dtype, inner_shape if _nested(pylist) else None)
    flat, splits, shape = found
    values = tf.constant(flat, dtype, (len(flat), *shape)) if flat else _empty(dtype, (0, *shape))
    return RaggedTensor.from_nested_row_splits(values, [tf.constant(s, row_splits_dtype) for s in splits], validate=False)


def _empty(dtype: Any, shape: tuple[int, ...]) -> Any:
    return tf.reshape(convert_to_tensor([], dtype or dtypes.float32), shape)
