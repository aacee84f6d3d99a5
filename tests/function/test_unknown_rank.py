"""Tensors of which nothing is known but the dtype: what is done with them is told by the other arguments, or at run time."""

import numpy as np

import tf2compat as tf

ANYTHING = tf.TensorSpec(None, tf.float32)


def test_a_shape_that_is_asked_for_is_known():
    shapes = {}

    @tf.function(input_signature=[ANYTHING])
    def f(x):
        out = {
            "all": tf.reshape(x, [28, 28]),
            "some": tf.reshape(x, [-1, 7]),
            "itself": tf.reshape(x, tf.shape(x)),
            "made": tf.reshape(x, tf.concat([[2], tf.constant([14, 28])], 0)),
            "broadcast": tf.broadcast_to(x, [2, 28, 28]),
        }
        shapes.update({k: v.shape for k, v in out.items()})
        return out

    x = tf.reshape(tf.range(784.0), [28, 28])
    out = f(x)
    assert shapes["all"] == [28, 28]
    assert shapes["some"].as_list() == [None, 7]
    assert shapes["itself"].rank is None
    assert shapes["made"] == [2, 14, 28]
    assert shapes["broadcast"] == [2, 28, 28]
    assert [v.shape.as_list() for v in out.values()] == [[28, 28], [112, 7], [28, 28], [2, 14, 28], [2, 28, 28]]
    np.testing.assert_array_equal(out["some"].numpy().ravel(), np.arange(784, dtype="f"))


def test_what_fits_other_shapes_alone_is_tried_at_run_time():
    @tf.function(input_signature=[ANYTHING])
    def f(x):
        return tf.matmul(x, tf.ones([28, 3])), tf.concat([x, tf.ones([5, 28])], 0), tf.stack([x, tf.zeros([28, 28])])

    a, b, c = f(tf.ones([28, 28]))
    assert a.shape == [28, 3] and float(a[0, 0]) == 28
    assert b.shape == [33, 28] and c.shape == [2, 28, 28]


def test_a_parsed_tensor_takes_the_shape_of_the_program():
    image = np.arange(784).reshape(28, 28).astype("u1")
    data = tf.data.Dataset.from_tensors(tf.io.serialize_tensor(image))
    data = data.map(lambda s: tf.reshape(tf.io.parse_tensor(s, tf.uint8), [28, 28]), num_parallel_calls=2).batch(1)
    assert data.element_spec.shape.as_list() == [None, 28, 28]
    np.testing.assert_array_equal(next(iter(data))[0].numpy(), image)
