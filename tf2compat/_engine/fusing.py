"""Chains of nodes that one op does: a convolution, a normalisation at rest, an activation; as TensorFlow's remapper has them.

Where something differentiates through them they stay what they are: nodes under tapes that begin at a leaf, and what runs with a tape around a function.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from .graph import Node
from .op import Op

__all__ = ["ACTIVATIONS", "NORMS", "STARTS", "Chain", "fused"]


class Chain(NamedTuple):
    """Nodes in a row: each the only user of the one before. `norm` and `activation` may be missing, `start` only before a `norm`."""

    start: Node | None
    norm: Node | None
    activation: Node | None


#: convolutions, and what makes an op and its arguments of a chain that begins with one
STARTS: dict[Op, Callable[[Chain], tuple[Op, tuple[Any, ...]]]] = {}
#: normalisations by statistics that stand still, and the same for chains of them and an activation
NORMS: dict[Op, Callable[[Chain], tuple[Op, tuple[Any, ...]]]] = {}
#: activations of one argument
ACTIVATIONS: set[Op] = set()


def fused(
    live: list[Node], kept: set[tuple[int, int]], uses: Callable[[Node], list[tuple[int, int]]], followed: set[int], known: dict[Any, Node]
) -> list[Node]:
    """The nodes with chains made one, where the last of them was. `kept`: the results that are asked for; `followed`: ids of nodes behind a tape's leaves.

    `known`: what was made of the same chains before, which regions know by its identity.
    """
    if not any(n.op in STARTS or n.op in NORMS for n in live):
        return live
    counts = Counter(k for n in live for k in uses(n)) + Counter(kept)
    by_first = {n.args[0]._key(): n for n in live if n.op is not None and _links(n, followed)}

    def after(node: Node, ops: Any) -> Node | None:
        key = node.outputs[0]._key()
        found = by_first.get(key)
        return found if counts[key] == 1 and found is not None and found.op in ops else None

    gone: set[int] = set()
    made: dict[int, Node] = {}
    for node in live:
        if id(node) in gone or node.op not in STARTS and node.op not in NORMS or _taped(node, followed) or node.device is not None:
            continue
        start = node if node.op in STARTS else None
        norm = after(node, NORMS) if start is not None else node
        activation = after(norm or node, ACTIVATIONS)
        chain = [n for n in (start, norm, activation) if n is not None]
        if len(chain) < 2:
            continue
        gone.update(id(n) for n in chain[:-1])
        before = known.get(tuple(id(n) for n in chain))
        if before is not None:
            made[id(chain[-1])] = before
            continue
        make = STARTS[node.op] if start is not None else NORMS[node.op]  # type: ignore[index]
        op, args = make(Chain(start, norm, activation))
        one = Node("op", node.name, op, args)
        one.outputs, one.structure, one.place, one.extra = chain[-1].outputs, chain[-1].structure, node.place, node.extra
        one.device, one.taped = None, False
        made[id(chain[-1])] = known[tuple(id(n) for n in chain)] = one
    return [made.get(id(n), n) for n in live if id(n) not in gone]


def _taped(node: Node, followed: set[int]) -> bool:
    return node.taped and id(node) in followed


def _links(node: Node, followed: set[int]) -> bool:
    return (node.op in NORMS or node.op in ACTIVATIONS) and not _taped(node, followed) and node.device is None and hasattr(node.args[0], "_key")
