"""`tensorflow.python.ops.nn_ops.Convolution`: a convolution that is described first and called later."""

from __future__ import annotations

from typing import Any

import tf2compat as tf


class Convolution:
    """A convolution of inputs of one shape with filters of one shape; called with an input and filters.

    ValueError for shapes that do not fit together.
    """

    def __init__(
        self,
        input_shape: Any,
        filter_shape: Any,
        padding: str,
        strides: Any = None,
        dilation_rate: Any = None,
        name: str | None = None,
        data_format: str | None = None,
        num_spatial_dims: int | None = None,
    ) -> None:
        filters, inputs = tf.TensorShape(filter_shape), tf.TensorShape(input_shape)
        if filters.rank is not None:
            if num_spatial_dims is not None and filters.rank != num_spatial_dims + 2:
                raise ValueError(
                    f"`filters.shape.rank` must be `num_spatial_dims + 2`. Received: filters.shape={filters} of rank {filters.rank} and "
                    f"num_spatial_dims={num_spatial_dims}"
                )
            num_spatial_dims = filters.rank - 2
        if num_spatial_dims is None:
            if inputs.rank is None:
                raise ValueError(
                    "When `num_spatial_dims` is not set, one of `input.shape.rank` or `filters.shape.rank` must be known. "
                    f"Received: input.shape={inputs} and `filters.shape={filters}`"
                )
            num_spatial_dims = inputs.rank - 2
        elif inputs.rank is not None and inputs.rank < num_spatial_dims + 2:
            raise ValueError(
                f"`input.shape.rank` must be >= than `num_spatial_dims + 2`. Received: input.shape={inputs} of rank {inputs.rank} and "
                f"num_spatial_dims={num_spatial_dims}"
            )
        self.input_shape, self.filter_shape, self.num_spatial_dims = inputs, filters, num_spatial_dims
        self.padding, self.data_format, self.name = padding, data_format, name
        self.strides = [1] * num_spatial_dims if strides is None else strides
        self.dilation_rate = [1] * num_spatial_dims if dilation_rate is None else dilation_rate

    def __call__(self, inp: Any, filter: Any) -> Any:  # noqa: A002 - TensorFlow's name
        return tf.nn.convolution(
            inp, filter, strides=self.strides, padding=self.padding, data_format=self.data_format, dilations=self.dilation_rate, name=self.name
        )
