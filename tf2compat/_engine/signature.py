"""What a call of a traced function looks like: binding of arguments, and the key under which a trace is kept."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from . import dtypes, nest
from .convert import convert_to_tensor
from .function_type import FunctionType, Parameter, constraint
from .specs import TensorSpec, TypeSpec
from .symbolic import SymbolicTensor
from .tensor import Tensor
from .variable import Variable

__all__ = ["Binder", "decode", "encode", "names_of", "spec_names_of"]

_OBJECT = np.dtype(object)
_VALUES = frozenset((int, float, bool, str, bytes, complex, type(None), type(Ellipsis)))


class Binder:
    """Brings the arguments of a call into the order of the parameters, defaults included."""

    def __init__(self, fn: Callable[..., Any], skip: int = 0) -> None:
        target = fn
        fixed: dict[str, Any] = {}
        if isinstance(fn, functools.partial):
            fixed = dict(fn.keywords)
        try:
            parameters = list(inspect.signature(target).parameters.values())[skip:]
        except (TypeError, ValueError):  # a builtin without a signature
            parameters = [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL), inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)]
        self.signature = inspect.Signature(parameters)
        self.fixed = fixed
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        # a parameter behind one that a partial gives by keyword can only be given by keyword
        self.names = [p.name for p in parameters if p.kind in positional and p.name not in fixed]
        self.defaults = {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}
        self.varargs = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL), None)
        self.varkw = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD), None)
        self.keyword_only = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY or p.name in fixed]
        self.simple = not self.keyword_only and self.varargs is None
        self.count = len(self.names)
        self.input_signature: Any = None

    @property
    def function_type(self) -> FunctionType:
        """The parameters, with what an input signature allows."""
        given = dict(zip(self.names, self.input_signature or (), strict=False))
        empty = inspect.Parameter.empty
        return FunctionType([
            Parameter(p.name, p.kind, p.default is not empty, constraint(given[p.name]) if p.name in given else None)
            for p in self.signature.parameters.values()
        ])  # fmt: skip

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments in canonical form; TypeError for a call that does not fit."""
        if not kwargs and self.simple and len(args) == self.count:
            return args, kwargs
        try:
            bound = self.signature.bind(*args, **{**self.fixed, **kwargs} if self.fixed else kwargs)
        except TypeError as error:
            raise TypeError(
                f"Binding inputs to tf.function failed due to `{error}`. Received args: {args} and kwargs: {kwargs} for signature: "
                f"{self.function_type}."
            ) from None
        bound.apply_defaults()
        values = bound.arguments
        pos: list[Any] = []
        for name in self.names:
            pos.append(values[name])
        if self.varargs is not None:
            pos.extend(values[self.varargs])
        kw = {name: values[name] for name in self.keyword_only}
        if self.varkw is not None:
            kw.update(values[self.varkw])
        # by name, which is the order in which their tensors become a trace's inputs, whatever order a call has
        return tuple(pos), {name: kw[name] for name in sorted(kw)} if len(kw) > 1 else kw


class _Reference:
    """Stands for an object in a key, without keeping it alive: equal to what the object is equal to."""

    __slots__ = ("hash", "ref")

    def __init__(self, value: Any) -> None:
        self.ref = weakref.ref(value)
        self.hash = hash(value)

    def __eq__(self, other: Any) -> bool:
        if type(other) is not _Reference or other.hash != self.hash:
            return False
        mine, its = self.ref(), other.ref()
        return mine is not None and its is not None and (mine is its or bool(mine == its))

    def __hash__(self) -> int:
        return self.hash

    def dead(self) -> bool:
        return self.ref() is None


def _reference(value: Any) -> Any:
    """What stands for an object in a key; TypeError for objects without a hash, which may change behind a trace's back."""
    try:
        return _Reference(value)
    except TypeError:
        pass
    try:
        hash(value)
    except TypeError:
        raise TypeError(
            f"Could not generate a generic TraceType for {value!r}.Please verify that it is immutable/hashable. Otherwise, consider "
            "implementing the Tracing Protocol for it."
        ) from None
    return value


class _Of:
    """Stands for a variable in a key, by identity."""

    __slots__ = ("id", "ref")

    def __init__(self, variable: Variable) -> None:
        self.ref, self.id = weakref.ref(variable), id(variable)

    def __eq__(self, other: Any) -> bool:
        return type(other) is _Of and other.id == self.id and self.ref() is not None and self.ref() is other.ref()

    def __hash__(self) -> int:
        return self.id

    def dead(self) -> bool:
        return self.ref() is None


#: the key of NaN, which is not equal to itself
_NAN = object()


def _dtype_key(dtype: dtypes.DType) -> Any:
    return _OBJECT if dtype.torch is None else dtype.torch


class Leaves(list[Any]):
    """The tensors of arguments; `open` has the sizes for which a trace is made of those whose own do not count, by their places, `shapes`
    what is known of the shapes of sparse tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[int, Any] = {}
        self.shapes: list[Any] = []


def encode(value: Any, leaves: list[Any], shapes: bool = True) -> Any:
    """The key of an argument; its tensors are appended to `leaves`. Without `shapes`, tensors count by dtype alone."""
    t = type(value)
    if t is Tensor:
        leaves.append(value)
        s = value._t
        return (s.dtype, tuple(s.shape)) if shapes else (s.dtype,)
    if t in _VALUES:
        # by equality, as in TensorFlow: the trace of 1 serves 1.0 and True
        return value if value == value else _NAN
    if t is SymbolicTensor:
        leaves.append(value)
        return (_dtype_key(value._dtype), value._dims) if shapes else (_dtype_key(value._dtype),)
    if isinstance(value, Variable):
        return (Variable, _Of(getattr(value, "_of", value)))
    if t is tuple or t is list:
        return (t, *[encode(v, leaves, shapes) for v in value])
    if t is dict:
        return (dict, *[(k, encode(value[k], leaves, shapes)) for k in nest.sorted_keys(value)])
    if isinstance(value, (np.ndarray, np.generic, torch.Tensor)):
        return encode(convert_to_tensor(value), leaves, shapes)
    if isinstance(value, TensorSpec):
        leaves.append(value)
        dims = None if value.shape.rank is None else tuple(value.shape.as_list())
        return (_dtype_key(value.dtype), dims) if shapes else (_dtype_key(value.dtype),)
    if isinstance(value, Tensor):
        if hasattr(t, "_tf_variant"):
            leaves.append(value)
            return (_OBJECT, ()) if shapes else (_OBJECT,)
        return encode(convert_to_tensor(value), leaves, shapes) if hasattr(t, "__tf_tensor__") else (t, _reference(value))
    if hasattr(t, "_tf_open_dims"):
        return (t, _shape_of(value, leaves, shapes), *_components(value, leaves, shapes))
    if hasattr(t, "_tf_components"):
        return (getattr(t, "_tf_kind", t), _static(value), *[encode(v, leaves, shapes) for v in value._tf_components()])
    if hasattr(t, "_tf_staged"):
        return encode(value._tf_staged(), leaves, shapes)
    if hasattr(t, "_tf_like"):
        return encode(value._container(), leaves, shapes)
    if nest.is_nested(value):
        kids = nest.children(value)
        extra: Any = tuple(nest.sorted_keys(value)) if isinstance(value, collections.abc.Mapping) else None
        return (t, extra, *[encode(v, leaves, shapes) for v in kids])
    if isinstance(value, TypeSpec):
        parts = value._component_specs
        if parts is not value:  # a composite's spec stands for the composite
            return (value.value_type, _shape_of(value, leaves, shapes), *[encode(p, leaves, shapes) for p in nest.flatten(parts)])
    if isinstance(value, (type, dtypes.DType, TypeSpec, range, frozenset)):
        return (t, value)
    protocol = getattr(t, "__tf_tracing_type__", None)
    if protocol is not None:
        return (t, protocol(value, None))
    return (t, _reference(value))


def _components(value: Any, leaves: list[Any], shapes: bool) -> list[Any]:
    """Keys of a composite's tensors, of which the sizes count that its spec tells: not how many values there are."""
    found = []
    for part, dims in zip(value._tf_components(), value._tf_open_dims(), strict=True):
        at = len(leaves)
        key = encode(part, leaves, False)
        if type(leaves) is Leaves and len(leaves) > at:
            leaves.open[at] = dims
        found.append((*key, dims) if shapes else key)
    return found


def _shape_of(value: Any, leaves: list[Any], shapes: bool) -> Any:
    """What a composite is beside its tensors, where that is not a shape that may be relaxed."""
    if not hasattr(type(value), "_tf_static_shape"):
        return _static(value)
    dims = value._tf_static_shape()
    if type(leaves) is Leaves:
        leaves.shapes.append(dims)
    return dims if shapes else None


def _static(value: Any) -> Any:
    """What a composite, or its spec, is beside its tensors."""
    found = getattr(value, "_tf_static", None)
    return None if found is None else found()


def decode(value: Any, tensors: Iterator[Any]) -> Any:
    """The argument with its tensors replaced, in the order in which `encode` found them."""
    t = type(value)
    if t is Tensor or t is SymbolicTensor or isinstance(value, (np.ndarray, np.generic, torch.Tensor, TensorSpec)):
        return next(tensors)
    if t in _VALUES or isinstance(value, Variable):
        return value
    if t is tuple or t is list:
        return t([decode(v, tensors) for v in value])
    if t is dict:
        made = {k: decode(value[k], tensors) for k in nest.sorted_keys(value)}
        return {k: made[k] for k in value}
    if isinstance(value, Tensor):
        return next(tensors) if hasattr(t, "__tf_tensor__") or hasattr(t, "_tf_variant") else value
    if hasattr(t, "_tf_components"):
        parts = [decode(v, tensors) for v in value._tf_components()]
        if any(isinstance(p, TypeSpec) for p in nest.flatten(parts)):
            return value._type_spec
        made = value._tf_from_components(parts)
        return made._shaped(value.shape) if hasattr(t, "_tf_static_shape") else made
    if hasattr(t, "_tf_staged"):
        return decode(value._tf_staged(), tensors)
    if isinstance(value, TypeSpec) and value._component_specs is not value:
        parts = [decode(p, tensors) for p in nest.flatten(value._component_specs)]
        return value if any(isinstance(p, TypeSpec) for p in parts) else value._from_components(parts)
    if hasattr(t, "_tf_like"):
        return decode(value._container(), tensors)
    if nest.is_nested(value):
        return nest.rebuild(value, [decode(v, tensors) for v in nest.children(value)])
    return value


def names_of(binder: Binder, pos: tuple[Any, ...], kw: dict[str, Any]) -> list[str]:
    """A name for each tensor among the arguments: its parameter's, numbered within structures."""
    out: list[str] = []

    def walk(name: str, value: Any) -> None:
        found: list[Any] = []
        encode(value, found)
        out.extend([getattr(v, "name", None) or name if isinstance(v, TensorSpec) else name for v in found])

    for i, value in enumerate(pos):
        name = binder.names[i] if i < len(binder.names) else f"{binder.varargs or 'args'}_{i - len(binder.names)}"
        walk(name, value)
    for name, value in kw.items():
        walk(name, value)
    return out


def spec_names_of(binder: Binder, pos: tuple[Any, ...], kw: dict[str, Any]) -> list[str]:
    """For each tensor among the arguments the name of its spec: the way to it, joined by underscores."""
    out: list[str] = []

    def walk(name: str, value: Any) -> None:
        if isinstance(value, TensorSpec):
            out.append(value.name or name)
        elif isinstance(value, collections.abc.Mapping):
            for k in nest.sorted_keys(value):
                walk(f"{name}_{k}", value[k])
        elif type(value) in (list, tuple):
            for i, v in enumerate(value):
                walk(f"{name}_{i}", v)
        elif isinstance(value, tuple) and hasattr(value, "_fields"):
            for k in value._fields:
                walk(f"{name}_{k}", getattr(value, k))
        else:
            found: list[Any] = []
            encode(value, found)
            out.extend([name] * len(found))

    for i, value in enumerate(pos):
        walk(binder.names[i] if i < len(binder.names) else f"{binder.varargs or 'args'}_{i - len(binder.names)}", value)
    for name, value in kw.items():
        walk(name, value)
    return out


def dead(key: Any) -> bool:
    """Whether a key names an object that is gone."""
    if type(key) is _Reference or type(key) is _Of:
        return key.dead()
    return isinstance(key, tuple) and any(dead(k) for k in key)
