"""Gradients of lookups in the branches of conditions, behind identities and by `tf.gradients` are of rows, as TensorFlow's are."""

import numpy as np
import pytest

import tf2compat as tf
from tf2compat._engine import tiers


@pytest.fixture(params=["never", "always"], autouse=True)
def _mode(request):
    before = tf.compile_options(), tiers.options.scale
    tf.compile_options(mode=request.param, backend="eager", background=False)
    yield
    tf.compile_options(**before[0])
    tiers.options.scale = before[1]


def table():
    return tf.Variable(np.linspace(-1, 1, 24).reshape(8, 3).astype("float32"))


def check(slices, numbers, values):
    assert isinstance(slices, tf.IndexedSlices)
    np.testing.assert_array_equal(slices.indices, numbers)
    np.testing.assert_allclose(slices.values, values, rtol=1e-6)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function])
@pytest.mark.parametrize("same", [tf.identity, lambda v: tf.identity(tf.identity(v)), lambda v: tf.ensure_shape(v, [None, 3])])
def test_behind_an_identity(wrap, same):
    v, ids = table(), tf.constant([1, 5, 1])

    @wrap
    def step():
        with tf.GradientTape(persistent=True) as tape:
            other = same(v)
            y = tf.reduce_sum(tf.gather(other, ids) ** 2) + tf.reduce_sum(tf.gather(v, [0]))
            z = tf.reduce_sum(tf.nn.embedding_lookup(other, ids) * 3.0)
        return tape.gradient(y, [v, other]), tape.gradient(z, other), tape.gradient(z, v)

    for _ in range(2):
        (by_table, by_other), second, third = step()
        full = v.numpy()
        order = list(by_table.indices.numpy())
        assert sorted(order) == [0, 1, 1, 5]
        expected = np.zeros_like(full)
        np.add.at(expected, [1, 5, 1, 0], np.concatenate([2 * full[[1, 5, 1]], np.ones((1, 3))]))
        np.testing.assert_allclose(tf.convert_to_tensor(by_table), expected, rtol=1e-6)
        check(by_other, [1, 5, 1], 2 * full[[1, 5, 1]])
        check(second, [1, 5, 1], np.full((3, 3), 3.0))
        check(third, [1, 5, 1], np.full((3, 3), 3.0))


def test_what_is_no_identity_is_dense():
    v = table()
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.gather(tf.identity(v) * 2.0, [1, 1]))
    np.testing.assert_array_equal(tape.gradient(y, v)[1], [4.0, 4.0, 4.0])


def test_branches_with_the_tape_inside():
    v = table()

    @tf.function
    def step(ids, flag):
        with tf.GradientTape() as tape:
            common = tf.gather(v, ids)
            if flag:
                y = tf.reduce_sum(tf.gather(v, ids) ** 2)
            else:
                y = tf.reduce_sum(tf.gather(v, [2]) * 3.0)
            y += tf.reduce_sum(common)
        return tape.gradient(y, v)

    full = v.numpy()
    for _ in range(3):
        found = step(tf.constant([1, 5, 1]), tf.constant(True))
        np.testing.assert_array_equal(sorted(found.indices.numpy()), [1, 1, 1, 1, 5, 5])
        expected = np.zeros_like(full)
        np.add.at(expected, [1, 5, 1], 2 * full[[1, 5, 1]] + 1)
        np.testing.assert_allclose(tf.convert_to_tensor(found), expected, rtol=1e-6)
        found = step(tf.constant([1, 5, 1]), tf.constant(False))
        np.testing.assert_array_equal(sorted(found.indices.numpy()), [1, 1, 2, 5])
        expected = np.zeros_like(full)
        np.add.at(expected, [1, 5, 1, 2], [[1.0], [1.0], [1.0], [3.0]])
        np.testing.assert_allclose(tf.convert_to_tensor(found), expected, rtol=1e-6)


def test_nested_branches_scalars_and_one_branch():
    v = table()

    @tf.function
    def step(i, n):
        with tf.GradientTape() as tape:
            y = tf.constant(0.0)
            if n > 0:
                if n > 1:
                    y = tf.reduce_sum(tf.gather(v, i) ** 2)
                else:
                    y = tf.reduce_sum(tf.gather(v, [[i], [0]]))
        return tape.gradient(y, v)

    full = v.numpy()
    i = tf.constant(3)
    expected = np.zeros_like(full)
    np.testing.assert_array_equal(tf.convert_to_tensor(step(i, tf.constant(0))), expected)
    found = step(i, tf.constant(1))
    assert isinstance(found, tf.IndexedSlices)
    expected[[3, 0]] = 1
    np.testing.assert_array_equal(tf.convert_to_tensor(found), expected)
    expected[0], expected[3] = 0, 2 * full[3]
    np.testing.assert_allclose(tf.convert_to_tensor(step(i, tf.constant(2))), expected, rtol=1e-6)


def test_a_gradient_inside_a_branch():
    v = table()

    @tf.function
    def step(ids, flag):
        with tf.GradientTape(persistent=True) as tape:
            if flag:
                y = tf.reduce_sum(tf.gather(v, ids) ** 2)
                g = tf.convert_to_tensor(tape.gradient(y, v))
            else:
                y = tf.reduce_sum(v)
                g = tape.gradient(y, v)
        return g, tape.gradient(y, v)

    full = v.numpy()
    g, whole = step(tf.constant([4, 4]), tf.constant(True))
    expected = np.zeros_like(full)
    expected[4] = 4 * full[4]
    np.testing.assert_allclose(g, expected, rtol=1e-6)
    np.testing.assert_allclose(tf.convert_to_tensor(whole), expected, rtol=1e-6)
    g, whole = step(tf.constant([4, 4]), tf.constant(False))
    np.testing.assert_array_equal(g, np.ones((8, 3)))
    np.testing.assert_array_equal(tf.convert_to_tensor(whole), np.ones((8, 3)))


def test_lookups_in_loops_stay_dense():
    v = table()

    @tf.function
    def step(n):
        with tf.GradientTape() as tape:
            y = 0.0
            for i in tf.range(n):
                if i > 0:
                    y += tf.reduce_sum(tf.gather(v, [i, 0]) ** 2)
        return tape.gradient(y, v)

    full = v.numpy()
    expected = np.zeros_like(full)
    np.add.at(expected, [1, 0, 2, 0], 2 * full[[1, 0, 2, 0]])
    np.testing.assert_allclose(tf.convert_to_tensor(step(tf.constant(3))), expected, rtol=1e-6)


def test_branches_with_the_tape_around_the_function():
    v = table()

    @tf.function
    def loss(ids):
        if ids[0] > 0:
            y = tf.reduce_sum(tf.gather(v, ids) ** 2)
        else:
            y = tf.reduce_sum(tf.gather(v, ids) * 3.0)
        return y

    full = v.numpy()
    for ids in ([1, 5, 1], [0, 2]):
        with tf.GradientTape() as tape:
            y = loss(tf.constant(ids))
        check(tape.gradient(y, v), ids, 2 * full[ids] if ids[0] else np.full((2, 3), 3.0))


def test_cond_and_switch_case():
    v, ids = table(), tf.constant([1, 5, 1])

    @tf.function
    def step(i):
        with tf.GradientTape() as tape:
            y = tf.switch_case(i, [lambda: tf.reduce_sum(tf.gather(v, ids) ** 2), lambda: tf.reduce_sum(tf.gather(v, [2]) ** 2)])
        return tape.gradient(y, v)

    check(step(tf.constant(0)), [1, 5, 1], 2 * v.numpy()[[1, 5, 1]])
    check(step(tf.constant(1)), [2], 2 * v.numpy()[[2]])


def test_gradients_in_graphs():
    v = table()

    @tf.function
    def by_variable(ids):
        y = tf.reduce_sum(tf.nn.embedding_lookup(v, ids) ** 2)
        return tf.gradients(y, [v])[0], tf.gradients(y + tf.reduce_sum(v), [v])[0]

    @tf.function
    def by_tensor(x, ids):
        y = tf.reduce_sum(tf.gather(x * 2.0, ids) ** 2)
        z = x * 2.0
        return tf.gradients(y, [x])[0], tf.gradients(tf.reduce_sum(tf.gather(z, ids) ** 2), [z])[0]

    full, ids = v.numpy(), [1, 5, 1]
    slices, mixed = by_variable(tf.constant(ids))
    check(slices, ids, 2 * full[ids])
    expected = np.ones_like(full)
    np.add.at(expected, ids, 2 * full[ids])
    np.testing.assert_allclose(mixed, expected, rtol=1e-6)
    whole, slices = by_tensor(tf.constant(full), tf.constant(ids))
    assert isinstance(whole, tf.Tensor)
    check(slices, ids, 4 * full[ids])
    np.testing.assert_allclose(whole, 2 * tf.convert_to_tensor(slices).numpy(), rtol=1e-6)


def test_training_with_a_branch():
    def train(wrap):
        v, optimizer = table(), tf.keras.optimizers.legacy.RMSprop(0.1)

        @wrap
        def step(ids, flag):
            with tf.GradientTape() as tape:
                if flag:
                    y = tf.reduce_sum(tf.gather(v, ids) ** 2)
                else:
                    y = tf.reduce_sum(tf.gather(v, ids))
            optimizer.apply_gradients([(tape.gradient(y, v), v)])
            return y

        return [float(step(tf.constant(i), tf.constant(f))) for i, f in (([1, 2], True), ([2, 2], False), ([1, 7], True))], v.numpy()

    losses, values = train(lambda f: f)
    again = train(tf.function)
    np.testing.assert_allclose(again[0], losses, rtol=1e-5)
    np.testing.assert_allclose(again[1], values, atol=1e-6)
