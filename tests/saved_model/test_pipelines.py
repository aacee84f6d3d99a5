"""Functions of a SavedModel that hold pipelines."""

from __future__ import annotations

import pytest

import tf2compat as tf

Dataset = tf.data.Dataset


class Holder(tf.Module):
    def __init__(self, make):
        super().__init__()
        self.v = tf.Variable(3, dtype=tf.int64)
        self.pipeline = make(self.v)

    @tf.function(input_signature=[])
    def total(self):
        total = tf.constant(0, tf.int64)
        for x in self.pipeline:
            total += x
        return total

    @tf.function(input_signature=[tf.TensorSpec([], tf.int64)])
    def reduced(self, start):
        return self.pipeline.reduce(start, lambda a, b: a + b)


PIPELINES = {
    "range": lambda v: Dataset.range(5),
    "slices": lambda v: Dataset.from_tensor_slices(tf.constant([1, 2, 3], tf.int64)),
    "stages": lambda v: Dataset.range(6).batch(2).unbatch().take(4).skip(1).repeat(2).shard(2, 0).enumerate().map(lambda i, x: i + x),
    "functions": lambda v: Dataset.range(8).map(lambda x: x * 2, num_parallel_calls=2).filter(lambda x: x % 3 == 0),
    "pairs": lambda v: Dataset.zip((Dataset.range(3), Dataset.range(3))).map(lambda a, b: a * b).concatenate(Dataset.range(2)),
    "shuffled": lambda v: Dataset.range(5).shuffle(5, seed=1).cache().prefetch(2),
    "scan": lambda v: Dataset.range(4).scan(tf.constant(0, tf.int64), lambda s, x: (s + x, s + x)),
    "a variable": lambda v: Dataset.range(3).map(lambda x: x + v),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_comes_back(tmp_path, name):
    module = Holder(PIPELINES[name])
    want = int(module.total()), int(module.reduced(tf.constant(1, tf.int64)))
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    assert (int(loaded.total()), int(loaded.reduced(tf.constant(1, tf.int64)))) == want
    loaded.v.assign(10)
    assert int(loaded.total()) == want[0] + (21 if name == "a variable" else 0)


def test_python_generators_do_not(tmp_path):
    module = Holder(lambda v: Dataset.from_generator(lambda: iter([1]), output_signature=tf.TensorSpec([], tf.int64)))
    with pytest.raises(ValueError, match="only exists in this process"):
        tf.saved_model.save(module, str(tmp_path))
