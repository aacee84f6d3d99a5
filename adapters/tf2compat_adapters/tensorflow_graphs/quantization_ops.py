"""Numbers rounded to a few levels, and their gradients."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .registry import Call, graph_op


def _options(call: Call) -> dict[str, Any]:
    return {"num_bits": call.get("num_bits", 8), "narrow_range": call.get("narrow_range", False)}


@graph_op("FakeQuantWithMinMaxArgs")
def _args(call: Call, value: Any) -> Any:
    return tf.quantization.fake_quant_with_min_max_args(value, call.get("min", -6.0), call.get("max", 6.0), **_options(call))


@graph_op("FakeQuantWithMinMaxArgsGradient")
def _args_gradient(call: Call, gradients: Any, value: Any) -> Any:
    return tf.quantization.fake_quant_with_min_max_args_gradient(gradients, value, call.get("min", -6.0), call.get("max", 6.0), **_options(call))


@graph_op("FakeQuantWithMinMaxVars")
def _vars(call: Call, value: Any, low: Any, high: Any) -> Any:
    return tf.quantization.fake_quant_with_min_max_vars(value, low, high, **_options(call))


@graph_op("FakeQuantWithMinMaxVarsPerChannel")
def _channels(call: Call, value: Any, low: Any, high: Any) -> Any:
    return tf.quantization.fake_quant_with_min_max_vars_per_channel(value, low, high, **_options(call))


@graph_op("FakeQuantWithMinMaxVarsGradient")
def _vars_gradient(call: Call, gradients: Any, value: Any, low: Any, high: Any) -> Any:
    found = tf.quantization.fake_quant_with_min_max_vars_gradient(gradients, value, low, high, **_options(call))
    return dict(zip(("backprops_wrt_input", "backprop_wrt_min", "backprop_wrt_max"), found, strict=True))


@graph_op("FakeQuantWithMinMaxVarsPerChannelGradient")
def _channels_gradient(call: Call, gradients: Any, value: Any, low: Any, high: Any) -> Any:
    found = tf.quantization.fake_quant_with_min_max_vars_per_channel_gradient(gradients, value, low, high, **_options(call))
    return dict(zip(("backprops_wrt_input", "backprop_wrt_min", "backprop_wrt_max"), found, strict=True))
