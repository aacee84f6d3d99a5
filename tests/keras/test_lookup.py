"""StringLookup, IntegerLookup and TextVectorization against what Keras 2 answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tf2compat as tf

L = tf.keras.layers
ROWS = [["a", "b", "z"], ["c", "", "a"]]
TEXTS = ["Foo bar, BAZ!", "hello  foo"]
ABC = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("arguments", "inputs", "expected"),
    [
        (dict(vocabulary=ABC), ROWS, [[1, 2, 0], [3, 0, 1]]),
        (dict(vocabulary=ABC, mask_token=""), ROWS, [[2, 3, 1], [4, 0, 2]]),
        (dict(vocabulary=ABC, mask_token="", output_mode="multi_hot"), ROWS, [[1, 1, 1, 0], [0, 1, 0, 1]]),
        (dict(vocabulary=ABC, output_mode="count"), ROWS, [[1, 1, 1, 0], [1, 1, 0, 1]]),
        (dict(vocabulary=ABC, output_mode="one_hot"), ["a", "q"], [[0, 1, 0, 0], [1, 0, 0, 0]]),
        (dict(vocabulary=ABC, num_oov_indices=2), ["a", "q", "r", "s"], [2, 1, 1, 1]),
        (dict(vocabulary=ABC, invert=True), [[1, 3], [0, 9]], [[b"a", b"c"], [b"[UNK]", b"[UNK]"]]),
        (dict(vocabulary=ABC[:2], output_mode="multi_hot", max_tokens=6, pad_to_max_tokens=True), ["a", "q"], [1, 1, 0, 0, 0, 0]),
    ],
)
def test_string_lookup(arguments: dict[str, Any], inputs: Any, expected: Any) -> None:
    assert L.StringLookup(**arguments)(inputs).numpy().tolist() == expected


@pytest.mark.parametrize(
    ("arguments", "inputs", "expected"),
    [
        (dict(vocabulary=[12, 36, 1138, 42]), [[12, 1138, 42], [42, 1000, 36]], [[1, 3, 4], [4, 0, 2]]),
        (dict(vocabulary=[12, 36], mask_token=0), [[12, 0, 5]], [[2, 0, 1]]),
        (dict(vocabulary=[12, 36], invert=True), [[1, 0, 2, 7]], [[12, -1, 36, -1]]),
    ],
)
def test_integer_lookup(arguments: dict[str, Any], inputs: Any, expected: Any) -> None:
    assert L.IntegerLookup(**arguments)(inputs).numpy().tolist() == expected


def test_adapt_ranks_by_frequency_then_backwards() -> None:
    layer = L.StringLookup()
    layer.adapt([["a", "c", "d"], ["d", "z", "z"]])
    assert layer.get_vocabulary() == ["[UNK]", "z", "d", "c", "a"]
    layer = L.StringLookup(max_tokens=3, mask_token="")
    layer.adapt(np.array(["d", "d", "z", "z", "z", "a", ""]))
    assert layer.get_vocabulary() == ["", "[UNK]", "z"]
    assert layer.get_vocabulary(include_special_tokens=False) == ["z"]
    again = L.StringLookup.from_config(layer.get_config())
    assert again.get_config() == layer.get_config() and again.vocabulary_size() == 2


@pytest.mark.parametrize(
    ("arguments", "vocabulary", "expected"),
    [
        ({}, ["", "[UNK]", "foo", "hello", "baz", "bar"], [[2, 5, 4], [3, 2, 0]]),
        (dict(output_sequence_length=2), ["", "[UNK]", "foo", "hello", "baz", "bar"], [[2, 5], [3, 2]]),
        (dict(output_sequence_length=5, max_tokens=4), ["", "[UNK]", "foo", "hello"], [[2, 1, 1, 0, 0], [3, 2, 0, 0, 0]]),
        (dict(output_mode="multi_hot"), ["[UNK]", "foo", "hello", "baz", "bar"], [[0, 1, 0, 1, 1], [0, 1, 1, 0, 0]]),
        (
            dict(ngrams=2),
            ["", "[UNK]", "foo", "hello foo", "hello", "foo bar", "baz", "bar baz", "bar"],
            [[2, 8, 6, 5, 7], [4, 2, 3, 0, 0]],
        ),
        (dict(ngrams=(2,)), ["", "[UNK]", "hello foo", "foo bar", "bar baz"], [[3, 4], [2, 0]]),
        (dict(standardize=None, split=None), ["", "[UNK]", "hello  foo", "Foo bar, BAZ!"], [3, 2]),
        (dict(standardize="lower"), ["", "[UNK]", "foo", "hello", "baz!", "bar,"], [[2, 5, 4], [3, 2, 0]]),
    ],
)
def test_text_vectorization(arguments: dict[str, Any], vocabulary: list[str], expected: Any) -> None:
    layer = L.TextVectorization(**arguments)
    layer.adapt(TEXTS)
    assert layer.get_vocabulary() == vocabulary
    assert layer(TEXTS).numpy().tolist() == expected


def test_tf_idf() -> None:
    layer = L.TextVectorization(output_mode="tf_idf")
    layer.adapt(TEXTS)
    np.testing.assert_allclose(
        layer(TEXTS).numpy(), [[0.0, 0.5108256, 0.0, 0.6931472, 0.6931472], [0.0, 0.5108256, 0.6931472, 0.0, 0.0]], rtol=1e-5
    )


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: L.StringLookup(vocabulary=["a", "a"]), ValueError, "repeated term"),
        (lambda: L.StringLookup()(["a"]), tf.errors.FailedPreconditionError, "not initialized"),
        (lambda: L.StringLookup(vocabulary=ABC, num_oov_indices=0)(["q"]), tf.errors.InvalidArgumentError, "found OOV values"),
        (lambda: L.StringLookup(max_tokens=1), ValueError, "greater than 1"),
        (lambda: L.TextVectorization(vocabulary=["foo"])([["a", "b"]]), ValueError, "(1, 2)"),
        (lambda: L.CategoryEncoding(num_tokens=2)([3]), tf.errors.InvalidArgumentError, "num_tokens=2"),
        (lambda: L.CategoryEncoding(), ValueError, "num_tokens must be set"),
        (lambda: L.Normalization(mean=1.0), ValueError, "must be set"),
    ],
)
def test_wrong_use(make: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert says in str(caught.value)


def test_normalization_adapts() -> None:
    data = np.random.RandomState(0).normal(3, 2, (50, 2)).astype("float32")
    for size in (None, 16):
        layer = L.Normalization()
        layer.adapt(data, batch_size=size)
        np.testing.assert_allclose(layer.mean.numpy()[0], data.mean(0), rtol=1e-4)
        np.testing.assert_allclose(layer.variance.numpy()[0], data.var(0), rtol=1e-4)
        np.testing.assert_allclose(layer(data).numpy(), (data - data.mean(0)) / data.std(0), atol=1e-4)


def test_discretization_adapts() -> None:
    layer = L.Discretization(num_bins=4)
    layer.adapt(np.arange(100, dtype="float32"))
    np.testing.assert_allclose(layer.bin_boundaries, [25, 50, 75], atol=2.5)
    assert layer([0.0, 99.0]).numpy().tolist() == [0, 3]
