"""Diagonals and bands of matrices, and other rearrangements of their elements."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch

from .._engine.convert import constant_value, convert_to_tensor, operand
from .._engine.dtypes import COMPLEXES, FLOATS, INTS, NUMBERS, REALS, int32, int64, of
from .._engine.op import INT, TENSOR, invalid, op, tensor
from .._engine.tensor import Tensor

_ALIGN = ("LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT")
_INTEGER = frozenset(d.torch for d in INTS)


def _dims(shape: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


def _range(k: Any) -> tuple[int, int]:
    """The lowest and highest diagonal of `k`, an int or a pair."""
    if not isinstance(k, int):
        k = constant_value(k)
        if k is None:
            raise ValueError("tf2compat needs to know `k`, the diagonals' numbers, while it traces a function.")
        k = np.asarray(k).tolist()
    if isinstance(k, int):
        return k, k
    if len(k) not in (1, 2):
        raise invalid(f"diag_index must have only one or two elements, received {len(k)} elements. [Op:MatrixDiagV3] name: ")
    low, high = k[0], k[-1]
    if low > high:
        raise invalid(f"lower_diag_index must not be larger than upper_diag_index: {low} > {high} [Op:MatrixDiagV3]")
    return low, high


def _check_align(align: str, name: str) -> None:
    if align not in _ALIGN:
        listed = ", ".join(f'"{a}"' for a in _ALIGN)
        raise invalid(f"Value for attr 'align' of \"{align}\" is not in the list of allowed values: {listed} [Op:{name}]")


def _length(rows: int, columns: int, k: int) -> int:
    return max(min(rows + min(k, 0), columns - max(k, 0)), 0)


def _longest(rows: int, columns: int, low: int, high: int) -> int:
    return min(rows + min(high, 0), columns - max(low, 0))


@lru_cache(maxsize=256)
def _places(rows: int, columns: int, low: int, high: int, align: str) -> tuple[np.ndarray, np.ndarray]:
    """For each cell of a matrix, its position among the packed diagonals, and whether it lies on one of them."""
    longest = _longest(rows, columns, low, high)
    first, second = align.split("_")
    i, j = np.indices((rows, columns))
    k = j - i
    inside = (k >= low) & (k <= high)
    along = np.minimum(i, j)
    lengths = np.minimum(rows + np.minimum(k, 0), columns - np.maximum(k, 0))
    left = ((k >= 0) & (first == "LEFT")) | ((k <= 0) & (second == "LEFT"))
    offset = np.where(left, 0, longest - lengths)
    return np.where(inside, (high - k) * longest + along + offset, 0), inside


@lru_cache(maxsize=256)
def _cells(rows: int, columns: int, low: int, high: int, align: str) -> tuple[np.ndarray, np.ndarray]:
    """For each place of the packed diagonals, the cell of the flattened matrix it stands for, and whether there is one."""
    longest = _longest(rows, columns, low, high)
    places, inside = _places(rows, columns, low, high, align)
    cells = np.zeros((high - low + 1) * longest, dtype=np.int64)
    known = np.zeros(cells.shape, dtype=bool)
    cells[places[inside]] = np.flatnonzero(inside)
    known[places[inside]] = True
    return cells.reshape(high - low + 1, longest), known.reshape(high - low + 1, longest)


def _on(array: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(array).to(like.device)


@op("MatrixDiagV3", diagonal=TENSOR, padding_value=tensor())
def _diag(diagonal: Any, padding_value: Any, low: int, high: int, num_rows: int, num_cols: int, align: str, name: str | None = None) -> Any:
    if diagonal.ndim < 1:
        raise invalid("diagonal must be at least 1-dim, received shape: [] [Op:MatrixDiagV3] name: diag")
    single = low == high
    longest = diagonal.shape[-1]
    if not single and (diagonal.ndim < 2 or diagonal.shape[-2] != high - low + 1):
        raise invalid(
            f"The number of diagonals provided in the input does not match the lower_diag_index and upper_diag_index range: shape "
            f"{_dims(diagonal.shape)}, k ({low}, {high}) [Op:MatrixDiagV3] name: diag"
        )
    least_rows, least_columns = longest - min(high, 0), longest + max(low, 0)
    if num_rows == -1 and num_cols == -1:
        rows = columns = max(least_rows, least_columns)
    else:
        rows = least_rows if num_rows == -1 else num_rows
        columns = least_columns if num_cols == -1 else num_cols
    if rows < least_rows or columns < least_columns or (rows != least_rows and columns != least_columns):
        raise invalid(
            "The number of rows or columns is not consistent with the specified d_lower, d_upper, and diagonal. "
            f"[Op:MatrixDiagV3] name: diag (rows {rows}, columns {columns}, diagonal {_dims(diagonal.shape)})"
        )
    if single and rows == columns and isinstance(padding_value, int):
        return torch.diag_embed(diagonal, low)
    places, inside = _places(rows, columns, low, high, align)
    flat = diagonal if single else diagonal.flatten(-2)
    return torch.where(_on(inside, diagonal), flat[..., _on(places, diagonal)], padding_value)


def diag(
    diagonal: Any,
    name: str = "diag",
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:
    """Matrices with the given diagonals and `padding_value` elsewhere (`tf.linalg.diag`).

    `k` is the number of a diagonal (0 the main one, positive above it) or a pair, lowest and highest; several are stacked
    in rows, the highest first. `align` says on which side shorter super- and subdiagonals are padded.
    """
    low, high = _range(k)
    _check_align(align, "MatrixDiagV3")
    diagonal = operand(diagonal)
    padding = padding_value
    if not (type(padding) is int and padding == 0):
        padding = convert_to_tensor(padding_value, diagonal.dtype) if not isinstance(padding_value, Tensor) else padding_value
    elif diagonal.dtype.is_bool:
        padding = convert_to_tensor(False)
    else:
        padding = convert_to_tensor(0, diagonal.dtype)
    return _diag(diagonal, padding, low, high, int(num_rows), int(num_cols), align, name)


def _bad_band(x: Any, low: int, high: int, name: str, label: str) -> None:
    if x.ndim < 2:
        raise invalid(f"input must be at least 2-dim, received shape: {_dims(x.shape)} [Op:{name}] name: {label}")
    rows, columns = x.shape[-2:]
    for what, k in (("lower_diag_index", low), ("upper_diag_index", high)):
        if not (-rows < k < columns or k == 0):
            raise invalid(f"{what} is out of bound: {k}. It must be between {-rows} and {columns} [Op:{name}] name: {label}")


@op("MatrixDiagPartV3", input=TENSOR, padding_value=tensor())
def _diag_part(input: Any, padding_value: Any, low: int, high: int, align: str, name: str | None = None) -> Any:  # noqa: A002
    _bad_band(input, low, high, "MatrixDiagPartV3", "diag_part")
    if low == high:
        return torch.diagonal(input, low, -2, -1)
    cells, known = _cells(input.shape[-2], input.shape[-1], low, high, align)
    return torch.where(_on(known, input), input.flatten(-2)[..., _on(cells, input)], padding_value)


def diag_part(
    input: Any,  # noqa: A002 - TensorFlow's parameter
    name: str = "diag_part",
    k: Any = 0,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:
    """The diagonals `k` of matrices, several packed in rows as `diag` expects them (`tf.linalg.diag_part`)."""
    if hasattr(type(input), "_diag_part"):  # a linear operator
        return input.diag_part(name)
    low, high = _range(k)
    _check_align(align, "MatrixDiagPartV3")
    input = operand(input)
    if type(padding_value) is int and input.dtype.is_bool:
        padding_value = bool(padding_value)
    return _diag_part(input, convert_to_tensor(padding_value, input.dtype), low, high, align, name)


@op("MatrixSetDiagV3", input=TENSOR, diagonal=TENSOR)
def _set_diag(input: Any, diagonal: Any, low: int, high: int, align: str, name: str | None = None) -> Any:  # noqa: A002
    _bad_band(input, low, high, "MatrixSetDiagV3", "set_diag")
    rows, columns = input.shape[-2:]
    longest = _longest(rows, columns, low, high)
    wanted = (*input.shape[:-2], longest) if low == high else (*input.shape[:-2], high - low + 1, longest)
    if tuple(diagonal.shape) != wanted:
        raise invalid(
            "Either first dimensions of diagonal don't match input.shape[:-2], or diagonal.shape[:-1] is not equal to the longests "
            f"diagonal in range [lower_diag_index:upper_diag_index].\nInput shape: {_dims(input.shape)}\nDiagonal shape: "
            f"{_dims(diagonal.shape)}\nExpected diagonal shape: {_dims(wanted)} [Op:MatrixSetDiagV3] name: set_diag"
        )
    places, inside = _places(rows, columns, low, high, align)
    flat = diagonal if low == high else diagonal.flatten(-2)
    return torch.where(_on(inside, input), flat[..., _on(places, input)], input)


def set_diag(input: Any, diagonal: Any, name: str = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT") -> Tensor:  # noqa: A002
    """`input` with its diagonals `k` replaced by `diagonal`, packed as `diag_part` gives them (`tf.linalg.set_diag`)."""
    low, high = _range(k)
    _check_align(align, "MatrixSetDiagV3")
    return _set_diag(input, diagonal, low, high, align, name)


@op("MatrixBandPart", input=TENSOR, num_lower=INT, num_upper=INT)
def band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Any:  # noqa: A002
    """Matrices with zeros outside a band around the main diagonal (`tf.linalg.band_part`).

    `num_lower` and `num_upper` count the diagonals that stay below and above; negative numbers keep all.
    """
    if input.ndim < 2:
        raise invalid(f"input must be at least 2-dim, received shape: {_dims(input.shape)} [Op:MatrixBandPart] name: ")
    rows, columns = input.shape[-2:]
    if num_lower > rows:
        raise invalid(f"num_lower must be negative or less or equal to number of rows ({rows}) got: {num_lower} [Op:MatrixBandPart] name: ")
    if num_upper > columns:
        raise invalid(f"num_upper must be negative or less or equal to number of columns ({columns}) got: {num_upper} [Op:MatrixBandPart] name: ")
    if num_lower >= 0:
        input = torch.triu(input, -num_lower)
    return torch.tril(input, num_upper) if num_upper >= 0 else input


@op("Diag", diagonal=tensor(FLOATS, int32, int64, COMPLEXES))
def tensor_diag(diagonal: Any, name: str | None = None) -> Any:
    """The tensor of twice the rank with `diagonal` on its diagonal and zeros elsewhere (`tf.linalg.tensor_diag`)."""
    return torch.diag_embed(diagonal.reshape(-1)).reshape(*diagonal.shape, *diagonal.shape)


@op("DiagPart", input=tensor(FLOATS, int32, int64, COMPLEXES))
def tensor_diag_part(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """The diagonal of a tensor of shape [..., ...] twice over, undoing `tensor_diag` (`tf.linalg.tensor_diag_part`)."""
    if input.ndim == 0 or input.ndim % 2:
        raise invalid(f"The rank of the tensor should be even and positive, got shape {_dims(input.shape)} [Op:DiagPart] name: ")
    half = input.ndim // 2
    for i in range(half):
        if input.shape[i] != input.shape[i + half]:
            raise invalid(f"Invalid shape {_dims(input.shape)}: dimensions {i} and {i + half} do not match. [Op:DiagPart] name: ")
    n = int(np.prod(input.shape[:half], dtype=int))
    return torch.diagonal(input.reshape(n, n)).reshape(input.shape[:half])


@op("Trace", x=tensor(NUMBERS))
def trace(x: Any, name: str | None = None) -> Any:
    """The sum of the main diagonal of matrices, in the dtype of `x` (`tf.linalg.trace`)."""
    if x.ndim < 2:
        raise invalid(f"input must be at least 2-dim, received shape: {_dims(x.shape)} [Op:MatrixDiagPartV3] name: ")
    part = torch.diagonal(x, 0, -2, -1)
    return torch.sum(part, -1, dtype=x.dtype) if x.dtype in _INTEGER else torch.sum(part, -1)


@op("MatrixTranspose", a=TENSOR)
def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Any:
    """Matrices with rows and columns exchanged, and conjugated with `conjugate` (`tf.linalg.matrix_transpose`).

    ValueError for a rank below 2.
    """
    return _transposed(a, conjugate)


def _transposed(a: Any, conjugate: bool) -> Any:
    if a.ndim < 2:
        raise ValueError(f"Argument `a` should be a (batch) matrix with rank >= 2.  Received `a` with shape: ({', '.join(map(str, a.shape))},)")
    out = torch.transpose(a, -2, -1)
    return torch.conj(out).resolve_conj() if conjugate and out.is_complex() else out


@op("Adjoint", matrix=TENSOR)
def adjoint(matrix: Any, name: str | None = None) -> Any:
    """Matrices transposed and conjugated (`tf.linalg.adjoint`)."""
    return _transposed(matrix, True)


@op("Cross", a=tensor(REALS), b=tensor(REALS))
def cross(a: Any, b: Any, name: str | None = None) -> Any:
    """Cross products of the 3-vectors along the last axis of two tensors of one shape (`tf.linalg.cross`)."""
    if a.shape != b.shape:
        raise invalid(f"Both inputs must be of same shape: {_dims(a.shape)} vs. {_dims(b.shape)} [Op:Cross] name: ")
    if a.ndim == 0 or a.shape[-1] != 3:
        from ..errors import FailedPreconditionError

        raise FailedPreconditionError(None, None, f"Cross-products are only defined for 3-element vectors, not {_dims(a.shape)} [Op:Cross] name: ")
    return torch.roll(a, -1, -1) * torch.roll(b, 1, -1) - torch.roll(a, 1, -1) * torch.roll(b, -1, -1)


@cross.infer
def _(a: Any, b: Any) -> Any:
    return [(of(a), tuple(a.shape))]


__all__ = [
    "adjoint", "band_part", "cross", "diag", "diag_part", "matrix_transpose", "set_diag", "tensor_diag", "tensor_diag_part", "trace",
]  # fmt: skip
