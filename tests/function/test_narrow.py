"""Products of 16-bit floats are those of float32, rounded once, on CPUs that have no instructions for them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import tf2compat as tf
from tf2compat._engine import narrow


@pytest.fixture(params=[torch.float16, torch.bfloat16], ids=str)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(narrow, "_native", lambda dtype: False)
    return request.param


@pytest.mark.host
def test_products(kind: torch.dtype) -> None:
    a, b = torch.randn(3, 40).to(kind), torch.randn(40, 5).to(kind)
    want = (a.float() @ b.float()).to(kind)
    for found in (tf.matmul(a, b), tf.einsum("ij,jk->ik", a, b), tf.tensordot(a, b, 1), tf.function(tf.matmul)(a, b)):
        assert torch.equal(found.torch(), want)


def test_gradients_keep_the_dtype(kind: torch.dtype) -> None:
    x = tf.convert_to_tensor(torch.randn(2, 6, 3).to(kind))
    layer = tf.keras.layers.LSTM(4, dtype=x.dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    found = tape.gradient(y, [x, *layer.trainable_variables])
    assert y.dtype == x.dtype and all(g.dtype == x.dtype for g in found)
