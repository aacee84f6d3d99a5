"""What libraries with kernels of their own (tensorflow_addons) do when they are imported."""

import importlib

import pytest

import tf2compat as tf


def test_gradients_of_foreign_op_types_are_registered_for_nothing():
    tf.no_gradient("Library>Kernel")

    @tf.RegisterGradient("Library>Other")
    def gradient(op, grad):
        return grad

    assert gradient(None, 3) == 3


def test_op_types_of_tensorflow_are_refused():
    with pytest.raises(tf.errors.UnimplementedError, match="no registry of gradients"):
        tf.no_gradient("Relu")
    with pytest.raises(tf.errors.UnimplementedError, match="MatMul"):
        tf.RegisterGradient("MatMul")
    with pytest.raises(TypeError):
        tf.no_gradient(3)


def test_modules_inside_of_keras_src():
    tf.install_as_tensorflow()
    utils = importlib.import_module("tf_keras.src.utils")
    from tf_keras.src.utils import tf_utils

    assert tf_utils.is_symbolic_tensor is not None
    assert utils.to_categorical is tf.keras.utils.to_categorical


def test_private_modules_that_recommenders_and_transformers_import():
    tf.install_as_tensorflow()
    from tensorflow.python.keras import backend_config
    from tensorflow.python.keras.saving import model_config
    from tensorflow.python.layers import utils

    assert model_config.model_from_json is tf.keras.models.model_from_json
    assert backend_config.epsilon() == tf.keras.backend.epsilon()
    assert utils.conv_output_length(10, 3, "valid", 2) == 4 and utils.conv_output_length(10, 3, "same", 2) == 5
    assert utils.normalize_tuple(3, 2, "kernel_size") == (3, 3)


def test_json_of_objects_of_configurations():
    import numpy as np

    tf.install_as_tensorflow()
    from tensorflow.python.util import serialization

    json = serialization.get_json_type
    assert [json(v) for v in (np.float32(2), np.ones(2), tf.TensorShape([None, 2]), tf.float32, int)] == [2.0, [1.0, 1.0], [None, 2], "float32", "int"]
    with pytest.raises(TypeError, match="not JSON-serializable"):
        json(object())
