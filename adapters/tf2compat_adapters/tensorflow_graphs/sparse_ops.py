"""Sparse tensors, and sums over segments of rows that are looked up."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .registry import Call, graph_op


def _tensor(indices: Any, values: Any, shape: Any) -> Any:
    return tf.SparseTensor(tf.cast(indices, tf.int64), values, tf.cast(shape, tf.int64))


@graph_op("SparseTensorDenseMatMul")
def _matmul(call: Call, indices: Any, values: Any, shape: Any, b: Any) -> Any:
    return tf.sparse.sparse_dense_matmul(
        _tensor(indices, values, shape), b, adjoint_a=call.get("adjoint_a", False), adjoint_b=call.get("adjoint_b", False)
    )


@graph_op("SparseReorder")
def _reorder(call: Call, indices: Any, values: Any, shape: Any) -> Any:
    found = tf.sparse.reorder(_tensor(indices, values, shape))
    return {"output_indices": found.indices, "output_values": found.values}


@graph_op("SparseReshape")
def _reshape(call: Call, indices: Any, shape: Any, new: Any) -> Any:
    # The values pass unchanged: where they are is all that changes.
    found = tf.sparse.reshape(_tensor(indices, tf.range(tf.shape(indices)[0]), shape), new)
    return {"output_indices": found.indices, "output_shape": found.dense_shape}


@graph_op("SparseSoftmax")
def _softmax(call: Call, indices: Any, values: Any, shape: Any) -> Any:
    return tf.sparse.softmax(_tensor(indices, values, shape)).values


@graph_op("SparseFillEmptyRows")
def _fill(call: Call, indices: Any, values: Any, shape: Any, default: Any) -> Any:
    found, empty = tf.sparse.fill_empty_rows(_tensor(indices, values, shape), default)
    # which row of the result each given value went to: its place among the values of its row, rows in order
    row = found.indices[:, 0]
    filled = tf.gather(empty, row)
    return {
        "output_indices": found.indices, "output_values": found.values, "empty_row_indicator": empty,
        "reverse_index_map": tf.reshape(tf.where(tf.logical_not(filled)), [-1]),
    }  # fmt: skip


@graph_op("SparseFillEmptyRowsGrad")
def _fill_grad(call: Call, places: Any, gradients: Any) -> Any:
    given = tf.gather(gradients, places)
    return {"d_values": given, "d_default_value": tf.reduce_sum(gradients) - tf.reduce_sum(given)}


@graph_op("SparseAdd")
def _add(call: Call, ai: Any, av: Any, ashape: Any, bi: Any, bv: Any, bshape: Any, threshold: Any) -> Any:
    found = tf.sparse.add(_tensor(ai, av, ashape), _tensor(bi, bv, bshape), threshold)
    return {"sum_indices": found.indices, "sum_values": found.values, "sum_shape": found.dense_shape}


@graph_op("SparseConcat")
def _concat(call: Call, *parts: Any) -> Any:
    n = len(parts) // 3
    found = tf.sparse.concat(call.get("concat_dim"), [_tensor(*three) for three in zip(parts[:n], parts[n : 2 * n], parts[2 * n :], strict=True)])
    return {"output_indices": found.indices, "output_values": found.values, "output_shape": found.dense_shape}


@graph_op("SparseReduceSum", "SparseReduceMax")
def _reduce(call: Call, indices: Any, values: Any, shape: Any, axes: Any) -> Any:
    function = tf.sparse.reduce_sum if call.op.endswith("Sum") else tf.sparse.reduce_max
    return function(_tensor(indices, values, shape), axis=axes, keepdims=call.get("keep_dims", False))


@graph_op("SparseCross")
def _cross(call: Call, *parts: Any) -> Any:
    n = call.get("N", 0)
    given = [_tensor(*three) for three in zip(parts[:n], parts[n : 2 * n], parts[2 * n : 3 * n], strict=True)] + list(parts[3 * n :])
    found = tf.sparse.cross_hashed(given, call.get("num_buckets", 0), call.get("hash_key")) if call.get("hashed_output") else tf.sparse.cross(given)
    return {"output_indices": found.indices, "output_values": found.values, "output_shape": found.dense_shape}


# --- segments --------------------------------------------------------------------------------------------------------
def _total(how: str, rows: Any, segments: Any, count: Any) -> Any:
    if how == "Sum":
        return tf.math.unsorted_segment_sum(rows, segments, count)
    if how == "Mean":
        return tf.math.unsorted_segment_mean(rows, segments, count)
    return tf.math.unsorted_segment_sqrt_n(rows, segments, count)


def _segment(how: str) -> None:
    @graph_op(f"SparseSegment{how}", f"SparseSegment{how}WithNumSegments")
    def combine(call: Call, data: Any, indices: Any, segments: Any, count: Any = None) -> Any:
        if count is None:
            count = tf.reduce_max(tf.concat([segments, tf.constant([-1], segments.dtype)], 0)) + 1
        return _total(how, tf.gather(data, indices), segments, count)

    @graph_op(f"SparseSegment{how}Grad")
    def gradient(call: Call, gradients: Any, indices: Any, segments: Any, rows: Any) -> Any:
        return tf.math.unsorted_segment_sum(_spread(how, gradients, segments), indices, rows)

    @graph_op(f"SparseSegment{how}GradV2")
    def gradient_of_rows(call: Call, gradients: Any, indices: Any, segments: Any, rows: Any) -> Any:
        places = tf.unique(tf.sort(indices)).y
        to = tf.searchsorted(places, indices)
        return {"output": tf.math.unsorted_segment_sum(_spread(how, gradients, segments), to, tf.size(places)), "sorted_unique_indices": places}


def _spread(how: str, gradients: Any, segments: Any) -> Any:
    """The gradient of each row that went into a segment."""
    if how != "Sum":
        counts = tf.math.unsorted_segment_sum(tf.ones_like(segments, gradients.dtype), segments, tf.shape(gradients)[0])
        counts = tf.maximum(counts, 1)
        shape = tf.concat([[-1], tf.ones_like(tf.shape(gradients)[1:])], 0)
        gradients /= tf.reshape(counts if how == "Mean" else tf.sqrt(counts), shape)
    return tf.gather(gradients, segments)


for _how in ("Sum", "Mean", "SqrtN"):
    _segment(_how)
