"""Flattened regions give what replay gives: values, gradients, errors, random streams, and variables that others look at."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import tf2compat as tf
from tf2compat import compile_options
from tf2compat._engine import flat_tier
from tf2compat._engine.flattened import Flat


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Flatten after the first call, however slow it turns out to be."""
    monkeypatch.setattr(flat_tier, "_BASE", 0.0)
    monkeypatch.setattr(flat_tier, "_PER_LINE", 0.0)
    monkeypatch.setattr(flat_tier, "_CALLS", 1)
    monkeypatch.setattr(flat_tier, "_TRIAL", -1)
    monkeypatch.setattr(flat_tier, "_WARM", 10**9)
    before = compile_options()
    compile_options(mode="never", flatten=True)
    yield
    compile_options(mode=before["mode"], flatten=before["flatten"])


def _flattened(f: Any) -> bool:
    return "flattened: " in str(f.explain()) and "not flattened" not in str(f.explain())


def _both(make: Any, *calls: Any) -> list[Any]:
    """The results of the same calls of `make()`, flattened and not."""
    out = []
    for on in (False, True):
        compile_options(flatten=on)
        tf.random.set_seed(7)
        f = make()
        tf.random.set_seed(8)
        out.append([[np.asarray(t) for t in tf.nest.flatten(f(*c))] for c in calls])
        if on:
            assert _flattened(f), str(f.explain())
    for replayed, flat in zip(*out, strict=True):
        for a, b in zip(replayed, flat, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    return out[1]


X = tf.constant(np.random.RandomState(0).normal(size=(6, 4)).astype("float32"))
Y = tf.constant(np.random.RandomState(1).normal(size=(6, 3)).astype("float32"))


def test_a_training_step_with_an_optimizer() -> None:
    def make() -> Any:
        model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation="tanh"), tf.keras.layers.Dense(3)])
        model.build((None, 4))
        for i, v in enumerate(model.trainable_variables):
            v.assign(tf.reshape(tf.sin(tf.range(tf.size(v), dtype=tf.float32) + i), v.shape))
        optimizer = tf.keras.optimizers.Adam(0.01)

        @tf.function
        def step(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(x) - y))
            optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True))
            return loss, [v + 0.0 for v in model.trainable_variables], optimizer.iterations

        return step

    found = _both(make, *[(X, Y)] * 6)
    assert found[-1][0] < found[0][0]
    assert int(found[-1][-1]) == 6


def test_statistics_of_batch_normalisation() -> None:
    def make() -> Any:
        norm = tf.keras.layers.BatchNormalization()
        norm.build((None, 4))
        v = tf.Variable(tf.ones([4]))

        @tf.function
        def step(x: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.sin(norm(x * v, training=True)))
            v.assign_sub(0.1 * tape.gradient(loss, v))
            return loss, norm.moving_mean + 0.0, norm.moving_variance + 0.0

        return step

    _both(make, *[(X,)] * 4)


def test_gradients_of_gradients_loops_and_own_gradients() -> None:
    @tf.custom_gradient
    def clipped(x: Any) -> Any:
        return tf.identity(x), lambda g: tf.clip_by_value(g, -0.1, 0.1)

    def make() -> Any:
        w = tf.Variable(tf.reshape(tf.cos(tf.range(16, dtype=tf.float32)), [4, 4]))

        @tf.function
        def step(x: Any) -> Any:
            with tf.GradientTape() as outer:
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    h = x
                    rows = tf.TensorArray(tf.float32, size=3)
                    for i in tf.range(3):
                        h = tf.tanh(tf.matmul(h, w))
                        rows = rows.write(i, tf.reduce_sum(clipped(h), 1))
                    total = tf.reduce_sum(rows.stack() ** 2)
                first = inner.gradient(total, x)
                loss = tf.reduce_sum(first * first) + total
            w.assign_sub(0.01 * outer.gradient(loss, w))
            return loss, first

        return step

    _both(make, *[(X,)] * 4)


def test_random_numbers_are_those_of_replay() -> None:
    def make() -> Any:
        v = tf.Variable(tf.ones([4]))

        @tf.function
        def step(x: Any) -> Any:
            noise = tf.random.normal([6, 4])
            v.assign(0.9 * v + 0.1 * tf.reduce_mean(x * noise, 0))
            y = tf.nn.dropout(x, 0.5) + noise
            return tf.exp(-y) * v, v * 2.0

        return step

    found = _both(make, *[(X,)] * 4)
    assert not np.allclose(found[1][0], found[2][0])


def test_values_that_somebody_holds_stay() -> None:
    v = tf.Variable(tf.zeros([3]))

    @tf.function
    def step(x: Any) -> Any:
        before = v.read_value()
        v.assign_add(x * 2.0 - x)
        v.assign(v * 1.0 + tf.square(x) - tf.square(x))
        return before, v.read_value(), tf.exp(x) - tf.exp(x) + v

    one = tf.ones([3])
    held, seen = [], []
    for _ in range(6):
        before, after, also = step(one)
        held.append((before, after, also, v.read_value()))
        seen.append(v.numpy())
    assert _flattened(step)
    for i, (before, after, also, value) in enumerate(held):
        assert before.numpy().tolist() == [float(i)] * 3
        for t in (after, also, value):
            assert t.numpy().tolist() == [i + 1.0] * 3
    assert [a[0] for a in seen] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    v.assign([10.0, 10.0, 10.0])
    assert step(one)[1].numpy().tolist() == [11.0] * 3
    with tf.GradientTape() as tape:  # under a tape it is replayed
        y = step(one)[2]
    assert tape.gradient(y, v) is not None or y.numpy().tolist() == [12.0] * 3
    assert step(one)[1].numpy().tolist() == [13.0] * 3


def test_variables_that_take_each_others_values() -> None:
    a, b = tf.Variable([1.0, 2.0]), tf.Variable([10.0, 20.0])

    @tf.function
    def swap(x: Any) -> Any:
        old = a + 0.0 * x
        mean = (a + b) / 2.0 + x - x
        a.assign(b)
        b.assign(old)
        return mean, a * 1.0, b * 1.0

    for i in range(5):
        _, now, then = swap(tf.zeros([2]))
        wanted = ([10.0, 20.0], [1.0, 2.0])
        assert now.numpy().tolist() == wanted[i % 2] and then.numpy().tolist() == wanted[1 - i % 2]
    assert _flattened(swap)


def test_other_sizes_and_values_of_the_host() -> None:
    def make() -> Any:
        w = tf.Variable(tf.ones([4, 4]))

        @tf.function(input_signature=[tf.TensorSpec([None, 4]), tf.TensorSpec([], tf.int32)])
        def f(x: Any, n: Any) -> Any:
            y = tf.tanh(tf.matmul(x, w)) * 2.0 - x
            for _ in tf.range(n):
                y = tf.nn.relu(tf.matmul(y, w) * 0.1) + tf.sin(y) * 0.5 - y
            kept = tf.boolean_mask(y, tf.reduce_sum(y, 1) > -100.0)
            return tf.reduce_sum(kept * kept, 1), tf.shape(y)

        return f

    two, three = tf.constant(2), tf.constant(3)
    _both(make, (X, two), (X[:2], three), (X, three), (X[:5], two), (X[:1], two), (X[:3], two), (X, two))


@pytest.mark.host
def test_errors_are_those_of_replay_and_change_nothing_twice() -> None:
    table, count = tf.Variable(tf.ones([5, 2])), tf.Variable(0.0)

    @tf.function
    def f(i: Any) -> Any:
        rows = tf.gather(table, i) * 2.0 + 1.0
        count.assign_add(tf.reduce_sum(rows) / tf.reduce_sum(rows))
        return tf.exp(rows) - tf.sin(rows)

    for _ in range(4):
        f(tf.constant([1, 4]))
    assert _flattened(f)
    assert count.numpy() == 4.0
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices\[1\] = 7 is not in \[0, 5\)"):
        f(tf.constant([1, 7]))
    assert count.numpy() == 4.0
    f(tf.constant([0, 2]))
    assert count.numpy() == 5.0


@pytest.mark.host
def test_much_memory_is_not_kept() -> None:
    @tf.function
    def f(x: Any) -> Any:
        y = tf.exp(x) * tf.sin(x)
        return tf.reduce_sum(tf.cos(y) - tf.tanh(y) * y + y * y)

    big = tf.ones([3_000_000])
    first = f(big)
    for _ in range(4):
        np.testing.assert_allclose(f(big), first, rtol=1e-6)
    assert "needs more memory" in str(f.explain())


def test_it_can_be_turned_off_and_tells() -> None:
    compile_options(flatten=False)

    @tf.function
    def f(x: Any) -> Any:
        return tf.reduce_sum(tf.exp(x) * tf.sin(x) - tf.cos(x) + tf.tanh(x) * x)

    for _ in range(4):
        f(X)
    assert "flattened" not in str(f.explain())
    assert compile_options()["flatten"] is False


@pytest.mark.host
def test_denormal_numbers_are_zero_while_a_function_runs() -> None:
    x, tiny = tf.constant([1e-30, 1.0]), np.float32(1e-30)

    @tf.function
    def f(x: Any) -> Any:
        return x * 1e-10, tf.matmul([[1e-10]], x[None])

    for _ in range(4):
        product, power = f(x)
        assert product.numpy().tolist() == [0.0, np.float32(1e-10)]
        assert power.numpy()[0, 0] == 0.0
        assert tiny * np.float32(1e-10) > 0.0  # but not outside
    v = tf.Variable([1e-25])
    with tf.GradientTape() as tape:
        y = v * v * 1e-15
    assert tape.gradient(y, v).numpy().tolist() == [0.0]
    optimizer = tf.keras.optimizers.Adam(1.0)
    optimizer.apply_gradients([(tf.constant([1e-30]), v)])
    assert optimizer.variables[2].numpy().tolist() == [0.0]  # the square


def test_convolutions_of_images_that_need_no_gradient():
    """The gradient of a convolution has gaps where the image's is not asked for, after one that had none; and bias sizes may be an empty list."""
    rng = np.random.default_rng(0)
    first, second, back = (tf.Variable(rng.normal(size=s).astype("float32") * 0.1) for s in ((3, 3, 1, 8), (3, 3, 8, 8), (3, 3, 1, 8)))
    x = tf.constant(rng.normal(size=(4, 12, 12, 1)).astype("float32"))

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            h = tf.nn.relu(tf.nn.conv2d(tf.nn.relu(tf.nn.conv2d(x, first, 2, "SAME")), second, 1, "SAME"))
            loss = tf.reduce_mean(tf.square(tf.nn.conv2d_transpose(h, back, [4, 12, 12, 1], 2, "SAME") - x))
        for v, g in zip((first, second, back), tape.gradient(loss, [first, second, back])):
            v.assign_sub(0.1 * g)
        return loss

    losses = [step(x).numpy() for _ in range(120)]
    assert losses[-1] < losses[0]
    assert "AttributeError" not in step.explain(), step.explain()
    assert "flattened: 1 of 1" in step.explain() or "it is slower" in step.explain(), step.explain()


def test_memory_that_a_variable_leaves_stays_while_steps_work_on_it() -> None:
    v = tf.Variable(tf.ones([64, 64]))

    @tf.function
    def step(x: Any) -> Any:
        for _ in range(8):
            v.assign(v * 0.5 + x)
        return tf.reduce_sum(v)

    for _ in range(4):
        step(tf.ones([64, 64]))
    assert _flattened(step)
    flat = next(f for f in gc.get_objects() if type(f) is Flat and any(w is v for w in f.variables) and f.checked)
    run, seen = flat.run, []

    def meanwhile() -> None:  # what another thread may do
        old = weakref.ref(v._t.untyped_storage())
        held = v.value()
        v.assign(tf.zeros([64, 64]))
        del held
        gc.collect()
        seen.append(old)

    def disturbed(*args: Any) -> Any:
        thread = threading.Thread(target=meanwhile)
        thread.start()
        thread.join()
        seen.append(seen[0]() is not None)
        return run(*args)

    flat.run = disturbed
    step(tf.ones([64, 64]))
    assert seen[1] and seen[0]() is None
    flat.run = run
    v.assign(tf.ones([64, 64]))
    assert float(step(tf.ones([64, 64]))) == pytest.approx(64 * 64 * (2 - 0.5**8))


@pytest.mark.parametrize("mode", ["never", "always"])
def test_threads_with_functions_of_their_own_count_in_one_variable(mode: str) -> None:
    compile_options(mode=mode, backend="eager")
    count, total = tf.Variable(0, dtype=tf.int64), tf.Variable(tf.zeros([8]))

    def work() -> None:
        @tf.function
        def step(x: Any) -> None:
            for _ in range(3):
                count.assign_add(1)
                total.assign(total + x)

        for i in range(200):
            step(tf.ones([8]))
            if i % 10 == 0:
                count.assign_add(1)
                total.value()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    compile_options(backend="inductor")
    assert int(count) == 4 * (600 + 20)
