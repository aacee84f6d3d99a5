"""`tf.keras.__internal__`: what TensorFlow Probability uses of it."""

from __future__ import annotations

import types


def register_symbolic_tensor_type(cls: type) -> None:
    """Keras 2 lets instances of such a class be outputs of layers; here any object with `_is_keras_tensor`, or that converts to a tensor, can be."""
    if not isinstance(cls, type):
        raise TypeError(f"Expected a class; got {cls!r}")


utils = types.SimpleNamespace(register_symbolic_tensor_type=register_symbolic_tensor_type)
