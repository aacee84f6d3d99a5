"""`tf.keras.__internal__`: what TensorFlow Probability uses of it."""

from __future__ import annotations

import types

from tf2compat.keras._base.inference import without_symbols


def register_symbolic_tensor_type(cls: type) -> None:
    """Says that a class stands for tensors. Keras 2 has symbols for its instances; here a layer that gives one to a model's symbols is refused."""
    if not isinstance(cls, type):
        raise TypeError(f"Expected a class; got {cls!r}")
    without_symbols.append(cls)


utils = types.SimpleNamespace(register_symbolic_tensor_type=register_symbolic_tensor_type)
