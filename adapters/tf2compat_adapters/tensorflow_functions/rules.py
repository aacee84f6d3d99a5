"""How ops are written whose arguments are not simply TensorFlow's inputs and attributes by other names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._engine import dtypes
from tf2compat._engine.tensor import Tensor
from tf2compat.nn._spatial import is_first, sequence
from tf2compat.ragged.crossing import _DEFAULT_KEY

from .backward import Backward, jacobian
from .body import NotExportable, Ref
from .export import RENAMED, RULES, Call

_REDUCED = {"input_tensor": "input", "axis": "reduction_indices", "keepdims": "keep_dims"}

RENAMED.update({
    **dict.fromkeys(("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"), {"ref": "resource"}),
    **dict.fromkeys(("ArgMax", "ArgMin"), {"axis": "dimension"}),
    "AvgPool3D": {"ksize": "ksize"}, "Bitcast": {"dtype": "type"}, "BroadcastArgs": {"shape_x": "s0", "shape_y": "s1"},
    "Conj": {"x": "input"}, "CropAndResize": {"image": "image", "box_indices": "box_ind"},
    "AdjustContrastv2": {"factor": "contrast_factor"}, "AdjustSaturation": {"factor": "scale"},
    "DecodeAndCropJpeg": {"image": "contents", "window": "crop_window"}, "ExpandDims": {"axis": "dim"},
    "NonMaxSuppressionWithOverlaps": {"count": "max_output_size", "limit": "overlap_threshold", "least": "score_threshold"},
    "ReduceJoin": {"axis": "reduction_indices", "keepdims": "keep_dims"},
    "ReverseSequence": {"seq_axis": "seq_dim", "batch_axis": "batch_dim"}, "SelectV2": {"x": "t", "y": "e"},
    "Slice": {"input_": "input"}, "Squeeze": {"axis": "squeeze_dims"}, "StringToHashBucket": {"input": "string_tensor"},
    "StringToNumber": {"input": "string_tensor"}, "Transpose": {"a": "x"}, "Where": {"condition": "input"},
    "SparseReorder": {"indices": "input_indices", "values": "input_values", "dense_shape": "input_shape"},
    "SparseReshape": {"indices": "input_indices", "dense_shape": "input_shape", "shape": "new_shape"},
    "SparseSoftmax": {"indices": "sp_indices", "values": "sp_values", "dense_shape": "sp_shape"},
    "SparseFillEmptyRows": {"default": "default_value"}, "UnicodeEncode": {"encoding": "output_encoding", "replacement": "replacement_char"},
    "SparseTensorDenseMatMul": {"indices": "a_indices", "values": "a_values", "dense_shape": "a_shape"},
    "StatelessMultinomial": {"dtype": "output_dtype"},
})  # fmt: skip


def rule(*names: str) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Declares how the ops of these names (or keys) are written."""

    def declare(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
        for name in names:
            RULES[name] = function
        return function

    return declare


# --- reductions, shapes, indices -------------------------------------------------------------------------------------
@rule("Sum", "Mean", "Prod", "Max", "Min", "Any", "All", "EuclideanNorm")
def _reduce(call: Call) -> Any:
    axis = call["axis"]
    if axis is None:
        dims = call.dims("input_tensor")
        if dims is None:
            x = call.ref("input_tensor")
            axes = call.body.op("Range", call.body.ints(0), call.body.op("Rank", x), call.body.ints(1))
        else:
            axes = call.body.ints(list(range(len(dims))))
    else:
        axes = call.static(axis)
    return call.op(call.node.op.name, call.ref("input_tensor"), axes, keep_dims=bool(call["keepdims"]))  # type: ignore[union-attr]


@rule("tf2compat._top.creation.zeros", "tf2compat._top.creation.ones")
def _filled(call: Call) -> Any:
    dtype = call.node.outputs[0]._dtype
    one = call.node.op.fn.__name__ == "ones"  # type: ignore[union-attr]
    if dtype is dtypes.string:
        value = call.body.constant(np.asarray(b"", object), dtype)
    else:
        value = call.body.constant(np.asarray(int(one)).astype(dtype.as_numpy_dtype), dtype)
    return call.op("Fill", call.static(call["shape"]), value)


@rule("tf2compat._top.creation.fill")
def _fill(call: Call) -> Any:
    return call.op("Fill", call.static(call["dims"]), call.ref("value"))


@rule("OnesLike", "ZerosLike")
def _like(call: Call) -> Any:
    dtype, x = call.node.outputs[0]._dtype, call.ref("input")
    if x.dtype in (dtypes.uint32, dtypes.uint64):  # TensorFlow's kernel leaves their memory as it was
        one = np.asarray(int(call.node.type == "OnesLike")).astype(dtype.as_numpy_dtype)
        return call.op("Fill", call.body.op("Shape", x, out_type=dtypes.int32), call.body.constant(one, dtype))
    return call.scope.cast(call.op(call.node.type, x), dtype)


@rule("Transpose")
def _transpose(call: Call) -> Any:
    perm = call["perm"]
    if perm is None:
        perm = list(range(call.rank("a")))[::-1]
    out = call.op("Transpose", call.ref("a"), call.static(perm))
    return call.body.op("Conj", out) if call.get("conjugate") and out.dtype.is_complex else out


@rule("GatherV2")
def _gather(call: Call) -> Any:
    params, indices, axis, batch = call.ref("params"), call.ref("indices"), call["axis"], call["batch_dims"] or 0
    if batch < 0:
        batch += call.rank("indices")
    return call.op("GatherV2", params, indices, call.static(batch if axis is None else axis), batch_dims=batch)


@rule("tf2compat._top.indexing.strided")
def _strided(call: Call) -> Any:
    begin: list[Any] = []
    end: list[Any] = []
    strides: list[Any] = []
    masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
    for i, item in enumerate(call["index"]):
        bit = 1 << i
        first, last, step = 0, 0, 1
        if item is None:
            masks["new_axis_mask"] |= bit
        elif item is Ellipsis:
            masks["ellipsis_mask"] |= bit
        elif isinstance(item, slice):
            step = 1 if item.step is None else item.step
            if item.start is None:
                masks["begin_mask"] |= bit
            else:
                first = item.start
            if item.stop is None:
                masks["end_mask"] |= bit
            else:
                last = item.stop
        else:
            masks["shrink_axis_mask"] |= bit
            first = item
            if isinstance(item, int):
                last = item + 1
            else:
                last = 0
        begin.append(first)
        end.append(last)
        strides.append(step)
    if any(isinstance(item, Tensor) for item in call["index"]):  # the end of an entry that is dropped does not count, but -1 needs one
        end = [b if masks["shrink_axis_mask"] >> i & 1 and isinstance(b, Tensor) else e for i, (b, e) in enumerate(zip(begin, end, strict=True))]
    return call.op("StridedSlice", call.ref("input"), call.static(begin), call.static(end), call.static(strides), **masks)


@rule("tf2compat._top.indexing._strided_slice")
def _strided_slice(call: Call) -> Any:
    names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    masks = dict(zip(names, call["masks"], strict=True))
    return call.op("StridedSlice", call.ref("input_"), call.static(call["begin"]), call.static(call["end"]), call.static(call["strides"]), **masks)


@rule("SplitV")
def _split(call: Call) -> Any:
    parts = call["num_or_size_splits"]
    if type(parts) is int:
        return call.op("Split", call.static(call["axis"]), call.ref("value"), num_split=parts)
    return call.op("SplitV", call.ref("value"), call.static(parts), call.static(call["axis"]), num_split=len(call.node.outputs))


@rule("PadV2")
def _pad(call: Call) -> Any:
    rows = call.static(call["rows"] if "rows" in call.args else call["paddings"])
    if call["constant_values"] is None:
        return call.op("Pad", call.ref("tensor"), rows)
    return call.op("PadV2", call.ref("tensor"), rows, call.ref("constant_values"))


@rule("MirrorPad")
def _mirror_pad(call: Call) -> Any:
    return call.op("MirrorPad", call.ref("tensor"), call.static(call["paddings"]), mode="REFLECT" if call["reflect"] else "SYMMETRIC")


@rule("OneHot")
def _one_hot(call: Call) -> Any:
    dtype = call.node.outputs[0]._dtype

    def value(name: str, default: int) -> Ref:
        if call[name] is not None:
            return call.ref(name)
        return call.body.constant(np.asarray(default).astype(dtype.as_numpy_dtype), dtype)

    return call.op("OneHot", call.ref("indices"), call.static(call["depth"]), value("on_value", 1), value("off_value", 0), axis=call["axis"])


@rule("StopGradient")
def _stop(call: Call) -> Any:
    return call.op("StopGradient", call.ref(call.node.op.params[0]))  # type: ignore[union-attr]


@rule("SizeOf")
def _size_of(call: Call) -> Any:
    raise NotExportable("it is part of a compiled region")


@rule("Watch")
def _watch(call: Call) -> Any:
    return [call.op("Identity", call.scope.ref(t)) for t in call["tensors"]]


@rule("SymbolicGradient")
def _gradient(call: Call) -> Any:
    tensors, n_targets, n_sources = call["tensors"], call["n_targets"], call["n_sources"]
    refs = [call.body.value(call.scope.ref(t)) for t in tensors]
    targets, sources, given = refs[:n_targets], refs[n_targets : n_targets + n_sources], iter(refs[n_targets + n_sources :])
    pairs = []
    for target, weighted in zip(targets, call["weighted"], strict=True):
        start = next(given) if weighted else call.body.op("OnesLike", target)
        if weighted and (None in (dims := call.body.dims.get(start.text) or (None,)) or dims != call.body.dims.get(target.text)):
            start = call.body.op("BroadcastTo", start, call.body.op("Shape", target, out_type=dtypes.int32))
        pairs.append((target, start))
    found = Backward(call.scope.exporter, call.body, call.body, lambda ref: ref).run(pairs, sources)
    out = []
    for place, value, source in zip(call.node.structure, found, sources, strict=True):
        if place is not None:
            out.append(call.body.op("ZerosLike", source) if value is None else value)
    return out


@rule("Jacobian")
def _jacobian(call: Call) -> Any:
    refs = [call.body.value(call.scope.ref(t)) for t in call["tensors"]]
    found = jacobian(call.scope.exporter, call.body, refs[0], refs[1:], bool(call["batched"]))
    return [f for place, f in zip(call.node.structure, found, strict=True) if place is not None]


@rule("Jvp")
def _jvp(call: Call) -> Any:
    """The tangent of a target is the derivative of the vector-Jacobian product by the vector."""
    n, m = call["n_targets"], call["n_sources"]
    refs = [call.body.value(call.scope.ref(t)) for t in call["tensors"]]
    sources, tangents = refs[n : n + m], refs[n + m :]
    b, exporter, before, out = call.body, call.scope.exporter, call.body.recording, []
    b.recording = True
    for place, target in zip(call.node.structure, refs[:n], strict=True):
        if place is None:
            continue
        vector = b.op("Identity", b.op("ZerosLike", target))
        products = Backward(exporter, b, b, lambda ref: ref).run([(target, vector)], sources)
        pairs = [(b.value(p), t) for p, t in zip(products, tangents, strict=True) if p is not None]
        (found,) = Backward(exporter, b, b, lambda ref: ref).run(pairs, [vector])
        out.append(b.op("ZerosLike", target) if found is None else found)
    b.recording = before
    return out


@rule("ReadLater")
def _later(call: Call) -> Any:
    out = call.op("IdentityN", [call.ref("value"), call.ref("leaf")])[0]
    call.body.gradients[out.text.split(":")[0]] = lambda local, dy, *rest: [None, dy]
    return out


# --- products --------------------------------------------------------------------------------------------------------
# --- convolutions and pooling ----------------------------------------------------------------------------------------
def layout(n: int, first: bool) -> str:
    """TensorFlow's name of a layout."""
    return {1: ("NHWC", "NCHW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}[n][first]


def outer(values: Any, first: bool) -> list[int]:
    """Spatial entries with ones for batch and channels."""
    return [1, 1, *values] if first else [1, *values, 1]


def _pads(padding: Any, first: bool) -> dict[str, Any]:
    if isinstance(padding, str):
        return {"padding": padding.upper()}
    return {"padding": "EXPLICIT", "explicit_paddings": [int(v) for pair in padding for v in pair]}


@rule("Conv2D", "Conv3D")
def _conv(call: Call) -> Any:
    n = 2 if call.node.type == "Conv2D" else 3
    first = is_first(call["data_format"], n, call.node.type)
    channel = 1 if first else n + 1
    return call.op(
        call.node.type, call.ref("input"), call.ref("filters"), strides=list(sequence(call["strides"], n, channel, "strides")),
        dilations=list(sequence(call["dilations"], n, channel, "dilations")), data_format=layout(n, first), **_pads(call["padding"], first),
    )  # fmt: skip


@rule("MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D")
def _pool(call: Call) -> Any:
    n = 3 if call.node.type.endswith("3D") else 2
    first = is_first(call["data_format"], n, call.node.type)
    channel = 1 if first else n + 1
    return call.op(
        call.node.type, call.ref("input"), ksize=list(sequence(call["ksize"], n, channel, "ksize")),
        strides=list(sequence(call["strides"], n, channel, "strides")), data_format=layout(n, first), **_pads(call["padding"], first),
    )  # fmt: skip


def _transposed_1d(x: Any, filters: Any, shape: Any, strides: Any, padding: Any, rates: Any, first: bool) -> Any:
    """With one row."""
    if first or not isinstance(padding, str):
        raise NotExportable("its channels come first, or its padding is explicit")
    stride, rate = (int(v[len(v) // 2]) for v in (strides, rates))
    wide = tf.nn.conv2d_transpose(
        tf.expand_dims(x, 1), tf.expand_dims(filters, 0), [shape[0], 1, *shape[1:]], [1, 1, stride, 1], padding.upper(), dilations=[1, 1, rate, 1]
    )
    return tf.squeeze(wide, [1])


@rule("tf2compat.nn.transposed._transpose")
def _transposed(call: Call) -> Any:
    n, first = call["n"], call["first"]
    if n == 1:
        return call.scope.lowered(_transposed_1d, [call[p] for p in ("input", "filters", "output_shape", "strides", "padding", "dilations", "first")])
    name = "Conv2DBackpropInput" if n == 2 else "Conv3DBackpropInputV2"
    strides, rates = call["strides"], call["dilations"]
    if len(strides) == n:
        strides, rates = outer(strides, first), outer(rates, first)
    return call.op(
        name, call.static(call["output_shape"]), call.ref("filters"), call.ref("input"), strides=list(strides), dilations=list(rates),
        data_format=layout(n, first), **_pads(call["padding"], first),
    )  # fmt: skip


@rule("DepthwiseConv2dNative")
def _depthwise(call: Call) -> Any:
    names = call.args
    first = is_first(names.get("data_format") or "NHWC", 2, "DepthwiseConv2dNative")
    channel = 1 if first else 3
    return call.op(
        "DepthwiseConv2dNative", call.ref("input"), call.ref("filter"), strides=list(sequence(names["strides"], 2, channel, "strides")),
        dilations=list(sequence(names.get("dilations"), 2, channel, "dilations")), data_format=layout(2, first), **_pads(names["padding"], first),
    )  # fmt: skip


# --- arrays of tensors -----------------------------------------------------------------------------------------------
def _element_shape(call: Call, dims: Any) -> Ref:
    if dims is None:
        return call.body.ints(-1)
    return call.body.ints([-1 if d is None else d for d in dims])


@rule("TensorListReserve")
def _reserve(call: Call) -> Any:
    return call.op("TensorListReserve", call.body.ints(-1), call.static(call["size"]), element_dtype=call["dtype"])


@rule("TensorListSetItem")
def _set_item(call: Call) -> Any:
    return call.op(
        "TensorListSetItem", call.ref("array"), call.static(call["index"]), call.ref("value"), resize_if_index_out_of_bounds=True
    )


@rule("TensorListGetItem")
def _get_item(call: Call) -> Any:
    shape = _element_shape(call, call["dims"])
    return call.op("TensorListGetItem", call.ref("array"), call.static(call["index"]), shape, element_dtype=call["dtype"])


@rule("TensorListStack")
def _stack(call: Call) -> Any:
    size = call["size"]
    return call.op(
        "TensorListStack", call.ref("array"), _element_shape(call, call["dims"]), element_dtype=call["dtype"],
        num_elements=size if isinstance(size, int) else -1,
    )  # fmt: skip


@rule("TensorListGather")
def _list_gather(call: Call) -> Any:
    indices = call.scope.cast(call.ref("indices"), dtypes.int32)
    return call.op("TensorListGather", call.ref("array"), indices, _element_shape(call, call["dims"]), element_dtype=call["dtype"])


@rule("TensorListLength")
def _list_length(call: Call) -> Any:
    return call.op("TensorListLength", call.ref("array"))


@rule("TensorListFromTensor")
def _from_tensor(call: Call) -> Any:
    return call.op("TensorListFromTensor", call.ref("value"), call.body.ints(-1))


@rule("TensorListScatterIntoExistingList")
def _list_scatter(call: Call) -> Any:
    indices = call.scope.cast(call.ref("indices"), dtypes.int32)
    return call.op("TensorListScatterIntoExistingList", call.ref("array"), call.ref("value"), indices)


# --- random numbers --------------------------------------------------------------------------------------------------
def _seeds(call: Call) -> dict[str, int]:
    seeds = getattr(call.get("stream"), "seeds", None) or (0, 0)
    return {"seed": int(seeds[0]), "seed2": int(seeds[1])}


@rule("RandomStandardNormal", "RandomUniform", "TruncatedNormal")
def _random(call: Call) -> Any:
    return call.op(call.node.type, call.static(call["shape"]), dtype=call.node.outputs[0]._dtype, _effect=True, **_seeds(call))


@rule("RandomUniformInt")
def _random_int(call: Call) -> Any:
    return call.op("RandomUniformInt", call.static(call["shape"]), call.ref("minval"), call.ref("maxval"), _effect=True, **_seeds(call))


@rule("RandomShuffle")
def _shuffle(call: Call) -> Any:
    return call.op("RandomShuffle", call.ref("value"), _effect=True, **_seeds(call))


@rule("Multinomial")
def _categorical(call: Call) -> Any:
    return call.op(
        "Multinomial", call.ref("logits"), call.static(call["num_samples"]), output_dtype=call.node.outputs[0]._dtype, _effect=True,
        **_seeds(call),
    )  # fmt: skip


def _key_counter(call: Call) -> list[Ref]:
    b, seed = call.body, call.ref("seed")
    if call.dims("seed") != (3,):
        return b.op("StatelessRandomGetKeyCounter", seed)
    parts = [b.op("StridedSlice", seed, b.ints([first]), b.ints([end]), b.ints([1])) for first, end in ((2, 3), (0, 2))]  # a generator's state
    return [b.op("Bitcast", part, type=dtypes.uint64) for part in parts]


@rule("RngReadAndSkip")
def _skip(call: Call) -> Any:
    resource, count = call.scope.resource(call["state"]), call.static(call["count"], dtypes.uint64)
    return call.op("RngReadAndSkip", resource, call.body.ints(1), count, _writes=[resource])  # Philox


@rule("StatelessRandomUniformV2", "StatelessRandomNormalV2", "StatelessTruncatedNormalV2", "StatelessRandomUniformFullIntV2")
def _stateless(call: Call) -> Any:
    key, counter = _key_counter(call)
    return call.op(
        call.node.type, call.static(call["shape"]), key, counter, call.body.ints(1), dtype=call.node.outputs[0]._dtype
    )


@rule("StatelessRandomUniformIntV2")
def _stateless_int(call: Call) -> Any:
    key, counter = _key_counter(call)
    return call.op(call.node.type, call.static(call["shape"]), key, counter, call.body.ints(1), call.ref("minval"), call.ref("maxval"))


@rule("SparseCrossHashed")
def _cross_single(call: Call) -> Any:
    if call["skipped"]:
        raise NotExportable("it leaves out values of some columns")
    values = [call.scope.ref(v) for v in call["values"]]
    columns = [call.body.op("Reshape", v, call.body.ints([-1, 1])) for v in values]
    _, found, _ = call.op(
        "SparseCross", [], [], [], columns, hashed_output=True, num_buckets=call["buckets"], hash_key=_DEFAULT_KEY if call["key"] is None else int(call["key"]),
        out_type=dtypes.int64, internal_type=dtypes.string if all(v.dtype is dtypes.string for v in values) else dtypes.int64,
    )  # fmt: skip
    return call.body.op("Reshape", found, call.body.op("Shape", values[0], out_type=dtypes.int32))


@rule("RaggedCross")
def _ragged_cross(call: Call) -> Any:
    if call["separator"] != "_X_":
        raise NotExportable(f"its separator is {call['separator']!r}")
    values = [call.body.op("Reshape", call.scope.ref(v), call.body.ints([-1])) for v in call["values"]]
    return call.op(
        "RaggedCross", values, [call.scope.ref(s) for s in call["splits"]], [], [], [], [], input_order="R" * len(values),
        hashed_output=bool(call["hashed"]), num_buckets=call["buckets"], hash_key=call["key"], out_values_type=call.node.outputs[0]._dtype,
        out_row_splits_type=dtypes.int64,
    )  # fmt: skip


# --- effects ---------------------------------------------------------------------------------------------------------
@rule("Assert")
def _assert(call: Call) -> Any:
    summarize = call["summarize"]
    call.op("Assert", call.ref("condition"), [call.scope.ref(d) for d in call["data"]], summarize=3 if summarize is None else summarize, _effect=True)


@rule("AssertBinary", "AssertRank")
def _checked(call: Call) -> Any:
    """Checks of arguments are left out: they change no result."""


@rule("PrintV2")
def _print(call: Call) -> Any:
    stream = call["stream"]
    if not isinstance(stream, str):
        stream = "stdout" if getattr(stream, "name", "") == "<stdout>" else "stderr"
    parts = call["template"].split("\0")
    order = [int(p) for p in parts[1::2]]
    template = "".join("{}" if i % 2 else p for i, p in enumerate(parts))
    tensors = [call.scope.ref(call["tensors"][i]) for i in order]
    text = call.body.op("StringFormat", tensors, template=template, placeholder="{}", summarize=call["summarize"])
    call.op("PrintV2", text, output_stream=stream, end=call["end"], _effect=True)


# --- variables -------------------------------------------------------------------------------------------------------
_SCATTERS = {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "min": "Min", "max": "Max", "update": "Update"}


@rule("ResourceScatter", "ResourceScatterNd")
def _scatter(call: Call) -> Any:
    how = _SCATTERS.get(str(call["how"]))
    if how is None:
        raise NotExportable(f"it scatters by {call['how']}")
    resource = call.scope.resource(call["ref"])
    call.op(call.node.type + how, resource, call.ref("indices"), call.ref("updates"), _writes=[resource])


@rule("BatchNormUpdate")
def _moving(call: Call) -> Any:
    b = call.body
    for variable, value in (("mean", "new_mean"), ("variance", "new_variance")):
        resource = call.scope.resource(call[variable])
        dtype = call[variable].dtype
        now = b.op("ReadVariableOp", resource, dtype=dtype, _reads=[resource])
        by = b.op("Mul", b.op("Sub", now, call.scope.cast(call.ref(value), dtype)), b.constant(np.asarray(call["rate"], dtype.as_numpy_dtype), dtype))
        b.op("AssignSubVariableOp", resource, by, dtype=dtype, _writes=[resource])


# --- softmax, normalisation ---------------------------------------------------------------------------------------------------
@rule("Softmax", "LogSoftmax")
def _softmax(call: Call) -> Any:
    from . import lowering

    rank = call.rank("logits")
    if (-1 if call["axis"] is None else call["axis"]) % rank == rank - 1:
        return call.op(call.node.type, call.ref("logits"))
    return call.scope.lowered(lowering.softmax if call.node.type == "Softmax" else lowering.log_softmax, list(call.node.args))


@rule("BatchNormInference")
def _batch_norm(call: Call) -> Any:
    from .lowering import batch_norm_inference

    x, axes = call["x"], call["axes"]
    rank, size = call.rank("x"), call.dims("mean")[0]
    dtype = call.ref("x").dtype
    gamma, beta = call["gamma"], call["beta"]
    if rank != 4 or tuple(axes) != (3,) or call.ref("mean").dtype is not dtypes.float32 or dtype is dtypes.float64 or not size:
        return call.scope.lowered(batch_norm_inference, list(call.node.args))
    one, zero = np.ones(size, np.float32), np.zeros(size, np.float32)
    scale = call.body.constant(one) if gamma is None else call.ref("gamma")
    offset = call.body.constant(zero) if beta is None else call.ref("beta")
    found = call.op(
        "FusedBatchNormV3", call.scope.ref(x), scale, offset, call.ref("mean"), call.ref("variance"), epsilon=call["eps"], is_training=False
    )
    return found[0]


# --- images ----------------------------------------------------------------------------------------------------------
RESIZED = {"bilinear": "ResizeBilinear", "nearest": "ResizeNearestNeighbor", "nearest-exact": "ResizeNearestNeighbor", "bicubic": "ResizeBicubic"}


def _resize(call: Call, image: Ref, size: Ref, method: str) -> Any:
    kind = RESIZED.get(method)
    if kind is None:
        raise NotExportable(f"it resizes by {method}")
    return call.scope.cast(call.op(kind, image, size, half_pixel_centers=True), call.node.outputs[0]._dtype)


@rule("KerasResize")
def _keras_resize(call: Call) -> Any:
    if call.rank("x") != 4:
        raise NotExportable("it has no batch")
    return _resize(call, call.ref("x"), call.static(call["size"]), call["mode"])


@rule("UpSamplingBilinear")
def _up_sampling(call: Call) -> Any:
    if call["first"]:
        raise NotExportable("channels come first")
    b, x = call.body, call.ref("x")
    shape = b.op("StridedSlice", b.op("Shape", x, out_type=dtypes.int32), b.ints([1]), b.ints([3]), b.ints([1]))
    return _resize(call, x, b.op("Mul", shape, b.ints([int(s) for s in call["size"]])), call["mode"])


# --- words and numbers -----------------------------------------------------------------------------------------------
def _table(call: Call, keys: np.ndarray, key_dtype: Any, values: np.ndarray, value_dtype: Any) -> Ref:
    """A hash table with constant contents; filling it again with the same is nothing."""
    from hashlib import sha256

    b = call.body
    text = repr((keys.tolist(), values.tolist())).encode()
    name = f"table_{sha256(text).hexdigest()[:32]}"
    known = b.tables.get(name)
    if known is None:
        known = b.tables[name] = b.op("HashTableV2", shared_name=name, key_dtype=key_dtype, value_dtype=value_dtype)
        b.op("InitializeTableV2", known, b.constant(keys, key_dtype), b.constant(values, value_dtype), _writes=[known])
    return known


def _found(call: Call, keys: Ref, index: dict[Any, Any], default: Ref, value_dtype: Any) -> Ref:
    entries = list(index.items())
    if not entries:
        raise NotExportable("its table is empty")
    if keys.dtype is dtypes.string:
        names = np.array([k if isinstance(k, bytes) else str(k).encode() for k, _ in entries], object)
    else:
        names = np.array([k for k, _ in entries], keys.dtype.as_numpy_dtype)
    if value_dtype is dtypes.string:
        values = np.array([v if isinstance(v, bytes) else str(v).encode() for _, v in entries], object)
    else:
        values = np.array([v for _, v in entries], value_dtype.as_numpy_dtype)
    table = _table(call, names, keys.dtype, values, value_dtype)
    return call.op("LookupTableFindV2", table, keys, default, _reads=[table])


def _int(call: Call, value: int) -> Ref:
    return call.body.constant(np.asarray(value, np.int64), dtypes.int64)


@rule("LookupTableFindV2")
def _find(call: Call) -> Any:
    table = call["table"]
    if type(table).__name__ != "StaticHashTable":
        raise NotExportable("its table changes")
    return _found(call, call.ref("keys"), table._items, call.ref("default"), table.value_dtype)


@rule("VocabularyBuckets")
def _vocabulary(call: Call) -> Any:
    table, b, keys = call["table"], call.body, call.ref("keys")
    words = keys if keys.dtype is dtypes.string else b.op("AsString", keys)
    bucket = b.op("AddV2", b.op("StringToHashBucketFast", words, num_buckets=table._extra), _int(call, len(table._items)))
    found = _found(call, keys, table._items, _int(call, -1), dtypes.int64)
    return b.op("SelectV2", b.op("Less", found, _int(call, 0)), bucket, found)


@rule("KerasLookup")
def _keras_lookup(call: Call) -> Any:
    b, x = call.body, call.ref("x")
    keys = x if x.dtype is dtypes.string else call.scope.cast(x, dtypes.int64)
    found = _found(call, keys, call["table"].needed(), _int(call, -1), dtypes.int64)
    start, buckets = _int(call, call["oov_start"]), call["oov"]
    if buckets == 1:
        found = b.op("SelectV2", b.op("Less", found, _int(call, 0)), start, found)
    elif buckets > 1:
        if keys.dtype is dtypes.string:
            bucket = b.op("StringToHashBucketFast", keys, num_buckets=buckets)
        else:
            bucket = b.op("FloorMod", keys, _int(call, buckets))
        found = b.op("SelectV2", b.op("Less", found, _int(call, 0)), b.op("AddV2", bucket, start), found)
    if call["mask"] is not None:
        mask = call["mask"]
        same = b.op("Equal", keys, b.constant(np.asarray(mask, object if keys.dtype is dtypes.string else np.int64), keys.dtype))
        found = b.op("SelectV2", same, _int(call, call["mask_place"]), found)
    return found


@rule("KerasInverseLookup")
def _inverse_lookup(call: Call) -> Any:
    kind = call.node.outputs[0]._dtype
    if kind is not dtypes.string:
        raise NotExportable("its tokens are numbers")
    index = {i: t for i, t in enumerate(call["tokens"]) if t is not None}
    default = call.body.constant(np.asarray(call["unknown"], object), dtypes.string)
    return _found(call, call.scope.cast(call.ref("x"), dtypes.int64), index, default, kind)


@rule("TextNumbers")
def _text_numbers(call: Call) -> Any:
    b, x = call.body, call.ref("x")
    found = _found(call, x, call["table"].needed(), _int(call, call["oov_start"]), dtypes.int64)
    blank = b.op("Equal", x, b.constant(np.asarray(b"", object), dtypes.string))
    return b.op("SelectV2", blank, _int(call, 0 if call["padded"] else -1), found)


_PUNCTUATION = r"[!\"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']"


def _standardized(call: Call, x: Ref, how: Any) -> Ref:
    if how not in (None, "lower_and_strip_punctuation", "lower", "strip_punctuation"):
        raise NotExportable("it calls a function of the program's own")
    if how in ("lower", "lower_and_strip_punctuation"):
        x = call.body.op("StringLower", x)
    if how in ("strip_punctuation", "lower_and_strip_punctuation"):
        empty = call.body.constant(np.asarray(b"", object), dtypes.string)
        x = call.body.op("RegexReplace", x, call.body.constant(np.asarray(_PUNCTUATION.encode(), object), dtypes.string), empty)
    return x


@rule("StandardizeText")
def _standardize(call: Call) -> Any:
    return _standardized(call, call.ref("x"), call["how"])


@rule("TextTokens")
def _tokens(call: Call) -> Any:
    if call["split"] != "whitespace" or call["ngrams"]:
        raise NotExportable("it splits into other parts than words")
    b = call.body
    flat = b.op("Reshape", _standardized(call, call.ref("x"), call["how"]), b.ints([-1]))
    empty = b.constant(np.asarray(b"", object), dtypes.string)
    indices, values, shape = b.op("StringSplitV2", flat, empty)
    return b.op("SparseToDense", indices, shape, values, empty)


@rule("UnicodeDecodeWithOffsets")
def _unicode(call: Call) -> Any:
    b, how = call.body, {"errors": call["errors"], "replacement_char": call["replacement"]}
    splits, chars, starts = call.op(
        "UnicodeDecodeWithOffsets", call.ref("input"), input_encoding=call["encoding"], replace_control_characters=call["control"], Tsplits=dtypes.int64, **how
    )
    if call["split"]:
        ends = b.op("Range", b.ints(0), b.op("AddV2", b.op("Size", chars), b.ints(1)), b.ints(1))
        chars = b.op("UnicodeEncode", chars, call.scope.cast(ends, dtypes.int64), output_encoding=call["encoding"], **how)
    return [chars, starts, splits]


@rule("RaggedToDense")
def _dense_rows(call: Call) -> Any:
    dims = [call["rows"], call["width"], *[None] * (call.rank("flat") - 1)]
    shape = call.static([-1 if d is None else d for d in dims], dtypes.int64)
    return call.op(
        "RaggedTensorToTensor", shape, call.ref("flat"), call.ref("fill"), [call.ref("splits")], row_partition_types=["ROW_SPLITS"]
    )


@rule("RaggedRange")
def _ragged_range(call: Call) -> Any:
    splits, values = call.op("RaggedRange", *(call.ref(name) for name in ("starts", "limits", "deltas")), Tsplits=dtypes.int64)
    return [values, splits]


@rule("RaggedSplitsOfLengths")
def _splits_of_lengths(call: Call) -> Any:
    dtype = call.node.outputs[0]._dtype
    ends = call.body.op("Cumsum", call.ref("lengths"), call.body.ints(0))
    return call.op("ConcatV2", [call.static([0], dtype), ends], call.body.ints(0))


@rule("RaggedRowidsOfSplits")
def _rowids_of_splits(call: Call) -> Any:
    b, splits = call.body, call.ref("splits")
    dtype = call.node.outputs[0]._dtype
    begins, ends, step = b.ints([1]), b.ints([0]), b.ints([1])
    last = b.op("StridedSlice", splits, b.ints([-1]), b.ints([0]), step, shrink_axis_mask=1, end_mask=1)
    places = b.op("Range", call.static(0, dtype), last, call.static(1, dtype))
    rest = b.op("StridedSlice", splits, begins, ends, step, end_mask=1)
    first = b.ints(0)
    found = b.op("UpperBound", b.op("ExpandDims", rest, first), b.op("ExpandDims", places, first), out_type=dtype)
    return call.op("Squeeze", found, squeeze_dims=[0])


@rule("StringSplitV2")
def _string_split(call: Call) -> Any:
    b, first, step = call.body, call.body.ints(0), call.body.ints([1])
    flat = b.op("Reshape", call.ref("input"), b.ints([-1]))
    indices, values, shape = call.op("StringSplitV2", flat, call.ref("sep"), maxsplit=call["maxsplit"])
    rows = b.op("StridedSlice", indices, b.ints([0, 0]), b.ints([0, 1]), b.ints([1, 1]), begin_mask=1, end_mask=1, shrink_axis_mask=2)
    count = b.op("StridedSlice", shape, b.ints([0]), step, step, shrink_axis_mask=1)
    places = b.op("Range", call.static(0, dtypes.int64), b.op("AddV2", count, call.static(1, dtypes.int64)), call.static(1, dtypes.int64))
    splits = b.op("LowerBound", b.op("ExpandDims", rows, first), b.op("ExpandDims", places, first), out_type=dtypes.int64)
    return [values, b.op("Squeeze", splits, squeeze_dims=[0])]


@rule("Bucketize")
def _bucketize(call: Call) -> Any:
    out = call.op("Bucketize", call.ref("x"), boundaries=[float(v) for v in call["boundaries"]])
    return call.scope.cast(out, call.node.outputs[0]._dtype)


@rule("CheckCategories")
def _categories(call: Call) -> Any:
    return call.ref("x")
