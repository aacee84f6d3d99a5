"""Gradients of what moves values: shapes, slices, joining, gathering, scattering, segments, lists of tensors, sparse products."""

from __future__ import annotations

from typing import Any

from tf2compat._engine import dtypes

from .backward import Local, Value, gradient
from .body import NotExportable


def _range(local: Local, first: Any, end: Any) -> Value:
    first, end = (v if isinstance(v, Value) else local.ints(v) for v in (first, end))
    return local.op("Range", first, end, local.ints(1))


def _join(local: Local, *parts: Any) -> Value:
    return local.op("ConcatV2", [p if isinstance(p, Value) else local.ints(p) for p in parts], local.ints(0))


def _part(local: Local, vector: Value, first: int | None, end: int | None) -> Value:
    """A part of a vector of integers."""
    masks = {"begin_mask": int(first is None), "end_mask": int(end is None)}
    return vector.op("StridedSlice", local.ints([first or 0]), local.ints([end or 0]), local.ints([1]), **masks)


def _size(local: Local, value: Value, kind: Any = dtypes.int32) -> Value:
    return value.op("Size", out_type=kind)


# --- shapes ----------------------------------------------------------------------------------------------------------
@gradient("Reshape", "ExpandDims", "Squeeze")
def _reshape(local: Local, dy: Value) -> Any:
    return [dy.op("Reshape", local.x().shape()), None]


@gradient("Transpose")
def _transpose(local: Local, dy: Value) -> Any:
    return [dy.op("Transpose", local.x(1).op("InvertPermutation")), None]


@gradient("ConjugateTranspose")
def _conjugate(local: Local, dy: Value) -> Any:
    return [dy.op("ConjugateTranspose", local.x(1).op("InvertPermutation")), None]


@gradient("BroadcastTo")
def _broadcast(local: Local, dy: Value) -> Any:
    shape = local.x().shape()
    axes = local.op("BroadcastGradientArgs", shape, dy.shape())[0]
    return [dy.op("Sum", axes, keep_dims=False).op("Reshape", shape), None]


@gradient("Fill")
def _fill(local: Local, dy: Value) -> Any:
    return [None, dy.op("Sum", _range(local, 0, dy.op("Rank")), keep_dims=False)]


@gradient("Tile")
def _tile(local: Local, dy: Value) -> Any:
    shape = local.x().shape()
    times = local.x(1).cast(dtypes.int32)
    split = local.op("Pack", [times, shape], axis=1).op("Reshape", local.ints([-1]))
    axes = local.op("Range", local.ints(0), _size(local, split), local.ints(2))
    return [dy.op("Reshape", split).op("Sum", axes, keep_dims=False), None]


@gradient("Pad", "PadV2")
def _pad(local: Local, dy: Value) -> Any:
    shape = local.x().shape()
    before = local.x(1).op("StridedSlice", local.ints([0, 0]), local.ints([0, 1]), local.ints([1, 1]), begin_mask=3, end_mask=1, shrink_axis_mask=2)
    found = dy.op("Slice", before.cast(dtypes.int32), shape)
    outer = None
    if len(local.needed) > 2 and local.needed[2]:
        outer = _total(local, dy) - _total(local, found)
    return [found, None, outer]


def _total(local: Local, value: Value) -> Value:
    return value.op("Sum", _range(local, 0, value.op("Rank")), keep_dims=False)


@gradient("MirrorPad")
def _mirror(local: Local, dy: Value) -> Any:
    return [dy.op("MirrorPadGrad", local.x(1), mode=local.get("mode")), None]


@gradient("MirrorPadGrad")
def _mirror_grad(local: Local, dy: Value) -> Any:
    return [dy.op("MirrorPad", local.x(1), mode=local.get("mode")), None]


# --- joining and splitting -------------------------------------------------------------------------------------------
@gradient("ConcatV2")
def _concat(local: Local, dy: Value) -> Any:
    parts = [local.x(i) for i in range(len(local.inputs) - 1)]
    shapes = [p.shape() for p in parts]
    rank = _size(local, shapes[0])
    axis = local.x(len(parts)).cast(dtypes.int32).op("FloorMod", rank)
    starts = local.op("ConcatOffset", axis, shapes)
    return [*[dy.op("Slice", b, s) if needed else None for b, s, needed in zip(starts, shapes, local.needed, strict=False)], None]


def _filled(local: Local, dys: Any) -> list[Value]:
    return [local.y(i).zeros() if dy is None else dy for i, dy in enumerate(dys)]


@gradient("Pack")
def _pack(local: Local, dy: Value) -> Any:
    return local.op("Unpack", dy, num=len(local.inputs), axis=int(local.get("axis", 0)))


@gradient("Unpack")
def _unpack(local: Local, *dys: Any) -> Any:
    return local.op("Pack", _filled(local, dys), axis=int(local.get("axis", 0)))


@gradient("Split")
def _split(local: Local, *dys: Any) -> Any:
    return [None, local.op("ConcatV2", _filled(local, dys), local.x(0))]


@gradient("SplitV")
def _split_v(local: Local, *dys: Any) -> Any:
    return [local.op("ConcatV2", _filled(local, dys), local.x(2)), None, None]


# --- slices ----------------------------------------------------------------------------------------------------------
_MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


@gradient("StridedSlice")
def _strided(local: Local, dy: Value) -> Any:
    bounds = [local.x(i) for i in (1, 2, 3)]
    shape = local.x().op("Shape", out_type=bounds[0].dtype)
    return [local.op("StridedSliceGrad", shape, *bounds, dy, **local.attributes(*_MASKS)), None, None, None]


@gradient("StridedSliceGrad")
def _strided_grad(local: Local, dy: Value) -> Any:
    return [None] * 4 + [dy.op("StridedSlice", *[local.x(i) for i in (1, 2, 3)], **local.attributes(*_MASKS))]


@gradient("Slice")
def _slice(local: Local, dy: Value) -> Any:
    begin = local.x(1).cast(dtypes.int32)
    after = local.x().shape() - local.y().shape() - begin
    return [dy.op("Pad", local.op("Pack", [begin, after], axis=1)), None, None]


@gradient("ReverseV2")
def _reverse(local: Local, dy: Value) -> Any:
    return [dy.op("ReverseV2", local.x(1)), None]


@gradient("ReverseSequence")
def _reverse_sequence(local: Local, dy: Value) -> Any:
    return [dy.op("ReverseSequence", local.x(1), **local.attributes("seq_dim", "batch_dim")), None]


@gradient("Roll")
def _roll(local: Local, dy: Value) -> Any:
    return [dy.op("Roll", -local.x(1), local.x(2)), None, None]


@gradient("SpaceToBatchND")
def _to_batch(local: Local, dy: Value) -> Any:
    return [dy.op("BatchToSpaceND", local.x(1), local.x(2)), None, None]


@gradient("BatchToSpaceND")
def _to_space(local: Local, dy: Value) -> Any:
    return [dy.op("SpaceToBatchND", local.x(1), local.x(2)), None, None]


@gradient("SpaceToDepth", "DepthToSpace")
def _depth(local: Local, dy: Value) -> Any:
    other = "DepthToSpace" if local.node.op == "SpaceToDepth" else "SpaceToDepth"
    return dy.op(other, **local.attributes("block_size", "data_format"))


# --- gathering and scattering ----------------------------------------------------------------------------------------
def _rows_of(local: Local, values: Value, indices: Value, count: Value, rest: Value) -> Value:
    """Rows summed by their numbers: `count` rows of the shape `rest`."""
    flat = values.op("Reshape", _join(local, _size(local, indices).op("ExpandDims", local.ints(0)), rest))
    return flat.op("UnsortedSegmentSum", indices.op("Reshape", local.ints([-1])), count)


def _at(local: Local, shape: Value, place: int) -> Value:
    return shape.op("StridedSlice", local.ints([place]), local.ints([place + 1]), local.ints([1]), shrink_axis_mask=1)


@gradient("GatherV2")
def _gather(local: Local, dy: Value) -> Any:
    axis, batch = local.known(2), int(local.get("batch_dims", 0))
    if axis is None:
        raise NotExportable("the gradient of a gather whose axis is computed")
    params, indices = local.x(0), local.x(1)
    place = int(axis)
    if place < 0:
        place += local.rank(0)
    shape = params.shape()
    rest = _part(local, shape, place + 1, None)
    if not batch:
        if not place:
            return [_rows_of(local, dy, indices, _at(local, shape, 0), rest), None, None]
        rank, inner = indices.op("Rank"), dy.op("Rank")
        order = _join(local, _range(local, place, rank + place), _range(local, 0, place), _range(local, rank + place, inner))
        outer = _part(local, shape, 0, place)
        found = _rows_of(local, dy.op("Transpose", order), indices, _at(local, shape, place), _join(local, outer, rest))
        back = _join(local, _range(local, 1, place + 1), [0], _range(local, place + 1, params.op("Rank")))
        return [found.op("Transpose", back), None, None]
    if place != batch:
        raise NotExportable("the gradient of a gather along another axis than the first behind its batches")
    count = _at(local, shape, place)
    batches = _part(local, shape, 0, place).op("Prod", local.ints([0]), keep_dims=False)
    ids = indices.cast(dtypes.int32).op("Reshape", local.op("Pack", [batches, local.ints(-1)], axis=0))
    ids = ids + (_range(local, 0, batches) * count).op("ExpandDims", local.ints(1))
    return [_rows_of(local, dy, ids, batches * count, rest).op("Reshape", shape), None, None]


@gradient("GatherNd")
def _gather_nd(local: Local, dy: Value) -> Any:
    indices = local.x(1)
    return [indices.op("ScatterNd", dy, local.x().op("Shape", out_type=indices.dtype)), None]


@gradient("ScatterNd")
def _scatter_nd(local: Local, dy: Value) -> Any:
    return [None, dy.op("GatherNd", local.x(0)), None]


@gradient("TensorScatterUpdate")
def _update(local: Local, dy: Value) -> Any:
    indices = local.x(1)
    return [dy.op("TensorScatterUpdate", indices, local.x(2).zeros()), None, dy.op("GatherNd", indices)]


@gradient("TensorScatterAdd")
def _scatter_add(local: Local, dy: Value) -> Any:
    return [dy, None, dy.op("GatherNd", local.x(1))]


@gradient("TensorScatterSub")
def _scatter_sub(local: Local, dy: Value) -> Any:
    return [dy, None, -dy.op("GatherNd", local.x(1))]


@gradient("TensorScatterMax", "TensorScatterMin")
def _scatter_extreme(local: Local, dy: Value) -> Any:
    x, indices, updates, y = local.x(0), local.x(1), local.x(2), local.y()
    mine, theirs = x.op("Equal", y).cast(dy.dtype), updates.op("Equal", y.op("GatherNd", indices)).cast(dy.dtype)
    # those of the same largest value share the gradient
    count = mine.op("TensorScatterAdd", indices, theirs)
    share = dy / count
    return [mine * share, None, theirs * share.op("GatherNd", indices)]


@gradient("TopKV2")
def _top_k(local: Local, dy: Any, *rest: Any) -> Any:
    if dy is None:
        return [None, None]
    x, indices = local.x(), local.y(1)
    shape = x.shape()
    last = shape.op("GatherV2", _size(local, shape) - 1, local.ints(0))
    flat = indices.op("Reshape", local.op("Pack", [local.ints(-1), indices.shape().op("GatherV2", x.op("Rank") - 1, local.ints(0))], axis=0))
    rows = flat.shape().op("GatherV2", local.ints(0), local.ints(0))
    places = flat + (_range(local, 0, rows) * last).op("ExpandDims", local.ints(1))
    found = places.op("Reshape", local.ints([-1, 1])).op(
        "ScatterNd", dy.op("Reshape", local.ints([-1])), _size(local, x).op("ExpandDims", local.ints(0))
    )
    return [found.op("Reshape", shape), None]


@gradient("DynamicStitch", "ParallelDynamicStitch")
def _stitch(local: Local, dy: Value) -> Any:
    half = len(local.inputs) // 2
    return [*[None] * half, *[dy.op("GatherV2", local.x(i), local.ints(0)) for i in range(half)]]


@gradient("DynamicPartition")
def _partition(local: Local, *dys: Any) -> Any:
    parts, count = local.x(1), len(dys)
    shape = parts.shape()
    places = _range(local, 0, _size(local, parts)).op("Reshape", shape)
    where = local.op("DynamicPartition", places, parts, num_partitions=count)
    found = local.op("ParallelDynamicStitch", where, _filled(local, dys))
    return [found.op("Reshape", local.x().shape()), None]


# --- segments --------------------------------------------------------------------------------------------------------
def _by_row(local: Local, vector: Value, like: Value) -> Value:
    """A number for each row in a shape that broadcasts with the rows."""
    rest = _part(local, like.shape(), 1, None)
    return vector.op("Reshape", _join(local, [-1], local.op("OnesLike", rest)))


@gradient("SegmentSum")
def _segment_sum(local: Local, dy: Value) -> Any:
    return [dy.op("GatherV2", local.x(1), local.ints(0)), None]


@gradient("SegmentMean")
def _segment_mean(local: Local, dy: Value) -> Any:
    ids = local.x(1)
    ones = local.op("OnesLike", ids).cast(dy.dtype)
    counts = ones.op("SegmentSum", ids).op("Maximum", local.number(1, dy.dtype))
    return [(dy / _by_row(local, counts, dy)).op("GatherV2", ids, local.ints(0)), None]


def _segment_extreme(local: Local, dy: Value, summed: str, *more: Any) -> Any:
    x, ids = local.x(), local.x(1)
    hits = x.op("Equal", _taken(local, local.y(), ids)).cast(dy.dtype)
    return [hits * _taken(local, dy / hits.op(summed, ids, *more), ids), *[None] * (1 + len(more))]


def _taken(local: Local, rows: Value, ids: Value) -> Value:
    """The row of each segment, zeros for what is in none."""
    found = rows.op("GatherV2", ids.op("Maximum", ids.zeros()), local.ints(0))
    there = ids.op("GreaterEqual", 0)
    missing = found.op("Rank") - ids.op("Rank")
    there = there.op("Reshape", _join(local, ids.shape(), local.op("Fill", missing.op("ExpandDims", local.ints(0)), local.ints(1))))
    return there.op("SelectV2", found, found.zeros())


@gradient("SegmentMax", "SegmentMin")
def _segment_max(local: Local, dy: Value) -> Any:
    return _segment_extreme(local, dy, "SegmentSum")


@gradient("UnsortedSegmentMax", "UnsortedSegmentMin")
def _unsorted_max(local: Local, dy: Value) -> Any:
    return _segment_extreme(local, dy, "UnsortedSegmentSum", local.x(2))


def _segment_product(local: Local, dy: Value, product: str, summed: str, *more: Any) -> Any:
    # where a segment holds one zero, only that element has a gradient: the product of the others
    x, ids = local.x(), local.x(1)
    zero = x.op("Equal", 0)
    count = zero.cast(dtypes.int32).op(summed, ids, *more)
    given = count.op("Greater", 1).op("SelectV2", dy.zeros(), dy)
    others = zero.op("SelectV2", local.op("OnesLike", x), x).op(product, ids, *more)
    rest = _taken(local, others, ids)
    quotient = _taken(local, local.y(), ids) / zero.op("SelectV2", local.op("OnesLike", x), x)
    return [_taken(local, given, ids) * zero.op("SelectV2", rest, quotient), *[None] * (1 + len(more))]


@gradient("SegmentProd")
def _segment_prod(local: Local, dy: Value) -> Any:
    return _segment_product(local, dy, "SegmentProd", "SegmentSum")


@gradient("UnsortedSegmentProd")
def _unsorted_prod(local: Local, dy: Value) -> Any:
    return _segment_product(local, dy, "UnsortedSegmentProd", "UnsortedSegmentSum", local.x(2))


@gradient("UnsortedSegmentSum")
def _unsorted_sum(local: Local, dy: Value) -> Any:
    return [_taken(local, dy, local.x(1)), None, None]


# --- sparse tensors --------------------------------------------------------------------------------------------------
@gradient("SparseToDense")
def _to_dense(local: Local, dy: Value) -> Any:
    values = dy.op("GatherNd", local.x(0))
    default = _total(local, dy) - _total(local, values) if local.needed[3] else None
    return [None, None, values, default]


@gradient("SparseTensorDenseMatMul")
def _sparse_matmul(local: Local, dy: Value) -> Any:
    indices, values, shape, b = (local.x(i) for i in range(4))
    adj_a, adj_b = bool(local.get("adjoint_a", False)), bool(local.get("adjoint_b", False))
    gb = gv = None
    if local.needed[3]:
        gb = indices.op("SparseTensorDenseMatMul", values, shape, dy, adjoint_a=not adj_a, adjoint_b=False)
        gb = gb.op("Transpose", local.ints([1, 0])).conj() if adj_b else gb
    if local.needed[1]:
        column = [indices.op("GatherV2", local.ints(i), local.ints(1)) for i in (1, 0)]
        columns, rows = column if not adj_a else column[::-1]
        other = b.op("Transpose", local.ints([1, 0])).conj() if adj_b else b
        picked = dy.op("GatherV2", rows, local.ints(0)) * other.op("GatherV2", columns, local.ints(0)).conj()
        gv = picked.op("Sum", local.ints([1]), keep_dims=False)
    return [None, gv, None, gb]


@gradient("SparseSoftmax")
def _sparse_softmax(local: Local, dy: Value) -> Any:
    # sums along the last axis, by a number for each of the rows before it
    indices, y, shape = local.x(0), local.y(), local.x(2)
    whole = shape.op("Prod", local.ints([0]), keep_dims=False)
    strides = shape.op("Cumprod", local.ints(0), exclusive=True, reverse=True)
    last = _at(local, indices.shape(), 1) - 1
    kept = (_range(local, 0, last + 1)).op("Less", last).cast(dtypes.int64)
    rows = (indices * strides * kept).op("Sum", local.ints([1]), keep_dims=False)
    sums = (dy * y).op("UnsortedSegmentSum", rows, whole)
    return [None, (dy - sums.op("GatherV2", rows, local.ints(0))) * y, None]


@gradient("SparseReorder")
def _sparse_reorder(local: Local, *dys: Any) -> Any:
    dy = dys[-1]
    if dy is None:
        return [None, None, None]
    indices, shape = local.x(0), local.x(2)
    count = _at(local, indices.shape(), 0)
    _, order = local.op("SparseReorder", indices, _range(local, 0, count), shape)
    return [None, dy.op("GatherV2", order.op("InvertPermutation"), local.ints(0)), None]


# --- lists of tensors ------------------------------------------------------------------------------------------------
def _element_shape(local: Local, handle: Value) -> Value:
    return handle.op("TensorListElementShape", shape_type=dtypes.int32)


@gradient("TensorListSetItem")
def _set_item(local: Local, dy: Value) -> Any:
    index, item = local.x(1), local.x(2)
    rest = dy.op("TensorListSetItem", index, item.zeros())
    return [rest, None, dy.op("TensorListGetItem", index, item.shape(), element_dtype=item.dtype)]


@gradient("TensorListGetItem")
def _get_item(local: Local, dy: Value) -> Any:
    handle = local.x(0)
    empty = local.op("TensorListReserve", _element_shape(local, handle), handle.op("TensorListLength"), element_dtype=dy.dtype)
    return [empty.op("TensorListSetItem", local.x(1), dy), None, None]


@gradient("TensorListPushBack")
def _push(local: Local, dy: Value) -> Any:
    item = local.x(1)
    shape = local.ints(-1) if item.dtype is dtypes.variant else item.shape()
    rest, given = dy.op("TensorListPopBack", shape, element_dtype=item.dtype)
    return [rest, given]


@gradient("TensorListPopBack")
def _pop(local: Local, dy: Any, item: Any) -> Any:
    kind = local.outputs[1].dtype
    if dy is None:
        dy = local.op("EmptyTensorList", _element_shape(local, local.x(0)), local.ints(-1), element_dtype=kind)
    return [dy.op("TensorListPushBack", local.y(1).zeros() if item is None else item), None]


@gradient("TensorListStack")
def _stack(local: Local, dy: Value) -> Any:
    return [dy.op("TensorListFromTensor", _element_shape(local, local.x(0))), None]


@gradient("TensorListFromTensor")
def _from_tensor(local: Local, dy: Value) -> Any:
    value = local.x(0)
    return [dy.op("TensorListStack", _part(local, value.shape(), 1, None), element_dtype=value.dtype), None]


@gradient("TensorListGather")
def _list_gather(local: Local, dy: Value) -> Any:
    handle = local.x(0)
    return [dy.op("TensorListScatterV2", local.x(1), _element_shape(local, handle), handle.op("TensorListLength")), None, None]


@gradient("TensorListScatterIntoExistingList")
def _list_scatter(local: Local, dy: Value) -> Any:
    value, indices = local.x(1), local.x(2)
    given = dy.op("TensorListGather", indices, _part(local, value.shape(), 1, None), element_dtype=value.dtype)
    return [dy.op("TensorListScatterIntoExistingList", value.zeros(), indices), given, None]


@gradient("LinSpace")
def _linspace(local: Local, dy: Value) -> Any:
    parts = local.number(0, dy.dtype).op("LinSpace", local.number(1, dy.dtype), local.x(2))
    return [_total(local, dy * (1 - parts)), _total(local, dy * parts), None]
