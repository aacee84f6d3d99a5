"""LSTMs in compiled steps: torch.compile cannot have oneDNN's kernel, so that short ones are compiled step by step and others replayed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tf2compat
import tf2compat as tf
from tf2compat._engine import flat_tier, tiers


@pytest.fixture(autouse=True)
def options() -> Iterator[None]:
    before, scale = tf2compat.compile_options(), tiers.options.scale
    yield
    tf2compat.compile_options(**before)
    tiers.options.scale = scale


def _trained(mode: str, steps: int) -> tuple[Any, Any]:
    tf2compat.compile_options(mode=mode, backend="eager")
    tf.keras.utils.set_random_seed(1)
    model = tf.keras.Sequential([tf.keras.layers.LSTM(4), tf.keras.layers.Dense(3)])
    model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    x, y = np.random.RandomState(0).rand(48, steps, 3).astype("f"), np.arange(48) % 3
    return model.fit(x, y, batch_size=16, epochs=3, verbose=0).history, model.train_tf_function.explain()


@pytest.mark.parametrize("steps", [4, 40])
def test_a_compiled_step_with_an_lstm(steps: int) -> None:
    expected, _ = _trained("never", steps)
    found, told = _trained("always", steps)
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
    np.testing.assert_allclose(found["accuracy"], expected["accuracy"])
    assert "compiled" in told and ("cannot be compiled" in told) == (steps > 32)


@pytest.mark.host
def test_a_step_with_an_lstm_is_flattened(monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder) -> None:
    for name in ("_BASE", "_PER_LINE"):
        monkeypatch.setattr(flat_tier, name, 0.0)
    tf2compat.compile_options(mode="never")
    model = tf.keras.Sequential([tf.keras.layers.LSTM(4), tf.keras.layers.Dense(3)])
    model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = np.random.RandomState(0).rand(48, 5, 3).astype("f"), np.arange(48) % 3
    model.fit(x, y, batch_size=16, epochs=4, verbose=0)
    told = model.train_tf_function.explain()
    assert "gave other values" not in told and "flattened: 1 of 1 regions" in told
    assert not [w for w in recwarn if "resized" in str(w.message)]
