"""Reductions over axes, and the positions of extremes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import operand
from .._engine.dtypes import FLOATS, INTS, NUMBERS, REALS
from .._engine.dtypes import bool as bool_
from .._engine.op import AXES, DTYPE, INT, invalid, op, tensor
from .._engine.tensor import Tensor
from .roots import root

_NUM = tensor(NUMBERS)
_INTEGER = frozenset(d.torch for d in INTS)


def _scalar_axis(axis: Any) -> Exception:
    first = axis[0] if isinstance(axis, tuple) else axis
    return invalid(f"Invalid reduction dimension ({first} for input with 0 dimension(s))")


def _all(x: Any) -> tuple[int, ...]:
    return tuple(range(x.ndim))


def _bad_axes(x: Any, axis: Any = None, keepdims: Any = False, *rest: Any) -> str | None:
    """What TensorFlow says about axes that do not fit `x`."""
    if axis is None or not isinstance(axis, (int, tuple)):
        return None
    seen = set()
    for a in (axis,) if isinstance(axis, int) else axis:
        if not isinstance(a, int):
            return None
        if not -x.ndim <= a < x.ndim:
            return f"Invalid reduction dimension ({a} for input with {x.ndim} dimension(s))"
        if a % x.ndim in seen:
            return f"Invalid reduction arguments: Axes contains duplicate dimension: {a % x.ndim}"
        seen.add(a % x.ndim)
    return None


@op("Sum", input_tensor=_NUM, axis=AXES)
def reduce_sum(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Sum over `axis`, an int or a list of ints (all axes when None), in the dtype of `input_tensor` (`tf.math.reduce_sum`)."""
    x = input_tensor
    if axis is None:
        if not keepdims:
            return torch.sum(x) if x.dtype not in _INTEGER else torch.sum(x, dtype=x.dtype)
        axis = _all(x)
    if axis == ():
        return x
    if x.ndim == 0:
        raise _scalar_axis(axis)
    if x.dtype in _INTEGER:
        return torch.sum(x, axis, bool(keepdims), dtype=x.dtype)
    return torch.sum(x, axis, bool(keepdims))


@op("Mean", input_tensor=_NUM, axis=AXES)
def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Mean over `axis` in the dtype of `input_tensor`; integers divide as integers do (`tf.math.reduce_mean`)."""
    x = input_tensor
    if axis is None:
        if not keepdims and x.dtype not in _INTEGER:
            return torch.mean(x)
        axis = _all(x)
    if axis == ():
        return x
    if x.ndim == 0:
        raise _scalar_axis(axis)
    if x.dtype in _INTEGER:
        count = 1
        for a in (axis,) if type(axis) is int else axis:
            count *= x.shape[a]
        total = torch.sum(x, axis, bool(keepdims), dtype=torch.int64)
        return torch.div(total, count, rounding_mode="trunc").to(x.dtype) if count else total.to(x.dtype)
    return torch.mean(x, axis, bool(keepdims))


@op("Max", input_tensor=tensor(REALS), axis=AXES)
def reduce_max(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Maximum over `axis`; equal maxima share the gradient (`tf.math.reduce_max`). Of no elements, the dtype's lowest value."""
    x = input_tensor
    if axis is None:
        axis = _all(x)
    if axis == ():
        return x
    if x.ndim == 0:
        raise _scalar_axis(axis)
    if x.numel() == 0:
        return _of_none(x, axis, keepdims, -torch.inf if x.is_floating_point() else torch.iinfo(x.dtype).min)
    return torch.amax(x, axis, bool(keepdims))


@op("Min", input_tensor=tensor(REALS), axis=AXES)
def reduce_min(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Minimum over `axis`; equal minima share the gradient (`tf.math.reduce_min`). Of no elements, the dtype's highest value."""
    x = input_tensor
    if axis is None:
        axis = _all(x)
    if axis == ():
        return x
    if x.ndim == 0:
        raise _scalar_axis(axis)
    if x.numel() == 0:
        return _of_none(x, axis, keepdims, torch.inf if x.is_floating_point() else torch.iinfo(x.dtype).max)
    return torch.amin(x, axis, bool(keepdims))


def _of_none(x: torch.Tensor, axis: Any, keepdims: Any, value: Any) -> torch.Tensor:
    shape = torch.any(x != x, axis, bool(keepdims)).shape if axis != () else x.shape
    out = torch.full(shape, value, dtype=x.dtype, device=x.device)
    return out + torch.sum(x) if x.requires_grad else out


@op("Prod", input_tensor=_NUM, axis=AXES)
def reduce_prod(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Product over `axis` in the dtype of `input_tensor` (`tf.math.reduce_prod`)."""
    x = input_tensor
    if axis is None:
        if not keepdims:
            return torch.prod(x, dtype=x.dtype)
        axis = _all(x)
    if axis == ():
        return x
    if x.ndim == 0:
        raise _scalar_axis(axis)
    if type(axis) is int:
        return torch.prod(x, axis, bool(keepdims), dtype=x.dtype)
    problem = _bad_axes(x, axis)
    if problem:
        raise invalid(problem)
    for a in sorted((a % x.ndim for a in axis), reverse=True):
        x = torch.prod(x, a, bool(keepdims), dtype=x.dtype)
    return x


#: elements from which on it matters how something is computed
_MANY = 4096


def _logical(fn: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    if x.dtype is torch.bool and x.numel() >= _MANY and x.device.type == "cpu":  # of bytes torch finds the extreme one a hundred times as fast
        x, fn = x.view(torch.uint8), torch.amax if fn is torch.any else torch.amin
        return _logical(fn, x, _all(x) if axis is None else axis, keepdims).view(torch.bool)
    if axis is None:
        if not keepdims:
            return fn(x)
        axis = _all(x)
    if axis == ():
        return x
    if x.ndim == 0:
        raise _scalar_axis(axis)
    return fn(x, axis, bool(keepdims))


@op("All", input_tensor=tensor(bool_), axis=AXES)
def reduce_all(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Whether all elements of a bool tensor over `axis` are True (`tf.math.reduce_all`)."""
    return _logical(torch.all, input_tensor, axis, keepdims)


@op("Any", input_tensor=tensor(bool_), axis=AXES)
def reduce_any(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Whether any element of a bool tensor over `axis` is True (`tf.math.reduce_any`)."""
    return _logical(torch.any, input_tensor, axis, keepdims)


@op("LogSumExp", input_tensor=tensor(FLOATS), axis=AXES)
def reduce_logsumexp(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """log(sum(exp(x))) over `axis`, without overflow (`tf.math.reduce_logsumexp`)."""
    x = input_tensor
    if axis is None:
        axis = _all(x)
    elif axis != () and x.ndim == 0:
        raise _scalar_axis(axis)
    if axis == ():
        return x * 1
    return torch.logsumexp(x, axis, bool(keepdims))


@op("Variance", input_tensor=_NUM, axis=AXES)
def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Mean squared distance from the mean over `axis`, real for complex numbers (`tf.math.reduce_variance`).

    TypeError for integers.
    """
    return _variance(input_tensor, axis, keepdims)


def _variance(x: Any, axis: Any, keepdims: Any) -> Any:
    if x.dtype in _INTEGER:
        raise TypeError(f"Input must be either real or complex. Received integer type {dtypes.of(x)!r}.")
    if axis is None:
        axis = _all(x)
    elif axis != () and x.ndim == 0:
        raise _scalar_axis(axis)
    if axis == ():
        return torch.abs(x - x) ** 2
    if x.numel() == 0:  # torch warns
        return torch.full_like(torch.sum(x.real, axis, keepdim=bool(keepdims)), torch.nan)
    if x.numel() >= _MANY and x.device.type == "cpu" and x.is_floating_point():  # torch's own walks other axes than the last against memory's order
        return torch.mean(torch.square(x - torch.mean(x, axis, True)), axis, bool(keepdims))
    return torch.var(x, axis, correction=0, keepdim=bool(keepdims))


@op("Std", input_tensor=_NUM, axis=AXES)
def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Square root of the variance over `axis` (`tf.math.reduce_std`). TypeError for integers."""
    return root(_variance(input_tensor, axis, keepdims))


@op("EuclideanNorm", input_tensor=_NUM, axis=AXES)
def reduce_euclidean_norm(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Square root of the sum of squares over `axis`, in the dtype of `input_tensor` (`tf.math.reduce_euclidean_norm`)."""
    x = input_tensor
    if axis is None:
        axis = _all(x)
    elif axis != () and x.ndim == 0:
        raise _scalar_axis(axis)
    if x.dtype in _INTEGER:
        wide = x.to(torch.float64)
        total = torch.sum(wide * wide, axis, bool(keepdims)) if axis != () else wide * wide
        return torch.sqrt(total).to(x.dtype)
    squares = x * x.conj() if x.is_complex() else x * x
    return root(torch.sum(squares, axis, bool(keepdims)) if axis != () else squares)


for _reduction in (reduce_sum, reduce_mean, reduce_max, reduce_min, reduce_prod, reduce_all, reduce_any, reduce_logsumexp,
                   reduce_variance, reduce_std, reduce_euclidean_norm):  # fmt: skip
    _reduction.diagnose(_bad_axes)


@op("CountNonzero", input=tensor(), axis=AXES, dtype=DTYPE)
def count_nonzero(input: Any, axis: Any = None, keepdims: bool | None = None, dtype: Any = dtypes.int64, name: str | None = None) -> Any:  # noqa: A002
    """Number of elements over `axis` that are not zero, or not the empty string (`tf.math.count_nonzero`)."""
    return _count(input != 0, axis, keepdims, dtype)


def _count(hits: torch.Tensor, axis: Any, keepdims: Any, dtype: Any) -> torch.Tensor:
    if axis is None:
        axis = _all(hits)
    elif axis != () and hits.ndim == 0:
        raise _scalar_axis(axis)
    if axis == ():
        return hits.to(dtype.torch)
    return torch.sum(hits, axis, bool(keepdims)).to(dtype.torch)


@count_nonzero.strings
def _(input: Any, axis: Any, keepdims: Any, dtype: Any) -> Any:  # noqa: A002
    return _count(torch.from_numpy(np.asarray(input != b"", dtype=bool)), axis, keepdims, dtype)


count_nonzero.diagnose(_bad_axes)


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The share of zeros among the elements of `value`, a float32 scalar (`tf.math.zero_fraction`)."""
    return _zero_fraction(value, name)


@op("ZeroFraction", value=tensor(NUMBERS, bool_))
def _zero_fraction(value: Any, name: str | None = None) -> Any:
    return torch.mean((value == 0).to(torch.float32))


# --- positions -----------------------------------------------------------------------------------------------------------
_ORDERED = tensor(REALS, bool_)
_SMALL = frozenset((torch.bool, torch.uint16, torch.uint32))
_INDEX = {"ArgMax": (dtypes.int16, dtypes.uint16, dtypes.int32, dtypes.int64), "ArgMin": (dtypes.int32, dtypes.int64)}


def _position(fn: Any, opname: str, x: Any, axis: Any, output_type: Any) -> Any:
    if x.ndim == 0:
        raise invalid(f"Expected dimension in the range [0, 0), but got {axis or 0} [Op:{opname}] name: ")
    if x.dtype in _SMALL:
        x = x.to(torch.int64)
    elif x.dtype is torch.uint64:
        x = (x.view(torch.int64) ^ torch.iinfo(torch.int64).min)
    out = fn(x, 0 if axis is None else axis)
    if output_type is dtypes.int64:
        return out
    if output_type not in _INDEX[opname]:
        listed = ", ".join(sorted(d.name for d in _INDEX[opname]))
        raise invalid(f"Value for attr 'output_type' of {output_type._cpp} is not in the list of allowed values: {listed} [Op:{opname}] name: ")
    return out.to(output_type.torch)


def _bad_position(x: Any, axis: Any = None, output_type: Any = None) -> str | None:
    axis = 0 if axis is None else axis
    if not -x.ndim <= axis < x.ndim:
        return f"Expected dimension in the range [{-x.ndim}, {x.ndim}), but got {axis}"
    if x.shape[axis] == 0:
        return f"Reduction axis {axis} is empty in shape [{','.join(str(d) for d in x.shape)}]"
    return None


@op("ArgMax", input=_ORDERED, axis=INT, output_type=DTYPE)
def argmax(input: Any, axis: Any = None, output_type: Any = dtypes.int64, name: str | None = None) -> Any:  # noqa: A002
    """Index of the largest value (the first of equal ones) along `axis`, 0 when None (`tf.math.argmax`)."""
    return _position(torch.argmax, "ArgMax", input, axis, output_type)


@op("ArgMin", input=_ORDERED, axis=INT, output_type=DTYPE)
def argmin(input: Any, axis: Any = None, output_type: Any = dtypes.int64, name: str | None = None) -> Any:  # noqa: A002
    """Index of the smallest value (the first of equal ones) along `axis`, 0 when None (`tf.math.argmin`)."""
    return _position(torch.argmin, "ArgMin", input, axis, output_type)


def _integer_axis(input: Any, axis: Any = None, output_type: Any = dtypes.int64) -> tuple[Any, Any, Any]:  # noqa: A002
    if isinstance(axis, (list, tuple, float, str)):
        raise TypeError("axis must be int or Tensor with integer datatype")
    return input, axis, output_type


def _one_axis(input: Any, axis: Any = None, output_type: Any = dtypes.int64) -> tuple[Any, Any, Any]:  # noqa: A002
    if isinstance(axis, (list, tuple)):
        raise invalid(f"dim must be a scalar, but received tensor of shape: [{len(axis)}] [Op:ArgMin] name: ")
    return _integer_axis(input, axis, output_type)


argmax.prepare(_integer_axis)
argmin.prepare(_one_axis)
argmax.op.differences = argmin.op.differences = "NaN counts as the extreme, as in NumPy; TensorFlow skips it."
argmax.diagnose(_bad_position)
argmin.diagnose(_bad_position)


def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Whether the elements of `x`, read row by row, never decrease, a bool scalar (`tf.math.is_non_decreasing`)."""
    return _steps(_numeric(x), False, name)


def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Whether the elements of `x`, read row by row, always increase, a bool scalar (`tf.math.is_strictly_increasing`)."""
    return _steps(_numeric(x), True, name)


def _numeric(x: Any) -> Any:
    x = operand(x)
    if not x.dtype.is_numeric:
        raise TypeError(f"Expected x to be numeric, instead found: {x!s}")
    return x


@op("Increasing", x=tensor(REALS))
def _steps(x: Any, strict: bool, name: str | None = None) -> Any:
    flat = x.reshape(-1)
    return torch.all(flat[1:] > flat[:-1] if strict else flat[1:] >= flat[:-1])


__all__ = [
    "argmax", "argmin", "count_nonzero", "is_non_decreasing", "is_strictly_increasing", "reduce_all", "reduce_any",
    "reduce_euclidean_norm", "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_std",
    "reduce_sum", "reduce_variance", "zero_fraction",
]  # fmt: skip
