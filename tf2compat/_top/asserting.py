"""Assertions on values: eager ones raise at once, traced ones when the graph runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .. import errors
from .._engine import dtypes, state
from .._engine.convert import convert_to_tensor
from .._engine.lookups import aliased
from .._engine.op import ANY, ANYS, invalid, op
from .._engine.shapes import TensorShape
from .._engine.tensor import Tensor, numpy_of, wrap


@op("Assert", stateful=True, condition=ANY, data=ANYS)
def _assert(condition: Any, data: Any, shown: str, summarize: Any, name: str | None = None) -> None:
    if not bool(condition.all()):
        if not shown:  # in a graph
            raise errors.InvalidArgumentError(None, None, "assertion failed: " + _told([numpy_of(d) for d in data], summarize))
        raise errors.InvalidArgumentError(None, None, f"Expected '{shown}' to be true. Summarized data: " + _summary(data, summarize))


def _summary(data: Any, summarize: Any) -> str:
    edge = 3 if summarize is None else 10**9 if summarize == -1 else summarize
    return "\n".join(_items(numpy_of(d), edge) for d in data)


def _items(array: np.ndarray, limit: int) -> str:
    flat = array.reshape(-1)
    text = ", ".join(str(v) for v in flat[:limit])
    return text + ", ..." if flat.size > limit else text


def _told(data: list[Any], summarize: Any) -> str:
    """Values as an assertion of a graph tells them: the first ones of each, floats with as many digits as they need."""
    limit = 3 if summarize is None else 10**9 if summarize < 0 else summarize
    return " ".join(f"[{d if isinstance(d, str) else _nested(d, limit)}]" for d in data)


def _nested(array: np.ndarray, limit: int) -> str:
    rest = iter(array.reshape(-1)[:limit])
    left = min(limit, array.size)

    def rows(dims: tuple[int, ...], depth: int) -> str:
        nonlocal left
        if len(dims) < 2:
            taken = min(left, dims[0] if dims else 1)
            left -= taken
            return " ".join(_value(next(rest)) for _ in range(taken)) + ("..." if depth and taken < dims[0] else "")
        text = ""
        for _ in range(dims[0]):
            if not left:
                break
            text += f"[{rows(dims[1:], depth + 1)}]"
        return text

    return rows(array.shape, 0) + ("..." if array.size > limit else "")


def _value(v: Any) -> str:
    if isinstance(v, bytes):
        return v.decode("utf-8", "replace")
    if isinstance(v, (bool, np.bool_)):
        return str(int(v))
    if isinstance(v, np.floating):
        few, many = (15, 17) if v.dtype.itemsize == 8 else (6, 9)
        text = f"{v:.{few}g}"
        return text if type(v)(text) == v or v != v else f"{v:.{many}g}"
    return str(v)


_assert.infer(lambda *args: [])
_assert.strings(_assert.op.fn)


def Assert(condition: Any, data: Any, summarize: int | None = None, name: str | None = None) -> None:  # noqa: N802
    """InvalidArgumentError with `data` unless `condition` is true (`tf.debugging.Assert`)."""
    shown = str(condition)
    if isinstance(condition, Tensor) and type(condition) is not Tensor:
        shown = ""
    if isinstance(condition, (list, tuple)) and state.local.graph is None:
        condition = bool(condition)  # eagerly, TensorFlow asks Python
    condition = convert_to_tensor(condition)
    _assert(condition, [d if isinstance(d, Tensor) else convert_to_tensor(d) for d in data], shown, summarize)


@op("EnsureShape", input=ANY)
def _ensure_shape(input: Any, shape: Any) -> Any:  # noqa: A002
    if state.local.graph is None and not shape.is_compatible_with(TensorShape._of(tuple(input.shape))):
        got = "[" + ",".join(str(d) for d in input.shape) + "]"
        want = "[" + ",".join("?" if d is None else str(d) for d in shape) + "]"
        raise invalid(f"Shape of tensor input {got} is not compatible with expected shape {want}. [Op:EnsureShape]")
    return aliased(input.view_as(input), input) if isinstance(input, torch.Tensor) else input


_ensure_shape.strings(_ensure_shape.op.fn)


def _unlike(shape: TensorShape, x: Any) -> str:
    """What is said while tracing of a static shape that is not as it has to be."""
    a, b = shape.as_list(), x.shape.as_list()
    shown = ["[" + ",".join("?" if d is None else str(d) for d in s) + "]" for s in (a, b)]
    at = next((i for i, (m, n) in enumerate(zip(a, b, strict=False)) if None not in (m, n) and m != n), None)
    what = f"Shapes must be equal rank, but are {len(a)} and {len(b)}" if len(a) != len(b) else (
        f"Dimension {at} in both shapes must be equal, but are {a[at]} and {b[at]}. Shapes are {shown[0]} and {shown[1]}."  # type: ignore[index]
    )
    return f"{what} for '{{{{node EnsureShape}}}} = EnsureShape[shape={shown[0]}]({x.name.partition(':')[0]})' with input shapes: {shown[1]}."


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """`x`, whose shape is compatible with `shape`; InvalidArgumentError otherwise (`tf.ensure_shape`)."""
    x, shape = convert_to_tensor(x), TensorShape(shape)
    if type(x) is not Tensor and not shape.is_compatible_with(x.shape):
        raise ValueError(_unlike(shape, x))
    out = _ensure_shape(x, shape)
    if type(out) is not Tensor:
        out.set_shape(shape)
    return out


# --- comparisons -----------------------------------------------------------------------------------------------------
_TESTS = {
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
}


@op("AssertBinary", stateful=True, tensors=ANYS)
def _compare(tensors: Any, sign: str, message: Any, summarize: Any, unary: bool, names: Any, name: str | None = None) -> None:
    x, y = tensors
    if isinstance(x, torch.Tensor) and isinstance(y, torch.Tensor) and x.device != y.device:
        x, y = x.cpu(), y.cpu()
    try:
        good = _TESTS[sign](x, y)
    except RuntimeError:
        raise invalid(
            f"Incompatible shapes: {_dims(x)} vs. {_dims(y)} [Op:{'Equal' if sign == '==' else 'Less'}] name: "
        ) from None
    good = torch.as_tensor(np.asarray(good, dtype=bool)) if not isinstance(good, torch.Tensor) else good
    if bool(good.all()):
        return
    if names is not None:  # in a graph
        data = [f"Condition x {sign} {'0' if unary else 'y'} did not hold element-wise:", f"x ({names[0]}) = ", numpy_of(x)]
        if unary:
            if sign == "<=":
                data[:2] = ["".join(data[:2])]
            data.insert(0, f"{message}.  " if message else "")
        else:
            data = [*([message] if message else []), *data, f"y ({names[1]}) = ", numpy_of(y)]
        raise errors.InvalidArgumentError(None, None, "assertion failed: " + _told(data, summarize))
    raise errors.InvalidArgumentError(None, None, _failure(x, y, good, sign, message, summarize, unary))


def _dims(x: Any) -> str:
    return "[" + ",".join(str(d) for d in x.shape) + "]"


def _failure(x: Any, y: Any, good: Any, sign: str, message: Any, summarize: Any, unary: bool) -> str:
    a, b = numpy_of(x), numpy_of(y)
    head = f"{message}\n" if message else ""
    if unary:
        limit = 3 if summarize is None else len(a.reshape(-1)) if summarize < 0 else summarize
        shown = " ".join(repr(str(v)) for v in a.reshape(-1)[:limit])
        return (
            f"{head or chr(10)}Condition x {sign} 0 did not hold element-wise:\nx (shape={a.shape} dtype={a.dtype}) = \n[{shown}]"
        )
    limit = 3 if summarize is None else 10**9 if summarize < 0 else summarize
    text = f"{head}Condition x {sign} y did not hold.\n"
    if a.ndim or b.ndim:
        bad = ~good.cpu().numpy()
        where = np.argwhere(bad)[:limit]
        xs = np.broadcast_to(a, bad.shape)[bad][:limit]
        ys = np.broadcast_to(b, bad.shape)[bad][:limit]
        text += (
            f"Indices of first {len(where)} different values:\n{where}\nCorresponding x values:\n{xs}\nCorresponding y values:\n{ys}\n"
        )
    fx, fy = a.reshape(-1)[:limit], b.reshape(-1)[:limit]
    return text + f"First {len(fx)} elements of x:\n{fx}\nFirst {len(fy)} elements of y:\n{fy}"


_compare.infer(lambda *args: [])
_compare.strings(_compare.op.fn)


def compare(x: Any, y: Any, sign: str, message: Any, summarize: Any) -> None:
    """Assert `x sign y` element-wise with broadcasting."""
    given = y
    x, y = _alike(x, y)
    _compare([x, y], sign, message, summarize, False, _names(x, y, given, _NODES[sign]), f"{_NODES[sign]}/Assert/Assert")


_NODES = {"==": "assert_equal_1", "!=": "assert_none_equal", "<": "assert_less", "<=": "assert_less_equal", ">": "assert_greater", ">=": "assert_greater_equal"}

_ZERO_NODES = {">": "assert_positive/assert_less", "<": "assert_negative/assert_less", ">=": "assert_non_negative/assert_less_equal",
               "<=": "assert_non_positive/assert_less_equal"}  # fmt: skip


def near(good: Any, data: list[Any], x: Any, y: Any, given: Any, message: Any, summarize: Any) -> None:
    """Assert `good`, with `data` eagerly, and in graphs with what TensorFlow tells there."""
    names = _names(x, y, given, "assert_near")
    if names is None:
        Assert(good, data, summarize)
        return
    tolerances = [f'{p} = Tensor(\\"assert_near/{p}:0\\", shape=(), dtype={x.dtype.real_dtype.name})' for p in ("rtol", "atol")]
    told = [f"{message}.  " if message else "", f"x and y not equal to tolerance {', '.join(tolerances)}", f"x ({names[0]}) = ", x, f"y ({names[1]}) = ", y]
    _assert(good, [t if isinstance(t, Tensor) else convert_to_tensor(t) for t in told], "", summarize, "assert_near/Assert/AssertGuard/Assert")


def _names(x: Any, y: Any, given: Any, node: str) -> Any:
    """What the tensors of an assertion are called in the graph that is traced; None outside of one."""
    if state.local.graph is None:
        return None
    return [t.name if type(t) is not Tensor else "Const:0" if v is t else f"{node}/{p}:0" for t, v, p in ((x, x, "x"), (y, given, "y"))]


def compare_zero(x: Any, sign: str, message: Any, summarize: Any) -> None:
    """Assert `x sign 0` element-wise."""
    x = convert_to_tensor(x)
    zero = wrap(torch.zeros((), dtype=x.dtype.torch))
    _compare([x, zero], sign, message, summarize, True, _names(x, zero, zero, ""), f"{_ZERO_NODES[sign]}/Assert/Assert")


def _alike(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    x = convert_to_tensor(x)
    y = convert_to_tensor(y, dtype_hint=x.dtype) if not isinstance(y, Tensor) else y
    if x.dtype is not y.dtype:
        raise errors.InvalidArgumentError(
            None, None,
            f"cannot compute Equal as input #1(zero-based) was expected to be a {x.dtype._cpp} tensor but is a {y.dtype._cpp} tensor "
            "[Op:Equal] name: ",
        )  # fmt: skip
    return x, y


def assert_equal(x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """InvalidArgumentError unless x == y element-wise (`tf.debugging.assert_equal`)."""
    compare(x, y, "==", message, summarize)


def assert_greater(x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """InvalidArgumentError unless x > y element-wise (`tf.debugging.assert_greater`)."""
    compare(x, y, ">", message, summarize)


def assert_less(x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """InvalidArgumentError unless x < y element-wise (`tf.debugging.assert_less`)."""
    compare(x, y, "<", message, summarize)


@op("AssertRank", stateful=True, x=ANY)
def _rank_later(x: Any, low: Any, exact: Any, message: Any, shown: str) -> None:
    _check_rank(x.ndim, tuple(x.shape), low, exact, message, shown)


_rank_later.infer(lambda *args: [])
_rank_later.strings(_rank_later.op.fn)


def _check_rank(found: int, shape: Any, low: Any, exact: Any, message: Any, shown: str) -> None:
    head = f"{message}.  " if message else ""
    if low is not None and found < low:
        raise ValueError(f"{head}Tensor {shown} must have rank at least {low}.  Received rank {found}, shape {shape}")
    if exact is not None and found not in exact:
        want = f"rank {exact[0]}" if len(exact) == 1 else f"rank in {tuple(exact)}"
        raise ValueError(f"{head}Tensor {shown} must have {want}.  Received rank {found}, shape {shape}")


def check_rank(x: Any, low: Any, exact: Any, message: Any) -> None:
    """Assert a rank of at least `low`, or one of `exact`; at once when the static shape tells."""
    x = convert_to_tensor(x)
    shown = "" if type(x) is Tensor else x.name
    if x.shape.rank is None:
        _rank_later(x, low, exact, message, shown)
    else:
        _check_rank(x.shape.rank, x.shape, low, exact, message, shown)


def static_rank(rank: Any) -> int:
    value = np.asarray(rank.numpy() if isinstance(rank, Tensor) and state.local.graph is None else rank)
    if value.dtype.kind not in "iu":
        raise TypeError(f"rank must be of type {dtypes.int32!r}; got {convert_to_tensor(rank).dtype!r}: {rank!r}")
    if value.ndim:
        raise ValueError("Rank must be a scalar.")
    return int(value)


def assert_rank(x: Any, rank: Any, message: str | None = None, name: str | None = None) -> None:
    """ValueError unless `x` has this rank (`tf.debugging.assert_rank`)."""
    check_rank(x, None, (static_rank(rank),), message)


