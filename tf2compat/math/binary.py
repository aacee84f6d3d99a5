"""Functions of two tensors that are more than an operator: extremes, guarded divisions and logarithms, sums of many."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.bounds import clamp
from .._engine.convert import operand
from .._engine.dtypes import COMPLEXES, FLOATS, NUMBERS, REALS, float32, float64, int32, int64
from .._engine.op import invalid, op, tensor, tensors
from .._engine.tensor import Tensor
from .arithmetic import multiply

_REAL = tensor(REALS, scalar=True)
_SMOOTH = tensor(FLOATS, COMPLEXES)
_FLOAT = tensor(FLOATS)


@op("Maximum", elementwise=True, x=_REAL, y=_REAL)
def maximum(x: Any, y: Any, name: str | None = None) -> Any:
    """The larger of x and y element-wise, NaN if either is (`tf.math.maximum`). At a tie the gradient goes to `x`."""
    if not isinstance(y, torch.Tensor):
        return clamp(x, min=y)
    if x.requires_grad or y.requires_grad:
        return torch.where((x >= y) | (x != x), x, y)
    return torch.maximum(x, y)


@op("Minimum", elementwise=True, x=_REAL, y=_REAL)
def minimum(x: Any, y: Any, name: str | None = None) -> Any:
    """The smaller of x and y element-wise, NaN if either is (`tf.math.minimum`). At a tie the gradient goes to `x`."""
    if not isinstance(y, torch.Tensor):
        return clamp(x, max=y)
    if x.requires_grad or y.requires_grad:
        return torch.where((x <= y) | (x != x), x, y)
    return torch.minimum(x, y)


@op("SquaredDifference", elementwise=True, x=tensor(FLOATS, int32, int64, COMPLEXES), y=tensor(FLOATS, int32, int64, COMPLEXES))
def squared_difference(x: Any, y: Any, name: str | None = None) -> Any:
    """(x - y) squared element-wise; the squared magnitude for complex numbers (`tf.math.squared_difference`)."""
    d = torch.sub(x, y)
    return d * d.conj() if d.is_complex() else torch.square(d)


@op("Atan2", elementwise=True, y=_FLOAT, x=_FLOAT)
def atan2(y: Any, x: Any, name: str | None = None) -> Any:
    """Angle of the point (x, y), in (-pi, pi], element-wise (`tf.math.atan2`)."""
    return torch.atan2(y, x)


# The guarded functions replace the dangerous operand before it is used, so that the gradient is 0 and not NaN there.
@op("DivNoNan", elementwise=True, x=_SMOOTH, y=_SMOOTH)
def _div_no_nan(x: Any, y: Any, name: str | None = None) -> Any:
    zero = y == 0
    return torch.where(zero, 0, x / torch.where(zero, 1, y))


@_div_no_nan.wrong_dtype
def _(want: Any, got: Any) -> Exception:
    if want is None:
        return TypeError(f"Invalid dtype {got!r} in tf.math.divide_no_nan. Expected one of {{{', '.join(repr(d) for d in NUMBERS)}}}.")
    return TypeError(f"`x` and `y` must have the same dtype, got {want!r} != {got!r}.")


def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y element-wise, 0 where y is 0 (`tf.math.divide_no_nan`). Integers divide as `tf.truediv` does."""
    from .._engine.convert import convert_to_tensor
    from .._engine.dtypes import INTS
    from .._top.arithmetic import cast
    from .arithmetic import _NARROW

    mine, theirs = getattr(x, "dtype", None), getattr(y, "dtype", None)
    if isinstance(x, Tensor) and isinstance(y, Tensor) and mine is not theirs:
        raise TypeError(f"`x` and `y` must have the same dtype, got {mine!r} != {theirs!r}.")
    if isinstance(x, Tensor) and mine not in INTS:
        return _div_no_nan(x, y, name)
    if hasattr(type(x), "_tf_op") or hasattr(type(y), "_tf_op"):
        return _div_no_nan(x, y, name)
    x = convert_to_tensor(x, dtype_hint=getattr(y, "dtype", None))
    if x.dtype in INTS:
        y = convert_to_tensor(y, x.dtype)
        wide = float32 if x.dtype.torch in _NARROW else float64
        x, y = cast(x, wide), cast(y, wide)
    return _div_no_nan(x, y, name)


@op("MulNoNan", elementwise=True, x=_SMOOTH, y=_SMOOTH)
def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Any:
    """x * y element-wise, 0 where y is 0 even if x is infinite or NaN (`tf.math.multiply_no_nan`)."""
    return torch.where((y == 0) & ~torch.isfinite(x), 0, x * y)


@op("Xlogy", elementwise=True, x=_SMOOTH, y=_SMOOTH)
def xlogy(x: Any, y: Any, name: str | None = None) -> Any:
    """x * log(y) element-wise, 0 where x is 0 (`tf.math.xlogy`)."""
    return x * torch.log(torch.where(x == 0, 1, y))


@op("Xlog1py", elementwise=True, x=_SMOOTH, y=_SMOOTH)
def xlog1py(x: Any, y: Any, name: str | None = None) -> Any:
    """x * log(1 + y) element-wise, 0 where x is 0 (`tf.math.xlog1py`)."""
    return x * torch.log1p(torch.where(x == 0, 0, y))


@op("Xdivy", elementwise=True, x=_SMOOTH, y=_SMOOTH)
def xdivy(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y element-wise, 0 where x is 0 (`tf.math.xdivy`)."""
    if x.is_complex():
        zero = x == 0
        return torch.where(zero, 0, x / torch.where(zero, 1, y))
    return x / torch.where(x == 0, torch.inf, y)


def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """1 / x element-wise, 0 where x is 0 (`tf.math.reciprocal_no_nan`)."""
    return _reciprocal_no_nan(x, name)


@op("ReciprocalNoNan", x=_SMOOTH)
def _reciprocal_no_nan(x: Any, name: str | None = None) -> Any:
    zero = x == 0
    return torch.where(zero, 0, torch.reciprocal(torch.where(zero, 1, x)))


@op("NextAfter", elementwise=True, x1=tensor(float32, float64), x2=tensor(float32, float64))
def nextafter(x1: Any, x2: Any, name: str | None = None) -> Any:
    """The next representable float after x1 towards x2, element-wise (`tf.math.nextafter`)."""
    return torch.nextafter(x1, x2)


@nextafter.prepare
def _(x1: Any, x2: Any) -> tuple[Any, Any]:
    if not hasattr(x1, "dtype") and not hasattr(x2, "dtype"):  # Python integers are float32 here
        from .._engine.convert import convert_to_tensor

        x1 = convert_to_tensor(x1, float32)
    return x1, x2


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """scalar * x (`tf.math.scalar_mul`), slices of an IndexedSlices alone. ValueError when `scalar` is no 0-D scalar."""
    from ..indexed_slices import IndexedSlices

    if not isinstance(scalar, (int, float, complex)):
        from .._engine.convert import convert_to_tensor

        base = getattr(x, "dtype", None)
        scalar = operand(scalar) if hasattr(scalar, "dtype") else convert_to_tensor(scalar, base)
        if scalar.shape.ndims != 0:
            raise ValueError(f"The input scalar must be a 0-D value. Received shape {scalar.shape}.")
    if isinstance(x, IndexedSlices):
        return IndexedSlices(scalar_mul(scalar, x.values), x.indices, x.dense_shape)
    return multiply(scalar, x, name) if isinstance(scalar, Tensor) else multiply(x, scalar, name)


@op("AddN", hint=True, inputs=tensors(NUMBERS))
def _add_n(inputs: Any, name: str | None = None) -> Any:
    total = inputs[0]
    shape = total.shape
    for t in inputs:
        if t.shape != shape:
            raise invalid(
                f"Inputs to operation AddN must have the same size and shape.  Input 0: {_dims(shape)} != input "
                f"{next(i for i, u in enumerate(inputs) if u is t)}: {_dims(t.shape)} [Op:AddN] name: "
            )
    for t in inputs[1:]:
        total = torch.add(total, t)
    return total


def _dims(shape: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


def add_n(inputs: Any, name: str | None = None) -> Any:
    """Sum of a list of tensors of one shape and dtype (`tf.math.add_n`). ValueError when it is no list or empty."""
    from collections.abc import Iterable

    if isinstance(inputs, Tensor):
        inputs = list(inputs)
    message = "Inputs must be an iterable of at least one Tensor/IndexedSlices with the same dtype and shape."
    if not isinstance(inputs, Iterable):
        raise TypeError(f"'{type(inputs).__name__}' object is not iterable")
    inputs = list(inputs)
    if not inputs:
        raise ValueError(message)
    if any(hasattr(t, "values") and hasattr(t, "indices") and not isinstance(t, Tensor) for t in inputs):
        from .._engine.convert import convert_to_tensor

        inputs = [convert_to_tensor(t) for t in inputs]
    if len(inputs) == 1:
        return operand(inputs[0])
    return _add_n(inputs, name)


def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """Sum of a list of tensors of one shape and dtype (`tf.math.accumulate_n`)."""
    from .._engine.convert import convert_to_tensor
    from .._engine.dtypes import as_dtype
    from .._engine.shapes import TensorShape

    message = "inputs must be a list of at least one Tensor with the same dtype and shape"
    if not inputs or not isinstance(inputs, (list, tuple)):
        raise ValueError(message)
    inputs = [convert_to_tensor(t) for t in inputs]
    if not all(t.dtype is inputs[0].dtype for t in inputs):
        raise ValueError(message)
    known = TensorShape(shape)
    for t in inputs:
        known = known.merge_with(t.shape)
    if tensor_dtype is not None and as_dtype(tensor_dtype) is not inputs[0].dtype:
        raise TypeError(f"The `tensor_dtype` argument is {tensor_dtype}, but `input` is of type {inputs[0].dtype}. These must be equal.")
    return inputs[0] if len(inputs) == 1 else _add_n(inputs, name)


def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """The polynomial with the coefficients `coeffs`, a list from the highest degree down, at `x` (`tf.math.polyval`)."""
    from .._engine.convert import convert_to_tensor
    from .._top.creation import zeros_like

    if not isinstance(coeffs, list):
        raise ValueError(f"Argument coeffs must be list type. Received type {type(coeffs)}.")
    x = convert_to_tensor(x)
    if not coeffs:
        return zeros_like(x, name=name)
    terms = [convert_to_tensor(c, dtype_hint=x.dtype) for c in coeffs]
    p = terms[0]
    for c in terms[1:]:
        p = c + p * x
    return p


__all__ = [
    "accumulate_n", "add_n", "atan2", "divide_no_nan", "maximum", "minimum", "multiply_no_nan", "nextafter",
    "polyval", "reciprocal_no_nan", "scalar_mul", "squared_difference", "xdivy", "xlog1py", "xlogy",
]  # fmt: skip
