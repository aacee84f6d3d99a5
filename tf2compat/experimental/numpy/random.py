"""`tf.experimental.numpy.random`: numbers from TensorFlow's generator under NumPy's names."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf

from ..._names import module_getattr
from .kinds import asarray, default_float, result_type


def _size(size: Any) -> Any:
    return [] if size is None else [size] if isinstance(size, (int, np.integer)) else size


def seed(s: Any) -> None:
    """Sets TensorFlow's global seed."""
    try:
        s = int(s)
    except TypeError:
        raise ValueError(f"Argument `s` got an invalid value {s}. Only integers are supported.") from None
    tf.random.set_seed(s)


def randn(*args: Any) -> Any:
    """Normal numbers in the given shape."""
    return standard_normal(size=args)


def standard_normal(size: Any = None) -> Any:
    """Normal numbers of mean 0 and deviation 1."""
    return tf.random.normal(_size(size), dtype=default_float())


def rand(*size: Any) -> Any:
    """Numbers from [0, 1) in the given shape."""
    return uniform(0.0, 1.0, size)


def random(size: Any = None) -> Any:
    """Numbers from [0, 1)."""
    return uniform(0.0, 1.0, size)


def uniform(low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    """Numbers from [low, high)."""
    kind = default_float()
    low, high = asarray(low, kind), asarray(high, kind)
    shape = tf.broadcast_dynamic_shape(tf.shape(low), tf.shape(high)) if size is None else _size(size)
    return tf.random.uniform(shape, dtype=kind) * (high - low) + low


def poisson(lam: Any = 1.0, size: Any = None) -> Any:
    """Poisson numbers, int64."""
    lam = asarray(lam, default_float())
    shape = lam.shape if size is None else _size(size)
    return tf.random.stateless_poisson(shape, tf.random.uniform([2], maxval=2**31 - 1, dtype=tf.int32), lam, tf.int64)


def randint(low: Any, high: Any = None, size: Any = None, dtype: Any = int) -> Any:
    """Integers from [low, high), or [0, low) where only one is given. ValueError for a dtype that is no integer."""
    wanted = result_type(dtype)
    if high is None:
        low, high = 0, low
    if not wanted.is_integer:
        raise ValueError(f"Argument `dtype` got an invalid value {dtype}. Only those convertible to integer types are supported.")
    inner = tf.int32 if wanted is tf.int32 else tf.int64
    return tf.cast(tf.random.uniform(_size(size), minval=tf.cast(low, inner), maxval=tf.cast(high, inner), dtype=inner), wanted)


__getattr__ = module_getattr("tf.experimental.numpy.random")
