"""The types of functions as TensorFlow describes them: parameters with what they accept, and what is returned."""

from __future__ import annotations

import collections.abc
import inspect
import weakref
from typing import Any

from . import dtypes
from .specs import TensorSpec, TypeSpec, VariableSpec
from .tensor import Tensor
from .variable import Variable

__all__ = ["Callable", "FunctionType", "Literal", "Parameter", "Structure", "Weakref", "constraint", "trace_type_of"]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Callable:
    """What can be called with tensors: traced functions of all kinds (`tf.types.experimental.Callable`)."""

    @property
    def function_type(self) -> FunctionType:
        """The parameters and the result."""
        raise NotImplementedError(f"{type(self).__name__} has no function_type")


class Literal:
    """A Python value that is part of a signature."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Literal) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"Literal[{self.value!r}]"


class Weakref:
    """An object that is part of a signature; it is not kept alive."""

    def __init__(self, value: Any) -> None:
        self.ref = weakref.ref(value)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Weakref) and other.ref == self.ref

    def __hash__(self) -> int:
        return hash(self.ref)

    def __repr__(self) -> str:
        return f"Weakref[{self.ref!r}])"


class Structure:
    """A structure of constraints: a list, tuple, mapping or named tuple."""

    def __init__(self, kind: str, parts: list[Any], keys: list[Any] | None = None) -> None:
        self.kind, self.parts, self.keys = kind, parts, keys

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Structure) and (other.kind, other.parts, other.keys) == (self.kind, self.parts, self.keys)

    def __hash__(self) -> int:
        return hash((self.kind, tuple(self.parts)))

    def __repr__(self) -> str:
        parts = self.parts if self.keys is None else [f"[{k!r}, {p!r}]" for k, p in zip(self.keys, self.parts, strict=True)]
        return f"{self.kind}[{', '.join(map(str, parts))}]"


class Parameter(inspect.Parameter):
    """A parameter and what it accepts."""

    def __init__(self, name: str, kind: Any, optional: bool = False, type_constraint: Any = None) -> None:
        super().__init__(name, kind)
        self._optional, self._type_constraint = optional, type_constraint

    @property
    def optional(self) -> bool:
        """Whether it has a default value."""
        return self._optional

    @property
    def type_constraint(self) -> Any:
        """What it accepts; None for anything."""
        return self._type_constraint

    def __str__(self) -> str:
        star = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(self.kind, "")  # type: ignore[call-overload]
        text = star + self.name
        if self._type_constraint is not None:
            text += f": {self._type_constraint!r}"
        if self._optional:
            text += " = <captured_default_value>" if self._type_constraint is not None else "=<captured_default_value>"
        return text

    def __repr__(self) -> str:
        return f"Parameter(name={self.name}, kind={self.kind}, optional={self._optional!r}, type_constraint={self._type_constraint!r})"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Parameter) and (self.name, self.kind, self.optional, self.type_constraint) == (
            other.name, other.kind, other.optional, other.type_constraint,
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.name, self.kind, self.optional, self.type_constraint))


class FunctionType(inspect.Signature):
    """The parameters of a traced function, what it returns and what it captures (`tf.types.experimental.FunctionType`)."""

    def __init__(self, parameters: list[Parameter], captures: dict[int, Any] | None = None, return_annotation: Any = None) -> None:
        super().__init__(parameters)
        self._captures, self._output = dict(captures or {}), return_annotation

    @property
    def output(self) -> Any:
        """What is returned, or None where that is not known yet."""
        return self._output

    @property
    def captures(self) -> dict[int, Any]:
        """What the function uses without being given it, by identity."""
        return self._captures

    def __str__(self) -> str:
        out: list[str] = []
        before: Any = None
        starred = False
        for p in self.parameters.values():
            if before is inspect.Parameter.POSITIONAL_ONLY and p.kind is not before:
                out.append("/")
            if p.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
                out.append("*")
                starred = True
            starred = starred or p.kind is inspect.Parameter.VAR_POSITIONAL
            out.append(str(p))
            before = p.kind
        if before is inspect.Parameter.POSITIONAL_ONLY:
            out.append("/")
        text = f"({', '.join(out)})"
        return text if self._output is None else f"{text} -> {self._output!r}"

    def __repr__(self) -> str:
        lines = ["Input Parameters:"]
        lines += [f"  {p.name} ({p.kind.name}): {p.type_constraint}" for p in self.parameters.values()]  # type: ignore[attr-defined]
        lines += ["Output Type:", f"  {self._output}", "Captures:"]
        lines += [f"  {identity}: {spec}" for identity, spec in self._captures.items()] or ["  None"]
        return "\n".join(lines)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, FunctionType) and (list(self.parameters.values()), self._output) == (
            list(other.parameters.values()), other._output,
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((tuple(self.parameters.values()), self._output))


class _Aliases:
    """Numbers the variables among the arguments: equal numbers for one and the same."""

    def __init__(self) -> None:
        self.known: dict[int, int] = {}

    def of(self, variable: Variable) -> int:
        return self.known.setdefault(id(getattr(variable, "_of", variable)), len(self.known))


def constraint(value: Any, aliases: _Aliases | None = None) -> Any:
    """What describes an argument or result: specs for tensors, literals for Python values, structures of these."""
    aliases = aliases or _Aliases()
    if isinstance(value, TensorSpec):
        return TensorSpec(value.shape, value.dtype, value.name)
    if isinstance(value, TypeSpec):
        return value
    if isinstance(value, Variable):
        return VariableSpec(value.shape, value.dtype, value.trainable, aliases.of(value))
    if isinstance(value, Tensor):
        return TensorSpec(value.shape, value.dtype)
    if hasattr(type(value), "_tf_components") and hasattr(value, "_type_spec"):
        return value._type_spec
    if isinstance(value, collections.abc.Mapping):
        return Structure("Dict", [constraint(v, aliases) for v in value.values()], list(value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return Structure(type(value).__name__, [constraint(v, aliases) for v in value], list(value._fields))
    if isinstance(value, (list, tuple)):
        return Structure("List" if isinstance(value, list) else "Tuple", [constraint(v, aliases) for v in value])
    fields = getattr(type(value), "__attrs_attrs__", None)
    if fields is not None:
        names = [f.name for f in fields]
        return Structure(type(value).__name__, [constraint(getattr(value, n), aliases) for n in names], names)
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, range, type(...))):
        return Literal(value)
    try:
        return Weakref(value)
    except TypeError:
        return Literal(value)


def trace_type_of(names: list[str], varargs: str | None, pos: tuple[Any, ...], kw: dict[str, Any], output: Any, captured: list[Any]) -> FunctionType:
    """The type of a trace: its arguments in canonical form, described."""
    aliases = _Aliases()
    kind = inspect.Parameter.POSITIONAL_ONLY if len(pos) > len(names) else inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = []
    for i, value in enumerate(pos):
        name = names[i] if i < len(names) else f"{varargs or 'args'}_{i - len(names)}"
        parameters.append(Parameter(name, kind, False, constraint(value, aliases)))
    for name, value in kw.items():
        parameters.append(Parameter(name, inspect.Parameter.KEYWORD_ONLY, False, constraint(value, aliases)))
    captures = {id(c): TensorSpec(c.shape, dtypes.resource if isinstance(c, Variable) else c.dtype) for c in captured}
    return FunctionType(parameters, captures, constraint(output))
