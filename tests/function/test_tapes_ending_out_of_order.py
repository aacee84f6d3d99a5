"""A gradient of the outer tape taken while the inner one goes on recording: numbers that TensorFlow computed."""

import pytest

import tf2compat as tf


def _outer_first(v, x):
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        outer.watch(x)
        y = v * v * x * x
        g = outer.gradient(y, x)
        loss = y + g * g
        return g, inner.gradient(loss, v)


def _inner_after_both(v, x):
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        outer.watch(x)
        y = v * v * x * x
        g = outer.gradient(y, x)
        loss = y + g * g
    return g, inner.gradient(loss, v)


def _inner_first(v, x):
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        inner.watch(x)
        y = v * v * x * x
        g = inner.gradient(y, x)
        loss = y + g * g
        return g, outer.gradient(loss, v)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("step", [_outer_first, _inner_after_both, _inner_first])
def test_which_tape_ends_first_does_not_matter(step, traced):
    v = tf.Variable(3.0)
    run = tf.function(step, autograph=False) if traced else step
    assert [float(g) for g in run(v, tf.constant(2.0))] == [36.0, 1752.0]


def test_a_critic_with_a_penalty_is_trained():
    critic = tf.keras.Sequential([tf.keras.layers.Dense(4, "tanh"), tf.keras.layers.Dense(1)])
    optimizer = tf.keras.optimizers.SGD(0.1)

    @tf.function
    def step(real):
        with tf.GradientTape() as penalty_tape, tf.GradientTape() as tape:
            penalty_tape.watch(real)
            score = critic(real)
            slope = penalty_tape.gradient(score, real)
            loss = tf.reduce_mean(score) + tf.reduce_mean((tf.norm(slope, axis=1) - 1.0) ** 2)
            grads = tape.gradient(loss, critic.trainable_weights)
            optimizer.apply_gradients(zip(grads, critic.trainable_weights))
        return loss

    losses = [float(step(tf.ones((3, 2)))) for _ in range(3)]
    assert losses[2] < losses[1] < losses[0]


def test_a_paused_tape_goes_on_where_it_was():
    v = tf.Variable(3.0)
    with tf.GradientTape() as outer, tf.GradientTape(persistent=True) as inner:
        y = v * v
        outer.gradient(y, v)
        with inner.stop_recording():
            tf.square(y)
        z = y * v
    assert float(inner.gradient(z, v)) == 27.0
