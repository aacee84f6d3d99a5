"""`tf.__internal__`: names that TensorFlow keeps for Keras and for TensorFlow Probability."""

from __future__ import annotations

from tf2compat._engine.symbolic import SymbolicTensor
from tf2compat._private import nest
from tf2compat._private.type_specs import CompositeTensor

__all__ = ["CompositeTensor", "SymbolicTensor", "nest"]
