"""`tf.lookup` in eager code, functions and datasets."""

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
