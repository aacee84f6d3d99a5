"""`tf.ragged`: tensors whose rows differ in length."""

# ruff: noqa: A001, A004 - TensorFlow's public names
from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import int32, int64
from .._engine.op import op, tensor
from .._engine.tensor import Tensor
from .._names import module_getattr
from . import connecting, partition
from .arranging import stack_dynamic_partitions
from .constants import constant
from .crossing import cross, cross_hashed
from .ragged_tensor import RaggedTensor
from .spec import RaggedTensorSpec

__all__ = [
    "RaggedTensor", "RaggedTensorSpec", "boolean_mask", "constant", "cross", "cross_hashed", "map_flat_values", "range",
    "row_splits_to_segment_ids", "segment_ids_to_row_splits", "stack", "stack_dynamic_partitions",
]  # fmt: skip


@op("RaggedRange", multi=True, starts=tensor(dtypes.FLOATS, int32, int64), limits=tensor(dtypes.FLOATS, int32, int64), deltas=tensor(dtypes.FLOATS, int32, int64))
def _range(starts: Any, limits: Any, deltas: Any) -> Any:
    from .._engine.op import invalid

    a, b, d = torch.broadcast_tensors(starts.reshape(-1), limits.reshape(-1), deltas.reshape(-1))
    if bool((d == 0).any()):
        raise invalid("Requires delta != 0 [Op:RaggedRange] name: ")
    counts = torch.clamp(torch.ceil((b - a).double() / d.double()), min=0)
    if bool((counts > 2.0**62).any()):
        raise invalid("Requires ((limit - start) / delta) <= 9223372036854775807 [Op:RaggedRange] name: ")
    lengths = counts.long()
    splits = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    total = int(splits[-1])
    count = torch.arange(total, device=a.device)
    if not a.is_floating_point() and deltas.numel() == 1:  # each number is its place times the step, and something of its row's
        shifts = torch.repeat_interleave(a - splits[:-1].to(a.dtype) * d, lengths, output_size=total)
        return count.to(a.dtype).mul_(deltas.reshape(())).add_(shifts), splits
    row = torch.repeat_interleave(torch.arange(len(lengths), device=a.device), lengths, output_size=total)
    position = count - splits.index_select(0, row)
    return a.index_select(0, row) + position.to(a.dtype) * d.index_select(0, row), splits


_range.infer(lambda s, m, d: [(dtypes.as_dtype(s.dtype), (None,)), (int64, (None,))])


def range(
    starts: Any, limits: Any = None, deltas: Any = 1, dtype: Any = None, name: str | None = None, row_splits_dtype: Any = dtypes.int64
) -> RaggedTensor:
    """Rows of numbers, from each start to each limit (`tf.ragged.range`)."""
    if limits is None:
        starts, limits = 0, starts
    first = convert_to_tensor(limits, dtype) if not isinstance(starts, Tensor) else convert_to_tensor(starts, dtype)
    kind = first.dtype
    a, b, d = (tf.cast(convert_to_tensor(v), kind) if not isinstance(v, (int, float)) else convert_to_tensor(v, kind) for v in (starts, limits, deltas))
    values, splits = _range(a, b, d)
    return RaggedTensor.from_row_splits(values, tf.cast(splits, row_splits_dtype), validate=False)


def map_flat_values(op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`op` on the flat values of ragged arguments, which share one structure (`tf.ragged.map_flat_values`)."""
    from .dispatch import _same_splits

    found = [a for a in [*args, *kwargs.values()] if isinstance(a, RaggedTensor)]
    if not found:
        return op(*args, **kwargs)
    for other in found[1:]:
        _same_splits(found[0], other)

    def flat(v: Any) -> Any:
        return v.flat_values if isinstance(v, RaggedTensor) else v

    result: Any = op(*[flat(a) for a in args], **{k: flat(v) for k, v in kwargs.items()})
    if result.shape.rank == 0:
        raise ValueError(f"tf.ragged.map_flat_values requires that the output of `op` have the same outer-dimension size as flat_values, got shape {result.shape}")
    return found[0].with_flat_values(result)


@connecting.function("ragged.stack")
def stack(values: Any, axis: int = 0, name: str | None = None) -> Any:
    """Ragged (or dense) tensors of one rank stacked on a new axis; rows may differ in length (`tf.ragged.stack`)."""
    if not isinstance(axis, int):
        raise TypeError(f"axis must be an int; got {type(axis).__name__}")
    items = [_to_ragged_or_dense(v) for v in ([values] if isinstance(values, (RaggedTensor, Tensor)) else values)]
    if not items:
        raise ValueError("rt_inputs may not be empty.")
    rank = items[0].shape.rank
    if any(v.shape.rank != rank for v in items):
        raise ValueError(f"All inputs of stack must have the same rank, got shapes {[str(v.shape) for v in items]}")
    if not -rank - 1 <= axis <= rank:
        raise ValueError(f"axis={axis} out of bounds: expected {-rank - 1}<=axis<{rank + 1}")
    at = axis + rank + 1 if axis < 0 else axis
    if rank == 0:
        return tf.stack(items)
    if at == 0:
        return concat([_as_one_row(v) for v in items], 0)
    return concat([tf.expand_dims(v, at) if isinstance(v, Tensor) else _expand(v, at) for v in items], at)


def _expand(rt: Any, at: int) -> Any:
    return tf.expand_dims(rt, at)


def _as_one_row(v: Any) -> RaggedTensor:
    dtype = v.row_splits.dtype if isinstance(v, RaggedTensor) else int32  # as TensorFlow stacks vectors
    if isinstance(v, RaggedTensor):
        return RaggedTensor._make(v, tf.stack([tf.zeros([], dtype), v.nrows(dtype)]))
    inner: Any = v
    for _ in builtins.range((v.shape.rank or 1) - 1):
        inner = RaggedTensor.from_tensor(inner) if isinstance(inner, Tensor) else inner.with_flat_values(inner.flat_values)
        break
    total = partition.nvals(inner)
    return RaggedTensor._make(inner, tf.stack([tf.zeros([], dtype), tf.cast(total, dtype)]))


def _to_ragged_or_dense(v: Any) -> Any:
    if isinstance(v, (RaggedTensor, Tensor)):
        return v
    if hasattr(v, "nested_row_splits"):  # of NumPy arrays
        return v._tensor()
    try:
        return convert_to_tensor(v)
    except ValueError:
        return constant(v)


def concat(values: Any, axis: Any) -> Any:
    """Ragged and dense tensors joined along an axis (`tf.concat`)."""
    items = [_to_ragged_or_dense(v) for v in ([values] if isinstance(values, RaggedTensor) else values)]
    if all(isinstance(v, Tensor) for v in items):
        return tf.concat(items, axis)
    rank = next(v.shape.rank for v in items if isinstance(v, RaggedTensor))
    if any(v.shape.rank is not None and v.shape.rank != rank for v in items):
        raise ValueError(f"All inputs of concat must have the same rank, got shapes {[str(v.shape) for v in items]}")
    at = int(tf.get_static_value(convert_to_tensor(axis)))
    if not -rank <= at < rank:
        raise ValueError(f"axis={at} out of bounds: expected {-rank}<=axis<{rank}")
    at = at + rank if at < 0 else at
    depth = max(v.ragged_rank for v in items if isinstance(v, RaggedTensor))
    dtype = next(v.row_splits.dtype for v in items if isinstance(v, RaggedTensor))
    rts = [v if isinstance(v, RaggedTensor) else RaggedTensor.from_tensor(v, ragged_rank=min(depth, v.shape.rank - 1), row_splits_dtype=dtype) for v in items]
    return _concat(rts, at)


def _concat(rts: list[Any], axis: int) -> Any:
    if not all(isinstance(r, RaggedTensor) for r in rts):
        return tf.concat([r if isinstance(r, Tensor) else r.to_tensor() for r in rts], axis)
    if axis == 0:
        values = _concat([r.values for r in rts], 0)
        splits = [rts[0].row_splits]
        for r in rts[1:]:
            splits.append(r.row_splits[1:] + splits[-1][-1])
        return RaggedTensor._make(values, tf.concat(splits, 0))
    if axis == 1:
        for i, r in enumerate(rts[1:], 1):
            if None not in (rts[0].shape[0], r.shape[0]) and rts[0].shape[0] != r.shape[0]:
                raise tf.errors.InvalidArgumentError(
                    None, None, f"Input tensors at index 0 (=x) and {i} (=y) have incompatible shapes.\nCondition x == y did not hold.\n"
                    f"First 1 elements of x:\n[{rts[0].shape[0]}]\nFirst 1 elements of y:\n[{r.shape[0]}]"
                )  # fmt: skip
        n = tf.cast(rts[0].nrows(), rts[0].row_splits.dtype)
        together = _concat(rts, 0)
        order = tf.reshape(tf.transpose(tf.reshape(tf.range(n * len(rts)), [len(rts), -1])), [-1])
        mixed = gather(together, order)
        lengths = sum(r.row_lengths() for r in rts[1:]) + rts[0].row_lengths() if len(rts) > 1 else rts[0].row_lengths()
        return RaggedTensor._make(mixed.values, partition.splits_of_lengths(lengths))
    return RaggedTensor._make(_concat([r.values for r in rts], axis - 1), rts[0].row_splits)


def gather(params: Any, indices: Any, axis: int = 0, batch_dims: int = 0) -> Any:
    """Rows of `params` by number; either may be ragged (`tf.gather`)."""
    params, indices = _to_ragged_or_dense(params), _to_ragged_or_dense(indices)
    axis, batch_dims = int(axis), int(batch_dims)
    if batch_dims or (axis and isinstance(indices, RaggedTensor)):
        return _batched(params, indices, axis, batch_dims)
    if isinstance(indices, RaggedTensor):
        return indices.with_flat_values(gather(params, indices.flat_values))
    if not isinstance(params, RaggedTensor):
        return tf.gather(params, indices, axis=axis)
    axis = axis + params.shape.rank if axis < 0 else axis
    if axis > 1:
        return params.with_values(gather(params.values, indices, axis - 1))
    if axis == 1:
        at = tf.cast(convert_to_tensor(indices), params.row_splits.dtype)
        count = tf.cast(params.nrows(), tf.int32)
        return _batched(params, tf.tile(tf.expand_dims(at, 0), tf.concat([[count], tf.ones([at.shape.rank], tf.int32)], 0)), 1, 1)
    idx = convert_to_tensor(indices)
    if idx.shape.rank == 0:
        return params[idx]
    flat = tf.reshape(tf.cast(idx, params.row_splits.dtype), [-1])
    starts = tf.gather(params.row_starts(), flat)
    limits = tf.gather(params.row_limits(), flat)
    places = range(starts, limits, row_splits_dtype=params.row_splits.dtype)
    rows = RaggedTensor._make(gather(params.values, places.values), places.row_splits, params._uniform)
    if idx.shape.rank == 1:
        return rows
    out: Any = rows
    for size in reversed(idx.shape.as_list()[1:]):
        out = RaggedTensor._make(out, RaggedTensor.from_uniform_row_length(out, size).row_splits)
    return out


def _batched(params: Any, indices: Any, axis: int, batch_dims: int) -> Any:
    """Of each of the outer slices that both have in common, what is numbered there; ragged where one of them is."""
    if isinstance(params, Tensor) and isinstance(indices, Tensor):
        return tf.gather(params, indices, axis=axis, batch_dims=batch_dims)
    rank = indices.shape.rank
    if rank is None:
        raise ValueError("batch_dims may only be negative if rank(indices) is statically known." if batch_dims < 0 else "rank(indices) must be known")
    if not -rank <= batch_dims <= rank:
        raise ValueError(f"batch_dims={batch_dims} out of bounds: expected {-rank}<=batch_dims<={rank}")
    if batch_dims < 0:
        batch_dims += rank
    if params.shape.rank is not None and params.shape.rank < batch_dims:
        raise ValueError("batch_dims must be less than rank(params)")
    if axis < 0:
        if params.shape.rank is None:
            raise ValueError("axis may only be negative if rank(params) is statically known.")
        axis += params.shape.rank
    axis = max(axis, batch_dims)
    if axis > batch_dims == 0:  # every slice of params has all the indices
        if isinstance(indices, Tensor):
            return gather(params, indices, axis)
        count = tf.cast(params.nrows() if isinstance(params, RaggedTensor) else tf.shape(params)[0], int32)
        return _batched(params, gather(tf.expand_dims(indices, 0), tf.zeros([count], int32)), axis, 1)
    if isinstance(params, Tensor):
        params = RaggedTensor.from_tensor(params, ragged_rank=1, row_splits_dtype=indices.row_splits.dtype)
    if batch_dims == 0:
        return gather(params, indices, axis)
    if batch_dims == 1 and axis > 1:
        return params.with_values(_batched(params.values, gather(indices, params.value_rowids()), axis - 1, 1))
    kind = params.row_splits.dtype
    if isinstance(indices, Tensor) and batch_dims == 1:  # the dense dimensions stay dense
        if rank == 1:
            return gather(params.values, tf.cast(indices, kind) + params.row_starts())
        shape = tf.shape(indices)
        starts = tf.reshape(params.row_starts(), tf.concat([shape[:1], tf.ones([rank - 1], int32)], 0))
        return gather(params.values, tf.cast(indices, kind) + starts)
    if isinstance(indices, Tensor):
        indices = RaggedTensor.from_tensor(indices, ragged_rank=1, row_splits_dtype=kind)
    if batch_dims > 1:
        return indices.with_values(_batched(params.values, indices.values, axis - 1, batch_dims - 1))
    offset = tf.gather(tf.cast(params.row_starts(), indices.dtype), indices.value_rowids())
    extra = (indices.values.shape.rank or 1) - 1
    values: Any = indices.values
    if isinstance(values, RaggedTensor) or extra:
        for _ in builtins.range(extra):
            offset = tf.expand_dims(offset, -1)
    return indices.with_values(gather(params.values, values + offset))


@connecting.function("ragged.boolean_mask")
def boolean_mask(data: Any, mask: Any, name: str | None = None) -> Any:
    """The values where `mask` is true, rows kept (`tf.ragged.boolean_mask`)."""
    data, mask = _to_ragged_or_dense(data), _to_ragged_or_dense(mask)
    if mask.dtype is not dtypes.bool:
        raise ValueError(f"mask must be bool, got {mask.dtype!r}")
    if isinstance(mask, RaggedTensor):
        if not isinstance(data, RaggedTensor):
            data = RaggedTensor.from_tensor(data, ragged_rank=mask.ragged_rank, row_splits_dtype=mask.row_splits.dtype)
        if isinstance(mask.values, RaggedTensor):
            return RaggedTensor._make(boolean_mask(data.values, mask.values), data.row_splits)
        kept = tf.math.unsorted_segment_sum(tf.cast(mask.values, data.row_splits.dtype), mask.value_rowids(), mask.nrows())
        values = data.values
        chosen = gather(values, tf.where(mask.values)[:, 0]) if isinstance(values, RaggedTensor) else tf.boolean_mask(values, mask.values)
        return RaggedTensor._make(chosen, partition.splits_of_lengths(kept))
    if mask.shape.rank == 1:
        return gather(data, tf.where(mask)[:, 0]) if isinstance(data, RaggedTensor) else tf.boolean_mask(data, mask)
    return boolean_mask(data, RaggedTensor.from_tensor(mask, ragged_rank=mask.shape.rank - 1))


class RaggedFillEmptyRows(NamedTuple):
    """What `tf.ragged_fill_empty_rows` gives."""

    output_value_rowids: Any
    output_values: Any
    empty_row_indicator: Any
    reverse_index_map: Any


class RaggedFillEmptyRowsGrad(NamedTuple):
    """What `tf.ragged_fill_empty_rows_grad` gives."""

    d_values: Any
    d_default_value: Any


def ragged_fill_empty_rows(value_rowids: Any, values: Any, nrows: Any, default_value: Any, name: str | None = None) -> RaggedFillEmptyRows:
    """`default_value` in every row that has no value (`tf.ragged_fill_empty_rows`), which rows these were, and where each value went."""
    rowids = convert_to_tensor(value_rowids, int64)
    values = convert_to_tensor(values)
    count = convert_to_tensor(nrows, int64)
    fill = convert_to_tensor(default_value, values.dtype)
    rows = tf.range(count)
    filled = tf.math.unsorted_segment_sum(tf.ones_like(rowids), rowids, count)
    empty = tf.equal(filled, 0)
    added = tf.boolean_mask(rows, empty)
    every = tf.concat([rowids, added], 0)
    order = tf.argsort(every, stable=True)
    back = tf.argsort(order, stable=True)
    out = tf.gather(tf.concat([values, tf.fill(tf.shape(added), fill)], 0), order)
    return RaggedFillEmptyRows(tf.gather(every, order), out, empty, tf.cast(back[: tf.shape(rowids)[0]], int64))


def ragged_fill_empty_rows_grad(reverse_index_map: Any, grad_values: Any, name: str | None = None) -> RaggedFillEmptyRowsGrad:
    """The gradients of `ragged_fill_empty_rows` for the values and the default (`tf.ragged_fill_empty_rows_grad`)."""
    back, grads = convert_to_tensor(reverse_index_map, int64), convert_to_tensor(grad_values)
    mine = tf.gather(grads, back)
    return RaggedFillEmptyRowsGrad(mine, tf.reduce_sum(grads) - tf.reduce_sum(mine))


def row_splits_to_segment_ids(splits: Any, name: str | None = None, out_type: Any = None) -> Tensor:
    """The row of each value (`tf.ragged.row_splits_to_segment_ids`)."""
    t = convert_to_tensor(splits) if hasattr(splits, "dtype") else convert_to_tensor(splits, dtype_hint=int64)
    if t.dtype not in (int32, int64):
        raise ValueError("splits must have dtype int32 or int64")
    if t.shape.rank not in (1, None):
        raise ValueError(f"Shape {t.shape} must have rank 1")
    if t.shape.rank == 1 and t.shape[0] == 0:
        raise ValueError("Invalid row_splits: []")
    out = partition.rowids_of_splits(t)
    return out if out_type is None else tf.cast(out, out_type)


def segment_ids_to_row_splits(segment_ids: Any, num_segments: Any = None, out_type: Any = None, name: str | None = None) -> Tensor:
    """Where each row ends, from the row of each value (`tf.ragged.segment_ids_to_row_splits`)."""
    t = convert_to_tensor(segment_ids) if hasattr(segment_ids, "dtype") else convert_to_tensor(segment_ids, out_type or int64)
    count = tf.reduce_max(tf.concat([t, tf.constant([-1], t.dtype)], 0)) + 1 if num_segments is None else tf.cast(num_segments, t.dtype)
    out = partition.splits_of_rowids(t, count)
    return out if out_type is None else tf.cast(out, out_type)


__getattr__ = module_getattr("tf.ragged")
