"""Signatures of saved functions: `StructuredValue` messages as Python structures of specs."""

from __future__ import annotations

import collections
from typing import Any

import tf2compat as tf

from .attributes import Damaged, dtype_of, shape_of

_MAX_DEPTH = 100
_RAGGED, _SPARSE = 3, 1


def value_of(proto: Any, depth: int = 0) -> Any:
    """The structure that a message describes. Raises Damaged, or NotImplementedError for a kind of value there is not here."""
    if depth > _MAX_DEPTH:
        raise Damaged("a signature is nested too deeply")
    kind = proto.WhichOneof("kind")
    content = getattr(proto, kind) if kind else None
    if kind in (None, "none_value"):
        return None
    if kind in ("float64_value", "string_value", "bool_value"):
        return content
    if kind == "int64_value":
        return int(content)
    if kind == "tensor_shape_value":
        return tf.TensorShape(shape_of(content))
    if kind == "tensor_dtype_value":
        return dtype_of(content)
    if kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        return tf.TensorSpec(shape_of(content.shape), dtype_of(content.dtype), name=content.name or None)
    if kind == "list_value":
        return [value_of(item, depth + 1) for item in content.values]
    if kind == "tuple_value":
        return tuple([value_of(item, depth + 1) for item in content.values])
    if kind == "dict_value":
        return {key: value_of(item, depth + 1) for key, item in content.fields.items()}
    if kind == "named_tuple_value":
        names = [item.key for item in content.values]
        made = collections.namedtuple(content.name or "Tuple", names, rename=True)  # type: ignore[misc]
        return made(*[value_of(item.value, depth + 1) for item in content.values])
    if kind == "type_spec_value":
        state = value_of(content.type_state, depth + 1)
        if content.type_spec_class == _RAGGED:
            shape, dtype, rank, splits = state[:4]
            return tf.RaggedTensorSpec(shape, dtype, rank, splits)
        if content.type_spec_class == _SPARSE:
            return tf.SparseTensorSpec(*state)
        raise NotImplementedError(f"A function of this SavedModel takes or gives a {content.type_spec_class_name}, which tf2compat cannot read.")
    raise NotImplementedError(f"A function of this SavedModel has a signature with a {kind}, which tf2compat cannot read.")
