"""Derivatives: the ops that TensorFlow's own gradients are made of, which graphs of training steps and guided gradients call by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tf2compat as tf

from .array_ops import strided
from .nn_ops import _batch_norm, _conv, _depthwise, _format, _lrn, _pool
from .registry import Call, graph_op, numbers, simple

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def _where(condition: Any, gradients: Any) -> Any:
    return tf.where(condition, gradients, tf.zeros_like(gradients))


def _elu(gradients: Any, outputs: Any) -> Any:
    return tf.where(outputs < 0, (outputs + 1) * gradients, gradients)


def _selu(gradients: Any, outputs: Any) -> Any:
    return tf.where(outputs < 0, gradients * (outputs + _SELU_SCALE * _SELU_ALPHA), gradients * _SELU_SCALE)


simple({
    "ReluGrad": lambda gradients, features: _where(features > 0, gradients),
    "Relu6Grad": lambda gradients, features: _where((features > 0) & (features < 6), gradients),
    "EluGrad": _elu, "SeluGrad": _selu,
    "SoftplusGrad": lambda gradients, features: gradients * tf.sigmoid(features),
    "SoftsignGrad": lambda gradients, features: gradients / tf.square(1 + tf.abs(features)),
    "SigmoidGrad": lambda y, dy: dy * y * (1 - y), "TanhGrad": lambda y, dy: dy * (1 - tf.square(y)),
    "SqrtGrad": lambda y, dy: dy * 0.5 / y, "RsqrtGrad": lambda y, dy: dy * -0.5 * y * y * y,
    "ReciprocalGrad": lambda y, dy: -dy * y * y, "InvGrad": lambda y, dy: -dy * y * y,
})  # fmt: skip


@graph_op("LeakyReluGrad")
def _leaky_grad(call: Call, gradients: Any, features: Any) -> Any:
    return tf.where(features > 0, gradients, gradients * call.get("alpha", 0.2))


@graph_op("BiasAddGrad")
def _bias_grad(call: Call, gradients: Any) -> Any:
    last = _format(call) != "NCHW"
    if gradients.shape.rank is None:
        axes = tf.range(tf.rank(gradients))
        return tf.reduce_sum(gradients, axis=axes[:-1] if last else tf.concat([axes[:1], axes[2:]], 0))
    axes = list(range(len(gradients.shape)))
    return tf.reduce_sum(gradients, axis=axes[:-1] if last else axes[:1] + axes[2:])


def _pulled_back(function: Callable[[Any], Any], at: Any, gradients: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(at)
        found = function(at)
    if gradients.shape.rank is None:
        gradients = tf.reshape(gradients, tf.shape(found))
    return tape.gradient(found, at, output_gradients=gradients)


def _as(call: Call, op: str) -> Call:
    return call._replace(op=op)


@graph_op("Conv2DBackpropFilter", "Conv3DBackpropFilterV2")
def _filter_grad(call: Call, value: Any, sizes: Any, gradients: Any) -> Any:
    forward = _as(call, call.op[:6])
    return _pulled_back(lambda filters: _conv(forward, value, filters), tf.zeros(numbers(sizes), value.dtype), gradients)


@graph_op("DepthwiseConv2dNativeBackpropFilter")
def _depthwise_filter_grad(call: Call, value: Any, sizes: Any, gradients: Any) -> Any:
    return _pulled_back(lambda filters: _depthwise(call, value, filters), tf.zeros(numbers(sizes), value.dtype), gradients)


@graph_op("DepthwiseConv2dNativeBackpropInput")
def _depthwise_input_grad(call: Call, sizes: Any, filters: Any, gradients: Any) -> Any:
    return _pulled_back(lambda value: _depthwise(call, value, filters), tf.zeros(numbers(sizes), gradients.dtype), gradients)


@graph_op("MaxPoolGrad", "MaxPool3DGrad")
def _max_pool_grad(call: Call, value: Any, out: Any, gradients: Any) -> Any:
    forward = _as(call, call.op.removesuffix("Grad"))
    return _pulled_back(lambda at: _pool(forward, at), value, gradients)


@graph_op("AvgPoolGrad", "AvgPool3DGrad")
def _avg_pool_grad(call: Call, sizes: Any, gradients: Any) -> Any:
    forward = _as(call, call.op.removesuffix("Grad"))
    return _pulled_back(lambda at: _pool(forward, at), tf.zeros(numbers(sizes), gradients.dtype), gradients)


@graph_op("LRNGrad")
def _lrn_grad(call: Call, gradients: Any, value: Any, out: Any) -> Any:
    return _pulled_back(lambda at: _lrn(call, at), value, gradients)


@graph_op("FusedBatchNormGrad", "FusedBatchNormGradV2", "FusedBatchNormGradV3")
def _batch_norm_grad(call: Call, gradients: Any, value: Any, scale: Any, mean: Any, variance: Any, *reserved: Any) -> Any:
    offset = tf.zeros_like(scale)
    with tf.GradientTape() as tape:
        tape.watch([value, scale, offset])
        if call.get("is_training", True):
            given = (tf.zeros_like(scale), tf.ones_like(scale))  # the statistics are the batch's own
        else:
            given = (mean, variance)
        found = _batch_norm(call, value, scale, offset, *given)["y"]
    in_value, in_scale, in_offset = tape.gradient(found, [value, scale, offset], output_gradients=gradients)
    nothing = tf.zeros([0], tf.float32)
    return {"x_backprop": in_value, "scale_backprop": in_scale, "offset_backprop": in_offset, "reserve_space_3": nothing, "reserve_space_4": nothing}


@graph_op("StridedSliceGrad")
def _strided_grad(call: Call, shape: Any, begin: Any, end: Any, strides: Any, gradients: Any) -> Any:
    masks = {name: call.get(name, 0) for name in ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")}
    if tf.get_static_value(shape) is None:  # the numbers of the elements that the slice takes
        count = tf.reduce_prod(shape)
        places = strided(tf.reshape(tf.range(count), shape), begin, end, strides, masks)
        flat = tf.scatter_nd(tf.reshape(places, [-1, 1]), tf.reshape(gradients, [-1]), tf.reshape(count, [1]))
        return tf.reshape(flat, shape)
    zeros = tf.zeros(shape, gradients.dtype)
    return _pulled_back(lambda at: strided(at, begin, end, strides, masks), zeros, gradients)


@graph_op("ResizeBilinearGrad", "ResizeBicubicGrad")
def _resize_grad(call: Call, gradients: Any, image: Any) -> Any:
    from .image_ops import _resize

    forward = _as(call, call.op.removesuffix("Grad"))
    return _pulled_back(lambda at: _resize(forward, at, tf.shape(gradients)[1:3]), image, gradients)


@graph_op("ResizeNearestNeighborGrad")
def _nearest_grad(call: Call, gradients: Any, size: Any) -> Any:
    from .image_ops import _resize

    outer = tf.shape(gradients)
    image = tf.zeros(tf.concat([outer[:1], tf.cast(size, tf.int32), outer[3:]], 0), gradients.dtype)
    return _pulled_back(lambda at: _resize(_as(call, "ResizeNearestNeighbor"), at, tf.shape(gradients)[1:3]), image, gradients)


@graph_op("MirrorPadGrad")
def _mirror_grad(call: Call, gradients: Any, paddings: Any) -> Any:
    image = tf.zeros(tf.shape(gradients) - tf.cast(tf.reduce_sum(paddings, 1), tf.int32), gradients.dtype)
    return _pulled_back(lambda at: tf.pad(at, paddings, mode=call.get("mode", b"REFLECT").decode()), image, gradients)


def _crops(call: Call, image: Any, boxes: Any, indices: Any, gradients: Any) -> Any:
    return tf.image.crop_and_resize(image, boxes, indices, tf.shape(gradients)[1:3], method=call.get("method", b"bilinear").decode())


@graph_op("CropAndResizeGradImage")
def _crop_grad_image(call: Call, gradients: Any, boxes: Any, indices: Any, size: Any) -> Any:
    image = tf.zeros(numbers(size), call.get("T", tf.float32))
    return _pulled_back(lambda at: _crops(call, at, boxes, indices, gradients), image, gradients)


@graph_op("CropAndResizeGradBoxes")
def _crop_grad_boxes(call: Call, gradients: Any, image: Any, boxes: Any, indices: Any) -> Any:
    return _pulled_back(lambda at: _crops(call, image, at, indices, gradients), boxes, gradients)


@graph_op("MaxPoolGradGrad", "MaxPool3DGradGrad")
def _max_pool_grad_grad(call: Call, value: Any, out: Any, gradients: Any) -> Any:
    forward = _as(call, call.op.removesuffix("GradGrad"))
    with tf.autodiff.ForwardAccumulator(value, gradients) as accumulator:
        found = _pool(forward, value)
    return accumulator.jvp(found)


@graph_op("IgammaGradA")
def _igamma_grad(call: Call, a: Any, x: Any) -> Any:
    return tf.raw_ops.IgammaGradA(a=a, x=x)


@graph_op("RandomGammaGrad")
def _gamma_grad(call: Call, alpha: Any, sample: Any) -> Any:
    return tf.raw_ops.RandomGammaGrad(alpha=alpha, sample=sample)

