"""Convolution layers: Conv1D to Conv3D and what they share with their kin."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat.nn.convolution import convolve

from .. import activations, regularizers
from .._base.input_spec import InputSpec
from .._base.layer import Layer
from ._chains import starts
from ._common import WeightOptions, conv_output_length, normalize_data_format, normalize_padding, normalize_tuple


@op("ConvBias", x=tensor(FLOATS), kernel=tensor(FLOATS), bias=tensor(FLOATS))
def convolved(x: Any, kernel: Any, strides: Any, padding: str, rates: Any, first: bool, bias: Any = None) -> Any:
    """Convolution [batch..., *spatial, in] with kernel [*spatial, in / groups, out], plus bias [out] or None."""
    n = kernel.ndim - 2
    lead = None
    if x.ndim > n + 2:
        lead = x.shape[: x.ndim - n - 1]
        x = x.reshape(-1, *x.shape[x.ndim - n - 1 :])
    if n == 1:  # as images of height one, for which torch has the better kernels
        at = 2 if first else 1
        x, kernel = x.unsqueeze(at), kernel.unsqueeze(0)
        if padding == "causal":
            pads: Any = ((0, 0), (rates[0] * (kernel.shape[1] - 1), 0))
        else:
            pads = padding.upper()
        out = convolve(x, kernel, 2, (1, *strides), pads, (1, *rates), first, bias).squeeze(at)
    else:
        out = convolve(x, kernel, n, strides, padding.upper(), rates, first, bias)
    return out if lead is None else out.reshape(*lead, *out.shape[1:])


starts(convolved.op, by_channel=False)


class Conv(WeightOptions, Layer):
    """What all convolution layers share: arguments, shapes, weights."""

    def __init__(
        self,
        rank: int,
        filters: Any,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        conv_op: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, name=name, activity_regularizer=regularizers.get(activity_regularizer), **kwargs)
        self.rank = rank
        if isinstance(filters, float):
            filters = int(filters)
        if filters is not None and filters <= 0:
            raise ValueError(f"Invalid value for argument `filters`. Expected a strictly positive value. Received filters={filters}.")
        self.filters = filters
        self.groups = groups or 1
        self.kernel_size = normalize_tuple(kernel_size, rank, "kernel_size")
        self.strides = normalize_tuple(strides, rank, "strides", allow_zero=True)
        self.padding = normalize_padding(padding)
        self.data_format = normalize_data_format(data_format)
        self.dilation_rate = normalize_tuple(dilation_rate, rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self._set_options(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.input_spec = InputSpec(min_ndim=rank + 2)
        if self.filters is not None and self.filters % self.groups != 0:
            raise ValueError(
                "The number of filters must be evenly divisible by the number of groups. Received: "
                f"groups={self.groups}, filters={self.filters}"
            )
        if not all(self.strides):
            raise ValueError(f"The argument `strides` cannot contains 0(s). Received: {self.strides}")
        if self.padding == "causal" and not getattr(self, "_may_be_causal", False):
            raise ValueError("Causal padding is only supported for `Conv1D`and `SeparableConv1D`.")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )
        self._first = self.data_format == "channels_first"

    @property
    def _is_causal(self) -> bool:
        return self.padding == "causal"

    def _get_channel_axis(self) -> int:
        return -1 - self.rank if self.data_format == "channels_first" else -1

    def _get_input_channel(self, input_shape: TensorShape) -> int:
        axis = self._get_channel_axis()
        if input_shape[axis] is None:
            raise ValueError(
                f"The channel dimension of the inputs should be defined. The input_shape received is {input_shape}, where axis {axis} "
                "(0-based) is the channel dimension, which found to be `None`."
            )
        return int(input_shape[axis])

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels // self.groups, self.filters)

    def build(self, input_shape: Any) -> None:
        """Create kernel [*kernel_size, in / groups, filters] and bias [filters]."""
        shape = TensorShape(input_shape)
        channels = self._get_input_channel(shape)
        if channels % self.groups != 0:
            raise ValueError(
                f"The number of input channels must be evenly divisible by the number of groups. Received groups={self.groups}, but the "
                f"input has {channels} channels (full input shape is {shape})."
            )
        self.compute_output_shape(shape)
        self.kernel = self.add_weight(
            name="kernel", shape=self._kernel_shape(channels), initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, trainable=True, dtype=self.dtype,
        )  # fmt: skip
        self._add_bias(self.filters)
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={self._get_channel_axis(): channels})
        self.built = True

    def _add_bias(self, size: int) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(size,), initializer=self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, trainable=True, dtype=self.dtype,
            )  # fmt: skip

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution without bias and activation; subclasses may overrule it, say to standardise the kernel."""
        return convolved(inputs, kernel, self.strides, self.padding, self.dilation_rate, self._first)

    def call(self, inputs: Any) -> Any:
        """activation(convolution(inputs, kernel) + bias)."""
        d = self.__dict__
        if "convolution_op" in d or type(self).convolution_op is not Conv.convolution_op:  # given to the layer or its class
            out = self.convolution_op(inputs, self.kernel)
            if self.use_bias:
                out = tf.nn.bias_add(out, self.bias, "NCHW" if self._first else "NHWC")
        else:
            out = convolved(inputs, self.kernel, d["strides"], d["padding"], d["dilation_rate"], d["_first"], self.bias)
        activation = d["activation"]
        return out if activation is None or activation is activations.linear else activation(out)

    def _spatial_output_shape(self, sizes: list[Any]) -> list[Any]:
        padding = "same" if self.padding == "causal" else self.padding
        return [
            conv_output_length(size, k, padding, s, r)
            for size, k, s, r in zip(sizes, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        ]

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the result; ValueError when nothing would be left of the input."""
        shape = TensorShape(input_shape)
        sizes = shape.as_list()
        lead = len(sizes) - self.rank - 1
        if self.data_format == "channels_last":
            found = [*sizes[:lead], *self._spatial_output_shape(sizes[lead:-1]), self.filters]
        else:
            found = [*sizes[:lead], self.filters, *self._spatial_output_shape(sizes[lead + 1 :])]
        if any(d is not None and d <= 0 for d in found[lead:]):
            raise ValueError(
                f"One of the dimensions in the output is <= 0 due to downsampling in {self.name}. Consider increasing the input size. "
                f"Received input shape {shape} which would produce output shape with a zero or negative value in a dimension."
            )
        return TensorShape(found)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({
            "filters": self.filters, "kernel_size": self.kernel_size, "strides": self.strides, "padding": self.padding,
            "data_format": self.data_format, "dilation_rate": self.dilation_rate, "groups": self.groups,
            "activation": activations.serialize(self.activation), "use_bias": self.use_bias,
        })  # fmt: skip
        config.update(self._option_config("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer"))
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        config.update(self._option_config("kernel_constraint", "bias_constraint"))
        return config


class Conv1D(Conv):
    """1-D convolution of [batch, steps, channels] (`tf.keras.layers.Conv1D`); "causal" padding looks back only."""

    _may_be_causal = True

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            1, filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


class Conv2D(Conv):
    """2-D convolution of [batch, height, width, channels] (`tf.keras.layers.Conv2D`)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            2, filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


class Conv3D(Conv):
    """3-D convolution of [batch, depth, height, width, channels] (`tf.keras.layers.Conv3D`)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1),
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            3, filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


