"""Tapes, functions and pipelines of several threads at once, over the same variables."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tf2compat as tf


def _in_threads(work: Callable[[int], None], count: int = 6) -> None:
    failures: list[BaseException] = []

    def guarded(i: int) -> None:
        try:
            work(i)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]


@pytest.fixture(autouse=True)
def short_turns() -> Any:
    import sys

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_tapes_of_several_threads() -> None:
    v = tf.Variable(2.0)
    w = tf.Variable([[1.0, 2.0], [3.0, 4.0]])

    def work(i: int) -> None:
        x = tf.constant([[float(i)], [1.0]])
        for _ in range(150):
            with tf.GradientTape() as tape:
                y = v * v * float(i)
                z = tf.reduce_sum(tf.concat([w @ x, w[:, :1]], 1)[:, 0] * v)
            dy, dz = tape.gradient([y, z], [v, w])
            assert float(dy) == 8.0 * i + 6.0
            np.testing.assert_array_equal(dz, [[2.0 * i, 2.0]] * 2)

    _in_threads(work)


def test_traced_steps_of_several_threads() -> None:
    v = tf.Variable([1.0, 2.0])

    @tf.function
    def square(x: Any) -> Any:
        return tf.reduce_sum(v * v * x)

    def work(i: int) -> None:
        for n in range(60):
            with tf.GradientTape() as tape:
                y = square(float(i)) if n % 2 else square(tf.constant(float(i)))
                y += 1.0
            np.testing.assert_array_equal(tape.gradient(y, v), [2.0 * i, 4.0 * i])

    _in_threads(work)


def test_pipelines_and_traces_of_several_threads() -> None:
    ds = tf.data.Dataset.range(60).map(lambda x: x * 2, num_parallel_calls=2).shuffle(10).batch(7).prefetch(2)

    @tf.function
    def total(x: Any) -> Any:
        return tf.reduce_sum(x) + tf.cast(tf.shape(x)[0], tf.float32)

    def work(i: int) -> None:
        for k in range(8):
            assert sum(int(tf.reduce_sum(b)) for b in ds) == 59 * 60
            n = 1 + (3 * i + k) % 7
            assert float(total(tf.ones([n]))) == 2.0 * n

    _in_threads(work)


def test_predictions_of_several_threads() -> None:
    model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation="relu"), tf.keras.layers.BatchNormalization(), tf.keras.layers.Dense(3)])
    xs = [np.random.RandomState(i).normal(size=(4 + i, 5)).astype("float32") for i in range(6)]
    wanted = [model(x).numpy() for x in xs]

    def work(i: int) -> None:
        for _ in range(8):
            for found in (model.predict(xs[i], verbose=0), model.predict_on_batch(xs[i]), model(xs[i])):
                np.testing.assert_allclose(found, wanted[i], rtol=1e-5, atol=1e-6)

    _in_threads(work)


def test_variables_that_several_threads_move() -> None:
    """Two threads at once give a variable other memory, while steps of a third work on it."""
    from tf2compat import compile_options
    from tf2compat._engine import flat_tier

    before, modes = (flat_tier._BASE, flat_tier._PER_LINE, flat_tier._CALLS), compile_options()
    flat_tier._BASE, flat_tier._PER_LINE, flat_tier._CALLS = 0.0, 0.0, 1
    compile_options(mode="never", flatten=True)
    try:
        for _ in range(10):
            count, total = tf.Variable(0, dtype=tf.int64), tf.Variable(tf.zeros([8]))

            def work(i: int, count: Any = count, total: Any = total) -> None:
                @tf.function
                def step(x: Any) -> None:
                    for _ in range(3):
                        count.assign_add(1)
                        total.assign(total + x)

                for n in range(30):
                    step(tf.ones([8]))
                    if n % 3 == i % 3:
                        count.assign_add(1)
                        held = total.value()
                        total.assign(held)

            _in_threads(work, 4)
            assert int(count) == 4 * (90 + 10)
    finally:
        flat_tier._BASE, flat_tier._PER_LINE, flat_tier._CALLS = before
        compile_options(mode=modes["mode"], flatten=modes["flatten"])
