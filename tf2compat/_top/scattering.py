"""Putting values at indices: scatter and stitch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.dtypes import NUMBERS
from .._engine.op import INTS, TENSOR, TENSORS, invalid, op, tensor, tensors
from .gathering import bad_vector, flat_positions

_INDEX = tensor(dtypes.int16, dtypes.int32, dtypes.int64, group="Tindices")
_NUMBER = tensor(NUMBERS)


def _text(dims: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in dims) + "]"


def _total(dims: Any) -> int:
    total = 1
    for d in dims:
        total *= d
    return total


def _check_policy(policy: str) -> bool:
    """Whether indices out of range are to be ignored."""
    if policy not in ("", "DEFAULT", "ERROR", "IGNORE"):
        from .gathering import _no_policy

        raise _no_policy(policy)
    return policy == "IGNORE"


def _rows(indices: Any, shape: Any, op_name: str, ignore: bool) -> tuple[Any, int, int]:
    """Row numbers for index vectors, the number of rows, and how many more are needed: one for what is to be dropped, if anything may be."""
    depth = indices.shape[-1] if indices.ndim else 1
    vectors = indices if indices.ndim else indices.reshape(1)
    total = _total(shape[:depth])
    at, outside = flat_positions(vectors, shape[:depth])
    at, outside = at.reshape(-1), outside.reshape(-1)
    if ignore or at.device.type != "cpu":
        return torch.where(outside, total, at), total, 1
    if bool(outside.any()):
        place, vector = bad_vector(vectors, shape)  # type: ignore[misc]
        raise invalid(f"indices{place} = {vector} does not index into shape {_text(shape)} [Op:{op_name}] name: ")
    return at, total, 0


# --- scatter_nd ------------------------------------------------------------------------------------------------------
@op("ScatterNd", indices=_INDEX, updates=TENSOR, shape=INTS)
def scatter_nd(indices: Any, updates: Any, shape: Any, bad_indices_policy: str = "", name: str | None = None) -> Any:
    """Zeros of `shape` with `updates` added at the index vectors in the last axis of `indices` (`tf.scatter_nd`).

    An index out of range is an InvalidArgumentError, or ignored with `bad_indices_policy="IGNORE"` and on a GPU.
    """
    ignore = _check_policy(bad_indices_policy)
    _check_shapes(indices, updates, shape)
    at, total, spare = _rows(indices.to(updates.device), shape, "ScatterNd", ignore)
    rest = tuple(shape[indices.shape[-1] :]) if indices.ndim else tuple(shape[1:])
    if not _total(shape):
        return updates.new_zeros(tuple(shape))
    flat = updates.reshape((-1, _total(rest)) if at.numel() else (0, _total(rest)))
    whole = flat.to(torch.uint8) if flat.dtype is torch.bool else flat
    out = whole.new_zeros((total + spare, _total(rest))).index_add(0, at, whole)[:total].reshape(shape)
    return out != 0 if flat.dtype is torch.bool else out


def _check_shapes(indices: Any, updates: Any, shape: Any) -> None:
    n = indices.ndim
    depth = indices.shape[-1] if n else 1
    outer = max(n - 1, 0)
    if not _total(shape) and (_total(indices.shape) or _total(updates.shape)) or (not len(shape) and _total(indices.shape)):
        raise invalid("Indices and updates specified for empty output shape [Op:ScatterNd] name: ")
    if tuple(updates.shape[:outer]) != tuple(indices.shape[:outer]) or updates.ndim < outer:
        raise invalid(
            f"Dimensions [0,{outer}) of indices[shape={_text(indices.shape)}] must match dimensions [0,{outer}) of "
            f"updates[shape={_text(updates.shape)}] [Op:ScatterNd] name: "
        )
    if tuple(updates.shape[outer:]) != tuple(shape[depth:]) or depth > len(shape):
        raise invalid(
            f"Dimensions [{depth},{len(shape)}) of input[shape={_text(shape)}] must match dimensions [{outer},{updates.ndim}) of "
            f"updates[shape={_text(updates.shape)}] [Op:ScatterNd] name: "
        )


@scatter_nd.infer
def _(indices: Any, updates: Any, shape: Any, bad_indices_policy: Any) -> Any:
    return NotImplemented if isinstance(updates, torch.Tensor) and updates.device.type != "meta" else [(dtypes.of(updates), shape)]


scatter_nd.op.infer_fn.aid = True


@scatter_nd.strings
def _(indices: Any, updates: Any, shape: Any, bad_indices_policy: Any, name: Any = None) -> Any:
    ignore = _check_policy(bad_indices_policy)
    _check_shapes(indices, updates, shape)
    at, total, spare = _rows(indices, shape, "ScatterNd", ignore)
    rest = _total(shape[indices.shape[-1] :])
    out = np.full((total + spare, rest), b"", dtype=object)
    for row, values in zip(at.tolist(), updates.reshape(-1, rest), strict=True):
        out[row] = out[row] + values
    return out[:total].reshape(shape)


# --- tensor_scatter_nd_* ---------------------------------------------------------------------------------------------
def _parts(target: Any, indices: Any, updates: Any, op_name: str, policy: str = "") -> tuple[Any, Any, Any, int]:
    """`target` as rows with one more where something may be dropped, row numbers, rows of updates, the number of rows."""
    ignore = _check_policy(policy)
    shape = tuple(target.shape)
    n = indices.ndim
    depth = indices.shape[-1] if n else 1
    rest = shape[depth:]
    outer = max(n - 1, 0)
    if updates.ndim < outer or (tuple(updates.shape[:outer]) != tuple(indices.shape[:outer]) and depth <= len(shape)):
        raise invalid(
            f"Outer dimensions of indices and update must match. Indices shape: {_text(indices.shape)}, updates shape:"
            f"{_text(updates.shape)} [Op:{op_name}] name: "
        )
    if depth > len(shape) or tuple(updates.shape) != (*tuple(indices.shape[: max(n - 1, 0)]), *rest):
        raise invalid(
            f"Inner dimensions of output shape must match inner dimensions of updates shape. Output: {_text(shape)} updates: "
            f"{_text(updates.shape)} [Op:{op_name}] name: "
        )
    at, total, spare = _rows(indices.to(target.device), shape, op_name, ignore)
    width = _total(rest)
    rows = target.reshape((total, width))
    if spare:
        rows = torch.cat([rows, rows.new_zeros((spare, width))])
    return rows, at, updates.reshape((at.numel(), width)), total


@op("TensorScatterUpdate", tensor=TENSOR, indices=_INDEX, updates=TENSOR)
def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
    """A copy of `tensor` with `updates` at the index vectors in the last axis of `indices` (`tf.tensor_scatter_nd_update`)."""
    rows, at, values, total = _parts(tensor, indices, updates, "TensorScatterUpdate")
    return rows.index_copy(0, at, values)[:total].reshape(tensor.shape)


@tensor_scatter_nd_update.strings
def _(tensor: Any, indices: Any, updates: Any) -> Any:
    places = torch.arange(tensor.size).reshape(tensor.shape)
    new = torch.arange(tensor.size, tensor.size + updates.size).reshape(updates.shape)
    at = tensor_scatter_nd_update.op.fn(places, indices.cpu(), new).numpy()
    return np.asarray(np.concatenate([tensor.reshape(-1), updates.reshape(-1)])[at.reshape(-1)].reshape(tensor.shape), dtype=object)


@op("TensorScatterAdd", tensor=_NUMBER, indices=_INDEX, updates=_NUMBER)
def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None) -> Any:
    """A copy of `tensor` with `updates` added at index vectors (`tf.tensor_scatter_nd_add`)."""
    rows, at, values, total = _parts(tensor, indices, updates, "TensorScatterAdd", bad_indices_policy)
    return rows.index_add(0, at, values)[:total].reshape(tensor.shape)


@op("TensorScatterSub", tensor=_NUMBER, indices=_INDEX, updates=_NUMBER)
def tensor_scatter_nd_sub(tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None) -> Any:
    """A copy of `tensor` with `updates` subtracted at index vectors (`tf.tensor_scatter_nd_sub`)."""
    rows, at, values, total = _parts(tensor, indices, updates, "TensorScatterSub", bad_indices_policy)
    return rows.index_add(0, at, values, alpha=-1)[:total].reshape(tensor.shape)


def _extreme(tensor: Any, indices: Any, updates: Any, policy: str, op_name: str, which: str) -> Any:
    rows, at, values, total = _parts(tensor, indices, updates, op_name, policy)
    if not at.numel():
        return tensor.clone()
    places = at.unsqueeze(1).expand(values.shape)
    return rows.scatter_reduce(0, places, values, which, include_self=True)[:total].reshape(tensor.shape)


@op("TensorScatterMax", tensor=_NUMBER, indices=_INDEX, updates=_NUMBER)
def tensor_scatter_nd_max(tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None) -> Any:
    """A copy of `tensor` with the greater of its value and `updates` at index vectors (`tf.tensor_scatter_nd_max`)."""
    return _extreme(tensor, indices, updates, bad_indices_policy, "TensorScatterMax", "amax")


@op("TensorScatterMin", tensor=_NUMBER, indices=_INDEX, updates=_NUMBER)
def tensor_scatter_nd_min(tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None) -> Any:
    """A copy of `tensor` with the lesser of its value and `updates` at index vectors (`tf.tensor_scatter_nd_min`)."""
    return _extreme(tensor, indices, updates, bad_indices_policy, "TensorScatterMin", "amin")


# --- dynamic_stitch --------------------------------------------------------------------------------------------------
@op("DynamicStitch", indices=tensors(dtypes.int32, group="I"), data=TENSORS)
def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Any:
    """One tensor whose row `indices[m][i]` is `data[m][i]`; later ones win (`tf.dynamic_stitch`)."""
    rest = _stitched_rest(indices, data)
    where = next((d.device for d in data if isinstance(d, torch.Tensor)), None)
    at = torch.cat([i.reshape(-1).to(where) for i in indices]).long()
    if at.numel() and int(at.min()) < 0:
        m = next(m for m, i in enumerate(indices) if i.numel() and int(i.min()) < 0)
        raise invalid(f"indices[{m}] is out of range [Op:DynamicStitch] name: ")
    size = int(at.max()) + 1 if at.numel() else 0
    rows = [d.reshape((i.numel(), *rest)) for i, d in zip(indices, data, strict=True)]
    if isinstance(data[0], np.ndarray):
        out = np.full((size, *rest), b"", dtype=object)
        out[at.cpu().numpy()] = np.concatenate(rows)
        return out
    values = torch.cat(rows)
    if at.is_cuda:  # whose threads have no order
        last = at.new_full((size,), -1).scatter_reduce(0, at, torch.arange(len(at), device=at.device), "amax")
        return torch.where((last >= 0).reshape(-1, *[1] * len(rest)), values.index_select(0, last.clamp(min=0)), values.new_zeros(()))
    return values.new_zeros((size, *rest)).index_copy(0, at, values)


def _stitched_rest(indices: Any, data: Any) -> tuple[int, ...]:
    for m, (i, d) in enumerate(zip(indices, data, strict=True)):
        if tuple(d.shape[: i.ndim]) != tuple(i.shape):
            raise invalid(
                f"data[{m}].shape = {_text(d.shape)} does not start with indices[{m}].shape = {_text(i.shape)} "
                "[Op:DynamicStitch] name: "
            )
    rests = [tuple(d.shape[i.ndim :]) for i, d in zip(indices, data, strict=True)]
    for m, rest in enumerate(rests):
        if rest != rests[0]:
            raise invalid(
                f"Need data[0].shape[{indices[0].ndim}:] = data[{m}].shape[{indices[m].ndim}:], got data[0].shape = "
                f"{_text(data[0].shape)}, data[{m}].shape = {_text(data[m].shape)} [Op:DynamicStitch] name: "
            )
    return rests[0]


dynamic_stitch.strings(dynamic_stitch.op.fn)


@dynamic_stitch.prepare
def _(indices: Any, data: Any) -> tuple[Any, ...]:
    if isinstance(indices, (list, tuple)) and isinstance(data, (list, tuple)) and len(indices) != len(data):
        raise ValueError(
            f"List argument 'data' to 'dynamic_stitch' Op with length {len(data)} must match length {len(indices)} of argument 'indices'."
        )
    if isinstance(indices, (list, tuple)) and not indices:
        raise invalid("Length for attr 'N' of 0 must be at least minimum 1 [Op:DynamicStitch] name: ")
    return indices, data


@dynamic_stitch.infer
def _(indices: Any, data: Any) -> Any:
    if all(i.device.type != "meta" for i in indices):
        return NotImplemented
    return [(dtypes.of(data[0]), (None, *data[0].shape[indices[0].ndim :]))]
