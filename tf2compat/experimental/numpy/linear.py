"""Products of arrays."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .elementwise import multiply
from .kinds import asarray, pair, promoted


def dot(a: Any, b: Any) -> Any:
    """The last axis of `a` against the last but one of `b`."""
    a, b = pair(a, b)
    if a.shape.rank == 0 or b.shape.rank == 0:
        return a * b
    return tf.tensordot(a, b, [[-1], [-1 if b.shape.rank == 1 else -2]])


def vdot(a: Any, b: Any) -> Any:
    """The inner product of the flattened arrays, the first conjugated."""
    a, b = pair(a, b)
    a, b = tf.reshape(a, [-1]), tf.reshape(b, [-1])
    return dot(tf.math.conj(a) if a.dtype.is_complex else a, b)


def inner(a: Any, b: Any) -> Any:
    """The last axes against each other."""
    a, b = pair(a, b)
    return a * b if a.shape.rank == 0 or b.shape.rank == 0 else tf.tensordot(a, b, [[-1], [-1]])


def outer(a: Any, b: Any) -> Any:
    """All products of elements."""
    a, b = pair(a, b)
    return multiply(tf.reshape(a, [-1, 1]), tf.reshape(b, [-1]))


def matmul(x1: Any, x2: Any) -> Any:
    """Products of matrices; vectors count as rows or columns."""
    a, b = pair(x1, x2)
    if a.shape.rank == 1 and b.shape.rank == 1:
        return tf.reduce_sum(a * b)
    if b.shape.rank == 1:
        return tf.linalg.matvec(a, b)
    if a.shape.rank == 1:
        return tf.squeeze(tf.matmul(a[None], b), -2)
    return tf.matmul(a, b)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sums of products over chosen axes."""
    a, b = pair(a, b)
    return tf.tensordot(a, b, axes)


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Sums of products in Einstein's notation; `casting` is "safe" or "no", `optimize` as NumPy's."""
    casting, optimize = kwargs.pop("casting", "safe"), kwargs.pop("optimize", False)
    if kwargs:
        raise TypeError(f"einsum() got unexpected keyword arguments {sorted(kwargs)}")
    if casting not in ("safe", "no"):
        raise ValueError(f'Invalid value for argument `casting`. Expected casting="safe" or casting="no". Received: casting={casting}')
    if optimize not in (False, True, "greedy", "optimal"):
        raise ValueError(f'Invalid value for argument `optimize`. Expected one of {{True, "greedy", "optimal"}}. Received: optimize={optimize}')
    parts = promoted(*operands) if casting == "safe" else [asarray(o) for o in operands]
    return tf.einsum(subscripts, *parts, optimize="optimal" if optimize == "optimal" else "greedy")


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product."""
    a, b = pair(a, b)
    rank = max(a.shape.rank, b.shape.rank)
    p = tf.reshape(a, [1] * (rank - a.shape.rank) + a.shape.as_list())
    q = tf.reshape(b, [1] * (rank - b.shape.rank) + b.shape.as_list())
    spread_p = tf.reshape(p, [v for d in p.shape.as_list() for v in (d, 1)])
    spread_q = tf.reshape(q, [v for d in q.shape.as_list() for v in (1, d)])
    return tf.reshape(multiply(spread_p, spread_q), [m * n for m, n in zip(p.shape.as_list(), q.shape.as_list(), strict=True)])


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    """The cross product of vectors of 2 or 3 elements."""
    from .shaping import moveaxis

    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = pair(a, b)
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError(f"incompatible dimensions for cross product (dimension must be 2 or 3): {a.shape} and {b.shape}")
    if a.shape[-1] == 2 and b.shape[-1] == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]

    def three(v: Any) -> list[Any]:
        return [v[..., 0], v[..., 1], v[..., 2] if v.shape[-1] == 3 else tf.zeros_like(v[..., 0])]

    p, q = three(a), three(b)
    out = tf.stack([p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]], -1)
    return moveaxis(out, -1, axisc)
