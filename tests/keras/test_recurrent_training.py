"""Recurrent layers whose caller says by a tensor whether it trains."""

import numpy as np
import pytest

import tf2compat as tf


@pytest.mark.parametrize("make", [lambda: tf.keras.layers.LSTM(3, activation="relu"), lambda: tf.keras.layers.GRU(3, implementation=1)])
def test_recurrent_layers_without_dropout_take_a_tensor_for_training(make):
    layer = make()
    traced = tf.function(lambda x, training: layer(x, training=training))
    assert traced(tf.ones([2, 4, 3]), tf.constant(True)).shape == [2, 3]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_steps_one_by_one_are_those_of_a_sequence(cell: str, masked: bool) -> None:
    """A decoder calls the layer for one step at a time, which goes another way than a sequence: outputs, states and gradients agree."""
    tf.keras.utils.set_random_seed(2)
    layer = getattr(tf.keras.layers, cell)(6, return_sequences=True, return_state=True, bias_initializer="normal")
    x = tf.random.normal([3, 5, 4])
    mask = tf.constant([[True] * 5, [True] * 3 + [False] * 2, [True] + [False] * 4]) if masked else None
    layer(x)

    def whole() -> tuple:
        with tf.GradientTape() as tape:
            out, *states = layer(x, mask=mask)
            loss = tf.reduce_sum(tf.sin(out)) + tf.reduce_sum(tf.cos(states[0]))
        return out, *states, *tape.gradient(loss, layer.trainable_variables)

    def by_steps() -> tuple:
        with tf.GradientTape() as tape:
            states, outs = layer.get_initial_state(x), []
            for i in range(5):
                out, *states = layer(x[:, i : i + 1], mask=None if mask is None else mask[:, i : i + 1], initial_state=states)
                outs.append(states[0][:, None])
            out = tf.concat(outs, 1)
            loss = tf.reduce_sum(tf.sin(out)) + tf.reduce_sum(tf.cos(states[0]))
        return out, *states, *tape.gradient(loss, layer.trainable_variables)

    for steps in (by_steps, tf.function(by_steps)):
        for a, b in zip(whole(), steps(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
