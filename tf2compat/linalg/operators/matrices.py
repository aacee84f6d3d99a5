"""Linear operators whose matrix has a pattern: diagonal, triangular, Toeplitz, permutation, …."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from ..._engine.shapes import TensorShape
from .base import LinearOperator, broadcast_batch, rightmost


def _hints(n: Any, a: Any, p: Any, s: Any) -> dict[str, Any]:
    return {"is_non_singular": n, "is_self_adjoint": a, "is_positive_definite": p, "is_square": s}


class LinearOperatorFullMatrix(LinearOperator):
    """The operator of a dense matrix [..., M, N] (`tf.linalg.LinearOperatorFullMatrix`)."""

    def __init__(
        self, matrix: Any, is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None,
        is_square: Any = None, name: str = "LinearOperatorFullMatrix",
    ) -> None:  # fmt: skip
        hints = _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square)
        self._matrix = rightmost(matrix)
        if self._matrix.shape.rank is not None and self._matrix.shape.rank < 2:
            raise ValueError(f"Argument matrix must have at least 2 dimensions.  Found: {matrix!s}")
        super().__init__(self._matrix.dtype, parameters={"matrix": matrix, **hints}, name=name, **hints)

    @property
    def matrix(self) -> Any:
        """The matrix defining this operator."""
        return self._matrix

    def _shape(self) -> TensorShape:
        return self._matrix.shape

    def _shape_tensor(self) -> Any:
        return tf.shape(self._matrix)

    def _to_dense(self) -> Any:
        return tf.convert_to_tensor(self._matrix)


class LinearOperatorDiag(LinearOperator):
    """The operator of a diagonal matrix with the diagonal `diag` [..., N] (`tf.linalg.LinearOperatorDiag`)."""

    def __init__(
        self, diag: Any, is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None,
        is_square: Any = None, name: str = "LinearOperatorDiag",
    ) -> None:  # fmt: skip
        hints = _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square)
        self._diag = rightmost(diag)
        if self._diag.shape.rank == 0:
            raise ValueError(f"Argument diag must have at least 1 dimension.  Found: {diag!s}.")
        if not self._diag.dtype.is_complex:
            if is_self_adjoint is False:
                raise ValueError("A real diagonal operator is always self adjoint.")
            is_self_adjoint = True
        if is_square is False:
            raise ValueError("Only square diagonal operators currently supported.")
        super().__init__(
            self._diag.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name, {"diag": diag, **hints}
        )

    @property
    def diag(self) -> Any:
        """The diagonal."""
        return self._diag

    def _shape(self) -> TensorShape:
        return self._diag.shape.concatenate(self._diag.shape[-1:])

    def _shape_tensor(self) -> Any:
        d = tf.shape(self._diag)
        return tf.concat([d, d[-1:]], 0)

    def _factor(self, adjoint: bool) -> Any:
        return (tf.math.conj(self._diag) if adjoint else tf.convert_to_tensor(self._diag))[..., tf.newaxis]

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._factor(adjoint) * (tf.linalg.adjoint(x) if adjoint_arg else x)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return (tf.linalg.adjoint(rhs) if adjoint_arg else rhs) / self._factor(adjoint)

    def _to_dense(self) -> Any:
        return tf.linalg.diag(tf.convert_to_tensor(self._diag))

    def _diag_part(self) -> Any:
        return tf.convert_to_tensor(self._diag)

    def _determinant(self) -> Any:
        return tf.reduce_prod(self._diag, axis=-1)

    def _log_abs_determinant(self) -> Any:
        out = tf.reduce_sum(tf.math.log(tf.abs(self._diag)), axis=-1)
        return tf.cast(out, self.dtype)

    def _eigvals(self) -> Any:
        return tf.convert_to_tensor(self._diag)

    def _cond(self) -> Any:
        size = tf.abs(self._diag)
        return tf.reduce_max(size, axis=-1) / tf.reduce_min(size, axis=-1)

    def _adjoint(self) -> Any:
        return LinearOperatorDiag(tf.math.conj(self._diag), self.is_non_singular, self.is_self_adjoint, self.is_positive_definite)

    def _inverse(self) -> Any:
        return LinearOperatorDiag(1.0 / self._diag, self.is_non_singular, self.is_self_adjoint, self.is_positive_definite)

    def _cholesky(self) -> Any:
        return LinearOperatorDiag(tf.sqrt(self._diag), is_non_singular=True, is_self_adjoint=True, is_positive_definite=True)


class LinearOperatorScaledIdentity(LinearOperator):
    """A multiple of the identity: `multiplier` [...] times eye(num_rows) (`tf.linalg.LinearOperatorScaledIdentity`)."""

    def __init__(
        self, num_rows: Any, multiplier: Any, is_non_singular: Any = None, is_self_adjoint: Any = None,
        is_positive_definite: Any = None, is_square: Any = True, assert_proper_shapes: bool = False,
        name: str = "LinearOperatorScaledIdentity",
    ) -> None:  # fmt: skip
        hints = _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square)
        if not is_square:
            raise ValueError("A ScaledIdentity operator is always square.")
        self._multiplier = rightmost(multiplier)
        self._rows = int(num_rows)
        if self._rows < 0:
            raise ValueError(f"Argument num_rows must be non-negative. Found: {num_rows}")
        if not self._multiplier.dtype.is_complex:
            if is_self_adjoint is False:
                raise ValueError("A real diagonal operator is always self adjoint.")
            is_self_adjoint = True
        super().__init__(
            self._multiplier.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name,
            {"num_rows": num_rows, "multiplier": multiplier, **hints},
        )  # fmt: skip

    @property
    def multiplier(self) -> Any:
        """The factor of the identity."""
        return self._multiplier

    def _shape(self) -> TensorShape:
        return self._multiplier.shape.concatenate([self._rows, self._rows])

    def _shape_tensor(self) -> Any:
        return tf.concat([tf.shape(self._multiplier), [self._rows, self._rows]], 0)

    def _factor(self, adjoint: bool = False, axes: int = 2) -> Any:
        out = tf.math.conj(self._multiplier) if adjoint else tf.convert_to_tensor(self._multiplier)
        for _ in range(axes):
            out = out[..., tf.newaxis]
        return out

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return (tf.linalg.adjoint(x) if adjoint_arg else x) * self._factor(adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return (tf.linalg.adjoint(rhs) if adjoint_arg else rhs) / self._factor(adjoint)

    def _diag_part(self) -> Any:
        return tf.ones([self._rows], self.dtype) * self._factor(axes=1)

    def _to_dense(self) -> Any:
        return tf.linalg.diag(self._diag_part())

    def _determinant(self) -> Any:
        return tf.convert_to_tensor(self._multiplier) ** tf.cast(self._rows, self.dtype)

    def _log_abs_determinant(self) -> Any:
        return tf.cast(tf.math.log(tf.abs(self._multiplier)) * self._rows, self.dtype)

    def _eigvals(self) -> Any:
        return self._diag_part()

    def _cond(self) -> Any:
        return tf.ones(self.batch_shape_tensor(), self.dtype)

    def _adjoint(self) -> Any:
        return LinearOperatorScaledIdentity(self._rows, tf.math.conj(self._multiplier), self.is_non_singular, self.is_self_adjoint, self.is_positive_definite)

    def _inverse(self) -> Any:
        return LinearOperatorScaledIdentity(self._rows, 1.0 / self._multiplier, self.is_non_singular, self.is_self_adjoint, self.is_positive_definite)

    def _cholesky(self) -> Any:
        return LinearOperatorScaledIdentity(self._rows, tf.sqrt(self._multiplier), True, True, True)


class LinearOperatorIdentity(LinearOperator):
    """The identity of `num_rows` rows, in a batch of shape `batch_shape` (`tf.linalg.LinearOperatorIdentity`)."""

    def __init__(
        self, num_rows: Any, batch_shape: Any = None, dtype: Any = None, is_non_singular: Any = True, is_self_adjoint: Any = True,
        is_positive_definite: Any = True, is_square: Any = True, assert_proper_shapes: bool = False,
        name: str = "LinearOperatorIdentity",
    ) -> None:  # fmt: skip
        for hint, what in ((is_self_adjoint, "self adjoint"), (is_non_singular, "non-singular"), (is_positive_definite, "positive-definite")):
            if not hint:
                raise ValueError(f"An identity operator is always {what}.")
        if not is_square:
            raise ValueError("An identity operator is always square.")
        self._rows = int(num_rows)
        if self._rows < 0:
            raise ValueError(f"Argument num_rows must be non-negative. Found: {num_rows}")
        self._batch = TensorShape([] if batch_shape is None else [int(d) for d in tf.convert_to_tensor(batch_shape, tf.int32).numpy()])
        super().__init__(
            dtype or tf.float32, None, True, True, True, True, name,
            {"num_rows": num_rows, "batch_shape": batch_shape, "dtype": dtype},
        )  # fmt: skip

    def _shape(self) -> TensorShape:
        return self._batch.concatenate([self._rows, self._rows])

    def _spread(self, x: Any) -> Any:
        """`x` in the batch of both."""
        if not self._batch.rank:
            return x
        return x + tf.zeros(self._batch.concatenate([1, 1]).as_list(), self.dtype)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._spread(tf.linalg.adjoint(x) if adjoint_arg else x)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._matmul(rhs, adjoint_arg=adjoint_arg)

    def _diag_part(self) -> Any:
        return tf.ones(self._batch.concatenate([self._rows]).as_list(), self.dtype)

    def _to_dense(self) -> Any:
        return tf.linalg.diag(self._diag_part())

    def _determinant(self) -> Any:
        return tf.ones(self._batch.as_list(), self.dtype)

    def _log_abs_determinant(self) -> Any:
        return tf.zeros(self._batch.as_list(), self.dtype)

    def _eigvals(self) -> Any:
        return self._diag_part()

    def _cond(self) -> Any:
        return tf.ones(self._batch.as_list(), self.dtype)

    def _inverse(self) -> Any:
        return self

    def _cholesky(self) -> Any:
        return self


class LinearOperatorZeros(LinearOperator):
    """The operator that gives zeros (`tf.linalg.LinearOperatorZeros`)."""

    def __init__(
        self, num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = None, is_non_singular: Any = False,
        is_self_adjoint: Any = True, is_positive_definite: Any = False, is_square: Any = True, assert_proper_shapes: bool = False,
        name: str = "LinearOperatorZeros",
    ) -> None:  # fmt: skip
        if is_positive_definite:
            raise ValueError("A zero operator is not positive-definite.")
        if is_non_singular:
            raise ValueError("A zero operator is not non-singular.")
        self._rows, self._columns = int(num_rows), int(num_rows if num_columns is None else num_columns)
        if is_square and self._rows != self._columns:
            raise ValueError("LinearOperatorZeros initialized as is_square=True, but got num_rows != num_columns")
        if is_self_adjoint and self._rows != self._columns:
            raise ValueError("LinearOperatorZeros initialized as is_self_adjoint=True, but got num_rows != num_columns")
        self._batch = TensorShape([] if batch_shape is None else [int(d) for d in tf.convert_to_tensor(batch_shape, tf.int32).numpy()])
        super().__init__(
            dtype or tf.float32, None, False, is_self_adjoint, False, is_square, name,
            {"num_rows": num_rows, "num_columns": num_columns, "batch_shape": batch_shape, "dtype": dtype},
        )  # fmt: skip

    def _shape(self) -> TensorShape:
        return self._batch.concatenate([self._rows, self._columns])

    def _to_dense(self) -> Any:
        return tf.zeros(self.shape.as_list(), self.dtype)

    def _diag_part(self) -> Any:
        return tf.zeros(self._batch.concatenate([min(self._rows, self._columns)]).as_list(), self.dtype)

    def _determinant(self) -> Any:
        return tf.zeros(self._batch.as_list(), self.dtype)

    def _eigvals(self) -> Any:
        return self._diag_part()

    def _adjoint(self) -> Any:
        return LinearOperatorZeros(
            self._columns, self._rows, self._batch.as_list(), self.dtype, is_self_adjoint=self.is_self_adjoint, is_square=self.is_square
        )


class LinearOperatorLowerTriangular(LinearOperator):
    """The operator of the lower triangle of `tril` [..., N, N] (`tf.linalg.LinearOperatorLowerTriangular`)."""

    def __init__(
        self, tril: Any, is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None,
        is_square: Any = None, name: str = "LinearOperatorLowerTriangular",
    ) -> None:  # fmt: skip
        hints = _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square)
        if is_square is False:
            raise ValueError("Only square lower triangular operators supported at this time.")
        self._tril = rightmost(tril)
        if self._tril.shape.rank is not None and self._tril.shape.rank < 2:
            raise ValueError(f"Argument tril must have at least 2 dimensions.  Found: {tril!s}")
        super().__init__(
            self._tril.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name, {"tril": tril, **hints}
        )

    @property
    def tril(self) -> Any:
        """The matrix whose lower triangle counts."""
        return self._tril

    def _shape(self) -> TensorShape:
        return self._tril.shape

    def _shape_tensor(self) -> Any:
        return tf.shape(self._tril)

    def _to_dense(self) -> Any:
        return tf.linalg.band_part(self._tril, -1, 0)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = tf.linalg.adjoint(rhs) if adjoint_arg else rhs
        return tf.linalg.triangular_solve(self._to_dense(), rhs, lower=True, adjoint=adjoint)

    def _diag_part(self) -> Any:
        return tf.linalg.diag_part(self._tril)

    def _determinant(self) -> Any:
        return tf.reduce_prod(self._diag_part(), axis=-1)

    def _log_abs_determinant(self) -> Any:
        return tf.cast(tf.reduce_sum(tf.math.log(tf.abs(self._diag_part())), axis=-1), self.dtype)

    def _eigvals(self) -> Any:
        return self._diag_part()


class LinearOperatorHouseholder(LinearOperator):
    """The reflection I - 2 v vᴴ at the plane across `reflection_axis` v [..., N] (`tf.linalg.LinearOperatorHouseholder`)."""

    def __init__(
        self, reflection_axis: Any, is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None,
        is_square: Any = None, name: str = "LinearOperatorHouseholder",
    ) -> None:  # fmt: skip
        hints = _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square)
        if is_square is False:
            raise ValueError("A Householder operator is always square.")
        if is_positive_definite:
            raise ValueError("A Householder operator is always non-positive definite.")
        if is_self_adjoint is False:
            raise ValueError("A Householder operator is always self adjoint.")
        if is_non_singular is False:
            raise ValueError("A Householder operator is always non-singular.")
        self._axis = rightmost(reflection_axis)
        super().__init__(self._axis.dtype, None, True, True, False, True, name, {"reflection_axis": reflection_axis, **hints})

    @property
    def reflection_axis(self) -> Any:
        """The axis of the reflection, of any length."""
        return self._axis

    def _shape(self) -> TensorShape:
        return self._axis.shape.concatenate(self._axis.shape[-1:])

    def _shape_tensor(self) -> Any:
        d = tf.shape(self._axis)
        return tf.concat([d, d[-1:]], 0)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = tf.linalg.adjoint(x) if adjoint_arg else x
        v = tf.math.l2_normalize(self._axis, axis=-1)[..., tf.newaxis]
        return x - 2 * v * tf.linalg.matmul(v, x, adjoint_a=True)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._matmul(rhs, adjoint, adjoint_arg)

    def _determinant(self) -> Any:
        return -tf.ones(self.batch_shape_tensor(), self.dtype)

    def _log_abs_determinant(self) -> Any:
        return tf.zeros(self.batch_shape_tensor(), self.dtype)

    def _eigvals(self) -> Any:
        ones = tf.ones_like(tf.convert_to_tensor(self._axis))
        return tf.concat([-ones[..., :1], ones[..., 1:]], -1)

    def _cond(self) -> Any:
        return tf.ones(self.batch_shape_tensor(), self.dtype)

    def _inverse(self) -> Any:
        return self


class LinearOperatorPermutation(LinearOperator):
    """The operator that reorders rows: row i of the result is row perm[i] (`tf.linalg.LinearOperatorPermutation`)."""

    def __init__(
        self, perm: Any, dtype: Any = tf.float32, is_non_singular: Any = None, is_self_adjoint: Any = None,
        is_positive_definite: Any = None, is_square: Any = None, name: str = "LinearOperatorPermutation",
    ) -> None:  # fmt: skip
        hints = _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square)
        if is_square is False:
            raise ValueError(f"A Permutation operator is always square. Got argument `is_square`: {is_square}.")
        if is_non_singular is False:
            raise ValueError(f"A Permutation operator is always non-singular. Got argument `is_non_singular`: {is_non_singular}.")
        self._perm = rightmost(perm)
        if not self._perm.dtype.is_integer:
            raise TypeError(f"Argument `perm` must be integer dtype. Found: {perm}.")
        super().__init__(dtype, None, True, is_self_adjoint, is_positive_definite, True, name, {"perm": perm, "dtype": dtype, **hints})

    @property
    def perm(self) -> Any:
        """The order of the rows."""
        return self._perm

    def _shape(self) -> TensorShape:
        return self._perm.shape.concatenate(self._perm.shape[-1:])

    def _shape_tensor(self) -> Any:
        d = tf.shape(self._perm)
        return tf.concat([d, d[-1:]], 0)

    def _to_dense(self) -> Any:
        return tf.one_hot(self._perm, self.domain_dimension, dtype=self.dtype)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._matmul(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _log_abs_determinant(self) -> Any:
        return tf.zeros(self.batch_shape_tensor(), self.dtype)

    def _cond(self) -> Any:
        return tf.ones(self.batch_shape_tensor(), self.dtype)


class LinearOperatorToeplitz(LinearOperator):
    """The operator that is constant along diagonals, given by its first column and row (`tf.linalg.LinearOperatorToeplitz`)."""

    def __init__(
        self, col: Any, row: Any, is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None,
        is_square: Any = None, name: str = "LinearOperatorToeplitz",
    ) -> None:  # fmt: skip
        hints = _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square)
        if is_square is False:
            raise ValueError("Only square Toeplitz operators currently supported.")
        self._col, self._row = rightmost(col), rightmost(row)
        super().__init__(
            self._row.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name, {"col": col, "row": row, **hints}
        )

    @property
    def col(self) -> Any:
        """The first column."""
        return self._col

    @property
    def row(self) -> Any:
        """The first row, whose first element does not count."""
        return self._row

    def _shape(self) -> TensorShape:
        batch = tf.broadcast_static_shape(self._col.shape, self._row.shape)
        return batch.concatenate(self._row.shape[-1:])

    def _to_dense(self) -> Any:
        n = self.domain_dimension
        col, row = tf.convert_to_tensor(self._col), tf.convert_to_tensor(self._row)
        batch = tf.broadcast_static_shape(col.shape, row.shape)[:-1].as_list()
        col, row = tf.broadcast_to(col, [*batch, n]), tf.broadcast_to(row, [*batch, n])
        line = tf.concat([tf.reverse(row[..., 1:], [-1]), col], -1)
        index = tf.range(n)[:, tf.newaxis] - tf.range(n)[tf.newaxis, :] + (n - 1)
        return tf.gather(line, index, axis=-1)

    def _diag_part(self) -> Any:
        return self._col[..., :1] * tf.ones([self.domain_dimension], self.dtype)


class LinearOperatorTridiag(LinearOperator):
    """The operator of a tridiagonal matrix (`tf.linalg.LinearOperatorTridiag`). Formats as in `tf.linalg.tridiagonal_solve`."""

    def __init__(
        self, diagonals: Any, diagonals_format: str = "compact", is_non_singular: Any = None, is_self_adjoint: Any = None,
        is_positive_definite: Any = None, is_square: Any = None, name: str = "LinearOperatorTridiag",
    ) -> None:  # fmt: skip
        hints = _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square)
        if diagonals_format not in ("sequence", "compact", "matrix"):
            raise ValueError(f"Argument `diagonals_format` must be one of sequence, compact, matrix. Found : {diagonals_format}.")
        if is_square is False:
            raise ValueError("A tridiagonal operator is always square.")
        self._diagonals = [rightmost(d) for d in diagonals] if diagonals_format == "sequence" else rightmost(diagonals)
        self._format = diagonals_format
        dtype = self._diagonals[0].dtype if diagonals_format == "sequence" else self._diagonals.dtype
        super().__init__(
            dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name,
            {"diagonals": diagonals, "diagonals_format": diagonals_format, **hints},
        )  # fmt: skip

    @property
    def diagonals(self) -> Any:
        """The diagonals in the given format."""
        return self._diagonals

    @property
    def diagonals_format(self) -> str:
        """The format of the diagonals."""
        return self._format

    def _compact(self) -> Any:
        from ..solving import _diagonals

        return _diagonals(self._diagonals, self._format)

    def _shape(self) -> TensorShape:
        if self._format == "matrix":
            return self._diagonals.shape
        if self._format == "compact":
            shape = self._diagonals.shape
            return shape[:-2].concatenate([shape[-1], shape[-1]])
        main = self._diagonals[1].shape
        return main.concatenate(main[-1:])

    def _to_dense(self) -> Any:
        if self._format == "matrix":
            return tf.linalg.band_part(self._diagonals, 1, 1)
        upper, main, lower = self._compact()
        return tf.linalg.diag(tf.stack([upper, main, lower], -2), k=(-1, 1), align="LEFT_RIGHT")

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = tf.linalg.adjoint(x) if adjoint_arg else x
        if adjoint:
            return tf.linalg.matmul(self._to_dense(), x, adjoint_a=True)
        return tf.linalg.tridiagonal_matmul(self._diagonals, x, diagonals_format=self._format)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = tf.linalg.adjoint(rhs) if adjoint_arg else rhs
        matrix, rhs = broadcast_batch(self._to_dense(), rhs)
        return tf.linalg.solve(matrix, rhs, adjoint=adjoint)

    def _diag_part(self) -> Any:
        return self._compact()[1]


__all__ = [
    "LinearOperatorDiag", "LinearOperatorFullMatrix", "LinearOperatorHouseholder", "LinearOperatorIdentity",
    "LinearOperatorLowerTriangular", "LinearOperatorPermutation", "LinearOperatorScaledIdentity", "LinearOperatorToeplitz",
    "LinearOperatorTridiag", "LinearOperatorZeros",
]  # fmt: skip
