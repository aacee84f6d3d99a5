"""What only a GPU shows: where tensors are put, and that results are the same there."""

from __future__ import annotations

import numpy as np
import pytest

import tf2compat as tf


@pytest.mark.gpu
def test_tensors_live_on_the_gpu_and_move() -> None:
    assert tf.config.list_physical_devices("GPU")
    with tf.device("/GPU:0"):
        x = tf.random.normal([64, 64], seed=1)
    assert "GPU:0" in x.device
    y = tf.matmul(x, x)
    assert "GPU:0" in y.device and "CPU:0" in y.cpu().device
    np.testing.assert_allclose(y.numpy(), x.numpy() @ x.numpy(), rtol=1e-3, atol=1e-3)


@pytest.mark.gpu
def test_a_gradient_on_the_gpu() -> None:
    with tf.device("/GPU:0"):
        v = tf.Variable([1.0, 2.0, 3.0])
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(v * v)
    np.testing.assert_allclose(tape.gradient(loss, v).numpy(), [2.0, 4.0, 6.0])
