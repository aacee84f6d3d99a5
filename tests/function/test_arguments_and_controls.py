"""Keyword arguments of functions by name, in whatever order; control inputs; the graph of constants."""

import itertools

import pytest

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


def test_control_inputs_may_be_any_iterable():
    v = tf.Variable(0)

    @tf.function
    def f(x):
        with tf.control_dependencies(itertools.chain([x], (v.assign_add(1) for _ in range(2)))):
            return x + v

    assert f(tf.constant(5)).numpy() == 7
    with tf.control_dependencies(iter([v])):
        assert v.numpy() == 2

    @tf.function
    def within():
        for wrong in (v, tf.constant(1), 3, "op"):
            with pytest.raises(TypeError, match="Control input must be an iterable"), tf.control_dependencies(wrong):
                raise AssertionError

    within()


def test_control_inputs_outside_of_functions_are_walked_through():
    seen = []

    def checks():
        yield lambda: seen.append("called")
        seen.append("end")

    context = tf.control_dependencies(checks())
    assert seen == ["called", "end"]
    with context, tf.control_dependencies(None), tf.control_dependencies(0):
        pass
    for wrong in (tf.constant(1), 3):
        with pytest.raises(TypeError):
            tf.control_dependencies(wrong)


def test_tracing_draws_no_numbers():
    @tf.function
    def f():
        return tf.shape(tf.random.stateless_normal([10**9, 1000], [1, 2]))

    assert f.get_concrete_function().structured_outputs.shape == [2]


def test_constants_of_a_traced_function_know_its_graph():
    graphs = []

    @tf.function
    def f(x):
        graphs.extend([tf.constant(True).graph, x.graph])
        return x

    f(tf.constant(1))
    assert graphs[0] is graphs[1]
    with pytest.raises(AttributeError):
        tf.constant(True).graph  # noqa: B018
