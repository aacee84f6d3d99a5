"""`tf.sparse` against dense tensors."""

import numpy as np
import pytest

import tf2compat as tf

DENSE = np.array([[1, 0, 0, 0], [0, 0, 2, 0], [0, 3, 0, 4]], np.float32)


def test_round_trips_and_pieces():
    s = tf.sparse
    st = s.from_dense(DENSE)
    np.testing.assert_array_equal(s.to_dense(st), DENSE)
    np.testing.assert_array_equal(s.to_dense(s.transpose(st)), DENSE.T)
    np.testing.assert_array_equal(s.to_dense(s.reshape(st, [2, -1])), DENSE.reshape(2, -1))
    np.testing.assert_array_equal(s.to_dense(s.slice(st, [1, 1], [5, 3])), DENSE[1:, 1:])
    np.testing.assert_array_equal(s.to_dense(s.concat(1, [st, st])), np.concatenate([DENSE, DENSE], 1))
    np.testing.assert_array_equal(s.to_dense(s.add(st, st)), DENSE * 2)
    for axis in (None, 0, 1, [0, 1]):
        np.testing.assert_array_equal(s.reduce_sum(st, axis), DENSE.sum(tuple(axis) if isinstance(axis, list) else axis))
    np.testing.assert_array_equal(s.to_dense(st * np.arange(4, dtype=np.float32)), DENSE * np.arange(4))
    assert s.to_dense(s.from_dense(["", "a"])).numpy().tolist() == [b"", b"a"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="is repeated"):
        s.to_dense(tf.SparseTensor([[0, 0], [0, 0]], [1, 2], [2, 2]))


def test_matmul_has_gradients():
    values, b = tf.constant([1.0, 2.0, 3.0, 4.0]), tf.random.normal([4, 2])
    st = tf.sparse.from_dense(DENSE)
    with tf.GradientTape() as tape:
        tape.watch([values, b])
        product = tf.sparse.sparse_dense_matmul(st.with_values(values), b)
        loss = tf.reduce_sum(product**2)
    np.testing.assert_allclose(product, DENSE @ b.numpy(), rtol=1e-5)
    by_values, by_b = tape.gradient(loss, [values, b])
    whole = 2 * product.numpy() @ b.numpy().T
    np.testing.assert_allclose(by_values, whole[DENSE != 0], rtol=1e-5)
    np.testing.assert_allclose(by_b, DENSE.T @ (2 * product.numpy()), rtol=1e-5)
    np.testing.assert_allclose(tf.sparse.sparse_dense_matmul(st, tf.ones([3, 1]), adjoint_a=True), DENSE.T @ np.ones([3, 1]))


def test_in_functions_and_datasets():
    st = tf.sparse.from_dense(DENSE)

    @tf.function(input_signature=[tf.SparseTensorSpec([None, 4], tf.float32)])
    def doubled(x):
        return tf.sparse.add(x, x), tf.sparse.to_dense(x)

    out, dense = doubled(st)
    np.testing.assert_array_equal(tf.sparse.to_dense(out), DENSE * 2)
    np.testing.assert_array_equal(dense, DENSE)
    dataset = tf.data.Dataset.from_tensor_slices(st)
    assert dataset.element_spec == tf.SparseTensorSpec([4], tf.float32)
    batch = next(iter(dataset.map(lambda x: x * 2.0).batch(3)))
    np.testing.assert_array_equal(tf.sparse.to_dense(batch), DENSE * 2)
