"""Indexing and slicing."""

# ruff: noqa: A001 - TensorFlow's public names
from __future__ import annotations

from builtins import slice as slice_
from typing import Any

import numpy as np
import torch

from .._engine import dtypes, state
from .._engine.convert import convert_to_tensor
from .._engine.op import ANY, INTS, invalid, op
from .._engine.tensor import Tensor

_BAD_INDEX = (
    "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are valid indices, got {!r}"
)


def _item(key: Any) -> Any:
    """One entry of an index as Python's: int, slice, Ellipsis or None; symbolic scalars stay."""
    if key is None or key is Ellipsis or type(key) is int:
        return key
    if isinstance(key, slice_):
        return slice_(_bound(key.start), _bound(key.stop), _bound(key.step))
    return int(key) if isinstance(key, (bool, np.bool_)) else _bound(key)


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


#: the types of an index that torch reads as TensorFlow does; anything else takes the long way
_SIMPLE = frozenset((int, slice_, type(None), type(Ellipsis)))
_new = object.__new__


def getitem(self: Any, key: Any) -> Any:
    """`tensor[key]`: slices with steps of either sign, `...`, `tf.newaxis`, scalar tensors, a boolean mask."""
    token = state.GATE
    if type(self) is Tensor and token is not state.SLOW:
        storage = self._t
        kind = type(key)
        if (
            type(storage) is torch.Tensor
            and (not storage.requires_grad or self._tape is token)
            and (kind in _SIMPLE or (kind is tuple and all([type(k) in _SIMPLE for k in key]) and key.count(Ellipsis) < 2))
        ):
            try:
                out = storage[key]
            except (IndexError, ValueError, TypeError, AttributeError):
                pass  # steps back, and whatever is wrong with the index
            else:
                r = _new(Tensor)
                r._t = out
                r._tape = token
                return r
    if isinstance(key, (Tensor, np.ndarray, torch.Tensor)) or hasattr(type(key), "_tf_storage"):
        if convert_to_tensor(key).dtype is dtypes.bool:
            from .gathering import boolean_mask

            return boolean_mask(self, key)
        if getattr(key, "ndim", 0):
            raise TypeError(_BAD_INDEX.format(key))
    elif key is True or key is False:
        raise ValueError("mask cannot be scalar.")
    for item in key if type(key) in (tuple, list) else (key,):
        for part in (item.start, item.stop, item.step) if type(item) is slice_ else (item,):
            if hasattr(type(part), "_tf_index"):  # a symbol of another kind, which knows how to be an index
                return part._tf_index(self, key)
    return strided(self, index_items(key))


def index_items(key: Any) -> tuple[Any, ...]:
    """An index as a tuple of ints, slices, Ellipsis and None."""
    if isinstance(key, list):
        key = tuple(key)
    return tuple([_item(k) for k in key]) if isinstance(key, tuple) else (_item(key),)


@op("StridedSlice", input=ANY)
def strided(input: Any, index: Any) -> Any:  # noqa: A002 - TensorFlow's name
    """Basic indexing by a tuple of ints, slices, Ellipsis and None."""
    for i in index:
        kind = type(i)
        if not (kind is int or i is None or (kind is slice_ and (i.step is None or (type(i.step) is int and i.step > 0)))):
            break
    else:
        try:
            return input[index]
        except IndexError:
            pass  # what is wrong is found out below
    if torch.Tensor in map(type, index):
        return _at(input, index)
    reverse = [i for i in index if isinstance(i, slice_) and i.step is not None and i.step < 0]
    consumed = sum(1 for i in index if i is not None and i is not Ellipsis)
    if sum(1 for i in index if i is Ellipsis) > 1:
        raise invalid("Multiple ellipses in slice spec not allowed [Op:StridedSlice] name: strided_slice/")
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
            if isinstance(i, slice_) and i.step is not None and i.step < 0:
                size = input.shape[axis]
                start, stop, step = i.indices(size)
                out = out.flip(axis) if isinstance(out, torch.Tensor) else np.flip(out, axis)
                length = max(0, (start - stop - step - 1) // -step)
                first = size - 1 - start
                forward.append(slice_(first, first + (length - 1) * -step + 1 if length else first, -step))
            else:
                forward.append(i)
            axis += 1
    _check_ints(input, index)
    return out[tuple(forward)]


def _at(value: Any, index: Any) -> Any:
    """Indexing where some ints are tensors of the region that is recorded."""
    out = strided.op.fn(value, tuple([slice_(None) if isinstance(i, torch.Tensor) else i for i in index]))
    at: list[Any] = []
    for n, i in enumerate(index):
        if i is Ellipsis:
            at += [None] * (value.ndim - sum(1 for j in index if j is not None and j is not Ellipsis))
        elif type(i) is not int:
            at.append(i.long() if isinstance(i, torch.Tensor) else None)
    return torch.ops.aten.index(out, at)


def _check_ints(value: Any, index: Any) -> None:
    axis = 0
    for n, i in enumerate(index):
        if i is Ellipsis:
            axis = value.ndim - sum(1 for j in index[n + 1 :] if j is not None)
        elif i is not None:
            if type(i) is int and not -value.shape[axis] <= i < value.shape[axis]:
                at = i if i >= 0 else i + value.shape[axis]
                raise invalid(f"slice index {at} of dimension {axis} out of bounds. [Op:StridedSlice] name: strided_slice/")
            if isinstance(i, slice_) and i.step == 0:
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


# --- slice, strided_slice --------------------------------------------------------------------------------------------
def _dims(shape: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


@op("Slice", input_=ANY, begin=INTS, size=INTS)
def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Any:
    """The part of `input_` that starts at `begin` and has `size`, -1 for all that remains (`tf.slice`).

    InvalidArgumentError when it is not inside of `input_`.
    """
    shape = input_.shape
    n = len(shape)
    if len(begin) != n or len(size) != n:
        raise invalid(
            f"Expected begin and size arguments to be 1-D tensors of size {n}, but got shapes [{len(begin)}] and [{len(size)}] "
            "instead. [Op:Slice] name: "
        )
    index = []
    for first, length, total in zip(begin, size, shape):  # noqa: B905 - the lengths are checked, and this is the fast path
        last = total if length == -1 else first + length
        if first < 0 or last > total or last < first:
            raise _outside(begin, size, shape)
        index.append(slice_(first, last))
    return input_[tuple(index)]


def _outside(begin: Any, size: Any, shape: Any) -> Exception:
    for i, (first, length, total) in enumerate(zip(begin, size, shape, strict=True)):
        if first < 0 or first > total:
            return invalid(f"Expected begin[{i}] in [0, {total}], but got {first} [Op:Slice] name: ")
        if length < -1 or first + length > total:
            return invalid(f"Expected size[{i}] in [0, {total - first}], but got {length} [Op:Slice] name: ")
    return invalid(f"slice {begin} {size} is outside of {_dims(shape)} [Op:Slice] name: ")


@slice.prepare
def _(input_: Any, begin: Any, size: Any) -> tuple[Any, ...]:
    for v in (begin, size):
        if isinstance(v, (int, np.integer)) or (isinstance(v, Tensor) and v.shape.rank == 0):
            n = convert_to_tensor(input_).shape.rank
            raise invalid(
                f"Expected begin and size arguments to be 1-D tensors of size {n}, but got shapes [] and [] instead. "
                "[Op:Slice] name: "
            )
    return input_, begin, size


@slice.infer
def _(input_: Any, begin: Any, size: Any) -> Any:
    if (isinstance(input_, torch.Tensor) and input_.device.type != "meta") or not len(begin) == len(size) == input_.ndim:
        return NotImplemented
    dims = [n if n >= 0 else total - first for n, first, total in zip(size, begin, input_.shape, strict=True)]
    return [(dtypes.of(input_), tuple([None if n < 0 or (n == 0 and s != 0) else n for n, s in zip(dims, size, strict=True)]))]


slice.op.infer_fn.aid = True


@slice.strings
def _(input_: Any, begin: Any, size: Any) -> Any:
    places = torch.arange(input_.size).reshape(input_.shape)
    return input_.reshape(-1)[slice.op.fn(places, begin, size).numpy()] if input_.ndim else input_


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    """The part of `input_` from `begin` to `end` in steps of `strides` (`tf.strided_slice`).

    Bit i of a mask concerns entry i: ignore its begin or end, put an ellipsis or a new axis there, or take one index and
    drop the axis. With `var`, the result's `assign` writes into that variable.
    """
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    if state.local.graph is not None:
        lists = [_scalars(v) for v in (begin, end, strides)]
        if any(type(v) is not int for numbers in lists for v in numbers or ()):
            return strided(input_, _masked(*lists, masks))
    out = _strided_slice(input_, begin, end, strides, masks, name)
    if var is not None:
        out._sliced = (var, _masked(begin, end, strides, masks))  # type: ignore[attr-defined]
    return out


@op("StridedSlice", input_=ANY, begin=INTS, end=INTS, strides=INTS)
def _strided_slice(input_: Any, begin: Any, end: Any, strides: Any = None, masks: Any = (), name: str | None = None) -> Any:
    return strided.op.fn(input_, _masked(begin, end, strides, masks))


@_strided_slice.strings
def _(input_: Any, begin: Any, end: Any, strides: Any, masks: Any) -> Any:
    return strided.op.string_fn(input_, _masked(begin, end, strides, masks))


def _scalars(value: Any) -> Any:
    """A vector of bounds as a list, of Python numbers where they are known."""
    if isinstance(value, Tensor) and value.shape.rank == 1 and value.shape[0] is not None:
        value = [value[i] for i in range(value.shape[0])]
    return [_bound(v) for v in value] if isinstance(value, (list, tuple)) else value


def _masked(begin: Any, end: Any, strides: Any, masks: Any) -> tuple[Any, ...]:
    """The masked slice as an index of ints, slices, Ellipsis and None."""
    strides = (1,) * len(begin) if strides is None else strides
    if not len(begin) == len(end) == len(strides):
        raise invalid(
            f"Expected begin, end, and strides to be 1D equal size tensors, but got shapes [{len(begin)}], [{len(end)}], and "
            f"[{len(strides)}] instead. [Op:StridedSlice] name: "
        )
    begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask = masks
    index: list[Any] = []
    for i in range(len(begin)):
        bit = 1 << i
        if ellipsis_mask & bit:
            index.append(Ellipsis)
        elif new_axis_mask & bit:
            index.append(None)
        elif shrink_axis_mask & bit:
            index.append(begin[i])
        else:
            index.append(slice_(None if begin_mask & bit else begin[i], None if end_mask & bit else end[i], strides[i]))
    return tuple(index)
