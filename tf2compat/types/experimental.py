"""`tf.types.experimental`: the classes of functions, traces and tensor-like values."""

from __future__ import annotations

from typing import Union

import numpy as np

from .._engine.concrete import ConcreteFunction
from .._engine.specs import TypeSpec
from .._engine.tensor import Tensor
from .._names import module_getattr
from .._top.functions import Function

__all__ = ["ConcreteFunction", "GenericFunction", "PolymorphicFunction", "TensorLike", "TraceType"]

#: what `tf.function` returns
PolymorphicFunction = Function
GenericFunction = Function
#: what describes an argument of a traced function
TraceType = TypeSpec
#: what converts to a tensor
TensorLike = Union[Tensor, int, float, bool, str, bytes, complex, tuple, list, np.ndarray, np.generic]  # noqa: UP007 - isinstance on 3.10 too

__getattr__ = module_getattr("tf.types.experimental")
