"""A graph as TensorFlow shows it: constants, variables and results are nodes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import dtypes
from .graph import Graph, Node, Operation, SymbolicTensor
from .tensor import Tensor
from .variable import Variable

__all__ = ["ShownOperation", "ShownTensor", "captured", "operations"]

#: parameters that are Python values here and inputs of TensorFlow's op: op -> {parameter: the input's name}
_INPUTS = {
    **dict.fromkeys(("Sum", "Mean", "Max", "Min", "Prod", "Any", "All"), {"axis": "reduction_indices"}),
    **dict.fromkeys(("ArgMax", "ArgMin"), {"axis": "dimension"}),
    "Reshape": {"shape": "shape"}, "Transpose": {"perm": "perm"}, "ConcatV2": {"axis": "axis"}, "ExpandDims": {"axis": "dim"},
    "Tile": {"multiples": "multiples"}, "OneHot": {"depth": "depth"}, "Pad": {"paddings": "paddings"}, "GatherV2": {"axis": "axis"},
    "RandomStandardNormal": {"shape": "shape"}, "RandomUniform": {"shape": "shape"}, "BroadcastTo": {"shape": "shape"},
}  # fmt: skip
_PARAMETERS = {"input": "x", "values": "values"}


class ShownTensor:
    """The output of a node that only the view has."""

    def __init__(self, operation: ShownOperation, index: int, dtype: Any, shape: Any) -> None:
        self.op, self.value_index, self.dtype, self.shape = operation, index, dtype, shape

    @property
    def name(self) -> str:
        return f"{self.op.name}:{self.value_index}"

    @property
    def graph(self) -> Any:
        return self.op.graph

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={self.shape} dtype={self.dtype.name}>"


class ShownOperation(Operation):
    """A node of the view: `node` is the recorded one, or None."""

    def __init__(self, graph: Graph, name: str, kind: str, inputs: list[Any], outputs: list[tuple[Any, Any]], node: Node | None = None, value: Any = None) -> None:
        self._graph, self._name, self._type, self._inputs = graph, name, kind, inputs
        self._node: Any = node
        self.value = value
        self._outputs = list(node.outputs) if node is not None else [ShownTensor(self, i, t, s) for i, (t, s) in enumerate(outputs)]

    @property
    def name(self) -> str:
        return self._name

    @property
    def type(self) -> str:
        return self._type

    @property
    def inputs(self) -> tuple[Any, ...]:
        return tuple(self._inputs)

    @property
    def outputs(self) -> list[Any]:
        return list(self._outputs)

    @property
    def graph(self) -> Any:
        return self._graph

    @property
    def device(self) -> str:
        return "" if self._node is None or self._node.device is None else str(self._node.device)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Operation) and other.name == self.name and other.graph is self.graph

    def __hash__(self) -> int:
        return hash(self._name)


def _nodes(graph: Graph) -> Iterator[Node]:
    """The nodes of a graph and of its blocks."""
    for node in graph.nodes:
        yield node
        for block in node.blocks:
            yield from _nodes(block)


def _eager(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        if not isinstance(value, SymbolicTensor):
            yield value
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from _eager(v)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from _tensors(v)


def captured(graph: Graph) -> list[Tensor]:
    """Eager tensors from outside that the user gave to the graph's ops, in order of use."""
    found: dict[int, Tensor] = {}
    for node in _nodes(graph):
        given = node.extra if isinstance(node.extra, set) else ()
        for t in _eager(node.args):
            if node.kind == "op" and id(t) in given and id(t) not in graph._constants:
                found.setdefault(id(t), t)
    return list(found.values())


class _View:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.out: list[ShownOperation] = []
        self.known: dict[Any, Any] = {}  # what stands for a tensor or variable
        self.outside = {id(t) for t in captured(graph)}

    def add(self, name: str, kind: str, inputs: list[Any], outputs: list[tuple[Any, Any]], node: Node | None = None, value: Any = None) -> Any:
        operation = ShownOperation(self.graph, name, kind, inputs, outputs, node, value)
        self.out.append(operation)
        return operation.outputs[0] if operation.outputs else None

    def tensor(self, t: Any, name: str) -> Any:
        """What stands for an argument; a constant gets a node named `name`, unless `tf.constant` named it."""
        if isinstance(t, SymbolicTensor):
            return t._node.outputs[t._index] if t._node.outputs else t
        shown = self.known.get(id(t))
        if shown is None:
            known = self.graph._constants.get(id(t))
            if id(t) in self.outside:
                shown = self.add(f"{name}", "Placeholder", [], [(t.dtype, t.shape)])
            else:
                shown = self.add(known[1] if known else name, "Const", [], [(t.dtype, t.shape)], value=t)
            if known or id(t) in self.outside:
                self.known[id(t)] = shown
        return shown

    def variable(self, variable: Variable, name: str) -> Any:
        variable = getattr(variable, "_of", variable)
        shown = self.known.get(id(variable))
        if shown is None:
            from .shapes import TensorShape

            shown = self.known[id(variable)] = self.add(f"{name}/resource", "Placeholder", [], [(dtypes.resource, TensorShape([]))])
        return shown

    def arguments(self, node: Node) -> list[Any]:
        assert node.op is not None
        inputs: list[Any] = []
        extra = _INPUTS.get(node.op.name, {})
        for parameter, kind, value in zip(node.op.params, node.op.kinds, node.args, strict=False):
            what = None if kind is None else kind.what
            if isinstance(value, Tensor):
                inputs.append(self.tensor(value, f"{node.name}/{parameter}"))
            elif what in ("tensors",) or (isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value)):
                for i, v in enumerate(value):
                    if isinstance(v, Tensor):
                        inputs.append(self.tensor(v, f"{node.name}/{parameter}_{i}"))
            elif what == "variable":
                inputs.append(self.variable(value, node.name))
            elif parameter in extra and value is not None:
                inputs.append(self.static(value, f"{node.name}/{extra[parameter]}"))
        return inputs

    def static(self, value: Any, name: str) -> Any:
        from .convert import convert_to_tensor

        try:
            t = convert_to_tensor(value, dtypes.int32)
        except (TypeError, ValueError):
            return self.add(name, "Const", [], [(dtypes.int32, None)])
        return self.add(name, "Const", [], [(t.dtype, t.shape)], value=t)

    def node(self, node: Node) -> None:
        if node.kind == "read":
            resource = self.variable(node.args[0], node.name)
            self.add(node.name, "ReadVariableOp", [resource], [], node)
        elif node.kind == "op":
            inputs = self.arguments(node)
            if node.op is not None and node.op.name == "Fill" and not any(isinstance(t, SymbolicTensor) for t in inputs):
                self.add(node.name, "Const", [], [], node)
            else:
                self.add(node.name, node.type, inputs, [], node)
        else:
            inputs = [self.tensor(t, f"{node.name}/input") for t in _tensors(node.args)]
            if node.kind == "for" and node.extra[0] == "_elements":
                inputs[:0] = self.dataset(node.extra[1])
            seen = {id(t) for t in inputs}
            for block in node.blocks:
                for outside, _ in block.captures.values():
                    if isinstance(outside, SymbolicTensor) and id(outside) not in seen:
                        seen.add(id(outside))
                        inputs.append(outside)
            self.add(node.name, node.type, inputs, [], node)

    def dataset(self, dataset: Any) -> list[Any]:
        """The nodes of a dataset that is iterated over: itself, an input, and the scan that stops early."""
        from .shapes import TensorShape

        shown = self.known.get(id(dataset))
        if shown is None:
            shown = ShownOperation(self.graph, "dataset", "Placeholder", [], [(dtypes.variant, TensorShape([]))])
            self.out.insert(0, shown)
            self.known[id(dataset)] = shown
        return [self.add("ScanDataset", "ScanDataset", shown.outputs, [(dtypes.variant, TensorShape([]))])]

    def all(self) -> list[Any]:
        graph = self.graph
        for t in graph.inputs:
            self.add(t._node.name, "Placeholder", [], [], t._node)
        pending = list(graph._constants.values())
        for node in graph.nodes:
            self.node(node)
        for t, _ in pending:
            if id(t) not in self.known:
                self.tensor(t, "Const")
        for t in graph.outputs:
            if t is not None and isinstance(t, SymbolicTensor) and t._label:
                source = t._node.outputs[t._index]
                self.add(t._label.partition(":")[0], "Identity", [source], [(t.dtype, t.shape)])
        if any(o.type == "Identity" for o in self.out) and any(n.kind == "read" or n.stateful() for n in graph.nodes):
            self.add(graph.unique_name("NoOp") if "NoOp" in graph._names else "NoOp", "NoOp", [], [])  # what results wait for
        return self.out


def operations(graph: Graph) -> list[Any]:
    """All operations of a graph in the order of recording."""
    return _View(graph).all()
