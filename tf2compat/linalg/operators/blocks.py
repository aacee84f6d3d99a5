"""Linear operators whose matrix is made of blocks."""

from __future__ import annotations

from functools import reduce
from typing import Any

import tf2compat as tf

from ..._engine.shapes import TensorShape
from .base import LinearOperator
from .matrices import LinearOperatorZeros


class _Blocks(LinearOperator):
    """Rows of blocks, each an operator. Arguments of products may be lists of the blocks' arguments, and then give lists."""

    def _grid(self) -> list[list[LinearOperator]]:
        raise NotImplementedError

    def _shape(self) -> TensorShape:
        grid = self._grid()
        batch = reduce(tf.broadcast_static_shape, [o.batch_shape for row in grid for o in row])
        return batch.concatenate([sum(row[0].range_dimension for row in grid), sum(o.domain_dimension for o in grid[0])])

    def _to_dense(self) -> Any:
        batch = self.batch_shape.as_list()
        rows = []
        for row in self._grid():
            blocks = [o.to_dense() for o in row]
            rows.append(tf.concat([tf.broadcast_to(b, [*batch, *b.shape[-2:].as_list()]) for b in blocks], -1))
        return tf.concat(rows, -2)

    def _sizes(self, adjoint: bool) -> list[int]:
        grid = self._grid()
        return [row[0].range_dimension for row in grid] if adjoint else [o.domain_dimension for o in grid[0]]

    def _listed(self, x: Any, adjoint: bool, call: Any, axis: int) -> Any:
        """`call` on the joined blocks of a list, cut again."""
        joined = call(tf.concat([tf.convert_to_tensor(b, self.dtype) for b in x], axis))
        return tf.split(joined, self._sizes(not adjoint), axis=axis)

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul") -> Any:
        """The product with matrices, or with a list of one for each block."""
        if isinstance(x, (list, tuple)) and not isinstance(x, LinearOperator) and len(x) == len(self._sizes(adjoint)):
            blocks = [tf.linalg.adjoint(b) for b in x] if adjoint_arg else list(x)
            return self._listed(blocks, adjoint, lambda y: super(_Blocks, self).matmul(y, adjoint=adjoint), -2)
        return super().matmul(x, adjoint, adjoint_arg, name)

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Any:
        """The product with vectors, or with a list of one for each block."""
        if isinstance(x, (list, tuple)) and len(x) == len(self._sizes(adjoint)) and getattr(x[0], "shape", None) is not None:
            return self._listed(x, adjoint, lambda y: super(_Blocks, self).matvec(y, adjoint=adjoint), -1)
        return super().matvec(x, adjoint, name)

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve") -> Any:
        """The solution for matrices, or for a list of one for each block."""
        if isinstance(rhs, (list, tuple)) and len(rhs) == len(self._sizes(not adjoint)):
            blocks = [tf.linalg.adjoint(b) for b in rhs] if adjoint_arg else list(rhs)
            return self._listed(blocks, not adjoint, lambda y: super(_Blocks, self).solve(y, adjoint=adjoint), -2)
        return super().solve(rhs, adjoint, adjoint_arg, name)

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Any:
        """The solution for vectors, or for a list of one for each block."""
        if isinstance(rhs, (list, tuple)) and len(rhs) == len(self._sizes(not adjoint)) and getattr(rhs[0], "shape", None) is not None:
            return self._listed(rhs, not adjoint, lambda y: super(_Blocks, self).solvevec(y, adjoint=adjoint), -1)
        return super().solvevec(rhs, adjoint, name)


class LinearOperatorBlockDiag(_Blocks):
    """Operators along the diagonal, zeros elsewhere (`tf.linalg.LinearOperatorBlockDiag`)."""

    def __init__(
        self, operators: Any, is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None,
        is_square: Any = True, name: str | None = None,
    ) -> None:  # fmt: skip
        self._operators = list(operators)
        if not self._operators:
            raise ValueError("Expected a non-empty list of operators. Found: []")
        if len({o.dtype for o in self._operators}) > 1:
            raise TypeError(f"Expected all operators to have the same dtype.  Found {[(o.name, o.dtype.name) for o in self._operators]}")

        def of_all(hint: Any, attribute: str) -> Any:
            return True if hint is None and all(getattr(o, attribute) for o in self._operators) else hint

        super().__init__(
            self._operators[0].dtype, None, of_all(is_non_singular, "is_non_singular"), of_all(is_self_adjoint, "is_self_adjoint"),
            of_all(is_positive_definite, "is_positive_definite"), is_square,
            name or "_ds_".join(o.name for o in self._operators), {"operators": operators},
        )  # fmt: skip

    @property
    def operators(self) -> list[LinearOperator]:
        """The blocks."""
        return self._operators

    def _grid(self) -> list[list[LinearOperator]]:
        def zeros(a: LinearOperator, b: LinearOperator) -> LinearOperator:
            return LinearOperatorZeros(a.range_dimension, b.domain_dimension, dtype=self.dtype, is_square=None, is_self_adjoint=None)

        ops = self._operators
        return [[a if i == j else zeros(a, b) for j, b in enumerate(ops)] for i, a in enumerate(ops)]

    def _diag_part(self) -> Any:
        return super()._diag_part() if not self.is_square else tf.linalg.diag_part(self.to_dense())

    def _determinant(self) -> Any:
        return reduce(tf.multiply, [o.determinant() for o in self._operators])

    def _log_abs_determinant(self) -> Any:
        return reduce(tf.add, [o.log_abs_determinant() for o in self._operators])

    def _inverse(self) -> Any:
        return LinearOperatorBlockDiag([o.inverse() for o in self._operators])

    def _adjoint(self) -> Any:
        return LinearOperatorBlockDiag([o.adjoint() for o in self._operators])

    def _cholesky(self) -> Any:
        return LinearOperatorBlockDiag([o.cholesky() for o in self._operators])


class LinearOperatorBlockLowerTriangular(_Blocks):
    """Rows of operators, one more in each row, zeros above them (`tf.linalg.LinearOperatorBlockLowerTriangular`)."""

    def __init__(
        self, operators: Any, is_non_singular: Any = None, is_self_adjoint: Any = None, is_positive_definite: Any = None,
        is_square: Any = None, name: str = "LinearOperatorBlockLowerTriangular",
    ) -> None:  # fmt: skip
        self._operators = [list(row) for row in operators]
        for i, row in enumerate(self._operators):
            if len(row) != i + 1:
                raise ValueError(
                    f"Argument `operators[{i}]` must contain {i + 1} blocks (the {i}-th row of a lower triangle). Found: {len(row)} blocks."
                )
        if is_square is False:
            raise ValueError(f"`LinearOperatorBlockLowerTriangular` must be square, got is_square={is_square}.")
        if not self._operators:
            raise ValueError("Argument `operators` must be a list of >=1 operators. Found: []")
        if is_non_singular is None and all(row[-1].is_non_singular for row in self._operators):
            is_non_singular = True
        super().__init__(
            self._operators[0][0].dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name, {"operators": operators}
        )

    @property
    def operators(self) -> list[list[LinearOperator]]:
        """The rows of blocks."""
        return self._operators

    def _grid(self) -> list[list[LinearOperator]]:
        sizes = [row[-1].domain_dimension for row in self._operators]
        return [
            [*row, *(LinearOperatorZeros(row[0].range_dimension, n, dtype=self.dtype, is_square=None, is_self_adjoint=None) for n in sizes[i + 1 :])]
            for i, row in enumerate(self._operators)
        ]

    def _determinant(self) -> Any:
        return reduce(tf.multiply, [row[-1].determinant() for row in self._operators])

    def _log_abs_determinant(self) -> Any:
        return reduce(tf.add, [row[-1].log_abs_determinant() for row in self._operators])


__all__ = ["LinearOperatorBlockDiag", "LinearOperatorBlockLowerTriangular"]
