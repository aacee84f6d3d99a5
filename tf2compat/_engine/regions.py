"""Regions: which nodes of a graph are compiled together, and which the host runs between them.

A graph's nodes become a sequence of *host* nodes (conditions and loops on values, text, printing, Python functions, draws
of random numbers …) and *regions* of everything else. Nodes without effects move: a region takes all that can be computed
before the next host node has to run. What an order is part of keeps it: writes of variables among each other, with reads,
and with effects outside of the graph. A gradient is part of a region when all that it differentiates is; else the host
takes it, through regions that autograd can differentiate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from . import dtypes, scalars, state
from .graph import Graph, Node
from .op import ANY
from .op import op as declare
from .origins import Origin, origin
from .symbolic import SymbolicTensor, symbolic
from .tensor import Tensor
from .variable import Variable

__all__ = ["INDEXED", "Item", "Planner", "nestable"]

#: nodes that an unrolled loop may have
UNROLLED = 1500
#: and how often one goes round of which that is not known, for a guess of its work
_ROUNDS = 8
_GRADIENTS = ("SymbolicGradient", "Jacobian", "Jvp")
#: effects that neither write variables nor look at any but what they are given
_GENTLE = frozenset((
    "PrintV2", "Assert", "AssertBinary", "AssertRank", "WriteSummary", "Timestamp", "IteratorGetNext", "ReadFile", "WriteFile",
    "MatchingFiles", "CheckCategories",
))  # fmt: skip
#: ops that are no work of their own
_FREE = frozenset(("Identity", "Shape", "ShapeN", "Size", "Rank", "Watch", "StopGradient", "Reshape", "ExpandDims", "Squeeze"))
#: what computes sizes from sizes
_SIZES = frozenset((
    "Shape", "ShapeN", "Size", "Rank", "StridedSlice", "Pack", "ConcatV2", "AddV2", "Sub", "Mul", "FloorDiv", "FloorMod", "Cast", "Prod",
    "Sum", "Maximum", "Minimum", "GatherV2", "Reshape", "ExpandDims", "Squeeze", "Identity", "Neg", "SelectV2", "Less", "Greater", "Equal",
))  # fmt: skip
_NO_KERNELS = frozenset((dtypes.uint16, dtypes.uint32, dtypes.uint64))


#: ops that may be told by a tensor which element is meant, where what they do is recorded
INDEXED = frozenset(("StridedSlice", "TensorListSetItem", "TensorListGetItem"))


class Item:
    """A step of a planned graph: one node for the host, or a region of several."""

    __slots__ = ("nodes", "region", "closed")

    def __init__(self, nodes: list[Node], region: bool, closed: bool = False) -> None:
        self.nodes, self.region = nodes, region
        #: whether a region takes gradients of what is in it
        self.closed = closed


class _Facts:
    """What a node, blocks included, does to the world."""

    __slots__ = ("reads", "writes", "effect", "barrier", "random")

    def __init__(self) -> None:
        self.reads: set[int] = set()
        self.writes: set[int] = set()
        self.effect = self.barrier = self.random = False


def _facts(node: Node, into: _Facts | None = None) -> _Facts:
    facts = into or _Facts()
    if node.kind == "read":
        facts.reads.add(id(node.args[0]))
    op = node.op
    if op is not None and op.stateful and op.name not in _GRADIENTS:
        held = [v for k, a in zip(op.kinds, node.args, strict=True) if k is not None and k.what in ("variable", "variables")
                for v in (a if isinstance(a, list) else [a]) if v is not None]  # fmt: skip
        if held:
            for v in held:
                v = getattr(v, "_of", v)
                facts.reads.add(id(v))
                facts.writes.add(id(v))
        if op.name == "SizeOf":
            pass
        elif "stream" in op.params:
            facts.random = True
        elif not held:
            facts.effect = True
            facts.barrier = facts.barrier or op.name not in _GENTLE
    elif op is not None:
        _variables(node.args, facts)
    if node.kind == "for" and node.extra[0] == "_elements":
        facts.effect = True  # taking an element moves the iterator
    for block in node.blocks:
        for inner in block.nodes:
            _facts(inner, facts)
    return facts


def _variables(value: Any, facts: _Facts) -> None:
    if isinstance(value, Variable):
        facts.reads.add(id(value))
    elif isinstance(value, (list, tuple)):
        for v in value:
            _variables(v, facts)


def rounds(node: Node) -> int | None:
    """How often the body of a For runs, where that is known while tracing."""
    how, what, _, stops, limit = node.extra
    if stops or (limit is not None and not isinstance(limit, int)):
        return None
    given = node.args[1]
    found: int | None = None
    if how == "_rows":
        first = given[0]
        dims = first._dims if isinstance(first, SymbolicTensor) else tuple(first._t.shape)
        found = dims[0] if dims else None
    elif how == "_range":
        numbers = [_known(v) for v in given]
        if None not in numbers and numbers[2]:
            found = len(range(*numbers))  # type: ignore[arg-type]
    if found is not None and limit is not None:
        found = min(found, limit)
    return found


def nestable(node: Node) -> bool:
    """Whether a loop or condition may be in a region as it is: without effects, and with more than numbers that the host computes."""
    facts = _facts(node)
    if facts.effect or facts.random or (facts.writes and node.kind == "if"):
        return False
    if node.kind == "if":
        return _scalar(node.args[0]) and all(o is not None for b in node.blocks for o in b.outputs)
    if node.kind == "while":
        if not _scalar(node.blocks[0].outputs[0]) or not (node.extra is None or type(node.extra) is int):
            return False
    else:
        how, what, n, stops, limit = node.extra
        if how not in ("_range", "_rows") or what is not None or limit is not None:
            return False
        if stops and not _scalar(node.blocks[0].outputs[-1]):
            return False
    plan = scalars.analyse(node)
    return plan is None or not plan.pure


def _scalar(t: Any) -> bool:
    return isinstance(t, SymbolicTensor) and t._dims == ()


def _known(t: Any) -> int | None:
    if isinstance(t, SymbolicTensor):
        value = t._static_value()
        return None if value is None or value.ndim else int(value)
    if isinstance(t, Tensor) and t._t.ndim == 0 and t.dtype.is_integer:
        return int(t._t)
    return None


class Planner:
    """Plans the blocks of one program. `blocked`: nodes (by identity) that turned out not to compile, and why."""

    def __init__(
        self, blocked: dict[int, str], least: int, uses: Callable[[Node], list[tuple[int, int]]], parts: dict[int, Any] | None = None,
        nesting: bool = False,
    ) -> None:  # fmt: skip
        self.blocked, self.least, self.uses = blocked, least, uses
        #: whether loops and conditions on values may be in regions
        self.nesting = nesting
        #: what nodes were taken apart into, which stays the same from plan to plan
        self.parts = {} if parts is None else parts
        #: why nodes stay with the host: the first reason of each kind
        self.reasons: dict[str, str] = {}
        self._sized: dict[tuple[int, int], bool] = {}

    # --- single nodes ------------------------------------------------------------------------------------------------
    def obstacle(self, node: Node) -> str | None:
        """Why the host must run a node, or None."""
        found = self.blocked.get(id(node))
        if found is not None:
            return found
        if node.kind in ("if", "while") and not (self.nesting and nestable(node)):
            return f"{node.type} '{node.name}' is decided by the host"
        if node.device is not None:
            return f"'{node.name}' has a device of its own"
        if node.kind == "for":
            if node.extra[0] == "_elements":
                return f"the loop '{node.name}' over a dataset is the host's"
            n = rounds(node)
            if not self.unrolled(node) and not (self.nesting and nestable(node)):
                return f"the loop '{node.name}' " + ("runs as often as a value says" if n is None else "is too long to be unrolled")
        if node.kind == "read" and node.args[0]._dtype.torch is None:
            return f"variable {node.args[0].name} holds text"
        op = node.op
        if op is not None:
            if op.name == "ResourceSparseApply":
                return f"'{node.name}' updates as many rows as values say"
            if op.stateful and op.name not in _GRADIENTS:
                if "stream" in op.params:
                    return f"{op.name} '{node.name}' draws from a random stream"
                if not any(k is not None and k.what in ("variable", "variables") for k in op.kinds):
                    return f"{op.name} '{node.name}' has effects outside of the graph"
            for t in [*node.outputs, *_tensors(node.args)]:
                if t.dtype.torch is None and t.dtype.name != "variant":
                    return f"{op.name} '{node.name}' computes text"
                if t.dtype in _NO_KERNELS:
                    return f"{op.name} '{node.name}' computes {t.dtype.name}"
            if self._valued(node):
                return f"{op.name} '{node.name}' needs a value on the host"
        for block in node.blocks:
            for inner in block.nodes:
                found = self.obstacle(inner)
                if found:
                    return found
        return None

    def unrolled(self, node: Node) -> bool:
        """Whether a For is done round by round."""
        n = rounds(node)
        if n is None:  # a region is recorded for sizes that are known then
            how, what, _, stops, limit = node.extra
            return self.nesting and how == "_range" and not stops and limit is None and all(self._sized_by(v) for v in node.args[1])
        return n * self.weight(node.blocks[0].nodes) <= UNROLLED

    def _sized_by(self, v: Any) -> bool:
        return self._from_sizes(v) if isinstance(v, SymbolicTensor) else isinstance(v, Tensor) and v._t.device.type == "cpu"

    def _valued(self, node: Node) -> bool:
        """Whether a static argument hangs on more than sizes and the numbers of an unrolled loop."""
        op = node.op
        assert op is not None
        for kind, value in zip(op.kinds, node.args, strict=True):
            what = "" if kind is None else kind.what
            if what in ("tensor", "tensors", "dtype", "variable", "variables"):
                continue
            if self.nesting and op.name in INDEXED and not isinstance(value, slice):
                value = [v for v in value if isinstance(v, slice)] if isinstance(value, tuple) else None if _scalar(value) else value
            for t in _tensors([value]):
                if isinstance(t, SymbolicTensor) and (what or (t.ndim == 0 and t.dtype.is_integer)) and not self._from_sizes(t):
                    return True
        return False

    def _from_sizes(self, t: SymbolicTensor) -> bool:
        key = t._key()
        found = self._sized.get(key)
        if found is None:
            self._sized[key] = False
            found = t._static_value() is not None
            node = t._node
            if not found and node.op is not None:
                if node.op.name in ("Shape", "ShapeN", "Size", "Rank"):
                    found = True
                else:
                    found = node.op.name in _SIZES and all(self._from_sizes(i) for i in node.inputs())
            elif not found and node.kind == "capture":
                outside = next((o for o, i in t._graph.captures.values() if i._key() == key), None)
                found = not isinstance(outside, SymbolicTensor) or self._from_sizes(outside)
            elif not found and node.kind == "input" and node.name.rpartition("/")[2].startswith("element"):
                found = not t._graph.is_function and t.ndim == 0 and t.dtype.is_integer
            self._sized[key] = found
        return found

    def weight(self, nodes: list[Node]) -> int:
        """About how many torch calls nodes make."""
        total = 0
        for node in nodes:
            if node.kind == "for":
                total += (rounds(node) or _ROUNDS) * self.weight(node.blocks[0].nodes)
            elif node.kind in ("if", "while"):
                total += (1 if node.kind == "if" else _ROUNDS) * sum([self.weight(b.nodes) for b in node.blocks])
            elif node.op is not None and node.op.name not in _FREE:
                held = sum(len(a) for k, a in zip(node.op.kinds, node.args, strict=True) if k is not None and k.what == "variables")
                total += 6 if node.op.name in _GRADIENTS else 1 + 3 * held
            for block in node.blocks if node.kind == "custom" else ():
                total += self.weight(block.nodes)
        return total

    # --- a block -----------------------------------------------------------------------------------------------------
    def items(self, graph: Graph, live: list[Node]) -> list[Item]:
        """The steps of a block."""
        nodes: list[Node] = []
        for node in live:
            if id(node) not in self.parts:
                self.parts[id(node)] = _drawn(graph, node)
            parts = self.parts[id(node)]
            if parts is not None and (id(node) in self.blocked or id(parts[-1]) in self.blocked):
                parts = None
            nodes += [node] if parts is None else parts
        producer = {t._key(): i for i, n in enumerate(nodes) for t in n.outputs}
        data = [{producer[k] for k in self.uses(n) if k in producer} for n in nodes]
        deps = self._ordered(nodes, data)
        host = []
        given = set() if graph.is_function else {id(o._node) for o in graph.outputs if isinstance(o, SymbolicTensor)}
        for node in nodes:
            why = self.obstacle(node)
            # a leaf that leaves its branch is differentiated by outside of it
            host.append(why is not None or id(node) in given and node.op is not None and node.op.name == "Watch")
            if why is not None and (node.op is None or "stream" not in node.op.params):
                self.reasons.setdefault(why, why)
        spans = {i: self._span(nodes, data, i, producer) for i, n in enumerate(nodes) if n.op is not None and n.op.name in _GRADIENTS}
        for i, node in enumerate(nodes):
            if host[i] and node.blocks and any(_differentiates(n) for b in node.blocks for n in b.nodes):
                for j in _back(data, i):  # differentiated inside of the block
                    if nodes[j].op is not None and nodes[j].op.name == "Watch":  # type: ignore[union-attr]
                        host[j] = True
        followed: list[list[int]] = [[] for _ in nodes]
        for j, d in enumerate(data):
            for i in d:
                followed[i].append(j)
        while True:
            for i, node in enumerate(nodes):  # what the host looks at it reads itself
                if node.kind == "read" and not host[i] and any(host[j] for j in followed[i]):
                    host[i] = True
            order = _schedule(deps, host)
            where = {i: at for at, (_, group) in enumerate(order) for i in group}
            opened = False
            for i, span in spans.items():
                if not host[i] and (span is None or any(where[j] != where[i] for j in span)):
                    opened = host[i] = True
                    self.reasons.setdefault(nodes[i].name, f"the gradient '{nodes[i].name}' reaches over the host's decisions")
                    for j in span or ():  # its leaves are the host's, so that autograd connects what regions compute
                        if nodes[j].op is not None and nodes[j].op.name == "Watch":  # type: ignore[union-attr]
                            host[j] = True
            if not opened:
                break
        out: list[Item] = []
        for is_region, group in order:
            chosen = [nodes[i] for i in group]
            # a call of compiled code costs as much as several ops, and a loop makes many
            if is_region and self.weight(chosen) >= (self.least if graph.is_function else max(self.least, 4)):
                out.append(Item(chosen, True, any(i in spans for i in group)))
            else:
                out += [Item([n], False) for n in chosen]
        return out

    def _ordered(self, nodes: list[Node], data: list[set[int]]) -> list[set[int]]:
        """What each node must follow: what it uses, and the order of writes and effects."""
        deps = [set(d) for d in data]
        writer: dict[int, int] = {}
        readers: dict[int, list[int]] = {}
        written: list[int] = []
        seen: list[int] = []
        effect = barrier = random = -1
        for i, node in enumerate(nodes):
            facts, after = _facts(node), deps[i]
            for v in facts.reads:
                if v in writer:
                    after.add(writer[v])
                readers.setdefault(v, []).append(i)
            if facts.reads and barrier >= 0:
                after.add(barrier)
            for v in facts.writes:
                after.update(readers.get(v, ()))
                writer[v] = i
                readers[v] = [i]
            if facts.writes:
                if effect >= 0:
                    after.add(effect)
                written.append(i)
            if facts.reads:
                seen.append(i)
            if facts.effect:
                after.update(written)
                if effect >= 0:
                    after.add(effect)
                effect, written = i, []
                if facts.writes:
                    written.append(i)
                if facts.barrier:
                    after.update(seen)
                    barrier, seen = i, []
            if facts.random:
                if random >= 0:
                    after.add(random)
                random = i
            after.discard(i)
        return deps

    def _span(self, nodes: list[Node], data: list[set[int]], at: int, producer: Any) -> set[int] | None:
        """The nodes that a gradient differentiates, its leaves included; None where these are made elsewhere."""
        node = nodes[at]
        if node.op is None or node.op.name != "SymbolicGradient":
            back = _back(data, at)
            sources = {j for j in back if nodes[j].op is not None and nodes[j].op.name == "Watch"}  # type: ignore[union-attr]
            return {j for j in back if _back(data, j) & sources or j in sources} if sources else None
        tensors, n_targets, n_sources = node.args[:3]
        sources = set()
        for x in tensors[n_targets : n_targets + n_sources]:
            made = producer.get(x._key()) if isinstance(x, SymbolicTensor) else None
            if made is None:
                return None
            sources.add(made)
        span = set(sources)
        reached = set(sources)
        start = min(sources, default=at)
        for j in range(start, at):
            if data[j] & reached:
                reached.add(j)
        for y in tensors[:n_targets]:
            made = producer.get(y._key()) if isinstance(y, SymbolicTensor) else None
            if made is not None:
                span |= (_back(data, made) | {made}) & reached
        return span


def _back(data: list[set[int]], at: int) -> set[int]:
    found: set[int] = set()
    pending = [at]
    while pending:
        for j in data[pending.pop()]:
            if j not in found:
                found.add(j)
                pending.append(j)
    return found


def _schedule(deps: list[set[int]], host: list[bool]) -> list[tuple[bool, list[int]]]:
    """Nodes in an order that keeps `deps`, in as few alternations of host and compiled stretches as that allows."""
    n = len(deps)
    missing = [len(d) for d in deps]
    followers: list[list[int]] = [[] for _ in range(n)]
    for i, d in enumerate(deps):
        for j in d:
            followers[j].append(i)
    ready: dict[bool, list[int]] = {True: [], False: []}
    for i in range(n):
        if not missing[i]:
            ready[host[i]].append(i)
    order: list[tuple[bool, list[int]]] = []
    turn = True
    while ready[True] or ready[False]:
        group: list[int] = []
        while ready[turn]:
            i = ready[turn].pop()
            group.append(i)
            for j in followers[i]:
                missing[j] -= 1
                if not missing[j]:
                    ready[host[j]].append(j)
        if group:
            order.append((not turn, sorted(group)))
        turn = not turn
    return order


def _differentiates(node: Node) -> bool:
    if node.op is not None:
        return node.op.name in _GRADIENTS
    return any(_differentiates(n) for b in node.blocks for n in b.nodes)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from _tensors(v)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, slice):
        yield from _tensors((value.start, value.stop, value.step))


def _drawn(graph: Graph, node: Node) -> list[Node] | None:
    """A random op taken apart: what the host draws beforehand, and what a region computes with it; None where that cannot be."""
    if node.op is None or node.op.draw_fn is None or node.device is not None:
        return None
    before, state.local.device = state.local.device, None
    sizes: list[Node] = []

    def size(t: SymbolicTensor, axis: int) -> Any:
        """A tensor of the size that an open dimension most likely has; None where that is not known."""
        found = _anchor(graph, t, axis)
        if found is None:
            return None
        a, b = t._t.shape[axis], t._b.shape[axis]
        at = Node("op", node.name + "/size", _size_of.op, [*found, None])
        at.outputs = [symbolic(graph, at, 0, dtypes.int32, (), torch.tensor(a), torch.tensor(b))]
        at.structure, at.extra = 0, frozenset()
        sizes.append(at)
        return at.outputs[0]

    try:
        parts = node.op.draw_fn(*node.args, size)
        if parts is None:
            return None
        draw, drawn_args, (dtype, dims), rest, arguments = parts
        first = Node("op", node.name + "/draw", draw, drawn_args)
        drawn = symbolic(graph, first, 0, dtype, dims, None, None)
        second = Node("op", node.name, rest, arguments(drawn))
    finally:
        state.local.device = before
    first.outputs, first.structure, first.extra = [drawn], 0, frozenset()
    second.outputs = node.outputs  # under its own name, by which others know it
    second.structure, second.taped = 0, node.taped
    second.extra = frozenset()
    return [*sizes, first, second]


@declare("SizeOf", stateful=True, x=ANY)
def _size_of(x: Any, axis: int, more: int, stream: Any = None) -> Any:
    """A dimension's size and some, for the host (which a `stream` parameter says)."""
    return torch.tensor(max(x.shape[axis] + more, 0))


def _anchor(graph: Graph, tensor: SymbolicTensor, at: int) -> Origin | None:
    """An input's dimension that a tensor's open dimension most likely is: where only batches are open, the first."""
    if graph.is_function and any(t._dims is not None and None in t._dims[1:] for t in graph.inputs):
        return origin(graph, tensor, at)
    a, b = tensor._t.shape[at], tensor._b.shape[at]
    for t in graph.inputs:
        if t._dims is None or not isinstance(t._t, torch.Tensor) or t._b is None:
            continue
        for axis, d in enumerate(t._dims):
            if d is None and t._t.shape[axis] == a and t._b.shape[axis] == b:
                return t, axis, 0
    return None
