"""Gradients of linear algebra and Fourier transforms."""

from __future__ import annotations

from typing import Any

from tf2compat._engine import dtypes

from .backward import Local, Value, gradient
from .body import NotExportable
from .gradients_math import _rows, _same


# --- linear algebra --------------------------------------------------------------------------------------------------
def _times(a: Value, b: Value, adj_a: bool = False, adj_b: bool = False) -> Value:
    return a.op("BatchMatMulV2", b, adj_x=adj_a, adj_y=adj_b)


@gradient("MatrixInverse")
def _inverse(local: Local, dy: Value) -> Any:
    y = local.y()
    if local.get("adjoint", False):
        return -_times(y, _times(dy, y, True, False), False, False)
    return -_times(y, _times(dy, y, False, True), True, False)


def _wide(local: Local, value: Value, like: Value) -> Value:
    """With two further axes."""
    return value.op("Reshape", local.op("ConcatV2", [like.shape(), local.ints([1, 1])], local.ints(0)))


@gradient("MatrixDeterminant")
def _determinant(local: Local, dy: Value) -> Any:
    y = local.y()
    return _wide(local, dy * y, y) * local.x().op("MatrixInverse", adjoint=True)


@gradient("LogMatrixDeterminant")
def _log_determinant(local: Local, sign: Any, dy: Any) -> Any:
    return None if dy is None else _wide(local, dy, dy) * local.x().op("MatrixInverse", adjoint=True)


@gradient("Cholesky")
def _cholesky(local: Local, dy: Value) -> Any:
    lower = local.y()
    middle = _times(lower, dy, True)
    middle = _band(local, middle, -1, 0)
    diagonal = _diagonal(local, middle)
    middle = middle.op("MatrixSetDiagV3", diagonal * 0.5, local.ints(0))
    # L⁻ᴴ M L⁻¹, by two solutions
    first = lower.op("MatrixTriangularSolve", middle, lower=True, adjoint=True)
    out = _adjoint(local, lower.op("MatrixTriangularSolve", _adjoint(local, first), lower=True, adjoint=True))
    return (out + _adjoint(local, out)) * 0.5


def _band(local: Local, value: Value, below: int, above: int) -> Value:
    return value.op("MatrixBandPart", local.ints(below, dtypes.int64), local.ints(above, dtypes.int64))


def _diagonal(local: Local, value: Value) -> Value:
    return value.op("MatrixDiagPartV3", local.ints(0), local.number(0, value.dtype))


def _adjoint(local: Local, value: Value) -> Value:
    rank = value.op("Rank")
    order = local.op("ConcatV2", [_rows(local, rank.op("Sub", local.ints(2))), local.op("Pack", [rank.op("Sub", local.ints(1)), rank.op("Sub", local.ints(2))], axis=0)], local.ints(0))
    return value.op("Transpose", order).conj()


@gradient("MatrixSolve")
def _solve(local: Local, dy: Value) -> Any:
    a, y, adjoint = local.x(0), local.y(), bool(local.get("adjoint", False))
    gb = a.op("MatrixSolve", dy, adjoint=not adjoint)
    return [-_times(y, gb, False, True) if adjoint else -_times(gb, y, False, True), gb]


@gradient("MatrixTriangularSolve")
def _triangular(local: Local, dy: Value) -> Any:
    a, y = local.x(0), local.y()
    adjoint, lower = bool(local.get("adjoint", False)), bool(local.get("lower", True))
    gb = a.op("MatrixTriangularSolve", dy, lower=lower, adjoint=not adjoint)
    ga = -_times(y, gb, False, True) if adjoint else -_times(gb, y, False, True)
    ga = _band(local, ga, -1, 0) if lower else _band(local, ga, 0, -1)
    dims = local.dims(0), local.dims(1)
    if all(d is not None for d in dims) and _same(dims[0][:-2], dims[1][:-2]):
        return [ga, gb]
    shapes = a.shape(), local.x(1).shape()
    outer = [s.op("StridedSlice", local.ints([0]), local.ints([-2]), local.ints([1]), begin_mask=1) for s in shapes]
    axes = local.op("BroadcastGradientArgs", *outer)
    return [g.op("Sum", axis, keep_dims=False).op("Reshape", s) for g, axis, s in zip((ga, gb), axes, shapes, strict=True)]


@gradient("SelfAdjointEigV2")
def _eigh(local: Local, de: Any, dv: Any) -> Any:
    e, v = local.y(0), local.y(1)
    if not local.get("compute_v", True):
        e, v = local.op("SelfAdjointEigV2", local.x(), compute_v=True)
    middle = None
    if dv is not None:
        apart = e.op("ExpandDims", local.ints(-2)) - e.op("ExpandDims", local.ints(-1))
        factors = local.number(1, e.dtype).op("DivNoNan", apart)
        middle = _times(v, dv, True) * factors.cast(v.dtype)
    if de is not None:
        diagonal = de.cast(v.dtype).op("MatrixDiagV3", local.ints(0), local.ints(-1), local.ints(-1), local.number(0, v.dtype))
        middle = diagonal if middle is None else middle + diagonal
    if middle is None:
        return None
    out = _times(v, _times(middle, v, False, True))
    out = _band(local, out + _adjoint(local, out), -1, 0)
    return out.op("MatrixSetDiagV3", _diagonal(local, out) * 0.5, local.ints(0))


@gradient("Svd")
def _svd(local: Local, ds: Any, du: Any, dv: Any) -> Any:
    if du is None and dv is None:
        u, v = local.op("Svd", local.x(), compute_uv=True, full_matrices=False)[1:]
        return _times(u * ds.cast(u.dtype).op("ExpandDims", local.ints(-2)), v, False, True)
    if local.get("full_matrices", False):
        raise NotExportable("the gradient of a singular value decomposition's full matrices")
    s, u, v = (local.y(i) for i in range(3))
    wide = s.cast(u.dtype)
    square = wide * wide
    apart = square.op("ExpandDims", local.ints(-2)) - square.op("ExpandDims", local.ints(-1))
    factors = local.number(1, u.dtype).op("DivNoNan", apart)
    columns, rows = wide.op("ExpandDims", local.ints(-2)), wide.op("ExpandDims", local.ints(-1))
    inner = ds.cast(u.dtype).op("MatrixDiagV3", local.ints(0), local.ints(-1), local.ints(-1), local.number(0, u.dtype)) if ds is not None else None
    total: Any = inner
    rest: list[Value] = []
    if du is not None:
        turned = factors * _times(u, du, True)
        part = (turned + _adjoint(local, turned)) * columns
        total = part if total is None else total + part
        outside = (du - _times(u, _times(u, du, True))) / columns
        rest.append(_times(outside, v, False, True))
    if dv is not None:
        turned = factors * _times(v, dv, True)
        part = (turned + _adjoint(local, turned)) * rows
        total = part if total is None else total + part
        outside = (dv - _times(v, _times(v, dv, True))) / columns
        rest.append(_times(u, outside, False, True))
    out = _times(_times(u, total), v, False, True)
    for part in rest:
        out = out + part
    return out


@gradient("Qr")
def _qr(local: Local, dq: Any, dr: Any) -> Any:
    if local.get("full_matrices", False):
        raise NotExportable("the gradient of a QR decomposition's full matrices")
    dims = local.dims(0)
    if dims is None or None in dims[-2:] or dims[-2] < dims[-1]:
        raise NotExportable("the gradient of a QR decomposition of a wide matrix")
    q, r = local.y(0), local.y(1)
    dq, dr = q.zeros() if dq is None else dq, r.zeros() if dr is None else dr
    m = _times(r, dr, False, True) - _times(dq, q, True)
    low = _band(local, m, -1, 0)
    m = low + _adjoint(local, low - _band(local, low, 0, 0))
    right = dq + _times(q, m)
    # X R⁻ᴴ by a solution: R Xᴴ = rightᴴ
    return _adjoint(local, r.op("MatrixTriangularSolve", _adjoint(local, right), lower=False, adjoint=False))


@gradient("TridiagonalSolve")
def _tridiagonal(local: Local, dy: Value) -> Any:
    diagonals, y = local.x(0), local.y()
    rows = [diagonals.op("StridedSlice", *_row(local, i), ellipsis_mask=1, end_mask=4, begin_mask=4, shrink_axis_mask=2) for i in range(3)]
    upper, middle, lower = rows
    turned = local.op("Pack", [_shifted(local, lower, -1), middle, _shifted(local, upper, 1)], axis=-2)
    gb = turned.op("TridiagonalSolve", dy, **local.attributes("partial_pivoting"))

    def product(shift: int) -> Value:
        moved = _shifted(local, y, shift, -2)
        return -((gb * moved).op("Sum", local.ints([-1]), keep_dims=False))

    return [local.op("Pack", [product(-1), product(0), product(1)], axis=-2), gb]


def _row(local: Local, i: int) -> tuple[Value, Value, Value]:
    return local.ints([0, i, 0]), local.ints([0, i + 1, 0]), local.ints([1, 1, 1])


def _shifted(local: Local, value: Value, by: int, axis: int = -1) -> Value:
    """Moved along an axis; what comes in is zero."""
    if not by:
        return value
    rank = value.op("Rank")
    place = rank + axis
    shape = value.shape()
    one = (_rows(local, rank).op("Equal", place)).cast(dtypes.int32)
    begin = one if by < 0 else one.zeros()
    cut = value.op("Slice", begin, shape - one)
    before = one.zeros() if by < 0 else one
    return cut.op("Pad", local.op("Pack", [before, one - before], axis=1))


@gradient("MatrixBandPart")
def _band_part(local: Local, dy: Value) -> Any:
    return [dy.op("MatrixBandPart", local.x(1), local.x(2)), None, None]


@gradient("MatrixDiagV3")
def _diag(local: Local, dy: Value) -> Any:
    found = dy.op("MatrixDiagPartV3", local.x(1), local.number(0, dy.dtype), **local.attributes("align"))
    return [found.op("Reshape", local.x().shape()), *[None] * 4]


@gradient("MatrixDiagPartV3")
def _diag_part(local: Local, dy: Value) -> Any:
    return [local.x().zeros().op("MatrixSetDiagV3", dy, local.x(1), **local.attributes("align")), None, None]


@gradient("MatrixSetDiagV3")
def _set_diag(local: Local, dy: Value) -> Any:
    kept = local.attributes("align")
    inner = dy.op("MatrixSetDiagV3", local.x(1).zeros(), local.x(2), **kept)
    return [inner, dy.op("MatrixDiagPartV3", local.x(2), local.number(0, dy.dtype), **kept).op("Reshape", local.x(1).shape()), None]


@gradient("Diag")
def _tensor_diag(local: Local, dy: Value) -> Any:
    return dy.op("DiagPart")


@gradient("DiagPart")
def _tensor_diag_part(local: Local, dy: Value) -> Any:
    return dy.op("Diag")


# --- Fourier transforms ----------------------------------------------------------------------------------------------
def _count(local: Local, value: Value, axes: int) -> Value:
    sizes = value.shape().op("StridedSlice", local.ints([-axes]), local.ints([0]), local.ints([1]), end_mask=1)
    return sizes.op("Prod", local.ints([0]), keep_dims=False)


def _transform(name: str, axes: int) -> None:
    @gradient(name)
    def forward(local: Local, dy: Value) -> Any:
        return dy.op("I" + name) * _count(local, dy, axes).cast(dtypes.float32).cast(dy.dtype)

    @gradient("I" + name)
    def backward(local: Local, dy: Value) -> Any:
        return dy.op(name) / _count(local, dy, axes).cast(dtypes.float32).cast(dy.dtype)


for _name, _axes in (("FFT", 1), ("FFT2D", 2), ("FFT3D", 3)):
    _transform(_name, _axes)


def _fitted(local: Local, value: Value, length: Value) -> Value:
    """Cut or padded with zeros to a length along the last axis."""
    shape = value.shape()
    rank = shape.op("Size", out_type=dtypes.int32)
    outer = local.op("Fill", rank.op("Sub", local.ints(1)).op("ExpandDims", local.ints(0)), local.ints(0))
    last = shape.op("StridedSlice", local.ints([-1]), local.ints([0]), local.ints([1]), end_mask=1)
    more = length.op("Sub", last).op("Maximum", local.ints([0]))
    after = local.op("ConcatV2", [outer, more], local.ints(0))
    padded = value.op("Pad", local.op("Pack", [after.zeros(), after], axis=1))
    size = local.op("ConcatV2", [local.op("Sub", outer, local.ints(1)), length], local.ints(0))
    return padded.op("Slice", after.zeros(), size)


def _last(local: Local, value: Value) -> Value:
    return value.shape().op("StridedSlice", local.ints([-1]), local.ints([0]), local.ints([1]), end_mask=1)


@gradient("RFFT")
def _rfft(local: Local, dy: Value) -> Any:
    length = local.x(1).op("Reshape", local.ints([1]))
    whole = _fitted(local, dy, length).op("IFFT").op("Real", Tout=local.inputs[0].dtype)
    return [_fitted(local, whole * length.cast(whole.dtype), _last(local, local.x())), None]


@gradient("IRFFT")
def _irfft(local: Local, dy: Value) -> Any:
    length = local.x(1).op("Reshape", local.ints([1]))
    found = dy.op("RFFT", length, Treal=dy.dtype, Tcomplex=local.inputs[0].dtype)
    n = _last(local, found)
    places = _rows(local, n.op("Reshape", local.ints([])))
    twice = places.op("Greater", 0).op("LogicalAnd", (places * 2).op("NotEqual", length))
    scale = (twice.cast(dy.dtype) + 1) / length.cast(dy.dtype)
    return [_fitted(local, found * scale.cast(found.dtype), _last(local, local.x())), None]
