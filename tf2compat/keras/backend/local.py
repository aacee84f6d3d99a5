"""Convolutions whose kernel differs from place to place."""

from __future__ import annotations

import itertools
from typing import Any

import tf2compat as tf

from .._base.config import settings


def _local(inputs: Any, kernel: Any, kernel_size: Any, strides: Any, output_shape: Any, data_format: str | None) -> Any:
    data_format = data_format or settings.image_data_format
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"Unknown data_format: {data_format}")
    places, features, filters = kernel.shape
    first = data_format == "channels_first"
    patches = []
    for at in itertools.product(*(range(n) for n in output_shape)):
        window = [slice(p * s, p * s + k) for p, s, k in zip(at, strides, kernel_size, strict=True)]
        part = inputs[(slice(None), slice(None), *window) if first else (slice(None), *window, slice(None))]
        patches.append(tf.reshape(part, [-1, features]))
    out = tf.matmul(tf.stack(patches), kernel)  # [places, batch, filters]
    out = tf.reshape(out, [*output_shape, -1, filters])
    n = len(output_shape)
    return tf.transpose(out, [n, n + 1, *range(n)] if first else [n, *range(n), n + 1])


def local_conv1d(inputs: Any, kernel: Any, kernel_size: Any, strides: Any, data_format: str | None = None) -> Any:
    """A 1-D convolution with a kernel [steps out, size * channels, filters] (`tf.keras.backend.local_conv1d`)."""
    return _local(inputs, kernel, kernel_size, strides, (kernel.shape[0],), data_format)


def local_conv2d(inputs: Any, kernel: Any, kernel_size: Any, strides: Any, output_shape: Any, data_format: str | None = None) -> Any:
    """A 2-D convolution with a kernel [rows * columns out, size * channels, filters] (`tf.keras.backend.local_conv2d`)."""
    return _local(inputs, kernel, kernel_size, strides, tuple(output_shape), data_format)
