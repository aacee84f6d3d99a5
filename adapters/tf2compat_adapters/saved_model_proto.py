"""The adapter for `saved_model.pb`: TensorFlow's description of a SavedModel's objects and signatures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from google.protobuf.message import DecodeError
from tensorboard.compat.proto import meta_graph_pb2

from tf2compat._engine import dtypes
from tf2compat_adapters.protos import SavedModel

_LISTS = {"trackable_list_wrapper": "list", "trackable_dict_wrapper": "dict", "trackable_tuple_wrapper": "tuple"}
_IDENTIFIERS = {"list": "trackable_list_wrapper", "dict": "trackable_dict_wrapper", "tuple": "trackable_tuple_wrapper"}
_MAX_OBJECTS = 10_000_000


def _shape(proto: Any, shape: Any) -> None:
    if shape is None:
        proto.unknown_rank = True
        return
    proto.SetInParent()
    for size in shape:
        proto.dim.add(size=-1 if size is None else size)


def _spec(info: Any, name: str, spec: tuple[str, Any]) -> None:
    info.name = name
    info.dtype = dtypes.as_dtype(spec[0]).as_datatype_enum
    _shape(info.tensor_shape, spec[1])


def encode(
    nodes: list[Mapping[str, Any]], signatures: Mapping[str, Any], tags: list[str], program: Mapping[str, Any] | None = None
) -> tuple[bytes, dict[str, str]]:  # fmt: skip
    """The message for a tree of objects (see `tf2compat.saved_model`), and which functions TensorFlow cannot run, with the reason of each.

    `program`: {"concretes": the traces by number, None for those that are not saved, "signatures": name -> (trace, inputs, outputs),
    "variables": checkpoint key -> variable, "number_of": the number of a variable's object}.
    """
    from tf2compat_adapters.tensorflow_functions.program import PRODUCER, Program

    meta = meta_graph_pb2.MetaGraphDef()
    meta.meta_info_def.tags.extend(tags)
    meta.meta_info_def.tensorflow_version = "2.21.0"
    meta.meta_info_def.stripped_default_attrs = True
    meta.graph_def.versions.producer = PRODUCER
    for node in nodes:
        item = meta.object_graph_def.nodes.add()
        for name, number in node["children"]:
            item.children.add(local_name=name, node_id=number)
        for variable, slot, number in node.get("slots", ()):
            item.slot_variables.add(original_variable_node_id=variable, slot_name=slot, slot_variable_node_id=number)
        kind = node["kind"]
        if kind == "variable":
            about = node["variable"]
            item.variable.dtype = dtypes.as_dtype(about["dtype"]).as_datatype_enum
            _shape(item.variable.shape, about["shape"])
            item.variable.trainable = about["trainable"]
            item.variable.name = about["name"]
            item.variable.device = about.get("device", "")
        elif kind == "asset":
            item.asset.asset_file_def_index = len(meta.asset_file_def)
            definition = meta.asset_file_def.add(filename=node["asset"])
            definition.tensor_info.name = f"asset_path_initializer_{item.asset.asset_file_def_index}:0"
        else:
            item.user_object.identifier = node.get("identifier") or _IDENTIFIERS.get(kind, "_generic_user_object")
            item.user_object.version.producer = 1
            item.user_object.version.min_consumer = 1
            if node.get("identifier") == "experimentalOptimizer":
                item.user_object.version.producer = 2
            if node.get("slots"):  # what TensorFlow gives slots to when it loads them
                item.user_object.identifier, item.user_object.version.producer = "optimizer", 2
    for name, (inputs, outputs) in signatures.items():
        definition = meta.signature_def[name]
        definition.method_name = "tensorflow/serving/predict"
        for key, spec in inputs.items():
            _spec(definition.inputs[key], f"{name}_{key}:0", spec)
        for number, (key, spec) in enumerate(outputs.items()):
            _spec(definition.outputs[key], f"StatefulPartitionedCall:{number}", spec)
    problems: dict[str, str] = {}
    if program is not None:
        written = Program(meta, program["number_of"])
        for number, node in enumerate(nodes):
            for name, numbers in node.get("functions", {}).items():
                traces = [program["concretes"][n] for n in numbers]
                written.add_function(meta.object_graph_def.nodes[number].children, name, [t for t in traces if t is not None])
        written.add_signatures(program["signatures"])
        written.add_saver(program["variables"])
        problems = written.problems
    saved = SavedModel(saved_model_schema_version=1, meta_graphs=[meta.SerializeToString()])
    return saved.SerializeToString(), problems


def read_meta_graphs(content: bytes) -> list[Any]:
    """The MetaGraphDefs of a `saved_model.pb`. Raises ValueError when it is not one."""
    try:
        saved = SavedModel.FromString(content)
        metas = [meta_graph_pb2.MetaGraphDef.FromString(part) for part in saved.meta_graphs]
    except DecodeError as error:
        raise ValueError("it is not a SavedModel message") from error
    if not metas:
        raise ValueError("it has no graphs")
    return metas


def decode(content: bytes, tags: list[str] | None) -> dict[str, Any]:
    """{"nodes": …, "signatures": …, "graph": the message} of the graph with the tags. Raises ValueError for damage, RuntimeError for tags there are not."""
    metas = read_meta_graphs(content)
    if tags is None:
        meta = metas[0]
    else:
        found = [m for m in metas if set(m.meta_info_def.tags) == set(tags)]
        if not found:
            raise RuntimeError(
                f"MetaGraphDef associated with tags {tags} could not be found in SavedModel, with available tags "
                f"'{[list(m.meta_info_def.tags) for m in metas]}'."
            )
        meta = found[0]
    items = meta.object_graph_def.nodes
    if len(items) > _MAX_OBJECTS:
        raise ValueError(f"it has {len(items)} objects")
    functions = {n for n, item in enumerate(items) if item.WhichOneof("kind") in ("function", "bare_concrete_function")}
    nodes = []
    for item in items:
        node: dict[str, Any] = {"kind": "object", "children": [], "functions": {}}
        for edge in item.children:
            if not 0 <= edge.node_id < len(items):
                raise ValueError(f"object {edge.node_id} of {len(items)}")
            if edge.node_id in functions:
                node["functions"][edge.local_name] = []
            else:
                node["children"].append((edge.local_name, edge.node_id))
        kind = item.WhichOneof("kind")
        if kind == "variable":
            shape = item.variable.shape
            node["kind"] = "variable"
            node["variable"] = {
                "dtype": dtypes.as_dtype(item.variable.dtype).name,
                "shape": None if shape.unknown_rank else [None if d.size < 0 else d.size for d in shape.dim],
                "trainable": item.variable.trainable, "name": item.variable.name,
            }  # fmt: skip
        elif kind == "asset":
            if not 0 <= item.asset.asset_file_def_index < len(meta.asset_file_def):
                raise ValueError("an asset has no file")
            node["kind"] = "asset"
            node["asset"] = os.path.basename(meta.asset_file_def[item.asset.asset_file_def_index].filename)
        elif kind == "user_object":
            node["kind"] = _LISTS.get(item.user_object.identifier, "object")
            node["identifier"] = item.user_object.identifier
        if node["kind"] != "object":
            node["functions"] = {}
        if item.slot_variables:
            node["slots"] = [(s.original_variable_node_id, s.slot_name, s.slot_variable_node_id) for s in item.slot_variables]
        nodes.append(node)
    return {"nodes": nodes, "signatures": {name: None for name in meta.signature_def}, "graph": meta}


def attach_functions(decoded: Mapping[str, Any], objects: list[Any], directory: str) -> dict[str, Any]:
    """Gives objects that were made of `decode`'s result the functions of TensorFlow's graph; the signatures by name."""
    from tf2compat_adapters.tensorflow_graphs.saved_functions import attach

    return attach(decoded["graph"], objects, directory)
