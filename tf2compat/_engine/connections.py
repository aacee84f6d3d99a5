"""What the results of a traced function depend on whichever way its conditions go, for tapes around its calls.

Autograd sees the branch that was taken; TensorFlow's gradient by a variable of the other branch is zero rather than None.
"""

from __future__ import annotations

from typing import Any

import torch

from .graph import Graph, Node, SymbolicTensor
from .lookups import tape_of
from .tape import leaf_of
from .variable import Variable

__all__ = ["connected"]


class _Connect(torch.autograd.Function):
    """A tensor as it is, with a gradient of zero for `sources` beside its own."""

    @staticmethod
    def forward(ctx: Any, out: torch.Tensor, *sources: torch.Tensor) -> torch.Tensor:
        ctx.like = [(s.shape, s.dtype, s.device) for s in sources]
        return out.view_as(out)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:  # type: ignore[override]
        return grad, *[
            torch.zeros(shape, dtype=dtype, device=device) if needed else None
            for (shape, dtype, device), needed in zip(ctx.like, ctx.needs_input_grad[1:], strict=True)
        ]


def _branches(node: Node) -> bool:
    return node.kind in ("if", "while", "for") or any(_branches(n) for b in node.blocks for n in b.nodes)


def _sources(graph: Graph) -> list[tuple[list[int], list[Variable]]]:
    """For each output the inputs and variables that it depends on; nothing where the function has no control flow."""
    if not any(_branches(n) for n in graph.nodes):
        return []
    known: dict[tuple[int, int], frozenset[Any]] = {t._key(): frozenset((i,)) for i, t in enumerate(graph.inputs)}
    variables: dict[int, Variable] = {}
    none: frozenset[Any] = frozenset()

    def of(node: Node) -> frozenset[Any]:
        found = none
        for t in node.inputs():
            found |= known.get(t._key(), none)
        for block in node.blocks:
            for outside, inner in block.captures.values():
                if isinstance(outside, SymbolicTensor):
                    known[inner._key()] = known.get(outside._key(), none)
                    found |= known[inner._key()]
            for inner_node in block.nodes:
                if inner_node.kind == "read" or inner_node.blocks:
                    found |= of(inner_node)
        if node.kind == "read":
            variable = node.args[0]
            variables[id(variable)] = variable
            found |= {("variable", id(variable))}
        return found

    for node in graph.nodes:
        cut = node.op is not None and node.op.name == "StopGradient"
        deps = none if cut else of(node)
        for t in node.outputs:
            known[t._key()] = deps if t._dtype.is_floating or t._dtype.is_complex or t._dtype.name == "variant" else none
    out = []
    for o in graph.outputs:
        deps = known.get(o._key(), none) if isinstance(o, SymbolicTensor) else none
        out.append((sorted(d for d in deps if type(d) is int), [variables[d[1]] for d in deps if type(d) is tuple]))
    return out


def _rows(leaf: torch.Tensor) -> list[torch.Tensor]:
    """The rows that were looked up in a leaf of a tape: its gradient is of these."""
    tape = tape_of(id(leaf))
    return [] if tape is None else [rows for rows, _ in tape._rows.get(id(leaf), ())]


def connected(graph: Graph, outs: Any, storages: list[Any]) -> Any:
    """Results of a call under a tape, connected with all that the function may make them of."""
    sources = graph.__dict__.get("_sources")
    if sources is None:
        sources = graph.__dict__["_sources"] = _sources(graph)
    if not sources:
        return outs
    result = []
    for out, (inputs, variables) in zip(outs, sources, strict=True):
        if isinstance(out, torch.Tensor) and (out.is_floating_point() or out.is_complex()):
            given = [storages[i] for i in inputs] + [leaf_of(v) for v in variables]
            given = [s for s in given if isinstance(s, torch.Tensor) and s.requires_grad]
            given = [r for s in given for r in _rows(s) or (s,)]
            if given:
                out = _Connect.apply(out, *given)
        result.append(out)
    return result
