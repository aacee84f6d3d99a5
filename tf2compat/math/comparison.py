"""Comparisons and logic of `tf.math`, and the operators that are made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import REALS
from .._engine.dtypes import bool as bool_
from .._engine.op import op, tensor
from .._engine.shapes import TensorShape, broadcast
from .._engine.tensor import Tensor
from .arithmetic import broadcast_strings

_REAL = tensor(REALS, scalar=True)
_ANY = tensor(scalar=True)
_BOOL = tensor(bool_)


@op("Less", elementwise=True, x=_REAL, y=_REAL)
def less(x: Any, y: Any, name: str | None = None) -> Any:
    """x < y element-wise (`tf.math.less`)."""
    return torch.lt(x, y)


@op("LessEqual", elementwise=True, x=_REAL, y=_REAL)
def less_equal(x: Any, y: Any, name: str | None = None) -> Any:
    """x <= y element-wise (`tf.math.less_equal`)."""
    return torch.le(x, y)


@op("Greater", elementwise=True, x=_REAL, y=_REAL)
def greater(x: Any, y: Any, name: str | None = None) -> Any:
    """x > y element-wise (`tf.math.greater`)."""
    return torch.gt(x, y)


@op("GreaterEqual", elementwise=True, x=_REAL, y=_REAL)
def greater_equal(x: Any, y: Any, name: str | None = None) -> Any:
    """x >= y element-wise (`tf.math.greater_equal`)."""
    return torch.ge(x, y)


@op("Equal", elementwise=True, x=_ANY, y=_ANY)
def equal(x: Any, y: Any, name: str | None = None) -> Any:
    """x == y element-wise (`tf.math.equal`)."""
    return torch.eq(x, y)


@equal.strings
def _(x: Any, y: Any) -> Any:
    return torch.from_numpy(np.asarray(broadcast_strings(x, y, "Equal", np.equal), dtype=bool))


@op("NotEqual", elementwise=True, x=_ANY, y=_ANY)
def not_equal(x: Any, y: Any, name: str | None = None) -> Any:
    """x != y element-wise (`tf.math.not_equal`)."""
    return torch.ne(x, y)


@not_equal.strings
def _(x: Any, y: Any) -> Any:
    return torch.from_numpy(np.asarray(broadcast_strings(x, y, "NotEqual", np.not_equal), dtype=bool))


@op("LogicalAnd", elementwise=True, x=_BOOL, y=_BOOL)
def logical_and(x: Any, y: Any, name: str | None = None) -> Any:
    """x and y element-wise, for bool tensors (`tf.math.logical_and`)."""
    return torch.logical_and(x, y)


@op("LogicalOr", elementwise=True, x=_BOOL, y=_BOOL)
def logical_or(x: Any, y: Any, name: str | None = None) -> Any:
    """x or y element-wise, for bool tensors (`tf.math.logical_or`)."""
    return torch.logical_or(x, y)


@op("LogicalNot", x=_BOOL)
def logical_not(x: Any, name: str | None = None) -> Any:
    """not x element-wise, for bool tensors (`tf.math.logical_not`)."""
    return torch.logical_not(x)


def logical_xor(x: Any, y: Any, name: str = "LogicalXor") -> Tensor:
    """x xor y element-wise, for bool tensors (`tf.math.logical_xor`)."""
    return logical_and(logical_or(x, y), logical_not(logical_and(x, y)))


# --- operators -------------------------------------------------------------------------------------------------------
def _is_bool(x: Any, y: Any) -> bool:
    return getattr(x, "dtype", None) is dtypes.bool or getattr(y, "dtype", None) is dtypes.bool


def and_operator(x: Any, y: Any) -> Tensor:
    from ..bitwise import bitwise_and

    return logical_and(x, y) if _is_bool(x, y) else bitwise_and(x, y)


def or_operator(x: Any, y: Any) -> Tensor:
    from ..bitwise import bitwise_or

    return logical_or(x, y) if _is_bool(x, y) else bitwise_or(x, y)


def xor_operator(x: Any, y: Any) -> Tensor:
    from ..bitwise import bitwise_xor

    return logical_xor(x, y) if _is_bool(x, y) else bitwise_xor(x, y)


def invert_operator(x: Any) -> Tensor:
    from ..bitwise import invert

    return logical_not(x) if _is_bool(x, None) else invert(x)


def _differ_in_shape(x: Any, y: Any) -> bool:
    try:
        broadcast(x.shape, TensorShape(y.shape))
    except ValueError:
        return True
    return False


def tensor_equals(self: Any, other: Any) -> Any:
    """The `==` of tensors: element-wise, and False where the shapes cannot be compared."""
    return _equals(self, other, equal, False)


def tensor_not_equals(self: Any, other: Any) -> Any:
    """The `!=` of tensors: element-wise, and True where the shapes cannot be compared."""
    return _equals(self, other, not_equal, True)


def _equals(self: Any, other: Any, compare: Any, unequal: bool) -> Any:
    if other is None:
        return unequal
    if not isinstance(other, (Tensor, int, float, np.ndarray, np.generic)) and not hasattr(type(other), "_tf_op"):
        other = convert_to_tensor(other, None if hasattr(other, "dtype") else self.dtype)
    if isinstance(other, (Tensor, np.ndarray)) and _differ_in_shape(self, other):
        return convert_to_tensor(unequal)
    return compare(self, other)


__all__ = [
    "equal", "greater", "greater_equal", "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor",
    "not_equal",
]  # fmt: skip
