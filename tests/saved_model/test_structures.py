"""What loaded SavedModels keep of structures: named tuples, lists called `variables`, how variables are distributed."""

from __future__ import annotations

import collections
from pathlib import Path

import pytest

import tf2compat as tf

Pair = collections.namedtuple("Pair", ["b", "a"])


def test_named_tuples_come_back(tmp_path: Path) -> None:
    module = tf.Module()
    module.f = tf.function(lambda x, y: [Pair(a=x + y, b=x * y), {"z": y}], input_signature=[tf.TensorSpec([]), tf.TensorSpec([])])
    tf.saved_model.save(module, str(tmp_path))
    pair, rest = tf.saved_model.load(str(tmp_path)).f(tf.constant(2.0), tf.constant(5.0))
    assert (float(pair.a), float(pair.b), list(pair._asdict()), float(rest["z"])) == (7.0, 10.0, ["b", "a"], 5.0)


def test_attributes_called_variables(tmp_path: Path) -> None:
    module = tf.train.Checkpoint()
    module.variables = {"w": tf.Variable(1.0), "n": tf.Variable(2, trainable=False)}
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    assert float(loaded.variables["w"]) == 1.0 and [float(v) for v in loaded.trainable_variables] == [1.0]
    plain = tf.Module()
    plain.w = tf.Variable(3.0)
    tf.saved_model.save(plain, str(tmp_path / "b"))
    assert [float(v) for v in tf.saved_model.load(str(tmp_path / "b")).variables] == [3.0]


def test_how_variables_are_distributed(tmp_path: Path) -> None:
    module = tf.Module()
    module.v = tf.Variable(1.0, synchronization=tf.VariableSynchronization.ON_READ, aggregation=tf.VariableAggregation.SUM)
    tf.saved_model.save(module, str(tmp_path))
    v = tf.saved_model.load(str(tmp_path)).v
    assert v.synchronization is tf.VariableSynchronization.ON_READ and v.aggregation is tf.VariableAggregation.SUM


def test_inputs_and_outputs_of_a_signature(tmp_path: Path) -> None:
    module = tf.Module()
    module.f = tf.function(lambda x: {"y": tf.concat([x, x], 1)}, input_signature=[tf.TensorSpec([None, 3], tf.int32)])
    tf.saved_model.save(module, str(tmp_path))
    signature = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    assert [t.shape.as_list() for t in signature.inputs] == [[None, 3]] and [t.shape.as_list() for t in signature.outputs] == [[None, 6]]


def test_functions_that_only_replicas_called(tmp_path: Path) -> None:
    class Numbers(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.g = tf.random.Generator.from_seed(0)

        @tf.function
        def __call__(self, times):
            return times * self.g.normal([])

        @tf.function
        def state(self):
            return self.g.state

    strategy = tf.distribute.MirroredStrategy(devices=["cpu:0", "cpu:1"])
    with strategy.scope():
        m = Numbers()
        strategy.run(m, args=(tf.constant(2.0),))
        tf.saved_model.save(m, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    # TensorFlow's numbers
    assert abs(float(loaded(tf.constant(1.0))) - -1.0359411) < 1e-6
    with pytest.raises(ValueError, match="zero restored functions"):  # nobody called it
        loaded.state()
