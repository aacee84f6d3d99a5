"""`tf.compat.v1.losses`: losses with weights that broadcast, reduced as `reduction` says.

`scope` and `loss_collection` name parts of a graph: in eager code they have no meaning, here as in TensorFlow.
"""

from __future__ import annotations

from typing import Any

import tf2compat as tf

__all__ = [
    "Reduction", "absolute_difference", "add_loss", "compute_weighted_loss", "cosine_distance", "get_losses",
    "get_regularization_loss", "get_regularization_losses", "get_total_loss", "hinge_loss", "huber_loss", "log_loss",
    "mean_squared_error", "sigmoid_cross_entropy", "softmax_cross_entropy", "sparse_softmax_cross_entropy",
]  # fmt: skip

_MEAN = "weighted_sum_by_nonzero_weights"


class Reduction:
    """How weighted losses become one number."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS = _MEAN

    @classmethod
    def all(cls) -> tuple[str, ...]:
        return (cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE, cls.SUM_OVER_NONZERO_WEIGHTS, cls.SUM_BY_NONZERO_WEIGHTS)

    @classmethod
    def validate(cls, key: Any) -> None:
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key: {key}. Key should be one of {cls.all()}.")


def compute_weighted_loss(
    losses: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = "losses", reduction: str = _MEAN
) -> Any:
    """`losses` times `weights` (a number, or of the losses' rank with ones where it broadcasts), reduced."""
    Reduction.validate(reduction)
    losses = tf.convert_to_tensor(losses)
    kind = losses.dtype
    values, weights = tf.cast(losses, tf.float32), tf.cast(weights, tf.float32)
    if weights.shape.rank not in (0, None) and values.shape.rank is not None:
        _check_weights(weights.shape, values.shape)
    weighted = values * weights
    if reduction == Reduction.NONE:
        return tf.cast(weighted, kind)
    total = tf.reduce_sum(weighted)
    if reduction == Reduction.MEAN:
        total = tf.math.divide_no_nan(total, tf.reduce_sum(tf.ones_like(values) * weights))
    elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
        total = tf.math.divide_no_nan(total, tf.cast(tf.size(values), tf.float32))
    elif reduction == _MEAN:
        total = tf.math.divide_no_nan(total, tf.reduce_sum(tf.cast(tf.not_equal(tf.ones_like(values) * weights, 0.0), tf.float32)))
    return tf.cast(total, kind)


def _check_weights(weights: Any, values: Any) -> None:
    if weights.rank != values.rank:
        raise ValueError(
            f"weights can not be broadcast to values. values.rank={values.rank}. weights.rank={weights.rank}. values.shape={values}. "
            f"weights.shape={weights}."
        )
    if any(w not in (1, None) and v is not None and w != v for w, v in zip(weights, values, strict=True)):
        raise ValueError(f"weights can not be broadcast to values. values.shape={values}. weights.shape={weights}.")


def _pair(labels: Any, predictions: Any) -> tuple[Any, Any]:
    if labels is None:
        raise ValueError("Argument `labels` must not be None.")
    if predictions is None:
        raise ValueError("Argument `predictions` must not be None.")
    predictions, labels = tf.cast(predictions, tf.float32), tf.cast(labels, tf.float32)
    predictions.shape.assert_is_compatible_with(labels.shape)
    return labels, predictions


def _targets(name: str, labels: Any, logits: Any) -> tuple[Any, Any]:
    if labels is None:
        raise ValueError(f"Argument `{name}` must not be None.")
    logits = tf.convert_to_tensor(logits)
    labels = tf.cast(labels, logits.dtype)
    logits.shape.assert_is_compatible_with(labels.shape)
    return labels, logits


def absolute_difference(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = "losses", reduction: str = _MEAN
) -> Any:
    """|predictions - labels|."""
    labels, predictions = _pair(labels, predictions)
    return compute_weighted_loss(tf.abs(predictions - labels), weights, scope, loss_collection, reduction)


def mean_squared_error(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = "losses", reduction: str = _MEAN
) -> Any:
    """(predictions - labels)²."""
    labels, predictions = _pair(labels, predictions)
    return compute_weighted_loss(tf.math.squared_difference(predictions, labels), weights, scope, loss_collection, reduction)


def huber_loss(
    labels: Any, predictions: Any, weights: Any = 1.0, delta: float = 1.0, scope: str | None = None, loss_collection: Any = "losses",
    reduction: str = _MEAN,
) -> Any:  # fmt: skip
    """Half the square up to `delta`, linear beyond."""
    labels, predictions = _pair(labels, predictions)
    error = tf.abs(predictions - labels)
    small = tf.minimum(error, delta)
    return compute_weighted_loss(0.5 * small * small + delta * (error - small), weights, scope, loss_collection, reduction)


def log_loss(
    labels: Any, predictions: Any, weights: Any = 1.0, epsilon: float = 1e-7, scope: str | None = None, loss_collection: Any = "losses",
    reduction: str = _MEAN,
) -> Any:  # fmt: skip
    """The cross-entropy of probabilities."""
    labels, predictions = _pair(labels, predictions)
    losses = -labels * tf.math.log(predictions + epsilon) - (1 - labels) * tf.math.log(1 - predictions + epsilon)
    return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def hinge_loss(
    labels: Any, logits: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = "losses", reduction: str = _MEAN
) -> Any:
    """max(0, 1 - (2 · labels - 1) · logits), for labels of 0 and 1."""
    labels, logits = _pair(labels, logits)
    return compute_weighted_loss(tf.nn.relu(1 - (2 * labels - 1) * logits), weights, scope, loss_collection, reduction)


def cosine_distance(
    labels: Any, predictions: Any, axis: Any = None, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = "losses",
    reduction: str = _MEAN, dim: Any = None,
) -> Any:  # fmt: skip
    """1 minus the product along `axis` of what is normalised already."""
    if dim is not None:
        if axis is not None:
            raise ValueError("Cannot specify both 'axis' and 'dim'.")
        axis = dim
    if axis is None:
        raise ValueError("You must specify argument `axis`.")
    labels, predictions = _pair(labels, predictions)
    losses = 1 - tf.reduce_sum(predictions * labels, axis=axis, keepdims=True)
    return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def sigmoid_cross_entropy(
    multi_class_labels: Any, logits: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: str | None = None,
    loss_collection: Any = "losses", reduction: str = _MEAN,
) -> Any:  # fmt: skip
    """The cross-entropy of each class by itself."""
    labels, logits = _targets("multi_class_labels", multi_class_labels, logits)
    if label_smoothing > 0:
        labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def softmax_cross_entropy(
    onehot_labels: Any, logits: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: str | None = None,
    loss_collection: Any = "losses", reduction: str = _MEAN,
) -> Any:  # fmt: skip
    """The cross-entropy of one of several classes; no gradient flows to the labels."""
    labels, logits = _targets("onehot_labels", onehot_labels, logits)
    if label_smoothing > 0:
        labels = labels * (1 - label_smoothing) + label_smoothing / tf.cast(tf.shape(labels)[-1], logits.dtype)
    losses = tf.nn.softmax_cross_entropy_with_logits(labels=tf.stop_gradient(labels), logits=logits)
    return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def sparse_softmax_cross_entropy(
    labels: Any, logits: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = "losses", reduction: str = _MEAN
) -> Any:
    """The cross-entropy of classes that are given by their numbers."""
    if labels is None:
        raise ValueError("Argument `labels` must not be None.")
    labels, logits = tf.convert_to_tensor(labels), tf.convert_to_tensor(logits)
    if labels.shape.rank is not None and labels.shape.rank == logits.shape.rank:
        labels = tf.squeeze(labels, [-1])
    weights = tf.convert_to_tensor(weights)
    if weights.shape.rank is not None and weights.shape.rank == (labels.shape.rank or 0) + 1:
        weights = tf.squeeze(weights, [-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def add_loss(loss: Any, loss_collection: Any = "losses") -> None:
    """Eager code has no collections: nothing is kept, as in TensorFlow."""


def get_losses(scope: str | None = None, loss_collection: Any = "losses") -> list[Any]:
    return []


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    return []


def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> Any:
    return tf.constant(0.0)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss", scope: str | None = None) -> Any:
    raise ValueError("inputs must be a list of at least one Tensor/IndexedSlices with the same dtype and shape: eager code keeps no losses")
