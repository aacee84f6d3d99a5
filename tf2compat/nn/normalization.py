"""Normalisation and moments of `tf.nn`."""

from __future__ import annotations

from typing import Any

import torch

import tf2compat as tf

from .._engine.convert import convert_to_tensor
from .._engine.dtypes import FLOATS, NUMBERS
from .._engine.op import AXES, TENSOR, invalid, op, tensor
from .._engine.tensor import Tensor


def _axes(axis: Any, ndim: int, name: str) -> tuple[int, ...]:
    found = tuple(range(ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    for a in found:
        if not -ndim <= a < ndim:
            raise invalid(f"Invalid reduction dimension ({a} for input with {ndim} dimension(s) [Op:{name}]")
    return found


@op("Moments", multi=True, x=tensor(NUMBERS), axes=AXES)
def _moments(x: Any, axes: Any, keepdims: bool) -> Any:
    over = _axes(axes, x.ndim, "Mean")
    narrow = x.dtype is torch.float16
    y = x.float() if narrow else x
    if not over:
        return x.clone(), torch.zeros_like(x)
    if not y.dtype.is_floating_point and not y.is_complex():  # TensorFlow divides integers as such
        n = 1
        for a in over:
            n *= y.shape[a]
        mean = torch.div(y.sum(over, keepdim=True, dtype=y.dtype), n, rounding_mode="trunc").to(y.dtype)
        variance = torch.div(((y - mean) ** 2).sum(over, keepdim=keepdims, dtype=y.dtype), n, rounding_mode="trunc").to(y.dtype)
        return mean if keepdims else mean.squeeze(over), variance
    if y.is_complex():
        mean = y.mean(over, keepdim=True)
        d = y - mean.detach()
        variance = (d * d.conj()).mean(over, keepdim=keepdims)
        return mean if keepdims else mean.squeeze(over), variance
    if y.numel() == 0:
        mean = y.mean(over, keepdim=keepdims)
        return mean, mean
    mean = y.mean(over, keepdim=True)
    # TensorFlow's variance takes the mean as a constant, which second order gradients show
    variance = torch.square(y - mean.detach()).mean(over, keepdim=keepdims)
    mean = mean if keepdims else mean.squeeze(over)
    return (mean.to(x.dtype), variance.to(x.dtype)) if narrow else (mean, variance)


def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Mean and (biased) variance over `axes` (`tf.nn.moments`). `shift` has no effect, as in TensorFlow."""
    mean, variance = _moments(x, axes, bool(keepdims))
    return mean, variance


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance over `axes` with each element counted `frequency_weights` times (`tf.nn.weighted_moments`)."""
    x = convert_to_tensor(x)
    weights = convert_to_tensor(frequency_weights)
    kind = x.dtype
    narrow = kind == tf.float16
    if narrow:
        x = tf.cast(x, tf.float32)
    if weights.dtype != x.dtype:
        weights = tf.cast(weights, x.dtype)
    weighted_sum = tf.reduce_sum(x * weights, axes, keepdims=True)
    everywhere = weights + tf.zeros_like(x)
    total = tf.reduce_sum(everywhere, axes, keepdims=True)
    mean = tf.math.divide_no_nan(weighted_sum, total)
    distance = tf.reduce_sum(weights * tf.math.squared_difference(x, mean), axes, keepdims=True)
    variance = tf.math.divide_no_nan(distance, total)
    if not keepdims:
        over = axes if axes is not None else list(range(len(x.shape)))
        mean, variance = tf.squeeze(mean, over), tf.squeeze(variance, over)
    return (tf.cast(mean, kind), tf.cast(variance, kind)) if narrow else (mean, variance)


def sufficient_statistics(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Count, sum, sum of squares (both of x - shift) and the shift (`tf.nn.sufficient_statistics`)."""
    x = convert_to_tensor(x)
    over = sorted({int(a) for a in (axes if isinstance(axes, (list, tuple)) else convert_to_tensor(axes).numpy().reshape(-1))})
    known = x.shape.as_list()
    if all(known[a] is not None for a in over):
        count_value = 1
        for a in over:
            count_value *= known[a]
        count = tf.constant(count_value, x.dtype)
    else:
        count = tf.cast(tf.reduce_prod(tf.gather(tf.shape(x), over)), x.dtype)
    if shift is not None:
        shift = convert_to_tensor(shift, x.dtype)
        centred = x - shift
        return count, tf.reduce_sum(centred, over, keepdims), tf.reduce_sum(tf.math.squared_difference(x, shift), over, keepdims), shift
    return count, tf.reduce_sum(x, over, keepdims), tf.reduce_sum(tf.square(x), over, keepdims), None


def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance from the sums of `sufficient_statistics` (`tf.nn.normalize_moments`)."""
    mean_ss = convert_to_tensor(mean_ss)
    divisor = tf.math.reciprocal(convert_to_tensor(counts, mean_ss.dtype) if not isinstance(counts, Tensor) else counts)
    shifted = mean_ss * divisor
    mean = shifted if shift is None else shifted + shift
    return mean, convert_to_tensor(variance_ss) * divisor - tf.square(shifted)


@op("BatchNormalization", x=TENSOR, mean=TENSOR, variance=TENSOR, offset=TENSOR, scale=TENSOR)
def _batch_normalization(x: Any, mean: Any, variance: Any, offset: Any = None, scale: Any = None, variance_epsilon: Any = 0.001) -> Any:
    factor = torch.rsqrt(variance + variance_epsilon)
    if scale is not None:
        factor = factor * scale
    return x * factor + (offset - mean * factor if offset is not None else -mean * factor)


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any, name: str | None = None
) -> Tensor:
    """(x - mean) / sqrt(variance + variance_epsilon) * scale + offset, with broadcasting (`tf.nn.batch_normalization`).

    `offset` and `scale` may be None.
    """
    x = convert_to_tensor(x)
    if not all(getattr(v, "dtype", x.dtype) == x.dtype for v in (mean, variance, offset, scale)):
        # parameters that are wider than x, as mixed precision has them: the factor in their precision, the rest in that of x
        factor = tf.math.rsqrt(variance + variance_epsilon)
        factor = factor if scale is None else factor * scale
        shift = -mean * factor if offset is None else offset - mean * factor
        return x * tf.cast(factor, x.dtype) + tf.cast(shift, x.dtype)
    return _batch_normalization(x, mean, variance, offset, scale, variance_epsilon)


def batch_norm_with_global_normalization(
    input: Any,
    mean: Any,
    variance: Any,
    beta: Any,
    gamma: Any,
    variance_epsilon: Any,
    scale_after_normalization: bool,
    name: str | None = None,
) -> Tensor:
    """`batch_normalization` with `gamma` used if `scale_after_normalization` (`tf.nn.batch_norm_with_global_normalization`)."""
    return batch_normalization(input, mean, variance, beta, gamma if scale_after_normalization else None, variance_epsilon, name)


@op("LRN", input=tensor(FLOATS))
def local_response_normalization(
    input: Any, depth_radius: Any = 5, bias: Any = 1, alpha: Any = 1, beta: Any = 0.5, name: str | None = None
) -> Any:
    """input / (bias + alpha * sum of squares over the channels within `depth_radius`) ** beta.

    `tf.nn.local_response_normalization`, `tf.nn.lrn`; input [batch, height, width, channels].
    """
    if input.ndim != 4:
        raise invalid("in must be 4-dimensional [Op:LRN]")
    r = int(depth_radius)
    squares = torch.nn.functional.pad(input * input, (r, r)).unfold(-1, 2 * r + 1, 1).sum(-1)
    return input / torch.pow(float(bias) + float(alpha) * squares, float(beta))


def lrn(input: Any, depth_radius: Any = 5, bias: Any = 1, alpha: Any = 1, beta: Any = 0.5, name: str | None = None) -> Tensor:
    """As `local_response_normalization` (`tf.nn.lrn`)."""
    return local_response_normalization(input, depth_radius, bias, alpha, beta, name)


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The share of elements that are zero, float32 (`tf.nn.zero_fraction`)."""
    value = convert_to_tensor(value)
    return _zero_fraction(value)


@op("ZeroFraction", value=tensor(NUMBERS))
def _zero_fraction(value: Any) -> Any:
    return (value == 0).float().mean()


def fused_batch_norm(
    x: Any, scale: Any, offset: Any, mean: Any, variance: Any, epsilon: float = 1e-4, factor: float = 1.0, data_format: str = "NHWC",
    training: bool = True,
) -> tuple[Any, ...]:  # fmt: skip
    """What TensorFlow's FusedBatchNorm ops compute: y, the new mean and variance, and the mean and variance that y was made with.

    In training these are the batch's own; the new ones move from the given ones by `factor`, the variance without bias.
    """
    rank = x.shape.rank
    last = data_format.endswith("C")
    axes = [i for i in range(rank) if i != (rank - 1 if last else 1)]
    used_mean, used_variance = mean, variance
    if training:
        used_mean, used_variance = tf.nn.moments(tf.cast(x, tf.float32), axes)
        rows = tf.cast(tf.size(x) / tf.size(used_mean), tf.float32)
        corrected = used_variance * rows / tf.maximum(rows - 1.0, 1.0)
        if factor == 1.0:
            mean, variance = used_mean, corrected
        else:
            mean, variance = mean * (1.0 - factor) + used_mean * factor, variance * (1.0 - factor) + corrected * factor

    def placed(v: Any) -> Any:
        return v if last else tf.reshape(v, [1, -1] + [1] * (rank - 2))

    y = tf.nn.batch_normalization(
        tf.cast(x, scale.dtype), placed(used_mean), placed(used_variance), placed(offset), placed(scale), epsilon
    )
    return tf.cast(y, x.dtype), mean, variance, used_mean, used_variance
