"""`tf.nest`: functions on nested structures."""

from __future__ import annotations

from ._engine.nest import assert_same_structure, flatten, is_nested, map_structure, pack_sequence_as
from ._names import module_getattr

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]

__getattr__ = module_getattr("tf.nest")
