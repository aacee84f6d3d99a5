"""Reductions of ragged tensors along any axes, and segments of ragged rows."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.op import Op
from .._engine.tensor import Tensor
from . import partition
from .ragged_tensor import RaggedTensor

_KINDS = {"Sum": "sum", "Max": "max", "Min": "min", "Prod": "prod", "Any": "any", "All": "all"}
_SEGMENTS = {
    "UnsortedSegmentSum": "sum", "UnsortedSegmentMax": "max", "UnsortedSegmentMin": "min", "UnsortedSegmentProd": "prod",
    "UnsortedSegmentMean": "mean", "UnsortedSegmentSqrtN": "sqrt_n",
}  # fmt: skip


def columns(rt: RaggedTensor) -> Tensor:
    """The place of each value within its row."""
    rowids = rt.value_rowids()
    return tf.range(tf.shape(rowids, out_type=rowids.dtype)[0]) - tf.gather(rt.row_starts(), rowids)


def longest_row(rt: RaggedTensor) -> Tensor:
    return tf.reduce_max(tf.concat([rt.row_lengths(), tf.zeros([1], rt.row_splits.dtype)], 0))


def segments(kind: str, data: Any, ids: Any, count: Any, separator: str = "") -> Any:
    """`data`, dense or ragged, reduced over the first axis by segment; rows of one segment are laid above each other."""
    if isinstance(ids, RaggedTensor):
        if not isinstance(data, RaggedTensor):
            raise ValueError("If segment_ids is ragged, then data must be ragged as well")
        from .dispatch import _same_splits

        if ids.ragged_rank == data.ragged_rank:
            _same_splits(ids, data)
        return segments(kind, data.values, ids.values, count, separator)
    if not isinstance(data, RaggedTensor):
        if kind == "join":
            return tf.strings.unsorted_segment_join(data, ids, count, separator)
        return {
            "sum": tf.math.unsorted_segment_sum, "max": tf.math.unsorted_segment_max, "min": tf.math.unsorted_segment_min,
            "prod": tf.math.unsorted_segment_prod, "mean": tf.math.unsorted_segment_mean, "sqrt_n": tf.math.unsorted_segment_sqrt_n,
        }[kind](data, ids, count)  # fmt: skip
    lengths = data.row_lengths()
    ids = tf.cast(ids, lengths.dtype)
    longest = tf.maximum(tf.math.unsorted_segment_max(lengths, ids, count), tf.constant(0, lengths.dtype))
    splits = partition.splits_of_lengths(longest)
    places = tf.gather(tf.gather(splits[:-1], ids), data.value_rowids()) + columns(data)
    return RaggedTensor._make(segments(kind, data.values, places, splits[-1], separator), splits)


def segment_op(op: Op, args: tuple[Any, ...]) -> Any:
    """`tf.math.unsorted_segment_*`."""
    count = args[2] if isinstance(args[2], Tensor) else convert_to_tensor(args[2])
    ids = args[1] if isinstance(args[1], RaggedTensor) else convert_to_tensor(args[1])
    return segments(_SEGMENTS[op.name], args[0], ids, count)


def reduce_op(op: Op, args: tuple[Any, ...]) -> Any:
    """`tf.reduce_*`."""
    rt, axis, keepdims = args[0], args[1], bool(args[2])
    if op.name == "Mean":
        return _mean(rt, axis, keepdims)
    if op.name in ("Variance", "Std"):
        high = _mean(tf.square(rt), axis, keepdims) - tf.square(_mean(rt, axis, keepdims))
        high = tf.maximum(high, tf.zeros([], high.dtype))
        return tf.sqrt(high) if op.name == "Std" else high
    if op.name == "LogSumExp":
        return tf.math.log(tf.reduce_sum(tf.exp(rt), axis, keepdims))
    return reduce(_KINDS[op.name], op.public, rt, axis, keepdims)


def _mean(rt: RaggedTensor, axis: Any, keepdims: bool) -> Any:
    total = tf.reduce_sum(rt, axis, keepdims)
    return tf.truediv(total, tf.reduce_sum(tf.ones_like(rt), axis, keepdims))


def reduce(kind: str, dense: Any, rt: Any, axis: Any, keepdims: bool, separator: str = "") -> Any:
    """One kind of reduction; `dense` does it on dense tensors as `dense(tensor, axis, keepdims)`."""
    rank = rt.shape.rank
    if axis is None:
        out = dense(rt.flat_values, None, keepdims)
        if keepdims:
            for _ in range(rank - 1):
                out = tf.expand_dims(out, 0)
        return out
    if not isinstance(axis, int):
        found = tf.get_static_value(convert_to_tensor(axis))
        if found is None:
            raise ValueError("axis must be known at graph construction time.")
        axes = sorted({axis_of(int(a), rank) for a in found.reshape(-1).tolist()}) if found.ndim else [axis_of(int(found), rank)]
    else:
        axes = [axis_of(axis, rank)]
    out = rt
    for a in reversed(axes):  # the inner ones first
        out = _along(kind, dense, out, a, keepdims, separator) if isinstance(out, RaggedTensor) else dense(out, a, keepdims)
    return out


def axis_of(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ValueError(f"axis={axis} out of bounds: expected {-rank}<=axis<{rank}")
    return axis + rank if axis < 0 else axis


def _along(kind: str, dense: Any, rt: RaggedTensor, axis: int, keepdims: bool, separator: str) -> Any:
    if kind in ("any", "all"):  # counted: how many values are true, or false
        wanted = rt.flat_values if kind == "any" else tf.logical_not(rt.flat_values)
        counts = _along("sum", tf.reduce_sum, rt.with_flat_values(tf.cast(wanted, dtypes.int64)), axis, keepdims, "")
        return tf.greater(counts, tf.constant(0, dtypes.int64)) if kind == "any" else tf.equal(counts, tf.constant(0, dtypes.int64))
    if axis > 1:
        values = rt.values
        inner = _along(kind, dense, values, axis - 1, keepdims, separator) if isinstance(values, RaggedTensor) else dense(values, axis - 1, keepdims)
        return rt.with_values(inner)
    ids, count = (columns(rt), longest_row(rt)) if axis == 0 else (rt.value_rowids(), rt.nrows())
    out = segments(kind, rt.values, ids, count, separator)
    return tf.expand_dims(out, axis) if keepdims else out
