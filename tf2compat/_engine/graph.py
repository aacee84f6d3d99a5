"""Graphs: the ops that a traced function performs, in program order.

A node is an op with its arguments, a read of a variable, or control flow with graphs of its own (`blocks`). Tensors of
an outer graph that an inner one uses become captures: placeholders that stand for the outer tensor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from . import dtypes, state
from .graph_errors import place, while_tracing
from .inference import infer, linked
from .lookups import Looked, traced
from .op import Op
from .symbolic import SymbolicTensor, probe_storage, symbolic
from .tensor import Tensor
from .variable import Variable

__all__ = ["Graph", "Node", "Operation", "import_graph_def", "is_symbolic_tensor"]

#: the names that TensorFlow's operators give their ops
_NAMES = {
    "AddV2": "add", "Sub": "sub", "Mul": "mul", "RealDiv": "truediv", "FloorDiv": "floordiv", "FloorMod": "FloorMod",
    "StridedSlice": "strided_slice", "Pack": "stack", "ConcatV2": "concat", "ReadVariableOp": "ReadVariableOp", "Range": "range",
    "Fill": "zeros", "RandomStandardNormal": "random_normal/RandomStandardNormal", "RandomUniform": "random_uniform/RandomUniform",
    "Transpose": "transpose", "EmbeddingLookup": "embedding_lookup", "TensorListGetItem": "TensorArrayV2Read/TensorListGetItem",
    "TensorListSetItem": "TensorArrayV2Write/TensorListSetItem", "Assert": "Assert/AssertGuard/Assert",
    "SparseSoftmaxCrossEntropyWithLogits": "SparseSoftmaxCrossEntropyWithLogits/SparseSoftmaxCrossEntropyWithLogits",
    # one op here where a layer of TensorFlow's ends with these
    "Flatten": "Reshape", "MergeSum": "add", "MergeProduct": "mul", "KerasMaxPool": "MaxPool", "KerasAvgPool": "AvgPool", "GlobalAvgPool": "Mean",
    "GlobalMaxPool": "Max", "LayerNorm": "add", "BatchNormInference": "batchnorm/add_1", "SpatialPad": "Pad", "SpatialCrop": "strided_slice",
    "Repeat": "Tile", "KerasLSTM": "PartitionedCall", "UpSampling": "resize/ResizeNearestNeighbor", "PRelu": "add",
}  # fmt: skip
#: ops that add a bias where there is one, and what they are without
_BIASED = {"Dense": "MatMul", "ConvBias": "Conv2D", "DepthwiseConvBias": "depthwise", "SeparableConvBias": "separable_conv2d", "ConvTransposeBias": "conv2d_transpose"}


def node_name(op: Op, bound: list[Any]) -> str:
    """The name that TensorFlow gives a node where the program gives none."""
    plain = _BIASED.get(op.name)
    if plain is not None:
        return plain if bound[op.params.index("bias")] is None else "BiasAdd"
    return _NAMES.get(op.name, op.name)


class Node:
    """One step of a graph. `kind`: op, input, capture, read, if, while, for, custom."""

    __slots__ = ("kind", "op", "args", "outputs", "structure", "name", "device", "blocks", "extra", "taped", "place", "_inputs")

    def __init__(self, kind: str, name: str, op: Op | None = None, args: Any = ()) -> None:
        self.kind = kind
        self.name = name
        self.op = op
        self.args = args
        self.outputs: list[SymbolicTensor] = []
        self.structure: Any = None
        self.device = state.local.device
        self.blocks: list[Graph] = []
        self.extra: Any = None
        #: whether tapes were recording, which then differentiate through this node
        self.taped = bool(state.local.tapes)
        #: the user's lines that made it
        self.place: Any = None
        self._inputs: list[SymbolicTensor] | None = None

    @property
    def type(self) -> str:
        if self.op is not None:
            return "Add" if self.op.name == "AddV2" and self.outputs[0]._dtype is dtypes.string else self.op.name
        return {
            "input": "Placeholder", "capture": "Placeholder", "read": "ReadVariableOp",
            "if": "If" if self.stateful() else "StatelessIf", "while": "While" if self.stateful() else "StatelessWhile",
            "for": "ReduceDataset", "custom": "IdentityN",
        }[self.kind]  # fmt: skip

    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors among the arguments, and what its blocks capture."""
        if self._inputs is None:
            found: list[SymbolicTensor] = []
            _collect(self.args, found)
            self._inputs = found
        return self._inputs

    def stateful(self) -> bool:
        """Whether it must run even when nobody uses its results."""
        if self.op is not None:
            return self.op.stateful and not (self.op.name in _PURE_THOUGH_STATEFUL and self.outputs) or not self.outputs
        if self.kind in ("if", "while"):
            return any(n.stateful() for b in self.blocks for n in b.nodes)
        return self.kind == "for"

    def operation(self) -> Operation:
        return Operation(self)

    def __repr__(self) -> str:
        return f"<{self.type} {self.name}>"


#: declared stateful to be run in order, but without an effect of their own
_PURE_THOUGH_STATEFUL = frozenset(("SymbolicGradient", "Jacobian", "Jvp"))


def _collect(value: Any, found: list[Any]) -> None:
    if isinstance(value, SymbolicTensor):
        found.append(value)
    elif isinstance(value, (list, tuple)):
        for v in value:
            _collect(v, found)
    elif isinstance(value, dict):
        for v in value.values():
            _collect(v, found)
    elif isinstance(value, slice):
        _collect((value.start, value.stop, value.step), found)


class Operation:
    """A node as TensorFlow shows it (`tf.Operation`): `name`, `type`, `inputs`, `outputs`, `graph`."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def name(self) -> str:
        return self._node.name

    @property
    def type(self) -> str:
        return self._node.type

    @property
    def inputs(self) -> tuple[Any, ...]:
        return tuple(self._node.inputs())

    @property
    def outputs(self) -> list[Any]:
        return list(self._node.outputs)

    @property
    def control_inputs(self) -> list[Any]:
        return []

    @property
    def graph(self) -> Any:
        return self._node.outputs[0]._graph if self._node.outputs else None

    @property
    def device(self) -> str:
        return "" if self._node.device is None else str(self._node.device)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Operation) and other._node is self._node

    def __hash__(self) -> int:
        return id(self._node)

    def __repr__(self) -> str:
        return f"<tf.Operation '{self.name}' type={self.type}>"


class Graph:
    """A sequence of recorded operations (`tf.Graph`)."""

    building_function = True
    #: where the node was made that is recorded again
    copying: Any = None

    def __init__(self, name: str = "graph", outer: Graph | None = None) -> None:
        self.name = name
        self.outer = outer
        self.nodes: list[Node] = []
        self.inputs: list[SymbolicTensor] = []
        self.outputs: list[Any] = []
        self.structured_outputs: Any = None
        # outer tensors: key of the tensor outside -> (tensor outside, placeholder here)
        self.captures: dict[Any, tuple[Any, SymbolicTensor]] = {}
        self._names: dict[str, int] = {}
        # variables: id -> (variable, the node that reads its present value)
        self._reads: dict[int, tuple[Variable, SymbolicTensor]] = {}
        #: what tapes around this block see of its reads of variables that it writes: by key of the read
        self._later: dict[Any, Any] = {}
        #: the dimensions that tensors have on inputs whose sizes can be told apart, and the sizes of these, see `origins`
        self.origins: Any = None
        self._written: set[int] = set()
        self._hoisted: dict[int, list[SymbolicTensor]] = {}
        #: the graph of a function rather than of a block of control flow
        self.is_function = outer is None
        self._variables: dict[int, Variable] = {}
        #: tapes that were recording when this graph was begun
        self.outer_tapes = len(state.local.tapes) if outer is not None else 0
        self._local_collections: dict[Any, list[Any]] = {}
        #: whether this is a branch of a condition, and the lookups in it in leaves of tapes around it
        self.is_branch = False
        self.looked: list[Looked] = []
        #: nodes made of chains of others (`fusing.py`), by the ids of these
        self.fused: dict[Any, Node] = {}
        #: tensors that `tf.constant` made while this graph was traced: id -> (the tensor, its name)
        self._constants: dict[int, tuple[Tensor, str]] = {}

    def constant(self, value: Tensor, name: str) -> None:
        """Notice a constant of the traced function, which is shown as a node."""
        root = self
        while not root.is_function and root.outer is not None:
            root = root.outer
        if id(value) not in root._constants:
            root._constants[id(value)] = (value, self.unique_name(name))

    # --- tracing -----------------------------------------------------------------------------------------------------
    @contextmanager
    def as_default(self) -> Iterator[Graph]:
        """Record the ops of a block here."""
        local = state.local
        before = local.graph
        local.graph = self
        state.enter_slow()
        try:
            yield self
        finally:
            state.exit_slow()
            local.graph = before

    def chain(self) -> Iterator[Graph]:
        g: Graph | None = self
        while g is not None:
            yield g
            g = g.outer

    def unique_name(self, base: str, mark_as_used: bool = True) -> str:
        """`base`, with a number when the graph has that name already; with `mark_as_used` the graph has it from now on."""
        if not mark_as_used:
            before = dict(self._names)
            try:
                return self.unique_name(base)
            finally:
                self._names = before
        base = re.sub(r"[^A-Za-z0-9_.\-/>]", "_", base)
        scope = "/".join(state.local.names)
        full = f"{scope}/{base}" if scope else base
        count = self._names.get(full)
        if count is None:
            self._names[full] = 1
            return full
        self._names[full] = count + 1
        return self.unique_again(full, count)

    def unique_again(self, full: str, count: int) -> str:
        name = f"{full}_{count}"
        while name in self._names:
            count += 1
            name = f"{full}_{count}"
        self._names[name] = 1
        return name

    def unique_scope(self, full: str) -> str:
        """A name scope that the graph does not have yet."""
        count = self._names.get(full)
        self._names[full] = 1 if count is None else count + 1
        return full if count is None else self.unique_again(full, count)

    def placeholder(self, dtype: dtypes.DType, dims: Any, name: str, kind: str = "input") -> SymbolicTensor:
        """A new input of this graph."""
        node = Node(kind, self.unique_name(name))
        a = probe_storage(dtype, dims, 0)
        b = probe_storage(dtype, dims, 1) if dims is None or None in dims else None
        t = symbolic(self, node, 0, dtype, dims, a, b)
        node.outputs = [t]
        self.inputs.append(t)
        return t._user()

    def mine(self, t: SymbolicTensor) -> SymbolicTensor:
        """`t` as a tensor of this graph: itself, or the capture of an outer graph's. InaccessibleTensorError otherwise."""
        if t._graph is self:
            return t._node.outputs[t._index]  # what a node refers to keeps its identity when a tape changes that of `t`
        known = self.captures.get(t._key())
        if known is not None:
            return known[1]
        for g in self.chain():
            if g is t._graph:
                break
        else:
            from ..errors import InaccessibleTensorError

            elsewhere = list(t._graph.chain())[-1] is not list(self.chain())[-1]
            where = "here" if elsewhere else repr(self)
            raise (TypeError if elsewhere else InaccessibleTensorError)(
                f"{t!r} is out of scope and cannot be used here. Use return values, explicit Python locals or TensorFlow collections to "
                "access it.\nPlease see https://www.tensorflow.org/guide/function#all_outputs_of_a_tffunction_must_be_return_values for "
                f"more information.\n\nThe tensor {t!r} cannot be accessed from {where}, because it was defined in {t._graph!r}, which is "
                "out of scope."
            )
        if self.outer is not None and t._graph is not self.outer:
            t = self.outer.mine(t)
            known = self.captures.get(t._key())
            if known is not None:
                return known[1]
        t = t._node.outputs[t._index]
        node = Node("capture", self.unique_name(t._node.name + "_capture"))
        inner = symbolic(self, node, 0, t._dtype, t._dims, t._t, t._b, t._const)
        inner._tape = t._tape
        node.outputs = [inner]
        self.captures[t._key()] = (t, inner)
        return inner

    def _own(self, value: Any) -> Any:
        """An argument with every symbolic tensor in it belonging to this graph."""
        if isinstance(value, SymbolicTensor):
            return self.mine(value)
        if type(value) is Tensor:
            for tape in reversed(state.local.tapes):  # an eager tensor that a tape in this function watches: the innermost leaf
                found = tape._watched.get(id(value)) if hasattr(tape, "_watched") else None
                if found is not None and isinstance(found[1], SymbolicTensor):
                    return self.mine(found[1])
            return value
        if type(value) is list:
            return [self._own(v) for v in value]
        if type(value) is tuple:
            return tuple([self._own(v) for v in value])
        if type(value) is dict:
            return {k: self._own(v) for k, v in value.items()}
        if type(value) is slice:
            return slice(self._own(value.start), self._own(value.stop), self._own(value.step))
        if isinstance(value, Variable):
            self._variables.setdefault(id(value), value)
        return value

    def record(self, op: Op, bound: list[Any], name: str | None = None, given: Any = ()) -> Any:
        """Add an op; gives its symbolic results in the op's structure. `given`: the arguments before conversion."""
        bound = [self._own(v) for v in bound]
        if state.local.paused and op.name != "StopGradient":
            bound = [_cut(v) for v in bound]
        elif op.rows_fn is not None and state.local.tapes and isinstance(bound[0], SymbolicTensor):
            found = traced(bound[0])
            if found is not None and op.rows_fn(*bound):
                tape, at, keys = found
                leaf = self._look_up(tape, at, keys, op, bound, name, given)
                if leaf is not None:
                    return leaf
        structure, results, const = _inferred(op, bound, name)
        if op.name in state.stripped:
            return bound[0] if results else _pack(structure, [])
        node = Node("op", self.unique_name(name or node_name(op, bound)), op, bound)
        node.structure = structure
        node.place = place() if self.copying is None else self.copying
        node.extra = _eager(given, set())
        for t in node.inputs():  # TensorFlow names a read after the op that asks for it
            if t._node.kind == "read" and t._node.extra is None:
                t._node.extra = node.name
                t._node.name = self.unique_name(f"{node.name}/ReadVariableOp") if "/" not in node.name else f"{node.name}/ReadVariableOp"
        for i, (dtype, dims, a, b) in enumerate(results):
            node.outputs.append(symbolic(self, node, i, dtype, dims, a, b, const))
        self.nodes.append(node)
        for kind, value in zip(op.kinds, bound, strict=True):
            if kind is not None and kind.what in ("variable", "variables"):
                for v in value if isinstance(value, list) else [value]:
                    self.written(v)
        return _pack(structure, [t._user() for t in node.outputs])

    def _look_up(self, tape: Any, at: Any, keys: list[Any], op: Op, bound: list[Any], name: str | None, given: Any) -> Any:
        """Record a lookup in the leaf `at` of a tape, see `lookups`; None where its rows cannot leave this branch."""
        from .tape import _watch

        seen, inside = tape._seen[at._key()], at._graph is not self
        if inside and (seen._dims is None or None in seen._dims[1:] or not isinstance(bound[1], Tensor) or dims_of(bound[1]) is None):
            return None
        leaf = _watch(self.record(op, [seen, *bound[1:]], name, given))
        looked = Looked(tape, at, keys, leaf, bound[1])
        if inside:
            self.looked.append(looked)
        return leaf

    def written(self, variable: Variable) -> None:
        """From here on, reads of `variable` give another value."""
        variable = getattr(variable, "_of", variable)
        self._variables.setdefault(id(variable), variable)
        for g in self.chain():
            g._reads.pop(id(variable), None)
            g._written.add(id(variable))

    def read_variable(self, variable: Variable) -> Tensor:
        """The present value of `variable`."""
        seen = self._see_variable(variable)
        return seen._user() if isinstance(seen, SymbolicTensor) else seen

    def _see_variable(self, variable: Variable) -> Any:
        from .tape import symbolic_leaf_of

        variable = getattr(variable, "_of", variable)
        self._variables.setdefault(id(variable), variable)
        if self.is_function or self.outer is None:
            return symbolic_leaf_of(variable, self._read_node(variable))
        if id(variable) in self._written:
            return self._see_written(variable)
        # blocks read what they do not write outside of themselves, where the tapes are that recorded before the block
        outer, tapes = self.outer, state.local.tapes
        state.local.tapes = tapes[: self.outer_tapes]
        try:
            with outer.as_default():
                seen = self.mine(outer._see_variable(variable))
        finally:
            state.local.tapes = tapes
        self._hoisted.setdefault(id(variable), []).append(seen)
        if variable._dtype.is_floating or variable._dtype.is_complex:
            for tape in tapes[self.outer_tapes :]:
                seen = tape._leaf(variable, seen, seen)
        return seen

    def _see_written(self, variable: Variable) -> Any:
        """A read in a block that writes the variable. A leaf that is made here cannot be differentiated by outside of the block."""
        from .tape import later

        read = self._read_node(variable)
        if not (read._dtype.is_floating or read._dtype.is_complex):
            return read
        outer, tapes = self.outer, state.local.tapes
        seen: Any = read
        if any(tape._watches(variable) for tape in tapes[: self.outer_tapes]):
            seen = self._later.get(read._key())
            if seen is None:
                state.local.tapes = tapes[: self.outer_tapes]
                try:
                    with outer.as_default():  # type: ignore[union-attr]
                        leaf = outer._see_variable(variable)  # type: ignore[union-attr]
                    seen = self._later[read._key()] = later(read, leaf)
                finally:
                    state.local.tapes = tapes
        for tape in tapes[self.outer_tapes :]:
            seen = tape._leaf(variable, read, seen)
        return seen

    def settle(self) -> None:
        """For the body of a loop: variables that it writes are read in every round, not once before the loop."""
        for vid, seen in self._hoisted.items():
            if vid not in self._written:
                continue
            for t in seen:
                found = next((k for k, (_, inner) in self.captures.items() if inner._node is t._node), None)
                if found is not None:
                    self._read_each_round(self._variables[vid], t, found)

    def _read_each_round(self, variable: Variable, t: SymbolicTensor, key: Any) -> None:
        """Turn the capture `t` of a variable's value into a read, which tapes around this loop still take for the variable."""
        from .tape import later

        outside = self.captures.pop(key)[0]
        node, leaf = t._node, outside._node.kind != "read"
        node._inputs = None
        if not leaf:
            node.kind, node.args = "read", (variable,)
            self.nodes.insert(0, node)
            return
        read = Node("read", self.unique_name((variable._shared_name or "Variable") + "/ReadVariableOp"), None, (variable,))
        read.outputs = [symbolic(self, read, 0, t._dtype, t._dims, probe_storage(t._dtype, t._dims, 0), t._b)]
        node.kind, node.op, node.args, node.structure, node.taped = "op", later.op, [read.outputs[0], self.mine(outside)], 0, True
        self.nodes[:0] = [read, node]

    def _read_node(self, variable: Variable) -> SymbolicTensor:
        known = self._reads.get(id(variable))
        if known is not None:
            return known[1]
        dims = None if variable._shape.rank is None else tuple(variable._shape.as_list())
        node = Node("read", self.unique_name((variable._shared_name or "Variable") + "/ReadVariableOp"), None, (variable,))
        a = probe_storage(variable._dtype, dims, 0)
        b = probe_storage(variable._dtype, dims, 1) if dims is None or None in dims else None
        t = symbolic(self, node, 0, variable._dtype, dims, a, b)
        node.outputs = [t]
        self.nodes.append(node)
        self._reads[id(variable)] = (variable, t)
        return t

    def add(self, kind: str, name: str, args: Any, results: list[tuple[Any, Any, list[Any]]], blocks: list[Graph], extra: Any = None) -> list[Any]:
        """Add a control flow node; `results` are (dtype, dims, storages that the result depends on)."""
        args = self._own(args)
        node = Node(kind, self.unique_name(name), None, args)
        node.place = place() if self.copying is None else self.copying
        node.blocks = blocks
        node.extra = extra
        for block in blocks:
            for v in block._variables.values():
                self._variables.setdefault(id(v), v)
            for vid in block._written:
                if vid in block._variables:
                    self.written(block._variables[vid])
        for i, (dtype, dims, sources) in enumerate(results):
            a = linked(probe_storage(dtype, dims, 0), sources)
            b = linked(probe_storage(dtype, dims, 1), sources) if dims is None or None in dims else None
            node.outputs.append(symbolic(self, node, i, dtype, dims, a, b))
        self.nodes.append(node)
        return [t._user() for t in node.outputs]

    def inline(self, graph: Graph, inputs: list[Any]) -> list[Any]:
        """Record the nodes of a function's graph here, on other inputs; gives its outputs."""
        at = self.inlined(graph, inputs)
        return [_substitute(o, at) for o in graph.outputs]

    def inlined(self, graph: Graph, inputs: list[Any]) -> dict[tuple[int, int], Any]:
        """As `inline`; gives what became of each tensor, by its key."""
        at: dict[tuple[int, int], Any] = {t._key(): v for t, v in zip(graph.inputs, inputs, strict=True)}
        for outside, inner in graph.captures.values():
            at[inner._key()] = self.mine(outside)

        def here(value: Any) -> Any:
            return _substitute(value, at)

        for node in graph.nodes:
            for t, value in zip(node.outputs, self._again(node, here), strict=False):
                at[t._key()] = value
        return at

    def _again(self, node: Node, here: Callable[[Any], Any]) -> list[Any]:
        """Record a node once more, on what `here` makes of its arguments."""
        self.copying = node.place
        local = state.local
        tapes = local.tapes
        if node.taped and not tapes:  # the function's own tapes differentiate through it, gradients included
            from .tape import _Reader

            local.tapes = [_Reader()]  # type: ignore[list-item]
            state.tapes_changed()
        try:
            return self._recorded_again(node, here)
        finally:
            self.copying = None
            if local.tapes is not tapes:
                local.tapes = tapes
                state.tapes_changed()

    def _recorded_again(self, node: Node, here: Callable[[Any], Any]) -> list[Any]:
        flat: list[Any] = []
        if node.kind == "op":
            assert node.op is not None
            before, state.local.device = state.local.device, node.device or state.local.device
            try:
                bound = [here(a) for a in node.args]
                given = [v for a in node.args for v in (a if isinstance(a, list) else [a]) if id(v) in node.extra]
                _flatten(self.record(node.op, bound, node.name, given), flat)
            finally:
                state.local.device = before
            return flat
        if node.kind == "read":
            return [self.read_variable(node.args[0])]
        blocks = []
        for block in node.blocks:
            copied = block.copy()
            copied.outer = self
            copied.captures = {}
            for outside, inner in block.captures.values():
                new = self._own(here(outside))
                copied.captures[new._key() if isinstance(new, SymbolicTensor) else (id(new), -1)] = (new, inner)
            blocks.append(copied)
        args = here(node.args)
        live: list[Any] = []
        _collect([args, [o for b in blocks for o, _ in b.captures.values()]], live)
        described = [(t._dtype, t._dims, [v._t for v in live]) for t in node.outputs]
        return self.add(node.kind, node.name, args, described, blocks, here(node.extra))

    def gradients(self, ys: Any, xs: Any, grad_ys: Any = None, stop_gradients: Any = None, unconnected_gradients: Any = "none") -> list[Any]:
        """Gradients between tensors of this graph (`tf.gradients`): what lies between them is recorded again, watched."""
        from . import nest
        from .convert import convert_to_tensor
        from .tape import _gradient

        ys, sources = nest.flatten(ys), nest.flatten(xs)
        targets, leaves, looked = self._watched_again(ys, sources, stop_gradients)
        rows = [r for found in looked for r in found]
        given = [] if grad_ys is None else nest.flatten(grad_ys)
        weights = [given[i] if i < len(given) else None for i in range(len(ys))]
        tensors = [*targets, *leaves, *[leaf for leaf, _ in rows], *[convert_to_tensor(w) for w in weights if w is not None]]
        every = list(_gradient(tensors, len(ys), len(leaves) + len(rows), [w is not None for w in weights], True))
        found, rest = every[: len(leaves)], iter(every[len(leaves) :])
        if rows:
            from .slices import gathered

            for i, pairs in enumerate(looked):
                found[i] = gathered(sources[i], found[i], [next(rest) for _ in pairs], [ids for _, ids in pairs])
        if getattr(unconnected_gradients, "value", unconnected_gradients) == "zero":
            from tf2compat import zeros_like

            found = [zeros_like(x) if g is None else g for g, x in zip(found, sources, strict=True)]
        return found

    def hessians(self, y: Any, xs: Any) -> list[Any]:
        """Second derivatives between tensors of this graph (`tf.hessians`)."""
        from . import nest
        from .convert import convert_to_tensor
        from .jacobians import _jacobian

        sources = nest.flatten(xs)
        out = []
        for x, first in zip(sources, self.gradients(y, sources), strict=True):
            if first is None:
                raise ValueError(f"The first derivative by {x!r} does not exist.")
            (target,), leaves, _ = self._watched_again([convert_to_tensor(first)], [x], looking=False)
            out.append(_jacobian([target, *leaves], 1, True, False)[0])
        return out

    def _watched_again(
        self, ys: list[Any], sources: list[Any], stop_gradients: Any = None, looking: bool = True
    ) -> tuple[list[Any], list[Any], list[list[Any]]]:
        """`ys` recorded anew on watched copies of `sources`, these copies, and the lookups in each that are apart."""
        from . import nest
        from .convert import convert_to_tensor
        from .custom_gradient import stop_gradient
        from .tape import _Reader, _watch, _Watcher

        ys = [self._own(convert_to_tensor(y)) for y in ys]
        at: dict[tuple[int, int], Any] = {}
        leaves = []
        eager = False
        watcher = _Watcher()
        before = list(self.nodes)
        for x in sources:
            seen = convert_to_tensor(x)
            leaf = _watch(seen)
            leaves.append(leaf)
            if looking and isinstance(leaf, SymbolicTensor):
                watcher._seen[leaf._key()] = self._own(seen)
            if isinstance(x, Variable):
                for node in before:
                    if node.kind == "read" and node.args[0] is x:
                        at[node.outputs[0]._key()] = leaf
            else:
                at[_place_of(self._own(seen))] = leaf
                eager = eager or not isinstance(seen, SymbolicTensor)
        for t in nest.flatten(stop_gradients) if stop_gradients is not None else ():
            own = self._own(convert_to_tensor(t))
            at[_place_of(own)] = stop_gradient(at.get(_place_of(own), own))
            eager = eager or not isinstance(own, SymbolicTensor)

        def here(value: Any) -> Any:
            return _substitute(value, at)

        # gradients among the nodes are differentiated in turn, as under a tape
        saved = state.local.tapes
        state.local.tapes = [*saved, watcher if looking else _Reader()]  # type: ignore[list-item]
        state.tapes_changed()
        try:
            for node in before:
                touched = [t for t in node.inputs() if t._key() in at]
                touched += [o for b in node.blocks for o, _ in b.captures.values() if isinstance(o, SymbolicTensor) and o._key() in at]
                if eager and not touched:
                    _flatten(node.args, touched)
                    touched = [t for t in touched if _place_of(t) in at]
                if touched and node.outputs and not any(t._key() in at for t in node.outputs):
                    for t, value in zip(node.outputs, self._again(node, here), strict=False):
                        at[t._key()] = value
        finally:
            state.local.tapes = saved
            state.tapes_changed()
        looked = [watcher._rows.get(leaf._key(), []) if isinstance(leaf, SymbolicTensor) else [] for leaf in leaves]
        return [here(y) for y in ys], leaves, looked

    def copy(self) -> Graph:
        """Another graph with the same nodes."""
        new = Graph.__new__(Graph)
        new.__dict__.update(self.__dict__)
        return new

    def custom_gradient(
        self, results: list[Tensor], args: list[Tensor], variables: list[Variable], backward: Callable[..., list[Any]]
    ) -> list[Any]:
        """Results whose gradient is what `backward` computes, which is traced into a graph of its own."""
        results = [self._own(r) for r in results]
        leaves = [self.read_variable(v) for v in variables]
        sources = [self._own(a) for a in (*args, *leaves)]
        block = Graph("backward", self)
        saved = state.local.tapes
        state.local.tapes = []
        state.tapes_changed()
        try:
            with block.as_default():
                given = [
                    block.placeholder(r.dtype, r._dims if isinstance(r, SymbolicTensor) else tuple(r._t.shape), "grad") for r in results
                ]
                from .convert import convert_to_tensor

                grads = [None if g is None else block._own(convert_to_tensor(g)) for g in backward(*given)]
        finally:
            state.local.tapes = saved
            state.tapes_changed()
        block.outputs = grads
        live = [
            s._t for s, g in zip(sources, grads, strict=True) if g is not None and isinstance(s, SymbolicTensor)
        ]
        described = [
            (r.dtype, r._dims if isinstance(r, SymbolicTensor) else tuple(r._t.shape), live) for r in results
        ]
        return self.add("custom", "IdentityN", (results, sources), described, [block])

    # --- what users look at ------------------------------------------------------------------------------------------
    def get_operations(self) -> list[Operation]:
        """All operations, inputs first, with the constants, variables and results that TensorFlow shows as nodes."""
        from .graph_view import operations

        return operations(self)

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation of a name; KeyError when there is none."""
        for o in self.get_operations():
            if o.name == name:
                return o
        raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")

    def get_tensor_by_name(self, name: str) -> Any:
        """The tensor of a name such as `add:0`; KeyError when there is none."""
        base, colon, index = name.partition(":")
        if not colon:
            raise ValueError(f"The name '{name}' looks like an (invalid) Operation name, not a Tensor. Tensor names must be of the form \"<op_name>:<output_index>\".")
        for t in self.inputs:
            if t.name == name:
                return t
        for o in self.get_operations():
            if o.name == base:
                if not index.isdigit() or int(index) >= len(o.outputs):
                    raise KeyError(f"The name '{name}' refers to a Tensor which does not exist. The operation, '{base}', exists but only has {len(o.outputs)} outputs.")
                return o.outputs[int(index)]
        raise KeyError(f"The name '{name}' refers to a Tensor which does not exist. The operation, '{base}', does not exist in the graph.")

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """The tensor or operation that `obj`, itself or its name, means."""
        if isinstance(obj, (Tensor, Operation)):
            return obj
        name = str(obj)
        if ":" in name and allow_tensor:
            return self.get_tensor_by_name(name)
        if not allow_operation:
            raise ValueError(f"The name '{name}' refers to an Operation, not a Tensor.")
        return self.get_operation_by_name(name)

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False, use_pybind11_proto: bool = False) -> Any:
        """The graph as TensorFlow's GraphDef message, for looking at; it cannot be run."""
        from .. import _ports

        return _ports.load("graph_def", "tensorflow").graph_def(self, whole=add_shapes)

    @property
    def captured(self) -> list[Any]:
        """Eager tensors that the function uses without being given them."""
        from .graph_view import captured

        return captured(self)

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        return list(self._local_collections.get(name, ()))

    def add_to_collection(self, name: Any, value: Any) -> None:
        self._local_collections.setdefault(name, []).append(value)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables that the graph reads or writes, in order of first use."""
        return tuple(self._variables.values())

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        return tuple(v for v in self._variables.values() if v.trainable)

    def __str__(self) -> str:
        return f"FuncGraph(name={self.name}, id={id(self)})"

    def __repr__(self) -> str:
        return f"<tensorflow.python.framework.func_graph.FuncGraph object at {hex(id(self))}>"


def _inferred(op: Op, bound: list[Any], name: str | None) -> Any:
    """What an op will give; arguments that cannot go together are a ValueError while a graph is built."""
    from ..errors import InvalidArgumentError

    try:
        return infer(op, bound)
    except InvalidArgumentError as error:
        text = while_tracing(op, bound, name or node_name(op, bound), str(error))
        raise ValueError(text).with_traceback(error.__traceback__) from None


def _cut(value: Any) -> Any:
    """A node's argument without history: no tape records what becomes of it."""
    if isinstance(value, SymbolicTensor):
        if not (isinstance(value._t, torch.Tensor) and value._t.requires_grad):
            return value
        from .custom_gradient import stop_gradient

        return value._graph._own(stop_gradient(value))
    if type(value) in (list, tuple):
        return type(value)(_cut(v) for v in value)
    return value


def _eager(value: Any, found: set[int]) -> set[int]:
    """The identities of the eager tensors that the user gave, which a tape outside may watch."""
    if isinstance(value, Tensor):
        if not isinstance(value, SymbolicTensor):
            found.add(id(value))
    elif isinstance(value, (list, tuple)):
        for v in value:
            _eager(v, found)
    return found


def _place_of(value: Tensor) -> tuple[int, int]:
    """What a tensor that a node refers to is known by: a symbolic one by its node, an eager one by itself."""
    return value._key() if isinstance(value, SymbolicTensor) else (id(value), -1)


def _substitute(value: Any, at: dict[tuple[int, int], Any]) -> Any:
    """A node's argument with symbolic tensors replaced."""
    if isinstance(value, Tensor):
        return at.get(_place_of(value), value)
    if type(value) in (list, tuple):
        return type(value)(_substitute(v, at) for v in value)
    if type(value) is dict:
        return {k: _substitute(v, at) for k, v in value.items()}
    if type(value) is slice:
        return slice(_substitute(value.start, at), _substitute(value.stop, at), _substitute(value.step, at))
    return value


def _flatten(value: Any, out: list[Any]) -> None:
    if isinstance(value, Tensor):
        out.append(value)
    elif isinstance(value, (list, tuple)):
        for v in value:
            _flatten(v, out)


def _pack(structure: Any, outputs: list[Any]) -> Any:
    if structure is None:
        return None
    if type(structure) is int:
        return outputs[structure]
    if isinstance(structure, (list, tuple)):
        inner = [_pack(s, outputs) for s in structure]
        if hasattr(structure, "_fields"):
            return type(structure)(*inner)
        return inner if isinstance(structure, list) else tuple(inner)
    return structure


def is_symbolic_tensor(tensor: Any) -> bool:
    """Whether `tensor` belongs to a graph and has no value (`tf.is_symbolic_tensor`)."""
    return isinstance(tensor, SymbolicTensor)


def import_graph_def(graph_def: Any, input_map: Any = None, return_elements: Any = None, name: str | None = None, op_dict: Any = None, producer_op_list: Any = None) -> Any:
    """TensorFlow's serialized graphs cannot be imported: UnimplementedError."""
    from ..errors import UnimplementedError

    raise UnimplementedError(None, None, "tf.import_graph_def: tf2compat does not read TensorFlow's GraphDef.")


def dims_of(t: Any) -> Any:
    """The static dimensions of a tensor or variable; None for unknown rank."""
    shape = t.shape
    return None if shape.rank is None else tuple(shape.as_list())

