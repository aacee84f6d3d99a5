"""Graphs as JSON and back, for SavedModels: data only, no code.

An op is named by the path of its definition and is looked up in the registry when the graph is read, so a file can do no more than
call registered ops. Tensors with values are kept apart, by number; variables by the number of their object in the saved tree.
"""

from __future__ import annotations

import collections
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from . import dtypes, nest
from .graph import Graph, Node, _collect
from .op import OPS, Op
from .shapes import TensorShape
from .specs import TensorSpec, TypeSpec
from .symbolic import SymbolicTensor, probe_storage, symbolic
from .tensor import Tensor
from .variable import Variable

__all__ = ["GraphReader", "GraphWriter", "NotSaveable", "held_object"]

_MAX_NODES = 5_000_000
_KINDS = frozenset(("op", "read", "if", "while", "for", "custom", "input", "capture"))


class NotSaveable(Exception):
    """Something in a graph has no form outside of this process; the message says what."""


#: whose functions a graph may name: mathematics without effects
_FUNCTION_HOMES = ("torch", "torch.nn.functional", "tf2compat.keras.activations", "tf2compat.keras.layers._recurrences")
_FUNCTIONS = frozenset(
    "tanh sigmoid relu relu6 elu selu gelu silu softplus softsign softmax log_softmax leaky_relu hardsigmoid hardtanh hardswish mish exp "
    "exponential hard_sigmoid linear swish log square sqrt abs sin cos celu logsigmoid".split()
)


def _name_of_function(value: Any) -> str | None:
    """The name of a well-known activation function, or None."""
    name = getattr(value, "__name__", "")
    for home in _FUNCTION_HOMES if name in _FUNCTIONS else ():
        if getattr(importlib.import_module(home), name, None) is value:
            return f"{home}.{name}"
    return None


def _function_of_name(path: str) -> Any:
    home, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(home), name, None) if home in _FUNCTION_HOMES and name in _FUNCTIONS else None
    if found is None:
        raise ValueError(f"it uses the function '{path}', which is none that a graph may use")
    return found


#: objects with a state of their own that ops may hold; each has `_graph_state()`, plain values, and `_of_graph_state(state)`
_HELD = {
    "tables": "tf2compat.lookup.tables",
    "keras_lookup": "tf2compat.keras.layers.lookup",
    # pipelines: their stages, and the functions of these
    **{f"data.{home}": f"tf2compat.data.{home}" for home in (
        "batching", "caching", "combining", "functions", "grouping", "randomness", "readers", "reducing", "sources", "stages", "threads",
    )},
}


def _kind_of_held(value: Any) -> str | None:
    home = type(value).__module__
    return next((kind for kind, path in _HELD.items() if path == home and hasattr(value, "_graph_state")), None)


def held_object(entry: Any) -> Any:
    """The object that `GraphWriter.held` describes. ValueError for a kind that graphs may not hold."""
    kind, name, state = entry
    found = getattr(importlib.import_module(_HELD[kind]), str(name), None) if kind in _HELD else None
    if not isinstance(found, type) or not hasattr(found, "_of_graph_state"):
        raise ValueError(f"it holds an object of the unknown kind {kind!r} {name!r}")
    return found._of_graph_state(state)


def _streams() -> tuple[Any, ...]:
    """The kinds of streams of random numbers, which a graph holds by their seeds."""
    from ..random.seeding import ExactStream, Stream

    return Stream, ExactStream


class GraphWriter:
    """Turns graphs into JSON values. `constants` collects the tensors that they hold, `held` the states of other objects."""

    def __init__(self, number_of: Callable[[Variable], int]) -> None:
        self._number_of = number_of
        self.constants: list[Any] = []
        self._constant_numbers: dict[int, int] = {}
        self.held: list[Any] = []
        self._held_numbers: dict[int, int] = {}
        self._nodes: dict[int, int] = {}
        self._keep: list[Any] = []
        #: the numbers of saved files, by the storages of their paths
        self.files: dict[int, int] = {}
        #: writes the trace of a function that another object holds
        self.trace: Callable[[Any], Any] | None = None

    def value(self, v: Any, where: str = "") -> Any:
        """The JSON of an argument, result or signature."""
        if v is None or type(v) in (bool, int, str):
            return v
        if isinstance(v, SymbolicTensor):
            number = self._nodes.get(id(v._node))
            if number is None:
                raise NotSaveable(f"{where} uses a tensor of another graph, {v!r}")
            return {"s": [number, v._index]}
        if isinstance(v, Variable):
            return {"v": self._number_of(getattr(v, "_of", v))}
        if isinstance(v, Tensor):
            number = self.files.get(id(v._t))
            return {"c": self._constant(v._t)} if number is None else {"as": number}
        if isinstance(v, TensorSpec):
            return {"ts": [None if v.shape.rank is None else v.shape.as_list(), v.dtype.name, v.name]}
        if isinstance(v, TypeSpec):
            return {"sp": [_name_of_spec(type(v), where), self.value(v._serialize(), where)]}
        if isinstance(v, dtypes.DType):
            return {"dt": v.name}
        if isinstance(v, TensorShape):
            return {"sh": None if v.rank is None else v.as_list()}
        if isinstance(v, torch.dtype):
            return {"td": str(v).removeprefix("torch.")}
        if type(v) is float:
            return {"f": v.hex() if v == v and abs(v) != float("inf") else repr(v)}
        if type(v) is complex:
            return {"z": [v.real.hex(), v.imag.hex()]}
        if type(v) is bytes:
            return {"by": v.decode("latin-1")}
        if v is Ellipsis:
            return {"e": 1}
        if type(v) is slice:
            return {"sl": [self.value(part, where) for part in (v.start, v.stop, v.step)]}
        if isinstance(v, tuple) and hasattr(v, "_fields"):
            return {"nt": [type(v).__name__, list(v._fields), [self.value(e, where) for e in v]]}
        if isinstance(v, tuple):
            return {"t": [self.value(e, where) for e in v]}
        if isinstance(v, list):
            return {"l": [self.value(e, where) for e in v]}
        if isinstance(v, dict):
            return {"d": [[self.value(k, where), self.value(e, where)] for k, e in v.items()]}
        if isinstance(v, (np.ndarray, np.generic)):
            return {"n": self._constant(np.asarray(v))}
        if type(v).__module__ == "torch" and type(v).__name__ == "Tensor":
            return {"c": self._constant(v)}
        streams = _streams()
        if type(v) in streams:
            return {"rs": [streams.index(type(v)), None if v.seeds is None else list(v.seeds)]}
        if callable(v) and (found := _name_of_function(v)) is not None:
            return {"fn": found}
        if hasattr(type(v), "_tf_components") and hasattr(v, "_type_spec"):  # a ragged or sparse tensor, an extension type
            return {"co": [self.value(v._type_spec, where), [self.value(c, where) for c in nest.flatten(v, expand_composites=True)]]}
        if self.trace is not None and hasattr(v, "pretty_printed_signature") and hasattr(v, "_template"):
            return {"tr": self.trace(v)}
        if (kind := _kind_of_held(v)) is not None:
            return {"o": self._hold(kind, v, where)}
        raise NotSaveable(f"{where} holds a {type(v).__name__}, {v!r}, which only exists in this process")

    def _hold(self, kind: str, held: Any, where: str) -> int:
        known = self._held_numbers.get(id(held))
        if known is None:
            state = self.value(held._graph_state(), where)
            known = self._held_numbers[id(held)] = len(self.held)
            self.held.append([kind, type(held).__qualname__, state])
            self._keep.append(held)
        return known

    def _constant(self, storage: Any) -> int:
        known = self._constant_numbers.get(id(storage))
        if known is None:
            known = self._constant_numbers[id(storage)] = len(self.constants)
            self.constants.append(storage)
        return known

    def _node(self, node: Node) -> None:
        if id(node) not in self._nodes:
            self._nodes[id(node)] = len(self._nodes)
            self._keep.append(node)

    def graph(self, graph: Graph) -> dict[str, Any]:
        """The JSON of a graph of which everything outside (its captures) has been written before."""
        captures = [(self.value(outside, "a capture"), inner) for outside, inner in graph.captures.values()]
        for t in [*graph.inputs, *[inner for _, inner in captures]]:
            self._node(t._node)
        out: dict[str, Any] = {
            "name": graph.name,
            "inputs": [self._tensor(t) for t in graph.inputs],
            "captures": [[outside, self._tensor(inner)] for outside, inner in captures],
            "function": graph.is_function,
            "nodes": [self._one(node) for node in graph.nodes],
        }
        out["outputs"] = [self.value(o, "a result") for o in graph.outputs]
        return out

    def _tensor(self, t: SymbolicTensor) -> list[Any]:
        return [self._nodes[id(t._node)], t._node.name, t._dtype.name, None if t._dims is None else list(t._dims)]

    def _one(self, node: Node) -> dict[str, Any]:
        where = f"the op '{node.name}' ({node.type})"
        args = self.value(list(node.args) if node.kind == "op" else node.args, where)
        out: dict[str, Any] = {"kind": node.kind, "name": node.name, "args": args}
        if node.op is not None:
            if OPS.get(node.op.key) is not node.op:
                raise NotSaveable(f"{where} is not a registered op")
            out["op"] = node.op.key
            out["structure"] = self.value(node.structure, where)
        elif node.kind != "read":
            out["extra"] = self.value(node.extra, where)
        if node.blocks:
            out["blocks"] = [self.graph(block) for block in node.blocks]
        if getattr(node, "taped", False):
            out["taped"] = True
        if node.device is not None:
            out["device"] = str(node.device)
        self._node(node)
        out["id"] = self._nodes[id(node)]
        out["results"] = [[t._dtype.name, None if t._dims is None else list(t._dims)] for t in node.outputs]
        return out


_SPECS = {"RaggedTensorSpec": "tf2compat.ragged.spec", "SparseTensorSpec": "tf2compat.sparse.sparse_tensor",
          "IndexedSlicesSpec": "tf2compat._engine.specs", "NoneTensorSpec": "tf2compat._engine.specs",
          "DatasetSpec": "tf2compat.data.dataset", "RowPartitionSpec": "tf2compat.ragged.row_partition", "DynamicRaggedShapeSpec": "tf2compat.ragged.dynamic_shape"}  # fmt: skip


def _name_of_spec(cls: type, where: str) -> str:
    """The name by which a spec's class is found again: one of this package's, or the `__name__` of an extension type."""
    if _SPECS.get(cls.__name__) == cls.__module__:
        return cls.__name__
    from ..experimental.extension_types import REGISTERED

    for name, found in REGISTERED.items():
        if found is cls:
            return name
    raise NotSaveable(
        f"{where} holds a {cls.__qualname__}, which only exists in this process: an extension type that is saved needs a `__name__` of the "
        "form 'project.Type'"
    )


def _spec_of_name(name: str) -> Any:
    module = _SPECS.get(name)
    if module is not None:
        return getattr(importlib.import_module(module), name)
    from ..experimental.extension_types import REGISTERED

    if name not in REGISTERED:
        raise ValueError(f"it uses the extension type '{name.removesuffix('.Spec')}', whose class has to be defined before it is loaded")
    return REGISTERED[name]


def _op(key: str) -> Op:
    """The registered op of a key. Only modules of this package are imported to find it."""
    found = OPS.get(key)
    parts = key.split(".")
    depth = len(parts) - 1
    while found is None and depth > 0 and parts[0] == "tf2compat":
        try:
            importlib.import_module(".".join(parts[:depth]))
        except ImportError:
            depth -= 1
            continue
        found = OPS.get(key)
        break
    if found is None:
        raise ValueError(f"it uses the op '{key}', which this version of tf2compat does not have")
    return found


def _check_arguments(op: Op, args: list[Any]) -> None:
    """Raises ValueError where an op would get something else than tensors or numbers for a tensor."""
    for kind, name, value in zip(op.kinds, op.params, args, strict=True):
        what = None if kind is None else kind.what
        if what == "tensor":
            fits = value is None or isinstance(value, (Tensor, Variable)) or (kind.scalar and isinstance(value, (bool, int, float, complex)))
        elif what == "tensors":
            fits = value is None or (isinstance(value, (list, tuple)) and all(isinstance(v, (Tensor, Variable)) for v in value))
        elif what in ("variable", "variables"):
            fits = all(isinstance(v, Variable) for v in (value if isinstance(value, (list, tuple)) else [value]))
        else:
            continue
        if not fits:
            raise ValueError(f"the argument '{name}' of the op '{op.key}' is a {type(value).__name__}")


def _numbers(structure: Any) -> list[Any]:
    """The leaves of a structure of results: their numbers, when it is one."""
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, (list, tuple)):
        return [number for part in structure for number in _numbers(part)]
    return [] if structure is None else [structure]


class GraphReader:
    """Turns JSON values back into graphs. Raises ValueError, TypeError or KeyError for what is not a graph."""

    def __init__(self, variable: Callable[[int], Variable], constant: Callable[[int], Any], held: Callable[[int], Any] | None = None) -> None:
        self._variable = variable
        self._constant = constant
        self._held = held
        self._nodes: dict[int, Node] = {}
        #: the path of a saved file, by its number
        self.file: Callable[[int], Any] | None = None
        #: reads the trace of a function that another object holds
        self.trace: Callable[[Any], Any] | None = None

    def value(self, v: Any) -> Any:
        if v is None or type(v) in (bool, int, str):
            return v
        ((kind, inner),) = v.items()
        if kind == "s":
            node = self._nodes[inner[0]]
            return node.outputs[inner[1]]
        if kind == "v":
            return self._variable(inner)
        if kind == "c":
            return self._constant(inner)
        if kind == "ts":
            return TensorSpec(inner[0], dtypes.as_dtype(inner[1]), name=inner[2])
        if kind == "sp":
            return _spec_of_name(str(inner[0]))._deserialize(self.value(inner[1]))
        if kind == "co":
            return self.value(inner[0]).from_tensors(iter([self.value(c) for c in inner[1]]))
        if kind == "dt":
            return dtypes.as_dtype(inner)
        if kind == "sh":
            return TensorShape(inner)
        if kind == "td":
            found = getattr(torch, str(inner), None)
            if not isinstance(found, torch.dtype):
                raise ValueError(f"it names the dtype {inner!r}, which torch does not have")
            return found
        if kind == "f":
            return float.fromhex(inner) if inner.startswith(("0x", "-0x")) else float(inner)
        if kind == "z":
            return complex(float.fromhex(inner[0]), float.fromhex(inner[1]))
        if kind == "by":
            return inner.encode("latin-1")
        if kind == "e":
            return Ellipsis
        if kind == "sl":
            return slice(*[self.value(part) for part in inner])
        if kind == "t":
            return tuple([self.value(e) for e in inner])
        if kind == "nt":
            name, fields, values = inner
            made: Any = collections.namedtuple(str(name) if str(name).isidentifier() else "Tuple", [str(f) for f in fields], rename=True)
            return made(*[self.value(e) for e in values])
        if kind == "l":
            return [self.value(e) for e in inner]
        if kind == "d":
            return {self.value(k): self.value(e) for k, e in inner}
        if kind == "fn":
            return _function_of_name(inner)
        if kind == "rs":
            if inner[1] is not None and (len(inner[1]) != 2 or any(type(seed) is not int for seed in inner[1])):
                raise ValueError("it has a stream of random numbers without seeds")
            return _streams()[inner[0]](None if inner[1] is None else tuple(inner[1]))
        if kind == "o" and self._held is not None:
            return self._held(inner)
        if kind == "n":
            return np.asarray(self._constant(inner).numpy())
        if kind == "as" and self.file is not None:
            return self.file(inner)
        if kind == "tr" and self.trace is not None:
            return self.trace(inner)
        raise ValueError(f"it holds a value of the unknown kind {kind!r}")

    def graph(self, content: dict[str, Any], outer: Graph | None = None) -> Graph:
        """A graph, with `outer` around it."""
        graph = Graph(str(content["name"]), outer)
        captures = [(self.value(outside), self._placeholder(graph, t, "capture")) for outside, t in content["captures"]]
        for outside, inner in captures:
            key = outside._key() if isinstance(outside, SymbolicTensor) else (id(outside), -1)
            if key in graph.captures or (isinstance(outside, SymbolicTensor) and outside._graph is not outer) or not isinstance(outside, Tensor):
                raise ValueError(f"the captures of the graph '{graph.name}' are not the tensors outside of it")
            graph.captures[key] = (outside, inner)
        graph.inputs = [self._placeholder(graph, t, "input") for t in content["inputs"]]
        graph.is_function = bool(content["function"])
        for item in content["nodes"]:
            self._one(graph, item)
        graph.outputs = [self.value(o) for o in content["outputs"]]
        if any(o is not None and not isinstance(o, Tensor) for o in graph.outputs):
            raise ValueError("a graph's result is not a tensor")
        self._own(graph, graph.outputs)
        return graph

    def _own(self, graph: Graph, value: Any) -> None:
        """Raises ValueError for a tensor of another graph: what comes from outside is a capture."""
        found: list[SymbolicTensor] = []
        _collect(value, found)
        if any(t._graph is not graph for t in found):
            raise ValueError(f"the graph '{graph.name}' uses a tensor of another graph")

    def _add(self, number: int, node: Node) -> None:
        if type(number) is not int or number in self._nodes or len(self._nodes) > _MAX_NODES:
            raise ValueError("its nodes are not numbered one by one")
        self._nodes[number] = node

    def _result(self, graph: Graph, node: Node, index: int, dtype: Any, dims: Any) -> SymbolicTensor:
        dtype = dtypes.as_dtype(dtype)
        dims = None if dims is None else tuple(dims)
        if dims is not None and any(d is not None and (type(d) is not int or d < 0) for d in dims):
            raise ValueError(f"{dims} is not a shape")
        b = probe_storage(dtype, dims, 1) if dims is None or None in dims else None
        return symbolic(graph, node, index, dtype, dims, probe_storage(dtype, dims, 0), b)

    def _placeholder(self, graph: Graph, content: list[Any], kind: str) -> SymbolicTensor:
        number, name, dtype, dims = content
        node = Node(kind, str(name))
        node.outputs = [self._result(graph, node, 0, dtype, dims)]
        self._add(number, node)
        return node.outputs[0]

    def _one(self, graph: Graph, item: dict[str, Any]) -> None:
        kind = item["kind"]
        if kind not in _KINDS:
            raise ValueError(f"it has a node of the unknown kind {kind!r}")
        op = _op(item["op"]) if kind == "op" else None
        args = self.value(item["args"])
        if op is not None and (not isinstance(args, list) or len(args) != op.n):
            raise ValueError(f"the op '{op.key}' takes {op.n} arguments")
        self._own(graph, args)
        if op is not None:
            _check_arguments(op, args)
        node = Node(kind, str(item["name"]), op, args)
        if op is not None:
            node.structure = self.value(item["structure"])
            numbers = _numbers(node.structure)
            if any(type(number) is not int for number in numbers) or set(numbers) != set(range(len(item["results"]))):
                raise ValueError(f"the results of the op '{op.key}' are not numbered")
            node.extra = set()
            variables = [v for a in args for v in (a if isinstance(a, list) else [a]) if isinstance(v, Variable)]
            for v in variables:
                graph._variables.setdefault(id(v), v)
        elif kind == "read":
            if not isinstance(args, tuple) or len(args) != 1 or not isinstance(args[0], Variable):
                raise ValueError("a read does not name a variable")
            graph._variables.setdefault(id(args[0]), args[0])
        else:
            node.extra = self.value(item.get("extra"))
        node.blocks = [self.graph(block, graph) for block in item.get("blocks", ())]
        if kind == "if" and [len(block.outputs) for block in node.blocks] != [len(item["results"])] * 2:
            raise ValueError("the branches of a condition do not give its results")
        if kind in ("while", "for", "custom") and not node.blocks:
            raise ValueError(f"a node of the kind {kind!r} has no graph")
        for block in node.blocks:
            for v in block._variables.values():
                graph._variables.setdefault(id(v), v)
        if "taped" in item and hasattr(Node, "taped"):
            node.taped = bool(item["taped"])
        if "device" in item:
            device = torch.device(item["device"])
            node.device = device if device.type != "cuda" or torch.cuda.is_available() else None
        self._add(item["id"], node)
        node.outputs = [self._result(graph, node, i, dtype, dims) for i, (dtype, dims) in enumerate(item["results"])]
        graph.nodes.append(node)
