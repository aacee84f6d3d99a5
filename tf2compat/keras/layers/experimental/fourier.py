"""RandomFourierFeatures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._engine.shapes import TensorShape

from ... import initializers
from ..._base.input_spec import InputSpec
from ..._base.layer import Layer


class RandomFourierFeatures(Layer):
    """cos(inputs @ W / scale + b) with random W and b, whose products approximate a kernel.

    `tf.keras.layers.experimental.RandomFourierFeatures`; `kernel_initializer` "gaussian", "laplacian" or an initializer.
    """

    def __init__(
        self,
        output_dim: int,
        kernel_initializer: Any = "gaussian",
        scale: float | None = None,
        trainable: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if output_dim <= 0:
            raise ValueError(f"`output_dim` should be a positive integer. Received: {output_dim}")
        if isinstance(kernel_initializer, str) and kernel_initializer.lower() not in ("gaussian", "laplacian"):
            raise ValueError(f"Unsupported `kernel_initializer`: {kernel_initializer} Expected one of: ['gaussian', 'laplacian']")
        if scale is not None and scale <= 0.0:
            raise ValueError(f"When provided, `scale` should be a positive float. Received: {scale}")
        super().__init__(trainable=trainable, name=name, **kwargs)
        self.output_dim = output_dim
        self.kernel_initializer = kernel_initializer
        self.scale = scale

    def build(self, input_shape: Any) -> None:
        """Create unscaled_kernel [in, output_dim], bias and kernel_scale."""
        shape = TensorShape(input_shape)
        if shape.rank != 2:
            raise ValueError(f"The rank of the input tensor should be 2. Received input with rank {shape.rank} instead. Full input shape received: {shape}")
        if shape[1] is None:
            raise ValueError(f"The last dimension of the input tensor should be defined. Found `None`. Full input shape received: {shape}")
        self.input_spec = InputSpec(ndim=2, axes={1: shape[1]})
        size = shape[1]
        kind = self.kernel_initializer.lower() if isinstance(self.kernel_initializer, str) else None
        made: Any = initializers.RandomNormal(stddev=1.0) if kind == "gaussian" else _cauchy if kind == "laplacian" else self.kernel_initializer
        self.unscaled_kernel = self.add_weight(name="unscaled_kernel", shape=(size, self.output_dim), dtype=tf.float32, initializer=made, trainable=False)
        self.bias = self.add_weight(
            name="bias", shape=(self.output_dim,), dtype=tf.float32, initializer=initializers.RandomUniform(0.0, 2 * math.pi),
            trainable=False,
        )  # fmt: skip
        scale = self.scale if self.scale is not None else math.sqrt(size / 2.0) if kind == "gaussian" else 1.0
        self.kernel_scale = self.add_weight(
            name="kernel_scale", shape=(1,), dtype=tf.float32, initializer=initializers.Constant(scale), trainable=True, constraint="NonNeg"
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """cos(inputs @ kernel / scale + bias)."""
        inputs = tf.cast(inputs, tf.float32)
        return tf.cos(tf.matmul(inputs, (1.0 / self.kernel_scale) * self.unscaled_kernel) + self.bias)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """[batch, output_dim]."""
        shape = TensorShape(input_shape).with_rank(2)
        if shape[1] is None:
            raise ValueError(f"The last dimension of the input tensor should be defined. Found `None`. Full input shape received: {shape}")
        return TensorShape([shape[0], self.output_dim])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        kind = self.kernel_initializer
        config = {"output_dim": self.output_dim, "kernel_initializer": kind if isinstance(kind, str) else initializers.serialize(kind), "scale": self.scale}
        return {**super().get_config(), **config}


def _cauchy(shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """Cauchy numbers, the spectrum of the Laplacian kernel."""
    u = tf.random.uniform(shape, dtype=dtype or tf.float32)
    return tf.tan(np.float32(math.pi) * (u - 0.5))
