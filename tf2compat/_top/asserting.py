"""Assertions on values: eager ones raise at once, traced ones when the graph runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .. import errors
from .._engine import dtypes, state
from .._engine.convert import convert_to_tensor
from .._engine.op import ANY, ANYS, invalid, op
from .._engine.shapes import TensorShape
from .._engine.tensor import Tensor, numpy_of, wrap


@op("Assert", stateful=True, condition=ANY, data=ANYS)
def _assert(condition: Any, data: Any, shown: str, summarize: Any) -> None:
    if not bool(condition.all()):
        if not shown:  # in a graph
            edge = 3 if summarize is None else 10**9 if summarize == -1 else summarize
            told = " ".join(f"[{_items(numpy_of(d), edge, ' ')}]" for d in data)
            raise errors.InvalidArgumentError(None, None, f"assertion failed: {told}")
        raise errors.InvalidArgumentError(None, None, f"Expected '{shown}' to be true. Summarized data: " + _summary(data, summarize))


def _summary(data: Any, summarize: Any) -> str:
    edge = 3 if summarize is None else 10**9 if summarize == -1 else summarize
    return "\n".join(_items(numpy_of(d), edge) for d in data)


def _items(array: np.ndarray, limit: int, between: str = ", ") -> str:
    flat = array.reshape(-1)
    if between == " " and flat.dtype == np.bool_:
        flat = flat.astype(np.int64)
    text = between.join(v.decode("utf-8", "replace") if between == " " and isinstance(v, bytes) else str(v) for v in flat[:limit])
    return text + f"{between if between != ' ' else ''}..." if flat.size > limit else text


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
    if not shape.is_compatible_with(TensorShape._of(tuple(input.shape))):
        got = "[" + ",".join(str(d) for d in input.shape) + "]"
        want = "[" + ",".join("?" if d is None else str(d) for d in shape) + "]"
        raise invalid(f"Shape of tensor input {got} is not compatible with expected shape {want}. [Op:EnsureShape]")
    return input.view_as(input) if isinstance(input, torch.Tensor) else input


_ensure_shape.strings(_ensure_shape.op.fn)


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """`x`, whose shape is compatible with `shape`; InvalidArgumentError otherwise (`tf.ensure_shape`)."""
    out = _ensure_shape(convert_to_tensor(x), TensorShape(shape))
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
def _compare(tensors: Any, sign: str, message: Any, summarize: Any, unary: bool) -> None:
    x, y = tensors
    try:
        good = _TESTS[sign](x, y)
    except RuntimeError:
        raise invalid(
            f"Incompatible shapes: {_dims(x)} vs. {_dims(y)} [Op:{'Equal' if sign == '==' else 'Less'}] name: "
        ) from None
    good = torch.as_tensor(np.asarray(good, dtype=bool)) if not isinstance(good, torch.Tensor) else good
    if bool(good.all()):
        return
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
    x, y = _alike(x, y)
    _compare([x, y], sign, message, summarize, False)


def compare_zero(x: Any, sign: str, message: Any, summarize: Any) -> None:
    """Assert `x sign 0` element-wise."""
    x = convert_to_tensor(x)
    zero = wrap(torch.zeros((), dtype=x.dtype.torch))
    _compare([x, zero], sign, message, summarize, True)


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
def _rank_later(x: Any, low: Any, exact: Any, message: Any) -> None:
    _check_rank(x.ndim, tuple(x.shape), low, exact, message)


_rank_later.infer(lambda *args: [])
_rank_later.strings(_rank_later.op.fn)


def _check_rank(found: int, shape: Any, low: Any, exact: Any, message: Any) -> None:
    head = f"{message}.  " if message else ""
    if low is not None and found < low:
        raise ValueError(f"{head}Tensor  must have rank at least {low}.  Received rank {found}, shape {shape}")
    if exact is not None and found not in exact:
        want = f"rank {exact[0]}" if len(exact) == 1 else f"rank in {tuple(exact)}"
        raise ValueError(f"{head}Tensor  must have {want}.  Received rank {found}, shape {shape}")


def check_rank(x: Any, low: Any, exact: Any, message: Any) -> None:
    """Assert a rank of at least `low`, or one of `exact`; at once when the static shape tells."""
    x = convert_to_tensor(x)
    if x.shape.rank is None:
        _rank_later(x, low, exact, message)
    else:
        _check_rank(x.shape.rank, x.shape, low, exact, message)


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


