"""`tf.math`. Each file holds one kind of function; this one names them all."""

# ruff: noqa: A004 - TensorFlow's public names
from __future__ import annotations

from .arithmetic import abs, add, divide, floordiv, floormod, multiply, negative, pow, subtract, truediv
from .comparison import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
)

mod = floormod
