"""Ops on symbolic tensors become Keras' layers, and models of them come back from their configs."""

import json
import pathlib
import sys

import numpy as np
import pytest

import tf2compat as tf

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
import op_layers  # noqa: E402

EXPECTED = json.loads((HERE / "recorded_op_layers.json").read_text())
#: functions of several ops in TensorFlow that are one here
ONE_HERE = {"tf.linalg.matvec(i, j[:, 0])", "tf.nn.moments(i, [1])", "tf.tensordot(i, tf.ones([3, 2]), 1)"}
#: what is computed inside of a layer has other nodes here
OTHER_NODES = ("crossentropy", "image.resize", "size(i)", "random", "REFLECT", "constant_values")


@pytest.fixture(scope="module")
def actual():
    return op_layers.outcomes(tf)


def without_numbers(names):
    """Layers by their symbols: Keras counts calls that no result depends on."""
    return [[name.rstrip("0123456789").rstrip("_"), kind] for name, kind in names]


@pytest.mark.parametrize("text", sorted(EXPECTED))
def test_layers(text, actual):
    model, names, tensors = actual[text]
    expected, expected_tensors = EXPECTED[text]
    if text not in ONE_HERE:
        assert sorted(without_numbers(names)) == sorted(without_numbers(expected))
    if text not in ONE_HERE and not any(t in text or "Crossentropy" in text for t in OTHER_NODES):
        assert [t.partition("/")[2] for t in tensors] == [t.partition("/")[2] for t in expected_tensors]
    again = tf.keras.Model.from_config(json.loads(json.dumps(model.get_config(), default=tf.keras.utils.serialize_keras_object)))
    x, y = (np.random.RandomState(n).rand(2, 4, 3).astype("float32") for n in (0, 1))
    for a, b in zip(tf.nest.flatten(model([x, y])), tf.nest.flatten(again([x, y])), strict=True):
        if "random" in text or "dropout" in text:
            assert a.shape == b.shape and a.dtype == b.dtype
        else:
            np.testing.assert_array_equal(a, b)


def test_losses_on_symbols_are_the_losses():
    i, j = tf.keras.Input((3,)), tf.keras.Input((3,))
    x, y = (np.random.RandomState(n).dirichlet([1, 1, 1], 4).astype("float32") for n in (0, 1))
    for name in ("mse", "mae", "mape", "msle", "kld", "poisson", "huber", "log_cosh", "cosine_similarity", "binary_crossentropy",
                 "categorical_crossentropy", "hinge", "squared_hinge"):  # fmt: skip
        loss = getattr(tf.keras.losses, name)
        np.testing.assert_allclose(tf.keras.Model([i, j], loss(i, j))([x, y]), loss(x, y), rtol=1e-5, atol=1e-6)
    for kwargs in ({"label_smoothing": 0.1}, {"from_logits": True}):
        for name in ("binary_crossentropy", "categorical_crossentropy"):
            loss = getattr(tf.keras.losses, name)
            np.testing.assert_allclose(tf.keras.Model([i, j], loss(i, j, **kwargs))([x, y]), loss(x, y, **kwargs), rtol=1e-5, atol=1e-6)
    for loss in (tf.keras.losses.MeanSquaredError(), tf.keras.losses.Huber(reduction="sum"), tf.keras.losses.KLDivergence(reduction="none")):
        np.testing.assert_allclose(tf.keras.Model([i, j], loss(i, j))([x, y]), loss(x, y), rtol=1e-5, atol=1e-6)
        w = tf.keras.Input(())
        weights = np.array([1, 2, 0, 4], np.float32)
        model = tf.keras.Model([i, j, w], loss(i, j, sample_weight=w))
        np.testing.assert_allclose(model([x, y, weights]), loss(x, y, sample_weight=weights), rtol=1e-5, atol=1e-6)


def test_hostile_paths():
    for path in (
        "_engine.state", "tf2compat>os.system", "tf2compat>tf2compat.__main__.main", "nothing", "io.__doc__", "tf2compat>", "py_function",
        "io.gfile.rmtree", "io.write_file", "math.arithmetic.torch.load", "keras.models.load_model", "keras.backend.set_floatx", "load_library",
        "compat.v1.py_function", "saved_model.load", "math",
    ):  # fmt: skip
        with pytest.raises(TypeError, match="Unknown op in a model's config"):
            tf.keras.layers.deserialize({"class_name": "TFOpLambda", "config": {"name": "x", "function": path}})


def test_models_with_such_layers_are_saved(tmp_path):
    i = tf.keras.Input((4, 3))
    x = tf.pad(tf.where(i > 0, i, 0.1 * i), [[0, 0], [1, 1], [0, 0]])
    model = tf.keras.Model(i, tf.einsum("abc,abd->acd", x, x))
    value = np.random.RandomState(0).normal(size=(2, 4, 3)).astype("float32")
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        again = tf.keras.models.load_model(tmp_path / name)
        np.testing.assert_array_equal(again(value), model(value))


def test_relu_of_symbolic_tensors_is_made_of_public_ops() -> None:
    x = tf.keras.Input((4,))
    row = tf.constant([[-1.0, 0.6, 2.0, 8.0]])
    for options, names, values in (
        ({"max_value": 6.0}, ["relu6"], [0, 0.6, 2, 6]),
        ({"max_value": 3.0}, ["relu", "clip_by_value"], [0, 0.6, 2, 3]),
        ({"alpha": 0.1}, ["leaky_relu"], [-0.1, 0.6, 2, 8]),
        ({"threshold": 1.0}, ["greater", "cast", "multiply"], [0, 0, 2, 8]),
        ({"alpha": 0.2, "max_value": 6.0}, ["negative", "relu", "relu6", "multiply", "subtract"], [-0.2, 0.6, 2, 6]),
    ):
        model = tf.keras.Model(x, tf.keras.activations.relu(x, **options))
        assert [layer.name.split(".")[-1].rstrip("_0123456789") if "relu6" not in layer.name else "relu6" for layer in model.layers[1:]] == names
        assert np.allclose(model(row).numpy(), [values])
        assert np.allclose(tf.keras.activations.relu(row, **options).numpy(), [values])
