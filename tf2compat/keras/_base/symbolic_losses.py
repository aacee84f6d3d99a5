"""Loss functions on symbolic tensors: the layers that Keras makes of them, an op each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tf2compat as tf

from .config import settings


def _layer(path: str, *args: Any, **kwargs: Any) -> Any:
    from .oplayers import TFOpLambda

    return TFOpLambda(path)(*args, **kwargs)


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = _layer("convert_to_tensor", y_pred) if _symbolic(y_pred) else tf.convert_to_tensor(y_pred)
    return tf.cast(y_true, y_pred.dtype), y_pred


def _symbolic(x: Any) -> bool:
    return hasattr(type(x), "_is_keras_tensor")


def _mean(x: Any, axis: Any = -1) -> Any:
    return tf.reduce_mean(x, axis=axis)


def _squared(y_true: Any, y_pred: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    return _mean(tf.math.squared_difference(p, t))


def _absolute(y_true: Any, y_pred: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    return _mean(tf.abs(p - t))


def _percentage(y_true: Any, y_pred: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    return 100.0 * _mean(tf.abs((t - p) / tf.maximum(tf.abs(t), settings.epsilon)))


def _logarithmic(y_true: Any, y_pred: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    return _mean(tf.math.squared_difference(tf.math.log(tf.maximum(p, settings.epsilon) + 1.0), tf.math.log(tf.maximum(t, settings.epsilon) + 1.0)))


def _huber(y_true: Any, y_pred: Any, delta: Any = 1.0) -> Any:
    p, t = tf.cast(y_pred, settings.floatx), tf.cast(y_true, settings.floatx)
    error = p - t
    size = tf.abs(error)
    return _mean(tf.where(size <= delta, 0.5 * tf.square(error), delta * size - 0.5 * delta**2))


def _log_cosh(y_true: Any, y_pred: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    x = p - t
    return _mean(x + tf.math.softplus(-2.0 * x) - tf.cast(tf.math.log(2.0), x.dtype))


def _kl(y_true: Any, y_pred: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    t, p = tf.clip_by_value(t, settings.epsilon, 1.0), tf.clip_by_value(p, settings.epsilon, 1.0)
    return tf.reduce_sum(t * tf.math.log(t / p), axis=-1)


def _poisson(y_true: Any, y_pred: Any) -> Any:
    t, p = _pair(y_true, y_pred)
    return _mean(p - t * tf.math.log(p + settings.epsilon))


def _cosine(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    return -tf.reduce_sum(tf.math.l2_normalize(y_true, axis=axis) * tf.math.l2_normalize(y_pred, axis=axis), axis=axis)


def _categorical(y_true: Any, y_pred: Any, from_logits: Any = False, label_smoothing: Any = 0.0, axis: Any = -1) -> Any:
    t, p = _pair(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / tf.cast(tf.shape(t)[-1], p.dtype)
    return _layer("keras.backend.categorical_crossentropy", t, p, from_logits=from_logits, axis=axis)


def _binary(y_true: Any, y_pred: Any, from_logits: Any = False, label_smoothing: Any = 0.0, axis: Any = -1) -> Any:
    t, p = _pair(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    out = _layer("keras.backend.binary_crossentropy", t, p, from_logits=from_logits)
    return out if axis is None else _mean(out, axis)


def _sparse_categorical(y_true: Any, y_pred: Any, from_logits: Any = False, axis: Any = -1, ignore_class: Any = None) -> Any:
    kwargs = {} if ignore_class is None else {"ignore_class": ignore_class}
    return _layer("keras.backend.sparse_categorical_crossentropy", y_true, y_pred, from_logits=from_logits, axis=axis, **kwargs)


def _reduced(losses: Any, over_batch: Any) -> Any:
    made = losses._keras_history.layer
    if getattr(made, "symbol", "") != "tf.math.multiply":  # by the weights of samples, else by one
        losses = tf.multiply(losses, 1.0)
    total = tf.reduce_sum(losses)
    if not over_batch:
        return total
    return tf.math.divide_no_nan(tf.reduce_sum(total), tf.cast(tf.size(losses), losses.dtype))


_FUNCTIONS = "tf2compat.keras.losses.functions."
COMPOSITES: dict[str, Callable[..., Any]] = {
    _FUNCTIONS + "mean_squared_error": _squared,
    _FUNCTIONS + "mean_absolute_error": _absolute,
    _FUNCTIONS + "mean_absolute_percentage_error": _percentage,
    _FUNCTIONS + "mean_squared_logarithmic_error": _logarithmic,
    _FUNCTIONS + "huber": _huber,
    _FUNCTIONS + "log_cosh": _log_cosh,
    _FUNCTIONS + "kl_divergence": _kl,
    _FUNCTIONS + "poisson": _poisson,
    _FUNCTIONS + "cosine_similarity": _cosine,
    _FUNCTIONS + "_categorical_crossentropy": _categorical,
    _FUNCTIONS + "_binary_crossentropy": _binary,
    _FUNCTIONS + "_sparse_categorical_crossentropy": _sparse_categorical,
    "tf2compat.keras.losses.weighting._reduce": _reduced,
}
