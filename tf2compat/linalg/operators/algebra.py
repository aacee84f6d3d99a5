"""Linear operators made of other ones: adjoint, inverse, product, sum, blocks, Kronecker product."""

from __future__ import annotations

from functools import reduce
from typing import Any

import tf2compat as tf

from ..._engine.shapes import TensorShape
from .base import LinearOperator, rightmost
from .matrices import LinearOperatorDiag, LinearOperatorIdentity, _hints


def compose(left: LinearOperator, right: LinearOperator) -> LinearOperator:
    """left @ right, as simple as it can be said."""
    if isinstance(left, LinearOperatorIdentity) and not left.batch_shape.rank:
        return right
    if isinstance(right, LinearOperatorIdentity) and not right.batch_shape.rank:
        return left
    if isinstance(left, LinearOperatorDiag) and isinstance(right, LinearOperatorDiag):
        return LinearOperatorDiag(left.diag * right.diag, is_non_singular=True if left.is_non_singular and right.is_non_singular else None)
    return LinearOperatorComposition([left, right])


class LinearOperatorAdjoint(LinearOperator):
    """The conjugate transpose of an operator (`tf.linalg.LinearOperatorAdjoint`)."""

    def __init__(
        self, operator: LinearOperator, is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None,
        is_square: Any = None, name: str | None = None,
    ) -> None:  # fmt: skip
        self._operator = operator
        super().__init__(
            operator.dtype, None, operator.is_non_singular if is_non_singular is None else is_non_singular,
            operator.is_self_adjoint if is_self_adjoint is None else is_self_adjoint,
            operator.is_positive_definite if is_positive_definite is None else is_positive_definite,
            operator.is_square if is_square is None else is_square, name or operator.name + "_adjoint", {"operator": operator},
        )  # fmt: skip

    @property
    def operator(self) -> LinearOperator:
        """The operator before taking the adjoint."""
        return self._operator

    def _shape(self) -> TensorShape:
        shape = self._operator.shape
        return shape[:-2].concatenate([shape[-1], shape[-2]])

    def _shape_tensor(self) -> Any:
        shape = self._operator.shape_tensor()
        return tf.concat([shape[:-2], shape[-1:], shape[-2:-1]], 0)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.matmul(x, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.solve(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _to_dense(self) -> Any:
        return tf.linalg.adjoint(self._operator.to_dense())

    def _determinant(self) -> Any:
        return tf.math.conj(self._operator.determinant())

    def _log_abs_determinant(self) -> Any:
        return self._operator.log_abs_determinant()

    def _adjoint(self) -> Any:
        return self._operator


class LinearOperatorInversion(LinearOperator):
    """The inverse of an operator (`tf.linalg.LinearOperatorInversion`)."""

    def __init__(
        self, operator: LinearOperator, is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None,
        is_square: Any = None, name: str | None = None,
    ) -> None:  # fmt: skip
        if is_non_singular is False or operator.is_non_singular is False:
            raise ValueError(f"operator and supplied hints must have `is_non_singular` equal to `True` or `None`. Found {operator.is_non_singular}")
        self._operator = operator
        super().__init__(
            operator.dtype, None, True, operator.is_self_adjoint if is_self_adjoint is None else is_self_adjoint,
            operator.is_positive_definite if is_positive_definite is None else is_positive_definite, True,
            name or operator.name + "_inv", {"operator": operator},
        )  # fmt: skip

    @property
    def operator(self) -> LinearOperator:
        """The operator before inversion."""
        return self._operator

    def _shape(self) -> TensorShape:
        return self._operator.shape

    def _shape_tensor(self) -> Any:
        return self._operator.shape_tensor()

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.solve(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.matmul(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _determinant(self) -> Any:
        return 1.0 / self._operator.determinant()

    def _log_abs_determinant(self) -> Any:
        return -self._operator.log_abs_determinant()

    def _inverse(self) -> Any:
        return self._operator


class LinearOperatorComposition(LinearOperator):
    """The product of operators, the last applied first (`tf.linalg.LinearOperatorComposition`)."""

    def __init__(
        self, operators: Any, is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None,
        is_square: Any = None, name: str | None = None,
    ) -> None:  # fmt: skip
        self._operators = list(operators)
        if not self._operators:
            raise ValueError("Expected a non-empty list of operators. Found: []")
        dtype = self._operators[0].dtype
        for o in self._operators:
            if o.dtype != dtype:
                raise TypeError(f"Expected all operators to have the same dtype.  Found {[(p.name, p.dtype.name) for p in self._operators]}")
        for a, b in zip(self._operators, self._operators[1:], strict=False):
            if None not in (a.domain_dimension, b.range_dimension) and a.domain_dimension != b.range_dimension:
                raise ValueError(f"operators are not compatible: shapes {a.shape} and {b.shape}")
        if all(o.is_non_singular for o in self._operators):
            if is_non_singular is False:
                raise ValueError("The composition of non-singular operators is always non-singular.")
            is_non_singular = True
        name = name or "_o_".join(o.name for o in self._operators)
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name, {"operators": operators})

    @property
    def operators(self) -> list[LinearOperator]:
        """The factors."""
        return self._operators

    def _shape(self) -> TensorShape:
        batch = reduce(tf.broadcast_static_shape, [o.batch_shape for o in self._operators])
        return batch.concatenate([self._operators[0].range_dimension, self._operators[-1].domain_dimension])

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        for o in self._operators if adjoint else reversed(self._operators):
            x = o.matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)
            adjoint_arg = False
        return x

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        for o in reversed(self._operators) if adjoint else self._operators:
            rhs = o.solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)
            adjoint_arg = False
        return rhs

    def _to_dense(self) -> Any:
        return reduce(tf.linalg.matmul, [o.to_dense() for o in self._operators])

    def _determinant(self) -> Any:
        return reduce(tf.multiply, [o.determinant() for o in self._operators])

    def _log_abs_determinant(self) -> Any:
        return reduce(tf.add, [o.log_abs_determinant() for o in self._operators])


class LinearOperatorKronecker(LinearOperator):
    """The Kronecker product of operators (`tf.linalg.LinearOperatorKronecker`)."""

    def __init__(
        self, operators: Any, is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None,
        is_square: Any = None, name: str | None = None,
    ) -> None:  # fmt: skip
        self._operators = list(operators)
        if not self._operators:
            raise ValueError("Argument `operators` must be a list of >=1 operators. Found: []")
        if len({o.dtype for o in self._operators}) > 1:
            raise TypeError(f"Expected every operation in argument `operators` to have the same dtype. Found {[o.dtype for o in self._operators]}")

        def of_all(hint: Any, attribute: str) -> Any:
            return True if hint is None and all(getattr(o, attribute) for o in self._operators) else hint

        super().__init__(
            self._operators[0].dtype, None, of_all(is_non_singular, "is_non_singular"), of_all(is_self_adjoint, "is_self_adjoint"),
            of_all(is_positive_definite, "is_positive_definite"), of_all(is_square, "is_square"),
            name or "_x_".join(o.name for o in self._operators), {"operators": operators},
        )  # fmt: skip

    @property
    def operators(self) -> list[LinearOperator]:
        """The factors."""
        return self._operators

    def _shape(self) -> TensorShape:
        batch = reduce(tf.broadcast_static_shape, [o.batch_shape for o in self._operators])
        rows = columns = 1
        for o in self._operators:
            rows, columns = rows * o.range_dimension, columns * o.domain_dimension
        return batch.concatenate([rows, columns])

    def _to_dense(self) -> Any:
        def product(a: Any, b: Any) -> Any:
            out = tf.einsum("...ij,...kl->...ikjl", a, b)
            return tf.reshape(out, tf.concat([tf.shape(out)[:-4], [a.shape[-2] * b.shape[-2], a.shape[-1] * b.shape[-1]]], 0))

        return reduce(product, [o.to_dense() for o in self._operators])

    def _determinant(self) -> Any:
        n = self.domain_dimension
        return reduce(tf.multiply, [o.determinant() ** tf.cast(n // o.domain_dimension, self.dtype) for o in self._operators])

    def _log_abs_determinant(self) -> Any:
        n = self.domain_dimension
        return reduce(tf.add, [o.log_abs_determinant() * tf.cast(n // o.domain_dimension, self.dtype) for o in self._operators])

    def _inverse(self) -> Any:
        return LinearOperatorKronecker([o.inverse() for o in self._operators])

    def _adjoint(self) -> Any:
        return LinearOperatorKronecker([o.adjoint() for o in self._operators])

    def _cholesky(self) -> Any:
        return LinearOperatorKronecker([o.cholesky() for o in self._operators])


class LinearOperatorLowRankUpdate(LinearOperator):
    """L + U D Vᴴ for an operator L and narrow matrices U and V (`tf.linalg.LinearOperatorLowRankUpdate`)."""

    def __init__(
        self, base_operator: LinearOperator, u: Any, diag_update: Any = None, v: Any = None, is_diag_update_positive: Any = None,
        is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None, is_square: Any = None,
        name: str = "LinearOperatorLowRankUpdate",
    ) -> None:  # fmt: skip
        hints = _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square)
        self._base = base_operator
        self._u = rightmost(u)
        self._v = None if v is None else rightmost(v)
        self._diag_update = None if diag_update is None else rightmost(diag_update)
        self._positive = True if diag_update is None else is_diag_update_positive
        if v is None and base_operator.is_self_adjoint and is_self_adjoint is None:
            is_self_adjoint = True
        if v is None and base_operator.is_positive_definite and self._positive and is_positive_definite is None:
            is_positive_definite = True
        super().__init__(
            base_operator.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name,
            {"base_operator": base_operator, "u": u, "diag_update": diag_update, "v": v, **hints},
        )  # fmt: skip

    @property
    def base_operator(self) -> LinearOperator:
        """L."""
        return self._base

    @property
    def u(self) -> Any:
        """U."""
        return self._u

    @property
    def v(self) -> Any:
        """V, which is U when none was given."""
        return self._u if self._v is None else self._v

    @property
    def diag_update(self) -> Any:
        """The diagonal of D, None for ones."""
        return self._diag_update

    @property
    def diag_operator(self) -> LinearOperator:
        """D."""
        if self._diag_update is None:
            return LinearOperatorIdentity(self._u.shape[-1], dtype=self.dtype)
        return LinearOperatorDiag(self._diag_update)

    @property
    def is_diag_update_positive(self) -> Any:
        """Whether D has a positive diagonal, if known."""
        return self._positive

    def _shape(self) -> TensorShape:
        parts = [self._base.batch_shape, self._u.shape[:-2], self.v.shape[:-2]]
        return reduce(tf.broadcast_static_shape, parts).concatenate(self._base.shape[-2:])

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        left, right = (self.v, self._u) if adjoint else (self._u, self.v)
        inner = tf.linalg.matmul(right, x, adjoint_a=True, adjoint_b=adjoint_arg)
        inner = self.diag_operator.matmul(inner, adjoint=adjoint)
        return self._base.matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg) + tf.linalg.matmul(left, inner)

    def _to_dense(self) -> Any:
        return self._base.to_dense() + tf.linalg.matmul(self._u, self.diag_operator.matmul(tf.linalg.adjoint(self.v)))


__all__ = [
    "LinearOperatorAdjoint", "LinearOperatorComposition", "LinearOperatorInversion", "LinearOperatorKronecker",
    "LinearOperatorLowRankUpdate", "compose",
]  # fmt: skip
