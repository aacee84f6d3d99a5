"""Drawings of models with graphviz."""

from __future__ import annotations

import os
from typing import Any

from ..layers.wrapper import Wrapper


def _pydot() -> Any:
    for name in ("pydotplus", "pydot"):
        try:
            return __import__(name)
        except ImportError:
            continue
    return None


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    subgraph: bool = False,
    layer_range: Any = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """The model as a pydot graph (`tf.keras.utils.model_to_dot`). ImportError without pydot; ValueError before it is built."""
    from .._base.functional import Functional
    from .._base.sequential import Sequential
    from .._base.summary import layer_bounds

    pydot = _pydot()
    if pydot is None:
        raise ImportError("You must install pydot (`pip install pydot`) for model_to_dot to work.")
    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling the model on a batch of data."
        )
    if subgraph:
        dot = pydot.Cluster(style="dashed", graph_name=model.name)
        dot.set("label", model.name)
        dot.set("labeljust", "l")
    else:
        dot = pydot.Dot()
        dot.set("rankdir", rankdir)
        dot.set("concentrate", True)
        dot.set("dpi", dpi)
        dot.set_node_defaults(shape="record")
    if not model.__dict__.get("_is_graph_network"):  # what a subclass does is its program
        dot.add_node(pydot.Node(str(id(model)), label=model.name))
        return dot
    layers = model.layers
    if isinstance(model, Sequential):
        layers = [model.inputs[0]._keras_history.layer, *layers]
    if layer_range is not None:
        if len(layer_range) != 2:
            raise ValueError(f"layer_range must be of shape (2,). Received: layer_range = {layer_range} of length {len(layer_range)}")
        a, b = layer_bounds(model, layer_range)  # without a Sequential's input, as Keras counts
        layers = layers[a:b]

    def inside(layer: Any) -> Any:
        """The functional model that a layer is or wraps, where it is to be drawn."""
        drawn = layer if isinstance(layer, Functional) else getattr(layer, "layer", None) if isinstance(layer, Wrapper) else None
        return drawn if expand_nested and isinstance(drawn, Functional) and drawn.__dict__.get("_is_graph_network") else None

    ends: dict[int, tuple[str, str]] = {}  # first and last node of what is drawn of a model
    for layer in layers:
        drawn = inside(layer)
        if drawn is not None:
            sub = model_to_dot(drawn, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, subgraph=True,
                               show_layer_activations=show_layer_activations, show_trainable=show_trainable)  # fmt: skip
            nodes = [node.get_name() for node in sub.get_nodes()]
            ends[id(layer)] = (nodes[0], nodes[-1])
            dot.add_subgraph(sub)
        if drawn is not layer:
            label = _label(layer, drawn is None, show_layer_names, show_layer_activations, show_dtype, show_shapes, show_trainable)
            dot.add_node(pydot.Node(str(id(layer)), label=label))

    def connect(source: str, target: str) -> None:
        if not dot.get_edge(source, target):
            dot.add_edge(pydot.Edge(source, target))

    for layer, sources in _sources(model, layers):
        enters = ends[id(layer)][0] if layer is inside(layer) else str(id(layer))
        for source in sources:
            connect(ends[id(source)][1] if id(source) in ends else str(id(source)), enters)
            if id(layer) in ends and layer is not inside(layer):
                connect(str(id(layer)), ends[id(layer)][0])
    return dot


def _sources(model: Any, layers: list[Any]) -> Any:
    """Each layer with those among `layers` whose outputs it is called on."""
    from .._base.sequential import Sequential

    if isinstance(model, Sequential):
        yield from ((layer, [before]) for before, layer in zip(layers, layers[1:], strict=False))
        return
    for layer in layers:
        found: list[Any] = []
        for node in model._nodes:
            if node.layer is layer:
                for x in node.flat_inputs:
                    source = x._keras_history.layer
                    if any(source is one for one in layers) and not any(source is one for one in found):
                        found.append(source)
        yield layer, found


def _label(layer: Any, plain: bool, names: bool, activations: bool, dtype: bool, shapes: bool, trainable: bool) -> str:
    """The record of a layer: `name|class`, and what else is asked for."""
    name, kind = layer.name, type(layer).__name__
    if plain and isinstance(layer, Wrapper):
        name, kind = f"{name}({layer.layer.name})", f"{kind}({type(layer.layer).__name__})"
    activation = getattr(layer, "activation", None)
    if activations and activation is not None:
        kind = f"{{{kind}|{getattr(activation, '__name__', None) or activation.name}}}"
    label = f"{name}|{kind}" if names else kind
    if dtype:
        label += f"|{layer.dtype or '?'}"
    if shapes:
        label = f"{{{label}}}|{{input:|output:}}|{{{{{_shape(layer, 'input_shape')}}}|{{{_shape(layer, 'output_shape')}}}}}"
    return f"{'T' if layer.trainable else 'NT'}|{label}" if trainable else label


def _shape(layer: Any, which: str) -> str:
    try:
        return str(getattr(layer, which)).replace("{", r"\{").replace("}", r"\}")
    except AttributeError:
        return "?"


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    layer_range: Any = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """Draw the model into a file (`tf.keras.utils.plot_model`). ImportError without pydot or graphviz; in a notebook a hint is printed."""
    import shutil
    import sys

    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling the model on a batch of data."
        )
    if _pydot() is None or shutil.which("dot") is None:
        hint = (
            "You must install pydot (`pip install pydot`) and install graphviz (see instructions at https://graphviz.gitlab.io/download/) "
            "for plot_model to work."
        )
        if "IPython.core.magics.namespace" not in sys.modules:
            raise ImportError(hint)
        sys.stdout.write(hint + "\n")
        return None
    dot = model_to_dot(model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, layer_range=layer_range,
                       show_layer_activations=show_layer_activations, show_trainable=show_trainable)  # fmt: skip
    to_file = os.fspath(to_file)
    extension = os.path.splitext(to_file)[1][1:] or "png"
    dot.write(to_file, format=extension)
    if extension != "pdf":
        try:
            from IPython import display
        except ImportError:
            return None
        return display.Image(filename=to_file)
    return None
