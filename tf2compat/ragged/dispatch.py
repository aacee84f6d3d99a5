"""How ops treat ragged tensors: element by element, along an axis, or not at all."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.op import Op
from .._engine.tensor import Tensor
from .ragged_tensor import RaggedTensor

#: ops of one tensor whose result has its shape
_UNARY = frozenset((
    "Abs", "Acos", "Acosh", "Angle", "AsString", "Asin", "Asinh", "Atan", "Atanh", "Cast", "Ceil", "CheckNumerics", "ClipByValue", "Conj",
    "Cos", "Cosh", "Digamma", "Elu", "Erf", "Erfc", "Exp", "Expm1", "Floor", "Gelu", "Identity", "Imag", "Invert", "IsFinite", "IsInf",
    "IsNan", "LeakyRelu", "Lgamma", "Log", "Log1p", "LogicalNot", "Neg", "OneHot", "OnesLike", "Real", "Reciprocal", "RegexFullMatch",
    "RegexReplace", "Relu", "Relu6", "Rint", "Round", "Rsqrt", "Selu", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt",
    "Square", "StopGradient", "StringLength", "StringLower", "StringStrip", "StringToHashBucket", "StringToHashBucketFast",
    "StringToHashBucketStrong", "StringToNumber", "StringUpper", "Substr", "Tan", "Tanh", "UnicodeScript", "UnicodeTranscode", "ZerosLike",
    "Swish", "Bitcast", "Erfinv", "Ndtri", "LogSigmoid", "StringBytesSplit",
))  # fmt: skip
_REDUCTIONS = {"Sum": "sum", "Mean": "mean", "Max": "max", "Min": "min", "Prod": "prod", "Any": "any", "All": "all"}


def perform(op: Op, args: tuple[Any, ...]) -> Any:
    """The op on ragged arguments; NotImplemented (a TypeError from the op) where it has no ragged form."""
    if op.name in _REDUCTIONS:
        return _reduce(op, args)
    special = _SPECIAL.get(op.name)
    if special is not None:
        return special(op, args)
    if op.elementwise or op.name in _UNARY or op.name in ("Maximum", "Minimum", "SquaredDifference", "Pow", "StringJoin", "SelectV2"):
        return elementwise(op.public, op, args)
    raise TypeError(
        f"{op.name} of tf2compat does not take ragged tensors; convert with to_tensor(), or apply it with tf.ragged.map_flat_values"
    )


def elementwise(fn: Any, op: Op | None, args: tuple[Any, ...]) -> Any:
    """`fn` on the flat values, after broadcasting the arguments to one structure."""
    values = list(args)
    tensors = range(len(values)) if op is None else [i for i, k in enumerate(op.kinds) if k is not None and k.what in ("tensor", "tensors")]
    found: list[tuple[int, int | None, Any]] = []
    for i in tensors:
        if isinstance(values[i], (list, tuple)) and any(isinstance(v, RaggedTensor) for v in values[i]):
            values[i] = list(values[i])
            found.extend((i, j, v) for j, v in enumerate(values[i]))
        elif values[i] is not None:
            found.append((i, None, values[i]))
    ragged = [v for _, _, v in found if isinstance(v, RaggedTensor)]
    like = max(ragged, key=lambda r: r.ragged_rank)
    for i, j, v in found:
        flat = _aligned(v, like)
        if j is None:
            values[i] = flat
        else:
            values[i][j] = flat
    return like.with_flat_values(fn(*values))


def _aligned(value: Any, like: RaggedTensor) -> Any:
    """The flat values of an operand, laid out as those of `like`."""
    if isinstance(value, RaggedTensor):
        if value.ragged_rank == like.ragged_rank:
            _same_splits(value, like)
            return value.flat_values
        raise ValueError(
            f"Unable to broadcast ragged shapes {value.shape} and {like.shape}: operands must have the same ragged rank, or be dense"
        )
    if isinstance(value, (int, float, str, bytes, bool, complex)):
        return value
    t = value if isinstance(value, Tensor) else convert_to_tensor(value, dtype_hint=like.dtype)
    rank = t.shape.rank
    inner = like.flat_values.shape.rank - 1
    if rank is not None and rank <= inner or rank == 0:
        return t
    outer = rank - inner  # dimensions of `t` that lie on ragged ones
    level: Any = like
    if outer > like.ragged_rank + 1:
        raise ValueError(f"Unable to broadcast: dimension size mismatch between {t.shape} and the ragged shape {like.shape}")
    skip = like.ragged_rank + 1 - outer
    for _ in range(skip):
        level = level.values
    out: Any = t
    while isinstance(level, RaggedTensor):
        dims = out.shape.as_list()
        if dims[0] == 1:
            out = tf.repeat(out, tf.cast(level.nrows(), dtypes.int32), axis=0)
        rowids = level.value_rowids()
        if len(dims) > 1 and dims[1] == 1:
            out = tf.gather(out[:, 0], rowids)
        elif len(dims) > 1:
            position = tf.range(tf.shape(rowids, out_type=rowids.dtype)[0]) - tf.gather(level.row_starts(), rowids)
            lengths = tf.get_static_value(level.row_lengths())
            if lengths is not None and len(lengths) and (lengths != dims[1]).any():
                raise tf.errors.InvalidArgumentError(
                    None, None, f"Unable to broadcast: dimension size mismatch in dimension 1: {dims[1]} and row lengths {lengths.tolist()}"
                )
            out = tf.gather_nd(out, tf.stack([rowids, position], axis=1))
        level = level.values
    return out


def _same_splits(a: RaggedTensor, b: RaggedTensor) -> None:
    for x, y in zip(a.nested_row_splits, b.nested_row_splits, strict=True):
        if x is y:
            continue
        p, q = tf.get_static_value(x), tf.get_static_value(y)
        if p is not None and q is not None and (p.shape != q.shape or (p != q).any()):
            raise tf.errors.InvalidArgumentError(
                None, None,
                f"Inputs must have identical ragged splits: the row splits are {p.tolist()} and {q.tolist()} [Op:RaggedBroadcast] name: ",
            )  # fmt: skip


# --- reductions ------------------------------------------------------------------------------------------------------
def _segment(kind: str) -> Any:
    return {
        "sum": tf.math.unsorted_segment_sum, "max": tf.math.unsorted_segment_max, "min": tf.math.unsorted_segment_min,
        "prod": tf.math.unsorted_segment_prod, "mean": tf.math.unsorted_segment_mean,
    }[kind]  # fmt: skip


def _reduce(op: Op, args: tuple[Any, ...]) -> Any:
    rt, axis, keepdims = args[0], args[1], args[2]
    kind = _REDUCTIONS[op.name]
    if axis is None:
        out = op.public(rt.flat_values, None, False)
        if keepdims:
            out = tf.reshape(out, [1] * rt.shape.rank)
        return out
    if isinstance(axis, (list, tuple)) or (isinstance(axis, Tensor) and axis.shape.rank):
        axes = sorted({_axis(int(a), rt) for a in tf.get_static_value(convert_to_tensor(axis))}, reverse=True)
        if len(axes) == rt.shape.rank:
            return _reduce(op, (rt, None, keepdims))
        if kind == "mean":
            total = _reduce(tf.reduce_sum.op, (rt, axis, keepdims))
            ones = rt.with_flat_values(tf.ones_like(rt.flat_values))
            return total / _reduce(tf.reduce_sum.op, (ones, axis, keepdims))
        out: Any = rt
        for a in axes:
            out = op.public(out, a, keepdims)
        return out
    at = _axis(int(tf.get_static_value(convert_to_tensor(axis))), rt)
    return _reduced(op, kind, rt, at, bool(keepdims))


def _axis(axis: int, rt: Any) -> int:
    rank = rt.shape.rank
    if not -rank <= axis < rank:
        raise ValueError(f"axis={axis} out of bounds: expected {-rank}<=axis<{rank}")
    return axis + rank if axis < 0 else axis


def _reduced(op: Op, kind: str, rt: RaggedTensor, axis: int, keepdims: bool) -> Any:
    if kind in ("any", "all"):  # counted: how many values are true, or false
        wanted = rt.flat_values if kind == "any" else tf.logical_not(rt.flat_values)
        counts = _reduced(tf.reduce_sum.op, "sum", rt.with_flat_values(tf.cast(wanted, dtypes.int64)), axis, keepdims)
        return tf.greater(counts, 0) if kind == "any" else tf.equal(counts, 0)
    if axis == 0:
        longest = tf.reduce_max(tf.concat([rt.row_lengths(), tf.zeros([1], rt.row_splits.dtype)], 0))
        rowids = rt.value_rowids()
        column = tf.range(tf.shape(rowids, out_type=rowids.dtype)[0]) - tf.gather(rt.row_starts(), rowids)
        values = rt.values
        if isinstance(values, RaggedTensor):
            raise TypeError("reductions along axis 0 of tensors with several ragged dimensions are not supported")
        out = _segment(kind)(values, column, longest)
        return tf.expand_dims(out, 0) if keepdims else out
    if axis == 1:
        values = rt.values
        if isinstance(values, RaggedTensor):
            raise TypeError("reductions along an outer ragged dimension of several are not supported; reduce the innermost first")
        out = _segment(kind)(values, rt.value_rowids(), rt.nrows())
        return tf.expand_dims(out, 1) if keepdims else out
    inner = op.public(rt.values, axis - 1, keepdims)
    return rt.with_values(inner)


# --- ops with a form of their own ------------------------------------------------------------------------------------
def _concat(op: Op, args: tuple[Any, ...]) -> Any:
    from . import concat

    return concat(args[0], args[1])


def _stack(op: Op, args: tuple[Any, ...]) -> Any:
    from . import stack

    return stack(args[0], args[1] if len(args) > 2 else 0)


def _gather(op: Op, args: tuple[Any, ...]) -> Any:
    from . import gather

    named = dict(zip(op.params, args, strict=False))
    return gather(named["params"], named["indices"], named.get("axis") or 0, named.get("batch_dims") or 0)


def _expand_dims(op: Op, args: tuple[Any, ...]) -> Any:
    rt, axis = args[0], int(args[1])
    rank = rt.shape.rank
    at = axis + rank + 1 if axis < 0 else axis
    if at == 0:
        return RaggedTensor.from_uniform_row_length(rt, rt.nrows(), nrows=1)
    if at == 1:
        return RaggedTensor.from_uniform_row_length(rt, 1, nrows=rt.nrows())
    return rt.with_values(tf.expand_dims(rt.values, at - 1))


def _size(op: Op, args: tuple[Any, ...]) -> Any:
    return tf.size(args[0].flat_values)


def _rank(op: Op, args: tuple[Any, ...]) -> Any:
    return tf.constant(args[0].shape.rank)


def _softmax(op: Op, args: tuple[Any, ...]) -> Any:
    rt = args[0]
    if rt.ragged_rank != 1 or rt.flat_values.shape.rank != 1:
        raise TypeError("tf.nn.softmax takes ragged tensors of rank 2")
    rows = rt.value_rowids()
    high = tf.gather(tf.math.unsorted_segment_max(rt.values, rows, rt.nrows()), rows)
    powers = tf.exp(rt.values - tf.stop_gradient(high))
    return rt.with_values(powers / tf.gather(tf.math.unsorted_segment_sum(powers, rows, rt.nrows()), rows))


def _embedding(op: Op, args: tuple[Any, ...]) -> Any:
    values = list(args)
    at = next(i for i, v in enumerate(values) if isinstance(v, RaggedTensor))
    like = values[at]
    values[at] = like.flat_values
    return like.with_flat_values(op.public(*values))


def _reduce_join(op: Op, args: tuple[Any, ...]) -> Any:
    rt, axis, keepdims, separator = args[:4]
    at = _axis(axis if isinstance(axis, int) else -1, rt)
    if axis is None or at != 1 or rt.ragged_rank != 1:
        raise TypeError("tf.strings.reduce_join takes ragged tensors of rank 2, along axis 1")
    out = tf.strings.unsorted_segment_join(rt.values, rt.value_rowids(), rt.nrows(), separator)
    return tf.expand_dims(out, 1) if keepdims else out


_SPECIAL = {
    "Softmax": _softmax, "EmbeddingLookup": _embedding, "ReduceJoin": _reduce_join,
    "ConcatV2": _concat, "Pack": _stack, "GatherV2": _gather, "ExpandDims": _expand_dims, "Size": _size, "Rank": _rank,
}  # fmt: skip
