"""Shortcuts of replayed programs: numbers for scalars of loops, memory used again, constants. What is computed stays the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tf2compat as tf
from tf2compat._engine.replay import Program

f32 = np.float32


def count(n):
    i, s = 0, 0.1
    while i < n:
        s = s * 1.7 - tf.cast(i, tf.float32) / 3.0
        i += 1
    return i, s


def wrap(n):
    x, y = 7, tf.constant(3, tf.int64)
    while n > 0:
        x = x * 1103515245 + 12345
        y = -y * 6364136223846793005 + tf.cast(x, tf.int64)
        n -= 1
    return x, y, tf.cast(y, tf.int32)


def divided(n):
    a, b, c = n * 977, n, 0
    for i in tf.range(1, 9):
        a, b, c = (a // i) - 5, (b - 13) % -i, c + a % i
    return a, b, c


def special(n):
    x, z, worse = 1e30, -1.0, False
    for _ in tf.range(n):
        x, z = x * 1e10, z / 0.0 - x
        worse = worse or z != z
    return x, z, worse


def nested(n):
    total = 0
    for i in tf.range(n):
        for j in tf.range(i):
            if (i + j) % 3 == 0:
                continue
            total += i * j
            if total > 1000:
                break
    return total


def newton(n):
    x, k = tf.cast(n, tf.float64), 0
    guess = x
    while tf.abs(guess * guess - x) > 1e-9 and k < 50:
        guess = 0.5 * (guess + x / guess)
        k += 1
    return guess, k


def mixed(n):
    x = tf.constant([1.0, 2.0, 3.0])
    s, i = tf.zeros_like(x), 0
    while i < n and tf.reduce_sum(s) < 1e6:
        s, i = s + x * tf.cast(i, tf.float32) + x[i % 3], i + 1
    return s, i


def chosen(n):
    best, at = -1, 0
    for i in tf.range(n):
        value = (i * 7) % 11
        at = tf.where(value > best, i, at)
        best = tf.maximum(best, value)
    return best, at, tf.square(at) - abs(best)


PROGRAMS = [count, wrap, divided, special, nested, newton, mixed, chosen]


def bits(values):
    arrays = [np.asarray(v.cpu()) for v in values]
    return [(v.dtype, v.tobytes()) for v in arrays]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_numbers_give_the_bits_that_tensors_give(program):
    n = tf.constant(9)
    concrete = tf.function(program).get_concrete_function(n)
    plain = Program(concrete.graph, fast=False)
    assert "_careful" in str(concrete.graph.code) and "_careful" not in plain.code
    assert bits(concrete.program.run(n._t)) == bits(plain.run(n._t))


@pytest.mark.parametrize("program", [count, wrap, divided, special, nested, chosen], ids=lambda p: p.__name__)
def test_loops_of_scalars_only_hold_no_tensors(program):
    code = str(tf.function(program).get_concrete_function(tf.constant(9)).graph.code)
    body = code[code.index(" in " if program is not count and program is not wrap else "while") : code.index("_box_")]
    assert "add_" not in body and "less_" not in body and "mul_" not in body


@settings(max_examples=40, deadline=None)
@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1))
def test_integers_wrap_around(a, b):
    x = np.array([a], np.int32)
    y = np.array([b], np.int32)
    with np.errstate(all="ignore"):
        expected = [(x + y)[0], (x - y)[0], (x * y)[0], (-x)[0], np.abs(x)[0], (x * x)[0]]
    assert [int(v) for v in _once(tf.constant(a), tf.constant(b))] == [int(v) for v in expected]


@tf.function
def _once(a, b):
    r = (0, 0, 0, 0, 0, 0)
    for _ in tf.range(1):
        c = a
        r = (c + b, c - b, c * b, -c, tf.abs(c), tf.square(c))
        a = b
    return r


def test_division_by_zero_is_the_ops_error():
    @tf.function
    def f(n):
        x = 10
        while n > -3:
            x = x // n
            n -= 1
        return x

    with pytest.raises(tf.errors.InvalidArgumentError, match="Integer division by zero"):
        f(tf.constant(2))


def test_a_tape_differentiates_a_loop_of_scalars():
    @tf.function
    def power(x, n):
        y = 1.0
        while n > 0:
            y = y * x
            n -= 1
        return y

    x = tf.constant(3.0)
    assert float(power(x, tf.constant(4))) == 81
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = power(x, tf.constant(4))
    assert float(tape.gradient(y, x)) == 108


def test_variables_take_over_results():
    v, w = tf.Variable(tf.ones([64])), tf.Variable(tf.zeros([64]))

    @tf.function
    def step(x):
        v.assign(0.5 * v + x * x)
        w.assign(v - w)
        v.assign(tf.sqrt(v + 1.0) / 2.0)
        return v * 2.0 + w

    assert "_into" in str(step.get_concrete_function(tf.ones([64])).graph.code)
    before = v.value()
    assert step(tf.ones([64])).numpy()[0] == f32(np.sqrt(f32(2.5)) / 2 * 2 + 1.5)
    assert before.numpy()[0] == 1  # what somebody holds does not change
    assert v.numpy()[0] == f32(np.sqrt(f32(2.5)) / 2) and w.numpy()[0] == 1.5


def test_results_in_the_memory_of_operands_do_not_reach_what_is_still_needed():
    @tf.function
    def f(x):
        a = x * 2.0
        b = tf.sqrt(a)
        c = b + 1.0
        d = c * x
        return d, a - c, x

    x = tf.constant([2.0, 8.0])
    d, e, same = f(x)
    np.testing.assert_array_equal(d, [6, 40])
    np.testing.assert_array_equal(e, [1, 11])
    np.testing.assert_array_equal(same, [2, 8])
    with tf.GradientTape() as tape:
        tape.watch(x)
        d, e, _ = f(x)
    np.testing.assert_allclose(tape.gradient([d, e], x), [5.5, 8.75], rtol=1e-6)


def test_a_traced_function_inside_of_vectorized_map():
    f = tf.function(lambda row: tf.sqrt(row * 2.0 + 1.0) - row)
    x = tf.constant([[1.5, 4.0], [0.0, 12.0]])
    np.testing.assert_array_equal(tf.vectorized_map(f, x), f(x))


def test_what_hangs_on_constants_alone_is_computed_once():
    @tf.function
    def f(x):
        a = tf.constant(np.arange(9.0, dtype=np.float32).reshape(3, 3))
        for _ in range(3):
            a = a @ a / 10.0
        return tf.reduce_sum(a) + x, tf.strings.upper(tf.constant("abc")), tf.zeros([200, 200]) + x

    one, text, zeros = f(tf.constant(1.0))
    code = str(f.get_concrete_function(tf.constant(1.0)).graph.code)
    assert "folded" in code and "matmul" not in code and "zeros" in code  # large results of nothing are made again
    assert text.numpy() == b"ABC" and zeros.shape == (200, 200)
    assert float(f(tf.constant(2.0))[0]) == pytest.approx(float(one) + 1)
    tf.config.optimizer.set_experimental_options({"constant_folding": False})
    try:
        plain = tf.function(f.python_function)
        assert float(plain(tf.constant(1.0))[0]) == float(one)
        assert "folded" not in str(plain.get_concrete_function(tf.constant(1.0)).graph.code)
    finally:
        tf.config.optimizer.set_experimental_options({"constant_folding": True})


def test_constants_of_the_surroundings_can_be_watched():
    k = tf.constant([1.0, 2.0])
    f = tf.function(lambda x: tf.reduce_sum(k * k * x))
    assert float(f(tf.constant(3.0))) == 15
    with tf.GradientTape() as tape:
        tape.watch(k)
        y = f(tf.constant(3.0))
    np.testing.assert_array_equal(tape.gradient(y, k), [6, 12])
