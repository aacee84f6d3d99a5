"""Losses that were only connected: what saving and copying make of them (their number and order: conformance, keras_symbolic_losses)."""

import copy

import numpy as np

import tf2compat as tf


class _AtRest(tf.keras.layers.Layer):
    """Adds a loss where it does not train."""

    def call(self, x, training=None):
        if not training:
            self.add_loss(tf.reduce_sum(x))
        return x * 2.0


def test_symbols_are_in_no_saved_function(tmp_path):
    x = tf.keras.Input((2,))
    model = tf.keras.Model(x, _AtRest()(x))
    model.save(tmp_path / "m")
    loaded = tf.saved_model.load(tmp_path / "m")
    outputs, losses = loaded.call_and_return_all_conditional_losses(tf.ones([1, 2]), training=False)
    assert outputs.numpy().tolist() == [[2.0, 2.0]]
    assert [float(loss) for loss in losses] == [2.0]
    assert loaded.call_and_return_all_conditional_losses(tf.ones([1, 2]), training=True)[1] == []


def test_a_connected_layer_is_copied():
    x = tf.keras.Input((2,))
    layer = tf.keras.layers.Dense(2, activity_regularizer="l2")
    layer(x)
    other = copy.deepcopy(layer)
    other(np.ones((2, 2), "float32"))
    assert [type(loss).__name__ for loss in other.losses] == ["EagerTensor"]
    assert [type(loss).__name__ for loss in layer.losses] == ["SymbolicTensor"]
