"""Indexing, slicing, gathering and scattering."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.op import ANY, invalid, op
from .._engine.tensor import Tensor

_BAD_INDEX = (
    "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are valid indices, got {!r}"
)


def _item(key: Any) -> Any:
    """One entry of an index as Python's: int, slice, Ellipsis or None; symbolic scalars stay."""
    if key is None or key is Ellipsis or type(key) is int:
        return key
    if isinstance(key, slice):
        return slice(_bound(key.start), _bound(key.stop), _bound(key.step))
    if isinstance(key, (bool, np.bool_)):
        raise TypeError(_BAD_INDEX.format(key))
    return _bound(key)


def _bound(value: Any) -> Any:
    if value is None or type(value) is int:
        return value
    if isinstance(value, Tensor) or hasattr(type(value), "_tf_storage"):
        if value.shape.rank not in (0, None) or not value.dtype.is_integer:
            raise TypeError(_BAD_INDEX.format(value))
        if isinstance(value, Tensor) and type(value) is not Tensor:
            static = value._static_value()
            return value if static is None else int(static)
        return int(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iu":
        return int(value)
    inner = getattr(value, "value", None)
    if isinstance(inner, int):
        return inner
    if isinstance(value, torch.Tensor) and value.ndim == 0 and not value.is_floating_point():
        return int(value)
    raise TypeError(_BAD_INDEX.format(value))


def getitem(self: Any, key: Any) -> Any:
    """`tensor[key]`: slices with steps of either sign, `...`, `tf.newaxis`, scalar tensors, a boolean mask."""
    if isinstance(key, (Tensor, np.ndarray, torch.Tensor)) and getattr(key, "ndim", 0):
        if convert_to_tensor(key).dtype is dtypes.bool:
            from tf2compat import boolean_mask

            return boolean_mask(self, key)
        raise TypeError(_BAD_INDEX.format(key))
    if isinstance(key, list):
        key = tuple(key)
    items = tuple([_item(k) for k in key]) if isinstance(key, tuple) else (_item(key),)
    return strided(self, items)


def index_items(key: Any) -> tuple[Any, ...]:
    """An index as a tuple of ints, slices, Ellipsis and None."""
    if isinstance(key, list):
        key = tuple(key)
    return tuple([_item(k) for k in key]) if isinstance(key, tuple) else (_item(key),)


@op("StridedSlice", input=ANY)
def strided(input: Any, index: Any) -> Any:  # noqa: A002 - TensorFlow's name
    """Basic indexing by a tuple of ints, slices, Ellipsis and None."""
    reverse = [i for i in index if isinstance(i, slice) and i.step is not None and i.step < 0]
    consumed = sum(1 for i in index if i is not None and i is not Ellipsis)
    if consumed > input.ndim:
        if input.ndim == 0:
            raise invalid("Attempting to slice scalar input. [Op:StridedSlice] name: strided_slice/")
        raise invalid(
            f"Index out of range using input dim {input.ndim}; input has only {input.ndim} dims [Op:StridedSlice] name: strided_slice/"
        )
    if not reverse:
        _check_ints(input, index)
        return input[index]
    # torch has no negative steps: flip the axis, then step forward
    out, axis, forward = input, 0, []
    after = 0
    for n, i in enumerate(index):
        if i is Ellipsis:
            after = sum(1 for j in index[n + 1 :] if j is not None)
            axis = input.ndim - after
            forward.append(i)
        elif i is None:
            forward.append(i)
        else:
            if isinstance(i, slice) and i.step is not None and i.step < 0:
                size = input.shape[axis]
                start, stop, step = i.indices(size)
                out = out.flip(axis) if isinstance(out, torch.Tensor) else np.flip(out, axis)
                length = max(0, (start - stop - step - 1) // -step)
                first = size - 1 - start
                forward.append(slice(first, first + (length - 1) * -step + 1 if length else first, -step))
            else:
                forward.append(i)
            axis += 1
    _check_ints(input, index)
    return out[tuple(forward)]


def _check_ints(value: Any, index: Any) -> None:
    axis = 0
    for n, i in enumerate(index):
        if i is Ellipsis:
            axis = value.ndim - sum(1 for j in index[n + 1 :] if j is not None)
        elif i is not None:
            if type(i) is int and not -value.shape[axis] <= i < value.shape[axis]:
                raise invalid(f"slice index {i} of dimension {axis} out of bounds. [Op:StridedSlice] name: strided_slice/")
            if isinstance(i, slice) and i.step == 0:
                raise invalid(f"strides[{n}] must be non-zero [Op:StridedSlice] name: strided_slice/")
            axis += 1


@strided.strings
def _(input: Any, index: Any) -> Any:  # noqa: A002
    out = strided.op.fn(input, index)
    return out if isinstance(out, np.ndarray) else _boxed(out)


def _boxed(item: Any) -> np.ndarray:
    box = np.empty((), dtype=object)
    box[()] = item
    return box
