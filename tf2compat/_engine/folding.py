"""Constants of a function: what ops make of constants alone is computed once, at the first run.

As in TensorFlow, a result that takes more memory than what it is made of is rather computed again, unless it is small.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import torch

from . import dtypes
from .graph import Graph, Node
from .symbolic import SymbolicTensor
from .tensor import Tensor
from .variable import Variable

__all__ = ["Folded", "constant_nodes"]

#: bytes of a result that is kept in any case
_SMALL = 100 * 1024
_NOT = frozenset(("StopGradient", "Watch", "SymbolicGradient", "Jacobian", "Jvp"))


def _bytes(t: Any) -> int | None:
    """The size of a value in memory; None where it is not known."""
    dims = t._dims if isinstance(t, SymbolicTensor) else tuple(t._t.shape)
    if dims is None or None in dims:
        return None
    count = 1
    for d in dims:
        count *= d
    return count * (16 if t.dtype.torch is None else t.dtype.size)


def constant_nodes(graph: Graph, live: list[Node]) -> list[Node]:
    """The nodes of a function whose results are the same in every call."""
    known: set[tuple[int, int]] = set()
    own = {id(t) for t, _ in graph._constants.values()}
    found = []

    def constant(value: Any, given: Any) -> bool:
        if isinstance(value, SymbolicTensor):
            return value._key() in known
        if isinstance(value, Tensor):
            return id(value) in own or id(value) not in given
        if isinstance(value, (list, tuple)):
            return all(constant(v, given) for v in value)
        if isinstance(value, slice):
            return constant((value.start, value.stop, value.step), given)
        return isinstance(value, (type(None), bool, int, float, complex, str, bytes, np.ndarray, np.generic, dtypes.DType, torch.dtype, type(Ellipsis)))

    for node in live:
        op = node.op
        if op is None or op.stateful or op.name in _NOT or node.device is not None or not node.outputs or isinstance(node.args, Variable):
            continue
        if not node.args or not all(constant(a, node.extra or ()) for a in node.args):
            continue
        sizes = [_bytes(t) for t in node.outputs]
        if None in sizes or any(t._dtype in (dtypes.variant, dtypes.resource) for t in node.outputs):
            continue
        given = [_bytes(t) or 0 for t in _tensors(node.args)]
        if sum(sizes) > max(_SMALL, sum(given)):  # type: ignore[arg-type]
            continue
        found.append(node)
        known.update(t._key() for t in node.outputs)
    return found


def _tensors(value: Any) -> list[Any]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in _tensors(v)]
    return []


class Folded:
    """The results of constant nodes, computed when they are asked for first."""

    def __init__(self, graph: Graph, nodes: list[Node], results: list[SymbolicTensor]) -> None:
        self.part = graph.copy()
        self.part.nodes, self.part.outputs = nodes, results
        self.values: tuple[Any, ...] | None = None
        self.lock = threading.Lock()
        self.program: Any = None

    def __call__(self) -> tuple[Any, ...]:
        if self.values is None:
            from .replay import Program

            with self.lock:
                if self.values is None:
                    self.program = Program(self.part, [], fast=False)
                    with torch.no_grad():
                        self.values = self.program.run()
                    self.program = None
        return self.values
