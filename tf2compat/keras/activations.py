"""`tf.keras.activations`."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

import tf2compat as tf
from tf2compat._engine.bounds import clamp
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.dtypes import FLOATS, REALS
from tf2compat._engine.op import op, tensor
from tf2compat._engine.tensor import Tensor
from tf2compat.nn import activations as nn

from ._base.serialization import from_module, get_registered_name, serialize_keras_object, serialize_legacy


def _rank(x: Any) -> int | None:
    return x.shape.rank if hasattr(x, "shape") and hasattr(x.shape, "rank") else convert_to_tensor(x).shape.rank


def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) / sum(exp(x)) along `axis`, an int or several (`tf.keras.activations.softmax`). ValueError for scalars and vectors."""
    rank = _rank(x)
    if isinstance(axis, (tuple, list)):
        output = _softmax_over(x, tuple(axis))
    elif rank is not None and rank <= 1:
        raise ValueError(f"Cannot apply softmax to a tensor that is 1D. Received input: {x}")
    else:
        output = tf.nn.softmax(x, axis)
    return _made_from(output, x)


def _made_from(output: Any, logits: Any) -> Any:
    """Probabilities that know their logits, with which crossentropies are exact where probabilities have run into 0 or 1."""
    if isinstance(output, Tensor) and hasattr(logits, "dtype"):
        output._keras_logits = logits
    return output


@op("SoftmaxOver", x=tensor(FLOATS))
def _softmax_over(x: Any, axes: Any) -> Any:
    e = torch.exp(x - x.amax(axes, keepdim=True).detach())
    return e / e.sum(axes, keepdim=True)


@op("EluAlpha", x=tensor(FLOATS))
def _elu(x: Any, alpha: float) -> Any:
    return torch.where(x > 0, x, alpha * torch.expm1(clamp(x, max=0)))


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else alpha * (exp(x) - 1) (`tf.keras.activations.elu`)."""
    return nn.elu(x) if alpha == 1 else _elu(x, float(alpha))


def selu(x: Any) -> Any:
    """The scaled exponential linear unit (`tf.keras.activations.selu`)."""
    return nn.selu(x)


def softplus(x: Any) -> Any:
    """log(exp(x) + 1) (`tf.keras.activations.softplus`)."""
    return nn.softplus(x)


def softsign(x: Any) -> Any:
    """x / (|x| + 1) (`tf.keras.activations.softsign`)."""
    return nn.softsign(x)


def swish(x: Any) -> Any:
    """x * sigmoid(x) (`tf.keras.activations.swish`)."""
    return nn.silu(x)


@op("ReluOptions", x=tensor(REALS))
def _relu(x: Any, alpha: float, max_value: float | None, threshold: float) -> Any:
    if alpha != 0:
        if max_value is None and threshold == 0:
            return F.leaky_relu(x, alpha)
        negative = F.relu(threshold - x) if threshold != 0 else F.relu(-x)
    if threshold != 0:
        y = x * (x > threshold).to(x.dtype)
        if max_value is not None:
            y = clamp(y, 0.0, max_value)
    elif max_value == 6:
        y = nn.relu6.op.fn(x)
    else:
        y = torch.relu(x)
        if max_value is not None:
            y = clamp(y, 0.0, max_value)
    return y - alpha * negative if alpha != 0 else y


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """max(x, 0), or with a slope below `threshold` and a ceiling (`tf.keras.activations.relu`)."""
    if alpha == 0 and max_value is None and threshold == 0:
        return nn.relu(x)
    if isinstance(alpha, (int, float)) and alpha == 0 and isinstance(max_value, (int, float)) and max_value == 6 and threshold == 0:
        return nn.relu6(x)
    if isinstance(alpha, (int, float)) and not hasattr(type(x), "_is_keras_tensor"):
        return _relu(x, float(alpha), None if max_value is None else float(max_value), float(threshold))
    return _relu_of_ops(x, alpha, max_value, threshold)


def _relu_of_ops(x: Any, alpha: Any, max_value: Any, threshold: Any) -> Any:
    """The public ops that a model between symbolic tensors is made of, so that TensorFlow can load what describes it."""
    sloped = not isinstance(alpha, (int, float)) or alpha != 0
    if sloped and max_value is None and threshold == 0:
        return tf.nn.leaky_relu(x, alpha)
    negative = None
    if sloped:
        negative = tf.nn.relu(-x + threshold if threshold != 0 else -x)
    if threshold != 0:
        x = x * tf.cast(x > threshold, x.dtype)
    elif max_value == 6:
        x, max_value = tf.nn.relu6(x), None
    else:
        x = tf.nn.relu(x)
    if max_value is not None:
        x = tf.clip_by_value(x, 0.0, max_value)
    return x if negative is None else x - alpha * negative


def gelu(x: Any, approximate: bool = False) -> Any:
    """x * P(X <= x) for a standard normal X (`tf.keras.activations.gelu`)."""
    return nn.gelu(x, approximate)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent (`tf.keras.activations.tanh`)."""
    return tf.tanh(x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) (`tf.keras.activations.sigmoid`)."""
    return _made_from(tf.sigmoid(x), x)


def exponential(x: Any) -> Any:
    """exp(x) (`tf.keras.activations.exponential`)."""
    return tf.exp(x)


@op("HardSigmoid", x=tensor(FLOATS))
def _hard_sigmoid(x: Any) -> Any:
    return clamp(x * 0.2 + 0.5, 0.0, 1.0)


def hard_sigmoid(x: Any) -> Any:
    """0.2 * x + 0.5, cut off at 0 and 1 (`tf.keras.activations.hard_sigmoid`)."""
    return _hard_sigmoid(x)


def linear(x: Any) -> Any:
    """x itself (`tf.keras.activations.linear`)."""
    return x


@op("Mish", x=tensor(FLOATS))
def _mish(x: Any) -> Any:
    return F.mish(x)


def mish(x: Any) -> Any:
    """x * tanh(softplus(x)) (`tf.keras.activations.mish`)."""
    return _mish(x)


silu = swish

_KNOWN: dict[str, Any] = {
    "softmax": softmax, "elu": elu, "selu": selu, "softplus": softplus, "softsign": softsign, "swish": swish, "silu": swish, "relu": relu,
    "gelu": gelu, "tanh": tanh, "sigmoid": sigmoid, "exponential": exponential, "hard_sigmoid": hard_sigmoid, "linear": linear,
    "mish": mish, "leaky_relu": tf.nn.leaky_relu, "relu6": tf.nn.relu6, "log_softmax": tf.nn.log_softmax, "crelu": tf.nn.crelu,
}  # fmt: skip


def _legacy_layer(identifier: Any) -> Any:
    from . import layers

    return getattr(layers, identifier, None)


def serialize(activation: Any, use_legacy_format: bool = False) -> Any:
    """The name or config of an activation (`tf.keras.activations.serialize`). ValueError for what has none."""
    if activation is None:
        return None
    name = getattr(activation, "__name__", None)
    if name is not None and _KNOWN.get(name) is activation:
        return name
    if use_legacy_format:
        return serialize_legacy(activation)
    if name is not None and name != "<lambda>" and not hasattr(activation, "get_config"):
        if (getattr(activation, "__module__", "") or "").startswith("tf2compat."):
            return name
        config = serialize_keras_object(activation)
        if isinstance(config, dict) and config.get("class_name") == "function":
            config["config"] = get_registered_name(activation)
        return config
    return serialize_keras_object(activation)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False) -> Any:
    """The activation of a name or config (`tf.keras.activations.deserialize`). ValueError for an unknown name."""
    if isinstance(name, str):
        from ._base.serialization import get_registered_object

        found = get_registered_object(name, custom_objects) or _KNOWN.get(name)
        if found is None and name in ("LeakyReLU", "PReLU", "ELU", "ReLU", "Softmax", "ThresholdedReLU"):
            found = _legacy_layer(name)()
        if found is None:
            raise ValueError(f"Unknown activation function '{name}' cannot be deserialized.")
        return found() if isinstance(found, type) else found
    return from_module(name, _KNOWN, custom_objects, "activation function", use_legacy_format)


def get(identifier: Any) -> Any:
    """An activation from its name, config or itself; `linear` for None (`tf.keras.activations.get`). TypeError for anything else."""
    if identifier is None:
        return linear
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if callable(identifier):
        return identifier
    raise TypeError(f"Could not interpret activation function identifier: {identifier}")
