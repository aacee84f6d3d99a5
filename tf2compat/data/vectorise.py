"""Whether a traced map can run on whole batches with the same results: every op in it works element by element."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch

from .._engine.dtypes import string
from .._engine.replay import Program, _live
from .._engine.specs import TensorSpec
from .._engine.symbolic import SymbolicTensor
from .._engine.tensor import Tensor
from ..errors import OpError
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


#: ops on strings that give, for vectors in the place of scalars, vectors of their results
_STRINGWISE = frozenset((
    "DecodeCSV", "StringLower", "StringUpper", "StringStrip", "StringLength", "StringToNumber", "AsString", "RegexReplace", "StaticRegexReplace",
    "RegexFullMatch", "StaticRegexFullMatch", "ParseExampleV2", "Equal", "NotEqual", "StringToHashBucketFast", "StringToHashBucket", "Identity",
))  # fmt: skip


class Vectorised:
    """A traced function on batches, by torch.vmap over its program; on single elements as it is.

    `strings` are its first nodes, which take vectors of strings as they are; `inputs` says which of the arguments and of their results the
    program of the numbers takes, `outputs` where each result is found: ("here", key) or ("program", position).
    """

    def __init__(self, function: Traced, strings: list[Any], inputs: list[Any], outputs: list[tuple[str, Any]]) -> None:
        self.one = function
        self.failed = False
        graph = function.concrete.graph
        self._arguments = [t._key() for t in graph.inputs]
        self._strings = strings
        self._inputs = [t._key() for t in inputs]
        self._outputs = outputs
        self._batched: Any = None
        if any(where == "program" for where, _ in outputs):
            program = function.program
            if strings or len(inputs) < len(graph.inputs) or any(where == "here" for where, _ in outputs):
                rest = copy.copy(graph)
                rest.nodes = [n for n in graph.nodes if n not in strings]
                rest.inputs = inputs
                rest.outputs = [o for o, (where, _) in zip(graph.outputs, outputs, strict=True) if where == "program"]
                program = Program(rest)
            self._program = program  # generated code lives as long as its program
            self._batched = torch.vmap(lambda *flat: tuple(program.run(*flat)))

    def together(self, flat: list[Any]) -> list[Any] | None:
        """All rows at once; None where that does not work, for one of them or for any."""
        if self.failed:
            return None
        values = dict(zip(self._arguments, flat, strict=True))
        try:
            for node in self._strings:
                _run(node, values)
        except OpError:  # one of the rows is wrong
            return None
        try:
            found = () if self._batched is None else self._batched(*[values[k] for k in self._inputs])
        except Exception:  # noqa: BLE001 - an op without a vmap rule, or a failure that the single element reports better
            self.failed = True
            return None
        return [values[at] if where == "here" else found[at] for where, at in self._outputs]

    def __call__(self, flat: list[Any]) -> list[Any]:
        found = self.together(flat)
        if found is not None:
            return found
        rows = structure.rows(flat[0])
        parts = [self.one([structure.take_row(c, i) for c in flat]) for i in range(rows)]
        return [structure.stack([p[k] for p in parts]) for k in range(len(parts[0]))]


def _run(node: Any, values: dict[Any, Any]) -> None:
    """Run a node of `_STRINGWISE` on vectors."""

    def given(v: Any) -> Any:
        if isinstance(v, SymbolicTensor):
            return values[v._key()]
        if isinstance(v, Tensor):
            return v._t
        return [given(e) for e in v] if type(v) is list else v

    op = node.op
    args = [given(v) for v in node.args]
    strings = any(isinstance(a, np.ndarray) for a in args)
    if op.name == "ParseExampleV2":
        args[-1] = False  # not a single one
    result = (op.string_fn if strings and op.string_fn is not None else op.fn)(*args)
    if type(node.structure) is int:
        values[node.outputs[0]._key()] = result
    else:
        for part, t in zip(result, node.outputs, strict=True):
            values[t._key()] = part


def vectorised(function: Traced) -> Vectorised | None:
    """The function for batches, or None when an op in it is not known to work row by row."""
    if function.program is None or function.captured:
        return None
    specs = [*structure.leaves(function.output_spec), *(s for a in function.args for s in structure.leaves(a))]
    if not all(type(s) is TensorSpec and s.shape.is_fully_defined() for s in specs):
        return None
    graph = function.concrete.graph
    if not graph.outputs or any(not isinstance(o, SymbolicTensor) for o in graph.outputs):
        return None
    here = {t._key(): t for t in graph.inputs}  # what there is of batches before the program of numbers
    depends = set(here)
    strings: list[Any] = []
    for node in _live(graph, graph.outputs):
        if node.kind in ("input", "capture"):
            continue
        if node.kind != "op" or node.op is None or node.op.stateful:
            return None
        ins = node.inputs()
        if any(t._dtype is string for t in [*ins, *node.outputs]) or _has_strings(node.args):
            if node.op.name not in _STRINGWISE or not ins or any(t._key() not in here or t._dims != () for t in ins):
                return None
            if node.op.name == "ParseExampleV2" and (not node.args[-1] or any(plan.kind != "fixed" for plan in node.args[-2])):
                return None
            if any(isinstance(v, (list, tuple)) and any(isinstance(e, SymbolicTensor) for e in v) for v in node.args):
                return None
            if type(node.structure) is not int and list(node.structure) != list(range(len(node.outputs))):
                return None
            strings.append(node)
            here.update((t._key(), t) for t in node.outputs)
        elif node.op.name not in _ELEMENTWISE or node.op.name in _CHECKED and not _harmless(node):
            return None
        if any(t._key() in depends for t in ins):
            depends.update(t._key() for t in node.outputs)
    if not all(o._key() in depends for o in graph.outputs):
        return None
    outputs: list[tuple[str, Any]] = []
    for o in graph.outputs:
        outputs.append(("here", o._key()) if o._key() in here else ("program", sum(where == "program" for where, _ in outputs)))
    return Vectorised(function, strings, [t for t in here.values() if t._dtype is not string], outputs)


#: ops that look at the values of their second argument when it is of integers, which vmap hides
_CHECKED = frozenset(("FloorDiv", "FloorMod", "Pow"))


def _harmless(node: Any) -> bool:
    second = node.args[1]
    if node.outputs[0]._dtype.is_floating:
        return True
    if isinstance(second, Tensor) and not isinstance(second, SymbolicTensor):
        second = second.numpy()
    return not isinstance(second, SymbolicTensor) and bool(np.all(np.asarray(second) > 0))


def _has_strings(args: Any) -> bool:
    return any(_has_strings(a) if isinstance(a, (list, tuple)) else isinstance(getattr(a, "_t", None), np.ndarray) for a in args)
