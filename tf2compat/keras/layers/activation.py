"""Activations that have parameters: ReLU, LeakyReLU, PReLU, ELU, ThresholdedReLU, Softmax."""

from __future__ import annotations

from typing import Any

import torch

import tf2compat as tf
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape

from .. import activations
from .._base.config import as_floatx
from .._base.input_spec import InputSpec
from .._base.layer import Layer
from ._common import WeightOptions


class _Elementwise(Layer):
    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)


class ReLU(_Elementwise):
    """max(x, 0) with a ceiling, a negative slope and a threshold (`tf.keras.layers.ReLU`)."""

    def __init__(self, max_value: Any = None, negative_slope: Any = 0.0, threshold: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0.0:
            raise ValueError(f"max_value of a ReLU layer cannot be a negative value. Received: {max_value}")
        if negative_slope is None or negative_slope < 0.0:
            raise ValueError(f"negative_slope of a ReLU layer cannot be a negative value. Received: {negative_slope}")
        if threshold is None or threshold < 0.0:
            raise ValueError(f"threshold of a ReLU layer cannot be a negative value. Received: {threshold}")
        self.supports_masking = True
        self.max_value = None if max_value is None else as_floatx(max_value)
        self.negative_slope = as_floatx(negative_slope)
        self.threshold = as_floatx(threshold)

    def call(self, inputs: Any) -> Any:
        """relu(inputs)."""
        return activations.relu(inputs, alpha=self.negative_slope, max_value=self.max_value, threshold=self.threshold)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"max_value": self.max_value, "negative_slope": self.negative_slope, "threshold": self.threshold})
        return config


class LeakyReLU(_Elementwise):
    """x where x > 0, else alpha * x (`tf.keras.layers.LeakyReLU`)."""

    def __init__(self, alpha: Any = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if alpha is None:
            raise ValueError(f"The alpha value of a Leaky ReLU layer cannot be None, Expecting a float. Received: {alpha}")
        self.supports_masking = True
        self.alpha = as_floatx(alpha)

    def call(self, inputs: Any) -> Any:
        """leaky_relu(inputs)."""
        return tf.nn.leaky_relu(inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["alpha"] = self.alpha
        return config


class ELU(_Elementwise):
    """x where x > 0, else alpha * (exp(x) - 1) (`tf.keras.layers.ELU`)."""

    def __init__(self, alpha: Any = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if alpha is None:
            raise ValueError(f"Alpha of an ELU layer cannot be None, expecting a float. Received: {alpha}")
        self.supports_masking = True
        self.alpha = as_floatx(alpha)

    def call(self, inputs: Any) -> Any:
        """elu(inputs)."""
        return activations.elu(inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["alpha"] = self.alpha
        return config


class ThresholdedReLU(_Elementwise):
    """x where x > theta, else 0 (`tf.keras.layers.ThresholdedReLU`)."""

    def __init__(self, theta: Any = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if theta is None:
            raise ValueError(f"Theta of a Thresholded ReLU layer cannot be None, expecting a float. Received: {theta}")
        if theta < 0:
            raise ValueError(f"The theta value of a Thresholded ReLU layer should be >=0. Received: {theta}")
        self.supports_masking = True
        self.theta = as_floatx(theta)

    def call(self, inputs: Any) -> Any:
        """inputs where they exceed theta."""
        return inputs * tf.cast(tf.greater(inputs, self.theta), inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["theta"] = self.theta
        return config


class Softmax(_Elementwise):
    """Softmax along `axis`, an int or several; positions whose mask is 0 get none (`tf.keras.layers.Softmax`)."""

    def __init__(self, axis: Any = -1, robust_masking: bool = False, **kwargs: Any) -> None:
        self._robust_masking = robust_masking
        super().__init__(**kwargs)
        self.supports_masking = True
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """softmax(inputs)."""
        if mask is not None:
            small = float(torch.finfo(inputs.dtype.torch).min) if self._robust_masking or inputs.dtype == tf.float16 else -1e9
            if inputs.dtype == tf.float16:
                small = float(torch.finfo(torch.float16).min)
            if self._robust_masking:
                inputs = tf.where(tf.cast(mask, tf.bool), inputs, tf.constant(small, inputs.dtype))
            else:
                inputs = inputs + (1.0 - tf.cast(mask, inputs.dtype)) * small
        if isinstance(self.axis, (tuple, list)):
            if len(self.axis) > 1:
                return activations._softmax_over(inputs, tuple(self.axis))
            return activations.softmax(inputs, self.axis[0])
        return activations.softmax(inputs, self.axis)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["axis"] = self.axis
        if self._robust_masking:
            config["robust_masking"] = True
        return config


@op("PRelu", x=tensor(FLOATS), alpha=tensor(FLOATS))
def _prelu(x: Any, alpha: Any) -> Any:
    return torch.relu(x) - alpha * torch.relu(-x)


class PReLU(WeightOptions, _Elementwise):
    """x where x > 0, else alpha * x with learned alpha (`tf.keras.layers.PReLU`).

    `shared_axes` are axes along which one alpha holds.
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._set_options(alpha_initializer=alpha_initializer, alpha_regularizer=alpha_regularizer, alpha_constraint=alpha_constraint)
        self.shared_axes = None if shared_axes is None else list(shared_axes) if isinstance(shared_axes, (list, tuple)) else [shared_axes]

    def build(self, input_shape: Any) -> None:
        """Create alpha of the input's shape without the batch."""
        shape = TensorShape(input_shape).as_list()[1:]
        if self.shared_axes is not None:
            for axis in self.shared_axes:
                shape[axis - 1] = 1
        self.alpha = self.add_weight(
            shape=shape, name="alpha", initializer=self.alpha_initializer, regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )  # fmt: skip
        full = TensorShape(input_shape).as_list()
        axes = {i: full[i] for i in range(1, len(full)) if not self.shared_axes or i not in self.shared_axes}
        self.input_spec = InputSpec(ndim=len(full), axes=axes)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """relu(inputs) - alpha * relu(-inputs)."""
        return _prelu(inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update(self._option_config("alpha_initializer", "alpha_regularizer", "alpha_constraint"))
        config["shared_axes"] = self.shared_axes
        return config
