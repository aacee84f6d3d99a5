"""Watches of variables by which nobody differentiates: those of a frozen trunk, whose layers read them under the tape of a training step.

TensorFlow builds the gradients that are asked for alone. Autograd records whatever comes after a leaf, keeps what it would need, and stands in the way of
kernels that inference has. Where a function takes all of its gradients itself, and no tape goes around it, a watch that no source of them comes from makes no leaf.
"""

from __future__ import annotations

from .graph import Node

__all__ = ["connected", "needless_watches"]

_TAKES = frozenset(("SymbolicGradient", "Jacobian", "Jvp"))


def _inside(node: Node) -> list[Node]:
    return [m for b in node.blocks for n in b.nodes for m in (n, *_inside(n))]


def needless_watches(live: list[Node]) -> set[int]:
    """The ids of the watches, among the live nodes of a function, that need no leaf."""
    watches = {n.outputs[0]._key(): n for n in live if n.op is not None and n.op.name == "Watch"}
    if not watches:
        return set()
    for node in live:
        for n in (node, *_inside(node)):
            if n.op is not None and (n.op.name in ("Jacobian", "Jvp", "ReadLater") or n is not node and n.op.name in (*_TAKES, "Watch")):
                return set()
            if n.kind == "custom":
                return set()
    sources = []
    for node in live:
        if node.op is not None and node.op.name == "SymbolicGradient":
            tensors, n_targets, n_sources = node.args[:3]
            sources += tensors[n_targets : n_targets + n_sources]
    if not sources:
        return set()
    maker = {t._key(): n for n in live for t in n.outputs}
    needed: set[int] = set()
    rest = [maker[t._key()] for t in sources if hasattr(t, "_key") and t._key() in maker]
    if len(rest) < len(sources):
        return set()
    while rest:
        node = rest.pop()
        if id(node) not in needed:
            needed.add(id(node))
            rest += [maker[t._key()] for t in node.inputs() if t._key() in maker]
    return {id(n) for n in watches.values()} - needed


def connected(live: list[Node], needless: set[int]) -> set[int]:
    """The ids of nodes that something may be differentiated through."""
    keys: set[tuple[int, int]] = set()
    found: set[int] = set()
    for node in live:
        begins = node.op is None or node.op.name in ("Watch", *_TAKES) or node.op.rows_fn is not None
        if id(node) in needless:
            begins = False
        elif node.kind in ("read", "input"):
            begins = False
        if begins or any(t._key() in keys for t in node.inputs()):
            found.add(id(node))
            keys.update(t._key() for t in node.outputs)
    return found
