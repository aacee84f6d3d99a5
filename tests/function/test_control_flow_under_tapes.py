"""Loops and conditions of a function that was traced alone, called inside another function's tape."""

import numpy as np
import pytest

import tf2compat as tf


def _made():
    w, u = tf.Variable(tf.fill([4], 2.0)), tf.Variable(tf.fill([4], 3.0))

    @tf.function
    def f(x, c):
        y = tf.sqrt(x * w + 1.0) * w if c else x * u
        s = tf.zeros([3, 4])
        for _ in tf.range(2):
            s = s + tf.exp(-tf.square(w * y) * 0.01)
        r = tf.constant(1.0)
        for _ in tf.range(3):
            r = r * w[0] * 0.5 + 1.0
        return (y + s) * r

    return f, u, w


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("c", [True, False])
def test_gradients(watched: bool, before: bool, c: bool) -> None:
    f, u, w = _made()
    x = tf.ones([3, 4])
    if before:
        f(x, tf.constant(c))

    def step(x, c):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(f(x * u if watched else x, c))
        return tape.gradient(total, [u, w], unconnected_gradients="zero")

    expected = step(x, tf.constant(c))
    for got, want in zip(tf.function(step)(x, tf.constant(c)), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5)
    np.testing.assert_allclose(tf.function(f)(x, tf.constant(c)), f(x, tf.constant(c)), rtol=1e-6)
