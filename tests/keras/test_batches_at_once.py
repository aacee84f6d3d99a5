"""Losses and metrics that take a whole batch in one step say what the general way, sample by sample, says."""

from typing import Any

import numpy as np
import pytest

import tf2compat as tf
from tf2compat.keras.losses.means import mean_of

K = tf.keras
RNG = np.random.default_rng(3)


def _batch(kind: str, dtype: str) -> tuple[Any, Any]:
    if kind == "sparse":
        return tf.constant(RNG.integers(0, 5, [6, 1])), tf.constant(RNG.normal(size=[6, 5]), dtype)
    if kind == "sparse images":
        return tf.constant(RNG.integers(0, 5, [2, 3, 4])), tf.constant(RNG.normal(size=[2, 3, 4, 5]), dtype)
    if kind == "binary":
        return tf.constant(RNG.integers(0, 2, [6, 3]), dtype), tf.constant(RNG.uniform(0.01, 0.99, size=[6, 3]), dtype)
    if kind == "broadcast":
        return tf.constant(RNG.normal(size=[6, 1]), dtype), tf.constant(RNG.normal(size=[6, 3]), dtype)
    if kind == "empty":
        return tf.zeros([0, 3], dtype), tf.zeros([0, 3], dtype)
    return tf.constant(RNG.normal(size=[6, 3]), dtype), tf.constant(RNG.normal(size=[6, 3]), dtype)


CASES = [
    (K.losses.MeanSquaredError(), "real"), (K.losses.MeanSquaredError(), "broadcast"), (K.losses.MeanSquaredError(), "empty"),
    (K.losses.MeanAbsoluteError(), "real"), (K.losses.MeanAbsoluteError(), "broadcast"),
    (K.losses.BinaryCrossentropy(), "binary"), (K.losses.BinaryCrossentropy(from_logits=True), "binary"),
    (K.losses.BinaryCrossentropy(), "empty"),
    (K.losses.SparseCategoricalCrossentropy(from_logits=True), "sparse"), (K.losses.SparseCategoricalCrossentropy(from_logits=True), "sparse images"),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(("loss", "kind"), CASES)
def test_a_mean_is_the_mean_of_the_losses(loss: Any, kind: str, dtype: str) -> None:
    y, x = _batch(kind, dtype)
    assert mean_of(loss.fn) is not None

    def both(x: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            whole = loss(y, x)
            each = loss(y, x, sample_weight=1.0)
        return whole, each, tape.gradient(whole, x), tape.gradient(each, x)

    for run in (both, tf.function(both)):
        whole, each, g, h = run(x)
        assert whole.dtype is each.dtype
        rtol = 3e-3 if dtype == "float16" else 1e-6
        np.testing.assert_allclose(whole, each, rtol=rtol)
        np.testing.assert_allclose(g, h, rtol=rtol, atol=1e-3 if dtype == "float16" else 1e-8)


@pytest.mark.host
def test_losses_are_told_apart_where_they_differ() -> None:
    y, x = tf.constant([[0], [1]]), tf.constant([[2.0, 1.0], [0.5, 0.0]])
    plain = K.losses.SparseCategoricalCrossentropy(from_logits=True)
    ignoring = K.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    np.testing.assert_allclose(ignoring(y, x), np.log1p(np.exp(0.5)), rtol=1e-6)
    np.testing.assert_allclose(plain(y, x), (np.log1p(np.exp(-1.0)) + np.log1p(np.exp(0.5))) / 2, rtol=1e-6)
    smooth = K.losses.BinaryCrossentropy(label_smoothing=0.2)
    assert abs(float(smooth([[1.0]], tf.constant([[0.9]]))) - float(smooth(tf.constant([[1.0]]), tf.constant([[0.9]])))) < 1e-7

    class Own(K.losses.MeanSquaredError):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return 7.0 * super().call(y_true, y_pred)

    a, b = tf.constant([[1.0, 2.0]]), tf.constant([[2.0, 4.0]])
    np.testing.assert_allclose(Own()(a, b), 17.5, rtol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Received a label value of 7"):
        plain(tf.constant([7, 0]), x)


def test_one_hot_labels_that_do_not_add_up_to_one() -> None:
    """The gradient is softmax - labels, whatever the labels add up to (values by TensorFlow's formula)."""
    x = tf.constant([[1.0, 2.0, 0.5], [0.0, 1.0, 3.0]])
    for rows in ([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0], [0.5, 0.0, 1.0]], [[0.2, 0.2, 0.2], [0.0, 0.0, 0.0]]):
        y = tf.constant(rows)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(K.losses.categorical_crossentropy(y, x, from_logits=True))
        np.testing.assert_allclose(tape.gradient(loss, x), tf.nn.softmax(x) - y, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(loss, -np.sum(y * tf.nn.log_softmax(x)), rtol=1e-6)


@pytest.mark.parametrize("labels", [tf.constant([1, 0, 2]), tf.constant([[1], [0], [2]]), tf.constant([[1.0], [0.0], [2.0]])])
def test_hits_are_counted_as_they_are_averaged(labels: Any) -> None:
    x = tf.constant([[0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    plain, weighted = K.metrics.SparseCategoricalAccuracy(), K.metrics.SparseCategoricalAccuracy()
    for _ in range(2):
        plain.update_state(labels, x)
        weighted.update_state(labels, x, sample_weight=[1.0, 1.0, 1.0])
    np.testing.assert_allclose(plain.result(), weighted.result(), rtol=1e-6)
    assert float(plain.count) == 6.0 and plain.result().dtype is tf.float32
    hot = K.metrics.CategoricalAccuracy()
    hot.update_state(tf.one_hot(tf.reshape(tf.cast(labels, "int32"), [-1]), 3), x)
    np.testing.assert_allclose(hot.result(), 2 / 3, rtol=1e-6)


def test_the_mean_of_nothing_is_zero() -> None:
    mean = K.metrics.Mean()
    assert float(mean.result()) == 0.0
    mean.update_state(tf.constant(3.0), sample_weight=4.0)
    mean.update_state(tf.constant(1.0), sample_weight=0.0)
    assert float(mean.result()) == 3.0 and float(mean.count) == 4.0


def test_adam_corrects_by_the_step_it_is_at() -> None:
    """Also when the step is set, and where optimizers take turns: the first steps of Adam have the size of the rate."""
    a, b = tf.Variable([0.0]), tf.Variable([0.0])
    first, second = K.optimizers.Adam(0.1), K.optimizers.Adam(0.1, beta_1=0.5)
    for i in range(40):
        first.apply_gradients([(tf.constant([1.0]), a)])
        second.apply_gradients([(tf.constant([1.0]), b)])
        np.testing.assert_allclose(a, [-0.1 * (i + 1)], rtol=2e-5)
        np.testing.assert_allclose(b, [-0.1 * (i + 1)], rtol=2e-5)
    again = K.optimizers.Adam(0.1)
    again.build([a])
    again.iterations.assign(99)
    before = a.numpy()
    again.apply_gradients([(tf.constant([1.0]), a)])
    one = np.float32(1)
    rate = np.float32(0.1) * np.sqrt(one - np.float32(0.999) ** np.float32(100)) / (one - np.float32(0.9) ** np.float32(100))
    np.testing.assert_allclose(a.numpy() - before, -rate * 0.1 / (np.sqrt(np.float32(0.001)) + 1e-7), rtol=1e-5)
