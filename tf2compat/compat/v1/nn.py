"""`tf.compat.v1.nn`: `tf.nn` with the arguments of version 1, and what version 2 has no name for."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .arguments import older

__all__ = [
    "avg_pool_v2", "dropout", "fused_batch_norm", "max_pool_v2", "relu_layer", "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits", "xw_plus_b",
]  # fmt: skip


def dropout(x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: Any = None, name: str | None = None, rate: Any = None) -> Any:
    """`tf.nn.dropout`, told by `rate` or by the share that is kept."""
    if keep_prob is not None:
        if rate is not None:
            raise ValueError("Cannot specify both 'rate' and 'keep_prob'.")
        rate = 1 - keep_prob
    if rate is None:
        raise ValueError(f"`rate` must be a scalar in the range [0, 1). Received: rate={rate}")
    return tf.nn.dropout(x, rate, noise_shape, seed, name)


def softmax_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, dim: Any = -1, name: str | None = None, axis: Any = None
) -> Any:
    """`tf.nn.softmax_cross_entropy_with_logits`, whose labels have no gradient."""
    labels = tf.stop_gradient(labels)
    return tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits, axis=dim if axis is None else axis, name=name)


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Any:
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name=name)


def fused_batch_norm(
    x: Any, scale: Any, offset: Any, mean: Any = None, variance: Any = None, epsilon: float = 0.001, data_format: str = "NHWC",
    is_training: bool = True, name: str | None = None, exponential_avg_factor: float = 1.0,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Batch normalisation of images: y, and the mean and variance, those of the batch or the moving ones."""
    if (not is_training or exponential_avg_factor != 1.0) and (mean is None or variance is None):
        raise ValueError(
            "Both `mean` and `variance` must be a 1D tensor when `is_training` is False or `exponential_avg_factor` != 1.0. Received: "
            f"`mean` {mean!r} and `variance` {variance!r}"
        )
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=scale, offset=offset, mean=[] if mean is None else mean, variance=[] if variance is None else variance,
        epsilon=max(epsilon, 1.001e-5), exponential_avg_factor=exponential_avg_factor, data_format=data_format, is_training=is_training,
    )  # fmt: skip
    return y, mean, variance


def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Any:
    """x · weights + biases."""
    return tf.nn.bias_add(tf.matmul(x, weights), biases, name=name)


def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Any:
    """max(0, x · weights + biases)."""
    return tf.nn.relu(xw_plus_b(x, weights, biases), name=name)


def avg_pool_v2(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = None, name: str | None = None) -> Any:  # noqa: A002
    return tf.nn.avg_pool(input, ksize, strides, padding, data_format, name)


def max_pool_v2(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = None, name: str | None = None) -> Any:  # noqa: A002
    return tf.nn.max_pool(input, ksize, strides, padding, data_format, name)


def __getattr__(name: str) -> Any:
    return older("nn", name) or getattr(tf.nn, name)
