"""`tf.bitwise`: logic and shifts on the bits of integers."""

from __future__ import annotations

from typing import Any

import torch

from ._engine.dtypes import INTS
from ._engine.op import op, tensor
from ._names import module_getattr

_INT = tensor(INTS, scalar=True)
_INT1 = tensor(INTS)


@op("BitwiseAnd", elementwise=True, x=_INT, y=_INT)
def bitwise_and(x: Any, y: Any, name: str | None = None) -> Any:
    """x & y element-wise, for integers (`tf.bitwise.bitwise_and`)."""
    return torch.bitwise_and(x, y)


@op("BitwiseOr", elementwise=True, x=_INT, y=_INT)
def bitwise_or(x: Any, y: Any, name: str | None = None) -> Any:
    """x | y element-wise, for integers (`tf.bitwise.bitwise_or`)."""
    return torch.bitwise_or(x, y)


@op("BitwiseXor", elementwise=True, x=_INT, y=_INT)
def bitwise_xor(x: Any, y: Any, name: str | None = None) -> Any:
    """x ^ y element-wise, for integers (`tf.bitwise.bitwise_xor`)."""
    return torch.bitwise_xor(x, y)


@op("Invert", x=_INT1)
def invert(x: Any, name: str | None = None) -> Any:
    """~x element-wise, for integers (`tf.bitwise.invert`)."""
    return torch.bitwise_not(x)


def _shift(y: Any, bits: int) -> Any:
    """The number of places, kept between 0 and the last one as TensorFlow does."""
    return torch.clamp(y, 0, bits - 1)


@op("LeftShift", elementwise=True, x=_INT1, y=_INT1)
def left_shift(x: Any, y: Any, name: str | None = None) -> Any:
    """x << y element-wise, for integers; `y` is kept within 0 … bits - 1 (`tf.bitwise.left_shift`)."""
    return torch.bitwise_left_shift(x, _shift(y, x.element_size() * 8))


@op("RightShift", elementwise=True, x=_INT1, y=_INT1)
def right_shift(x: Any, y: Any, name: str | None = None) -> Any:
    """x >> y element-wise, keeping the sign; `y` is kept within 0 … bits - 1 (`tf.bitwise.right_shift`)."""
    return torch.bitwise_right_shift(x, _shift(y, x.element_size() * 8))


__all__ = ["bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"]

__getattr__ = module_getattr("tf.bitwise")
