"""`tensorflow.python.framework.type_spec_registry` and what goes with it: TypeSpecs by name, and the base of composite tensors."""

from __future__ import annotations

import collections.abc
import re
from collections.abc import Callable
from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._engine.specs import TypeSpec

_TYPE_SPEC_TO_NAME: dict[type, str] = {}
_NAME_TO_TYPE_SPEC: dict[str, type] = {}
_NAME = re.compile(r"^(\w+\.)+\w+$")


def register(name: str) -> Callable[[type], type]:
    """A decorator that gives a TypeSpec a name, as "project.Name"; ValueError for one that is malformed or taken."""
    if not isinstance(name, str):
        raise TypeError(f"Expected `name` to be a string; got {name!r}")
    if not _NAME.match(name):
        raise ValueError(f"Registered name must have the form '{{project_name}}.{{type_name}}' (e.g. 'my_project.MyTypeSpec'); got {name!r}.")

    def decorate(cls: type) -> type:
        if not (isinstance(cls, type) and issubclass(cls, TypeSpec)):
            raise TypeError(f"Expected `cls` to be a TypeSpec; got {cls!r}")
        if cls in _TYPE_SPEC_TO_NAME:
            raise ValueError(f"Class {cls.__module__}.{cls.__name__} has already been registered with name {_TYPE_SPEC_TO_NAME[cls]}.")
        if name in _NAME_TO_TYPE_SPEC:
            raise ValueError(f"Name {name} has already been registered for class {_NAME_TO_TYPE_SPEC[name].__name__}.")
        _TYPE_SPEC_TO_NAME[cls] = name
        _NAME_TO_TYPE_SPEC[name] = cls
        return cls

    return decorate


def get_name(cls: type) -> str:
    """The name that a TypeSpec was registered with; ValueError if it was not."""
    if cls not in _TYPE_SPEC_TO_NAME:
        raise ValueError(f"TypeSpec {cls.__module__}.{cls.__name__} has not been registered.")
    return _TYPE_SPEC_TO_NAME[cls]


def lookup(name: str) -> type:
    """The TypeSpec that was registered with a name; ValueError if none was."""
    if name not in _NAME_TO_TYPE_SPEC:
        raise ValueError(f"No TypeSpec has been registered with name {name!r}")
    return _NAME_TO_TYPE_SPEC[name]


def _kind(part: Any) -> Any:
    """What a spec's parameters say beside dtypes and shapes of tensors, as a key."""
    if isinstance(part, TypeSpec):
        if part._component_specs is part:
            return type(part)
        try:
            state = part._serialize()
        except (NotImplementedError, ValueError):  # parameters that cannot be written, functions: the spec says itself what it equals
            return type(part), part
        return type(part), _kind(state)
    if isinstance(part, (list, tuple)):
        return tuple(_kind(p) for p in part)
    if isinstance(part, dict):
        return tuple((k, _kind(part[k])) for k in sorted(part))
    if isinstance(part, np.ndarray):
        return (part.shape, part.dtype.str, part.tobytes())
    return part if isinstance(part, collections.abc.Hashable) else id(part)


class CompositeTensor:
    """The base of libraries' own tensors that consist of others; `_type_spec` tells of which.

    Functions take and return such values, loops and conditions carry them, and `tf.nest` expands them, by what their
    spec's `_to_components` and `_from_components` say.
    """

    @property
    def _type_spec(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__}._type_spec()")

    def _tf_components(self) -> list[Any]:
        return [self._type_spec._to_components(self)]

    def _tf_from_components(self, components: list[Any]) -> Any:
        return self._type_spec._from_components(components[0])

    def _tf_static(self) -> Any:
        return _kind(self._type_spec)


class BatchableTypeSpec(TypeSpec):
    """The base of TypeSpecs of values that have batches."""


def convert_variables_to_tensors(values: Any) -> Any:
    """A structure with the values of its variables."""
    return tf.nest.map_structure(lambda v: tf.convert_to_tensor(v) if isinstance(v, tf.Variable) else v, values)
