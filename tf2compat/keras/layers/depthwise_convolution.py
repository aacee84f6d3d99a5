"""Depthwise and separable convolution layers."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.narrow import in_single
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat.nn.convolution import convolve, depthwise

from .. import activations, regularizers
from .._base.input_spec import InputSpec
from ._chains import starts
from ._common import conv_output_length
from .convolution import Conv


def _depthwise_nd(x: Any, kernel: Any, bias: Any, strides: Any, padding: str, rates: Any, first: bool) -> Any:
    if kernel.ndim == 4:
        return depthwise(x, kernel, strides, padding.upper(), rates, first, bias)
    at = 2 if first else 1
    if padding == "causal":
        pads: Any = ((0, 0), (rates[0] * (kernel.shape[0] - 1), 0))
    else:
        pads = padding.upper()
    return depthwise(x.unsqueeze(at), kernel.unsqueeze(0), (1, *strides), pads, (1, *rates), first, bias).squeeze(at)


@op("DepthwiseConvBias", x=tensor(FLOATS), kernel=tensor(FLOATS), bias=tensor(FLOATS))
def _depthwise(x: Any, kernel: Any, strides: Any, padding: str, rates: Any, first: bool, bias: Any = None) -> Any:
    return _depthwise_nd(x, kernel, bias, strides, padding, rates, first)


starts(_depthwise.op, by_channel=True)


@op("SeparableConvBias", x=tensor(FLOATS), kernel=tensor(FLOATS), pointwise=tensor(FLOATS), bias=tensor(FLOATS))
@in_single
def _separable(
    x: Any, kernel: Any, pointwise: Any, strides: Any, padding: str, rates: Any, first: bool, bias: Any = None
) -> Any:
    inner = _depthwise_nd(x, kernel, None, strides, padding, rates, first)
    n = kernel.ndim - 2
    if first:
        return convolve(inner, pointwise, n, (1,) * n, "VALID", (1,) * n, True, bias)
    return F.linear(inner, pointwise.reshape(pointwise.shape[-2:]).t(), bias)


class _DepthwiseConv(Conv):
    _may_be_causal = True

    def _start(self, depth_multiplier: int, initializer: Any, regularizer: Any, constraint: Any) -> None:
        self.depth_multiplier = depth_multiplier
        self._set_options(depthwise_initializer=initializer, depthwise_regularizer=regularizer, depthwise_constraint=constraint)

    def build(self, input_shape: Any) -> None:
        """Create depthwise_kernel [*kernel_size, in, depth_multiplier] and bias."""
        shape = TensorShape(input_shape)
        if len(shape) != self.rank + 2:
            raise ValueError(
                f"Inputs to `DepthwiseConv` should have rank {self.rank + 2}. Received input_shape={input_shape}."
            )
        axis = 1 if self.data_format == "channels_first" else -1
        if shape[axis] is None:
            raise ValueError(
                "The channel dimension of the inputs to `DepthwiseConv` should be defined. The input_shape received is "
                f"{input_shape}, where axis {axis} (0-based) is the channel dimension, which found to be `None`."
            )
        channels = int(shape[axis])
        self.depthwise_kernel = self.add_weight(
            shape=(*self.kernel_size, channels, self.depth_multiplier), initializer=self.depthwise_initializer, name="depthwise_kernel",
            regularizer=self.depthwise_regularizer, constraint=self.depthwise_constraint,
        )  # fmt: skip
        self._add_bias(channels * self.depth_multiplier)
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})
        self.built = True

    def call(self, inputs: Any) -> Any:
        """activation(depthwise convolution of inputs + bias)."""
        d = self.__dict__
        out = _depthwise(inputs, self.depthwise_kernel, d["strides"], d["padding"], d["dilation_rate"], d["_first"], self.bias)
        activation = d["activation"]
        return out if activation is None or activation is activations.linear else activation(out)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the result."""
        sizes = TensorShape(input_shape).as_list()
        first = self.data_format == "channels_first"
        spatial = sizes[2:] if first else sizes[1:-1]
        channels = sizes[1] if first else sizes[-1]
        found = [
            conv_output_length(size, k, self.padding, s, r)
            for size, k, s, r in zip(spatial, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        ]
        out = channels * self.depth_multiplier
        return TensorShape([sizes[0], out, *found] if first else [sizes[0], *found, out])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        for key in ("filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint"):
            config.pop(key)
        config["depth_multiplier"] = self.depth_multiplier
        config.update(self._option_config("depthwise_initializer", "depthwise_regularizer", "depthwise_constraint"))
        return config


class DepthwiseConv1D(_DepthwiseConv):
    """Each channel of [batch, steps, channels] with its own filters (`tf.keras.layers.DepthwiseConv1D`)."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            1, None, kernel_size, strides, padding, data_format, dilation_rate, kwargs.pop("groups", 1), activation, use_bias,
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip
        self._start(depth_multiplier, depthwise_initializer, depthwise_regularizer, depthwise_constraint)


class DepthwiseConv2D(_DepthwiseConv):
    """Each channel of images with its own filters (`tf.keras.layers.DepthwiseConv2D`)."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            2, None, kernel_size, strides, padding, data_format, dilation_rate, kwargs.pop("groups", 1), activation, use_bias,
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip
        self._start(depth_multiplier, depthwise_initializer, depthwise_regularizer, depthwise_constraint)


class _SeparableConv(Conv):
    _may_be_causal = True

    def _start(self, depth_multiplier: int, **options: Any) -> None:
        self.depth_multiplier = depth_multiplier
        self._set_options(**options)

    def build(self, input_shape: Any) -> None:
        """Create depthwise_kernel, pointwise_kernel and bias."""
        shape = TensorShape(input_shape)
        axis = self._get_channel_axis()
        if shape[axis] is None:
            raise ValueError(
                "The channel dimension of the inputs should be defined. The input_shape received is "
                f"{input_shape}, where axis {axis} (0-based) is the channel dimension, which found to be `None`."
            )
        channels = int(shape[axis])
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel", shape=(*self.kernel_size, channels, self.depth_multiplier), initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer, constraint=self.depthwise_constraint, trainable=True, dtype=self.dtype,
        )  # fmt: skip
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel", shape=(1,) * self.rank + (self.depth_multiplier * channels, self.filters),
            initializer=self.pointwise_initializer, regularizer=self.pointwise_regularizer, constraint=self.pointwise_constraint,
            trainable=True, dtype=self.dtype,
        )  # fmt: skip
        self._add_bias(self.filters)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """activation(pointwise(depthwise(inputs)) + bias)."""
        d = self.__dict__
        out = _separable(
            inputs, self.depthwise_kernel, self.pointwise_kernel, d["strides"], d["padding"], d["dilation_rate"], d["_first"], self.bias
        )
        activation = d["activation"]
        return out if activation is None or activation is activations.linear else activation(out)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["depth_multiplier"] = self.depth_multiplier
        config.update(self._option_config(
            "depthwise_initializer", "pointwise_initializer", "depthwise_regularizer", "pointwise_regularizer", "depthwise_constraint",
            "pointwise_constraint",
        ))  # fmt: skip
        return config


class SeparableConv1D(_SeparableConv):
    """A depthwise convolution, then one over channels, of [batch, steps, channels] (`tf.keras.layers.SeparableConv1D`)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            1, filters, kernel_size, strides, padding, data_format, dilation_rate, kwargs.pop("groups", 1), activations.get(activation), use_bias,
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer, activity_regularizer=regularizers.get(activity_regularizer),
            bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip
        self._start(
            depth_multiplier, depthwise_initializer=depthwise_initializer, pointwise_initializer=pointwise_initializer,
            depthwise_regularizer=depthwise_regularizer, pointwise_regularizer=pointwise_regularizer,
            depthwise_constraint=depthwise_constraint, pointwise_constraint=pointwise_constraint,
        )  # fmt: skip


class SeparableConv2D(_SeparableConv):
    """A depthwise convolution, then one over channels, of images (`tf.keras.layers.SeparableConv2D`)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            2, filters, kernel_size, strides, padding, data_format, dilation_rate, kwargs.pop("groups", 1), activations.get(activation), use_bias,
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer, activity_regularizer=regularizers.get(activity_regularizer),
            bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip
        self._start(
            depth_multiplier, depthwise_initializer=depthwise_initializer, pointwise_initializer=pointwise_initializer,
            depthwise_regularizer=depthwise_regularizer, pointwise_regularizer=pointwise_regularizer,
            depthwise_constraint=depthwise_constraint, pointwise_constraint=pointwise_constraint,
        )  # fmt: skip
