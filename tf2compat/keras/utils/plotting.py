"""Drawings of models with graphviz."""

from __future__ import annotations

import os
from typing import Any


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
    a, b = layer_bounds(model, layer_range)
    layers = model.layers[a:b]
    clusters: dict[int, tuple[str, str]] = {}
    for layer in layers:
        name = str(id(layer))
        inner = isinstance(layer, Functional)
        if inner and expand_nested:
            sub = model_to_dot(layer, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, subgraph=True,
                               show_layer_activations=show_layer_activations, show_trainable=show_trainable)  # fmt: skip
            dot.add_subgraph(sub)
            inside = [n for n in layer.layers]
            clusters[id(layer)] = (str(id(inside[0])), str(id(inside[-1])))
            continue
        title = f"{layer.name}|{type(layer).__name__}" if show_layer_names else type(layer).__name__
        if show_layer_activations and hasattr(layer, "activation"):
            title += f"|{getattr(layer.activation, '__name__', layer.activation)}"
        if show_dtype:
            title += f"|{layer.dtype or '?'}"
        if show_shapes:
            def shown(what: str, layer: Any = layer) -> str:
                try:
                    return str(getattr(layer, what)).replace("{", "").replace("}", "")
                except AttributeError:
                    return "?"

            title = f"{{{title}|{{input:|output:}}|{{{{{shown('input_shape')}}}|{{{shown('output_shape')}}}}}}}"
        elif show_layer_names:
            title = f"{{{title}}}"
        if show_trainable:
            title += "|T" if layer.trainable else "|NT"
        dot.add_node(pydot.Node(name, label=title))
    shown_layers = {id(layer) for layer in layers}
    edges = set()
    if isinstance(model, Functional) and model._is_graph_network and not isinstance(model, Sequential):
        for node in model._nodes:
            for x in node.flat_inputs:
                source = x._keras_history.layer
                if id(source) in shown_layers and id(node.layer) in shown_layers:
                    edges.add((clusters.get(id(source), ("", str(id(source))))[1], clusters.get(id(node.layer), (str(id(node.layer)), ""))[0]))
    else:
        for first, second in zip(layers, layers[1:], strict=False):
            edges.add((clusters.get(id(first), ("", str(id(first))))[1], clusters.get(id(second), (str(id(second)), ""))[0]))
    for source, target in sorted(edges):
        dot.add_edge(pydot.Edge(source, target))
    return dot


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
    """Draw the model into a file (`tf.keras.utils.plot_model`); prints a hint, and draws nothing, without pydot or graphviz."""
    import shutil
    import sys

    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling the model on a batch of data."
        )
    if _pydot() is None or shutil.which("dot") is None:
        sys.stdout.write(
            "You must install pydot (`pip install pydot`) and install graphviz (see instructions at https://graphviz.gitlab.io/download/) "
            "for plot_model to work.\n"
        )
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
