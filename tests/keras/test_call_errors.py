"""Errors inside a layer's call say which layer it was and what it was called with, as Keras 2 says it."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import tf2compat as tf

K = tf.keras


class Failing(K.layers.Layer):
    def call(self, x: Any, flag: int = 3) -> Any:
        raise ValueError("boom")


def test_eager_call() -> None:
    with pytest.raises(ValueError) as info:
        Failing(name="f")(tf.ones((2, 3)))
    assert str(info.value) == (
        "Exception encountered when calling layer 'f' (type Failing).\n\nboom\n\nCall arguments received by layer 'f' (type Failing):\n"
        "  • x=tf.Tensor(shape=(2, 3), dtype=float32)\n  • flag=3"
    )
    assert any(entry.name == "call" for entry in info.traceback)  # the user's frame is still there


def test_symbolic_call() -> None:
    with pytest.raises(ValueError) as info:
        Failing(name="f")(K.Input((3,)))
    text = str(info.value)
    assert text.startswith('Exception encountered when calling layer "f" (type Failing).\n\nin user code:\n\n    File "')
    assert "    ValueError: boom\n" in text
    assert text.endswith('Call arguments received by layer "f" (type Failing):\n  • x=tf.Tensor(shape=(None, 3), dtype=float32)\n  • flag=3')


def test_only_the_innermost_layer_tells() -> None:
    model = K.Sequential([K.layers.Dense(2), Failing(name="f")])
    with pytest.raises(ValueError) as info:
        model(tf.ones((2, 3)))
    assert str(info.value).count("Exception encountered") == 1
    assert "layer 'f'" in str(info.value)


def test_op_errors_keep_class_and_code() -> None:
    class Product(K.layers.Layer):
        def call(self, x: Any) -> Any:
            return tf.matmul(x, tf.ones((7, 7)))

    with pytest.raises(tf.errors.InvalidArgumentError, match="(?s)calling layer 'product'.*Matrix size-incompatible") as info:
        Product(name="product")(tf.ones((2, 3)))
    assert info.value.error_code == tf.errors.INVALID_ARGUMENT


def test_exception_that_needs_arguments() -> None:
    class Odd(Exception):
        def __init__(self, a: int, b: int) -> None:
            super().__init__(f"{a} and {b}")

    class Raises(K.layers.Layer):
        def call(self, x: Any) -> Any:
            raise Odd(1, 2)

    with pytest.raises(RuntimeError, match="1 and 2"):
        Raises()(tf.ones(2))


def test_wrong_rank_is_told_by_the_layer_inside() -> None:
    model = K.Sequential([K.layers.Input((28, 28)), K.layers.Flatten(), K.layers.Dense(3, name="d")], name="s")
    with pytest.raises(ValueError, match=r"(?s)layer 's' \(type Sequential\).*Input 0 of layer \"d\" is incompatible.*axis -1 of input shape"):
        model(tf.zeros((28, 28)))
    assert model(tf.zeros((3, 28, 28, 1))).shape == (3, 3)


def test_rnn_without_a_known_length() -> None:
    model = K.Sequential([K.layers.RNN(K.layers.LSTMCell(4), input_shape=(None, 2)), K.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 5, 2), "float32"), np.ones((4, 1), "float32"), verbose=0)
    other = K.layers.RNN(model.layers[0].cell)
    x = np.random.rand(3, 6, 2).astype("float32")
    np.testing.assert_allclose(model.layers[0](x), other(x), rtol=1e-5)


def test_rnn_of_a_named_tuple() -> None:
    Pair = namedtuple("Pair", ["a", "b"])

    class Cell(K.layers.Layer):
        state_size = Pair(3, tf.TensorShape([2, 2]))
        output_size = 3

        def build(self, shapes: Any) -> None:
            self.kernel = self.add_weight(shape=(shapes.a[1], 3), name="kernel")

        def call(self, inputs: Any, states: Any) -> Any:
            a, b = tf.nest.flatten(inputs)
            one, two = states
            out = one + tf.matmul(a, self.kernel)
            return out, Pair(out, two + b)

    first, second = K.Input((None, 5)), K.Input((None, 2, 2))
    model = K.Model([first, second], K.layers.RNN(Cell())(Pair(first, second)))
    assert model([tf.ones((4, 6, 5)), tf.ones((4, 6, 2, 2))]).shape == (4, 3)


def test_overriding_compute_mask_supports_masking() -> None:
    class Halves(K.layers.Layer):
        def call(self, x: Any) -> Any:
            return tf.split(x, 2, axis=1)

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return None if mask is None else tf.split(mask, 2, axis=1)

    first, second = Halves()(K.layers.Embedding(5, 2, mask_zero=True)(np.array([[1, 2, 0, 0]])))
    assert first._keras_mask.numpy().tolist() == [[True, True]]
    assert second._keras_mask.numpy().tolist() == [[False, False]]
