"""Arithmetic, comparisons, reductions, linear algebra."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._top.tensor_array import list_sum

from .registry import Call, graph_op, integers, numbers, simple

simple({
    "Abs": tf.abs, "Neg": tf.negative, "Sign": tf.sign, "Square": tf.square, "Sqrt": tf.sqrt, "Rsqrt": tf.math.rsqrt, "Exp": tf.exp,
    "Expm1": tf.math.expm1, "Log": tf.math.log, "Log1p": tf.math.log1p, "Sin": tf.sin, "Cos": tf.cos, "Tan": tf.tan, "Asin": tf.asin,
    "Acos": tf.acos, "Atan": tf.atan, "Sinh": tf.sinh, "Cosh": tf.cosh, "Tanh": tf.tanh, "Asinh": tf.asinh, "Acosh": tf.acosh,
    "Atanh": tf.atanh, "Erf": tf.math.erf, "Erfc": tf.math.erfc, "Erfinv": tf.math.erfinv, "Ndtri": tf.math.ndtri, "Lgamma": tf.math.lgamma,
    "Digamma": tf.math.digamma, "Floor": tf.floor, "Ceil": tf.math.ceil, "Round": tf.round, "Rint": tf.math.rint, "Sigmoid": tf.sigmoid,
    "Reciprocal": tf.math.reciprocal, "Inv": tf.math.reciprocal, "IsNan": tf.math.is_nan, "IsInf": tf.math.is_inf,
    "IsFinite": tf.math.is_finite, "LogicalNot": tf.logical_not, "Real": tf.math.real, "Imag": tf.math.imag, "Conj": tf.math.conj,
    "Angle": tf.math.angle, "ComplexAbs": tf.abs, "Complex": tf.complex, "Invert": tf.bitwise.invert,
    "Add": tf.add, "AddV2": tf.add, "Sub": tf.subtract, "Mul": tf.multiply, "Div": tf.math.divide, "RealDiv": tf.realdiv,
    "FloorDiv": tf.math.floordiv, "FloorMod": tf.math.floormod, "Mod": tf.truncatemod, "TruncateDiv": tf.truncatediv,
    "TruncateMod": tf.truncatemod, "Pow": tf.pow, "Maximum": tf.maximum, "Minimum": tf.minimum, "Atan2": tf.atan2,
    "SquaredDifference": tf.math.squared_difference, "DivNoNan": tf.math.divide_no_nan, "MulNoNan": tf.math.multiply_no_nan,
    "Xdivy": tf.math.xdivy, "Xlogy": tf.math.xlogy, "Xlog1py": tf.math.xlog1py, "Igamma": tf.math.igamma, "Igammac": tf.math.igammac,
    "Zeta": tf.math.zeta, "Polygamma": tf.math.polygamma, "Betainc": tf.math.betainc,
    "Less": tf.less, "LessEqual": tf.less_equal, "Greater": tf.greater, "GreaterEqual": tf.greater_equal, "Equal": tf.equal,
    "NotEqual": tf.not_equal, "LogicalAnd": tf.logical_and, "LogicalOr": tf.logical_or, "BitwiseAnd": tf.bitwise.bitwise_and,
    "BitwiseOr": tf.bitwise.bitwise_or, "BitwiseXor": tf.bitwise.bitwise_xor, "LeftShift": tf.bitwise.left_shift,
    "RightShift": tf.bitwise.right_shift, "ClipByValue": tf.clip_by_value, "Cross": tf.linalg.cross, "L2Loss": tf.nn.l2_loss,
    "MatrixDeterminant": tf.linalg.det, "LinSpace": tf.linspace, "Range": tf.range, "SelectV2": tf.where, "InvertPermutation":
    tf.math.invert_permutation, "FFT": tf.signal.fft, "IFFT": tf.signal.ifft, "FFT2D": tf.signal.fft2d, "IFFT2D": tf.signal.ifft2d,
    "RFFT": tf.signal.rfft, "IRFFT": tf.signal.irfft, "SegmentSum": tf.math.segment_sum, "SegmentMean": tf.math.segment_mean,
    "SegmentMax": tf.math.segment_max, "SegmentMin": tf.math.segment_min, "SegmentProd": tf.math.segment_prod,
    "UnsortedSegmentSum": tf.math.unsorted_segment_sum, "UnsortedSegmentMax": tf.math.unsorted_segment_max,
    "UnsortedSegmentMin": tf.math.unsorted_segment_min, "UnsortedSegmentProd": tf.math.unsorted_segment_prod,
    "LogicalXor": tf.math.logical_xor, "FFT3D": tf.signal.fft3d, "IFFT3D": tf.signal.ifft3d, "RFFT2D": tf.signal.rfft2d,
    "RFFT3D": tf.signal.rfft3d, "IRFFT2D": tf.signal.irfft2d, "IRFFT3D": tf.signal.irfft3d, "BesselI0": tf.math.bessel_i0,
    "BesselI0e": tf.math.bessel_i0e, "BesselI1": tf.math.bessel_i1, "BesselI1e": tf.math.bessel_i1e,
    "BesselJ0": tf.math.special.bessel_j0, "BesselJ1": tf.math.special.bessel_j1, "BesselK0": tf.math.special.bessel_k0,
    "BesselK0e": tf.math.special.bessel_k0e, "BesselK1": tf.math.special.bessel_k1, "BesselK1e": tf.math.special.bessel_k1e,
    "BesselY0": tf.math.special.bessel_y0, "BesselY1": tf.math.special.bessel_y1, "Dawsn": tf.math.special.dawsn,
    "Expint": tf.math.special.expint, "FresnelCos": tf.math.special.fresnel_cos, "FresnelSin": tf.math.special.fresnel_sin,
    "Spence": tf.math.special.spence, "NextAfter": tf.math.nextafter, "MatrixExponential": tf.linalg.expm,
    "MatrixLogarithm": tf.linalg.logm, "MatrixSquareRoot": tf.linalg.sqrtm,
})  # fmt: skip


def _reduction(name: str, function: Any) -> None:
    @graph_op(name)
    def reduce(call: Call, value: Any, axes: Any) -> Any:
        return function(value, axis=numbers(axes), keepdims=call.get("keep_dims", False))


for _name, _function in {
    "Sum": tf.reduce_sum, "Mean": tf.reduce_mean, "Max": tf.reduce_max, "Min": tf.reduce_min, "Prod": tf.reduce_prod, "All": tf.reduce_all,
    "Any": tf.reduce_any, "EuclideanNorm": tf.math.reduce_euclidean_norm,
}.items():  # fmt: skip
    _reduction(_name, _function)


@graph_op("AddN", "AccumulateNV2")
def _add_n(call: Call, *values: Any) -> Any:
    return list_sum(list(values)) if values[0].dtype == tf.variant else tf.add_n(list(values))


@graph_op("Cast")
def _cast(call: Call, value: Any) -> Any:
    return tf.cast(value, call.get("DstT"))


@graph_op("Bitcast")
def _bitcast(call: Call, value: Any) -> Any:
    return tf.bitcast(value, call.get("type"))


@graph_op("MatMul")
def _matmul(call: Call, a: Any, b: Any) -> Any:
    return tf.matmul(a, b, transpose_a=call.get("transpose_a", False), transpose_b=call.get("transpose_b", False))


@graph_op("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
def _batch_matmul(call: Call, a: Any, b: Any) -> Any:
    return tf.matmul(a, b, adjoint_a=call.get("adj_x", False), adjoint_b=call.get("adj_y", False))


@graph_op("Einsum")
def _einsum(call: Call, *values: Any) -> Any:
    return tf.einsum(call.get("equation", b"").decode(), *values)


@graph_op("Cumsum", "Cumprod")
def _cumulative(call: Call, value: Any, axis: Any) -> Any:
    function = tf.cumsum if call.op == "Cumsum" else tf.math.cumprod
    return function(value, axis=integers(call, axis), exclusive=call.get("exclusive", False), reverse=call.get("reverse", False))


@graph_op("ArgMax", "ArgMin")
def _arg(call: Call, value: Any, axis: Any) -> Any:
    function = tf.argmax if call.op == "ArgMax" else tf.argmin
    return function(value, axis=integers(call, axis), output_type=call.get("output_type", tf.int64))


@graph_op("Select")
def _select(call: Call, condition: Any, a: Any, b: Any) -> Any:
    missing = len(a.shape) - len(condition.shape)
    if missing > 0 and len(condition.shape):  # the old form: a vector chooses rows
        condition = tf.reshape(condition, tf.concat([tf.shape(condition), [1] * missing], 0))
    return tf.where(condition, a, b)


@graph_op("ApproximateEqual")
def _approximately(call: Call, a: Any, b: Any) -> Any:
    return tf.abs(a - b) < tf.cast(call.get("tolerance", 1e-5), a.dtype)


@graph_op("Bucketize")
def _bucketize(call: Call, value: Any) -> Any:
    return tf.searchsorted(tf.constant(call.get("boundaries", []), tf.float32), tf.reshape(tf.cast(value, tf.float32), [-1]), side="right") if len(
        value.shape
    ) == 1 else tf.reshape(
        tf.searchsorted(tf.constant(call.get("boundaries", []), tf.float32), tf.reshape(tf.cast(value, tf.float32), [-1]), side="right"),
        tf.shape(value),
    )


@graph_op("LowerBound", "UpperBound")
def _bound(call: Call, sorted_rows: Any, values: Any) -> Any:
    side = "left" if call.op == "LowerBound" else "right"
    return tf.searchsorted(sorted_rows, values, side=side, out_type=call.get("out_type", tf.int32))


@graph_op("DenseBincount")
def _bincount(call: Call, value: Any, size: Any, weights: Any) -> Any:
    binary = call.get("binary_output", False)
    given = weights if weights.shape.num_elements() != 0 else None
    return tf.math.bincount(
        value, weights=given, minlength=size, maxlength=size, dtype=call.get("T", tf.int32), axis=-1 if len(value.shape) > 1 else None,
        binary_output=binary,
    )  # fmt: skip


@graph_op("Cholesky", "MatrixInverse")
def _factor(call: Call, value: Any) -> Any:
    return tf.linalg.cholesky(value) if call.op == "Cholesky" else tf.linalg.inv(value, adjoint=call.get("adjoint", False))


@graph_op("MatrixSolve")
def _solve(call: Call, a: Any, b: Any) -> Any:
    return tf.linalg.solve(a, b, adjoint=call.get("adjoint", False))


@graph_op("MatrixTriangularSolve")
def _triangular(call: Call, a: Any, b: Any) -> Any:
    return tf.linalg.triangular_solve(a, b, lower=call.get("lower", True), adjoint=call.get("adjoint", False))


@graph_op("Qr")
def _qr(call: Call, value: Any) -> Any:
    q, r = tf.linalg.qr(value, full_matrices=call.get("full_matrices", False))
    return {"q": q, "r": r}


@graph_op("Svd")
def _svd(call: Call, value: Any) -> Any:
    s, u, v = tf.linalg.svd(value, full_matrices=call.get("full_matrices", False))
    return {"s": s, "u": u, "v": v}


@graph_op("SelfAdjointEigV2")
def _eigh(call: Call, value: Any) -> Any:
    e, v = tf.linalg.eigh(value)
    return {"e": e, "v": v}


@graph_op("MatrixBandPart")
def _band(call: Call, value: Any, lower: Any, upper: Any) -> Any:
    return tf.linalg.band_part(value, lower, upper)


@graph_op("MatrixDiagV3", "MatrixDiagV2", "MatrixDiag")
def _diag(call: Call, value: Any, k: Any = 0, rows: Any = -1, columns: Any = -1, padding: Any = 0) -> Any:
    align = call.get("align", b"RIGHT_LEFT").decode()
    return tf.linalg.diag(value, k=integers(call, k), num_rows=integers(call, rows), num_cols=integers(call, columns),
                          padding_value=static_scalar(call, padding), align=align)  # fmt: skip


@graph_op("MatrixDiagPartV3", "MatrixDiagPartV2", "MatrixDiagPart")
def _diag_part(call: Call, value: Any, k: Any = 0, padding: Any = 0) -> Any:
    align = call.get("align", b"RIGHT_LEFT").decode()
    return tf.linalg.diag_part(value, k=integers(call, k), padding_value=static_scalar(call, padding), align=align)


@graph_op("MatrixSetDiagV3", "MatrixSetDiag")
def _set_diag(call: Call, value: Any, diagonal: Any, k: Any = 0) -> Any:
    return tf.linalg.set_diag(value, diagonal, k=integers(call, k), align=call.get("align", b"RIGHT_LEFT").decode())


def static_scalar(call: Call, value: Any) -> Any:
    """A padding value as a Python number."""
    return integers(call, value)


@graph_op("CumulativeLogsumexp")
def _cumulative_log(call: Call, value: Any, axis: Any) -> Any:
    return tf.math.cumulative_logsumexp(
        value, axis=integers(call, axis), exclusive=call.get("exclusive", False), reverse=call.get("reverse", False)
    )


@graph_op("LogMatrixDeterminant")
def _log_determinant(call: Call, value: Any) -> Any:
    sign, size = tf.linalg.slogdet(value)
    return {"sign": sign, "log_abs_determinant": size}


@graph_op("Lu")
def _lu(call: Call, value: Any) -> Any:
    lu, p = tf.linalg.lu(value, output_idx_type=call.get("output_idx_type", tf.int32))
    return {"lu": lu, "p": p}


@graph_op("Eig")
def _eig(call: Call, value: Any) -> Any:
    e, v = tf.linalg.eig(value)
    return {"e": e, "v": v}


@graph_op("TridiagonalSolve")
def _tridiagonal(call: Call, diagonals: Any, b: Any) -> Any:
    return tf.linalg.tridiagonal_solve(diagonals, b, partial_pivoting=call.get("partial_pivoting", True))
