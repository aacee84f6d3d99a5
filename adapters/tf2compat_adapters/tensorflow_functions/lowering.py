"""Fused ops, of Keras layers above all, as compositions of ops that TensorFlow has.

Each function takes the arguments of the op and gives what the op gives; it is traced on the spot, and its ops are written in turn.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

import tf2compat as tf
from tf2compat.keras import activations
from tf2compat.keras.layers._common import deconv_output_length
from tf2compat.keras.layers._recurrences import TORCH_ACTIVATIONS
from tf2compat.nn._spatial import is_first, sequence

from .body import NotExportable
from .export import LOWERED

_ACTIVATIONS: dict[Any, Callable[[Any], Any]] = {
    **{theirs: ours for ours, theirs in TORCH_ACTIVATIONS.items()},
    torch.tanh: tf.tanh, torch.sigmoid: tf.sigmoid, torch.relu: tf.nn.relu, F.softsign: tf.nn.softsign, F.elu: tf.nn.elu,
    F.silu: lambda x: x * tf.sigmoid(x), torch.exp: tf.exp,
}  # fmt: skip


def lowers(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declares what the ops of these names are composed of."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            LOWERED[name] = function
        return function

    return declare


def _activation(function: Any) -> Callable[[Any], Any]:
    found = _ACTIVATIONS.get(function)
    if found is None:
        raise NotExportable(f"its activation is {function!r}")
    return found


def _size(x: Any, axis: int) -> Any:
    """A dimension: a number where it is known."""
    known = None if x.shape.rank is None else x.shape[axis]
    return tf.shape(x)[axis] if known is None else known


def _sizes(x: Any) -> list[Any]:
    if x.shape.rank is None:
        raise NotExportable("the rank of its input is not known")
    return [_size(x, i) for i in range(x.shape.rank)]


# --- dense, embedding, merging ---------------------------------------------------------------------------------------
@lowers("Dense", "Affine")
def dense(x: Any, kernel: Any, bias: Any = None) -> Any:
    if x.shape.rank is None:
        raise NotExportable("the rank of its input is not known")
    if x.shape.rank == 2:
        out = tf.matmul(x, kernel)
    elif x.shape.rank == 1:
        out = tf.squeeze(tf.matmul(tf.expand_dims(x, 0), kernel), [0])
    else:
        flat = tf.matmul(tf.reshape(x, [-1, kernel.shape[0]]), kernel)
        out = tf.reshape(flat, [*_sizes(x)[:-1], kernel.shape[1]])
    return out if bias is None else tf.nn.bias_add(out, bias) if out.shape.rank > 1 else out + bias


@lowers("EinsumDense")
def einsum_dense(x: Any, kernel: Any, equation: str, contracted: int, bias: Any = None) -> Any:
    if contracted:
        letters = string.ascii_letters
        lead = letters[: x.shape.rank - contracted]
        gone = letters[len(lead) : len(lead) + contracted]
        made = letters[len(lead) + contracted : len(lead) + kernel.shape.rank]
        equation = f"{lead}{gone},{gone}{made}->{lead}{made}"
    out = tf.einsum(equation, x, kernel)
    return out if bias is None else out + bias


@lowers("EmbeddingLookup")
def embedding(params: Any, ids: Any) -> Any:
    return tf.gather(params, tf.cast(ids, tf.int32) if ids.dtype == tf.int16 else ids)


@lowers("MergeSum")
def merge_sum(inputs: Any) -> Any:
    total = inputs[0]
    for x in inputs[1:]:
        total = total + x
    return tf.identity(total)


@lowers("MergeProduct")
def merge_product(inputs: Any) -> Any:
    total = inputs[0]
    for x in inputs[1:]:
        total = total * x
    return tf.identity(total)


@lowers("Flatten")
def flatten(x: Any, first: bool) -> Any:
    if x.shape.rank is None:
        raise NotExportable("the rank of its input is not known")
    if first and x.shape.rank > 1:
        x = tf.transpose(x, [0, *range(2, x.shape.rank), 1])
    if x.shape.rank == 1:
        return tf.expand_dims(x, 1)
    rest = 1
    for d in x.shape[1:]:
        rest = None if d is None or rest is None else rest * d
    return tf.reshape(x, [-1, rest] if rest is not None else [tf.shape(x)[0], -1])


# --- convolutions ----------------------------------------------------------------------------------------------------
def _biased(out: Any, bias: Any, first: bool) -> Any:
    if bias is None:
        return out
    return out + tf.reshape(bias, [-1] + [1] * (out.shape.rank - 2)) if first else tf.nn.bias_add(out, bias)


def _last(x: Any) -> Any:
    rank = x.shape.rank
    return tf.transpose(x, [0, *range(2, rank), 1])


def _first(x: Any) -> Any:
    rank = x.shape.rank
    return tf.transpose(x, [0, rank - 1, *range(1, rank - 1)])


def _channels_last(work: Callable[[Any], Any], x: Any, first: bool) -> Any:
    """TensorFlow on a CPU knows channels last only."""
    return _first(work(_last(x))) if first else work(x)


@lowers("ConvBias")
def conv(x: Any, kernel: Any, strides: Any, padding: str, rates: Any, first: bool, bias: Any = None) -> Any:
    n = kernel.shape.rank - 2
    if x.shape.rank != n + 2:
        raise NotExportable("it has several batch dimensions")

    def work(x: Any) -> Any:
        pads = padding.upper()
        if n == 1:
            if padding == "causal":
                x, pads = tf.pad(x, [[0, 0], [rates[0] * (kernel.shape[0] - 1), 0], [0, 0]]), "VALID"
            wide = tf.nn.conv2d(tf.expand_dims(x, 1), tf.expand_dims(kernel, 0), [1, 1, strides[0], 1], pads, dilations=[1, 1, rates[0], 1])
            out = tf.squeeze(wide, [1])
        else:
            run = tf.nn.conv2d if n == 2 else tf.nn.conv3d
            out = run(x, kernel, [1, *strides, 1], pads, dilations=[1, *rates, 1])
        return _biased(out, bias, False)

    return _channels_last(work, x, first)


def _depth(x: Any, kernel: Any, strides: Any, padding: str, rates: Any) -> Any:
    if kernel.shape.rank == 4:
        run_strides = [1, *strides, 1]
        if strides[0] != strides[1]:
            raise NotExportable("its strides differ")
        return tf.raw_ops.DepthwiseConv2dNative(input=x, filter=kernel, strides=run_strides, padding=padding.upper(), dilations=[1, *rates, 1])
    pads = padding.upper()
    if padding == "causal":
        x, pads = tf.pad(x, [[0, 0], [rates[0] * (kernel.shape[0] - 1), 0], [0, 0]]), "VALID"
    wide = tf.raw_ops.DepthwiseConv2dNative(
        input=tf.expand_dims(x, 1), filter=tf.expand_dims(kernel, 0), strides=[1, strides[0], strides[0], 1], padding=pads,
        dilations=[1, 1, rates[0], 1],
    )  # fmt: skip
    return tf.squeeze(wide, [1])


@lowers("DepthwiseConvBias")
def depthwise(x: Any, kernel: Any, strides: Any, padding: str, rates: Any, first: bool, bias: Any = None) -> Any:
    return _channels_last(lambda x: _biased(_depth(x, kernel, strides, padding, rates), bias, False), x, first)


@lowers("SeparableConvBias")
def separable(x: Any, kernel: Any, pointwise: Any, strides: Any, padding: str, rates: Any, first: bool, bias: Any = None) -> Any:
    def work(x: Any) -> Any:
        inner = _depth(x, kernel, strides, padding, rates)
        return conv(inner, pointwise, (1,) * (kernel.shape.rank - 2), "valid", (1,) * (kernel.shape.rank - 2), False, bias)

    return _channels_last(work, x, first)


@lowers("ConvTransposeBias")
def conv_transpose(x: Any, kernel: Any, strides: Any, padding: str, rates: Any, first: bool, extra: Any, bias: Any = None) -> Any:
    n = kernel.shape.rank - 2

    def work(x: Any) -> Any:
        sizes = [
            deconv_output_length(_size(x, 1 + i), kernel.shape[i], padding, None if extra is None else extra[i], strides[i], rates[i])
            for i in range(n)
        ]
        shape = [_size(x, 0), *sizes, kernel.shape[-2]]
        if n == 1:
            wide = tf.nn.conv2d_transpose(
                tf.expand_dims(x, 1), tf.expand_dims(kernel, 0), [shape[0], 1, *shape[1:]], [1, 1, strides[0], 1], padding.upper(),
                dilations=[1, 1, rates[0], 1],
            )  # fmt: skip
            out = tf.squeeze(wide, [1])
        elif n == 2:
            out = tf.nn.conv2d_transpose(x, kernel, shape, [1, *strides, 1], padding.upper(), dilations=[1, *rates, 1])
        else:
            out = tf.nn.conv3d_transpose(x, kernel, shape, [1, *strides, 1], padding.upper(), dilations=[1, *rates, 1])
        return _biased(out, bias, False)

    return _channels_last(work, x, first)


@lowers("Conv1D")
def conv1d(x: Any, filters: Any, strides: Any, padding: Any, first: bool, dilations: Any) -> Any:
    if not isinstance(padding, str):
        raise NotExportable("its padding is explicit")
    stride, rate = (int(v[1 if first and len(v) == 3 else len(v) // 2]) if isinstance(v, (list, tuple)) else int(v or 1) for v in (strides, dilations))
    return conv(x, filters, (stride,), padding.lower(), (rate,), first)


# --- pooling ---------------------------------------------------------------------------------------------------------
def _pool(x: Any, window: Any, strides: Any, padding: str, first: bool, largest: bool) -> Any:
    n = len(window)

    def work(x: Any) -> Any:
        if n == 1:
            run = tf.nn.max_pool2d if largest else tf.nn.avg_pool2d
            return tf.squeeze(run(tf.expand_dims(x, 1), [1, 1, window[0], 1], [1, 1, strides[0], 1], padding), [1])
        names = ((tf.nn.avg_pool2d, tf.nn.max_pool2d), (tf.nn.avg_pool3d, tf.nn.max_pool3d))
        return names[n - 2][largest](x, [1, *window, 1], [1, *strides, 1], padding)

    return _channels_last(work, x, first)


@lowers("KerasMaxPool")
def max_pool(x: Any, window: Any, strides: Any, padding: str, first: bool) -> Any:
    return _pool(x, window, strides, padding, first, True)


@lowers("KerasAvgPool")
def avg_pool(x: Any, window: Any, strides: Any, padding: str, first: bool) -> Any:
    return _pool(x, window, strides, padding, first, False)


def _pool_1d(x: Any, ksize: Any, strides: Any, padding: Any, data_format: str, largest: bool) -> Any:
    first = is_first(data_format, 1, "MaxPool")
    if not isinstance(padding, str):
        raise NotExportable("its padding is explicit")
    window, steps = (sequence(v, 1, 1 if first else 2, "ksize")[2 if first else 1 : None if first else -1] for v in (ksize, strides))
    return _pool(x, list(window), list(steps), padding.upper(), first, largest)


@lowers("MaxPool1D")
def max_pool_1d(x: Any, ksize: Any, strides: Any, padding: Any, data_format: str) -> Any:
    return _pool_1d(x, ksize, strides, padding, data_format, True)


@lowers("AvgPool1D")
def avg_pool_1d(x: Any, ksize: Any, strides: Any, padding: Any, data_format: str) -> Any:
    return _pool_1d(x, ksize, strides, padding, data_format, False)


@lowers("GlobalAvgPool")
def global_avg(x: Any, axes: Any, keepdims: bool) -> Any:
    return tf.reduce_mean(x, list(axes), keepdims)


@lowers("GlobalMaxPool")
def global_max(x: Any, axes: Any, keepdims: bool) -> Any:
    return tf.reduce_max(x, list(axes), keepdims)


# --- padding, cropping, repeating ------------------------------------------------------------------------------------
@lowers("SpatialPad")
def spatial_pad(x: Any, pairs: Any, first: bool) -> Any:
    rows = [list(p) for p in pairs]
    return tf.pad(x, [[0, 0], [0, 0], *rows] if first else [[0, 0], *rows, [0, 0]])


@lowers("SpatialCrop")
def spatial_crop(x: Any, pairs: Any, first: bool) -> Any:
    parts = [slice(a, -b if b else None) for a, b in pairs]
    return x[(slice(None), slice(None), *parts)] if first else x[(slice(None), *parts)]


@lowers("UpSampling")
def up_sampling(x: Any, sizes: Any, first: bool) -> Any:
    for i, times in enumerate(sizes):
        x = repeat(x, times, 2 + i if first else 1 + i)
    return x


@lowers("Repeat")
def repeat(x: Any, times: Any, axis: Any) -> Any:
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    sizes = _sizes(x)
    if not sizes:
        x, sizes = tf.reshape(x, [1]), [1]
    axis %= len(sizes)
    wide = tf.tile(tf.expand_dims(x, axis + 1), [times if i == axis + 1 else 1 for i in range(len(sizes) + 1)])
    return tf.reshape(wide, [*sizes[:axis], sizes[axis] * times, *sizes[axis + 1 :]])


# --- activations -----------------------------------------------------------------------------------------------------
def _over(function: Callable[[Any], Any], x: Any, axis: int) -> Any:
    """A function of the last axis, over another one."""
    if x.shape.rank is None:
        raise NotExportable("the rank of its input is not known")
    axis %= x.shape.rank
    if axis == x.shape.rank - 1:
        return function(x)
    order = [i for i in range(x.shape.rank) if i != axis] + [axis]
    back = sorted(range(x.shape.rank), key=lambda i: order[i])
    return tf.transpose(function(tf.transpose(x, order)), back)


def softmax(logits: Any, axis: int) -> Any:
    """Softmax over another axis than the last."""
    return _over(tf.nn.softmax, logits, axis)


def log_softmax(logits: Any, axis: int) -> Any:
    """Its logarithm."""
    return _over(tf.nn.log_softmax, logits, axis)


@lowers("SoftmaxOver")
def softmax_over(x: Any, axes: Any) -> Any:
    e = tf.exp(x - tf.reduce_max(x, list(axes), keepdims=True))
    return e / tf.reduce_sum(e, list(axes), keepdims=True)


@lowers("Gelu")
def gelu(x: Any, approximate: bool) -> Any:
    if approximate:
        return 0.5 * x * (1.0 + tf.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1.0 + tf.math.erf(x * 0.7071067811865476))


_ACTIVATIONS[F.gelu] = lambda x: gelu(x, False)
_ACTIVATIONS[TORCH_ACTIVATIONS[activations.linear]] = lambda x: x
_ACTIVATIONS[TORCH_ACTIVATIONS[activations.softplus]] = lambda x: tf.math.softplus(x)


@lowers("Silu")
def silu(x: Any) -> Any:
    return x * tf.sigmoid(x)


@lowers("SiluBeta")
def silu_beta(x: Any, beta: Any) -> Any:
    return x * tf.sigmoid(beta * x)


@lowers("Mish")
def mish(x: Any) -> Any:
    return x * tf.tanh(tf.math.softplus(x))


@lowers("HardSigmoid")
def hard_sigmoid(x: Any) -> Any:
    return tf.minimum(tf.maximum(x * 0.2 + 0.5, 0.0), 1.0)


_ACTIVATIONS[TORCH_ACTIVATIONS[activations.hard_sigmoid]] = hard_sigmoid


@lowers("EluAlpha")
def elu_alpha(x: Any, alpha: float) -> Any:
    return tf.where(x > 0, x, alpha * tf.math.expm1(tf.minimum(x, 0.0)))


@lowers("ReluOptions")
def relu_options(x: Any, alpha: float, max_value: Any, threshold: float) -> Any:
    low = alpha * (x - threshold)
    out = tf.where(x >= threshold, x if max_value is None else tf.minimum(x, max_value), low)
    return out


@lowers("PRelu")
def prelu(x: Any, alpha: Any) -> Any:
    return tf.nn.relu(x) - alpha * tf.nn.relu(-x)


@lowers("LogSigmoid")
def log_sigmoid(x: Any) -> Any:
    return -tf.math.softplus(-x)


# --- normalisation ---------------------------------------------------------------------------------------------------
def _shaped(p: Any, x: Any, axes: Any) -> Any:
    return tf.reshape(p, [x.shape[i] if i in axes else 1 for i in range(x.shape.rank)])


def _normalised(x: Any, mean: Any, variance: Any, axes: Any, eps: float, gamma: Any, beta: Any) -> Any:
    factor = tf.math.rsqrt(variance + eps)
    if gamma is not None:
        factor = factor * _shaped(gamma, x, axes)
    shift = -mean * factor
    if beta is not None:
        shift = shift + _shaped(beta, x, axes)
    return x * factor + shift


def batch_norm_inference(x: Any, mean: Any, variance: Any, axes: Any, eps: float, gamma: Any = None, beta: Any = None) -> Any:
    """Normalisation by given statistics."""
    wide = tf.cast(x, mean.dtype)
    out = _normalised(wide, _shaped(mean, x, axes), _shaped(variance, x, axes), axes, eps, gamma, beta)
    return tf.cast(out, x.dtype)


@lowers("BatchNormTraining")
def batch_norm_training(x: Any, axes: Any, eps: float, sample: bool, gamma: Any = None, beta: Any = None) -> Any:
    wide = tf.cast(x, tf.float32) if x.dtype in (tf.float16, tf.bfloat16) else x
    over = [i for i in range(x.shape.rank) if i not in axes]
    mean = tf.reduce_mean(wide, over, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(wide, mean), over, keepdims=True)
    out = tf.cast(_normalised(wide, mean, variance, axes, eps, gamma, beta), x.dtype)
    shape = [x.shape[a] for a in axes]
    mean, variance = tf.reshape(mean, shape), tf.reshape(variance, shape)
    if sample:
        count = tf.cast(tf.size(x), wide.dtype)
        for d in shape:
            count = count / d
        variance = variance * (count / tf.maximum(count - 1.0, 1.0))
    return out, mean, variance


@lowers("LayerNorm")
def layer_norm(x: Any, axes: Any, eps: float, gamma: Any = None, beta: Any = None) -> Any:
    wide = tf.cast(x, tf.float32) if x.dtype in (tf.float16, tf.bfloat16) else x
    over = list(axes)
    mean = tf.reduce_mean(wide, over, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(wide, mean), over, keepdims=True)
    gamma, beta = (None if p is None else tf.cast(p, wide.dtype) for p in (gamma, beta))
    return tf.cast(_normalised(wide, mean, variance, axes, eps, gamma, beta), x.dtype)


@lowers("GroupNorm")
def group_norm(x: Any, groups: int, axis: int, eps: float, gamma: Any = None, beta: Any = None) -> Any:
    rank = x.shape.rank
    axis %= rank
    order = [0, axis, *[i for i in range(1, rank) if i != axis]]
    y = tf.transpose(x, order)
    sizes = _sizes(y)
    flat = tf.reshape(y, [sizes[0], groups, -1])
    mean = tf.reduce_mean(flat, [2], keepdims=True)
    spread = tf.reduce_mean(tf.math.squared_difference(flat, mean), [2], keepdims=True)
    y = tf.transpose(tf.reshape((flat - mean) * tf.math.rsqrt(spread + eps), sizes), [order.index(i) for i in range(rank)])
    if gamma is not None:
        y = y * _shaped(gamma, x, (axis,))
    return y if beta is None else y + _shaped(beta, x, (axis,))


@lowers("BatchNormalization")
def batch_normalization(x: Any, mean: Any, variance: Any, offset: Any, scale: Any, eps: Any) -> Any:
    factor = tf.math.rsqrt(variance + eps)
    if scale is not None:
        factor = factor * scale
    out = x * factor - mean * factor
    return out if offset is None else out + offset


# --- attention -------------------------------------------------------------------------------------------------------
@lowers("MultiHeadAttention")
def attend(query: Any, key: Any, value: Any, scale: float, causal: bool, mask: Any = None) -> Any:
    q, k, v = (tf.transpose(t, [0, 2, 1, 3]) for t in (query, key, value))
    scores = tf.matmul(q * scale, k, transpose_b=True)
    if mask is not None:
        away = (1.0 - tf.cast(mask, query.dtype)) * -1e9
        scores = scores + (tf.expand_dims(away, -3) if away.shape.rank == 3 else away)
    elif causal:
        seen = tf.linalg.band_part(tf.ones([_size(query, 1), _size(key, 1)], query.dtype), -1, 0)
        scores = scores + (1.0 - seen) * -1e9
    return tf.transpose(tf.matmul(tf.nn.softmax(scores), v), [0, 2, 1, 3])


@lowers("CausalMask")
def causal_mask(query: Any, value: Any) -> Any:
    ones = tf.ones([1, _size(query, 1), _size(value, 1)], tf.int32)
    return tf.cast(tf.linalg.band_part(ones, -1, 0), tf.bool)


@lowers("AttentionWeights")
def attention_weights(scores: Any, causal: bool, mask: Any = None) -> Any:
    if causal:
        seen = tf.cast(tf.linalg.band_part(tf.ones([_size(scores, -2), _size(scores, -1)], tf.int32), -1, 0), tf.bool)
        mask = seen if mask is None else tf.logical_and(mask, seen)
    if mask is not None:
        scores = scores - (65504.0 if scores.dtype == tf.float16 else 1.0e9) * tf.cast(tf.logical_not(mask), scores.dtype)
    return tf.nn.softmax(scores)


@lowers("ConcatScores")
def concat_scores(query: Any, key: Any, weight: Any = None, scale: Any = None) -> Any:
    total = tf.expand_dims(query, -2) + tf.expand_dims(key, -3)
    if scale is not None and scale.shape.rank == 0:
        total = scale * total
    found = tf.tanh(total)
    if scale is not None and scale.shape.rank:
        found = scale * found
    found = tf.reduce_sum(found, -1)
    return found if weight is None else weight * found


@lowers("BatchDot")
def batch_dot(x: Any, y: Any, axis_x: int, axis_y: int) -> Any:
    letters = string.ascii_letters
    left = letters[: x.shape.rank]
    right = [letters[0], *letters[x.shape.rank : x.shape.rank + y.shape.rank - 1]]
    right[axis_y] = left[axis_x]
    kept = "".join(c for i, c in enumerate(left) if i != axis_x) + "".join(c for i, c in enumerate(right) if i not in (0, axis_y))
    out = tf.einsum(f"{left},{''.join(right)}->{kept}", x, y)
    return tf.expand_dims(out, 1) if out.shape.rank == 1 else out


# --- recurrence ------------------------------------------------------------------------------------------------------
def _recurrence(
    x: Any, states: list[Any], mask: Any, step: Callable[[Any, list[Any]], tuple[Any, list[Any]]], sequences: bool, backwards: bool,
    time_major: bool, zero_output: bool,
) -> Any:  # fmt: skip
    """Output and last states of `step(inputs, states)` along the time of x [batch, time, …] (or [time, batch, …])."""
    if mask is not None:
        if mask.shape.rank == 3:
            mask = mask[:, :, 0]
        mask = mask if time_major else tf.transpose(mask)
    turned = [1, 0, *range(2, x.shape.rank)]
    x = x if time_major else tf.transpose(x, turned)
    if backwards:
        x = tf.reverse(x, [0])
        mask = None if mask is None else tf.reverse(mask, [0])
    length = _size(x, 0)
    found = tf.TensorArray(x.dtype, length, element_shape=[None, *states[0].shape[1:]])
    one = tf.zeros_like(states[0])

    def body(t: Any, found: Any, out: Any, *states: Any) -> Any:
        new, after = step(tf.gather(x, t), list(states))
        if mask is not None:
            keep = tf.reshape(tf.gather(mask, t), [-1, *[1] * (out.shape.rank - 1)])
            new = tf.where(keep, new, tf.zeros_like(new) if zero_output else out)
            after = [tf.where(keep, a, b) for a, b in zip(after, states, strict=True)]
        return (t + 1, found.write(t, new) if sequences else found, new, *after)

    _, found, out, *states = tf.while_loop(lambda t, *_: t < length, body, (tf.constant(0), found, one, *states))
    if sequences:
        out = found.stack()
        out = out if time_major else tf.transpose(out, [1, 0, *range(2, out.shape.rank)])
    return [out, *states]


@lowers("KerasLSTM")
def lstm(
    x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, activation: Any, gate: Any, sequences: bool, backwards: bool, time_major: bool,
    zero_output: bool, need_cell: bool, bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    act, gates = _activation(activation), _activation(gate)

    def step(x: Any, states: list[Any]) -> Any:
        z = tf.matmul(x, kernel) + tf.matmul(states[0], recurrent)
        if bias is not None:
            z = tf.nn.bias_add(z, bias)
        i, f, g, o = tf.split(z, 4, 1)
        cell = gates(f) * states[1] + gates(i) * act(g)
        new = gates(o) * act(cell)
        return new, [new, cell]

    return _recurrence(x, [h, c], mask, step, sequences, backwards, time_major, zero_output)


@lowers("KerasGRU")
def gru(
    x: Any, h: Any, kernel: Any, recurrent: Any, activation: Any, gate: Any, sequences: bool, backwards: bool, time_major: bool,
    zero_output: bool, reset_after: bool, bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    act, gates, units = _activation(activation), _activation(gate), h.shape[1]

    def step(x: Any, states: list[Any]) -> Any:
        before = states[0]
        z = tf.matmul(x, kernel)
        if bias is not None:
            z = tf.nn.bias_add(z, bias[0] if reset_after else bias)
        if reset_after:
            inner = tf.matmul(before, recurrent)
            if bias is not None:
                inner = tf.nn.bias_add(inner, bias[1])
            update = gates(z[:, :units] + inner[:, :units])
            reset = gates(z[:, units : 2 * units] + inner[:, units : 2 * units])
            new = act(z[:, 2 * units :] + reset * inner[:, 2 * units :])
        else:
            inner = tf.matmul(before, recurrent[:, : 2 * units])
            update = gates(z[:, :units] + inner[:, :units])
            reset = gates(z[:, units : 2 * units] + inner[:, units:])
            new = act(z[:, 2 * units :] + tf.matmul(reset * before, recurrent[:, 2 * units :]))
        new = update * before + (1.0 - update) * new
        return new, [new]

    return _recurrence(x, [h], mask, step, sequences, backwards, time_major, zero_output)


@lowers("KerasSimpleRNN")
def simple_rnn(
    x: Any, h: Any, kernel: Any, recurrent: Any, activation: Any, sequences: bool, backwards: bool, time_major: bool, zero_output: bool,
    bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    act = _activation(activation)

    def step(x: Any, states: list[Any]) -> Any:
        z = tf.matmul(x, kernel) + tf.matmul(states[0], recurrent)
        new = act(z if bias is None else tf.nn.bias_add(z, bias))
        return new, [new]

    return _recurrence(x, [h], mask, step, sequences, backwards, time_major, zero_output)


@lowers("LSTMCellParts")
def lstm_cell_parts(x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any = None) -> Any:
    z = dense(x, kernel, bias) + tf.matmul(h, recurrent)
    return tf.split(z, 4, 1)


@lowers("LSTMCellStep")
def lstm_cell(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, activation: Any, gate: Any, bias: Any = None) -> Any:
    act, gates = _activation(activation), _activation(gate)
    i, f, g, o = lstm_cell_parts(x, h, kernel, recurrent, bias)
    cell = gates(f) * c + gates(i) * act(g)
    return gates(o) * act(cell), cell


@lowers("GRUCellStep")
def gru_cell(x: Any, h: Any, kernel: Any, recurrent: Any, reset_after: bool, bias: Any = None) -> Any:
    a = dense(x, kernel, None if bias is None else bias[0] if reset_after else bias)
    if reset_after:
        r = dense(h, recurrent, None if bias is None else bias[1])
    else:
        r = tf.matmul(h, recurrent[:, : 2 * h.shape[1]])
    return [*tf.split(a, 3, 1), *tf.split(r, 3 if reset_after else 2, 1)]


@lowers("ConvLSTM")
def conv_lstm(
    x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, options: Any, sequences: bool, backwards: bool, zero_output: bool,
    bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    activation, gate, strides, padding, rates, first = options
    act, gates, n = _activation(activation), _activation(gate), kernel.shape.rank - 2

    def step(x: Any, states: list[Any]) -> Any:
        z = conv(x, kernel, strides, padding, rates, first, bias)
        z = z + conv(states[0], recurrent, (1,) * n, "same", (1,) * n, first)
        i, f, g, o = tf.split(z, 4, 1 if first else n + 1)
        cell = gates(f) * states[1] + gates(i) * act(g)
        new = gates(o) * act(cell)
        return new, [new, cell]

    return _recurrence(x, [h, c], mask, step, sequences, backwards, False, zero_output)


# --- dropping and noise ----------------------------------------------------------------------------------------------
@lowers("Dropout")
def dropout(x: Any, rate: Any, noise_shape: Any = None, stream: Any = None) -> Any:
    if stream is None:
        return x * 1.0
    numbers = tf.random.uniform(tf.shape(x) if noise_shape is None else noise_shape, dtype=x.dtype)
    return tf.where(numbers >= rate, x * (1.0 / (1.0 - rate)), tf.zeros_like(x))


# --- the rest --------------------------------------------------------------------------------------------------------
@lowers("SaturateCast")
def saturate_cast(value: Any, dtype: Any) -> Any:
    if dtype.min > value.dtype.min:
        value = tf.maximum(value, tf.cast(dtype.min, value.dtype))
    if dtype.max < value.dtype.max:
        value = tf.minimum(value, tf.cast(dtype.max, value.dtype))
    return tf.cast(value, dtype)


@lowers("ClipByNorm")
def clip_by_norm(t: Any, clip_norm: Any, axes: Any) -> Any:
    squares = tf.reduce_sum(t * t, None if axes is None else axes, keepdims=True)
    there = squares > 0  # the root has no derivative at zero
    norm = tf.where(there, tf.sqrt(tf.where(there, squares, tf.ones_like(squares))), squares)
    return t * clip_norm / tf.maximum(norm, clip_norm)


@lowers("Eye")
def eye(rows: Any, columns: Any, batch_shape: Any, dtype: Any) -> Any:
    if not isinstance(rows, int) or not isinstance(columns, (int, type(None))) or batch_shape:
        raise NotExportable("its size is computed")
    return tf.cast(tf.equal(tf.expand_dims(tf.range(rows), 1), tf.range(columns or rows)), dtype)


@lowers("SequenceMask")
def sequence_mask(lengths: Any, maxlen: Any, dtype: Any) -> Any:
    if maxlen is None:
        maxlen = tf.reduce_max(lengths)
    return tf.cast(tf.range(0, tf.cast(maxlen, lengths.dtype), tf.cast(1, lengths.dtype)) < tf.expand_dims(lengths, -1), dtype)


@lowers("LogSumExp")
def log_sum_exp(x: Any, axis: Any, keepdims: bool) -> Any:
    top = tf.reduce_max(x, axis, keepdims=True)
    top = tf.where(tf.math.is_finite(top), top, tf.zeros_like(top))
    out = tf.math.log(tf.reduce_sum(tf.exp(x - top), axis, keepdims=True)) + top
    return out if keepdims else tf.squeeze(out, None if axis is None else axis)


@lowers("CountNonzero")
def count_nonzero(x: Any, axis: Any, keepdims: bool, dtype: Any) -> Any:
    return tf.reduce_sum(tf.cast(tf.not_equal(x, tf.zeros_like(x)), dtype), axis, keepdims=bool(keepdims))


@lowers("ZeroFraction")
def zero_fraction(x: Any) -> Any:
    return tf.reduce_mean(tf.cast(tf.equal(x, tf.zeros_like(x)), tf.float32))


@lowers("MatVec")
def mat_vec(a: Any, b: Any, transpose_a: bool, adjoint_a: bool) -> Any:
    return tf.squeeze(tf.matmul(a, tf.expand_dims(b, -1), transpose_a=bool(transpose_a), adjoint_a=bool(adjoint_a)), [-1])


@lowers("MatrixTranspose")
def matrix_transpose(a: Any, name: Any, conjugate: bool) -> Any:
    rank = a.shape.rank
    if rank is None:
        raise NotExportable("the rank of its input is not known")
    return tf.transpose(a, [*range(rank - 2), rank - 1, rank - 2], conjugate=bool(conjugate))


@lowers("Tensordot")
def tensordot(a: Any, b: Any, axes: Any) -> Any:
    letters = string.ascii_letters
    left = list(letters[: a.shape.rank])
    right = list(letters[a.shape.rank : a.shape.rank + b.shape.rank])
    if isinstance(axes, int):
        pairs = zip(range(a.shape.rank - axes, a.shape.rank), range(axes), strict=True)
    else:
        one, two = ([v] if isinstance(v, int) else list(v) for v in axes)
        pairs = zip(one, two, strict=True)
    gone = set()
    for i, j in pairs:
        right[j] = left[i]
        gone.add(left[i])
    kept = [c for c in left + right if c not in gone]
    return tf.einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", a, b)


@lowers("ReciprocalNoNan")
def reciprocal_no_nan(x: Any) -> Any:
    return tf.math.divide_no_nan(tf.ones_like(x), x)


@lowers("SigmoidCrossEntropyWithLogits")
def sigmoid_cross_entropy(labels: Any, logits: Any) -> Any:
    positive = logits >= 0  # its derivative is right at zero, too
    zero = tf.zeros_like(logits)
    return tf.where(positive, logits, zero) - logits * labels + tf.math.log1p(tf.exp(tf.where(positive, -logits, logits)))


@lowers("FitLength")
def fit_length(x: Any, length: int) -> Any:
    cut = x[:, :length]
    return tf.reshape(tf.pad(cut, [[0, 0], [0, length - tf.shape(cut)[1]]]), [-1, length])


@lowers("CategoryCounts")
def category_counts(x: Any, depth: int, binary: bool, dtype: Any, weights: Any = None) -> Any:
    kind = tf.as_dtype(dtype)
    hot = tf.one_hot(x, depth, dtype=kind)
    if weights is not None:
        hot = hot * tf.expand_dims(tf.cast(weights, kind), -1)
    if binary:
        return tf.cast(tf.not_equal(tf.reduce_sum(hot, -2), tf.cast(0, kind)), kind)
    return tf.reduce_sum(hot, -2)


@lowers("CenterPart")
def center_part(x: Any, height: int, width: int, top: int, left: int) -> Any:
    return x[..., top : top + height, left : left + width, :]


@lowers("LocalMatrix")
def local_matrix(x: Any, matrix: Any, shape: Any) -> Any:
    return tf.reshape(tf.matmul(flatten(x, False), matrix), [-1, *shape])


@lowers("GaussianNoise")
def gaussian_noise(x: Any, mean: float, stddev: float, times: bool, numbers: Any) -> Any:
    noise = tf.random.normal(tf.shape(x), mean, stddev, x.dtype)
    return x * noise if times else x + noise
