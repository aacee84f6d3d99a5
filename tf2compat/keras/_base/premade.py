"""LinearModel and WideDeepModel."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .. import activations, initializers, layers, regularizers
from .layer import Layer
from .model import Model


class LinearModel(Model):
    """A sum of linear maps of the inputs, a tensor, several or a dict of them (`tf.keras.experimental.LinearModel`)."""

    def __init__(
        self,
        units: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "zeros",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)

    def build(self, input_shape: Any) -> None:
        """Create a kernel for each input and one bias."""

        def linear(shape: Any, **options: Any) -> Any:
            layer = layers.Dense(
                self.units, use_bias=False, kernel_initializer=self.kernel_initializer, kernel_regularizer=self.kernel_regularizer, **options
            )
            layer.build(shape)
            return layer

        if isinstance(input_shape, dict):
            self.dense_layers = [linear(input_shape[name], name=name) for name in sorted(input_shape)]
        elif isinstance(input_shape, (tuple, list)) and all(isinstance(s, tf.TensorShape) for s in input_shape):
            self.dense_layers = [linear(shape) for shape in input_shape]
        else:
            self.dense_layers = [linear(input_shape)]
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight("bias", shape=self.units, initializer=self.bias_initializer, regularizer=self.bias_regularizer)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The activated sum; ValueError for a dict without all keys of the first one."""
        if isinstance(inputs, dict):
            names = {layer.name for layer in self.dense_layers}
            absent = names - set(inputs)
            if absent:
                raise ValueError(
                    "The `inputs` dictionary does not match the structure expected by the model."
                    f"\n\tExpected keys: {names}\n\tReceived keys: {set(inputs)}\n\tMissing keys: {absent}"
                )
            inputs = [inputs[layer.name] for layer in self.dense_layers]
        elif not isinstance(inputs, (tuple, list)):
            inputs = [inputs]
        parts = [layer(x) for layer, x in zip(self.dense_layers, inputs, strict=False)]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        if self.bias is not None:
            total = tf.nn.bias_add(total, self.bias)
        return total if self.activation is None else self.activation(total)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return Layer.get_config(self) | {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of what `get_config` returned."""
        return cls(**config)


class WideDeepModel(Model):
    """The sum of a linear model and a deep one, each of which may have an optimizer (`tf.keras.experimental.WideDeepModel`).

    Called on one input for both or on a pair of inputs.
    """

    def __init__(self, linear_model: Any, dnn_model: Any, activation: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.linear_model = linear_model
        self.dnn_model = dnn_model
        self.activation = activations.get(activation)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """The activated sum."""
        wide, deep = inputs if isinstance(inputs, (tuple, list)) and len(inputs) == 2 else (inputs, inputs)
        out = tf.nest.map_structure(lambda a, b: a + b, self.linear_model(wide), self.dnn_model(deep, training=training))
        return out if self.activation is None else tf.nest.map_structure(self.activation, out)

    def train_step(self, data: Any) -> Any:
        """One step, with the first of two optimizers for the linear model and the second for the deep one."""
        if not isinstance(self.optimizer, (list, tuple)):
            return super().train_step(data)
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, sample_weight, regularization_losses=self.losses)
        groups = [self.linear_model.trainable_variables, self.dnn_model.trainable_variables]
        for optimizer, own, grads in zip(self.optimizer, groups, tape.gradient(loss, groups), strict=True):
            optimizer.apply_gradients(zip(grads, own, strict=True))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        from .serialization import serialize_keras_object

        return Layer.get_config(self) | {
            "linear_model": serialize_keras_object(self.linear_model),
            "dnn_model": serialize_keras_object(self.dnn_model),
            "activation": activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of what `get_config` returned."""
        config = dict(config)
        for part in ("linear_model", "dnn_model"):
            config[part] = layers.deserialize(config[part], custom_objects)
        config["activation"] = activations.deserialize(config.pop("activation", None), custom_objects)
        return cls(**config)
