"""Binary arithmetic and the unary operators of `tf.math`."""

# ruff: noqa: A001 - TensorFlow's public names
from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine.convert import convert_to_tensor
from .._engine.dtypes import COMPLEXES, FLOATS, INTS, NUMBERS, REALS, SIGNED, string
from .._engine.op import invalid, op, tensor
from .._engine.tensor import Tensor
from .kernels import readable

_INTEGER = frozenset(d.torch for d in INTS)
_NUM = tensor(NUMBERS, scalar=True)


@op("AddV2", elementwise=True, hint=True, x=tensor(NUMBERS, string, scalar=True), y=tensor(NUMBERS, string, scalar=True))
def add(x: Any, y: Any, name: str | None = None) -> Any:
    """x + y element-wise with broadcasting; concatenation for strings (`tf.math.add`)."""
    return torch.add(x, y)


@add.strings
def _(x: Any, y: Any) -> Any:
    return np.asarray(broadcast_strings(x, y, "AddV2", np.add), dtype=object)


def broadcast_strings(x: Any, y: Any, name: str, fn: Any) -> Any:
    """`fn` on two arrays of bytes; shapes that do not broadcast fail as TensorFlow's do."""
    try:
        return fn(x, y)
    except ValueError:
        a, b = (",".join(map(str, t.shape)) for t in (x, y))
        raise invalid(f"Incompatible shapes: [{a}] vs. [{b}] [Op:{name}] name: ") from None


@op("Sub", elementwise=True, x=_NUM, y=_NUM)
def subtract(x: Any, y: Any, name: str | None = None) -> Any:
    """x - y element-wise with broadcasting (`tf.math.subtract`)."""
    return torch.sub(x, y)


@op("Mul", elementwise=True, x=_NUM, y=_NUM)
def multiply(x: Any, y: Any, name: str | None = None) -> Any:
    """x * y element-wise with broadcasting (`tf.math.multiply`)."""
    return torch.mul(x, y)


@op("RealDiv", elementwise=True, x=_NUM, y=_NUM)
def truediv(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y element-wise; 8 and 16 bit integers give float32, wider ones float64 (`tf.math.truediv`)."""
    if x.dtype in _INTEGER:
        wide = torch.float32 if x.dtype in _NARROW else torch.float64
        return torch.true_divide(x.to(wide), y.to(wide) if isinstance(y, torch.Tensor) else y)
    return torch.true_divide(x, y)


@truediv.wrong_dtype
def _(want: Any, got: Any) -> Exception:
    if want is None:
        return TypeError(f"Invalid dtype {got!r} in __truediv__. Expected one of {{{', '.join(repr(d) for d in NUMBERS)}}}.")
    return TypeError(f"`x` and `y` must have the same dtype, got {want!r} != {got!r}.")


_NARROW = frozenset((torch.int8, torch.uint8, torch.int16, torch.uint16))


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python divides, as a tensor (`tf.math.divide`)."""
    if type(x) is Tensor or type(y) is Tensor:
        return truediv(x, y, name)
    if not isinstance(x, Tensor) and not isinstance(y, Tensor) and not hasattr(type(x), "_tf_op") and not hasattr(type(y), "_tf_op"):
        x = convert_to_tensor(x, dtype_hint=getattr(y, "dtype", None))
    return truediv(x, y, name)


def _no_zero(y: Any, x: Any) -> Any:
    """`y` as a divisor of integers. Where its values cannot be looked at, 0 is replaced: it would end the process."""
    if isinstance(x, torch.Tensor) and not x.numel():
        return y  # nothing is divided
    if isinstance(y, torch.Tensor):
        if not readable(y):
            return torch.where(y == 0, 1, y)
        if y.numel() and not bool((y != 0).all()):
            raise invalid("Integer division by zero [Op:FloorDiv] name: ")
    elif y == 0:
        raise invalid("Integer division by zero [Op:FloorDiv] name: ")
    return y


@op("FloorDiv", elementwise=True, x=tensor(REALS, scalar=True), y=tensor(REALS, scalar=True))
def floordiv(x: Any, y: Any, name: str | None = None) -> Any:
    """floor(x / y) element-wise (`tf.math.floordiv`). Integer division by zero raises InvalidArgumentError."""
    if x.dtype in _INTEGER:
        return torch.div(x, _no_zero(y, x), rounding_mode="floor")
    return torch.floor(torch.true_divide(x, y)).detach()


@op("FloorMod", elementwise=True, x=tensor(REALS, scalar=True), y=tensor(REALS, scalar=True))
def floormod(x: Any, y: Any, name: str | None = None) -> Any:
    """Remainder with the sign of `y`, element-wise (`tf.math.floormod`)."""
    if x.dtype in _INTEGER:
        y = _no_zero(y, x)
    return torch.remainder(x, y)


@op("Pow", elementwise=True, x=tensor(FLOATS, COMPLEXES, SIGNED, scalar=True), y=tensor(FLOATS, COMPLEXES, SIGNED, scalar=True))
def pow(x: Any, y: Any, name: str | None = None) -> Any:
    """x ** y element-wise with broadcasting (`tf.math.pow`)."""
    if x.dtype in _INTEGER:
        negative = (y < 0).any() if isinstance(y, torch.Tensor) and readable(y) else isinstance(y, int) and y < 0
        if negative:
            raise invalid("Integers to negative integer powers are not allowed [Op:Pow] name: ")
    elif isinstance(y, torch.Tensor) and y.requires_grad and not x.is_complex():
        # where the base is not positive, TensorFlow's gradient of the exponent is 0 and torch's NaN
        positive = x > 0
        return torch.where(positive, torch.pow(torch.where(positive, x, 1), y), torch.pow(x, y.detach()))
    return torch.pow(x, y)


@op("Neg", x=tensor(FLOATS, SIGNED, COMPLEXES))
def negative(x: Any, name: str | None = None) -> Any:
    """-x element-wise (`tf.math.negative`)."""
    return torch.neg(x)


@op("Abs", x=tensor(FLOATS, SIGNED, COMPLEXES))
def abs(x: Any, name: str | None = None) -> Any:
    """|x| element-wise; the magnitude, a float, for complex `x` (`tf.math.abs`)."""
    return torch.abs(x)


__all__ = ["abs", "add", "divide", "floordiv", "floormod", "multiply", "negative", "pow", "subtract", "truediv"]
