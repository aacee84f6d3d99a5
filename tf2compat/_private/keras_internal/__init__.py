"""`tf.keras.__internal__`: what other libraries use of it."""

from __future__ import annotations

import types

from tf2compat.keras._base.inference import without_symbols
from tf2compat.keras._base.symbolic import KerasTensor

from . import layers, losses, optimizers

__all__ = ["KerasTensor", "layers", "losses", "optimizers", "utils"]


def register_symbolic_tensor_type(cls: type) -> None:
    """Says that a class stands for tensors. Keras 2 has symbols for its instances; here a layer that gives one to a model's symbols is refused."""
    if not isinstance(cls, type):
        raise TypeError(f"Expected a class; got {cls!r}")
    without_symbols.append(cls)


utils = types.SimpleNamespace(register_symbolic_tensor_type=register_symbolic_tensor_type)
