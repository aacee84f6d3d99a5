"""The functions of SavedModels as TensorFlow's GraphDef: their structure, and their values as read back from the graph.

`tests/conformance/read_with_tensorflow.py` runs the same under TensorFlow itself.
"""

import logging
import os

import numpy as np
import pytest
from tensorboard.compat.proto import meta_graph_pb2
from tf2compat_adapters.protos import SavedModel
from tf2compat_adapters.tensorflow_functions.signatures import _lines, signature

import tf2compat as tf
from tests.conformance.models_for_tensorflow import MODELS, Programs
from tf2compat.saved_model import _layout


def meta_of(path):
    with open(os.path.join(path, _layout.PROTO), "rb") as file:
        return meta_graph_pb2.MetaGraphDef.FromString(SavedModel.FromString(file.read()).meta_graphs[0])


def as_tensorflow(path):
    """Loads a SavedModel as if TensorFlow had written it: without the functions' file of our own."""
    os.remove(os.path.join(path, _layout.FUNCTIONS))
    return tf.saved_model.load(path)


@pytest.mark.parametrize("name", MODELS)
def test_models(name, tmp_path, caplog):
    model, inputs = MODELS[name]()
    expected = model(inputs if len(inputs) > 1 else inputs[0])
    logging.getLogger("tensorflow").propagate = True
    path = str(tmp_path / "model")
    model.save(path)
    assert "cannot run" not in caplog.text
    loaded = as_tensorflow(path)
    serve = loaded.signatures["serving_default"]
    (key,) = model.output_names
    found = serve(**dict(zip(model.input_names, map(tf.constant, inputs), strict=True)))[key]
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


def test_programs(tmp_path):
    path, module = str(tmp_path / "module"), Programs()
    x = np.array([[1.0, -2.0], [3.0, 0.5]], np.float32)
    tf.saved_model.save(module, path, signatures={"serving_default": module.steps, "words": module.words})
    expected = module.steps(x)
    loaded = as_tensorflow(path)
    for found in (loaded.steps(tf.constant(x)), loaded.signatures["serving_default"](x=tf.constant(x))):
        assert set(found) == {"y", "rows", "count"}
        np.testing.assert_allclose(found["y"].numpy(), expected["y"].numpy(), rtol=1e-5)
        np.testing.assert_allclose(found["rows"].numpy(), expected["rows"].numpy(), rtol=1e-5)
    assert loaded.count.numpy() == 2 and found["count"].numpy() == 2  # each call counted
    np.testing.assert_array_equal(loaded.words(tf.constant(["a", "zz", "b"])).numpy(), [1, -1, 2])


def test_structure(tmp_path):
    path = str(tmp_path / "module")
    module = Programs()
    tf.saved_model.save(module, path, signatures=module.steps)
    meta = meta_of(path)
    functions = {f.signature.name: f for f in meta.graph_def.library.function}
    nodes = meta.object_graph_def.nodes
    edges = {edge.local_name: edge.node_id for edge in nodes[0].children}
    (name,) = nodes[edges["steps"]].function.concrete_functions
    bound = meta.object_graph_def.concrete_functions[name].bound_inputs
    assert [nodes[n].WhichOneof("kind") for n in bound] == ["variable"] * len(bound) and edges["count"] in bound
    assert [a.name for a in functions[name].signature.input_arg][0] == "x" and functions[name].signature.is_stateful
    assert functions[name].control_ret  # the assignment happens though no result depends on it
    (key,) = nodes[edges["signatures"]].children
    bare = nodes[key.node_id].bare_concrete_function
    assert key.local_name == "serving_default" and list(bare.argument_keywords) == ["x"] and bare.allowed_positional_arguments == 1
    # what a session runs
    graph = {node.name: node for node in meta.graph_def.node}
    served = meta.signature_def["serving_default"]
    assert graph[served.inputs["x"].name.partition(":")[0]].op == "Placeholder"
    call = graph[served.outputs["y"].name.partition(":")[0]]
    assert call.op == "StatefulPartitionedCall" and call.attr["f"].func.name in functions
    assert graph[meta.saver_def.restore_op_name].op == "NoOp" and meta.saver_def.version == 2
    (restore,) = [node for node in meta.graph_def.node if node.op == "RestoreV2"]
    keys = graph[restore.input[1]].attr["value"].tensor.string_val
    assert sorted(keys) == [b"count/.ATTRIBUTES/VARIABLE_VALUE", b"w/.ATTRIBUTES/VARIABLE_VALUE"]
    # every node is an op that TensorFlow has
    assert all(signature(node.op) for f in functions.values() for node in f.node_def)


def test_what_tensorflow_has_no_op_for_is_told(tmp_path, caplog):
    module = tf.Module()
    module.v = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([3], tf.float32)])
    def fitted(x):
        return module.v * tf.nn.isotonic_regression(x)[0]

    module.fitted = fitted
    module.twice = tf.function(lambda x: 2.0 * x, input_signature=[tf.TensorSpec([], tf.float32)])
    logging.getLogger("tensorflow").propagate = True
    path = str(tmp_path / "module")
    tf.saved_model.save(module, path)
    assert "TensorFlow itself cannot run" in caplog.text and "fitted" in caplog.text and "Isotonic" in caplog.text
    assert tf.saved_model.load(path).fitted(tf.constant([3.0, 2.0, 1.0])).numpy().tolist() == [6, 4, 2]
    loaded = as_tensorflow(path)
    assert loaded.twice(3.0).numpy() == 6 and not hasattr(loaded, "fitted")


def test_signatures_of_ops():
    assert len(_lines()) > 400
    found = signature("SplitV")
    assert found.inputs[1].type == "Tlen" and found.inputs[2].dtype == "int32" and found.outputs[0].number == "num_split"
    assert signature("While").outputs[0].types == "T" and signature("While").stateful
    assert signature("Conv2D").attributes["strides"] == ("list(int)", False, frozenset(), "") and signature("NoSuchOp") is None
