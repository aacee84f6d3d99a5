"""Ragged and sparse inputs of models and layers: what Keras 2 gave and printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tf2compat as tf

K, L = tf.keras, tf.keras.layers
RAGGED = tf.ragged.constant([[1, 2, 3], [4], [5, 1]])
SPARSE = tf.SparseTensor([[0, 1], [1, 0], [2, 2]], [1.0, 2.0, 3.0], [3, 4])


@pytest.fixture(autouse=True)
def _fresh() -> None:
    K.backend.clear_session()


def test_embedding_and_lstm() -> None:
    words = K.Input((None,), dtype="int64", ragged=True)
    assert repr(words) == (
        "<KerasTensor: type_spec=RaggedTensorSpec(TensorShape([None, None]), tf.int64, 1, tf.int64) (created by layer 'input_1')>"
    )
    e = L.Embedding(10, 2, embeddings_initializer="ones")(words)
    assert "RaggedTensorSpec(TensorShape([None, None, 2]), tf.float32, 1, tf.int64)" in repr(e)
    o = L.LSTM(3, kernel_initializer="ones", recurrent_initializer="ones")(e)
    assert o.shape.as_list() == [None, 3]
    model = K.Model(words, L.Dense(1, kernel_initializer="ones")(o))
    np.testing.assert_allclose(model(tf.cast(RAGGED, tf.int64)), [[2.9535], [1.8249], [2.7857]], rtol=1e-4)
    model.compile("sgd", "mse")
    history = model.fit(tf.cast(RAGGED, tf.int64), np.ones((3, 1)), verbose=0, epochs=2, batch_size=2, shuffle=False)
    np.testing.assert_allclose(history.history["loss"], [2.451, 1.874], rtol=1e-3)
    assert model.predict(RAGGED, verbose=0).shape == (3, 1)
    model.fit(tf.data.Dataset.from_tensor_slices((RAGGED, [1.0, 0.0, 1.0])).batch(2), verbose=0)


def test_sequences_stay_ragged() -> None:
    x = K.Input((None, 2), ragged=True)
    out = L.LSTM(3, return_sequences=True, kernel_initializer="ones", recurrent_initializer="ones")(x)
    found = K.Model(x, out)(tf.RaggedTensor.from_row_splits(tf.ones((5, 2)), [0, 2, 5]))
    assert found.shape.as_list() == [2, None, 3]
    assert [[round(step[0], 4) for step in row] for row in found.to_list()] == [[0.6083, 0.9286], [0.6083, 0.9286, 0.9845]]
    with pytest.raises(ValueError, match="does not support unrolling"):
        L.LSTM(3, unroll=True)(x)


def test_backwards_starts_at_the_end_of_each_row() -> None:
    rows = tf.RaggedTensor.from_row_splits(tf.random.normal((5, 2)), [0, 2, 5])
    both = L.Bidirectional(L.GRU(3, return_sequences=True))
    found = both(rows)
    for i in range(2):
        np.testing.assert_allclose(found[i], both(rows[i][None])[0], rtol=1e-4, atol=1e-6)
    last = L.Bidirectional(L.GRU(3))
    np.testing.assert_allclose(last(rows)[0], last(rows[0][None])[0], rtol=1e-4, atol=1e-6)


def test_layers_on_ragged_values() -> None:
    x = tf.RaggedTensor.from_row_splits(tf.ones((5, 2)), [0, 2, 5])
    assert L.TimeDistributed(L.Dense(3, kernel_initializer="ones"))(x).to_list() == [[[2.0] * 3] * 2, [[2.0] * 3] * 3]
    assert L.Dense(1, kernel_initializer="ones")(x).to_list() == [[[2.0]] * 2, [[2.0]] * 3]
    assert L.GlobalAveragePooling1D()(x).numpy().tolist() == [[1.0, 1.0]] * 2
    assert L.GlobalMaxPooling1D()(K.Input((None, 2), ragged=True)).shape.as_list() == [None, 2]
    assert L.CategoryEncoding(4, "count")(tf.ragged.constant([[1, 2, 2], [3]])).numpy().tolist() == [[0, 1, 2, 0], [0, 0, 0, 1]]


def test_methods_and_ops_on_ragged_symbols() -> None:
    x = K.Input((None,), ragged=True, dtype="float32")
    model = K.Model(x, [x.to_tensor(), tf.reduce_sum(x, axis=1), L.Lambda(lambda t: t * 2)(x)])
    dense, sums, doubled = model(tf.cast(RAGGED, tf.float32))
    assert dense.numpy().tolist() == [[1, 2, 3], [4, 0, 0], [5, 1, 0]]
    assert sums.numpy().tolist() == [6, 4, 6]
    assert doubled.to_list() == [[2, 4, 6], [8], [10, 2]]
    assert model.layers[1].name == "input.to_tensor"
    with pytest.raises(AttributeError, match="only ragged tensors"):
        K.Input((3,)).to_tensor()


def test_vectorized_text() -> None:
    layer = L.TextVectorization(ragged=True)
    layer.adapt(["a b c", "b c"])
    text = K.Input((), dtype="string")
    model = K.Model(text, L.GRU(2)(L.Embedding(10, 2)(layer(text))))
    assert model(tf.constant(["a b", "c"])).shape == (2, 2)


def test_sparse_inputs() -> None:
    x = K.Input((4,), sparse=True)
    assert repr(x) == "<KerasTensor: type_spec=SparseTensorSpec(TensorShape([None, 4]), tf.float32) (created by layer 'input_1')>"
    model = K.Model(x, L.Dense(2, kernel_initializer="ones")(x))
    assert model(SPARSE).numpy().tolist() == [[1, 1], [2, 2], [3, 3]]
    model.compile("sgd", "mse")
    history = model.fit(SPARSE, np.ones((3, 2)), verbose=0, batch_size=3, epochs=2)
    np.testing.assert_allclose(history.history["loss"], [1.6667, 1.5596], rtol=1e-4)
    many = np.random.RandomState(0).rand(50, 4) * (np.random.RandomState(1).rand(50, 4) > 0.5)
    np.testing.assert_allclose(
        model.predict(tf.sparse.from_dense(many), verbose=0, batch_size=8), model(tf.constant(many, tf.float32)), rtol=1e-4
    )
    ids = tf.SparseTensor([[0, 0], [0, 2], [2, 1]], tf.constant([1, 2, 2], tf.int64), [3, 4])
    assert L.CategoryEncoding(4, "multi_hot")(ids).numpy().tolist() == [[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0]]


def test_rows_of_composites_follow_the_order() -> None:
    from tf2compat.keras._base.data import Arrays

    rows: Any = []
    tf.random.set_seed(3)
    for ragged, dense in Arrays((RAGGED, tf.constant([[1], [4], [5]])), 2, True):
        rows += [(r[0], int(d[0])) for r, d in zip(ragged.to_list(), dense.numpy(), strict=True)]
    assert sorted(rows) == [(1, 1), (4, 4), (5, 5)]
    dense = np.eye(6, dtype="float32")
    for sparse, same in Arrays((tf.sparse.from_dense(dense), tf.constant(dense)), 4, True):
        np.testing.assert_array_equal(tf.sparse.to_dense(sparse), same)


def _again(model):
    return tf.keras.Model.from_config(model.get_config())


def test_parts_of_ragged_symbols():
    tf.keras.backend.clear_session()
    x = tf.keras.Input((None, 2), ragged=True)
    part = x[:, :1]
    assert str(part) == (
        "KerasTensor(type_spec=RaggedTensorSpec(TensorShape([None, None, 2]), tf.float32, 1, tf.int64), "
        "description=\"created by layer 'tf.__operators__.ragged_getitem'\")"
    )
    assert x[0].shape.as_list() == [None, 2] and x[..., 0].type_spec == tf.RaggedTensorSpec([None, None], tf.float32, 1, tf.int64)
    m = tf.keras.Model(x, part * 2.0)
    given = tf.ragged.constant([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]], ragged_rank=1)
    for model in (m, _again(m)):
        assert model(given).to_list() == [[[2.0, 4.0]], [[10.0, 12.0]]]
    assert [layer.name for layer in m.layers][1:] == ["tf.__operators__.ragged_getitem", "tf.math.multiply"]
    config = m.get_config()["layers"][1]
    assert config["class_name"] == "SlicingOpLambda" and config["config"]["function"] == "__operators__.ragged_getitem"
    with pytest.raises(ValueError, match="Cannot index into an inner ragged dimension"):
        x[:, 0]


@pytest.mark.parametrize(
    "make, shape, expected",
    [
        (lambda v: tf.RaggedTensor.from_row_splits(v, [0, 4, 4, 7, 8, 8]), [5, None], [[0.0, 1.0, 2.0, 3.0], [], [4.0, 5.0, 6.0], [7.0], []]),
        (lambda v: tf.RaggedTensor.from_row_lengths(v, [4, 0, 3, 1]), [4, None], [[0.0, 1.0, 2.0, 3.0], [], [4.0, 5.0, 6.0], [7.0]]),
        (lambda v: tf.RaggedTensor.from_row_starts(v, row_starts=[0, 4]), [2, None], [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]),
        (lambda v: tf.RaggedTensor.from_row_limits(v, [4, 8]), [2, None], [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]),
        (lambda v: tf.RaggedTensor.from_uniform_row_length(v, 2, 4), [4, 2], [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]]),
        (lambda v: tf.RaggedTensor.from_nested_row_splits(v, [[0, 2], [0, 4, 8]]), [1, None, None], [[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]]),
    ],
)
def test_ragged_constructors_are_layers(make, shape, expected):
    v = tf.keras.Input(batch_shape=(None,))
    symbol = make(v)
    assert symbol.shape.as_list() == shape
    m = tf.keras.Model(v, symbol)
    for model in (m, _again(m)):
        assert model(tf.range(8.0)).to_list() == expected
    assert m.get_config()["layers"][1]["class_name"] == "ClassMethod"


def test_ragged_from_dense_and_sparse_symbols():
    x, s = tf.keras.Input((None,)), tf.keras.Input((3,), sparse=True)
    m = tf.keras.Model(x, tf.RaggedTensor.from_tensor(x, padding=0.0))
    for model in (m, _again(m)):
        assert model(tf.constant([[1.0, 0.0], [2.0, 3.0]])).to_list() == [[1.0], [2.0, 3.0]]
    assert m.predict(np.array([[1.0, 0.0], [2.0, 3.0]]), verbose=0).to_list() == [[1.0], [2.0, 3.0]]
    m = tf.keras.Model(s, tf.RaggedTensor.from_sparse(s))
    assert m(tf.sparse.from_dense([[1.0, 2.0, 0.0], [3.0, 0.0, 0.0]])).to_list() == [[1.0, 2.0], [3.0]]


def test_only_ragged_constructors_come_from_a_config():
    from tf2compat.keras._base.oplayers import ClassMethod

    for of, name in (("RaggedTensor", "__class__"), ("io", "from_tensor")):
        with pytest.raises(ValueError, match="Unknown constructor"):
            ClassMethod(of, name)


def test_ragged_functions_are_layers():
    v, w = tf.keras.Input(batch_shape=(None,)), tf.keras.Input((None,))
    m = tf.keras.Model(v, tf.ragged.stack([v, v]))
    for model in (m, _again(m)):
        assert model(tf.range(3.0)).to_list() == [[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]
    m = tf.keras.Model(w, tf.ragged.boolean_mask(w, w > 0))
    for model in (m, _again(m)):
        assert model(tf.constant([[1.0, -1.0], [2.0, 3.0]])).to_list() == [[1.0], [2.0, 3.0]]
