"""Losses of `tf.nn`."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

import tf2compat as tf

from .._engine import strategies
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import FLOATS, int32, int64
from .._engine.op import AXES, invalid, op, tensor
from .._engine.tensor import Tensor
from ..math._few_classes import few_classes, log_softmax, log_softmax_of_rows, softmax
from ._spatial import dims


class _SoftmaxCrossEntropy(torch.autograd.Function):
    """-sum(labels * log_softmax(logits)) with TensorFlow's gradient, softmax - labels, whatever the labels sum to."""

    generate_vmap_rule = True

    @staticmethod
    def forward(labels: Any, logits: Any) -> Any:
        return -(labels * log_softmax(logits, -1)).sum(-1)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        labels, logits = ctx.saved_tensors
        g = g.unsqueeze(-1)
        by_labels = -log_softmax(logits, -1) * g if ctx.needs_input_grad[0] else None
        by_logits = (softmax(logits, -1) - labels) * g if ctx.needs_input_grad[1] else None
        return by_labels, by_logits


@op("SoftmaxCrossEntropyWithLogits", labels=tensor(FLOATS), logits=tensor(FLOATS), axis=AXES)
def _softmax_cross_entropy(labels: Any, logits: Any, axis: int) -> Any:
    if axis != -1 and axis != logits.ndim - 1:
        labels, logits = labels.movedim(axis, -1), logits.movedim(axis, -1)
    if labels.shape != logits.shape:
        try:
            labels, logits = torch.broadcast_tensors(labels, logits)
        except RuntimeError:
            raise invalid(
                f"logits and labels must be broadcastable: logits_size={dims(logits.shape)} labels_size={dims(labels.shape)} "
                "[Op:SoftmaxCrossEntropyWithLogits] name: "
            ) from None
    if logits.requires_grad or labels.requires_grad:
        return _SoftmaxCrossEntropy.apply(labels, logits)
    return -(labels * log_softmax(logits, -1)).sum(-1)


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError(f"Attempt to convert a value (None) with an unsupported type ({type(None)}) to a Tensor.")
    return value if hasattr(value, "dtype") and hasattr(value, "shape") and hasattr(value.shape, "rank") else convert_to_tensor(value)


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """-sum(labels * log_softmax(logits)) along `axis` (`tf.nn.softmax_cross_entropy_with_logits`).

    `labels` are probabilities of the logits' shape; both get gradients.
    """
    labels, logits = _given(labels), _given(logits)
    if labels.dtype != logits.dtype:
        labels = tf.cast(labels, logits.dtype)
    return _softmax_cross_entropy(labels, logits, axis)


@op("SparseSoftmaxCrossEntropyWithLogits", labels=tensor(int32, int64, group="L"), logits=tensor(FLOATS))
def _sparse_cross_entropy(labels: Any, logits: Any) -> Any:
    classes = logits.shape[-1]
    return nll(logits.reshape(-1, classes), labels.reshape(-1).long()).reshape(labels.shape)


def nll(logits: torch.Tensor, labels: torch.Tensor, reduction: str = "none") -> torch.Tensor:
    """Cross entropy of logits [samples, classes] and int64 labels. A label out of range is an IndexError, or NaN on a GPU, which it would abort."""
    if not labels.is_cuda:
        if few_classes(logits):
            return F.nll_loss(log_softmax_of_rows(logits), labels, reduction=reduction, ignore_index=-(2**62))
        return F.cross_entropy(logits, labels, reduction=reduction, ignore_index=-(2**62))
    inside = (labels >= 0) & (labels < logits.shape[-1])
    out = F.cross_entropy(logits, torch.where(inside, labels, -100), reduction="none")
    out = torch.where(inside, out, torch.nan)
    return out if reduction == "none" else out.mean() if reduction == "mean" else out.sum()


@_sparse_cross_entropy.diagnose
def _(labels: Any, logits: Any) -> str | None:
    if labels.device.type == "meta":
        return None
    classes = logits.shape[-1]
    bad = labels[(labels < 0) | (labels >= classes)]
    if not bad.numel():
        return None
    shown = " ".join(str(v) for v in labels.reshape(-1).tolist())
    return f"Received a label value of {int(bad[0])} which is outside the valid range of [0, {classes}).  Label values: {shown}"


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Tensor:
    """-log_softmax(logits)[label] for integer `labels` of the logits' shape but the last dimension.

    `tf.nn.sparse_softmax_cross_entropy_with_logits`; InvalidArgumentError for a label outside [0, classes).
    """
    labels, logits = _given(labels), _given(logits)
    have, want = labels.shape, logits.shape
    if want.rank is not None and want.rank == 0:
        raise ValueError(f"`logits` cannot be a scalar. Received logits={logits}`")
    if have.rank is not None and want.rank is not None:
        if have.rank != want.rank - 1:
            raise ValueError(
                f"`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: labels.shape={have} of rank {have.rank} and "
                f"logits.shape={want} of rank {want.rank}"
            )
        if not have.is_compatible_with(want[:-1]):
            raise ValueError(
                f"`labels.shape` must equal `logits.shape` except for the last dimension. Received: labels.shape={have} and "
                f"logits.shape={want}"
            )
    return _sparse_cross_entropy(labels, logits)


@op("SigmoidCrossEntropyWithLogits", labels=tensor(FLOATS), logits=tensor(FLOATS))
def _sigmoid_cross_entropy(labels: Any, logits: Any) -> Any:
    return F.binary_cross_entropy_with_logits(logits, labels, reduction="none")


def _same(labels: Any, logits: Any) -> None:
    if not logits.shape.is_compatible_with(labels.shape):
        raise ValueError(f"`logits` and `labels` must have the same shape, received ({logits.shape} vs {labels.shape}).")


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Tensor:
    """-labels * log(sigmoid(logits)) - (1 - labels) * log(1 - sigmoid(logits)), element by element, stable.

    `tf.nn.sigmoid_cross_entropy_with_logits`; ValueError when the shapes differ.
    """
    if labels is None or logits is None:
        raise ValueError(
            f"Both `labels` and `logits` must be provided for sigmoid_cross_entropy_with_logitsReceived: labels={labels} and logits={logits}"
        )
    logits = _given(logits)
    labels = labels if hasattr(labels, "dtype") and hasattr(labels.shape, "rank") else convert_to_tensor(labels)
    _same(labels, logits)
    if labels.dtype != logits.dtype:
        raise invalid(
            f"cannot compute Mul as input #1(zero-based) was expected to be a {logits.dtype._cpp} tensor but is a {labels.dtype._cpp} "
            "tensor [Op:Mul] name: "
        )
    return _sigmoid_cross_entropy(labels, logits)


@op("WeightedCrossEntropyWithLogits", labels=tensor(FLOATS), logits=tensor(FLOATS), pos_weight=tensor(FLOATS))
def _weighted_cross_entropy(labels: Any, logits: Any, pos_weight: Any) -> Any:
    weight = 1 + (pos_weight - 1) * labels
    return (1 - labels) * logits + weight * (torch.log1p(torch.exp(-torch.abs(logits))) + torch.relu(-logits))


def weighted_cross_entropy_with_logits(labels: Any, logits: Any, pos_weight: Any, name: str | None = None) -> Tensor:
    """Sigmoid cross entropy in which positive targets count `pos_weight` times (`tf.nn.weighted_cross_entropy_with_logits`)."""
    logits = _given(logits)
    labels = _given(labels)
    _same(labels, logits)
    return _weighted_cross_entropy(labels, logits, pos_weight)


@op("LogPoissonLoss", targets=tensor(FLOATS), log_input=tensor(FLOATS))
def _log_poisson(targets: Any, log_input: Any, full: bool) -> Any:
    found = torch.exp(log_input) - log_input * targets
    if full:
        # Stirling's approximation, which counts where targets exceed one
        term = targets * torch.log(targets) - targets + 0.5 * torch.log(2 * torch.pi * targets)
        found = found + torch.where((targets >= 0) & (targets <= 1), torch.zeros_like(targets), term)
    return found


def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None) -> Tensor:
    """exp(log_input) - log_input * targets, plus Stirling's term with `compute_full_loss` (`tf.nn.log_poisson_loss`)."""
    log_input = _given(log_input)
    targets = _given(targets)
    if not log_input.shape.is_compatible_with(targets.shape):
        raise ValueError(f"`log_input` and `targets` must have the same shape, received ({log_input.shape} vs {targets.shape}).")
    return _log_poisson(targets, log_input, bool(compute_full_loss))


def _replicas(caller: str) -> int:
    """How many replicas share a batch; RuntimeError where no replica is running."""
    if strategies.in_scope_only():
        raise RuntimeError(f"You are calling `{caller}` in cross replica context, while it was expected to be called in replica context.")
    strategy = strategies.current()
    return 1 if strategy is None else strategy.num_replicas_in_sync


def compute_average_loss(per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None) -> Tensor:
    """Sum of the (weighted) losses divided by the global batch size (`tf.nn.compute_average_loss`).

    `global_batch_size` is the number of examples of `per_example_loss` unless given.
    """
    per_example_loss = _given(per_example_loss)
    rank = per_example_loss.shape.rank
    if rank is not None and rank == 0:
        raise ValueError(
            "Invalid value passed for `per_example_loss`. Expected a tensor with at least rank 1. Received "
            f"per_example_loss={per_example_loss._numpy() if type(per_example_loss) is Tensor else per_example_loss} with rank 0"
        )
    if sample_weight is not None:
        weight = tf.cast(_given(sample_weight), per_example_loss.dtype)
        missing = (rank or 0) - (weight.shape.rank or 0)
        if missing > 0:
            weight = tf.reshape(weight, tf.concat([tf.shape(weight), [1] * missing], 0))
        per_example_loss = per_example_loss * weight
    replicas = _replicas("compute_average_loss")
    if global_batch_size is None:
        static = per_example_loss.shape[0]
        global_batch_size = (static if static is not None else tf.shape(per_example_loss)[0]) * replicas
    elif not isinstance(global_batch_size, Tensor):
        if isinstance(global_batch_size, float):
            raise TypeError(f"`global_batch_size` must be an int. Received: {global_batch_size}")
        if global_batch_size < 0:
            raise ValueError(f"`global_batch_size` must be non-negative. Received: {global_batch_size}")
    return tf.reduce_sum(per_example_loss) / tf.cast(global_batch_size, per_example_loss.dtype)


def scale_regularization_loss(regularization_loss: Any) -> Tensor:
    """The sum of a regularisation loss, divided by the number of replicas (`tf.nn.scale_regularization_loss`)."""
    return tf.reduce_sum(convert_to_tensor(regularization_loss)) / _replicas("scale_regularization_loss")
