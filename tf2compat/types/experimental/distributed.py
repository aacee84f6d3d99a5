"""`tf.types.experimental.distributed`: the classes of values that replicas hold."""

from __future__ import annotations

from ..._names import module_getattr
from ...distribute._values import Mirrored, PerReplica

__all__ = ["Mirrored", "PerReplica"]

__getattr__ = module_getattr("tf.types.experimental.distributed")
