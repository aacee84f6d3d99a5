"""Filters that are turned as matrices, and transposed convolutions to few channels, give what the plain way gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tf2compat as tf
from tf2compat.nn import _filters


def _all(step: Any, x: Any, w: Any) -> list[np.ndarray]:
    """A result, its gradients, and those of their squares."""
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = step(x, w)
            loss = tf.reduce_sum(tf.sin(y))
        grads = tape.gradient(loss, [x, w])
        total = tf.reduce_sum(grads[0] ** 2) + tf.reduce_sum(grads[1] ** 2)
    return [v.numpy() for v in (y, *grads, *outer.gradient(total, [x, w]))]


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("k", "stride"), [(1, 1), (3, 1), (3, 2), (4, 2), (5, 2)])
def test_turned_as_a_matrix(k: int, stride: int, padding: str, transposed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, channels = np.random.default_rng(0), 128 if k == 1 else 48
    x = tf.constant(rng.normal(size=(2, 6, 6, channels)).astype("float32"))
    w = tf.Variable(rng.normal(size=(k, k, channels, channels)).astype("float32"))
    size = 6 * stride if padding == "SAME" else 5 * stride + k

    def step(x: Any, w: Any) -> Any:
        return tf.nn.conv2d_transpose(x, w, [2, size, size, channels], stride, padding) if transposed else tf.nn.conv2d(x, w, stride, padding)

    assert _filters.turned(w._t) is not None
    found, traced = _all(step, x, w), _all(tf.function(step), x, w)
    monkeypatch.setattr(_filters, "_SMALL", 1 << 40)
    assert _filters.turned(w._t) is None
    for a, b, c in zip(found, traced, _all(step, x, w), strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-4, atol=1e-5 * np.abs(c).max())
        np.testing.assert_allclose(b, c, rtol=1e-4, atol=1e-5 * np.abs(c).max())


def test_turned_under_transforms() -> None:
    w = torch.randn(3, 3, 40, 56)
    plain = w.permute(3, 2, 0, 1)
    out = _filters.turned(w)
    assert torch.equal(out, plain)
    assert out.is_contiguous(memory_format=torch.channels_last)
    given = torch.randn(2, 3, 3, 40, 56)
    assert torch.equal(torch.vmap(lambda v: _filters.turned(v) if _filters.turned(v) is not None else v.permute(3, 2, 0, 1))(given), given.permute(0, 4, 3, 1, 2))
    grad = torch.autograd.grad((_filters.turned(w.requires_grad_()) * plain).sum(), w)[0]
    assert torch.equal(grad, w)
    assert grad.is_contiguous()


@pytest.mark.parametrize("rate", [1, 2])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_transposed_to_few_channels(k: int, padding: str, channels: int, rate: int) -> None:
    """The gradient of a convolution by its input, which is another way to it."""
    rng = np.random.default_rng(0)
    size = 7 if padding == "SAME" else 7 + (k - 1) * rate
    x = tf.constant(rng.normal(size=(2, 7, 7, 16)))
    w = tf.constant(rng.normal(size=(k, k, channels, 16)))
    image = tf.zeros([2, size, size, channels], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(image)
        y = tf.nn.conv2d(image, w, 1, padding, dilations=rate)
    wanted = tape.gradient(y, image, output_gradients=x)
    np.testing.assert_allclose(tf.nn.conv2d_transpose(x, w, image.shape, 1, padding, dilations=rate), wanted, atol=1e-12)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("k", "stride"), [(2, 2), (3, 2), (2, 3), (5, 2)])
def test_the_bias_is_added_everywhere(k: int, stride: int, padding: str) -> None:
    """Where no tap of the filter reaches, too."""
    layer = tf.keras.layers.Conv2DTranspose(9, k, stride, padding, bias_initializer="normal")
    x = tf.random.normal([2, 4, 4, 8])
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_sum(tf.sin(y))
    plain = tf.nn.conv2d_transpose(x, layer.kernel, y.shape, stride, padding)
    np.testing.assert_allclose(y, plain + layer.bias, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(tape.gradient(loss, layer.bias), tf.reduce_sum(tf.cos(y), [0, 1, 2]), rtol=1e-4, atol=1e-4)
