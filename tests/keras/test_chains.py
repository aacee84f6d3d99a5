"""Convolutions that take what follows them along give what the layers give one by one, whatever changes in between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tf2compat as tf
from tf2compat._engine.held import held

layers = tf.keras.layers
X = np.random.default_rng(0).normal(size=(2, 9, 9, 6)).astype("float32")


@pytest.fixture(autouse=True)
def replayed() -> Any:
    before = tf.compile_options()
    tf.compile_options(mode="never", flatten=False)
    yield
    tf.compile_options(mode=before["mode"], flatten=before["flatten"])


def shuffled(model: Any) -> Any:
    """Weights that are not the initial ones."""
    rng = np.random.default_rng(1)
    for w in model.weights:
        w.assign(rng.uniform(0.5, 1.5, w.shape) if "variance" in w.name or "gamma" in w.name else rng.normal(size=w.shape) * 0.3)
    return model


def network(*parts: Any, x: Any = X) -> Any:
    model = tf.keras.Sequential(list(parts))
    model.build((None, *x.shape[1:]))
    return shuffled(model)


NETWORKS = {
    "bias, relu": lambda: network(layers.Conv2D(5, 3, activation="relu")),
    "normalised": lambda: network(layers.Conv2D(5, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU()),
    "bias, normalised": lambda: network(layers.Conv2D(5, 3, padding="same"), layers.BatchNormalization(center=False), layers.ReLU(6.0)),
    "no scale": lambda: network(layers.Conv2D(5, 1), layers.BatchNormalization(scale=False), layers.Activation("swish")),
    "neither": lambda: network(layers.Conv2D(5, 1), layers.BatchNormalization(scale=False, center=False)),
    "strided": lambda: network(layers.Conv2D(5, 4, 2, padding="same"), layers.BatchNormalization(), layers.Activation("tanh")),
    "dilated": lambda: network(layers.Conv2D(5, 3, dilation_rate=2), layers.BatchNormalization(), layers.Activation("sigmoid")),
    "groups": lambda: network(layers.Conv2D(4, 3, groups=2), layers.BatchNormalization(), layers.ReLU()),
    "depthwise": lambda: network(layers.DepthwiseConv2D(3, padding="same"), layers.BatchNormalization(), layers.ReLU(6.0)),
    "multiplied": lambda: network(layers.DepthwiseConv2D(3, 2, depth_multiplier=3), layers.BatchNormalization(), layers.Activation("swish")),
    "no convolution": lambda: network(layers.BatchNormalization(), layers.ReLU(), layers.Conv2D(3, 3), layers.BatchNormalization(), layers.Conv2D(2, 3)),
    "one dimension": lambda: network(layers.Reshape((81, 6)), layers.Conv1D(4, 3), layers.BatchNormalization(), layers.ReLU()),
    "other axis": lambda: network(layers.Conv2D(5, 3), layers.BatchNormalization(axis=1), layers.ReLU()),
    "other activation": lambda: network(layers.Conv2D(5, 3), layers.BatchNormalization(), layers.Activation("elu")),
}


def outputs(model: Any, x: Any = X) -> tuple[Any, Any]:
    """A function of the model, and what its layers give one by one."""

    @tf.function
    def run(x: Any) -> Any:
        return model(x, training=False)

    return run, lambda: model(tf.constant(x), training=False).numpy()


@pytest.mark.parametrize("name", NETWORKS)
def test_as_one_by_one(name: str) -> None:
    model = NETWORKS[name]()
    run, alone = outputs(model)
    for _ in range(4):
        np.testing.assert_allclose(run(X), alone(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0), alone(), rtol=1e-4, atol=1e-5)


@pytest.mark.host
def test_filters_are_packed_with_what_follows() -> None:
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this torch has no oneDNN")
    model = NETWORKS["bias, normalised"]()
    run, _ = outputs(model)
    for _ in range(3):
        run(X)
    assert held(model.layers[0].kernel._t)["finished"][2] is not None


CHANGES = {
    "assign": lambda v: v.assign(v * 0.5 + 0.1),
    "assign_add": lambda v: v.assign_add(tf.fill(v.shape, 0.25)),
    "part": lambda v: v[0].assign(tf.ones_like(v[0]) * 2.0),
    "numpy": lambda v: tf.keras.backend.set_value(v, v.numpy() * 3.0),
    "torch": lambda v: v.torch().mul_(2.0),
    "function": lambda v: tf.function(lambda: v.assign(v * 0.5))(),
    "adam": lambda v: tf.keras.optimizers.Adam(0.1).apply_gradients([(tf.ones(v.shape), v)]),
    "sgd": lambda v: tf.keras.optimizers.SGD(0.1).apply_gradients([(tf.ones(v.shape), v)]),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("which", range(6))
def test_a_change_is_seen(which: int, change: str) -> None:
    """`which`: kernel, bias, gamma, beta, moving mean, moving variance."""
    model = network(layers.Conv2D(5, 3), layers.BatchNormalization(), layers.ReLU())
    run, alone = outputs(model)
    for _ in range(3):
        before = run(X).numpy()
    CHANGES[change](model.weights[which])
    for _ in range(3):
        np.testing.assert_allclose(run(X), alone(), rtol=1e-4, atol=1e-5)
    assert not np.allclose(before, run(X))


@pytest.mark.parametrize("flatten", [False, True])
def test_training_in_between(flatten: bool, tmp_path: Any) -> None:
    tf.compile_options(flatten=flatten)
    model = network(layers.Conv2D(5, 3), layers.BatchNormalization(), layers.ReLU(), layers.Flatten(), layers.Dense(2))
    model.compile("adam", "mse")
    y = np.ones((2, 2), "f")
    run, alone = outputs(model)
    model.save_weights(str(tmp_path / "w"))
    for steps in (1, 1, 40):
        for _ in range(3):
            np.testing.assert_allclose(run(X), alone(), rtol=1e-4, atol=1e-5)
        model.fit(np.repeat(X, steps, 0), np.repeat(y, steps, 0), batch_size=2, verbose=0, shuffle=False)
    np.testing.assert_allclose(run(X), alone(), rtol=1e-4, atol=1e-5)
    model.load_weights(str(tmp_path / "w"))
    np.testing.assert_allclose(run(X), alone(), rtol=1e-4, atol=1e-5)


def test_derivatives_through_a_function() -> None:
    model = NETWORKS["bias, normalised"]()
    run, _ = outputs(model)
    for _ in range(3):
        run(X)
    x = tf.constant(X)
    found = []
    for f in (run, lambda x: model(x, training=False)):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            loss = tf.reduce_sum(f(x) ** 2)
        found.append([g.numpy() for g in tape.gradient(loss, [x, *model.trainable_variables])])
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as acc:
            y = f(x)
        found[-1].append(acc.jvp(y).numpy())
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_results_that_are_asked_for_stay() -> None:
    """A convolution whose own result is used elsewhere is no part of a chain."""
    inputs = layers.Input((9, 9, 6))
    y = layers.Conv2D(5, 3)(inputs)
    z = layers.ReLU()(layers.BatchNormalization()(y))
    model = shuffled(tf.keras.Model(inputs, [y, z, y + z]))

    @tf.function
    def run(x: Any) -> Any:
        return model(x, training=False)

    for _ in range(3):
        for a, b in zip(run(X), model(X, training=False), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_errors_are_the_convolutions() -> None:
    conv = layers.Conv2D(5, 3, activation="relu")
    conv.build((None, 9, 9, 6))

    @tf.function(input_signature=[tf.TensorSpec(None)])
    def run(x: Any) -> Any:
        return conv(x)

    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)) as caught:
        run(tf.ones([2, 9, 9, 7]))
    assert "FusedConv2D" not in str(caught.value)
