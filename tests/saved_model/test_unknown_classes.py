"""Keras models whose classes the loading program does not have."""

import numpy as np
import pytest

pytest.importorskip("tensorboard")

import tf2compat as tf


class Scaled(tf.keras.layers.Layer):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.w = self.add_weight("w", (shape[-1], self.units))
        self.calls = self.add_weight("calls", (), trainable=False, initializer="zeros")

    def call(self, x, training=None):
        if training:
            self.calls.assign_add(1.0)
            x = x * 2.0
        self.add_loss(tf.reduce_sum(self.w**2))
        return x @ self.w


class Whole(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = tf.keras.layers.Dense(4)
        self.scaled = Scaled()

    def call(self, x, training=False):
        return self.scaled(self.inner(x), training=training)


def sequential():
    return tf.keras.Sequential([tf.keras.layers.Input((3,)), Scaled(4), tf.keras.layers.Dense(2, activation=tf.sin)])


@pytest.mark.parametrize("make", [Whole, sequential])
def test_their_functions_serve(make, tmp_path):
    model = make()
    model.compile("adam", "mse", metrics=["mae"])
    x, y = np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "one")
    again = tf.keras.models.load_model(tmp_path / "one")
    assert isinstance(again, tf.keras.Model) and type(again).__name__ == type(model).__name__
    assert [type(layer).__name__ for layer in again.layers] == [type(layer).__name__ for layer in model.layers]
    assert [(w.name, w.shape, w.trainable) for w in again.weights] == [(w.name, w.shape, w.trainable) for w in model.weights]
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
    np.testing.assert_allclose(again(x, training=True), model(x, training=True), rtol=1e-6)
    np.testing.assert_allclose(again.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(again.fit(x, y, verbose=0, epochs=2).history["loss"], model.fit(x, y, verbose=0, epochs=2).history["loss"], rtol=1e-5)
    again.save(tmp_path / "two")
    third = tf.keras.models.load_model(tmp_path / "two")
    np.testing.assert_allclose(third.predict(x, verbose=0), again.predict(x, verbose=0), rtol=1e-6)
    assert again.get_config() == {} or make is sequential
