"""`tf.experimental.ExtensionType`: classes of the user's whose fields are tensors, and which ops, functions and datasets accept."""

from __future__ import annotations

import abc
import functools
import inspect
import re
import sys
import typing
from collections.abc import Callable, Iterator
from typing import Any

import tf2compat as tf

from .._engine import nest
from .._engine.shapes import TensorShape
from .._engine.specs import TensorSpec, TypeSpec
from .._engine.tensor import Tensor
from . import extension_fields as ext

#: attributes that Keras hangs on tensors
_KERAS = ("_keras_mask",)
_BUILDING = "_tf_extension_type_in_constructor"
_CACHED = "_tf_extension_type_cached_type_spec"
#: specs by the `__name__` that their class declares, for what is loaded from files
REGISTERED: dict[str, type] = {}


def _made(cls: type, fields: Any) -> Any:
    """An instance without the constructor, which a user may have written."""
    new = object.__new__(cls)
    new.__dict__.update(fields)
    return new


def _declared(base: type) -> dict[str, Any]:
    """A class' own annotations, unresolved where they cannot be resolved."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return dict(annotationlib.get_annotations(base, format=annotationlib.Format.FORWARDREF))
    return dict(base.__dict__.get("__annotations__", {}))


class _Immutable:
    """What extension types and their specs share: fields, and that nothing but the constructor sets them."""

    @classmethod
    def _tf_extension_type_fields(cls) -> tuple[ext.Field, ...]:
        raise NotImplementedError

    def __setattr__(self, name: str, value: Any) -> None:
        self._tf_extension_type_check_mutable(name)
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        self._tf_extension_type_check_mutable(name)
        del self.__dict__[name]

    def _tf_extension_type_check_mutable(self, name: str) -> None:
        if name in _KERAS:
            return
        if _BUILDING in self.__dict__ and any(f.name == name for f in self._tf_extension_type_fields()):
            return
        kind = "ExtensionTypeSpec" if isinstance(self, TypeSpec) else "ExtensionType"
        raise AttributeError(f"Cannot mutate attribute `{name}` outside the custom constructor of {kind}.")


class ExtensionTypeMetaclass(abc.ABCMeta):
    """Gives each subclass of ExtensionType a constructor and a `Spec`."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        if not namespace.get("_tf_extension_type_do_not_transform_this_class", False):
            _check_class(cls)
            _add_constructor(cls, ext.VALUE)
            _add_spec(cls)
        super().__init__(name, bases, namespace)


class ExtensionType(_Immutable, metaclass=ExtensionTypeMetaclass):
    """A class whose fields are tensors and plain values (`tf.experimental.ExtensionType`).

    A subclass annotates its fields: with `tf.Tensor`, composite tensors, extension types, int, float, bool, str, bytes, None,
    `tf.TensorShape`, `tf.DType`, and tuples, mappings and unions of these. The constructor takes the fields by position or name,
    converts and checks them (TypeError), and calls `__validate__`. Values are immutable (AttributeError).
    """

    _tf_extension_type_do_not_transform_this_class = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if type(self) is ExtensionType:
            raise AssertionError("Cannot create an instance of ExtensionType because ExtensionType is an abstract base class.")

    @classmethod
    def _tf_extension_type_fields(cls) -> tuple[ext.Field, ...]:
        """The fields in order; references forward are resolved if they can be by now."""
        known = cls.__dict__.get("_tf_extension_type_cached_fields")
        if known is not None:
            return known
        resolved = True
        try:
            hints = typing.get_type_hints(cls)
        except (NameError, AttributeError):
            hints, resolved = {}, False
            for base in reversed(cls.__mro__):
                hints.update(_declared(base))
        fields = tuple(ext.field(name, kind, getattr(cls, name, ext.NO_DEFAULT)) for name, kind in hints.items())
        if resolved:
            type.__setattr__(cls, "_tf_extension_type_cached_fields", fields)
        return fields

    def _tf_extension_type_convert_fields(self) -> None:
        ext.convert_all(self._tf_extension_type_fields(), self.__dict__, ext.VALUE)

    def __validate__(self) -> None:
        """Check the fields after construction; a subclass raises what it will."""

    def __repr__(self) -> str:
        inner = ", ".join([f"{f.name}={getattr(self, f.name)!r}" for f in self._tf_extension_type_fields()])
        return f"{type(self).__qualname__}({inner})"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __eq__(self, other: Any) -> Any:
        if type(self) is not type(other) or self._type_spec != other._type_spec:
            return False
        mine, theirs = nest.flatten(self, True), nest.flatten(other, True)
        if len(mine) != len(theirs):
            return False
        equal = [tf.reduce_all(tf.equal(a, b)) for a, b in zip(mine, theirs, strict=True)]
        return tf.reduce_all(tf.stack(equal)) if equal else True

    def __ne__(self, other: Any) -> Any:
        same = self.__eq__(other)
        return tf.logical_not(same) if isinstance(same, Tensor) else not same

    __hash__ = None  # type: ignore[assignment]

    # --- the engine's protocols --------------------------------------------------------------------------------------
    _tf_tensor_like = False  # `tf.is_tensor` says no of extension types

    @property
    def _type_spec(self) -> Any:
        found = self.__dict__.get(_CACHED)
        if found is None:
            found = self.__dict__[_CACHED] = self.Spec.from_value(self)  # type: ignore[attr-defined]
        return found

    def _tf_extension_type_values(self) -> tuple[Any, ...]:
        return tuple(self.__dict__[f.name] for f in self._tf_extension_type_fields())

    def _tf_components(self) -> list[Any]:
        return [v for v in nest.flatten(self._tf_extension_type_values()) if _is_tensor(v)]

    def _tf_from_components(self, components: list[Any]) -> Any:
        rest = iter(components)
        values = self._tf_extension_type_values()
        flat = [next(rest) if _is_tensor(v) else v for v in nest.flatten(values)]
        fields = (f.name for f in self._tf_extension_type_fields())
        return _made(type(self), zip(fields, nest.pack_sequence_as(values, flat), strict=True))

    def _tf_static(self) -> Any:
        return self._type_spec._tf_static()

    def _tf_op(self, op: Any, args: tuple[Any, ...]) -> Any:
        if hasattr(type(self), "__tf_tensor__"):
            return NotImplemented
        raise ValueError(f"Attempt to convert a value ({self!r}) with an unsupported type ({type(self)}) to a Tensor.")


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or hasattr(type(value), "_tf_components")


def as_dict(value: Any) -> dict[str, Any]:
    """The fields of an extension type by name (`tf.experimental.extension_type.as_dict`)."""
    return {f.name: getattr(value, f.name) for f in value._tf_extension_type_fields()}


class ExtensionTypeSpec(_Immutable, TypeSpec):
    """The spec of an extension type: the same fields, with specs for tensors (`tf.experimental.ExtensionTypeSpec`)."""

    _tf_extension_type_do_not_transform_this_class = True

    @classmethod
    def _tf_extension_type_fields(cls) -> tuple[ext.Field, ...]:
        return cls.value_type._tf_extension_type_fields()  # type: ignore[attr-defined]

    def _tf_extension_type_convert_fields(self) -> None:
        ext.convert_all(self._tf_extension_type_fields(), self.__dict__, ext.SPEC)

    def __validate__(self) -> None:
        """Check the fields after construction."""

    @classmethod
    def from_value(cls, value: Any) -> Any:
        """The spec of a value."""
        values = dict(zip((f.name for f in value._tf_extension_type_fields()), value._tf_extension_type_values(), strict=True))
        return _made(cls, nest.map_structure(_spec_of, values))

    def _fields(self) -> tuple[Any, ...]:
        return tuple(self.__dict__[f.name] for f in self._tf_extension_type_fields())

    def _serialize(self) -> tuple[Any, ...]:
        return tuple((f.name, _plain(self.__dict__[f.name])) for f in self._tf_extension_type_fields())

    @classmethod
    def _deserialize(cls, serialization: Any) -> Any:
        return _made(cls, [(k, _immutable(v)) for k, v in serialization])

    def __reduce__(self) -> Any:
        return _unpickle, (self.value_type, self._serialize())

    @property
    def _component_specs(self) -> Any:
        return tuple(v for v in nest.flatten(self._fields()) if isinstance(v, TypeSpec))

    def _to_components(self, value: Any) -> Any:
        return tuple(value._tf_components())

    def _from_components(self, components: Any) -> Any:
        rest = iter(components)
        values = self._fields()
        flat = [next(rest) if isinstance(v, TypeSpec) else v for v in nest.flatten(values)]
        if list(rest):
            raise ValueError(
                "Cannot build an ExtensionType instance from components because more components are provided than the number expected "
                "by the type spec."
            )
        fields = (f.name for f in self._tf_extension_type_fields())
        return _made(self.value_type, zip(fields, nest.pack_sequence_as(values, flat), strict=True))

    def _tf_static(self) -> Any:
        """What of this is no tensor, as part of a trace's key."""
        found = self.__dict__.get("_tf_extension_type_static")
        if found is None:
            from .._engine.specs import _hashable

            shape = nest.map_structure(lambda v: None if isinstance(v, TypeSpec) else v, self._fields())
            found = self.__dict__["_tf_extension_type_static"] = _hashable(_plain(shape))
        return found

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join([f'{k}={v!r}' for k, v in self._serialize()])})"


def _unpickle(cls: Any, serialization: Any) -> Any:
    return cls.Spec._deserialize(serialization)


def _spec_of(value: Any) -> Any:
    if isinstance(value, Tensor):
        return TensorSpec(value.shape, value.dtype)
    return getattr(value, "_type_spec", value)


def _plain(value: Any) -> Any:
    """Mappings as dicts."""
    if isinstance(value, (dict, ext.ImmutableDict)):
        return {k: _plain(v) for k, v in value.items()}
    return tuple(_plain(v) for v in value) if type(value) is tuple else value


def _immutable(value: Any) -> Any:
    if isinstance(value, (dict, ext.ImmutableDict)):
        return ext.ImmutableDict({k: _immutable(v) for k, v in value.items()})
    return tuple(_immutable(v) for v in value) if type(value) is tuple else value


# --- batches ---------------------------------------------------------------------------------------------------------
class ExtensionTypeBatchEncoder:
    """How values of a batchable extension type are stacked and taken apart (`tf.experimental.ExtensionTypeBatchEncoder`).

    By default every tensor, composite and extension type among the fields is stacked, and every `TensorShape` gains a dimension.
    A subclass that does otherwise gives all five methods.
    """

    def batch(self, spec: Any, batch_size: int | None) -> Any:
        """The spec of a batch of values of this spec."""
        return _made(type(spec), zip((f.name for f in spec._tf_extension_type_fields()), _mapped(spec, lambda f: _batched(f, batch_size)), strict=True))

    def unbatch(self, spec: Any) -> Any:
        """The spec of one value of a batch."""
        return _made(type(spec), zip((f.name for f in spec._tf_extension_type_fields()), _mapped(spec, _unbatched), strict=True))

    def encode(self, spec: Any, value: Any, minimum_rank: int = 0) -> Any:
        """The value as a structure of tensors that can be stacked."""
        return spec._to_components(value)

    def decode(self, spec: Any, encoded_value: Any) -> Any:
        """The value of a stacked (or unstacked) structure of tensors."""
        return spec._from_components(encoded_value)

    def encoding_specs(self, spec: Any) -> Any:
        """The specs of what `encode` gives."""
        return spec._component_specs


def _mapped(spec: Any, fn: Callable[[Any], Any]) -> tuple[Any, ...]:
    return nest.map_structure(fn, spec._fields())


def _batched(f: Any, size: int | None) -> Any:
    if isinstance(f, TensorSpec):
        return TensorSpec(None if f.shape.rank is None else [size, *f.shape.as_list()], f.dtype)
    if isinstance(f, TypeSpec):
        return f._batch(size)  # type: ignore[attr-defined]
    return TensorShape([size]).concatenate(f) if isinstance(f, TensorShape) else f


def _unbatched(f: Any) -> Any:
    if isinstance(f, TensorSpec):
        return TensorSpec(None if f.shape.rank is None else f.shape.as_list()[1:], f.dtype)
    if isinstance(f, TypeSpec):
        return f._unbatch()  # type: ignore[attr-defined]
    return f[1:] if isinstance(f, TensorShape) else f


class BatchableExtensionTypeSpec(ExtensionTypeSpec):
    """The spec of a batchable extension type."""

    __batch_encoder__ = ExtensionTypeBatchEncoder()

    def _batch(self, batch_size: int | None) -> Any:
        return self.__batch_encoder__.batch(self, batch_size)

    def _unbatch(self) -> Any:
        return self.__batch_encoder__.unbatch(self)


class BatchableExtensionType(ExtensionType):
    """An extension type that datasets, `tf.map_fn` and Keras can batch (`tf.experimental.BatchableExtensionType`)."""

    _tf_extension_type_do_not_transform_this_class = True

    @staticmethod
    def _tf_stack(parts: list[Any]) -> Any:
        """Values as one batch."""
        from ..data import structure

        spec = parts[0]._type_spec
        joined = spec.most_specific_common_supertype([p._type_spec for p in parts[1:]])
        encoder = spec.__batch_encoder__
        encoded = [encoder.encode(p._type_spec, p) for p in parts]
        columns = zip(*[nest.flatten(e) for e in encoded], strict=True)
        stacked = [structure.delivered(structure.stack([structure.component(v) for v in column])) for column in columns]
        return encoder.decode(encoder.batch(joined or spec, len(parts)), nest.pack_sequence_as(encoded[0], stacked))

    def _tf_row(self, index: Any) -> Any:
        """Value `index` of a batch."""
        spec = self._type_spec
        encoded = spec.__batch_encoder__.encode(spec, self, 1)
        rows = [v._tf_row(index) if hasattr(v, "_tf_row") else v[index] for v in nest.flatten(encoded)]
        return spec.__batch_encoder__.decode(spec._unbatch(), nest.pack_sequence_as(encoded, rows))

    def _tf_take(self, which: Any) -> Any:
        """Values of a batch by a slice, or a torch tensor of numbers."""
        if isinstance(which, slice):
            which = range(*which.indices(int(self._tf_rows())))
        return type(self)._tf_stack([self._tf_row(int(i)) for i in which])

    def _tf_rows(self) -> Any:
        """The number of values in a batch."""
        spec = self._type_spec
        first = nest.flatten(spec.__batch_encoder__.encode(spec, self, 1))[0]
        counted = getattr(first, "_tf_rows", None)
        return counted() if counted is not None else first.shape[0] if first.shape[0] is not None else tf.shape(first)[0]


# --- what the metaclass does -----------------------------------------------------------------------------------------
def _check_class(cls: Any) -> None:
    declared = _declared(cls)
    for name, value in cls.__dict__.items():
        if name == "Spec":
            if not isinstance(value, type):
                raise ValueError(f"{cls.__qualname__}.Spec must be a nested class; got {value}.")
            if value.__bases__ not in ((TypeSpec,), (object,)):
                raise ValueError(f"{cls.__qualname__}.Spec must be directly subclassed from tf.TypeSpec.")
        elif ext.is_reserved(name):
            raise ValueError(f"The field annotations for {cls.__name__} are invalid. Field '{name}' is reserved.")
    for name in declared:
        if ext.is_reserved(name):
            raise ValueError(f"The field annotations for {cls.__name__} are invalid. Field '{name}' is reserved.")
    for name, value in cls.__dict__.items():
        dunder = name.startswith("__") and name.endswith("__")
        if not (name in declared or callable(value) or name.startswith("_abc_") or dunder or isinstance(value, (property, classmethod, staticmethod))):
            raise ValueError(f"The field annotations for {cls.__name__} are invalid. Field {name} is missing a type annotation.")


def _add_constructor(cls: Any, what: str) -> None:
    if "__init__" in cls.__dict__:
        written = cls.__init__

        @functools.wraps(written)
        def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
            self.__dict__[_BUILDING] = True
            try:
                written(self, *args, **kwargs)
            finally:
                del self.__dict__[_BUILDING]
            self._tf_extension_type_convert_fields()
            self.__validate__()

        cls.__init__ = wrapped
        return
    signature = inspect.Signature(list(_parameters(cls._tf_extension_type_fields(), what)))

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        self.__dict__.update(bound.arguments)
        self._tf_extension_type_convert_fields()
        self.__validate__()

    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    __init__.__signature__ = signature.replace(parameters=[me, *signature.parameters.values()])  # type: ignore[attr-defined]
    cls.__init__ = __init__


def _parameters(fields: tuple[ext.Field, ...], what: str) -> Iterator[inspect.Parameter]:
    """By position, as long as no field without a default follows one with a default."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    with_default = False
    for f in fields:
        if what == ext.SPEC:
            yield inspect.Parameter(f.name, kind)
            continue
        if f.default is ext.NO_DEFAULT:
            if with_default:
                kind = inspect.Parameter.KEYWORD_ONLY
            default = inspect.Parameter.empty
        else:
            with_default, default = True, f.default
        yield inspect.Parameter(f.name, kind, default=default, annotation=f.value_type)


def _add_spec(cls: Any) -> None:
    qualname = f"{cls.__qualname__}.Spec"
    space: dict[str, Any] = {"value_type": cls, "__module__": cls.__module__}
    names = {f.name for f in cls._tf_extension_type_fields()}
    written = cls.__dict__.get("Spec")
    for name, value in () if written is None else written.__dict__.items():
        if ext.is_reserved(name):
            raise ValueError(f"TypeSpec {qualname} uses reserved name '{name}'.")
        if name in names:
            raise ValueError(f"TypeSpec {qualname} defines a variable '{name}' which shadows a field in {cls.__qualname__}")
        if name not in ("__module__", "__dict__", "__weakref__", "__firstlineno__", "__static_attributes__"):
            space[name] = value
    if any(base.__name__ == "BatchableExtensionType" and base.__module__ == __name__ for base in cls.__mro__[1:]):
        base: type = BatchableExtensionTypeSpec
        if hasattr(cls, "__batch_encoder__"):
            space.setdefault("__batch_encoder__", cls.__batch_encoder__)
    else:
        base = ExtensionTypeSpec
        if hasattr(cls, "__batch_encoder__") or "__batch_encoder__" in space:
            raise ValueError("__batch_encoder__ should only be defined for BatchableExtensionType classes.")
    spec = type(f"{cls.__name__}.Spec", (base,), space)
    spec.__qualname__ = qualname
    cls.Spec = spec
    _add_constructor(spec, ext.SPEC)
    if "__name__" in cls.__dict__:
        _register(f"{cls.__dict__['__name__']}.Spec", spec)


def _register(name: str, spec: type) -> None:
    """Specs are found by name when a saved function's signature is read."""
    if not re.fullmatch(r"\.?([A-Za-z_][A-Za-z0-9_]*\.)+[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"Registered name must have the form '{{project_name}}.{{type_name}}' (e.g. 'my_project.MyTypeSpec'); got {name!r}.")
    if name in REGISTERED:
        raise ValueError(f"Name {name} has already been registered for class {REGISTERED[name].__module__}.{REGISTERED[name].__name__}.")
    REGISTERED[name] = spec
