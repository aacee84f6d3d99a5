"""`ConcreteFunction.function_def`."""

from __future__ import annotations

import pytest

import tf2compat as tf

pytest.importorskip("tensorboard")


def test_function_def() -> None:
    made = tf.function(lambda x: x**3).get_concrete_function(tf.TensorSpec([2], tf.float32, name="x")).function_def
    assert [(a.name, a.type) for a in made.signature.input_arg] == [("x", 1)]
    assert [(a.name, a.type) for a in made.signature.output_arg] == [("identity", 1)]
    assert [n.op for n in made.node_def] == ["Const", "Pow"]


def test_variables_are_arguments() -> None:
    v = tf.Variable(0)

    @tf.function
    def increment(by):
        return v.assign_add(by)

    signature = increment.get_concrete_function(tf.constant(1)).function_def.signature
    assert [a.type for a in signature.input_arg] == [tf.int32.as_datatype_enum, tf.resource.as_datatype_enum]
    assert signature.is_stateful
