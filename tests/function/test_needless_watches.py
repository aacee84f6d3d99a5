"""Frozen trunks under a tape: what nobody differentiates by is no leaf, and the steps give what they gave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tf2compat as tf
from tf2compat._engine import replay, unneeded


def _model() -> Any:
    layers = tf.keras.layers
    tf.keras.utils.set_random_seed(5)
    trunk = tf.keras.Sequential([
        layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, input_shape=(16, 16, 3)), layers.BatchNormalization(), layers.ReLU(6.0),
        layers.DepthwiseConv2D(3, padding="same"), layers.BatchNormalization(), layers.ReLU(), layers.Conv2D(24, 1), layers.GlobalAveragePooling2D(),
    ])  # fmt: skip
    for v in trunk.variables:
        v.assign(np.abs(np.sin(np.arange(v.shape.num_elements(), dtype="float32"))).reshape(v.shape) + 0.1)
    return trunk, layers.Dense(2)


X = tf.constant(np.random.default_rng(0).random((4, 16, 16, 3), dtype="float32"))


def _steps(monkeypatch: pytest.MonkeyPatch, make: Any, calls: int = 12) -> tuple[list[Any], list[int]]:
    """The results of calls of what `make` gives, as it is and with every watch a leaf; how many watches were needless."""
    found, counts = [], []
    known = unneeded.needless_watches

    def counted(live: Any) -> set[int]:
        ids = known(live)
        counts.append(len(ids))
        return ids

    for given in (counted, lambda live: set()):
        monkeypatch.setattr(replay, "needless_watches", given)
        step = make()
        found.append([[np.asarray(t) for t in tf.nest.flatten(step(X))] for _ in range(calls)])
    for a, b in zip(*found, strict=True):
        for p, q in zip(a, b, strict=True):
            np.testing.assert_allclose(p, q, rtol=1e-4, atol=1e-5)
    return found[0], counts


def test_a_frozen_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Any:
        trunk, head = _model()
        trunk.trainable = False
        head.build((None, 24))
        optimizer = tf.keras.optimizers.Adam(0.01)

        @tf.function
        def step(x: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(head(trunk(x, training=False)) - 1.0))
            optimizer.apply_gradients(zip(tape.gradient(loss, head.trainable_variables), head.trainable_variables, strict=True))
            return loss

        return step

    results, counts = _steps(monkeypatch, make)
    assert max(counts) >= 6  # kernels and biases, scales, shifts
    assert results[-1][0] < results[0][0]


def test_a_trunk_whose_last_layer_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Any:
        trunk, head = _model()

        @tf.function
        def step(x: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(head(trunk(x, training=True)))
            return loss, tape.gradient(loss, [trunk.layers[-2].kernel, head.kernel] if head.built else trunk.layers[-2].kernel)

        return step

    _, counts = _steps(monkeypatch, make)
    assert max(counts) > 0


def test_gradients_by_results_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Any:
        trunk, head = _model()

        @tf.function
        def step(x: Any) -> Any:
            with tf.GradientTape() as tape:
                y = trunk(x, training=False)
                loss = tf.reduce_sum(tf.square(head(y)))
            return tape.gradient(loss, y)

        return step

    results, _ = _steps(monkeypatch, make)
    assert np.abs(results[0][0]).max() > 0


def test_two_tapes_and_a_watched_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Any:
        trunk, head = _model()
        trunk.trainable = False

        @tf.function
        def step(x: Any) -> Any:
            with tf.GradientTape() as outer:
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = tf.reduce_sum(tf.square(head(trunk(x, training=False))))
                penalty = tf.reduce_sum(tf.square(tape.gradient(y, x)))
            return penalty, outer.gradient(penalty, head.trainable_variables)

        return step

    _steps(monkeypatch, make, 4)


def test_a_tape_around_the_function_differentiates_by_what_it_leaves_out() -> None:
    v, w = tf.Variable(2.0), tf.Variable(3.0)

    @tf.function
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            y = v * w * x
        return y, tape.gradient(y, w)

    for _ in range(3):
        assert [float(t) for t in step(tf.constant(5.0))] == [30.0, 10.0]
        with tf.GradientTape() as tape:
            y, g = step(tf.constant(5.0))
        assert [float(t) for t in tape.gradient(y, [v, w])] == [15.0, 10.0]
        with tf.GradientTape() as tape:
            y, g = step(tf.constant(5.0))
        assert float(tape.gradient(g, v)) == 5.0


def test_convolutions_of_one_channel() -> None:
    rng = np.random.default_rng(2)
    x, w = rng.random((2, 9, 9, 1)), rng.random((3, 3, 1, 1))

    def gradients(dtype: str) -> list[np.ndarray]:
        a, b = tf.constant(x, dtype), tf.constant(w, dtype)
        found = []
        for stride, padding in ((1, "SAME"), (2, "SAME"), (2, "VALID")):
            with tf.GradientTape() as outer:
                outer.watch([a, b])
                with tf.GradientTape() as tape:
                    tape.watch([a, b])
                    y = tf.nn.conv2d(a, b, stride, padding)
                    loss = tf.reduce_sum(tf.sin(y))
                grads = tape.gradient(loss, [a, b])
                total = tf.add_n([tf.reduce_sum(tf.cos(g)) for g in grads])
            found += [y.numpy(), *[g.numpy() for g in grads], *[g.numpy() for g in outer.gradient(total, [a, b])]]
        return found

    for p, q in zip(gradients("float32"), gradients("float64"), strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-3, atol=1e-4)


def test_chains_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    trunk, head = _model()
    trunk.trainable = False
    known, chains = replay.fused, []

    def twice(*args: Any) -> Any:
        first, second = known(*args), known(*args)
        assert [id(n) for n in first] == [id(n) for n in second]
        chains.append(len(args[0]) - len(first))
        return first

    monkeypatch.setattr(replay, "fused", twice)

    @tf.function
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(head(trunk(x, training=False)) - 1.0))
        return tape.gradient(loss, head.trainable_variables)

    step(X)
    step(X)
    assert max(chains) > 0
