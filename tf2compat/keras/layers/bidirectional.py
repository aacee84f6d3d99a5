"""Bidirectional."""

from __future__ import annotations

import copy
from typing import Any

import tf2compat as tf
from tf2compat._engine.shapes import TensorShape

from .._base.callspec import mask_of
from .._base.layer import Layer
from .._base.serialization import CustomObjectScope
from ._rnn_arguments import are_symbols, parted
from .rnn import build_inside, call_ragged
from .wrapper import Wrapper


class Bidirectional(Wrapper):
    """A recurrent layer forwards and a copy of it backwards along time (`tf.keras.layers.Bidirectional`).

    `merge_mode` "concat", "sum", "mul", "ave" or None (a list of both); `backward_layer` takes the copy's place.
    """

    def __init__(
        self, layer: Any, merge_mode: str | None = "concat", weights: Any = None, backward_layer: Any = None, **kwargs: Any
    ) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"Please initialize `Bidirectional` layer with a `tf.keras.layers.Layer` instance. Received: {layer}")
        if backward_layer is not None and not isinstance(backward_layer, Layer):
            raise ValueError(f"`backward_layer` need to be a `tf.keras.layers.Layer` instance. Received: {backward_layer}")
        if merge_mode not in ["sum", "mul", "ave", "concat", None]:
            raise ValueError(
                f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one of "
                '{"sum", "mul", "ave", "concat", None}'
            )
        Layer.__init__(self, **kwargs)
        self.__dict__["layer"] = layer  # not tracked: the two copies are
        self.forward_layer = self._again(layer)
        if backward_layer is None:
            self.backward_layer = self._again(layer, go_backwards=True)
        else:
            from .._base.serialization import serialize_keras_object

            self.__dict__["_backward_layer_config"] = serialize_keras_object(backward_layer)
            self.backward_layer = backward_layer
        self.forward_layer.__dict__["_name"] = "forward_" + self.forward_layer.name
        self.backward_layer.__dict__["_name"] = "backward_" + self.backward_layer.name
        self._verify()
        for one in (self.forward_layer, self.backward_layer):
            if getattr(one, "zero_output_for_mask", None) is not None:
                one.zero_output_for_mask = one.return_sequences
        self.merge_mode = merge_mode
        if weights:
            half = len(weights) // 2
            self.forward_layer.__dict__["_initial_weights"] = weights[:half]
            self.backward_layer.__dict__["_initial_weights"] = weights[half:]
        self.__dict__["_stateful"] = layer.__dict__.get("_stateful", False)
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.input_spec = layer.input_spec
        self.supports_masking = True
        self._trainable = kwargs.get("trainable", layer.trainable)
        self._num_constants = 0

    def _again(self, layer: Any, go_backwards: bool = False) -> Any:
        config = copy.deepcopy(layer.get_config())
        if go_backwards:
            config["go_backwards"] = not config["go_backwards"]
        cell = getattr(layer, "cell", None)  # its class, and those of stacked cells, need no registration
        known = {type(c).__name__: type(c) for c in (cell, *getattr(cell, "cells", ())) if c is not None}
        with CustomObjectScope(known):
            return type(layer).from_config(config)

    def _verify(self) -> None:
        one, two = self.forward_layer, self.backward_layer
        if one.go_backwards == two.go_backwards:
            raise ValueError(
                "Forward layer and backward layer should have different `go_backwards` value."
                f"forward_layer.go_backwards = {one.go_backwards},backward_layer.go_backwards={two.go_backwards}"
            )
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(one, name) != getattr(two, name):
                raise ValueError(
                    f'Forward layer and backward layer are expected to have the same value for attribute "{name}", got '
                    f'"{getattr(one, name)}" for forward layer and "{getattr(two, name)}" for backward layer'
                )

    def build(self, input_shape: Any = None) -> None:
        """Build both layers."""
        for one in (self.forward_layer, self.backward_layer):
            if not one.built:
                build_inside(one, input_shape)
                initial = one.__dict__.get("_initial_weights")
                if initial is not None:
                    one.set_weights(initial)
        self.built = True

    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        """Call with inputs, or a list of inputs and initial states (the forward layer's first)."""
        inputs, initial_state, constants = parted(inputs, initial_state, constants, self._num_constants)
        if isinstance(inputs, tf.RaggedTensor):
            return call_ragged(self, super().__call__, inputs, initial_state, constants, kwargs)
        if initial_state is None and constants is None:
            return super().__call__(inputs, **kwargs)
        if initial_state is not None and len(initial_state) % 2:
            raise ValueError(
                "When passing `initial_state` to a Bidirectional RNN, the state should be a list containing the states of the "
                f"underlying RNNs. Received: {initial_state}"
            )
        if constants is not None:
            self._num_constants = len(constants)
        if are_symbols(initial_state, constants):
            kwargs.update({"initial_state": None, "constants": None})
            return super().__call__([inputs, *(initial_state or []), *(constants or [])], **kwargs)  # as Keras: all are its inputs
        for name, value in (("initial_state", initial_state), ("constants", constants)):
            if value is not None:
                kwargs[name] = value
        return super().__call__(inputs, **kwargs)

    def call(self, inputs: Any, training: Any = None, mask: Any = None, initial_state: Any = None, constants: Any = None) -> Any:
        """The merged outputs, and the states of both when asked for."""
        inputs, initial_state, constants = parted(inputs, initial_state, constants, self._num_constants)
        mask = mask[0] if isinstance(mask, list) else mask
        kwargs: dict[str, Any] = {}
        names = self.forward_layer.__dict__["_call_spec"]
        if names.training:
            kwargs["training"] = training
        if names.mask:
            kwargs["mask"] = mask if mask is not None else mask_of(inputs)
        if constants is not None:
            kwargs["constants"] = constants
        if initial_state is not None:
            half = len(initial_state) // 2
            y = self.forward_layer(inputs, initial_state=initial_state[:half], **kwargs)
            back = self.backward_layer(inputs, initial_state=initial_state[half:], **kwargs)
        else:
            y, back = self.forward_layer(inputs, **kwargs), self.backward_layer(inputs, **kwargs)
        states: list[Any] = []
        if self.return_state:
            states = [*y[1:], *back[1:]]
            y, back = y[0], back[0]
        if self.return_sequences:
            back = tf.reverse(back, [0 if getattr(self.forward_layer, "time_major", False) else 1])
        output: Any
        if self.merge_mode == "concat":
            output = tf.concat([y, back], -1)
        elif self.merge_mode == "sum":
            output = y + back
        elif self.merge_mode == "ave":
            output = (y + back) / 2
        elif self.merge_mode == "mul":
            output = y * back
        else:
            output = [y, back]
        if self.return_state:
            return [*output, *states] if self.merge_mode is None else [output, *states]
        return output

    def reset_states(self, states: Any = None) -> None:
        """Reset both layers' kept states. AttributeError unless stateful."""
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        if states is None:
            self.forward_layer.reset_states()
            self.backward_layer.reset_states()
            return
        if not isinstance(states, (list, tuple)):
            raise ValueError(f"Unrecognized value for `states`. Expected `states` to be list or tuple. Received: {states}")
        half = len(states) // 2
        self.forward_layer.reset_states(states[:half])
        self.backward_layer.reset_states(states[half:])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the merged outputs."""
        shape = self.forward_layer.compute_output_shape(input_shape)
        states: list[Any] = []
        if self.return_state:
            states, shape = shape[1:], shape[0]
        dims = TensorShape(shape).as_list()
        if self.merge_mode == "concat":
            found: Any = TensorShape([*dims[:-1], None if dims[-1] is None else dims[-1] * 2])
        elif self.merge_mode is None:
            found = [TensorShape(dims), TensorShape(dims)]
        else:
            found = TensorShape(dims)
        if self.return_state:
            return [*found, *states, *states] if self.merge_mode is None else [found, *states, *states]
        return found

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The input's mask for sequences, else None."""
        mask = mask[0] if isinstance(mask, list) else mask
        found: Any
        if self.return_sequences:
            found = [mask, mask] if not self.merge_mode else mask
        else:
            found = [None, None] if not self.merge_mode else None
        if self.return_state:
            states = [None] * (2 * len(tf.nest.flatten(self.forward_layer.cell.state_size)))
            return [*found, *states] if isinstance(found, list) else [found, *states]
        return found

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["merge_mode"] = self.merge_mode
        if self._num_constants:
            config["num_constants"] = self._num_constants
        if "_backward_layer_config" in self.__dict__:
            config["backward_layer"] = self.__dict__["_backward_layer_config"]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A wrapper made from what `get_config` returned."""
        from .._base.serialization import deserialize_keras_object

        config = copy.deepcopy(config)
        constants = config.pop("num_constants", 0)
        config["layer"] = deserialize_keras_object(config["layer"], custom_objects)
        if config.get("backward_layer") is not None:
            config["backward_layer"] = deserialize_keras_object(config["backward_layer"], custom_objects)
        layer = cls(**config)
        layer._num_constants = constants
        return layer
