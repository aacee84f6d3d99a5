"""Which nodes of a replayed program may write into memory that is there already.

An elementwise op whose operand nobody needs any more computes into that operand, and one whose result a variable takes over
computes into the variable. Only where no tape records, since autograd keeps what it will need.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch

from . import dtypes
from .graph import Node
from .symbolic import SymbolicTensor
from .tensor import Tensor
from .variable import ResourceVariable

__all__ = ["assigned", "direct", "into", "reusable"]

_DTYPES = frozenset((dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64))
_FLOATS = frozenset((dtypes.float32, dtypes.float64))
#: functions that are all there is to an op, give memory of their own and take `out`
_ANY = {"AddV2": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Neg": torch.neg}
_FLOATING = {"RealDiv": torch.true_divide, "Sqrt": torch.sqrt, "Square": torch.square, "Exp": torch.exp, "Rsqrt": torch.rsqrt}
#: those of which the gradient is not torch's
_SLOPED = frozenset(("Sqrt", "Rsqrt"))


def direct(node: Node) -> Callable[..., Any] | None:
    """The torch function that an op is; None for other nodes."""
    op = node.op
    if op is None or node.device is not None or len(node.outputs) != 1 or type(node.structure) is not int:
        return None
    dtype = node.outputs[0]._dtype
    fn = _FLOATING.get(op.name) if dtype in _FLOATS and not (op.name in _SLOPED and _recorded(node)) else None
    fn = fn or (_ANY.get(op.name) if dtype in _DTYPES else None)
    if fn is None or not all(isinstance(a, Tensor) and a.dtype is dtype for a in node.args):
        return None
    return fn


def _recorded(node: Node) -> bool:
    return any(isinstance(t._t, torch.Tensor) and t._t.requires_grad for t in [*node.outputs, *node.args])


def reusable(node: Node, makers: dict[Any, Node], counts: Counter[Any]) -> SymbolicTensor | None:
    """The operand whose memory can take the result of a `direct` node."""
    out = node.outputs[0]
    if out._dims is None or None in out._dims or not out._dims or _recorded(node):
        return None
    for t in node.args:
        if isinstance(t, SymbolicTensor) and counts[t._key()] == 1 and t._dims == out._dims:
            maker = makers.get(t._key())
            if maker is not None and direct(maker) is not None and not _recorded(maker):
                return t
    return None


def assigned(node: Node, after: Node | None, counts: Counter[Any]) -> Any:
    """The variable that does nothing but take over the result of a `direct` node, in the next node; else None."""
    if after is None or after.op is None or after.op.name != "AssignVariableOp" or after.device is not None:
        return None
    variable, value = after.args
    out = node.outputs[0]
    if not isinstance(value, SymbolicTensor) or value._key() != out._key() or counts[out._key()] != 1 or _recorded(node):
        return None
    if type(variable) is not ResourceVariable or variable._dtype is not out._dtype or out._dims is None or None in out._dims:
        return None
    return variable if variable._shape._dims == out._dims else None


def into(variable: Any, fn: Callable[..., Any], *args: Any) -> None:
    """Let a variable take over what a function gives, without memory in between where it can be done."""
    try:
        fn(*args, out=variable._own())
    except RuntimeError:  # another device, say
        variable._write(fn(*args))
