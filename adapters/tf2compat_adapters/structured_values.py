"""Nested structures of specs and plain values as `StructuredValue`, the message of SavedModels' signatures, and back.

Source: tensorflow/core/protobuf/struct.proto, and what `nested_structure_coder` of TensorFlow 2.21 writes.
"""

from __future__ import annotations

import collections
import importlib
import keyword
from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorboard.compat.proto import struct_pb2

import tf2compat as tf
from tf2compat._engine import dtypes, nest
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.specs import TensorSpec, TypeSpec
from tf2compat._ports.structures import NotEncodableError
from tf2compat._private.bounded import BoundedTensorSpec

from .tensorflow_graphs.attributes import Damaged, constant_of, dtype_of, shape_of

_MAX_DEPTH = 100
_CLASSES = struct_pb2.TypeSpecProto.TypeSpecClass

#: the message's name for a class of specs -> where the class is
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
_NAMES = {path: name for name, path in _SPECS.items()}


class UnregisteredError(NotEncodableError, ValueError):
    """A message that names a type which nothing in this process has registered."""


def encode(structure: Any) -> struct_pb2.StructuredValue:
    """The message for a structure. NotEncodableError for what it cannot hold."""
    message = struct_pb2.StructuredValue()
    fill(message, structure)
    return message


def fill(message: Any, value: Any) -> None:
    """Writes a structure into a message. NotEncodableError for what it cannot hold."""
    if value is None:
        message.none_value.SetInParent()
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int):
        message.int64_value = value
    elif isinstance(value, float):
        message.float64_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, TensorShape):
        message.tensor_shape_value.SetInParent()  # that of a scalar is empty
        message.tensor_shape_value.MergeFrom(value.as_proto())
    elif isinstance(value, dtypes.DType):
        message.tensor_dtype_value = value.as_datatype_enum
    elif isinstance(value, BoundedTensorSpec):
        message.bounded_tensor_spec_value.CopyFrom(value.experimental_as_proto())
    elif isinstance(value, TensorSpec):
        message.tensor_spec_value.CopyFrom(value.experimental_as_proto())
    elif isinstance(value, TypeSpec):
        _fill_spec(message.type_spec_value, value)
    elif isinstance(value, Mapping):
        message.dict_value.SetInParent()
        for key, item in value.items():
            fill(message.dict_value.fields[key], item)
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        message.named_tuple_value.name = type(value).__name__
        for key, item in zip(value._fields, value, strict=True):
            fill(message.named_tuple_value.values.add(key=key).value, item)
    elif isinstance(value, (list, tuple)):
        target = message.list_value if isinstance(value, list) else message.tuple_value
        target.SetInParent()
        for item in value:
            fill(target.values.add(), item)
    elif isinstance(value, np.ndarray):
        message.numpy_value.CopyFrom(tf.make_tensor_proto(value))
    elif isinstance(value, tf.Tensor) and hasattr(value, "numpy"):
        message.tensor_value.CopyFrom(tf.make_tensor_proto(value))
    else:
        raise NotEncodableError(f"No encoder for object {value} of type {type(value)}.")


def _fill_spec(message: Any, spec: Any) -> None:
    from tf2compat._private import type_specs

    cls = type(spec)
    kind, name = _NAMES.get(f"{cls.__module__}.{cls.__name__}"), cls.__name__
    if kind is None:
        try:
            kind, name = "REGISTERED_TYPE_SPEC", type_specs.get_name(cls)
        except ValueError:
            raise NotEncodableError(f"No encoder for object {spec} of type {cls}.") from None
    parts = spec._component_specs() if callable(spec._component_specs) else spec._component_specs
    message.type_spec_class = _CLASSES.Value(kind)
    message.type_spec_class_name = name
    message.num_flat_components = len(nest.flatten(parts, expand_composites=True))
    fill(message.type_state, spec._serialize())


def decode(message: Any, depth: int = 0) -> Any:
    """The structure that a message describes. NotEncodableError for a kind that there is not here, Damaged (a ValueError) for nonsense."""
    if depth > _MAX_DEPTH:
        raise Damaged("a structure is nested too deeply")
    kind = message.WhichOneof("kind")
    if kind in (None, "none_value"):
        return None
    content = getattr(message, kind)
    if kind in ("bool_value", "int64_value", "float64_value", "string_value"):
        return content
    if kind == "tensor_shape_value":
        return TensorShape(shape_of(content))
    if kind == "tensor_dtype_value":
        return dtype_of(content)
    if kind == "bounded_tensor_spec_value":
        bounds = [constant_of(bound).numpy() for bound in (content.minimum, content.maximum)]
        return BoundedTensorSpec(shape_of(content.shape), dtype_of(content.dtype), *bounds, name=content.name or None)
    if kind == "tensor_spec_value":
        return TensorSpec(shape_of(content.shape), dtype_of(content.dtype), name=content.name or None)
    if kind == "list_value":
        return [decode(item, depth + 1) for item in content.values]
    if kind == "tuple_value":
        return tuple([decode(item, depth + 1) for item in content.values])
    if kind == "dict_value":
        return {key: decode(item, depth + 1) for key, item in content.fields.items()}
    if kind == "named_tuple_value":
        name = content.name or "Tuple"
        if not name.isidentifier() or keyword.iskeyword(name):
            raise Damaged(f"{name!r} does not name a tuple")
        made = collections.namedtuple(name, [item.key for item in content.values], rename=True)  # type: ignore[misc]
        return made(*[decode(item.value, depth + 1) for item in content.values])
    if kind == "tensor_value":
        return constant_of(content)
    if kind == "numpy_value":
        return constant_of(content).numpy()
    if kind == "type_spec_value":
        return _decode_spec(content, depth)
    raise NotEncodableError(f"No decoder for a structure with a {kind}.")


def _decode_spec(message: Any, depth: int) -> Any:
    cls = _class_of(message)
    parts = decode(message.type_state, depth + 1)
    if message.type_spec_class == _CLASSES.RAGGED_TENSOR_SPEC and isinstance(parts, tuple):
        parts = parts[:4]  # a fifth describes the flat values: their shape is open here
    try:
        return cls._deserialize(parts)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise Damaged(f"a {message.type_spec_class_name} has impossible parts: {error}") from error


def _class_of(message: Any) -> Any:
    from tf2compat._private import type_specs

    kind = _CLASSES.DESCRIPTOR.values_by_number.get(message.type_spec_class)
    if kind is not None and kind.name in _SPECS:
        module, _, name = _SPECS[kind.name].rpartition(".")
        return getattr(importlib.import_module(module), name)
    if kind is None or kind.name not in ("REGISTERED_TYPE_SPEC", "EXTENSION_TYPE_SPEC"):
        raise NotEncodableError(f"No decoder for a {message.type_spec_class_name}.")
    try:
        return type_specs.lookup(message.type_spec_class_name)
    except ValueError:
        raise UnregisteredError(
            f"The type '{message.type_spec_class_name}' has not been registered.  It must be registered before you load this object "
            "(typically by importing its module)."
        ) from None
