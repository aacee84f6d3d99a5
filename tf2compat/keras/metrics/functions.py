"""The metric functions: what matches, sample by sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tf2compat._engine.op import ANY, op

from .._base.config import settings


def _float() -> torch.dtype:
    return getattr(torch, settings.floatx)


@op("KerasAccuracy", elementwise=True, y_true=ANY, y_pred=ANY)
def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Where labels and predictions are equal (`tf.keras.metrics.Accuracy`)."""
    if y_true.dtype is not y_pred.dtype:
        y_pred = y_pred.to(y_true.dtype)
    return (y_true == y_pred).to(_float())


@op("KerasBinaryAccuracy", elementwise=True, y_true=ANY, y_pred=ANY)
def binary_accuracy(y_true: Any, y_pred: Any, threshold: Any = 0.5) -> Any:
    """The share of labels equal to (y_pred > threshold) (`tf.keras.metrics.binary_accuracy`)."""
    hits = (y_true == (y_pred > threshold).to(y_true.dtype)).to(_float())
    return hits.mean(-1) if hits.ndim else hits


@op("KerasBinaryMatches", elementwise=True, y_true=ANY, y_pred=ANY)
def binary_matches(y_true: Any, y_pred: Any, threshold: Any = 0.5) -> Any:
    """Where labels equal (y_pred > threshold)."""
    return (y_true == (y_pred > threshold).to(y_true.dtype)).to(_float())


@op("KerasCategoricalAccuracy", y_true=ANY, y_pred=ANY)
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Where the largest of the predictions is at the largest of the labels (`tf.keras.metrics.categorical_accuracy`)."""
    return _same_class(y_true, y_pred).to(_float())


def _same_class(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
    return _class(y_true) == y_pred.argmax(-1)


def _class(y_true: torch.Tensor) -> torch.Tensor:
    """The place of the largest of the labels, which may be marks of bool: torch ranks numbers only."""
    return (y_true.to(torch.uint8) if y_true.dtype is torch.bool else y_true).argmax(-1)


@op("KerasSparseCategoricalAccuracy", y_true=ANY, y_pred=ANY)
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Where the largest of the predictions is at the integer label (`tf.keras.metrics.sparse_categorical_accuracy`)."""
    hits = _of_class(y_true, y_pred).to(_float())
    return hits.squeeze(-1) if hits.ndim > 1 and hits.shape[-1] == 1 else hits


def _of_class(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
    if y_true.ndim == y_pred.ndim:
        y_true = y_true.squeeze(-1) if y_true.shape[-1] == 1 else y_true
    best = y_pred.argmax(-1)
    if best.dtype is not y_true.dtype:
        best = best.to(y_true.dtype)
    return y_true == best


#: functions whose values are hits and misses: what tells them as booleans, by a name that a recorded graph can hold
HITS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "categorical_accuracy": _same_class, "sparse_categorical_accuracy": _of_class,
}  # fmt: skip


def hits_of(fn: Any, y_true: Any) -> str | None:
    """The name under which `HITS` has a metric function, for these labels as they are; else None."""
    if fn is categorical_accuracy:
        return "categorical_accuracy"
    return "sparse_categorical_accuracy" if fn is sparse_categorical_accuracy and y_true.dtype.is_integer else None


def _in_top(targets: torch.Tensor, predictions: torch.Tensor, k: int) -> torch.Tensor:
    """TensorFlow's in_top_k: fewer than k classes score strictly higher; false where the target's score is no number."""
    targets = targets.to(torch.int64)
    valid = (targets >= 0) & (targets < predictions.shape[-1])
    score = predictions.gather(-1, torch.where(valid, targets, 0).unsqueeze(-1))
    above = (predictions > score).sum(-1)
    return valid & (above < k) & torch.isfinite(score.squeeze(-1)) & torch.isfinite(predictions).all(-1)


@op("KerasTopKCategoricalAccuracy", y_true=ANY, y_pred=ANY)
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: Any = 5) -> Any:
    """Where the label's class is among the k best (`tf.keras.metrics.top_k_categorical_accuracy`)."""
    classes = _class(y_true)
    hits = _in_top(classes.reshape(-1), y_pred.reshape(-1, y_pred.shape[-1]), k).to(_float())
    return hits.reshape(classes.shape)


@op("KerasSparseTopKCategoricalAccuracy", y_true=ANY, y_pred=ANY)
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: Any = 5) -> Any:
    """Where the integer label is among the k best (`tf.keras.metrics.sparse_top_k_categorical_accuracy`)."""
    hits = _in_top(y_true.reshape(-1), y_pred.reshape(-1, y_pred.shape[-1]), k).to(_float())
    return hits.reshape(y_true.shape) if y_true.ndim > 1 else hits
