"""Gradients that a traced function asks of a tape that recorded before it was traced."""

from __future__ import annotations

from typing import Any

import tf2compat as tf


def test_of_an_eager_tape() -> None:
    w, q = tf.Variable([1.0, 2.0]), tf.constant([3.0, 4.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(q)
        z = tf.reduce_sum(tf.square(w))
        y = tf.reduce_sum(q * q * w)

    @tf.function
    def scaled(s: Any) -> Any:
        return tape.gradient(z, w) * s, tape.gradient(y, [q, w])

    for s in (2.0, 3.0):
        first, (of_q, of_w) = scaled(tf.constant(s))
        assert (first.numpy() == [2 * s, 4 * s]).all()
        assert (of_q.numpy() == [6, 16]).all() and (of_w.numpy() == [9, 16]).all()


def test_of_the_tape_of_the_function_around_it() -> None:
    v = tf.Variable(2.0)

    def outer(x: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(v)
            loss = v * v * x

        @tf.function
        def inner(dy: Any) -> Any:
            return tape.gradient(loss, [v])[0] * dy

        return inner(tf.constant(3.0))

    for fn in (outer, tf.function(outer)):
        assert fn(tf.constant(1.0)).numpy() == 12.0


def test_in_a_custom_gradient_that_is_a_function() -> None:
    v = tf.Variable(0.0)

    @tf.custom_gradient
    def squared(x: Any) -> Any:
        v.assign(x)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v])
            y = v * v

        @tf.function
        def grad(dy: Any, variables: Any = None) -> Any:
            return [tape.gradient(y, [v])[0] * dy], [None]

        return y, grad

    def run(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = squared(x)
        return tape.gradient(y, x)

    assert run(tf.constant(3.0)).numpy() == tf.function(run)(tf.constant(3.0)).numpy() == 6.0
    assert squared.__original_wrapped__ is squared.__wrapped__
