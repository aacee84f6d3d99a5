"""Wrapper and TimeDistributed."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine.shapes import TensorShape

from .._base.input_spec import InputSpec
from .._base.layer import Layer
from .rnn import build_plainly


class Wrapper(Layer):
    """A layer around another layer (`tf.keras.layers.Wrapper`)."""

    _rebuilds_layers = True

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"Layer {layer} supplied to wrapper is not a supported layer type. Please ensure wrapped layer is a valid Keras layer.")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside."""
        if not self.layer.built:
            build_plainly(self.layer, input_shape)
        self.built = True

    @property
    def activity_regularizer(self) -> Any:
        """The regularizer of the layer inside."""
        return getattr(self.__dict__.get("layer"), "activity_regularizer", None)

    @activity_regularizer.setter
    def activity_regularizer(self, value: Any) -> None:
        raise AttributeError("The activity regularizer of a wrapper is that of the layer inside.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        from .._base.serialization import serialize_keras_object

        config = super().get_config()
        config["layer"] = serialize_keras_object(self.layer)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A wrapper made from what `get_config` returned."""
        from .._base.serialization import deserialize_keras_object

        config = dict(config)
        layer = deserialize_keras_object(config.pop("layer"), custom_objects)
        return cls(layer, **config)


class TimeDistributed(Wrapper):
    """Applies a layer to each time step of [batch, time, ...] (`tf.keras.layers.TimeDistributed`)."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"Please initialize `TimeDistributed` layer with a `tf.keras.layers.Layer` instance. Received: {layer}")
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside for one step."""
        shapes = tf.nest.flatten(input_shape) if not isinstance(input_shape, TensorShape) else [input_shape]
        if all(isinstance(s, (int, type(None))) for s in shapes):
            shapes, input_shape = [TensorShape(input_shape)], TensorShape(input_shape)
        for s in shapes:
            if TensorShape(s).rank is not None and TensorShape(s).rank < 3:
                raise ValueError(
                    "`TimeDistributed` Layer should be passed an `input_shape ` with at least 3 dimensions, received: "
                    f"{[TensorShape(v).as_list() for v in shapes] if len(shapes) > 1 else tuple(TensorShape(s).as_list())}"
                )
        if isinstance(input_shape, TensorShape):
            self.input_spec = InputSpec(shape=[None, None, *input_shape.as_list()[2:]])
        step = tf.nest.map_structure(lambda s: TensorShape([TensorShape(s)[0], *TensorShape(s).as_list()[2:]]), input_shape)
        super().build(step)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The layer's output shape with time after the batch."""
        whole = TensorShape(input_shape).as_list()
        inner = self.layer.compute_output_shape(TensorShape([whole[0], *whole[2:]]))
        return tf.nest.map_structure(lambda s: TensorShape([TensorShape(s)[0], whole[1], *TensorShape(s).as_list()[1:]]), inner)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The layer's outputs for all steps, with the steps put in the batch."""
        kwargs: dict[str, Any] = {}
        spec = self.layer.__dict__["_call_spec"]
        if spec.training:
            kwargs["training"] = training
        if isinstance(inputs, tf.RaggedTensor):
            return inputs.with_values(self.layer(inputs.values, **kwargs))
        flat = tf.nest.flatten(inputs)
        first = flat[0]
        steps = first.shape[1] if first.shape[1] is not None else tf.shape(first)[1]

        def folded(x: Any) -> Any:
            rest = x.shape.as_list()[2:]
            if None in rest:
                return tf.reshape(x, tf.concat([[-1], tf.shape(x)[2:]], 0))
            return tf.reshape(x, [-1, *rest])

        if spec.mask and mask is not None and len(mask.shape) > 2:
            kwargs["mask"] = folded(mask)
        out = self.layer(tf.nest.map_structure(folded, inputs), **kwargs)

        def unfolded(y: Any) -> Any:
            rest = y.shape.as_list()[1:]
            if None in rest:
                return tf.reshape(y, tf.concat([[-1, steps], tf.shape(y)[1:]], 0))
            return tf.reshape(y, [-1, steps, *rest])

        return tf.nest.map_structure(unfolded, out)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the steps."""
        return mask
