"""Systems of linear equations: dense, triangular, tridiagonal, banded, overdetermined."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.convert import convert_to_tensor
from .._engine.dtypes import COMPLEXES, float32, float64
from .._engine.op import invalid, op, tensor
from .._engine.tensor import Tensor
from .decompositions import rank_two
from .diagonals import diag, diag_part

_MATRIX = tensor(float32, float64, COMPLEXES)


def _dims(shape: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


@op("MatrixSolve", matrix=_MATRIX, rhs=_MATRIX)
def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """X with matrix X = rhs, or matrixᴴ X = rhs with `adjoint`; [..., M, M] and [..., M, K] (`tf.linalg.solve`).

    InvalidArgumentError for singular matrices and shapes that do not fit.
    """
    rank_two(matrix, "MatrixSolve")
    rank_two(rhs, "MatrixSolve", 1)
    if matrix.shape[-1] != matrix.shape[-2]:
        raise invalid(f"First input (lhs) must be a square matrix. Shape: {_dims(matrix.shape)} [Op:MatrixSolve] name: ")
    if matrix.shape[-1] != rhs.shape[-2]:
        raise invalid(f"Input matrix and rhs are incompatible. Shapes: {_dims(matrix.shape)}, {_dims(rhs.shape)} [Op:MatrixSolve] name: ")
    if matrix.shape[:-2] != rhs.shape[:-2]:
        raise invalid(f"All input tensors must have the same outer dimensions: {_dims(matrix.shape)}, {_dims(rhs.shape)} [Op:MatrixSolve] name: ")
    return torch.linalg.solve(matrix.mH if adjoint else matrix, rhs)


@solve.diagnose
def _(matrix: Any, rhs: Any, adjoint: bool) -> Any:
    return invalid("Input matrix is not invertible. [Op:MatrixSolve] name: ")


def _triangular(matrix: Any, rhs: Any, lower: bool, adjoint: bool) -> Any:
    return torch.linalg.solve_triangular(matrix.mH if adjoint else matrix, rhs, upper=bool(lower) == bool(adjoint))


@op("MatrixTriangularSolve", matrix=_MATRIX, rhs=_MATRIX)
def triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None) -> Any:
    """X with matrix X = rhs for triangular matrices, of which only that triangle is read (`tf.linalg.triangular_solve`).

    [..., M, M] and [..., M, K]; leading axes broadcast.
    """
    rank_two(matrix, "MatrixTriangularSolve")
    rank_two(rhs, "MatrixTriangularSolve", 1)
    if matrix.shape[-1] != matrix.shape[-2]:
        raise invalid(f"In[0] matrices in the last two dimensions must be square ({matrix.shape[-2]} =/= {matrix.shape[-1]}) [Op:MatrixTriangularSolve] name: ")
    if matrix.shape[-1] != rhs.shape[-2]:
        raise invalid(
            f"In[0] mismatch In[1] shape: {matrix.shape[-1]} vs. {rhs.shape[-2]}: {_dims(matrix.shape)} {_dims(rhs.shape)} "
            f"{int(lower)} {int(adjoint)} [Op:MatrixTriangularSolve] name: "
        )
    return _triangular(matrix, rhs, lower, adjoint)


@op("CholeskySolve", chol=_MATRIX, rhs=_MATRIX)
def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Any:
    """X with A X = rhs, for A given by its Cholesky factor `chol` (`tf.linalg.cholesky_solve`)."""
    rank_two(chol, "MatrixTriangularSolve")
    rank_two(rhs, "MatrixTriangularSolve", 1)
    if chol.shape[-1] != rhs.shape[-2]:
        raise invalid(
            f"In[0] mismatch In[1] shape: {chol.shape[-1]} vs. {rhs.shape[-2]}: {_dims(chol.shape)} {_dims(rhs.shape)} 1 0 "
            "[Op:MatrixTriangularSolve] name: "
        )
    return _triangular(chol, _triangular(chol, rhs, True, False), True, True)


@op("MatrixSolveLs", matrix=_MATRIX, rhs=_MATRIX)
def lstsq(matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None) -> Any:
    """X that minimizes |matrix X - rhs|² + l2_regularizer |X|²; [..., M, N] and [..., M, K] (`tf.linalg.lstsq`).

    `fast` solves the normal equations, which needs full rank; otherwise the solution of least norm is found and the
    regularizer left out.
    """
    rank_two(matrix, "MatrixSolveLs")
    rank_two(rhs, "MatrixSolveLs", 1)
    if matrix.shape[-2] != rhs.shape[-2]:
        raise invalid(f"Input matrix and rhs are incompatible. Shapes: {_dims(matrix.shape)}, {_dims(rhs.shape)} [Op:MatrixSolveLs] name: ")
    if not fast:
        return torch.matmul(torch.linalg.pinv(matrix), rhs)
    wide = matrix.shape[-2] < matrix.shape[-1]
    gram = torch.matmul(matrix, matrix.mH) if wide else torch.matmul(matrix.mH, matrix)
    eye = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    if isinstance(l2_regularizer, Tensor):
        l2_regularizer = l2_regularizer._t.item()
    factor = torch.linalg.cholesky(gram + l2_regularizer * eye)
    right = rhs if wide else torch.matmul(matrix.mH, rhs)
    inner = _triangular(factor, _triangular(factor, right, True, False), True, True)
    return torch.matmul(matrix.mH, inner) if wide else inner


@lstsq.diagnose
def _(matrix: Any, rhs: Any, l2_regularizer: Any, fast: bool) -> Any:
    return invalid("Input matrix was rank deficient or ill-conditioned. Try setting fast=False or provide a larger l2_regularizer > 0. [Op:MatrixSolveLs] name: ")


# --- bands ---------------------------------------------------------------------------------------------------------------
def banded_triangular_solve(bands: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None) -> Tensor:
    """X with A X = rhs, for a triangular A given by its diagonals [..., K, M] (`tf.linalg.banded_triangular_solve`).

    With `lower`, the main diagonal is the first row and the next ones lie below it; otherwise the main one is the last.
    """
    bands = convert_to_tensor(bands)
    count = bands.shape[-2] - 1
    if lower:
        matrix = diag(bands, k=(-count, 0), align="LEFT_RIGHT") if count else diag(bands[..., 0, :])
    else:
        matrix = diag(bands, k=(0, count), align="LEFT_RIGHT") if count else diag(bands[..., 0, :])
    return triangular_solve(matrix, rhs, lower, adjoint, name)


def _padded(t: Tensor, size: int, front: bool) -> Tensor:
    """A shorter diagonal in its full length."""
    if t.shape[-1] == size:
        return t
    from .. import concat, zeros_like

    zero = zeros_like(t[..., :1])
    return concat([zero, t] if front else [t, zero], -1)


def _diagonals(diagonals: Any, diagonals_format: str) -> tuple[Tensor, Tensor, Tensor]:
    """The super-, main and subdiagonal, each of length M; the first ends and the last begins with an element of no meaning."""
    if diagonals_format == "sequence":
        if not isinstance(diagonals, (list, tuple)) or len(diagonals) != 3:
            raise ValueError("Expected diagonals to be a sequence of length 3.")
        upper, main, lower = (convert_to_tensor(d) for d in diagonals)
        size = main.shape[-1]
        for what, t in (("superdiagonal", upper), ("subdiagonal", lower)):
            if size is not None and t.shape[-1] not in (size, size - 1, None):
                raise ValueError(f"Tensor `diagonals` {what} must have length {size - 1} or {size}, got {t.shape[-1]}")
        return _padded(upper, size, False), main, _padded(lower, size, True)
    diagonals = convert_to_tensor(diagonals)
    if diagonals_format == "compact":
        if diagonals.shape.rank is not None and (diagonals.shape.rank < 2 or diagonals.shape[-2] not in (3, None)):
            raise ValueError(f"Expected diagonals to have shape [..., 3, M], got {diagonals.shape}")
        return diagonals[..., 0, :], diagonals[..., 1, :], diagonals[..., 2, :]
    if diagonals_format == "matrix":
        m1, m2 = diagonals.shape[-2], diagonals.shape[-1]
        if None not in (m1, m2) and m1 != m2:
            raise ValueError(f"Expected last two dimensions of diagonals to be same, got {m1} and {m2}")
        packed = diag_part(diagonals, k=(-1, 1), align="LEFT_RIGHT")
        return packed[..., 0, :], packed[..., 1, :], packed[..., 2, :]
    raise ValueError(f"Unrecognized diagonals_format: {diagonals_format}")


def tridiagonal_matmul(diagonals: Any, rhs: Any, diagonals_format: str = "compact", name: str | None = None) -> Tensor:
    """Product of a tridiagonal matrix and `rhs` [..., M, K] (`tf.linalg.tridiagonal_matmul`).

    `diagonals_format`: "compact" [..., 3, M] (super-, main, subdiagonal), "sequence" (three tensors) or "matrix".
    """
    upper, main, lower = _diagonals(diagonals, diagonals_format)
    return _tridiagonal_matmul(upper, main, lower, rhs, name)


@op("TridiagonalMatMul", superdiag=_MATRIX, maindiag=_MATRIX, subdiag=_MATRIX, rhs=_MATRIX)
def _tridiagonal_matmul(superdiag: Any, maindiag: Any, subdiag: Any, rhs: Any, name: str | None = None) -> Any:
    out = maindiag.unsqueeze(-1) * rhs
    above = superdiag[..., :-1].unsqueeze(-1) * rhs[..., 1:, :]
    below = subdiag[..., 1:].unsqueeze(-1) * rhs[..., :-1, :]
    out = out + torch.nn.functional.pad(above, (0, 0, 0, 1))
    return out + torch.nn.functional.pad(below, (0, 0, 1, 0))


@op("TridiagonalSolve", superdiag=_MATRIX, maindiag=_MATRIX, subdiag=_MATRIX, rhs=_MATRIX)
def _tridiagonal_solve(superdiag: Any, maindiag: Any, subdiag: Any, rhs: Any, name: str | None = None) -> Any:
    if maindiag.shape[-1] != rhs.shape[-2]:
        raise invalid(f"Expected same number of rows in diagonals {_dims(maindiag.shape)} and rhs {_dims(rhs.shape)} [Op:TridiagonalSolve] name: ")
    matrix = torch.diag_embed(maindiag) + torch.diag_embed(superdiag[..., :-1], 1) + torch.diag_embed(subdiag[..., 1:], -1)
    return torch.linalg.solve(matrix, rhs)


@_tridiagonal_solve.diagnose
def _(superdiag: Any, maindiag: Any, subdiag: Any, rhs: Any) -> Any:
    return invalid("The matrix is not invertible. [Op:TridiagonalSolve] name: ")


def tridiagonal_solve(
    diagonals: Any,
    rhs: Any,
    diagonals_format: str = "compact",
    transpose_rhs: bool = False,
    conjugate_rhs: bool = False,
    name: str | None = None,
    partial_pivoting: bool = True,
    perturb_singular: bool = False,
) -> Tensor:
    """X with A X = rhs for a tridiagonal A; rhs is [..., M] or [..., M, K] (`tf.linalg.tridiagonal_solve`).

    Formats as for `tridiagonal_matmul`. Rows are always exchanged where that helps, whatever `partial_pivoting` says.
    ValueError for `perturb_singular`, which only TensorFlow's GPU kernel knows.
    """
    if perturb_singular:
        raise ValueError("perturb_singular is not supported by tf2compat's tridiagonal_solve.")
    from .diagonals import adjoint, matrix_transpose

    upper, main, lower = _diagonals(diagonals, diagonals_format)
    rhs = convert_to_tensor(rhs, dtype_hint=main.dtype)
    if rhs.shape.rank == main.shape.rank:
        if conjugate_rhs:
            from ..math import conj

            rhs = conj(rhs)
        return _tridiagonal_solve(upper, main, lower, rhs[..., None], name)[..., 0]
    if transpose_rhs:
        rhs = adjoint(rhs) if conjugate_rhs else matrix_transpose(rhs)
    elif conjugate_rhs:
        from ..math import conj

        rhs = conj(rhs)
    return _tridiagonal_solve(upper, main, lower, rhs, name)


@op("EighTridiagonal", multi=True, alpha=_MATRIX, beta=_MATRIX)
def _eigh_tridiagonal(alpha: Any, beta: Any, select: str, bounds: Any, name: str | None = None) -> Any:
    matrix = torch.diag_embed(alpha) + torch.diag_embed(beta, -1) + torch.diag_embed(beta.conj() if beta.is_complex() else beta, 1)
    values, vectors = torch.linalg.eigh(matrix)
    if select == "i":
        low, high = bounds
        values, vectors = values[..., low : high + 1], vectors[..., low : high + 1]
    elif select == "v":
        slack = torch.finfo(values.dtype).eps * values.abs().amax()  # ends that are eigenvalues belong to the interval
        keep = (values >= bounds[0] - slack) & (values <= bounds[1] + slack)
        values, vectors = values[keep], vectors[..., keep]
    return values, vectors


@_eigh_tridiagonal.infer
def _(alpha: Any, beta: Any, select: str, bounds: Any) -> Any:
    from .._engine.dtypes import of

    n = alpha.shape[-1]
    count = n if select == "a" else bounds[1] - bounds[0] + 1 if select == "i" else None
    real = of(alpha).real_dtype
    return [(real, (*alpha.shape[:-1], count)), (of(alpha), (*alpha.shape[:-1], n, count))]


def eigh_tridiagonal(
    alpha: Any,
    beta: Any,
    eigvals_only: bool = True,
    select: str = "a",
    select_range: Any = None,
    tol: Any = None,
    name: str | None = None,
) -> Any:
    """Eigenvalues of a Hermitian tridiagonal matrix with diagonal `alpha` and off-diagonal `beta` (`tf.linalg.eigh_tridiagonal`).

    `select` "a" for all, "i" for those with the numbers `select_range`, "v" for those within that interval. They are exact
    to the dtype's precision whatever `tol` is. With eigvals_only=False the eigenvectors too.
    """
    alpha = convert_to_tensor(alpha)
    beta = convert_to_tensor(beta, dtype_hint=alpha.dtype)
    if select not in ("a", "i", "v"):
        raise ValueError("'select must have a value in {'a', 'i', 'v'}.")
    bounds = None
    if select == "i":
        bounds = [int(b) for b in select_range]
        if bounds[0] > bounds[1]:
            raise ValueError("Got empty index range in select_range.")
    elif select == "v":
        bounds = [float(b) for b in select_range]
        if bounds[0] >= bounds[1]:
            raise ValueError("Got empty interval in select_range.")
    values, vectors = _eigh_tridiagonal(alpha, beta, select, bounds, name)
    return values if eigvals_only else (values, vectors)


__all__ = [
    "banded_triangular_solve", "cholesky_solve", "eigh_tridiagonal", "lstsq", "solve", "triangular_solve", "tridiagonal_matmul",
    "tridiagonal_solve",
]  # fmt: skip
