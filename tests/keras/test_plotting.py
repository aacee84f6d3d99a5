"""Drawings of models: nodes and edges as Keras 2 gives them to pydot (recorded), ids replaced by names."""

from __future__ import annotations

from typing import Any

import pytest

import tf2compat as tf

K, L = tf.keras, tf.keras.layers


def _names(model: Any) -> dict[str, str]:
    found = {str(id(model)): model.name}
    for layer in (*getattr(model, "_self_layers", ()), *model._flatten_layers()):
        found[str(id(layer))] = layer.name
    for x in model.inputs or ():
        found[str(id(x._keras_history.layer))] = x._keras_history.layer.name
    for layer in getattr(model, "layers", ()):
        if layer is not model and hasattr(layer, "layers"):
            found.update(_names(layer))
        elif hasattr(layer, "layer") and hasattr(layer.layer, "layers"):
            found.update(_names(layer.layer))
    return found


def _drawn(model: Any, **options: Any) -> str:
    pytest.importorskip("pydot")
    text = K.utils.model_to_dot(model, **options).to_string()
    for number, name in _names(model).items():
        text = text.replace(number, f"<{name}>")
    lines = text.strip().splitlines()[1:-1]
    return "\n".join(line for line in lines if line not in ("rankdir=TB;", "concentrate=true;", "dpi=96;", "node [shape=record];"))


def _sequential() -> Any:
    return K.Sequential(
        [L.Dense(3, activation="relu", input_shape=(2,), name="a"), L.Dropout(0.1, name="b"), L.Dense(1, name="c", trainable=False)], name="seq"
    )


def _functional() -> Any:
    x, y = K.Input((4,), name="x"), K.Input((4,), name="y")
    h = L.Dense(2, name="h", activation="tanh")
    return K.Model([x, y], [L.Concatenate(name="cat")([h(x), h(y)]), h(x)], name="fun")


def _inner() -> Any:
    i = K.Input((2,), name="i")
    return K.Model(i, L.Dense(2, name="id2")(L.Dense(2, name="id")(i)), name="inner")


def test_a_sequential():
    assert _drawn(_sequential()) == (
        '<a_input> [label="a_input|InputLayer"];\n<a> [label="a|Dense"];\n<b> [label="b|Dropout"];\n<c> [label="c|Dense"];\n'
        "<a_input> -> <a>;\n<a> -> <b>;\n<b> -> <c>;"
    )
    everything = {"show_shapes": True, "show_dtype": True, "show_layer_activations": True, "show_trainable": True}
    assert _drawn(_sequential(), **everything) == (
        '<a_input> [label="T|{a_input|InputLayer|float32}|{input:|output:}|{{[(None, 2)]}|{[(None, 2)]}}"];\n'
        '<a> [label="T|{a|{Dense|relu}|float32}|{input:|output:}|{{(None, 2)}|{(None, 3)}}"];\n'
        '<b> [label="T|{b|Dropout|float32}|{input:|output:}|{{(None, 3)}|{(None, 3)}}"];\n'
        '<c> [label="NT|{c|{Dense|linear}|float32}|{input:|output:}|{{(None, 3)}|{(None, 1)}}"];\n'
        "<a_input> -> <a>;\n<a> -> <b>;\n<b> -> <c>;"
    )
    assert _drawn(_sequential(), layer_range=["a", "b"]) == '<a_input> [label="a_input|InputLayer"];\n<a> [label="a|Dense"];\n<a_input> -> <a>;'
    with pytest.raises(ValueError, match=r"layer_range must be of shape \(2,\)"):
        K.utils.model_to_dot(_sequential(), layer_range=["a"])


def test_a_functional_model():
    edges = "<x> -> <h>;\n<y> -> <h>;\n<h> -> <cat>;"
    assert _drawn(_functional()) == (
        '<x> [label="x|InputLayer"];\n<y> [label="y|InputLayer"];\n<h> [label="h|Dense"];\n<cat> [label="cat|Concatenate"];\n' + edges
    )
    assert _drawn(_functional(), show_layer_names=False) == (
        "<x> [label=InputLayer];\n<y> [label=InputLayer];\n<h> [label=Dense];\n<cat> [label=Concatenate];\n" + edges
    )
    assert '<cat> [label="{cat|Concatenate}|{input:|output:}|{{[(None, 2), (None, 2)]}|{(None, 4)}}"];' in _drawn(_functional(), show_shapes=True)
    assert _drawn(_functional(), layer_range=["h", "cat"]) == '<h> [label="h|Dense"];\n<cat> [label="cat|Concatenate"];\n<h> -> <cat>;'


_INSIDE = (
    "subgraph cluster_inner {\nstyle=dashed;\nlabel=inner;\nlabeljust=l;\n"
    '<i> [label="i|InputLayer"];\n<id> [label="id|Dense"];\n<id2> [label="id2|Dense"];\n<i> -> <id>;\n<id> -> <id2>;\n}\n'
)


def test_models_in_models():
    z = K.Input((2,), name="z")
    m = K.Model(z, L.Dense(1, name="o")(_inner()(z)), name="nest")
    assert _drawn(m) == (
        '<z> [label="z|InputLayer"];\n<inner> [label="inner|Functional"];\n<o> [label="o|Dense"];\n<z> -> <inner>;\n<inner> -> <o>;'
    )
    assert _drawn(m, expand_nested=True) == (
        '<z> [label="z|InputLayer"];\n' + _INSIDE + '<o> [label="o|Dense"];\n<z> -> <i>;\n<id2> -> <o>;'
    )


def test_wrapped_layers():
    q = K.Input((3, 2), name="q")
    m = K.Model(q, L.TimeDistributed(_inner(), name="td")(q))
    assert _drawn(m) == '<q> [label="q|InputLayer"];\n<td> [label="td(inner)|TimeDistributed(Functional)"];\n<q> -> <td>;'
    assert _drawn(m, expand_nested=True) == (
        '<q> [label="q|InputLayer"];\n' + _INSIDE + '<td> [label="td|TimeDistributed"];\n<q> -> <td>;\n<td> -> <i>;'
    )


def test_a_subclass_is_one_node():
    class Own(K.Model):
        def call(self, x):
            return x

    m = Own(name="own")
    with pytest.raises(ValueError, match="has not yet been built"):
        K.utils.model_to_dot(m) if pytest.importorskip("pydot") else None
    m(tf.ones((1, 2)))
    assert _drawn(m, show_shapes=True) == "<own> [label=own];"


def test_without_graphviz(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImportError, match="You must install pydot"):
        K.utils.plot_model(_sequential(), tmp_path / "m.png")
