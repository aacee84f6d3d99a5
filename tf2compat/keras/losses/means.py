"""Means of losses over a whole batch, as one step of torch's where the general way takes a loss for each sample and averages those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

from tf2compat._engine.op import ANY, op

from . import functions as f

__all__ = ["mean_of"]

_WIDE = (torch.float32, torch.float64)


def _overall(losses: torch.Tensor) -> torch.Tensor:
    return losses.mean() if losses.numel() else losses.sum()


def _fits(y_true: torch.Tensor, y_pred: torch.Tensor) -> bool:
    return y_true.shape == y_pred.shape and y_pred.dtype in _WIDE and y_pred.ndim > 0 and y_pred.numel() > 0


@op("KerasMeanSquaredError", elementwise=True, y_true=ANY, y_pred=ANY)
def _squared(y_true: Any, y_pred: Any) -> Any:
    t, p = f._pair(y_true, y_pred)
    return F.mse_loss(p, t) if _fits(t, p) else _overall(f._mean(torch.square(p - t)))


@op("KerasMeanAbsoluteError", elementwise=True, y_true=ANY, y_pred=ANY)
def _absolute(y_true: Any, y_pred: Any) -> Any:
    t, p = f._pair(y_true, y_pred)
    return F.l1_loss(p, t) if _fits(t, p) else _overall(f._mean(torch.abs(p - t)))


@op("SparseSoftmaxCrossEntropyWithLogits", y_true=ANY, y_pred=ANY)
def _sparse(y_true: Any, y_pred: Any, from_logits: Any, axis: Any) -> Any:
    flat, t, _ = f._flattened(y_true, y_pred, from_logits, axis)
    return f._nll(flat, t, "mean") if flat.dtype in _WIDE and len(t) else _overall(f._nll(flat, t))


@op("KerasBinaryCrossEntropy", elementwise=True, y_true=ANY, y_pred=ANY)
def _binary(y_true: Any, y_pred: Any, from_logits: Any) -> Any:
    t, p = f._pair(y_true, y_pred)
    if not _fits(t, p):
        return _overall(f._mean(f._bce(t, p, from_logits)))
    return F.binary_cross_entropy_with_logits(p, t) if from_logits else f._bce(t, p, from_logits).mean()


def _mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    return _squared(y_true, y_pred)


def _mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    return _absolute(y_true, y_pred)


def _sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None) -> Any:
    if ignore_class is not None:
        return NotImplemented
    y_pred, from_logits = f.logits_of(y_pred, from_logits, "sparse_categorical_crossentropy", "Softmax")
    return _sparse(y_true, y_pred, from_logits, axis)


def _binary_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: Any = 0.0, axis: int = -1) -> Any:
    if axis != -1 or type(label_smoothing) not in (int, float) or label_smoothing:
        return NotImplemented
    y_pred, from_logits = f.logits_of(y_pred, from_logits, "binary_crossentropy", "Sigmoid")
    if from_logits:
        f.check_logits(y_true, y_pred)
    return _binary(y_true, y_pred, from_logits)


_MEANS: dict[Any, Callable[..., Any]] = {
    f.mean_squared_error: _mean_squared_error,
    f.mean_absolute_error: _mean_absolute_error,
    f.sparse_categorical_crossentropy: _sparse_categorical_crossentropy,
    f.binary_crossentropy: _binary_crossentropy,
}


def mean_of(fn: Any) -> Callable[..., Any] | None:
    """For a loss function one of the same arguments that gives the mean over the batch, or NotImplemented; None where there is none."""
    try:
        return _MEANS.get(fn)
    except TypeError:  # a callable object without a hash
        return None
