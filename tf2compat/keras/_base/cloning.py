"""Copies of models: the same layers called on other tensors, or new layers of the same configs."""

from __future__ import annotations

from typing import Any

from tf2compat._engine import nest

from .input_layer import Input, InputLayer
from .node_order import order_nodes


def _replay(nodes: list[Any], known: dict[int, Any], layer_of: Any) -> None:
    """Call (other) layers as `nodes` did, on the tensors in `known`, which takes the results."""

    def value(x: Any) -> Any:
        return known[id(x)] if hasattr(type(x), "_is_keras_tensor") else x

    for node in nodes:
        if all(id(x) in known for x in node.flat_outputs):
            continue
        if node.is_input or not all(id(x) in known for x in node.flat_inputs):
            continue
        args, kwargs = nest.map_structure(value, (node.args, node.kwargs))
        out = layer_of(node.layer)(*args, **kwargs)
        for old, new in zip(node.flat_outputs, nest.flatten(out), strict=True):
            known[id(old)] = new


def recompute(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """New `Input`s in place of `inputs`, which are in the middle of a graph, and `outputs` computed from them by the same layers."""
    flat = nest.flatten(inputs)
    known: dict[int, Any] = {}
    fresh = []
    for x in flat:
        if isinstance(x._keras_history.layer, InputLayer):
            made = x
        else:
            made = Input(batch_shape=tuple(x.shape.as_list()), dtype=x.dtype)
        known[id(x)] = made
        fresh.append(made)
    sources = [x for x in _inputs_of(nest.flatten(outputs)) if id(x) not in known]
    nodes, _, _ = order_nodes([*flat, *sources], nest.flatten(outputs)) if not sources else _ordered(nest.flatten(outputs))
    _replay(nodes, known, lambda layer: layer)
    lost = [x for x in nest.flatten(outputs) if id(x) not in known]
    if lost:
        raise ValueError(f"Graph disconnected: cannot obtain value for tensor {lost[0]} from the given inputs.")
    return nest.pack_sequence_as(inputs, fresh), nest.map_structure(lambda x: known[id(x)], outputs)


def _ordered(outputs: list[Any]) -> Any:
    return order_nodes(_inputs_of(outputs), outputs)


def _inputs_of(outputs: list[Any]) -> list[Any]:
    """The `Input` tensors that tensors depend on."""
    found: list[Any] = []
    seen: set[int] = set()
    stack = list(outputs)
    while stack:
        x = stack.pop()
        h = x._keras_history
        node = h.layer._inbound[h.node_index]
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.is_input:
            found.extend(node.flat_outputs)
        stack.extend(node.flat_inputs)
    return found


def _clone_layer(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def clone_model(model: Any, input_tensors: Any = None, clone_function: Any = None) -> Any:
    """A model of new layers with the same configs (`tf.keras.models.clone_model`); weights are new.

    ValueError for what is no model, or a subclassed one together with `input_tensors` or `clone_function`.
    """
    from .functional import Functional
    from .model import Model
    from .sequential import Sequential

    if not isinstance(model, Model):
        raise ValueError(f"Expected `model` argument to be a `Model` instance. Received: model={model}")
    clone = clone_function or _clone_layer
    if clone_function is not None and not callable(clone_function):
        raise ValueError(f"Expected `clone_function` argument to be a callable. Received: clone_function={clone_function}")
    if isinstance(model, Sequential):
        made = Sequential(name=model.name)
        if model.__dict__.get("_has_explicit_input_shape") and input_tensors is None:
            first = model.inputs[0]
            made.add(Input(batch_shape=tuple(first.shape.as_list()), dtype=first.dtype, name=first._keras_history.layer.name))
        elif input_tensors is not None:
            made.add(_as_input(nest.flatten(input_tensors)[0]))
        for layer in model.layers:
            made.add(clone_model(layer) if isinstance(layer, Functional) and clone_function is None else clone(layer))
        if not made.inputs and model.__dict__.get("_build_input_shape") is not None and model._is_graph_network:
            made.build(model._build_input_shape)
        return made
    if isinstance(model, Functional):
        known: dict[int, Any] = {}
        if input_tensors is None:
            fresh = [_same_input(x) for x in model.inputs]
        else:
            fresh = [_as_input(x) for x in nest.flatten(input_tensors)]
        for old, new in zip(model.inputs, fresh, strict=True):
            known[id(old)] = new
        copies: dict[int, Any] = {}

        def copy_of(layer: Any) -> Any:
            if id(layer) not in copies:
                copies[id(layer)] = clone_model(layer) if isinstance(layer, Functional) and clone_function is None else clone(layer)
            return copies[id(layer)]

        _replay(model._nodes, known, copy_of)
        outputs = nest.map_structure(lambda x: known[id(x)], model._nested_outputs)
        made = type(model)(nest.pack_sequence_as(model._nested_inputs, fresh), outputs, name=model.name)
        made._take_endpoints(copies.values())
        return made
    if input_tensors is not None or clone_function is not None:
        raise ValueError(f"Arguments clone_function and input_tensors are only supported for Sequential models or Functional models. Received model of type '{type(model).__name__}', with clone_function={clone_function} and input_tensors={input_tensors}")
    return type(model).from_config(model.get_config())


def _as_input(x: Any) -> Any:
    return x if hasattr(type(x), "_is_keras_tensor") else Input(tensor=x)


def _same_input(x: Any) -> Any:
    return Input(batch_shape=tuple(x.shape.as_list()), dtype=x.dtype, name=x._keras_history.layer.name)
