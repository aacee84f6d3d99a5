"""Convolutions of few channels or few pixels, which go by products of matrices, give what oneDNN's give: values, gradients, their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tf2compat as tf
from tf2compat.nn import _columns, _few


def _all(step: Any, *given: np.ndarray) -> list[np.ndarray]:
    values = [tf.constant(g) for g in given]
    with tf.GradientTape() as outer:
        outer.watch(values)
        with tf.GradientTape() as tape:
            tape.watch(values)
            y = step(*values)
            loss = tf.reduce_sum(tf.sin(y))
        grads = tape.gradient(loss, values)
        total = tf.add_n([tf.reduce_sum(tf.cos(g)) for g in grads])
    return [v.numpy() for v in (y, *grads, *outer.gradient(total, values))]


def _same(found: Any, expected: Any) -> None:
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4 * (np.abs(b).max() + 1e-3))


def _random(*shape: int) -> np.ndarray:
    return (np.random.default_rng(sum(shape)).normal(size=shape) * 0.3).astype("float32")


def _off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_few, "_FEW", 0)
    monkeypatch.setattr(_columns, "_TIMES", 1 << 40)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("k", "stride", "rate"), [(1, 1, 1), (3, 1, 1), (3, 2, 1), (4, 2, 1), (5, 3, 1), (2, 3, 1), (3, 1, 2)])
@pytest.mark.parametrize(("few", "many"), [(1, 16), (3, 32)])
def test_few_channels(few: int, many: int, k: int, stride: int, rate: int, padding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_few, "_LEAST", 1)
    size = 8
    have = -(-size // stride) if padding == "SAME" else (size - rate * (k - 1) - 1) // stride + 1

    def steps() -> list[Any]:
        def forward(x: Any, w: Any) -> Any:
            return tf.nn.conv2d(x, w, stride, padding, dilations=rate)

        def back(x: Any, w: Any) -> Any:
            return tf.nn.conv2d_transpose(x, w, [2, size, size, few], stride, padding, dilations=rate)

        from_few = _all(forward, _random(2, size, size, few), _random(k, k, few, many))
        to_few = _all(forward, _random(2, size, size, many), _random(k, k, many, few))
        return [*from_few, *to_few, *_all(back, _random(2, have, have, many), _random(k, k, few, many))]

    found = steps()
    _off(monkeypatch)
    _same(found, steps())


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("k", "stride"), [(2, 1), (3, 1), (3, 2), (4, 2), (3, 3)])
def test_few_pixels(k: int, stride: int, padding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 4
    have = -(-size // stride) if padding == "SAME" else (size - k) // stride + 1

    def steps() -> list[Any]:
        def forward(x: Any, w: Any) -> Any:
            return tf.nn.conv2d(x, w, stride, padding)

        def back(x: Any, w: Any) -> Any:
            return tf.nn.conv2d_transpose(x, w, [2, size, size, 96], stride, padding)

        filters = _random(k, k, 96, 128)
        return [*_all(forward, _random(2, size, size, 96), filters), *_all(back, _random(2, have, have, 128), filters)]

    used = []
    apart = _columns._Columns.backward
    monkeypatch.setattr(_columns._Columns, "backward", staticmethod(lambda ctx, grad: used.append(1) or apart(ctx, grad)))
    found = steps()
    assert used
    _off(monkeypatch)
    _same(found, steps())


def test_layers_with_a_bias_in_traced_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_few, "_LEAST", 1)
    layers = tf.keras.layers

    def gradients() -> list[np.ndarray]:
        tf.keras.utils.set_random_seed(3)
        model = tf.keras.Sequential([
            layers.Conv2D(128, 4, strides=2, padding="same", input_shape=(4, 4, 96)), layers.LeakyReLU(),
            layers.Conv2D(256, 4, strides=2, padding="same", activation="relu"), layers.Conv2DTranspose(128, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"), layers.Conv2DTranspose(1, 3, padding="same"),
        ])  # fmt: skip
        x = tf.constant(_random(2, 4, 4, 96))

        @tf.function
        def step(x: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.sin(model(x, training=True)))
            return loss, tape.gradient(loss, model.trainable_variables)

        for _ in range(40):  # replayed, then flattened
            loss, grads = step(x)
        return [loss.numpy(), *[g.numpy() for g in grads]]

    found = gradients()
    _off(monkeypatch)
    _same(found, gradients())


def test_under_transforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_few, "_LEAST", 1)
    x, w = tf.constant(_random(3, 2, 6, 6, 1)), tf.constant(_random(3, 3, 1, 16))

    def back(v: Any) -> Any:
        return tf.nn.conv2d_transpose(v, w, [2, 6, 6, 1], 1, "SAME")

    many = tf.nn.conv2d(tf.reshape(x, [6, 6, 6, 1]), w, 1, "SAME")
    rows = tf.reshape(many, [3, 2, 6, 6, 16])
    np.testing.assert_allclose(tf.vectorized_map(back, rows), tf.stack([back(v) for v in rows]), rtol=1e-4, atol=1e-5)
    with tf.autodiff.ForwardAccumulator(many, tf.ones_like(many)) as forward:
        y = tf.nn.conv2d_transpose(many, w, [6, 6, 6, 1], 1, "SAME")
    np.testing.assert_allclose(forward.jvp(y), tf.nn.conv2d_transpose(tf.ones_like(many), w, [6, 6, 6, 1], 1, "SAME"), rtol=1e-4, atol=1e-5)

    filters, some = tf.constant(_random(3, 3, 96, 128)), tf.constant(_random(3, 1, 4, 4, 96))

    def inner(v: Any) -> Any:
        return tf.nn.conv2d(v, filters, 2, "SAME")

    np.testing.assert_allclose(tf.vectorized_map(inner, some), tf.stack([inner(v) for v in some]), rtol=1e-3, atol=1e-4)
    one = some[0]
    with tf.autodiff.ForwardAccumulator(one, tf.ones_like(one)) as forward:
        y = inner(one)
    np.testing.assert_allclose(forward.jvp(y), inner(tf.ones_like(one)), rtol=1e-3, atol=1e-4)
    jac = torch.func.jacrev(lambda v: _columns.transposed_as_columns(v, filters._t, None, (2, 2), ((0, 1), (0, 1)), (4, 4)).sum((0, 1, 2)))(torch.randn(1, 2, 2, 128))
    assert jac.shape == (96, 1, 2, 2, 128)


@pytest.mark.parametrize("size", [1, 3])
def test_gradients_of_filters_in_groups_for_one_image_made_of_several(size: int) -> None:
    # the images of a batch as groups of one image: its memory is that of a batch
    images = tf.transpose(tf.random.stateless_normal([1, 8, 8, 16], [1, 2]), [0, 3, 1, 2])
    images = tf.reshape(tf.reshape(images, [2, 8, 8, 8]), [1, 16, 8, 8])
    filters = tf.random.stateless_normal([size, size, 8, 6], [3, 4])
    weights, direction = tf.random.stateless_normal([1, 6, 8, 8], [5, 6]), tf.random.stateless_normal(filters.shape, [7, 8])

    def value(f: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.nn.conv2d(images, f, 1, "SAME", data_format="NCHW") * weights)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # oneDNN chooses another way for several
    try:
        with tf.GradientTape() as tape:
            tape.watch(filters)
            of = value(filters)
        along = float(tf.reduce_sum(tape.gradient(of, filters) * direction))
    finally:
        torch.set_num_threads(threads)
    assert abs(along - float(value(direction))) < 1e-2  # the value is linear in the filters
