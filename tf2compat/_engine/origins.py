"""Where the open dimensions of a traced function's tensors come from: of which input, and by how much they differ from it.

A trace knows that a dimension is open, and not which of the sizes of its inputs it will be. To find out, the function's nodes are recorded once more, on
inputs whose open dimensions have sizes that can be told apart.
"""

from __future__ import annotations

from collections.abc import Callable

from . import state
from .graph import Graph
from .symbolic import SymbolicTensor

__all__ = ["Origin", "origin"]

#: an input, its dimension, and what is to be added to that
Origin = tuple[SymbolicTensor, int, int]
#: sizes of which none is near another's multiple, or a sum of two; tables of positions have more rows
_SIZES = (37, 59, 83, 103, 127, 139, 157, 173)
#: how far from an input's a size may be (`labels[:, 1:]`)
_NEAR = 2

def origin(graph: Graph, t: SymbolicTensor, axis: int) -> Origin | None:
    """Where dimension `axis` of a tensor of a function's graph comes from; None where that is not known."""
    if graph.origins is None:
        graph.origins = _told_apart(graph)
    dims, sizes = graph.origins
    size = (dims.get(t._key()) or ())[axis : axis + 1]
    if not size or size[0] is None:
        return None
    near = [(s, at) for s, at in sizes.items() if abs(s - size[0]) <= _NEAR]
    return (*near[0][1], size[0] - near[0][0]) if near else None


def _told_apart(graph: Graph) -> tuple[dict[tuple[int, int], tuple[int | None, ...] | None], dict[int, tuple[SymbolicTensor, int]]]:
    if any(t._dims is None for t in graph.inputs):
        return {}, {}
    open_ = [(t, axis) for t in graph.inputs for axis, d in enumerate(t._dims) if d is None]  # type: ignore[arg-type]
    # inputs may have sizes in common: the first, or every one
    common: tuple[Callable[[int, int], object], ...] = (lambda i, axis: (i, axis), lambda i, axis: (i, axis) if axis else 0, lambda i, axis: axis)
    local = state.local
    saved = local.tapes, local.names
    for which in common:
        names = [which(i, axis) for i, t in enumerate(graph.inputs) for axis, d in enumerate(t._dims) if d is None]  # type: ignore[arg-type]
        kinds = list(dict.fromkeys(names))
        if len(kinds) > len(_SIZES):
            continue
        size = {(t._key(), axis): _SIZES[kinds.index(name)] for (t, axis), name in zip(open_, names, strict=True)}
        local.tapes, local.names = [], []
        state.tapes_changed()
        try:
            other = Graph(graph.name)
            with other.as_default():
                inputs = [
                    other.placeholder(t._dtype, tuple([size.get((t._key(), i), d) for i, d in enumerate(t._dims)]), t._node.name)  # type: ignore[arg-type]
                    for t in graph.inputs
                ]
                at = other.inlined(graph, inputs)
        except Exception:  # noqa: BLE001 - sizes that have to be the same
            continue
        finally:
            local.tapes, local.names = saved
            state.tapes_changed()
        sizes: dict[int, tuple[SymbolicTensor, int]] = {}
        for (t, axis), name in zip(open_, names, strict=True):
            sizes.setdefault(_SIZES[kinds.index(name)], (t, axis))
        return {key: v._dims for key, v in at.items() if isinstance(v, SymbolicTensor)}, sizes
    return {}, {}
