"""A layer that comes again and is taken off; hyperparameters that are None."""

import pytest

import tf2compat as tf


@pytest.mark.parametrize("shaped", [False, True])
def test_a_repeated_layer_that_is_taken_off_stays_for_the_time_before(shaped):
    a, b = tf.keras.layers.Dense(4, name="a"), tf.keras.layers.Dense(4, name="b")
    model = tf.keras.Sequential([*([tf.keras.Input((4,))] if shaped else []), a, b])
    model.build((None, 4))
    x = tf.random.normal([2, 4], seed=1)
    before = model(x).numpy()
    model.add(a)
    assert [layer.name for layer in model.layers] == ["a", "b"]
    if shaped:
        assert abs(model(x).numpy() - before).max() > 1e-3
    model.pop()
    assert [layer.name for layer in model.layers] == ["a", "b"]
    assert abs(model(x).numpy() - before).max() < 1e-6


@pytest.mark.parametrize("make", [lambda: tf.keras.optimizers.Adam(epsilon=None), lambda: tf.keras.optimizers.RMSprop(rho=None)])
def test_hyperparameters_are_numbers(make):
    optimizer = make()
    with pytest.raises(ValueError, match="None"):
        optimizer.apply_gradients([(tf.ones([2]), tf.Variable(tf.zeros([2])))])
