"""`tf.lookup.experimental`."""

from __future__ import annotations

from .._names import module_getattr
from .tables import MutableHashTable

__all__ = ["MutableHashTable"]

__getattr__ = module_getattr("tf.lookup.experimental")
