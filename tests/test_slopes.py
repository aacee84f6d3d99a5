"""Gradients at points of infinite slope where no gradient comes in: 0, as TensorFlow has it for roots and inverses, and NaN where it has NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tf2compat as tf

ROOTS = [tf.sqrt, tf.math.rsqrt, tf.math.reciprocal]


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64, tf.float16])
@pytest.mark.parametrize("fn", ROOTS)
def test_nothing_comes_of_nothing(fn: Callable[..., Any], dtype: Any) -> None:
    x = tf.constant([0.0, 4.0], dtype)

    def grad(weights: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = fn(x) * weights
        return tape.gradient(y, x)

    traced = tf.function(grad)
    for run in (grad, traced, traced, traced):
        found = run(tf.constant([0.0, 1.0], dtype)).numpy()
        assert found[0] == 0 and np.isfinite(found[1]) and found[1] != 0
        assert np.isinf(run(tf.constant([1.0, 1.0], dtype)).numpy()[0])


def test_masked_distances() -> None:
    points = tf.Variable([[0.0, 0.0], [3.0, 4.0]])

    def step() -> Any:
        with tf.GradientTape() as tape:
            squares = tf.reduce_sum(tf.square(points[:, None] - points[None]), -1)
            loss = tf.reduce_sum(tf.where(squares > 0, tf.sqrt(squares), 0.0))
        return tape.gradient(loss, points)

    for run in (step, tf.function(step)):
        assert np.allclose(run().numpy(), [[-1.2, -1.6], [1.2, 1.6]])


def test_norms_and_deviations() -> None:
    v = tf.constant([[1.0, 1.0, 1.0], [1.0, 2.0, 3.0]])
    for fn in (lambda v: tf.math.reduce_std(v, 1), lambda v: tf.norm(v - 1, axis=1), lambda v: tf.math.reduce_euclidean_norm(v - 1, 1)):
        with tf.GradientTape() as tape:
            tape.watch(v)
            y = tf.where([False, True], fn(v), 0.0)
        found = tape.gradient(y, v).numpy()
        assert (found[0] == 0).all() and np.isfinite(found).all() and found[1, 2] > 0


@pytest.mark.parametrize("fn", [tf.math.log, lambda x: x**0.5, lambda x: 1.0 / x])
def test_others_are_nan(fn: Callable[..., Any]) -> None:
    x = tf.constant([0.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = fn(x) * 0.0
    assert np.isnan(tape.gradient(y, x).numpy()).all()


@pytest.mark.parametrize("fn", ROOTS)
def test_of_gradients(fn: Callable[..., Any]) -> None:
    x, w = tf.constant([1.0, 5.0, 10.0]), tf.constant([0.0, 0.0, 2.0])
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([x, w])
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = fn(x) * w
        g = inner.gradient(y, x)
    slope = {"sqrt": 0.5 / np.sqrt(x), "rsqrt": -0.5 * x.numpy() ** -1.5, "reciprocal": -1 / x.numpy() ** 2}[fn.__name__]
    assert np.allclose(outer.gradient(g, w).numpy(), slope)  # also where the weight is 0
    assert np.isfinite(outer.gradient(g, x).numpy()).all()
    with tf.autodiff.ForwardAccumulator(x, tf.ones(3)) as forward:
        y = fn(x)
    assert np.allclose(forward.jvp(y).numpy(), slope)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = fn(x)
    assert np.allclose(tape.jacobian(y, x).numpy(), np.diag(slope))
