"""Functional models as configs: the layers, and which tensors each call got, by layer name, node and tensor index."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._engine import dtypes, nest
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable

from .serialization import deserialize_keras_object, serialize_keras_object, unbuilt

#: what marks a composite constant in a configuration
_MARK = {"_TYPE": "COMPOSITE"}


def _is_op(layer: Any) -> bool:
    from .oplayers import TFOpLambda

    return isinstance(layer, TFOpLambda)


def _plain(value: Any, indices: Any) -> Any:
    """A call's argument as JSON: symbolic tensors as [layer, node, tensor]."""
    if hasattr(type(value), "_is_keras_tensor"):
        h = value._keras_history
        return ["_KERAS_TENSOR", h.layer.name, indices[(id(h.layer), h.node_index)], h.tensor_index]
    if isinstance(value, (Tensor, Variable)):
        return value.numpy().tolist()
    if isinstance(value, (tf.RaggedTensor, tf.SparseTensor)):
        return _composite(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, dtypes.DType):
        return value.name
    if isinstance(value, TensorShape):
        return value.as_list()
    if isinstance(value, slice):
        return {"start": _plain(value.start, indices), "stop": _plain(value.stop, indices), "step": _plain(value.step, indices)}
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, dict):
        return {k: _plain(v, indices) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v, indices) for v in value]
    return value


def config_of(model: Any) -> dict[str, Any]:
    """The config of a functional model."""
    used = {id(n) for n in model._nodes}
    indices: dict[tuple[int, int], int] = {}
    for layer in model._self_layers:
        kept = 0
        for i, node in enumerate(layer._inbound):
            if id(node) in used:
                indices[(id(layer), i)] = kept
                kept += 1
    layers = []
    for layer in model._self_layers:
        config = serialize_keras_object(layer)
        config["name"] = layer.name
        config["inbound_nodes"] = [_node(n, indices) for n in layer._inbound if id(n) in used and n.flat_inputs]
        layers.append(config)

    def place(x: Any) -> list[Any]:
        h = x._keras_history
        return [h.layer.name, indices.get((id(h.layer), h.node_index), 0), h.tensor_index]

    inputs = nest.map_structure(place_marker(place), model._nested_inputs)
    outputs = nest.map_structure(place_marker(place), model._nested_outputs)
    return {
        "name": model.name, "trainable": model.trainable, "layers": layers, "input_layers": _unmark(inputs, True),
        "output_layers": _unmark(outputs, True),
    }  # fmt: skip


class _Place:
    def __init__(self, value: list[Any]) -> None:
        self.value = value


def place_marker(place: Any) -> Any:
    return lambda x: _Place(place(x))


def _unmark(value: Any, top: bool = False) -> Any:
    if isinstance(value, _Place):
        return [value.value] if top else value.value
    if isinstance(value, dict):
        return {k: _unmark(v) for k, v in value.items()}
    return [_unmark(v) for v in value]


def _check_plain(node: Any, values: dict[str, Any]) -> None:
    """TypeError for arguments of a call that a config cannot hold."""
    try:
        json.dumps(values, default=_numbers)
    except (TypeError, ValueError) as error:
        kinds = {k: type(v) for k, v in node.kwargs.items()} or {i: type(v) for i, v in enumerate(node.args[1:], 1)}
        raise TypeError(
            f"Layer {node.layer.name} was passed non-JSON-serializable arguments. Arguments had types: {kinds}. They cannot be serialized out "
            "when saving the model."
        ) from error


def _numbers(value: Any) -> Any:
    from .serialization import serialize_keras_object

    found = serialize_keras_object(value)
    if found is value:
        raise TypeError(f"{value!r} is no plain value")
    return found


def _node(node: Any, indices: Any) -> Any:
    found = _entry(node, indices)
    if not _is_op(node.layer):
        _check_plain(node, {"node": found})
    return found


def _entry(node: Any, indices: Any) -> Any:
    kwargs = {k: _strip(_plain(v, indices)) for k, v in node.kwargs.items()}
    if _is_op(node.layer):
        if len(node.args) > 1:  # a slice
            kwargs["key" if node.layer.symbol.endswith("ragged_getitem") else "slice_spec"] = _strip(_plain(node.args[1], indices))
        first = _plain(node.args[0], indices)
        if isinstance(first, list) and first[:1] == ["_KERAS_TENSOR"]:
            return [*first[1:], kwargs]
        if isinstance(first, list) and first and isinstance(first[0], list) and first[0][:1] == ["_KERAS_TENSOR"]:
            return [[*f[1:], kwargs] for f in first]
        return ["_CONSTANT_VALUE", -1, first, kwargs]
    inputs = node.inputs
    for i, extra in enumerate(node.args[1:]):
        kwargs[node.layer._call_spec.names[1 + i]] = _strip(_plain(extra, indices))
    if nest.is_nested(inputs):
        if isinstance(inputs, dict):
            return {k: [*_plain(v, indices)[1:], kwargs] for k, v in inputs.items()}
        return [[*_plain(v, indices)[1:], kwargs] if hasattr(type(v), "_is_keras_tensor") else ["_CONSTANT_VALUE", -1, _plain(v, indices), kwargs]
                for v in nest.flatten(inputs)]  # fmt: skip
    if not hasattr(type(inputs), "_is_keras_tensor"):
        return [["_CONSTANT_VALUE", -1, _plain(inputs, indices), kwargs]]
    return [[*_plain(inputs, indices)[1:], kwargs]]


def _composite(value: Any) -> Any:
    """A ragged or sparse constant as Keras writes it: its type and its tensors, as JSON in a marked pair."""
    if isinstance(value, tf.RaggedTensor):
        tensors = [value.flat_values, *value.nested_row_splits]
        spec = {"class_name": "__tuple__", "items": [
            {"class_name": "TensorShape", "items": value.shape.as_list()}, value.dtype.name, value.ragged_rank, value.row_splits.dtype.name,
        ]}  # fmt: skip
        kind = "tf.RaggedTensorSpec"
    else:
        tensors = [value.indices, value.values, value.dense_shape]
        spec = {"class_name": "__tuple__", "items": [{"class_name": "TensorShape", "items": value.shape.as_list()}, value.dtype.name]}
        kind = "tf.SparseTensorSpec"
    content = {
        "class_name": "CompositeTensor", "spec": {"class_name": "TypeSpec", "type_spec": kind, "serialized": spec},
        "tensors": [[t.dtype.name, _texts(t.numpy().tolist())] for t in tensors],
    }  # fmt: skip
    return [dict(_MARK), json.dumps(content)]


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(v) for v in value]
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _of_composite(value: Any) -> Any:
    """The constant that `_composite` wrote; ValueError for another kind."""
    content = json.loads(value[1])
    kind = content["spec"]["type_spec"]
    tensors = [tf.constant(_bytes(v, dtype), dtype=dtype) for dtype, v in content["tensors"]]
    if kind == "tf.RaggedTensorSpec":
        return tf.RaggedTensor.from_nested_row_splits(tensors[0], tensors[1:])
    if kind == "tf.SparseTensorSpec":
        return tf.SparseTensor(*tensors)
    raise ValueError(f"A constant of a model's configuration is of the unknown kind {kind!r}")


def _bytes(value: Any, dtype: str) -> Any:
    if isinstance(value, list):
        return [_bytes(v, dtype) for v in value]
    return value.encode("utf-8", "surrogateescape") if dtype == "string" and isinstance(value, str) else value


def _strip(value: Any) -> Any:
    """[marker, layer, node, tensor] → [layer, node, tensor], as Keras writes tensors among arguments."""
    if isinstance(value, list) and value[:1] == ["_KERAS_TENSOR"]:
        return value[1:]
    if isinstance(value, list):
        return [_strip(v) for v in value]
    if isinstance(value, dict):
        return {k: _strip(v) for k, v in value.items()}
    return value


def rebuild(config: dict[str, Any], custom_objects: Any = None, made: dict[str, Any] | None = None) -> tuple[Any, Any, dict[str, Any]]:
    """(inputs, outputs, layers by name) of a functional model's config. ValueError for a config that does not hang together."""
    layers: dict[str, Any] = dict(made or {})
    waiting: list[tuple[Any, list[Any]]] = []
    for entry in config["layers"]:
        name = entry["name"]
        layer = layers.get(name)
        if layer is None:
            inner = {k: v for k, v in entry.items() if k not in ("inbound_nodes", "name")}
            inner.pop("build_config", None) if entry["class_name"] in ("TFOpLambda", "SlicingOpLambda", "MethodLambda", "ClassMethod") else None
            layer = deserialize_keras_object(unbuilt(inner), custom_objects)
            layers[name] = layer
        waiting.append((layer, list(entry["inbound_nodes"])))
    calls: dict[int, list[Any]] = {id(layer): [layer._inbound[0]] for layer, nodes in waiting if not nodes and layer._inbound}
    progress = True
    while progress:
        progress = False
        for layer, nodes in waiting:
            while nodes:
                found = _call(layer, nodes[0], layers, calls)
                if not found:
                    break
                nodes.pop(0)
                progress = True
    left = [layer.name for layer, nodes in waiting if nodes]
    if left:
        raise ValueError(f"The config of the model refers to tensors that no layer gives; could not connect: {left}")

    def tensor(ref: Any) -> Any:
        layer = layers[ref[0]]
        return calls[id(layer)][ref[1]].flat_outputs[ref[2]]

    return _tensors(config["input_layers"], tensor), _tensors(config["output_layers"], tensor), layers


def _is_ref(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int) and isinstance(value[2], int)


def _tensors(value: Any, tensor: Any) -> Any:
    if _is_ref(value):
        return tensor(value)
    if isinstance(value, dict):
        return {k: _tensors(v, tensor) for k, v in value.items()}
    found = [_tensors(v, tensor) for v in value]
    return found[0] if len(found) == 1 else found


def _call(layer: Any, node: Any, layers: dict[str, Any], calls: dict[int, list[Any]]) -> bool:
    """Make one call of a layer; false when a tensor it needs does not exist yet."""
    missing = False

    def tensor(ref: Any) -> Any:
        nonlocal missing
        origin = layers.get(ref[0])
        made = calls.get(id(origin), []) if origin is not None else []
        if len(made) <= ref[1]:
            missing = True
            return None
        return made[ref[1]].flat_outputs[ref[2]]

    def argument(value: Any) -> Any:
        if _is_ref(value) and value[0] in layers:
            return tensor(value)
        if isinstance(value, dict) and set(value) == {"start", "stop", "step"}:
            return slice(argument(value["start"]), argument(value["stop"]), argument(value["step"]))
        if isinstance(value, dict) and value == {"ellipsis": True}:
            return Ellipsis
        if isinstance(value, list):
            return [argument(v) for v in value]
        if isinstance(value, dict):
            return {k: argument(v) for k, v in value.items()}
        return value

    def entry(ref: Any) -> tuple[Any, dict[str, Any]]:
        kwargs = {k: argument(v) for k, v in (ref[3] if len(ref) > 3 else {}).items()}
        if ref[0] != "_CONSTANT_VALUE":
            return tensor(ref), kwargs
        marked = isinstance(ref[2], (list, tuple)) and len(ref[2]) == 2 and ref[2][0] == _MARK
        return (_of_composite(ref[2]) if marked else ref[2]), kwargs

    kwargs: dict[str, Any] = {}
    if isinstance(node, dict):
        inputs: Any = {}
        for k, ref in node.items():
            inputs[k], more = entry(ref)
            kwargs.update(more)
    elif _is_ref(node) or (isinstance(node, list) and node[:1] == ["_CONSTANT_VALUE"]):
        inputs, kwargs = entry(node)
    else:
        inputs = []
        for ref in node:
            x, more = entry(ref)
            inputs.append(x)
            kwargs.update(more)
        if len(inputs) == 1 and not _is_op(layer):  # an op's only tensor is in no list
            inputs = inputs[0]
    if missing:
        return False
    before = len(layer._inbound)
    if _is_op(layer) and (found := kwargs.keys() & {"slice_spec", "key"}):
        spec = kwargs[found.pop()]
        layer(inputs, tuple(spec) if isinstance(spec, list) else spec)
    else:
        kwargs.pop("name", None) if _is_op(layer) else None
        layer(inputs, **kwargs)
    calls.setdefault(id(layer), []).append(layer._inbound[before])
    return True
