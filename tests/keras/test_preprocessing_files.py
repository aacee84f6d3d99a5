"""Preprocessing layers keep what `adapt` found in every format of files, and tables work in saved functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tf2compat as tf

L = tf.keras.layers
_NUMBERS = np.linspace(-1.0, 3.0, 30, dtype="float32").reshape(10, 3)
_WORDS = ["a b c", "b c", "c"]

CASES: dict[str, tuple[Any, Any, Any]] = {
    "text": (lambda: L.TextVectorization(output_sequence_length=4), _WORDS, ["a q", "b"]),
    "tf_idf": (lambda: L.TextVectorization(output_mode="tf_idf", ngrams=2), _WORDS, ["a q", "b"]),
    "strings": (lambda: L.StringLookup(), _WORDS, [["b c"], ["z"]]),
    "integers": (lambda: L.IntegerLookup(output_mode="multi_hot"), [5, 6, 6], [[5], [7]]),
    "normalization": (lambda: L.Normalization(), _NUMBERS, _NUMBERS[:2]),
    "discretization": (lambda: L.Discretization(num_bins=3), _NUMBERS, _NUMBERS[:2]),
}


def _model(layer: Any, x: Any) -> Any:
    inputs = tf.keras.Input(x.shape[1:], dtype=x.dtype)
    layers = [inputs, layer]
    if x.dtype == tf.float32 or getattr(layer, "output_mode", "int") != "int":
        layers.append(L.Dense(2))  # its kernel depends on the size of the vocabulary
    return tf.keras.Sequential(layers)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("suffix", ["", ".keras", ".h5"])
def test_adapted_layers_come_back(name: str, suffix: str, tmp_path: Path) -> None:
    make, data, x = CASES[name]
    layer = make()
    layer.adapt(tf.constant(data))
    x = tf.constant(x)
    model = _model(layer, x)
    want = model(x)
    path = str(tmp_path / f"model{suffix}")
    if suffix == ".h5" and hasattr(layer, "get_vocabulary"):
        with pytest.raises(NotImplementedError, match="is not supported in h5"):
            model.save(path)
        return
    model.save(path)
    np.testing.assert_array_equal(tf.keras.models.load_model(path, compile=False)(x), want)
    if not suffix:
        loaded = tf.saved_model.load(path)
        np.testing.assert_array_equal(loaded(x, training=False), want)
        np.testing.assert_array_equal(next(iter(loaded.signatures["serving_default"](x).values())), want)


def test_saved_functions_share_tables(tmp_path: Path) -> None:
    class Words(tf.Module):
        def __init__(self) -> None:
            self.known = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([1, 2], tf.int64)), -1)
            self.seen = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def find(self, words: Any) -> Any:
            return self.known.lookup(words), self.seen.lookup(words)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def put(self, words: Any) -> Any:
            self.seen.insert(words, tf.fill(tf.shape(words), tf.constant(7, tf.int64)))
            return tf.size(words)

    words = Words()
    words.put(tf.constant(["early"]))
    tf.saved_model.save(words, str(tmp_path / "words"))
    loaded = tf.saved_model.load(str(tmp_path / "words"))
    loaded.put(tf.constant(["z"]))
    known, seen = loaded.find(tf.constant(["a", "z", "early"]))
    assert known.numpy().tolist() == [1, -1, -1] and seen.numpy().tolist() == [-1, 7, 7]
    assert words.find(tf.constant(["z"]))[1].numpy().tolist() == [-1]


def test_functions_that_a_model_has_are_saved(tmp_path: Path) -> None:
    class Steps(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.ids = L.StringLookup(vocabulary=["a", "b"])
            self.dense = L.Dense(2)

        @tf.function
        def step(self, words: Any, state: Any = None) -> Any:
            y = self.dense(tf.cast(self.ids(words), tf.float32)[:, None])
            return y if state is None else y + state

    model = Steps()
    first = model.step(tf.constant(["a", "z"]))
    second = model.step(tf.constant(["a", "z"]), first)
    tf.saved_model.save(model, str(tmp_path / "steps"))
    loaded = tf.saved_model.load(str(tmp_path / "steps"))
    np.testing.assert_array_equal(loaded.step(tf.constant(["a", "z"])), first)
    np.testing.assert_array_equal(loaded.step(tf.constant(["a", "z"]), first), second)
