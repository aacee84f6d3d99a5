"""`tf.linalg.LinearOperator`: a matrix that need not be stored as one."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from ..._engine.convert import operand
from ..._engine.shapes import TensorShape
from ..._engine.tensor import Tensor
from ...module import Module


def _batch(x: Any) -> TensorShape:
    return x.shape[:-2]


def broadcast_batch(a: Any, b: Any) -> tuple[Any, Any]:
    """Two batches of matrices with their leading axes broadcast to one shape."""
    if a.shape[:-2].is_fully_defined() and a.shape[:-2] == b.shape[:-2]:
        return a, b
    both = tf.broadcast_dynamic_shape(tf.shape(a)[:-2], tf.shape(b)[:-2])
    return (
        tf.broadcast_to(a, tf.concat([both, tf.shape(a)[-2:]], 0)),
        tf.broadcast_to(b, tf.concat([both, tf.shape(b)[-2:]], 0)),
    )


class LinearOperator(Module):
    """A batch of matrices [..., M, N] known by what it does (`tf.linalg.LinearOperator`).

    A subclass defines `_shape`, `_matmul` and what it can do better than with its dense form: `_solve`, `_to_dense`,
    `_diag_part`, `_determinant`, …. The hints `is_non_singular`, `is_self_adjoint`, `is_positive_definite` and `is_square`
    are promises of the caller; ValueError where they contradict each other.
    """

    _given: tuple[tuple[Any, ...], dict[str, Any]]
    _TF_MODULE_IGNORED_PROPERTIES = frozenset(("_given", "_parameters"))

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        object.__setattr__(made, "_given", (args, kwargs))
        return made

    def __getitem__(self, slices: Any) -> Any:
        """The operator of a slice of the batch of matrices."""
        from .slicing import sliced

        return sliced(self, slices)

    def _tf_op(self, op: Any, args: tuple[Any, ...]) -> Any:
        from .dispatching import perform

        return perform(op, args)

    # an operator is no sequence, though it can be sliced
    __iter__ = None

    def __init__(
        self,
        dtype: Any,
        graph_parents: Any = None,
        is_non_singular: Any = None,
        is_self_adjoint: Any = None,
        is_positive_definite: Any = None,
        is_square: Any = None,
        name: str | None = None,
        parameters: Any = None,
    ) -> None:
        if is_positive_definite:
            if is_non_singular is False:
                raise ValueError("A positive definite matrix is always non-singular.")
            is_non_singular = True
        if is_non_singular:
            if is_square is False:
                raise ValueError("A non-singular matrix is always square.")
            is_square = True
        if is_self_adjoint:
            if is_square is False:
                raise ValueError("A self-adjoint matrix is always square.")
            is_square = True
        super().__init__(name=name or type(self).__name__)
        self._dtype = tf.as_dtype(dtype) if dtype is not None else None
        self._is_non_singular = is_non_singular
        self._is_self_adjoint = is_self_adjoint
        self._is_positive_definite = is_positive_definite
        self._is_square_set_or_implied = is_square
        self._parameters = parameters or {}
        self._operator_name = name or type(self).__name__

    # --- what it is ----------------------------------------------------------------------------------------------------
    @property
    def dtype(self) -> Any:
        """The DType of the elements."""
        return self._dtype

    @property
    def name(self) -> str:
        """The name given to the operator."""
        return self._operator_name

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments of the constructor by name."""
        from .slicing import arguments

        return arguments(self)

    @property
    def graph_parents(self) -> list[Any]:
        """Tensors that the operator depends on."""
        return [v for v in tf.nest.flatten(list(self._parameters.values())) if isinstance(v, Tensor)]

    @property
    def is_non_singular(self) -> Any:
        """Whether every matrix is invertible: True, False or None when nobody knows."""
        return self._is_non_singular

    @property
    def is_self_adjoint(self) -> Any:
        """Whether every matrix is its own adjoint, if known."""
        return self._is_self_adjoint

    @property
    def is_positive_definite(self) -> Any:
        """Whether every matrix is positive definite, if known."""
        return self._is_positive_definite

    @property
    def is_square(self) -> Any:
        """Whether rows and columns agree in number, if known."""
        shape = self.shape
        rows, columns = (shape[-2], shape[-1]) if shape.rank is not None else (None, None)
        if rows is not None and columns is not None:
            found = rows == columns
            if self._is_square_set_or_implied is not None and self._is_square_set_or_implied != found:
                raise ValueError(f"User set is_square hint to {self._is_square_set_or_implied}, but the operator was found to be "
                                 f"{'' if found else 'not '}square.")  # fmt: skip
            return found
        return self._is_square_set_or_implied

    def _shape(self) -> TensorShape:
        raise NotImplementedError("_shape is not implemented.")

    @property
    def shape(self) -> TensorShape:
        """The static shape [..., M, N]."""
        return TensorShape(self._shape())

    def _shape_tensor(self) -> Any:
        return tf.constant(self.shape.as_list(), tf.int32)

    def shape_tensor(self, name: str = "shape_tensor") -> Any:
        """The shape as an int32 vector."""
        return tf.constant(self.shape.as_list(), tf.int32) if self.shape.is_fully_defined() else self._shape_tensor()

    @property
    def batch_shape(self) -> TensorShape:
        """The shape of the batch of matrices."""
        return self.shape[:-2]

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Any:
        """The shape of the batch as an int32 vector."""
        return self.shape_tensor()[:-2]

    @property
    def tensor_rank(self) -> Any:
        """The rank of the dense form."""
        return self.shape.rank

    def tensor_rank_tensor(self, name: str = "tensor_rank_tensor") -> Any:
        """The rank of the dense form as a tensor."""
        return tf.constant(self.shape.rank) if self.shape.rank is not None else tf.size(self.shape_tensor())

    @property
    def domain_dimension(self) -> Any:
        """The number of columns."""
        return self.shape[-1]

    def domain_dimension_tensor(self, name: str = "domain_dimension_tensor") -> Any:
        """The number of columns as a tensor."""
        return self.shape_tensor()[-1]

    @property
    def range_dimension(self) -> Any:
        """The number of rows."""
        return self.shape[-2]

    def range_dimension_tensor(self, name: str = "range_dimension_tensor") -> Any:
        """The number of rows as a tensor."""
        return self.shape_tensor()[-2]

    # --- products ------------------------------------------------------------------------------------------------------
    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return tf.linalg.matmul(self.to_dense(), x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _right(self, x: Any) -> Any:
        x = operand(x, self.dtype)
        if x.dtype != self.dtype:
            raise TypeError(f"Expected argument to have dtype {self.dtype}.  Found: {x.dtype} in tensor {x!s}")
        return x

    def _fits(self, rows: Any, columns: Any) -> None:
        if rows is not None and columns is not None and rows != columns:
            raise ValueError(f"Dimensions are not compatible: {columns} of the operator with shape {self.shape}, {rows} of the argument")

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul") -> Any:
        """The product with matrices [..., N, R], or the composition with another operator."""
        if isinstance(x, LinearOperator):
            from .algebra import compose

            left = self.adjoint() if adjoint else self
            right = x.adjoint() if adjoint_arg else x
            self._fits(right.range_dimension, left.domain_dimension)
            return compose(left, right)
        x = self._right(x)
        self._fits(x.shape[-1] if adjoint_arg else x.shape[-2], self.range_dimension if adjoint else self.domain_dimension)
        return self._matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def __matmul__(self, other: Any) -> Any:
        return self.matmul(other)

    def _matvec(self, x: Any, adjoint: bool = False) -> Any:
        return self.matmul(x[..., tf.newaxis], adjoint=adjoint)[..., 0]

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Any:
        """The product with vectors [..., N]."""
        x = self._right(x)
        self._fits(x.shape[-1], self.range_dimension if adjoint else self.domain_dimension)
        return self._matvec(x, adjoint=adjoint)

    # --- solutions -----------------------------------------------------------------------------------------------------
    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = tf.linalg.adjoint(rhs) if adjoint_arg else rhs
        if self.is_positive_definite and self.is_self_adjoint:
            return tf.linalg.cholesky_solve(*broadcast_batch(tf.linalg.cholesky(self.to_dense()), rhs))
        matrix, rhs = broadcast_batch(self.to_dense(), rhs)
        return tf.linalg.solve(matrix, rhs, adjoint=adjoint)

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve") -> Any:
        """X with A X = rhs, [..., M, K]; another operator as `rhs` gives an operator."""
        if self.is_non_singular is False:
            raise NotImplementedError("Exact solve not implemented for an operator that is expected to be singular.")
        if self.is_square is False:
            raise NotImplementedError("Exact solve not implemented for an operator that is expected to not be square.")
        if isinstance(rhs, LinearOperator):
            from .algebra import compose

            left = self.adjoint() if adjoint else self
            return compose(left.inverse(), rhs.adjoint() if adjoint_arg else rhs)
        rhs = self._right(rhs)
        self._fits(rhs.shape[-1] if adjoint_arg else rhs.shape[-2], self.domain_dimension if adjoint else self.range_dimension)
        return self._solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _solvevec(self, rhs: Any, adjoint: bool = False) -> Any:
        return self.solve(rhs[..., tf.newaxis], adjoint=adjoint)[..., 0]

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Any:
        """x with A x = rhs for vectors [..., M]."""
        rhs = self._right(rhs)
        self._fits(rhs.shape[-1], self.domain_dimension if adjoint else self.range_dimension)
        return self._solvevec(rhs, adjoint=adjoint)

    # --- forms and numbers ---------------------------------------------------------------------------------------------
    def _to_dense(self) -> Any:
        eye = tf.eye(self.domain_dimension_tensor(), batch_shape=self.batch_shape_tensor(), dtype=self.dtype)
        return self.matmul(eye)

    def to_dense(self, name: str = "to_dense") -> Any:
        """The matrices as a tensor [..., M, N]."""
        return self._to_dense()

    def _diag_part(self) -> Any:
        return tf.linalg.diag_part(self.to_dense())

    def diag_part(self, name: str = "diag_part") -> Any:
        """The main diagonals."""
        return self._diag_part()

    def _trace(self) -> Any:
        return tf.reduce_sum(self.diag_part(), axis=-1)

    def trace(self, name: str = "trace") -> Any:
        """The sums of the main diagonals."""
        return self._trace()

    def _determinant(self) -> Any:
        return tf.linalg.det(self.to_dense())

    def determinant(self, name: str = "det") -> Any:
        """The determinants. NotImplementedError for matrices that are not square."""
        if self.is_square is False:
            raise NotImplementedError("Determinant not implemented for an operator that is expected to not be square.")
        return self._determinant()

    def _log_abs_determinant(self) -> Any:
        return tf.linalg.slogdet(self.to_dense()).log_abs_determinant

    def log_abs_determinant(self, name: str = "log_abs_det") -> Any:
        """The logarithms of the absolute determinants."""
        if self.is_square is False:
            raise NotImplementedError("Determinant not implemented for an operator that is expected to not be square.")
        return self._log_abs_determinant()

    def _add_to_tensor(self, x: Any) -> Any:
        return self.to_dense() + x

    def add_to_tensor(self, x: Any, name: str = "add_to_tensor") -> Any:
        """The dense form plus `x`."""
        return self._add_to_tensor(self._right(x))

    def _eigvals(self) -> Any:
        return tf.linalg.eigvalsh(self.to_dense())

    def eigvals(self, name: str = "eigvals") -> Any:
        """The eigenvalues of a self-adjoint operator. NotImplementedError for others."""
        if not self.is_self_adjoint:
            raise NotImplementedError("Only self-adjoint matrices are supported.")
        return self._eigvals()

    def _cond(self) -> Any:
        if not self.is_self_adjoint:
            values = tf.abs(tf.linalg.svd(self.to_dense(), compute_uv=False))
        else:
            values = tf.abs(self.eigvals())
        return tf.reduce_max(values, axis=-1) / tf.reduce_min(values, axis=-1)

    def cond(self, name: str = "cond") -> Any:
        """The condition numbers."""
        return self._cond()

    # --- new operators -------------------------------------------------------------------------------------------------
    def _hints(self) -> dict[str, Any]:
        return {
            "is_non_singular": self.is_non_singular, "is_self_adjoint": self.is_self_adjoint,
            "is_positive_definite": self.is_positive_definite, "is_square": self._is_square_set_or_implied,
        }  # fmt: skip

    def _adjoint(self) -> Any:
        from .algebra import LinearOperatorAdjoint

        return LinearOperatorAdjoint(self)

    def adjoint(self, name: str = "adjoint") -> Any:
        """The conjugate transpose, an operator; self-adjoint ones are their own."""
        return self if self.is_self_adjoint else self._adjoint()

    @property
    def H(self) -> Any:
        """The conjugate transpose."""
        return self.adjoint()

    def _inverse(self) -> Any:
        from .algebra import LinearOperatorInversion

        return LinearOperatorInversion(self)

    def inverse(self, name: str = "inverse") -> Any:
        """The inverse, an operator. ValueError for singular and non-square ones."""
        if self.is_square is False:
            raise ValueError("Cannot take the Inverse: This operator represents a non square matrix.")
        if self.is_non_singular is False:
            raise ValueError("Cannot take the Inverse: This operator represents a singular matrix.")
        return self._inverse()

    def _cholesky(self) -> Any:
        from .matrices import LinearOperatorLowerTriangular

        return LinearOperatorLowerTriangular(tf.linalg.cholesky(self.to_dense()), is_non_singular=True, is_self_adjoint=False, is_square=True)

    def cholesky(self, name: str = "cholesky") -> Any:
        """The Cholesky factor of a positive definite self-adjoint operator, an operator. ValueError for others."""
        if not (self.is_positive_definite and self.is_self_adjoint):
            raise ValueError("Cannot take the Cholesky decomposition: Not a positive definite self adjoint matrix.")
        return self._cholesky()

    # --- assertions ----------------------------------------------------------------------------------------------------
    def _assert_non_singular(self) -> Any:
        limit = 1.0 / _precision(self.dtype)
        return tf.debugging.assert_less(
            tf.cast(self.cond(), self.dtype.real_dtype), tf.cast(limit, self.dtype.real_dtype), message="Singular matrix up to precision epsilon."
        )

    def assert_non_singular(self, name: str = "assert_non_singular") -> Any:
        """Raise InvalidArgumentError where a matrix is singular up to the precision of its dtype."""
        return self._assert_non_singular()

    def _assert_positive_definite(self) -> Any:
        if not self.is_self_adjoint:
            raise NotImplementedError("assert_positive_definite is only implemented for self-adjoint operators.")
        factor = tf.linalg.cholesky(self.to_dense())
        return tf.debugging.Assert(tf.reduce_all(tf.math.is_finite(tf.abs(factor))), ["Operator was not positive definite.", factor])

    def assert_positive_definite(self, name: str = "assert_positive_definite") -> Any:
        """Raise InvalidArgumentError where a matrix is not positive definite."""
        return self._assert_positive_definite()

    def _assert_self_adjoint(self) -> Any:
        dense = self.to_dense()
        return tf.debugging.assert_equal(dense, tf.linalg.adjoint(dense), message="Matrix was not equal to its adjoint.")

    def assert_self_adjoint(self, name: str = "assert_self_adjoint") -> Any:
        """Raise InvalidArgumentError where a matrix is not its own adjoint."""
        return self._assert_self_adjoint()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: shape={self.shape}, dtype={self.dtype!r}>"


def _precision(dtype: Any) -> float:
    import numpy as np

    return float(np.finfo(dtype.real_dtype.as_numpy_dtype).eps)


def rightmost(value: Any, dtype: Any = None) -> Any:
    """A tensor, or a variable as it is, so that the operator follows its assignments."""
    return value if isinstance(value, tf.Variable) else tf.convert_to_tensor(value, dtype=dtype)
