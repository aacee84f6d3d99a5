"""Structures of specs and plain values as `StructuredValue`, the message of TensorFlow's SavedModels, and back."""

from __future__ import annotations

import collections
import importlib
from collections.abc import Mapping
from typing import Any

from . import dtypes
from .shapes import TensorShape
from .specs import TensorSpec, TypeSpec

_MAX_DEPTH = 100

#: the message's name for a spec -> the spec
_SPECS = {
    "SPARSE_TENSOR_SPEC": "tf2compat.sparse.sparse_tensor.SparseTensorSpec",
    "INDEXED_SLICES_SPEC": "tf2compat._engine.specs.IndexedSlicesSpec",
    "RAGGED_TENSOR_SPEC": "tf2compat.ragged.spec.RaggedTensorSpec",
    "TENSOR_ARRAY_SPEC": "tf2compat._engine.specs.TensorArraySpec",
    "DATA_DATASET_SPEC": "tf2compat.data.dataset.DatasetSpec",
    "DATA_ITERATOR_SPEC": "tf2compat.data.iterator.IteratorSpec",
    "OPTIONAL_SPEC": "tf2compat._engine.specs.OptionalSpec",
    "PER_REPLICA_SPEC": "tf2compat.distribute._values.PerReplicaSpec",
    "VARIABLE_SPEC": "tf2compat._engine.specs.VariableSpec",
}
_NAMES = {path.rpartition(".")[2]: name for name, path in _SPECS.items()}


class NotEncodableError(Exception):
    """A value of a kind that the message has no place for."""


def encode_structure(nested_structure: Any) -> Any:
    """The message for a structure; NotEncodableError for what it cannot hold."""
    from tensorboard.compat.proto.struct_pb2 import StructuredValue

    out = StructuredValue()
    _encode(nested_structure, out)
    return out


def _encode(value: Any, out: Any) -> None:
    if value is None:
        out.none_value.SetInParent()
    elif type(value) is bool:
        out.bool_value = value
    elif type(value) is int:
        out.int64_value = value
    elif type(value) is float:
        out.float64_value = value
    elif type(value) is str:
        out.string_value = value
    elif isinstance(value, TensorShape):
        out.tensor_shape_value.CopyFrom(value.as_proto())
    elif isinstance(value, dtypes.DType):
        out.tensor_dtype_value = value._enum
    elif type(value) is TensorSpec:
        out.tensor_spec_value.CopyFrom(value.experimental_as_proto())
    elif isinstance(value, TypeSpec):
        _encode_spec(value, out.type_spec_value)
    elif isinstance(value, Mapping):
        out.dict_value.SetInParent()
        for key, item in value.items():
            _encode(item, out.dict_value.fields[key])
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        out.named_tuple_value.name = type(value).__name__
        for key, item in zip(value._fields, value, strict=True):
            _encode(item, out.named_tuple_value.values.add(key=key).value)
    elif isinstance(value, (list, tuple)):
        target = out.list_value if isinstance(value, list) else out.tuple_value
        target.SetInParent()
        for item in value:
            _encode(item, target.values.add())
    else:
        raise NotEncodableError(f"No encoder for object {value} of type {type(value)}.")


def _encode_spec(spec: Any, out: Any) -> None:
    from .._private import type_specs
    from . import nest

    cls = type(spec)
    kind = _NAMES.get(cls.__name__) if cls.__module__.startswith("tf2compat") else None
    name = cls.__name__
    if kind is None:
        try:
            name = type_specs.get_name(cls)
        except ValueError:
            raise NotEncodableError(f"No encoder for object {spec} of type {cls}.") from None
        kind = "REGISTERED_TYPE_SPEC"
    parts = spec._component_specs() if callable(spec._component_specs) else spec._component_specs
    out.type_spec_class = out.TypeSpecClass.DESCRIPTOR.values_by_name[kind].number if kind in out.TypeSpecClass.keys() else 12  # noqa: SIM118
    out.type_spec_class_name = name
    out.num_flat_components = len(nest.flatten(parts, expand_composites=True))
    _encode(spec._serialize(), out.type_state)


def decode(proto: Any, depth: int = 0) -> Any:
    """The structure that a message describes; ValueError for a kind of value that there is not here."""
    if depth > _MAX_DEPTH:
        raise ValueError("A structure is nested too deeply.")
    kind = proto.WhichOneof("kind")
    if kind in (None, "none_value"):
        return None
    value = getattr(proto, kind)
    if kind in ("bool_value", "int64_value", "float64_value", "string_value"):
        return value
    if kind == "tensor_shape_value":
        return TensorShape(None) if value.unknown_rank else TensorShape([None if d.size < 0 else d.size for d in value.dim])
    if kind == "tensor_dtype_value":
        return dtypes.BY_ENUM[value]
    if kind == "tensor_spec_value":
        return TensorSpec.experimental_from_proto(value)
    if kind == "list_value":
        return [decode(v, depth + 1) for v in value.values]
    if kind == "tuple_value":
        return tuple([decode(v, depth + 1) for v in value.values])
    if kind == "dict_value":
        return {k: decode(v, depth + 1) for k, v in value.fields.items()}
    if kind == "named_tuple_value":
        made = collections.namedtuple(value.name or "Tuple", [v.key for v in value.values], rename=True)  # type: ignore[misc]
        return made(*[decode(v.value, depth + 1) for v in value.values])
    if kind == "type_spec_value":
        return _spec_class(value)._deserialize(decode(value.type_state, depth + 1))
    raise ValueError(f"No decoder for a structure with a {kind}.")


def _spec_class(proto: Any) -> Any:
    from .._private import type_specs

    kind = proto.TypeSpecClass.DESCRIPTOR.values_by_number.get(proto.type_spec_class)
    path = _SPECS.get(kind.name) if kind is not None else None
    if path is None:
        return type_specs.lookup(proto.type_spec_class_name)
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)
