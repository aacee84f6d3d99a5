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
