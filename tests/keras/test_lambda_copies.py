"""Lambda layers are cloned with the function itself; a file's function is taken when this process wrote it."""

import json

import numpy as np
import pytest

import tf2compat as tf

layers = tf.keras.layers
OFFSET = 3.0


def twice(x):
    return x * 2 + OFFSET


def scaled(by):
    return lambda x: x * by


FUNCTIONS = [twice, lambda x: x * 2 + OFFSET, scaled(5.0), tf.nn.relu]


def model_of(function):
    x = layers.Input((3,))
    return tf.keras.Model(x, layers.Lambda(function)(x))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_models_with_lambdas_are_cloned(function):
    x = tf.constant([[1.0, -2.0, 3.0]])
    for model in (model_of(function), tf.keras.Sequential([layers.Lambda(function, input_shape=(3,))])):
        np.testing.assert_array_equal(tf.keras.models.clone_model(model)(x), function(x))
    layer = layers.Lambda(function)
    np.testing.assert_array_equal(layers.Lambda.from_config(layer.get_config())(x), function(x))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_hdf5_files_of_this_process_have_its_functions(function, tmp_path):
    pytest.importorskip("h5py")
    model = model_of(function)
    model.save(tmp_path / "m.h5")
    x = tf.constant([[1.0, -2.0, 3.0]])
    np.testing.assert_array_equal(tf.keras.models.load_model(tmp_path / "m.h5")(x), function(x))


def test_code_of_other_processes_is_not_run(monkeypatch):
    from tf2compat.keras._base import lambdas

    config = json.loads(json.dumps(layers.Lambda(lambda x: x + 1).get_config()))
    stored = config["function"]["config"]["value"]
    config["function"] = [stored["code"], stored["defaults"], stored["closure"]]  # as HDF5 files have it
    assert float(layers.Lambda.from_config(dict(config))(tf.constant([1.0]))[0]) == 2
    monkeypatch.setattr(lambdas, "_described", {})
    with pytest.raises(ValueError, match="arbitrary code execution"):
        layers.Lambda.from_config(dict(config))


def test_a_description_is_plain_data_once_written():
    from copy import deepcopy

    config = layers.Lambda(twice).get_config()
    assert json.loads(json.dumps(config["function"]))["config"] == "twice"
    assert layers.Lambda.from_config(deepcopy(config)).function is twice
