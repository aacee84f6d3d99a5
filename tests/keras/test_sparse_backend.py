"""Functions of the Keras backend that take sparse tensors."""

import numpy as np

import tf2compat as tf

K = tf.keras.backend


def test_products_with_sparse_matrices():
    sparse = tf.sparse.from_dense([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
    np.testing.assert_array_equal(K.dot(sparse, tf.ones([3, 2])), [[3, 3], [3, 3]])

    class Propagate(tf.keras.layers.Layer):
        def call(self, inputs):
            return K.dot(*inputs)

    adjacency, features = tf.keras.layers.Input((3,), sparse=True), tf.keras.layers.Input((2,))
    model = tf.keras.Model([adjacency, features], Propagate()([adjacency, features]))
    np.testing.assert_array_equal(model([sparse, tf.ones([3, 2])]), [[3, 3], [3, 3]])


def test_sparse_tensors_side_by_side():
    sparse = tf.sparse.from_dense([[1.0, 0.0], [0.0, 3.0]])
    both = K.concatenate([sparse, sparse])
    assert isinstance(both, tf.SparseTensor) and both.shape == [2, 4]
    np.testing.assert_array_equal(K.concatenate([sparse, tf.ones([2, 1])]), [[1, 0, 1], [0, 3, 1]])
    assert tf.function(lambda x: K.concatenate([x, x]))(tf.ones([2, 2])).shape == [2, 4]
