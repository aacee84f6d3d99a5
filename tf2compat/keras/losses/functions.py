"""The loss functions: each reduces the last axis (or `axis`) and keeps the others."""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

from tf2compat._engine.bounds import clamp
from tf2compat._engine.devices import on_host
from tf2compat._engine.op import ANY, invalid, op
from tf2compat._engine.symbolic import SymbolicTensor
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable
from tf2compat.math._few_classes import log_softmax, softmax
from tf2compat.nn.losses import nll

from .._base.config import settings


def _pair(y_true: torch.Tensor, y_pred: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return (y_true if y_true.dtype is y_pred.dtype else y_true.to(y_pred.dtype)), y_pred


def _mean(x: torch.Tensor, axis: Any = -1) -> torch.Tensor:
    if x.ndim == 0:
        return x
    if not (x.is_floating_point() or x.is_complex()):
        return torch.div(x.sum(axis), x.shape[axis], rounding_mode="floor").to(x.dtype)
    return x.mean(axis)


@op("KerasMeanSquaredError", elementwise=True, y_true=ANY, y_pred=ANY)
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """mean(square(y_true - y_pred), axis=-1) (`tf.keras.losses.mean_squared_error`)."""
    t, p = _pair(y_true, y_pred)
    return _mean(torch.square(p - t))


@op("KerasMeanAbsoluteError", elementwise=True, y_true=ANY, y_pred=ANY)
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """mean(abs(y_true - y_pred), axis=-1) (`tf.keras.losses.mean_absolute_error`)."""
    t, p = _pair(y_true, y_pred)
    return _mean(torch.abs(p - t))


@op("KerasMeanAbsolutePercentageError", elementwise=True, y_true=ANY, y_pred=ANY)
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """100 * mean(abs((y_true - y_pred) / max(abs(y_true), epsilon))) (`tf.keras.losses.mean_absolute_percentage_error`)."""
    t, p = _pair(y_true, y_pred)
    return 100.0 * _mean(torch.abs((t - p) / clamp(torch.abs(t), min=settings.epsilon)))


@op("KerasMeanSquaredLogarithmicError", elementwise=True, y_true=ANY, y_pred=ANY)
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """mean(square(log(y_true + 1) - log(y_pred + 1))) (`tf.keras.losses.mean_squared_logarithmic_error`)."""
    t, p = _pair(y_true, y_pred)
    first = torch.log(clamp(p, min=settings.epsilon) + 1.0)
    second = torch.log(clamp(t, min=settings.epsilon) + 1.0)
    return _mean(torch.square(first - second))


def _signs(t: torch.Tensor) -> torch.Tensor:
    """Labels 0 and 1 become -1 and 1; others stay."""
    binary = torch.logical_or(t == 0, t == 1).all()
    return torch.where(binary, 2.0 * t - 1.0, t)


@op("KerasHinge", elementwise=True, y_true=ANY, y_pred=ANY)
def hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true * y_pred, 0)); labels are -1 and 1, or 0 and 1 (`tf.keras.losses.hinge`)."""
    t, p = _pair(y_true, y_pred)
    return _mean(clamp(1.0 - _signs(t) * p, min=0.0))


@op("KerasSquaredHinge", elementwise=True, y_true=ANY, y_pred=ANY)
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(square(max(1 - y_true * y_pred, 0))) (`tf.keras.losses.squared_hinge`)."""
    t, p = _pair(y_true, y_pred)
    return _mean(torch.square(clamp(1.0 - _signs(t) * p, min=0.0)))


@op("KerasCategoricalHinge", elementwise=True, y_true=ANY, y_pred=ANY)
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(neg - pos + 1, 0) with pos = sum(y_true * y_pred), neg = max((1 - y_true) * y_pred) (`tf.keras.losses.categorical_hinge`)."""
    t, p = _pair(y_true, y_pred)
    return clamp(((1.0 - t) * p).amax(-1) - (t * p).sum(-1) + 1.0, min=0.0)


@op("KerasHuber", elementwise=True, y_true=ANY, y_pred=ANY)
def huber(y_true: Any, y_pred: Any, delta: Any = 1.0) -> Any:
    """Half the squared error up to `delta`, linear beyond (`tf.keras.losses.huber`)."""
    dtype = getattr(torch, settings.floatx)
    error = y_pred.to(dtype) - y_true.to(dtype)
    size = torch.abs(error)
    return _mean(torch.where(size <= delta, 0.5 * torch.square(error), delta * size - 0.5 * delta**2))


@op("KerasLogCosh", elementwise=True, y_true=ANY, y_pred=ANY)
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """mean(log(cosh(y_pred - y_true))) (`tf.keras.losses.log_cosh`)."""
    t, p = _pair(y_true, y_pred)
    x = p - t
    return _mean(x + F.softplus(-2.0 * x) - math.log(2.0))


@op("KerasKLDivergence", elementwise=True, y_true=ANY, y_pred=ANY)
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """sum(y_true * log(y_true / y_pred), axis=-1) (`tf.keras.losses.kl_divergence`)."""
    t, p = _pair(y_true, y_pred)
    t, p = clamp(t, settings.epsilon, 1), clamp(p, settings.epsilon, 1)
    return (t * torch.log(t / p)).sum(-1)


@op("KerasPoisson", elementwise=True, y_true=ANY, y_pred=ANY)
def poisson(y_true: Any, y_pred: Any) -> Any:
    """mean(y_pred - y_true * log(y_pred + epsilon)) (`tf.keras.losses.poisson`)."""
    t, p = _pair(y_true, y_pred)
    return _mean(p - t * torch.log(p + settings.epsilon))


def _unit(x: torch.Tensor, axis: Any) -> torch.Tensor:
    return x * torch.rsqrt(clamp(torch.square(x).sum(axis, keepdim=True), min=1e-12))


@op("KerasCosineSimilarity", elementwise=True, y_true=ANY, y_pred=ANY)
def cosine_similarity(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """-sum(l2_normalize(y_true) * l2_normalize(y_pred)) along `axis` (`tf.keras.losses.cosine_similarity`)."""
    return -(_unit(y_true, axis) * _unit(y_pred, axis)).sum(axis)


# --- crossentropies ----------------------------------------------------------------------------------------------------
def logits_of(output: Any, from_logits: bool, fn_name: str, made_by: str) -> tuple[Any, bool]:
    """The logits behind probabilities that softmax or sigmoid has just made: they are the exact way to the loss."""
    found = getattr(output, "_keras_logits", None) if isinstance(output, Tensor) else None
    if found is None and isinstance(output, SymbolicTensor):  # in a graph whoever made it
        node = output._node
        if node.kind == "op" and node.op.name == made_by and isinstance(node.args[0], Tensor):
            found = node.args[0]
    if found is None:
        return output, from_logits
    if from_logits:
        warnings.warn(
            f'"`{fn_name}` received `from_logits=True`, but the `output` argument was produced by a {made_by} activation and thus does '
            "not represent logits. Was this intended?",
            stacklevel=3,
        )
    return found, True


@op("KerasSoftmaxCrossEntropy", y_true=ANY, y_pred=ANY)
def _categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: Any, label_smoothing: Any, axis: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    if t.shape != p.shape:
        raise ValueError(f"Shapes {tuple(t.shape)} and {tuple(p.shape)} are incompatible")
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / t.shape[axis]
    if from_logits:
        loss = -(t * log_softmax(p, axis)).sum(axis)
        if p.requires_grad:  # TensorFlow's gradient is softmax - labels, also where the labels do not add up to 1
            rest = 1.0 - t.detach().sum(axis)
            if not on_host(rest) or rest.any().item():
                norm = torch.logsumexp(p, axis)
                loss = loss + rest * (norm - norm.detach())
        return loss
    p = p / p.sum(axis, keepdim=True)
    p = clamp(p, settings.epsilon, 1.0 - settings.epsilon)
    return -(t * torch.log(p)).sum(axis)


def categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: Any = 0.0, axis: int = -1) -> Any:
    """Crossentropy of one-hot labels and predictions (`tf.keras.losses.categorical_crossentropy`)."""
    _check_axis(axis)
    _warn_single(y_pred, "categorical_crossentropy")
    y_pred, from_logits = logits_of(y_pred, from_logits, "categorical_crossentropy", "Softmax")
    check_shapes(y_true, y_pred)
    return _categorical_crossentropy(y_true, y_pred, from_logits, label_smoothing, axis)


def check_shapes(a: Any, b: Any, says: str = "Shapes {} and {} are incompatible") -> None:
    """ValueError where the static shapes of symbols cannot be equal; of values the ops themselves say so."""
    if type(b) in (SymbolicTensor, Tensor) and (type(a) is SymbolicTensor or type(b) is SymbolicTensor) and isinstance(a, (Tensor, Variable)):
        if not a.shape.is_compatible_with(b.shape):
            raise ValueError(says.format(a.shape, b.shape))


def check_logits(y_true: Any, y_pred: Any) -> None:
    check_shapes(y_pred, y_true, "`logits` and `labels` must have the same shape, received ({} vs {}).")


def _check_axis(axis: Any) -> None:
    if isinstance(axis, bool):
        raise ValueError(f"`axis` must be of type `int`. Received: axis={axis} of type {type(axis)}")


def _warn_single(y_pred: Any, name: str) -> None:
    shape = getattr(y_pred, "shape", None)
    if shape is not None and getattr(shape, "rank", 0) is not None and len(shape) and shape[-1] == 1:
        warnings.warn(
            f"In loss {name}, expected y_pred.shape to be (batch_size, num_classes) with num_classes > 1. Received: y_pred.shape={shape}. "
            "Consider using 'binary_crossentropy' if you only have 2 classes.",
            SyntaxWarning,
            stacklevel=3,
        )


@op("KerasCategoricalFocalCrossEntropy", y_true=ANY, y_pred=ANY)
def _categorical_focal(y_true: Any, y_pred: Any, alpha: Any, gamma: Any, from_logits: Any, label_smoothing: Any, axis: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    if t.shape != p.shape:
        raise ValueError(f"Shapes {tuple(t.shape)} and {tuple(p.shape)} are incompatible")
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / t.shape[-1]
    if from_logits:
        p = softmax(p, axis)
    p = clamp(p / p.sum(axis, keepdim=True), settings.epsilon, 1.0 - settings.epsilon)
    if not isinstance(alpha, (int, float)):
        alpha = torch.as_tensor(alpha, dtype=p.dtype, device=p.device)
    return (torch.pow(1.0 - p, gamma) * alpha * (-t * torch.log(p))).sum(axis)


def categorical_focal_crossentropy(
    y_true: Any, y_pred: Any, alpha: Any = 0.25, gamma: Any = 2.0, from_logits: bool = False, label_smoothing: Any = 0.0, axis: int = -1
) -> Any:
    """alpha * (1 - p)^gamma * crossentropy (`tf.keras.losses.categorical_focal_crossentropy`)."""
    _check_axis(axis)
    _warn_single(y_pred, "categorical_focal_crossentropy")
    y_pred, from_logits = logits_of(y_pred, from_logits, "categorical_focal_crossentropy", "Softmax")
    check_shapes(y_true, y_pred)
    return _categorical_focal(y_true, y_pred, alpha, gamma, from_logits, label_smoothing, axis)


@op("SparseSoftmaxCrossEntropyWithLogits", y_true=ANY, y_pred=ANY)
def _sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: Any, axis: Any, ignore_class: Any) -> Any:
    flat, t, leading = _flattened(y_true, y_pred, from_logits, axis)
    if ignore_class is not None:
        out = torch.where(t == ignore_class, 0, nll(flat, torch.where(t == ignore_class, 0, t)))
    else:
        out = _nll(flat, t)
    return out.reshape(leading) if len(leading) != 1 else out


def _flattened(y_true: Any, y_pred: Any, from_logits: Any, axis: Any) -> tuple[Any, Any, Any]:
    """Logits of shape [samples, classes], labels of shape [samples], and the shape of the samples."""
    p = y_pred
    if not from_logits:
        p = torch.log(clamp(p, settings.epsilon, 1 - settings.epsilon))
    t = y_true if y_true.dtype is torch.int64 else y_true.to(torch.int64)
    if axis % p.ndim != p.ndim - 1:
        p = p.movedim(axis, -1)
    leading = p.shape[:-1]
    flat = p.reshape(-1, p.shape[-1]) if p.ndim != 2 else p
    t = t.reshape(-1)
    if flat.shape[0] != t.shape[0]:
        raise ValueError(
            f"`labels.shape` must equal `logits.shape` except for the last dimension. Received: labels.shape=({t.shape[0]},) and "
            f"logits.shape={tuple(flat.shape)}"
        )
    return flat, t, leading


def _nll(logits: torch.Tensor, labels: torch.Tensor, reduction: str = "none") -> torch.Tensor:
    try:
        return nll(logits, labels, reduction)
    except IndexError:  # TensorFlow on the CPU raises with the labels in the message
        n = logits.shape[-1]
        bad = int(labels[(labels < 0) | (labels >= n)][0])
        shown = " ".join(str(int(v)) for v in labels.tolist())
        raise invalid(
            f"Received a label value of {bad} which is outside the valid range of [0, {n}).  Label values: {shown} "
            "[Op:SparseSoftmaxCrossEntropyWithLogits]"
        ) from None


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """Crossentropy of integer labels and predictions (`tf.keras.losses.sparse_categorical_crossentropy`).

    InvalidArgumentError for a label outside the classes. Labels equal to `ignore_class` give 0 and are masked.
    """
    y_pred, from_logits = logits_of(y_pred, from_logits, "sparse_categorical_crossentropy", "Softmax")
    out = _sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis, ignore_class)
    if ignore_class is not None:
        from tf2compat import cast, not_equal, reshape

        from .._base.callspec import set_mask

        labels = cast(y_true, "int64")
        set_mask(out, reshape(not_equal(labels, ignore_class), out.shape))
    return out


@op("KerasBinaryCrossEntropy", elementwise=True, y_true=ANY, y_pred=ANY)
def _binary_crossentropy(y_true: Any, y_pred: Any, from_logits: Any, label_smoothing: Any, axis: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return _mean(_bce(t, p, from_logits), axis) if axis is not None else _bce(t, p, from_logits)


def _bce(t: torch.Tensor, p: torch.Tensor, from_logits: Any) -> torch.Tensor:
    if from_logits:
        if t.shape != p.shape:
            raise ValueError(f"`logits` and `labels` must have the same shape, received ({tuple(p.shape)} vs {tuple(t.shape)}).")
        return F.binary_cross_entropy_with_logits(p, t, reduction="none")
    e = settings.epsilon
    p = clamp(p, e, 1.0 - e)
    return -(t * torch.log(p + e) + (1 - t) * torch.log(1 - p + e))


def binary_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: Any = 0.0, axis: int = -1) -> Any:
    """Mean crossentropy of labels 0 and 1 and predictions (`tf.keras.losses.binary_crossentropy`)."""
    y_pred, from_logits = logits_of(y_pred, from_logits, "binary_crossentropy", "Sigmoid")
    if from_logits:
        check_logits(y_true, y_pred)
    return _binary_crossentropy(y_true, y_pred, from_logits, label_smoothing, axis)


@op("KerasBinaryFocalCrossEntropy", elementwise=True, y_true=ANY, y_pred=ANY)
def _binary_focal(
    y_true: Any, y_pred: Any, apply_class_balancing: Any, alpha: Any, gamma: Any, from_logits: Any, label_smoothing: Any, axis: Any
) -> Any:
    t, p = _pair(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    prob = torch.sigmoid(p) if from_logits else p
    matched = t * prob + (1 - t) * (1 - prob)
    loss = torch.pow(1.0 - matched, gamma) * _bce(t, p, from_logits)
    if apply_class_balancing:
        loss = (t * alpha + (1 - t) * (1 - alpha)) * loss
    return _mean(loss, axis)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: Any = 0.25,
    gamma: Any = 2.0,
    from_logits: bool = False,
    label_smoothing: Any = 0.0,
    axis: int = -1,
) -> Any:
    """(1 - p)^gamma times the binary crossentropy (`tf.keras.losses.binary_focal_crossentropy`)."""
    return _binary_focal(y_true, y_pred, apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis)
