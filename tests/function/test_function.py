"""What only tf2compat's own `tf.function` can be asked: caches, generated code, the compiled tier, memory."""

import gc
import threading
import tracemalloc
import warnings

import numpy as np
import pytest

import tf2compat as tf
from tf2compat._engine import tiers


def test_many_shapes_leave_a_bounded_cache_and_flat_memory():
    @tf.function
    def f(x):
        return tf.reduce_sum(x * 2.0)

    f._warned = True
    for n in range(1, 300):
        f(tf.zeros([n]))
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for n in range(300, 700):
        assert float(f(tf.ones([n]))) == 2.0 * n
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(f._cache) <= 256
    assert grown < 5_000_000, grown  # Python 3.10 needs a little more than 4 MB for it


def test_dead_objects_are_forgotten():
    class Thing:
        value = 2.0

    @tf.function
    def f(x, thing):
        return x * thing.value

    a, b = Thing(), Thing()
    b.value = 3.0
    assert float(f(tf.constant(1.0), a)) == 2.0
    assert float(f(tf.constant(1.0), b)) == 3.0
    assert f.experimental_get_tracing_count() == 2


def test_generated_code_is_readable():
    f = tf.function(lambda x: tf.nn.relu(x) + 1.0)
    code = str(f.get_concrete_function(tf.TensorSpec([2])).graph.code)
    assert code.startswith("def run(") and "return" in code


def test_calls_from_threads():
    v = tf.Variable(0.0)

    @tf.function
    def f(x):
        v.assign_add(1.0)
        return x * 2.0

    results = []
    threads = [threading.Thread(target=lambda i=i: results.append((i, float(f(tf.constant(float(i))))))) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(results) == [(i, 2.0 * i) for i in range(8)]
    assert float(v) == 8.0


def test_variables_keep_what_others_read():
    v = tf.Variable([1.0, 2.0])

    @tf.function
    def f():
        before = v.read_value()
        v.assign_add([1.0, 1.0])
        return before, v.read_value()

    kept = v.read_value()
    a, b = f()
    f()
    np.testing.assert_array_equal(kept, [1, 2])
    np.testing.assert_array_equal(a, [1, 2])
    np.testing.assert_array_equal(b, [2, 3])


def test_captured_tensors_are_seen_by_outer_tapes():
    x = tf.constant(3.0)
    f = tf.function(lambda: x * x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f()
    assert float(tape.gradient(y, x)) == 6.0


def test_arrays_are_copied_when_traced():
    array = np.ones(3, np.float32)
    f = tf.function(lambda t: t + array)
    first = f(tf.zeros([3])).numpy()
    array[:] = 7
    np.testing.assert_array_equal(f(tf.zeros([3])).numpy(), first)


def test_an_error_names_the_op_and_shapes():
    f = tf.function(lambda x, y: tf.matmul(x, y), input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None, None])])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"MatMul|Matrix size"):
        f(tf.zeros([2, 3]), tf.zeros([2, 3]))


def test_explain_says_why_something_is_not_compiled():
    @tf.function
    def f(x):
        if x > 0:
            return x
        return -x

    f(tf.constant(1.0))
    assert "decided by the host" in f.explain()


def training_step(tf, seed=0):
    rng = np.random.default_rng(seed)
    w = tf.Variable(rng.normal(size=(4, 3)).astype(np.float32))
    m = tf.Variable(np.zeros((4, 3), np.float32))

    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - 1.0))
        g = tape.gradient(loss, w)
        m.assign(0.9 * m + g)
        w.assign_sub(0.1 * m)
        return loss, w + 0.0

    return step, w


@pytest.mark.skipif(not tiers._compiler(), reason="no C++ compiler")
def test_compiled_replayed_and_eager_agree():
    x = tf.constant(np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32))
    found = []
    for make in (lambda f: f, tf.function, lambda f: tf.function(f, jit_compile=True)):
        step, w = training_step(tf)
        fn = make(step)
        found.append([np.concatenate([np.ravel(t) for t in fn(x)]) for _ in range(3)] + [w.numpy().ravel()])
    assert "compiled: 3 calls" in fn.explain()
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_what_cannot_be_compiled_falls_back_with_one_warning():
    @tf.function(jit_compile=True)
    def f(x, n):
        return tf.reduce_sum(x[:n])

    x = tf.range(4.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        values = [float(f(x, tf.constant(n))) for n in (1, 2, 3)]
    assert values == [0.0, 1.0, 3.0]
    assert sum("could not compile" in str(w.message) for w in caught) == 1
