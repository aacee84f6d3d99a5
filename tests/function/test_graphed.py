"""What a CUDA graph performs, on the host: the steps of a region on memory of the moment, again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tf2compat as tf
from tf2compat import compile_options
from tf2compat._engine import flat_tier, flattened, graphed, recording

pytestmark = pytest.mark.host
LOSS = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class Again:
    """In the place of a CUDA graph: its steps are performed at each launch."""

    count = 0

    def __init__(self, performance: graphed.Performance, results: list[Any]) -> None:
        self.performance, self.results = performance, results
        Again.count += 1

    def replay(self) -> None:
        with torch.no_grad():
            for held, new in zip(self.results, self.performance.run(), strict=True):
                if held is not None:
                    held.copy_(new)
        assert not self.performance.made


def captured(self: graphed.Graphed, performance: graphed.Performance) -> Any:
    before = [v._t.clone() for v in self.owned]
    with torch.no_grad():
        results = [None if r is None else r.clone() for r in performance.run()]
        for v, value in zip(self.owned, before, strict=True):
            v._t.copy_(value)
    return Again(performance, results), results


@pytest.fixture(autouse=True)
def graphs_of_the_host(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in (("_BASE", 0.0), ("_PER_LINE", 0.0), ("_CALLS", 1), ("_TRIAL", -1), ("_WARM", 10**9)):
        monkeypatch.setattr(flat_tier, name, value)
    monkeypatch.setattr(flattened, "_gpu", lambda args, variables: torch.device("cpu"))
    monkeypatch.setattr(recording, "_room", lambda gpu: 1 << 36)
    monkeypatch.setattr(graphed.Graphed, "_captured", captured)
    before = compile_options()
    compile_options(mode="never", flatten=True)
    yield
    compile_options(mode=before["mode"], flatten=before["flatten"])


def dense() -> Any:
    layers = tf.keras.layers
    return tf.keras.Sequential([layers.Dense(16, activation="relu"), layers.BatchNormalization(), layers.Dense(4)]), (8,)


def convolutions() -> Any:
    layers = tf.keras.layers
    return tf.keras.Sequential([
        layers.Conv2D(8, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(4),
    ]), (8, 8, 2)  # fmt: skip


def attention() -> Any:
    layers = tf.keras.layers
    x = layers.Input((6, 8))
    y = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 4)(x, x)]))
    return tf.keras.Model(x, layers.Dense(4)(layers.GlobalAveragePooling1D()(y))), (6, 8)


def words() -> Any:
    layers = tf.keras.layers
    x = layers.Input((6,))
    y = layers.Embedding(12, 8)(x) + layers.Embedding(6, 8)(tf.range(6))
    return tf.keras.Model(x, layers.Dense(4)(layers.Flatten()(y))), (6,)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("make", [dense, convolutions, attention, words])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_training_is_as_replayed(make: Any, policy: str, optimizer: str) -> None:
    def trained(flatten: bool) -> tuple[list[float], list[Any]]:
        compile_options(flatten=flatten)
        tf.keras.backend.clear_session()
        tf.keras.utils.set_random_seed(3)
        rng = np.random.default_rng(0)
        tf.keras.mixed_precision.set_global_policy(policy)
        try:
            model, shape = make()
            model.build((None, *shape))
            model.compile({"adam": tf.keras.optimizers.Adam(0.01), "sgd": tf.keras.optimizers.SGD(0.1, momentum=0.9)}[optimizer], LOSS, metrics=["accuracy"])
            x = rng.integers(0, 12, (32, *shape)) if make is words else rng.normal(size=(32, *shape)).astype("f")
            y = rng.integers(0, 4, 32)
            losses = [model.train_on_batch(x, y)[0] for _ in range(6)]
            return losses, [model.evaluate(x, y, verbose=0), model.predict(x, verbose=0)]
        finally:
            tf.keras.mixed_precision.set_global_policy("float32")

    losses, (after, outputs) = trained(False)
    count = Again.count
    found, (after_graph, outputs_graph) = trained(True)
    assert Again.count > count
    loose = 2e-2 if policy != "float32" else 1e-3
    np.testing.assert_allclose(found, losses, rtol=loose)
    np.testing.assert_allclose(after_graph[0], after[0], rtol=loose)
    np.testing.assert_allclose(np.asarray(outputs_graph, "f"), np.asarray(outputs, "f"), rtol=0.1, atol=loose)


def test_what_is_recorded_is_let_go_of() -> None:
    """A performance holds its inputs, constants, variables and results, and nothing that it makes on the way."""
    kept: list[graphed.Performance] = []
    plain = graphed.Performance.forget

    def forget(self: graphed.Performance) -> None:
        plain(self)
        kept.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphed.Performance, "forget", forget)
        w = tf.Variable(tf.ones([4, 4]))

        @tf.function
        def f(x: Any) -> Any:
            for _ in range(8):
                x = tf.tanh(tf.matmul(x, w))
            w.assign_add(tf.matmul(x, x, transpose_a=True))
            return x

        x = tf.ones([3, 4])
        first = [f(x).numpy() for _ in range(3)]
    (performance,) = kept
    views = [v for s in performance.steps for v in (*s.reads, *s.writes) if v.block.kind == "own"]
    assert len(views) > 10
    assert all(v.t is graphed._GONE for v in views if v.block.dynamic)
    compile_options(flatten=False)
    v = tf.Variable(tf.ones([4, 4]))
    for expected in first:
        y = x
        for _ in range(8):
            y = tf.tanh(tf.matmul(y, v))
        v.assign_add(tf.matmul(y, y, transpose_a=True))
        np.testing.assert_allclose(expected, y, rtol=1e-6)


def test_a_tensor_placed_on_the_memory_of_another_is_a_view_of_it() -> None:
    """As torch takes the weights of a fused recurrence; whole numbers beside tensors, as of its attention, are sizes."""
    recorder = recording.Recorder(False, None)
    x = torch.arange(4.0)
    recorder.known(x, "input", 0)
    with recorder:
        y = x * 2
        z = torch.empty(0).set_(y.untyped_storage())
        w = z + 1
    (add,) = [s for s in recorder.steps if s.func is torch.ops.aten.add.Tensor]
    (mul,) = [s for s in recorder.steps if s.func is torch.ops.aten.mul.Tensor]
    assert add.reads[0].block is mul.writes[0].block and add.reads[0].block.dynamic
    np.testing.assert_array_equal(w, [1, 3, 5, 7])
