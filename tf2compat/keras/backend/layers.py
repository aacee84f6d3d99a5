"""Convolutions, pooling, padding and normalisation, by Keras' names."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .._base.config import settings


def _format(data_format: str | None) -> str:
    data_format = data_format or settings.image_data_format
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"Unknown data_format: {data_format}")
    return data_format


def _padding(padding: str) -> str:
    found = {"same": "SAME", "valid": "VALID"}.get(padding)
    if found is None:
        raise ValueError(f"Invalid padding: {padding}")
    return found


def _last(x: Any, data_format: str) -> tuple[Any, Any]:
    """x with its channels last, and the way back."""
    if data_format == "channels_last":
        return x, lambda y: y
    rank = x.shape.rank
    there = [0, *range(2, rank), 1]
    back = [0, rank - 1, *range(1, rank - 1)]
    return tf.transpose(x, there), lambda y: tf.transpose(y, back)


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """x plus a bias of each channel (`tf.keras.backend.bias_add`)."""
    if data_format is None:
        data_format = settings.image_data_format
    _format(data_format)
    rank, shape = x.shape.rank, bias.shape.as_list()
    if len(shape) not in (1, rank - 1):
        raise ValueError(f"Unexpected bias dimensions {len(shape)}, expect to be 1 or {rank - 1} dimensions")
    if len(shape) == 1:
        if data_format == "channels_first" and rank > 2:
            return x + tf.reshape(bias, [1, shape[0], *([1] * (rank - 2))])
        return tf.nn.bias_add(x, bias)
    if data_format == "channels_first":
        return x + tf.reshape(bias, [1, shape[-1], *shape[:-1]])
    return x + tf.reshape(bias, [1, *shape])


def conv1d(
    x: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None, dilation_rate: Any = 1
) -> Any:
    """`tf.keras.backend.conv1d`; padding may be causal."""
    data_format = _format(data_format)
    x, back = _last(x, data_format)
    if padding == "causal":
        x = temporal_padding(x, (dilation_rate * (kernel.shape[0] - 1), 0))
        padding = "valid"
    return back(tf.nn.convolution(x, kernel, strides=strides, padding=_padding(padding), dilations=dilation_rate))


def conv2d(
    x: Any, kernel: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None, dilation_rate: Any = (1, 1)
) -> Any:
    """`tf.keras.backend.conv2d`."""
    x, back = _last(x, _format(data_format))
    return back(tf.nn.convolution(x, kernel, strides=strides, padding=_padding(padding), dilations=dilation_rate))


def conv3d(
    x: Any, kernel: Any, strides: Any = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> Any:  # fmt: skip
    """`tf.keras.backend.conv3d`."""
    x, back = _last(x, _format(data_format))
    return back(tf.nn.convolution(x, kernel, strides=strides, padding=_padding(padding), dilations=dilation_rate))


def conv2d_transpose(
    x: Any, kernel: Any, output_shape: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """`tf.keras.backend.conv2d_transpose`; ValueError for dilation rates that differ."""
    if isinstance(dilation_rate, (list, tuple)) and (len(dilation_rate) != 2 or dilation_rate[0] != dilation_rate[1]):
        raise ValueError(f"Expected the 2 dimensions of the `dilation_rate` argument to be equal to each other. Received: dilation_rate={dilation_rate}")
    data_format = _format(data_format)
    x, back = _last(x, data_format)
    if data_format == "channels_first" and isinstance(output_shape, (list, tuple)):
        output_shape = [output_shape[0], output_shape[2], output_shape[3], output_shape[1]]
    if isinstance(output_shape, (list, tuple)) and output_shape[0] is None:
        output_shape = [tf.shape(x)[0], *output_shape[1:]]
    return back(tf.nn.conv2d_transpose(x, kernel, output_shape, strides, padding=_padding(padding), dilations=dilation_rate))


def depthwise_conv2d(
    x: Any, depthwise_kernel: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """`tf.keras.backend.depthwise_conv2d`."""
    x, back = _last(x, _format(data_format))
    out = tf.nn.depthwise_conv2d(x, depthwise_kernel, strides=[1, *strides, 1], padding=_padding(padding), dilations=dilation_rate)
    return back(out)


def separable_conv2d(
    x: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """`tf.keras.backend.separable_conv2d`; ValueError for other than two strides."""
    if not isinstance(strides, tuple):
        strides = tuple(strides)
    if len(strides) != 2:
        raise ValueError("`strides` must be a tuple of 2 integers.")
    x, back = _last(x, _format(data_format))
    out = tf.nn.separable_conv2d(
        x, depthwise_kernel, pointwise_kernel, strides=[1, *strides, 1], padding=_padding(padding), dilations=dilation_rate
    )
    return back(out)


def _pool(x: Any, size: Any, strides: Any, padding: str, data_format: str | None, mode: str) -> Any:
    if mode not in ("max", "avg"):
        raise ValueError(f"Invalid pooling mode: {mode}")
    x, back = _last(x, _format(data_format))
    return back(tf.nn.pool(x, size, mode.upper(), strides=strides, padding=_padding(padding)))


def pool2d(
    x: Any, pool_size: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None, pool_mode: str = "max"
) -> Any:
    """`tf.keras.backend.pool2d`."""
    if len(pool_size) != 2 or len(strides) != 2:
        raise ValueError("`pool_size` and `strides` must be tuples of 2 integers.")
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def pool3d(
    x: Any, pool_size: Any, strides: Any = (1, 1, 1), padding: str = "valid", data_format: str | None = None, pool_mode: str = "max"
) -> Any:
    """`tf.keras.backend.pool3d`."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def temporal_padding(x: Any, padding: Any = (1, 1)) -> Any:
    """Zeros around the middle axis (`tf.keras.backend.temporal_padding`)."""
    return tf.pad(x, [[0, 0], list(padding), [0, 0]])


def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Zeros around images (`tf.keras.backend.spatial_2d_padding`)."""
    pads = [list(p) for p in padding]
    if _format(data_format) == "channels_first":
        return tf.pad(x, [[0, 0], [0, 0], *pads])
    return tf.pad(x, [[0, 0], *pads, [0, 0]])


def spatial_3d_padding(x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Zeros around volumes (`tf.keras.backend.spatial_3d_padding`)."""
    return spatial_2d_padding(x, padding, data_format)


def resize_images(x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest") -> Any:
    """Images larger by factors (`tf.keras.backend.resize_images`)."""
    x, back = _last(x, _format(data_format))
    size = tf.shape(x)[1:3] * tf.constant([height_factor, width_factor], tf.int32)
    if x.shape[1] is not None and x.shape[2] is not None:
        size = [x.shape[1] * height_factor, x.shape[2] * width_factor]
    return back(tf.image.resize(x, size, method=interpolation))


def resize_volumes(x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Any:
    """Volumes larger by factors (`tf.keras.backend.resize_volumes`)."""
    first = 2 if _format(data_format) == "channels_first" else 1
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), first):
        x = tf.repeat(x, factor, axis=axis)
    return x


def batch_normalization(x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3) -> Any:
    """(x - mean) / sqrt(var + epsilon) * gamma + beta (`tf.keras.backend.batch_normalization`)."""
    rank = x.shape.rank
    axis = axis % rank
    if axis != rank - 1:
        shape = [1] * rank
        shape[axis] = -1
        mean, var = tf.reshape(mean, shape), tf.reshape(var, shape)
        beta = None if beta is None else tf.reshape(beta, shape)
        gamma = None if gamma is None else tf.reshape(gamma, shape)
    return tf.nn.batch_normalization(x, mean, var, beta, gamma, epsilon)


def normalize_batch_in_training(x: Any, gamma: Any, beta: Any, reduction_axes: Any, epsilon: float = 1e-3) -> Any:
    """(normalised x, mean, variance) (`tf.keras.backend.normalize_batch_in_training`)."""
    mean, var = tf.nn.moments(x, list(reduction_axes), keepdims=True)
    shape = [1 if i in reduction_axes else -1 for i in range(x.shape.rank)]
    out = tf.nn.batch_normalization(
        x, mean, var, None if beta is None else tf.reshape(beta, shape), None if gamma is None else tf.reshape(gamma, shape), epsilon
    )
    return out, tf.squeeze(mean, list(reduction_axes)), tf.squeeze(var, list(reduction_axes))
