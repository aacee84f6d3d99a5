"""`tf.train.Example` and `tf.io.parse_example`."""

import random

import pytest

import tf2compat as tf


def example(**features):
    lists = {int: "int64_list", float: "float_list", bytes: "bytes_list"}
    kinds = {"int64_list": tf.train.Int64List, "float_list": tf.train.FloatList, "bytes_list": tf.train.BytesList}
    made = {}
    for key, values in features.items():
        field = lists[type(values[0])]
        made[key] = tf.train.Feature(**{field: kinds[field](value=values)})
    return tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()


ONE = example(a=[1, 2], b=[1.5], c=[b"x", b"yy"])
TWO = example(a=[3, 4])
SPEC = {
    "a": tf.io.FixedLenFeature([2], tf.int64),
    "b": tf.io.FixedLenFeature([], tf.float32, 0.5),
    "c": tf.io.VarLenFeature(tf.string),
    "d": tf.io.RaggedFeature(tf.string, value_key="c"),
}


def check(found):
    assert found["a"].numpy().tolist() == [[1, 2], [3, 4]] and found["b"].numpy().tolist() == [1.5, 0.5]
    assert found["c"].indices.numpy().tolist() == [[0, 0], [0, 1]] and found["c"].dense_shape.numpy().tolist() == [2, 2]
    assert found["d"].to_list() == [[b"x", b"yy"], []]


def test_batches_single_and_traced():
    check(tf.io.parse_example([ONE, TWO], SPEC))
    check(tf.function(lambda s: tf.io.parse_example(s, SPEC))(tf.constant([ONE, TWO])))
    check(next(iter(tf.data.Dataset.from_tensor_slices([ONE, TWO]).batch(2).map(lambda s: tf.io.parse_example(s, SPEC)))))
    single = tf.io.parse_single_example(ONE, SPEC)
    assert single["c"].dense_shape.numpy().tolist() == [2] and single["b"].shape == []
    dataset = tf.data.Dataset.from_tensor_slices([ONE, TWO]).map(lambda s: tf.io.parse_single_example(s, SPEC))
    assert dataset.element_spec["a"] == tf.TensorSpec([2], tf.int64)
    assert dataset.element_spec["c"] == tf.SparseTensorSpec([None], tf.string)
    assert [e["a"].numpy().tolist() for e in dataset] == [[1, 2], [3, 4]]


def test_what_does_not_fit():
    for spec in ({"b": tf.io.FixedLenFeature([], tf.float32)}, {"a": tf.io.FixedLenFeature([3], tf.int64)}, {"a": tf.io.VarLenFeature(tf.string)}):
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.io.parse_example([ONE, TWO], spec)
    with pytest.raises(ValueError, match="allow_missing"):
        tf.io.parse_example([ONE], {"a": tf.io.FixedLenSequenceFeature([], tf.int64)})


def test_mutated_messages():
    rng = random.Random(0)
    for _ in range(2000):
        broken = bytearray(ONE)
        for _ in range(rng.randrange(1, 4)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        try:
            tf.io.parse_single_example(bytes(broken[: rng.randrange(len(broken) + 1)]), SPEC)
        except tf.errors.InvalidArgumentError:
            pass
