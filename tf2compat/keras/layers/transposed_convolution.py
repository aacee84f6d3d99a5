"""Transposed convolution layers."""

from __future__ import annotations

from typing import Any

from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat.nn.transposed import transpose

from .. import activations
from .._base.input_spec import InputSpec
from ._common import deconv_output_length, normalize_tuple
from .convolution import Conv


@op("ConvTransposeBias", x=tensor(FLOATS), kernel=tensor(FLOATS), bias=tensor(FLOATS))
def _transposed(x: Any, kernel: Any, strides: Any, padding: str, rates: Any, first: bool, extra: Any, bias: Any = None) -> Any:
    n = kernel.ndim - 2
    sizes = tuple(
        deconv_output_length(size, k, padding, None if extra is None else extra[i], s, r)
        for i, (size, k, s, r) in enumerate(zip(x.shape[2:] if first else x.shape[1:-1], kernel.shape[:n], strides, rates, strict=True))
    )
    return transpose(x, kernel, n, sizes, strides, padding.upper(), rates, first, bias)


class _Transposed(Conv):
    """What the transposed convolutions share."""

    def _start(self, output_padding: Any) -> None:
        # Keras' layer of three dimensions takes a dilation and convolves without
        self._dilation = (1,) * 3 if self.rank == 3 else self.dilation_rate
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = normalize_tuple(output_padding, self.rank, "output_padding", allow_zero=True)
            for stride, pad in zip(self.strides, self.output_padding, strict=True):
                if pad >= stride:
                    raise ValueError(
                        f"Strides must be greater than output padding. Received strides={self.strides}, output_padding={self.output_padding}."
                        if self.rank == 3
                        else f"Stride must be greater than output padding. Received: stride={self.strides}, output_padding={self.output_padding}"
                    )

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, self.filters, channels)

    def build(self, input_shape: Any) -> None:
        """Create kernel [*kernel_size, filters, in] and bias [filters]."""
        shape = TensorShape(input_shape)
        if len(shape) != self.rank + 2:
            raise ValueError(f"Inputs should have rank {self.rank + 2}. Received input_shape={input_shape}.")
        axis = self._get_channel_axis()
        if shape[axis] is None:
            raise ValueError(
                f"The channel dimension of the inputs to `{type(self).__name__}` should be defined. The input_shape received is "
                f"{input_shape}, where axis {axis} (0-based) is the channel dimension, which found to be `None`."
            )
        channels = int(shape[axis])
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        self.kernel = self.add_weight(
            name="kernel", shape=self._kernel_shape(channels), initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, trainable=True, dtype=self.dtype,
        )  # fmt: skip
        self._add_bias(self.filters)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """activation(transposed convolution of inputs + bias)."""
        d = self.__dict__
        out = _transposed(
            inputs, self.kernel, d["strides"], d["padding"], d["_dilation"], d["_first"], d["output_padding"], self.bias
        )
        activation = d["activation"]
        return out if activation is None or activation is activations.linear else activation(out)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the result."""
        sizes = TensorShape(input_shape).as_list()
        first = self.data_format == "channels_first"
        spatial = sizes[2:] if first else sizes[1:-1]
        extra = self.output_padding or (None,) * self.rank
        found = [
            deconv_output_length(size, k, self.padding, e, s, r)
            for size, k, e, s, r in zip(spatial, self.kernel_size, extra, self.strides, self._dilation, strict=True)
        ]
        return TensorShape([sizes[0], self.filters, *found] if first else [sizes[0], *found, self.filters])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["output_padding"] = self.output_padding
        return config


class Conv1DTranspose(_Transposed):
    """The transpose of Conv1D (`tf.keras.layers.Conv1DTranspose`)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
            1, filters, kernel_size, strides, padding, data_format, dilation_rate, kwargs.pop("groups", 1), activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        self._start(output_padding)


class Conv2DTranspose(_Transposed):
    """The transpose of Conv2D (`tf.keras.layers.Conv2DTranspose`)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
            2, filters, kernel_size, strides, padding, data_format, dilation_rate, kwargs.pop("groups", 1), activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        self._start(output_padding)


class Conv3DTranspose(_Transposed):
    """The transpose of Conv3D (`tf.keras.layers.Conv3DTranspose`)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1),
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
            3, filters, kernel_size, strides, padding, data_format, dilation_rate, kwargs.pop("groups", 1), activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        self._start(output_padding)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.pop("dilation_rate")
        return config
