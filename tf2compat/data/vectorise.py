"""Whether a traced map can run on whole batches with the same results: every op in it works element by element."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine.specs import TensorSpec
from . import structure
from .functions import Traced

#: ops whose result for a batch is, bit for bit, the batch of their results
_ELEMENTWISE = frozenset((
    "Abs", "Acos", "Acosh", "AddV2", "Asin", "Asinh", "Atan", "Atan2", "Atanh", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Cast", "Ceil",
    "Cos", "Cosh", "Equal", "Exp", "Expm1", "Floor", "FloorDiv", "FloorMod", "Greater", "GreaterEqual", "Identity", "IsFinite", "IsInf",
    "IsNan", "Less", "LessEqual", "Log", "Log1p", "LogicalAnd", "LogicalNot", "LogicalOr", "Maximum", "Minimum", "Mul", "Neg", "NotEqual",
    "Pow", "RealDiv", "Reciprocal", "Relu", "Relu6", "Rint", "Round", "Rsqrt", "Sigmoid", "Sign", "Sin", "Sinh", "Sqrt", "Square",
    "SquaredDifference", "StopGradient", "Sub", "Tan", "Tanh", "ExpandDims", "Reshape", "Squeeze", "Transpose", "Pack", "StridedSlice",
    "OneHot", "ClipByValue", "SelectV2", "ZerosLike", "OnesLike",
))  # fmt: skip


class Vectorised:
    """A traced function on batches, by torch.vmap over its program; on single elements as it is."""

    def __init__(self, function: Traced) -> None:
        self.one = function
        self.failed = False
        self._batched = torch.vmap(lambda *flat: tuple(function.program.run(*flat)))

    def __call__(self, flat: list[Any]) -> list[Any]:
        if not self.failed:
            try:
                return list(self._batched(*flat))
            except Exception:  # noqa: BLE001 - an op without a vmap rule, or a failure that the single element reports better
                self.failed = True
        rows = structure.rows(flat[0])
        parts = [self.one([structure.take_row(c, i) for c in flat]) for i in range(rows)]
        return [structure.stack([p[k] for p in parts]) for k in range(len(parts[0]))]


def vectorised(function: Traced) -> Vectorised | None:
    """The function for batches, or None when an op in it is not known to work row by row."""
    if function.program is None:
        return None
    if not all(type(s) is TensorSpec and s.dtype.torch is not None for s in structure.leaves(function.output_spec)):
        return None
    for a in function.args:
        for s in structure.leaves(a):
            if s.dtype.torch is None or not s.shape.is_fully_defined():
                return None
    graph = function.concrete.graph
    inputs = {id(t) for t in graph.inputs}
    for node in graph.nodes:
        if node.kind in ("input", "capture"):
            continue
        if node.kind != "op" or node.op is None or node.op.stateful or node.op.name not in _ELEMENTWISE:
            return None
    if not graph.outputs or any(o is None for o in graph.outputs):
        return None
    depends = set(inputs)
    for node in graph.nodes:
        if any(id(t) in depends for t in node.inputs()):
            depends.update(id(o) for o in node.outputs)
    if not all(id(o) in depends for o in graph.outputs):
        return None
    if any(isinstance(t._t, np.ndarray) for t in graph.inputs):
        return None
    return Vectorised(function)
