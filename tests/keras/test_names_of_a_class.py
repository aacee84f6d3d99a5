"""What a model's class defines is not hidden by what `compile` would set (as recorded from TensorFlow)."""

import pytest

import tf2compat as tf


class _Regressor(tf.keras.Model):
    def loss(self, y, target):
        return tf.reduce_mean((y - target) ** 2)

    def optimizer(self):
        return tf.keras.optimizers.SGD(0.1)


def test_methods_named_as_what_compile_sets_stay():
    model = _Regressor()
    assert model.loss(tf.constant([1.0]), tf.constant([3.0])).numpy() == 4.0
    assert model.optimizer().name == "SGD"
    model.compile("sgd", loss="mse")
    assert model.loss == "mse"
    assert not callable(model.optimizer)


def test_there_is_no_loss_before_compile():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    assert model.optimizer is None
    with pytest.raises(AttributeError, match="'Sequential' object has no attribute 'loss'"):
        model.loss  # noqa: B018
    model.compile("sgd")
    assert model.loss == {}


@pytest.mark.parametrize("scalar", [lambda: tf.constant(3.0), lambda: tf.Variable(3.0)])
def test_iter_refuses_a_scalar_at_once(scalar):
    with pytest.raises(TypeError, match="Cannot iterate over a scalar tensor."):
        iter(scalar())
