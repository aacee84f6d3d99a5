"""Layers on sparse and ragged tensors, masks that are not boolean, and what a Lambda says of variables; values are Keras 2's."""

import numpy as np
import pytest

import tf2compat as tf


def test_embedding_of_sparse_ids():
    weights = [np.array([[0.5, 0.1], [1.0, 1.0], [2.0, 2.0]], "float32")]
    ids = tf.SparseTensor([[0, 1], [1, 2]], [1, 2], [3, 3])
    out = tf.keras.layers.Embedding(3, 2, weights=weights, sparse=True)(ids)
    assert out.indices.numpy().tolist() == [[0, 1, 0], [0, 1, 1], [1, 2, 0], [1, 2, 1]]
    assert out.values.numpy().tolist() == [1.0, 1.0, 2.0, 2.0]
    assert out.dense_shape.numpy().tolist() == [3, 3, 2]
    dense = tf.keras.layers.Embedding(3, 2, weights=weights)(ids)
    assert dense.shape == [3, 3, 2]
    assert dense.numpy()[:, :, 0].tolist() == [[0.5, 1.0, 0.5], [0.5, 0.5, 2.0], [0.5, 0.5, 0.5]]
    of_dense = tf.keras.layers.Embedding(3, 2, weights=[np.array([[0, 0], [1, 1], [2, 2]], "float32")], sparse=True)(tf.constant([0, 0, 2]))
    assert isinstance(of_dense, tf.SparseTensor) and of_dense.indices.numpy().tolist() == [[2, 0], [2, 1]]


def test_one_hot_embedding_is_the_lookup():
    layer = tf.keras.layers.Embedding(10, 4, use_one_hot_matmul=True)
    ids = tf.constant([[1, 2], [9, 0]])
    once = layer(ids)
    layer._use_one_hot_matmul = False
    np.testing.assert_allclose(once, layer(ids), rtol=1e-6)
    assert "use_one_hot_matmul" not in layer.get_config()


@pytest.mark.parametrize("kind", ["Add", "Subtract", "Multiply", "Minimum", "Maximum", "Average"])
def test_merges_of_ragged_tensors(kind):
    rows = tf.ragged.constant([[1.0, 2.0, 3.0], [4.0], []])
    one, two = (tf.keras.Input((None,), ragged=True) for _ in range(2))
    model = tf.keras.Model([one, two], getattr(tf.keras.layers, kind)()([one, two]))
    found = model([rows, rows * 3.0])
    fn = {"Add": lambda a: 4 * a, "Subtract": lambda a: -2 * a, "Multiply": lambda a: 3 * a * a, "Minimum": lambda a: a,
          "Maximum": lambda a: 3 * a, "Average": lambda a: 2 * a}[kind]  # fmt: skip
    assert found.to_list() == [[fn(v) for v in row] for row in rows.to_list()]


def test_concatenate_of_sparse_inputs_knows_its_shape():
    layer = tf.keras.layers.Concatenate(axis=1)
    inputs = [tf.keras.Input((n,), batch_size=2, sparse=True) for n in (1, 2)]
    assert layer(inputs).shape == [2, 3]
    inputs = [tf.keras.Input((n,), sparse=True) for n in (1, 2)]
    assert tf.keras.layers.Concatenate(axis=1)(inputs).shape.as_list() == [None, 3]


def test_masks_of_numbers_merge():
    a, b = tf.ones([2, 3, 4]), tf.ones([2, 3, 4])
    masks = [tf.Variable([[1.0, 0.0, 1.0]] * 2), tf.constant([[1.0, 1.0, 0.0]] * 2)]
    assert tf.keras.layers.Add().compute_mask([a, b], masks).numpy().tolist() == [[True, False, False]] * 2


@pytest.mark.parametrize("query", [True, False])
@pytest.mark.parametrize("key", [True, False])
def test_attention_of_ragged_tensors(query, key):
    rows = tf.ragged.constant([[[3.0, 1.0], [4.0, 1.0]], [[5.0, 9.0]], [[1.0, 2.0]]], inner_shape=(2,))
    q = rows if query else tf.ones([3, 2, 2])
    k = rows if key else tf.ones([3, 2, 2])
    layer = tf.keras.layers.MultiHeadAttention(num_heads=2, key_dim=2)
    out, scores = layer(q, tf.ones([3, 2, 2]), k, return_attention_scores=True)
    assert out.shape.as_list() == q.shape.as_list() and scores.shape == [3, 2, 2, 2]
    assert layer(rows, rows, use_causal_mask=True).row_lengths().numpy().tolist() == [2, 1, 1]


def test_layer_normalization_of_ragged_and_half_tensors():
    rows = tf.ragged.constant([[[3.0, 1.0], [4.0, 1.0]], [[5.0, 9.0]]], inner_shape=(2,))
    out = tf.keras.layers.LayerNormalization()(rows)
    np.testing.assert_allclose(out.flat_values, tf.keras.layers.LayerNormalization()(rows.flat_values), rtol=1e-5)
    half = tf.keras.layers.LayerNormalization(dtype="float16")(tf.constant([[1.0, 2.0, 4.0]], tf.float16))
    assert half.dtype == tf.float16
    np.testing.assert_allclose(half, [[-1.0688, -0.2671, 1.3359]], atol=2e-3)


def test_lambda_refuses_variables_it_makes_and_warns_of_those_it_reads():
    with pytest.raises(ValueError, match="created within a Lambda layer \\(maker\\)\nbut are not tracked by said layer"):
        tf.keras.layers.Lambda(lambda x: x * tf.Variable(1.0), name="maker")(tf.ones([2]))
    outside = tf.Variable(2.0)
    layer = tf.keras.layers.Lambda(lambda x: x * outside)
    said = []
    layer._warn = said.append
    assert layer(tf.ones([2])).numpy().tolist() == [2.0, 2.0]
    layer(tf.ones([2]))
    assert len(said) == 1 and "are not present in its tracked objects" in said[0]
    tracked = tf.keras.layers.Lambda(lambda x: x * outside)
    tracked.v = outside
    tracked._warn = said.append
    tracked(tf.ones([2]))
    assert len(said) == 1


def test_output_shapes_of_lambdas():
    same = tf.keras.layers.Lambda(lambda x: x, output_shape=lambda s: s)
    assert same.compute_output_shape([(10, 10), (10, 20)]) == [(10, 10), (10, 20)]
    listed = tf.keras.layers.Lambda(lambda x: x, output_shape=[(10,), (20,)])
    assert listed.compute_output_shape([(10, 10), (10, 20)]) == [(10, 10), (10, 20)]


def test_global_pooling_of_nothing_and_of_ragged_images():
    with pytest.raises(ValueError, match="Incorrect input shape"):
        tf.keras.layers.GlobalAveragePooling1D().build((None, 0, 2))
    images = tf.ragged.constant([[[[1.0], [1.0]], [[2.0], [3.0]]], [[[5.0], [1.0]]]], ragged_rank=1)
    assert tf.keras.layers.GlobalMaxPooling2D()(images).numpy().tolist() == [[3.0], [5.0]]


def test_nodes_say_where_their_tensors_come_from():
    a, b = tf.keras.Input((3,)), tf.keras.Input((4,))
    dense = tf.keras.layers.Dense(2)
    joined = tf.keras.layers.Concatenate()
    joined([dense(a), b])
    node = joined.inbound_nodes[0]
    assert node.input_shapes == [(None, 2), (None, 4)] and node.output_shapes == (None, 6)
    assert [layer for layer, *_ in node.iterate_inbound()] == node.inbound_layers == [dense, b._keras_history.layer]
    assert len(node.input_tensors) == 2 and dense.inbound_nodes[0].input_tensors is a


def test_attention_takes_no_more_masks_than_inputs():
    q, mask = np.array([[[1.1]]], "float32"), np.array([[True]])
    with pytest.raises(ValueError, match="mask must be a list of length 2"):
        tf.keras.layers.Attention()([q, q], mask=[mask, mask, mask])
