"""Gradients of arithmetic, reductions, products and linear algebra."""

from __future__ import annotations

import math
import string
from collections.abc import Callable
from typing import Any

from tf2compat._engine import dtypes

from .backward import Local, Value, gradient
from .body import NotExportable

# --- functions of one argument ---------------------------------------------------------------------------------------
_HALF_PI = math.pi / 2


def _apart(x: Value) -> Value:
    """Without the zeros among the values."""
    return _where(x.op("Equal", 0), x.op("OnesLike"), x)


def _around_zero(x: Value, value: Value, at_zero: float) -> Value:
    return _where(x.op("Equal", 0), Value(x.out, x._ref(at_zero)), value)


def _digamma(x: Value) -> Value:
    kind = x.dtype
    wide = x.cast(dtypes.float32) if kind in (dtypes.float16, dtypes.bfloat16) else x  # there is no other kernel
    return Value(wide.out, wide._ref(1)).op("Polygamma", wide).cast(kind)


def _unary(name: str, derivative: Callable[[Value, Callable[[], Value]], Value]) -> None:
    """An elementwise function by its derivative at x, from x and what gives y."""

    @gradient(name)
    def rule(local: Local, dy: Value) -> Any:
        return dy * derivative(local.x(), local.y).conj()


for _name, _derivative in {
    "Abs": lambda x, y: x.op("Sign"), "Square": lambda x, y: x * 2, "Sqrt": lambda x, y: 0.5 / y(),
    "Rsqrt": lambda x, y: y() * -0.5 / x, "Exp": lambda x, y: y(), "Expm1": lambda x, y: y() + 1, "Log": lambda x, y: 1 / x,
    "Log1p": lambda x, y: 1 / (x + 1), "Sin": lambda x, y: x.op("Cos"), "Cos": lambda x, y: -x.op("Sin"),
    "Tan": lambda x, y: y() * y() + 1, "Asin": lambda x, y: (1 - x * x).op("Rsqrt"), "Acos": lambda x, y: -((1 - x * x).op("Rsqrt")),
    "Atan": lambda x, y: 1 / (x * x + 1), "Sinh": lambda x, y: x.op("Cosh"), "Cosh": lambda x, y: x.op("Sinh"),
    "Tanh": lambda x, y: 1 - y() * y(), "Asinh": lambda x, y: 1 / y().op("Cosh"), "Acosh": lambda x, y: 1 / y().op("Sinh"),
    "Atanh": lambda x, y: 1 / (1 - x * x), "Erf": lambda x, y: (-(x * x)).op("Exp") * (2 / math.sqrt(math.pi)),
    "Erfc": lambda x, y: (-(x * x)).op("Exp") * (-2 / math.sqrt(math.pi)), "Lgamma": lambda x, y: x.op("Digamma"),
    "Erfinv": lambda x, y: (y() * y()).op("Exp") * (math.sqrt(math.pi) / 2),
    "Ndtri": lambda x, y: (y() * y() * 0.5).op("Exp") * math.sqrt(2 * math.pi),
    "Digamma": lambda x, y: _digamma(x), "Sigmoid": lambda x, y: y() * (1 - y()),
    "Reciprocal": lambda x, y: -(y() * y()), "Softplus": lambda x, y: x.op("Sigmoid"),
    "Softsign": lambda x, y: 1 / (x.op("Abs") + 1).op("Square"), "BesselI0": lambda x, y: x.op("BesselI1"),
    "BesselI0e": lambda x, y: x.op("BesselI1e") - x.op("Sign") * y(), "BesselJ0": lambda x, y: -x.op("BesselJ1"),
    "BesselK0": lambda x, y: -x.op("BesselK1"), "BesselK0e": lambda x, y: y() - x.op("BesselK1e"), "BesselY0": lambda x, y: -x.op("BesselY1"),
    "BesselK1": lambda x, y: -x.op("BesselK0") - y() / x, "BesselY1": lambda x, y: x.op("BesselY0") - y() / x,
    "Dawsn": lambda x, y: 1 - x * y() * 2, "Expint": lambda x, y: x.op("Exp") / x,
    "FresnelCos": lambda x, y: (x * x * _HALF_PI).op("Cos"), "FresnelSin": lambda x, y: (x * x * _HALF_PI).op("Sin"),
    "BesselI1": lambda x, y: _around_zero(x, x.op("BesselI0") - y() / _apart(x), 0.5),
    "BesselI1e": lambda x, y: _around_zero(x, x.op("BesselI0e") - y() * (x.op("Sign") + 1 / _apart(x)), 0.5),
    "BesselJ1": lambda x, y: _around_zero(x, x.op("BesselJ0") - y() / _apart(x), 0.5),
    "BesselK1e": lambda x, y: y() * (1 - 1 / x) - x.op("BesselK0e"), "Spence": lambda x, y: x.op("Log") / (1 - x), "ReciprocalNoNan": lambda x, y: -(y() * y()),
}.items():  # fmt: skip
    _unary(_name, _derivative)  # type: ignore[arg-type]


@gradient("Neg")
def _neg(local: Local, dy: Value) -> Any:
    return -dy


@gradient("Identity", "CheckNumerics", "EnsureShape", "Snapshot", "DeepCopy")
def _identity(local: Local, dy: Value) -> Any:
    return dy


@gradient("IdentityN")
def _identity_n(local: Local, *dys: Any) -> Any:
    return list(dys)


@gradient("Floor", "Ceil", "Round", "Rint", "Sign", "Less", "Greater", "NextAfter", "FloorDiv", "ArgMax", "ArgMin", "OneHot")
def _flat(local: Local, *dys: Any) -> Any:
    return [None] * len(local.inputs)


@gradient("Relu")
def _relu(local: Local, dy: Value) -> Any:
    return dy.op("ReluGrad", local.y())


@gradient("ReluGrad")
def _relu_grad(local: Local, dy: Value) -> Any:
    return [dy.op("ReluGrad", local.x(1)), None]


@gradient("Relu6")
def _relu6(local: Local, dy: Value) -> Any:
    return dy.op("Relu6Grad", local.y())


@gradient("Relu6Grad")
def _relu6_grad(local: Local, dy: Value) -> Any:
    return [dy.op("Relu6Grad", local.x(1)), None]


@gradient("LeakyRelu")
def _leaky(local: Local, dy: Value) -> Any:
    return dy.op("LeakyReluGrad", local.x(), **local.attributes("alpha"))


@gradient("LeakyReluGrad")
def _leaky_grad(local: Local, dy: Value) -> Any:
    return [dy.op("LeakyReluGrad", local.x(1), **local.attributes("alpha")), None]


def _where(condition: Value, a: Value, b: Value) -> Value:
    return condition.op("SelectV2", a, b)


@gradient("Elu")
def _elu(local: Local, dy: Value) -> Any:
    y = local.y()
    return _where(y.op("Less", 0), dy * (y + 1), dy)


@gradient("Selu")
def _selu(local: Local, dy: Value) -> Any:
    y, scale, alpha = local.y(), 1.0507009873554805, 1.6732632423543772
    return _where(y.op("Less", 0), dy * (y + scale * alpha), dy * scale)


@gradient("Cast")
def _cast(local: Local, dy: Value) -> Any:
    kind = local.inputs[0].dtype
    return dy.cast(kind) if kind.is_floating or kind.is_complex else None


# --- complex numbers -------------------------------------------------------------------------------------------------
@gradient("Conj")
def _conj(local: Local, dy: Value) -> Any:
    return dy.op("Conj")


@gradient("Real")
def _real(local: Local, dy: Value) -> Any:
    return dy.op("Complex", dy.zeros(), T=dy.dtype, Tout=local.inputs[0].dtype)


@gradient("Imag")
def _imag(local: Local, dy: Value) -> Any:
    return dy.zeros().op("Complex", dy, T=dy.dtype, Tout=local.inputs[0].dtype)


@gradient("Complex")
def _complex(local: Local, dy: Value) -> Any:
    kind = local.inputs[0].dtype
    parts = dy.op("Real", Tout=kind), dy.op("Imag", Tout=kind)
    return _reduced(local, *parts)


@gradient("ComplexAbs")
def _complex_abs(local: Local, dy: Value) -> Any:
    scale = dy.op("DivNoNan", local.y())
    return scale.op("Complex", scale.zeros(), Tout=local.inputs[0].dtype) * local.x()


@gradient("Angle")
def _angle(local: Local, dy: Value) -> Any:
    x = local.x()
    kind = dy.dtype
    re, im = x.op("Real", Tout=kind), x.op("Imag", Tout=kind)
    size = re * re + im * im
    return (-(dy * im) / size).op("Complex", dy * re / size, Tout=x.dtype)


# --- functions of two arguments --------------------------------------------------------------------------------------
def _same(a: Any, b: Any) -> bool:
    return a is not None and b is not None and tuple(a) == tuple(b) and None not in a


def _reduced(local: Local, *grads: Any, first: int = 0) -> list[Any]:
    """Gradients of two operands that were broadcast: summed over what they were repeated along."""
    a, b = first, first + 1
    if _same(local.dims(a), local.dims(b)):
        return list(grads)
    shapes = [local.x(a).shape(), local.x(b).shape()]
    axes = local.op("BroadcastGradientArgs", *shapes)
    return [
        None if g is None else g.op("Sum", axis, keep_dims=False).op("Reshape", shape) for g, axis, shape in zip(grads, axes, shapes, strict=True)
    ]


def _binary(name: str, derivatives: Callable[[Local, Value, Value, Value], tuple[Any, Any]]) -> None:
    """An elementwise op of two operands; `derivatives(local, x, y, dy)` gives thunks for both gradients."""

    @gradient(name)
    def rule(local: Local, dy: Value) -> Any:
        found = derivatives(local, local.x(0), local.x(1), dy)
        return _reduced(local, *[f() if f is not None and needed else None for f, needed in zip(found, local.needed, strict=False)])


def _larger(name: str) -> Callable[..., Any]:
    def derivatives(local: Local, x: Value, y: Value, dy: Value) -> Any:
        mask = x.op(name, y).cast(dy.dtype)
        return lambda: dy * mask, lambda: dy * (1 - mask)

    return derivatives


def _power_log(local: Local, x: Value, dy: Value) -> Value:
    positive = x.op("NotEqual", 0) if x.dtype.is_complex else x.op("Greater", 0)
    safe = _where(positive, x, local.op("OnesLike", x))
    return dy * (local.y() * _where(positive, safe.op("Log"), x.zeros())).conj()


def _not_zero(x: Value) -> Value:
    return x.op("NotEqual", 0).cast(x.dtype)


for _name, _pair in {
    "AddV2": lambda local, x, y, dy: (lambda: dy, lambda: dy), "Add": lambda local, x, y, dy: (lambda: dy, lambda: dy),
    "Sub": lambda local, x, y, dy: (lambda: dy, lambda: -dy), "Mul": lambda local, x, y, dy: (lambda: dy * y.conj(), lambda: dy * x.conj()),
    "RealDiv": lambda local, x, y, dy: (lambda: dy / y.conj(), lambda: dy * (-(x) / y / y).conj()),
    "Div": lambda local, x, y, dy: (lambda: dy / y.conj(), lambda: dy * (-(x) / y / y).conj()),
    "DivNoNan": lambda local, x, y, dy: (lambda: dy.op("DivNoNan", y), lambda: dy * (-x).op("DivNoNan", y).op("DivNoNan", y)),
    "MulNoNan": lambda local, x, y, dy: (lambda: dy.op("MulNoNan", y), lambda: x.op("MulNoNan", dy)),
    "Maximum": _larger("GreaterEqual"), "Minimum": _larger("LessEqual"),
    "Pow": lambda local, x, y, dy: (lambda: dy * x.op("Pow", y - 1).op("MulNoNan", y).conj(), lambda: _power_log(local, x, dy)),
    "SquaredDifference": lambda local, x, y, dy: (lambda: dy * (x - y) * 2, lambda: dy * (x - y) * -2),
    "FloorMod": lambda local, x, y, dy: (lambda: dy, lambda: -dy * x.op("FloorDiv", y)),
    "Atan2": lambda local, x, y, dy: (lambda: (dy * y).op("DivNoNan", x * x + y * y), lambda: (-dy * x).op("DivNoNan", x * x + y * y)),
    "Xlogy": lambda local, x, y, dy: (lambda: dy * _not_zero(x).op("Xlogy", y), lambda: dy * x.op("Xdivy", y)),
    "Xlog1py": lambda local, x, y, dy: (lambda: dy * _not_zero(x).op("Xlog1py", y), lambda: dy * x.op("Xdivy", y + 1)),
    "Xdivy": lambda local, x, y, dy: (lambda: dy * _not_zero(x).op("Xdivy", y), lambda: dy * (-x).op("Xdivy", y * y)),
    "Igamma": lambda local, x, y, dy: (lambda: dy * x.op("IgammaGradA", y), lambda: dy * ((x - 1) * y.op("Log") - y - x.op("Lgamma")).op("Exp")),
    "Igammac": lambda local, x, y, dy: (lambda: -dy * x.op("IgammaGradA", y), lambda: -dy * ((x - 1) * y.op("Log") - y - x.op("Lgamma")).op("Exp")),
    "Polygamma": lambda local, x, y, dy: (None, lambda: dy * (x + 1).op("Polygamma", y)),
    "Zeta": lambda local, x, y, dy: (None, lambda: -dy * x * (x + 1).op("Zeta", y)),
}.items():  # fmt: skip
    _binary(_name, _pair)  # type: ignore[arg-type]


@gradient("AddN")
def _add_n(local: Local, dy: Value) -> Any:
    return [dy] * len(local.inputs)


@gradient("SelectV2", "Select")
def _select(local: Local, dy: Value) -> Any:
    c = local.x(0)
    zero = dy.zeros()
    found = [None, *[_where(c, *pair) if needed else None for pair, needed in zip(((dy, zero), (zero, dy)), local.needed[1:], strict=True)]]
    if local.node.op == "Select" or all(_same(local.dims(i), local.dims(1)) for i in range(3)):
        return found
    whole = local.y().shape()
    for i in (1, 2):
        if found[i] is not None:
            shape = local.x(i).shape()
            found[i] = found[i].op("Sum", local.op("BroadcastGradientArgs", shape, whole)[0], keep_dims=False).op("Reshape", shape)  # type: ignore[union-attr]
    return found


@gradient("ClipByValue")
def _clip(local: Local, dy: Value) -> Any:
    x, low, high = (local.x(i) for i in range(3))
    zero = dy.zeros()
    inside = x.op("GreaterEqual", low).op("LogicalAnd", x.op("LessEqual", high))
    bounds = [
        _to_shape(local, _where(outside, dy, zero), i) if local.needed[i] else None for i, outside in ((1, x.op("Less", low)), (2, x.op("Greater", high)))
    ]
    return [_where(inside, dy, zero), *bounds]


def _to_shape(local: Local, value: Value, number: int) -> Value:
    """Summed over what an input was repeated along."""
    shape = local.x(number).shape()
    return value.op("Sum", local.op("BroadcastGradientArgs", shape, value.shape())[0], keep_dims=False).op("Reshape", shape)


# --- reductions ------------------------------------------------------------------------------------------------------
def _rows(local: Local, value: Value) -> Value:
    return local.op("Range", local.ints(0), value, local.ints(1))


def _kept(local: Local) -> Value:
    """The shape of a reduction's result with the axes that it reduced, of size 1."""
    shape = local.x().shape()
    rank = shape.op("Size", out_type=dtypes.int32)
    axes = local.x(1).cast(dtypes.int32).op("Reshape", local.ints([-1])).op("AddV2", rank).op("FloorMod", rank)
    return local.op("DynamicStitch", [_rows(local, rank), axes], [shape, local.op("OnesLike", axes)])


def _spread(local: Local, dy: Value) -> tuple[Value, Value]:
    """The result's gradient, and the result, in shapes that broadcast with the argument."""
    if local.get("keep_dims", False):
        return dy, local.y()
    kept = _kept(local)
    return dy.op("Reshape", kept), local.y().op("Reshape", kept)


@gradient("Sum")
def _sum(local: Local, dy: Value) -> Any:
    given = dy if local.get("keep_dims", False) else dy.op("Reshape", _kept(local))
    return [given.op("BroadcastTo", local.x().shape()), None]


@gradient("Mean")
def _mean(local: Local, dy: Value) -> Any:
    given = dy if local.get("keep_dims", False) else dy.op("Reshape", _kept(local))
    x = local.x()
    count = x.op("Size", out_type=dtypes.int32).op("FloorDiv", local.y().op("Size", out_type=dtypes.int32).op("Maximum", local.ints(1)))
    return [given.op("BroadcastTo", x.shape()) / count.cast(dy.dtype), None]


@gradient("Max", "Min")
def _extreme(local: Local, dy: Value) -> Any:
    given, y = _spread(local, dy)
    hits = local.x().op("Equal", y).cast(dy.dtype)
    return [hits / hits.op("Sum", local.x(1), keep_dims=True) * given, None]


@gradient("EuclideanNorm")
def _norm(local: Local, dy: Value) -> Any:
    given, y = _spread(local, dy)
    return [local.x() / y * given, None]


@gradient("Prod")
def _prod(local: Local, dy: Value) -> Any:
    # the product of the others, by running products from both ends: right where there are zeros
    given = dy if local.get("keep_dims", False) else dy.op("Reshape", _kept(local))
    x = local.x()
    shape = x.shape()
    rank = shape.op("Size", out_type=dtypes.int32)
    axes = local.x(1).cast(dtypes.int32).op("Reshape", local.ints([-1])).op("AddV2", rank).op("FloorMod", rank)
    others = local.op("ListDiff", _rows(local, rank), axes)[0]
    order = local.op("ConcatV2", [axes, others], local.ints(0))
    moved = x.op("Transpose", order)
    inner = shape.op("GatherV2", axes, local.ints(0)).op("Prod", local.ints([0]), keep_dims=False)
    flat = moved.op("Reshape", local.op("Pack", [inner, local.ints(-1)], axis=0))
    left = flat.op("Cumprod", local.ints(0), exclusive=True)
    right = flat.op("Cumprod", local.ints(0), exclusive=True, reverse=True)
    rest = (left.conj() * right.conj()).op("Reshape", moved.shape()).op("Transpose", order.op("InvertPermutation"))
    return [given.op("BroadcastTo", shape) * rest, None]


@gradient("L2Loss")
def _l2(local: Local, dy: Value) -> Any:
    return local.x() * dy


@gradient("Cumsum")
def _cumsum(local: Local, dy: Value) -> Any:
    return [dy.op("Cumsum", local.x(1), exclusive=bool(local.get("exclusive", False)), reverse=not local.get("reverse", False)), None]


@gradient("Cumprod")
def _cumprod(local: Local, dy: Value) -> Any:
    x = local.x()
    exclusive, reverse = bool(local.get("exclusive", False)), bool(local.get("reverse", False))
    out = (local.y() * dy).op("Cumsum", local.x(1), exclusive=exclusive, reverse=not reverse)
    return [out / x, None]


@gradient("CumulativeLogsumexp")
def _cumulative_log(local: Local, dy: Value) -> Any:
    axis = local.x(1)
    options = {"exclusive": bool(local.get("exclusive", False)), "reverse": not local.get("reverse", False)}
    least = local.number(dtypes.as_dtype(dy.dtype).min, dy.dtype)

    def part(mask: Value, size: Value) -> Value:
        logs = _where(mask, size.op("Log"), local.op("Fill", dy.shape(), least))
        return (((logs - local.y()).op("CumulativeLogsumexp", axis, **options)) + local.x()).op("Exp")

    return [part(dy.op("Greater", 0), dy) - part(dy.op("Less", 0), -dy), None]


# --- products --------------------------------------------------------------------------------------------------------
@gradient("MatMul")
def _matmul(local: Local, dy: Value) -> Any:
    ta, tb = bool(local.get("transpose_a", False)), bool(local.get("transpose_b", False))
    a, b = local.x(0).conj() if local.needed[1] else None, local.x(1).conj() if local.needed[0] else None

    def product(one: Any, two: Any, t1: bool, t2: bool) -> Value:
        return one.op("MatMul", two, transpose_a=t1, transpose_b=t2)

    if not ta and not tb:
        found = (lambda: product(dy, b, False, True), lambda: product(a, dy, True, False))
    elif not ta:
        found = (lambda: product(dy, b, False, False), lambda: product(dy, a, True, False))
    elif not tb:
        found = (lambda: product(b, dy, False, True), lambda: product(a, dy, False, False))
    else:
        found = (lambda: product(b, dy, True, True), lambda: product(dy, a, True, True))
    return [f() if needed else None for f, needed in zip(found, local.needed, strict=True)]


@gradient("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
def _batch_matmul(local: Local, dy: Value) -> Any:
    x, y = local.x(0), local.x(1)
    ax, ay = bool(local.get("adj_x", False)), bool(local.get("adj_y", False))

    def product(one: Value, two: Value, a1: bool, a2: bool) -> Value:
        return one.op("BatchMatMulV2", two, adj_x=a1, adj_y=a2)

    if not ax:
        gx = product(dy, y, False, not ay)
        gy = product(dy, x, True, False) if ay else product(x, dy, True, False)
    else:
        gx = product(y, dy, ay, True)
        gy = product(dy, x, True, True) if ay else product(x, dy, False, False)
    dims = local.dims(0), local.dims(1)
    if all(d is not None for d in dims) and (_same(dims[0][:-2], dims[1][:-2])):
        return [gx, gy]
    shapes = x.shape(), y.shape()
    outer = [s.op("StridedSlice", local.ints([0]), local.ints([-2]), local.ints([1]), begin_mask=1) for s in shapes]
    axes = local.op("BroadcastGradientArgs", *outer)
    return [g.op("Sum", axis, keep_dims=False).op("Reshape", shape) for g, axis, shape in zip((gx, gy), axes, shapes, strict=True)]


@gradient("Einsum")
def _einsum(local: Local, dy: Value) -> Any:
    equation = local.get("equation").decode().replace(" ", "")
    left, _, out = equation.partition("->")
    operands = left.split(",")
    if any("..." in o for o in (*operands, out)):
        operands, out = _spelled(local, operands, out)
    if len(operands) == 1 and len(set(operands[0])) < len(operands[0]) and len(set(out)) == len(out):
        return _diagonal_of(local, dy, operands[0], out)
    if any(len(set(o)) < len(o) for o in (*operands, out)):
        raise NotExportable(f"the gradient of an einsum of the form {equation}")

    def by(which: int) -> Value:
        others = [o for i, o in enumerate(operands) if i != which]
        given = [local.x(i).conj() for i in range(len(operands)) if i != which]
        mine = operands[which]
        there = [c for c in mine if c in out or any(c in o for o in others)]
        found = local.op("Einsum", [dy, *given], equation=f"{','.join([out, *others])}->{''.join(there)}")
        if len(there) < len(mine):  # what was summed of this operand alone
            shape = local.x(which).shape()
            sizes = [shape.op("StridedSlice", local.ints([i]), local.ints([i + 1]), local.ints([1]), shrink_axis_mask=1) if c in there else local.ints(1)
                     for i, c in enumerate(mine)]  # fmt: skip
            found = found.op("Reshape", local.op("Pack", sizes, axis=0)).op("BroadcastTo", shape)
        return found

    return [by(i) if needed else None for i, needed in enumerate(local.needed)]


def _spelled(local: Local, operands: list[str], out: str) -> tuple[list[str], str]:
    """An equation with letters in the place of its dots, where all operands have as many axes there."""
    counts = {local.rank(i) - len(o) + 3 for i, o in enumerate(operands) if "..." in o}
    sizes = [(local.dims(i) or ())[o.index(".") :][: max(counts)] for i, o in enumerate(operands) if "..." in o]
    if len(counts) > 1 or any(s != sizes[0] or None in s for s in sizes) and len(sizes) > 1:
        raise NotExportable("the gradient of an einsum whose dots broadcast")
    free = [c for c in string.ascii_letters if not any(c in o for o in (*operands, out))][: counts.pop()]
    return [o.replace("...", "".join(free)) for o in operands], out.replace("...", "".join(free))


def _diagonal_of(local: Local, dy: Value, operand: str, out: str) -> Any:
    """What one operand's diagonal was taken of, or summed over: placed by masks of ones where the axes agree."""
    free = iter([c for c in string.ascii_letters if c not in operand + out])
    shape, masks, letters, seen = local.x().shape(), [], [], set()
    for i, c in enumerate(operand):
        if c not in seen:
            seen.add(c)
            letters.append(c)
            continue
        letters.append(next(free))
        size = shape.op("StridedSlice", local.ints([i]), local.ints([i + 1]), local.ints([1]), shrink_axis_mask=1)
        places = _rows(local, size)
        masks.append((f"{c}{letters[-1]}", places.op("ExpandDims", local.ints(1)).op("Equal", places).cast(dy.dtype)))
    gone = [c for c in letters if c not in out and not any(c in name for name, _ in masks)]
    for c in gone:
        i = operand.index(c)
        size = shape.op("StridedSlice", local.ints([i]), local.ints([i + 1]), local.ints([1]))
        masks.append((c, local.op("Fill", size, local.number(1, dy.dtype))))
    found, name = dy, out
    for other, mask in masks:
        joined = name + "".join(c for c in other if c not in name)
        found, name = local.op("Einsum", [found, mask], equation=f"{name},{other}->{joined}"), joined
    return [local.op("Einsum", [found], equation=f"{name}->{''.join(letters)}")]


@gradient("Cross")
def _cross(local: Local, dy: Value) -> Any:
    return [local.x(1).op("Cross", dy), dy.op("Cross", local.x(0))]


@gradient("Betainc")
def _betainc(local: Local, dy: Value) -> Any:
    a, b, x = (local.x(i) for i in range(3))
    logs = (b - 1) * (-x).op("Log1p") + (a - 1).op("Xlogy", x) + (a + b).op("Lgamma") - a.op("Lgamma") - b.op("Lgamma")
    return [None, None, _to_shape(local, dy * logs.op("Exp"), 2)]


# --- quantization ----------------------------------------------------------------------------------------------------
@gradient("QuantizeAndDequantizeV4")
def _rounded(local: Local, dy: Value) -> Any:
    found = local.op("QuantizeAndDequantizeV4Grad", dy, local.x(0), local.x(1), local.x(2), **local.attributes("axis"))
    return list(found)


@gradient("FakeQuantWithMinMaxArgs")
def _quantized(local: Local, dy: Value) -> Any:
    return dy.op("FakeQuantWithMinMaxArgsGradient", local.x(), **local.attributes("min", "max", "num_bits", "narrow_range"))


@gradient("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel")
def _quantized_by(local: Local, dy: Value) -> Any:
    return local.op(local.node.op + "Gradient", dy, local.x(0), local.x(1), local.x(2), **local.attributes("num_bits", "narrow_range"))


