"""`tf.TypeSpec` and the specs of dense tensors: what a value is, without the value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import dtypes
from .convert import convert_to_tensor
from .shapes import TensorShape
from .tensor import Tensor
from .variable import Variable


class TypeSpec:
    """Describes a kind of value: its class, dtype, shape, structure (`tf.TypeSpec`).

    A subclass gives `value_type`, `_serialize()` (a tuple of its parameters) and, for composites, `_component_specs`.
    """

    @property
    def value_type(self) -> type:
        raise NotImplementedError(f"{type(self).__name__}.value_type")

    def _serialize(self) -> tuple[Any, ...]:
        raise NotImplementedError(f"{type(self).__name__}._serialize")

    @classmethod
    def _deserialize(cls, serialization: Any) -> Any:
        return cls(*serialization)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a value, or a spec, is of this kind."""
        other = spec_or_value if isinstance(spec_or_value, TypeSpec) else type_spec_from_value(spec_or_value)
        return type(self) is type(other) and self._parts_compatible(self._serialize(), other._serialize())

    @staticmethod
    def _parts_compatible(a: Any, b: Any) -> bool:
        if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
            return len(a) == len(b) and all(TypeSpec._parts_compatible(x, y) for x, y in zip(a, b, strict=True))
        if isinstance(a, dict) and isinstance(b, dict):
            return set(a) == set(b) and all(TypeSpec._parts_compatible(a[k], b[k]) for k in a)
        if isinstance(a, (TensorShape, TypeSpec, dtypes.DType)):
            return a.is_compatible_with(b)
        return bool(a == b)

    def is_subtype_of(self, other: Any) -> bool:
        """Whether every value of this kind is also of kind `other`."""
        if type(self) is not type(other):
            return False

        def below(a: Any, b: Any) -> bool:
            if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
                return len(a) == len(b) and all(below(x, y) for x, y in zip(a, b, strict=True))
            if isinstance(a, dict) and isinstance(b, dict):
                return set(a) == set(b) and all(below(a[k], b[k]) for k in a)
            if isinstance(a, (TensorShape, TypeSpec)):
                return a.is_subtype_of(b)
            return bool(a == b)

        return below(self._serialize(), other._serialize())

    def most_specific_common_supertype(self, others: Any) -> Any:
        """The narrowest spec that covers this one and `others`, or None."""
        others = list(others)
        if any(type(o) is not type(self) for o in others):
            return None
        failed = False

        def join(a: Any, bs: list[Any]) -> Any:
            nonlocal failed
            if isinstance(a, (list, tuple)):
                if any(len(b) != len(a) for b in bs):
                    failed = True
                    return a
                return type(a)(join(x, [b[i] for b in bs]) for i, x in enumerate(a))
            if isinstance(a, dict):
                if any(set(b) != set(a) for b in bs):
                    failed = True
                    return a
                return {k: join(v, [b[k] for b in bs]) for k, v in a.items()}
            if isinstance(a, (TensorShape, TypeSpec)):
                found = a.most_specific_common_supertype(bs)
                failed = failed or found is None
                return found
            failed = failed or any(b != a for b in bs)
            return a

        joined = join(self._serialize(), [o._serialize() for o in others])
        return None if failed else self._deserialize(joined)

    def most_specific_compatible_type(self, other: Any) -> Any:
        """As `most_specific_common_supertype` of one; ValueError when there is none."""
        found = self.most_specific_common_supertype([other])
        if found is None:
            raise ValueError(f"No TypeSpec is compatible with both {self} and {other}")
        return found

    # components, for composites: a dense spec is its own only component
    @property
    def _component_specs(self) -> Any:
        return self

    def _to_components(self, value: Any) -> Any:
        return value._tf_components()

    def _from_components(self, components: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}._from_components")

    def cast(self, value: Any, casting_context: Any) -> Any:
        """`value` where it is of this kind; TypeError otherwise."""
        if not self.is_compatible_with(value):
            raise TypeError(f"Cannot cast {value!r} to {self!r}")
        return value

    def flatten(self) -> list[Any]:
        """The specs of the tensors that a value of this kind consists of."""
        from . import nest

        parts = self._component_specs
        return [self] if parts is self else [s for p in nest.flatten(parts) for s in p.flatten()]

    def to_tensors(self, value: Any) -> list[Any]:
        """The tensors of a value. TypeError for another kind of value."""
        from . import nest

        if not self.is_compatible_with(value):
            raise TypeError(f"{value!r} is not of the kind {self!r}")
        return nest.flatten(value, expand_composites=True)

    def from_tensors(self, tensors: Any) -> Any:
        """A value from an iterator of its tensors."""
        from . import nest

        parts = self._component_specs
        if parts is self:
            return next(iter(tensors))
        rest = iter(tensors)
        return self._from_components(nest.map_structure(lambda p: p.from_tensors(rest), parts))

    def placeholder_value(self, placeholder_context: Any) -> Any:
        """A symbolic value of this kind; only while a function is traced (ValueError)."""
        from . import nest

        parts = self._component_specs
        if parts is self:
            raise NotImplementedError(f"{type(self).__name__}.placeholder_value")
        return self._from_components(nest.map_structure(lambda p: p.placeholder_value(placeholder_context), parts))

    @classmethod
    def experimental_type_proto(cls) -> Any:
        """The class of the protocol buffer that describes specs of this kind."""
        from tensorboard.compat.proto.struct_pb2 import TypeSpecProto

        return TypeSpecProto

    def experimental_as_proto(self) -> Any:
        """The spec as a protocol buffer, in TensorFlow's format."""
        from .._ports.structures import encode_structure

        return encode_structure(self).type_spec_value

    @classmethod
    def experimental_from_proto(cls, proto: Any) -> Any:
        """The spec that a protocol buffer describes."""
        from .._ports.structures import decode_proto

        return cls._deserialize(decode_proto(proto.type_state))

    def __eq__(self, other: Any) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> Any:
        return (type(self).__name__, _hashable(self._serialize()))

    # what libraries' specs use of TensorFlow's class, under the names that Python gives to private methods
    def __get_cmp_key(self) -> Any:
        return self._key()

    @staticmethod
    def __make_cmp_key(value: Any) -> Any:
        return _hashable(value)

    @staticmethod
    def __is_compatible(a: Any, b: Any) -> bool:
        return TypeSpec._parts_compatible(a, b)

    def _with_tensor_ranks_only(self) -> Any:
        """A spec of the same kind that knows the number of axes and no sizes."""

        def loosened(part: Any) -> Any:
            if isinstance(part, TypeSpec):
                return part._with_tensor_ranks_only()
            return TensorShape([None] * part.rank) if isinstance(part, TensorShape) and part.rank is not None else part

        return self._mapped(loosened)

    def _without_tensor_names(self) -> Any:
        """A spec of the same kind whose tensors have no names."""
        return self._mapped(lambda part: part._without_tensor_names() if isinstance(part, TypeSpec) else part)

    def _mapped(self, fn: Any) -> Any:
        from . import nest

        return self._deserialize(nest.map_structure(fn, self._serialize()))

    @property
    def _flat_tensor_specs(self) -> list[Any]:
        """The specs of the tensors that a value consists of."""
        return self.flatten()

    def _to_tensor_list(self, value: Any) -> list[Any]:
        from . import nest

        return nest.flatten(self._to_components(value), expand_composites=True)

    def _from_tensor_list(self, tensor_list: list[Any]) -> Any:
        return self._from_compatible_tensor_list(tensor_list)

    def _from_compatible_tensor_list(self, tensor_list: list[Any]) -> Any:
        return self.from_tensors(iter(tensor_list))

    def _to_legacy_output_classes(self) -> type:
        return self.value_type

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._serialize()!r}"

    def __reduce__(self) -> Any:
        return type(self), self._serialize()


def _hashable(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_hashable(v) for v in value)
    if isinstance(value, dict):
        return tuple((k, _hashable(v)) for k, v in sorted(value.items()))
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, value.tobytes())
    return value


class TensorSpec(TypeSpec):
    """Shape, dtype and name of a dense tensor (`tf.TensorSpec`)."""

    __slots__ = ("_shape", "_dtype", "_name")

    def __init__(self, shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> None:
        self._shape = TensorShape(shape)
        self._dtype = dtypes.as_dtype(dtype)
        self._name = name

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> dtypes.DType:
        return self._dtype

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def value_type(self) -> type:
        return Tensor

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> TensorSpec:
        return cls(spec.shape, spec.dtype, name or getattr(spec, "name", None))

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        if not isinstance(tensor, (Tensor, Variable)):
            raise ValueError(f"`tensor` should be a tf.Tensor, but got type {type(tensor)}.")
        return cls(tensor.shape, tensor.dtype, name)

    def is_compatible_with(self, spec_or_tensor: Any) -> bool:
        if not isinstance(spec_or_tensor, (TensorSpec, Tensor, Variable)):
            return False
        return self._dtype is spec_or_tensor.dtype and self._shape.is_compatible_with(spec_or_tensor.shape)

    def is_subtype_of(self, other: Any) -> bool:
        return isinstance(other, TensorSpec) and self._dtype is other._dtype and self._shape.is_subtype_of(other._shape)

    def most_specific_common_supertype(self, others: Any) -> TensorSpec | None:
        others = list(others)
        if any(not isinstance(o, TensorSpec) or o._dtype is not self._dtype for o in others):
            return None
        shape = self._shape.most_specific_common_supertype([o._shape for o in others])
        return TensorSpec(shape, self._dtype, self._name if all(o._name == self._name for o in others) else None)

    def cast(self, value: Any, casting_context: Any) -> Tensor:
        return convert_to_tensor(value, self._dtype)

    def flatten(self) -> list[TensorSpec]:
        return [self]

    def to_tensors(self, value: Any) -> list[Any]:
        return [value]

    def from_tensors(self, tensors: Any) -> Any:
        return next(iter(tensors))

    def placeholder_value(self, placeholder_context: Any) -> Any:
        """A symbolic tensor of this kind; only while a function is traced."""
        from . import state

        if state.local.graph is None:
            raise ValueError("TensorSpec.placeholder_value is for functions being traced")
        dims = None if self._shape.rank is None else tuple(self._shape.as_list())
        return state.local.graph.placeholder(self._dtype, dims, self._name or "placeholder")

    @classmethod
    def experimental_type_proto(cls) -> Any:
        from tensorboard.compat.proto.struct_pb2 import TensorSpecProto

        return TensorSpecProto

    def experimental_as_proto(self) -> Any:
        return self.experimental_type_proto()(name=self._name or "", shape=self._shape.as_proto(), dtype=self._dtype._enum)

    @classmethod
    def experimental_from_proto(cls, proto: Any) -> TensorSpec:
        return cls(TensorShape(proto.shape), dtypes.BY_ENUM[proto.dtype], proto.name or None)

    def _serialize(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self._name

    def _to_components(self, value: Any) -> Any:
        return convert_to_tensor(value, self._dtype)

    def _from_components(self, components: Any) -> Any:
        return components

    def _key(self) -> Any:
        return (type(self).__name__, self._shape._dims, self._dtype, self._name)

    def _with_tensor_ranks_only(self) -> TensorSpec:
        return TensorSpec(None if self._shape.rank is None else [None] * self._shape.rank, self._dtype, self._name)

    def _without_tensor_names(self) -> TensorSpec:
        return self if self._name is None else TensorSpec(self._shape, self._dtype)

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"


class VariableSpec(TypeSpec):
    """Shape, dtype and trainability of a variable."""

    def __init__(self, shape: Any, dtype: Any = dtypes.float32, trainable: bool = True, alias_id: Any = None) -> None:
        self._shape, self._dtype, self.trainable, self.alias_id = TensorShape(shape), dtypes.as_dtype(dtype), trainable, alias_id

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> dtypes.DType:
        return self._dtype

    @property
    def value_type(self) -> type:
        return Variable

    def _serialize(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self.trainable, self.alias_id

    def _to_components(self, value: Any) -> Any:
        return value

    def _from_components(self, components: Any) -> Any:
        return components

    def __repr__(self) -> str:
        return f"VariableSpec(shape={self._shape}, dtype={self._dtype!r}, trainable={self.trainable}, alias_id={self.alias_id})"


class IndexedSlicesSpec(TypeSpec):
    """The spec of `tf.IndexedSlices`."""

    def __init__(
        self,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        indices_dtype: Any = dtypes.int64,
        dense_shape_dtype: Any = None,
        indices_shape: Any = None,
    ) -> None:
        self._shape = TensorShape(shape)
        self._dtype = dtypes.as_dtype(dtype)
        self._indices_dtype = dtypes.as_dtype(indices_dtype)
        self._dense_shape_dtype = None if dense_shape_dtype is None else dtypes.as_dtype(dense_shape_dtype)
        self._indices_shape = TensorShape([None]) if indices_shape is None else TensorShape(indices_shape)

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> dtypes.DType:
        return self._dtype

    @property
    def value_type(self) -> type:
        from ..indexed_slices import IndexedSlices

        return IndexedSlices

    def _serialize(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self._indices_dtype, self._dense_shape_dtype, self._indices_shape

    @property
    def _component_specs(self) -> Any:
        specs = [TensorSpec([None, *self._shape[1:]] if self._shape.rank else None, self._dtype), TensorSpec(self._indices_shape, self._indices_dtype)]
        if self._dense_shape_dtype is not None:
            specs.append(TensorSpec([self._shape.rank], self._dense_shape_dtype))
        return tuple(specs)

    def _from_components(self, components: Any) -> Any:
        return self.value_type(*components)


class TensorArraySpec(TypeSpec):
    """The spec of `tf.TensorArray`."""

    def __init__(self, element_shape: Any = None, dtype: Any = dtypes.float32, dynamic_size: bool = False, infer_shape: bool = True) -> None:
        self._element_shape = TensorShape(element_shape)
        self._dtype = dtypes.as_dtype(dtype)
        self._dynamic_size = dynamic_size
        self._infer_shape = infer_shape

    @property
    def value_type(self) -> type:
        from tf2compat import TensorArray

        return TensorArray

    def _serialize(self) -> tuple[Any, ...]:
        return self._element_shape, self._dtype, self._dynamic_size, self._infer_shape


class NoneTensorSpec(TypeSpec):
    """The spec of None in a structure."""

    @property
    def value_type(self) -> type:
        return type(None)

    def _serialize(self) -> tuple[Any, ...]:
        return ()

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        return spec_or_value is None or isinstance(spec_or_value, NoneTensorSpec)

    @property
    def _component_specs(self) -> Any:
        return ()

    def _to_components(self, value: Any) -> Any:
        return ()

    def _from_components(self, components: Any) -> None:
        return None


class OptionalSpec(TypeSpec):
    """The spec of `tf.experimental.Optional`."""

    def __init__(self, element_spec: Any) -> None:
        self._element_spec = element_spec

    @property
    def value_type(self) -> type:
        from ..experimental import Optional

        return Optional

    def _serialize(self) -> tuple[Any, ...]:
        return (self._element_spec,)


_converters: list[tuple[type, Callable[[Any], Any], bool]] = []


def register_type_spec_from_value_converter(type_object: type, converter_fn: Callable[[Any], Any], allow_subclass: bool = False) -> None:
    """Have `converter_fn` tell the specs of a library's values; the last one that was registered for a class counts."""
    _converters.append((type_object, converter_fn, allow_subclass))


def type_spec_from_value(value: Any) -> TypeSpec:
    """The TypeSpec of a tensor, composite tensor, or anything that converts to a tensor (`tf.type_spec_from_value`).

    Raises TypeError for a value that has none.
    """
    if isinstance(value, Tensor):
        return TensorSpec(value.shape, value.dtype)
    if isinstance(value, Variable):
        return VariableSpec(value.shape, value.dtype, value.trainable)
    spec = getattr(value, "_type_spec", None)
    if spec is not None:
        return spec
    if isinstance(value, TypeSpec):
        return value
    for kind, converter, subclasses in reversed(_converters):
        if type(value) is kind or (subclasses and isinstance(value, kind)):
            return converter(value)
    if isinstance(value, np.ndarray) and value.dtype.kind not in "SUO":
        return TensorSpec(value.shape, value.dtype)
    if value is None:
        return NoneTensorSpec()
    try:
        return TensorSpec.from_tensor(convert_to_tensor(value))
    except (TypeError, ValueError):
        raise TypeError(f"Could not build a TypeSpec for {value!r} with type {type(value).__name__}") from None
