"""`tf.experimental.extension_type`."""

from __future__ import annotations

from .._names import module_getattr
from .extension_types import as_dict

__all__ = ["as_dict"]

__getattr__ = module_getattr("tf.experimental.extension_type")
