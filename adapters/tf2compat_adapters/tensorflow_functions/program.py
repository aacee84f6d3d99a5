"""The functions of a SavedModel in TensorFlow's own form: library, signatures, and the graph that TF Serving runs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tf2compat._engine import dtypes, nest
from tf2compat._engine.concrete import ConcreteFunction
from tf2compat._engine.specs import TensorSpec, type_spec_from_value
from tf2compat._engine.symbolic import SymbolicTensor
from tf2compat._engine.tensor import Tensor

from ..structured_values import NotEncodableError, encode, fill
from . import (  # noqa: F401 - they register how ops are written
    counting,
    gradients_arrays,
    gradients_linear,
    gradients_math,
    gradients_nn,
    images,
    linear_algebra,
    losses,
    lowering,
    parsing,
    rules,
    signals,
    sparse,
    training,
)
from .body import NotExportable, fill_attribute
from .export import Exporter, own

#: the version of graphs that TensorFlow 2.21 writes
PRODUCER = 2474
_P = inspect.Parameter


def _spec(t: Any, name: str | None = None) -> Any:
    return None if t is None else TensorSpec(t.shape, t.dtype, name=name)


def _full_argument_spec(proto: Any, binder: Any) -> None:
    parameters = list(binder.signature.parameters.values())
    plain = [p for p in parameters if p.kind in (_P.POSITIONAL_ONLY, _P.POSITIONAL_OR_KEYWORD)]
    only = [p for p in parameters if p.kind is _P.KEYWORD_ONLY]
    defaults = tuple([_plain(p.default) for p in plain if p.default is not _P.empty])
    stars = {p.kind: p.name for p in parameters}
    fields = {
        "args": [p.name for p in plain], "varargs": stars.get(_P.VAR_POSITIONAL), "varkw": stars.get(_P.VAR_KEYWORD),
        "defaults": defaults or None, "kwonlyargs": [p.name for p in only],
        "kwonlydefaults": {p.name: _plain(p.default) for p in only if p.default is not _P.empty} or None, "annotations": {},
    }  # fmt: skip
    proto.named_tuple_value.name = "FullArgSpec"
    for key, value in fields.items():
        fill(proto.named_tuple_value.values.add(key=key).value, value)


def _plain(value: Any) -> Any:
    """A default value as far as TensorFlow's signatures can hold it."""
    try:
        encode(value)
    except (NotEncodableError, TypeError, ValueError):
        return None
    return value


class Program:
    """What becomes of concrete functions in a MetaGraphDef. `problems` says which cannot be run by TensorFlow, and why."""

    def __init__(self, meta: Any, number_of: Any) -> None:
        self.meta = meta
        self.exporter = Exporter(meta.graph_def.library)
        self.problems: dict[str, str] = {}
        self._number_of = number_of
        self._written: dict[int, str | None] = {}
        self._names: set[str] = set()
        self._handles: dict[int, Any] = {}

    # --- functions ---------------------------------------------------------------------------------------------------
    def concrete(self, concrete: ConcreteFunction) -> str | None:
        """The name of a function in the library, or None when it cannot be there."""
        if id(concrete) not in self._written:
            try:
                self._written[id(concrete)] = self._function(concrete)
            except NotExportable as problem:
                self.problems.setdefault(concrete._name, str(problem))
                self._written[id(concrete)] = None
        return self._written[id(concrete)]

    def _function(self, concrete: ConcreteFunction) -> str:
        graph = concrete.graph
        outputs = [o for o in graph.outputs if o is not None]
        structured = nest.map_structure(lambda o: _result_spec(o), graph.structured_outputs)
        pos, kw = concrete.structured_input_signature
        name, variables = self.exporter.function(
            graph, f"__inference_{concrete._name}_{len(self._written)}",
            [(spec or t._node.name, t) for spec, t in zip(concrete._spec_names, graph.inputs, strict=True)],
            [(f"output_{i}", o) for i, o in enumerate(outputs)],
        )  # fmt: skip
        self._register(name, (tuple(pos), dict(kw)), structured, variables)
        return name

    def _register(self, name: str, inputs: Any, outputs: Any, variables: Sequence[Any]) -> None:
        saved = self.meta.object_graph_def.concrete_functions[name]
        try:
            saved.bound_inputs.extend([self._number_of(v) for v in variables])
            fill(saved.canonicalized_input_signature, inputs)
            fill(saved.output_signature, outputs)
        except NotEncodableError as problem:
            del self.meta.object_graph_def.concrete_functions[name]
            raise NotExportable(f"of its signature: {problem}") from problem

    def add_function(self, children: Any, name: str, concretes: Sequence[ConcreteFunction]) -> None:
        """A function of an object, with those of its traces that TensorFlow can run."""
        names = [n for n in map(self.concrete, concretes) if n is not None]
        if not names:
            return
        nodes = self.meta.object_graph_def.nodes
        children.add(local_name=name, node_id=len(nodes))
        item = nodes.add()
        item.function.concrete_functions.extend(names)
        _full_argument_spec(item.function.function_spec.fullargspec, concretes[0]._binder)
        item.function.function_spec.input_signature.none_value.SetInParent()

    # --- signatures --------------------------------------------------------------------------------------------------
    def add_signatures(self, signatures: Mapping[str, tuple[ConcreteFunction, list[str], list[str]]]) -> None:
        """Signatures: a function for `tf.saved_model.load`, and nodes of the graph for TF Serving."""
        nodes = self.meta.object_graph_def.nodes
        root = nodes[0]
        found = {}
        for key, (concrete, inputs, outputs) in signatures.items():
            try:
                found[key] = self._signature(key, concrete, inputs, outputs)
            except NotExportable as problem:
                self.problems.setdefault(concrete._name, str(problem))
        root.children.add(local_name="signatures", node_id=len(nodes))
        holder_number = len(nodes)
        holder = nodes.add()
        holder.user_object.identifier = "signature_map"
        holder.user_object.version.producer = holder.user_object.version.min_consumer = 1
        for key, (name, inputs) in found.items():
            nodes[holder_number].children.add(local_name=key, node_id=len(nodes))
            bare = nodes.add().bare_concrete_function
            bare.concrete_function_name = name
            bare.argument_keywords.extend(inputs)
            bare.allowed_positional_arguments = 1 if len(inputs) == 1 else 0

    def _signature(self, key: str, concrete: ConcreteFunction, inputs: list[str], outputs: list[str]) -> tuple[str, list[str]]:
        graph = concrete.graph
        arguments = dict(sorted(zip(inputs, graph.inputs, strict=True)))
        results = dict(sorted(zip(outputs, [o for o in graph.outputs if o is not None], strict=True)))
        name, variables = self.exporter.function(graph, f"__inference_signature_wrapper_{key}", list(arguments.items()), list(results.items()))
        specs = {n: TensorSpec(t.shape, t.dtype, name=n) for n, t in arguments.items()}
        self._register(name, ((), specs), {n: _result_spec(t, n) for n, t in results.items()}, variables)
        # the graph of the session
        g = self.meta.graph_def
        definition = self.meta.signature_def[key]
        call_inputs, types = [], []
        for n, t in arguments.items():
            node = g.node.add(name=self._unique(f"{key}_{n}"), op="Placeholder")
            fill_attribute(node.attr["dtype"], "type", t._dtype)
            fill_attribute(node.attr["shape"], "shape", t._dims)
            definition.inputs[n].name = node.name + ":0"
            call_inputs.append(node.name)
            types.append(t._dtype)
        for variable in variables:
            call_inputs.append(self._handle(variable))
            types.append(dtypes.resource)
        call = g.node.add(name=self._unique("StatefulPartitionedCall"), op="StatefulPartitionedCall")
        call.input.extend(call_inputs)
        fill_attribute(call.attr["Tin"], "list(type)", types)
        fill_attribute(call.attr["Tout"], "list(type)", [t.dtype for t in results.values()])
        call.attr["f"].func.name = name
        for position, n in enumerate(results):
            definition.outputs[n].name = f"{call.name}:{position}"
        return name, list(arguments)

    def _unique(self, base: str) -> str:
        base = "".join(c if c.isalnum() or c in "_.-/" else "_" for c in base) or "node"
        if not base[0].isalnum():
            base = "n" + base
        name, number = base, 0
        while name in self._names:
            number += 1
            name = f"{base}_{number}"
        self._names.add(name)
        return name

    def _handle(self, variable: Any) -> str:
        variable = own(variable)
        found = self._handles.get(id(variable))
        if found is None:
            name = self._unique(variable._shared_name or "Variable")
            node = self.meta.graph_def.node.add(name=name, op="VarHandleOp")
            fill_attribute(node.attr["dtype"], "type", variable.dtype)
            fill_attribute(node.attr["shape"], "shape", None if variable.shape.rank is None else variable.shape.as_list())
            node.attr["shared_name"].s = name.encode()
            node.attr["container"].s = b""
            found = self._handles[id(variable)] = name
        return found

    # --- restoring in a session --------------------------------------------------------------------------------------
    def add_saver(self, variables: Mapping[str, Any]) -> None:
        """Nodes that save and restore variables, by their checkpoint keys, as a session does it that loads the model."""
        g = self.meta.graph_def
        target = g.node.add(name=self._unique("saver_filename"), op="Placeholder")
        fill_attribute(target.attr["dtype"], "type", dtypes.string)
        fill_attribute(target.attr["shape"], "shape", ())
        handles = [self._handle(v) for v in variables.values()]
        types = [v.dtype for v in variables.values()]

        def strings(name: str, values: Sequence[str]) -> str:
            from tf2compat._top.calling import make_tensor_proto

            node = g.node.add(name=self._unique(name), op="Const")
            fill_attribute(node.attr["dtype"], "type", dtypes.string)
            node.attr["value"].tensor.CopyFrom(make_tensor_proto(np.asarray([v.encode() for v in values], object), dtype=dtypes.string))
            return node.name

        restored: list[str] = []
        if handles:
            names, slices = strings("saver_names", list(variables)), strings("saver_slices", [""] * len(handles))
            restore = g.node.add(name=self._unique("saver_restore"), op="RestoreV2")
            restore.input.extend([target.name, names, slices])
            fill_attribute(restore.attr["dtypes"], "list(type)", types)
            for i, (handle, dtype) in enumerate(zip(handles, types, strict=True)):
                assign = g.node.add(name=self._unique("saver_assign"), op="AssignVariableOp")
                assign.input.extend([handle, f"{restore.name}:{i}" if i else restore.name])
                fill_attribute(assign.attr["dtype"], "type", dtype)
                restored.append("^" + assign.name)
            reads = []
            for handle, dtype in zip(handles, types, strict=True):
                read = g.node.add(name=self._unique("saver_read"), op="ReadVariableOp")
                read.input.append(handle)
                fill_attribute(read.attr["dtype"], "type", dtype)
                reads.append(read.name)
            save = g.node.add(name=self._unique("saver_write"), op="SaveV2")
            save.input.extend([target.name, names, slices, *reads])
            fill_attribute(save.attr["dtypes"], "list(type)", types)
        whole = g.node.add(name=self._unique("saver_restored"), op="NoOp")
        whole.input.extend(restored)
        saved = g.node.add(name=self._unique("saver_saved"), op="Identity")
        saved.input.append(target.name)
        if handles:
            saved.input.append("^" + save.name)
        fill_attribute(saved.attr["T"], "type", dtypes.string)
        saver = self.meta.saver_def
        saver.filename_tensor_name = target.name + ":0"
        saver.save_tensor_name = saved.name + ":0"
        saver.restore_op_name = whole.name
        saver.version = 2
        start = g.node.add(name=self._unique("NoOp"), op="NoOp")
        self.meta.signature_def["__saved_model_init_op"].outputs["__saved_model_init_op"].name = start.name
        self.meta.signature_def["__saved_model_init_op"].outputs["__saved_model_init_op"].tensor_shape.unknown_rank = True


def _result_spec(value: Any, name: str | None = None) -> Any:
    if value is None:
        return None
    if not isinstance(value, (Tensor, SymbolicTensor)):
        return type_spec_from_value(value)
    return TensorSpec(value.shape, value.dtype, name=name)
