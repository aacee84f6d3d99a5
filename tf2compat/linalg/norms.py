"""Norms of vectors, matrices and whole lists of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine.convert import constant_value, operand
from .._engine.dtypes import COMPLEXES, FLOATS
from .._engine.op import AXES, op, tensor
from .._engine.tensor import Tensor
from ..math.roots import root

_NAMED = ("fro", "euclidean", 1, 2, np.inf)


def _checked(ord: Any, axis: Any) -> Any:  # noqa: A002 - TensorFlow's parameter
    """The axes as None, an int or a pair; ValueError for what TensorFlow has no norm for."""
    if isinstance(axis, Tensor) or hasattr(axis, "__array__"):
        value = constant_value(axis)
        axis = axis if value is None else np.asarray(value).tolist()
    is_matrix = isinstance(axis, (tuple, list)) and len(axis) == 2
    if is_matrix:
        axis = tuple(axis)
        if not isinstance(axis[0], int) or not isinstance(axis[1], int) or axis[0] == axis[1]:
            raise ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}")
        if not (isinstance(ord, (int, float, str)) and ord in _NAMED):
            raise ValueError(f"'ord' must be a supported matrix norm in {list(_NAMED)}, got {ord}")
    else:
        if not (axis is None or isinstance(axis, int) or (isinstance(axis, (tuple, list)) and len(axis) == 1)):
            raise ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}")
        if isinstance(axis, (tuple, list)):
            axis = axis[0]
        if not (isinstance(ord, str) and ord == "euclidean") and (isinstance(ord, str) or not np.isreal(ord)):
            raise ValueError(f"'ord' must be a supported vector norm, got {ord}")
        if not isinstance(ord, str) and ord <= 0:
            raise ValueError(f"'ord' must be a supported vector norm, got {ord}")
    return axis


@op("Norm", tensor=tensor(FLOATS, COMPLEXES), axis=AXES)
def _norm(tensor: Any, ord: Any, axis: Any, keepdims: bool, name: str | None = None) -> Any:  # noqa: A002
    x = tensor
    axes = tuple(range(x.ndim)) if axis is None else axis
    if ord in ("fro", "euclidean", 2, 2.0) and not (ord in (2, 2.0) and isinstance(axes, tuple) and axis is not None):
        # written out, since TensorFlow's gradient at the origin is NaN and not 0
        squares = (x * x.conj()).real if x.is_complex() else x * x
        total = root(torch.sum(squares, axes, keepdims) if axes != () else squares)
        return total.to(x.dtype) if x.is_complex() else total
    if isinstance(axes, tuple) and axis is not None:
        return _matrix(x, ord, axes, keepdims)
    size = torch.abs(x)
    if axes == ():
        return size
    if ord == np.inf:
        return torch.amax(size, axes, keepdims)
    if ord == 1:
        return torch.sum(size, axes, keepdims)
    return torch.pow(torch.sum(torch.pow(size, ord), axes, keepdims), 1.0 / ord)


def _matrix(x: Any, ord: Any, axes: tuple[int, int], keepdims: bool) -> Any:  # noqa: A002
    rows, columns = axes[0] % x.ndim, axes[1] % x.ndim
    if ord in (2, 2.0):
        moved = torch.movedim(x, (rows, columns), (-2, -1))
        out = torch.amax(torch.linalg.svdvals(moved), -1)
        return out.unsqueeze(min(rows, columns)).unsqueeze(max(rows, columns)) if keepdims else out
    first, second = (rows, columns) if ord == 1 else (columns, rows)
    out = torch.amax(torch.sum(torch.abs(x), first, True), second, True)
    return out if keepdims else out.squeeze((rows, columns))


def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: Any = None, name: str | None = None) -> Tensor:  # noqa: A002
    """Norm of vectors or matrices (`tf.linalg.norm`).

    `ord` is "euclidean", "fro", np.inf or a positive number; `axis` None for the vector of all elements, an int for
    vectors along an axis, a pair of ints for matrices. ValueError for norms that do not exist.
    """
    axis = _checked(ord, axis)
    return _norm(tensor, ord, axis, bool(keepdims), name)


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> tuple[Tensor, Tensor]:  # noqa: A002
    """`tensor` divided by its norm along `axis`, and that norm with its axes kept (`tf.linalg.normalize`)."""
    tensor = operand(tensor)
    size = norm(tensor, ord=ord, axis=axis, keepdims=True)
    return tensor / size, size


__all__ = ["norm", "normalize"]
