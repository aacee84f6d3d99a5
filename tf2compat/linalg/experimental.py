"""`tf.linalg.experimental`."""

from __future__ import annotations

from typing import Any, NamedTuple

import tf2compat as tf

from .._names import module_getattr


class CGState(NamedTuple):
    """What `conjugate_gradient` returns: iterations, solution x, residual r, direction p, and the inner product of r and Pr."""

    i: Any
    x: Any
    r: Any
    p: Any
    gamma: Any


def conjugate_gradient(
    operator: Any,
    rhs: Any,
    preconditioner: Any = None,
    x: Any = None,
    tol: float = 1e-05,
    max_iter: int = 20,
    name: str = "conjugate_gradient",
) -> CGState:
    """Solve A x = rhs by conjugate gradients, for a self-adjoint positive definite LinearOperator
    (`tf.linalg.experimental.conjugate_gradient`).

    `rhs` is [..., N]; iteration ends after `max_iter` steps or when the residual is at most `tol` times the norm of `rhs`.
    ValueError for operators that are not known to be self-adjoint and positive definite.
    """
    if not (operator.is_self_adjoint and operator.is_positive_definite):
        raise ValueError("Expected a self-adjoint, positive definite operator.")

    def dot(a: Any, b: Any) -> Any:
        return tf.reduce_sum(tf.math.conj(a) * b, axis=-1, keepdims=True)

    def prepared(r: Any) -> Any:
        return r if preconditioner is None else preconditioner.matvec(r)

    rhs = tf.convert_to_tensor(rhs, operator.dtype)
    limit = tol * tf.norm(rhs, axis=-1)
    start = tf.zeros_like(rhs) if x is None else tf.convert_to_tensor(x, operator.dtype)
    r = rhs if x is None else rhs - operator.matvec(start)
    z = prepared(r)

    def going(i: Any, x: Any, r: Any, p: Any, gamma: Any) -> Any:
        return tf.logical_and(i < max_iter, tf.reduce_any(tf.math.real(tf.norm(r, axis=-1)) > tf.math.real(limit)))

    def step(i: Any, x: Any, r: Any, p: Any, gamma: Any) -> Any:
        q = operator.matvec(p)
        alpha = gamma / dot(p, q)
        x, r = x + alpha * p, r - alpha * q
        z = prepared(r)
        following = dot(r, z)
        return i + 1, x, r, z + following / gamma * p, following

    i, x, r, p, gamma = tf.while_loop(going, step, (tf.constant(0), start, r, z, dot(r, z)))
    return CGState(i, x, r, p, gamma[..., 0])


__getattr__ = module_getattr("tf.linalg.experimental")
