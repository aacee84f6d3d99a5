"""Arithmetic of tensors, by Keras' names."""

# ruff: noqa: A001 - Keras' public names
from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf

from .. import activations
from .._base.config import settings


def abs(x: Any) -> Any:
    """`tf.keras.backend.abs`."""
    return tf.abs(x)


def sqrt(x: Any) -> Any:
    """The root; 0 for negative numbers (`tf.keras.backend.sqrt`)."""
    return tf.sqrt(tf.maximum(x, tf.zeros([], x.dtype)))


def exp(x: Any) -> Any:
    """`tf.keras.backend.exp`."""
    return tf.exp(x)


def log(x: Any) -> Any:
    """`tf.keras.backend.log`."""
    return tf.math.log(x)


def round(x: Any) -> Any:
    """`tf.keras.backend.round`."""
    return tf.round(x)


def sign(x: Any) -> Any:
    """`tf.keras.backend.sign`."""
    return tf.sign(x)


def pow(x: Any, a: Any) -> Any:
    """`tf.keras.backend.pow`."""
    return tf.pow(x, a)


def square(x: Any) -> Any:
    """`tf.keras.backend.square`."""
    return tf.square(x)


def sin(x: Any) -> Any:
    """`tf.keras.backend.sin`."""
    return tf.sin(x)


def cos(x: Any) -> Any:
    """`tf.keras.backend.cos`."""
    return tf.cos(x)


def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    """x within bounds; None leaves a side open (`tf.keras.backend.clip`)."""
    if isinstance(min_value, (int, float)) and isinstance(max_value, (int, float)) and max_value < min_value:
        max_value = min_value
    low = -float("inf") if min_value is None else min_value
    high = float("inf") if max_value is None else max_value
    return tf.clip_by_value(x, low, high)


def equal(x: Any, y: Any) -> Any:
    """`tf.keras.backend.equal`."""
    return tf.equal(x, y)


def not_equal(x: Any, y: Any) -> Any:
    """`tf.keras.backend.not_equal`."""
    return tf.not_equal(x, y)


def greater(x: Any, y: Any) -> Any:
    """`tf.keras.backend.greater`."""
    return tf.greater(x, y)


def greater_equal(x: Any, y: Any) -> Any:
    """`tf.keras.backend.greater_equal`."""
    return tf.greater_equal(x, y)


def less(x: Any, y: Any) -> Any:
    """`tf.keras.backend.less`."""
    return tf.less(x, y)


def less_equal(x: Any, y: Any) -> Any:
    """`tf.keras.backend.less_equal`."""
    return tf.less_equal(x, y)


def maximum(x: Any, y: Any) -> Any:
    """`tf.keras.backend.maximum`."""
    return tf.maximum(x, y)


def minimum(x: Any, y: Any) -> Any:
    """`tf.keras.backend.minimum`."""
    return tf.minimum(x, y)


def cast(x: Any, dtype: Any) -> Any:
    """`tf.keras.backend.cast`."""
    return tf.cast(x, dtype)


def relu(x: Any, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Any:
    """Rectified, with a leak, a ceiling and a threshold (`tf.keras.backend.relu`)."""
    from ..activations import relu as activation

    return activation(x, alpha=alpha, max_value=max_value, threshold=threshold)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """`tf.keras.backend.elu`."""
    out = tf.nn.elu(x)
    return out if alpha == 1 else tf.where(x > 0, out, alpha * out)


def softmax(x: Any, axis: int = -1) -> Any:
    """`tf.keras.backend.softmax`."""
    return activations.softmax(x, axis)


def softplus(x: Any) -> Any:
    """`tf.keras.backend.softplus`."""
    return tf.math.softplus(x)


def softsign(x: Any) -> Any:
    """`tf.keras.backend.softsign`."""
    return tf.math.softsign(x)


def sigmoid(x: Any) -> Any:
    """`tf.keras.backend.sigmoid`."""
    return activations.sigmoid(x)


def hard_sigmoid(x: Any) -> Any:
    """0.2 x + 0.5 within [0, 1] (`tf.keras.backend.hard_sigmoid`)."""
    return tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)


def tanh(x: Any) -> Any:
    """`tf.keras.backend.tanh`."""
    return tf.tanh(x)


def _seed(seed: int | None) -> int:
    """A seed for one op, from NumPy's generator where none is given, as Keras takes it."""
    return int(np.random.randint(10_000_000)) if seed is None else seed


def dropout(x: Any, level: Any, noise_shape: Any = None, seed: int | None = None) -> Any:
    """`tf.keras.backend.dropout`."""
    return tf.nn.dropout(x, rate=level, noise_shape=noise_shape, seed=_seed(seed))


def l2_normalize(x: Any, axis: Any = None) -> Any:
    """`tf.keras.backend.l2_normalize`."""
    return tf.linalg.l2_normalize(x, axis=axis)


def stop_gradient(variables: Any) -> Any:
    """`tf.keras.backend.stop_gradient`."""
    return [tf.stop_gradient(v) for v in variables] if isinstance(variables, (list, tuple)) else tf.stop_gradient(variables)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """One of two values (or functions) by a condition: a scalar, or of the first axes where it has more than one (`tf.keras.backend.switch`)."""
    if hasattr(type(condition), "_is_keras_tensor") and condition.shape.rank == 0:  # one layer of a model, whichever value it will have
        from .._base.oplayers import TFOpLambda

        return TFOpLambda("keras.backend.switch")(condition, then_expression=then_expression, else_expression=else_expression)
    if condition.dtype != tf.bool:
        condition = tf.cast(condition, tf.bool)
    if not condition.shape.rank:
        then_fn = then_expression if callable(then_expression) else lambda: then_expression
        else_fn = else_expression if callable(else_expression) else lambda: else_expression
        return tf.cond(condition, then_fn, else_fn)
    then_value = then_expression() if callable(then_expression) else then_expression
    else_value = else_expression() if callable(else_expression) else else_expression
    if condition.shape.rank > then_value.shape.rank:
        raise ValueError(
            "Rank of `condition` should be less than or equal to rank of `then_expression` and `else_expression`. "
            f"ndim(condition)={condition.shape.rank}, ndim(then_expression)={then_value.shape.rank}"
        )
    while 1 < condition.shape.rank < then_value.shape.rank:
        condition = tf.expand_dims(condition, -1)
    return tf.where(condition, then_value, else_value)


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """x while training, else alt; either may be a function (`tf.keras.backend.in_train_phase`)."""
    from .settings import learning_phase

    if training is None:
        training = learning_phase()
    if isinstance(training, tf.Tensor):
        return switch(training, x, alt)
    chosen = x if training else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """x while not training, else alt (`tf.keras.backend.in_test_phase`)."""
    return in_train_phase(alt, x, training=training)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Element-wise (`tf.keras.backend.binary_crossentropy`)."""
    from ..losses.functions import _binary_crossentropy, logits_of

    output, from_logits = logits_of(output, from_logits, "binary_crossentropy", "Sigmoid")
    return _binary_crossentropy(target, output, from_logits, 0.0, None)


def binary_focal_crossentropy(
    target: Any, output: Any, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False
) -> Any:
    """Element-wise (`tf.keras.backend.binary_focal_crossentropy`)."""
    p = tf.sigmoid(output) if from_logits else output
    matched = target * p + (1 - target) * (1 - p)
    loss = tf.pow(1.0 - matched, gamma) * binary_crossentropy(target, output, from_logits)
    return (target * alpha + (1 - target) * (1 - alpha)) * loss if apply_class_balancing else loss


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """`tf.keras.backend.categorical_crossentropy`."""
    from ..losses.functions import categorical_crossentropy as loss

    return loss(target, output, from_logits=from_logits, axis=axis)


def categorical_focal_crossentropy(
    target: Any, output: Any, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, axis: int = -1
) -> Any:
    """`tf.keras.backend.categorical_focal_crossentropy`."""
    from ..losses.functions import categorical_focal_crossentropy as loss

    return loss(target, output, alpha=alpha, gamma=gamma, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """`tf.keras.backend.sparse_categorical_crossentropy`."""
    from ..losses.functions import sparse_categorical_crossentropy as loss

    return loss(target, output, from_logits=from_logits, axis=axis, ignore_class=ignore_class)


def random_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None) -> Any:
    """`tf.keras.backend.random_normal`."""
    return tf.random.normal(shape, mean, stddev, dtype=tf.as_dtype(dtype or settings.floatx), seed=_seed(seed))


def random_uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: int | None = None) -> Any:
    """`tf.keras.backend.random_uniform`."""
    return tf.random.uniform(shape, minval, maxval, dtype=tf.as_dtype(dtype or settings.floatx), seed=_seed(seed))


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None) -> Any:
    """`tf.keras.backend.truncated_normal`."""
    return tf.random.truncated_normal(shape, mean, stddev, dtype=tf.as_dtype(dtype or settings.floatx), seed=_seed(seed))


def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Ones with probability p (`tf.keras.backend.random_bernoulli`)."""
    dtype = tf.as_dtype(dtype or settings.floatx)
    return tf.cast(tf.random.uniform(shape, dtype=dtype, seed=_seed(seed)) <= p, dtype)


def random_binomial(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Old name of `random_bernoulli` (`tf.keras.backend.random_binomial`)."""
    return random_bernoulli(shape, p, dtype, seed)
