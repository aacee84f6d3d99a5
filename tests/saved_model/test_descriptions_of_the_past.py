"""Keras models in SavedModels of TensorFlow before 2.5, whose descriptions are in the graph of objects."""

import os

import numpy as np
from tf2compat_adapters.protos import SavedMetadata, SavedModel
from tf2compat_adapters.saved_model_proto import read_meta_graphs

import tf2compat as tf

k = tf.keras


def _as_in_the_past(path: str) -> None:
    described, graph = os.path.join(path, "keras_metadata.pb"), os.path.join(path, "saved_model.pb")
    with open(described, "rb") as file:
        saved = SavedMetadata.FromString(file.read())
    with open(graph, "rb") as file:
        (meta,) = read_meta_graphs(file.read())
    for node in saved.nodes:
        about = meta.object_graph_def.nodes[node.node_id].user_object
        about.identifier, about.metadata = node.identifier, node.metadata
    with open(graph, "wb") as file:
        file.write(SavedModel(saved_model_schema_version=1, meta_graphs=[meta.SerializeToString()]).SerializeToString())
    os.remove(described)


def test_models_come_back(tmp_path):
    model = k.Sequential([k.Input((3,)), k.layers.Dense(2, activation="relu"), k.layers.Dense(1)])
    model.compile(k.optimizers.legacy.SGD(0.1, momentum=0.9), "mse")
    x, y = np.ones((4, 3), "f"), np.ones((4, 1), "f")
    model.fit(x, y, verbose=0)
    path = str(tmp_path / "m")
    model.save(path, save_format="tf")
    _as_in_the_past(path)
    again = k.models.load_model(path)
    assert isinstance(again, k.Sequential) and [type(layer) for layer in again.layers] == [k.layers.Dense] * 2
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
    assert again.fit(x, y, verbose=0).history["loss"] == model.fit(x, y, verbose=0).history["loss"]


def test_what_is_no_model_is_what_it_was(tmp_path):
    tf.saved_model.save(tf.train.Checkpoint(v=tf.Variable(3.0)), str(tmp_path / "v"))
    assert float(k.models.load_model(str(tmp_path / "v")).v) == 3.0
