"""Counting: histograms of integers, confusion matrices, and the inverse of a permutation."""

from __future__ import annotations

from typing import Any

import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor, operand
from .._engine.dtypes import NUMBERS, as_dtype, int32, int64, of
from .._engine.dtypes import bool as bool_
from .._engine.op import DTYPE, INT, invalid, op, tensor
from .._engine.tensor import Tensor
from .kernels import readable


@op("DenseBincount", arr=tensor(dtypes.INTS, bool_, group="Tidx"), weights=tensor(NUMBERS), dtype=DTYPE, minlength=INT, maxlength=INT)
def _bincount(arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = int32, rows: bool = False,
              binary_output: bool = False, name: str | None = None) -> Any:  # fmt: skip
    flat = arr.reshape(-1).to(torch.int64)
    if flat.numel() and int(flat.min()) < 0:
        raise invalid("Input arr must be non-negative! [Op:DenseBincount] name: ")
    size = int(flat.max()) + 1 if flat.numel() else 0
    if minlength is not None:
        size = max(size, minlength)
    if maxlength is not None:
        size = min(size, maxlength)
    if weights is not None and tuple(weights.shape) != tuple(arr.shape):
        raise invalid(
            f"`weights` must be the same shape as `arr` or a length-0 `Tensor`, in which case it acts as all weights equal to 1. "
            f"Received {list(weights.shape)} and {list(arr.shape)} [Op:DenseBincount] name: "
        )
    target = dtype.torch if weights is None else weights.dtype
    batch = arr.shape[0] if rows and arr.ndim == 2 else 1
    keep = flat < size
    index = flat
    if batch > 1 or (rows and arr.ndim == 2):
        index = flat + torch.arange(batch, device=flat.device).repeat_interleave(arr.shape[1]) * size
    index = index[keep]
    out = torch.zeros(batch * size, dtype=target, device=flat.device)
    if binary_output:
        out[index] = 1
    else:
        amounts = torch.ones_like(index, dtype=target) if weights is None else weights.detach().reshape(-1)[keep]
        out = out.index_add(0, index, amounts)
    return out.reshape(batch, size) if rows and arr.ndim == 2 else out


@_bincount.infer
def _(arr: Any, weights: Any, minlength: Any, maxlength: Any, dtype: Any, rows: bool, binary_output: bool) -> Any:
    shape = (arr.shape[0], None) if rows and arr.ndim == 2 else (None,)
    return [(dtype if weights is None else of(weights), shape)]


def _rows_of(sparse: Any, axis: Any) -> Any:
    """The values that are there, by rows where rows are counted: a ragged tensor then."""
    if axis != -1:
        return sparse.values
    from ..ragged.ragged_tensor import RaggedTensor

    return RaggedTensor.from_value_rowids(sparse.values, sparse.indices[:, 0], nrows=sparse.dense_shape[0])


def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = int32,
    name: str | None = None,
    axis: Any = None,
    binary_output: bool = False,
) -> Tensor:
    """How often each number occurs in an integer tensor, or the sum of its weights (`tf.math.bincount`).

    `axis` None or 0 counts over all elements, -1 over each row of a matrix. `minlength` and `maxlength` bound the length
    of the counts; numbers beyond it are dropped. `binary_output` gives 1 for what occurs. Negative numbers raise
    InvalidArgumentError.
    """
    if axis not in (None, 0, -1):
        raise ValueError(f"Unsupported value for argument axis={axis}. Only 0 and -1 are currently supported.")
    if binary_output and weights is not None:
        raise ValueError("Arguments `binary_output` and `weights` are mutually exclusive. Please specify only one.")
    from ..sparse.sparse_tensor import SparseTensor

    if isinstance(arr, SparseTensor):
        arr, weights = _rows_of(arr, axis), weights if weights is None else _rows_of(weights, axis)
    arr = operand(arr)
    if hasattr(type(arr), "row_lengths"):
        from ..ragged.arranging import bincount as ragged_bincount

        return ragged_bincount(arr, weights, minlength, maxlength, as_dtype(dtype), axis, binary_output)
    if arr.dtype.is_floating or arr.dtype.is_complex:
        from .._top.arithmetic import cast

        arr = cast(arr, int32)
    if weights is not None:
        weights = convert_to_tensor(weights)
    return _bincount(arr, weights, minlength, maxlength, as_dtype(dtype), axis == -1, binary_output, name)


def check_classes(labels: torch.Tensor, predictions: torch.Tensor, n: int) -> None:
    """InvalidArgumentError unless all of `labels` and `predictions` are numbers from 0 to n - 1."""
    if not readable(labels) or not readable(predictions) or bool(((labels >= 0) & (labels < n) & (predictions >= 0) & (predictions < n)).all()):
        return
    for what, t in (("labels", labels), ("predictions", predictions)):
        least, most = int(t.min()), int(t.max())
        if least < 0:
            raise invalid(f"`{what}` contains negative values: {t.tolist()[:20]} (shape={tuple(t.shape)} dtype={of(t).name})")
        if most >= n:
            raise invalid(f"`{what}` out of bound: {t.tolist()[:20]} (shape={tuple(t.shape)}) has {most}, which is not below [{n}]")


@op("ConfusionMatrix", labels=tensor(int64), predictions=tensor(int64), num_classes=INT, weights=tensor(NUMBERS, group="W"), dtype=DTYPE)
def _confusion(labels: Any, predictions: Any, num_classes: Any = None, weights: Any = None, dtype: Any = int32, name: str | None = None) -> Any:
    if labels.ndim - predictions.ndim == 1 and labels.shape[-1] == 1:
        labels = labels.squeeze(-1)
    elif predictions.ndim - labels.ndim == 1 and predictions.shape[-1] == 1:
        predictions = predictions.squeeze(-1)
    if labels.shape != predictions.shape:
        raise invalid(f"Dimensions of labels {list(labels.shape)} and predictions {list(predictions.shape)} must be equal [Op:Pack] name: ")
    labels, predictions = labels.reshape(-1), predictions.reshape(-1)
    n = num_classes
    if n is None:
        n = max((int(t.max()) for t in (labels, predictions) if t.numel()), default=-1) + 1
    check_classes(labels, predictions, n)
    amounts = torch.ones_like(labels, dtype=dtype.torch) if weights is None else weights.detach().reshape(-1).to(dtype.torch)
    if amounts.shape != labels.shape:
        raise invalid(f"Shapes of weights {list(weights.shape)} and predictions {list(predictions.shape)} do not match [Op:ScatterNd] name: ")
    out = torch.zeros(n * n, dtype=dtype.torch, device=labels.device)
    return out.index_add(0, labels * n + predictions, amounts).reshape(n, n)


@_confusion.infer
def _(labels: Any, predictions: Any, num_classes: Any, weights: Any, dtype: Any) -> Any:
    return [(dtype, (num_classes, num_classes))]


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: Any = None, weights: Any = None, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """The matrix that counts how often each label (row) was predicted as each class (column) (`tf.math.confusion_matrix`).

    `num_classes` is the largest number plus one when None; `weights` are added up instead of ones. InvalidArgumentError
    for negative numbers and for numbers from `num_classes` on.
    """
    from .._top.arithmetic import cast

    labels, predictions = cast(labels, int64), cast(predictions, int64)
    weights = None if weights is None else convert_to_tensor(weights)
    return _confusion(labels, predictions, num_classes, weights, as_dtype(dtype), name)


@op("InvertPermutation", x=tensor(int32, int64))
def invert_permutation(x: Any, name: str | None = None) -> Any:
    """The permutation that undoes `x`, a vector of the numbers 0 … n-1 (`tf.math.invert_permutation`).

    InvalidArgumentError for numbers that are missing, double or out of range.
    """
    if x.ndim != 1:
        raise invalid(f"invert_permutation expects a 1D vector: shape {list(x.shape)} [Op:InvertPermutation] name: ")
    n = x.shape[0]
    if readable(x):
        outside = (x < 0) | (x >= n)
        if bool(outside.any()):
            raise invalid(f"{int(x[outside][0])} is not between 0 and {n} [Op:InvertPermutation] name: ")
        values, counts = torch.unique(x, return_counts=True)
        if bool((counts > 1).any()):
            raise invalid(f"{int(values[counts > 1][0])} is duplicated in the input. [Op:InvertPermutation] name: ")
    return torch.empty_like(x).scatter(0, x.to(torch.int64), torch.arange(n, dtype=x.dtype, device=x.device))


__all__ = ["bincount", "confusion_matrix", "invert_permutation"]
