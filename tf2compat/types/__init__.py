"""`tf.types`."""

from __future__ import annotations

from .._names import module_getattr
from . import experimental

__all__ = ["experimental"]

__getattr__ = module_getattr("tf.types")
