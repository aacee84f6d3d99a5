"""Traced functions in traced functions, and names that converted code must leave to the program."""

import numpy as np
import pytest

import tf2compat as tf


@tf.function
def second(x, v):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.reduce_sum(x**3)
        g = tf.reduce_sum(inner.gradient(y, x) * v)
    return outer.gradient(g, x)


def in_a_loop(b):
    x = tf.zeros_like(b)
    for _ in tf.range(2):
        x += second(b, x + b)
    return x


def in_a_while(b):
    return tf.while_loop(lambda i, x: i < 2, lambda i, x: (i + 1, x + second(b, x + b)), (0, tf.zeros_like(b)))[1]


def in_a_branch(b):
    if tf.reduce_sum(b) > 0:
        return second(b, b) + 42.0 * b
    return b


@pytest.mark.parametrize("fn", [lambda b: second(b, b) + 42.0 * b, in_a_loop, in_a_while, in_a_branch])
def test_second_derivatives_of_a_function_that_another_one_calls(fn):
    np.testing.assert_array_equal(tf.function(fn)(tf.ones([2])), [48.0, 48.0])


def test_a_gradient_penalty_in_a_function_of_its_own():
    w = tf.Variable([[2.0], [1.0]])

    @tf.function
    def penalty(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.tanh(x @ w)
        return tf.reduce_mean(tf.square(tape.gradient(y, x)))

    def loss(x):
        with tf.GradientTape() as tape:
            value = penalty(x)
        return tape.gradient(value, w)

    x = tf.constant([[0.1, 0.2], [0.3, -0.1]])
    np.testing.assert_allclose(tf.function(loss)(x), loss(x), rtol=1e-6)


def test_names_of_converted_code_are_the_programs():
    @tf.function
    def f(x):
        def loop_body(i, s):
            return i + 1, s + x

        def if_body(v):
            return v * 2

        values, itr, get_state, set_state, items, else_body = tf.TensorArray(tf.float32, 3), 2, 0.0, 1.0, x, 1.0
        for i in tf.range(3):
            values, itr = values.write(i, x), itr + 1
            get_state, set_state, items = get_state + x, set_state + 1.0, if_body(items)
            if x > 0:
                else_body += 1.0
            if get_state > 100.0:
                break
        return values.stack(), itr, get_state, set_state, items, else_body, tf.while_loop(lambda i, s: i < 3, loop_body, (0, x))

    found = [np.asarray(v).tolist() for v in tf.nest.flatten(f(tf.constant(1.0)))]
    assert found == [[1, 1, 1], 5, 3, 4, 8, 4, 3, 4]


def test_arguments_with_names_of_converted_code():
    @tf.function
    def f(values, get_state, loop_body):
        while values < 10:
            values += get_state * loop_body
        return values

    assert float(f(tf.constant(1.0), tf.constant(2.0), tf.constant(1.5))) == 10


def test_a_loss_scale_grows_by_steps_and_not_by_traces():
    w = tf.Variable([[1.0, 2.0]])
    opt = tf.keras.mixed_precision.LossScaleOptimizer(tf.keras.optimizers.SGD(0.1), initial_scale=2.0**15, dynamic_growth_steps=2)

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x * w) ** 2)
            scaled = opt.get_scaled_loss(loss)
        opt.apply_gradients(zip(opt.get_unscaled_gradients(tape.gradient(scaled, [w])), [w], strict=True))
        return opt.loss_scale, opt.dynamic_counter.read_value()

    found = [[int(v) for v in step(tf.ones([1, 2]))] for _ in range(4)]
    assert found == [[2**15, 1], [2**16, 0], [2**16, 1], [2**17, 0]]
