"""Decompositions of matrices, determinants, inverses and functions of matrices."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from .._engine.convert import convert_to_tensor
from .._engine.dtypes import COMPLEXES, as_dtype, complex64, complex128, float32, float64, int32, int64
from .._engine.op import invalid, op, tensor
from .._engine.tensor import Tensor
from ..math.kernels import readable

_MATRIX = tensor(float32, float64, COMPLEXES)


class Qr(NamedTuple):
    """What `tf.linalg.qr` returns."""

    q: Any
    r: Any


class Lu(NamedTuple):
    """What `tf.linalg.lu` returns."""

    lu: Any
    p: Any


class LogMatrixDeterminant(NamedTuple):
    """What `tf.linalg.slogdet` returns."""

    sign: Any
    log_abs_determinant: Any


def _dims(shape: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


def rank_two(x: Any, name: str, position: int = 0) -> None:
    if x.ndim < 2:
        raise invalid(f"Input tensor {position} must have rank >= 2, got {x.ndim} [Op:{name}] name: ")


def square(x: Any, name: str) -> None:
    rank_two(x, name)
    if x.shape[-1] != x.shape[-2]:
        raise invalid(f"Input matrix must be square. Shape: {_dims(x.shape)} [Op:{name}] name: ")


def _singular(name: str) -> Exception:
    return invalid(f"Input is not invertible. [Op:{name}] name: ")


@op("Cholesky", input=_MATRIX)
def cholesky(input: Any, name: str | None = None) -> Any:  # noqa: A002 - TensorFlow's parameter
    """The lower triangular L with L Lᴴ = `input`, of positive definite matrices [..., M, M] (`tf.linalg.cholesky`).

    Only the lower triangle is read. A matrix that is not positive definite gives NaN.
    """
    square(input, "Cholesky")
    out, info = torch.linalg.cholesky_ex(input)
    return torch.tril(torch.where((info > 0)[..., None, None], torch.nan, out))


@op("MatrixDeterminant", input=_MATRIX)
def det(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """Determinants of matrices [..., M, M] (`tf.linalg.det`)."""
    square(input, "MatrixDeterminant")
    return torch.linalg.det(input)


@op("LogMatrixDeterminant", multi=True, input=_MATRIX)
def slogdet(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """Sign and logarithm of the absolute value of determinants (`tf.linalg.slogdet`)."""
    square(input, "LogMatrixDeterminant")
    sign, size = torch.linalg.slogdet(input)
    return LogMatrixDeterminant(sign, size.to(input.dtype))


@op("LogDet", matrix=_MATRIX)
def logdet(matrix: Any, name: str | None = None) -> Any:
    """Logarithm of the determinant of Hermitian positive definite matrices (`tf.linalg.logdet`)."""
    square(matrix, "Cholesky")
    chol, info = torch.linalg.cholesky_ex(matrix)
    part = torch.diagonal(chol, 0, -2, -1).real if matrix.is_complex() else torch.diagonal(chol, 0, -2, -1)
    return torch.where(info > 0, torch.nan, 2.0 * torch.sum(torch.log(part), -1))


@op("MatrixInverse", input=_MATRIX)
def inv(input: Any, adjoint: bool = False, name: str | None = None) -> Any:  # noqa: A002
    """Inverses of matrices [..., M, M], of their adjoints with `adjoint` (`tf.linalg.inv`).

    InvalidArgumentError for a singular matrix.
    """
    square(input, "MatrixInverse")
    return torch.linalg.inv(input.mH if adjoint else input)


@inv.diagnose
def _(input: Any, adjoint: bool) -> Any:  # noqa: A002
    return _singular("MatrixInverse")


@op("Qr", multi=True, input=_MATRIX)
def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> Any:  # noqa: A002
    """Orthogonal q and upper triangular r with q r = `input`, (q, r) of matrices [..., M, N] (`tf.linalg.qr`)."""
    rank_two(input, "Qr")
    return Qr(*torch.linalg.qr(input, "complete" if full_matrices else "reduced"))


@op("Svd", multi=True, tensor=_MATRIX)
def _svd(tensor: Any, full_matrices: bool, name: str | None = None) -> Any:
    rank_two(tensor, "Svd")
    u, s, vh = torch.linalg.svd(tensor, full_matrices=bool(full_matrices))
    return s, u, vh.mH


@op("Svd", tensor=_MATRIX)
def _singular_values(tensor: Any, name: str | None = None) -> Any:
    rank_two(tensor, "Svd")
    return torch.linalg.svdvals(tensor)


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Singular values s, largest first, and u and v with u diag(s) vᴴ = `tensor`: (s, u, v) (`tf.linalg.svd`).

    Of matrices [..., M, N]; s alone without `compute_uv`; square u and v with `full_matrices`.
    """
    if not compute_uv:
        return _singular_values(tensor, name)
    return _svd(tensor, full_matrices, name)


def _from_lower(x: torch.Tensor) -> torch.Tensor:
    """The matrix as its lower triangle says; the gradient then belongs to that triangle, as TensorFlow's does."""
    if not x.requires_grad:
        return x
    below = torch.tril(x, -1)
    return below + below.mH + torch.diag_embed(torch.diagonal(x, 0, -2, -1))


@op("SelfAdjointEigV2", multi=True, tensor=_MATRIX)
def eigh(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues, rising, and eigenvectors in columns of Hermitian matrices (`tf.linalg.eigh`)."""
    square(tensor, "SelfAdjointEigV2")
    values, vectors = torch.linalg.eigh(_from_lower(tensor))
    return values.to(tensor.dtype), vectors


@op("SelfAdjointEigV2", tensor=_MATRIX)
def eigvalsh(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues, rising, of Hermitian matrices (`tf.linalg.eigvalsh`)."""
    square(tensor, "SelfAdjointEigV2")
    return torch.linalg.eigvalsh(_from_lower(tensor)).to(tensor.dtype)


@op("Eig", multi=True, tensor=_MATRIX)
def eig(tensor: Any, name: str | None = None) -> Any:
    """Complex eigenvalues and eigenvectors in columns of square matrices (`tf.linalg.eig`)."""
    square(tensor, "Eig")
    return tuple(torch.linalg.eig(tensor))


@op("Eig", tensor=_MATRIX)
def eigvals(tensor: Any, name: str | None = None) -> Any:
    """Complex eigenvalues of square matrices (`tf.linalg.eigvals`)."""
    square(tensor, "Eig")
    return torch.linalg.eigvals(tensor)


# --- LU ------------------------------------------------------------------------------------------------------------------
@op("Lu", multi=True, input=_MATRIX)
def lu(input: Any, output_idx_type: Any = int32, name: str | None = None) -> Any:  # noqa: A002
    """The LU decomposition with row exchanges of square matrices: both triangles in one matrix, and the order of the rows
    (`tf.linalg.lu`). InvalidArgumentError for a singular matrix."""
    square(input, "Lu")
    index = as_dtype(output_idx_type)
    if index not in (int32, int64):
        raise invalid(f"Value for attr 'output_idx_type' of {index._cpp} is not in the list of allowed values: int32, int64 [Op:Lu] name: ")
    factors, pivots, info = torch.linalg.lu_factor_ex(input)
    if readable(info) and bool((info > 0).any()):
        raise _singular("Lu")
    matrix = torch.lu_unpack(factors.detach(), pivots, unpack_data=False)[0]
    if not matrix.shape[-1]:
        return Lu(factors, torch.zeros(matrix.shape[:-1], dtype=index.torch, device=matrix.device))
    return Lu(factors, torch.argmax(matrix.real if matrix.is_complex() else matrix, -2).to(index.torch))


def _triangles(lower_upper: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    n = lower_upper.shape[-1]
    eye = torch.eye(n, dtype=lower_upper.dtype, device=lower_upper.device)
    return torch.tril(lower_upper, -1) + eye, torch.triu(lower_upper)


def _ordered(x: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """The rows of `x` in the given order."""
    return torch.gather(x, -2, order.to(torch.int64).unsqueeze(-1).expand(*x.shape[:-1], x.shape[-1]))


_PERM = tensor(int32, int64, group="I")


def _check(lower_upper: Any, perm: Any, validate_args: bool) -> None:
    if lower_upper.ndim < 2:
        raise ValueError(f"`lower_upper` must have at least 2 dimensions, got shape {_dims(lower_upper.shape)}")
    if perm.shape[-1:] != lower_upper.shape[-1:]:
        raise ValueError(f"`lower_upper` {_dims(lower_upper.shape)} and `perm` {_dims(perm.shape)} must agree in their last dimension.")
    if validate_args and lower_upper.shape[-1] != lower_upper.shape[-2]:
        raise invalid(f"Input must be square: {_dims(lower_upper.shape)}")


@op("LuReconstruct", lower_upper=_MATRIX, perm=_PERM)
def lu_reconstruct(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Any:
    """The matrices of which `lower_upper` and `perm` are the LU decomposition (`tf.linalg.lu_reconstruct`)."""
    _check(lower_upper, perm, validate_args)
    lower, upper = _triangles(lower_upper)
    return _ordered(torch.matmul(lower, upper), torch.argsort(perm, -1))


def _lu_solve(lower_upper: Any, perm: Any, rhs: Any) -> Any:
    lower, upper = _triangles(lower_upper)
    batch = torch.broadcast_shapes(lower_upper.shape[:-2], rhs.shape[:-2])
    rhs = rhs.expand(*batch, *rhs.shape[-2:])
    rhs = _ordered(rhs, perm.expand(*batch, perm.shape[-1]))
    half = torch.linalg.solve_triangular(lower, rhs, upper=False, unitriangular=True)
    return torch.linalg.solve_triangular(upper, half, upper=True)


@op("LuSolve", lower_upper=_MATRIX, perm=_PERM, rhs=_MATRIX)
def lu_solve(lower_upper: Any, perm: Any, rhs: Any, validate_args: bool = False, name: str | None = None) -> Any:
    """The solution of A X = rhs for the matrix A of an LU decomposition; rhs is [..., M, K] (`tf.linalg.lu_solve`)."""
    _check(lower_upper, perm, validate_args)
    if rhs.ndim < 2:
        raise ValueError(f"`rhs` must have at least 2 dimensions, got shape {_dims(rhs.shape)}")
    return _lu_solve(lower_upper, perm, rhs)


@op("LuMatrixInverse", lower_upper=_MATRIX, perm=_PERM)
def lu_matrix_inverse(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Any:
    """The inverse of the matrix of an LU decomposition (`tf.linalg.lu_matrix_inverse`)."""
    _check(lower_upper, perm, validate_args)
    eye = torch.eye(lower_upper.shape[-1], dtype=lower_upper.dtype, device=lower_upper.device)
    return _lu_solve(lower_upper, perm, eye)


# --- rank and pseudo-inverse ---------------------------------------------------------------------------------------------
@op("MatrixRank", a=_MATRIX)
def _matrix_rank(a: Any, tol: Any, name: str | None = None) -> Any:
    rank_two(a, "Svd")
    s = torch.linalg.svdvals(a)
    if tol is None:
        tol = torch.amax(s, -1, True) * (max(a.shape[-2:]) * torch.finfo(s.dtype).eps)
    return torch.sum(s > tol, -1).to(torch.int32)


def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The number of singular values above `tol`, int32 (`tf.linalg.matrix_rank`).

    When None, `tol` is the largest one times the larger dimension times the precision of the dtype.
    """
    a = convert_to_tensor(a, dtype_hint=float32)
    if not a.dtype.is_floating:
        raise TypeError(f"Input `a` must have `float`-like `dtype` (saw {a.dtype.name}).")
    if isinstance(tol, (list, tuple, np.ndarray)):
        tol = convert_to_tensor(tol, a.dtype)
    if tol is not None and isinstance(tol, Tensor):
        from .._top.arithmetic import cast
        from ..math import count_nonzero

        return cast(count_nonzero(_singular_values(a) > tol, axis=-1), int32)
    return _matrix_rank(a, tol, name)


@op("PseudoInverse", a=tensor(float32, float64), rcond=tensor())
def _pinv(a: Any, rcond: Any, name: str | None = None) -> Any:
    rank_two(a, "Svd")
    u, s, vh = torch.linalg.svd(a, full_matrices=False)
    cutoff = rcond * torch.amax(s, -1)
    inverse = torch.where(s > cutoff.unsqueeze(-1), 1 / torch.where(s == 0, 1, s), 0)
    return torch.matmul(vh.mH * inverse.unsqueeze(-2), u.mH)


def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The Moore-Penrose inverse of float matrices (`tf.linalg.pinv`).

    Singular values up to `rcond` times the largest one count as zero.
    """
    a = convert_to_tensor(a)
    if not a.dtype.is_floating:
        raise TypeError(f"Input `a` must have `float`-like `dtype` (saw {a.dtype.name}).")
    if rcond is None:
        import numpy as np

        dims = [d for d in a.shape[-2:] if d is not None]
        rcond = 10.0 * max(dims) * float(np.finfo(a.dtype.as_numpy_dtype).eps)
    return _pinv(a, convert_to_tensor(rcond, a.dtype), name)


# --- functions of matrices -----------------------------------------------------------------------------------------------
@op("MatrixExponential", input=_MATRIX)
def expm(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """The matrix exponential of square matrices (`tf.linalg.expm`)."""
    square(input, "MatrixExponential")
    return torch.linalg.matrix_exp(input)


def _root(x: torch.Tensor) -> torch.Tensor:
    """The principal square root, by eigenvalues where the eigenvectors allow it, else by Denman and Beavers' iteration."""
    values, vectors = torch.linalg.eig(x.to(torch.complex128))
    by_values = torch.matmul(vectors * torch.sqrt(values).unsqueeze(-2), torch.linalg.inv_ex(vectors)[0])
    y, z = x.to(torch.complex128), torch.eye(x.shape[-1], dtype=torch.complex128, device=x.device).expand(x.shape)
    for _ in range(30):
        y, z = (y + torch.linalg.inv_ex(z)[0]) / 2, (z + torch.linalg.inv_ex(y)[0]) / 2

    def miss(root: torch.Tensor) -> torch.Tensor:
        size = torch.linalg.matrix_norm(torch.matmul(root, root) - x, "fro")
        return torch.where(torch.isfinite(size), size, torch.inf)

    return torch.where((miss(by_values) <= miss(y))[..., None, None], by_values, y)


def _root_as(x: torch.Tensor) -> torch.Tensor:
    if x.numel() == 0 or x.device.type == "meta":
        return torch.empty_like(x)
    out = _root(x)
    if x.is_complex():
        return out.to(x.dtype)
    real = torch.abs(out.imag).amax((-2, -1), keepdim=True) <= 1e-6 * (1 + torch.abs(out.real).amax((-2, -1), keepdim=True))
    return torch.where(real, out.real, torch.nan).to(x.dtype)


class _SquareRoot(torch.autograd.Function):
    """The root Y of X has dY Y + Y dY = dX, a linear system for the gradient."""

    @staticmethod
    def forward(x: torch.Tensor) -> torch.Tensor:
        return _root_as(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:  # type: ignore[override]
        (y,) = ctx.saved_tensors
        n = y.shape[-1]
        eye = torch.eye(n, dtype=y.dtype, device=y.device)
        system = torch.einsum("...ik,jl->...ijkl", y.mH, eye) + torch.einsum("ik,...lj->...ijkl", eye, y.mH)
        system = system.reshape(*y.shape[:-2], n * n, n * n)
        return torch.linalg.solve(system, grad.reshape(*grad.shape[:-2], n * n, 1)).reshape(grad.shape)


@op("MatrixSquareRoot", input=_MATRIX)
def sqrtm(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """The principal square root of square matrices; NaN where a real matrix has none that is real (`tf.linalg.sqrtm`)."""
    square(input, "MatrixSquareRoot")
    return _SquareRoot.apply(input) if input.requires_grad else _root_as(input)


@op("MatrixLogarithm", input=tensor(complex64, complex128))
def logm(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """The principal logarithm of complex square matrices (`tf.linalg.logm`). No gradient passes.

    Roots are taken until the matrix is near the identity, where Gauss-Legendre quadrature of ∫ X (I + tX)⁻¹ dt is exact.
    """
    square(input, "MatrixLogarithm")
    x = input.detach()
    if x.numel() == 0 or x.device.type == "meta":
        return torch.empty_like(x)
    import numpy as np

    x = x.to(torch.complex128)
    eye = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    roots = 0
    while roots < 40 and float(torch.linalg.matrix_norm(x - eye, 1).max()) > 0.25:
        x = _root(x)
        roots += 1
    x = x - eye
    total = torch.zeros_like(x)
    for node, weight in zip(*np.polynomial.legendre.leggauss(12), strict=True):
        total = total + (0.5 * float(weight)) * torch.linalg.solve(eye + (0.5 * (1 + float(node))) * x, x)
    return (total * 2.0**roots).to(input.dtype)


__all__ = [
    "cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "expm", "inv", "logdet", "logm", "lu", "lu_matrix_inverse",
    "lu_reconstruct", "lu_solve", "matrix_rank", "pinv", "qr", "slogdet", "sqrtm", "svd",
]  # fmt: skip
