"""`tf.pad` in functions: what is known of paddings that are stacked of numbers and of sizes."""

import numpy as np

import tf2compat as tf


def test_a_stack_of_numbers_and_sizes():
    shapes = []

    @tf.function(input_signature=[tf.TensorSpec([None, 4])])
    def padded(x):
        more = 5 - tf.shape(x)[0]
        y = tf.pad(x, tf.stack([tf.stack([0, more]), [1, 1]]))
        z = tf.pad(x, tf.stack([[0, 0], tf.stack([more, more])]))
        shapes.extend([y.shape, z.shape])
        return y, z

    y, z = padded(tf.ones([3, 4]))
    assert shapes[0].as_list() == [None, 6]
    np.testing.assert_array_equal(y, np.pad(np.ones([3, 4]), [[0, 2], [1, 1]]))
    np.testing.assert_array_equal(z, np.pad(np.ones([3, 4]), [[0, 0], [2, 2]]))
