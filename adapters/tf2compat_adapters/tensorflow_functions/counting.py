"""How elementwise ops, reductions, sorting, counting and repeating are written that TensorFlow has under other terms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._engine import dtypes

from .body import NotExportable
from .export import Call
from .lowering import _over, _size, lowers
from .rules import rule


# --- elementwise -----------------------------------------------------------------------------------------------------
@rule("Real", "Conj")
def _real(call: Call) -> Any:
    value = call.scope.ref(call.node.args[0])
    if not value.dtype.is_complex:
        return call.op("Identity", value)
    return call.op("Conj", value) if call.node.type == "Conj" else call.op("Real", value, Tout=call.node.outputs[0]._dtype)


@rule("Imag")
def _imag(call: Call) -> Any:
    value = call.ref("input")
    return call.op("Imag", value, Tout=call.node.outputs[0]._dtype) if value.dtype.is_complex else call.op("ZerosLike", value)


@rule("Angle")
def _angle(call: Call) -> Any:
    value = call.ref("input")
    if value.dtype.is_complex:
        return call.op("Angle", value, Tout=call.node.outputs[0]._dtype)
    zero = call.body.op("ZerosLike", value)
    pi = call.body.constant(np.asarray(math.pi, value.dtype.as_numpy_dtype), value.dtype)
    return call.op("SelectV2", call.body.op("Less", value, zero), pi, zero)


@rule("Abs")
def _abs(call: Call) -> Any:
    value = call.ref("x")
    return call.op("ComplexAbs", value, Tout=call.node.outputs[0]._dtype) if value.dtype.is_complex else call.op("Abs", value)


@rule("AddV2")
def _add(call: Call) -> Any:
    x, y = call.ref("x"), call.ref("y")
    return call.op("Add" if x.dtype is dtypes.string else "AddV2", x, y)


@rule("ClipByValue")
def _clip(call: Call) -> Any:
    """TensorFlow's op takes limits of the value's shape, or scalars, of common dtypes."""
    names = call.node.op.params[:3]  # type: ignore[union-attr]
    x, low, high = (call.ref(n) for n in names)
    dims = [call.dims(n) for n in names]
    if x.dtype not in (dtypes.uint32, dtypes.uint64) and all(d == () or (d == dims[0] and d is not None and None not in d) for d in dims[1:]):
        return call.op("ClipByValue", x, low, high)
    return call.op("Maximum", call.body.op("Minimum", x, high), low)


@lowers("tf2compat.math.elementwise.erfcinv")
def erfcinv(x: Any) -> Any:
    return -tf.math.ndtri(0.5 * x) * math.sqrt(0.5)


@rule("Round")
def _round(call: Call) -> Any:
    x = call.ref("x")
    return call.op("Identity" if x.dtype.is_integer else "Round", x)


@rule("RealDiv")
def _divide(call: Call) -> Any:
    dtype = call.node.outputs[0]._dtype
    return call.op("RealDiv", *[call.scope.cast(call.ref(n), dtype) for n in "xy"])


@rule("Range")
def _range(call: Call) -> Any:
    dtype = call.node.outputs[0]._dtype
    work = dtypes.float32 if dtype in (dtypes.float16, dtypes.bfloat16) else dtype
    return call.scope.cast(call.op("Range", *[call.scope.cast(call.ref(n), work) for n in ("start", "limit", "delta")]), dtype)


@rule("EnsureShape")
def _ensure_shape(call: Call) -> Any:
    shape = call["shape"]
    dims = shape.as_list() if getattr(shape, "rank", 0) is not None and hasattr(shape, "as_list") else shape
    if getattr(shape, "rank", 0) is None:
        return call.op("Identity", call.ref("input"))
    return call.op("EnsureShape", call.ref("input"), shape=None if dims is None else list(dims))


# --- reductions ------------------------------------------------------------------------------------------------------
@rule("ArgMax", "ArgMin")
def _arg(call: Call) -> Any:
    axis = 0 if call["axis"] is None else call["axis"]
    return call.op(call.node.type, call.ref("input"), call.static(axis), output_type=call.node.outputs[0]._dtype)


@rule("ReduceJoin")
def _reduce_join(call: Call) -> Any:
    axis = list(range(call.rank("inputs") - 1, -1, -1)) if call["axis"] is None else call["axis"]
    return call.op("ReduceJoin", call.ref("inputs"), call.static(axis), keep_dims=bool(call["keepdims"]), separator=call["separator"])


@lowers("Variance")
def variance(x: Any, axis: Any, keepdims: bool) -> Any:
    away = x - tf.reduce_mean(x, axis, keepdims=True)
    squares = tf.math.real(away * tf.math.conj(away)) if x.dtype.is_complex else tf.square(away)
    return tf.reduce_mean(squares, axis, keepdims=bool(keepdims))


@lowers("Std")
def std(x: Any, axis: Any, keepdims: bool) -> Any:
    return tf.sqrt(variance(x, axis, keepdims))


@lowers("Lbeta")
def lbeta(x: Any) -> Any:
    return tf.reduce_sum(tf.math.lgamma(x), -1) - tf.math.lgamma(tf.reduce_sum(x, -1))


@lowers("Increasing")
def increasing(x: Any, strict: bool) -> Any:
    flat = tf.reshape(x, [-1])
    return tf.reduce_all(flat[1:] > flat[:-1] if strict else flat[1:] >= flat[:-1])


@lowers("GlobalNorm")
def global_norm(values: Any) -> Any:
    return tf.sqrt(tf.add_n([tf.reduce_sum(tf.square(v)) for v in values]))


@lowers("ClipByGlobalNorm")
def clip_by_global_norm(values: Any, clip_norm: Any, use_norm: Any) -> Any:
    clip_norm = tf.cast(clip_norm, use_norm.dtype)
    scale = clip_norm * tf.minimum(1.0 / use_norm, 1.0 / clip_norm) + (use_norm - use_norm)
    return [v * scale for v in values]


def _segments(data: Any, ids: Any, count: Any, root: bool) -> Any:
    flat = tf.reshape(ids, [-1])
    sizes = tf.math.unsorted_segment_sum(tf.ones(tf.shape(flat), data.dtype), flat, count)
    sizes = tf.maximum(sizes, tf.ones([], data.dtype))
    total = tf.math.unsorted_segment_sum(data, ids, count)
    shape = [-1] + [1] * (data.shape.rank - ids.shape.rank)
    return total / tf.reshape(tf.sqrt(sizes) if root else sizes, shape)


@lowers("UnsortedSegmentMean")
def segment_mean(data: Any, ids: Any, count: Any) -> Any:
    return _segments(data, ids, count, False)


@lowers("UnsortedSegmentSqrtN")
def segment_sqrt_n(data: Any, ids: Any, count: Any) -> Any:
    return _segments(data, ids, count, True)


# --- counting --------------------------------------------------------------------------------------------------------
@lowers("ConfusionMatrix")
def confusion_matrix(labels: Any, predictions: Any, classes: Any, weights: Any, dtype: Any) -> Any:
    labels, predictions = tf.reshape(labels, [-1]), tf.reshape(predictions, [-1])
    if classes is None:
        classes = tf.maximum(tf.reduce_max(labels), tf.reduce_max(predictions)) + 1
    amounts = tf.ones(tf.shape(labels), dtype) if weights is None else tf.cast(tf.reshape(weights, [-1]), dtype)
    size = tf.cast(classes, tf.int64)
    return tf.scatter_nd(tf.stack([labels, predictions], 1), amounts, [size, size])


@rule("DenseBincount")
def _bincount(call: Call) -> Any:
    b, x = call.body, call.ref("arr")
    dtype = call.node.outputs[0]._dtype
    if not call["rows"] or call.rank("arr") != 2:
        x = b.op("Reshape", x, b.ints([-1]))
    x = x if x.dtype in (dtypes.int32, dtypes.int64) else call.scope.cast(x, dtypes.int64)
    # the largest value, of no values too
    flat = b.op("ConcatV2", [b.op("Reshape", x, b.ints([-1])), call.static([-1], x.dtype)], b.ints(0))
    size = b.op("AddV2", b.op("Max", flat, b.ints([0])), call.static(1, x.dtype))
    for name, kind in (("minlength", "Maximum"), ("maxlength", "Minimum")):
        if call[name] is not None:
            size = b.op(kind, size, call.static(call[name], x.dtype))
    if call["weights"] is None:
        weights = b.constant(np.zeros(0, dtype.as_numpy_dtype), dtype)
    else:
        weights = call.ref("weights")
        if not call["rows"] or call.rank("arr") != 2:
            weights = b.op("Reshape", weights, b.ints([-1]))
    return call.op("DenseBincount", x, size, weights, binary_output=bool(call["binary_output"]))


@lowers("HistogramFixedWidthBins")
def bins(values: Any, value_range: Any, nbins: Any, dtype: Any) -> Any:
    kind = values.dtype if values.dtype.is_floating else tf.float64
    low, high = tf.cast(value_range[0], values.dtype), tf.cast(value_range[1], values.dtype)
    part = tf.cast(values - low, kind) / tf.cast(high - low, kind)
    return tf.cast(tf.clip_by_value(tf.floor(part * nbins), tf.cast(0, kind), tf.cast(nbins - 1, kind)), dtype)


# --- order -----------------------------------------------------------------------------------------------------------
def _by_rows(call: Call, kind: str) -> Any:
    """The places of values in rows that TensorFlow's op wants two-dimensional."""
    b = call.body
    out = call.node.outputs[0]._dtype
    rows, values = call.ref("sorted_sequence"), call.ref("values")

    def flat(x: Any) -> Any:
        size = b.op("StridedSlice", b.op("Shape", x, out_type=dtypes.int32), b.ints([-1]), b.ints([0]), b.ints([1]), end_mask=1)
        return b.op("Reshape", x, b.op("ConcatV2", [b.ints([-1]), size], b.ints(0)))

    if call.rank("values") == 2 and call.rank("sorted_sequence") == 2:
        return call.op(kind, rows, values, out_type=out)
    found = call.op(kind, flat(rows), flat(values), out_type=out)
    return b.op("Reshape", found, b.op("Shape", values, out_type=dtypes.int32))


@rule("LowerBound")
def _bound(call: Call) -> Any:
    return _by_rows(call, "UpperBound" if call["right"] else "LowerBound")


def _reversed(x: Any) -> Any:
    """Values whose order is the opposite one, without overflow."""
    return tf.bitwise.invert(x) if x.dtype.is_integer else -x


@lowers("Sort")
def sort(values: Any, axis: int, direction: str) -> Any:
    def last(x: Any) -> Any:
        if direction == "DESCENDING":
            return tf.math.top_k(x, _size(x, -1)).values
        return _reversed(tf.math.top_k(_reversed(x), _size(x, -1)).values)

    return _over(last, values, axis)


@lowers("ArgSort")
def argsort(values: Any, axis: int, direction: str, stable: bool) -> Any:
    return _over(lambda x: tf.math.top_k(x if direction == "DESCENDING" else _reversed(x), _size(x, -1)).indices, values, axis)


@rule("ApproxTopK")
def _approximate(call: Call) -> Any:
    return call.op(
        "ApproxTopK", call.ref("operand"), k=call["k"], reduction_dimension=call["reduction_dimension"], recall_target=call["recall_target"],
        is_max_k=call.node.op.fn.__name__ == "approx_max_k", reduction_input_size_override=call["reduction_input_size_override"],  # type: ignore[union-attr]
        aggregate_to_topk=call["aggregate_to_topk"],
    )  # fmt: skip


# --- joining, repeating, picking -------------------------------------------------------------------------------------
@rule("ConcatV2")
def _concat(call: Call) -> Any:
    values = [call.scope.ref(v) for v in call["values"]]
    return call.op("Identity", values[0]) if len(values) == 1 else call.op("ConcatV2", values, call.static(call["axis"]))


@lowers("RepeatEach")
def repeat_each(x: Any, times: Any, axis: Any) -> Any:
    if axis is None or x.shape.rank == 0:
        x, axis = tf.reshape(x, [-1]), 0
    times = tf.cast(tf.convert_to_tensor(times), tf.int64)
    length = _size(x, axis)
    if times.shape.rank == 0 or times.shape[0] == 1:
        times = tf.broadcast_to(tf.reshape(times, [1]), [length])
    ends = tf.cumsum(tf.maximum(times, tf.constant(0, tf.int64)))
    count = tf.reduce_max(tf.concat([ends, tf.constant([0], tf.int64)], 0))
    return tf.gather(x, tf.searchsorted(ends, tf.range(count), side="right"), axis=axis)


@lowers("Meshgrid")
def meshgrid(values: Any, indexing: str) -> Any:
    n = len(values)
    flat = [tf.reshape(v, [-1 if i == j else 1 for j in range(n)]) for i, v in enumerate(values)]
    sizes = [tf.size(v) for v in values]
    if indexing == "xy" and n > 1:
        flat = [tf.transpose(v, [1, 0, *range(2, n)]) for v in flat]
        sizes[0], sizes[1] = sizes[1], sizes[0]
    return [tf.broadcast_to(v, sizes) for v in flat]


@lowers("BooleanMask")
def boolean_mask(tensor: Any, mask: Any, axis: Any) -> Any:
    axis, rank = axis or 0, mask.shape.rank
    if rank is None or tensor.shape.rank is None:
        raise NotExportable("the rank of its mask is not known")
    axis %= tensor.shape.rank
    if rank != 1:
        sizes = tf.shape(tensor)
        tensor = tf.reshape(tensor, tf.concat([sizes[:axis], [-1], sizes[axis + rank :]], 0))
    return tf.gather(tensor, tf.reshape(tf.where(tf.reshape(mask, [-1])), [-1]), axis=axis)


@rule("BroadcastArgs")
def _broadcast_args(call: Call) -> Any:
    dtype = call.node.outputs[0]._dtype
    return call.op("BroadcastArgs", call.static(call["shape_x"], dtype), call.static(call["shape_y"], dtype))


@rule("GatherNd")
def _gather_nd(call: Call) -> Any:
    if not call["batch_dims"]:
        return call.op("GatherNd", call.ref("params"), call.ref("indices"))
    return call.scope.lowered(_gather_nd_of_batches, [call["params"], call["indices"], call["batch_dims"]])


def _gather_nd_of_batches(params: Any, indices: Any, count: int) -> Any:
    """Places along the batch dimensions are put in front of the indices."""
    sizes = tf.shape(indices)
    inner = indices.shape.rank - 1
    parts = []
    for a in range(count):
        at = tf.reshape(tf.range(sizes[a]), [-1 if i == a else 1 for i in range(inner)] + [1])
        parts.append(tf.cast(tf.broadcast_to(at, tf.concat([sizes[:-1], [1]], 0)), indices.dtype))
    return tf.gather_nd(params, tf.concat([*parts, indices], -1))


@rule("LinSpace")
def _linspace(call: Call) -> Any:
    dtype = call.node.outputs[0]._dtype
    if call["axis"] == 0 and call.dims("start") == () and call.dims("stop") == ():
        work = dtypes.float32 if dtype in (dtypes.float16, dtypes.bfloat16) else dtype
        ends = [call.scope.cast(call.ref(n), work) for n in ("start", "stop")]
        return call.scope.cast(call.op("LinSpace", *ends, call.static(call["num"])), dtype)
    return call.scope.lowered(_linspace_of_tensors, [call["start"], call["stop"], call["num"], call["axis"], dtype])


def _linspace_of_tensors(start: Any, stop: Any, num: Any, axis: int, dtype: Any) -> Any:
    start, stop = tf.cast(start, dtype), tf.cast(stop, dtype)
    axis = axis if axis >= 0 else axis + start.shape.rank + 1
    part = tf.linspace(tf.zeros([], dtype), tf.ones([], dtype), num)
    part = tf.reshape(part, [-1 if i == axis else 1 for i in range(start.shape.rank + 1)])
    first, last = tf.expand_dims(start, axis), tf.expand_dims(stop, axis)
    return tf.where(tf.equal(part, tf.ones([], dtype)), last, first + part * (last - first))


# --- neural networks -------------------------------------------------------------------------------------------------
@lowers("Crelu")
def crelu(features: Any, axis: int) -> Any:
    return tf.nn.relu(tf.concat([features, -features], axis))


@lowers("Moments")
def moments(x: Any, axes: Any, keepdims: bool) -> Any:
    over = None if axes is None else [axes] if isinstance(axes, int) else list(axes)
    wide = tf.cast(x, tf.float32) if x.dtype == tf.float16 else x
    mean = tf.reduce_mean(wide, over, keepdims=True)
    spread = tf.reduce_mean(tf.math.squared_difference(wide, mean), over, keepdims=True)
    if not keepdims:
        mean, spread = tf.squeeze(mean, over), tf.squeeze(spread, over)
    return tf.cast(mean, x.dtype), tf.cast(spread, x.dtype)


@lowers("SoftmaxCrossEntropyWithLogits")
def softmax_cross_entropy(labels: Any, logits: Any, axis: int) -> Any:
    return -tf.reduce_sum(labels * tf.nn.log_softmax(logits, axis), axis)


@rule("SparseSoftmaxCrossEntropyWithLogits")
def _sparse_cross_entropy(call: Call) -> Any:
    b, labels, logits = call.body, call.ref("labels"), call.ref("logits")
    size = b.op("StridedSlice", b.op("Shape", logits, out_type=dtypes.int32), b.ints([-1]), b.ints([0]), b.ints([1]), end_mask=1)
    rows = b.op("Reshape", logits, b.op("ConcatV2", [b.ints([-1]), size], b.ints(0)))
    loss, _ = call.op("SparseSoftmaxCrossEntropyWithLogits", rows, b.op("Reshape", labels, b.ints([-1])))
    return b.op("Reshape", loss, b.op("Shape", labels, out_type=dtypes.int32))


@rule("CTCLossDense")
def _ctc(call: Call) -> Any:
    blank = int(call["blank"])
    given = [call["labels"], call["logits"], call["label_length"], blank, call.dims("logits")]
    logits, places, values = call.scope.lowered(_blank_last, given)
    length = call.scope.cast(call.ref("logit_length"), dtypes.int32)
    return call.scope.cast(call.op("CTCLoss", logits, places, values, length, ignore_longer_outputs_than_inputs=True)[0], call.node.outputs[0]._dtype)


def _labels(labels: Any, lengths: Any) -> tuple[Any, Any]:
    there = tf.where(tf.sequence_mask(lengths, tf.shape(labels)[1]))
    return there, tf.cast(tf.gather_nd(labels, there), tf.int32)


def _blank_last(labels: Any, logits: Any, lengths: Any, blank: int, dims: Any) -> Any:
    """What TensorFlow's kernel takes: the class that is no label behind all others."""
    if dims is None or dims[-1] is None:
        raise NotExportable("the number of its classes is not known")
    if logits.dtype not in (tf.float32, tf.float64):
        logits = tf.cast(logits, tf.float32)
    blank %= dims[-1]
    places, values = _labels(labels, lengths)
    moved = tf.concat([logits[..., :blank], logits[..., blank + 1 :], logits[..., blank : blank + 1]], -1)
    return moved, places, tf.where(values > blank, values - 1, values)


@rule("CTCLoss")
def _ctc_kernel(call: Call) -> Any:
    places, values = call.scope.lowered(_labels, [call["labels"], call["label_length"]])
    inputs, kind = call.ref("inputs"), call.node.outputs[0]._dtype
    if kind not in (dtypes.float32, dtypes.float64):
        inputs = call.scope.cast(inputs, dtypes.float32)
    loss, _ = call.op(
        "CTCLoss", inputs, places, values, call.scope.cast(call.ref("sequence_length"), dtypes.int32),
        preprocess_collapse_repeated=bool(call["collapse"]), ctc_merge_repeated=bool(call["merge"]),
        ignore_longer_outputs_than_inputs=bool(call["ignore"]),
    )  # fmt: skip
    return call.scope.cast(loss, kind)


@lowers("WeightedCrossEntropyWithLogits")
def weighted_cross_entropy(labels: Any, logits: Any, pos_weight: Any) -> Any:
    weight = 1.0 + (pos_weight - 1.0) * labels
    return (1.0 - labels) * logits + weight * (tf.math.log1p(tf.exp(-tf.abs(logits))) + tf.nn.relu(-logits))


@lowers("LogPoissonLoss")
def log_poisson(targets: Any, log_input: Any, full: bool) -> Any:
    found = tf.exp(log_input) - log_input * targets
    if full:
        term = targets * tf.math.log(targets) - targets + 0.5 * tf.math.log(2.0 * math.pi * targets)
        found = found + tf.where((targets >= 0.0) & (targets <= 1.0), tf.zeros_like(targets), term)
    return found


@rule("MaxPoolWithArgmax")
def _with_argmax(call: Call) -> Any:
    return call.op(
        "MaxPoolWithArgmax", call.ref("input"), ksize=list(call["window"]), strides=list(call["strides"]), padding=call["padding"],
        Targmax=call.node.outputs[1]._dtype, include_batch_in_index=bool(call["include_batch_in_index"]),
    )  # fmt: skip


@rule("Dilation2D")
def _dilation(call: Call) -> Any:
    return call.op(
        "Dilation2D", call.ref("input"), call.ref("filters"), strides=[1, *call["strides"], 1], rates=[1, *call["rates"], 1], padding=call["padding"]
    )
