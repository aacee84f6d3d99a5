"""SpectralNormalization."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine.shapes import TensorShape

from .. import initializers
from .._base.input_spec import InputSpec
from .wrapper import Wrapper


class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value at each training call (`tf.keras.layers.SpectralNormalization`)."""

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(f"`power_iterations` should be greater than zero. Received: `power_iterations={power_iterations}`")
        self.power_iterations = power_iterations

    def build(self, input_shape: Any = None) -> None:
        """Build the layer and the vector of the power iteration."""
        super().build(input_shape)
        shape = TensorShape(input_shape)
        self.input_spec = InputSpec(shape=[None, *shape.as_list()[1:]])
        if hasattr(self.layer, "kernel"):
            self.kernel = self.layer.kernel
        elif hasattr(self.layer, "embeddings"):
            self.kernel = self.layer.embeddings
        else:
            raise ValueError(f"{type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings'")
        self.kernel_shape = self.kernel.shape.as_list()
        self.vector_u = self.add_weight(
            shape=(1, self.kernel_shape[-1]), initializer=initializers.TruncatedNormal(stddev=0.02), trainable=False, name="vector_u",
            dtype=self.kernel.dtype,
        )  # fmt: skip

    def call(self, inputs: Any, training: Any = False) -> Any:
        """The layer's output; in training its kernel is normalised first."""
        if training:
            kernel, u = self.normalize_weights()
            zero = tf.reduce_all(tf.equal(self.kernel, 0))
            self.kernel.assign(tf.where(zero, tf.convert_to_tensor(self.kernel), kernel))
            self.vector_u.assign(tf.where(zero, tf.convert_to_tensor(self.vector_u), u))
        return self.layer(inputs)

    def normalize_weights(self) -> Any:
        """The normalised kernel and the next vector."""
        weights = tf.reshape(self.kernel, [-1, self.kernel_shape[-1]])
        u: Any = self.vector_u
        v: Any = None
        for _ in range(self.power_iterations):
            v = tf.math.l2_normalize(tf.matmul(u, weights, transpose_b=True))
            u = tf.math.l2_normalize(tf.matmul(v, weights))
        u, v = tf.stop_gradient(u), tf.stop_gradient(v)
        sigma = tf.matmul(tf.matmul(v, weights), u, transpose_b=True)
        return tf.reshape(weights / sigma, self.kernel_shape), u

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The layer's output shape."""
        return TensorShape(self.layer.compute_output_shape(input_shape))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "power_iterations": self.power_iterations}
