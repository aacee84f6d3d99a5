"""Activation functions of `tf.nn`."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from .._engine.bounds import clamp
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import COMPLEXES, FLOATS, REALS, SIGNED
from .._engine.dtypes import float32 as tf_float32
from .._engine.op import invalid, op, tensor
from .._engine.tensor import Tensor
from ..math.softmaxes import log_softmax as log_softmax
from ..math.softmaxes import softmax as softmax

_SELU_SCALE = 1.0507009873554805
_SELU_SCALE_ALPHA = 1.7580993408473768


@op("Relu", features=tensor(REALS))
def relu(features: Any, name: str | None = None) -> Any:
    """max(features, 0) (`tf.nn.relu`), for every real dtype."""
    return torch.relu(features)


@op("Relu6", features=tensor(REALS))
def relu6(features: Any, name: str | None = None) -> Any:
    """min(max(features, 0), 6) (`tf.nn.relu6`)."""
    return F.relu6(features) if features.is_floating_point() else features.clamp(0, 6)


@op("Elu", features=tensor(FLOATS))
def elu(features: Any, name: str | None = None) -> Any:
    """exp(x) - 1 where x < 0, else x (`tf.nn.elu`)."""
    return F.elu(features)


@op("Selu", features=tensor(FLOATS))
def selu(features: Any, name: str | None = None) -> Any:
    """scale * (alpha * (exp(x) - 1) where x < 0, else x) (`tf.nn.selu`)."""
    # torch's own has another gradient at zero, where the gradient of relu is 0 and that of clamp 1
    return clamp(features, min=0) * _SELU_SCALE + torch.expm1(-torch.relu(-features)) * _SELU_SCALE_ALPHA


@op("LeakyRelu", features=tensor(FLOATS))
def _leaky_relu(features: Any, alpha: float) -> Any:
    return F.leaky_relu(features, alpha)


def leaky_relu(features: Any, alpha: Any = 0.2, name: str | None = None) -> Tensor:
    """x where x > 0, else alpha * x (`tf.nn.leaky_relu`); integers become float32."""
    if not (hasattr(features, "dtype") and hasattr(features, "shape")):
        features = convert_to_tensor(features)
    if getattr(features.dtype, "is_integer", False):
        from tf2compat import cast

        features = cast(features, tf_float32)
    return _leaky_relu(features, float(alpha))


@op("Silu", features=tensor(FLOATS, COMPLEXES))
def _silu(features: Any) -> Any:
    return features * torch.sigmoid(features) if features.is_complex() else F.silu(features)


@op("SiluBeta", features=tensor(FLOATS, COMPLEXES, scalar=True), beta=tensor(FLOATS, COMPLEXES, scalar=True))
def _silu_beta(features: Any, beta: Any) -> Any:
    return features * torch.sigmoid(features * beta)


def silu(features: Any, beta: Any = 1.0) -> Tensor:
    """features * sigmoid(beta * features) (`tf.nn.silu`)."""
    if type(beta) is float and beta == 1.0:
        return _silu(features)
    if isinstance(beta, int):
        beta = float(beta)
    return _silu_beta(features, beta)


def swish(features: Any, beta: Any = 1.0) -> Tensor:
    """features * sigmoid(beta * features) (`tf.nn.swish`)."""
    return silu(features, beta)


@op("Gelu", features=tensor(FLOATS))
def _gelu(features: Any, approximate: bool) -> Any:
    return F.gelu(features, approximate="tanh" if approximate else "none")


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """x * P(X <= x) for a standard normal X, by erf or approximately by tanh (`tf.nn.gelu`).

    Raises ValueError for dtypes that are no floats.

    Differs from TensorFlow: at +infinity the result is NaN on CPUs where torch's kernel (oneDNN's) says so, and +infinity on others.
    """
    if not (hasattr(features, "dtype") and hasattr(features, "shape")):
        features = convert_to_tensor(features)
    if not getattr(features.dtype, "is_floating", True):
        raise ValueError(f"`features.dtype` must be a floating point tensor.Received:features.dtype={features.dtype!r}")
    return _gelu(features, bool(approximate))


@op("Crelu", features=tensor(FLOATS, SIGNED))
def crelu(features: Any, axis: int = -1, name: str | None = None) -> Any:
    """relu of features and of -features, side by side along `axis` (`tf.nn.crelu`)."""
    return torch.relu(torch.cat([features, -features], axis))


@op("Softplus", features=tensor(FLOATS))
def softplus(features: Any, name: str | None = None) -> Any:
    """log(1 + exp(features)) (`tf.nn.softplus`)."""
    return F.softplus(features, 1.0, 35.0)


@op("Softsign", features=tensor(FLOATS))
def softsign(features: Any, name: str | None = None) -> Any:
    """features / (1 + |features|) (`tf.nn.softsign`)."""
    return F.softsign(features)


def _bias_dimensions(value: Any, bias: Any, first: bool) -> None:
    if value.ndim < 2:
        raise invalid(f"Input tensor must be at least 2D: [{','.join(map(str, value.shape))}] [Op:BiasAdd] name: ")
    shapes = f"[{','.join(map(str, bias.shape))}]"
    if bias.ndim != 1:
        raise invalid(f"Biases must be 1D: {shapes} [Op:BiasAdd] name: ")
    if bias.shape[0] != value.shape[1 if first else -1]:
        raise invalid(
            f"Must provide as many biases as the {'channel' if first else 'last'} dimension of the input tensor: {shapes} vs. "
            f"[{','.join(map(str, value.shape))}] [Op:BiasAdd] name: "
        )


@op("BiasAdd", value=tensor(FLOATS, REALS, COMPLEXES), bias=tensor(FLOATS, REALS, COMPLEXES))
def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Any:
    """Add a bias [channels] to the last dimension, or to the second with a `data_format` of "NC…" (`tf.nn.bias_add`)."""
    if data_format is None:
        first = False
    elif isinstance(data_format, str) and data_format.startswith("NC"):
        first = True
    elif isinstance(data_format, str) and data_format.startswith("N") and data_format.endswith("C"):
        first = False
    else:
        raise ValueError(f"`data_format` must be of the form `N...C` or `NC...`. Received: data_format={data_format}")
    if value.ndim < 2 or bias.ndim != 1 or bias.shape[0] != value.shape[1 if first else -1]:
        _bias_dimensions(value, bias, first)
    return value + (bias.reshape(-1, *[1] * (value.ndim - 2)) if first else bias)


@op("L2Loss", t=tensor(FLOATS))
def l2_loss(t: Any, name: str | None = None) -> Any:
    """Half the sum of squares of all elements (`tf.nn.l2_loss`)."""
    return torch.sum(t * t) / 2
