"""`tf.lookup.experimental`."""

from __future__ import annotations

from .._names import module_getattr
from .tables import DenseHashTable, MutableHashTable

__all__ = ["DenseHashTable", "MutableHashTable"]

__getattr__ = module_getattr("tf.lookup.experimental")
