"""Keyword arguments of functions: by name, in whatever order a call gives them."""

import tf2compat as tf


def test_keyword_arguments_keep_their_names():
    traces = []

    @tf.function
    def f(**kwargs):
        traces.append(sorted(kwargs))
        return kwargs["b"] - kwargs["a"]

    assert f(b=tf.constant(5), a=tf.constant(3)).numpy() == 2
    assert f(a=tf.constant(3), b=tf.constant(5)).numpy() == 2
    assert len(traces) == 1
    assert f.get_concrete_function(b=tf.constant(5), a=tf.constant(3))(b=tf.constant(5), a=tf.constant(3)).numpy() == 2


def test_keyword_only_parameters_of_different_dtypes():
    @tf.function(autograph=False)
    def f(x, *, shape, concentration):
        return x + concentration, tf.reshape(concentration, shape)

    one, other = f(1.0, shape=tf.constant([2, 1]), concentration=tf.constant([1.0, 2.0]))
    assert one.numpy().tolist() == [2.0, 3.0] and other.shape == [2, 1]
