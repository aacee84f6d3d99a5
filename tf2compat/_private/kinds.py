"""What `isinstance` is asked of tensors by libraries: any tensor or variable, or a tensor that has its value."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine.symbolic import SymbolicTensor
from tf2compat.distribute import _mirrored

__all__ = ["DistributedVariable", "EagerTensor", "Tensor"]


class _AnyTensor(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, (tf.Tensor, tf.Variable))

    def __subclasscheck__(cls, kind: Any) -> bool:
        return issubclass(kind, (tf.Tensor, tf.Variable))


class _Eager(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, tf.Tensor) and not isinstance(value, SymbolicTensor)

    def __subclasscheck__(cls, kind: Any) -> bool:
        return issubclass(kind, tf.Tensor) and not issubclass(kind, SymbolicTensor)


class Tensor(metaclass=_AnyTensor):
    """Tensors and variables (`tf.__internal__.types.Tensor`)."""


class EagerTensor(metaclass=_Eager):
    """Tensors outside of graphs (`tf.__internal__.EagerTensor`)."""


class _Distributed(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, tf.Variable) and (value._distributed is not None or isinstance(value, _mirrored.DistributedVariable))

    def __subclasscheck__(cls, kind: Any) -> bool:
        return issubclass(kind, _mirrored.DistributedVariable)


class DistributedVariable(metaclass=_Distributed):
    """Variables that a strategy made."""
