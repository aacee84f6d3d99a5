"""Shapes, slices, joining, gathering."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._top.tensor_array import list_of_zeros

from .attributes import Damaged, constant_of
from .registry import Call, graph_op, integers, numbers, simple, static

simple({
    "StopGradient": tf.stop_gradient, "Fill": tf.fill, "OnesLike": tf.ones_like,
    "Rank": tf.rank, "Pad": tf.pad, "Tile": tf.tile, "Reshape": tf.reshape, "BroadcastTo": tf.broadcast_to, "GatherNd": tf.gather_nd,
    "ScatterNd": tf.scatter_nd, "TensorScatterUpdate": tf.tensor_scatter_nd_update, "TensorScatterAdd": tf.tensor_scatter_nd_add,
    "TensorScatterSub": tf.tensor_scatter_nd_sub, "TensorScatterMax": tf.tensor_scatter_nd_max,
    "TensorScatterMin": tf.tensor_scatter_nd_min, "BroadcastArgs": tf.broadcast_dynamic_shape, "Slice": tf.slice, "Snapshot": tf.identity,
    "PreventGradient": tf.identity, "Diag": tf.linalg.tensor_diag, "DiagPart": tf.linalg.tensor_diag_part,
    "BatchToSpaceND": tf.batch_to_space, "DeepCopy": tf.identity,
})  # fmt: skip


@graph_op("Identity")
def _identity(call: Call, value: Any) -> Any:
    # Variables, tables and lists of tensors are themselves.
    return tf.identity(value) if isinstance(value, tf.Tensor) and value.dtype != tf.variant else value


@graph_op("Const", "HostConst")
def _const(call: Call) -> Any:
    return constant_of(call.get("value"))


@graph_op("NoOp", "ControlTrigger")
def _nothing(call: Call, *inputs: Any) -> Any:
    return []


@graph_op("IdentityN")
def _identity_n(call: Call, *values: Any) -> Any:
    return [_identity(call, value) for value in values]


@graph_op("Placeholder")
def _placeholder(call: Call) -> Any:
    raise Damaged(f"the placeholder '{call.name}' is not given")


@graph_op("PlaceholderWithDefault")
def _default(call: Call, value: Any) -> Any:
    return value


@graph_op("Shape")
def _shape(call: Call, value: Any) -> Any:
    return tf.shape(value, out_type=call.get("out_type", tf.int32))


@graph_op("ShapeN")
def _shape_n(call: Call, *values: Any) -> Any:
    return [tf.shape(value, out_type=call.get("out_type", tf.int32)) for value in values]


@graph_op("Size")
def _size(call: Call, value: Any) -> Any:
    return tf.size(value, out_type=call.get("out_type", tf.int32))


@graph_op("ExpandDims")
def _expand(call: Call, value: Any, axis: Any) -> Any:
    return tf.expand_dims(value, int(np.reshape(static(call, axis), ())))


@graph_op("Squeeze")
def _squeeze(call: Call, value: Any) -> Any:
    return tf.squeeze(value, axis=call.get("squeeze_dims") or None)


@graph_op("Transpose")
def _transpose(call: Call, value: Any, perm: Any) -> Any:
    return tf.transpose(value, perm=numbers(perm))


@graph_op("ConjugateTranspose")
def _conjugate(call: Call, value: Any, perm: Any) -> Any:
    return tf.transpose(value, perm=integers(call, perm), conjugate=True)


@graph_op("ConcatV2")
def _concat(call: Call, *values: Any) -> Any:
    return tf.concat(list(values[:-1]), axis=numbers(values[-1]))


@graph_op("Concat")
def _old_concat(call: Call, axis: Any, *values: Any) -> Any:
    return tf.concat(list(values), axis=integers(call, axis))


@graph_op("Pack")
def _pack(call: Call, *values: Any) -> Any:
    return tf.stack(list(values), axis=call.get("axis", 0))


@graph_op("Unpack")
def _unpack(call: Call, value: Any) -> Any:
    return tf.unstack(value, num=call.get("num"), axis=call.get("axis", 0))


@graph_op("Split")
def _split(call: Call, axis: Any, value: Any) -> Any:
    return tf.split(value, call.get("num_split"), axis=numbers(axis))


@graph_op("SplitV")
def _split_v(call: Call, value: Any, sizes: Any, axis: Any) -> Any:
    return tf.split(value, sizes, axis=integers(call, axis), num=call.get("num_split"))


@graph_op("PadV2")
def _pad(call: Call, value: Any, paddings: Any, constant: Any) -> Any:
    return tf.pad(value, paddings, constant_values=constant)


@graph_op("MirrorPad")
def _mirror(call: Call, value: Any, paddings: Any) -> Any:
    return tf.pad(value, paddings, mode=call.get("mode", b"REFLECT").decode())


@graph_op("StridedSlice")
def _strided_slice(call: Call, value: Any, begin: Any, end: Any, strides: Any) -> Any:
    names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    return strided(value, begin, end, strides, {name: call.get(name, 0) for name in names})


def strided(value: Any, begin: Any, end: Any, strides: Any, masks: dict[str, int]) -> Any:
    """A part of a tensor; how many entries its bounds have may be known of one of them alone."""
    count = next((v.shape[0] for v in (begin, end, strides) if v.shape.rank == 1 and v.shape[0] is not None), None)
    if count is not None:
        begin, end, strides = (v if v.shape.rank == 1 and v.shape[0] is not None else tf.ensure_shape(v, [count]) for v in (begin, end, strides))
    return tf.strided_slice(value, begin, end, strides, **masks)


@graph_op("GatherV2")
def _gather(call: Call, value: Any, indices: Any, axis: Any) -> Any:
    return tf.gather(value, indices, axis=numbers(axis), batch_dims=call.get("batch_dims", 0))


@graph_op("Gather")
def _old_gather(call: Call, value: Any, indices: Any) -> Any:
    return tf.gather(value, indices)


@graph_op("OneHot")
def _one_hot(call: Call, indices: Any, depth: Any, on: Any, off: Any) -> Any:
    return tf.one_hot(indices, depth, on_value=on, off_value=off, axis=call.get("axis", -1), dtype=on.dtype)


@graph_op("ReverseV2")
def _reverse(call: Call, value: Any, axis: Any) -> Any:
    return tf.reverse(value, axis=numbers(axis))


@graph_op("ReverseSequence")
def _reverse_sequence(call: Call, value: Any, lengths: Any) -> Any:
    return tf.reverse_sequence(value, lengths, seq_axis=call.get("seq_dim"), batch_axis=call.get("batch_dim", 0))


@graph_op("Roll")
def _roll(call: Call, value: Any, shift: Any, axis: Any) -> Any:
    return tf.roll(value, shift=numbers(shift), axis=numbers(axis))


@graph_op("Where")
def _where(call: Call, condition: Any) -> Any:
    return tf.where(condition)


@graph_op("Unique", "UniqueV2")
def _unique(call: Call, value: Any, axis: Any = None) -> Any:
    y, index = tf.unique(value, out_idx=call.get("out_idx", tf.int32))
    return {"y": y, "idx": index}


@graph_op("UniqueWithCounts")
def _unique_counts(call: Call, value: Any) -> Any:
    y, index, count = tf.unique_with_counts(value, out_idx=call.get("out_idx", tf.int32))
    return {"y": y, "idx": index, "count": count}


@graph_op("DynamicStitch", "ParallelDynamicStitch")
def _stitch(call: Call, *values: Any) -> Any:
    half = len(values) // 2
    return tf.dynamic_stitch(list(values[:half]), list(values[half:]))


@graph_op("DynamicPartition")
def _partition(call: Call, value: Any, partitions: Any) -> Any:
    return tf.dynamic_partition(value, partitions, call.get("num_partitions"))


@graph_op("EnsureShape")
def _ensure(call: Call, value: Any) -> Any:
    return tf.ensure_shape(value, call.get("shape"))


@graph_op("SpaceToBatchND")
def _space_to_batch(call: Call, value: Any, block: Any, paddings: Any) -> Any:
    return tf.space_to_batch(value, block, paddings)


@graph_op("SpaceToDepth")
def _space_to_depth(call: Call, value: Any) -> Any:
    return tf.nn.space_to_depth(value, call.get("block_size"), data_format=call.get("data_format", b"NHWC").decode())


@graph_op("DepthToSpace")
def _depth_to_space(call: Call, value: Any) -> Any:
    return tf.nn.depth_to_space(value, call.get("block_size"), data_format=call.get("data_format", b"NHWC").decode())


@graph_op("TopKV2")
def _top_k(call: Call, value: Any, k: Any) -> Any:
    found = tf.math.top_k(value, k=numbers(k), sorted=call.get("sorted", True))
    return {"values": found[0], "indices": found[1]}


@graph_op("BroadcastGradientArgs")
def _broadcast_axes(call: Call, *shapes: Any) -> Any:
    known = [tf.get_static_value(shape) for shape in shapes]
    if any(shape is None for shape in known):
        found = tf.raw_ops.BroadcastGradientArgs(s0=shapes[0], s1=shapes[1])
        return {"r0": found[0], "r1": found[1]}
    with tf.init_scope():  # constants, so that the sums over these axes have known shapes
        found = tf.raw_ops.BroadcastGradientArgs(s0=tf.constant(known[0], shapes[0].dtype), s1=tf.constant(known[1], shapes[1].dtype))
    return {"r0": found[0], "r1": found[1]}


@graph_op("ConcatOffset")
def _concat_offset(call: Call, axis: Any, *shapes: Any) -> Any:
    place = integers(call, axis)
    known = [tf.get_static_value(shape) for shape in shapes]
    if all(shape is not None for shape in known):
        starts = np.zeros((len(known), len(known[0])), np.int64)
        starts[1:, place] = np.cumsum([shape[place] for shape in known[:-1]])
        return [tf.constant(start, shape.dtype) for start, shape in zip(starts, shapes, strict=True)]
    rank = shapes[0].shape[0]
    if rank is None:
        raise Damaged("it takes shapes of unknown rank")
    here = tf.one_hot(place % rank, rank, dtype=shapes[0].dtype)
    return tf.unstack(tf.cumsum(tf.stack(list(shapes)), exclusive=True) * here, num=len(shapes))


@graph_op("ListDiff")
def _difference(call: Call, x: Any, y: Any) -> Any:
    known = [tf.get_static_value(v) for v in (x, y)]
    kind = call.get("out_idx", tf.int32)
    if all(v is not None for v in known):
        kept = [i for i, v in enumerate(known[0].tolist()) if v not in known[1].tolist()]
        return {"out": tf.constant(known[0][kept], x.dtype), "idx": tf.constant(kept, kind)}
    apart = tf.logical_not(tf.reduce_any(tf.equal(tf.expand_dims(x, 1), y), 1))
    places = tf.reshape(tf.where(apart), [-1])
    return {"out": tf.gather(x, places), "idx": tf.cast(places, kind)}


@graph_op("UnravelIndex")
def _unravel(call: Call, indices: Any, dims: Any) -> Any:
    return tf.unravel_index(indices, dims)


@graph_op("ZerosLike")
def _zeros_like(call: Call, value: Any) -> Any:
    return list_of_zeros(value) if value.dtype == tf.variant else tf.zeros_like(value)


@graph_op("Empty")
def _empty(call: Call, shape: Any) -> Any:
    return tf.zeros(shape, call.get("dtype"))


@graph_op("CheckNumerics", "CheckNumericsV2")
def _check(call: Call, value: Any) -> Any:
    return tf.debugging.check_numerics(value, call.get("message", b"").decode())


@graph_op("RaggedRange")
def _ragged_range(call: Call, starts: Any, limits: Any, deltas: Any) -> Any:
    found = tf.ragged.range(starts, limits, deltas, row_splits_dtype=call.get("Tsplits", tf.int64))
    return {"rt_nested_splits": found.row_splits, "rt_dense_values": found.values}


@graph_op("RaggedTensorToTensor")
def _ragged_to_tensor(call: Call, shape: Any, values: Any, default: Any, *partitions: Any) -> Any:
    from .registry import unsupported

    kinds = [kind.decode() for kind in call.get("row_partition_types", [])]
    found: Any = values
    if kinds[:1] == ["ROW_SPLITS"] and set(kinds) == {"ROW_SPLITS"}:
        for splits in reversed(partitions):
            found = tf.RaggedTensor.from_row_splits(found, splits)
    elif kinds == ["FIRST_DIM_SIZE", "VALUE_ROWIDS"]:
        found = tf.RaggedTensor.from_value_rowids(found, tf.cast(partitions[1], tf.int64), nrows=tf.cast(partitions[0], tf.int64))
    else:
        raise unsupported(call, f"partitions {kinds}")
    wanted = tf.get_static_value(shape)
    dims = None if wanted is None or np.ndim(wanted) == 0 else [None if size < 0 else int(size) for size in np.asarray(wanted)]
    return found.to_tensor(default_value=default, shape=dims)


@graph_op("SparseToDense")
def _sparse_to_dense(call: Call, indices: Any, shape: Any, values: Any, default: Any) -> Any:
    sparse = tf.SparseTensor(tf.cast(indices, tf.int64), values, tf.cast(shape, tf.int64))
    return tf.sparse.to_dense(sparse, default, validate_indices=call.get("validate_indices", True))
