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


@pytest.mark.gpu
@pytest.mark.parametrize("graphs", [False, True])
def test_a_compiled_step_on_the_gpu(graphs: bool) -> None:
    """Replayed and compiled, with and without a CUDA graph, a training step takes the same way."""
    before = tf.compile_options()

    def trained(mode: str) -> tuple[list[float], np.ndarray, object]:
        tf.compile_options(mode=mode, cuda_graphs=graphs)
        rng = np.random.default_rng(0)
        w = tf.Variable(rng.normal(size=(8, 4)).astype(np.float32))
        x = tf.constant(rng.normal(size=(16, 8)).astype(np.float32))

        @tf.function
        def step(x: object) -> object:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - 1.0))
            w.assign_sub(0.1 * tape.gradient(loss, w))
            return loss

        losses = [float(step(x)) for _ in range(8)]
        return losses, w.numpy(), step

    try:
        expected, weights, _ = trained("never")
        found, after, step = trained("always")
    finally:
        tf.compile_options(**before)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    np.testing.assert_allclose(after, weights, rtol=1e-3, atol=1e-5)
    assert "compiled (" in step.explain()  # type: ignore[attr-defined]
