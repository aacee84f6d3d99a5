"""Neural networks: convolutions, pooling, normalisation, activations, losses."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat.nn.normalization import fused_batch_norm

from .registry import Call, graph_op, integers, simple, unsupported

simple({
    "Relu": tf.nn.relu, "Relu6": tf.nn.relu6, "Elu": tf.nn.elu, "Selu": tf.nn.selu, "Softplus": tf.nn.softplus, "Softsign": tf.nn.softsign,
    "Softmax": tf.nn.softmax, "LogSoftmax": tf.nn.log_softmax,
})  # fmt: skip


def _format(call: Call, default: bytes = b"NHWC") -> str:
    return call.get("data_format", default).decode()


def _spatial(values: Any, layout: str) -> list[int]:
    """The entries of a list per dimension that concern space."""
    values = list(values)
    return values[1:-1] if layout.endswith("C") else values[2:]


def _padding(call: Call) -> Any:
    text = call.get("padding", b"VALID").decode()
    if text != "EXPLICIT":
        return text
    flat = call.get("explicit_paddings", [])
    return [flat[i : i + 2] for i in range(0, len(flat), 2)]


@graph_op("LeakyRelu")
def _leaky(call: Call, value: Any) -> Any:
    return tf.nn.leaky_relu(value, alpha=call.get("alpha", 0.2))


@graph_op("BiasAdd", "BiasAddV1")
def _bias(call: Call, value: Any, bias: Any) -> Any:
    layout = _format(call)
    if layout == "NCHW":
        return value + tf.reshape(bias, [1, -1] + [1] * (len(value.shape) - 2))
    return tf.nn.bias_add(value, bias)


@graph_op("Conv2D", "Conv3D")
def _conv(call: Call, value: Any, filters: Any) -> Any:
    three = call.op == "Conv3D"
    layout = _format(call, b"NDHWC" if three else b"NHWC")
    dilations = call.get("dilations") or [1] * (5 if three else 4)
    if three:
        return tf.nn.conv3d(value, filters, strides=call.get("strides"), padding=_padding(call), data_format=layout, dilations=dilations)
    return tf.nn.conv2d(value, filters, strides=call.get("strides"), padding=_padding(call), data_format=layout, dilations=dilations)


@graph_op("DepthwiseConv2dNative")
def _depthwise(call: Call, value: Any, filters: Any) -> Any:
    layout = _format(call)
    dilations = _spatial(call.get("dilations") or [1, 1, 1, 1], layout)
    return tf.nn.depthwise_conv2d(value, filters, strides=call.get("strides"), padding=_padding(call), data_format=layout, dilations=dilations)


@graph_op("Conv2DBackpropInput")
def _conv_transpose(call: Call, sizes: Any, filters: Any, value: Any) -> Any:
    dilations = call.get("dilations") or [1, 1, 1, 1]
    return tf.nn.conv2d_transpose(
        value, filters, sizes, strides=call.get("strides"), padding=_padding(call), data_format=_format(call), dilations=dilations
    )


@graph_op("Conv3DBackpropInputV2")
def _conv3d_transpose(call: Call, sizes: Any, filters: Any, value: Any) -> Any:
    return tf.nn.conv3d_transpose(
        value, filters, sizes, strides=call.get("strides"), padding=_padding(call), data_format=_format(call, b"NDHWC")
    )


@graph_op("MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D")
def _pool(call: Call, value: Any) -> Any:
    function = {"MaxPool": tf.nn.max_pool2d, "AvgPool": tf.nn.avg_pool2d, "MaxPool3D": tf.nn.max_pool3d, "AvgPool3D": tf.nn.avg_pool3d}[call.op]
    layout = _format(call, b"NDHWC" if call.op.endswith("3D") else b"NHWC")
    return function(value, ksize=call.get("ksize"), strides=call.get("strides"), padding=_padding(call), data_format=layout)


@graph_op("MaxPoolWithArgmax")
def _pool_argmax(call: Call, value: Any) -> Any:
    out, index = tf.nn.max_pool_with_argmax(
        value, ksize=call.get("ksize"), strides=call.get("strides"), padding=call.get("padding", b"VALID").decode(),
        output_dtype=call.get("Targmax", tf.int64), include_batch_in_index=call.get("include_batch_in_index", False),
    )  # fmt: skip
    return {"output": out, "argmax": index}


@graph_op("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def _batch_norm(call: Call, value: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
    y, mean, variance, used_mean, used_variance = fused_batch_norm(
        value, scale, offset, mean, variance, call.get("epsilon", 1e-4), call.get("exponential_avg_factor", 1.0), _format(call),
        call.get("is_training", True),
    )  # fmt: skip
    return {
        "y": y, "batch_mean": mean, "batch_variance": variance, "reserve_space_1": used_mean, "reserve_space_2": used_variance,
        "reserve_space_3": used_mean,
    }  # fmt: skip


@graph_op("LRN")
def _lrn(call: Call, value: Any) -> Any:
    return tf.nn.local_response_normalization(
        value, depth_radius=call.get("depth_radius", 5), bias=call.get("bias", 1.0), alpha=call.get("alpha", 1.0), beta=call.get("beta", 0.5)
    )


@graph_op("SparseSoftmaxCrossEntropyWithLogits")
def _sparse_cross_entropy(call: Call, logits: Any, labels: Any) -> Any:
    backprop = tf.nn.softmax(logits) - tf.one_hot(labels, tf.shape(logits)[-1], dtype=logits.dtype)
    return {"loss": tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits), "backprop": backprop}


@graph_op("SoftmaxCrossEntropyWithLogits")
def _cross_entropy(call: Call, logits: Any, labels: Any) -> Any:
    return {"loss": tf.nn.softmax_cross_entropy_with_logits(labels, logits), "backprop": tf.nn.softmax(logits) - labels}


@graph_op("InTopKV2", "InTopK")
def _in_top_k(call: Call, predictions: Any, targets: Any, k: Any = None) -> Any:
    return tf.math.in_top_k(targets, predictions, call.get("k") if k is None else integers(call, k))


@graph_op("_FusedConv2D", "_FusedMatMul", "_FusedBatchNormEx")
def _fused(call: Call, *inputs: Any) -> Any:
    raise unsupported(call, "it is made by TensorFlow's optimizer and should not be in a saved graph")
