"""`tf.linalg`. Each file holds one kind of function; this one names them all."""

# ruff: noqa: F401 - the names of the package are gathered here
from __future__ import annotations

from typing import Any

from .._names import module_getattr
from .._top.arithmetic import global_norm
from ..math.softmaxes import l2_normalize
from .decompositions import (
    cholesky,
    det,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    expm,
    inv,
    logdet,
    logm,
    lu,
    lu_matrix_inverse,
    lu_reconstruct,
    lu_solve,
    matrix_rank,
    pinv,
    qr,
    slogdet,
    sqrtm,
    svd,
)
from .diagonals import (
    adjoint,
    band_part,
    cross,
    diag,
    diag_part,
    matrix_transpose,
    set_diag,
    tensor_diag,
    tensor_diag_part,
    trace,
)
from .norms import norm, normalize
from .products import einsum, matmul, matvec, tensordot
from .solving import (
    banded_triangular_solve,
    cholesky_solve,
    eigh_tridiagonal,
    lstsq,
    solve,
    triangular_solve,
    tridiagonal_matmul,
    tridiagonal_solve,
)

matrix_square_root = sqrtm
_missing = module_getattr("tf.linalg")


def __getattr__(name: str) -> Any:
    if name == "eye":  # lives with the other new tensors, which import this package's neighbours
        from .._top.creation import eye

        return eye
    if name.startswith("LinearOperator"):  # they build on the whole of tf, and few programs use them
        from . import operators

        if hasattr(operators, name):
            return getattr(operators, name)
    if name == "experimental":
        import importlib

        return importlib.import_module(f"{__name__}.experimental")
    return _missing(name)
