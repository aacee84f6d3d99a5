"""Fields of extension types: which annotations are allowed, and how values are brought into the annotated types."""

from __future__ import annotations

import collections.abc
import types
import typing
from typing import Any

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.shapes import TensorShape
from .._engine.specs import TypeSpec
from .._engine.tensor import Tensor

#: what a conversion makes: a value, the spec of one, or a default that is converted when it is used
VALUE, SPEC, DEFAULT = "value", "spec", "default"

_RESERVED = frozenset((
    "self", "Spec", "_type_spec", "_shape_invariant_to_type_spec", "_consumers", "value_type", "is_compatible_with",
    "most_specific_compatible_type", "_with_tensor_ranks_only", "_to_components", "_from_components", "_component_specs", "_to_tensor_list",
    "_from_tensor_list", "_from_compatible_tensor_list", "_flat_tensor_specs", "_serialize", "_deserialize", "_to_legacy_output_types",
    "_to_legacy_output_shapes", "_to_legacy_output_classes", "_keras_mask",
))  # fmt: skip
_NONE = type(None)
_SCALARS = (int, float, bool, str, bytes, _NONE)


class ImmutableDict(collections.abc.Mapping):
    """A mapping that cannot be changed: what a field annotated as a mapping holds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._dict = dict(*args, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        return self._dict[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._dict

    def __iter__(self) -> Any:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def __repr__(self) -> str:
        return f"ImmutableDict({self._dict})"


class Field(typing.NamedTuple):
    """A field of an extension type; `default` is NO_DEFAULT where there is none."""

    name: str
    value_type: Any
    default: Any


class _NoDefault:
    def __repr__(self) -> str:
        return "ExtensionTypeField.NO_DEFAULT"


NO_DEFAULT = _NoDefault()


def field(name: str, value_type: Any, default: Any = NO_DEFAULT) -> Field:
    """A checked field; TypeError for an annotation or a default that is not supported."""
    try:
        check_annotation(value_type)
    except TypeError as error:
        raise TypeError(f"In field {name!r}: {error}") from error
    if default is not NO_DEFAULT:
        default = convert(default, value_type, (f"default value for {name}",), DEFAULT)
    return Field(name, value_type, default)


def is_reserved(name: str) -> bool:
    return name in _RESERVED or name.lower().startswith("_tf_extension_type")


def is_composite_class(value: Any) -> bool:
    return isinstance(value, type) and hasattr(value, "_tf_components")


def _is_tuple(annotation: Any) -> bool:
    return annotation not in (tuple, typing.Tuple) and typing.get_origin(annotation) is tuple  # noqa: UP006


def is_union(annotation: Any) -> bool:
    return isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union


def _is_mapping(annotation: Any) -> bool:
    return typing.get_origin(annotation) is collections.abc.Mapping


def check_annotation(annotation: Any, in_key: bool = False) -> None:
    """TypeError for an annotation that extension types do not support; references forward are resolved later."""
    if isinstance(annotation, (str, typing.ForwardRef)) or annotation is None or annotation in (*_SCALARS, dtypes.DType):
        return
    if annotation in (Tensor, TensorShape) or is_composite_class(annotation):
        if in_key:
            raise TypeError(f"Mapping had a key {_named(annotation)!r} with type {type(annotation).__name__!r}")
    elif _is_tuple(annotation) or is_union(annotation):
        for a in typing.get_args(annotation):
            if a is not Ellipsis:
                check_annotation(a, in_key)
    elif _is_mapping(annotation):
        key, value = typing.get_args(annotation)
        check_annotation(key, True)
        check_annotation(value, in_key)
    elif isinstance(annotation, type):
        raise TypeError(f"Unsupported type annotation {annotation.__name__!r}")
    else:
        raise TypeError(f"Unsupported type annotation {annotation!r}")


def _named(annotation: type) -> str:
    return "Tensor" if annotation is Tensor else annotation.__name__


def convert_all(fields: tuple[Field, ...], values: dict[str, Any], what: str) -> None:
    """Bring each value into its field's type, in place; ValueError where the names are not the fields'."""
    given = {k for k in values if not is_reserved(k)}
    if len(fields) != len(given) or any(f.name not in values for f in fields):
        expected = {f.name for f in fields}
        if given - expected:
            raise ValueError(f"Got unexpected fields: {given - expected}")
        raise ValueError(f"Missing required fields: {expected - given}")
    values.update({f.name: convert(values[f.name], f.value_type, (f.name,), what) for f in fields})


def convert(value: Any, wanted: Any, path: tuple[str, ...], what: str) -> Any:
    """`value` as the annotation `wanted` says; TypeError when it is not of that kind."""
    at = "".join(path)
    if wanted is None:
        wanted = _NONE
    if wanted is Tensor:
        return _tensor(value, at, what)
    if is_composite_class(wanted):
        if what == SPEC:
            if not (isinstance(value, TypeSpec) and issubclass(value.value_type, wanted)):
                raise TypeError(f"{at}: expected a TypeSpec for {wanted.__name__!r}, got {type(value).__name__!r}")
        elif not isinstance(value, wanted):
            raise TypeError(f"{at}: expected {wanted.__name__!r}, got {type(value).__name__!r}")
        return value
    if wanted is TensorShape:
        try:
            return value if isinstance(value, TensorShape) else TensorShape(value)
        except TypeError as error:
            raise TypeError(f"{at}: expected 'tf.TensorShape', got {type(value).__name__!r}") from error
    if wanted is dtypes.DType:
        try:
            return dtypes.as_dtype(value)
        except TypeError as error:
            raise TypeError(f"{at}: expected 'tf.DType', got {type(value).__name__!r}") from error
    if wanted in _SCALARS:
        if not isinstance(value, wanted):
            raise TypeError(f"{at}: expected {wanted.__name__!r}, got {type(value).__name__!r}")
        return value
    if _is_tuple(wanted):
        return _tuple(value, wanted, path, what)
    if _is_mapping(wanted):
        if not isinstance(value, collections.abc.Mapping):
            raise TypeError(f"{at}: expected mapping, got {type(value).__name__!r}")
        key_type, value_type = typing.get_args(wanted)
        return ImmutableDict(
            [(convert(k, key_type, (*path, "[<key>]"), what), convert(v, value_type, (*path, f"[{k!r}]"), what)) for k, v in value.items()]
        )
    if is_union(wanted):
        for option in typing.get_args(wanted):
            try:
                return convert(value, option, path, what)
            except TypeError:
                continue
        raise TypeError(f"{at}: expected {wanted!r}, got {type(value).__name__!r}")
    raise TypeError(f"{at}: Unsupported type annotation {wanted!r}")


def _tensor(value: Any, at: str, what: str) -> Any:
    if what == SPEC:
        if not (isinstance(value, TypeSpec) and value.value_type is Tensor):
            raise TypeError(f"{at}: expected a TensorSpec, got {type(value).__name__!r}")
        return value
    if isinstance(value, Tensor) or what == DEFAULT:
        return value
    try:
        return convert_to_tensor(value)
    except (ValueError, TypeError) as error:
        raise TypeError(f"{at}: expected a Tensor, got {type(value).__name__!r}") from error


def _tuple(value: Any, wanted: Any, path: tuple[str, ...], what: str) -> tuple[Any, ...]:
    at = "".join(path)
    if not isinstance(value, collections.abc.Sequence):
        raise TypeError(f"{at}: expected tuple, got {type(value).__name__!r}")
    kinds = typing.get_args(wanted)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    elif len(value) != len(kinds):
        raise TypeError(f"{at}: expected tuple with length {len(kinds)}, got {type(value).__name__!r})")
    return tuple(convert(v, t, (*path, f"[{i}]"), what) for i, (v, t) in enumerate(zip(value, kinds, strict=True)))
