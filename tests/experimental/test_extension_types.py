"""Extension types, ragged and sparse tensors in saved functions, Keras and datasets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tf2compat as tf


class Masked(tf.experimental.BatchableExtensionType):
    __name__ = "tf2compat_tests.Masked"
    values: tf.Tensor
    mask: tf.Tensor

    shape = property(lambda self: self.values.shape)
    dtype = property(lambda self: self.values.dtype)

    class Spec:
        def __init__(self, shape: Any, dtype: Any = tf.float32) -> None:
            self.values = tf.TensorSpec(shape, dtype)
            self.mask = tf.TensorSpec(shape, tf.bool)

        shape = property(lambda self: self.values.shape)
        dtype = property(lambda self: self.values.dtype)


class Unmask(tf.keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return tf.where(x.mask, x.values, 0.0)


MASKED = Masked([[1.0, 2], [3, 4], [5, 6]], [[True, False], [False, True], [True, True]])


def test_keras_model_of_an_extension_type() -> None:
    model = tf.keras.Sequential([tf.keras.layers.Input(type_spec=Masked.Spec([None, 2])), Unmask(), tf.keras.layers.Dense(1)])
    expected = model.layers[-1](tf.constant([[1.0, 0], [0, 4], [5, 6]]))
    np.testing.assert_allclose(model(MASKED), expected)
    model.compile("sgd", "mse")
    model.fit(MASKED, np.ones((3, 1)), epochs=2, batch_size=2, verbose=0)
    assert model.predict(MASKED, verbose=0).shape == (3, 1)


def test_keras_models_of_ragged_and_sparse_tensors() -> None:
    rows = tf.ragged.constant([[1, 2, 3], [4], [], [5, 6]])
    model = tf.keras.Sequential([
        tf.keras.layers.Input([None], dtype=tf.int64, ragged=True), tf.keras.layers.Embedding(10, 4), tf.keras.layers.LSTM(3),
    ])  # fmt: skip
    alone = model(tf.ragged.constant([[5, 6]]))
    np.testing.assert_allclose(model(rows)[3], alone[0], atol=1e-6)
    model.compile("sgd", "mse")
    model.fit(rows, np.ones((4, 3)), batch_size=2, verbose=0)
    sequences = tf.keras.layers.GRU(2, return_sequences=True)(tf.ragged.constant([[[1.0], [2.0]], [[3.0]]], ragged_rank=1))
    assert isinstance(sequences, tf.RaggedTensor) and sequences.row_lengths().numpy().tolist() == [2, 1]

    x = tf.keras.Input((4,), sparse=True)
    dense = tf.keras.Model(x, tf.keras.layers.Dense(2)(x))
    st = tf.SparseTensor([(0, 0), (1, 3)], [1, 1], (2, 4))
    np.testing.assert_allclose(dense(st), dense(tf.cast(tf.sparse.to_dense(st), tf.float32)), atol=1e-6)
    dense.compile("sgd", "mse")
    dense.fit(tf.cast(st, tf.float32), np.ones((2, 2)), batch_size=1, verbose=0)


def test_saved_functions(tmp_path: Any) -> None:
    class Module(tf.Module):
        @tf.function
        def double(self, x: Any) -> Any:
            return Masked(x.values * 2.0, x.mask)

        @tf.function
        def rows(self, x: Any) -> Any:
            return tf.concat([x, x], 1), tf.reduce_sum(x)

        @tf.function
        def places(self, x: Any) -> Any:
            return tf.sparse.add(x, x)

    module = Module()
    module.double.get_concrete_function(Masked.Spec(None))
    module.rows.get_concrete_function(tf.RaggedTensorSpec([None, None], tf.float32))
    module.places.get_concrete_function(tf.SparseTensorSpec([None, None], tf.float32))
    tf.saved_model.save(module, str(tmp_path / "m"))
    loaded = tf.saved_model.load(str(tmp_path / "m"))
    out = loaded.double(MASKED)
    assert isinstance(out, Masked) and out.values.numpy().tolist() == [[2, 4], [6, 8], [10, 12]]
    joined, total = loaded.rows(tf.ragged.constant([[1.0], [2.0, 3.0]]))
    assert joined.to_list() == [[1, 1], [2, 3, 2, 3]] and float(total) == 6
    assert tf.sparse.to_dense(loaded.places(tf.sparse.from_dense([[1.0, 0], [0, 2.0]]))).numpy().tolist() == [[2, 0], [0, 4]]


def test_a_type_without_a_name_is_not_saved(tmp_path: Any) -> None:
    class Local(tf.experimental.ExtensionType):
        x: tf.Tensor

    class Module(tf.Module):
        @tf.function
        def same(self, x: Any) -> Any:
            return x

    module = Module()
    module.same(Local([1.0]))
    with pytest.raises(Exception, match="needs a `__name__`"):
        tf.saved_model.save(module, str(tmp_path / "m"))


def test_dispatch_on_a_function_made_of_ops() -> None:
    @tf.experimental.dispatch_for_api(tf.math.reduce_euclidean_norm, {"input_tensor": Masked})
    def norm(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: Any = None) -> Any:
        return tf.math.reduce_euclidean_norm(tf.where(input_tensor.mask, input_tensor.values, 0.0), axis, keepdims)

    assert float(tf.math.reduce_euclidean_norm(Masked([3.0, 9.0, 4.0], [True, False, True]))) == 5.0
    assert float(tf.math.reduce_euclidean_norm(tf.constant([3.0, 4.0]))) == 5.0
    tf.experimental.unregister_dispatch_for(norm)
    with pytest.raises(ValueError):
        tf.math.reduce_euclidean_norm(MASKED)


def test_ragged_rows_in_functions() -> None:
    @tf.function
    def f(rt: Any) -> Any:
        total = 0
        for row in rt:
            total += tf.reduce_sum(row) * tf.size(row)
        return total, tf.map_fn(lambda r: r[::-1], rt), tf.tile(rt, [1, 2]), rt[:, -1:], tf.where(rt > 2)

    total, backwards, tiled, last, places = f(tf.ragged.constant([[1, 2, 3], [], [4, 5]]))
    assert int(total) == 6 * 3 + 9 * 2
    assert backwards.to_list() == [[3, 2, 1], [], [5, 4]]
    assert tiled.to_list() == [[1, 2, 3, 1, 2, 3], [], [4, 5, 4, 5]]
    assert last.to_list() == [[3], [], [5]] and places.numpy().tolist() == [[0, 2], [2, 0], [2, 1]]


def test_an_eager_tensor_is_watched_in_a_function() -> None:
    w = tf.constant([1.0, 2.0])

    @tf.function
    def f(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(w)
            y = tf.reduce_sum(w * x)
        return tape.gradient(y, w)

    assert f(tf.constant([3.0, 4.0])).numpy().tolist() == [3, 4]


def test_functions_called_by_saved_functions(tmp_path: Any) -> None:
    class Module(tf.Module):
        @tf.function
        def inner(self, x: Masked) -> Any:
            return tf.reduce_sum(tf.where(x.mask, x.values, 0.0))

        @tf.function
        def outer(self, values: Any, mask: Any) -> Any:
            return self.inner(Masked(values, mask))

    module = Module()
    module.outer.get_concrete_function(tf.TensorSpec(None, tf.float32), tf.TensorSpec(None, tf.bool))
    tf.saved_model.save(module, str(tmp_path / "m"))
    assert float(tf.saved_model.load(str(tmp_path / "m")).outer(tf.constant([1.0, 2.0]), tf.constant([False, True]))) == 2


def test_a_saved_model_is_called_on_what_its_input_says(tmp_path: Any) -> None:
    model = tf.keras.Sequential([tf.keras.layers.Input(type_spec=Masked.Spec([None, 2])), Unmask(), tf.keras.layers.Dense(1)])
    expected = model(MASKED)
    tf.saved_model.save(model, str(tmp_path / "m"))
    np.testing.assert_allclose(tf.saved_model.load(str(tmp_path / "m"))(MASKED).numpy(), expected.numpy(), rtol=1e-6)
