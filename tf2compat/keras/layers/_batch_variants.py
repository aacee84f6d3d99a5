"""Batch normalisation other than by one batch's statistics: virtual batches, renormalisation, adjustments, statistics of all replicas."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine import strategies

from .._base.context import calling

_HALVES = ("float16", "bfloat16")


def read_options(layer: Any, options: dict[str, Any]) -> None:
    """Take what the constructor has no names for; ValueError for what does not go together."""
    layer.renorm = bool(options.pop("renorm", False))
    clipping, momentum = options.pop("renorm_clipping", None), options.pop("renorm_momentum", 0.99)
    layer.virtual_batch_size = options.pop("virtual_batch_size", None)
    layer.adjustment = options.pop("adjustment", None)
    if layer.renorm:
        clipping = clipping or {}
        keys = ["rmax", "rmin", "dmax"]
        if set(clipping) - set(keys):
            raise ValueError(f"Received invalid keys for `renorm_clipping` argument: {clipping}. Supported values: {keys}.")
        layer.renorm_clipping, layer.renorm_momentum = clipping, momentum


def check_fused(layer: Any) -> None:
    """ValueError where the layer asks for what fused kernels do not do."""
    if layer.renorm:
        raise ValueError("Passing both `fused=True` and `renorm=True` is not supported")
    axis = [layer.axis] if isinstance(layer.axis, int) else layer.axis
    if len(axis) > 1 or axis[0] not in (-4, -3, -1, 1, 3, 4):
        raise ValueError(
            f"Passing `fused=True` is only supported when axis is 1 or 3 for input rank = 4 or 1 or 4 for input rank = 5. Got axis {axis}"
        )
    for name in ("virtual_batch_size", "adjustment"):
        if getattr(layer, name) is not None:
            raise ValueError(f"Passing `fused=True` is not supported when `{name}` is specified.")
    if layer.compute_dtype not in (*_HALVES, "float32", None):
        raise ValueError(
            f"Passing `fused=True` is only supported when the compute dtype is float16, bfloat16, or float32. Got dtype: {layer.compute_dtype}"
        )


def may_be_fused(layer: Any) -> bool:
    """Whether `check_fused` has nothing against it."""
    try:
        check_fused(layer)
    except ValueError:
        return False
    return True


def check_virtual(layer: Any, axes: list[int]) -> None:
    """ValueError for virtual batches that cannot be."""
    size = layer.virtual_batch_size
    if size <= 0:
        raise ValueError(
            "`virtual_batch_size` must be a positive integer that divides the true batch size of the input tensor. "
            f"Received: virtual_batch_size={size}"
        )
    if 0 in axes:
        raise ValueError(f"When using `virtual_batch_size`, the batch dimension must be 0 and thus axis cannot include 0. Received axis={axes}")
    if layer.adjustment is not None:
        raise ValueError("When using `virtual_batch_size`, adjustment cannot be specified")


def add_renorm_weights(layer: Any, **options: Any) -> None:
    """The moving standard deviation, and the averages that batches are corrected towards."""

    def deviation(*args: Any, **kwargs: Any) -> Any:
        return tf.sqrt(layer.moving_variance_initializer(*args, **kwargs))

    layer.moving_stddev = layer.add_weight(name="moving_stddev", initializer=deviation, **options)
    layer.renorm_mean = layer.add_weight(name="renorm_mean", initializer=layer.moving_mean_initializer, **options)
    layer.renorm_stddev = layer.add_weight(name="renorm_stddev", initializer=deviation, **options)


def config_of(layer: Any) -> dict[str, Any]:
    """The variants' arguments as plain values; a function that adjusts is left out, with a warning."""
    config: dict[str, Any] = {}
    if layer.renorm:
        config |= {"renorm": True, "renorm_clipping": layer.renorm_clipping, "renorm_momentum": layer.renorm_momentum}
    if layer.virtual_batch_size is not None:
        config["virtual_batch_size"] = layer.virtual_batch_size
    if layer.adjustment is not None:
        tf.get_logger().warning(
            "The `adjustment` function of this `BatchNormalization` layer cannot be serialized and has been omitted from the layer config. "
            "It will not be included when re-creating the layer from the saved config."
        )
    return config


def _moments(layer: Any, x: Any, over: list[int], keep: bool, mask: Any) -> tuple[Any, Any]:
    weights = None
    if mask is not None:
        weights = tf.cast(mask, x.dtype)
        for _ in range(len(x.shape) - len(mask.shape)):
            weights = tf.expand_dims(weights, -1)
    if layer.synchronized and strategies.count() > 1:
        context = tf.distribute.get_replica_context()
        counted = tf.ones_like(x) if weights is None else weights + tf.zeros_like(x)
        parts = [tf.reduce_sum(v, over, keepdims=keep) for v in (x * counted, x * x * counted, counted)]
        total, squares, count = context.all_reduce(tf.distribute.ReduceOp.SUM, parts)
        mean = tf.math.divide_no_nan(total, count)
        return mean, tf.maximum(tf.math.divide_no_nan(squares, count) - mean * mean, 0.0)
    if weights is not None:
        return tf.nn.weighted_moments(x, over, weights, keepdims=keep)
    return tf.nn.moments(x, over, keepdims=keep)


def _move(variable: Any, value: Any, momentum: float) -> Any:
    if calling.inferring:
        return value
    return variable.assign_sub((variable - tf.cast(value, variable.dtype)) * (1.0 - momentum))


def train_step(layer: Any, inputs: Any, mask: Any) -> Any:
    """The outputs of a step of training, for which the moving statistics move."""
    x = tf.cast(inputs, "float32") if inputs.dtype.name in _HALVES else inputs
    virtual = layer.virtual_batch_size
    axes = [a + 1 for a in layer._axes] if virtual else list(layer._axes)
    if virtual:
        x = tf.reshape(x, tf.concat([[virtual, -1], tf.shape(x)[1:]], 0))
    rank = len(x.shape)
    over = [i for i in range(rank) if i not in axes and not (virtual and i == 1)]

    def spread(p: Any) -> Any:
        """Parameters of one axis other than the last as they broadcast with x."""
        if p is None or len(p.shape) == rank or over == list(range(rank - 1)):
            return p
        return tf.reshape(p, [p.shape[0] if i == axes[0] else 1 for i in range(rank)])

    def first(scale: Any, offset: Any, then: tuple[Any, Any]) -> tuple[Any, Any]:
        """One transform after another."""
        if then[0] is not None:
            scale, offset = scale * then[0], offset * then[0]
        return scale, offset if then[1] is None else offset + then[1]

    affine = spread(layer.gamma), spread(layer.beta)
    if layer.adjustment is not None:
        affine = first(*layer.adjustment(tf.shape(x)), affine)
    mean, variance = _moments(layer, tf.cast(x, layer._param_dtype), over, bool(virtual) or len(axes) > 1, mask)
    seen, spread_seen = (tf.reduce_mean(v, 1, keepdims=True) for v in (mean, variance)) if virtual else (mean, variance)
    if layer.renorm:
        deviation = tf.sqrt(spread_seen + layer.epsilon)
        usual = tf.maximum(layer.renorm_stddev, layer.epsilon**0.5)
        r, d = deviation / usual, (seen - layer.renorm_mean) / usual
        limits = layer.renorm_clipping
        if limits.get("rmin") is not None:
            r = tf.maximum(r, limits["rmin"])
        if limits.get("rmax") is not None:
            r = tf.minimum(r, limits["rmax"])
        if limits.get("dmax") is not None:
            d = tf.clip_by_value(d, -limits["dmax"], limits["dmax"])
        affine = first(spread(tf.stop_gradient(r)), spread(tf.stop_gradient(d)), affine)
        _move(layer.renorm_mean, seen, layer.renorm_momentum)
        _move(layer.renorm_stddev, deviation, layer.renorm_momentum)
        moved = _move(layer.moving_stddev, deviation, layer.momentum)
        if not calling.inferring:
            layer.moving_variance.assign(tf.nn.relu(moved * moved - layer.epsilon))
    else:
        _move(layer.moving_variance, spread_seen, layer.momentum)
    _move(layer.moving_mean, seen, layer.momentum)
    scale, offset = (None if p is None else tf.cast(p, x.dtype) for p in affine)
    y = tf.nn.batch_normalization(x, tf.cast(spread(mean), x.dtype), tf.cast(spread(variance), x.dtype), offset, scale, layer.epsilon)
    return tf.cast(tf.reshape(y, tf.shape(inputs)) if virtual else y, inputs.dtype)


def at_rest(layer: Any, inputs: Any) -> Any:
    """The outputs by the moving statistics of virtual batches, whose parameters have an axis more."""
    axes = [a + 1 for a in layer._axes]
    x = tf.cast(inputs, "float32") if inputs.dtype.name in _HALVES else inputs
    shape = [x.shape[a - 1] if a in axes else 1 for a in range(1, len(x.shape) + 1)]
    parts = [None if p is None else tf.reshape(tf.cast(p, x.dtype), shape) for p in (layer.moving_mean, layer.moving_variance, layer.beta, layer.gamma)]
    return tf.cast(tf.nn.batch_normalization(x, *parts, layer.epsilon), inputs.dtype)
