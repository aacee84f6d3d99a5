"""Running a graph: Python source, generated once, that calls the ops' torch implementations in order.

Control flow becomes Python's own, decided on the host; what a block captures are simply the variables around it. torch's
autograd records what runs, so a tape outside of the graph, or inside, needs nothing more. The source is kept for reading
(`concrete_function.graph.code`) and for tracebacks.
"""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from . import dtypes, folding, graph_errors, inplace, nesting, scalars, sizes, state
from .custom_gradient import _Custom, _fit
from .devices import accelerated, on_the_host
from .fusing import fused
from .graph import Graph, Node
from .lookups import look_up
from .op import Op, entering, invalid, wrap_here
from .regions import INDEXED, nestable
from .symbolic import SymbolicTensor
from .tensor import Tensor
from .unneeded import connected, needless_watches
from .variable import ResourceVariable, Variable

__all__ = ["Program", "differentiates"]

#: torch has few kernels for these; the op finds a wider one where it must
_NARROW = frozenset((torch.uint16, torch.uint32, torch.uint64, torch.float16, torch.bfloat16, torch.int8, torch.int16, torch.uint8))
_numbers = itertools.count(1)
#: by file name, for tracebacks; weakly, for a program holds its graph, and that the variables of whole models
_programs: weakref.WeakValueDictionary[str, Program] = weakref.WeakValueDictionary()


# --- what generated code calls ----------------------------------------------------------------------------------------
def _int(value: Any) -> int:
    number = getattr(value, "_number", None)  # an element of a range knows its value without a look into memory
    return value.item() if number is None else number


def _ints(value: Any) -> Any:
    return value.item() if value.ndim == 0 else tuple(value.tolist())


def _on(device: Any, op: Op, args: list[Any]) -> Any:
    """Run an op that was traced inside a device scope."""
    before = state.local.device
    state.local.device = device
    try:
        from .op import _moved

        return op.call(_moved(args, device), any(isinstance(a, np.ndarray) for a in args))
    finally:
        state.local.device = before


def _custom(backward: Callable[..., Any], results: tuple[Any, ...], sources: tuple[Any, ...]) -> Any:
    """Results whose gradient is the generated function `backward`."""
    if not any(isinstance(s, torch.Tensor) and s.requires_grad for s in sources):
        return results

    def run(grads: Any) -> list[Any]:
        found = backward(*grads)
        return [None if g is None else _fit(wrap_here(g), s) for g, s in zip(found, sources, strict=True)]

    return _Custom.apply(run, len(results), *results, *sources)


def _elements(dataset: Any, limit: int | None = None) -> Any:
    """The elements of a dataset as flat tuples of storages."""
    from . import nest

    for element in itertools.islice(dataset, limit):
        yield tuple([entering(t) for t in nest.flatten(element, expand_composites=True)])


def _rows(value: Any, limit: int | None = None) -> Any:
    """The slices of a tensor along its first axis."""
    if isinstance(value, np.ndarray):
        for i in range(len(value) if limit is None else min(limit, len(value))):
            row = value[i]
            if not isinstance(row, np.ndarray):
                box = np.empty((), dtype=object)
                box[()] = row
                row = box
            yield (row,)
        return
    if value.ndim == 0:
        raise invalid("Cannot iterate over a scalar tensor.")
    for row in value.unbind(0)[:limit]:
        yield (row,)


def _numbered(given: tuple[list[Any], Any], limit: int | None = None) -> Any:
    """The elements of a vector of integers that is known while tracing."""
    numbers, dtype = given
    for number in numbers[:limit]:
        element = torch.tensor(number, dtype=dtype)
        element._number = number
        yield (element,)


def _range(start: Any, last: Any, delta: Any, limit: int | None = None) -> Any:
    """The elements of `tf.range`, made one at a time."""
    dtype = start.dtype
    if dtype.is_floating_point:
        numbers: Any = np.arange(start.item(), last.item(), delta.item())
    else:
        numbers = range(start.item(), last.item(), delta.item())
    tensor = torch.tensor
    for number in itertools.islice(numbers, limit):
        element = tensor(number, dtype=dtype)
        element._number = number
        yield (element,)


class _Recording:
    """Stands in for a tape of the traced function, so that gradients inside it can be differentiated again."""


def _taped(fn: Callable[..., Any]) -> Callable[..., Any]:
    stand_in = [_Recording()]

    def run(*args: Any) -> Any:
        local = state.local
        before = local.tapes
        if not before:
            local.tapes = stand_in  # type: ignore[assignment]
        try:
            return fn(*args)
        finally:
            local.tapes = before

    return run


def _gradients(op: Op, expected: tuple[int, ...]) -> Callable[..., Any]:
    """The gradient op, giving zeros where the trace found a connection that this run does not have."""

    def run(tensors: Any, n_targets: int, n_sources: int, *rest: Any) -> Any:
        found = op.fn(tensors, n_targets, n_sources, *rest)
        for i in expected:
            if found[i] is None:
                found[i] = torch.zeros_like(tensors[n_targets + i])
        return found

    return run


def _followed(node: Node) -> bool:
    """Whether autograd follows what goes into a loop or condition, or comes out of it."""
    around = [o for block in node.blocks for o, _ in block.captures.values()]
    return any(isinstance(t, SymbolicTensor) and isinstance(t._t, torch.Tensor) and t._t.requires_grad for t in [*node.inputs(), *node.outputs, *around])


def _at_most(limit: Any) -> Any:
    return itertools.count() if limit is None else range(int(limit))


def _taping() -> bool:
    return bool(state.local.tapes)


_transforms = torch._C._functorch.maybe_current_level


def _careful() -> bool:
    """Whether somebody follows what is computed: a tape, or one of torch's function transforms."""
    return bool(state.local.tapes) or _transforms() is not None


def _counting(start: int, last: int, delta: int, limit: int | None = None) -> Any:
    """The elements of `tf.range` as numbers."""
    return itertools.islice(range(start, last, delta), limit)


def _listed(numbers: list[int], limit: int | None = None) -> list[int]:
    return numbers if limit is None else numbers[:limit]


class _Plainly:
    """A program without the shortcuts that change memory or leave torch, for when somebody follows what is computed."""

    def __init__(self, graph: Graph, inputs: list[SymbolicTensor]) -> None:
        self.graph, self.inputs = graph, inputs
        self.program: Program | None = None

    def __call__(self, *args: Any) -> tuple[Any, ...]:
        if self.program is None:
            self.program = Program(self.graph, self.inputs, fast=False)
        return self.program.run(*args)


_HELPERS = {**scalars.HELPERS, **nesting.HELPERS, "_careful": _careful, "_counting": _counting, "_listed": _listed, "_into": inplace.into, "_taping": _taping, "_int": _int, "_ints": _ints, "_on": _on, "_custom": _custom, "_elements": _elements, "_rows": _rows, "_numbered": _numbered, "_range": _range, "_at_most": _at_most, "_entering": entering, "_look_up": look_up}


class _Writer:
    """Turns a graph into lines of Python."""

    def __init__(self, graph: Graph, inputs: list[SymbolicTensor], planner: Any = None, fast: bool = True) -> None:
        self.planner = planner
        #: the planner of a region whose loops and conditions are functions, for what records them
        self.nesting: Any = None
        #: whether nodes may write into memory that is there, and scalars of loops be numbers
        self.fast = fast
        #: ids of watches that make no leaf
        self.needless: set[int] = set()
        self.inplace = fast and planner is None
        self.numbers = fast
        self.shortcuts = False
        #: numbers among the names, with the dtypes that they stand for and the text that gives their device
        self.host: dict[str, tuple[dtypes.DType, str]] = {}
        self.plan: scalars.Plan | None = None
        self.imported: dict[Any, str] = {}
        #: who made what is used how often, in the blocks that are being written
        self.makers: dict[Any, Node] = {}
        self.counts: Counter[Any] = Counter()
        #: the regions of a planned program, and the source of their functions
        self.regions: list[Cut] = []
        self.lines: list[str] = []
        self.nodes: list[Node | None] = []
        self.env: dict[str, Any] = dict(_HELPERS)
        self.names: dict[tuple[int, int], str] = {}
        self.shared: dict[Any, str] = {}  # objects of the environment by identity
        self.captured: dict[int, tuple[str, Tensor]] = {}
        #: what a pipeline's function captured on a GPU, by identity, and its copy in the host's memory
        self.at_home: dict[int, tuple[Tensor, Tensor]] = {}
        self.forgiving: dict[Any, Callable[..., Any]] = {}
        self.count = 0
        self.local: set[str] = set()
        #: names that exist inside regions only
        self.inside: set[str] = set()
        self.indent = 1
        self.loops = 0
        parameters = []
        for t in inputs:
            parameters.append(self.define(t, self.fresh("x")))
        start = len(self.lines)
        self.block(graph, graph.outputs)
        returned = ", ".join(self.value(o, graph) for o in graph.outputs)
        self.line(f"return ({returned}{',' if len(graph.outputs) == 1 else ''})")
        head = [f"def run({', '.join(parameters)}):"]
        if self.shortcuts and planner is None:
            self.env["_plainly"] = _Plainly(graph, inputs)
            head.append(f"    if _careful(): return _plainly({', '.join(parameters)})")
        head += [f"    {name} = _entering({self.constant(t, 'T')})" for name, t in self.captured.values()]
        self.lines[start:start] = head
        self.nodes[start:start] = [None] * len(head)
        for cut in reversed(self.regions):
            cut.head = [f"def {cut.source}({', '.join(cut.params)}):", *cut.head]
            self.lines[:0] = cut.head
            self.nodes[:0] = [None, *cut.nodes_of_lines]

    # --- names -------------------------------------------------------------------------------------------------------
    def fresh(self, prefix: str) -> str:
        self.count += 1
        name = f"{prefix}{self.count}"
        self.local.add(name)
        return name

    def define(self, t: SymbolicTensor, name: str) -> str:
        self.names[t._key()] = name
        return name

    def constant(self, value: Any, prefix: str = "c") -> str:
        found = self.shared.get(id(value))
        if found is None:
            found = self.shared[id(value)] = self.fresh(prefix)
            self.env[found] = value
        return found

    def line(self, text: str, node: Node | None = None) -> None:
        self.lines.append("    " * self.indent + text)
        self.nodes.append(node)

    def value(self, v: Any, graph: Graph, given: Any = None) -> str:
        """The expression for a tensor argument or output."""
        if v is None:
            return "None"
        if isinstance(v, SymbolicTensor):
            name = self.names.get(v._key())
            if name is None:
                name = self.names[graph.mine(v)._key()]
            if name in self.host:
                return scalars.boxed(name, *self.host[name])
            return name
        if isinstance(v, Tensor):
            apart = given is not None and id(v) not in given
            if state.local.home is not None and accelerated():
                v = self.at_home.setdefault(id(v), (v, on_the_host(v)))[1]
            s = v._t
            if apart:
                return self.embedded(v)
            if isinstance(s, torch.Tensor) and (s.is_floating_point() or s.is_complex()):
                known = self.captured.get(id(v))
                if known is None:
                    known = self.captured[id(v)] = (self.fresh("k"), v)
                return known[0]
            return self.constant(s)
        if isinstance(v, Variable):
            return f"{self.constant(v, 'V')}._read()"
        return self.constant(v)

    def embedded(self, v: Tensor) -> str:
        """A constant of the program: its memory must be its own."""
        found = self.shared.get(("own", id(v)))  # apart from the tensor itself, which may be captured elsewhere
        if found is None:
            s = v._t
            own = s.detach().clone() if isinstance(s, torch.Tensor) else s.copy()
            found = self.shared["own", id(v)] = self.fresh("c")
            self.env[found] = own
            self.env[found + "_"] = v  # keeps the identity alive
        return found

    # --- arguments ---------------------------------------------------------------------------------------------------
    def static(self, v: Any, graph: Graph) -> str:
        if isinstance(v, Tensor):
            if isinstance(v, SymbolicTensor) and v._static_value() is not None:
                s = v._static_value()
                return repr(s.item() if s.ndim == 0 else tuple(s.tolist()))
            found = sizes.expression(v)
            if found is not None:
                return sizes.text(found, lambda t: self.value(t, graph))
            parts = sizes.expressions(v)
            if parts is not None:
                return "(" + "".join(sizes.text(p, lambda t: self.value(t, graph)) + ", " for p in parts) + ")"
            if self.plan is not None and v.ndim == 0 and isinstance(v, SymbolicTensor):
                name = self.number(v)
                if name is not None:
                    return name
            helper = self.number_of if (v.ndim == 0) else "_ints"
            return f"{helper}({self.value(v, graph)})"
        if isinstance(v, tuple):
            return "(" + "".join(self.static(e, graph) + ", " for e in v) + ")"
        return repr(v)

    def other(self, v: Any, graph: Graph) -> str:
        """An undeclared argument: symbolic scalars among it are Python numbers for the implementation."""
        if isinstance(v, SymbolicTensor):
            found = sizes.expression(v) if v.ndim == 0 and v.dtype.is_integer else None
            if found is not None:
                return sizes.text(found, lambda t: self.value(t, graph))
            number = self.number(v) if self.plan is not None and v.ndim == 0 and v.dtype.is_integer else None
            if number is not None:
                return number
            name = self.value(v, graph)
            return f"{self.number_of}({name})" if v.ndim == 0 and v.dtype.is_integer else name
        if isinstance(v, Tensor):
            return self.constant(v._t)
        if v is None or v is Ellipsis or type(v) in (int, bool, str, float):
            return repr(v) if type(v) is not float or v == v and abs(v) != float("inf") else self.constant(v)
        if isinstance(v, slice):
            how, self.number_of = self.number_of, "_int"
            text = f"slice({self.other(v.start, graph)}, {self.other(v.stop, graph)}, {self.other(v.step, graph)})"
            self.number_of = how
            return text
        if type(v) is tuple:
            return "(" + "".join(self.other(e, graph) + ", " for e in v) + ")"
        if type(v) is list:
            return "[" + ", ".join(self.other(e, graph) for e in v) + "]"
        return self.constant(v)

    def arguments(self, node: Node, graph: Graph) -> list[str]:
        out = []
        self.number_of = "_index" if self.nesting is not None and node.op.name in INDEXED else "_int"  # type: ignore[union-attr]
        for kind, v in zip(node.op.kinds, node.args, strict=True):  # type: ignore[union-attr]
            what = "" if kind is None else kind.what
            if what == "tensor":
                number = sizes.expression(v) if kind.sized else None  # type: ignore[union-attr]
                out.append(self.value(v, graph, node.extra) if number is None else sizes.text(number, lambda t: self.value(t, graph)))
            elif what == "tensors":
                out.append("[" + ", ".join(self.value(e, graph, node.extra) for e in v) + "]")
            elif what in ("int", "ints", "shape", "axes"):
                out.append(self.static(v, graph))
            elif what in ("dtype", "variable"):
                out.append("None" if v is None else self.constant(v, "V" if what == "variable" else "c"))
            elif what == "variables":
                out.append("[" + ", ".join(self.constant(e, "V") for e in v) + "]")
            else:
                out.append(self.other(v, graph))
        return out

    # --- blocks ------------------------------------------------------------------------------------------------------
    def block(self, graph: Graph, outputs: list[Any]) -> None:
        """The live nodes of a graph; names are deleted after their last use."""
        live = _live(graph, outputs)
        if self.fast and graph.is_function:
            live = self.fold(graph, live, outputs)
            self.needless = needless_watches(live)
            count = len(live)
            live = fused(live, {k for o in outputs for k in _keys(o)}, _uses, connected(live, self.needless), graph.fused)
            self.shortcuts = self.shortcuts or bool(self.needless) or len(live) < count
        if self.planner is not None:
            self.planned(graph, self.planner.items(graph, live), outputs)
            return
        last: dict[tuple[int, int], int] = {}
        for i, node in enumerate(live):
            for key in _uses(node):
                last[key] = i
        kept = {k for o in outputs for k in _keys(o)}
        made = {t._key() for n in graph.nodes for t in n.outputs}
        final = max((i for i, n in enumerate(live) if differentiates(n)), default=-1) if graph.is_function else -1
        saved = self.makers, self.counts
        if self.inplace:
            self.makers = {t._key(): n for n in live for t in n.outputs}
            self.counts = Counter(k for n in live for k in _uses(n)) + Counter(kept)
        stored: Node | None = None
        for i, node in enumerate(live):
            if node is stored:
                continue
            stored = self.stored(node, live[i + 1] if i + 1 < len(live) else None, graph)
            if stored is None:
                self.node(node, graph)
            if i == final and node.op is not None:
                self.release(graph, live[: i + 1], {k for k, at in last.items() if at > i} | kept)
            gone = []
            for t in node.outputs:
                key = t._key()
                if key not in last and key not in kept and key in self.names:
                    gone.append(self.names[key])
            for key in dict.fromkeys(_uses(node)):
                if last.get(key) == i and key not in kept and key in made and key in self.names:
                    gone.append(self.names[key])
            gone = [n for n in dict.fromkeys(gone) if n not in self.host]
            if gone:
                self.line(f"del {', '.join(gone)}")
        self.makers, self.counts = saved

    def fold(self, graph: Graph, live: list[Node], outputs: list[Any]) -> list[Node]:
        """Write that the results of constant nodes are at hand; the other nodes."""
        nodes = folding.constant_nodes(graph, live) if state.folding else []
        if not nodes:
            return live
        gone = {id(n) for n in nodes}
        rest = [n for n in live if id(n) not in gone]
        used = {k for n in rest for k in _uses(n)} | {k for o in outputs for k in _keys(o)}
        results = [t for n in nodes for t in n.outputs if t._key() in used]
        if results:
            self.shortcuts = True
            names = [self.define(t, self.fresh("k")) for t in results]
            self.line(f"{', '.join(names)}, = {self.constant(folding.Folded(graph, nodes, results), 'folded')}()")
        return rest

    def stored(self, node: Node, after: Node | None, graph: Graph) -> Node | None:
        """Let a variable take over a result as it is computed; the node that this makes unnecessary."""
        fn = inplace.direct(node) if self.inplace and (self.plan is None or id(node) not in self.plan.nodes) else None
        variable = inplace.assigned(node, after, self.counts) if fn is not None else None
        if variable is None:
            return None
        self.shortcuts = True
        args = ", ".join(self.arguments(node, graph))
        self.line(f"_into({self.constant(variable, 'V')}, {self.constant(fn, 'f')}, {args})", node)
        return after

    def planned(self, graph: Graph, items: list[Any], outputs: list[Any]) -> None:
        """As `block`, for a graph whose nodes are grouped into regions."""
        last: dict[tuple[int, int], int] = {}
        for i, item in enumerate(items):
            for node in item.nodes:
                for key in _uses(node):
                    last[key] = i
        kept = {k for o in outputs for k in _keys(o)}
        made = {t._key() for item in items for n in item.nodes for t in n.outputs}
        hosted = [i for i, item in enumerate(items) if not item.region and differentiates(item.nodes[0])]
        final = max(hosted, default=-1) if graph.is_function else -1
        for i, item in enumerate(items):
            if item.region:
                self.region(graph, item, {k for k, at in last.items() if at > i} | kept)
            else:
                self.node(item.nodes[0], graph)
            if i == final:
                done = [n for earlier in items[: i + 1] for n in earlier.nodes]
                self.release(graph, done, {k for k, at in last.items() if at > i} | kept)
            used = [k for n in item.nodes for k in _uses(n)] + [t._key() for n in item.nodes for t in n.outputs]
            gone = []
            for key in dict.fromkeys(used):
                name = self.names.get(key)
                if key in made and last.get(key, i) == i and key not in kept and name is not None and name.isidentifier() and name not in self.inside:
                    gone.append(name)
            gone = list(dict.fromkeys(gone))
            if gone:
                self.line(f"del {', '.join(gone)}")

    def region(self, graph: Graph, item: Any, needed: set[tuple[int, int]]) -> None:
        """A group of nodes as a function of its own, and the call of it."""
        saved = self.lines, self.nodes, self.indent, self.planner, self.local, self.numbers
        self.nesting = self.planner if self.planner.nesting else None
        self.lines, self.nodes, self.indent, self.planner, self.local, self.numbers = [], [], 1, None, set(), False
        last = {key: i for i, node in enumerate(item.nodes) for key in _uses(node)}
        results = [t for node in item.nodes for t in node.outputs if t._key() in needed]
        own = {t._key() for node in item.nodes for t in node.outputs} - needed
        for i, node in enumerate(item.nodes):
            self.node(node, graph)
            keys = [k for k in dict.fromkeys([*_uses(node), *(t._key() for t in node.outputs)]) if k in own and last.get(k, i) == i]
            gone = list(dict.fromkeys(self.names[k] for k in keys if k in self.names))
            if gone:
                self.line(f"del {', '.join(gone)}")
        connected = any(isinstance(t._t, torch.Tensor) and t._t.requires_grad for t in _inputs(item.nodes, graph) if t._node not in item.nodes)
        if item.closed and not connected:
            self.release(graph, item.nodes, needed)
        names = [self.names[t._key()] for t in results]
        self.line(f"return ({''.join(n + ', ' for n in names)})")
        lines, nodes, made = self.lines, self.nodes, self.local
        self.lines, self.nodes, self.indent, self.planner, self.local, self.numbers = saved
        self.nesting = None
        self.local |= made
        free = _free("\n".join(["def region():", *lines])) - set(self.env)
        given = list(dict.fromkeys(self.names[t._key()] for t in _inputs(item.nodes, graph) if t._key() in self.names))
        at = {name: i for i, name in enumerate(given)}
        params = sorted((n for n in free if n in self.local), key=lambda n: (at.get(n, len(at)), n))
        self.inside = self.inside | (made - set(names))
        cut = Cut(self.fresh("region"), params, lines, nodes, item.nodes, item.closed)
        inputs = {name: t for t in _inputs(item.nodes, graph) for name in [self.names.get(t._key())] if name in params}
        cut.inputs = [inputs.get(p) for p in params]
        cut.outputs, cut.connected = results, connected
        tensors = {name: id(t) for name, t in self.captured.values()}
        keys = [tensors.get(p) if t is None else t._key() for p, t in zip(params, cut.inputs, strict=True)]
        cut.signature = tuple(id(n) for n in item.nodes), tuple(keys), tuple(t._key() for t in results)
        self.regions.append(cut)
        self.env[cut.name] = cut
        self.line(f"{''.join(n + ', ' for n in names)}{' = ' if names else ''}{cut.name}({', '.join(params)})")

    def release(self, graph: Graph, done: list[Node], used: set[tuple[int, int]]) -> None:
        """Let go of autograd's record after the last gradient: it holds the variables' memory, which could not be updated in place."""
        names = []
        for node in done:
            for t in node.outputs:
                key = t._key()
                if key in used and key in self.names and isinstance(t._t, torch.Tensor) and t._t.requires_grad and t._dtype is not dtypes.variant:
                    names.append(self.names[key])
        if names:
            self.line("if not _taping():")
            for name in dict.fromkeys(names):
                self.line(f"    {name} = {name}.detach()")

    def node(self, node: Node, graph: Graph) -> None:
        write = getattr(self, "_" + node.kind)
        if not (self.fast and node.blocks and node.taped and _followed(node)):
            write(node, graph)
            return
        # the blocks may be of a function that was traced without the tape that goes through them now: they cannot tell what it follows
        saved, self.inplace, self.numbers = (self.inplace, self.numbers), False, False
        write(node, graph)
        self.inplace, self.numbers = saved

    def _op(self, node: Node, graph: Graph) -> None:
        op = node.op
        assert op is not None
        if id(node) in self.needless:
            self.line(f"{self.define(node.outputs[0], self.fresh('t'))} = {self.value(node.args[0][0], graph, node.extra)}", node)
            return
        if self.plan is not None and id(node) in self.plan.nodes:
            how = scalars.expression(node)
            assert how is not None
            t = node.outputs[0]
            text = how(*[self.operand(a) for a in node.args if isinstance(a, Tensor)])
            name = self.numbered(t, self.fresh("h"))
            self.line(f"{name} = {text}", node)
            return
        args = ", ".join(self.arguments(node, graph))
        fn = inplace.direct(node) if self.inplace else None
        if fn is not None:
            target = inplace.reusable(node, self.makers, self.counts)
            if target is not None and self.names.get(target._key()) not in self.host:
                self.shortcuts = True
                args += f", out={self.names[target._key()]}"
            self.line(f"{self.define(node.outputs[0], self.fresh('t'))} = {self.implementation(op, fn)}({args})", node)
            return
        inputs = [t for t in node.inputs() if isinstance(t, Tensor)]
        eager = [v for a in node.args for v in (a if isinstance(a, list) else [a]) if isinstance(v, Tensor)]
        strings = any(t.dtype is dtypes.string for t in [*inputs, *eager])
        if node.device is not None:
            call = f"_on({self.constant(node.device)}, {self.constant(op, 'f')}, [{args}])"
        elif any(t.dtype.torch in _NARROW for t in [*inputs, *eager]):
            call = f"{self.constant(op.call, 'f')}([{args}], {strings})"
        elif op.name == "SymbolicGradient":
            expected = tuple(i for i, s in enumerate(node.structure) if s is not None)
            gradients = self.fresh("gradients")
            run = _gradients(op, expected)
            self.env[gradients] = _taped(run) if node.taped else run
            call = f"{gradients}({args})"
        elif op.name in ("Jacobian", "Jvp") and node.taped:
            call = f"{self.constant(_taped(op.fn), 'f')}({args})"
        else:
            call = f"{self.implementation(op, op.string_fn if strings and op.string_fn is not None else op.fn, strings)}({args})"
            if op.rows_fn is not None and not strings and not self.loops and op.rows_fn(*node.args):
                params = self.value(node.args[0], graph, node.extra)
                if params.isidentifier() and params not in self.env:  # not a constant; a tape around may watch what is looked up in
                    fn_name = self.constant(op.fn, op.fn.__name__ + "_")
                    call += f" if not {params}.requires_grad else _look_up({fn_name}, {self.constant(op.rows_fn, 'f')}, {args})"
        structure = node.structure
        if structure is None or not node.outputs:
            self.line(call, node)
        elif type(structure) is int:
            self.line(f"{self.define(node.outputs[0], self.fresh('t'))} = {call}", node)
        else:
            result = self.fresh("r")
            self.line(f"{result} = {call}", node)
            for path, index in _paths(structure, ""):
                self.line(f"{self.define(node.outputs[index], self.fresh('t'))} = {result}{path}", node)
            self.line(f"del {result}")

    def implementation(self, op: Op, fn: Callable[..., Any], strings: bool = False) -> str:
        """The name of a function that does what an op does. Where there is a GPU, tensors of the host and of the GPU may meet."""
        if accelerated():
            found = self.forgiving.get((op, fn))
            if found is None:
                found = self.forgiving[op, fn] = op.hosting(fn) if strings else op.forgiving(fn)
            return self.constant(found, fn.__name__ + "_")
        return self.constant(fn, fn.__name__ + "_")

    def _read(self, node: Node, graph: Graph) -> None:
        variable = node.args[0]
        how = "_t" if self.inplace and type(variable) is ResourceVariable else "_read()"
        self.shortcuts = self.shortcuts or how == "_t"
        self.line(f"{self.define(node.outputs[0], self.fresh('v'))} = {self.constant(variable, 'V')}.{how}", node)

    def _captures(self, block: Graph, graph: Graph) -> None:
        for outside, inner in block.captures.values():
            if isinstance(outside, SymbolicTensor):
                key = outside._key() if outside._key() in self.names else graph.mine(outside)._key()
                self.names[inner._key()] = self.names[key]
                if key in self.imported:
                    self.imported[inner._key()] = self.imported[key]
            else:
                self.names[inner._key()] = self.value(outside, graph)

    def _body(self, block: Graph, outputs: list[Any]) -> None:
        self.indent += 1
        before = len(self.lines)
        self.block(block, outputs)
        if len(self.lines) == before:
            self.line("pass")
        self.indent -= 1

    # --- blocks as functions -----------------------------------------------------------------------------------------
    def function(self, block: Graph, outputs: list[Any], graph: Graph, node: Node) -> str:
        """A block as a function of its inputs; its name."""
        name = self.fresh("block")
        self._captures(block, graph)
        params = [self.define(t, self.fresh("p")) for t in block.inputs]
        self.line(f"def {name}({', '.join(params)}):", node)
        self._body(block, outputs)
        self.indent += 1
        texts = [self.value(o, block) for o in outputs]
        if not _differentiated(graph):  # what tapes inside of the block followed
            texts = [x + ".detach()" if isinstance(o._t, torch.Tensor) and o._t.requires_grad else x for o, x in zip(outputs, texts, strict=True)]
        self.line(f"return ({''.join(x + ', ' for x in texts)})")
        self.indent -= 1
        return name

    def nested(self, node: Node, graph: Graph) -> None:
        """A loop or condition of a region that is recorded."""
        if node.kind == "if":
            how, given = "_branched", [self.value(node.args[0], graph), *[self.function(b, b.outputs, graph, node) for b in node.blocks]]
        elif node.kind == "while":
            test, body = [self.function(b, b.outputs, graph, node) for b in node.blocks]
            init = "".join(self.value(v, graph) + ", " for v in node.args)
            how, given = "_repeated", [f"lambda *a: {test}(*a)[0]", body, f"({init})", repr(node.extra)]
        else:
            init = "".join(self.value(v, graph) + ", " for v in node.args[0])
            body = self.function(node.blocks[0], node.blocks[0].outputs, graph, node)
            how = {"_range": "_counted", "_rows": "_rowed"}[node.extra[0]]
            given = [*[self.value(v, graph) for v in node.args[1]], body, f"({init})", repr(bool(node.extra[3]))]
        names = [self.define(t, self.fresh("t")) for t in node.outputs]
        self.line(f"{''.join(n + ', ' for n in names)}{' = ' if names else ''}{how}({', '.join(given)})", node)

    def _if(self, node: Node, graph: Graph) -> None:
        if self.nesting is not None and nestable(node):
            self.nested(node, graph)
            return
        names = [self.define(t, self.fresh("t")) for t in node.outputs]
        numbers = [self.plan is not None and t._key() in self.plan.host for t in node.outputs]
        self.line(f"if {self.decided(node.args[0], graph)}:", node)
        for i, block in enumerate(node.blocks):
            if i:
                self.line("else:")
            self._captures(block, graph)
            self._body(block, block.outputs)
            if names:
                values = ", ".join(self.operand(o) if number else self.value(o, block) for o, number in zip(block.outputs, numbers, strict=True))
                self.indent += 1
                self.line(f"{', '.join(names)}{',' if len(names) == 1 else ''} = {values}{',' if len(names) == 1 else ''}")
                self.left(block.outputs, block, names)
                self.indent -= 1
        for t, number in zip(node.outputs, numbers, strict=True):
            if number:
                self.numbered(t, self.names[t._key()])

    # --- numbers in the place of scalars -----------------------------------------------------------------------------
    def numbered(self, t: SymbolicTensor, name: str) -> str:
        """Let `name` be the number that stands for `t`."""
        self.host[name] = (t._dtype, self.where)
        return self.define(t, name)

    def number(self, t: SymbolicTensor) -> str | None:
        """The name of the number that `t` is, or None."""
        name = self.imported.get(t._key())
        if name is None:
            found = self.names.get(t._key())
            name = found if found in self.host else None
        return name

    def operand(self, v: Any) -> str:
        """The text of a number."""
        if isinstance(v, SymbolicTensor):
            name = self.number(v)
            assert name is not None
            return name
        name = self.imported.get(id(v))
        if name is not None:
            return name
        value = scalars.literal(v)
        return repr(value) if type(value) in (int, bool) else self.constant(value)

    def decided(self, v: Any, graph: Graph) -> str:
        """The text of a condition."""
        name = self.number(v) if self.plan is not None and isinstance(v, SymbolicTensor) else None
        return self.value(v, graph) if name is None else name

    def looped(self, node: Node, graph: Graph, write: Callable[[], None]) -> None:
        """Write a loop, with numbers for the scalars that can be."""
        self.loops += 1
        try:
            self._looped(node, graph, write)
        finally:
            self.loops -= 1

    def _looped(self, node: Node, graph: Graph, write: Callable[[], None]) -> None:
        if self.plan is not None or not self.numbers:
            write()
            return
        plan = scalars.analyse(node)
        if plan is None or (self.planner is not None and not plan.pure):
            write()
            return
        planner, self.planner, saved = self.planner, None, (self.numbers, self.inplace)
        self.shortcuts = True
        if planner is not None:  # a compiled program goes on under a tape, so the choice is made here
            self.line("if _careful():", node)
            self.indent += 1
            self.numbers = False
            write()
            names = [self.names[t._key()] for t in node.outputs]
            self.indent -= 1
            self.line("else:")
            self.indent += 1
        self.host_loop(node, graph, plan, write)
        self.numbers, self.inplace = saved
        if planner is not None:
            self._assign(names, [self.names[t._key()] for t in node.outputs])
            for t, name in zip(node.outputs, names, strict=True):
                self.define(t, name)
            self.indent -= 1
        self.planner = planner

    def host_loop(self, node: Node, graph: Graph, plan: scalars.Plan, write: Callable[[], None]) -> None:
        for block in node.blocks:
            for outside, inner in block.captures.values():
                if inner._key() in plan.used:
                    name = self.imported[inner._key()] = self.fresh("h")
                    self.line(f"{name} = {scalars.unboxed(self.value(outside, graph), inner._dtype)}")
        for v in plan.eager.values():
            name = self.imported[id(v)] = self.fresh("h")
            self.line(f"{name} = {scalars.unboxed(self.value(v, graph, {id(v)}), v.dtype)}")
        init = node.args if node.kind == "while" else [*node.args[0], *node.args[1]]
        around = [o for block in node.blocks for o, _ in block.captures.values()]
        placed = [v for v in [*init, *around] if isinstance(v, Tensor) and v.dtype.torch is not None]
        like = next((v for v in placed if isinstance(v, SymbolicTensor)), placed[0] if placed else None)
        self.where = "None"
        if like is not None and plan.host:
            self.where = self.fresh("at")
            self.line(f"{self.where} = {self.value(like, graph)}.device")
        self.plan = plan
        quiet = plan.floats
        if quiet:
            self.line('with _errstate(all="ignore"):')
            self.indent += 1
        write()
        if quiet:
            self.indent -= 1
        self.plan = None
        for t in node.outputs:
            name = self.names[t._key()]
            if name in self.host:
                self.line(f"{name} = {scalars.boxed(name, *self.host[name])}")
        self.host.clear()
        self.imported.clear()

    where = "None"
    #: the helper that makes numbers of scalars
    number_of = "_int"

    def entered(self, names: list[str], node: Node, init: list[Any], graph: Graph) -> None:
        """Give the variables of a loop their first values."""
        values = []
        block = node.blocks[-1]
        variables = block.inputs[len(block.inputs) - len(names) :]
        for t, inside, name, v in zip(node.outputs, variables, names, init, strict=True):
            if self.plan is None or inside._key() not in self.plan.host:
                values.append(self.value(v, graph))
                continue
            known = not isinstance(v, SymbolicTensor) or self.number(v) is not None
            values.append(self.operand(v) if known else scalars.unboxed(self.value(v, graph), t._dtype))
            self.numbered(t, name)
        self._assign(names, values, node)

    def again(self, names: list[str], values: list[Any], block: Graph, asked: str = "") -> None:
        """Give the variables of a loop their values for the next round; their names in this one end, but for what is `asked` after it.

        What is left of the last round would keep autograd's record, and this the memory of variables, which could not be updated in place.
        """
        self._assign(names, [self.operand(v) if n in self.host else self.value(v, block) for n, v in zip(names, values, strict=True)])
        self.left(values, block, (*names, asked))

    def left(self, values: list[Any], block: Graph, kept: Any) -> None:
        """End the names of a block's results that were made in it."""
        made = {t._key() for n in block.nodes for t in n.outputs}
        gone = [self.names.get(v._key()) for v in values if isinstance(v, SymbolicTensor) and v._key() in made]
        gone = [n for n in dict.fromkeys(gone) if n is not None and n not in self.host and n not in kept]
        if gone:
            self.line(f"del {', '.join(gone)}")

    def _assign(self, names: list[str], values: list[str], node: Node | None = None) -> None:
        pairs = [(n, v) for n, v in zip(names, values, strict=True) if n != v]
        if pairs:
            self.line(f"{', '.join(n for n, _ in pairs)} = {', '.join(v for _, v in pairs)}", node)

    def _while(self, node: Node, graph: Graph) -> None:
        if self.nesting is not None and nestable(node):
            self.nested(node, graph)
            return
        self.looped(node, graph, lambda: self.while_loop(node, graph))

    def while_loop(self, node: Node, graph: Graph) -> None:
        cond, body = node.blocks
        names = [self.define(t, self.fresh("l")) for t in node.outputs]
        self.entered(names, node, node.args, graph)
        for block in node.blocks:
            self._captures(block, graph)
            for t, n in zip(block.inputs, names, strict=True):
                self.define(t, n)
        limit = node.extra
        self.line("while True:" if limit is None else f"for _ in _at_most({self.static(limit, graph)}):", node)
        self._body(cond, cond.outputs)
        self.indent += 1
        self.line(f"if not {self.decided(cond.outputs[0], cond)}: break", node)
        self.indent -= 1
        self._body(body, body.outputs)
        self.indent += 1
        self.again(names, body.outputs, body)
        self.indent -= 1

    def _for(self, node: Node, graph: Graph) -> None:
        if self.nesting is not None and not self.nesting.unrolled(node) and nestable(node):
            self.nested(node, graph)
            return
        self.looped(node, graph, lambda: self.for_loop(node, graph))

    def for_loop(self, node: Node, graph: Graph) -> None:
        (body,) = node.blocks
        how, what, n_elements, stops, limit = node.extra
        init, given = node.args
        names = [self.define(t, self.fresh("l")) for t in node.outputs]
        self.entered(names, node, init, graph)
        self._captures(body, graph)
        elements = [self.define(t, self.fresh("e")) for t in body.inputs[:n_elements]]
        counted = self.plan is not None and any(t._key() in self.plan.host for t in body.inputs[:n_elements])
        for t, n in zip(body.inputs[n_elements:], names, strict=True):
            self.define(t, n)
        source = self.constant(what, "D") if what is not None else ""
        if what is not None and given:  # a dataset that is made of values of this run
            source += f".made(({''.join(self.value(v, graph) + ', ' for v in given)}))"
        if what is None:
            source = ", ".join(self.value(v, graph) for v in given)
            first = given[0]
            if how == "_rows" and type(first) is Tensor and isinstance(first._t, torch.Tensor) and first._t.ndim == 1 and first.dtype.is_integer:
                how, source = "_numbered", self.constant((first._t.tolist(), first._t.dtype))
        if counted and how == "_numbered":
            how, source = "_listed", self.constant(given[0]._t.tolist())
        elif counted:
            texts = [self.operand(v) if not isinstance(v, SymbolicTensor) or self.number(v) is not None else f"_int({self.value(v, graph)})" for v in given]
            how, source = "_counting", ", ".join(texts)
        if limit is not None:
            source += f", limit={self.static(limit, graph)}"
        if counted:
            self.line(f"for {elements[0]} in {how}({source}):", node)
            self.numbered(body.inputs[0], elements[0])
        else:
            self.line(f"for ({''.join(e + ', ' for e in elements)}) in {how}({source}):", node)
        self._body(body, body.outputs)
        self.indent += 1
        self.again(names, body.outputs[: len(names)], body, self.value(body.outputs[-1], body) if stops else "")
        if stops:
            self.line(f"if not {self.decided(body.outputs[-1], body)}: break", node)
        self.indent -= 1
        if elements and not counted and how != "_numbered":
            self.line(f"{' = '.join(elements)} = None")

    def _custom(self, node: Node, graph: Graph) -> None:
        (block,) = node.blocks
        results, sources = node.args
        self._captures(block, graph)
        fn = self.fresh("backward")
        given = [self.define(t, self.fresh("d")) for t in block.inputs]
        # bound now: by the time of the backward pass a loop may have given the names other values
        bound = dict.fromkeys(self.names[inner._key()] for _, inner in block.captures.values())
        bound = [b for b in bound if b.isidentifier()]
        if any(differentiates(n) for n in block.nodes):  # a backward pass runs without recording
            self.line(f"@{self.constant(torch.enable_grad(), 'g')}", node)
        self.line(f"def {fn}({', '.join([*given, *(f'{b}={b}' for b in bound)])}):", node)
        saved, self.inplace, self.numbers = (self.inplace, self.numbers), False, False
        self._body(block, block.outputs)
        self.inplace, self.numbers = saved
        self.indent += 1
        self.line(f"return ({''.join(self.value(o, block) + ', ' for o in block.outputs)})")
        self.indent -= 1
        names = [self.define(t, self.fresh("t")) for t in node.outputs]
        r = "".join(self.value(v, graph) + ", " for v in results)
        s = "".join(self.value(v, graph) + ", " for v in sources)
        self.line(f"{''.join(n + ', ' for n in names)} = _custom({fn}, ({r}), ({s}))", node)


class Cut:
    """A region of a program: `source` is the name of the generated function that replays it."""

    def __init__(self, name: str, params: list[str], lines: list[str], nodes_of_lines: list[Any], nodes: list[Node], closed: bool) -> None:
        self.name, self.source = name, name + "_replayed"
        self.params, self.head, self.nodes_of_lines = params, lines, nodes_of_lines
        self.nodes, self.closed = nodes, closed
        #: the symbolic tensors behind the parameters (None: a tensor of the surroundings) and the results
        self.inputs: list[Any] = []
        self.outputs: list[SymbolicTensor] = []
        #: what makes it the same region in another plan
        self.signature: Any = None
        #: whether tapes of the program itself differentiate through it
        self.connected = False


def _free(text: str) -> set[str]:
    """The names that the function of a source refers to and does not define."""
    found: set[str] = set()

    def collect(code: Any) -> None:
        found.update(code.co_names)
        for c in code.co_consts:
            if hasattr(c, "co_names"):
                collect(c)

    space = compile(text, "<region>", "exec")
    for c in space.co_consts:
        if hasattr(c, "co_names"):
            collect(c)
    return found


def _inputs(nodes: list[Node], graph: Graph) -> list[SymbolicTensor]:
    found = []
    for node in nodes:
        found += node.inputs()
        for t in node.inputs():
            for e in [sizes.expression(t), *(sizes.expressions(t) or ())]:
                found += sizes.sources(e) if e is not None else []
        for block in node.blocks:
            found += [o for o, _ in block.captures.values() if isinstance(o, SymbolicTensor)]
    return [graph.mine(t) for t in found]


def differentiates(node: Node) -> bool:
    """Whether a node, or a block of it, takes gradients."""
    if node.op is not None:
        return node.op.name in ("SymbolicGradient", "Jacobian", "Jvp")
    return any(differentiates(n) for b in node.blocks for n in b.nodes)


def _differentiated(graph: Any) -> bool:
    """Whether gradients are taken in a graph or around it, but for those inside of its blocks."""
    while graph is not None:
        if any(n.op is not None and differentiates(n) for n in graph.nodes):
            return True
        graph = graph.outer
    return False


def _paths(structure: Any, path: str) -> Any:
    for i, s in enumerate(structure):
        if type(s) is int:
            yield f"{path}[{i}]", s
        elif isinstance(s, (list, tuple)):
            yield from _paths(s, f"{path}[{i}]")


def _keys(value: Any) -> list[tuple[int, int]]:
    return [value._key()] if isinstance(value, SymbolicTensor) else []


def _uses(node: Node) -> list[tuple[int, int]]:
    if node.op is not None:
        keys = []
        for kind, v in zip(node.op.kinds, node.args, strict=True):
            what = "" if kind is None else kind.what
            if what not in ("dtype", "variable", "variables"):
                plain = what in ("tensor", "tensors")
                _used(v, keys, not plain or kind.sized, bool(what) and not plain)  # type: ignore[union-attr]
        return keys
    keys = [t._key() for t in node.inputs()]
    if node.kind in ("while", "for"):
        keys += _keys(node.extra if node.kind == "while" else node.extra[-1])
    for block in node.blocks:
        keys += block.captures.keys()
        # a block may give back what it captures, or what its outer block has, as it is
        for o in block.outputs:
            keys += _keys(o)
    return keys


def _used(value: Any, keys: list[tuple[int, int]], number: bool, vector: bool) -> None:
    """The keys that generated code needs for an argument; `number`, `vector`: for one whose scalars, or vectors, are numbers there."""
    if isinstance(value, SymbolicTensor):
        found = None
        if number and value.ndim == 0 and value.dtype.is_integer:
            found = [sizes.expression(value)]
        elif vector:
            found = sizes.expressions(value)
        if found is None or found == [None]:
            keys.append(value._key())
        else:
            keys.extend(t._key() for e in found for t in sizes.sources(e))
    elif isinstance(value, (list, tuple)):
        for v in value:
            _used(v, keys, number, vector)
    elif isinstance(value, dict):
        for v in value.values():
            _used(v, keys, number, vector)
    elif isinstance(value, slice):
        _used((value.start, value.stop, value.step), keys, number, vector)


def _live(graph: Graph, outputs: list[Any]) -> list[Node]:
    """The nodes that have effects or on which `outputs` depend, in order."""
    needed = {k for o in outputs for k in _keys(o)}
    live: list[Node] = []
    for node in reversed(graph.nodes):
        if node.stateful() or any(t._key() in needed for t in node.outputs):
            live.append(node)
            needed.update(_uses(node))
    live.reverse()
    return live


class Program:
    """A graph as a function from torch storages to torch storages. `code` is its source."""

    def __init__(self, graph: Graph, inputs: list[SymbolicTensor] | None = None, planner: Any = None, fast: bool = True) -> None:
        writer = _Writer(graph, graph.inputs if inputs is None else inputs, planner, fast)
        self.code = "\n".join(writer.lines) + "\n"
        self.nodes = writer.nodes
        self.filename = f"<tf2compat graph {graph.name} {next(_numbers)}>"
        # torch tensors are alive in the environment: constants of the program
        self.env = writer.env
        exec(compile(self.code, self.filename, "exec"), self.env)
        self.run: Callable[..., tuple[Any, ...]] = self.env["run"]
        linecache.cache[self.filename] = (len(self.code), None, self.code.splitlines(True), self.filename)
        _programs[self.filename] = self
        self.variables = graph.variables
        #: (name, tensor): eager tensors of the surroundings that the program reads
        self.captured = list(writer.captured.values())
        self.n_nodes = len(writer.nodes)
        self.cuts = writer.regions

    def __del__(self) -> None:
        if "filename" not in self.__dict__ or linecache is None:  # when the interpreter ends, modules go before their objects
            return
        linecache.cache.pop(self.filename, None)

    def translate(self, error: BaseException, function: str = "__inference") -> BaseException:
        """A failure in the generated code as the exception of the op that failed, in the function of this name."""
        found, node = self._translated(error)
        return graph_errors.told(found, node, function)

    def _translated(self, error: BaseException) -> tuple[BaseException, Node | None]:
        tb = error.__traceback__
        node = frame = None
        while tb is not None:
            program = _programs.get(tb.tb_frame.f_code.co_filename)
            nodes = () if program is None else program.nodes
            if 0 < tb.tb_lineno <= len(nodes):
                node, frame = nodes[tb.tb_lineno - 1], tb.tb_frame
                line = linecache.getline(tb.tb_frame.f_code.co_filename, tb.tb_lineno)
            tb = tb.tb_next
        if node is not None and node.op is None and "Boolean value of Tensor" in str(error):
            from ..errors import InvalidArgumentError

            name = line.strip().removeprefix("if ").removeprefix("not ").partition(":")[0]
            shape = list(getattr(frame.f_locals.get(name), "shape", ())) if frame is not None else []
            return InvalidArgumentError(None, None, f"The condition of {node.type} '{node.name}' must be a scalar, but it has shape {shape}"), node
        if node is None or node.op is None or frame is None:
            return error, node
        try:
            text = line[line.index("(", line.index("= ") + 2 if "= " in line.split("(")[0] else 0) :]
            args = list(eval("_given" + text.strip(), {**frame.f_globals, "_given": lambda *a: a}, dict(frame.f_locals)))  # noqa: S307
        except Exception:  # noqa: BLE001 - the message then goes without shapes
            args = []
        try:
            return node.op.translate(error, args), node  # type: ignore[arg-type]
        except Exception:  # noqa: BLE001
            return error, node
