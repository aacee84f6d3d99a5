"""`Dataset.save(checkpoint_args=…)`: interrupted and taken up again."""

from __future__ import annotations

import os

import pytest

import tf2compat as tf


def _source(broken: list[bool]):
    def seen(x):
        if x == 13 and broken[0]:
            raise ValueError("interrupted")
        return x

    return tf.data.Dataset.range(20).map(lambda x: tf.ensure_shape(tf.numpy_function(seen, [x], tf.int64), []))


@pytest.mark.parametrize("shard_func", [None, lambda x: x % 3])
def test_goes_on_where_it_was_interrupted(tmp_path, shard_func):
    path, places = str(tmp_path / "data"), str(tmp_path / "checkpoints")
    broken, steps = [True], tf.Variable(0, dtype=tf.int64)
    args = {"directory": places, "max_to_keep": 2, "step_counter": steps, "checkpoint_interval": 5}
    with pytest.raises(tf.errors.InvalidArgumentError):
        _source(broken).save(path, shard_func=shard_func, checkpoint_args=args)
    assert steps.numpy() == 13 and not [f for f in os.listdir(path) if f.endswith(".tmp")]
    with pytest.raises(tf.errors.NotFoundError):
        tf.data.Dataset.load(path)
    broken[0] = False
    steps.assign(11)  # as many elements as the last checkpoint counts
    _source(broken).save(path, shard_func=shard_func, checkpoint_args=args)
    assert steps.numpy() == 20
    found = [int(x) for x in tf.data.Dataset.load(path)]
    assert sorted(found) == list(range(20))
    assert shard_func is not None or found == list(range(20))


def test_a_checkpoint_is_not_to_be_given(tmp_path):
    with pytest.raises(ValueError, match="not allowed to include 'checkpoint'"):
        tf.data.Dataset.range(3).save(str(tmp_path), checkpoint_args={"directory": str(tmp_path / "c"), "checkpoint": None})


def test_without_an_interval_every_element_is_a_checkpoint(tmp_path):
    tf.data.Dataset.range(3).save(str(tmp_path / "d"), checkpoint_args={"directory": str(tmp_path / "c"), "max_to_keep": 50})
    assert [int(x) for x in tf.data.Dataset.load(str(tmp_path / "d"))] == [0, 1, 2]
    tf.data.Dataset.range(2).save(str(tmp_path / "d"))
    assert [int(x) for x in tf.data.Dataset.load(str(tmp_path / "d"))] == [0, 1]
