"""How ops of sparse and ragged tensors are written: places, rows, embeddings of sparse ids."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine import dtypes

from .body import NotExportable
from .export import Call
from .lowering import lowers
from .rules import rule


@lowers("SparseFromDense")
def from_dense(tensor: Any) -> Any:
    empty = tf.constant("") if tensor.dtype == tf.string else tf.zeros([], tensor.dtype)
    places = tf.where(tf.not_equal(tensor, empty))
    return places, tf.gather_nd(tensor, places)


@rule("SparseToDense")
def _to_dense(call: Call) -> Any:
    return call.op(
        "SparseToDense", call.ref("indices"), call.ref("dense_shape"), call.ref("values"), call.ref("default"), validate_indices=bool(call["validate"])
    )


@rule("SparseTensorDenseMatMul")
def _matmul(call: Call) -> Any:
    parts = [call.ref(n) for n in ("indices", "values", "dense_shape", "b")]
    return call.op("SparseTensorDenseMatMul", *parts, adjoint_a=bool(call["adjoint_a"]), adjoint_b=bool(call["adjoint_b"]))


@lowers("SparseRetain")
def retain(indices: Any, values: Any, keep: Any) -> Any:
    kept = tf.reshape(tf.where(keep), [-1])
    return tf.gather(indices, kept), tf.gather(values, kept)


def _merged(indices: Any, dense_shape: Any) -> tuple[Any, Any, Any]:
    """Distinct places in row-major order, which of them each place is, and how many they are."""
    if indices.shape[-1] is None:
        raise NotExportable("the rank of its tensor is not known")
    steps = tf.math.cumprod(dense_shape, exclusive=True, reverse=True)
    flat = tf.reduce_sum(indices * steps, 1)
    order = tf.argsort(flat, stable=True)
    places, inverse = tf.unique(tf.gather(flat, order))
    return tf.math.floormod(tf.expand_dims(places, 1) // steps, dense_shape), order, inverse


@lowers("SparseAdd")
def summed(indices: Any, values: Any, dense_shape: Any) -> Any:
    places, order, inverse = _merged(indices, dense_shape)
    return places, tf.math.unsorted_segment_sum(tf.gather(values, order), inverse, tf.shape(places)[0])


@lowers("SparseReduceMax")
def largest(indices: Any, values: Any, dense_shape: Any) -> Any:
    places, order, inverse = _merged(indices, dense_shape)
    return places, tf.math.unsorted_segment_max(tf.gather(values, order), inverse, tf.shape(places)[0])


@rule("SparseSparseMaximum")
def _merged_values(call: Call) -> Any:
    shape = call.ref("dense_shape")
    kind = "SparseSparseMaximum" if call["largest"] else "SparseSparseMinimum"
    return call.op(kind, call.ref("ia"), call.ref("va"), shape, call.ref("ib"), call.ref("vb"), shape)


@lowers("SparseSegmentCombine")
def combine(embeddings: Any, weights: Any, segments: Any, combiner: str, rows: Any) -> Any:
    index = tf.cast(segments, tf.int64)
    count = tf.cast(rows, tf.int64) if rows is not None else tf.reduce_max(tf.concat([index, [-1]], 0)) + 1
    weights = tf.cast(weights, embeddings.dtype)
    shape = [-1] + [1] * (embeddings.shape.rank - 1)
    total = tf.math.unsorted_segment_sum(embeddings * tf.reshape(weights, shape), index, count)
    if combiner == "sum":
        return total
    scale = tf.math.unsorted_segment_sum(weights if combiner == "mean" else weights * weights, index, count)
    return tf.math.divide_no_nan(total, tf.reshape(tf.sqrt(scale) if combiner == "sqrtn" else scale, shape))


@lowers("ClipByNormRows")
def clip_rows(x: Any, max_norm: float, row_dims: int) -> Any:
    over = list(range(x.shape.rank - row_dims, x.shape.rank))
    size = tf.sqrt(tf.reduce_sum(x * x, over, keepdims=True)) if over else tf.abs(x)
    return x * max_norm / tf.maximum(size, tf.cast(max_norm, x.dtype))


@lowers("RaggedSplitsOfRowids")
def splits_of_rowids(rowids: Any, count: Any) -> Any:
    return tf.searchsorted(rowids, tf.range(tf.cast(count, rowids.dtype) + 1), out_type=rowids.dtype)


@rule("StringBytesSplit")
def _bytes_of(call: Call) -> Any:
    b = call.body
    zero, one, first = call.static(0, dtypes.int64), call.static(1, dtypes.int64), b.ints(0)
    flat = b.op("Reshape", call.ref("input"), b.ints([-1]))
    lengths = call.scope.cast(b.op("StringLength", flat), dtypes.int64)
    splits, places = b.op("RaggedRange", b.op("ZerosLike", lengths), lengths, b.op("OnesLike", lengths), Tsplits=dtypes.int64)
    count = b.op("Range", zero, b.op("Size", places, out_type=dtypes.int64), one)
    ends = b.op("StridedSlice", splits, b.ints([1]), b.ints([0]), b.ints([1]), end_mask=1)
    owner = b.op("UpperBound", b.op("ExpandDims", ends, first), b.op("ExpandDims", count, first), out_type=dtypes.int64)
    texts = b.op("GatherV2", flat, b.op("Squeeze", owner, squeeze_dims=[0]), first)
    return [call.op("Substr", texts, places, b.op("OnesLike", places)), splits]
