"""Recurrent layers whose caller says by a tensor whether it trains."""

import pytest

import tf2compat as tf


@pytest.mark.parametrize("make", [lambda: tf.keras.layers.LSTM(3, activation="relu"), lambda: tf.keras.layers.GRU(3, implementation=1)])
def test_recurrent_layers_without_dropout_take_a_tensor_for_training(make):
    layer = make()
    traced = tf.function(lambda x, training: layer(x, training=training))
    assert traced(tf.ones([2, 4, 3]), tf.constant(True)).shape == [2, 3]
