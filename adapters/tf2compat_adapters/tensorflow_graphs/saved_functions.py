"""The functions of a SavedModel that TensorFlow wrote: callable objects that are traced from its graph on their first call."""

from __future__ import annotations

import collections
import inspect
import os
from collections.abc import Mapping
from typing import Any

import tf2compat as tf
from tf2compat import errors
from tf2compat._engine import nest, state
from tf2compat._engine.concrete import ConcreteFunction, trace
from tf2compat._engine.signature import Binder
from tf2compat._engine.specs import TensorSpec
from tf2compat._engine.trackable import AutoTrackable
from tf2compat._engine.variable import Variable
from tf2compat.saved_model._functions import LoadedFunction, Signature
from tf2compat.saved_model._layout import Asset
from tf2compat.train import _formats
from tf2compat.train._saving import ATTRIBUTES, escape
from tf2compat.train._tensors import to_tensor

from ..structured_values import NotEncodableError, decode
from .attributes import Damaged, constant_of
from .interpreter import Functions
from .state_ops import GraphTable

_KINDS = inspect.Parameter


class GraphFunction:
    """One traced signature of a function; the graph is read when it is first needed."""

    def __init__(self, model: SavedGraph, name: str, binder: Binder, inputs: Any, outputs: Any, bound: list[int]) -> None:
        self._model = model
        self._name = name
        self._binder = binder
        self._template: tuple[Any, Any] = inputs
        self._outputs = outputs
        self._bound = bound
        self._built: ConcreteFunction | None = None

    @property
    def structured_input_signature(self) -> Any:
        return self._template

    @property
    def concrete(self) -> ConcreteFunction:
        """The function as one of ours. Raises NotImplementedError for an op that cannot be run, DataLossError for damage."""
        if self._built is None:
            self._built = self._build()
        return self._built

    def __getattr__(self, name: str) -> Any:
        return getattr(self.concrete, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.concrete(*args, **kwargs)

    def _build(self) -> ConcreteFunction:
        pos, kw = self._template
        specs = [
            (spec.dtype, None if spec.shape.rank is None else tuple(spec.shape.as_list()))
            for spec in nest.flatten((pos, kw), expand_composites=True)
            if isinstance(spec, TensorSpec)
        ]
        bound = [self._model.captured(number) for number in self._bound]

        def run(*args: Any, **kwargs: Any) -> Any:
            given = [v for v in nest.flatten((args, kwargs), expand_composites=True) if isinstance(v, tf.Tensor)]
            results = self._model.functions.run(self._name, [*given, *bound])
            return _packed(self._outputs, results)

        try:
            with state.outside():
                graph, _ = trace(run, self._name, self._binder, pos, kw, specs, False)
        except (Damaged, RecursionError) as error:
            raise errors.DataLossError(None, None, f"The function '{self._name}' of {self._model.path} cannot be read: {error}") from error
        return ConcreteFunction(graph, self._name, self._binder, pos, kw, specs)


def _packed(structure: Any, results: list[Any]) -> Any:
    """Results in the structure of a function's outputs."""
    wanted = nest.flatten(structure, expand_composites=True)
    waiting = iter(results)
    flat = [None if spec is None else next(waiting) for spec in wanted]
    return nest.pack_sequence_as(structure, flat, expand_composites=True)


def _binder(spec: Any) -> Binder:
    """How a function's arguments are bound, from its saved `fullargspec`."""
    names, varargs, varkw, defaults, only, only_defaults = (list(spec) + [None] * 6)[:6] if spec is not None else ([], "args", "kwargs", None, [], None)
    names = list(names or [])
    defaults = list(defaults or ())
    parameters = []
    first = len(names) - len(defaults)
    for number, name in enumerate(names):
        extra = {"default": defaults[number - first]} if number >= first else {}
        parameters.append(_KINDS(_identifier(name), _KINDS.POSITIONAL_OR_KEYWORD, **extra))
    if varargs:
        parameters.append(_KINDS(_identifier(varargs), _KINDS.VAR_POSITIONAL))
    for name in only or []:
        extra = {"default": only_defaults[name]} if only_defaults and name in only_defaults else {}
        parameters.append(_KINDS(_identifier(name), _KINDS.KEYWORD_ONLY, **extra))
    if varkw:
        parameters.append(_KINDS(_identifier(varkw), _KINDS.VAR_KEYWORD))

    def stand_in(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a loaded function has no Python code")

    try:
        stand_in.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    except ValueError as error:
        raise Damaged(f"a function's parameters are impossible: {error}") from error
    return Binder(stand_in)


def _identifier(name: Any) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise Damaged(f"{name!r} is not the name of a parameter")
    return name


class SavedGraph:
    """The graph of a SavedModel, with what its functions refer to."""

    def __init__(self, meta: Any, objects: list[Any], directory: str, path: str) -> None:
        self.path = path
        self.functions = Functions(meta.graph_def.library)
        self._meta = meta
        self._items = meta.object_graph_def.nodes
        self._signatures = meta.object_graph_def.concrete_functions
        self._objects = objects
        self._directory = directory
        self._values: dict[int, Any] = {}
        self._constants: dict[str, Any] | None = None
        self._loaded: dict[int, Any] = {}

    # --- what functions refer to -------------------------------------------------------------------------------------
    def captured(self, number: int) -> Any:
        """The variable, table or tensor that stands for an object of the saved tree."""
        if not 0 <= number < len(self._items):
            raise Damaged(f"object {number} of {len(self._items)}")
        if number not in self._values:
            self._values[number] = self._captured(number)
        return self._values[number]

    def _captured(self, number: int) -> Any:
        item, made = self._items[number], self._objects[number]
        if isinstance(made, Variable):
            return made
        if isinstance(made, Asset):
            return made.asset_path
        kind = item.WhichOneof("kind")
        if kind == "constant":
            if self._constants is None:
                self._constants = {node.name: node for node in self._meta.graph_def.node if node.op == "Const"}
            node = self._constants.get(item.constant.operation)
            if node is None:
                raise Damaged(f"the constant '{item.constant.operation}' is missing")
            return constant_of(node.attr["value"].tensor)
        if kind == "resource":
            return self._table(item)
        raise NotImplementedError(f"A function of this SavedModel uses an object of the kind {kind}, which tf2compat cannot make.")

    def _table(self, item: Any) -> Any:
        create = self._method(item, "_create_resource")
        if create is None:
            raise Damaged("a table has no function that creates it")
        (table,) = self._run_now(create, {})
        if not isinstance(table, GraphTable):
            raise NotImplementedError("A resource of this SavedModel is not a table: tf2compat cannot make it.")
        assets = os.path.abspath(os.path.join(self._directory, "assets"))
        own = [os.path.join(assets, os.path.basename(file.filename)) for file in self._meta.asset_file_def]
        # A link could lead to any file.
        table.assets = tuple(name for name in own if os.path.dirname(os.path.realpath(name)) == os.path.realpath(assets))
        initialize = self._method(item, "_initialize")
        if initialize is not None:
            self._run_now(initialize, {id(item): table})
        return table

    def _method(self, item: Any, name: str) -> str | None:
        for edge in item.children:
            if edge.local_name == name and 0 <= edge.node_id < len(self._items):
                found = self._items[edge.node_id]
                if found.WhichOneof("kind") == "function" and len(found.function.concrete_functions):
                    return found.function.concrete_functions[0]
        return None

    def _run_now(self, name: str, known: Mapping[int, Any]) -> list[Any]:
        bound = self._signatures[name].bound_inputs if name in self._signatures else []
        values = []
        for number in bound:
            if not 0 <= number < len(self._items):
                raise Damaged(f"object {number} of {len(self._items)}")
            values.append(known.get(id(self._items[number])) if id(self._items[number]) in known else self.captured(number))
        with state.outside():
            return self.functions.run(name, values)

    def tables(self) -> dict[int, GraphTable]:
        """Every table that can be made, by the number of its object."""
        found = {}
        for number, item in enumerate(self._items):
            if item.WhichOneof("kind") == "resource":
                try:
                    found[number] = self.captured(number)
                except NotImplementedError:
                    continue  # what uses it says so when it is called
        return found

    # --- functions ---------------------------------------------------------------------------------------------------
    def function(self, number: int, name: str) -> Any:
        """The callable for an object that is a function."""
        if number not in self._loaded:
            item = self._items[number]
            if item.WhichOneof("kind") == "function":
                content = item.function
                concretes = [self._concrete(key, content.function_spec) for key in content.concrete_functions]
                self._loaded[number] = LoadedFunction(name, [c for c in concretes if c is not None])
            else:
                bare = item.bare_concrete_function
                self._loaded[number] = self._concrete(bare.concrete_function_name, None, list(bare.argument_keywords))
        return self._loaded[number]

    def _concrete(self, key: str, spec: Any, keywords: list[str] | None = None) -> Any:
        if key not in self._signatures:
            raise Damaged(f"the signature of the function '{key}' is missing")
        saved = self._signatures[key]
        try:
            inputs, outputs = decode(saved.canonicalized_input_signature), decode(saved.output_signature)
        except NotEncodableError:
            return None
        if not (isinstance(inputs, tuple) and len(inputs) == 2 and isinstance(inputs[0], (tuple, list)) and isinstance(inputs[1], dict)):
            raise Damaged(f"the signature of '{key}' is not one")
        pos, kw = tuple(inputs[0]), dict(sorted(inputs[1].items()))  # a message has its entries in any order
        if spec is not None:
            full = decode(spec.fullargspec)
            if spec.is_method and full is not None and full[0]:
                full = [list(full[0])[1:], *list(full)[1:]]
            binder = _binder(full)
            if binder.varargs is None and len(pos) != binder.count:
                binder = _binder([[f"arg_{i}" for i in range(len(pos))], None, "kwargs"])
        else:
            binder = _binder([[], "args", None, None, sorted(kw), None])
        return GraphFunction(self, key, binder, (pos, kw), outputs, list(saved.bound_inputs))


def _names(structure: Any) -> list[str]:
    return sorted(structure) if isinstance(structure, Mapping) else [f"output_{i}" for i in range(len(nest.flatten(structure)))]


class LazySignature(Signature):
    """A signature whose graph is read on its first call."""

    def __init__(self, function: GraphFunction) -> None:
        self._function = function
        self._inputs = sorted(function._template[1])
        self._outputs = _names(function._outputs)

    @property
    def _concrete(self) -> Any:  # type: ignore[override]
        return self._function.concrete

    @property
    def structured_input_signature(self) -> Any:
        return (), dict(self._function._template[1])

    @property
    def structured_outputs(self) -> Any:
        return self._function._outputs


def _paths(items: Any) -> dict[int, str]:
    """The checkpoint key of each object: the first path of edges that leads to it."""
    found = {0: ""}
    queue = collections.deque([0])
    while queue:
        number = queue.popleft()
        for edge in items[number].children:
            if edge.node_id not in found:
                found[edge.node_id] = f"{found[number]}{escape(edge.local_name)}/"
                queue.append(edge.node_id)
    return found


def _restore_tables(tables: Mapping[int, GraphTable], items: Any, variables: str) -> None:
    """Gives tables that change the contents that were saved with the variables."""
    paths = _paths(items)
    reader = _formats.open_reader(variables)
    for number, table in tables.items():
        start = paths.get(number, "?") + ATTRIBUTES
        keys = [key for key in reader.entries if key.startswith(start) and key.endswith("-keys")]
        if keys and keys[0].removesuffix("keys") + "values" in reader.entries:
            table.put(to_tensor(reader.read(keys[0])), to_tensor(reader.read(keys[0].removesuffix("keys") + "values")))


def attach(meta: Any, objects: list[Any], directory: str) -> dict[str, Any]:
    """Gives loaded objects their functions, and returns the signatures. Raises DataLossError for damage."""
    path = os.path.join(directory, "saved_model.pb")
    model = SavedGraph(meta, objects, directory, path)
    items = meta.object_graph_def.nodes
    try:
        tables = model.tables()
        for number, table in tables.items():
            if isinstance(objects[number], AutoTrackable):
                objects[number].__dict__["_table_items"] = table._items
        variables = os.path.join(directory, "variables", "variables")
        if tables and _formats.exists(variables):
            _restore_tables(tables, items, variables)
        found: dict[str, Any] = {}
        for number, item in enumerate(items):
            made = objects[number]
            if not isinstance(made, AutoTrackable):
                continue
            for edge in item.children:
                if items[edge.node_id].WhichOneof("kind") in ("function", "bare_concrete_function"):
                    loaded = model.function(edge.node_id, edge.local_name)
                    if loaded is None:
                        continue
                    made.__dict__.setdefault("_functions", {})[edge.local_name] = loaded
                    if not edge.local_name.startswith("__"):
                        made.__dict__[edge.local_name] = loaded
        for edge in items[0].children:
            if edge.local_name == "signatures":
                for inner in items[edge.node_id].children:
                    loaded = model.function(inner.node_id, inner.local_name)
                    concrete = loaded.concretes[0] if isinstance(loaded, LoadedFunction) and loaded.concretes else loaded
                    if isinstance(concrete, GraphFunction):
                        found[inner.local_name] = LazySignature(concrete)
    except (Damaged, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise errors.DataLossError(None, None, f"{path} is damaged: {error}") from error
    return found
