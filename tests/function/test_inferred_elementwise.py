"""Shapes and dtypes of elementwise ops in traces are worked out without running them; they must be those that a run gives."""

import pytest

import tf2compat as tf

BINARY = {
    "arithmetic": [tf.add, tf.subtract, tf.multiply, tf.maximum, tf.minimum, tf.math.squared_difference, tf.math.floordiv],
    "truths": [tf.less, tf.greater_equal, tf.equal, tf.not_equal],
    "division": [tf.divide, tf.math.divide_no_nan, tf.math.xlogy],
}


@pytest.mark.parametrize("shapes", [([2, 3], [2, 3]), ([None, 3], [1]), ([2, 1], [4]), ([], [None])])
@pytest.mark.parametrize("kind", BINARY)
def test_results_are_those_of_a_run(kind, shapes):
    for dtype in (tf.float32, tf.float64, tf.int32):
        for fn in BINARY[kind]:
            if kind == "division" and dtype is tf.int32 and fn is not tf.divide:
                continue
            traced = tf.function(fn).get_concrete_function(*[tf.TensorSpec(s, dtype) for s in shapes]).structured_outputs
            values = fn(*[tf.ones([4 if d is None else d for d in s], dtype) for s in shapes])
            assert traced.dtype is values.dtype
            assert traced.shape.is_compatible_with(values.shape) and traced.shape.rank == values.shape.rank


def test_what_does_not_broadcast_is_said():
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 4"):
        tf.function(tf.add).get_concrete_function(tf.TensorSpec([2, 3]), tf.TensorSpec([4]))
    assert tf.function(tf.where).get_concrete_function(
        tf.TensorSpec([2, 1], tf.bool), tf.TensorSpec([3]), tf.TensorSpec([])
    ).structured_outputs.shape == [2, 3]


def test_gradients_know_what_elementwise_ops_connect():
    @tf.function
    def f(x, y):
        with tf.GradientTape() as tape:
            tape.watch(x)
            z = tf.where(x > 0, tf.exp(x) * 2, y)
        return tape.gradient(z, [x, y])

    a, b = f(tf.constant([1.0, -1.0]), tf.constant([3.0, 4.0]))
    assert b is None
    assert a.numpy()[1] == 0
