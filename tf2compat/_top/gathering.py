"""Choosing elements: gather, masks, where."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import constant_value, convert_to_tensor, is_tensor_like
from .._engine.masks import anywhere, places
from .._engine.op import ANY, INT, invalid, op
from .._engine.op import tensor as tensor_

#: torch has no kernels of these for most functions
_UNSIGNED = frozenset((torch.uint16, torch.uint32, torch.uint64))
_BRANCH = tensor_(scalar=True)
_INDEX = tensor_(dtypes.int16, dtypes.int32, dtypes.int64, group="Tindices")


def _text(dims: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in dims) + "]"


# --- gather ----------------------------------------------------------------------------------------------------------
def _by_rows(params: Any, indices: Any, validate_indices: Any, axis: Any, batch_dims: Any) -> bool:
    """Whether a gather takes whole rows, whose gradient is then one of rows."""
    return (axis is None or type(axis) is int and axis == 0) and not batch_dims and bool(params.ndim)


def _by_single(params: Any, indices: Any, batch_dims: Any, *_: Any) -> bool:
    return indices.ndim == 2 and indices.shape[-1] == 1 and batch_dims == 0


@op("GatherV2", rows=_by_rows, params=ANY, indices=_INDEX, axis=INT, batch_dims=INT)
def gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: Any = 0, name: str | None = None
) -> Any:
    """Slices of `params` along `axis` at `indices`, of any shape; the first `batch_dims` axes go together (`tf.gather`).

    InvalidArgumentError for an index out of range, negative ones included; on a GPU such an index gives zeros.
    """
    if not batch_dims:
        return _take(params, indices, 0 if axis is None else axis)
    return _batched(params, indices, axis, batch_dims)


def _take(params: Any, indices: Any, axis: int) -> Any:
    n = params.ndim
    if not -n <= axis < n:
        raise invalid(_too_few(n, axis + 1 if axis >= 0 else -axis))
    if params.is_cuda:
        return take_on_gpu(params, indices, axis % n)
    if indices.dtype is torch.int16:
        indices = indices.int()
    if indices.ndim == 1:
        return torch.index_select(params, axis, indices)
    flat = torch.index_select(params, axis, indices.reshape(-1))
    axis %= n
    return flat.reshape(params.shape[:axis] + indices.shape + params.shape[axis + 1 :])


def take_on_gpu(params: Any, indices: Any, axis: int) -> Any:
    """Without a look at the indices' values: an index out of range would abort the device."""
    length = params.shape[axis]
    flat = indices.to(params.device).reshape(-1).long()
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
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """`x` where `condition` holds, else `y`, with broadcasting; or the indices of the true elements (`tf.where`).

    With a condition alone the result is an int64 matrix with a row for each element that is not False or zero.
    """
    if x is None or y is None:
        if x is not y:
            raise ValueError("x and y must both be non-None or both be None.")
        return places_of(condition, name)
    return select(condition, x, y, name)


_UNSIGNED = frozenset((torch.uint16, torch.uint32, torch.uint64))


@op("Where", condition=ANY)
def places_of(condition: Any, name: str | None = None) -> Any:
    """The indices of the elements that are not zero (the one-argument `tf.where`)."""
    if condition.ndim == 0:
        raise invalid("WhereOp : Unhandled input dimensions: 0 [Op:Where] name: ")
    if condition.dtype in _UNSIGNED:  # the results are of another dtype: no case for the general detour
        condition = condition.to(torch.int64)
    if condition.ndim == 1:
        return places(condition if condition.dtype is torch.bool else condition != 0).unsqueeze(1)
    return torch.nonzero(condition)


@places_of.strings
def _(condition: Any) -> Any:
    raise invalid(
        "Value for attr 'T' of string is not in the list of allowed values: float, double, int32, uint8, int16, int8, complex64, "
        "int64, qint8, quint8, qint32, bfloat16, qint16, quint16, uint16, complex128, half, uint32, uint64, bool [Op:Where] name: "
    )


@places_of.infer
def _(condition: Any) -> Any:
    return [(dtypes.int64, (None, condition.ndim))]


@op("SelectV2", condition=ANY, x=_BRANCH, y=_BRANCH)
def select(condition: Any, x: Any, y: Any, name: str | None = None) -> Any:
    """`x` where `condition` holds, else `y` (the three-argument `tf.where`)."""
    if condition.dtype is not torch.bool:
        raise invalid(
            f"cannot compute SelectV2 as input #0(zero-based) was expected to be a bool tensor but is a {dtypes.of(condition)._cpp} "
            "tensor [Op:SelectV2] name: "
        )
    return torch.where(condition, x, y)


@select.prepare
def _(condition: Any, x: Any, y: Any) -> tuple[Any, ...]:
    return condition if is_tensor_like(condition) else convert_to_tensor(condition, dtypes.bool), x, y


@select.strings
def _(condition: Any, x: Any, y: Any) -> Any:
    return np.asarray(np.where(condition.cpu().numpy(), x, y), dtype=object)


@select.diagnose
def _(condition: Any, x: Any, y: Any) -> str:
    return f"condition {_text(condition.shape)}, then {_text(x.shape)}, and else {_text(y.shape)} must be broadcastable"


# --- gather_nd -------------------------------------------------------------------------------------------------------
@op("GatherNd", rows=_by_single, params=ANY, indices=_INDEX, batch_dims=INT)
def gather_nd(
    params: Any, indices: Any, batch_dims: Any = 0, name: str | None = None, bad_indices_policy: str = ""
) -> Any:
    """Elements or slices of `params` at the index vectors in the last axis of `indices` (`tf.gather_nd`).

    `bad_indices_policy="IGNORE"` gives zeros where an index is out of range; otherwise that is an InvalidArgumentError
    (on a GPU, zeros).
    """
    if bad_indices_policy not in ("", "DEFAULT", "ERROR", "IGNORE"):
        raise _no_policy(bad_indices_policy)
    if params.is_cuda:
        indices = indices.to(params.device)
    if indices.ndim == 0:
        raise invalid("indices must be at least a vector [Op:GatherNd] name: ")
    if batch_dims:
        if not 0 <= batch_dims < indices.ndim:
            raise ValueError(f"Argument `batch_dims` = {batch_dims} must be less than rank(`indices`) = {indices.ndim}")
        if batch_dims >= params.ndim:
            raise ValueError(f"Argument `batch_dims` = {batch_dims} must be less than rank(`params`) = {params.ndim}")
        indices = _with_batch(indices, batch_dims)
    depth = indices.shape[-1]
    if depth > params.ndim:
        raise invalid(
            f"index innermost dimension length must be <= params rank; saw: {depth} vs. {params.ndim} [Op:GatherNd] name: "
        )
    at, outside = flat_positions(indices, params.shape[:depth])
    lenient = bad_indices_policy == "IGNORE" or indices.device.type == "cuda"
    total = 1
    for d in params.shape[:depth]:
        total *= d
    rows = params.reshape((total, *params.shape[depth:]))
    flat, out_shape = at.reshape(-1), tuple(indices.shape[:-1]) + tuple(params.shape[depth:])
    if not lenient:
        # an index out of range becomes one that index_select refuses
        return torch.index_select(rows, 0, torch.where(outside, -1, at).reshape(-1)).reshape(out_shape)
    if not total:
        return params.new_zeros(out_shape)
    taken = torch.index_select(rows, 0, torch.where(outside.reshape(-1), 0, flat))
    kept = (~outside.reshape(-1)).reshape([-1] + [1] * (taken.ndim - 1))
    return torch.where(kept, taken, taken.new_zeros(())).reshape(out_shape)


def _no_policy(policy: str) -> Exception:
    from ..errors import NotFoundError

    return NotFoundError(None, None, f"Unknown bad_indices_policy {policy!r}; known are '', 'DEFAULT', 'ERROR' and 'IGNORE'.")


def _with_batch(indices: Any, batch_dims: int) -> Any:
    """Index vectors that begin with their own place in the batch axes."""
    parts = []
    for axis in range(batch_dims):
        place = torch.arange(indices.shape[axis], device=indices.device, dtype=indices.dtype)
        place = place.reshape([-1 if i == axis else 1 for i in range(indices.ndim)])
        parts.append(place.expand(*indices.shape[:-1], 1))
    return torch.cat([*parts, indices], -1)


def flat_positions(indices: Any, shape: Any) -> tuple[Any, Any]:
    """Row numbers of index vectors into `shape`, and whether each is out of range. Few operations, for most vectors are few."""
    indices = indices.long()
    at = outside = None
    for i, d in enumerate(shape):
        column = indices[..., i]
        bad = column != column.clamp(0, d - 1) if d > 0 else torch.ones_like(column, dtype=torch.bool)
        at = column if at is None else torch.add(column, at, alpha=d)
        outside = bad if outside is None else outside | bad
    if at is None:
        at = indices.new_zeros(indices.shape[:-1])
        outside = at != 0
    return at, outside


def bad_vector(indices: Any, shape: Any) -> tuple[str, str] | None:
    """Place and text of the first index vector that is out of range."""
    _, outside = flat_positions(indices, shape[: indices.shape[-1]])
    found = outside.nonzero()
    if not len(found):
        return None
    place = found[0].tolist()
    vector = indices[tuple(place)].tolist()
    return (f"[{','.join(str(i) for i in place)}]" if place else ""), "[" + ", ".join(str(v) for v in vector) + "]"


@gather_nd.diagnose
def _(params: Any, indices: Any, batch_dims: Any, name: Any, bad_indices_policy: Any) -> str | None:
    if not indices.ndim or indices.shape[-1] > params.ndim:
        return None
    if batch_dims:
        indices = _with_batch(indices, batch_dims)
    bad = bad_vector(indices, params.shape)
    return bad and f"indices{bad[0]} = {bad[1]} does not index into param shape {_text(params.shape)}, node name: GatherNd"


@gather_nd.strings
def _(params: Any, indices: Any, batch_dims: Any, name: Any, bad_indices_policy: Any) -> Any:
    where_ = torch.arange(1, params.size + 1).reshape(params.shape)
    at = gather_nd.op.fn(where_, indices.cpu(), batch_dims, None, bad_indices_policy).numpy()
    return np.concatenate([np.array([b""], dtype=object), params.reshape(-1)])[at] if at.ndim else _boxed(params.reshape(-1)[int(at) - 1])


# --- masks -----------------------------------------------------------------------------------------------------------
def boolean_mask(tensor: Any, mask: Any, axis: Any = None, name: str = "boolean_mask") -> Any:
    """The elements or slices of `tensor` where `mask`, whose shape matches its axes from `axis` on, holds (`tf.boolean_mask`).

    ValueError for a scalar mask or one whose shape does not match.
    """
    tensor = convert_to_tensor(tensor)
    mask = convert_to_tensor(mask)
    axis = _static_axis(axis)
    rank = mask.shape.rank
    if rank == 0:
        raise ValueError("mask cannot be scalar.")
    if rank is None:
        raise ValueError(
            "Number of mask dimensions must be specified, even if some dimensions are None. E.g. shape=[None] is ok, but shape=None is not."
        )
    tensor.shape[axis : axis + rank].assert_is_compatible_with(mask.shape)
    return _boolean_mask(tensor, mask, axis, name)


def _static_axis(axis: Any) -> int:
    if axis is None:
        return 0
    return int(axis if isinstance(axis, int) else constant_value(axis))


@op("BooleanMask", tensor=ANY, mask=ANY)
def _boolean_mask(tensor: Any, mask: Any, axis: int, name: str | None = None) -> Any:
    k = mask.ndim
    if mask.dtype is not torch.bool:
        mask = mask != 0
    if axis < 0:
        axis += tensor.ndim
    shape = tensor.shape
    flat = tensor.reshape((*shape[:axis], mask.numel(), *shape[axis + k :]))
    return torch.index_select(flat, axis, places(mask))


@_boolean_mask.strings
def _(tensor: Any, mask: Any, axis: int) -> Any:
    chosen = np.asarray(mask.cpu().numpy(), dtype=bool)
    axis %= tensor.ndim
    flat = tensor.reshape((*tensor.shape[:axis], chosen.size, *tensor.shape[axis + chosen.ndim :]))
    return np.compress(chosen.reshape(-1), flat, axis)


@_boolean_mask.infer
def _(tensor: Any, mask: Any, axis: int) -> Any:
    axis %= tensor.ndim
    return [(dtypes.of(tensor), (*tensor.shape[:axis], None, *tensor.shape[axis + mask.ndim :]))]


@op("DynamicPartition", multi=True, data=ANY, partitions=tensor_(dtypes.int32, group=""), num_partitions=INT)
def dynamic_partition(data: Any, partitions: Any, num_partitions: Any, name: str | None = None) -> Any:
    """`num_partitions` tensors: the slices of `data` whose entry in `partitions` is 0, 1, … (`tf.dynamic_partition`)."""
    if num_partitions < 1:
        raise invalid(f"Value for attr 'num_partitions' of {num_partitions} must be at least minimum 1 [Op:DynamicPartition] name: ")
    k = partitions.ndim
    if tuple(data.shape[:k]) != tuple(partitions.shape):
        raise invalid(
            f"data.shape must start with partitions.shape, got data.shape = {_text(data.shape)}, partitions.shape = "
            f"{_text(partitions.shape)} [Op:DynamicPartition] name: "
        )
    parts = partitions.reshape(-1)
    outside = (parts < 0) | (parts >= num_partitions)
    if anywhere(outside):
        i = int(places(outside)[0])
        place = f"[{','.join(str(int(d)) for d in np.unravel_index(i, tuple(partitions.shape)))}]" if k else ""
        raise invalid(f"partitions{place} = {int(parts[i])} is not in [0, {num_partitions}) [Op:DynamicPartition] name: ")
    rows = data.reshape((-1, *data.shape[k:])) if parts.numel() else data.reshape((0, *data.shape[k:]))
    if isinstance(data, np.ndarray):
        numbers = parts.cpu().numpy()
        return [rows[numbers == p] for p in range(num_partitions)]
    return [rows.index_select(0, places(parts == p)) for p in range(num_partitions)]


dynamic_partition.strings(dynamic_partition.op.fn)


@dynamic_partition.infer
def _(data: Any, partitions: Any, num_partitions: Any) -> Any:
    return [(dtypes.of(data), (None, *data.shape[partitions.ndim :]))] * num_partitions
