"""Reductions, running totals, sorting and searching."""

# ruff: noqa: A001 - NumPy's names
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tf2compat as tf

from ..._engine import dtypes, state
from .kinds import asarray, default_float, inexact_of, result_type


def _at_least_int(a: Any) -> Any:
    """Integers narrower than NumPy's int, and bools, as it."""
    if state.PROMOTION is not None:  # a sum of weak integers is one
        return tf.cast(a, tf.int32) if a.dtype is dtypes.bool else a
    if a.dtype.is_integer or a.dtype is dtypes.bool:
        kind = dtypes.as_dtype(np.promote_types(a.dtype.as_numpy_dtype, np.uint if a.dtype.is_unsigned else np.int_))
        return tf.cast(a, kind)
    return a


def _entering(a: Any, dtype: Any, prepare: Callable[[Any], Any] | None) -> Any:
    if dtype is not None:
        return asarray(a, dtype)
    a = asarray(a)
    return a if prepare is None else prepare(a)


def _no_out(out: Any) -> None:
    if out is not None:
        raise ValueError(f"Setting out is not supported. Received: out={out}")


def sum(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = None) -> Any:
    """Sums; narrow integers and bools are added as int64."""
    return tf.reduce_sum(_entering(a, dtype, _at_least_int), axis, bool(keepdims))


def prod(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = None) -> Any:
    """Products; narrow integers and bools are multiplied as int64."""
    return tf.reduce_prod(_entering(a, dtype, _at_least_int), axis, bool(keepdims))


def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = None) -> Any:
    """Means, floats."""
    _no_out(out)
    return tf.reduce_mean(_entering(a, dtype, inexact_of), axis, bool(keepdims))


def amax(a: Any, axis: Any = None, out: Any = None, keepdims: Any = None) -> Any:
    """The largest elements."""
    _no_out(out)
    a = asarray(a)
    return tf.reduce_any(a, axis, bool(keepdims)) if a.dtype is dtypes.bool else tf.reduce_max(a, axis, bool(keepdims))


def amin(a: Any, axis: Any = None, out: Any = None, keepdims: Any = None) -> Any:
    """The smallest elements."""
    _no_out(out)
    a = asarray(a)
    return tf.reduce_all(a, axis, bool(keepdims)) if a.dtype is dtypes.bool else tf.reduce_min(a, axis, bool(keepdims))


def max(a: Any, axis: Any = None, keepdims: Any = None) -> Any:
    """The largest elements."""
    return amax(a, axis, None, keepdims)


def min(a: Any, axis: Any = None, keepdims: Any = None) -> Any:
    """The smallest elements."""
    return amin(a, axis, None, keepdims)


def ptp(a: Any, axis: Any = None, keepdims: Any = None) -> Any:
    """Largest minus smallest."""
    return amax(a, axis, None, keepdims) - amin(a, axis, None, keepdims)


def all(a: Any, axis: Any = None, keepdims: Any = None) -> Any:
    """Whether all elements are true."""
    return tf.reduce_all(asarray(a, np.bool_), axis, bool(keepdims))


def any(a: Any, axis: Any = None, keepdims: Any = None) -> Any:
    """Whether one element is true."""
    return tf.reduce_any(asarray(a, np.bool_), axis, bool(keepdims))


def var(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: Any = None) -> Any:
    """Variances with `ddof` degrees of freedom less than there are elements."""
    _no_out(out)
    a = asarray(a)
    given = result_type(dtype) if dtype is not None else None
    if given is not None and not (given.is_floating or given.is_complex):
        raise ValueError(f"Argument `dtype` must be a floating dtype. Received: {given}")
    a = tf.cast(a, given) if given is not None and not a.dtype.is_complex else inexact_of(a)
    differs = a - tf.reduce_mean(a, axis, True)
    squared = tf.math.real(differs * tf.math.conj(differs)) if a.dtype.is_complex else tf.square(differs)
    if ddof == 0:
        out_value = tf.reduce_mean(squared, axis, bool(keepdims))
    else:
        total = tf.reduce_sum(squared, axis, bool(keepdims))
        count = tf.size(squared) if axis is None else tf.reduce_prod(tf.gather(tf.shape(squared), axis))
        out_value = total / tf.cast(count - ddof, total.dtype)
    return out_value if given is None else tf.cast(out_value, given)


def std(a: Any, axis: Any = None, keepdims: Any = None) -> Any:
    """Standard deviations."""
    return tf.sqrt(var(a, axis, keepdims=keepdims))


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False) -> Any:
    """Weighted means along an axis or of everything, with the sums of weights if so asked."""
    if axis is not None and not isinstance(axis, int):
        raise ValueError(f"Argument `axis` must be an integer. Received axis={axis} (of type {type(axis)})")
    a = asarray(a)
    if weights is None:
        a = inexact_of(a)
        avg = tf.reduce_mean(a, axis)
        if not returned:
            return avg
        total = tf.cast(tf.size(a) if axis is None else tf.shape(a)[axis], a.dtype)
    else:
        inexact = a.dtype.is_floating or a.dtype.is_complex
        kind = result_type(a.dtype, weights) if inexact else result_type(a.dtype, weights, default_float())
        a, weights = asarray(a, kind), asarray(weights, kind)
        if axis is None or a.shape.rank == weights.shape.rank:
            if not a.shape.is_compatible_with(weights.shape):
                raise tf.errors.InvalidArgumentError(None, None, f"Expected weights of shape {a.shape}, got {weights.shape}")
            total = tf.reduce_sum(weights, axis)
            avg = tf.reduce_sum(a * weights, axis) / total
        else:
            if weights.shape.rank != 1:
                raise tf.errors.InvalidArgumentError(None, None, f"Expected weights of rank 1, got shape {weights.shape}")
            total = tf.reduce_sum(weights)
            avg = tf.tensordot(a, weights, [[axis], [0]]) / total
    return (avg, tf.broadcast_to(total, tf.shape(avg))) if returned else avg


def _without_nan(a: Any, fill: float) -> Any:
    from .elementwise import isnan

    a = asarray(a)
    return tf.where(isnan(a), tf.cast(fill, a.dtype), a) if a.dtype.is_floating or a.dtype.is_complex else a


def nansum(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Sums that leave NaNs out."""
    return sum(_without_nan(a, 0.0), axis, dtype, keepdims)


def nanprod(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Products that leave NaNs out."""
    return prod(_without_nan(a, 1.0), axis, dtype, keepdims)


def nanmean(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = None) -> Any:
    """Means that leave NaNs out."""
    from .elementwise import isnan

    a = asarray(a)
    if a.dtype is dtypes.bool or a.dtype.is_integer:
        return mean(a, axis, dtype, keepdims=keepdims)
    total = nansum(a, axis, dtype, keepdims)
    counted = tf.reduce_sum(tf.cast(tf.logical_not(isnan(a)), total.dtype), axis, bool(keepdims))
    return total / counted


def count_nonzero(a: Any, axis: Any = None) -> Any:
    """How many elements are not 0."""
    return tf.math.count_nonzero(asarray(a), axis)


def cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Running sums, of the flattened array without an axis."""
    return _running(tf.cumsum, a, axis, dtype)


def cumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Running products, of the flattened array without an axis."""
    return _running(tf.math.cumprod, a, axis, dtype)


def _running(fn: Any, a: Any, axis: Any, dtype: Any) -> Any:
    a = asarray(a, dtype)
    if dtype is None and a.dtype is not dtypes.bool:
        kind = np.promote_types(a.dtype.as_numpy_dtype, int) if a.dtype.is_integer else None
        a = a if kind is None else tf.cast(a, kind)
    return fn(tf.reshape(a, [-1]), 0) if axis is None else fn(a, axis)


def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours, `n` times."""
    a = asarray(a)
    if n < 0:
        raise ValueError(f"Argument `order` must be a non-negative integer. Received: axis={n}")
    rank = a.shape.rank
    if rank == 0 or not -rank <= axis < rank:
        raise ValueError(f"Argument `axis` (received axis={axis}) is out of bounds for input {a} of rank {rank}.")
    before: list[Any] = [slice(None)] * rank
    after: list[Any] = [slice(None)] * rank
    before[axis], after[axis] = slice(None, -1), slice(1, None)
    for _ in range(n):
        p, q = a[tuple(after)], a[tuple(before)]
        a = tf.not_equal(p, q) if a.dtype is dtypes.bool else p - q
    return a


def sort(a: Any, axis: Any = -1, kind: str = "quicksort", order: Any = None) -> Any:
    """The elements in order along an axis, of the flattened array for None."""
    if kind != "quicksort":
        raise ValueError(f'Invalid value for argument `kind`. Only kind="quicksort" is supported. Received: kind={kind}')
    if order is not None:
        raise ValueError("The `order` argument is not supported. Pass order=None")
    a = asarray(a)
    return tf.sort(tf.reshape(a, [-1]), 0) if axis is None else tf.sort(a, axis)


def argsort(a: Any, axis: Any = -1, kind: str = "quicksort", order: Any = None) -> Any:
    """The indices that put the elements in order, int64."""
    if kind not in ("quicksort", "stable"):
        raise ValueError(
            f'Invalid value for argument `kind`. Only kind="quicksort" and kind="stable" are supported. Received: kind={kind}'
        )
    if order is not None:
        raise ValueError("The `order` argument is not supported. Pass order=None")
    a = asarray(a)
    if a.dtype.is_complex:
        raise TypeError(f"argsort does not support complex64/complex128 dtypes. Received dtype: {a.dtype}")
    if a.shape.rank == 0:
        return tf.constant([0], tf.int64)
    flat, at = (tf.reshape(a, [-1]), 0) if axis is None else (a, axis)
    return tf.cast(tf.argsort(flat, at, stable=kind == "stable"), tf.int64)


def argmax(a: Any, axis: Any = None) -> Any:
    """The index of the largest element."""
    return _extreme(tf.argmax, a, axis)


def argmin(a: Any, axis: Any = None) -> Any:
    """The index of the smallest element."""
    return _extreme(tf.argmin, a, axis)


def _extreme(fn: Any, a: Any, axis: Any) -> Any:
    a = asarray(a)
    if axis is None or a.shape.rank == 0:
        a = tf.reshape(a, [-1])
    return fn(a, 0 if axis is None else axis)


def nonzero(a: Any) -> list[Any]:
    """The indices of the elements that are not 0, one vector for each dimension."""
    a = asarray(a, np.bool_)
    if a.shape.rank == 0:
        a = tf.reshape(a, [1])
    return tf.unstack(tf.where(a), num=a.shape.rank, axis=1)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """Sums of diagonals."""
    from .creation import diagonal

    a = asarray(a, dtype)
    rank = a.shape.rank
    if offset == 0 and rank is not None and axis1 in (-2, rank - 2) and axis2 in (-1, rank - 1):
        return tf.linalg.trace(a)
    return sum(diagonal(a, offset, axis1, axis2), -1, dtype)


