"""Softmax and crossentropies of rows of few classes are those of torch's own kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tf2compat as tf
from tf2compat.math import _few_classes


def _random(*shape: int, dtype: str = "float32") -> Any:
    return tf.constant((np.random.default_rng(sum(shape)).normal(size=shape) * 4).astype(dtype))


def _all(step: Any, x: Any) -> list[np.ndarray]:
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = step(x)
            loss = tf.reduce_sum(tf.sin(y))
        total = tf.reduce_sum(tf.cos(tape.gradient(loss, x)))
    return [y.numpy(), outer.gradient(total, x).numpy(), tf.function(step)(x).numpy()]


CASES = {
    "softmax": lambda x: tf.nn.softmax(x), "log_softmax": lambda x: tf.nn.log_softmax(x), "keras": lambda x: tf.keras.activations.softmax(x),
    "along the second": lambda x: tf.nn.softmax(x, axis=1), "written with ones": lambda x: tf.nn.softmax(x[..., tf.newaxis, tf.newaxis], axis=-3),
    "sparse": lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(tf.range(tf.size(x[..., 0])) % x.shape[-1], tf.int32)[tf.newaxis], tf.reshape(x, [1, -1, x.shape[-1]])),
    "sparse of Keras": lambda x: tf.keras.losses.sparse_categorical_crossentropy(tf.zeros(x.shape[:-1]), x, from_logits=True),
    "sparse mean": lambda x: tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(tf.ones(x.shape[:-1]), x),
    "dense": lambda x: tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(tf.cos(x)), x),
    "dense of Keras": lambda x: tf.keras.losses.categorical_crossentropy(tf.nn.softmax(tf.cos(x)), x, from_logits=True),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(40, 60, 2), (2, 30, 50, 7), (400, 15), (300, 21), (3000, 2)])
@pytest.mark.parametrize("name", CASES)
def test_as_torch(name: str, shape: tuple[int, ...], dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = _random(*shape, dtype=dtype)
    found = _all(CASES[name], x)
    monkeypatch.setattr(_few_classes, "_LEAST", 1 << 60)
    for a, b in zip(found, _all(CASES[name], x), strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_labels_out_of_range() -> None:
    x = _random(600, 5)
    for bad in (5, -1):
        labels = tf.constant([0] * 599 + [bad])
        with pytest.raises(tf.errors.InvalidArgumentError, match="outside the valid range"):
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels, x)


def test_infinite_logits() -> None:
    x = np.zeros((600, 5), "float32")
    x[:, 1] = -np.inf
    x[3, 2] = np.inf
    with np.errstate(invalid="ignore"):
        found = tf.nn.softmax(x).numpy()
    np.testing.assert_array_equal(found[0], [0.25, 0, 0.25, 0.25, 0.25])
    assert np.isnan(found[3]).all() or np.isnan(found[3, 2])
