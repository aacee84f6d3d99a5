"""Reductions, products, shapes and joins of tensors, by Keras' names."""

# ruff: noqa: A001 - Keras' public names
from __future__ import annotations

from typing import Any

import tf2compat as tf

from .._base.config import settings
from .values import is_sparse


def _float(x: Any) -> Any:
    return tf.cast(x, settings.floatx) if x.dtype == tf.bool else x


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`tf.keras.backend.sum`."""
    return tf.reduce_sum(x, axis, keepdims)


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`tf.keras.backend.prod`."""
    return tf.reduce_prod(x, axis, keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`tf.keras.backend.mean`."""
    return tf.reduce_mean(_float(tf.convert_to_tensor(x)), axis, keepdims)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`tf.keras.backend.var`."""
    return tf.math.reduce_variance(_float(x), axis=axis, keepdims=keepdims)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`tf.keras.backend.std`."""
    return tf.math.reduce_std(_float(x), axis=axis, keepdims=keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`tf.keras.backend.max`."""
    return tf.reduce_max(x, axis, keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`tf.keras.backend.min`."""
    return tf.reduce_min(x, axis, keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`tf.keras.backend.any`."""
    return tf.reduce_any(tf.cast(x, tf.bool), axis, keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`tf.keras.backend.all`."""
    return tf.reduce_all(tf.cast(x, tf.bool), axis, keepdims)


def argmax(x: Any, axis: int = -1) -> Any:
    """`tf.keras.backend.argmax`."""
    return tf.argmax(x, axis)


def argmin(x: Any, axis: int = -1) -> Any:
    """`tf.keras.backend.argmin`."""
    return tf.argmin(x, axis)


def cumsum(x: Any, axis: int = 0) -> Any:
    """`tf.keras.backend.cumsum`."""
    return tf.cumsum(x, axis=axis)


def cumprod(x: Any, axis: int = 0) -> Any:
    """`tf.keras.backend.cumprod`."""
    return tf.math.cumprod(x, axis=axis)


def dot(x: Any, y: Any) -> Any:
    """The product of x's last axis and y's second to last; `x` may be a sparse matrix (`tf.keras.backend.dot`)."""
    if x.shape.rank is not None and (x.shape.rank > 2 or y.shape.rank > 2):
        return tf.tensordot(x, y, axes=[[x.shape.rank - 1], [y.shape.rank - 2]])
    if is_sparse(x):
        return tf.sparse.sparse_dense_matmul(x, y)
    return tf.matmul(x, y)


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Products of rows of batches along axes (`tf.keras.backend.batch_dot`)."""
    rx, ry = x.shape.rank, y.shape.rank
    if rx < 2 or ry < 2:
        raise ValueError(
            f"Cannot do batch_dot on inputs with rank < 2. Received inputs with tf.shapes {tuple(x.shape)} and {tuple(y.shape)}."
        )
    if isinstance(axes, int):
        axes = [axes, axes]
    if axes is None:
        axes = [rx - 1, ry - 1 if ry == 2 else ry - 2]
    a, b = (axes[0] % rx, axes[1] % ry)
    if a == 0 or b == 0:
        raise ValueError("Cannot perform batch_dot over axis 0. If your inputs are not batched, add a dummy batch dimension to your inputs using `K.expand_dims(x, 0)`")
    if x.shape[a] is not None and y.shape[b] is not None and x.shape[a] != y.shape[b]:
        raise ValueError(
            f"Cannot do batch_dot on inputs with shapes {tuple(x.shape)} and {tuple(y.shape)} with axes={[a, b]}. x.shape[{a}] != y.shape[{b}] ({x.shape[a]} != {y.shape[b]})."
        )
    letters = "abcdefghijklmnopqrstuvw"
    lx, ly = "z" + letters[: rx - 1], "z" + letters[rx : rx + ry - 1]
    ly = ly[:b] + lx[a] + ly[b + 1 :]
    out = lx.replace(lx[a], "") + ly[1:].replace(lx[a], "")
    found = tf.einsum(f"{lx},{ly}->{out}", x, y)
    return tf.expand_dims(found, -1) if len(out) == 1 else found


def transpose(x: Any) -> Any:
    """`tf.keras.backend.transpose`."""
    return tf.transpose(x)


def permute_dimensions(x: Any, pattern: Any) -> Any:
    """`tf.keras.backend.permute_dimensions`."""
    return tf.transpose(x, perm=pattern)


def reshape(x: Any, shape: Any) -> Any:
    """`tf.keras.backend.reshape`."""
    return tf.reshape(x, shape)


def flatten(x: Any) -> Any:
    """`tf.keras.backend.flatten`."""
    return tf.reshape(x, [-1])


def batch_flatten(x: Any) -> Any:
    """All but the first axis as one (`tf.keras.backend.batch_flatten`)."""
    rest = x.shape.as_list()[1:]
    if None not in rest:
        n = 1
        for d in rest:
            n *= d
        return tf.reshape(x, [-1, n])
    return tf.reshape(x, tf.stack([-1, tf.reduce_prod(tf.shape(x)[1:])]))


def expand_dims(x: Any, axis: int = -1) -> Any:
    """`tf.keras.backend.expand_dims`."""
    return tf.expand_dims(x, axis)


def squeeze(x: Any, axis: int) -> Any:
    """`tf.keras.backend.squeeze`."""
    return tf.squeeze(x, [axis])


def stack(x: Any, axis: int = 0) -> Any:
    """`tf.keras.backend.stack`."""
    return tf.stack(x, axis=axis)


def concatenate(tensors: Any, axis: int = -1) -> Any:
    """Tensors, or sparse tensors, side by side (`tf.keras.backend.concatenate`)."""
    if axis < 0 and tensors[0].shape.rank:
        axis %= tensors[0].shape.rank
    if not [t for t in tensors if not is_sparse(t)]:  # `all` is Keras' here
        return tf.sparse.concat(axis, tensors)
    return tf.concat([tf.sparse.to_dense(t) if is_sparse(t) else t for t in tensors], axis)


def repeat(x: Any, n: int) -> Any:
    """[batch, d] → [batch, n, d] (`tf.keras.backend.repeat`)."""
    return tf.tile(tf.expand_dims(x, 1), [1, n, 1])


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """`tf.keras.backend.repeat_elements`."""
    return tf.repeat(x, rep, axis=axis)


def tile(x: Any, n: Any) -> Any:
    """`tf.keras.backend.tile`."""
    return tf.tile(x, [n] if isinstance(n, int) else n)


def reverse(x: Any, axes: Any) -> Any:
    """`tf.keras.backend.reverse`."""
    return tf.reverse(x, [axes] if isinstance(axes, int) else axes)


def gather(reference: Any, indices: Any) -> Any:
    """`tf.keras.backend.gather`."""
    return tf.gather(reference, indices)


def one_hot(indices: Any, num_classes: int) -> Any:
    """`tf.keras.backend.one_hot`."""
    return tf.one_hot(indices, depth=num_classes, axis=-1)


def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """`tf.keras.backend.zeros_like`."""
    return tf.zeros_like(x, dtype=dtype)


def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """`tf.keras.backend.ones_like`."""
    return tf.ones_like(x, dtype=dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: str = "int32") -> Any:
    """`tf.keras.backend.arange`."""
    if stop is None and start < 0:
        start = 0
    out = tf.range(start, limit=stop, delta=step) if stop is not None else tf.range(start)
    return out if dtype == "int32" else tf.cast(out, dtype)


def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """`tf.keras.backend.in_top_k`."""
    return tf.math.in_top_k(targets, predictions, k)


def map_fn(fn: Any, elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """`tf.keras.backend.map_fn`."""
    return tf.map_fn(fn, elems, name=name, fn_output_signature=dtype)


def foldl(fn: Any, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`tf.keras.backend.foldl`."""
    return tf.foldl(fn, elems, initializer=initializer, name=name)


def foldr(fn: Any, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`tf.keras.backend.foldr`."""
    return tf.foldr(fn, elems, initializer=initializer, name=name)
