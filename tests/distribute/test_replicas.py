"""Several replicas on logical CPU devices do what TensorFlow's do."""

import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import tf2compat as tf

from . import replicas


def test_programs_print_what_tensorflow_prints():
    out = io.StringIO()
    with redirect_stdout(out):
        replicas.main(tf)
    expected = (Path(__file__).parent / "replicas.txt").read_text()
    assert out.getvalue().splitlines() == expected.splitlines()


def test_what_goes_wrong_in_a_replica_is_raised():
    strategy = replicas.two(tf)

    def fails():
        if tf.distribute.get_replica_context().replica_id_in_sync_group == 1:
            raise KeyError("second")
        return tf.distribute.get_replica_context().all_reduce("SUM", tf.constant(1.0))

    with pytest.raises(KeyError, match="second"):
        strategy.run(fails)

    def uneven():
        context = tf.distribute.get_replica_context()
        return context.all_reduce("SUM", tf.constant(1.0)) if context.replica_id_in_sync_group == 0 else 0.0

    with pytest.raises(RuntimeError, match="different number"):
        strategy.run(uneven)


def test_variables_made_in_a_step_are_one_for_all_replicas():
    strategy = replicas.two(tf)
    found = []

    def step():
        found.append(tf.Variable(2.0))
        return found[-1] * 2.0

    assert [float(v) for v in strategy.run(step).values] == [4.0, 4.0]
    assert found[0] is found[1]
    assert len(found[0].values) == 2


def test_functions_in_a_step():
    strategy = replicas.two(tf)
    with strategy.scope():
        v = tf.Variable(1.0)

    @tf.function
    def step(x):
        v.assign_add(x)
        if x > 1.0:
            x = x * 10.0
        return tf.distribute.get_replica_context().all_reduce("SUM", x)

    given = strategy.experimental_distribute_values_from_function(lambda c: tf.constant(1.0 + c.replica_id_in_sync_group))
    for run in (strategy.run, tf.function(strategy.run)):
        assert [float(x) for x in run(step, args=(given,)).values] == [21.0, 21.0]
    assert [float(c) for c in v.values] == [3.0, 5.0]


def test_sparse_gradients_are_combined():
    strategy = replicas.two(tf)
    with strategy.scope():
        table, optimizer = tf.Variable(tf.zeros([4, 2])), tf.keras.optimizers.SGD(1.0)

    def step(ids):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(table, ids))
        optimizer.apply_gradients([(tape.gradient(loss, table), table)])

    ids = strategy.experimental_distribute_values_from_function(lambda c: tf.constant([0, 1 + c.replica_id_in_sync_group]))
    strategy.run(step, args=(ids,))
    for component in table.values:
        assert component.numpy()[:, 0].tolist() == [-2.0, -1.0, -1.0, 0.0]
