"""`tf.types.experimental`: the classes of functions, traces and tensor-like values."""

from __future__ import annotations

import abc
from typing import Any, Protocol, Union, runtime_checkable

import numpy as np

from ..._engine.concrete import AtomicFunction, ConcreteFunction
from ..._engine.function_type import Callable, FunctionType, Literal, Structure, Weakref
from ..._engine.specs import TypeSpec
from ..._engine.tensor import Tensor
from ..._names import module_getattr
from ..._top.functions import Function

__all__ = [
    "AtomicFunction", "Callable", "ConcreteFunction", "FunctionType", "GenericFunction", "PolymorphicFunction",
    "SupportsTracingProtocol", "TensorLike", "TraceType",
]  # fmt: skip

#: what `tf.function` returns
PolymorphicFunction = Function
GenericFunction = Function


class TraceType(abc.ABC):
    """What describes an argument of a traced function; arguments of equal types share a trace."""

    @abc.abstractmethod
    def is_subtype_of(self, other: TraceType) -> bool:
        """Whether whatever is of this type is of the type `other`."""

    @abc.abstractmethod
    def most_specific_common_supertype(self, others: Any) -> TraceType | None:
        """The narrowest type that covers this one and all of `others`, or None."""

    @abc.abstractmethod
    def placeholder_value(self, placeholder_context: Any) -> Any:
        """What the function is traced with."""

    @abc.abstractmethod
    def __hash__(self) -> int:
        """Equal types have equal hashes."""

    @abc.abstractmethod
    def __eq__(self, other: object) -> bool:
        """Whether both describe the same arguments."""


for _type in (TypeSpec, Literal, Structure, Weakref):
    TraceType.register(_type)


@runtime_checkable
class SupportsTracingProtocol(Protocol):
    """Objects that say by `__tf_tracing_type__` which trace serves them."""

    def __tf_tracing_type__(self, context: Any) -> Any:
        """The `TraceType` of the object."""


#: what converts to a tensor
TensorLike = Union[Tensor, int, float, bool, str, bytes, complex, tuple, list, np.ndarray, np.generic]  # noqa: UP007 - isinstance on 3.10 too

_named = module_getattr("tf.types.experimental")


def __getattr__(name: str) -> Any:
    if name == "distributed":  # with the first use: it loads tf.distribute
        import importlib

        return importlib.import_module(f"{__name__}.distributed")
    return _named(name)
