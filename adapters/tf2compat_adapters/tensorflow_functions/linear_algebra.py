"""How ops of tf.linalg are written: matrices and their diagonals, decompositions, norms, products of many operands."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._engine import dtypes

from .body import NotExportable
from .export import Call
from .lowering import lowers
from .rules import rule


# --- diagonals -------------------------------------------------------------------------------------------------------
def _band(call: Call) -> Any:
    low, high = call["low"], call["high"]
    return call.static(low if low == high else [low, high])


def _padding(call: Call) -> Any:
    dtype = call.node.outputs[0]._dtype
    value = call["padding_value"]
    if isinstance(value, (int, float)):
        return call.body.constant(np.asarray(value).astype(dtype.as_numpy_dtype), dtype)
    return call.scope.cast(call.ref("padding_value"), dtype)


@rule("MatrixDiagV3")
def _diag(call: Call) -> Any:
    rows, columns = call.static(call["num_rows"]), call.static(call["num_cols"])
    return call.op("MatrixDiagV3", call.ref("diagonal"), _band(call), rows, columns, _padding(call), align=call["align"])


@rule("MatrixDiagPartV3")
def _diag_part(call: Call) -> Any:
    return call.op("MatrixDiagPartV3", call.ref("input"), _band(call), _padding(call), align=call["align"])


@rule("MatrixSetDiagV3")
def _set_diag(call: Call) -> Any:
    return call.op("MatrixSetDiagV3", call.ref("input"), call.ref("diagonal"), _band(call), align=call["align"])


@lowers("Trace")
def trace(x: Any) -> Any:
    return tf.reduce_sum(tf.linalg.diag_part(x), -1)


@lowers("Adjoint")
def adjoint(matrix: Any) -> Any:
    return tf.linalg.matrix_transpose(matrix, conjugate=True)


# --- decompositions --------------------------------------------------------------------------------------------------
@rule("Svd")
def _svd(call: Call) -> Any:
    alone = "full_matrices" not in call.args
    found = call.op("Svd", call.ref("tensor"), compute_uv=not alone, full_matrices=not alone and bool(call["full_matrices"]))
    return found[0] if alone else found


@rule("SelfAdjointEigV2")
def _eigh(call: Call) -> Any:
    alone = len(call.node.outputs) == 1
    found = call.op("SelfAdjointEigV2", call.ref("tensor"), compute_v=not alone)
    return call.scope.cast(found[0], call.node.outputs[0]._dtype) if alone else found


@rule("Eig")
def _eig(call: Call) -> Any:
    alone = len(call.node.outputs) == 1
    found = call.op("Eig", call.ref("tensor"), compute_v=not alone, Tout=call.node.outputs[0]._dtype)
    return found[0] if alone else found


@lowers("CholeskySolve")
def cholesky_solve(chol: Any, rhs: Any) -> Any:
    return tf.linalg.triangular_solve(chol, tf.linalg.triangular_solve(chol, rhs), adjoint=True)


@lowers("LogDet")
def log_det(matrix: Any) -> Any:
    return 2.0 * tf.reduce_sum(tf.math.log(tf.math.real(tf.linalg.diag_part(tf.linalg.cholesky(matrix)))), -1)


def _triangles(lower_upper: Any) -> tuple[Any, Any]:
    lower = tf.linalg.set_diag(tf.linalg.band_part(lower_upper, -1, 0), tf.ones_like(tf.linalg.diag_part(lower_upper)))
    return lower, tf.linalg.band_part(lower_upper, 0, -1)


def _one_permutation(perm: Any) -> None:
    if perm.shape.rank != 1:
        raise NotExportable("its permutations are a batch")


@lowers("LuReconstruct")
def lu_reconstruct(lower_upper: Any, perm: Any, validate: bool) -> Any:
    _one_permutation(perm)
    lower, upper = _triangles(lower_upper)
    return tf.gather(tf.matmul(lower, upper), tf.math.invert_permutation(perm))


@lowers("LuSolve")
def lu_solve(lower_upper: Any, perm: Any, rhs: Any, validate: bool) -> Any:
    _one_permutation(perm)
    lower, upper = _triangles(lower_upper)
    return tf.linalg.triangular_solve(upper, tf.linalg.triangular_solve(lower, tf.gather(rhs, perm)), lower=False)


@lowers("LuMatrixInverse")
def lu_matrix_inverse(lower_upper: Any, perm: Any, validate: bool) -> Any:
    _one_permutation(perm)
    return lu_solve(lower_upper, perm, tf.eye(lower_upper.shape[-1], dtype=lower_upper.dtype), False)


@lowers("PseudoInverse")
def pseudo_inverse(a: Any, rcond: Any) -> Any:
    s, u, v = tf.linalg.svd(a)
    cutoff = tf.expand_dims(tf.cast(rcond, s.dtype) * tf.reduce_max(s, -1), -1)
    inverse = tf.where(s > cutoff, tf.math.divide_no_nan(tf.ones_like(s), s), tf.zeros_like(s))
    return tf.matmul(v * tf.expand_dims(inverse, -2), u, adjoint_b=True)


@lowers("MatrixRank")
def matrix_rank(a: Any, tol: Any) -> Any:
    s = tf.linalg.svd(a, compute_uv=False)
    if tol is None:
        if None in a.shape[-2:]:
            raise NotExportable("the shape of its input is not known")
        tol = tf.reduce_max(s, -1, keepdims=True) * (max(a.shape[-2:]) * np.finfo(s.dtype.as_numpy_dtype).eps)
    return tf.reduce_sum(tf.cast(s > tol, tf.int32), -1)


@lowers("EighTridiagonal")
def eigh_tridiagonal(alpha: Any, beta: Any, select: str, bounds: Any) -> Any:
    if select == "v":
        raise NotExportable("it selects eigenvalues by an interval")
    matrix = tf.linalg.diag(alpha) + tf.linalg.diag(beta, k=-1) + tf.linalg.diag(tf.math.conj(beta) if beta.dtype.is_complex else beta, k=1)
    values, vectors = tf.linalg.eigh(matrix)
    if select == "i":
        low, high = bounds
        values, vectors = values[..., low : high + 1], vectors[..., low : high + 1]
    return values, vectors


@lowers("MatrixExponential")
def expm(x: Any) -> Any:
    """Scaling, a Padé approximant of order 13, and squaring (Higham, 2005)."""
    if x.shape.rank is None or x.shape[-1] is None or x.dtype.is_complex:
        raise NotExportable("the size of its matrices is not known, or they are complex")
    one = tf.eye(x.shape[-1], dtype=x.dtype)
    size = tf.reduce_max(tf.reduce_sum(tf.abs(x), -2))
    times = tf.maximum(0.0, tf.math.ceil(tf.math.log(tf.cast(size, tf.float64) / 5.371920351148152) / math.log(2.0)))
    a = x * tf.cast(tf.pow(tf.constant(0.5, tf.float64), times), x.dtype)
    b = [float(math.factorial(26 - k) * math.factorial(13) // (math.factorial(k) * math.factorial(13 - k))) / math.factorial(13) for k in range(14)]
    b = [v / b[0] for v in b]
    a2 = tf.matmul(a, a)
    a4 = tf.matmul(a2, a2)
    a6 = tf.matmul(a4, a2)
    odd = tf.matmul(a, tf.matmul(a6, b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one)
    even = tf.matmul(a6, b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one
    found = tf.linalg.solve(even - odd, even + odd)
    rounds = tf.cast(times, tf.int32)
    return tf.while_loop(lambda i, _: i < rounds, lambda i, m: (i + 1, tf.matmul(m, m)), (tf.constant(0), found))[1]


# --- solving ---------------------------------------------------------------------------------------------------------
@rule("TridiagonalSolve")
def _tridiagonal_solve(call: Call) -> Any:
    if call.rank("rhs") != call.rank("maindiag") + 1:
        raise NotExportable("its right sides are one batch for several matrices")
    diagonals = call.body.op("Pack", [call.ref(n) for n in ("superdiag", "maindiag", "subdiag")], axis=-2)
    return call.op("TridiagonalSolve", diagonals, call.ref("rhs"))


@rule("TridiagonalMatMul")
def _tridiagonal_matmul(call: Call) -> Any:
    rows = [call.body.op("ExpandDims", call.ref(n), call.body.ints(-2)) for n in ("superdiag", "maindiag", "subdiag")]
    return call.op("TridiagonalMatMul", *rows, call.ref("rhs"))


# --- products and norms ----------------------------------------------------------------------------------------------
@rule("Einsum")
def _einsum(call: Call) -> Any:
    inputs, equation = call["inputs"], call["equation"].replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if not arrow:  # what NumPy takes for the result: letters that occur once, in order
        letters = [c for term in terms for c in term if c.isalpha()]
        right = ("..." if "..." in left else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    refs = [call.scope.ref(v) for v in inputs]
    while len(refs) > 2:
        rest = set("".join(terms[2:]) + right)
        kept = ("..." if any("..." in t for t in terms[:2]) else "") + "".join(dict.fromkeys(c for t in terms[:2] for c in t if c.isalpha() and c in rest))
        made = call.body.op("Einsum", refs[:2], equation=f"{terms[0]},{terms[1]}->{kept}")
        terms, refs = [kept, *terms[2:]], [made, *refs[2:]]
    return call.op("Einsum", refs, equation=f"{','.join(terms)}->{right}")


@lowers("Norm")
def norm(x: Any, order: Any, axis: Any, keepdims: bool) -> Any:
    keep = bool(keepdims)
    pair = isinstance(axis, (list, tuple)) and len(axis) > 1
    if order in ("euclidean", "fro") or (order == 2 and not pair):
        squares = tf.math.real(x * tf.math.conj(x)) if x.dtype.is_complex else x * x
        return tf.cast(tf.sqrt(tf.reduce_sum(squares, axis, keepdims=keep)), x.dtype)
    if pair:
        return _matrix_norm(x, order, list(axis), keep)
    size = tf.abs(x)
    if order == np.inf:
        return tf.reduce_max(size, axis, keepdims=keep)
    if order == 1:
        return tf.reduce_sum(size, axis, keepdims=keep)
    return tf.pow(tf.reduce_sum(tf.pow(size, order), axis, keepdims=keep), 1.0 / order)


def _matrix_norm(x: Any, order: Any, axis: list[int], keep: bool) -> Any:
    if x.shape.rank is None:
        raise NotExportable("the rank of its input is not known")
    rows, columns = (a % x.shape.rank for a in axis)
    if order in (1, np.inf):
        added, largest = (rows, columns) if order == 1 else (columns, rows)
        found = tf.reduce_max(tf.reduce_sum(tf.abs(x), added, keepdims=True), largest, keepdims=True)
    elif order == 2:
        others = [i for i in range(x.shape.rank) if i not in (rows, columns)]
        found = tf.reduce_max(tf.linalg.svd(tf.transpose(x, [*others, rows, columns]), compute_uv=False), -1)
        for a in sorted((rows, columns)):
            found = tf.expand_dims(found, a)
    else:
        raise NotExportable(f"its order is {order!r}")
    return found if keep else tf.squeeze(found, [rows, columns])


@lowers("L2Normalize")
def l2_normalize(x: Any, axis: Any, epsilon: float) -> Any:
    squares = tf.math.real(x * tf.math.conj(x)) if x.dtype.is_complex else tf.square(x)
    factor = tf.math.rsqrt(tf.maximum(tf.reduce_sum(squares, axis, keepdims=True), epsilon))
    return x * tf.cast(factor, x.dtype)


@rule("MatMul")
def _matmul(call: Call) -> Any:
    a, b = call.ref("a"), call.ref("b")
    dtype = call.node.outputs[0]._dtype
    if dtype is not a.dtype:  # narrow whole numbers added up in wide ones
        if dtype not in (dtypes.int32, dtypes.float32):
            raise NotExportable("output_type is not that of the inputs")
        a, b = call.scope.cast(a, dtype), call.scope.cast(b, dtype)
    turned = [bool(call[f"transpose_{x}"]) for x in "ab"]
    adjoint = [bool(call[f"adjoint_{x}"]) for x in "ab"]
    if call.rank("a") == 2 and call.rank("b") == 2 and not (any(adjoint) and a.dtype.is_complex):
        return call.op("MatMul", a, b, transpose_a=turned[0] or adjoint[0], transpose_b=turned[1] or adjoint[1])
    if any(turned) and a.dtype.is_complex:
        raise NotExportable("complex matrices are transposed")
    return call.op("BatchMatMulV2", a, b, adj_x=turned[0] or adjoint[0], adj_y=turned[1] or adjoint[1])
