"""Gradients of lookups are of rows whichever way a function runs: replayed, in compiled regions, under a tape around it."""

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


def dense(f):
    """The values of a gradient, and whether it is of rows."""
    return isinstance(f, tf.IndexedSlices), tf.convert_to_tensor(f).numpy()


def test_a_tape_around_a_function():
    v, w = table(), tf.Variable(tf.ones([3, 2]))

    @tf.function
    def loss(ids, scale):
        e = tf.nn.embedding_lookup(v, ids) * scale
        return tf.reduce_sum(tf.tanh(tf.matmul(e, w)) ** 2)

    ids = tf.constant([1, 5, 1, 7])
    for _ in range(3):
        with tf.GradientTape() as tape:
            y = loss(ids, 2.0)
        by_table, by_weights = tape.gradient(y, [v, w])
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.tanh(tf.matmul(tf.gather(v, ids) * 2.0, w)) ** 2)
        expected = tape.gradient(y, [v, w])
        sparse, values = dense(by_table)
        assert sparse
        np.testing.assert_array_equal(by_table.indices, ids)
        np.testing.assert_allclose(values, tf.convert_to_tensor(expected[0]), atol=1e-6)
        np.testing.assert_allclose(by_weights, expected[1], atol=1e-6)


@pytest.mark.parametrize("make", [
    lambda: tf.keras.optimizers.SGD(0.1), lambda: tf.keras.optimizers.Adam(0.1), lambda: tf.keras.optimizers.Adagrad(0.1),
    lambda: tf.keras.optimizers.RMSprop(0.1), lambda: tf.keras.optimizers.legacy.SGD(0.1, momentum=0.9),
])  # fmt: skip
def test_steps_in_functions_are_those_of_eager_code(make):
    batches = [tf.constant(b) for b in ([[1, 2], [2, 2]], [[0, 7], [1, 1]], [[3, 3], [3, 3]])]

    def train(wrap):
        v, w, optimizer = table(), tf.Variable(tf.ones([3, 1])), make()

        @wrap
        def step(ids):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(tf.matmul(tf.reduce_mean(tf.nn.embedding_lookup(v, ids), 1), w) - 1.0))
            optimizer.apply_gradients(zip(tape.gradient(loss, [v, w]), [v, w], strict=True))
            return loss

        return [float(step(b)) for b in batches * 2], v.numpy(), w.numpy()

    losses, v, w = train(lambda f: f)
    for wrap in (tf.function, lambda f: tf.function(f, reduce_retracing=True)):
        again = train(wrap)
        np.testing.assert_allclose(again[0], losses, rtol=1e-5)
        np.testing.assert_allclose(again[1], v, atol=1e-5)
        np.testing.assert_allclose(again[2], w, atol=1e-5)


def test_large_tables_with_adam_are_updated_in_pieces(monkeypatch):
    from tf2compat.keras.optimizers import _rules

    def train():
        v, optimizer = tf.Variable(tf.reshape(tf.range(60.0), [20, 3])), tf.keras.optimizers.Adam(0.1, amsgrad=True)
        for ids in ([0, 19, 19, 7], [6, 7, 8], [2]):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.gather(v, ids) ** 2)
            optimizer.apply_gradients([(tape.gradient(loss, v), v)])
        return v.numpy()

    whole = train()
    monkeypatch.setattr(_rules, "_PIECE", 7 * 3)
    np.testing.assert_allclose(train(), whole, rtol=1e-6)


def test_loops_and_functions_of_functions():
    v = table()

    @tf.function
    def inner(i):
        return tf.reduce_sum(tf.gather(v, [i, 0]) ** 2)

    @tf.function
    def outer(n):
        with tf.GradientTape() as tape:
            y = inner(3)
            for i in tf.range(n):
                y += inner(i)
        return tape.gradient(y, v)

    with tf.GradientTape() as tape:
        y = sum(tf.reduce_sum(tf.gather(v, [i, 0]) ** 2) for i in (3, 0, 1, 2))
    np.testing.assert_allclose(dense(outer(tf.constant(3)))[1], dense(tape.gradient(y, v))[1], atol=1e-6)


def test_a_function_with_a_gradient_of_its_own_under_a_tape():
    v = table()

    @tf.function
    def penalty(ids):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.gather(v, ids) ** 3)
        return tf.reduce_sum(tf.convert_to_tensor(tape.gradient(y, v)) ** 2)

    with tf.GradientTape() as tape:
        y = penalty(tf.constant([1, 1, 4]))
    sparse, values = dense(tape.gradient(y, v))
    full = v.numpy()
    counts = np.zeros((8, 1), np.float32)
    counts[[1, 4]] = [[2], [1]]
    np.testing.assert_allclose(values, 2 * (counts * 3 * full**2) * counts * 6 * full, rtol=1e-4, atol=1e-6)


def test_a_table_is_not_copied_for_an_update():
    v = tf.Variable(tf.zeros([1000, 4]))
    optimizer = tf.keras.optimizers.SGD(0.1)

    def step(ids):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(v, ids) ** 2)
        optimizer.apply_gradients([(tape.gradient(loss, v), v)])
        return loss

    for run in (step, tf.function(step)):
        kept = [run(tf.constant([1, 2]))]
        memory = v.torch().data_ptr()
        kept += [run(tf.constant([1, 2])) for _ in range(3)]
        assert v.torch().data_ptr() == memory


def test_rows_of_a_constant_array() -> None:
    table = np.linspace(0, 1, 11, dtype=np.float32)

    def rows(i):
        return tf.gather(table, i) + table[0]

    np.testing.assert_allclose(tf.function(rows)(tf.constant([1, 2])), [0.1, 0.2], rtol=1e-6)
    np.testing.assert_allclose(next(iter(tf.data.Dataset.range(4).batch(4).map(rows))), table[:4])
    np.testing.assert_allclose(tf.function(lambda i: tf.nn.embedding_lookup(table[:, None], i))(tf.constant([3])), [[0.3]], rtol=1e-6)
