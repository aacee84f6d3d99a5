"""Calls that are like the one before find their trace by a short way; they must get what the long way gives."""

from typing import Any

import numpy as np

import tf2compat as tf


def test_calls_that_differ_a_little_are_told_apart() -> None:
    traced: list[Any] = []

    @tf.function
    def add(a: Any, b: Any = 1.0) -> Any:
        traced.append((a.shape, a.dtype))
        return a + tf.cast(b, a.dtype)

    x, y, wide = tf.ones([2]), tf.ones([3]), tf.ones([2], "float64")
    one = tf.constant(1.0)
    for _ in range(2):
        assert add(x, one).shape == [2] and add(x, one).shape == [2]
        assert add(y, one).shape == [3]
        assert add(wide, one).dtype is tf.float64
        assert add(x).numpy().tolist() == [2.0, 2.0]
        assert add(x, b=one).numpy().tolist() == [2.0, 2.0]
        assert add(tf.Variable([1.0, 1.0]), one).numpy().tolist() == [2.0, 2.0]
        assert add(x, one).numpy().tolist() == [2.0, 2.0]
    assert add.experimental_get_tracing_count() == len(traced)


def test_a_tuple_of_tensors_is_no_list_and_no_single_tensor() -> None:
    kinds: list[Any] = []

    @tf.function
    def first(data: Any) -> Any:
        kinds.append(type(data))
        return data[0]

    x, y = tf.constant([1.0, 2.0]), tf.constant([3.0, 4.0])
    for _ in range(2):
        assert first((x, y)).numpy().tolist() == [1.0, 2.0]
        assert first((y, x)).numpy().tolist() == [3.0, 4.0]
        assert first([y, x]).numpy().tolist() == [3.0, 4.0]
        assert first((x,)).numpy().tolist() == [1.0, 2.0]
        assert first(x).numpy() == 1.0
    assert len(kinds) == 4


def test_a_repeated_call_under_a_tape_and_on_methods() -> None:
    class Model(tf.Module):
        def __init__(self, w: float) -> None:
            super().__init__()
            self.w = tf.Variable(w)

        @tf.function
        def __call__(self, x: Any) -> Any:
            return self.w * x

    a, b = Model(2.0), Model(3.0)
    x = tf.constant(5.0)
    for model, w in ((a, 2.0), (b, 3.0), (a, 2.0)):
        assert float(model(x)) == w * 5
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model(x)
        found = tape.gradient(y, [x, model.w])
        np.testing.assert_allclose(found, [w, 5.0])
