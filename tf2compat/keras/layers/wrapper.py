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
            raise ValueError(f"Layer {layer} supplied to wrapper is not a supported layer type. Please ensure wrapped layer is a valid TF-Keras layer.")
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


def _shape_map(fn: Any, shapes: Any) -> Any:
    """`fn` of each TensorShape in a structure of shapes, which may be tuples."""
    if isinstance(shapes, TensorShape) or (isinstance(shapes, (list, tuple)) and all(d is None or isinstance(d, int) for d in shapes)):
        return fn(TensorShape(shapes))
    if isinstance(shapes, dict):
        return {k: _shape_map(fn, v) for k, v in shapes.items()}
    return type(shapes)(_shape_map(fn, v) for v in shapes)


def _reshaped(x: Any, first: list[Any], start: int) -> Any:
    """x with `first` in the place of its dimensions before `start`."""
    rest = x.shape.as_list()[start:]
    if None in rest or any(not isinstance(d, int) for d in first):
        return tf.reshape(x, tf.concat([tf.stack(first), tf.shape(x)[start:]], 0))
    return tf.reshape(x, [*first, *rest])


class TimeDistributed(Wrapper):
    """Applies a layer to each time step of [batch, time, ...], or of a structure of such (`tf.keras.layers.TimeDistributed`).

    The steps are put in the batch; a class of the user's own, or a stateful layer, is given one step after the other where the size of
    the batch is known.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"Please initialize `TimeDistributed` layer with a `tf.keras.layers.Layer` instance. Received: {layer}")
        super().__init__(layer, **kwargs)
        self.supports_masking = True
        known = type(layer).__mro__[: type(layer).__mro__.index(Layer)]
        self._always_use_reshape = any(c.__module__.startswith("tf2compat.") for c in known) and not layer.stateful

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside for one step. ValueError for inputs of less than three dimensions."""
        shapes: list[TensorShape] = []
        _shape_map(shapes.append, input_shape)
        if any(s.rank is not None and s.rank < 3 for s in shapes):
            shown = _shape_map(lambda s: tuple(s.as_list()), input_shape)
            raise ValueError(f"`TimeDistributed` Layer should be passed an `input_shape ` with at least 3 dimensions, received: {shown}")
        self.input_spec = _shape_map(lambda s: InputSpec(shape=[None, None, *s.as_list()[2:]]), input_shape)
        super().build(_shape_map(_one_step, input_shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The layer's output shape with time after the batch."""
        shapes: list[TensorShape] = []
        _shape_map(shapes.append, input_shape)
        inner = self.layer.compute_output_shape(_shape_map(_one_step, input_shape))
        return _shape_map(lambda s: TensorShape([s[0], shapes[0][1], *s.as_list()[1:]]), inner)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The layer's outputs for all steps. ValueError for ragged inputs among others that are not."""
        kwargs: dict[str, Any] = {}
        spec = self.layer.__dict__["_call_spec"]
        if spec.training:
            kwargs["training"] = training
        flat = tf.nest.flatten(inputs)
        batch = flat[0].shape[0]
        if batch and not self._always_use_reshape:
            return self._step_by_step(inputs, mask, kwargs)
        ragged = [isinstance(x, tf.RaggedTensor) for x in flat]
        if all(ragged):
            out = self.layer(tf.nest.map_structure(lambda x: x.values, inputs), **kwargs)
            return tf.nest.map_structure(lambda y, x: x.with_values(y), out, inputs) if len(flat) > 1 else tf.nest.map_structure(flat[0].with_values, out)
        if any(ragged):
            raise ValueError(f"All inputs has to be either ragged or not, but not mixed. Received: {inputs}")
        steps = flat[0].shape[1] or tf.shape(flat[0])[1]
        if spec.mask and mask is not None and not tf.nest.is_nested(mask):
            kwargs["mask"] = _reshaped(mask, [-1], 2)
        out = self.layer(tf.nest.map_structure(lambda x: _reshaped(x, [-1], 2), inputs), **kwargs)
        return tf.nest.map_structure(lambda y: _reshaped(y, [batch or -1, steps], 1), out)

    def _step_by_step(self, inputs: Any, mask: Any, kwargs: dict[str, Any]) -> Any:
        from ..backend import rnn

        lengths = None
        if isinstance(inputs, tf.RaggedTensor):
            lengths = inputs.nested_row_lengths()
            inputs = inputs.to_tensor()
        steps = lengths[0] if lengths is not None else tf.nest.flatten(inputs)[0].shape[1]
        _, out, _ = rnn(lambda x, _: (self.layer(x, **kwargs), []), inputs, initial_states=[], input_length=steps, mask=mask, unroll=False)
        return out if lengths is None else tf.nest.map_structure(lambda y: tf.RaggedTensor.from_tensor(y, lengths), out)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the layer for each step, or the steps' own."""
        flat = tf.nest.flatten(inputs)
        batch = flat[0].shape[0]
        if batch and not self._always_use_reshape or any(isinstance(x, tf.RaggedTensor) for x in flat):
            return mask
        inner = mask if mask is None or tf.nest.is_nested(mask) else _reshaped(mask, [-1], 2)
        found = self.layer.compute_mask(tf.nest.map_structure(lambda x: _reshaped(x, [-1], 2), inputs), inner)
        if found is None:
            if mask is None:
                return None
            while len(mask.shape) > 2:
                mask = tf.reduce_any(mask, axis=-1)
            return mask
        return _reshaped(found, [batch or -1, flat[0].shape[1] or tf.shape(flat[0])[1]], 1)


def _one_step(shape: TensorShape) -> TensorShape:
    return TensorShape([shape[0], *shape.as_list()[2:]])
