"""How ops treat ragged tensors: element by element, along an axis, or not at all."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.op import Op
from .._engine.tensor import Tensor
from . import arranging
from .ragged_tensor import RaggedTensor
from .reducing import _SEGMENTS, axis_of, columns, reduce, reduce_op, segment_op

#: ops of one tensor whose result has its shape
_UNARY = frozenset((
    "Abs", "Acos", "Acosh", "Angle", "AsString", "Asin", "Asinh", "Atan", "Atanh", "Cast", "Ceil", "CheckNumerics", "ClipByValue", "Conj",
    "Cos", "Cosh", "Digamma", "Elu", "Erf", "Erfc", "Exp", "Expm1", "Floor", "Gelu", "Identity", "Imag", "Invert", "IsFinite", "IsInf",
    "IsNan", "LeakyRelu", "Lgamma", "Log", "Log1p", "LogicalNot", "Neg", "OneHot", "OnesLike", "Real", "Reciprocal", "RegexFullMatch",
    "RegexReplace", "Relu", "Relu6", "Rint", "Round", "Rsqrt", "Selu", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt",
    "Square", "StopGradient", "StringLength", "StringLower", "StringStrip", "StringToHashBucket", "StringToHashBucketFast",
    "StringToHashBucketStrong", "StringToNumber", "StringUpper", "Substr", "Tan", "Tanh", "UnicodeScript", "UnicodeTranscode", "ZerosLike",
    "Swish", "Bitcast", "Erfinv", "Ndtri", "LogSigmoid", "StringBytesSplit", "SaturateCast", "NextAfter", "LogSoftmax", "DecodeBase64",
    "EncodeBase64", "Dawsn", "Expint", "FresnelCos", "FresnelSin", "Spence", "BesselI0", "BesselI0e", "BesselI1", "BesselI1e", "BesselK0",
    "BesselK0e", "BesselK1", "BesselK1e", "BesselJ0", "BesselJ1", "BesselY0", "BesselY1", "DecodeCompressed", "ReciprocalNoNan", "AddN",
    "Dropout", "Complex", "DivNoNan", "Silu", "SiluBeta", "SigmoidCrossEntropyWithLogits",
))  # fmt: skip


def perform(op: Op, args: tuple[Any, ...]) -> Any:
    """The op on ragged arguments; NotImplemented (a TypeError from the op) where it has no ragged form."""
    special = _SPECIAL.get(op.name)
    if special is not None:
        return special(op, args)
    if op.key.startswith("tf2compat.keras.losses.functions."):
        return _losses(op, args)
    if op.name == "KerasReduceLoss":  # over all values
        return op.public(args[0].flat_values, *args[1:])
    if op.elementwise or op.name in _UNARY or op.name in ("Maximum", "Minimum", "SquaredDifference", "Pow", "StringJoin", "SelectV2"):
        return elementwise(op.public, op, args)
    given = next(a for a in args if isinstance(a, RaggedTensor) or isinstance(a, (list, tuple)) and any(isinstance(v, RaggedTensor) for v in a))
    raise ValueError(
        f"Attempt to convert a value ({given!r}) with an unsupported type ({RaggedTensor}) to a Tensor: {op.name} does not take ragged "
        "tensors; convert with to_tensor(), or apply it with tf.ragged.map_flat_values"
    )


def _losses(op: Op, args: tuple[Any, ...]) -> Any:
    """Losses over the last axis, which may itself be ragged: then it is filled up with zeros, or each row is one of its own."""
    if isinstance(args[0], RaggedTensor) and isinstance(args[1], RaggedTensor) and args[1].ragged_rank == args[0].ragged_rank + 1:
        return elementwise(op.public, op, (args[0], _even(args[1]), *args[2:]))  # numbers of classes, and ragged rows of all classes
    found = [a for a in args if isinstance(a, RaggedTensor)]
    if any(a.flat_values.shape.rank != 1 for a in found):
        return elementwise(op.public, op, args)
    if all(a.ragged_rank > 1 for a in found):
        return elementwise(op.public, op, tuple(_even(a) if isinstance(a, RaggedTensor) else a for a in args))
    rows = [i for i, a in enumerate(args) if isinstance(a, RaggedTensor) or hasattr(a, "shape") and a.shape.rank]

    def one(given: Any) -> Any:
        whole = list(args)
        for i, row in zip(rows, given, strict=True):
            whole[i] = row
        return op.public(*whole)

    return tf.map_fn(one, [args[i] for i in rows], fn_output_signature=args[1].dtype)


def _even(rt: RaggedTensor) -> Any:
    """With a last axis that is no longer ragged."""
    return rt.with_values(_even(rt.values)) if isinstance(rt.values, RaggedTensor) else rt.to_tensor()


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
    kinds = [] if op is None else op.kinds
    found = _spread(found, like)
    like = next(v for _, _, v in found if isinstance(v, RaggedTensor) and v.ragged_rank == like.ragged_rank)
    for i, j, v in found:
        same = op is None or kinds[i] is None or any(kinds[i].group == kinds[k].group for k, _, r in found if r is like)  # type: ignore[union-attr]
        flat = _aligned(v, like, like.dtype if same else None)
        if j is None:
            values[i] = flat
        else:
            values[i][j] = flat
    return like.with_flat_values(fn(*values))


def _spread(found: list[tuple[int, int | None, Any]], like: RaggedTensor) -> list[tuple[int, int | None, Any]]:
    """Ragged operands of one row repeated to the rows of a dense operand of their rank."""
    if like.shape[0] != 1:
        return found
    dense = [v if isinstance(v, Tensor) else convert_to_tensor(v) for _, _, v in found if not isinstance(v, RaggedTensor) and v is not None and not isinstance(v, (int, float, str, bytes, bool))]
    sizes = [t.shape[0] for t in dense if t.shape.rank == like.shape.rank and t.shape[0] not in (None, 1)]
    if not sizes:
        return found
    return [(i, j, tf.tile(v, [sizes[0], *[1] * (v.shape.rank - 1)]) if isinstance(v, RaggedTensor) else v) for i, j, v in found]


def _aligned(value: Any, like: RaggedTensor, hint: Any = None) -> Any:
    """The flat values of an operand, laid out as those of `like`."""
    if isinstance(value, RaggedTensor):
        if value.ragged_rank == like.ragged_rank and _equal_splits(value, like) is not False:
            return value.flat_values
        if value.shape.rank == like.shape.rank or value.shape.rank is None or value.ragged_rank < like.ragged_rank:
            spread = _broadcast_ragged(value, like)
            if spread is not None:
                return spread
        if value.ragged_rank == like.ragged_rank:
            _same_splits(like, value)
        raise tf.errors.InvalidArgumentError(
            None, None, f"Unable to broadcast: dimension size mismatch between the ragged shapes {value.shape} and {like.shape}"
        )
    if isinstance(value, (int, float, str, bytes, bool, complex)):
        return value
    t = value if isinstance(value, Tensor) else convert_to_tensor(value, dtype_hint=hint)
    rank = t.shape.rank
    inner = like.flat_values.shape.rank - 1
    if rank is not None and rank <= inner or rank == 0:
        return t
    outer = rank - inner  # dimensions of `t` that lie on ragged ones
    level: Any = like
    if outer > like.ragged_rank + 1:
        raise ValueError(f"Unable to broadcast: dimension size mismatch between {t.shape} and the ragged shape {like.shape}")
    out: Any = t
    for _ in range(like.ragged_rank + 1 - outer):
        out = tf.expand_dims(out, 0)
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
                uniform = tf.range(tf.shape(level.row_splits, out_type=level.row_splits.dtype)[0]) * dims[1]
                _mismatched(uniform, level.row_splits)
            out = tf.gather_nd(out, tf.stack([rowids, position], axis=1))
        level = level.values
    return out


def _equal_splits(a: RaggedTensor, b: RaggedTensor) -> bool | None:
    """Whether the partitions agree; None where that is not known yet."""
    for x, y in zip(a.nested_row_splits, b.nested_row_splits, strict=True):
        if x is y:
            continue
        p, q = tf.get_static_value(x), tf.get_static_value(y)
        if p is None or q is None:
            return None
        if p.shape != q.shape or (p != q).any():
            return False
    return True


def _broadcast_ragged(value: RaggedTensor, like: RaggedTensor) -> Any:
    """The flat values of a ragged operand whose rows of length 1 stand for all of a row of `like`; None where it does not fit."""
    given, level = value, like
    rank = value.shape.rank
    if rank is None or like.shape.rank is None:
        return None
    for _ in range(like.shape.rank - rank):
        given = tf.expand_dims(given, 0)
    out: Any = given
    places: Any = None  # the value of `given`'s level for each of `level`'s
    while isinstance(level, RaggedTensor) and isinstance(out, RaggedTensor):
        have = out.row_lengths() if places is None else tf.gather(out.row_lengths(), places)
        want = level.row_lengths()
        p, q = tf.get_static_value(have), tf.get_static_value(want)
        if p is not None and q is not None:
            if p.shape != q.shape and not (places is None and p.shape == (1,)):
                return None
            if not ((p == q) | (p == 1)).all():
                return None
        rowids = level.value_rowids()
        row = rowids if places is None else tf.gather(places, rowids)
        if places is None and p is not None and q is not None and p.shape == (1,) and q.shape != (1,):
            row = tf.zeros_like(rowids)
        column = tf.where(tf.equal(tf.gather(out.row_lengths(), row), 1), tf.zeros_like(rowids), columns(level))
        places = tf.gather(out.row_starts(), row) + column
        out, level = out.values, level.values
    if isinstance(level, RaggedTensor):  # the operand is dense from here on
        while isinstance(level, RaggedTensor):
            rowids = level.value_rowids()
            size = out.shape[1] if out.shape.rank > 1 else None
            if size is None:
                return None
            column = tf.zeros_like(rowids) if size == 1 else columns(level)
            out = tf.gather_nd(out, tf.stack([tf.gather(places, rowids), column], 1))
            places = tf.range(tf.shape(rowids, out_type=rowids.dtype)[0])
            level = level.values
        return out
    return tf.gather(out, places) if not isinstance(out, RaggedTensor) else None


def _same_splits(a: RaggedTensor, b: RaggedTensor) -> None:
    """InvalidArgumentError, in the words of `assert_equal`, for different partitions."""
    for x, y in zip(a.nested_row_splits, b.nested_row_splits, strict=True):
        if x is y:
            continue
        p, q = tf.get_static_value(x), tf.get_static_value(y)
        if p is not None and q is not None and (p.shape != q.shape or (p != q).any()):
            _mismatched(x, y)


def _mismatched(x: Any, y: Any) -> None:
    p, q = tf.get_static_value(x), tf.get_static_value(y)
    if p is not None and q is not None and p.shape == q.shape:
        tf.debugging.assert_equal(x, tf.cast(y, x.dtype))
    raise tf.errors.InvalidArgumentError(None, None, f"Inputs must have identical ragged splits: the row splits are {p} and {q}")



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
    axis, batch = named.get("axis"), named.get("batch_dims") or 0
    return gather(named["params"], named["indices"], batch if axis is None else axis, batch)


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
    return tf.size(args[0].flat_values, _named(op, args).get("out_type") or dtypes.int32)


def _rank(op: Op, args: tuple[Any, ...]) -> Any:
    return tf.constant(args[0].shape.rank)


def _softmax(op: Op, args: tuple[Any, ...]) -> Any:
    """Over the rows of the innermost ragged dimension, or an inner dense one."""
    rt, axis = args[0], args[1]
    at = rt.shape.rank - 1 if axis is None else axis_of(int(axis), rt.shape.rank)
    if at > rt.ragged_rank:
        return rt.with_flat_values(op.public(rt.flat_values, at - rt.ragged_rank, *args[2:]))
    if at != rt.ragged_rank:
        raise ValueError(f"tf.nn.softmax of a ragged tensor of shape {rt.shape} is along its innermost ragged dimension or inside of it, not axis {at}")
    inner = rt
    while isinstance(inner.values, RaggedTensor):
        inner = inner.values
    rows, count = inner.value_rowids(), inner.nrows()
    high = tf.gather(tf.math.unsorted_segment_max(inner.values, rows, count), rows)
    powers = tf.exp(inner.values - tf.stop_gradient(high))
    return rt.with_flat_values(powers / tf.gather(tf.math.unsorted_segment_sum(powers, rows, count), rows))


def _embedding(op: Op, args: tuple[Any, ...]) -> Any:
    values = list(args)
    at = next(i for i, v in enumerate(values) if isinstance(v, RaggedTensor))
    like = values[at]
    values[at] = like.flat_values
    return like.with_flat_values(op.public(*values))


def _reduce_join(op: Op, args: tuple[Any, ...]) -> Any:
    rt, axis, keepdims, separator = args[:4]
    return reduce("join", lambda t, a, k: op.public(t, a, k, separator), rt, axis, bool(keepdims), separator)


def _named(op: Op, args: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(op.params, args, strict=False))


def _shape(op: Op, args: tuple[Any, ...]) -> Any:
    from .dynamic_shape import DynamicRaggedShape

    return DynamicRaggedShape.from_tensor(args[0], dtype=_named(op, args).get("out_type") or dtypes.int32)


def _reshape(op: Op, args: tuple[Any, ...]) -> Any:
    """To a vector, or to a dense or ragged shape by way of the flat values."""
    from .dynamic_shape import DynamicRaggedShape

    if isinstance(args[1], DynamicRaggedShape):
        return args[1]._tf_op(op, args)
    return op.public(args[0].flat_values, *args[1:])


def _broadcast(op: Op, args: tuple[Any, ...]) -> Any:
    from .dynamic_shape import DynamicRaggedShape, broadcast_to

    if not isinstance(args[1], DynamicRaggedShape):
        raise ValueError(f"A ragged tensor of shape {args[0].shape} cannot be broadcast to a dense shape: use to_tensor() first")
    return broadcast_to(args[0], args[1])


def _join(op: Op, args: tuple[Any, ...]) -> Any:
    return elementwise(op.public, op, args)


def _one_hot(op: Op, args: tuple[Any, ...]) -> Any:
    axis, rt = _named(op, args)["axis"], args[0]
    if axis not in (None, -1):
        if axis < -1 or axis > rt.shape.rank:
            raise tf.errors.InvalidArgumentError(None, None, f"Expected axis to be -1 or between [0, {rt.shape.rank}).  But received: {axis} [Op:OneHot] name: ")
        if axis <= rt.ragged_rank:
            raise ValueError(f"axis ({axis}) must be greater than indices.ragged_rank ({rt.ragged_rank}).")
        axis -= rt.ragged_rank
    at = op.params.index("axis")
    return rt.with_flat_values(op.public(rt.flat_values, *args[1:at], -1 if axis is None else axis, *args[at + 1 :]))


_SPECIAL = {
    "OneHot": _one_hot,
    **dict.fromkeys(("Sum", "Mean", "Max", "Min", "Prod", "Any", "All", "Variance", "Std", "LogSumExp"), reduce_op),
    **dict.fromkeys(_SEGMENTS, segment_op),
    "Softmax": _softmax, "LogSoftmax": lambda op, args: tf.math.log(tf.nn.softmax(args[0], args[1])), "EmbeddingLookup": _embedding,
    "ReduceJoin": _reduce_join, "ConcatV2": _concat, "Pack": _stack, "GatherV2": _gather, "ExpandDims": _expand_dims, "Size": _size,
    "Rank": _rank, "Shape": _shape, "Reshape": _reshape, "BroadcastTo": _broadcast, "MatMul": arranging.matmul,
    "Tile": lambda op, args: arranging.tile(args[0], args[1]), "ReverseV2": lambda op, args: arranging.reverse(args[0], args[1]),
    "Squeeze": lambda op, args: arranging.squeeze(args[0], args[1]), "GatherNd": lambda op, args: arranging.gather_nd(args[0], args[1]),
    "Where": lambda op, args: arranging.where(args[0]), "SplitV": lambda op, args: arranging.split(*args[:4]),
    "Cumsum": lambda op, args: arranging.cumsum(*args[:4]), "DynamicPartition": lambda op, args: arranging.dynamic_partition(*args[:3]),
}  # fmt: skip
