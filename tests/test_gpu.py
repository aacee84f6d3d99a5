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


@pytest.fixture
def plain_mode():
    before = tf.compile_options()
    tf.compile_options(mode="never")
    yield
    tf.compile_options(**before)


def _models():
    layers = tf.keras.layers

    def dense():
        return tf.keras.Sequential([layers.Dense(16, activation="relu"), layers.BatchNormalization(), layers.Dense(4)]), (8,)

    def convolutions():
        return tf.keras.Sequential([
            layers.Conv2D(8, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(4),
        ]), (8, 8, 2)  # fmt: skip

    def attention():
        x = layers.Input((6, 8))
        y = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x))
        return tf.keras.Model(x, layers.Dense(4)(layers.GlobalAveragePooling1D()(y))), (6, 8)

    def lstm():
        return tf.keras.Sequential([layers.LSTM(8, return_sequences=True), layers.LSTM(8), layers.Dense(4)]), (6, 8)

    def gru():
        return tf.keras.Sequential([layers.Bidirectional(layers.GRU(8)), layers.Dense(4)]), (6, 8)

    def simple():
        return tf.keras.Sequential([layers.SimpleRNN(8), layers.Dense(4)]), (6, 8)

    return {f.__name__: f for f in (dense, convolutions, attention, lstm, gru, simple)}


@pytest.mark.gpu
@pytest.mark.parametrize("name", _models())
def test_a_fit_on_cuda_graphs(name, plain_mode):
    """Training replayed, and as a CUDA graph of the flattened step: the same losses and weights, which are those of the CPU."""

    def trained(flatten, device):
        tf.compile_options(flatten=flatten)
        tf.keras.backend.clear_session()
        rng = np.random.default_rng(0)
        with tf.device(device):
            model, shape = _models()[name]()
            model.build((None, *shape))
            model.set_weights([rng.normal(size=w.shape).astype("f") * 0.3 if "variance" not in w.name else np.ones(w.shape, "f") for w in model.weights])
            model.compile(tf.keras.optimizers.Adam(0.01), tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
            x, y = rng.normal(size=(320, *shape)).astype("f"), rng.integers(0, 4, 320)
            history = model.fit(x, y, batch_size=16, epochs=4, shuffle=False, verbose=0).history
        return history["loss"], [w.numpy() for w in model.weights], model

    losses, weights, _ = trained(False, None)
    found, after, model = trained(True, None)
    np.testing.assert_allclose(found, losses, rtol=1e-3)
    for a, b in zip(after, weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-2, atol=2e-3)
    host, _, _ = trained(False, "/CPU:0")
    np.testing.assert_allclose(found, host, rtol=2e-2)


@pytest.mark.gpu
def test_a_traced_step_becomes_a_cuda_graph(plain_mode):
    tf.compile_options(flatten=True)
    w = tf.Variable(np.random.default_rng(0).normal(size=(8, 4)).astype("f"))
    m = tf.Variable(tf.zeros([8, 4]))

    def body(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.tanh(tf.matmul(x, w)) - 1.0))
        g = tape.gradient(loss, w)
        m.assign(0.9 * m + g)
        w.assign_sub(0.05 * m)
        return loss

    step = tf.function(body)
    x = tf.constant(np.random.default_rng(1).normal(size=(16, 8)).astype("f"))
    start = w.numpy()
    losses = [float(step(x)) for _ in range(300)]
    assert "flattened: 1 of 1 regions" in step.explain(), step.explain()
    after = w.numpy()
    w.assign(start), m.assign(tf.zeros([8, 4]))
    np.testing.assert_allclose(losses, [float(body(x)) for _ in range(300)], rtol=1e-2, atol=1e-5)
    np.testing.assert_allclose(after, w.numpy(), rtol=1e-2, atol=1e-4)
    held = w.value()  # its memory is somebody else's from now on
    before = held.numpy()
    float(step(x))
    np.testing.assert_array_equal(held.numpy(), before)
    assert not np.array_equal(w.numpy(), before)
    for _ in range(30):
        float(step(x))
    assert "flattened: 1 of 1 regions" in step.explain(), step.explain()
    other = tf.constant(np.ones((16, 8), "f"))
    expected = body(other)
    w.assign(w)
    assert np.isfinite(float(expected)) and np.isfinite(float(step(other)))


@pytest.mark.gpu
def test_indices_out_of_range_do_not_abort_the_device():
    table = tf.constant([[1.0], [2.0]])
    np.testing.assert_array_equal(tf.gather(table, [0, 5, -1]).numpy(), [[1], [0], [0]])
    np.testing.assert_array_equal(tf.nn.embedding_lookup(table, [1, 7]).numpy(), [[2], [0]])
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits([0, 9], [[0.0, 0.0], [0.0, 0.0]]).numpy()
    assert loss[0] == pytest.approx(np.log(2), rel=1e-5) and np.isnan(loss[1])
    np.testing.assert_array_equal(tf.one_hot([0, 3], 2).numpy(), [[1, 0], [0, 0]])
    np.testing.assert_array_equal(tf.math.unsorted_segment_sum([1.0, 2.0], np.array([0, 5]), 2).numpy(), [1, 0])
    np.testing.assert_array_equal(tf.tensor_scatter_nd_add([0.0, 0.0], [[0], [4]], [1.0, 2.0]).numpy(), [1, 0])
    assert float(tf.reduce_sum(tf.ones([3]))) == 3


@pytest.mark.gpu
def test_pipelines_stay_in_host_memory_and_deliver_to_the_gpu():
    seen = []
    offset = tf.constant(10.0)

    def mapped(x):
        seen.append(x.device)
        return x * 2.0 + offset

    data = tf.data.Dataset.from_tensor_slices(np.arange(6, dtype="f")).map(mapped).batch(2).prefetch(1)
    found = list(data)
    assert all("GPU:0" in t.device for t in found)
    np.testing.assert_array_equal(np.concatenate([t.numpy() for t in found]), np.arange(6) * 2.0 + 10)

    @tf.function
    def total(d):
        s = 0.0
        for x in d:
            s += tf.reduce_sum(x * offset)
        return s

    assert float(total(data)) == float((np.arange(6) * 2.0 + 10).sum() * 10)


@pytest.mark.gpu
def test_whole_numbers_multiply_where_torch_has_no_kernel():
    a = tf.constant([[1, 2], [3, 4]])
    expected = [[7, 10], [15, 22]]
    np.testing.assert_array_equal(tf.matmul(a, a).numpy(), expected)
    np.testing.assert_array_equal(tf.function(lambda x: tf.matmul(x, x) + 0)(a).numpy(), expected)
    np.testing.assert_array_equal(tf.einsum("ij,jk->ik", a, a).numpy(), expected)


@pytest.mark.gpu
def test_tensors_of_both_memories_meet_in_functions():
    with tf.device("/CPU:0"):
        here = tf.constant([[1.0, 2.0]])
    v = tf.Variable([[1.0], [1.0]])
    assert "CPU" in here.device and "GPU" in v.device
    assert float(tf.function(lambda x: tf.matmul(x, v))(here)[0, 0]) == 3
    assert float(tf.matmul(here, v)[0, 0]) == 3
    k = tf.constant(np.ones((2, 2, 1, 1), "f"))
    with tf.device("/CPU:0"):
        image = tf.constant(np.ones((1, 3, 3, 1), "f"))
    np.testing.assert_array_equal(tf.function(lambda x: tf.nn.conv2d(x, k, 1, "VALID"))(image).numpy(), np.full((1, 2, 2, 1), 4, "f"))


@pytest.mark.gpu
def test_tf32_is_on_as_in_tensorflow():
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    try:
        tf.config.experimental.enable_tensor_float_32_execution(True)
        assert tf.config.experimental.tensor_float_32_execution_enabled()
        import torch

        assert torch.get_float32_matmul_precision() == "high"
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


@pytest.mark.gpu
def test_second_derivatives_through_a_custom_gradient():
    @tf.custom_gradient
    def f(x):
        e = tf.exp(x)
        return tf.math.log(1 + e), lambda g: g * (1 - 1 / (1 + e))

    x = tf.Variable(0.5)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = f(x)
        first = inner.gradient(y, x)
    s = 1 / (1 + np.exp(-0.5))
    assert float(outer.gradient(first, x)) == pytest.approx(s * (1 - s), rel=1e-4)
