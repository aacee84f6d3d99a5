"""Keras' losses, and the updates of its metrics, as compositions of ops that TensorFlow has."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tf2compat as tf
from tf2compat.keras import backend

from .body import NotExportable
from .lowering import lowers

_EACH, _MEANS = "tf2compat.keras.losses.functions.", "tf2compat.keras.losses.means."


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    return tf.cast(y_true, y_pred.dtype), y_pred


def _mean(x: Any, axis: Any = -1) -> Any:
    return x if x.shape.rank == 0 else tf.reduce_mean(x, axis)


def _loss(name: str, per_element: Callable[[Any, Any], Any]) -> None:
    """A loss that is the mean of something elementwise along the last axis."""

    @lowers(name)
    def each(y_true: Any, y_pred: Any) -> Any:
        return _mean(per_element(*_pair(y_true, y_pred)))


def _signs(t: Any) -> Any:
    binary = tf.reduce_all(tf.logical_or(tf.equal(t, 0), tf.equal(t, 1)))
    return tf.where(binary, 2.0 * t - 1.0, t)


def _log(x: Any) -> Any:
    return tf.math.log(tf.maximum(x, backend.epsilon()) + 1.0)


_loss(_EACH + "mean_squared_error", lambda t, p: tf.math.squared_difference(p, t))
_loss(_EACH + "mean_absolute_error", lambda t, p: tf.abs(p - t))
_loss("KerasMeanAbsolutePercentageError", lambda t, p: 100.0 * tf.abs((t - p) / tf.maximum(tf.abs(t), backend.epsilon())))
_loss("KerasMeanSquaredLogarithmicError", lambda t, p: tf.math.squared_difference(_log(p), _log(t)))
_loss("KerasHinge", lambda t, p: tf.maximum(1.0 - _signs(t) * p, 0.0))
_loss("KerasSquaredHinge", lambda t, p: tf.square(tf.maximum(1.0 - _signs(t) * p, 0.0)))
_loss("KerasLogCosh", lambda t, p: (p - t) + tf.nn.softplus(-2.0 * (p - t)) - math.log(2.0))
_loss("KerasPoisson", lambda t, p: p - t * tf.math.log(p + backend.epsilon()))


@lowers("KerasCategoricalHinge")
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    return tf.maximum(tf.reduce_max((1.0 - t) * p, -1) - tf.reduce_sum(t * p, -1) + 1.0, 0.0)


@lowers("KerasHuber")
def huber(y_true: Any, y_pred: Any, delta: Any) -> Any:
    kind = backend.floatx()
    error = tf.cast(y_pred, kind) - tf.cast(y_true, kind)
    size, delta = tf.abs(error), tf.cast(delta, kind)
    return _mean(tf.where(size <= delta, 0.5 * tf.square(error), delta * size - 0.5 * tf.square(delta)))


@lowers("KerasKLDivergence")
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    t, p = (tf.clip_by_value(v, backend.epsilon(), 1.0) for v in _pair(y_true, y_pred))
    return tf.reduce_sum(t * tf.math.log(t / p), -1)


@lowers("KerasCosineSimilarity")
def cosine_similarity(y_true: Any, y_pred: Any, axis: Any) -> Any:
    return -tf.reduce_sum(tf.math.l2_normalize(y_true, axis) * tf.math.l2_normalize(y_pred, axis), axis)


@lowers("L1Penalty")
def l1_penalty(x: Any, factor: float) -> Any:
    return tf.reduce_sum(tf.abs(x)) * factor


@lowers("L2Penalty")
def l2_penalty(x: Any, factor: float) -> Any:
    return tf.reduce_sum(tf.square(x)) * factor


# --- crossentropies --------------------------------------------------------------------------------------------------
@lowers("KerasSoftmaxCrossEntropy")
def categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: Any, label_smoothing: Any, axis: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / tf.cast(tf.shape(t)[axis], t.dtype)
    if from_logits:
        return tf.nn.softmax_cross_entropy_with_logits(t, p, axis)
    p = tf.clip_by_value(p / tf.reduce_sum(p, axis, keepdims=True), backend.epsilon(), 1.0 - backend.epsilon())
    return -tf.reduce_sum(t * tf.math.log(p), axis)


@lowers("KerasCategoricalFocalCrossEntropy")
def categorical_focal(y_true: Any, y_pred: Any, alpha: Any, gamma: Any, from_logits: Any, label_smoothing: Any, axis: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / tf.cast(tf.shape(t)[-1], t.dtype)
    if from_logits:
        p = tf.nn.softmax(p, axis)
    p = tf.clip_by_value(p / tf.reduce_sum(p, axis, keepdims=True), backend.epsilon(), 1.0 - backend.epsilon())
    return tf.reduce_sum(tf.pow(1.0 - p, tf.cast(gamma, p.dtype)) * tf.cast(alpha, p.dtype) * (-t * tf.math.log(p)), axis)


def _sparse_losses(y_true: Any, y_pred: Any, from_logits: Any, axis: Any, ignore_class: Any = None) -> tuple[Any, Any]:
    p, rank = y_pred, y_pred.shape.rank
    if rank is None:
        raise NotExportable("the rank of its predictions is not known")
    if not from_logits:
        p = tf.math.log(tf.clip_by_value(p, backend.epsilon(), 1.0 - backend.epsilon()))
    if axis % rank != rank - 1:
        p = tf.transpose(p, [*[i for i in range(rank) if i != axis % rank], axis % rank])
    leading = tf.shape(p)[:-1]
    last = p.shape[-1]
    flat = tf.reshape(p, [-1, tf.shape(p)[-1] if last is None else last])
    t = tf.reshape(tf.cast(y_true, tf.int64), [-1])
    if ignore_class is None:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(t, flat), leading
    left = tf.equal(t, ignore_class)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(left, tf.zeros_like(t), t), flat)
    return tf.where(left, tf.zeros_like(losses), losses), leading


@lowers(_EACH + "_sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: Any, axis: Any, ignore_class: Any) -> Any:
    losses, leading = _sparse_losses(y_true, y_pred, from_logits, axis, ignore_class)
    return losses if y_pred.shape.rank == 2 else tf.reshape(losses, leading)


def _bce(t: Any, p: Any, from_logits: Any) -> Any:
    if from_logits:
        return tf.nn.sigmoid_cross_entropy_with_logits(t, p)
    e = backend.epsilon()
    p = tf.clip_by_value(p, e, 1.0 - e)
    return -(t * tf.math.log(p + e) + (1.0 - t) * tf.math.log(1.0 - p + e))


@lowers(_EACH + "_binary_crossentropy")
def binary_crossentropy(y_true: Any, y_pred: Any, from_logits: Any, label_smoothing: Any, axis: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return _bce(t, p, from_logits) if axis is None else _mean(_bce(t, p, from_logits), axis)


@lowers("KerasBinaryFocalCrossEntropy")
def binary_focal(
    y_true: Any, y_pred: Any, balanced: Any, alpha: Any, gamma: Any, from_logits: Any, label_smoothing: Any, axis: Any
) -> Any:
    t, p = _pair(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    prob = tf.sigmoid(p) if from_logits else p
    matched = t * prob + (1.0 - t) * (1.0 - prob)
    loss = tf.pow(1.0 - matched, tf.cast(gamma, p.dtype)) * _bce(t, p, from_logits)
    if balanced:
        loss = (t * alpha + (1.0 - t) * (1.0 - alpha)) * loss
    return _mean(loss, axis)


# --- means over a batch ----------------------------------------------------------------------------------------------
@lowers(_MEANS + "_squared")
def mean_of_squares(y_true: Any, y_pred: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    return tf.reduce_mean(_mean(tf.math.squared_difference(p, t)))


@lowers(_MEANS + "_absolute")
def mean_of_sizes(y_true: Any, y_pred: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    return tf.reduce_mean(_mean(tf.abs(p - t)))


@lowers(_MEANS + "_sparse")
def mean_of_sparse(y_true: Any, y_pred: Any, from_logits: Any, axis: Any) -> Any:
    return tf.reduce_mean(_sparse_losses(y_true, y_pred, from_logits, axis)[0])


@lowers(_MEANS + "_binary")
def mean_of_binary(y_true: Any, y_pred: Any, from_logits: Any) -> Any:
    return tf.reduce_mean(_mean(_bce(*_pair(y_true, y_pred), from_logits)))


@lowers("KerasReduceLoss")
def reduced(losses: Any, over_batch: Any) -> Any:
    kind = losses.dtype
    if not kind.is_floating:
        losses = tf.cast(losses, tf.float32)
    total = tf.reduce_sum(losses)
    if over_batch:
        total = tf.math.divide_no_nan(total, tf.cast(tf.size(losses), losses.dtype))
    return tf.cast(total, kind)


# --- metrics ---------------------------------------------------------------------------------------------------------
def _float(x: Any) -> Any:
    return tf.cast(x, backend.floatx())


@lowers("KerasAccuracy")
def accuracy(y_true: Any, y_pred: Any) -> Any:
    return _float(tf.equal(y_true, tf.cast(y_pred, y_true.dtype)))


@lowers("KerasBinaryMatches")
def binary_matches(y_true: Any, y_pred: Any, threshold: Any) -> Any:
    return _float(tf.equal(y_true, tf.cast(y_pred > tf.cast(threshold, y_pred.dtype), y_true.dtype)))


@lowers("KerasBinaryAccuracy")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: Any) -> Any:
    return _mean(binary_matches(y_true, y_pred, threshold))


def _class(y_true: Any) -> Any:
    return tf.argmax(tf.cast(y_true, tf.uint8) if y_true.dtype == tf.bool else y_true, -1)


def _same_class(y_true: Any, y_pred: Any) -> Any:
    return tf.equal(_class(y_true), tf.argmax(y_pred, -1))


def _of_class(y_true: Any, y_pred: Any) -> Any:
    if y_true.shape.rank == y_pred.shape.rank and y_true.shape[-1] == 1:
        y_true = tf.squeeze(y_true, [-1])
    return tf.equal(y_true, tf.cast(tf.argmax(y_pred, -1), y_true.dtype))


_HITS = {"categorical_accuracy": _same_class, "sparse_categorical_accuracy": _of_class}


@lowers("KerasCategoricalAccuracy")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    return _float(_same_class(y_true, y_pred))


@lowers("KerasSparseCategoricalAccuracy")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    hits = _float(_of_class(y_true, y_pred))
    return tf.squeeze(hits, [-1]) if hits.shape.rank > 1 and hits.shape[-1] == 1 else hits


def _in_top(targets: Any, predictions: Any, k: int) -> Any:
    last = predictions.shape[-1]
    rows = tf.reshape(predictions, [-1, tf.shape(predictions)[-1] if last is None else last])
    return _float(tf.math.in_top_k(tf.reshape(tf.cast(targets, tf.int64), [-1]), rows, k))


@lowers("KerasTopKCategoricalAccuracy")
def top_k(y_true: Any, y_pred: Any, k: int) -> Any:
    classes = _class(y_true)
    return tf.reshape(_in_top(classes, y_pred, k), tf.shape(classes))


@lowers("KerasSparseTopKCategoricalAccuracy")
def sparse_top_k(y_true: Any, y_pred: Any, k: int) -> Any:
    hits = _in_top(y_true, y_pred, k)
    return tf.reshape(hits, tf.shape(y_true)) if y_true.shape.rank > 1 else hits


@lowers("KerasResetMetric")
def reset(variables: Any) -> Any:
    for v in variables:
        v.assign(tf.zeros_like(v.value()))
    return []


def _fit_rank(weight: Any, values: Any) -> Any:
    if weight.shape.rank and weight.shape.rank == values.shape.rank + 1 and weight.shape[-1] == 1:
        return tf.squeeze(weight, [-1])
    if weight.shape.rank and weight.shape.rank == values.shape.rank - 1:
        return tf.expand_dims(weight, -1)
    return weight


def _weighted(values: Any, weight: Any, dtype: Any, mean: Any = True) -> tuple[Any, Any]:
    """Values with a weight of fewer axes averaged over the others, and the weight."""
    weight = _fit_rank(tf.cast(weight, dtype), values)
    if weight.shape.rank and weight.shape.rank < values.shape.rank:
        rest = list(range(weight.shape.rank, values.shape.rank))
        values = tf.reduce_mean(values, rest) if mean else tf.reduce_sum(values, rest)
    return values, weight


@lowers("KerasReduceMetric")
def accumulate(total: Any, count: Any, values: Any, weight: Any = None, mean: Any = True, number: Any = None) -> Any:
    dtype = total.dtype
    values = tf.cast(values, dtype)
    if number is not None:
        total.assign_add(values * tf.cast(number, dtype))
        if mean:
            count.assign_add(tf.cast(number, dtype))
        return []
    if weight is None:
        total.assign_add(tf.reduce_sum(values))
        if mean:
            count.assign_add(tf.cast(tf.size(values), dtype))
        return []
    values, weight = _weighted(values, weight, dtype, mean)
    weight = tf.broadcast_to(weight, tf.shape(values))
    total.assign_add(tf.reduce_sum(values * weight))
    if mean:
        count.assign_add(tf.reduce_sum(weight))
    return []


@lowers("KerasCountHits")
def count_hits(total: Any, count: Any, y_true: Any, y_pred: Any, hits: Any) -> Any:
    found = _HITS[hits](y_true, y_pred)
    total.assign_add(tf.reduce_sum(tf.cast(found, total.dtype)))
    count.assign_add(tf.cast(tf.size(found), count.dtype))
    return []


@lowers("tf2compat.keras.metrics.base._ratio")
def ratio(total: Any, count: Any) -> Any:
    return tf.math.divide_no_nan(tf.convert_to_tensor(total), tf.convert_to_tensor(count))


@lowers("KerasMeanTensor")
def accumulate_tensor(total: Any, count: Any, values: Any, weight: Any = None) -> Any:
    values = tf.cast(values, total.dtype)
    n = tf.ones_like(values)
    if weight is not None:
        values, weight = _weighted(values, weight, total.dtype)
        n, values = n * weight, values * weight
    total.assign_add(values)
    count.assign_add(n)
    return []


@lowers("KerasConfusionUpdate")
def confusion(
    variables: Any, y_true: Any, y_pred: Any, weight: Any = None, which: Any = (), thresholds: Any = (), top_k: Any = None,
    class_id: Any = None, label_weights: Any = None, multi_label: Any = False, even: Any = False,
) -> Any:  # fmt: skip
    dtype = variables[0].dtype
    t, p = tf.cast(y_true, dtype), tf.cast(y_pred, dtype)
    if p.shape.rank == t.shape.rank + 1 and p.shape[-1] == 1:
        p = tf.squeeze(p, [-1])
    elif t.shape.rank == p.shape.rank + 1 and t.shape[-1] == 1:
        t = tf.squeeze(t, [-1])
    if top_k is not None:
        best = tf.reduce_sum(tf.one_hot(tf.math.top_k(p, top_k).indices, tf.shape(p)[-1], dtype=dtype), -2)
        p = p * best - 1e10 * (1.0 - best)
    full = tf.ones_like(p) if weight is None else tf.broadcast_to(_fit_rank(tf.cast(weight, dtype), p), tf.shape(p))
    if class_id is not None:
        t, p, full = (v[..., class_id : class_id + 1] for v in (t, p, full))
    if label_weights is not None:
        full = full * tf.cast(label_weights, dtype)
    t = tf.cast(tf.not_equal(t, 0), dtype)
    shape = [-1, tf.shape(p)[-1]] if multi_label else [-1, 1]
    t, p, full = (tf.reshape(v, shape) for v in (t, p, full))
    positive, negative = t * full, (1.0 - t) * full
    edges = tf.reshape(tf.constant(thresholds, dtype), [-1, 1, 1])
    said = tf.expand_dims(p, 0)
    if even:  # by the place of its bucket, as the recorded op has it
        n = len(thresholds)
        bucket = tf.math.ceil(tf.clip_by_value(p, 0.0, 1.0) * (n - 1.0)) - 1.0
        if thresholds[0] < 0.0 or thresholds[-1] > 1.0:
            bucket = tf.maximum(bucket, 0.0)
        said, edges = tf.expand_dims(bucket, 0), tf.reshape(tf.range(n, dtype=dtype), [-1, 1, 1])
        above = tf.cast(said >= edges, dtype)
    else:
        above = tf.cast(said > edges, dtype)
    tp, fp = tf.reduce_sum(above * positive, 1), tf.reduce_sum(above * negative, 1)
    found = {
        "true_positives": tp, "false_positives": fp, "false_negatives": tf.reduce_sum(positive, 0) - tp,
        "true_negatives": tf.reduce_sum(negative, 0) - fp,
    }  # fmt: skip
    for v, name in zip(variables, which, strict=True):
        v.assign_add(tf.reshape(found[name], tf.shape(v.value())))
    return []
