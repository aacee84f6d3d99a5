"""`tf.compat.v1.nn`: `tf.nn` with the arguments of version 1, and what version 2 has no name for."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat.nn.ctc import beam_search, sparse_loss

from .arguments import older

__all__ = [
    "avg_pool_v2", "ctc_beam_search_decoder", "ctc_beam_search_decoder_v2", "ctc_loss", "ctc_loss_v2", "dropout", "fused_batch_norm", "max_pool_v2", "relu_layer", "sigmoid_cross_entropy_with_logits",
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


def ctc_loss(
    labels: Any, inputs: Any = None, sequence_length: Any = None, preprocess_collapse_repeated: bool = False, ctc_merge_repeated: bool = True,
    ignore_longer_outputs_than_inputs: bool = False, time_major: bool = True, logits: Any = None,
) -> Any:  # fmt: skip
    """The CTC loss [batch] of labels, a SparseTensor, under inputs [time, batch, classes], the last of which is the blank."""
    if not hasattr(labels, "dense_shape"):
        raise TypeError(f"Expected argument `labels` to be a SparseTensor. Received labels={labels} of type: {type(labels).__name__}")
    if logits is not None:
        if inputs is not None:
            raise ValueError("Cannot specify both 'inputs' and 'logits'.")
        inputs = logits
    flags = (preprocess_collapse_repeated, ctc_merge_repeated, ignore_longer_outputs_than_inputs)
    return sparse_loss(labels, inputs, sequence_length, time_major, *map(bool, flags))


def ctc_loss_v2(
    labels: Any, logits: Any, label_length: Any, logit_length: Any, logits_time_major: bool = True, unique: Any = None,
    blank_index: int | None = None, name: str | None = None,
) -> Any:  # fmt: skip
    return tf.nn.ctc_loss(labels, logits, label_length, logit_length, logits_time_major, unique, blank_index, name)


def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1, merge_repeated: bool = True
) -> tuple[list[Any], Any]:
    """`tf.nn.ctc_beam_search_decoder`, where asked for with repetitions in what is found merged."""
    return beam_search(inputs, sequence_length, beam_width, top_paths, bool(merge_repeated))


def ctc_beam_search_decoder_v2(inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1) -> tuple[list[Any], Any]:
    return tf.nn.ctc_beam_search_decoder(inputs, sequence_length, beam_width, top_paths)


def avg_pool_v2(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = None, name: str | None = None) -> Any:  # noqa: A002
    return tf.nn.avg_pool(input, ksize, strides, padding, data_format, name)


def max_pool_v2(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = None, name: str | None = None) -> Any:  # noqa: A002
    return tf.nn.max_pool(input, ksize, strides, padding, data_format, name)


def __getattr__(name: str) -> Any:
    return older("nn", name) or getattr(tf.nn, name)
