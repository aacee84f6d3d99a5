"""`tf.lookup` in eager code, functions and datasets."""

import numpy as np
import pytest

import tf2compat as tf

W = tf.int64


def test_static_tables(tmp_path):
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), -1)
    assert table.lookup(tf.constant(["a", "z"])).numpy().tolist() == [1, -1] and int(table.size()) == 2
    assert tf.function(lambda k: table[k])(tf.constant(["b", "z"])).numpy().tolist() == [2, -1]
    assert table.lookup(tf.ragged.constant([["a"], ["b", "c"]])).to_list() == [[1], [2, -1]]
    assert [int(v) for v in tf.data.Dataset.from_tensor_slices(["b", "q"]).map(table.lookup)] == [2, -1]
    with pytest.raises(TypeError, match="Dtype of argument `keys`"):
        table.lookup(tf.constant([1]))
    with pytest.raises(tf.errors.FailedPreconditionError):
        tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "a"], [1, 2]), -1)


def test_vocabularies(tmp_path):
    path = tmp_path / "v"
    path.write_text("x\ny\nz\n")
    index = tf.lookup.TextFileIndex
    words = tf.lookup.TextFileInitializer(str(path), tf.string, index.WHOLE_LINE, W, index.LINE_NUMBER)
    table = tf.lookup.StaticVocabularyTable(words, 2)
    assert table.lookup(tf.constant(["x", "z", "q", "r", "s"])).numpy().tolist() == [0, 2, 4, 4, 4] and int(table.size()) == 5
    numbers = tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(tf.constant([7, 8], W), tf.constant([0, 1], W)), 3)
    assert numbers.lookup(tf.constant([7, 9, 10, 11], W)).numpy().tolist() == [0, 4, 4, 3]
    with pytest.raises(tf.errors.NotFoundError):
        tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(str(path) + "2", tf.string, -2, W, -1), -1)


def test_mutable_table():
    table = tf.lookup.experimental.MutableHashTable(W, tf.float32, [0.0, 0.0])
    tf.function(lambda: table.insert([1, 2], [[1.0, 2.0], [3.0, 4.0]]))()
    assert table.lookup([[1], [5]]).numpy().tolist() == [[[1.0, 2.0]], [[0.0, 0.0]]]
    assert table.lookup([1, 5], dynamic_default_values=[[9.0, 9.0], [8.0, 8.0]]).numpy().tolist() == [[1.0, 2.0], [8.0, 8.0]]
    table.remove([1])
    assert table.export()[0].numpy().tolist() == [2]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Expected shape \[1,2\]"):
        table.insert([1], [[1.0]])


@pytest.mark.parametrize("spread", [1, 10**9], ids=["near", "far"])
@pytest.mark.parametrize("dtype", [tf.int64, tf.int32])
def test_many_numbers_are_found_as_one_by_one(spread, dtype):
    """From some hundred keys on lookups go by vectors; entries that change meanwhile are seen."""
    known = (np.arange(-300, 300, 3) * (spread if dtype is tf.int64 else min(spread, 10**6))).tolist()
    keys = tf.constant(np.random.default_rng(0).permutation([*known, 7, 2**31 - 1, -(2**31), *[k + 1 for k in known]]), dtype)
    if dtype is tf.int64:
        keys = tf.concat([keys, tf.constant([2**63 - 1, -(2**63)])], 0)
    expected = {k: i / 2 for i, k in enumerate(known)}
    entries = tf.lookup.KeyValueTensorInitializer(tf.constant(known, dtype), tf.constant(list(expected.values())))

    def looked_up(table):
        return table.lookup(keys).numpy().tolist(), [table.lookup(k).numpy().tolist() for k in keys]

    both = looked_up(tf.lookup.StaticHashTable(entries, -1.0))
    assert both[0] == both[1] == [expected.get(k, -1.0) for k in keys.numpy().tolist()]
    changing = tf.lookup.experimental.MutableHashTable(dtype, tf.float32, -2.0)
    assert set(changing.lookup(keys).numpy()) == {-2.0}
    changing.insert(tf.constant(known, dtype), list(expected.values()))
    assert looked_up(changing)[0] == [expected.get(k, -2.0) for k in keys.numpy().tolist()]
    changing.remove(tf.constant(known[:5], dtype))
    assert looked_up(changing)[0] == looked_up(changing)[1]
    ids = tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(tf.constant(known, dtype), tf.range(len(known), dtype=tf.int64)), 5)
    both = looked_up(ids)
    assert both[0] == both[1]


def test_keys_that_a_table_cannot_have_are_refused_among_many():
    table = tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, empty_key=5, deleted_key=6)
    table.insert(tf.constant([1, 2], tf.int64), tf.constant([10, 20], tf.int64))
    many = tf.range(1000, 2000, dtype=tf.int64)
    assert set(table.lookup(many).numpy()) == {-1}
    with pytest.raises(tf.errors.InvalidArgumentError, match="empty_key"):
        table.lookup(tf.concat([many, [5]], 0))


def test_many_narrow_numbers_are_found():
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant([-128, 0, 127], tf.int64), tf.constant([1, 2, 3])), 0)
    narrow = tf.lookup.experimental.MutableHashTable(tf.int32, tf.int32, 0)
    narrow.insert([-128, 0, 127], [1, 2, 3])
    keys = np.arange(-128, 128).repeat(2)
    expected = [{-128: 1, 0: 2, 127: 3}.get(k, 0) for k in keys.tolist()]
    assert table.lookup(tf.constant(keys, tf.int64)).numpy().tolist() == narrow.lookup(tf.constant(keys, tf.int32)).numpy().tolist() == expected
