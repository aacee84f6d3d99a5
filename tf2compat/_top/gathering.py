"""Choosing elements: gather, masks, where."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.op import ANY, INT, TENSOR, invalid, op, tensor

_INDEX = tensor(dtypes.int16, dtypes.int32, dtypes.int64, group="")


def _text(dims: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in dims) + "]"


# --- gather ----------------------------------------------------------------------------------------------------------
@op("GatherV2", params=ANY, indices=_INDEX, axis=INT, batch_dims=INT)
def gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: Any = 0, name: str | None = None
) -> Any:
    """Slices of `params` along `axis` at `indices`, of any shape; the first `batch_dims` axes go together (`tf.gather`).

    InvalidArgumentError for an index out of range, negative ones included; on a GPU such an index gives zeros.
    """
    if batch_dims == 0:
        return _take(params, indices, 0 if axis is None else axis)
    return _batched(params, indices, axis, batch_dims)


def _take(params: Any, indices: Any, axis: int) -> Any:
    n = params.ndim
    if not -n <= axis < n:
        raise invalid(_too_few(n, axis + 1 if axis >= 0 else -axis))
    if indices.device.type == "cuda":
        return _take_on_gpu(params, indices, axis % n)
    if indices.dtype is torch.int16:
        indices = indices.int()
    if indices.ndim == 1:
        return torch.index_select(params, axis, indices)
    flat = torch.index_select(params, axis, indices.reshape(-1))
    axis %= n
    return flat.reshape(params.shape[:axis] + indices.shape + params.shape[axis + 1 :])


def _take_on_gpu(params: Any, indices: Any, axis: int) -> Any:
    """Without a look at the indices' values: an index out of range would abort the device."""
    length = params.shape[axis]
    flat = indices.reshape(-1).long()
    inside = (flat >= 0) & (flat < length)
    if not length:
        out = params.new_zeros(params.shape[:axis] + flat.shape + params.shape[axis + 1 :])
    else:
        out = torch.index_select(params, axis, flat.clamp(0, length - 1))
        out = torch.where(inside.reshape([-1 if i == axis else 1 for i in range(params.ndim)]), out, out.new_zeros(()))
    return out.reshape(params.shape[:axis] + indices.shape + params.shape[axis + 1 :])


def _batched(params: Any, indices: Any, axis: Any, batch_dims: int) -> Any:
    """Batch axes become one; then each batch's indices are moved into the rows of all batches."""
    b = batch_dims if batch_dims >= 0 else indices.ndim + batch_dims
    n = params.ndim
    axis = b if axis is None else axis if axis >= 0 else n + axis
    if not 0 <= b <= indices.ndim:
        raise invalid(f"Expected batch_dims in the range [{-indices.ndim}, {indices.ndim}], but got {batch_dims} [Op:GatherV2] name: ")
    if b > n or axis >= n:
        raise invalid(_too_few(n, max(b, axis) + 1))
    if axis < b:
        raise invalid(f"batch_dims ({b}) must be less than or equal to axis ({axis}). [Op:GatherV2] name: ")
    for i in range(b):
        if params.shape[i] != indices.shape[i]:
            raise invalid(
                f"params.shape[{i}]: {params.shape[i]} should be equal to indices.shape[{i}]: {indices.shape[i]} [Op:GatherV2] name: "
            )
    batch = tuple(params.shape[:b])
    total = 1
    for d in batch:
        total *= d
    length = params.shape[axis]
    # [batch, axis, between, after] -> rows of the flattened [batch * axis]
    order = [*range(b), axis, *range(b, axis), *range(axis + 1, n)]
    moved = params.permute(order)
    rows = moved.reshape((total * length, *moved.shape[b + 1 :]))
    inner = indices.reshape((total, -1)).long()
    offsets = (torch.arange(total, device=inner.device) * length).unsqueeze(1)
    outside = (inner < 0) | (inner >= length)
    at = torch.where(outside, -1, inner + offsets)  # stays out of range
    taken = _take(rows, at.reshape(-1), 0)
    taken = taken.reshape(batch + tuple(indices.shape[b:]) + tuple(moved.shape[b + 1 :]))
    k = indices.ndim - b
    between = axis - b
    back = [*range(b), *range(b + k, b + k + between), *range(b, b + k), *range(b + k + between, taken.ndim)]
    return taken.permute(back)


def _too_few(n: int, needed: int) -> str:
    if n == 0:
        return "params must be at least 1 dimensional [Op:GatherV2] name: "
    return f"Shape must be at least rank {needed} but is rank {n} [Op:GatherV2] name: "


@gather.prepare
def _(params: Any, indices: Any, validate_indices: Any, axis: Any, batch_dims: Any) -> tuple[Any, ...]:
    return params, indices, validate_indices, axis, batch_dims


@gather.strings
def _(params: Any, indices: Any, validate_indices: Any, axis: Any, batch_dims: Any) -> Any:
    # the strings' positions are gathered, then looked up
    where_ = torch.arange(params.size).reshape(params.shape)
    at = gather.op.fn(where_, indices.cpu(), None, axis, batch_dims)
    return params.reshape(-1)[at.numpy()] if at.ndim else _boxed(params.reshape(-1)[int(at)])


def _boxed(item: Any) -> np.ndarray:
    box = np.empty((), dtype=object)
    box[()] = item
    return box


@gather.diagnose
def _(params: Any, indices: Any, validate_indices: Any, axis: Any, batch_dims: Any) -> str | None:
    b = batch_dims if batch_dims >= 0 else indices.ndim + batch_dims
    at = b if axis is None else axis
    if not -params.ndim <= at < params.ndim:
        return _too_few(params.ndim, at + 1).removesuffix(" [Op:GatherV2] name: ")
    return out_of_range(indices, params.shape[at])


def out_of_range(indices: Any, length: int) -> str | None:
    """TensorFlow's text about the first index that is outside [0, length)."""
    bad = ((indices < 0) | (indices >= length)).nonzero()
    if not len(bad):
        return None
    first = bad[0].tolist()
    value = int(indices[tuple(first)])
    where_ = f"[{','.join(str(i) for i in first)}]" if first else ""
    return f"indices{where_} = {value} is not in [0, {length})"


# --- where -----------------------------------------------------------------------------------------------------------
@op("SelectV2", condition=ANY, x=TENSOR, y=TENSOR)
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """`x` where `condition` holds, else `y`, with broadcasting; or the indices of the true elements (`tf.where`).

    With a condition alone the result is an int64 matrix with a row for each element that is not False or zero.
    """
    if x is None:
        if y is not None:
            raise ValueError("x and y must both be non-None or both be None.")
        return torch.nonzero(condition)
    if y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    if x.dtype is not y.dtype or condition.dtype is not torch.bool:
        raise TypeError  # the slow path says which
    return torch.where(condition, x, y)


@where.prepare
def _(condition: Any, x: Any, y: Any) -> tuple[Any, ...]:
    if (x is None) != (y is None):
        raise ValueError("x and y must both be non-None or both be None.")
    if x is not None:
        from .._engine.convert import convert_to_tensor, is_tensor_like

        if not is_tensor_like(condition):
            condition = convert_to_tensor(condition, dtypes.bool)
        elif dtypes.as_dtype(condition.dtype) is not dtypes.bool:
            name = dtypes.as_dtype(condition.dtype)._cpp
            raise invalid(
                f"cannot compute SelectV2 as input #0(zero-based) was expected to be a bool tensor but is a {name} tensor "
                "[Op:SelectV2] name: "
            )
    return condition, x, y


@where.infer
def _(condition: Any, x: Any, y: Any) -> Any:
    from .._engine.shapes import TensorShape, broadcast

    if x is None:
        return [(dtypes.int64, (None, condition.shape.rank))]
    shape = broadcast(broadcast(TensorShape(condition.shape), TensorShape(x.shape)), TensorShape(y.shape))
    return [(x.dtype, None if shape.rank is None else tuple(shape))]


@where.strings
def _(condition: Any, x: Any, y: Any) -> Any:
    if x is None:
        raise invalid(
            "Value for attr 'T' of string is not in the list of allowed values: float, double, int32, uint8, int16, int8, complex64, "
            "int64, qint8, quint8, qint32, bfloat16, qint16, quint16, uint16, complex128, half, uint32, uint64, bool [Op:Where] name: "
        )
    return np.asarray(np.where(condition.cpu().numpy(), x, y), dtype=object)


@where.diagnose
def _(condition: Any, x: Any, y: Any) -> str:
    return f"condition {_text(condition.shape)}, then {_text(x.shape)}, and else {_text(y.shape)} must be broadcastable"
