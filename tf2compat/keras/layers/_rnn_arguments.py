"""What recurrent layers are called with: inputs, the states they begin with, and constants, apart or in one list."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .._base.input_spec import InputSpec


def parted(inputs: Any, initial_state: Any, constants: Any, number: int) -> tuple[Any, Any, Any]:
    """Inputs, initial states and constants (lists or None) of a call; one list may hold them all, the last `number` being constants.

    A tuple is one input of several parts.
    """
    if isinstance(inputs, list):
        if number and constants is None:
            constants, inputs = inputs[-number:], inputs[:-number]
        if len(inputs) > 1:
            initial_state = inputs[1:]
        inputs = inputs[0]
    return inputs, _listed(initial_state), _listed(constants)


def _listed(value: Any) -> Any:
    if value is None or isinstance(value, list):
        return value
    return list(value) if isinstance(value, tuple) else [value]


def are_symbols(initial_state: Any, constants: Any) -> bool:
    """Whether states and constants are Keras' symbolic tensors. ValueError where only some of them are."""
    kinds = {hasattr(type(v), "_is_keras_tensor") for v in tf.nest.flatten([initial_state or [], constants or []])}
    if len(kinds) > 1:
        raise ValueError(
            "The initial state or constants of an RNN layer cannot be specified via a mix of TF-Keras tensors and non-Keras tensors (a "
            '"Keras tensor" is a tensor that was returned by a TF-Keras layer  or by `Input` during Functional model construction). '
            f"Received: initial_state={initial_state}, constants={constants}"
        )
    return kinds != {False}


def specs_of(values: list[Any]) -> list[Any]:
    """An InputSpec of the shape of each."""
    return [tf.nest.map_structure(lambda v: InputSpec(shape=getattr(v, "shape", None)), value) for value in values]
