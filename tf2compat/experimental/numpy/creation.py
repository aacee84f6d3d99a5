"""Arrays from shapes, values and ranges."""

# ruff: noqa: A002 - NumPy's argument names
from __future__ import annotations

import math
from typing import Any

import numpy as np

import tf2compat as tf

from ..._engine.tensor import Tensor
from .kinds import asarray, converted, default_float, result_type


def _kind(dtype: Any) -> Any:
    return default_float() if dtype is None else result_type(dtype)


def array(val: Any, dtype: Any = None, copy: bool = True, ndmin: int = 0) -> Any:
    """A tensor of `val` with NumPy's dtype for it; at least of `ndmin` dimensions. Tensors are immutable: nothing is copied."""
    if ndmin > 32:
        raise ValueError("ndmin bigger than allowable number of dimensions: 32.")
    t = asarray(val, dtype)
    missing = ndmin - (t.shape.rank or 0)
    return tf.reshape(t, tf.concat([tf.ones([missing], tf.int32), tf.shape(t)], 0)) if missing > 0 else t


def asanyarray(a: Any, dtype: Any = None) -> Any:
    """As `asarray`."""
    return asarray(a, dtype)


def ascontiguousarray(a: Any, dtype: Any = None) -> Any:
    """As `array` of at least one dimension."""
    return array(a, dtype, ndmin=1)


def copy(a: Any) -> Any:
    """As `array`."""
    return array(a)


def empty(shape: Any, dtype: Any = float) -> Any:
    """Zeros: nothing is left unset."""
    return zeros(shape, dtype)


def empty_like(a: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of `a`."""
    return zeros_like(a, dtype)


def zeros(shape: Any, dtype: Any = float) -> Any:
    """Zeros, float64 by default."""
    return tf.zeros(_shape(shape), _kind(dtype))


def zeros_like(a: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of `a`."""
    return tf.zeros_like(asarray(a), None if dtype is None else result_type(dtype))


def ones(shape: Any, dtype: Any = float) -> Any:
    """Ones, float64 by default."""
    return tf.ones(_shape(shape), _kind(dtype))


def ones_like(a: Any, dtype: Any = None) -> Any:
    """Ones in the shape of `a`."""
    return tf.ones_like(asarray(a), None if dtype is None else result_type(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """`fill_value` broadcast to `shape`."""
    return tf.broadcast_to(asarray(fill_value, dtype), _shape(shape))


def full_like(a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None) -> Any:
    """`fill_value` in the shape of `a`. ValueError for an `order`, `subok` or `shape` other than the default."""
    if order != "K":
        raise ValueError("Non-standard orders are not supported.")
    if not subok:
        raise ValueError("subok being False is not supported.")
    if shape:
        raise ValueError("Overriding the shape is not supported.")
    a = asarray(a)
    return tf.broadcast_to(asarray(fill_value, dtype or a.dtype), tf.shape(a))


def _shape(shape: Any) -> Any:
    return [shape] if isinstance(shape, (int, np.integer)) else tf.reshape(shape, [-1]) if isinstance(shape, Tensor) else shape


def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = float) -> Any:
    """Ones on diagonal `k`."""
    rows, k = int(N), int(k)
    columns = int(M) if M else rows
    return tf.constant(np.eye(rows, columns, k), _kind(dtype))


def identity(n: Any, dtype: Any = float) -> Any:
    """The identity matrix."""
    return eye(n, n, dtype=dtype)


def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    """Ones at and below diagonal `k`."""
    M = N if M is None else M
    return tf.constant(np.tri(int(N), int(M), int(k)), default_float() if dtype is None else result_type(dtype))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """Numbers from `start` (0 where only one is given) to before `stop`. ValueError for a step of 0."""
    if not step:
        raise ValueError("step must be non-zero.")
    given = (start, step) if stop is None else (start, step, stop)
    kind = result_type(*given) if dtype is None else result_type(dtype)
    first, last = (0, start) if stop is None else (start, stop)
    if (step > 0 and first > last) or (step < 0 and first < last):
        return converted([], kind)
    return tf.cast(tf.range(*[converted(v, result_type(*given)) for v in (first, last, step)]), kind)


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = float, axis: int = 0) -> Any:
    """`num` numbers evenly from `start` to `stop`, with the step if so asked.

    The result's dtype is that of `start * 1.0` and `stop * 1.0`, as TensorFlow's is with NumPy 2: `dtype` does not change it.
    """
    kind = result_type(start * 1.0, stop * 1.0) if dtype else None
    start, stop = asarray(start, kind), asarray(stop, kind)
    if num < 0:
        raise ValueError(f"Argument `num` (number of samples) must be a non-negative integer. Received: num={num}")
    step: Any = tf.constant(math.nan)
    if endpoint:
        result = tf.linspace(start, stop, num, axis=axis)
        if num > 1:
            step = (stop - start) / tf.cast(num - 1, start.dtype)
    else:
        if num > 0:
            step = (stop - start) / tf.cast(num, start.dtype)
        result = tf.linspace(start, stop - step if num > 1 else stop, num, axis=axis)
    if kind is not None:
        result = tf.cast(result, kind)
    return (result, step) if retstep else result


def logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0) -> Any:
    """Powers of `base` whose exponents go evenly from `start` to `stop`."""
    result = linspace(start, stop, num=num, endpoint=endpoint, axis=axis)
    return tf.pow(tf.cast(base, result.dtype), result)


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Numbers of which each is a constant multiple of the one before."""
    from .elementwise import log10, real, sign
    from .shaping import moveaxis

    kind = tf.as_dtype(dtype) if dtype else result_type(start, stop, float(num), np.zeros(()))
    inner = np.promote_types(kind.as_numpy_dtype, np.float32)
    a, b = asarray(start, inner), asarray(stop, inner)
    flip = tf.cast(1 - (1 - sign(real(a)).numpy()) * (1 - sign(real(b)).numpy()) // 2, a.dtype)
    result = flip * logspace(log10(flip * a), log10(flip * b), num, endpoint=endpoint)
    return tf.cast(result if axis == 0 else moveaxis(result, 0, axis), kind)


def meshgrid(*xi: Any, **kwargs: Any) -> list[Any]:
    """Coordinates of a grid, "xy" or "ij". ValueError for `sparse=True` or `copy=False`."""
    if kwargs.get("sparse", False):
        raise ValueError(f"Function `meshgrid` does not support returning sparse arrays yet. Received: sparse={kwargs['sparse']}")
    if not kwargs.get("copy", True):
        raise ValueError(f"Function `meshgrid` only supports copy=True. Received: copy={kwargs['copy']}")
    return tf.meshgrid(*[asarray(x) for x in xi], indexing=kwargs.get("indexing", "xy"))


def diag(v: Any, k: int = 0) -> Any:
    """A matrix with the vector `v` on diagonal `k`, or the diagonal of a matrix."""
    v = asarray(v)
    v.shape.with_rank_at_most(2)
    if v.shape.rank == 0:
        raise tf.errors.InvalidArgumentError(None, None, "Expected a tensor of rank 1 or 2, got a scalar.")
    if v.shape.rank == 1:
        if v.shape[0] == 0:
            return tf.zeros([abs(k), abs(k)], v.dtype)
        return tf.linalg.diag(v, k=k)
    return diagonal(v, k)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of the matrices along two axes."""
    from .shaping import moveaxis

    a = asarray(a)
    if a.shape.rank is not None and a.shape.rank < 2:
        raise tf.errors.InvalidArgumentError(None, None, f"diagonals need an array of rank 2 at least, got shape {a.shape}")
    a = moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = a.shape[-2], a.shape[-1]
    if (rows is not None and offset <= -rows) or (columns is not None and offset >= columns):
        return tf.zeros(tf.concat([tf.shape(a)[:-2], [0]], 0), a.dtype)
    return tf.linalg.diag_part(a, k=offset)


def diagflat(v: Any, k: int = 0) -> Any:
    """The flattened `v` on the diagonal of a matrix."""
    return diag(tf.reshape(asarray(v), [-1]), k)


def diag_indices(n: Any, ndim: int = 2) -> tuple[Any, ...]:
    """Indices of the diagonal of an array of `ndim` dimensions of size `n`."""
    if n < 0:
        raise ValueError(f"n argument to diag_indices must be nonnegative, got {n}")
    if ndim < 0:
        raise ValueError(f"ndim argument to diag_indices must be nonnegative, got {ndim}")
    return (tf.range(n),) * ndim


def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    """Powers of the vector `x` as columns."""
    x = asarray(x)
    count = tf.size(x) if N is None else N
    if not isinstance(count, Tensor) and count < 0:
        raise ValueError("N must be nonnegative")
    powers = tf.range(count)
    return tf.pow(x[:, None], tf.cast(powers if increasing else powers[::-1], x.dtype)[None])
