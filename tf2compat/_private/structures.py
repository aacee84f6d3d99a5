"""What libraries import from `tensorflow.python.data.util.structure`: structures of TypeSpecs, of elements of datasets."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine.specs import NoneTensorSpec as NoneTensorSpec
from tf2compat.data import structure


def are_compatible(spec1: Any, spec2: Any) -> bool:
    """Whether two structures are the same, and each TypeSpec of one agrees with that of the other, both ways."""
    try:
        tf.nest.assert_same_structure(spec1, spec2)
    except (TypeError, ValueError):
        return False
    return all(a.is_compatible_with(b) and b.is_compatible_with(a) for a, b in zip(structure.leaves(spec1), structure.leaves(spec2), strict=True))


def type_spec_from_value(element: Any, use_fallback: bool = True) -> Any:
    """The TypeSpecs of an element. TypeError for what has none; `use_fallback=False` takes tensors only, no lists or arrays."""
    if isinstance(element, (dict, tuple)):
        return structure.map_leaves(lambda v: type_spec_from_value(v, use_fallback), element)
    if not use_fallback and not tf.is_tensor(element) and not hasattr(element, "_type_spec") and not hasattr(element, "element_spec"):
        raise TypeError(f"Could not build a `TypeSpec` for {element!r} with type {type(element).__name__}.")
    try:
        return structure.spec_of(structure.normalise(element))
    except ValueError:
        raise TypeError(f"Could not build a `TypeSpec` for {element!r} with type {type(element).__name__}.") from None


def normalize_element(element: Any, element_signature: Any = None) -> Any:
    """An element whose parts are tensors, of the dtypes of a signature."""
    if element_signature is None:
        return structure.normalise(element)
    return tf.nest.map_structure(lambda s, v: tf.convert_to_tensor(v, s.dtype) if isinstance(s, tf.TensorSpec) else v, element_signature, element)
