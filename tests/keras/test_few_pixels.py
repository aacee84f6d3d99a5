"""Depthwise convolutions to few pixels have a gradient of their own: it agrees with torch's, first and second, forward and for Jacobians."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tf2compat as tf
from tf2compat.nn import _depthwise


def derivatives(x: tf.Variable, w: tf.Variable, bias: tf.Variable, conv: Any) -> list[Any]:
    """By input, filters and bias; of the squared gradient by filters; forward over backward; the Jacobian."""
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(conv() ** 3)
        first = tape.gradient(y, [x, w, bias])
        total = tf.reduce_sum(first[1] ** 2)
    second = outer.gradient(total, [x, w])
    with tf.autodiff.ForwardAccumulator(w, tf.ones_like(w)) as forward:
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(conv() ** 2)
        ahead = forward.jvp(tape.gradient(y, w))
    with tf.GradientTape() as tape:
        y = conv()
    return [*first, *second, ahead, tape.jacobian(y, w)]


@pytest.mark.parametrize(("strides", "rate", "padding", "size"), [(1, 1, "same", 4), (2, 1, "same", 7), (1, 2, "same", 4), (1, 1, "valid", 6), (2, 1, "valid", 9)])
def test_gradients(monkeypatch: pytest.MonkeyPatch, strides: int, rate: int, padding: str, size: int) -> None:
    rng = np.random.default_rng(0)
    x = tf.Variable(rng.standard_normal((3, size, size, 5)))
    layer = tf.keras.layers.DepthwiseConv2D(3, strides, padding, dilation_rate=rate, dtype="float64")
    layer.build(x.shape)
    w, bias = layer.weights
    assert layer(x).shape == (3, 4, 4, 5)
    found = derivatives(x, w, bias, lambda: layer(x))
    traced = derivatives(x, w, bias, tf.function(lambda: layer(x)))
    monkeypatch.setattr(_depthwise, "_FEW", 0)
    for ours, graph, torchs in zip(found, traced, derivatives(x, w, bias, lambda: layer(x)), strict=True):
        scale = np.abs(torchs.numpy()).max()
        np.testing.assert_allclose(ours.numpy(), torchs.numpy(), atol=1e-12 * scale)
        np.testing.assert_allclose(graph.numpy(), torchs.numpy(), atol=1e-12 * scale)


@pytest.mark.parametrize("mode", ["never", "always"])
def test_trained(mode: str) -> None:
    """By steps that are flattened or compiled."""
    before = tf.compile_options()
    tf.compile_options(mode=mode, backend="eager")
    try:
        layer = tf.keras.layers.DepthwiseConv2D(3, padding="same")
        x, wanted = tf.random.normal([8, 4, 4, 6], seed=1), tf.random.normal([8, 4, 4, 6], seed=2)
        layer(x)
        optimizer = tf.keras.optimizers.SGD(0.05)

        def loss() -> Any:
            return tf.reduce_mean((layer(x) - wanted) ** 2)

        @tf.function
        def step() -> Any:
            with tf.GradientTape() as tape:
                value = loss()
            optimizer.apply_gradients(zip(tape.gradient(value, layer.weights), layer.weights, strict=True))
            return value

        values = [float(step()) for _ in range(120)]
        assert all(a >= b for a, b in zip(values, values[1:], strict=False))
        assert values[-1] < 0.98 * values[0]
        assert values[-1] > float(loss())
    finally:
        tf.compile_options(**before)
