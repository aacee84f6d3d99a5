"""What `tf.linalg`'s functions do with a linear operator in the place of a matrix."""

from __future__ import annotations

from typing import Any


def perform(op: Any, args: tuple[Any, ...]) -> Any:
    """The op on operators among its arguments; NotImplemented for one that takes matrices alone."""
    from .base import LinearOperator

    given = dict(zip(op.params, args, strict=False))
    name = op.name
    if name == "MatMul":
        return _matmul(given)
    first = args[0]
    if name == "MatrixSolve":
        if not isinstance(first, LinearOperator):
            raise ValueError("Passing in `matrix` as a Tensor and `rhs` as a LinearOperator is not supported.")
        return first.solve(given["rhs"], adjoint=bool(given.get("adjoint")))
    if not isinstance(first, LinearOperator):
        return NotImplemented
    if name == "MatrixInverse":
        inverse = first.inverse()
        return inverse.adjoint() if given.get("adjoint") else inverse
    if name == "LogDet":
        if first.is_positive_definite and first.is_self_adjoint:
            return first.log_abs_determinant()
        raise ValueError("Expected matrix to be self-adjoint positive definite.")
    method = _METHODS.get(name)
    return NotImplemented if method is None else getattr(first, method)()


_METHODS = {"Adjoint": "adjoint", "Cholesky": "cholesky", "MatrixDeterminant": "determinant", "Trace": "trace"}


def _matmul(given: dict[str, Any]) -> Any:
    from .base import LinearOperator

    if given.get("transpose_a") or given.get("transpose_b"):
        raise ValueError("Transposing not supported at this time.")
    if given.get("a_is_sparse") or given.get("b_is_sparse"):
        raise ValueError("Sparse methods not supported at this time.")
    a, b = given["a"], given["b"]
    adjoint_a, adjoint_b = bool(given.get("adjoint_a")), bool(given.get("adjoint_b"))
    if isinstance(a, LinearOperator):
        return a.matmul(b, adjoint=adjoint_a, adjoint_arg=adjoint_b)
    # a b is the adjoint of b's adjoint times a's
    from ... import linalg

    return linalg.adjoint(b.matmul(a, adjoint=not adjoint_b, adjoint_arg=not adjoint_a))
