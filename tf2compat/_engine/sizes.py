"""Sizes computed from shapes (`tf.shape(x)[0] * 2`) as Python expressions, where an op needs them as numbers.

The tensors in between are then never made, and a compiler that leaves sizes open can follow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .symbolic import SymbolicTensor
from .tensor import Tensor

__all__ = ["expression", "expressions", "sources", "text"]

_OPERATORS = {"AddV2": "+", "Sub": "-", "Mul": "*", "FloorDiv": "//", "FloorMod": "%"}

Expression = Any  # an int, (tensor, axis), or (operator, expression, expression)


def expression(t: Any) -> Expression | None:
    """The expression for a scalar, or None where it hangs on more than shapes."""
    if not isinstance(t, SymbolicTensor):
        if isinstance(t, Tensor) and t._t.ndim == 0 and t.dtype.is_integer:
            return int(t._t)
        return None
    static = t._static_value()
    if static is not None:
        return int(static) if static.ndim == 0 and static.dtype.kind in "iu" else None
    node = t._node
    op = node.op
    if op is None or node.device is not None or not t.dtype.is_integer:
        return None
    if op.name == "StridedSlice" and t._dims == ():  # a part of a shape that has one element is a vector
        vector, index = node.args[:2]
        index = index[0] if type(index) is tuple and len(index) == 1 else index
        found = expressions(vector) if isinstance(vector, SymbolicTensor) else None
        return found[index] if found is not None and type(index) is int and -len(found) <= index < len(found) else None
    if op.name in _OPERATORS:
        a, b = expression(node.args[0]), expression(node.args[1])
        if a is None or b is None or (op.name in ("FloorDiv", "FloorMod") and not (type(b) is int and b > 0)):
            return None
        return (_OPERATORS[op.name], a, b)
    if op.name in ("Cast", "Identity"):
        return expression(node.args[0])
    return None


def expressions(t: Any) -> list[Expression] | None:
    """The expressions for the elements of a shape, or None."""
    if not isinstance(t, SymbolicTensor) or t._node.op is None or t._node.op.name != "Shape":
        return None
    x = t._node.args[0]
    if not isinstance(x, SymbolicTensor) or x._dims is None or t._node.device is not None:
        return None
    return [(x, i) if d is None else d for i, d in enumerate(x._dims)]


def sources(e: Expression) -> list[SymbolicTensor]:
    """The tensors whose shapes an expression looks at."""
    if type(e) is int:
        return []
    if len(e) == 2:
        return [e[0]]
    return sources(e[1]) + sources(e[2])


def text(e: Expression, name: Callable[[SymbolicTensor], str]) -> str:
    """An expression as Python."""
    if type(e) is int:
        return repr(e)
    if len(e) == 2:
        return f"{name(e[0])}.shape[{e[1]}]"
    return f"({text(e[1], name)} {e[0]} {text(e[2], name)})"
