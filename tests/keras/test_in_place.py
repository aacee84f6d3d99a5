"""A step of training changes variables where they are, rather than making new ones of their size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tf2compat as tf

optimizers, layers = tf.keras.optimizers, tf.keras.layers
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("optimizer", [
    lambda: optimizers.SGD(0.1, momentum=0.9), optimizers.Adam, lambda: optimizers.Adam(amsgrad=True), optimizers.AdamW, optimizers.RMSprop,
    optimizers.Adagrad, optimizers.Adadelta, optimizers.Ftrl, optimizers.Adamax, optimizers.Lion, lambda: optimizers.Adam(use_ema=True),
    lambda: tf.keras.mixed_precision.LossScaleOptimizer(optimizers.Adam()), optimizers.legacy.Adam, optimizers.legacy.SGD,
])  # fmt: skip
@pytest.mark.parametrize("by_numbers", [False, True])
def test_variables_stay(optimizer: Any, by_numbers: bool) -> None:
    before = tf.compile_options()
    tf.compile_options(mode="never", flatten=False)
    try:
        first = [layers.Embedding(20, 4), layers.GlobalAveragePooling1D()] if by_numbers else [layers.Dense(4), layers.BatchNormalization()]
        model = tf.keras.Sequential([*first, layers.Dense(2)])
        model.compile(optimizer(), "mse", metrics=["mae"])
        x = RNG.integers(0, 20, (8, 5)) if by_numbers else RNG.normal(size=(8, 5)).astype("f")
        y = RNG.normal(size=(8, 2)).astype("f")
        model.train_on_batch(x, y)
        held = model.optimizer.variables
        variables = [*model.weights, *(held() if callable(held) else held)]
        places = [v._t.data_ptr() for v in variables]
        for _ in range(3):
            model.train_on_batch(x, y)
        assert [v.name for v, p in zip(variables, places, strict=True) if v._t.data_ptr() != p] == []
    finally:
        tf.compile_options(mode=before["mode"], flatten=before["flatten"])


def _by_loop(w: Any, x: Any) -> Any:
    for _ in tf.range(3):
        x = tf.tanh(tf.matmul(x, w))
    return tf.reduce_sum(x)


def _by_elements(w: Any, x: Any) -> Any:
    total = 0.0
    for row in tf.matmul(x, w):
        total += tf.reduce_sum(row)
    return total


def _by_condition(w: Any, x: Any) -> Any:
    if tf.reduce_sum(x) > 0:
        y = tf.matmul(x, w)
    else:
        y = x
    return tf.reduce_sum(y)


@pytest.mark.parametrize("loss_of", [_by_loop, _by_elements, _by_condition])
def test_what_a_block_made_does_not_hold_variables(loss_of: Any) -> None:
    before = tf.compile_options()
    tf.compile_options(mode="never", flatten=False)
    try:
        w = tf.Variable(RNG.normal(size=(4, 4)).astype("f"))

        @tf.function
        def step(x: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = loss_of(w, x)
            w.assign_sub(0.1 * tape.gradient(loss, w))
            return loss

        step(tf.ones([3, 4]))
        place = w._t.data_ptr()
        for _ in range(3):
            step(tf.ones([3, 4]))
        assert w._t.data_ptr() == place
    finally:
        tf.compile_options(mode=before["mode"], flatten=before["flatten"])
