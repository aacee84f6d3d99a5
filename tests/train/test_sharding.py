"""Checkpoints in several files."""

import os

import numpy as np
import pytest

import tf2compat as tf

experimental = tf.train.experimental


def tree():
    rng = np.random.default_rng(0)
    return tf.train.Checkpoint(
        a=tf.Variable(rng.normal(size=(10, 7)).astype(np.float32)), b=tf.Variable(rng.normal(size=(3, 2, 5))), c=tf.Variable(3, dtype=tf.int64),
        words=tf.Variable(["a", "longer"]),
    )  # fmt: skip


def values(checkpoint):
    return [checkpoint.a.numpy(), checkpoint.b.numpy(), checkpoint.c.numpy(), checkpoint.words.numpy()]


def save(checkpoint, path, callback):
    return checkpoint.write(path, tf.train.CheckpointOptions(experimental_sharding_callback=callback))


@pytest.mark.parametrize("limit", [16, 40, 100, 300, 10**6])
def test_a_limit(limit, tmp_path):
    source, target = tree(), tree()
    path = save(source, str(tmp_path / "ckpt"), experimental.MaxShardSizePolicy(limit))
    sizes = sorted(os.path.getsize(tmp_path / n) for n in os.listdir(tmp_path) if ".data-" in n)
    assert len(sizes) == 1 if limit == 10**6 else len(sizes) > 1
    assert all(size <= limit for size in sizes[:-1])  # the last one holds the description of the objects
    for v in (target.a, target.b):
        v.assign(tf.zeros_like(v))
    target.read(path).assert_consumed()
    for found, wanted in zip(values(target), values(source), strict=True):
        np.testing.assert_array_equal(found, wanted)
    # over an older one
    source.c.assign(5)
    save(source, path, experimental.MaxShardSizePolicy(limit))
    tree().read(path).assert_consumed()
    assert tf.train.load_checkpoint(path).get_tensor("c/.ATTRIBUTES/VARIABLE_VALUE") == 5


class Own(experimental.ShardingCallback):
    def __init__(self, change=None):
        self.change = change

    @property
    def description(self):
        return "One file for each tensor."

    def __call__(self, shardable_tensors):
        assert all(isinstance(t, experimental.ShardableTensor) for t in shardable_tensors)
        shards = [{t.checkpoint_key: {t.slice_spec: t.tensor}} for t in shardable_tensors]
        return shards if self.change is None else self.change(shards)


def test_a_policy_of_ones_own(tmp_path):
    source = tree()
    path = save(source, str(tmp_path / "ckpt"), Own())
    assert len([n for n in os.listdir(tmp_path) if ".data-" in n]) == 5
    target = tree()
    target.a.assign(tf.zeros_like(target.a))
    target.read(path).assert_consumed()
    np.testing.assert_array_equal(target.a.numpy(), source.a.numpy())
    assert len(save(source, str(tmp_path / "task"), experimental.ShardByTaskPolicy())) and os.path.exists(tmp_path / "task.data-00000-of-00001")


def halved(shards):
    ((key, parts),) = shards[0].items()
    return [{key: {text: t[:1] for text, t in parts.items()}}, *shards[1:]]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s[1:], "not found in the checkpoint shards"),
        (lambda s: [*s, s[0]], "multiple tensors with the same checkpoint key"),
        (lambda s: [*s, {"other": {"": tf.constant(1.0)}}], "not originally in the object graph"),
        (halved, "the shape changed"),
    ],
)
def test_a_policy_that_loses_or_adds_something(change, told, tmp_path):
    with pytest.raises(RuntimeError, match=told):
        save(tree(), str(tmp_path / "ckpt"), Own(change))
    assert not os.listdir(tmp_path)


def test_what_is_no_policy():
    with pytest.raises(ValueError, match="must be of type ShardingCallback"):
        tf.train.CheckpointOptions(experimental_sharding_callback=lambda t: t)
    with pytest.raises(ValueError, match="only TensorFlow's format"):
        tf.train.CheckpointOptions(experimental_sharding_callback=Own(), experimental_format="safetensors")


def test_slice_info():
    info = tf.Variable.SaveSliceInfo("v", [10, 4], [0, 2], [5, 2])
    assert info.spec == "10 4 0,5:2,2"
    again = tf.Variable.SaveSliceInfo.from_spec(info.spec)
    assert (again.full_shape, again.var_offset, again.var_shape) == ([10, 4], [0, 2], [5, 2])
