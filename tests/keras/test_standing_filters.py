"""Convolutions keep packed filters while these do not change: whoever changes them, and however, the next result is of the new ones."""

from __future__ import annotations

import copy
import gc
import io
from typing import Any

import numpy as np
import pytest
import torch

import tf2compat as tf
from tf2compat._engine.held import _of, held
from tf2compat.nn import _filters

pytestmark = pytest.mark.host

X = np.random.default_rng(0).standard_normal((2, 6, 6, 64)).astype("float32")


def expected(filters: Any) -> np.ndarray:
    x, w = torch.from_numpy(X).double(), torch.from_numpy(np.array(filters)).double()
    return torch.nn.functional.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1)).permute(0, 2, 3, 1).numpy()


def standing(shape: Any = (3, 3, 64, 128)) -> tf.Variable:
    """A filter that is packed."""
    v = tf.Variable(np.random.default_rng(1).standard_normal(shape).astype("float32") * 0.1)
    for _ in range(3):
        same(v)
    if torch.backends.mkldnn.is_available():
        assert held(v._t)["alone"][2] is not None
    return v


def same(v: tf.Variable) -> None:
    found = tf.nn.conv2d(X, v, 1, "VALID").numpy()
    np.testing.assert_allclose(found, expected(v.numpy()), rtol=1e-4, atol=1e-4)
    traced = tf.function(lambda: tf.nn.conv2d(X, v, 1, "VALID"))
    np.testing.assert_allclose(traced().numpy(), found, rtol=1e-4, atol=1e-4)


def halved(v: tf.Variable) -> Any:
    return tf.constant(v.numpy() * 0.5)


def by_tape(v: tf.Variable, times: int) -> Any:
    optimizer = tf.keras.optimizers.Adam(0.1)
    optimizer.build([v])

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.nn.conv2d(X, v, 1, "VALID") ** 2)
        optimizer.apply_gradients([(tape.gradient(loss, v), v)])

    for _ in range(times):
        step()
    return step


WRITES = {
    "assign": lambda v: v.assign(halved(v)),
    "assign_add": lambda v: v.assign_add(halved(v)),
    "assign of a part": lambda v: v[0].assign(tf.ones([3, 64, 128])),
    "scatter": lambda v: v.scatter_update(tf.IndexedSlices(tf.ones([1, 3, 64, 128]), tf.constant([1]))),
    "batch of numpy": lambda v: tf.keras.backend.batch_set_value([(v, v.numpy() * 3.0)]),
    "through torch": lambda v: v.torch().mul_(2.0),
    "in a function": lambda v: tf.function(lambda: v.assign(v * 0.5))(),
    "by Adam": lambda v: by_tape(v, 1),
    "by Adam, often": lambda v: by_tape(v, 60),
    "past the count": lambda v: torch._fused_adam_(
        [v.torch()], *[[torch.ones_like(v.torch())] for _ in range(3)], [], [torch.ones(())],
        lr=0.1, beta1=0.9, beta2=0.99, weight_decay=0.0, eps=1e-7, amsgrad=False, maximize=False,
    ),
    "by SGD": lambda v: tf.keras.optimizers.SGD(0.1).apply_gradients([(tf.ones(v.shape), v)]),
}


@pytest.mark.parametrize("name", WRITES)
def test_change(name: str) -> None:
    v = standing()
    before = v.numpy().copy()
    WRITES[name](v)
    assert not np.array_equal(before, v.numpy())
    same(v)


@pytest.mark.parametrize("mode", ["never", "always"])
def test_change_past_torch(mode: str) -> None:
    """By a function that is flattened, or compiled; the filter is packed again between its calls."""
    before = tf.compile_options()
    tf.compile_options(mode=mode, backend="eager")
    try:
        v = standing()

        @tf.function
        def change() -> None:
            for _ in range(5):
                v.assign(0.9 * tf.sin(v) + 0.01 * tf.cos(v))

        for i in range(3000):
            change()
            if i > 10 and (mode == "always" or "flattened: 1 of 1" in change.explain()):
                break
        for _ in range(3):
            same(v)
        change()
        same(v)
    finally:
        tf.compile_options(**before)


@pytest.mark.parametrize("format", ["tensorflow", "safetensors"])
def test_restored(tmp_path: Any, format: str) -> None:
    v = standing()
    checkpoint = tf.train.Checkpoint(v=v)
    path = checkpoint.write(str(tmp_path / "c"), tf.train.CheckpointOptions(experimental_format=format))
    saved = v.numpy().copy()
    v.assign(tf.zeros(v.shape))
    for _ in range(3):
        same(v)
    checkpoint.read(path)
    np.testing.assert_array_equal(v.numpy(), saved)
    same(v)


def test_nothing_is_kept_where_somebody_records() -> None:
    v = standing()
    x = tf.Variable(X)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.nn.conv2d(x, v, 1, "VALID") ** 2)
    by_x, by_v = tape.gradient(y, [x, v])
    assert float(tf.norm(by_x)) > 0 and float(tf.norm(by_v)) > 0
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as forward:
        z = tf.nn.conv2d(x, v, 1, "VALID")
    np.testing.assert_allclose(forward.jvp(z).numpy(), tf.nn.conv2d(tf.ones_like(x), v, 1, "VALID").numpy(), rtol=1e-4, atol=1e-4)
    rows = tf.vectorized_map(lambda row: tf.nn.conv2d(row[None], v, 1, "VALID")[0], x.value())
    np.testing.assert_allclose(rows.numpy(), z.numpy(), rtol=1e-4, atol=1e-4)


def test_small_and_moving_filters_are_not_kept() -> None:
    small = tf.Variable(tf.ones([3, 3, 64, 8]))
    for _ in range(3):
        tf.nn.conv2d(X, small, 1, "VALID")
    assert (held(small._t) or {}).get("alone") is None
    moving = tf.Variable(tf.ones([3, 3, 64, 128]))
    for _ in range(3):
        tf.nn.conv2d(X, moving, 1, "VALID")
        moving.assign_add(tf.ones_like(moving))
    assert held(moving._t)["alone"][2] is None


@pytest.mark.parametrize("rows", [3, 8])
def test_pointwise_convolutions(rows: int) -> None:
    """Few rows are a product of matrices, many a convolution."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((rows, 30, 30, 16)).astype("float32")
    w, b = rng.standard_normal((1, 1, 16, 4)).astype("float32"), rng.standard_normal(4).astype("float32")
    assert _filters.few_rows(torch.from_numpy(x).permute(0, 3, 1, 2)) == (rows == 3)
    layer = tf.keras.layers.Conv2D(4, 1)
    layer.build(x.shape)
    layer.set_weights([w, b])
    with tf.GradientTape() as tape:
        y = layer(tf.constant(x))
        loss = tf.reduce_sum(y**2)
    np.testing.assert_allclose(y.numpy(), x @ w[0, 0] + b, rtol=1e-4, atol=1e-4)
    by_w, by_b = tape.gradient(loss, layer.trainable_variables)
    g = 2 * (x @ w[0, 0] + b).astype("float64")
    np.testing.assert_allclose(by_w.numpy()[0, 0], np.einsum("nhwi,nhwo->io", x, g), rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(by_b.numpy(), g.sum((0, 1, 2)), rtol=1e-3, atol=1e-2)


def test_what_is_kept_goes_with_the_filter_and_not_into_copies() -> None:
    v = standing()
    before = len(_of)
    copied = copy.deepcopy(v.torch())
    assert held(copied) is None
    file = io.BytesIO()
    torch.save({"w": v.torch()}, file)
    file.seek(0)
    torch.testing.assert_close(torch.load(file, weights_only=True)["w"], copied)
    del v
    gc.collect()
    assert len(_of) < before
